import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { CrashPoint } from '../../src/platform/crash_point.ts';
import { auditDesk } from './drivers/audit.ts';
import { nextUtcMidnight } from './drivers/clock_travel.ts';
import { drained, frozenDayAgrees, sendOne, visitorAgent } from './drivers/desk_questions.ts';
import { type KillableDesk, openKillableDesk } from './drivers/killable_desk.ts';
import { type Load, startLoad } from './drivers/load.ts';
import { CannotProve, must, type Proof } from './kit.ts';

/** Where the desk dies, and when it comes to that place. */
const everywhere: readonly { point: CrashPoint; nth?: number; when: 'load' | 'start' | 'midnight' }[] = [
  { point: 'spool.take', nth: 5, when: 'load' },
  { point: 'spool.write', nth: 5, when: 'load' },
  { point: 'spool.recover', when: 'start' },
  { point: 'spool.sync', nth: 5, when: 'load' },
  { point: 'spool.recovered', when: 'start' },
  { point: 'spool.ack', nth: 20, when: 'load' },
  { point: 'spool.close', when: 'load' },
  { point: 'warehouse.insert', nth: 2, when: 'load' },
  { point: 'spool.confirm', nth: 2, when: 'load' },
  { point: 'spool.delete', when: 'load' },
  { point: 'spool.deleted', nth: 2, when: 'load' },
  { point: 'spool.split', when: 'load' },
  { point: 'spool.part', nth: 3, when: 'load' },
  { point: 'quarantine.write', when: 'load' },
  { point: 'spool.quarantine', when: 'load' },
  { point: 'ingest.restored', when: 'start' },
  { point: 'salt.written', when: 'start' },
  { point: 'salt.renamed', when: 'start' },
  // The first writing of the file is at the start, the second when the day turns.
  { point: 'salt.written', nth: 2, when: 'midnight' },
  { point: 'salt.renamed', nth: 2, when: 'midnight' },
];
/** `PROOF_PLACES=spool.part,salt.written` visits these alone, and then the freezing of a day. */
const named = process.env.PROOF_PLACES?.split(',');
const places = everywhere.filter(({ point }) => named === undefined || named.includes(point));
const freezing: readonly CrashPoint[] = ['freeze.deleted', 'freeze.half', 'freeze.counted'];
const hourMs = 3_600_000;

export const proofs: readonly Proof[] = [
  {
    id: 'delivery-crash-points',
    title: `Killed at each of ${places.length + freezing.length} places between one durable step and the next, the desk stores every acknowledged event once.`,
    minutes: 5,
    async run(context) {
      const desk = await openKillableDesk({
        root: context.root,
        folder: await context.folder(),
        clockAt: nextUtcMidnight(new Date(), 23 * hourMs),
      });
      try {
        return await dieEverywhere(desk, context.say);
      } finally {
        await desk.dispose();
      }
    },
    sabotage: {
      name: 'a segment comes with another token each time',
      file: 'src/analytics/ingest/running.ts',
      find: 'await warehouse.insert(table, bytes, token, columns);',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
      replace: 'await warehouse.insert(table, bytes, `${token}-${Math.floor(performance.now() * 1000)}`, columns);',
    },
  },
  {
    id: 'delivery-view-part',
    title:
      'Killed at the moment a part of the events table appears on the disk, before or after the parts of its views, the roll-ups hold each event once.',
    minutes: 3,
    async run(context) {
      const desk = await openKillableDesk({
        root: context.root,
        folder: await context.folder(),
        clockAt: nextUtcMidnight(new Date(), 9 * hourMs),
      });
      try {
        return await dieBetweenParts(desk, context.say);
      } finally {
        await desk.dispose();
      }
    },
    sabotage: {
      name: 'views do not know what they have seen',
      file: 'src/platform/warehouse/settings.ts',
      find: 'deduplicate_blocks_in_dependent_materialized_views: 1,',
      replace: 'deduplicate_blocks_in_dependent_materialized_views: 0,',
    },
  },
];

const partDeaths = 6;

async function dieBetweenParts(desk: KillableDesk, say: (line: string) => void): Promise<string> {
  const { tables } = await desk.rows<{ tables: { path: string }[] }>({
    tables:
      "SELECT arrayJoin(data_paths) AS path FROM system.tables WHERE name = 'events' AND database = currentDatabase()",
  });
  // The engine names the path below its own directory.
  const given = tables[0]?.path as string;
  const directory = given.startsWith('/') ? given : join(desk.dataDir, 'warehouse', given);
  const load = startLoad({ ...desk, seed: 'parts', singles: 30, batches: 4, thinkMsMax: 20 });
  desk.onDispose(load.stop);
  let torn = 0;
  let whole = 0;
  for (let n = 0; n < partDeaths; n++) {
    // A view's own part follows within a moment that nobody outside can hit, so every other death is the desk's own.
    const isBehindViews = n % 2 === 1;
    const life = await desk.start(isBehindViews ? { crashPoint: 'warehouse.insert:1', waits: false } : {});
    if (!isBehindViews) await pause(200 * n);
    const watcher = isBehindViews
      ? undefined
      : watch(directory, (_event, name) => {
          if (name !== null && /^\d{6}_/.test(name)) life.signal('SIGKILL');
        });
    const end = await endOf(life.ended);
    watcher?.close();
    if (end !== 'SIGKILL') throw new CannotProve(`No part of the events table appeared in ${directory}.`);
    const { sums } = await desk.rows<{ sums: { events: string; visits: string; arrivals: string }[] }>({
      sums: `SELECT (SELECT countIf(name != 'engagement') FROM events) AS events,
        (SELECT sum(events) FROM visits) AS visits, (SELECT sum(events) FROM arrivals) AS arrivals`,
    });
    const { events, visits, arrivals } = sums[0] as { events: string; visits: string; arrivals: string };
    if (Number(events) === Number(visits)) whole++;
    else torn++;
    say(`events ${events}, visits ${visits}, arrivals ${arrivals}`);
  }
  await desk.start();
  await load.end();
  must(load.faults.length === 0, `An answer that no sender may get: ${load.faults[0]}`);
  await drained(desk);
  must((await desk.stop()) === 0, 'The desk did not stop in peace.');
  const { events, visits } = await auditDesk(desk, load.sent);
  return `${partDeaths} deaths at a new part, ${torn} of them with the event in the table and not yet in its view, ${whole} with both or neither; ${events} events in ${visits} visits once in table and roll-ups`;
}

async function dieEverywhere(desk: KillableDesk, say: (line: string) => void): Promise<string> {
  // The real engine refuses these rows for good, as it would one that does not fit its column.
  await desk.alter("ALTER TABLE events ADD CONSTRAINT no_refused CHECK NOT startsWith(pathname, '/refused/')");
  const load = startLoad({ ...desk, seed: 'places', singles: 20, batches: 2, thinkMsMax: 60 });
  desk.onDispose(load.stop);
  const acknowledgedRefused: string[] = [];
  let refused: ReturnType<typeof sendRefused> | undefined;
  for (const { point, nth = 1, when } of places) {
    if (when === 'midnight') {
      // Ten minutes before it, so that the visits of this evening run when the day turns.
      const evening = nextUtcMidnight(new Date(desk.now()), -10 * 60_000).getTime();
      await load.overTime(() => desk.meet({ clockOffsetMs: evening - Date.now() }));
    }
    // A refused row makes dozens of inserts of one segment, so it comes only where the desk is to die over it.
    if (isOfRefusal(point) && refused === undefined) {
      refused = sendRefused(desk.url);
      desk.onDispose(refused.stop);
    } else if (!isOfRefusal(point) && refused !== undefined) {
      acknowledgedRefused.push(...(await refused.end()));
      refused = undefined;
    }
    const life = await desk.start({ crashPoint: `${point}:${nth}`, waits: false });
    if (when === 'midnight') await goToMidnight(desk, load);
    if ((await endOf(life.ended)) !== 'SIGKILL')
      throw new CannotProve(`The desk did not come to ${point}:${nth}: ${life.errors().slice(-500)}`);
    say(`${point}:${nth}, ${load.acknowledged()} acknowledged`);
  }
  await desk.start();
  await load.end();
  acknowledgedRefused.push(...((await refused?.end()) ?? []));
  must(load.faults.length === 0, `An answer that no sender may get: ${load.faults[0]}`);
  await drained(desk);
  must((await desk.stop()) === 0, 'The desk did not stop in peace.');
  const { events, visits } = await auditDesk(desk, load.sent, { spansMidnight: true });
  const kept = await quarantinedOnce(desk, acknowledgedRefused);

  const [counts] = (
    await desk.rows<{ counts: Record<string, string>[] }>({
      counts: `SELECT toString(min(id_day)) AS day FROM events WHERE site_id = ${desk.sites[0]?.id}`,
    })
  ).counts;
  const day = counts?.day as string;
  const { numbers } = await desk.rows<{ numbers: Record<string, string>[] }>({
    numbers: `SELECT uniqExact(visitor_id) AS visitors, uniqExact(visit_id) AS visits,
      countIf(name = 'pageview') AS pageviews, countIf(name != 'engagement') AS events
      FROM events WHERE site_id = ${desk.sites[0]?.id} AND id_day = '${day}'`,
  });
  await desk.meet({ clockOffsetMs: desk.now() - Date.now() + 2 * hourMs });
  for (const point of freezing) {
    const life = await desk.start({ crashPoint: `${point}:1`, waits: false });
    if ((await endOf(life.ended)) !== 'SIGKILL')
      throw new CannotProve(`The desk did not come to ${point}: ${life.errors().slice(-500)}`);
    say(point);
  }
  await frozenDayAgrees(desk, day, Object.values(numbers[0] ?? {}).map(Number));
  return `${events} events in ${visits} visits stored once, ${kept} refused rows in quarantine once, the frozen day exact, after ${places.length + freezing.length} deaths`;
}

function isOfRefusal(point: CrashPoint): boolean {
  return ['spool.split', 'spool.part', 'quarantine.write', 'spool.quarantine'].includes(point);
}

/** With visits running, to half a second before the next UTC midnight; the salts turn within its first second. */
async function goToMidnight(desk: KillableDesk, load: Load): Promise<void> {
  await desk.life().says(/is running\.$/, 240);
  const before = load.acknowledged();
  for (let waited = 0; load.acknowledged() < before + 50 && waited < 60_000; waited += 20) await pause(20);
  await desk.meet({ clockOffsetMs: nextUtcMidnight(new Date(desk.now()), -500).getTime() - Date.now() });
}

async function endOf(ended: Promise<number | NodeJS.Signals>): Promise<number | NodeJS.Signals | 'alive'> {
  return Promise.race([ended, pause(240_000, 'alive' as const, { ref: false })]);
}

/** A visitor of the other site whose every page is one that the warehouse refuses. */
function sendRefused(url: string): { end(): Promise<string[]>; stop(): void } {
  const acknowledged: string[] = [];
  let ending = false;
  const work = (async () => {
    for (let n = 0; !ending; n++) {
      const path = `/refused/${n}`;
      const event = { n: 'pageview', u: `https://other.example${path}`, d: 'other.example', id: path };
      const answer = await sendOne(url, event, visitorAgent);
      if (answer.status === 202) acknowledged.push(path);
      await pause(800);
    }
  })();
  return {
    stop() {
      ending = true;
    },
    async end() {
      ending = true;
      await work;
      return acknowledged;
    },
  };
}

async function quarantinedOnce(desk: KillableDesk, acknowledged: readonly string[]): Promise<number> {
  const rows = await desk.quarantined();
  const paths = rows.map(({ row }) => String(row.pathname));
  for (const path of acknowledged)
    must(
      paths.filter((other) => other === path).length === 1,
      `${path}, which the warehouse refuses, is ${paths.filter((other) => other === path).length} times in quarantine.`,
    );
  must(
    rows.every(({ reason }) => reason.code === 'VIOLATED_CONSTRAINT'),
    `A row is in quarantine for ${rows[0]?.reason.code}.`,
  );
  return paths.length;
}
