import type { FileClass } from '../../platform/spool/index.ts';

/** Archives of organisations lie in `archives/`, by the number of their row: 0600, in a folder that only the desk's user may enter. */
export const archiveFiles: readonly FileClass[] = [
  {
    path: 'archives/*',
    classes: ['D7'],
    window:
      '7 days after it was finished, until it is deleted, or until the organisation is closed; while a legal hold lasts, until that is released',
    purpose: 'everything of an organisation as one file for its owners, sealed part by part',
  },
  {
    path: 'archives/*.asked',
    classes: ['D7'],
    window: 'until the archive is finished',
    purpose: 'an empty file: this process was asked for the archive of that number, so it writes it',
  },
  {
    path: 'archives/*.part/**',
    classes: ['D7', 'D3'],
    window: 'until the archive is finished or given up, minutes',
    purpose: 'an archive that is being written, sealed under its key from the first byte',
  },
];
