import type { FileClass } from '../../platform/spool/index.ts';

/** Full exports lie in `exports/`, by the number of their row: 0600, in a folder that only the desk's user may enter. */
export const exportFiles: readonly FileClass[] = [
  {
    path: 'exports/*',
    classes: ['D3'],
    window: '7 days after it was finished, or until it is deleted',
    purpose: 'what a person of the organisation asked to take away, as a file, sealed part by part',
  },
  {
    path: 'exports/*.asked',
    classes: ['D7'],
    window: 'until the export is gone',
    purpose: 'an empty file: this process was asked for the export of that number, so it writes it',
  },
  {
    path: 'exports/*.part/*',
    classes: ['D3'],
    window: 'until the export is finished or cancelled',
    purpose: 'an export that is being written, sealed under its key from the first byte',
  },
];
