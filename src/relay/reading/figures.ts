import type { Sql } from '../../platform/postgres/index.ts';
import { latencyStep, type Span } from './parts.ts';
import { hasWholeDays } from './sums.ts';

/** Deliveries that are counted together. @property state `open`: waiting or being sent @property step null: not accepted */
export interface FlowRow {
  destination_id: number;
  state: string;
  reason: string | null;
  was_sent: boolean;
  step: number | null;
  count: number;
}
/** Conversions that were told, and of those what no route took. */
export interface ToldRow {
  conversions: number;
  doubles: number;
  routed_nowhere: number;
}
/** Deliveries of one kind of destination on one day, whose conversions had the same identifiers. */
export interface CoverRow {
  kind: string;
  step: number;
  present: string[];
  count: number;
}
export interface SourceRow {
  id: number;
  name: string | null;
  conversions: number;
  with_identifier: number;
  doubles: number;
}

/** What is counted of a period. @property sources whose conversions have one of these identifiers */
export interface Figures {
  flows(sql: Sql, organisationId: number, span: Span): Promise<FlowRow[]>;
  told(sql: Sql, organisationId: number, span: Span): Promise<ToldRow>;
  cover(sql: Sql, organisationId: number, span: Span): Promise<CoverRow[]>;
  sources(sql: Sql, organisationId: number, span: Span, identifiers: readonly string[]): Promise<SourceRow[]>;
}

/** Sums as they are kept; for an hour after an organisation moved to another zone, the rows themselves. */
export async function figuresOf(sql: Sql, organisationId: number, { timezone }: Span): Promise<Figures> {
  return (await hasWholeDays(sql, organisationId, timezone)) ? summed : counted;
}

const within = 'organisation_id = $1 AND begins_at >= $2 AND ends_at <= $3';

/** Out of the sums that are kept (`sums.ts`). */
export const summed: Figures = {
  flows: (sql, organisationId, { from, to }) =>
    sql.query<FlowRow>(
      `SELECT about AS destination_id, state, CASE WHEN state IN ('withheld', 'dead') THEN nullif(reason, '') END AS reason, was_sent,
         nullif(step, -1) AS step, sum(rows)::int AS count
       FROM relay_summed WHERE ${within} AND what = 'deliveries' GROUP BY 1, 2, 3, 4, 5 HAVING sum(rows) <> 0`,
      [organisationId, new Date(from), new Date(to)],
    ),
  told: (sql, organisationId, { from, to }) =>
    sql.one<ToldRow>(
      `SELECT coalesce(sum(rows), 0)::int AS conversions, coalesce(sum(doubles), 0)::int AS doubles,
         coalesce(sum(rows - routed), 0)::int AS routed_nowhere
       FROM relay_summed WHERE ${within} AND what = 'told'`,
      [organisationId, new Date(from), new Date(to)],
    ),
  cover: (sql, organisationId, { from, to, days }) =>
    sql.query<CoverRow>(
      `SELECT o.kind, width_bucket(l.begins_at, $4::timestamptz[]) - 1 AS step, l.present, sum(l.rows)::int AS count
       FROM relay_summed l JOIN relay_destinations o ON o.id = l.about
       WHERE l.organisation_id = $1 AND l.begins_at >= $2 AND l.ends_at <= $3 AND l.what = 'cover' GROUP BY 1, 2, 3 HAVING sum(l.rows) <> 0`,
      [organisationId, new Date(from), new Date(to), days.map((day) => new Date(day))],
    ),
  sources: (sql, organisationId, { from, to }, identifiers) =>
    sql.query<SourceRow>(
      `SELECT l.about AS id, s.name, sum(l.rows)::int AS conversions, sum(l.doubles)::int AS doubles,
         coalesce(sum(l.rows) FILTER (WHERE l.present && $4), 0)::int AS with_identifier
       FROM relay_summed l LEFT JOIN relay_sources s ON s.id = l.about
       WHERE l.organisation_id = $1 AND l.begins_at >= $2 AND l.ends_at <= $3 AND l.what = 'told'
       GROUP BY 1, 2 HAVING sum(l.rows) <> 0 ORDER BY 3 DESC, 1`,
      [organisationId, new Date(from), new Date(to), identifiers],
    ),
};

/** Out of the rows themselves: a million of them take seconds. What the sums are held against. */
export const counted: Figures = {
  flows: (sql, organisationId, { from, to }) =>
    sql.query<FlowRow>(
      `SELECT d.destination_id, CASE WHEN d.state IN ('waiting', 'sending') THEN 'open' ELSE d.state END AS state,
         CASE WHEN d.state IN ('withheld', 'dead') THEN d.reason END AS reason,
         d.first_sent_at IS NOT NULL AS was_sent, ${latencyStep} AS step, count(*)::int AS count
       FROM relay_deliveries d WHERE d.organisation_id = $1 AND d.created_at >= $2 AND d.created_at < $3
       GROUP BY 1, 2, 3, 4, 5`,
      [organisationId, new Date(from), new Date(to)],
    ),
  told: (sql, organisationId, { from, to }) =>
    sql.one<ToldRow>(
      `SELECT count(*)::int AS conversions, coalesce(sum(c.doubles), 0)::int AS doubles,
         (count(*) FILTER (WHERE NOT EXISTS (
           SELECT FROM relay_deliveries d WHERE d.organisation_id = c.organisation_id AND d.conversion_id = c.id)))::int AS routed_nowhere
       FROM relay_conversions c WHERE c.organisation_id = $1 AND c.received_at >= $2 AND c.received_at < $3`,
      [organisationId, new Date(from), new Date(to)],
    ),
  /** A day after the other, each of which fits into memory: all at once took a million conversions longer than a question may. */
  cover: (sql, organisationId, { days, to }) =>
    sql.query<CoverRow>(
      `SELECT o.kind, s.step::int - 1 AS step, l.present, sum(l.count)::int AS count
       FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS s(begins, ends, step)
       CROSS JOIN LATERAL (
         SELECT d.destination_id, c.present, count(*) AS count FROM relay_deliveries d
         JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
         WHERE d.organisation_id = $1 AND d.created_at >= s.begins AND d.created_at < s.ends
           AND c.organisation_id = $1 AND c.received_at >= s.begins AND c.received_at < s.ends
         GROUP BY 1, 2) AS l
       JOIN relay_destinations o ON o.id = l.destination_id GROUP BY 1, 2, 3`,
      [organisationId, days.map((day) => new Date(day)), [...days.slice(1), to].map((day) => new Date(day))],
    ),
  sources: (sql, organisationId, { from, to }, identifiers) =>
    sql.query<SourceRow>(
      `SELECT c.source_id AS id, s.name, count(*)::int AS conversions, sum(c.doubles)::int AS doubles,
         (count(*) FILTER (WHERE c.present && $4))::int AS with_identifier
       FROM relay_conversions c LEFT JOIN relay_sources s ON s.id = c.source_id
       WHERE c.organisation_id = $1 AND c.received_at >= $2 AND c.received_at < $3 GROUP BY 1, 2 ORDER BY 3 DESC, 1`,
      [organisationId, new Date(from), new Date(to), identifiers],
    ),
};
