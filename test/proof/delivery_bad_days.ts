import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Readiness } from '../../src/app/health.ts';
import { auditDesk } from './drivers/audit.ts';
import { nextUtcMidnight } from './drivers/clock_travel.ts';
import { drained, postgresIsBack } from './drivers/desk_questions.ts';
import { type KillableDesk, openKillableDesk } from './drivers/killable_desk.ts';
import { type Load, startLoad } from './drivers/load.ts';
import { openSmallDisk, type SmallDisk } from './drivers/small_disk.ts';
import { must, type Proof, type ProofContext } from './kit.ts';

const hourMs = 3_600_000;
const writerFile = 'src/platform/spool/writer.ts';

export const proofs: readonly Proof[] = [
  {
    id: 'delivery-fdatasync',
    title:
      'When fdatasync fails nobody is told that these events are kept, the file is abandoned, and sent again they are stored once.',
    minutes: 4,
    run: (context) => onDesk(context, {}, refuseSyncs),
    sabotage: {
      name: 'a failed fdatasync is passed over',
      file: writerFile,
      find: '      await files.commit(segment.descriptor, group.bytes, group.used, segment.synced);',
      replace: '      await files.commit(segment.descriptor, group.bytes, group.used, segment.synced).catch(() => {});',
    },
  },
  {
    id: 'delivery-full-disk',
    title:
      'A full disk makes every answer a 503 that says when to come back, and with room again all goes on by itself with nothing lost or doubled.',
    minutes: 4,
    async run(context) {
      const folder = await context.folder();
      const disk = await openSmallDisk([join(folder, 'data'), '/var/lib/fairlead'], 400 * 1024 * 1024);
      const settings = disk === undefined ? {} : { within: disk.within, seen: disk.seen };
      try {
        return await onDesk(context, { folder, ...settings }, (desk) => fillDisk(desk, disk, context.say));
      } finally {
        await disk?.close();
      }
    },
    sabotage: {
      name: 'a disk that refused is never asked again',
      file: writerFile,
      find: 'this.#refusedUntil = clock.monotonic() + waitMs;',
      replace: 'this.#refusedUntil = Number.POSITIVE_INFINITY;',
    },
  },
  {
    id: 'delivery-two-processes',
    title:
      'A second process on a data directory refuses with a sentence and leaves the first alone; what a killed one left does not block.',
    minutes: 4,
    run: (context) => onDesk(context, {}, startTwice),
    sabotage: {
      name: 'the lock is taken from a living holder',
      file: 'src/platform/data_dir.ts',
      find: 'if (holder !== undefined) throw new DataDirTaken(path, holder);',
      replace: '',
    },
  },
  {
    id: 'delivery-clock',
    title:
      'A wall clock that jumps an hour back, three days on and over midnight loses no event, midnight splits no visit, and the salts turn.',
    minutes: 4,
    run: (context) => onDesk(context, { clockAt: nextUtcMidnight(new Date(), 24 * hourMs - 5 * 60_000) }, jumpClock),
    sabotage: {
      name: 'no grace after midnight',
      file: 'src/analytics/visits/salt.ts',
      find: 'const yesterday = now.day === day - 1 && isGrace(nowMs) ? now : undefined;',
      replace: 'const yesterday = undefined as DaySalt | undefined;',
    },
  },
  {
    id: 'delivery-stop',
    title:
      'Asked to stop under load, the desk ends in peace within its time with every acknowledged event in the stores; asked twice it loses nothing.',
    minutes: 4,
    run: (context) => onDesk(context, {}, stopUnderLoad),
    sabotage: {
      name: 'a stop does not wait for the spool',
      file: 'src/app/desk.ts',
      find: 'if (!(await spool.drain(drainMs)))',
      // Closing the spool still delivers the segment that it has in hand, which on a quiet machine is all there is: so the
      // server, and not the process that reads the tables afterwards, ends right here.
      replace: "if (process.argv.includes('serve')) process.exit(0);\n        if (drainMs < 0)",
    },
  },
];

/** Opens a desk for a proof, and ends it however the proof ends. */
async function onDesk(
  context: ProofContext,
  options: Partial<Parameters<typeof openKillableDesk>[0]>,
  work: (desk: KillableDesk) => Promise<string>,
): Promise<string> {
  const desk = await openKillableDesk({
    root: context.root,
    folder: options.folder ?? (await context.folder()),
    clockAt: nextUtcMidnight(new Date(), 9 * hourMs),
    ...options,
  });
  try {
    return await work(desk);
  } finally {
    await desk.dispose();
  }
}

function loadOn(desk: KillableDesk, options: { padding?: number; singles?: number } = {}): Load {
  const load = startLoad({ ...desk, seed: 'bad day', singles: 20, batches: 2, thinkMsMax: 40, ...options });
  desk.onDispose(load.stop);
  return load;
}

/** Ends the load and the desk, and looks at everything that is stored. */
async function settle(desk: KillableDesk, load: Load): Promise<{ events: number; visits: number }> {
  await load.end();
  must(load.faults.length === 0, `An answer that no sender may get: ${load.faults[0]}`);
  await drained(desk);
  must((await desk.stop()) === 0, 'The desk did not stop in peace.');
  return auditDesk(desk, load.sent);
}

/** @throws unless so many more events are acknowledged within two minutes */
async function goesOn(load: Load, more: number, when: string): Promise<void> {
  const before = load.acknowledged();
  for (let waited = 0; load.acknowledged() < before + more; waited += 20) {
    must(waited < 120_000, `Nothing is acknowledged ${when}.`);
    await pause(20);
  }
}

/** Every refusal says that it is ours, when to come back, and that nothing was kept. */
function refusalsAreReadable(load: Load): void {
  for (const { status, retryAfter, text } of load.refusals) {
    must(status === 503, `A refusal has status ${status}.`);
    must(Number(retryAfter) >= 1 && Number(retryAfter) <= 60, `A refusal says to come back after ${retryAfter} s.`);
    must(/Nothing of this request was stored: send it again in \d+ s\./.test(text), `A refusal says ${text}`);
  }
}

async function refuseSyncs(desk: KillableDesk): Promise<string> {
  await desk.start();
  const load = loadOn(desk);
  const blow = { operation: 'fdatasync', path: '/spool/events/', code: 'EIO', times: 1 } as const;
  // On a full machine the senders hear late of what was kept before: what comes after a blow counts from it.
  const strike = async (done: boolean) => {
    const before = desk.blows().length;
    await desk.meet({ disk: { ...blow, done } });
    while (desk.blows().length === before) await pause(1);
  };
  // Failed and not done; done and reported as failed; and a kill before anything else can happen.
  for (const done of [false, true, false, true]) {
    await goesOn(load, 30, 'after a failed fdatasync');
    await strike(done);
  }
  await goesOn(load, 30, 'after a failed fdatasync');
  await strike(true);
  await desk.kill('node');
  await desk.meet({});
  await desk.start();
  await goesOn(load, 30, 'after the kill');
  const { events, visits } = await settle(desk, load);
  const files = desk.blows();
  must(files.length === 5, `${files.length} of 5 failures struck.`);
  must(new Set(files).size === files.length, 'A file whose fdatasync had failed was written again.');
  // The kill came before the last refusal could be sent.
  must(load.refusals.length >= 4, `${files.length} syncs failed and ${load.refusals.length} senders were refused.`);
  refusalsAreReadable(load);
  return `${files.length} failed syncs, ${load.refusals.length} senders refused, ${events} events in ${visits} visits stored once`;
}

async function fillDisk(desk: KillableDesk, disk: SmallDisk | undefined, say: (line: string) => void): Promise<string> {
  await desk.start();
  const load = loadOn(desk, { padding: 1_000 });
  await goesOn(load, 200, 'at the start');
  const fill = async () => {
    if (disk === undefined)
      await desk.meet({ disk: { operation: 'write', path: '/spool/', code: 'ENOSPC', times: 1e9 } });
    else fillUp(disk.seen(join(desk.dataDir, 'ballast')));
  };
  const makeRoom = async () => {
    if (disk === undefined) await desk.meet({});
    else rmSync(disk.seen(join(desk.dataDir, 'ballast')));
  };
  const refusedMore = async (more: number) => {
    const before = load.answers.get('503') ?? 0;
    for (let waited = 0; (load.answers.get('503') ?? 0) < before + more; waited += 20) {
      must(
        waited < 120_000,
        `A full disk refused ${(load.answers.get('503') ?? 0) - before} requests: ${[...load.answers]}`,
      );
      await pause(20);
    }
  };

  await fill();
  await refusedMore(40);
  must((await desk.ask('/healthz')).status === 200, 'The desk does not answer while the disk is full.');
  const full = (await desk.ask('/readyz')).body as Readiness;
  say(`full: ${JSON.stringify(full)}`);
  await pause(2_000);
  await makeRoom();
  await goesOn(load, 200, 'after there was room again');
  await postgresIsBack(desk);
  refusalsAreReadable(load);
  const refused = load.answers.get('503') ?? 0;

  // Once more, and Node is killed over the full disk.
  await fill();
  await refusedMore(40);
  await desk.kill('node');
  await makeRoom();
  await desk.start();
  await goesOn(load, 200, 'after a kill on a full disk');
  await postgresIsBack(desk);
  const { events, visits } = await settle(desk, load);
  return (
    `${refused} refusals, ${events} events in ${visits} visits stored once, ` +
    (disk === undefined ? 'writes of the spool refused (no disk can be mounted here)' : 'every store on the full disk')
  );
}

/** Writes until there is no byte left. */
function fillUp(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (let size = 1024 * 1024; size >= 1; ) {
      try {
        writeSync(descriptor, Buffer.alloc(size));
      } catch {
        size = Math.floor(size / 4);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

async function startTwice(desk: KillableDesk): Promise<string> {
  const first = await desk.start();
  const load = loadOn(desk);
  await goesOn(load, 50, 'at the start');
  const lock = join(desk.dataDir, 'lock');
  const held = readFileSync(lock, 'utf8');
  const second = desk.startSecond();
  const code = await second.ended;
  const sentence = second.errors();
  must(code === 1, `The second process ended with ${code}.`);
  must(
    sentence.includes(`Another Fairlead (process ${first.pid}) is using the data directory ${desk.dataDir}.`) &&
      sentence.includes('Stop it first, or give this one its own in FAIRLEAD_DATA_DIR.'),
    `The second process says: ${sentence.slice(0, 500)}`,
  );
  must(!/\n\s+at /.test(sentence), 'The second process shows a stack instead of a sentence.');
  must(readFileSync(lock, 'utf8') === held, 'The second process has changed the lock of the first.');
  await goesOn(load, 100, 'after a second process came and went');
  must(((await desk.ask('/readyz')).body as Readiness).ready, 'The first is not ready after the second came.');

  // What a killed process left, even when its number is another program's now, and two that start over it at once.
  await desk.kill('node');
  must(existsSync(lock), 'A killed process left no lock, so nothing is shown here.');
  writeFileSync(lock, `${process.pid} 1\n`);
  const rivals = [desk.start({ waits: false }), Promise.resolve(desk.startSecond())];
  const [one, other] = (await Promise.all(rivals)) as [typeof first, typeof first];
  const loser = await Promise.race([one.ended.then(() => 'first' as const), other.ended.then(() => 'second' as const)]);
  const lost = loser === 'first' ? one : other;
  const won = loser === 'first' ? other : one;
  must(
    /Another Fairlead \(process \d+\) is using/.test(lost.errors()),
    `One of two says: ${lost.errors().slice(0, 500)}`,
  );
  await won.says(/is running\.$/, 240);
  won.signal('SIGTERM');
  must((await won.ended) === 0, 'The one of two that runs did not stop in peace.');
  await desk.start();
  const { events, visits } = await settle(desk, load);
  must(
    readdirSync(desk.dataDir).every((name) => !name.startsWith('lock')),
    'A lock is left after a stop.',
  );
  return `the second named process ${first.pid} and the next step; ${events} events in ${visits} visits stored once`;
}

async function jumpClock(desk: KillableDesk): Promise<string> {
  await desk.start();
  const load = loadOn(desk);
  const salts = () =>
    readFileSync(join(desk.dataDir, '..', 'keys', 'visitor.salts'), 'utf8')
      .trim()
      .split('\n');
  const daysOf = (lines: string[]) => lines.map((line) => Number(line.split(' ')[0]));
  const today = () => Math.floor(desk.now() / (24 * hourMs));
  const evening = today();
  const jump = async (ms: number) => {
    await goesOn(load, 80, `before a jump of ${ms} ms`);
    await desk.meet({ clockOffsetMs: desk.now() - Date.now() + ms });
    await goesOn(load, 80, `after a jump of ${ms} ms`);
  };
  const turned = async (day: number) => {
    for (let waited = 0; daysOf(salts())[0] !== day; waited += 50) {
      must(waited < 60_000, `The salts are those of the days ${daysOf(salts())} and not of ${day}.`);
      await pause(50);
    }
  };
  // An hour is more than a visit can be silent, so these two jumps may end visits; they lose nothing.
  await load.overTime(async () => {
    await jump(-hourMs);
    await jump(hourMs);
  });
  const evenings = load.sent.length;
  const before = salts();
  await jump(nextUtcMidnight(new Date(desk.now()), -500).getTime() - desk.now());
  await turned(evening + 1);
  await goesOn(load, 80, 'in the first minutes of a day');
  must(salts().length === 2 && salts()[1] === before[0], 'In the first ten minutes the salt of yesterday is not kept.');
  await jump(-10_000);
  await jump(20_000);
  const aroundMidnight = new Set(
    load.sent.flatMap(({ path, acknowledged }, at) => (acknowledged && at >= evenings ? [path] : [])),
  );
  await load.overTime(() => desk.meet({ clockOffsetMs: desk.now() - Date.now() + 72 * hourMs }));
  await turned(today());
  await goesOn(load, 200, 'three days later');
  must(salts().length === 1, `Three days later there are ${salts().length} salts.`);
  must(!before.includes(salts()[0] as string), 'Three days later the salt is the same.');
  await load.end();
  must(load.faults.length === 0, `An answer that no sender may get: ${load.faults[0]}`);
  await drained(desk);
  must((await desk.stop()) === 0, 'The desk did not stop in peace.');

  const { events } = await desk.rows<{ events: { path: string; visit: string; visitor: string }[] }>({
    events: `SELECT pathname AS path, toString(visit_id) AS visit, toString(visitor_id) AS visitor
      FROM events WHERE site_id = ${desk.sites[0]?.id}`,
  });
  const stored = new Map<string, number>();
  const visits = new Map<string, Set<string>>();
  for (const { path, visit, visitor } of events) {
    stored.set(path, (stored.get(path) ?? 0) + 1);
    const who = path.split('/')[1] as string;
    if (aroundMidnight.has(path)) visits.set(who, (visits.get(who) ?? new Set()).add(`${visit} of ${visitor}`));
  }
  for (const event of load.sent)
    must(
      (stored.get(event.path) ?? 0) <= 1 && (!event.acknowledged || stored.get(event.path) === 1),
      `${event.path} is stored ${stored.get(event.path) ?? 0} times.`,
    );
  for (const [who, own] of visits) must(own.size === 1, `Visitor ${who} has ${own.size} visits around midnight.`);
  return `${stored.size} events stored once; ${visits.size} visits whole over midnight and ten seconds back over it; three days on a new salt`;
}

async function stopUnderLoad(desk: KillableDesk): Promise<string> {
  await desk.start();
  const load = loadOn(desk);
  await goesOn(load, 300, 'at the start');
  const began = performance.now();
  const code = await desk.stop();
  const tookMs = performance.now() - began;
  const promised = load.sent.filter((event) => event.acknowledged).map((event) => event.path);
  must(code === 0, `Asked to stop, the desk ended with ${code}.`);
  must(
    tookMs < 30_000,
    `The stop took ${Math.round(tookMs)} ms, and 10 s for requests and 15 s for the spool are stated.`,
  );
  const left = ['events', 'bots', 'drops'].flatMap((lane) => readdirSync(join(desk.dataDir, 'spool', lane)));
  must(left.length === 0, `A stop in peace left ${left.length} files in the spool.`);
  const { events } = await desk.rows<{ events: { path: string }[] }>({ events: 'SELECT pathname AS path FROM events' });
  const stored = new Set(events.map(({ path }) => path));
  const missing = promised.filter((path) => !stored.has(path));
  must(missing.length === 0, `${missing.length} acknowledged events are not in the warehouse after the stop.`);

  await desk.start();
  await goesOn(load, 300, 'after the stop');
  desk.life().signal('SIGTERM');
  await pause(5);
  const twice = await desk.stop();
  await desk.start();
  await goesOn(load, 50, 'after a second stop');
  const seen = await settle(desk, load);
  return `stopped in ${Math.round(tookMs)} ms with ${promised.length} events in the warehouse and none in the spool; asked twice it ended with ${twice}; ${seen.events} events in ${seen.visits} visits stored once`;
}
