import type { Measure, Restriction } from '../../../contract/requests.ts';
import { asMail, type Sql } from '../../platform/postgres/index.ts';
import type { Place, Vault } from '../../platform/vault.ts';
import { restrictionEndsMail } from './mails.ts';

export type MeasureSystem = Measure['systems'][number];

export function restrictionPlace<Column extends 'email_sealed' | 'why_sealed'>(
  organisationId: number,
  id: number,
  column: Column,
): Place & { class: 'D4' | 'D24' } {
  return { organisationId, table: 'restrictions', column, row: id, class: column === 'email_sealed' ? 'D4' : 'D24' };
}

export async function restrictionEmail(
  vault: Vault,
  organisationId: number,
  row: { id: number; email_sealed: Buffer | null },
): Promise<string | undefined> {
  if (row.email_sealed === null) return undefined;
  return (await vault.open(restrictionPlace(organisationId, row.id, 'email_sealed'), row.email_sealed)).toString(
    'utf8',
  );
}

/** What was done for a request, the last first. */
export async function readMeasures(sql: Sql, requestId: number): Promise<Measure[]> {
  const rows = await sql.query<{ number: number; does: Measure['does']; written_at: Date; receipt: string }>(
    'SELECT number, does, written_at, receipt FROM request_receipts WHERE request_id = $1 ORDER BY number DESC',
    [requestId],
  );
  return rows.map(({ number, does, written_at, receipt }) => ({
    ...{ number, does, written_at: written_at.toISOString() },
    systems: (JSON.parse(receipt) as { systems: MeasureSystem[] }).systems,
  }));
}

/** Did the letter that tells of the end leave? Another one to that address since then does not count. */
export async function letterOf(
  sql: Sql,
  organisationId: number,
  row: { id: number; told_at: Date },
): Promise<'waiting' | 'left' | 'failed'> {
  const listed = await sql.query<{ mail_digest: Buffer }>(
    'SELECT mail_digest FROM restricted_identifiers WHERE restriction_id = $1 AND mail_digest IS NOT NULL',
    [row.id],
  );
  const message = await asMail(sql, () =>
    sql.maybe<{ state: string }>(
      `SELECT state FROM mail.messages WHERE organisation_id = $1 AND address_digest = ANY ($2) AND template = $3 AND created_at >= $4
       ORDER BY id DESC LIMIT 1`,
      [organisationId, listed.map(({ mail_digest }) => mail_digest), restrictionEndsMail.name, row.told_at],
    ),
  );
  if (message?.state === 'sent' || message?.state === 'inbox') return 'left';
  return message?.state === 'waiting' ? 'waiting' : 'failed';
}

/** How the restriction of a request stands; null where none was begun. */
export async function readRestriction(
  vault: Vault,
  sql: Sql,
  { organisationId, requestId }: { organisationId: number; requestId: number },
): Promise<Restriction | null> {
  const row = await sql.maybe<{
    id: number;
    began_at: Date;
    email_sealed: Buffer | null;
    why_sealed: Buffer | null;
    told_how: 'mail' | 'by-hand' | null;
    told_at: Date | null;
    lifts_at: Date | null;
    ended_at: Date | null;
  }>(
    `SELECT id, began_at, email_sealed, why_sealed, told_how, told_at, lifts_at, ended_at FROM restrictions
     WHERE request_id = $1`,
    [requestId],
  );
  if (row === undefined) return null;
  const { why_sealed, told_how, told_at, lifts_at, ended_at } = row;
  const isEnding = why_sealed !== null && told_how !== null && told_at !== null && lifts_at !== null;
  return {
    began_at: row.began_at.toISOString(),
    ended_at: ended_at?.toISOString() ?? null,
    has_address: row.email_sealed !== null,
    ending: isEnding
      ? {
          why:
            why_sealed.length === 0
              ? 'It ended after the backup that this desk was restored from. Why is not in it.'
              : (await vault.open(restrictionPlace(organisationId, row.id, 'why_sealed'), why_sealed)).toString('utf8'),
          ...{ told: told_how, told_at: told_at.toISOString(), lifts_at: lifts_at.toISOString() },
          letter:
            told_how === 'by-hand' || ended_at !== null
              ? null
              : await letterOf(sql, organisationId, { ...row, told_at }),
        }
      : null,
  };
}
