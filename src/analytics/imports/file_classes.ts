import type { FileClass } from '../../platform/spool/index.ts';

/** Files to import lie in `imports/`, by the number of their row: 0600, in a folder that only the desk's user may enter. */
export const importFiles: readonly FileClass[] = [
  {
    path: 'imports/*',
    classes: ['D2', 'D3', 'D15'],
    window: 'until it is imported or cancelled, at most 7 days',
    purpose:
      'what a person of the organisation sent to be imported, such as an access log: each part sealed (AES-256-GCM) under a key that does not lie in the data directory',
  },
];
