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
  'spool.part', // a part of a split segment is delivered, its progress does not say so
  'quarantine.write', // a refused row is in the quarantine's file, not yet synced
  'spool.quarantine', // a refused row is in quarantine, the segment's progress does not say so yet
  'spool.confirm', // a sink has confirmed, its progress is not written
  'spool.delete', // every sink has confirmed, the file is still there
  'spool.deleted', // the file is gone, its progress is still there
  'spool.recover', // a start has cut the torn tail of a segment, which is still called open
  'spool.recovered', // a start has closed all segments, their directory is not synced
  'relay.goal', // the conversion of an event is on disk, the event's own row is not
  'relay.adopted', // keys of conversions are in the key store, the conversions are not in their tables yet
  'relay.loaded', // conversions are in their tables, the spool does not know
  'upload.whole', // every part of a file of conversions is here, nobody has looked what it is
  'warehouse.insert', // the insert was answered, the loader does not know
  'ingest.restored', // a start has read visits and ids back, nobody has been answered yet
  'salt.written', // the new salt file is written, not yet renamed
  'salt.renamed', // renamed, the old one not yet overwritten
  'freeze.deleted', // what a day had in `daily` before is deleted, nothing is counted yet
  'freeze.half', // visits of the day are counted into `daily`, its events are not
  'freeze.counted', // all of the day is counted, the register does not say that it is frozen
  'vault.prepared', // a new root is in the key file, the database does not know it
  'vault.current', // the new root wraps from now on, nothing is wrapped anew yet
  'vault.wrapped', // some organisations' keys are wrapped under the new root, others are not
  'vault.replaced', // an organisation has a new key, those of its subjects are under the old one
  'vault.subjects', // some subjects' keys are under the new one
  'removal.begun', // a site's emptying or deletion is written down as running, nothing is gone
  'removal.files', // its exports and imports are gone from the disk, their rows are not
  'removal.table', // a table of the warehouse is emptied of it, nobody has written that down
  'removal.checked', // nothing is left, and nobody has written that down
  'export.day', // a day of a site is in the files of its export, the next one is not begun
  'export.packed', // the file of an export is made, and not in its place yet
  'archive.site', // the events of a site are in the files of an archive, the other sites are not
  'archive.packed', // the archive of an organisation is packed, and not in its place yet
  'closing.emptied', // nothing of a closed account's person is in its row, the keys found by its number are still there
  'ending.sites', // the deletions of the sites of a closed organisation are begun, and the organisation waits for them
  'ending.rows', // every row of a closed organisation is gone, its keys are still there
  'ending.keys', // its keys are gone too, and it is not written down that nothing is left
  'erasure.planned', // what somebody is known by and the steps are written down, nothing is erased yet
  'erasure.before', // rows of the warehouse are gone, or a key is destroyed, and nobody has written that down
  'erasure.step', // a step of an erasure is written down, the next one is not begun
  'erasure.looked', // it was looked whether anything is left, the receipt is not written
  'measure.written', // a correction, a restriction or its end is written with its receipt, and not committed
  'contacts.sealed', // some values of mail and phone links lie under their site's new key, others under the old one
  'backup.written', // a backup is on disk under its other name, not yet read back
  'backup.whole', // the backup has its name, the copy of the key store is still the last one
  'backup.sent', // the object store has one of the two files of a backup
  'backup.kept', // both lie there, what became of it is not written down
  'restore.marked', // the data directory says that a restore is under way, and is empty otherwise
  'restore.filled', // the database is filled, the warehouse is not
  'restore.warehouse', // both are filled, the mark is still there
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
