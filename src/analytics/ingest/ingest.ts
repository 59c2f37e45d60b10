import type { IncomingHttpHeaders } from 'node:http';
import type { DropReason } from '../../../contract/drops.ts';
import { ingestLimits } from '../../../contract/limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { plainAddress } from '../../platform/http/address.ts';
import { type Principal, sitesOfPrincipal } from '../../platform/http/route.ts';
import { type Lane, type SpoolUnavailable, spoolLimits } from '../../platform/spool/index.ts';
import type { SiteRecord } from '../sites.ts';
import type { Slot } from '../visits/live_visits.ts';
import { type Arrival, arrive, type Hit } from './arrival.ts';
import type { DropCounts } from './drops.ts';
import type { LastDrops } from './last_drops.ts';
import type { LiveView } from './live.ts';
import { type Page, readPage } from './page.ts';
import { domainSaid, type EventInput, type Refusal, readEvent, type Unkept } from './payload.ts';
import { botLine } from './row.ts';
import { readSource } from './source.ts';
import { type Desk, honourSignals, hostOf, placeOf, takeIn } from './steps.ts';
import { type WatchDesk, type WatchedEvent, watchedEvent } from './watched.ts';

/** Who sends. Exists while the request's function runs and is handed to nothing that outlives it. */
export type Sender = {
  readonly address: string;
  readonly userAgent: string;
  readonly headers: IncomingHttpHeaders;
  /** Set when the request carried an API key. */
  readonly principal: Principal | undefined;
};

export type Outcome =
  /** The disk took nothing: answer 503, send it again. */
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number }
  /** Its rows do not fit into one write, and one that is not whole could be half stored: send fewer at once. */
  | { readonly kind: 'too_large'; readonly events: number }
  | Taken;

export type Taken = {
  readonly kind: 'taken';
  /** Rows that are on disk. */
  stored: number;
  /** Events that had been stored before. */
  duplicates: number;
  /** Everything that was not stored, duplicates too, by reason. */
  readonly dropped: Partial<Record<DropReason, number>>;
  /** Events that could not be read, the first few of them. */
  readonly refused: { index: number; refusal: Refusal }[];
};

/** Reads one event in the words of whoever sent it. */
export type ReadEvent = (raw: unknown) => EventInput | Refusal | Unkept;

export type Ingest = {
  /**
   * Takes one event or a list of them. Everything that needs the sender happens before this returns; `done` is called
   * when the disk has answered, or at once when nothing is to be stored. `read` reads each event of the payload.
   */
  take(payload: unknown, sender: Sender, done: (outcome: Outcome) => void, read?: ReadEvent): void;
  /** Counts a payload of which no event is looked at, under the site that its first one names; how many it holds. */
  turnAway(payload: unknown, reason: DropReason): number;
};

export type IngestParts = {
  readonly desk: Desk;
  readonly clock: Clock;
  readonly events: Lane;
  readonly bots: Lane;
  readonly drops: DropCounts;
  /** Absent: nobody asks for examples of drops. */
  readonly lastDrops?: Pick<LastDrops, 'add'>;
  readonly live: LiveView;
  /** Absent: events are stored, and nobody makes anything else of them. */
  readonly watch?: WatchDesk;
  /** A row was stored on a UTC day that may be closed: its frozen counts must be made again. */
  readonly onLate: (siteId: number, day: number) => void;
};

/** Later than this an event is stored by itself; a visit cannot wait for it (Definitions, "client time"). */
const lateMs = 15 * 60_000;
const futureMsMax = 60_000;
/** Older events than any site keeps would be deleted on arrival. */
const ageMsMax = 780 * 86_400_000;
const refusedShownMax = 10;
/** The rows of a request are one write, so that all of them are stored or none; a full ordinary batch has 1.5 MB. */
const rowsBytesMax = spoolLimits.appendBytesMax;

export function openIngest(parts: IngestParts): Ingest {
  const { desk, clock, drops, watch } = parts;
  // Event ids whose rows are at the disk right now: the same id in a second request waits for the first one's fate.
  const flights = new Map<string, Flight>();
  // Visits whose first row is at the disk right now: what happens in them meanwhile waits for that row, since it says
  // when the visit began, and a visit that could not begin has no further events.
  const beginnings = new Map<Slot, Flight>();

  function take(payload: unknown, sender: Sender, done: (outcome: Outcome) => void, read: ReadEvent = readEvent): void {
    const nowMs = clock.now();
    const taken: Taken = { kind: 'taken', stored: 0, duplicates: 0, dropped: {}, refused: [] };
    const hits: Hit[] = [];
    const flight: Flight = { ids: [], waiting: [], after: undefined };
    let others: Set<Flight> | undefined;
    let watched: WatchedEvent[] | undefined;
    const events = Array.isArray(payload) ? payload : [payload];
    for (let index = 0; index < events.length; index++) {
      const input = read(events[index]);
      if ('refused' in input) {
        refuse(taken, index, input, events[index], nowMs);
        continue;
      }
      if ('unkept' in input) {
        passOver(taken, input, nowMs);
        continue;
      }
      const page = readPage(input.url, input.hashMode, input.pathCharsMax);
      const problem = 'refused' in page ? page : readClaims(input, sender, nowMs);
      if (problem !== undefined) {
        refuse(taken, index, problem, events[index], nowMs);
        continue;
      }
      for (const domain of domainsOf(input, page as Page)) {
        const arrival = arriveFrom(sender, input, page as Page, domain, nowMs);
        const hit = takeIn(arrival, desk);
        if (typeof hit !== 'string') {
          board(hit, input, flight);
          hits.push(hit);
          if (watch !== undefined && watch.sites.size > 0) {
            const seen = watchedEvent(watch, arrival, hit);
            if (seen !== undefined) watched = [...(watched ?? []), seen];
          }
          continue;
        }
        drop(taken, arrival, hit);
        if (hit === 'duplicate') {
          const first = flights.get(flightId(arrival.site.id, input.id));
          if (first !== undefined && first !== flight) others = (others ?? new Set()).add(first);
        }
      }
    }
    taken.stored = hits.length;
    const rows = rowsOf(hits);
    if (rows === undefined) {
      for (const hit of hits) {
        takeBack(hit);
        drops.add(hit.siteId, 'too_large', nowMs);
      }
      land(flight, hits);
      done({ kind: 'too_large', events: hits.length });
      return;
    }
    const write = writing(rows, watched);
    store(write, hits, flight, nowMs, others === undefined ? undefined : [...others], (refusal) =>
      done(refusal === undefined ? taken : { kind: 'unavailable', retryAfterSeconds: refusal.retryAfterSeconds }),
    );
  }

  function turnAway(payload: unknown, reason: DropReason): number {
    const isList = Array.isArray(payload);
    const domain = domainSaid(isList ? payload[0] : payload);
    const site = domain === undefined ? undefined : desk.sites.find(domain);
    const events = isList ? Math.max(payload.length, 1) : 1;
    drops.add(site?.id ?? 0, reason, clock.now(), events);
    return events;
  }

  function refuse(taken: Taken, index: number, refusal: Refusal, raw: unknown, nowMs: number): void {
    taken.dropped[refusal.reason] = (taken.dropped[refusal.reason] ?? 0) + 1;
    if (taken.refused.length < refusedShownMax) taken.refused.push({ index, refusal });
    // Where it says whose it is, that site sees why it is missing; a name costs no more than one of an event does.
    const domain = domainSaid(raw);
    const site = domain === undefined ? undefined : desk.sites.find(domain);
    drops.add(site?.id ?? 0, refusal.reason, nowMs);
    if (site !== undefined)
      parts.lastDrops?.add(site.id, {
        ...{ atMs: nowMs, reason: refusal.reason, field: refusal.field },
        ...{ name: '', hostname: '', pathname: '', referrer: '', country: '' },
      });
  }

  /** A call that makes no event, whoever sent it: only its site is looked up, so that the site sees the count. */
  function passOver(taken: Taken, { unkept, domains }: Unkept, nowMs: number): void {
    const site = desk.sites.find(domains);
    const reason = site === undefined ? 'not_found' : (site.stopped ?? unkept);
    taken.dropped[reason] = (taken.dropped[reason] ?? 0) + 1;
    drops.add(site?.id ?? 0, reason, nowMs);
  }

  function drop(taken: Taken, arrival: Arrival, reason: DropReason): void {
    taken.dropped[reason] = (taken.dropped[reason] ?? 0) + 1;
    if (reason === 'duplicate') taken.duplicates++;
    drops.add(reason === 'not_found' ? 0 : arrival.site.id, reason, arrival.nowMs);
    // Whoever asks not to be counted is no example of another reason either.
    if (reason !== 'not_found' && honourSignals(arrival) === undefined)
      parts.lastDrops?.add(arrival.site.id, {
        ...{ atMs: arrival.nowMs, reason, field: '', name: arrival.input.name },
        ...{ hostname: arrival.page.hostname, pathname: arrival.page.pathname },
        referrer: hostOf(arrival.input.referrer),
        country: typeof arrival.place === 'object' ? arrival.place.country : '',
      });
    // Detected robots are kept apart; when the disk is full they are only counted.
    if (reason === 'bot') parts.bots.append(botRow(arrival, desk), () => {});
  }

  /** From here on the id is known: a second event with it is a duplicate, even within the same request. */
  function board(hit: Hit, input: EventInput, flight: Flight): void {
    if (hit.eventKey !== undefined) {
      desk.eventKeys.add(hit.eventKey, clock.now());
      const id = flightId(hit.siteId, input.id);
      flight.ids.push(id);
      flights.set(id, flight);
    }
    if (hit.orderKey !== undefined) desk.orderKeys.add(hit.orderKey, clock.now());
    if (hit.begun !== undefined) beginnings.set(hit.slot, flight);
    else {
      const first = beginnings.get(hit.slot);
      if (first !== undefined && first !== flight) flight.after = (flight.after ?? new Set()).add(first);
    }
  }

  /** The disk has answered: nobody waits for these ids and visits any more. */
  function land(flight: Flight, hits: readonly Hit[]): void {
    for (const id of flight.ids) flights.delete(id);
    for (const { slot, begun } of hits)
      if (begun !== undefined && beginnings.get(slot) === flight) beginnings.delete(slot);
  }

  /**
   * How the rows of a request go to the disk. What somebody makes of its events goes there first: a kill between the two leaves
   * events that were not answered for and come again, where the other order would leave ones that are known and made nothing of.
   */
  function writing(rows: string, watched: readonly WatchedEvent[] | undefined) {
    return (done: (refusal?: SpoolUnavailable) => void): void => {
      if (watched === undefined || watch?.watcher === undefined) parts.events.append(rows, done);
      else
        watch.watcher.keep(watched, (refusal) => {
          if (refusal === undefined) parts.events.append(rows, done);
          else done(refusal);
        });
    };
  }

  /** Asks the disk once for all rows of a request, and settles what depended on its answer. */
  function store(
    write: (done: (refusal?: SpoolUnavailable) => void) => void,
    hits: readonly Hit[],
    flight: Flight,
    receivedMs: number,
    others: readonly Flight[] | undefined,
    done: (refusal?: SpoolUnavailable) => void,
  ) {
    let open = (hits.length > 0 ? 1 : 0) + (others?.length ?? 0);
    if (open === 0) return done();
    let refused: SpoolUnavailable | undefined;
    const settle = (refusal?: SpoolUnavailable) => {
      refused ??= refusal;
      if (--open === 0) done(refused);
    };
    if (others !== undefined) for (const other of others) other.waiting.push(settle);
    if (hits.length === 0) return;
    const started = clock.monotonic();
    const answered = (refusal?: SpoolUnavailable) => {
      settle(refusal);
      if (refusal === undefined) tell(hits, receivedMs, clock.monotonic() - started);
      else for (const hit of hits) takeBack(hit);
      land(flight, hits);
      for (const waiting of flight.waiting) waiting(refusal);
    };
    if (flight.after === undefined) return write(answered);
    let ahead = flight.after.size;
    let noBeginning: SpoolUnavailable | undefined;
    for (const first of flight.after)
      first.waiting.push((refusal) => {
        noBeginning ??= refusal;
        if (--ahead > 0) return;
        if (noBeginning === undefined) write(answered);
        else answered(noBeginning);
      });
  }

  function tell(hits: readonly Hit[], receivedMs: number, storedAfterMs: number): void {
    for (const hit of hits) {
      parts.live.tell({
        siteId: hit.siteId,
        name: hit.name,
        hostname: hit.hostname,
        pathname: hit.pathname,
        line: hit.line,
        receivedMs,
        storedAfterMs,
      });
      for (const reason of hit.leftOut) drops.add(hit.siteId, reason, receivedMs);
      if (receivedMs - hit.timeMs > lateMs) parts.onLate(hit.siteId, hit.idDay);
    }
  }

  /** Nothing was kept, so nothing may be remembered: the sender will come again with the same id and order. */
  function takeBack(hit: Hit): void {
    if (hit.eventKey !== undefined) desk.eventKeys.delete(hit.eventKey);
    if (hit.orderKey !== undefined) desk.orderKeys.delete(hit.orderKey);
    if (hit.begun !== undefined) desk.visits.forget(hit.begun.slot, hit.begun.visitId);
  }

  return { take, turnAway };
}

/** A request whose rows are at the disk, and the requests that wait for the same answer. */
type Flight = {
  readonly ids: string[];
  readonly waiting: ((refusal?: SpoolUnavailable) => void)[];
  /** Those in which visits begin that this one goes on with. */
  after: Set<Flight> | undefined;
};

function flightId(siteId: number, eventId: string): string {
  return `${siteId} ${eventId}`;
}

/** The rows of a request with a line break between each two; undefined when they do not fit into one write. */
function rowsOf(hits: readonly Hit[]): string | undefined {
  if (hits.length === 1) return hits[0]?.line;
  let rows = '';
  for (const hit of hits) rows += rows === '' ? hit.line : `\n${hit.line}`;
  // A UTF-16 unit is at most 3 bytes of UTF-8.
  return rows.length * 3 <= rowsBytesMax || Buffer.byteLength(rows) <= rowsBytesMax ? rows : undefined;
}

/** The sites of an event: named, several by commas, or the host of the page when none is. */
function domainsOf(input: EventInput, page: Page): readonly string[] {
  if (input.domains === '') return [page.hostname];
  if (!input.domains.includes(',')) return [input.domains];
  return [...new Set(input.domains.split(',', ingestLimits.domainsPerEventMax))];
}

/** What a sender with a key says about the visitor must be readable; what others say about it is not read. */
function readClaims(input: EventInput, sender: Sender, nowMs: number): Refusal | undefined {
  if (sender.principal === undefined) return undefined;
  if (input.address !== undefined && plainAddress(input.address) === undefined)
    return { refused: true, reason: 'invalid', field: 'ip', message: 'The "ip" is an IPv4 or IPv6 address.' };
  if (input.timeMs !== undefined && nowMs - input.timeMs > ageMsMax)
    return {
      refused: true,
      reason: 'invalid',
      field: 'time',
      message: 'The "time" is older than any site keeps events.',
    };
  return undefined;
}

function arriveFrom(sender: Sender, input: EventInput, page: Page, domain: string, nowMs: number): Arrival {
  const { principal } = sender;
  if (principal === undefined)
    return arrive({
      input,
      page,
      domain,
      address: sender.address,
      userAgent: sender.userAgent,
      headers: sender.headers,
      nowMs,
      timeMs: nowMs,
      isLate: false,
      maySend: undefined,
    });
  const said = input.timeMs ?? nowMs;
  const timeMs = said > nowMs + futureMsMax ? nowMs : said;
  return arrive({
    input,
    page,
    domain,
    address: input.address === undefined ? sender.address : (plainAddress(input.address) ?? ''),
    userAgent: input.userAgent ?? sender.userAgent,
    headers: undefined,
    nowMs,
    timeMs,
    isLate: nowMs - timeMs > lateMs,
    maySend: (site) => mayWrite(principal, site),
  });
}

function mayWrite(principal: Principal, site: SiteRecord): boolean {
  const only = sitesOfPrincipal(principal, site.organisationId);
  return principal.can('events.write', site.organisationId) && (only === undefined || only.includes(site.id));
}

/** A robot's row says what it asked for and which rule knew it, nothing of who it was. */
function botRow(arrival: Arrival, desk: Desk): string {
  const { input, page, site } = arrival;
  return botLine({
    site_id: site.id,
    timeMs: arrival.timeMs,
    rule: arrival.botRule ?? '',
    agent: '',
    name: input.name,
    hostname: page.hostname,
    pathname: page.pathname,
    referrer: readSource({ page, referrer: input.referrer, siteHostnames: [site.domain, page.hostname] }).referrer,
    country: placeOf(arrival, desk)?.country ?? '',
  });
}
