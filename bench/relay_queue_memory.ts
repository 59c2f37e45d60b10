/**
 * What a million queued deliveries cost: memory of the desk and its PostgreSQL, taking a batch out of them, and the pages that
 * count them. 200,000 orders come over HTTP for five paused destinations, so each row is as the product makes it; then the desk
 * sends them to platforms that are slow.
 *
 *     node --disable-warning=ExperimentalWarning bench/relay_queue_memory.ts [--deliveries 1000000] [--minutes 5]
 *
 * Target: at most 600 MB. Ends with 1 when it is more, or when a page or a batch reads the whole queue.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { dueRows } from '../src/relay/deliveries/take.ts';
import { pause } from './desk.ts';
import { loadApart } from './load.ts';
import { memoryMb } from './memory.ts';
import { openRelayDesk, type RelayDesk, statesOf } from './relay_desk.ts';
import { allKinds } from './relay_platforms.ts';

const { values: given } = parseArgs({
  options: { deliveries: { type: 'string', default: '1000000' }, minutes: { type: 'string', default: '5' } },
});
const orders = Math.ceil(Number(given.deliveries) / allKinds.length);
const memoryMbMax = 600;
/** Blocks of 8 kB that a page may read: some thousand rows by an index, and never a million. */
const blocksMax = 20_000;
const say = (line: string) => void process.stdout.write(`${line}\n`);
let failures = 0;
function check(what: string, isRight: boolean, seen: string): void {
  if (!isRight) failures++;
  say(`${isRight ? 'ok  ' : 'FAIL'} ${what}: ${seen}`);
}

const relay = await openRelayDesk({ say });
try {
  for (const id of relay.destinations.values()) await relay.call('PATCH', `/destinations/${id}`, { state: 'paused' });
  await fill(relay);
  say(`queued; load of the machine ${loadavg()[0]?.toFixed(1)}`);
  await relay.rows('ANALYZE relay_deliveries, relay_conversions, relay_tellings, relay_identities, relay_attempts');
  // The thread that loads ends after five quiet seconds, and what the burst filled is given back when the desk is quiet then.
  await pause(40_000);
  const idle = memoryMb(relay.desk, relay.running);
  say(`     at rest: desk ${idle.server.toFixed(0)} MB, with PostgreSQL ${idle.total.toFixed(0)} MB`);
  await takeBatches(relay);
  await readPages(relay);
  await sendSlowly(relay);
  // What the senders read would be counted with what the pages read.
  for (const id of relay.destinations.values()) await relay.call('PATCH', `/destinations/${id}`, { state: 'paused' });
  await pause(15_000);
  await readPages(relay);
} finally {
  await relay.close();
}
say(failures === 0 ? 'All hold.' : `${failures} do not hold.`);
process.exit(failures === 0 ? 0 : 1);

async function fill({ port, path, rows }: RelayDesk): Promise<void> {
  const began = performance.now();
  const load = { port, path, mode: 'conversion' as const, connections: 32, seconds: 7_200, rate: 0 };
  const { requests, failed } = await loadApart({ ...load, run: 7, requestsMax: orders });
  say(`${requests} orders taken in ${((performance.now() - began) / 1_000).toFixed(0)} s ${JSON.stringify(failed)}`);
  for (;;) {
    const [row] = await rows<{ n: number }>('SELECT count(*)::int AS n FROM relay_deliveries');
    if ((row?.n ?? 0) >= requests * allKinds.length) return;
    await pause(2_000);
  }
}

/** The statement that the sender takes rows with, once for each destination, and nothing of it kept. */
async function takeBatches({ desk, destinations, rows }: RelayDesk): Promise<void> {
  const now = new Date();
  const literal = [desk.organisationId, 0, `'${now.toISOString()}'::timestamptz`, 1_000];
  for (const [kind, id] of destinations) {
    const text = dueRows
      .replace(/\$(\d)/g, (_, place) => String(place === '2' ? id : literal[Number(place) - 1]))
      .replace(/AND EXISTS \(SELECT FROM relay_destinations[^)]*\)/, '');
    const [plan] = await rows<{ 'QUERY PLAN': [{ 'Execution Time': number; Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
    );
    const [said] = plan?.['QUERY PLAN'] ?? [];
    const blocks = (said?.Plan['Shared Hit Blocks'] ?? 0) + (said?.Plan['Shared Read Blocks'] ?? 0);
    check(
      `${kind}: a batch of 1,000 out of ${orders} that wait`,
      blocks < blocksMax,
      `${said?.['Execution Time'].toFixed(0)} ms, ${blocks} blocks`,
    );
  }
}
interface PlanNode {
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
}

/** What people look at while a million wait: twice each, and how many blocks PostgreSQL read for it. */
async function readPages(desk: RelayDesk): Promise<void> {
  const pages = [
    ...['/overview?period=7d', '/destinations', '/sources', '/deliveries?state=dead', '/deliveries?state=waiting'],
    ...['/conversions?state=dead', '/conversions', '/match-quality?period=7d'],
  ];
  for (const page of pages) {
    const took: number[] = [];
    let blocks = 0;
    for (let time = 0; time < 2; time++) {
      const before = await blocksOf(desk);
      const began = performance.now();
      const failed = await desk.call('GET', page).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (failed !== undefined) check(`GET ${page}`, false, failed.slice(0, 120));
      took.push(performance.now() - began);
      await pause(1_200);
      blocks = (await blocksOf(desk)) - before;
    }
    check(
      `GET ${page}`,
      blocks < blocksMax,
      `${took.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}, about ${blocks} blocks`,
    );
  }
}

/** Of all tables of the relay, as the server counts them; a second late. */
async function blocksOf({ rows }: RelayDesk): Promise<number> {
  const [row] = await rows<{ n: number }>(
    `SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read, 0) + coalesce(idx_blks_hit, 0))::int AS n
     FROM pg_statio_user_tables WHERE relname LIKE 'relay_%'`,
  );
  return row?.n ?? 0;
}

/** Each answer takes two seconds and more. */
async function sendSlowly(desk: RelayDesk): Promise<void> {
  for (const platform of desk.platforms)
    await platform.admin('POST', '/chaos', { share: 1, modes: ['latency'], ms: 2_500 });
  for (const id of desk.destinations.values()) await desk.call('PATCH', `/destinations/${id}`, { state: 'active' });
  const seen: { server: number; total: number; postgres: number }[] = [];
  const until = performance.now() + Number(given.minutes) * 60_000;
  while (performance.now() < until) {
    await pause(1_000);
    seen.push(memoryMb(desk.desk, desk.running));
  }
  const most = (of: 'server' | 'total') => Math.max(...seen.map((one) => one[of]));
  const states = await statesOf(desk);
  const accepted = states.reduce((sum, { state, n }) => (state === 'accepted' ? sum + n : sum), 0);
  const left = states.reduce((sum, { state, n }) => (/waiting|sending/.test(state) ? sum + n : sum), 0);
  check(
    'memory of the desk',
    most('server') <= memoryMbMax,
    `at most ${most('server').toFixed(0)} MB, with PostgreSQL ${most('total').toFixed(0)} MB`,
  );
  say(`     ${accepted} sent meanwhile, ${left} wait; load of the machine ${loadavg()[0]?.toFixed(1)}`);
}
