/** A backup that cannot be made, opened or restored: a sentence for the operator with the fact and the next step. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}
