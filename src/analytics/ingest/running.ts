import { dirname, join } from 'node:path';
import { crashPoint } from '../../platform/crash_point.ts';
import type { FastHandler } from '../../platform/http/server.ts';
import type { Sink } from '../../platform/spool/index.ts';
import type { Gauge, House } from '../../platform/subject.ts';
import type { ContactSeal } from '../contact_keys.ts';
import { secretDigestOf } from '../foreign_ids.ts';
import type { SiteDirectory } from '../sites.ts';
import { type AgedKeys, openAgedKeys } from '../visits/aged_keys.ts';
import { type LiveVisits, liveVisitLimits, openLiveVisits } from '../visits/live_visits.ts';
import { dayOf, openSalts, type Salts } from '../visits/salt.ts';
import { collectEvents } from './collect.ts';
import { openDropIns } from './dropin/doors.ts';
import { countQuarantined, type DropCounts, openDropCounts } from './drops.ts';
import { type Gate, openGate } from './gate.ts';
import { type Ingest, openIngest } from './ingest.ts';
import { openClickMemory } from './landed_clicks.ts';
import { type LastDrops, openLastDrops } from './last_drops.ts';
import { openDeskLinks } from './links.ts';
import { type LiveView, openLiveView } from './live.ts';
import type { Places } from './place.ts';
import { eventKeyMs, eventKeysMax, orderKeyMs, orderKeysMax, restore } from './restore.ts';
import { eventColumns } from './row.ts';
import { type AddressDigest, shieldAddressText } from './shields.ts';
import { openThrottle } from './throttle.ts';
import { answerVisitors, type Identify } from './visitor_door.ts';
import { openWatchDesk, type WatchDesk } from './watched.ts';

/** Ingest at work: what it mounts, and what imports and live pages share with it. */
export type RunningIngest = {
  readonly fast: Record<string, FastHandler>;
  /** Takes events that did not come by HTTP. */
  readonly ingest: Ingest;
  readonly sinks: Sink[];
  readonly gauges: Gauge[];
  readonly live: LiveView;
  readonly visits: LiveVisits;
  readonly salts: Salts;
  readonly orderKeys: AgedKeys;
  readonly addressDigest: AddressDigest;
  readonly sealContact: ContactSeal;
  readonly lastDrops: LastDrops;
  readonly watch: WatchDesk;
  /**
   * Reads back what the last process knew, and lets the requests in that came meanwhile.
   * @throws what the warehouse does; those requests are then refused
   */
  begin(): Promise<void>;
  /** When `begin` is over. */
  readonly begun: Promise<void>;
  stop(): Promise<void>;
};

export type RunningIngestParts = {
  readonly house: Pick<
    House,
    'config' | 'clock' | 'random' | 'log' | 'postgres' | 'warehouse' | 'spool' | 'keys' | 'authenticate'
  >;
  readonly sealContact: ContactSeal;
  readonly identify: Identify;
  readonly sites: SiteDirectory;
  readonly places: Pick<Places, 'lookup'>;
  /** A row came for a UTC day that is over. */
  readonly onLate: (siteId: number, day: number) => void;
};

/** Beside the key file: a copy of the data directory, however often it is made, then never holds a salt (PSE-06, PSE-07). */
export function saltFileOf(config: Pick<House['config'], 'keyFile'>): string {
  return join(dirname(config.keyFile), 'visitor.salts');
}

/** Visits closed at a time: 2,000 take under 2 ms, so the sweep never holds up a request noticeably. */
const sweepSlice = 2_000;
const sweepMs = 250;
const sweepAgainMs = 5;
const dropFlushMs = 1_000;

/** Opens ingest; requests wait at its gate until `begin` is over. */
export function startIngest(parts: RunningIngestParts): RunningIngest {
  const { house, sites, sealContact } = parts;
  const { clock, random, log, spool, warehouse } = house;
  const salts = openSalts({ file: saltFileOf(house.config), clock, random, log });
  const clicks = openClickMemory();
  const visits = openLiveVisits(liveVisitLimits, clicks.forget);
  const watch = openWatchDesk(clicks);
  const eventKeys = openAgedKeys({ keysMax: eventKeysMax, keepMs: eventKeyMs });
  const orderKeys = openAgedKeys({ keysMax: orderKeysMax, keepMs: orderKeyMs });
  const gate = openGate();
  const begun = Promise.withResolvers<void>();
  // Whoever called `begin` hears of it.
  begun.promise.catch(() => {});

  async function begin() {
    const startedAt = clock.monotonic();
    try {
      const pending = spool.pending('events');
      const restored = await restore({ warehouse, pending, visits, eventKeys, orderKeys, nowMs: clock.now() });
      crashPoint('ingest.restored');
      log.info('ingest.restored', {
        visits: restored.visits,
        event_ids: restored.eventKeys,
        orders: restored.orderKeys,
        pending_rows: restored.pendingRows,
        unreadable_rows: restored.unreadableRows,
        took_ms: Math.round(clock.monotonic() - startedAt),
      });
      gate.open();
      begun.resolve();
    } catch (error) {
      gate.close();
      begun.reject(error);
      throw error;
    }
  }

  const drops = openDropCounts();
  const lastDrops = openLastDrops();
  const live = openLiveView();
  const addressDigest: AddressDigest = (siteId, address) =>
    house.keys.digest('shield-address', shieldAddressText(siteId, address)).toString('hex');
  const desk = {
    sites,
    places: parts.places,
    salts,
    visits,
    eventKeys,
    orderKeys,
    throttle: openThrottle(house.config.siteRate, clock),
    random,
    addressDigest,
    sealContact,
    importId: 0,
  };
  const ingest = openIngest({
    desk,
    clock,
    drops,
    lastDrops,
    live,
    events: spool.lane('events'),
    bots: spool.lane('bots'),
    watch,
    onLate: parts.onLate,
  });
  const collect = { ingest, gate, authenticate: house.authenticate, trustedProxies: house.config.trustedProxies, log };

  const links = openDeskLinks(house);
  const midnight = { visitsCut: 0 };
  const stopSweep = sweepForever(clock, visits, salts, midnight);
  const stopFlush = flushForever(clock, drops, (rows) => spool.lane('drops').append(rows));
  return {
    fast: {
      '/api/event': collectEvents(collect),
      '/api/visitor': answerVisitors({
        ...{ sites, places: parts.places, throttle: desk.throttle, log, drops, clock, watch },
        links,
        identify: parts.identify,
        trustedProxies: house.config.trustedProxies,
      }),
      ...openDropIns({ collect, sites, secretDigest: secretDigestOf(house), random }),
    },
    ingest,
    sinks: [
      {
        ...sink('events', 'events', warehouse, eventColumns),
        quarantined: (row) => countQuarantined(drops, row, clock.now()),
      },
      sink('bots', 'bot_events', warehouse),
      sink('drops', 'drops', warehouse),
    ],
    gauges: [...ingestGauges({ gate, visits, salts, drops, eventKeys, orderKeys, midnight }), ...clickGauges(watch)],
    live,
    visits,
    salts,
    orderKeys,
    addressDigest,
    sealContact,
    lastDrops,
    watch,
    begin,
    begun: begun.promise,
    async stop() {
      gate.close();
      stopSweep();
      links.stop();
      await stopFlush();
      salts.close();
    },
  };
}

function sink(lane: string, table: string, warehouse: House['warehouse'], columns?: readonly string[]): Sink {
  return {
    name: table,
    lane,
    async deliver(_segment, bytes, token) {
      await warehouse.insert(table, bytes, token, columns);
      crashPoint('warehouse.insert');
    },
  };
}

/** Closes visits that are over, a slice at a time, and counts at the end of the grace how many lose their id. */
function sweepForever(
  clock: House['clock'],
  visits: LiveVisits,
  salts: Salts,
  midnight: { visitsCut: number },
): () => void {
  let hadPrevious = false;
  let cancel = clock.after(sweepMs, sweep);
  function sweep() {
    const now = clock.now();
    const hasPrevious = salts.previous(now) !== undefined;
    if (hadPrevious && !hasPrevious) midnight.visitsCut += visits.countOfDay(dayOf(now) - 1, now);
    hadPrevious = hasPrevious;
    cancel = clock.after(visits.sweep(now, sweepSlice) ? sweepAgainMs : sweepMs, sweep);
  }
  return () => cancel();
}

/** Once a second; what the disk refuses is kept and tried again. The returned function flushes a last time. */
function flushForever(
  clock: House['clock'],
  drops: DropCounts,
  append: (rows: string) => Promise<void>,
): () => Promise<void> {
  let cancel = clock.after(dropFlushMs, tick);
  async function flush() {
    const rows = drops.take();
    if (rows.length === 0) return;
    try {
      await append(rows.join('\n'));
    } catch {
      drops.giveBack(rows);
    }
  }
  function tick() {
    void flush();
    cancel = clock.after(dropFlushMs, tick);
  }
  return () => {
    cancel();
    return flush();
  };
}

function ingestGauges(parts: {
  gate: Gate;
  visits: LiveVisits;
  salts: Salts;
  drops: DropCounts;
  eventKeys: AgedKeys;
  orderKeys: AgedKeys;
  midnight: { visitsCut: number };
}): Gauge[] {
  const { gate, visits, salts, drops, eventKeys, orderKeys, midnight } = parts;
  return [
    gauge(
      'fairlead_requests_waiting',
      'Requests with events that wait while running visits are read back.',
      'gauge',
      gate.waiting,
    ),
    gauge('fairlead_live_visits', 'Visits that are running.', 'gauge', visits.count),
    gauge('fairlead_live_visits_bytes', 'Memory that running visits take.', 'gauge', visits.bytes),
    gauge(
      'fairlead_visits_closed_early_total',
      'Visits closed to stay within the limit.',
      'counter',
      visits.closedEarly,
    ),
    gauge(
      'fairlead_visits_cut_at_midnight_total',
      'Visits running when the salt that made their visitor id was destroyed; a further event of theirs begins another visit.',
      'counter',
      () => midnight.visitsCut,
    ),
    gauge('fairlead_event_ids', 'Event ids remembered against repetition.', 'gauge', eventKeys.size),
    gauge(
      'fairlead_event_ids_forgotten_total',
      'Event ids forgotten before 24 hours, to stay within the limit.',
      'counter',
      eventKeys.pushedOut,
    ),
    gauge('fairlead_order_ids', 'Order ids remembered, so that each earns once.', 'gauge', orderKeys.size),
    gauge(
      'fairlead_order_ids_forgotten_total',
      'Order ids forgotten before 800 days, to stay within the limit.',
      'counter',
      orderKeys.pushedOut,
    ),
    gauge('fairlead_salt_overdue', '1 while the salt file could not be brought up to date.', 'gauge', salts.overdue),
    gauge('fairlead_dropped_events_total', 'Events that were not stored, by reason.', 'counter', drops.totals),
    gauge(
      'fairlead_fields_left_out_total',
      'Stored events that were kept without a field, for a setting of the site, by reason.',
      'counter',
      drops.leftOut,
    ),
  ];
}

function clickGauges({ clicks }: WatchDesk): Gauge[] {
  return [
    gauge(
      'fairlead_landed_clicks',
      'Running visits whose click ids are in memory, for sources of the relay that ask for them.',
      'gauge',
      clicks.count,
    ),
    gauge('fairlead_landed_clicks_bytes', 'Memory that those take.', 'gauge', clicks.bytes),
    gauge(
      'fairlead_landed_clicks_forgotten_total',
      'Visits whose click ids were forgotten before the visit was over, to stay within the limit.',
      'counter',
      clicks.pushedOut,
    ),
  ];
}

function gauge(name: string, help: string, kind: Gauge['kind'], read: Gauge['read']): Gauge {
  return { name, help, kind, read };
}
