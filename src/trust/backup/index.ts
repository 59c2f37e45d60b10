export { BackupError } from './backup_error.ts';
export { keysName, notCopied } from './contents.ts';
export {
  type BackupParts,
  backupDaysMax,
  copyKeys,
  type Gone,
  listBackups,
  type MadeBackup,
  makeBackup,
  notOurs,
  removeOld,
} from './create.ts';
export { makeRecoveryKey, nameOfKey } from './recovery_key.ts';
export { type GoneSite, type RestoreParts, refuseHalfRestored, restoreBackup } from './restore.ts';

export const backupMigrations = new URL('./migrations/', import.meta.url);
