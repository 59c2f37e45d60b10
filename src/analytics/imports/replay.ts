import type { DropReason } from '../../../contract/drops.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Lane, SpoolUnavailable } from '../../platform/spool/index.ts';
import type { House } from '../../platform/subject.ts';
import { openDropCounts } from '../ingest/drops.ts';
import { type Ingest, type Outcome, openIngest } from '../ingest/ingest.ts';
import { openLiveView } from '../ingest/live.ts';
import type { Places } from '../ingest/place.ts';
import type { RunningIngest } from '../ingest/running.ts';
import { noThrottle } from '../ingest/throttle.ts';
import type { SiteDirectory } from '../sites.ts';
import { openAgedKeys } from '../visits/aged_keys.ts';
import { openLiveVisits } from '../visits/live_visits.ts';
import { dayOf, graceMs } from '../visits/salt.ts';
import { openDaySalts } from './day_salts.ts';

/** A request as a browser sends it to `/api/event`, and when it is to have come. */
export interface TimedRequest {
  atMs: number;
  /** When the visit began that it belongs to. */
  visitMs: number;
  address: string;
  /** Names in lower case; the User-Agent among them. */
  headers: Readonly<Record<string, string>>;
  /** The body, as the tracker writes it. */
  event: unknown;
}

/** Takes whole requests in at times of their own, by everything that a request meets that comes now. */
export interface Replay {
  /** @param requests in the order of their times, within a call and from call to call */
  take(requests: readonly TimedRequest[]): Promise<void>;
  /** Resolves when the rows of everything that was taken are on disk. */
  settle(): Promise<void>;
  /** One request at this very moment; `done` tells what became of it. */
  takeNow(request: TimedRequest, done: (outcome: Outcome) => void): void;
  counts(): { stored: number; dropped: Partial<Record<DropReason, number>> };
}

const rowsPerAppend = 500;
const dropRowsPerAppend = 10_000;
const visitsAtOnceMax = 20_000;
const textBytesMax = 16 * 1024 * 1024;
const eventKeysMax = 300_000;
const eventKeyMs = 24 * 3_600_000;

/**
 * Other than an import, which takes rows of a file, this takes requests with their headers: robots, spam, signals and
 * repetitions are counted at their own minute as well, and the site looks as if it had been measured all along.
 *
 * @param parts.presentFromMs visits that began later are running visits of this desk: what they do next may come live
 */
export function openReplay(parts: {
  house: Pick<House, 'clock' | 'random' | 'spool'>;
  ingest: Pick<RunningIngest, 'ingest' | 'live' | 'visits' | 'salts' | 'orderKeys' | 'addressDigest' | 'sealContact'>;
  sites: Pick<SiteDirectory, 'find' | 'all'>;
  places: Pick<Places, 'lookup'>;
  /** @param days UTC day numbers whose rows are about to come */
  markDirty(siteId: number, days: readonly number[]): Promise<void>;
  presentFromMs: number;
}): Replay {
  const { house, ingest: running } = parts;
  let atMs = 0;
  const clock: Clock = { ...house.clock, now: () => atMs };
  const events = gather(house.spool.lane('events'));
  const bots = gather(house.spool.lane('bots'));
  const drops = openDropCounts();
  const counts: ReturnType<Replay['counts']> = { stored: 0, dropped: {} };

  function openAt(visits: RunningIngest['visits'], live: RunningIngest['live']): Ingest {
    return openIngest({
      desk: {
        sites: parts.sites,
        places: parts.places,
        salts,
        visits,
        eventKeys: openAgedKeys({ keysMax: eventKeysMax, keepMs: eventKeyMs }),
        orderKeys: running.orderKeys,
        throttle: noThrottle,
        random: house.random,
        addressDigest: running.addressDigest,
        sealContact: running.sealContact,
        importId: 0,
      },
      clock,
      events: events.lane,
      bots: bots.lane,
      drops,
      live,
      // Its own clock stands at the time of each request, so none is late; the days are told of below.
      onLate() {},
    });
  }
  const salts = openDaySalts(house.random, (day) => {
    const nowMs = house.clock.now();
    return day === dayOf(nowMs) ? running.salts.current(nowMs) : undefined;
  });
  const past = openAt(openLiveVisits({ visitsMax: visitsAtOnceMax, textBytesMax }), openLiveView());
  const present = openAt(running.visits, running.live);

  /** Robots and drops wait until the end: each lane that is written to costs an insert of its own every second. */
  async function settle(): Promise<void> {
    await events.flush();
    await bots.flush();
    const rows = drops.take();
    for (let from = 0; from < rows.length; from += dropRowsPerAppend)
      await house.spool.lane('drops').append(rows.slice(from, from + dropRowsPerAppend).join('\n'));
  }

  return {
    async take(requests) {
      const first = requests[0];
      const last = requests.at(-1);
      if (first === undefined || last === undefined) return;
      const days: number[] = [];
      // A visit that runs over midnight keeps its day for ten minutes.
      for (let day = dayOf(first.atMs - graceMs); day <= dayOf(last.atMs); day++) days.push(day);
      for (const site of parts.sites.all()) await parts.markDirty(site.id, days);
      for (const request of requests) {
        atMs = request.atMs;
        const ingest = request.visitMs < parts.presentFromMs ? past : present;
        ingest.take(request.event, senderOf(request), (outcome) => count(counts, outcome));
        if (events.rows() >= rowsPerAppend) await events.flush();
        if (bots.rows() >= rowsPerAppend * 4) await bots.flush();
      }
    },
    settle,
    takeNow: (request, done) =>
      running.ingest.take(request.event, senderOf(request), (outcome) => {
        count(counts, outcome);
        done(outcome);
      }),
    counts: () => counts,
  };
}

function senderOf({ address, headers }: TimedRequest) {
  return { address, headers, userAgent: headers['user-agent'] ?? '', principal: undefined };
}

function count(counts: ReturnType<Replay['counts']>, outcome: Outcome): void {
  if (outcome.kind !== 'taken') return;
  counts.stored += outcome.stored;
  for (const [reason, events] of Object.entries(outcome.dropped) as [DropReason, number][])
    counts.dropped[reason] = (counts.dropped[reason] ?? 0) + events;
}

/** Keeps rows until they are asked for, so that thousands of requests of the past cost a few writes. */
function gather(lane: Lane) {
  let rows: string[] = [];
  let waiting: ((refusal?: SpoolUnavailable) => void)[] = [];
  function append(row: string | Buffer): Promise<void>;
  function append(row: string | Buffer, done: (refusal?: SpoolUnavailable) => void): void;
  function append(row: string | Buffer, done?: (refusal?: SpoolUnavailable) => void): Promise<void> | void {
    rows.push(String(row));
    if (done === undefined)
      return new Promise((resolve, reject) => waiting.push((no) => (no ? reject(no) : resolve())));
    waiting.push(done);
  }
  return {
    lane: { name: lane.name, append },
    rows: () => rows.length,
    /** @throws SpoolUnavailable after everybody who waits was told */
    async flush() {
      const told = waiting;
      const text = rows.join('\n');
      rows = [];
      waiting = [];
      if (text === '') return;
      await new Promise<void>((resolve, reject) => {
        lane.append(text, (refusal) => {
          for (const tell of told) tell(refusal);
          if (refusal === undefined) resolve();
          else reject(refusal);
        });
      });
    },
  };
}
