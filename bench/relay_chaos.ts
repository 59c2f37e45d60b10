/**
 * `npm run soak -- relay`: conversions to five platforms of which a fifth of all answers goes wrong, while the desk is killed.
 *
 *     npm run soak -- relay                                    100,000 conversions, 20 % chaos, ten kills; about 40 minutes
 *     npm run soak -- relay --conversions 2000 --kills 3
 *
 * Time runs as it does: a call that fails is tried again after up to 10 s, then 20, 40, …, and what a killed desk was sending
 * after its lease of five minutes. GA4 and the webhook take one person, and one conversion, a request, at most 6,000 a minute:
 * 100,000 take 17 minutes whatever the machine. Platforms that say "too often" are left alone for a minute by the product, so
 * that refusal is given a few times to each, and not by chance. Prints a line per check, and ends with 1 when one does not hold.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { Agent } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pause, postgresFolder } from './desk.ts';
import { memoryMb } from './memory.ts';
import { anyInClear, openRelayDesk, orderOf, type RelayDesk, statesOf, takeOrder, whenSettled } from './relay_desk.ts';
import { allKinds, type PlatformKind } from './relay_platforms.ts';

const { values: given } = parseArgs({
  options: {
    conversions: { type: 'string', default: '100000' },
    kills: { type: 'string', default: '10' },
    share: { type: 'string', default: '0.2' },
    /** Conversions a second that come; 0 = as many as are taken. */
    rate: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '180' },
  },
});
const conversions = Number(given.conversions);
const kills = Number(given.kills);
const run = Math.floor(Date.now() / 1_000) % 100_000;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const modes = ['latency', 'reset_mid_body', 'html_502', 'duplicate_answer', 'drop_answer', 'slow_loris'];
const repeated = 'repeated_request';
/** In how many seconds, if nothing went wrong: what a minute's limit of two platforms allows. */
const sendingSeconds = Math.max(20, conversions / 100);
let failures = 0;

function check(what: string, isRight: boolean, seen: string): void {
  if (!isRight) failures++;
  say(`${isRight ? 'ok  ' : 'FAIL'} ${what}: ${seen}`);
}

/** Conversions that a platform refuses each time, by what of it: one row costs a whole request, and is to cost no other. */
const refusedBy: Partial<Record<PlatformKind, (n: number) => boolean>> = {
  'meta-capi': (n) => n % 1_000 === 7,
  tiktok: (n) => n % 997 === 3,
  webhook: (n) => n % 499 === 5,
};
/** Conversions that Data Manager takes, and of which it says later that it did not count them. */
const rejectedLater = (n: number) => n % 911 === 11;

const relay = await openRelayDesk({ say });
try {
  await misbehave(relay);
  const began = performance.now();
  const state = { over: false, unanswered: 0, sent: 0 };
  const killing = killNow(relay, state);
  const [taken] = await Promise.all([sendAll(relay, state), quoting(relay, state)]);
  say(`${taken} taken in ${seconds(began)} s, ${state.unanswered} asked again after no answer`);
  const killed = await killing;
  say(`${killed} kills, the last ${seconds(began)} s after the start`);
  const left = await whenSettled(relay, {
    ...{ expected: conversions * allKinds.length, withinMs: Number(given.minutes) * 60_000 },
    onLook: progress(),
  });
  state.over = true;
  say(`nothing under way after ${seconds(began)} s; load of the machine ${loadavg()[0]?.toFixed(1)}`);
  check('nothing is left under way', left === 0, `${left} of ${conversions * allKinds.length}`);
  check('the desk was killed', killed === kills, `${killed} times`);
  await checkEnds(relay);
  await checkPlatforms(relay);
  await checkClear(relay);
  const { server, postgres } = memoryMb(relay.desk, relay.running);
  say(`memory at the end: desk ${server.toFixed(0)} MB, PostgreSQL ${postgres.toFixed(0)} MB`);
} finally {
  await relay.close();
}
say(failures === 0 ? 'All hold.' : `${failures} do not hold.`);
process.exit(failures === 0 ? 0 : 1);

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(0);
}

function progress(): (open: number) => void {
  let said = performance.now();
  return (open) => {
    if (performance.now() - said < 60_000) return;
    said = performance.now();
    say(`  ${open} under way`);
  };
}

/** What of all orders this is said of. */
function ordersWhere(which: (n: number) => boolean): string[] {
  const ids: string[] = [];
  for (let n = 0; n < conversions; n++) if (which(n)) ids.push(`R-${run}-${n}`);
  return ids;
}

async function misbehave({ platforms }: RelayDesk): Promise<void> {
  for (const platform of platforms) {
    const refused = ordersWhere(
      platform.kind === 'google-data-manager' ? rejectedLater : (refusedBy[platform.kind] ?? (() => false)),
    );
    const why = platform.kind === 'google-data-manager' ? 'CLICK_NOT_FOUND' : 'refused by the double';
    await platform.admin('POST', '/platform', {
      ...{ rejects: Object.fromEntries(refused.map((id) => [nameAt(platform.kind, id), why])) },
      ...(platform.kind === 'meta-capi' ? { regainMinutes: 1 } : {}),
    });
    await platform.admin('POST', '/chaos', { share: Number(given.share), modes: [...modes, repeated] });
  }
}

interface Sending {
  over: boolean;
  unanswered: number;
  sent: number;
}

/** Each until it has its 202, as a shop does; a desk that is away is asked again. @returns how many were taken */
async function sendAll({ port, path }: RelayDesk, state: Sending): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const began = performance.now();
  const rate = Number(given.rate) || conversions / (sendingSeconds / 2);
  let next = 0;
  let taken = 0;
  async function sender(): Promise<void> {
    for (let n = next++; n < conversions; n = next++) {
      const dueMs = (n / rate) * 1_000 - (performance.now() - began);
      if (dueMs > 0) await pause(dueMs);
      const { body } = orderOf(run, n);
      for (;;) {
        const status = await takeOrder({ port, path }, body, agent);
        if (status === 202) break;
        if (status !== 0 && status !== 503) throw new Error(`An order was answered ${status}.`);
        state.unanswered++;
        await pause(200);
      }
      taken++;
      state.sent = taken;
    }
  }
  await Promise.all(Array.from({ length: 32 }, sender));
  agent.destroy();
  return taken;
}

/** SIGKILL at moments that nobody chose, while there is something to send. @returns how many */
async function killNow(relay: RelayDesk, state: Sending): Promise<number> {
  let done = 0;
  for (; done < kills && !state.over; done++) {
    await pause(500 + Math.random() * ((sendingSeconds * 1_000 * 0.9) / Math.max(1, kills)) * 2);
    const { process: child } = relay.running;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await relay.start();
    say(`  killed at ${state.sent} taken, back in ${relay.running.listeningMs.toFixed(0)} ms`);
  }
  return done;
}

/** Each platform refuses for too many requests, is slower than anybody waits, and quotes what it was sent; three times. */
async function quoting({ platforms }: RelayDesk, state: Sending): Promise<void> {
  const quote = 'no such person: zqmail.17@canary.example, +493055000017, Zqfirst Zqlastbh';
  for (let round = 0; round < 3 && !state.over; round++) {
    await pause((sendingSeconds * 1_000) / 8);
    for (const platform of platforms)
      await platform.admin('POST', '/next', [
        { chaos: 'quota' },
        { chaos: 'latency', ms: 12_000 },
        { status: 500, body: { error: { code: 1, message: quote, status: quote, reason: quote }, message: quote } },
      ]);
  }
}

// ── What has to be so ──

async function checkEnds(relay: RelayDesk): Promise<void> {
  const [counts] = await relay.rows<{ conversions: number; open: number; deliveries: number; odd: number }>(
    `SELECT (SELECT count(*)::int FROM relay_conversions) AS conversions,
       (SELECT count(*)::int FROM relay_conversions WHERE settled_at IS NULL) AS open,
       (SELECT count(*)::int FROM relay_deliveries) AS deliveries,
       (SELECT count(*)::int FROM (
         SELECT conversion_id, destination_id FROM relay_deliveries
         WHERE state IN ('accepted', 'dead', 'withheld', 'cancelled') AND settled_at IS NOT NULL
         GROUP BY 1, 2 HAVING count(*) = 1) AS once) AS odd`,
  );
  const all = conversions * allKinds.length;
  check(
    'each order is one conversion',
    counts?.conversions === conversions,
    `${counts?.conversions} of ${conversions}`,
  );
  check('each conversion has ended', counts?.open === 0, `${counts?.open} have not`);
  check(
    'each has exactly one end at each destination',
    counts?.odd === all && counts.deliveries === all,
    `${counts?.odd} of ${all}`,
  );
  for (const { destination, state, n } of await statesOf(relay)) say(`     destination ${destination}: ${n} ${state}`);
}

/** What platforms count after taking doubles away, against what the desk says they have. */
async function checkPlatforms(relay: RelayDesk): Promise<void> {
  for (const platform of relay.platforms) {
    const { kind } = platform;
    const counted = (await platform.counted()).filter(({ id }) => id !== null);
    const accepted = await relay.rows<{ id: string }>(
      `SELECT platform_id AS id FROM relay_deliveries WHERE destination_id = $1 AND state = 'accepted'`,
      [relay.destinations.get(kind)],
    );
    const dead = await relay.rows<{ id: string; reason: string }>(
      `SELECT platform_id AS id, reason FROM relay_deliveries WHERE destination_id = $1 AND state = 'dead'`,
      [relay.destinations.get(kind)],
    );
    const later = new Set(kind === 'google-data-manager' ? ordersWhere(rejectedLater) : []);
    const refused = new Set(ordersWhere(refusedBy[kind] ?? (() => false)));
    const ids = counted.map(({ id }) => id);
    const wanted = ordersWhere((n) => !refused.has(`R-${run}-${n}`) && !later.has(`R-${run}-${n}`));
    const names = wanted.map((order) => nameAt(kind, order));
    const found = new Set(ids);
    const lost = names.filter((name) => !found.has(name)).length;
    const beyond = found.size - (names.length - lost);
    const twice = ids.length - found.size;
    check(
      `${kind}: the platform's own count is what was expected`,
      lost + beyond + twice === 0,
      `${found.size} of ${names.length}, ${lost} lost, ${twice} double, ${beyond} beyond`,
    );
    const wrongEnd = dead.filter(({ id }) => !refused.has(id));
    check(
      `${kind}: only what it refuses was set aside`,
      dead.length === refused.size && wrongEnd.length === 0 && accepted.length === conversions - refused.size,
      `${dead.length} of ${refused.size}${wrongEnd.length > 0 ? `, wrongly ${wrongEnd.length}: ${JSON.stringify(wrongEnd.slice(0, 3))}` : ''}`,
    );
    const { requests, inClear } = await platform.heard();
    const again = counted.reduce((sum, { received }) => sum + received - 1, 0);
    check(
      `${kind}: nothing of a person in clear`,
      inClear.length === 0,
      inClear[0] ?? `${requests} requests, ${again} conversions came again`,
    );
  }
}

/** Under which name a platform knows an order. */
function nameAt(kind: PlatformKind, order: string): string {
  return kind === 'webhook' ? `msg_${createHash('sha256').update(order).digest('hex').slice(0, 32)}` : order;
}

/** The log of each process, each row of each table, and each file of the data directory. */
async function checkClear(relay: RelayDesk): Promise<void> {
  const secret = new RegExp(anyInClear, 'i');
  const control = new RegExp(`R-${run}-\\d`);
  const log = relay.log();
  const line = log.split('\n').find((each) => secret.test(each));
  check(
    'nothing of a person in what the desk said',
    line === undefined,
    line?.slice(0, 300) ?? `${log.length} characters`,
  );
  const [text, asHex] = [
    '(zqmail\\.|zqfirst|zqlast[a-z]|zqext-[0-9]|zqagent/|\\+493055[0-9]{6}\\y)',
    '(7a716d61696c2e|7a716669727374|7a716c617374)',
  ];
  const tables = await relay.everyRow<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'audit', 'mail', 'vault') AND c.relname <> 'schema_migrations' ORDER BY 1`,
  );
  const found: string[] = [];
  let rows = 0;
  for (const { name } of tables) {
    const [row] = await relay.everyRow<{ n: number; bad: number }>(
      `SELECT count(*)::int AS n, (count(*) FILTER (WHERE t::text ~* '${text}|${asHex}'))::int AS bad FROM ${name} t`,
    );
    rows += row?.n ?? 0;
    if ((row?.bad ?? 0) > 0) found.push(`${name}: ${row?.bad}`);
  }
  check(
    'nothing of a person in a row in clear',
    found.length === 0,
    found.join(', ') || `${rows} rows of ${tables.length} tables`,
  );
  await relay.running.stop();
  const files = new Set<string>();
  const withOrders = new Set<string>();
  let bytes = 0;
  for (const folder of [join(relay.desk.folder, 'data'), postgresFolder(relay.desk)])
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      let before = '';
      for await (const piece of createReadStream(path, { highWaterMark: 4 * 2 ** 20, encoding: 'latin1' })) {
        bytes += piece.length;
        if (secret.test(before + piece)) files.add(path);
        if (control.test(before + piece)) withOrders.add(path);
        before = piece.slice(-200);
      }
    }
  await relay.start();
  check(
    'nothing of a person in a file in clear',
    files.size === 0,
    [...files].slice(0, 5).join(', ') || `${Math.round(bytes / 2 ** 20)} MB`,
  );
  // What would find nothing if it looked in the wrong place, or for the wrong thing.
  const isSeen = secret.test(orderOf(run, 17).body) && withOrders.size > 0;
  check(
    'what is looked for is in an order as it comes, and orders are in the files',
    isSeen,
    `${withOrders.size} files`,
  );
}
