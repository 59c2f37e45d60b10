import { stillClock } from '../../platform/clock.ts';
import type { Principal } from '../../platform/http/route.ts';
import { type Random, seededRandom } from '../../platform/random.ts';
import { type Lane, SpoolUnavailable } from '../../platform/spool/index.ts';
import { shippedRule } from '../../trust/consent/index.ts';
import type { BotRow } from '../event_row.ts';
import { noShields, openSiteDirectory, type SiteRecord } from '../sites.ts';
import { openAgedKeys } from '../visits/aged_keys.ts';
import { openLiveVisits } from '../visits/live_visits.ts';
import { dayOf, graceMs, type Salts } from '../visits/salt.ts';
import { openDropCounts } from './drops.ts';
import { openGate } from './gate.ts';
import { type Outcome, openIngest, type Sender } from './ingest.ts';
import { openClickMemory } from './landed_clicks.ts';
import { openLiveView } from './live.ts';
import type { Place } from './place.ts';
import { readEventLine } from './row.ts';
import { openThrottle } from './throttle.ts';
import { openWatchDesk } from './watched.ts';

/** For tests and benchmarks: ingest with a still clock, a seeded chance and a lane that answers when it is told to. */

export const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
export const browserHeaders = {
  'user-agent': chrome,
  accept: '*/*',
  'accept-language': 'de-DE,de;q=0.9,en;q=0.8',
  'accept-encoding': 'gzip, deflate, br',
  'sec-ch-ua': '"Chromium";v="140", "Google Chrome";v="140", "Not-A.Brand";v="99"',
  'sec-ch-ua-mobile': '?0',
  'sec-ch-ua-platform': '"Windows"',
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  origin: 'https://shop.example',
};

export const shop: SiteRecord = {
  id: 1,
  organisationId: 10,
  domain: 'shop.example',
  aliases: [],
  timezone: 'Etc/UTC',
  currency: 'EUR',
  titles: true,
  revenue: true,
  contactClicks: false,
  purposes: shippedRule,
  privacySignals: 'ignore',
  stopped: undefined,
  shields: noShields,
  foreignIds: [],
};

/** A key of the shop's organisation. */
export const shopKey: Principal = {
  kind: 'key',
  id: 1,
  organisationId: 10,
  can: (permission, organisationId) => permission === 'events.write' && organisationId === 10,
};

export const berlin: Place = { country: 'DE', region: 'Berlin', city: 'Berlin', latitude: 52.5, longitude: 13.4 };

/** Noon of an ordinary day. */
export const noon = Date.UTC(2026, 5, 1, 12);

export function openRig(
  given: {
    sites?: SiteRecord[];
    startMs?: number;
    siteRate?: number;
    visitsMax?: number;
    salts?: Salts;
    random?: Random;
    /** The desk still reads back. */
    isReadingBack?: boolean;
  } = {},
) {
  const clock = stillClock(given.startMs ?? noon);
  const random = given.random ?? seededRandom('rig');
  const events = memoryLane('events');
  const bots = memoryLane('bots');
  const drops = openDropCounts();
  const late: { siteId: number; day: number }[] = [];
  const clicks = openClickMemory();
  const watch = openWatchDesk(clicks);
  const desk = {
    sites: openSiteDirectory(given.sites ?? [shop]),
    places: { lookup: (address: string) => (address.startsWith('203.0.113.') ? berlin : undefined) },
    salts: given.salts ?? fixedSalts(),
    visits: openLiveVisits({ visitsMax: given.visitsMax ?? 1_000, textBytesMax: 100e6 }, clicks.forget),
    eventKeys: openAgedKeys({ keysMax: 100_000, keepMs: 24 * 3_600_000 }),
    orderKeys: openAgedKeys({ keysMax: 100_000, keepMs: 800 * 86_400_000 }),
    throttle: openThrottle(given.siteRate, clock),
    random,
    addressDigest: (siteId: number, address: string) => `digest of ${siteId} ${address}`,
    sealContact: ({ id }: { id: number }, _row: object, value: string) =>
      Buffer.from(`${id} ${value}`).toString('base64url'),
    importId: 0,
  };
  const live = openLiveView();
  const gate = openGate();
  if (given.isReadingBack !== true) gate.open();
  const ingest = openIngest({
    desk,
    clock,
    drops,
    live,
    events,
    bots,
    watch,
    onLate: (siteId, day) => late.push({ siteId, day }),
  });

  /** Sends and gives the outcome, which is there at once unless the lane is held. */
  function send(payload: unknown, sender: Partial<Sender> = {}): Outcome {
    let outcome: Outcome | undefined;
    ingest.take(payload, person(sender), (told) => {
      outcome = told;
    });
    if (outcome === undefined) throw new Error('The lane is held: use `take`.');
    return outcome;
  }
  return {
    clock,
    desk,
    ingest,
    gate,
    events,
    bots,
    drops,
    late,
    live,
    watch,
    send,
    rows: () => events.lines.map(readEventLine),
    botRows: () => bots.lines.map((line) => JSON.parse(line) as BotRow),
    dropRows: () => drops.take().map((line) => JSON.parse(line)),
  };
}

/** A visitor with an ordinary browser. */
export function person(sender: Partial<Sender> = {}): Sender {
  return { address: '203.0.113.7', userAgent: chrome, headers: browserHeaders, principal: undefined, ...sender };
}

export type MemoryLane = Lane & {
  readonly lines: string[];
  /** Writes so far. */
  appends(): number;
  /** Answers wait until `release`. */
  hold(): void;
  release(): void;
  /** From now on nothing is kept. */
  refuse(refusing: boolean): void;
};

export function memoryLane(name: string): MemoryLane {
  const lines: string[] = [];
  let waiting: (() => void)[] | undefined;
  let refusing = false;
  let appends = 0;
  function append(rows: string | Buffer): Promise<void>;
  function append(rows: string | Buffer, done: (refusal?: SpoolUnavailable) => void): void;
  function append(rows: string | Buffer, done?: (refusal?: SpoolUnavailable) => void): Promise<void> | undefined {
    if (done === undefined)
      return new Promise((resolve, reject) =>
        append(rows, (refusal) => (refusal === undefined ? resolve() : reject(refusal))),
      );
    appends++;
    const answer = () => {
      if (refusing) return done(new SpoolUnavailable('full', 5));
      lines.push(...String(rows).split('\n'));
      done();
    };
    if (waiting === undefined) answer();
    else waiting.push(answer);
    return undefined;
  }
  return {
    name,
    lines,
    append,
    appends: () => appends,
    hold() {
      waiting = [];
    },
    release() {
      const answers = waiting ?? [];
      waiting = undefined;
      for (const answer of answers) answer();
    },
    refuse(now) {
      refusing = now;
    },
  };
}

/** Salts that depend on the day alone, with the real grace. */
export function fixedSalts(): Salts {
  const salt = (day: number) => ({ day, salt: Buffer.alloc(32, day % 251) });
  return {
    current: (ms) => salt(dayOf(ms)),
    previous: (ms) => (ms - dayOf(ms) * 86_400_000 < graceMs ? salt(dayOf(ms) - 1) : undefined),
    late: (day) => ({ day, salt: Buffer.alloc(32, 255 - (day % 251)) }),
    overdue: () => 0,
    close() {},
  };
}
