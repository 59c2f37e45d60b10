import { archiveLimits } from '../../platform/files/limits.ts';

/** What a file that is imported may cost. */
export const importLimits = {
  ...archiveLimits,
  /** A record of a CSV table or a line of a log, with everything in quotes. */
  lineCharsMax: 64 * 1024,
  columnsMax: 200,
  rowsMax: 200_000_000,
} as const;
