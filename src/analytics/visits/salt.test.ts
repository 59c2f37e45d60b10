import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stillClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { type Random, seededRandom } from '../../platform/random.ts';
import { dayMs, dayOf, openSalts } from './salt.ts';

const minute = 60_000;
const hour = 60 * minute;
const evening = Date.UTC(2026, 5, 1, 23, 30);
const today = dayOf(evening);

let folder: string;
let file: string;
let random: Random;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'salts-'));
  file = join(folder, 'keys', 'visitor.salts');
  random = seededRandom(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(startMs: number) {
  const clock = stillClock(startMs);
  return { clock, salts: openSalts({ file, clock, random, log: silentLog }) };
}
function hex(salt: { salt: Buffer } | undefined): string | undefined {
  return salt?.salt.toString('hex');
}
/** Every byte below the folder, so that a salt is found wherever a write may have left it. */
function everything(): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

it('25 hours of travel: one salt per UTC day, and ten minutes of grace for the old one (PSE-03)', () => {
  const { clock, salts } = open(evening);
  const seen = new Map<number, Set<string>>();
  const grace: number[] = [];
  let first = '';
  for (let minutes = 0; minutes <= 25 * 60; minutes++) {
    const now = clock.now();
    const current = salts.current(now);
    expect(current.day).toBe(dayOf(now));
    seen.set(current.day, (seen.get(current.day) ?? new Set()).add(hex(current) as string));
    first ||= hex(current) as string;
    const previous = salts.previous(now);
    if (previous !== undefined) {
      grace.push((now - dayOf(now) * dayMs) / minute);
      expect(previous.day).toBe(current.day - 1);
      expect(seen.get(previous.day)).toEqual(new Set([hex(previous)]));
    }
    clock.travel(minute);
  }
  expect([...seen.values()].map((salts) => salts.size)).toEqual([1, 1, 1]);
  expect(grace.filter((at) => at < 10)).toHaveLength(grace.length);
  expect(grace).toHaveLength(20);
  expect(everything()).not.toContain(first);
});

it('the file is 0600 and holds at most two salts; after the grace no byte of the old one is left', () => {
  const { clock, salts } = open(evening);
  const old = hex(salts.current(clock.now())) as string;
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
  clock.travel(31 * minute);
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
  expect(everything()).toContain(old);
  clock.travel(10 * minute);
  expect(everything()).not.toContain(old);
  expect(readdirSync(join(folder, 'keys'))).toEqual(['visitor.salts']);
});

it('the buffer of a dead salt is overwritten', () => {
  const { clock, salts } = open(evening);
  const old = salts.current(clock.now()).salt;
  clock.travel(45 * minute);
  expect(old.equals(Buffer.alloc(32))).toBe(true);
});

it('bytes are overwritten before they are unlinked', () => {
  const { clock, salts } = open(evening);
  const old = hex(salts.current(clock.now())) as string;
  // A further link keeps the file reachable that the rotation unlinks.
  linkSync(file, join(folder, 'undeleted'));
  clock.travel(45 * minute);
  salts.current(clock.now());
  expect(readFileSync(join(folder, 'undeleted'), 'utf8')).not.toContain(old);
});

describe('a restart', () => {
  it('on the same day goes on with the salt', () => {
    const first = open(evening);
    const salt = hex(first.salts.current(first.clock.now()));
    const again = open(evening + 10 * minute);
    expect(hex(again.salts.current(again.clock.now()))).toBe(salt);
  });
  it('within the grace goes on with both', () => {
    const first = open(evening);
    const salt = hex(first.salts.current(first.clock.now()));
    const again = open(evening + 35 * minute);
    expect(hex(again.salts.previous(again.clock.now()))).toBe(salt);
    again.clock.travel(5 * minute);
    expect(again.salts.previous(again.clock.now())).toBeUndefined();
  });
  it.each([
    ['ten minutes into the next day', 40 * minute],
    ['days later', 72 * hour],
    ['a day earlier: the clock was wrong', -24 * hour],
  ])('%s destroys the old salt', (_title, laterMs) => {
    const first = open(evening);
    const salt = hex(first.salts.current(first.clock.now())) as string;
    const again = open(evening + laterMs);
    expect(again.salts.previous(again.clock.now())).toBeUndefined();
    expect(hex(again.salts.current(again.clock.now()))).not.toBe(salt);
    expect(everything()).not.toContain(salt);
  });
});

describe('what a crash leaves behind is destroyed at the next start', () => {
  const stray = `${today - 1} ${'ab'.repeat(32)}\n`;
  it.each(['new', 'old'])('a .%s file', (ending) => {
    const first = open(evening);
    const salt = hex(first.salts.current(first.clock.now()));
    writeFileSync(`${file}.${ending}`, stray);
    const again = open(evening);
    // Whole: a few letters of it stand in any other salt by chance.
    expect(everything()).not.toContain(stray.trim());
    expect(hex(again.salts.current(again.clock.now()))).toBe(salt);
  });
  it('a second link made before the rename is no second file', () => {
    const first = open(evening);
    const salt = hex(first.salts.current(first.clock.now()));
    linkSync(file, `${file}.old`);
    const again = open(evening);
    expect(hex(again.salts.current(again.clock.now()))).toBe(salt);
    expect(existsSync(`${file}.old`)).toBe(false);
  });
  it('a torn file is no salt', () => {
    const first = open(evening);
    const salt = hex(first.salts.current(first.clock.now())) as string;
    writeFileSync(file, `${today} ${salt.slice(0, 40)}`);
    const again = open(evening);
    expect(hex(again.salts.current(again.clock.now()))).not.toBe(salt);
  });
});

describe('a clock that is set back resurrects nothing', () => {
  it('a second back over midnight, in the grace: the day before still has its salt', () => {
    const { clock, salts } = open(evening);
    const old = hex(salts.current(clock.now()));
    clock.travel(31 * minute);
    const next = hex(salts.current(clock.now()));
    clock.set(evening + 29 * minute);
    expect(hex(salts.current(clock.now()))).toBe(old);
    expect(salts.previous(clock.now())).toBeUndefined();
    clock.set(evening + 31 * minute);
    expect(hex(salts.current(clock.now()))).toBe(next);
  });
  it('after the grace: a third salt, and the old day never gets its own back', () => {
    const { clock, salts } = open(evening);
    const old = hex(salts.current(clock.now())) as string;
    clock.travel(50 * minute);
    const next = hex(salts.current(clock.now())) as string;
    clock.set(evening);
    const third = hex(salts.current(clock.now())) as string;
    expect(new Set([old, next, third]).size).toBe(3);
    clock.set(evening + 50 * minute);
    expect(hex(salts.current(clock.now()))).not.toBe(next);
    expect(everything()).not.toContain(next);
  });
  it('set back every minute: the grace still ends by the steady clock', () => {
    const { clock, salts } = open(evening);
    const old = hex(salts.current(clock.now())) as string;
    clock.travel(30 * minute);
    for (let i = 0; i < 11; i++) {
      clock.travel(minute);
      clock.set(evening + 30 * minute + 1_000);
      salts.current(clock.now());
    }
    expect(salts.previous(clock.now())).toBeUndefined();
    expect(everything()).not.toContain(old);
  });
});

it('late days get salts of their own, in memory only, until the next rotation', () => {
  const { clock, salts } = open(evening);
  const late = hex(salts.late(today - 3)) as string;
  expect(hex(salts.late(today - 3))).toBe(late);
  expect(hex(salts.late(today - 4))).not.toBe(late);
  expect(everything()).not.toContain(late);
  clock.travel(hour);
  expect(hex(salts.late(today - 3))).not.toBe(late);
});

it('two installations have different salts (PSE-02)', () => {
  const salts = Array.from({ length: 200 }, (_, n) => {
    const opened = openSalts({
      file: join(folder, String(n), 'visitor.salts'),
      clock: stillClock(evening),
      random,
      log: silentLog,
    });
    return hex(opened.current(evening));
  });
  expect(new Set(salts).size).toBe(200);
});
