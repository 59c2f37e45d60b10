import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stillClock, systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { seededRandom } from '../random.ts';
import { type Fault, faultyFiles } from './faulty_files.ts';
import { diskFiles } from './files.ts';
import { type FolderSink, folderSink } from './folder_sink.ts';
import { SpoolUnavailable } from './refusals.ts';
import { openSpool, type Spool, type SpoolSettings } from './spool.ts';

let dir: string;
let opened: Spool[];
let store: FolderSink;
let openings = 0;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairlead-spool-'));
  store = folderSink(join(dir, 'store'));
  opened = [];
});
afterEach(async () => {
  for (const spool of opened) await spool.close();
  rmSync(dir, { recursive: true });
});

const quick = { segmentMs: 20, sinkRetryMsFirst: 5, sinkRetryMsMax: 20, diskRetryMsFirst: 20, diskRetryMsMax: 20 };

async function open(settings: Partial<SpoolSettings> = {}): Promise<Spool> {
  const spool = await openSpool({
    ...{ dir, lanes: ['events'], clock: systemClock, random: seededRandom(`opening ${openings++}`), log: silentLog },
    ...settings,
    limits: { ...quick, ...settings.limits },
  });
  opened.push(spool);
  return spool;
}

const row = (id: number, more = '') => JSON.stringify({ id, more });
const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => row(from + i));
const appendAll = (spool: Spool, list: readonly (string | Buffer)[], lane = 'events') =>
  Promise.all(list.map((line) => spool.lane(lane).append(line)));
const filesOf = (lane = 'events') => readdirSync(join(dir, 'spool', lane)).sort();
const quarantineOf = (lane = 'events') =>
  readdirSync(join(dir, 'quarantine', lane)).map((file) => readFileSync(join(dir, 'quarantine', lane, file), 'utf8'));

async function eventually(what: () => boolean, seconds = 10): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!what()) {
    if (performance.now() > end) throw new Error(`It did not happen within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('an append is answered when fdatasync has covered it, not before', () => {
  it('an answer that throws costs nobody else his answer', async () => {
    const spool = await open();
    const answered: number[] = [];
    spool.lane('events').append(row(0), () => {
      throw new Error('A handler with a bug.');
    });
    spool.lane('events').append(row(1), () => answered.push(1));
    await appendAll(spool, [row(2)]);
    expect(answered).toEqual([1]);
  });
});

describe('what was appended arrives, byte for byte, once, in order', () => {
  const huge = row(1, 'x'.repeat(900_000));
  const cases: [title: string, input: (string | Buffer)[], output?: string[]][] = [
    ['one row', ['{"a":1}']],
    ['two bytes, three bytes, four bytes a character', ['{"a":"é"}', '{"a":"€"}', '{"a":"👋"}']],
    ['a lone surrogate becomes the replacement character', ['{"a":"\ud800"}'], ['{"a":"\ufffd"}']],
    ['bytes', [Buffer.from('{"a":"é"}')]],
    ['several rows in one append', ['{"a":1}\n{"a":2}\n{"a":3}'], ['{"a":1}', '{"a":2}', '{"a":3}']],
    ['a huge row between small ones', ['{"a":1}', huge, '{"a":2}']],
    ['more rows than a group or a segment holds', Array.from({ length: 400 }, (_, i) => row(i, 'é'.repeat(i % 97)))],
  ];
  it.each(cases)('%s', async (_title, input, output) => {
    const limits = { appendBytesMax: 1_000_000, segmentBytesMax: 1_000_000 };
    const small = input.length > 100 ? { appendBytesMax: 1_000, segmentBytesMax: 4_000 } : {};
    const spool = await open({ limits: { ...limits, ...small } });
    spool.startLoading([store]);
    await appendAll(spool, input);
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual(output ?? input.map(String));
  });

  it('an append above the limit is a broken promise of the caller, and named', async () => {
    const spool = await open({ limits: { appendBytesMax: 100 } });
    await expect(spool.lane('events').append('é'.repeat(51))).rejects.toThrow(/102 bytes is above the limit of 100/);
    await spool.lane('events').append('é'.repeat(50));
  });

  it('lanes are apart', async () => {
    const drops = folderSink(join(dir, 'drops'), { lane: 'drops' });
    const spool = await open({ lanes: ['events', 'drops'] });
    spool.startLoading([store, drops]);
    await Promise.all([appendAll(spool, rows(0, 50)), appendAll(spool, rows(100, 120), 'drops')]);
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual(rows(0, 50));
    expect(drops.rows()).toEqual(rows(100, 120));
    expect(() => spool.lane('bots')).toThrow(/without a lane "bots"/);
  });
});

describe('a segment closes after its time or its size', () => {
  it('by monotonic time, wherever the wall clock jumps: soon after a pause, else a second after the one before', async () => {
    const clock = stillClock(Date.UTC(2026, 0, 31));
    const spool = await open({ clock, limits: { segmentMs: 1_000 } });
    spool.startLoading([store]);
    for (const [at, [pause, life]] of [[0, 200] as const, [0, 1_000] as const, [600, 400] as const].entries()) {
      clock.travel(pause);
      await spool.lane('events').append(row(at));
      clock.set(0);
      clock.travel(life - 1);
      clock.set(Date.UTC(2030, 0, 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect([store.rows().length, spool.lagMs()]).toEqual([at, life - 1]);
      clock.travel(1);
      await eventually(() => store.rows().length === at + 1 && spool.segments() === 0 && spool.lagMs() === 0);
    }
  });

  it('says in whole milliseconds how long its oldest row waits, as soon as one does', async () => {
    const clock = stillClock(Date.UTC(2026, 0, 31));
    const spool = await open({ clock });
    await spool.lane('events').append(row(0));
    clock.travel(0.25);
    expect(spool.lagMs()).toBe(1);
  });

  it('never grows beyond its size', async () => {
    const sizes: number[] = [];
    const spool = await open({ limits: { segmentBytesMax: 2_000, appendBytesMax: 300 } });
    spool.startLoading([
      {
        ...store,
        deliver: async (segment, bytes) => {
          sizes.push(segment.bytes, bytes.length);
        },
      },
    ]);
    await appendAll(spool, rows(0, 500));
    expect(await spool.drain()).toBe(true);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_000);
    expect(sizes.length).toBeGreaterThan(10);
  });

  it('lives longer while a backlog waits, so that an outage leaves few files', async () => {
    const spool = await open({ limits: { segmentMs: 10, backlogSegments: 2, backlogSegmentMs: 60_000 } });
    store.away = 'ECONNREFUSED';
    spool.startLoading([store]);
    for (let id = 0; id < 20; id++) {
      await spool.lane('events').append(row(id));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    // Three; a slow disk may close another before the third is counted. Without the limit they would be twenty.
    expect(filesOf().filter((file) => file.endsWith('.closed')).length).toBeLessThan(8);
    store.away = undefined;
    await eventually(() => store.rows().length === 20);
    expect(store.rows()).toEqual(rows(0, 20));
  });
});

describe('a start puts in order what a crash left', () => {
  const name = (sequence: number) => `events-${String(sequence).padStart(12, '0')}-00000000000000aa`;
  const cases: [title: string, left: string | Buffer, delivered: string[]][] = [
    ['nothing', '', []],
    ['whole rows', '{"a":1}\n{"a":2}\n', ['{"a":1}', '{"a":2}']],
    ['a torn row', '{"a":1}\n{"a":', ['{"a":1}']],
    ['room that was never used', `{"a":1}\n${'\0'.repeat(5000)}`, ['{"a":1}']],
    ['a hole between unacknowledged rows', `{"a":1}\n{"a":2\0\0\0\n{"a":3}\n`, ['{"a":1}']],
    ['a row without its line break: nobody was told that it is kept', '{"a":1}\n{"a":2}', ['{"a":1}']],
    ['a row torn inside a character', Buffer.from('{"a":1}\n{"a":"é"}').subarray(0, 15), ['{"a":1}']],
    ['zeros, as a power loss leaves them', `{"a":1}\n${'\0'.repeat(5_000)}`, ['{"a":1}']],
    ['zeros with a line break in them', `{"a":1}\n${'\0'.repeat(50)}\n\0\0`, ['{"a":1}']],
    ['no whole row', '{"a":', []],
    ['no row', 'null\n7\n', []],
    ['blank lines', '{"a":1}\n\n\n', ['{"a":1}']],
  ];
  it.each(cases)('%s', async (_title, left, delivered) => {
    mkdirSync(join(dir, 'spool', 'events'), { recursive: true });
    writeFileSync(join(dir, 'spool', 'events', `${name(41)}.open`), left);
    const spool = await open();
    const pending: string[] = [];
    for await (const bytes of spool.pending('events')) pending.push(bytes.toString());
    expect(pending).toEqual(delivered);
    spool.startLoading([store]);
    await spool.lane('events').append('{"a":9}');
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual([...delivered, '{"a":9}']);
    expect(filesOf().filter((file) => !file.endsWith('.open'))).toEqual([]);
  });

  it('says what was torn, and not that there was room left', async () => {
    mkdirSync(join(dir, 'spool', 'events'), { recursive: true });
    const put = (sequence: number, text: string) =>
      writeFileSync(join(dir, 'spool', 'events', `${name(sequence)}.open`), text);
    put(1, `{"a":1}\n${'\0'.repeat(500)}`);
    put(2, '\0'.repeat(500));
    put(3, `{"a":3}\n{"a":${'\0'.repeat(500)}`);
    const torn: unknown[] = [];
    const warn = (event: string, fields: object = {}) => {
      if (event === 'spool_torn_tail_cut') torn.push(fields);
    };
    await open({ log: { ...silentLog, warn } });
    expect(torn).toEqual([{ lane: 'events', bytes: 5 }]);
  });

  it('looks again at the end of a segment whose cut may not have reached the disk', async () => {
    const fs = faultyFiles();
    const first = await open({ fs, limits: { segmentMs: 60_000 } });
    await first.lane('events').append('{"a":1}');
    fs.inject({ operation: 'fdatasync', code: 'EIO' });
    await first.close();
    const [left = ''] = filesOf();
    expect(left).toMatch(/\.open$/);
    // What a power cut makes of it: the file is as long as it was before.
    writeFileSync(join(dir, 'spool', 'events', left), '\0'.repeat(500), { flag: 'a' });
    const second = await open();
    const pending: string[] = [];
    for await (const bytes of second.pending('events')) pending.push(bytes.toString());
    expect(pending).toEqual(['{"a":1}']);
  });

  it('keeps the order of the sequence, goes on counting, and removes orphaned progress', async () => {
    mkdirSync(join(dir, 'spool', 'events'), { recursive: true });
    const put = (file: string, text: string) => writeFileSync(join(dir, 'spool', 'events', file), text);
    put(`${name(9)}.closed`, '{"a":9}\n');
    put(`${name(10)}.open`, '{"a":10}\n');
    put(`${name(8)}.closed`, '{"a":8}\n');
    put(`${name(7)}.progress`, '{"sink":"folder","confirmed":true}\n');
    put('something else', 'x');
    const spool = await open();
    expect(spool.bytes()).toBe(25);
    expect(filesOf()).not.toContain(`${name(7)}.progress`);
    await spool.lane('events').append('{"a":11}');
    spool.startLoading([store]);
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual(['{"a":8}', '{"a":9}', '{"a":10}', '{"a":11}']);
    expect(store.asked.map((token) => token.slice(0, 19))).toEqual(
      [8, 9, 10, 11].map((sequence) => name(sequence).slice(0, 19)),
    );
    expect(filesOf()).toContain('something else');
  });

  it('a bad row in the middle of a recovered segment stands in nobody`s way', async () => {
    mkdirSync(join(dir, 'spool', 'events'), { recursive: true });
    writeFileSync(join(dir, 'spool', 'events', `${name(1)}.open`), '{"a":1}\n{"a":\n{"a":3}\n');
    const spool = await open();
    store.refuses = (line) => line === '{"a":';
    spool.startLoading([store]);
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual(['{"a":1}', '{"a":3}']);
    expect(spool.quarantined()).toEqual({ events: 1 });
  });

  it('names are unique even when the sequence begins anew', async () => {
    for (let i = 0; i < 3; i++) {
      const spool = await open();
      spool.startLoading([store]);
      await spool.lane('events').append(row(i));
      await spool.drain();
      await spool.close();
    }
    expect(new Set(store.asked).size).toBe(3);
    expect(store.rows()).toEqual(rows(0, 3));
  });

  it('files are for their owner only', async () => {
    const spool = await open();
    await spool.lane('events').append(row(1));
    const modes = ['spool/events', 'quarantine/events', ...filesOf().map((file) => `spool/events/${file}`)].map(
      (path) => (statSync(join(dir, path)).mode & 0o777).toString(8),
    );
    expect(new Set(modes)).toEqual(new Set(['700', '600']));
  });
});

describe('a disk that refuses', () => {
  const cases: [title: string, fault: Fault, reason: string][] = [
    ['a write', { operation: 'write', code: 'EIO', times: 1 }, 'failing'],
    ['a write after part of it', { operation: 'write', code: 'ENOSPC', partBytes: 7, times: 1 }, 'full'],
    ['a sync that lost the bytes', { operation: 'fdatasync', code: 'EIO', times: 1 }, 'failing'],
    ['a sync that did its work', { operation: 'fdatasync', code: 'EIO', times: 1, done: true }, 'failing'],
    ['a write, and the cut after it', { operation: 'write', code: 'EIO', partBytes: 30, times: 1 }, 'failing'],
  ];
  it.each(cases)('%s: refused, never delivered, and the next append is kept', async (title, fault, reason) => {
    const fs = faultyFiles();
    const spool = await open({ fs, limits: { segmentMs: 60_000 } });
    await appendAll(spool, rows(0, 5));
    // The file with the rows: the one that is made ahead meanwhile takes a failure for a reason to have no room ahead.
    const [path = ''] = filesOf();
    fs.inject({ ...fault, path });
    if (title.includes('cut')) fs.inject({ operation: 'ftruncate', code: 'EIO', times: 1 });
    const refusals = await Promise.allSettled(rows(5, 8).map((line) => spool.lane('events').append(line)));
    for (const refusal of refusals) {
      expect(refusal.status).toBe('rejected');
      expect((refusal as PromiseRejectedResult).reason).toBeInstanceOf(SpoolUnavailable);
      expect((refusal as PromiseRejectedResult).reason).toMatchObject({ reason, retryAfterSeconds: 1 });
    }
    await appendAll(spool, rows(8, 10));
    spool.startLoading([store]);
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual([...rows(0, 5), ...rows(8, 10)]);
    expect(new Set(store.asked).size).toBe(2);
    await eventually(() => spool.bytes() === 0);
  });

  it.each(['EIO', 'ENOSPC'])(
    'that does not sync the room of a new file (%s): that file is never used',
    async (code) => {
      const fs = faultyFiles();
      fs.inject({ operation: 'fdatasync', code, times: 1 });
      const spool = await open({ fs, limits: { segmentMs: 60_000 } });
      await appendAll(spool, rows(0, 5));
      // The second file of the lane holds the rows, and the third is the one that is made ahead.
      await eventually(() => filesOf().length === 2);
      expect(filesOf().map((file) => Number(/(\d+)/.exec(file)?.[1]))).toEqual([2, 3]);
      spool.startLoading([store]);
      expect(await spool.drain()).toBe(true);
      expect(store.rows()).toEqual(rows(0, 5));
    },
  );

  it.each<Fault['operation']>(['open', 'syncDirectory'])(
    'that gives no new file (%s): refused until it gives one',
    async (operation) => {
      const fs = faultyFiles();
      const spool = await open({ fs });
      spool.startLoading([store]);
      fs.inject({ operation, code: 'ENOSPC' });
      for (let i = 0; i < 3; i++) await expect(spool.lane('events').append(row(i))).rejects.toThrow(SpoolUnavailable);
      expect(spool.trouble()).toEqual([{ lane: 'events', what: 'spool_full' }]);
      fs.heal();
      await eventually(() => spool.trouble().length === 0);
      await spool.lane('events').append(row(7));
      expect(await spool.drain()).toBe(true);
      expect(store.rows()).toEqual([row(7)]);
      await eventually(() => filesOf().length <= 1);
    },
  );

  it('is left alone for a while, and tried again by itself', async () => {
    const fs = faultyFiles();
    const clock = stillClock(0);
    const spool = await open({ fs, clock, limits: { diskRetryMsFirst: 1_000, diskRetryMsMax: 4_000 } });
    fs.inject({ operation: 'fdatasync', code: 'EIO' });
    const refusal = () =>
      spool
        .lane('events')
        .append(row(0))
        .then(undefined, (error: unknown) => error);
    expect(await refusal()).toMatchObject({ retryAfterSeconds: 1 });
    for (const seconds of [1, 2, 4, 4]) {
      expect(await refusal()).toMatchObject({ reason: 'failing', retryAfterSeconds: seconds });
      const before = fs.calls('fdatasync');
      clock.travel(seconds * 1_000 - 1);
      expect(await refusal()).toMatchObject({ retryAfterSeconds: seconds });
      expect(fs.calls('fdatasync')).toBe(before);
      clock.travel(1);
    }
    fs.heal();
    await spool.lane('events').append(row(1));
    expect(spool.trouble()).toEqual([]);
  });

  it.each<Fault>([
    { operation: 'rename', code: 'EIO' },
    { operation: 'close', code: 'EIO', done: true },
    { operation: 'readFile', code: 'EIO', times: 3, path: '.closed' },
    { operation: 'unlink', code: 'EIO', times: 2, path: '.closed' },
    { operation: 'open', code: 'EMFILE', after: 1, times: 1 },
  ])('at closing, reading or removing (%o): every row once', async (fault) => {
    const fs = faultyFiles();
    const spool = await open({ fs });
    fs.inject(fault);
    spool.startLoading([store]);
    await appendAll(spool, rows(0, 5));
    await eventually(() => store.rows().length === 5);
    await appendAll(spool, rows(5, 9));
    await eventually(() => store.rows().length === 9);
    await eventually(() => spool.bytes() === 0);
    expect(store.rows()).toEqual(rows(0, 9));
    expect(spool.segments()).toBe(0);
  });

  it.each(['one', 'two', 'three', 'four', 'five', 'six'])(
    'any mixture of failures (seed %s): kept = delivered',
    async (seed) => {
      const fs = faultyFiles();
      const random = seededRandom(seed);
      const below = (limit: number) => random.bytes(4).readUInt32LE() % limit;
      const spool = await open({
        fs,
        limits: { ...quick, segmentMs: 5, segmentBytesMax: 400, diskRetryMsFirst: 1, diskRetryMsMax: 2 },
      });
      spool.startLoading([store]);
      const kept: string[] = [];
      let refused = 0;
      const operations = [
        'write',
        'fdatasync',
        'open',
        'rename',
        'unlink',
        'readFile',
        'syncDirectory',
        'close',
      ] as const;
      for (let id = 0; id < 400; id++) {
        if (below(12) === 0) {
          const operation = operations[below(operations.length)] as Fault['operation'];
          const done = operation === 'close' || below(2) === 0;
          fs.inject({
            operation,
            code: below(2) ? 'EIO' : 'ENOSPC',
            after: below(3),
            times: 1 + below(3),
            done,
            partBytes: below(40),
          });
        }
        spool.lane('events').append(row(id), (refusal) => (refusal === undefined ? kept.push(row(id)) : refused++));
        if (below(3) === 0) await new Promise((resolve) => setTimeout(resolve, below(4)));
        // On a slow disk all of them would be a few groups, and a fault refuses a whole one.
        if (id % 20 === 19) await eventually(() => kept.length + refused === id + 1);
      }
      fs.heal();
      await eventually(() => kept.length + refused === 400);
      await eventually(() => spool.segments() === 0);
      expect([...store.rows()].sort()).toEqual([...kept].sort());
      expect(refused).toBeGreaterThan(0);
      expect(kept.length).toBeGreaterThan(20);
    },
  );
});

describe('limits refuse before anything is promised', () => {
  it('a full spool, until the sinks have caught up', async () => {
    const spool = await open({ limits: { spoolBytesMax: 1_000 } });
    store.away = 'ECONNREFUSED';
    spool.startLoading([store]);
    const kept: string[] = [];
    for (const line of rows(0, 100))
      await spool
        .lane('events')
        .append(line)
        .then(
          () => kept.push(line),
          () => {},
        );
    await expect(spool.lane('events').append(row(0))).rejects.toMatchObject({ reason: 'full', retryAfterSeconds: 5 });
    expect(spool.bytes()).toBeLessThan(1_100);
    store.away = undefined;
    await eventually(() => spool.trouble().length === 0);
    await spool.lane('events').append(row(1_000));
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual([...kept, row(1_000)]);
  });

  it('too much waiting for a slow disk', async () => {
    let release = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const spool = await open({
      fs: { ...diskFiles, commit: () => slow },
      limits: { waitingBytesMax: 2_000, appendBytesMax: 500 },
    });
    let refused = 0;
    let kept = 0;
    for (const line of rows(0, 200)) spool.lane('events').append(line, (refusal) => (refusal ? refused++ : kept++));
    expect(refused).toBeGreaterThan(50);
    await expect(spool.lane('events').append(row(0))).rejects.toMatchObject({ reason: 'busy' });
    release();
    await eventually(() => kept + refused === 200);
    await spool.lane('events').append(row(0));
  });

  it('a share of the free disk, whatever the limit says', async () => {
    const spool = await open({ fs: { ...diskFiles, freeBytes: async () => 100 } });
    await appendAll(spool, [row(1), row(2), row(3)]);
    await expect(spool.lane('events').append(row(4))).rejects.toMatchObject({ reason: 'full' });
  });

  it('a closed spool', async () => {
    const spool = await open();
    await spool.close();
    await expect(spool.lane('events').append(row(4))).rejects.toMatchObject({ reason: 'closed' });
  });
});

describe('sinks', () => {
  it('a store that is away is asked again with the same bytes and token, and nothing is removed before', async () => {
    const spool = await open();
    store.away = 'ECONNREFUSED';
    spool.startLoading([store]);
    await appendAll(spool, rows(0, 3));
    await eventually(() => store.asked.length >= 4);
    expect(new Set(store.asked).size).toBe(1);
    expect(filesOf().some((file) => file.endsWith('.closed'))).toBe(true);
    expect(spool.trouble()).toEqual([{ lane: 'events', what: 'sink_unavailable' }]);
    expect(await spool.drain(50)).toBe(false);
    store.away = undefined;
    await eventually(() => spool.bytes() === 0);
    expect(store.rows()).toEqual(rows(0, 3));
    expect(spool.trouble()).toEqual([]);
  });

  it('one sink that is away holds no other back, and nobody who confirmed is asked again, across a restart', async () => {
    const other = folderSink(join(dir, 'other'), { name: 'other' });
    other.away = 'ECONNREFUSED';
    let spool = await open();
    spool.startLoading([store, other]);
    await appendAll(spool, rows(0, 3));
    await eventually(() => store.rows().length === 3);
    await appendAll(spool, rows(3, 6));
    await eventually(() => store.rows().length === 6);
    await eventually(() => filesOf().filter((file) => file.endsWith('.progress')).length === 2);
    const asked = store.asked.length;
    await spool.close();
    spool = await open();
    spool.startLoading([store, other]);
    other.away = undefined;
    await eventually(() => spool.bytes() === 0);
    expect(other.rows()).toEqual(rows(0, 6));
    expect(store.rows()).toEqual(rows(0, 6));
    expect(store.asked.length).toBe(asked);
    await eventually(() => filesOf().every((file) => file.endsWith('.open')));
  });

  it('what a stop leaves is delivered after the next start', async () => {
    let spool = await open();
    store.away = 'ECONNREFUSED';
    spool.startLoading([store]);
    await appendAll(spool, rows(0, 3));
    expect(await spool.drain(30)).toBe(false);
    await spool.close();
    expect(filesOf().map((file) => file.split('.')[1])).toEqual(['closed']);
    store.away = undefined;
    spool = await open();
    expect(spool.segments()).toBe(1);
    spool.startLoading([store]);
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual(rows(0, 3));
  });

  it('a sink for no lane, or a second start, is a mistake that is named', async () => {
    const spool = await open();
    expect(() => spool.startLoading([{ ...store, lane: 'bots' }])).toThrow(/wants lane bots/);
    spool.startLoading([store]);
    expect(() => spool.startLoading([store])).toThrow(/loading already/);
  });

  it('a segment that somebody removed does not stop the lane', async () => {
    let spool = await open();
    await spool.lane('events').append(row(1));
    await spool.close();
    spool = await open();
    rmSync(join(dir, 'spool', 'events', filesOf()[0] as string));
    spool.startLoading([store]);
    await spool.lane('events').append(row(2));
    expect(await spool.drain()).toBe(true);
    expect(store.rows()).toEqual([row(2)]);
  });
});

describe('a store that refuses rows', () => {
  const idOf = (line: string) => (JSON.parse(line) as { id: number }).id;
  const cases: [title: string, count: number, isBad: (id: number) => boolean][] = [
    ['the first', 100, (id) => id === 0],
    ['the last', 100, (id) => id === 99],
    ['one in the middle', 1_000, (id) => id === 501],
    ['two beside each other', 100, (id) => id === 40 || id === 41],
    ['every third', 90, (id) => id % 3 === 0],
    ['all but one', 60, (id) => id >= 0 && id !== 39],
    ['one of two', 2, (id) => id === 1],
    ['one of sixteen', 16, (id) => id === 3],
  ];
  it.each(cases)(
    '%s is refused: it goes to quarantine as it is, the others are stored once',
    async (_title, count, isBad) => {
      const spool = await open({ limits: { segmentMs: 60_000 } });
      store.refuses = (line) => isBad(idOf(line));
      const told: number[] = [];
      spool.startLoading([{ ...store, quarantined: (bytes) => told.push(idOf(bytes.toString())) }]);
      await spool.lane('events').append(row(-5));
      await spool.drain();
      await appendAll(spool, rows(0, count));
      expect(await spool.drain()).toBe(true);
      const ids = Array.from({ length: count }, (_, id) => id);
      expect(
        store
          .rows()
          .map(idOf)
          .sort((a, b) => a - b),
      ).toEqual([-5, ...ids.filter((id) => !isBad(id))]);
      const lines = quarantineOf().join('').split('\n').slice(0, -1);
      const reasons = lines.filter((_, i) => i % 2 === 0).map((line) => JSON.parse(line));
      const kept = lines.filter((_, i) => i % 2 === 1);
      expect(kept.map(idOf).sort((a, b) => a - b)).toEqual(ids.filter(isBad));
      expect(kept.every((line) => line === row(idOf(line)))).toBe(true);
      expect(reasons[0]).toMatchObject({ sink: 'folder', code: 'BAD_ROW', column: 'pathname' });
      expect(spool.quarantined()).toEqual({ events: ids.filter(isBad).length });
      expect(told.sort((a, b) => a - b)).toEqual(ids.filter(isBad));
      await eventually(() => filesOf().every((file) => file.endsWith('.open')));
    },
  );

  it.each([1, 10, 16, 200])(
    'all of %i rows, and none was ever accepted: held as an outage, nothing quarantined',
    async (count) => {
      const spool = await open({ limits: { segmentMs: 60_000 } });
      store.refuses = () => true;
      spool.startLoading([store]);
      await appendAll(spool, rows(0, count));
      expect(await spool.drain(50)).toBe(false);
      await eventually(() => spool.trouble()[0]?.what === 'refused_as_one');
      const asked = store.asked.length;
      await eventually(() => store.asked.length > asked);
      expect(spool.quarantined()).toEqual({});
      store.refuses = () => false;
      await eventually(() => spool.segments() === 0);
      expect(
        store
          .rows()
          .map(idOf)
          .sort((a, b) => a - b),
      ).toEqual(Array.from({ length: count }, (_, id) => id));
      expect(spool.trouble()).toEqual([]);
    },
  );

  it('a store that breaks while it runs: at most a handful is quarantined, the rest is held', async () => {
    const spool = await open({ limits: { segmentMs: 60_000 } });
    spool.startLoading([store]);
    await spool.lane('events').append(row(-1));
    await spool.drain();
    store.refuses = () => true;
    for (let id = 0; id < 40; id++) {
      await spool.lane('events').append(row(id));
      await spool.drain(20);
    }
    expect(spool.quarantined().events).toBeLessThan(16);
    expect(spool.trouble()).toEqual([{ lane: 'events', what: 'refused_as_one' }]);
    store.refuses = () => false;
    await eventually(() => spool.segments() === 0);
    expect(store.rows().length + (spool.quarantined().events ?? 0)).toBe(41);
  });

  it('segments of bad rows are held until a later one shows that the store is well, then quarantined', async () => {
    const spool = await open({ limits: { segmentMs: 60_000 } });
    store.refuses = (line) => idOf(line) < 1_000;
    spool.startLoading([store]);
    for (let segment = 0; segment < 4; segment++) {
      await appendAll(spool, rows(segment * 100, segment * 100 + 20));
      await spool.drain(20);
    }
    expect(spool.quarantined()).toEqual({});
    expect(spool.segments()).toBe(4);
    await appendAll(spool, rows(1_000, 1_005));
    await spool.drain(20);
    await eventually(() => spool.segments() === 0);
    expect(store.rows()).toEqual(rows(1_000, 1_005));
    expect(spool.quarantined()).toEqual({ events: 80 });
  });

  it('an outage in the middle of a split loses no part and stores none twice', async () => {
    const spool = await open({ limits: { segmentMs: 60_000 } });
    let deliveries = 0;
    const flaky = {
      ...store,
      async deliver(...what: Parameters<typeof store.deliver>) {
        if (++deliveries % 3 === 0) throw new Error('Away for a moment.');
        await store.deliver(...what);
        if (deliveries % 5 === 0) throw new Error('Stored, and the answer got lost.');
      },
    };
    store.refuses = (line) => idOf(line) % 50 === 7;
    spool.startLoading([flaky]);
    await appendAll(spool, rows(0, 300));
    void spool.drain();
    await eventually(() => spool.segments() === 0);
    expect(
      store
        .rows()
        .map(idOf)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 300 }, (_, id) => id).filter((id) => id % 50 !== 7));
    expect(spool.quarantined()).toEqual({ events: 6 });
  });

  it('quarantine keeps at most 7 days, by the given clock', async () => {
    const clock = stillClock(Date.UTC(2026, 2, 1));
    const told: number[] = [];
    const onRemoved = async (files: readonly unknown[]) => {
      told.push(files.length);
      if (told.length === 1) throw new Error('the database is away');
    };
    const spool = await open({ clock, limits: { segmentMs: 60_000 }, onRemoved });
    store.refuses = (line) => idOf(line) === 1;
    spool.startLoading([store]);
    await appendAll(spool, rows(0, 3));
    expect(await spool.drain()).toBe(true);
    const hours = async (count: number) => {
      for (let hour = 0; hour < count; hour++) {
        clock.travel(3_600_000);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    };
    await hours(166);
    expect(spool.quarantined()).toEqual({ events: 1 });
    expect(spool.bytes()).toBeGreaterThan(0);
    await hours(2);
    await eventually(() => spool.bytes() === 0);
    expect(spool.quarantined()).toEqual({});
    expect(quarantineOf()).toEqual([]);
    // It is told until it was taken, and then no more.
    await hours(3);
    expect(told).toEqual([1, 1]);
  });

  it('a restart knows the quarantine, and ends it in time', async () => {
    const clock = stillClock(Date.UTC(2026, 2, 1));
    let spool = await open({ clock, limits: { segmentMs: 60_000 } });
    store.refuses = (line) => idOf(line) === 1;
    spool.startLoading([store]);
    await appendAll(spool, rows(0, 3));
    await spool.drain();
    await spool.close();
    const [file] = readdirSync(join(dir, 'quarantine', 'events'));
    writeFileSync(join(dir, 'quarantine', 'events', file as string), '{"row":2,"torn', { flag: 'a' });
    spool = await open({ clock: stillClock(Date.UTC(2026, 2, 7)) });
    expect(spool.quarantined()).toEqual({ events: 1 });
    await spool.close();
    spool = await open({ clock: stillClock(Date.UTC(2026, 2, 8)) });
    expect(spool.quarantined()).toEqual({});
  });

  it('a full quarantine gives up its oldest rows, and counts them', async () => {
    const spool = await open({ limits: { segmentMs: 60_000, quarantineBytesMax: 600 } });
    store.refuses = (line) => idOf(line) % 2 === 1;
    spool.startLoading([store]);
    for (let i = 0; i < 10; i++) {
      await appendAll(spool, rows(i * 2, i * 2 + 2));
      expect(await spool.drain()).toBe(true);
    }
    expect(quarantineOf().join('').length).toBeLessThanOrEqual(600);
    expect(quarantineOf().join('')).toContain(row(19));
    const dropped = spool.gauges().find(({ name }) => name === 'fairlead_quarantine_dropped_rows_total');
    expect(Number(dropped?.read()) + (spool.quarantined().events ?? 0)).toBe(10);
  });
});

it('a spool that was drained and closed has no timer left, which would keep a command alive', async () => {
  const running = new Set<object>();
  const clock = {
    ...systemClock,
    after(ms: number, work: () => void) {
      const timer = {};
      running.add(timer);
      const callOff = systemClock.after(ms, () => {
        running.delete(timer);
        work();
      });
      return () => {
        running.delete(timer);
        callOff();
      };
    },
  };
  const spool = await open({ clock });
  spool.startLoading([store]);
  await appendAll(spool, rows(0, 3));
  expect(await spool.drain(20_000)).toBe(true);
  await spool.close();
  expect(running.size).toBe(0);
});

it('gauges say what happened', async () => {
  const spool = await open();
  spool.startLoading([store]);
  await appendAll(spool, rows(0, 3));
  await spool.drain();
  const read = Object.fromEntries(spool.gauges().map(({ name, read }) => [name, read()]));
  expect(read).toMatchObject({
    fairlead_spool_lag_seconds: 0,
    fairlead_spool_appends_total: [{ labels: { lane: 'events' }, value: 3 }],
    fairlead_spool_delivered_segments_total: [{ labels: { lane: 'events', sink: 'folder' }, value: 1 }],
    fairlead_quarantine_rows: [{ labels: { lane: 'events' }, value: 0 }],
  });
});
