import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { systemRandom } from '../random.ts';
import { openDiskThread } from './disk_thread.ts';
import { openSpool } from './spool.ts';

let folder: string;
let disk: ReturnType<typeof openDiskThread>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-disk-'));
  disk = openDiskThread();
});
afterEach(async () => {
  await disk.end();
  await rm(folder, { recursive: true });
});

it('writes a part of a buffer at its place and leaves the buffer to its owner', async () => {
  const path = join(folder, 'a');
  const descriptor = openSync(path, 'w');
  const bytes = Buffer.from('..first second..');
  expect(await disk.files.write(descriptor, bytes, 2, 5, 0)).toBe(5);
  expect(await disk.files.write(descriptor, bytes, 8, 6, 5)).toBe(6);
  await disk.files.fdatasync(descriptor);
  closeSync(descriptor);
  expect([readFileSync(path, 'utf8'), bytes.toString()]).toEqual(['firstsecond', '..first second..']);
});

it('goes as far ahead as what takes events, where that is allowed', async () => {
  const path = join(folder, 'a');
  await disk.files.write(openSync(path, 'w'), Buffer.from('a'), 0, 1, 0);
  const nices = readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));
  if (process.getuid?.() === 0) expect(nices).toContain(-10);
  await disk.end();
  expect(readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)))).not.toContain(-10);
});

it('says which error it was by its code, and goes on', async () => {
  const descriptor = openSync(join(folder, 'a'), 'w');
  const read = openSync(join(folder, 'a'), 'r');
  await expect(disk.files.write(read, Buffer.from('a'), 0, 1, 0)).rejects.toMatchObject({ code: 'EBADF' });
  closeSync(read);
  await expect(disk.files.fdatasync(read)).rejects.toMatchObject({ code: 'EBADF' });
  expect(await disk.files.write(descriptor, Buffer.from('a'), 0, 1, 0)).toBe(1);
});

it('fails what a thread that ended had not answered, and starts another', async () => {
  const descriptor = openSync(join(folder, 'a'), 'w');
  const unanswered = disk.files.write(descriptor, Buffer.from('a'), 0, 1, 0).catch((error) => error);
  await disk.end();
  expect(await unanswered).toMatchObject({ code: 'EIO' });
  expect(await disk.files.write(descriptor, Buffer.from('b'), 0, 1, 0)).toBe(1);
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('b');
});

it('keeps a process that waits for the disk, and no other', () => {
  const program = `
    import { openSync } from 'node:fs';
    import { openDiskThread } from ${JSON.stringify(new URL('./disk_thread.ts', import.meta.url).href)};
    const { files } = openDiskThread();
    console.log(await files.write(openSync(${JSON.stringify(join(folder, 'a'))}, 'w'), Buffer.from('abc'), 0, 3, 0));`;
  const file = join(folder, 'program.mjs');
  writeFileSync(file, program);
  expect(
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
      encoding: 'utf8',
      timeout: 20_000,
    }),
  ).toBe('3\n');
});

it('carries a spool: what was acknowledged is read back by the next one', async () => {
  const settings = { lanes: ['events'], clock: systemClock, random: systemRandom, log: silentLog };
  const spool = await openSpool({ ...settings, dir: folder, fs: disk.files });
  const lane = spool.lane('events');
  const refusals = await Promise.all(
    Array.from({ length: 200 }, (_, id) => new Promise((done) => lane.append(Buffer.from(`{"id":${id}}`), done))),
  );
  expect(refusals.every((refusal) => refusal === undefined)).toBe(true);
  await spool.close();
  const again = await openSpool({ ...settings, dir: folder });
  const ids: number[] = [];
  for await (const row of again.pending('events')) ids.push(JSON.parse(row.toString()).id);
  await again.close();
  expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, id) => id));
});
