import { z } from 'zod';
import {
  type RealtimeAnswer,
  realtimeAnswer,
  realtimeEventsMax,
  realtimeFilters,
  realtimeMinutes,
  realtimeNowMinutes,
  realtimeQuery,
} from '../../contract/realtime.ts';
import { siteOfPath } from '../accounts/index.ts';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { dimensionFacts } from './facts.ts';
import { inSpan } from './in_span.ts';
import { openBinder } from './query/binder.ts';
import { conditionOf } from './query/condition.ts';
import type { Filter } from './query/parse.ts';
import { never } from './query/rows.ts';

const minuteMs = 60_000;
/** Rows of each list. */
const rowsMax = 10;
/** An event may be stored after one that came later: so much of the stream is told again each time. */
const overlapSeconds = 30;

/**
 * Everyone who looks at the same within this time is told the same: a site is asked about twice a second at most,
 * however many people look. Longer, and an event could come later than the 3 seconds in which it is promised.
 */
const sharedMs = 500;

interface Shared {
  at: number;
  answer: Promise<RealtimeAnswer>;
}

/** What happens on a site right now, in one answer of two statements over the last 30 minutes. */
export function realtimeRoutes({
  postgres,
  warehouse,
  clock,
}: Pick<House, 'postgres' | 'warehouse' | 'clock'>): Route[] {
  const shared = new Map<string, Shared>();

  /** The answer that others were just given, or a new one. Nobody's going away ends it for the others. */
  function whole(site: number, filters: readonly Filter[]): Promise<RealtimeAnswer> {
    const now = clock.now();
    for (const [key, { at }] of shared) if (now - at >= sharedMs || now < at) shared.delete(key);
    const key = JSON.stringify([site, filters]);
    const found = shared.get(key);
    if (found !== undefined) return found.answer;
    const answer = read(site, filters, now);
    shared.set(key, { at: now, answer });
    answer.catch(() => {
      if (shared.get(key)?.answer === answer) shared.delete(key);
    });
    return answer;
  }

  async function read(site: number, filters: readonly Filter[], now: number): Promise<RealtimeAnswer> {
    const binder = openBinder();
    const tests = filters.map((filter) => conditionOf(filter, { binder, table: 'events', visitsWhere: never }));
    const passing = [inSpan, ...tests].join(' AND ');
    const last = Math.floor(now / minuteMs) * minuteMs;
    const starts = Array.from({ length: realtimeMinutes }, (_, at) => last - (realtimeMinutes - 1 - at) * minuteMs);
    const from = (starts[0] ?? last) / 1000;
    const span = { site, from, to: last / 1000 + 60, ...binder.paramsOf(passing) };
    const options = { purpose: 'realtime' };
    const [counts, events] = await Promise.all([
      warehouse.read<{ list: string; named: string; pageviews: string; visitors: string }>(
        countsStatement(passing),
        { ...span, here: now - realtimeNowMinutes * minuteMs },
        options,
      ),
      warehouse.read<
        { second: string | number; name: string } & Record<'page' | 'source' | 'country' | 'device', string>
      >(
        `SELECT toUnixTimestamp(time) AS second, name, pathname AS page, source, country, device FROM events AS e
        WHERE ${passing} AND name != 'engagement' ORDER BY time DESC, name, page LIMIT ${realtimeEventsMax}`,
        span,
        options,
      ),
    ]);
    const rows = Map.groupBy(counts, (row) => row.list);
    const list = (wanted: string) =>
      (rows.get(wanted) ?? [])
        .map(({ named, visitors }) => ({ name: named, visitors: Number(visitors) }))
        .sort((a, b) => b.visitors - a.visitors || a.name.localeCompare(b.name, 'en'));
    const byMinute = new Map((rows.get('minute') ?? []).map((row) => [Number(row.named) * 1000, row]));
    return {
      at: new Date(now).toISOString(),
      visitors: Number(rows.get('now')?.[0]?.visitors ?? 0),
      minutes: starts.map((start) => ({
        start: new Date(start).toISOString(),
        pageviews: Number(byMinute.get(start)?.pageviews ?? 0),
        visitors: Number(byMinute.get(start)?.visitors ?? 0),
      })),
      pages: list('page'),
      sources: list('source'),
      places: list('country'),
      regions: list('region'),
      cities: list('city'),
      events: events.map(({ second, name, page, source, country, device }) => ({
        time: new Date(Number(second) * 1000).toISOString(),
        ...{ name, page, source, country, device },
      })),
      events_from: new Date(from * 1000).toISOString(),
      cursor: String(events[0]?.second ?? from),
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/realtime',
      access: 'stats.read',
      summary:
        'Visitors now, the last 30 minutes by minute, pages, sources and places now, and the events as they come.',
      params: z.object({ domain: z.string() }),
      query: realtimeQuery,
      answer: realtimeAnswer,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { since, filters } = request.query;
        return { body: onFrom(await whole(site.id, filtersOf(filters)), since) };
      },
    }),
  ];
}

/** What came after a cursor, and a little before it. */
function onFrom(answer: RealtimeAnswer, since: string | undefined): RealtimeAnswer {
  if (since === undefined) return answer;
  const from = new Date(Math.max(Date.parse(answer.events_from), (Number(since) - overlapSeconds) * 1000));
  const first = from.toISOString();
  return {
    ...answer,
    events: answer.events.filter(({ time }) => time >= first),
    events_from: first,
    cursor: answer.events.length === 0 ? since : answer.cursor,
  };
}

/** @throws RequestError invalid_filter */
function filtersOf(text: string | undefined): Filter[] {
  if (text === undefined) return [];
  const refuse = () =>
    new RequestError(
      'invalid_filter',
      'Write the filters as JSON, such as [["is","visit:country",["DE"]]], of what an event itself says: no goals, properties, pages of entry and exit.',
      { field: 'filters' },
    );
  let filters: unknown;
  try {
    filters = JSON.parse(text);
  } catch {
    throw refuse();
  }
  const read = realtimeFilters.safeParse(filters);
  if (!read.success) throw refuse();
  return read.data.map(([operator, name, values]): Filter => {
    const fact = Object.hasOwn(dimensionFacts, name) ? dimensionFacts[name] : undefined;
    // An event as it comes does not know how its visit ends, and has the code of a country, not its name.
    if (fact === undefined || fact.level === 'visit-end' || fact.names !== undefined) throw refuse();
    const isWhole = operator === 'is' || operator === 'is_not';
    return {
      kind: 'test',
      subject: { kind: 'column', name, fact },
      operator: isWhole ? 'is' : 'contains',
      negated: operator.endsWith('_not'),
      caseSensitive: isWhole,
      values,
    };
  });
}

const isHere = 'time > fromUnixTimestamp64Milli({here:Int64})';
const figures = `toString(countIf(name = 'pageview')) AS pageviews, toString(uniqExact(visitor_id)) AS visitors`;

const countsStatement = (passing: string) =>
  [
    `SELECT 'minute' AS list, toString(toUnixTimestamp(toStartOfMinute(time))) AS named, ${figures} FROM events AS e WHERE ${passing} GROUP BY named`,
    `SELECT 'now' AS list, '' AS named, ${figures} FROM events AS e WHERE ${passing} AND ${isHere}`,
    ...Object.entries({ page: 'pathname', source: 'source', country: 'country', region: 'region', city: 'city' }).map(
      ([list, column]) => `SELECT * FROM (
      SELECT '${list}' AS list, toString(${column}) AS named, ${figures} FROM events AS e WHERE ${passing} AND ${isHere}
      GROUP BY named ORDER BY uniqExact(visitor_id) DESC, named LIMIT ${rowsMax})`,
    ),
  ].join(' UNION ALL ');
