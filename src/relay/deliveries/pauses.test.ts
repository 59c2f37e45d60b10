import { expect, it } from 'vitest';
import { nextTry } from './again.ts';
import { openBreaker } from './breaker.ts';
import { openBucket, openBuckets } from './bucket.ts';
import { keptAnswer } from './kept_answer.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const hourMs = 3_600_000;
const tried = (attempts: number, more = {}) => ({
  ...{ attempts, triesUntil: now + 72 * hourMs, occurredAt: now - hourMs, ageMsMax: 7 * 24 * hourMs },
  ...more,
});

it.each([
  [1, 10_000],
  [2, 20_000],
  [3, 40_000],
  [9, 2_560_000],
  [10, hourMs],
  [30, hourMs],
])('after try %i the next one is at most %i ms away, drawn from nothing to that', (attempts, ms) => {
  const at = (chance: number) => nextTry(tried(attempts), { class: 'retry', reason: 'x' }, now, chance);
  expect(at(1)).toMatchObject({ state: 'waiting', nextAt: now + ms });
  expect(at(0.5)).toMatchObject({ nextAt: now + ms / 2 });
  expect(at(0)).toMatchObject({ nextAt: now + 1_000 });
});

it('a platform’s own pause is kept to, and one that is no fault of the delivery counts no hours', () => {
  const pause = { reason: 'TOO_RECENT_CLICK', retryAfterMs: 6 * hourMs };
  expect(nextTry(tried(1), { class: 'retry', ...pause }, now, 1)).toEqual({
    ...{ state: 'waiting', nextAt: now + 6 * hourMs, triesUntil: now + 72 * hourMs },
  });
  expect(nextTry(tried(1), { class: 'retry_later', ...pause }, now, 1)).toEqual({
    ...{ state: 'waiting', nextAt: now + 6 * hourMs, triesUntil: now + 78 * hourMs },
  });
  expect(nextTry(tried(1), { class: 'rate_limited', reason: '4' }, now, 1)).toMatchObject({ nextAt: now + 60_000 });
});

it.each(['rate_limited', 'retry_later', 'retry'] as const)(
  'a platform that asks for no pause gets a short one: %s',
  (kind) => {
    expect(nextTry(tried(1), { class: kind, reason: 'x', retryAfterMs: 0 }, now, 0)).toMatchObject({
      ...{ state: 'waiting', nextAt: now + 1_000 },
    });
  },
);

it('72 hours and the age limit of the platform end it, each with its reason', () => {
  const retry = { class: 'retry', reason: 'http_503' } as const;
  expect(nextTry(tried(99, { triesUntil: now + 1_000 }), retry, now, 1)).toEqual({
    ...{ state: 'dead', reason: 'retries_ended:http_503' },
  });
  const almost = tried(9, { occurredAt: now - 7 * 24 * hourMs + 5 * 60_000 });
  expect(nextTry(almost, retry, now, 1)).toMatchObject({ state: 'waiting', nextAt: now + 4 * 60_000 - 5_000 });
  const over = tried(9, { occurredAt: now - 7 * 24 * hourMs + 60_000 });
  expect(nextTry(over, retry, now, 1)).toEqual({ state: 'dead', reason: 'too_old', field: 'occurred_at' });
  expect(nextTry(tried(9, { occurredAt: 0, ageMsMax: undefined }), retry, now, 1)).toMatchObject({ state: 'waiting' });
});

it('a bucket never lets more through in any minute than the platform takes', () => {
  const bucket = openBucket(300);
  const taken: number[] = [];
  for (let ms = 0; ms < 5 * 60_000; ms += 50) for (let n = bucket.take(1_000, ms); n > 0; n--) taken.push(ms);
  for (const from of taken) {
    const inMinute = taken.filter((ms) => ms >= from && ms < from + 60_000).length;
    expect(inMinute).toBeLessThanOrEqual(300);
  }
  expect(taken.length).toBeGreaterThan(4 * 260);
});

it('accounts of one project share its requests, and others do not', () => {
  const bucketFor = openBuckets();
  const rate = { perMinute: 300, perProject: { perMinute: 300, perDay: 100_000 } };
  const [one, other, else_] = [bucketFor('a', rate), bucketFor('a', rate), bucketFor('b', { perMinute: 300 })];
  expect([one.take(100, 0), other.take(100, 0), else_.take(100, 0)]).toEqual([30, 0, 30]);
  expect(other.waitMs(0)).toBeGreaterThan(0);
  one.give(5);
  expect(other.take(100, 0)).toBe(5);
});

it('a breaker opens after five failures, lets a probe through, and doubles its pause up to a quarter of an hour', () => {
  const breaker = openBreaker(() => 1);
  for (let each = 0; each < 4; each++) breaker.note(false, 0);
  breaker.note(true, 0);
  for (let each = 0; each < 4; each++) breaker.note(false, 0);
  expect(breaker.allows(0)).toBe('yes');
  breaker.note(false, 0);
  expect([breaker.allows(0), breaker.allows(29_999), breaker.allows(30_000)]).toEqual([30_000, 1, 'probe']);
  let at = 30_000;
  const pauses: unknown[] = [];
  for (let each = 0; each < 7; each++) {
    breaker.note(false, at);
    pauses.push(breaker.allows(at));
    at += Number(pauses.at(-1));
  }
  expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 900_000, 900_000, 900_000]);
  expect(breaker.note(true, at)).toBe(at);
  expect(breaker.note(true, at)).toBeUndefined();
  expect([breaker.allows(at), breaker.isOpen()]).toEqual(['yes', false]);
});

it('of an answer stay codes, counts and places, and nothing that may be of a person (REL-09)', () => {
  const hash = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';
  const body = {
    error: {
      message: 'alexz@example.com is no hash',
      ...{ type: 'OAuthException', code: 190, error_subcode: 463, is_transient: false, fbtrace_id: 'AbC12' },
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations: [
            { field: 'events[3].userData.userIdentifiers[0]', reason: 'INVALID_HEX_ENCODING', description: 'Ana' },
            { field: 'alexz@example.com', reason: '+18005550100' },
          ],
        },
      ],
    },
    [hash]: 1,
    'alexz@example.com': 2,
    ...{ phone: 18005550100, number: '18005550100', email: hash, token: 'ya29.secret', name: 'ANA', zip: '01000' },
    events_received: 3,
  };
  const kept = keptAnswer(body);
  expect(JSON.parse(kept)).toMatchObject({
    error: {
      ...{ type: 'OAuthException', code: 190, error_subcode: 463, is_transient: false, message: '…', fbtrace_id: '…' },
      details: [
        {
          fieldViolations: [
            { field: 'events[3].userData.userIdentifiers[0]', reason: 'INVALID_HEX_ENCODING', description: '…' },
            { field: '…', reason: '…' },
          ],
        },
      ],
    },
    ...{ phone: '…', number: '…', email: '…', token: '…', name: '…', zip: '…', events_received: 3 },
  });
  expect(kept).not.toMatch(/alexz|Ana|ANA|8005550100|509e|ya29|01000/);
  expect(keptAnswer('<html>alexz@example.com</html>')).toBe('(text, 30 bytes)');
  const long = keptAnswer({ rows: Array.from({ length: 5_000 }, () => ({ status: 'failed', reason: 'A_B', at: 1 })) });
  expect(long.length).toBeLessThanOrEqual(4_000);
});
