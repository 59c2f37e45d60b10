import { setTimeout as pause } from 'node:timers/promises';
import { type Random, seededRandom, systemRandom } from '../../src/platform/random.ts';
import { auditDesk } from './drivers/audit.ts';
import { nextUtcMidnight } from './drivers/clock_travel.ts';
import { frozenDayAgrees, postgresIsBack, sendOne, totals, visitorAgent } from './drivers/desk_questions.ts';
import { type KillableDesk, openKillableDesk } from './drivers/killable_desk.ts';
import { startLoad } from './drivers/load.ts';
import { must, type Proof } from './kit.ts';

/** `PROOF_KILLS=200` is the long form; `PROOF_SEED` repeats a run whose seed was printed. */
const kills = Number(process.env.PROOF_KILLS ?? 20);
const hourMs = 3_600_000;

export const proofs: readonly Proof[] = [
  {
    id: 'delivery-kill',
    title: `Over ${kills} SIGKILLs of Node, Postgres or both under load, no acknowledged event is lost or doubled and no visit is split.`,
    minutes: 2 + kills / 10,
    async run(context) {
      const seed = process.env.PROOF_SEED ?? systemRandom.bytes(4).toString('hex');
      context.say(`PROOF_SEED=${seed}`);
      const desk = await openKillableDesk({
        root: context.root,
        folder: await context.folder(),
        clockAt: nextUtcMidnight(new Date(), 9 * hourMs),
      });
      try {
        return `${await killUnderLoad(desk, seed, context.say)} (seed ${seed})`;
      } catch (error) {
        if (error instanceof Error) error.message = `seed ${seed}: ${error.message}`;
        throw error;
      } finally {
        await desk.dispose();
      }
    },
    sabotage: {
      name: 'rows in the spool are not read back after a kill',
      file: 'src/analytics/ingest/restore.ts',
      find: "restoreRow(parts, readEventLine(line.toString('utf8')));",
      replace: 'void line;',
    },
  },
];

async function killUnderLoad(desk: KillableDesk, seed: string, say: (line: string) => void): Promise<string> {
  const random = seededRandom(seed);
  await desk.start();
  const load = startLoad({ ...desk, seed, singles: 40, batches: 4, thinkMsMax: 60, abandons: 0.1 });
  desk.onDispose(load.stop);
  const robots = sendRobots(desk.url);
  const killed = { node: 0, postgres: 0, both: 0, starting: 0 };
  let isLater = false;
  for (let n = 1; n <= kills; n++) {
    await pause(between(random, 200, 1_200));
    const what = pick(random, ['node', 'node', 'postgres', 'both'] as const);
    await desk.kill(what);
    killed[what]++;
    say(`kill ${n}: ${what}, ${load.acknowledged()} acknowledged`);
    // The clock goes on far enough for every visit to be over, so that both halves of the definition are looked at.
    if (n >= kills / 2 && !isLater) {
      isLater = true;
      await load.overTime(() => desk.meet({ clockOffsetMs: desk.now() - Date.now() + 45 * 60_000 }));
    }
    if (what === 'postgres') {
      if (pick(random, [true, false])) await postgresIsBack(desk);
      continue;
    }
    // Some die again while they start: while they recover the spool, read visits back, or wait for Postgres.
    if (n < kills && pick(random, [true, false, false, false])) {
      await desk.start({ waits: false });
      await pause(between(random, 0, 2_500));
      await desk.kill('node');
      killed.starting++;
      n++;
    }
    await desk.start();
  }
  await postgresIsBack(desk);
  await pause(500);
  await load.end().catch((error: Error) => {
    const { isOver, errors } = desk.life();
    throw new Error(`${error.message} The desk ${isOver() ? 'had ended by itself' : 'ran'}: ${errors().slice(-3_000)}`);
  });
  const robotsSent = await robots.end();
  must(
    load.faults.length === 0,
    `An answer that no sender may get: ${load.faults[0]}. The desk said: ${desk
      .errors()
      .filter((line) => line.includes('collect_failed'))
      .slice(-3)
      .join(' ')}`,
  );
  must(
    load.acknowledged() > kills * 20,
    `Only ${load.acknowledged()} events were acknowledged: too few to prove anything.`,
  );

  const exact = await sendCountedDrops(desk);
  const asked = await totals(desk);
  must((await desk.stop()) === 0, 'The desk did not stop in peace.');
  const { events, visits, unasked } = await auditDesk(desk, load.sent);
  const [shop, other] = desk.sites.map(({ id }) => id);
  const stored = await desk.rows<{
    counts: { visitors: string; visits: string; pageviews: string; events: string }[];
    drops: { reason: string; events: string }[];
    bots: { bots: string }[];
  }>({
    counts: `SELECT uniqExact(visitor_id) AS visitors, uniqExact(visit_id) AS visits, countIf(name = 'pageview') AS pageviews,
      countIf(name != 'engagement') AS events FROM events WHERE site_id = ${shop}`,
    drops: `SELECT reason, sum(events) AS events FROM drops WHERE site_id = ${other} GROUP BY reason`,
    bots: `SELECT count() AS bots FROM bot_events WHERE site_id = ${other}`,
  });
  const counted = Object.values(stored.counts[0] ?? {}).map(Number);
  must(
    `${asked}` === `${counted}`,
    `The query says ${asked}, the rows say ${counted} (visitors, visits, page views, events).`,
  );
  const dropped = (reason: string) => Number(stored.drops.find((row) => row.reason === reason)?.events ?? 0);
  must(
    dropped('duplicate') === exact,
    `${exact} duplicates were answered after the last kill and ${dropped('duplicate')} counted.`,
  );
  // Counts of drops may be a second short at a kill, and are never too high.
  const bots = Number(stored.bots[0]?.bots ?? 0);
  must(bots > 0 && bots <= robotsSent, `${robotsSent} robots came and ${bots} are stored.`);
  must(
    dropped('bot') > 0 && dropped('bot') <= robotsSent,
    `${robotsSent} robots came and ${dropped('bot')} are counted.`,
  );
  await desk.meet({ clockOffsetMs: desk.now() - Date.now() + 24 * hourMs });
  const day = new Date(desk.now() - 24 * hourMs).toISOString().slice(0, 10);
  must(`${await frozenDayAgrees(desk, day, counted)}` === `${counted}`, 'The query over the frozen day differs.');
  return (
    `0 lost, 0 doubled, 0 visits split: ${events} events (${unasked} of senders who gave up) in ${visits} visits, ` +
    `killed Node ${killed.node} times, Postgres ${killed.postgres}, both ${killed.both}, while starting ${killed.starting}`
  );
}

/** Robots visit the other site all the time; they are dropped, counted and kept apart, and nobody waits for that. */
function sendRobots(url: string): { end(): Promise<number> } {
  let sent = 0;
  let ending = false;
  const work = (async () => {
    while (!ending) {
      sent++;
      await sendOne(url, { n: 'pageview', u: `https://other.example/${sent}`, d: 'other.example' }, 'Googlebot/2.1');
      await pause(20);
    }
  })();
  return {
    async end() {
      ending = true;
      await work;
      return sent;
    },
  };
}

/** Sends an event and, again and again, the same; gives how often it was told that it was a duplicate. */
async function sendCountedDrops(desk: KillableDesk): Promise<number> {
  let told = 0;
  for (let n = 0; n < 8; n++) {
    const event = { n: 'pageview', u: 'https://other.example/', d: 'other.example', id: 'counted' };
    if ((await sendOne(desk.url, event, visitorAgent)).dropped === 'duplicate') told++;
  }
  must(told === 7, `The same event eight times was told ${told} times that it is a duplicate.`);
  return told;
}

function between(random: Random, from: number, to: number): number {
  return from + (random.bytes(4).readUInt32LE() / 2 ** 32) * (to - from);
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.bytes(4).readUInt32LE() % choices.length] as T;
}
