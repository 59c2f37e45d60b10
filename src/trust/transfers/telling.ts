import type { Transfer } from '../../../contract/transfers.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Tell } from '../../platform/reminder.ts';

type NoticeName = 'controller_changes' | 'controller_stays' | 'controller_changed';

/** What the accounts bring of notices. */
export interface Teller {
  tell: Tell<NoticeName>;
}

/** Tells every member in the transaction of the act. @returns how many */
export async function tellMembers(
  sql: Sql,
  notices: Teller,
  organisationId: number,
  {
    name,
    of: { legal_name, effective_on },
    documents = [],
  }: {
    name: NoticeName;
    of: Pick<Transfer, 'legal_name' | 'effective_on'>;
    /** Names of those that have a version of the new controller. */
    documents?: readonly string[];
  },
): Promise<number> {
  const organisation = await sql.one<{ name: string; slug: string }>(
    'SELECT name, slug FROM organisations WHERE id = $1',
    [organisationId],
  );
  const members = await sql.query<{ person_id: number }>(
    'SELECT person_id FROM memberships WHERE organisation_id = $1 ORDER BY person_id',
    [organisationId],
  );
  for (const { person_id } of members)
    await notices.tell(sql, person_id, {
      ...{ name, organisationId, link: `/legal/${organisation.slug}` },
      facts: { organisation: organisation.name, who: legal_name, day: effective_on, documents: documents.join(', ') },
    });
  return members.length;
}
