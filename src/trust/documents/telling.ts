import type { Sql } from '../../platform/postgres/index.ts';
import type { Reminded, Tell } from '../../platform/reminder.ts';

type NoticeName = 'document_changed' | 'subprocessor_coming' | 'subprocessors_changed';

/** What the accounts bring of notices. */
export interface Teller {
  tell: Tell<NoticeName>;
}

/**
 * Tells every member of an organisation, in the desk and by mail, and keeps a receipt of each in the same transaction:
 * neither a kill nor a second process tells anybody twice, or writes down what was not told (rule R16).
 * @returns how many were told
 */
export async function tellMembers(
  sql: Sql,
  notices: Teller,
  about: { organisationId: number; kind: string; version: number; nowMs: number },
  notice: Reminded<NoticeName>,
): Promise<number> {
  const members = await writeReceipts(sql, about);
  for (const personId of members)
    await notices.tell(sql, personId, { ...notice, organisationId: about.organisationId });
  return members.length;
}

/** That every member is told of a version, in this transaction. @returns who has not been told of it before */
export async function writeReceipts(
  sql: Sql,
  { organisationId, kind, version, nowMs }: { organisationId: number; kind: string; version: number; nowMs: number },
): Promise<number[]> {
  const members = await sql.query<{ person_id: number }>(
    `INSERT INTO document_receipts (organisation_id, kind, version, person_id, told_at)
     SELECT organisation_id, $2, $3, person_id, $4 FROM memberships WHERE organisation_id = $1 ORDER BY person_id
     ON CONFLICT DO NOTHING RETURNING person_id`,
    [organisationId, kind, version, new Date(nowMs)],
  );
  return members.map(({ person_id }) => person_id);
}
