import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type ObjectStoreEmulator, openObjectStoreEmulator } from '../../../emulators/object_store.ts';
import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { openOutbound } from '../../platform/outbound/index.ts';
import { removeOldObjects } from './create.ts';
import { fetchNewest } from './fetch.ts';
import { objectLimits, openObjectStore } from './object_store.ts';

/** Against a store that reckons every signature and digest for itself (emulators/object_store.ts). */
const keys = {
  bucket: 'desk-backups',
  region: 'eu-central-1',
  accessKey: 'AKIAEXAMPLE',
  secretKey: 'a/secret+of=the store',
};
const folder = mkdtempSync(join(tmpdir(), 'fairlead-objects-'));
const large = join(folder, 'large');
const small = join(folder, 'small');
const largeBytes = randomBytes(2 * objectLimits.partBytes + 4321);
let emulator: ObjectStoreEmulator;
let outbound: ReturnType<typeof openOutbound>;
/** Pauses before a second try pass at once. */
const clock = { ...systemClock, after: (ms: number, work: () => void) => systemClock.after(ms / 1000, work) };

beforeAll(async () => {
  emulator = await openObjectStoreEmulator(keys);
  outbound = openOutbound({
    config: { outboundAllow: [`127.0.0.1:${emulator.port}`] },
    ...{ clock: systemClock, log: silentLog, gate: async () => undefined },
  });
  writeFileSync(large, largeBytes);
  writeFileSync(small, 'a few bytes');
});
afterEach(() => {
  emulator.reset();
  emulator.objects.clear();
});
afterAll(async () => {
  await outbound.close();
  await emulator.close();
  rmSync(folder, { recursive: true });
});

const open = (more: Partial<typeof keys & { prefix: string }> = {}) =>
  openObjectStore(
    { endpoint: `http://127.0.0.1:${emulator.port}`, prefix: 'one-desk/of_two.x/', ...keys, ...more },
    { clock, outbound },
  );

it('sends small files whole and large ones in parts, signed as the protocol has it, and brings back the same bytes', async () => {
  const store = open();
  await store.put('fairlead-keys.backup', small);
  await store.put('fairlead-20261129T030000Z.backup', large);
  expect(emulator.asked.filter((one) => one.startsWith('PUT'))).toHaveLength(4);
  expect(emulator.uploads.size).toBe(0);
  emulator.set({ pageOf: 1 });
  emulator.objects.set('one-desk/of_two.x/below/fairlead-20261129T030000Z.backup', Buffer.alloc(1));
  expect(await store.list()).toEqual([
    { name: 'fairlead-20261129T030000Z.backup', bytes: largeBytes.length },
    { name: 'fairlead-keys.backup', bytes: 11 },
  ]);
  const fetched = await fetchNewest(store, join(folder, 'fetched'), () => {});
  expect(readFileSync(fetched).equals(largeBytes)).toBe(true);
  expect(String(readFileSync(join(folder, 'fetched', 'fairlead-keys.backup')))).toBe('a few bytes');
  // Asked again it fetches the keys alone: those may be newer.
  emulator.asked.length = 0;
  await fetchNewest(store, join(folder, 'fetched'), () => {});
  expect(emulator.asked.filter((one) => one.includes(' one-desk'))).toEqual([
    'GET one-desk/of_two.x/fairlead-keys.backup',
  ]);
});

it('tries again what may pass: a store that is busy, hangs up, or fails after it said 200', async () => {
  emulator.set({ refusals: ['SlowDown', 'hang-up', 'InternalError'], failsAtTheEnd: 2 });
  await open().put('large', large);
  expect(emulator.objects.get('one-desk/of_two.x/large')?.equals(largeBytes)).toBe(true);
});

it('takes back the parts that a kill left there, and those of a sending that failed', async () => {
  emulator.uploads.set('left', { key: 'one-desk/of_two.x/large', parts: new Map([[1, Buffer.alloc(9)]]) });
  emulator.uploads.set('of another', { key: 'one-desk/of_two.x/large too', parts: new Map() });
  emulator.set({ failsAtTheEnd: 9 });
  await expect(open().put('large', large)).rejects.toThrow('it answers 200 InternalError');
  expect([...emulator.uploads.keys()]).toEqual(['of another']);
  emulator.uploads.clear();
});

it.each<[string, Partial<typeof keys>, Parameters<ObjectStoreEmulator['set']>[0], string]>([
  ['another secret', { secretKey: 'wrong' }, {}, 'FAIRLEAD_BACKUP_S3_SECRET does not belong to the key'],
  ['an unknown key', { accessKey: 'AKIAOTHER' }, {}, 'it does not know FAIRLEAD_BACKUP_S3_KEY'],
  ['another region', { region: 'us-east-1' }, {}, 'FAIRLEAD_BACKUP_S3_REGION is not its region'],
  ['a bucket that is not there', { bucket: 'desk-backup' }, {}, 'there is no such bucket: make it there first'],
  ['a clock that is wrong', {}, { aheadMs: 3_600_000 }, 'the clock of this machine is wrong'],
  ['a key that may not write', {}, { refusals: ['AccessDenied'] }, 'the key may not do this in the bucket'],
  ['a store that is full', {}, { refusals: ['QuotaExceeded'] }, 'it is full'],
])('names %s and what to do, at the first try', async (_, settings, mischief, words) => {
  emulator.set(mischief);
  await expect(open(settings).put('small', small)).rejects.toThrow(words);
  expect(emulator.objects.size).toBe(0);
});

it('does not take for stored what lost bytes on the way, nor for fetched what is shorter than it was', async () => {
  emulator.set({ loses: 1 });
  await expect(open().put('small', small)).rejects.toThrow('holds 10 bytes of small, and 11 were sent');
  emulator.objects.set('one-desk/of_two.x/small', Buffer.from('a few'));
  await expect(open().get({ name: 'small', bytes: 11 }, join(folder, 'short'))).rejects.toThrow(
    'gave 5 bytes of small',
  );
});

it('removes what is out of its days, but for the newest, and that on the thirtieth', async () => {
  for (const day of ['01', '14', '20'])
    emulator.objects.set(`one-desk/of_two.x/fairlead-202611${day}T030000Z.backup`, Buffer.alloc(1));
  emulator.objects.set('one-desk/of_two.x/fairlead-keys.backup', Buffer.alloc(1));
  const on = (day: string) => removeOldObjects(open(), 14, { now: () => Date.parse(`${day}T04:00:00Z`) });
  expect(await on('2026-11-29')).toEqual(['fairlead-20261114T030000Z.backup', 'fairlead-20261101T030000Z.backup']);
  expect(await on('2026-12-19')).toEqual([]);
  expect(await on('2026-12-20')).toEqual(['fairlead-20261120T030000Z.backup']);
  expect([...emulator.objects.keys()]).toEqual(['one-desk/of_two.x/fairlead-keys.backup']);
});
