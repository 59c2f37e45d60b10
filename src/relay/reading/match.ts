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
import { type CoverRow, type FlowRow, figuresOf, type SourceRow } from './figures.ts';
import { flowOf } from './overview.ts';
import { labelOf, type ReadingHouse, reading, type Span, shownSpan, spanOf } from './parts.ts';

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
            const figures = await figuresOf(sql, organisation, span);
            return shown(span, {
              cover: await figures.cover(sql, organisation, span),
              latencies: await latenciesOf(sql, await figures.flows(sql, organisation, span)),
              sources: await figures.sources(sql, organisation, span, identifiers),
            });
          }),
        };
      },
    }),
  ];
}

async function latenciesOf(sql: Sql, flows: readonly FlowRow[]) {
  const kinds = new Map(
    (await sql.query<{ id: number; kind: string }>('SELECT id, kind FROM relay_destinations')).map((row) => [
      row.id,
      row.kind,
    ]),
  );
  const byKind = Map.groupBy(flows, (row) => kinds.get(row.destination_id) ?? '');
  return new Map([...byKind].map(([kind, rows]) => [kind, flowOf(rows).latency]));
}

/** By any of which a person or a visit can be found again. */
const identifiers = ['email', 'phone', 'external_id', ...matchKeys.slice(ofPeople.length)];

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
