export { openDiskThread } from './disk_thread.ts';
export type { FileClass } from './file_classes.ts';
export { fileClasses } from './file_classes.ts';
export { diskFiles, type SpoolFiles } from './files.ts';
export type { SpoolLimits } from './limits.ts';
export { spoolLimits } from './limits.ts';
export { RowRefused, SpoolUnavailable } from './refusals.ts';
export type { Lane, Segment, Sink, Spool, SpoolSettings, Trouble } from './spool.ts';
export { openSpool } from './spool.ts';
