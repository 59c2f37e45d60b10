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

const commit = (descriptor: number, text: string, position = 0) =>
  disk.files.commit(descriptor, Buffer.from(text), Buffer.byteLength(text), position);

it('writes what of a buffer is used at its place, and leaves the buffer to its owner', async () => {
  const path = join(folder, 'a');
  const descriptor = openSync(path, 'w');
  const bytes = Buffer.from('first...');
  await disk.files.commit(descriptor, bytes, 5, 0);
  await commit(descriptor, 'second', 5);
  closeSync(descriptor);
  expect([readFileSync(path, 'utf8'), bytes.toString()]).toEqual(['firstsecond', 'first...']);
});

it('goes as far ahead as what takes events, where that is allowed', async () => {
  await commit(openSync(join(folder, 'a'), 'w'), 'a');
  const nices = readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));
  if (process.getuid?.() === 0) expect(nices).toContain(-16);
  await disk.end();
  expect(readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)))).not.toContain(-16);
});

it('says which error it was by its code, and goes on', async () => {
  const descriptor = openSync(join(folder, 'a'), 'w');
  const read = openSync(join(folder, 'a'), 'r');
  await expect(commit(read, 'a')).rejects.toMatchObject({ code: 'EBADF' });
  await commit(descriptor, 'ab');
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('ab');
});

it('fails what a thread that ended had not answered, and starts another', async () => {
  const descriptor = openSync(join(folder, 'a'), 'w');
  const unanswered = commit(descriptor, 'a').catch((error) => error);
  await disk.end();
  expect(await unanswered).toMatchObject({ code: 'EIO' });
  await commit(descriptor, 'b');
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('b');
});

it('keeps a process that waits for the disk, and no other', () => {
  const program = `
    import { openSync } from 'node:fs';
    import { openDiskThread } from ${JSON.stringify(new URL('./disk_thread.ts', import.meta.url).href)};
    const { files } = openDiskThread();
    await files.commit(openSync(${JSON.stringify(join(folder, 'a'))}, 'w'), Buffer.from('abc'), 3, 0);
    console.log('kept');`;
  const file = join(folder, 'program.mjs');
  writeFileSync(file, program);
  const flags = ['--disable-warning=ExperimentalWarning', file];
  expect(execFileSync(process.execPath, flags, { encoding: 'utf8', timeout: 20_000 })).toBe('kept\n');
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
