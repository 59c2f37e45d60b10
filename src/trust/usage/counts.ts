import { usageDays, usageMembersMin } from '../../../contract/usage.ts';
import { everywhere, type Postgres, type Sql } from '../../platform/postgres/index.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { hasAgreed, isDone } from '../consent/index.ts';

const purpose = 'optional_analytics';

/** Is it counted at all? A setting of the desk; without a row it is. */
export async function isSwitchedOn(sql: Sql): Promise<boolean> {
  const row = await sql.maybe<{ is_on: boolean }>('SELECT is_on FROM product_usage_settings WHERE id = 1');
  return row?.is_on ?? true;
}

/**
 * May what this person opens be counted? Asked of the rows each time: who takes it back is counted no more from that moment on.
 * @param sql of the person's own door
 */
export async function isCounted(sql: Sql, personId: number): Promise<boolean> {
  return (await isSwitchedOn(sql)) && hasAgreed(sql, personId, purpose);
}

/** Adds one. Who it was ends here: the row says in which organisation, on which day, which page. */
export async function countPage(
  postgres: Pick<Postgres, 'tenant'>,
  { organisationId, page, nowMs }: { organisationId: number; page: string; nowMs: number },
): Promise<void> {
  await postgres.tenant(organisationId, async (sql) => {
    if (!(await isDone(sql, organisationId, purpose))) return;
    await sql.run(
      `INSERT INTO product_usage (organisation_id, day, page, opened) VALUES ($1, $2, $3, 1)
       ON CONFLICT (organisation_id, day, page) DO UPDATE SET opened = product_usage.opened + 1`,
      [organisationId, utcDay(nowMs), page],
    );
  });
}

interface Counted {
  name: string;
  members: number;
  day: string;
  page: string;
  opened: number;
}

/** The last 30 days, added up: pages, days, and what each organisation opens most; small ones together. */
export async function readUsage(postgres: Pick<Postgres, 'system' | 'tenant'>, nowMs: number) {
  const from = utcDay(nowMs - (usageDays - 1) * dayMs);
  const rows = await everywhere(postgres, (sql, organisationId) =>
    sql.query<Counted>(
      `SELECT o.name, (SELECT count(*) FROM memberships m WHERE m.organisation_id = o.id)::int AS members,
         to_char(u.day, 'YYYY-MM-DD') AS day, u.page, u.opened
       FROM product_usage u JOIN organisations o ON o.id = u.organisation_id
       WHERE u.organisation_id = $1 AND u.day >= $2`,
      [organisationId, from],
    ),
  );
  const sumBy = <Key>(keyOf: (row: Counted) => Key) => {
    const sums = new Map<Key, number>();
    for (const row of rows) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0) + row.opened);
    return [...sums].sort(([, one], [, other]) => other - one);
  };
  const whose = ({ name, members }: Counted) => (members < usageMembersMin ? null : name);
  const days = new Map(sumBy(({ day }) => day));
  return {
    pages: sumBy(({ page }) => page).map(([page, opened]) => ({ page, opened })),
    days: Array.from({ length: usageDays }, (_, at) => {
      const day = utcDay(nowMs - (usageDays - 1 - at) * dayMs);
      return { day, opened: days.get(day) ?? 0 };
    }),
    organisations: sumBy(whose).map(([name, opened]) => {
      const own = rows.filter((row) => whose(row) === name);
      const pages = new Map<string, number>();
      for (const row of own) pages.set(row.page, (pages.get(row.page) ?? 0) + row.opened);
      const [most] = [...pages].sort(([, one], [, other]) => other - one);
      return { name, opened, page: most?.[0] ?? '' };
    }),
  };
}
