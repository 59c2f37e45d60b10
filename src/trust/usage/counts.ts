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

interface Used {
  kind: 'page' | 'feature';
  name: string;
}

/**
 * Adds one to each. Who it was ends here: the row says in which organisation, on which day, which page or feature. The
 * database adds, so several processes count one number together.
 */
export async function countUse(
  postgres: Pick<Postgres, 'tenant'>,
  { organisationId, used, nowMs }: { organisationId: number; used: readonly Used[]; nowMs: number },
): Promise<void> {
  if (used.length === 0) return;
  await postgres.tenant(organisationId, async (sql) => {
    if (!(await isDone(sql, organisationId, purpose))) return;
    // In one order, so that two at once do not wait for each other.
    for (const { kind, name } of used.toSorted((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1)))
      await sql.run(
        `INSERT INTO product_usage (organisation_id, day, kind, name, opened) VALUES ($1, $2, $3, $4, 1)
         ON CONFLICT (organisation_id, day, kind, name) DO UPDATE SET opened = product_usage.opened + 1`,
        [organisationId, utcDay(nowMs), kind, name],
      );
  });
}

interface Counted extends Used {
  organisation: string;
  members: number;
  day: string;
  opened: number;
}

/** The last 30 days, added up: pages, features, days, and what each organisation opens and uses most; small ones together. */
export async function readUsage(postgres: Pick<Postgres, 'system' | 'tenant'>, nowMs: number) {
  const from = utcDay(nowMs - (usageDays - 1) * dayMs);
  const rows = await everywhere(postgres, (sql, organisationId) =>
    sql.query<Counted>(
      `SELECT o.name AS organisation, (SELECT count(*) FROM memberships m WHERE m.organisation_id = o.id)::int AS members,
         to_char(u.day, 'YYYY-MM-DD') AS day, u.kind, u.name, u.opened
       FROM product_usage u JOIN organisations o ON o.id = u.organisation_id
       WHERE u.organisation_id = $1 AND u.day >= $2`,
      [organisationId, from],
    ),
  );
  const pages = rows.filter(({ kind }) => kind === 'page');
  const features = rows.filter(({ kind }) => kind === 'feature');
  const whose = ({ organisation, members }: Counted) => (members < usageMembersMin ? null : organisation);
  const opened = new Map(sumBy(pages, ({ day }) => day));
  const used = new Map(sumBy(features, ({ day }) => day));
  return {
    pages: sumBy(pages, ({ name }) => name).map(([page, opened]) => ({ page, opened })),
    features: sumBy(features, ({ name }) => name).map(([feature, used]) => ({
      ...{ feature, used },
      days: new Set(features.filter(({ name }) => name === feature).map(({ day }) => day)).size,
    })),
    days: Array.from({ length: usageDays }, (_, at) => {
      const day = utcDay(nowMs - (usageDays - 1 - at) * dayMs);
      return { day, opened: opened.get(day) ?? 0, used: used.get(day) ?? 0 };
    }),
    organisations: sumBy(rows, whose).map(([name]) => {
      const of = (some: readonly Counted[]) => some.filter((row) => whose(row) === name);
      const most = (some: readonly Counted[]) => sumBy(of(some), (row) => row.name)[0]?.[0] ?? null;
      const sum = (some: readonly Counted[]) => of(some).reduce((all, row) => all + row.opened, 0);
      return { name, opened: sum(pages), page: most(pages), used: sum(features), feature: most(features) };
    }),
  };
}

/** Sums by what a row has in common with others, the greatest first. */
function sumBy<Key>(rows: readonly Counted[], keyOf: (row: Counted) => Key): [key: Key, sum: number][] {
  const sums = new Map<Key, number>();
  for (const row of rows) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0) + row.opened);
  return [...sums].sort(([, one], [, other]) => other - one);
}
