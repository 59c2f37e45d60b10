import type { Audit } from '../../platform/audit.ts';
import { openWriter, type Parts } from './write.ts';

export const auditMigrations = new URL('./migrations/', import.meta.url);

/** The trail of acts: who did what, when, to what, as a chain per organisation that nobody can alter unseen. */
export function openAudit(parts: Parts): Audit {
  return openWriter(parts);
}
