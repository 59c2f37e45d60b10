import type { ReportKind } from '../../../contract/reports.ts';
import { emailIn, readMemberships } from '../../accounts/index.ts';
import { everywhere, type Postgres, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { ReportedSite } from './content.ts';
import type { Due } from './due.ts';

/** Who wants which reports of which site. */
export interface Subscription {
  site: ReportedSite;
  personId: number;
  /** Milliseconds since the epoch; undefined: not this kind. */
  since: Record<ReportKind, number | undefined>;
}

interface Row {
  person_id: number;
  weekly_since: Date | null;
  monthly_since: Date | null;
  site_id: number;
  organisation_id: number;
  domain: string;
  timezone: string;
  currency: string;
  revenue: boolean;
  created_at: Date;
}

/** Of sites that are collected: a week of a suspended one would be said to be without visits. */
export async function everySubscription(postgres: Postgres): Promise<Subscription[]> {
  const rows = await everywhere(postgres, (sql) =>
    sql.query<Row>(
      `SELECT r.person_id, r.weekly_since, r.monthly_since, s.id AS site_id, s.organisation_id, s.domain, s.timezone,
         s.currency, s.revenue, s.created_at
       FROM report_subscriptions r JOIN sites s ON s.id = r.site_id JOIN organisations o ON o.id = s.organisation_id
       WHERE s.state = 'active' AND o.status NOT IN ('suspended', 'closed') ORDER BY s.id, r.person_id`,
    ),
  );
  return rows.map((row) => ({
    site: {
      ...{ id: row.site_id, organisation_id: row.organisation_id, domain: row.domain, timezone: row.timezone },
      ...{ currency: row.currency, revenue: row.revenue, createdAt: row.created_at.getTime() },
    },
    personId: row.person_id,
    since: { weekly: row.weekly_since?.getTime(), monthly: row.monthly_since?.getTime() },
  }));
}

export type Outcome = 'sent' | 'too_late' | 'no_access';

/** Takes a report for this process: in the transaction that sends it. @returns false when it was taken before */
export async function claim(
  sql: Sql,
  { site, personId }: Pick<Subscription, 'site' | 'personId'>,
  due: Due,
  outcome: Outcome,
  now: number,
): Promise<boolean> {
  const taken = await sql.query(
    `INSERT INTO report_sendings (organisation_id, site_id, person_id, kind, first_day, outcome, decided_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING 1`,
    [site.organisation_id, site.id, personId, due.kind, due.range.from, outcome, new Date(now)],
  );
  return taken.length > 0;
}

/** The first days of the reports that are decided already, as `kind day`. */
export async function decided(
  postgres: Postgres,
  { site, personId }: Pick<Subscription, 'site' | 'personId'>,
): Promise<Set<string>> {
  const rows = await postgres.tenant(site.organisation_id, (sql) =>
    sql.query<{ kind: string; first_day: string }>(
      `SELECT kind, first_day::text AS first_day FROM report_sendings
       WHERE site_id = $1 AND person_id = $2 ORDER BY first_day DESC LIMIT 50`,
      [site.id, personId],
    ),
  );
  return new Set(rows.map(({ kind, first_day }) => `${kind} ${first_day}`));
}

/** Whom a report goes to, and how they have numbers and dates written. */
export interface Reader {
  to: string;
  locale: string | undefined;
}

/** Somebody who may see the site at this moment; undefined for whoever may not any more. */
export async function readerOf(
  { postgres, vault }: Pick<House, 'postgres' | 'vault'>,
  { site, personId }: Pick<Subscription, 'site' | 'personId'>,
  now: number,
): Promise<Reader | undefined> {
  return postgres.person(personId, async (sql) => {
    const memberships = await readMemberships(sql, personId, now);
    const own = memberships.find(({ organisationId }) => organisationId === site.organisation_id);
    const sees = own?.siteIds === undefined || own.siteIds.includes(site.id);
    // Somebody whose second factor is overdue sees no page of the organisation either.
    if (own === undefined || own.isSecondFactorOverdue || !own.permissions.includes('stats.read') || !sees)
      return undefined;
    const open = await sql.maybe<{ locale: string | null }>(
      "SELECT locale FROM people WHERE id = $1 AND status IN ('active', 'closing')",
      [personId],
    );
    const to = open === undefined ? undefined : await emailIn({ vault }, sql, personId);
    return to === undefined ? undefined : { to, locale: open?.locale ?? undefined };
  });
}
