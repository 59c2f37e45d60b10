import { z } from 'zod';
import {
  type RealtimeAnswer,
  realtimeAnswer,
  realtimeEventsMax,
  realtimeMinutes,
  realtimeNowMinutes,
  realtimeQuery,
} from '../../contract/realtime.ts';
import { siteOfPath } from '../accounts/index.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { inSpan } from './in_span.ts';

const minuteMs = 60_000;
/** Rows of each list. */
const rowsMax = 10;
/** An event may be stored after one that came later: so much of the stream is told again each time. */
const overlapSeconds = 30;

/** What happens on a site right now, in one answer of two statements over the last 30 minutes. */
export function realtimeRoutes({
  postgres,
  warehouse,
  clock,
}: Pick<House, 'postgres' | 'warehouse' | 'clock'>): Route[] {
  async function read(site: number, since: string | undefined, signal: AbortSignal): Promise<RealtimeAnswer> {
    const now = clock.now();
    const last = Math.floor(now / minuteMs) * minuteMs;
    const starts = Array.from({ length: realtimeMinutes }, (_, at) => last - (realtimeMinutes - 1 - at) * minuteMs);
    const from = (starts[0] ?? last) / 1000;
    const eventsFrom = since === undefined ? from : Math.max(from, Number(since) - overlapSeconds);
    const options = { purpose: 'realtime', signal };
    const [counts, events] = await Promise.all([
      warehouse.read<{ list: string; named: string; pageviews: string; visitors: string }>(
        countsStatement,
        { site, from, here: now - realtimeNowMinutes * minuteMs, to: last / 1000 + 60 },
        options,
      ),
      warehouse.read<
        { second: string | number; name: string } & Record<'page' | 'source' | 'country' | 'device', string>
      >(
        `SELECT toUnixTimestamp(time) AS second, name, pathname AS page, source, country, device FROM events
        WHERE ${inSpan} AND name != 'engagement' ORDER BY time DESC, name, page LIMIT ${realtimeEventsMax}`,
        { site, from: eventsFrom, to: last / 1000 + 60 },
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
      events: events.map(({ second, name, page, source, country, device }) => ({
        time: new Date(Number(second) * 1000).toISOString(),
        ...{ name, page, source, country, device },
      })),
      events_from: new Date(eventsFrom * 1000).toISOString(),
      cursor: String(events[0]?.second ?? since ?? from),
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
        return { body: await read(site.id, request.query.since, request.signal) };
      },
    }),
  ];
}

const isHere = 'time > fromUnixTimestamp64Milli({here:Int64})';
const figures = `toString(countIf(name = 'pageview')) AS pageviews, toString(uniqExact(visitor_id)) AS visitors`;

const countsStatement = [
  `SELECT 'minute' AS list, toString(toUnixTimestamp(toStartOfMinute(time))) AS named, ${figures} FROM events WHERE ${inSpan} GROUP BY named`,
  `SELECT 'now' AS list, '' AS named, ${figures} FROM events WHERE ${inSpan} AND ${isHere}`,
  ...Object.entries({ page: 'pathname', source: 'source', country: 'country' }).map(
    ([list, column]) => `SELECT * FROM (
      SELECT '${list}' AS list, toString(${column}) AS named, ${figures} FROM events WHERE ${inSpan} AND ${isHere}
      GROUP BY named ORDER BY uniqExact(visitor_id) DESC, named LIMIT ${rowsMax})`,
  ),
].join(' UNION ALL ');
