export { backupListExecutor } from './ageing.ts';
export { BackupError } from './backup_error.ts';
export { keysName, notCopied } from './contents.ts';
export {
  type BackupParts,
  backupDaysMax,
  backupsAmong,
  copyKeys,
  type Gone,
  listBackups,
  type MadeBackup,
  makeBackup,
  notOurs,
  removeOld,
  removeOldObjects,
} from './create.ts';
export { fetchNewest } from './fetch.ts';
export { openObjectStore } from './object_store.ts';
export { makeRecoveryKey, nameOfKey } from './recovery_key.ts';
export { type GoneSite, type RestoreParts, refuseHalfRestored, restoreBackup } from './restore.ts';

export const backupMigrations = new URL('./migrations/', import.meta.url);
