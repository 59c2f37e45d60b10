import { type ClosingPreview, closingLimits } from '../../../contract/account_closing.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { readMemberships } from '../organisations/index.ts';

/** What ends with the account of a person, each organisation looked at through its own door. */
export async function previewOf(
  { postgres, clock }: Pick<House, 'postgres' | 'clock'>,
  personId: number,
): Promise<ClosingPreview> {
  const memberships = await postgres.person(personId, (sql) => readMemberships(sql, personId, clock.now()));
  const preview: ClosingPreview = {
    days: closingLimits.days,
    blocked_by: [],
    organisations: memberships.map(({ name, slug, roleName }) => ({ name, slug, role: roleName })),
    api_keys: [],
    reports: 0,
  };
  for (const { organisationId, name, slug, role, status } of memberships)
    await postgres.tenant(organisationId, async (sql) => {
      // One that closes itself by then needs nobody.
      if (role === 'owner' && status !== 'closing' && (await isLastOwner(sql, personId)))
        preview.blocked_by.push({ name, slug });
      const keys = await sql.query<{ name: string }>(
        'SELECT name FROM api_keys WHERE created_by = $1 AND revoked_at IS NULL ORDER BY name',
        [personId],
      );
      preview.api_keys.push(...keys.map((key) => ({ name: key.name, organisation: name })));
      const reports = await sql.one<{ count: number }>(
        'SELECT count(*) AS count FROM report_subscriptions WHERE person_id = $1',
        [personId],
      );
      preview.reports += reports.count;
    });
  return preview;
}

/** In a transaction of the organisation. Owners who cannot sign in, or are about to go, do not count. */
export async function isLastOwner(sql: Sql, personId: number): Promise<boolean> {
  const others = await sql.query(
    `SELECT 1 FROM memberships m JOIN people p ON p.id = m.person_id
     WHERE m.role = 'owner' AND m.person_id <> $1 AND p.status NOT IN ('suspended', 'closing', 'closed') LIMIT 1`,
    [personId],
  );
  return others.length === 0;
}
