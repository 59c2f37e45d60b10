import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { stillClock, systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { seededRandom } from '../random.ts';
import { commitBy, diskFiles, type SpoolFiles } from './files.ts';
import { openSpool, type Spool, type SpoolSettings } from './spool.ts';

const dir = mkdtempSync(join(tmpdir(), 'fairlead-groups-'));
let spool: Spool;
afterEach(async () => {
  await spool.close();
  rmSync(dir, { recursive: true });
});
async function opened(settings: Partial<SpoolSettings>): Promise<Spool> {
  const house = { clock: systemClock, random: seededRandom('groups'), log: silentLog };
  spool = await openSpool({ dir, lanes: ['events'], ...house, ...settings });
  return spool;
}
const row = (id: number) => JSON.stringify({ id });
const eventually = (what: () => boolean) => expect.poll(what, { timeout: 10_000, interval: 2 }).toBe(true);

it('waits for the sync, and shares it with everything that came meanwhile', async () => {
  const held: (() => void)[] = [];
  const synced: number[] = [];
  let holds = true;
  const commit = commitBy({
    write: diskFiles.write,
    async fdatasync(descriptor) {
      if (holds) await new Promise<void>((resolve) => held.push(resolve));
      await diskFiles.fdatasync(descriptor);
    },
  });
  const spool = await opened({ fs: { ...diskFiles, commit } });
  const lane = spool.lane('events');
  for (let id = 0; id < 3; id++) lane.append(row(id), () => synced.push(id));
  await eventually(() => held.length === 1);
  for (let id = 3; id < 6; id++) lane.append(row(id), () => synced.push(id));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(synced).toEqual([]);
  held.shift()?.();
  await eventually(() => held.length === 1);
  expect(synced).toEqual([0, 1, 2]);
  holds = false;
  held.shift()?.();
  await eventually(() => synced.length === 6);
  expect(held).toEqual([]);
});

it('begins the first group after a pause at once, and the next one only after a moment, with all that came', async () => {
  const clock = stillClock(0);
  const groups: string[] = [];
  const commit: SpoolFiles['commit'] = (descriptor, bytes, length, position) => {
    groups.push(bytes.toString('utf8', 0, length));
    return diskFiles.commit(descriptor, bytes, length, position);
  };
  const spool = await opened({
    fs: { ...diskFiles, commit },
    clock,
    limits: { groupMs: 3, groupAppends: 5, segmentMs: 60_000 },
  });
  const lane = spool.lane('events');
  const answered: number[] = [];
  await lane.append(row(0));
  for (const id of [1, 2, 3]) lane.append(row(id), () => answered.push(id));
  clock.travel(2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([answered, groups]).toEqual([[], [`${row(0)}\n`]]);
  clock.travel(1);
  await eventually(() => answered.length === 3);
  expect(groups.slice(1)).toEqual([[1, 2, 3].map((id) => `${row(id)}\n`).join('')]);
  // Nobody travels: five are enough.
  for (const id of [10, 11, 12, 13, 14]) lane.append(row(id), () => answered.push(id));
  await eventually(() => answered.length === 8);
  // Nobody travels: closing does not wait for the moment.
  lane.append(row(4), () => answered.push(4));
  await spool.close();
  expect(answered).toEqual([1, 2, 3, 10, 11, 12, 13, 14, 4]);
});
