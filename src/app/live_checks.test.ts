import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, test } from 'vitest';
import { dayOf } from '../analytics/visits/salt.ts';
import { saltCheck } from '../analytics/visits/salt_check.ts';
import { stillClock } from '../platform/clock.ts';
import { readConfig } from '../platform/config.ts';
import { headerCheck } from './live_checks.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-checks-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a sound desk answers to each question of the check. */
const page = {
  'content-security-policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  ...{ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' },
  ...{ 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-site' },
  ...{ 'permissions-policy': 'camera=()', 'strict-transport-security': 'max-age=31536000; includeSubDomains' },
};
type Answers = Record<string, Record<string, string | string[]>>;
const sound: Answers = {
  'GET /': page,
  'GET /api/session': { ...page, 'cache-control': 'no-store' },
  'DELETE /api/sessions/current': { 'set-cookie': ['__Host-at=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0'] },
  'POST /api/event': {},
};
const config = readConfig({ FAIRLEAD_PUBLIC_URL: 'https://desk.example', FAIRLEAD_DATA_DIR: join(folder, 'data') });
const checked = (answers: Answers) =>
  headerCheck(config, async ({ method, path }) => ({
    ...{ status: 200, body: '' },
    headers: answers[`${method} ${path}`] as never,
  })).run();

it('headers and cookies are as they must be, or the check is red and says which is not (COK-01, COL-01)', async () => {
  expect(await checked(sound)).toMatchObject({ state: 'ok' });
  const faults: [asked: string, change: Record<string, string | string[] | undefined>, sentence: RegExp][] = [
    ...Object.keys(page).map((name) => ['GET /', { [name]: 'other' }, new RegExp(name)] as (typeof faults)[number]),
    ['GET /api/session', { 'cache-control': 'public' }, /cache-control/],
    ['GET /', { 'set-cookie': ['a=1'] }, /sets a cookie before anybody signs in/],
    ['DELETE /api/sessions/current', { 'set-cookie': undefined }, /clears no cookie/],
    [
      'DELETE /api/sessions/current',
      { 'set-cookie': ['at=; Path=/; HttpOnly; Secure; SameSite=Lax'] },
      /lacks a guard/,
    ],
    ['DELETE /api/sessions/current', { 'set-cookie': ['__Host-at=; Path=/; Secure; SameSite=Lax'] }, /lacks a guard/],
    ['POST /api/event', { 'set-cookie': ['v=1'] }, /events sets a cookie/],
    ['POST /api/event', { etag: '"1"' }, /ETag/],
  ];
  for (const [asked, change, sentence] of faults) {
    const headers = Object.fromEntries(
      Object.entries({ ...sound[asked], ...change }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      ),
    );
    expect(await checked({ ...sound, [asked]: headers }), `${asked} ${Object.keys(change)}`).toMatchObject({
      state: 'wrong',
      fact: expect.stringMatching(sentence),
    });
  }
});

test('the salt is the one of today, alone and in its place, or the check is red (PSE-03, PSE-07)', async () => {
  const noon = Date.UTC(2026, 10, 28, 12);
  const clock = stillClock(noon);
  const dataDir = join(folder, 'data');
  const keys = join(folder, 'keys');
  for (const one of [dataDir, keys]) mkdirSync(one, { recursive: true });
  const file = join(keys, 'visitor.salts');
  const look = (more = {}) => saltCheck({ file, dataDir, clock, collects: true, ...more }).run();
  const line = (ms: number) => `${dayOf(ms)} ${'ab'.repeat(32)}\n`;
  expect(await look()).toMatchObject({ state: 'wrong', fact: 'there is no salt file beside the key file' });
  writeFileSync(file, line(noon), { mode: 0o600 });
  expect(await look()).toMatchObject({ state: 'ok', fact: expect.stringMatching(/^12 h 0 min old/) });
  writeFileSync(file, line(noon - 86_400_000) + line(noon));
  expect(await look()).toMatchObject({ state: 'wrong', fact: 'it holds the salt of a day that is over' });
  // Within the ten minutes of grace there are two, as there must be.
  clock.set(Date.UTC(2026, 10, 28, 0, 5));
  expect(await look()).toMatchObject({ state: 'ok' });
  clock.set(noon);
  writeFileSync(file, line(noon));
  chmodSync(file, 0o640);
  writeFileSync(`${file}.old`, '');
  expect(await look()).toMatchObject({ state: 'wrong', fact: expect.stringMatching(/mode 640.*former one is left/) });
  writeFileSync(join(dataDir, 'visitor.salts'), line(noon), { mode: 0o600 });
  expect(await look({ file: join(dataDir, 'visitor.salts') })).toMatchObject({
    state: 'wrong',
    fact: 'it lies inside the data directory, which is backed up',
  });
});
