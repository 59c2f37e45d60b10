import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Readiness } from '../../src/app/health.ts';
import { auditDesk } from './drivers/audit.ts';
import { type Child, startChild } from './drivers/child.ts';
import { nextUtcMidnight } from './drivers/clock_travel.ts';
import { type DeadStore, deadStore } from './drivers/dead_store.ts';
import { drained, sendOne, visitorAgent } from './drivers/desk_questions.ts';
import { type KillableDesk, openKillableDesk } from './drivers/killable_desk.ts';
import { type Load, startLoad } from './drivers/load.ts';
import { must, type Proof } from './kit.ts';

const hourMs = 3_600_000;
const storeScript = fileURLToPath(new URL('./drivers/clickhouse_child.ts', import.meta.url));
/** How long the store is really away; meanwhile the desk's wall clock passes ten minutes. */
const awayMs = 8_000;

export const proofs: readonly Proof[] = [
  {
    id: 'delivery-dead-store',
    title:
      'While ClickHouse is away, slow, cut in its answers or out of its mind, events are acknowledged, and all are stored once; one refused row goes to quarantine alone.',
    minutes: 3,
    async run(context) {
      const folder = await context.folder();
      const store = startChild(storeScript, {
        args: [join(folder, 'clickhouse')],
        env: { UV_THREADPOOL_SIZE: '16' },
      });
      try {
        const url = (await store.says(/^url /, 120)).slice(4);
        const door = await deadStore(url);
        const desk = await openKillableDesk({
          ...{ root: context.root, folder, env: { CLICKHOUSE_URL: door.url } },
          clockAt: nextUtcMidnight(new Date(), 9 * hourMs),
        });
        try {
          return await outliveStore(desk, { store, door, url }, context.say);
        } finally {
          await desk.dispose();
          await door.close();
        }
      } finally {
        await store.kill();
      }
    },
    sabotage: {
      name: 'an answer that does not come is taken for a refusal of the rows',
      file: 'src/platform/warehouse/errors.ts',
      find: 'if (known === undefined) return new WarehouseUnavailable(networkCode(error), { cause: error });',
      replace: 'if (known === undefined) return new RowRefused(networkCode(error));',
    },
  },
];

interface Store {
  store: Child;
  door: DeadStore;
  url: string;
}

async function outliveStore(
  desk: KillableDesk,
  { store, door, url }: Store,
  say: (line: string) => void,
): Promise<string> {
  await desk.start();
  const load = startLoad({ ...desk, seed: 'dead store', singles: 20, batches: 2, thinkMsMax: 60 });
  desk.onDispose(load.stop);
  const tell = async (line: string) => {
    store.write(`${line}\n`);
    await store.says(new RegExp(`^done ${line}$`));
  };
  const days: [name: string, begin: () => void | Promise<void>, end: () => void | Promise<void>, ms: number][] = [
    ['well', () => {}, () => {}, 1_500],
    ['away', () => door.away(), () => door.back(), awayMs],
    ['answers lost behind the work', () => door.loseAnswers(12), () => {}, 1_500],
    [
      'answers cut in their middle',
      () => door.answerInstead(8, 'HTTP/1.1 200 OK\r\nX-ClickHouse-Que'),
      () => {},
      1_500,
    ],
    ['500 with half a body', () => door.answerInstead(8, halfAnAnswer), () => {}, 1_500],
    ['slow', () => door.slow(300), () => door.slow(0), 2_500],
    ['cut before the work', () => tell('cut 4 before'), () => tell('cut 0 before'), 1_500],
    ['cut behind the work', () => tell('cut 4 after'), () => tell('cut 0 after'), 1_500],
    ['out of memory', () => tell('fail 241 MEMORY_LIMIT_EXCEEDED 500'), () => tell('well'), 2_500],
  ];
  for (const [name, begin, end, ms] of days) {
    const before = load.acknowledged();
    await begin();
    if (name === 'away') await desk.meet({ clockOffsetMs: desk.now() - Date.now() + 10 * 60_000 });
    await pause(ms);
    if (name === 'away') {
      const state = await desk.ask('/readyz');
      must(
        state.status === 503 && !(state.body as Readiness).warehouse,
        `Without a warehouse /readyz says ${state.text}`,
      );
    }
    for (let waited = 0; load.acknowledged() < before + 40; waited += 20) {
      must(
        waited < 60_000,
        `While the store was ${name}, only ${load.acknowledged() - before} events were acknowledged.`,
      );
      await pause(20);
    }
    await end();
    say(`${name}: ${load.acknowledged()} acknowledged`);
  }
  must(load.refusals.length === 0, `${load.refusals.length} events were refused because of the warehouse.`);
  const refused = await refuseOneRow(desk, load, url);
  await load.end();
  must(load.faults.length === 0, `An answer that no sender may get: ${load.faults[0]}`);
  await drained(desk);
  const metrics = (await desk.ask('/metrics')).text;
  must(/fairlead_quarantine_rows\{lane="events"\} 1\n/.test(metrics), 'The quarantined row is not one on /metrics.');
  const retries = Number(/fairlead_spool_sink_retries_total\{lane="events".*\} (\d+)/.exec(metrics)?.[1]);
  must(retries > 0, 'No delivery was ever tried again, so nothing is shown.');
  must((await desk.stop()) === 0, 'The desk did not stop in peace.');
  const { events, visits } = await auditDesk({ sites: desk.sites, rows: (ask) => rowsOf(url, ask) }, load.sent);
  return `${events} events in ${visits} visits stored once after ${retries} deliveries tried again (away for ${awayMs / 1000} s of real time, 10 min on the wall clock); ${refused}`;
}

/** A status line and headers of an error, and a body that ends before it should. */
const halfAnAnswer =
  'HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: 210\r\nContent-Length: 900\r\n\r\nCode: 210. DB::Exc';

/** One row of all is one that the store refuses for good. */
async function refuseOneRow(desk: KillableDesk, load: Load, url: string): Promise<string> {
  await statement(url, "ALTER TABLE events ADD CONSTRAINT no_refused CHECK NOT startsWith(pathname, '/refused/')");
  const event = { n: 'pageview', u: 'https://shop.example/refused/1', d: 'shop.example', id: 'refused' };
  const answer = await sendOne(desk.url, event, visitorAgent);
  must(answer.status === 202, `The row that the store will refuse was answered ${answer.status}.`);
  const before = load.acknowledged();
  for (let waited = 0; (await desk.quarantined()).length === 0; waited += 50) {
    must(waited < 240_000, 'The refused row is not in quarantine after four minutes.');
    await pause(50);
  }
  const rows = await desk.quarantined();
  must(rows.length === 1, `${rows.length} rows are in quarantine instead of one.`);
  const [only] = rows;
  must(only?.row.pathname === '/refused/1', `The row in quarantine is that of ${only?.row.pathname}.`);
  must(only.reason.code === 'VIOLATED_CONSTRAINT', `The reason in quarantine is ${only.reason.code}.`);
  must(load.acknowledged() >= before, 'The rest does not go on.');
  const dropped = `SELECT sum(events) AS rows FROM drops WHERE reason = 'quarantined' AND site_id = ${desk.sites[0]?.id}`;
  for (let waited = 0; ; waited += 50) {
    const [counted] = (await rowsOf<{ dropped: { rows: string }[] }>(url, { dropped })).dropped;
    if (counted?.rows === '1') break;
    must(waited < 60_000, `The site's drops show ${counted?.rows} quarantined rows after a minute instead of one.`);
    await pause(50);
  }
  return `the refused row alone in quarantine (${only.reason.code}) and counted for its site`;
}

async function statement(url: string, sql: string): Promise<string> {
  const answer = await fetch(`${url}/?default_format=JSONEachRow&output_format_json_quote_64bit_integers=1`, {
    method: 'POST',
    body: sql,
  });
  const text = await answer.text();
  must(answer.ok, `ClickHouse says ${answer.status}: ${text.slice(0, 300)}`);
  return text;
}

async function rowsOf<Answers extends Record<string, unknown[]>>(
  url: string,
  ask: { [name in keyof Answers]: string },
): Promise<Answers> {
  const answers: Record<string, unknown[]> = {};
  for (const [name, sql] of Object.entries<string>(ask))
    answers[name] = (await statement(url, sql))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  return answers as Answers;
}
