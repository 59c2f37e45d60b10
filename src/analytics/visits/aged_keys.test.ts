import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../platform/random.ts';
import { type Key, openAgedKeys } from './aged_keys.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 5, 1);

function drawKeys(count: number, seed = 'keys'): Key[] {
  const bytes = seededRandom(seed).bytes(count * 8);
  return Array.from({ length: count }, (_, i) => ({
    hi: bytes.readUInt32LE(i * 8),
    lo: bytes.readUInt32LE(i * 8 + 4),
  }));
}

describe('a key is remembered for its time and no longer', () => {
  const key = { hi: 7, lo: 9 };
  it.each([
    ['at once', 0, true],
    ['after 23:59', 24 * hour - 60_000, true],
    ['after 24:02', 24 * hour + 120_000, false],
    ['when the clock is set back three days', -72 * hour, true],
  ])('%s', (_title, laterMs, expected) => {
    const keys = openAgedKeys({ keysMax: 1_000, keepMs: 24 * hour });
    keys.add(key, start);
    expect(keys.has(key, start + laterMs)).toBe(expected);
    expect(keys.has({ hi: 7, lo: 8 }, start)).toBe(false);
  });
});

it('holds the same keys as a Set, through a hundred thousand random additions and removals', () => {
  const keys = openAgedKeys({ keysMax: 1_000_000, keepMs: 24 * hour });
  const twin = new Set<Key>();
  const drawn = drawKeys(50_000);
  const dice = seededRandom('dice').bytes(100_000);
  for (let i = 0; i < 100_000; i++) {
    const key = drawn[(i * 7919) % drawn.length] as Key;
    if ((dice[i] as number) < 90) {
      keys.delete(key);
      twin.delete(key);
    } else {
      keys.add(key, start);
      twin.add(key);
    }
  }
  expect(keys.size()).toBe(twin.size);
  expect(drawn.every((key) => keys.has(key, start) === twin.has(key))).toBe(true);
});

it('the key 0 is a key like others', () => {
  const keys = openAgedKeys({ keysMax: 100, keepMs: hour });
  keys.add({ hi: 0, lo: 0 }, start);
  expect(keys.has({ hi: 0, lo: 0 }, start)).toBe(true);
  keys.delete({ hi: 0, lo: 0 });
  expect(keys.has({ hi: 0, lo: 0 }, start)).toBe(false);
});

it('beyond its room the oldest keys go first, and are counted', () => {
  const keys = openAgedKeys({ keysMax: 10_240, keepMs: 24 * hour });
  const drawn = drawKeys(30_000);
  drawn.forEach((key, i) => {
    keys.add(key, start + i * 1_000);
  });
  const end = start + 30_000_000;
  expect(keys.size()).toBeLessThanOrEqual(10_240 * 1.2);
  expect(keys.pushedOut()).toBe(30_000 - keys.size());
  expect(drawn.slice(-5_000).every((key) => keys.has(key, end))).toBe(true);
  expect(drawn.slice(0, 5_000).some((key) => keys.has(key, end))).toBe(false);
});

it('expired keys make room without being counted as pushed out', () => {
  const keys = openAgedKeys({ keysMax: 20_480, keepMs: hour });
  drawKeys(10_000, 'old').forEach((key) => {
    keys.add(key, start);
  });
  drawKeys(10_000, 'new').forEach((key) => {
    keys.add(key, start + 3 * hour);
  });
  expect(keys.pushedOut()).toBe(0);
  expect(keys.bytes()).toBeLessThan(1024 * 1024);
});
