import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../platform/random.ts';
import { type NewVisit, openLiveVisits, type Visitor } from './live_visits.ts';

const noon = Date.UTC(2026, 5, 1, 12);
const minute = 60_000;

function visitor(n: number, siteId = 1): Visitor {
  return { siteId, id: { hi: Math.imul(n, 0x9e3779b1) >>> 0, lo: n } };
}
function visit(n: number, startedMs = noon, more: Partial<NewVisit> = {}): NewVisit {
  return {
    visitId: { hi: 1, lo: n },
    startedMs,
    idDay: 20_605,
    origin: 'o',
    agent: 'a',
    place: 'p',
    entry: `e${n % 7}`,
    ...more,
  };
}

describe('a visit ends when the gap exceeds 30 whole minutes', () => {
  it.each([
    ['at once', 0, true],
    ['after 30:00', 30 * minute, true],
    ['after 30:59', 30 * minute + 59_000, true],
    ['after 30:59.999', 31 * minute - 1, true],
    ['after 31:00', 31 * minute, false],
    ['when the clock is set back an hour', -60 * minute, true],
  ])('%s', (_title, laterMs, running) => {
    const visits = openLiveVisits({ visitsMax: 10, textBytesMax: 1e6 });
    visits.begin(visitor(1), visit(1));
    expect(visits.find(visitor(1), noon + laterMs) >= 0).toBe(running);
  });

  it('each event extends it', () => {
    const visits = openLiveVisits({ visitsMax: 10, textBytesMax: 1e6 });
    const slot = visits.begin(visitor(1), visit(1));
    visits.touch(slot, noon + 30 * minute);
    expect(visits.find(visitor(1), noon + 60 * minute)).toBe(slot);
    expect(visits.read.startedMs(slot)).toBe(noon);
    expect(visits.read.endedMs(slot)).toBe(noon + 30 * minute);
  });

  it('a clock that runs backwards shortens nothing', () => {
    const visits = openLiveVisits({ visitsMax: 10, textBytesMax: 1e6 });
    const slot = visits.begin(visitor(1), visit(1));
    visits.touch(slot, noon - 10 * minute);
    expect(visits.read.endedMs(slot)).toBe(noon);
  });
});

it('the same id on another site is another visitor', () => {
  const visits = openLiveVisits({ visitsMax: 10, textBytesMax: 1e6 });
  visits.begin(visitor(1, 1), visit(1));
  expect(visits.find(visitor(1, 2), noon)).toBe(-1);
});

it('keeps what the first event said, and takes the entry page when it comes', () => {
  const visits = openLiveVisits({ visitsMax: 10, textBytesMax: 1e6 });
  const slot = visits.begin(visitor(1), visit(1, noon, { entry: 'none yet' }));
  visits.enter(slot, '/blog');
  expect([visits.read.origin(slot), visits.read.agent(slot), visits.read.place(slot), visits.read.entry(slot)]).toEqual(
    ['o', 'a', 'p', '/blog'],
  );
});

it('beyond the limit the visits that were silent longest are closed, and counted', () => {
  const visits = openLiveVisits({ visitsMax: 3, textBytesMax: 1e6 });
  for (const n of [1, 2, 3]) visits.begin(visitor(n), visit(n, noon + n));
  visits.touch(visits.find(visitor(1), noon), noon + 10);
  visits.begin(visitor(4), visit(4, noon + 20));
  expect([1, 2, 3, 4].map((n) => visits.find(visitor(n), noon + 20) >= 0)).toEqual([true, false, true, true]);
  expect([visits.count(), visits.closedEarly()]).toEqual([3, 1]);
});

it('texts have a limit of their own: unlike visits cannot take more memory than like ones', () => {
  const visits = openLiveVisits({ visitsMax: 10_000, textBytesMax: 200_000 });
  for (let n = 0; n < 1_000; n++) visits.begin(visitor(n), visit(n, noon, { entry: `/${n}/${'x'.repeat(2_000)}` }));
  expect(visits.count()).toBeLessThan(100);
  expect(visits.bytes()).toBeLessThan(300_000 + 1_000 * 74 + 160_000);
});

it('the sweep closes what is over, in slices', () => {
  const visits = openLiveVisits({ visitsMax: 100, textBytesMax: 1e6 });
  for (let n = 0; n < 50; n++) visits.begin(visitor(n), visit(n, noon + n * minute));
  const later = noon + 60 * minute;
  expect(visits.sweep(later, 20)).toBe(true);
  expect(visits.sweep(later, 20)).toBe(false);
  expect(visits.count()).toBe(20);
  expect(visits.closedEarly()).toBe(0);
});

it('counts who is there now, per site, and whose id dies with a day', () => {
  const visits = openLiveVisits({ visitsMax: 100, textBytesMax: 1e6 });
  for (let n = 0; n < 10; n++)
    visits.begin(visitor(n, 1 + (n % 2)), visit(n, noon + n * minute, { idDay: n < 3 ? 7 : 8 }));
  expect(visits.countSince(1, noon + 5 * minute)).toBe(2);
  expect(visits.countSince(2, noon + 5 * minute)).toBe(3);
  expect(visits.countOfDay(7, noon + 31 * minute)).toBe(2);
});

it('a visit whose first event was not stored is taken back, and only that one', () => {
  const visits = openLiveVisits({ visitsMax: 10, textBytesMax: 1e6 });
  const slot = visits.begin(visitor(1), visit(1));
  visits.forget(slot, { hi: 9, lo: 9 });
  expect(visits.count()).toBe(1);
  visits.forget(slot, { hi: 1, lo: 1 });
  visits.forget(slot, { hi: 1, lo: 1 });
  expect(visits.count()).toBe(0);
  expect(visits.find(visitor(1), noon)).toBe(-1);
});

it('answers as a plain Map does, through forty thousand random moves', () => {
  const visits = openLiveVisits({ visitsMax: 5_000, textBytesMax: 1e9 });
  const twin = new Map<number, { visit: number; ended: number }>();
  const bytes = seededRandom('visits').bytes(80_000);
  let now = noon;
  for (let i = 0; i < 40_000; i++) {
    const n = bytes.readUInt16LE(i * 2) % 3_000;
    now += 400;
    const known = twin.get(n);
    const running = known !== undefined && now - known.ended < 31 * minute;
    const slot = visits.find(visitor(n), now);
    expect(slot >= 0).toBe(running);
    if (running) {
      expect(visits.read.visitId(slot).lo).toBe(known.visit);
      visits.touch(slot, now);
      known.ended = now;
    } else {
      visits.begin(visitor(n), visit(i, now));
      twin.set(n, { visit: i, ended: now });
    }
    if (i % 100 === 0) visits.sweep(now, 50);
  }
  expect(visits.closedEarly()).toBe(0);
});
