import { z } from 'zod';
import { type Site, siteChecks, siteNow } from '../../contract/api.ts';
import { dropReasons } from '../../contract/drops.ts';
import { siteOfPath } from '../accounts/index.ts';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import type { Ingest } from './ingest/ingest.ts';
import type { LiveView } from './ingest/live.ts';
import { readEventLine } from './ingest/row.ts';

export interface FirstRunParts {
  house: Pick<House, 'config' | 'clock' | 'postgres' | 'warehouse' | 'spool' | 'outbound'>;
  ingest: Ingest;
  live: LiveView;
}

type Checks = z.infer<typeof siteChecks>;
type Check = Checks['snippet'];

/** The page of the first run asks every few seconds; the site itself is asked at most this often. */
const siteAskedMs = 10_000;
/** Whether this desk answers under its public address changes with a proxy or a DNS entry, not by the second. */
const publicUrlAskedMs = 60_000;
const askTimeoutMs = 5_000;
/** Enough for the head of any page; a snippet further down would be found by the first event anyway. */
const homePageBytesMax = 1024 * 1024;
const nowMinutes = 5;
/** What is on a site now is asked by every open dashboard; one answer serves all of them this long. */
const nowRememberedMs = 400;
/** And so many times as long as it took: a site with much traffic does not count it all the time. */
const nowRest = 10;

/** How long the rows of another process may wait, whose spool is not seen from here. */
const otherLagMs = 2_000;
/** From the time of an event to its row in the spool, at most. */
const intoSpoolMs = 250;

interface Now {
  visitors: number;
  /** Milliseconds since the epoch. */
  lastEventMs: number | undefined;
}

/** The live checks of the first run, the test event, and "on the site now". */
export function firstRunRoutes(parts: FirstRunParts): Route[] {
  const { config, clock, postgres, warehouse, spool, outbound } = parts.house;
  const asked = new Map<number, { at: number; site_answers: Check; snippet: Check }>();
  const counted = new Map<number, { until: number; now: Promise<Now> }>();
  let publicUrlAsked: { at: number; check: Promise<Checks['public_url']> } | undefined;

  /** A failure is asked again with the sites: someone is mending it and waits for the check. */
  async function publicUrlCheck(): Promise<Checks['public_url']> {
    const known = publicUrlAsked;
    if (known !== undefined) {
      const check = await known.check;
      if (clock.monotonic() - known.at < (check.ok ? publicUrlAskedMs : siteAskedMs)) return check;
    }
    publicUrlAsked = { at: clock.monotonic(), check: checkPublicUrl() };
    return publicUrlAsked.check;
  }

  async function checkPublicUrl(): Promise<Checks['public_url']> {
    // Whole, with its scheme: the snippet is written with it.
    const address = config.publicUrl.replace(/\/$/, '');
    const { host } = new URL(address);
    const start = clock.monotonic();
    const answer = await outbound.send({
      method: 'GET',
      url: `${address}/healthz`,
      timeoutMs: askTimeoutMs,
      answerBytesMax: 1_024,
      purpose: 'self_check',
    });
    const tookMs = Math.round(clock.monotonic() - start);
    if ('failed' in answer)
      return answer.failed === 'address_private'
        ? { ok: true, address, detail: `${host}, on this network only` }
        : {
            ok: false,
            address,
            detail: `${host} cannot be reached from here (${answer.failed.replaceAll('_', ' ')})`,
          };
    return answer.status === 200
      ? { ok: true, address, detail: `${host}, ${tookMs} ms` }
      : { ok: false, address, detail: `${host} answered ${answer.status}` };
  }

  /** Fetches the home page: does it answer, and does it carry the snippet? */
  async function checkSite(site: Site): Promise<{ site_answers: Check; snippet: Check }> {
    const known = asked.get(site.id);
    if (known !== undefined && clock.monotonic() - known.at < siteAskedMs) return known;
    const answer = await outbound.send({
      method: 'GET',
      url: `https://${site.domain}/`,
      timeoutMs: askTimeoutMs,
      answerBytesMax: homePageBytesMax,
      redirectsMax: 3,
      purpose: 'snippet_check',
    });
    const checks = readHomePage(answer, site.domain, clockText(clock.now(), site.timezone));
    asked.set(site.id, { at: clock.monotonic(), ...checks });
    if (asked.size > 1_000) asked.delete(asked.keys().next().value as number);
    return checks;
  }

  async function firstEvent(site: Site): Promise<Checks['first_event']> {
    const live = parts.live.latest(site.id);
    if (live !== undefined) return shownEvent(readEventLine(live.line), live.receivedMs, live.storedAfterMs);
    const rows = await warehouse.read<EventShown & { received_ms: string | number }>(
      `SELECT name, hostname, pathname, source, city, country, browser, os, device, toUnixTimestamp64Milli(time) AS received_ms
       FROM events WHERE site_id = {site:UInt64} ORDER BY time DESC LIMIT 1`,
      { site: site.id },
      { purpose: 'first_event' },
    );
    return rows[0] === undefined ? null : shownEvent(rows[0], Number(rows[0].received_ms), undefined);
  }

  /** What came before is in every table: an event is stored a moment before its visit is, from which numbers are counted. */
  function lagMs(): number {
    const own = spool.lagMs();
    return Math.max(own === 0 ? 0 : own + intoSpoolMs, config.role === 'all' ? 0 : otherLagMs);
  }

  function siteNowOf(siteId: number): Promise<Now> {
    const known = counted.get(siteId);
    if (known !== undefined && clock.monotonic() < known.until) return known.now;
    const from = clock.monotonic();
    const now = warehouse
      .read<{ visitors: string | number; last: string | number }>(
        'SELECT uniqExact(visitor_id) AS visitors, toUnixTimestamp64Milli(maxIf(time, time <= fromUnixTimestamp64Milli({settled:Int64}))) AS last FROM events WHERE site_id = {site:UInt64} AND time > fromUnixTimestamp64Milli({from:Int64})',
        { site: siteId, from: clock.now() - nowMinutes * 60_000, settled: clock.now() - lagMs() },
        { purpose: 'now' },
      )
      .then((rows) => {
        const visitors = Number(rows[0]?.visitors ?? 0);
        const last = Number(rows[0]?.last ?? 0);
        return { visitors, lastEventMs: last > 0 ? last : undefined };
      });
    const entry = { until: Number.POSITIVE_INFINITY, now };
    counted.set(siteId, entry);
    now.then(
      () => {
        const at = clock.monotonic();
        entry.until = at + Math.max(nowRememberedMs, nowRest * (at - from));
      },
      () => counted.delete(siteId),
    );
    if (counted.size > 10_000) counted.delete(counted.keys().next().value as number);
    return now;
  }

  const params = z.object({ domain: z.string() });
  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/checks',
      access: 'site.read',
      summary: 'The live checks of the first run: public address, site, snippet, first event.',
      params,
      answer: siteChecks,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const [public_url, page, first_event] = await Promise.all([
          publicUrlCheck(),
          checkSite(site),
          firstEvent(site),
        ]);
        return { body: { public_url, site_answers: page.site_answers, snippet: page.snippet, first_event } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/now',
      access: 'stats.read',
      summary: `Visitors with an event in the last ${nowMinutes} minutes, when the newest of them came, and whether the stores answer.`,
      params,
      answer: siteNow,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const now = await siteNowOf(site.id).catch((error: unknown) => {
          // A store that is away or busy is an answer; anything else is a fault of ours.
          if (error instanceof RequestError) return undefined;
          throw error;
        });
        const last = now?.lastEventMs;
        return {
          body: {
            visitors: now?.visitors ?? 0,
            last_event_at: last === undefined ? null : new Date(last).toISOString(),
            spool_lag_ms: Math.round(spool.lagMs()),
            stores: { postgres: true, warehouse: now !== undefined },
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/test-events',
      access: 'site.manage',
      summary:
        'Sends one page view of the home page through the whole pipeline, as if the asking browser had visited it.',
      params,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const sender = {
          address: request.address,
          userAgent: request.headers['user-agent'] ?? '',
          headers: request.headers,
          principal: undefined,
        };
        const event = { n: 'pageview', u: `https://${site.domain}/`, d: site.domain };
        const outcome = await new Promise<Parameters<Parameters<Ingest['take']>[2]>[0]>((resolve) =>
          parts.ingest.take(event, sender, resolve),
        );
        if (outcome.kind !== 'taken')
          throw new RequestError(
            'spool_full',
            'The disk refused the event. Make room on the disk of the data directory, then try again.',
            { headers: { 'retry-after': String(outcome.kind === 'unavailable' ? outcome.retryAfterSeconds : 1) } },
          );
        const reason = Object.keys(outcome.dropped)[0] as keyof typeof dropReasons | undefined;
        if (reason !== undefined)
          throw new RequestError(
            'bad_request',
            `The event was dropped: ${dropReasons[reason]} A real visitor with another browser may still be counted.`,
          );
        return { status: 201, body: {} };
      },
    }),
  ];
}

interface EventShown {
  hostname: string;
  pathname: string;
  source: string;
  city: string;
  country: string;
  browser: string;
  os: string;
  device: string;
}

function shownEvent(
  row: EventShown,
  receivedMs: number,
  storedAfterMs: number | undefined,
): NonNullable<Checks['first_event']> {
  const orNull = (text: string) => (text === '' ? null : text);
  return {
    received_at: new Date(receivedMs).toISOString(),
    stored_ms: storedAfterMs === undefined ? null : Math.round(storedAfterMs * 10) / 10,
    page: `${row.hostname}${row.pathname}`,
    source: orNull(row.source),
    place: orNull(
      [row.city, row.country === '' ? '' : nameOfCountry(row.country)].filter((part) => part !== '').join(', '),
    ),
    browser: orNull(row.browser),
    os: orNull(row.os),
    device: orNull(row.device),
  };
}

let countryNames: Intl.DisplayNames | undefined;

/** The names are loaded with the first that is asked for, which takes 20 ms that no start has to wait for. */
function nameOfCountry(code: string): string {
  countryNames ??= new Intl.DisplayNames('en', { type: 'region' });
  return countryNames.of(code) ?? code;
}

/** What the home page says about the snippet, in words for the page. `at` is the site's own clock. */
export function readHomePage(
  answer: { failed: string } | { status: number; body: Buffer },
  domain: string,
  at: string,
): { site_answers: Check; snippet: Check } {
  if ('failed' in answer && answer.failed === 'cut_off')
    return {
      site_answers: { state: 'not_possible', detail: 'a demo asks nobody' },
      snippet: { state: 'not_possible', detail: 'a demo asks nobody' },
    };
  if ('failed' in answer) {
    const detail =
      answer.failed === 'address_private'
        ? 'it has a private address, which this desk does not ask'
        : `no answer (${answer.failed.replaceAll('_', ' ')}), checked ${at}`;
    const state = answer.failed === 'address_private' ? 'not_possible' : 'failed';
    return { site_answers: { state, detail }, snippet: { state: 'waiting', detail: 'cannot be looked for from here' } };
  }
  if (answer.status >= 400)
    return {
      site_answers: { state: 'failed', detail: `${answer.status}, checked ${at}` },
      snippet: { state: 'waiting', detail: 'the home page is an error page' },
    };
  const found = new RegExp(`data-domain=["']?[^"'>]*${domain.replace(/[.\\-]/g, '\\$&')}`, 'i').test(
    answer.body.toString('utf8'),
  );
  return {
    site_answers: { state: 'ok', detail: `${answer.status}, checked ${at}` },
    snippet: found
      ? { state: 'ok', detail: 'found on the home page' }
      : { state: 'waiting', detail: 'not found yet, looking every 10 s' },
  };
}

function clockText(ms: number, timezone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).format(ms);
}
