import { z } from 'zod';
import { proofAgain } from './people.ts';

/** One backup that was begun: of both databases, or of the key store alone. */
export const backupRun = z.object({
  id: z.number(),
  began_at: z.string(),
  ended_at: z.string().nullable(),
  /** `removed`: its days are over, or its file is gone. */
  state: z.enum(['running', 'done', 'failed', 'removed']),
  kind: z.enum(['whole', 'keys']),
  bytes: z.number().nullable(),
  /** Tells the recovery key that opens it from others. */
  key_name: z.string(),
  /** When it was read back whole. */
  verified_at: z.string().nullable(),
  /** Why it failed, a sentence. */
  problem: z.string().nullable(),
  /** Of its copy in the object store; null where none was asked for. */
  remote_state: z.enum(['sending', 'done', 'failed', 'removed']).nullable(),
  /** Why it is not there, a sentence. */
  remote_problem: z.string().nullable(),
});
export type BackupRun = z.infer<typeof backupRun>;

/** How the desk is backed up, and what waits in one that was restored. */
export const backupState = z.object({
  /** False where the databases are servers of their own: they are backed up by their own tools. */
  is_ours: z.boolean(),
  folder: z.string(),
  /** The object store that each is copied to; null for none. */
  store: z.string().nullable(),
  /** Hour of the day (UTC) of the daily backup; null for none. */
  hour: z.number().nullable(),
  /** Days that a backup is kept. */
  days: z.number(),
  recovery_key: z.object({ name: z.string(), made_at: z.string() }).nullable(),
  /** What lies in the folder, the newest first. */
  files: z.array(z.object({ file: z.string(), made_at: z.string(), bytes: z.number() })),
  runs: z.array(backupRun),
  is_running: z.boolean(),
  restored_at: z.string().nullable(),
  /** When mail of the restored desk was let go. */
  released_at: z.string().nullable(),
  /** Mail that was waiting at the backup and is held until somebody lets it go. */
  held: z.array(z.object({ template: z.string(), messages: z.number(), oldest: z.string() })),
});
export type BackupState = z.infer<typeof backupState>;

/** The password again; nobody else makes the key that opens everything. */
export const newRecoveryKey = proofAgain;

/** The key is in this answer and nowhere else. */
export const madeRecoveryKey = z.object({ key: z.string(), name: z.string(), made_at: z.string() });
export type MadeRecoveryKey = z.infer<typeof madeRecoveryKey>;
