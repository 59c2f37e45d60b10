/**
 * What one event costs of a processor between the parsed request and the row's text, HTTP and disk left out:
 *   node bench/ingest_cpu.ts
 * Target: 15 µs, so that 20,000 durable events a second leave most of one core to HTTP and the other to the stores.
 */

import type { Outcome, Sender } from '../src/analytics/ingest/ingest.ts';
import { memoryLane, openRig, person } from '../src/analytics/ingest/rig.ts';
import { openLiveVisits } from '../src/analytics/visits/live_visits.ts';
import { systemRandom } from '../src/platform/random.ts';

const events = 100_000;
const rounds = 3;
const agents = Array.from(
  { length: 200 },
  (_, n) =>
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.${n}.0 Safari/537.36`,
);
const sources = ['', 'https://www.google.com/', 'https://news.example/a', 'https://www.reddit.com/r/shoes', ''];

/** @param isStored in storage mode: with an id that the browser keeps, and what its visitor said */
function bodyOf(n: number, isStored: boolean): Buffer {
  return Buffer.from(
    JSON.stringify({
      n: 'pageview',
      u: `https://shop.example/products/shoe-${n % 500}?utm_source=news&utm_medium=email`,
      d: 'shop.example',
      r: sources[n % sources.length],
      t: `Shoe ${n % 500}`,
      sc: '1440x900',
      id: `0f8fad5bd9cb469fa16570867728950e${n}`,
      v: 1,
      ...(isStored ? { vi: 'a'.repeat(32), si: 'b'.repeat(32), consent: { analytics_storage: 'granted' } } : {}),
    }),
  );
}

function senderOf(visitor: number): Partial<Sender> {
  return {
    address: `203.0.${(visitor >> 8) & 255}.${visitor & 255}`,
    userAgent: `${agents[visitor % agents.length]} v/${visitor >> 16}`,
  };
}

/** Median of the rounds, in µs of processor time per event: what others do on the machine does not count. */
function measure(perVisit: number, isStored = false): { us: number; bytes: number } {
  const bodies = Array.from({ length: 10_000 }, (_, n) => bodyOf(n, isStored));
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    const rig = openRig({ visitsMax: 1_000_000 });
    rig.desk.random = systemRandom;
    const lane = memoryLane('events');
    lane.append = ((rows: string, done: () => void) => {
      bytes = rows.length;
      done();
    }) as typeof lane.append;
    Object.assign(rig.events, lane);
    const started = process.cpuUsage();
    for (let n = 0; n < events; n++) {
      const payload = JSON.parse((bodies[n % bodies.length] as Buffer).toString('utf8'));
      payload.id = `e${n}`;
      if (isStored)
        payload.vi = Math.floor(n / perVisit)
          .toString(16)
          .padStart(32, '0');
      rig.ingest.take(payload, person(senderOf(Math.floor(n / perVisit))), ignore);
    }
    const used = process.cpuUsage(started);
    times.push((used.user + used.system) / events);
  }
  times.sort((a, b) => a - b);
  return { us: times[rounds >> 1] as number, bytes };
}
function ignore(outcome: Outcome): void {
  if (outcome.kind !== 'taken' || outcome.stored !== 1) throw new Error(`not stored: ${JSON.stringify(outcome)}`);
}

/** A million running visits with 2,000 pages, 300 agents, 5,000 places and 400 sources: bytes each, and the sweep's pause. */
function measureVisits() {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const visits = openLiveVisits();
  const started = process.hrtime.bigint();
  for (let n = 0; n < 1_000_000; n++)
    visits.begin(
      { siteId: 1, id: { hi: Math.imul(n, 0x9e3779b1) >>> 0, lo: Math.imul(n, 0x85ebca6b) >>> 0 } },
      {
        visitId: { hi: n, lo: n },
        startedMs: 1e12 + n,
        idDay: 20_000,
        origin: `${n % 400}`.padEnd(190, 'o'),
        agent: `${n % 300}`.padEnd(110, 'a'),
        place: `${n % 5_000}`.padEnd(90, 'p'),
        entry: `${n % 2_000}`.padEnd(70, 'e'),
      },
    );
  const began = Number(process.hrtime.bigint() - started) / 1e6;
  globalThis.gc?.();
  const after = process.memoryUsage();
  const pauses: number[] = [];
  for (;;) {
    const from = process.hrtime.bigint();
    const more = visits.sweep(1e12 + 1e10, 2_000);
    pauses.push(Number(process.hrtime.bigint() - from) / 1e6);
    if (!more) break;
  }
  pauses.sort((a, b) => a - b);
  return {
    counted_mb: mb(visits.bytes()),
    resident_mb: mb(after.rss - before.rss),
    begin_us: (began * 1000) / 1e6,
    sweep_ms_p50: pauses[pauses.length >> 1],
    sweep_ms_max: pauses.at(-1),
  };
}
function mb(bytes: number): number {
  return Math.round(bytes / 1e6);
}

console.log('visits of 3 events', measure(3));
console.log('only new visitors ', measure(1));
console.log('in storage mode   ', measure(3, true));
if (process.argv[2] !== 'short') console.log('visits of 20      ', measure(20));
if (process.argv[2] !== 'short') console.log('1,000,000 running visits', measureVisits());
