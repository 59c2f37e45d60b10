import { z } from 'zod';
import { type DropReason, dropReasons, type LeftOutReason, leftOutReasons } from '../../contract/drops.ts';
import { type MissingEvents, type MissingPeriod, missingEvents, missingPeriods } from '../../contract/missing.ts';
import { siteOfPath } from '../accounts/index.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { hourMs, isoInstant, localDay, startOfDay, zoneOrUtc } from '../platform/zone.ts';
import { inSpan, minutesInSpan } from './in_span.ts';
import type { LastDrops } from './ingest/last_drops.ts';

/** More of them say nothing new. */
const examplesMax = 20;

/** Where a site can change what a rule does. Reasons that are not here are the same for every site. */
const rules: Partial<Record<string, MissingEvents['reasons'][number]['rule']>> = {
  site_ip_blocklist: 'shields',
  site_country_blocklist: 'shields',
  site_page_blocklist: 'shields',
  site_hostname_allowlist: 'shields',
  site_hostname_blocklist: 'shields',
  site_referrer_blocklist: 'shields',
  privacy_signal: 'site',
  revenue_off: 'site',
  contact_off: 'site',
  measuring_off: 'consent',
  measuring_no_consent: 'consent',
  contact_no_consent: 'consent',
  storage_no_consent: 'consent',
  storage_off: 'consent',
  identity_no_consent: 'consent',
  throttle: 'rate',
  invalid: 'snippet',
} satisfies Partial<Record<DropReason | LeftOutReason, MissingEvents['reasons'][number]['rule']>>;

const meanings: Readonly<Record<string, string>> = { ...dropReasons, ...leftOutReasons };

type MissingHouse = Pick<House, 'postgres' | 'warehouse' | 'clock'>;

/** Why is an event not there? Drops by reason over time, robots by rule, and the last of both. */
export function missingRoutes({ postgres, warehouse, clock }: MissingHouse, last: Pick<LastDrops, 'of'>): Route[] {
  async function read(site: { id: number; timezone: string }, period: MissingPeriod, signal: AbortSignal) {
    const zone = zoneOrUtc(site.timezone);
    const { step, starts, to } = stepsOf(period, clock.now(), zone);
    const from = starts[0] ?? to;
    const span = { site: site.id, from: from / 1000, to: Math.ceil(to / 1000) };
    const options = { purpose: 'missing', signal };
    const [drops, robots, examples, stored] = await Promise.all([
      warehouse.read<{ own: number; reason: string; start: string | number; counted: string }>(
        `SELECT site_id != 0 AS own, reason, roundDown(toUnixTimestamp(minute), {starts:Array(UInt32)}) AS start,
          toString(sum(drops.events)) AS counted FROM drops
        WHERE site_id IN ({site:UInt64}, 0) AND ${minutesInSpan}
        GROUP BY own, reason, start`,
        { ...span, starts: starts.map((start) => start / 1000) },
        options,
      ),
      warehouse.read<{ rule: string; events: string }>(
        `SELECT rule, toString(count()) AS events FROM bot_events WHERE ${inSpan} GROUP BY rule ORDER BY count() DESC, rule`,
        span,
        options,
      ),
      warehouse.read<Record<'at' | 'rule' | 'name' | 'hostname' | 'pathname' | 'referrer' | 'country', string>>(
        `SELECT toString(bot_events.time) AS at, rule, name, hostname, pathname, referrer, country FROM bot_events
        WHERE ${inSpan} ORDER BY time DESC LIMIT ${examplesMax}`,
        span,
        options,
      ),
      warehouse.read<{ events: string }>(
        `SELECT toString(count()) AS events FROM events WHERE ${inSpan} AND import_id = 0`,
        span,
        options,
      ),
    ]);
    const counted = (own: boolean) => {
      const byReason = new Map<string, number[]>();
      for (const row of drops.filter((each) => (Number(each.own) === 1) === own)) {
        const counts = byReason.get(row.reason) ?? starts.map(() => 0);
        const at = starts.indexOf(Number(row.start) * 1000);
        counts[at] = (counts[at] ?? 0) + Number(row.counted);
        byReason.set(row.reason, counts);
      }
      return [...byReason]
        .map(([reason, by_step]) => ({
          reason,
          means: meanings[reason] ?? 'An earlier version of this desk counted these under this word.',
          events: by_step.reduce((sum, events) => sum + events, 0),
          by_step,
        }))
        .sort((a, b) => b.events - a.events || a.reason.localeCompare(b.reason, 'en'));
    };
    return {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      step,
      steps: starts.map((start) => isoInstant(start, zone)),
      stored: Number(stored[0]?.events ?? 0),
      reasons: counted(true).map((row) => ({
        ...row,
        kind: row.reason in leftOutReasons ? ('left_out' as const) : ('dropped' as const),
        rule: rules[row.reason] ?? null,
      })),
      robots: robots.map(({ rule, events }) => ({ rule, events: Number(events) })),
      examples: examples.map(({ at, pathname, ...row }) => ({
        ...row,
        time: `${at.replace(' ', 'T')}Z`,
        page: pathname,
      })),
      last: last
        .of(site.id)
        .filter(({ atMs }) => atMs >= from)
        .slice(0, examplesMax)
        .map(({ atMs, pathname, ...drop }) => ({ ...drop, time: new Date(atMs).toISOString(), page: pathname })),
      of_no_site: counted(false).map(({ reason, means, events }) => ({ reason, means, events })),
    } satisfies MissingEvents;
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/missing',
      access: 'stats.read',
      summary: 'Events that were sent and not stored, by reason over time, with the last of them as examples.',
      params: z.object({ domain: z.string() }),
      query: z.strictObject({ period: z.enum(missingPeriods).default('7d') }),
      answer: missingEvents,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        return { body: await read(site, request.query.period, request.signal) };
      },
    }),
  ];
}

/** Starts of hours, or of local days, up to the one that is running; `to` is now, rounded up to a second. */
export function stepsOf(period: MissingPeriod, now: number, zone: string) {
  const to = Math.ceil(now / 1000) * 1000;
  if (period === '24h') {
    const last = Math.floor(now / hourMs) * hourMs;
    return { step: 'hour' as const, to, starts: Array.from({ length: 24 }, (_, at) => last - (23 - at) * hourMs) };
  }
  const days = period === '7d' ? 7 : 30;
  const today = localDay(now, zone);
  const starts = Array.from({ length: days }, (_, at) => startOfDay(today - days + 1 + at, zone));
  return { step: 'day' as const, to, starts };
}
