import { expect, it } from 'vitest';
import { seededRandom, systemRandom, timedUuidOf, uuidOf } from './random.ts';

it('makes UUIDs of version 4 of chance, and of version 7 that lie in the order of their time', () => {
  expect(uuidOf(seededRandom('a'))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  // RFC 9562, appendix A.6: unix_ts_ms 0x017F22E279B0.
  const made = timedUuidOf(seededRandom('a'), Date.UTC(2022, 1, 22, 19, 22, 22));
  expect(made).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const later = [1, 2, 300, 70_000, 2 ** 40].map((ms) => timedUuidOf(systemRandom, Date.UTC(2026, 10, 30) + ms));
  expect([...later].sort()).toEqual(later);
});

it('draws what is short from a pool, never the same bytes twice', () => {
  const drawn = Array.from({ length: 2_000 }, () => systemRandom.bytes(32).toString('hex'));
  expect(new Set(drawn).size).toBe(2_000);
});
