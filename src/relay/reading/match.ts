import {
  type MatchKey,
  type MatchQuality,
  matchKeys,
  matchQuality,
  ofPeople,
  relayFiguresQuestion,
} from '../../../contract/relay_reading.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { isoDay, localDay } from '../../platform/zone.ts';
import { destinationOf } from '../destinations/index.ts';
import { ofOrganisation, organisationFor } from '../settings/parts.ts';
import { flowOf, flowRows } from './overview.ts';
import { labelOf, type ReadingHouse, reading, type Span, shownSpan, spanOf } from './parts.ts';

/** Deliveries of one kind of destination on one day, whose conversions had the same identifiers. */
interface CoverRow {
  kind: string;
  step: number;
  present: string[];
  count: number;
}

/** Is an identifier there? A name alone matches nobody: platforms want it with a place; and Meta makes fbc of fbclid. */
function has(present: ReadonlySet<string>, key: MatchKey): boolean {
  switch (key) {
    case 'name_address':
      return present.has('first_name') && present.has('last_name') && (present.has('zip') || present.has('city'));
    case 'ip_agent':
      return present.has('ip') && present.has('user_agent');
    case 'fbc':
      return present.has('fbc') || present.has('fbclid');
    default:
      return present.has(key);
  }
}

export function matchRoutes(house: ReadingHouse): Route[] {
  const { clock } = house;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/match-quality',
      access: 'relay.read',
      summary:
        'How much of what goes to each platform carries which identifier, by day; doubles and latency. Coverage, and no platform’s own score.',
      params: ofOrganisation,
      query: relayFiguresQuestion,
      answer: matchQuality,
      async handle(request) {
        const organisation = organisationFor(request);
        const now = clock.now();
        return {
          body: await reading(house, organisation, async (sql) => {
            const span = await spanOf(sql, organisation, request.query.period, now);
            return shown(span, {
              cover: await coverRows(sql, organisation, span),
              latencies: await latenciesOf(sql, organisation, span),
              sources: await sourceRows(sql, organisation, span),
            });
          }),
        };
      },
    }),
  ];
}

/** A day after the other, each of which fits into memory: all at once took a million conversions longer than a question may. */
function coverRows(sql: Sql, organisation: number, { to, days }: Span): Promise<CoverRow[]> {
  return sql.query<CoverRow>(
    `SELECT o.kind, s.step::int - 1 AS step, l.present, sum(l.count)::int AS count
     FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS s(begins, ends, step)
     CROSS JOIN LATERAL (
       SELECT d.destination_id, c.present, count(*) AS count FROM relay_deliveries d
       JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
       WHERE d.organisation_id = $1 AND d.created_at >= s.begins AND d.created_at < s.ends
         AND c.organisation_id = $1 AND c.received_at >= s.begins AND c.received_at < s.ends
       GROUP BY 1, 2) AS l
     JOIN relay_destinations o ON o.id = l.destination_id GROUP BY 1, 2, 3`,
    [organisation, days.map((day) => new Date(day)), [...days.slice(1), to].map((day) => new Date(day))],
  );
}

async function latenciesOf(sql: Sql, organisation: number, span: Span) {
  const kinds = new Map(
    (await sql.query<{ id: number; kind: string }>('SELECT id, kind FROM relay_destinations')).map((row) => [
      row.id,
      row.kind,
    ]),
  );
  const byKind = Map.groupBy(await flowRows(sql, organisation, span), (row) => kinds.get(row.destination_id) ?? '');
  return new Map([...byKind].map(([kind, rows]) => [kind, flowOf(rows).latency]));
}

interface SourceRow {
  id: number;
  name: string | null;
  conversions: number;
  with_identifier: number;
  doubles: number;
}

function sourceRows(sql: Sql, organisation: number, { from, to }: Span): Promise<SourceRow[]> {
  return sql.query<SourceRow>(
    `SELECT c.source_id AS id, s.name, count(*)::int AS conversions, sum(c.doubles)::int AS doubles,
       (count(*) FILTER (WHERE c.present && $4))::int AS with_identifier
     FROM relay_conversions c LEFT JOIN relay_sources s ON s.id = c.source_id
     WHERE c.organisation_id = $1 AND c.received_at >= $2 AND c.received_at < $3 GROUP BY 1, 2 ORDER BY 3 DESC, 1`,
    [
      organisation,
      new Date(from),
      new Date(to),
      ['email', 'phone', 'external_id', ...matchKeys.slice(ofPeople.length)],
    ],
  );
}

function shown(
  span: Span,
  read: {
    cover: readonly CoverRow[];
    latencies: ReadonlyMap<string, MatchQuality['kinds'][number]['latency']>;
    sources: readonly SourceRow[];
  },
): MatchQuality {
  const kinds = [...Map.groupBy(read.cover, ({ kind }) => kind)].map(([kind, rows]) => ({
    ...{ kind, label: labelOf(kind), latency: read.latencies.get(kind) ?? null },
    ...coverage(rows, destinationOf(kind)?.matchesBy ?? matchKeys, span.days.length),
  }));
  const sum = (of: 'conversions' | 'doubles') => read.sources.reduce((all, row) => all + row[of], 0);
  return {
    span: shownSpan(span),
    steps: span.days.map((day) => isoDay(localDay(day, span.timezone))),
    kinds: kinds.sort((a, b) => b.conversions - a.conversions),
    sources: read.sources.map(({ id, name, ...row }) => ({ source: { id, name }, ...row })),
    ...{ conversions: sum('conversions'), doubles: sum('doubles') },
  };
}

function coverage(rows: readonly CoverRow[], keys: readonly MatchKey[], steps: number) {
  const none = () => Array.from({ length: steps }, () => 0);
  const all = none();
  const byKey = new Map(keys.map((key) => [key, none()]));
  let matchable = 0;
  for (const { step, present, count } of rows) {
    const names = new Set(present);
    const found = keys.filter((key) => has(names, key));
    add(all, step, count);
    if (found.length > 0) matchable += count;
    for (const key of found) add(byKey.get(key) as number[], step, count);
  }
  return {
    ...{ conversions: total(all), by_step: all, matchable },
    keys: [...byKey].map(([key, by_step]) => ({ key, count: total(by_step), by_step })),
  };
}

function add(to: number[], step: number, count: number): void {
  to[step] = (to[step] ?? 0) + count;
}
const total = (counts: readonly number[]) => counts.reduce((sum, one) => sum + one, 0);
