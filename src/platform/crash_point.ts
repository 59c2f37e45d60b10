/**
 * Places where a process may be killed by the proof kit, between one durable step and the next. Named from a
 * closed list, so that a driver can visit every one of them and a misspelt name fails to compile.
 */
export const crashPoints = [
  'spool.take', // a group is formed, nothing of it is in the file
  'spool.write', // the group's bytes are in the file, not yet synced
  'spool.sync', // synced, nobody told
  'spool.ack', // the first of a group has its answer, the others not
  'spool.close', // a segment was renamed to closed, the loader has not seen it
  'spool.split', // a refused segment's split is on disk, none of its parts delivered
  'spool.quarantine', // a refused row is in quarantine, the segment's progress does not say so yet
  'spool.confirm', // a sink has confirmed, its progress is not written
  'spool.delete', // every sink has confirmed, the file is still there
  'warehouse.insert', // the insert was answered, the loader does not know
  'salt.written', // the new salt file is written, not yet renamed
  'salt.renamed', // renamed, the old one not yet overwritten
] as const;
export type CrashPoint = (typeof crashPoints)[number];

const [wanted, nth] = (process.env.FAIRLEAD_CRASH_POINT ?? '').split(':');
let left = Number(nth ?? 1) || 1;

/**
 * Kills this very process with SIGKILL when FAIRLEAD_CRASH_POINT says `name:nth` and this is the nth time here.
 * SIGKILL rather than exit: no handler, no flush, no `finally` runs, as in a real kill -9. Without the variable
 * it is an empty function.
 */
export const crashPoint: (name: CrashPoint) => void = wanted
  ? (name) => {
      if (name === wanted && --left === 0) process.kill(process.pid, 'SIGKILL');
    }
  : () => {};
