/**
 * `npm run soak -- relay-dead`: one of five platforms answers nothing for an hour, and comes back.
 *
 *     npm run soak -- relay-dead                                     an hour, TikTok refuses connections
 *     npm run soak -- relay-dead --mode silent --kind webhook        it takes them and says nothing
 *     npm run soak -- relay-dead --minutes 2 --healthy 0.5
 *
 * Time runs as it does. Orders come steadily all the while. The others' p95 from event to platform may be a tenth above what it
 * is while all are well (before, and again at the end); what waits goes out with probes first, never above the limit of a minute,
 * and each order once. Prints a line per check, and ends with 1 when one does not hold.
 */
import { Agent } from 'node:http';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { pause } from './desk.ts';
import { percentile } from './percentile.ts';
import { openRelayDesk, orderOf, type RelayDesk, statesOf, takeOrder } from './relay_desk.ts';
import { allKinds, type Heard, type PlatformKind } from './relay_platforms.ts';

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    healthy: { type: 'string', default: '5' },
    mode: { type: 'string', default: 'shut' },
    kind: { type: 'string', default: 'tiktok' },
    /** Orders a second. */
    rate: { type: 'string', default: '10' },
  },
});
const kind = given.kind as PlatformKind;
if (!allKinds.includes(kind)) throw new Error(`--kind is one of ${allKinds.join(', ')}.`);
const mode = given.mode === 'silent' ? 'silent' : 'shut';
const minuteMs = 60_000;
/** What each platform is asked at most in a minute, as its destination says (src/relay/destinations). */
const perMinute: Record<PlatformKind, number> = {
  ...{ 'meta-capi': 600, 'google-data-manager': 300, ga4: 6_000, tiktok: 600, webhook: 6_000 },
};
/** Longest pause of a breaker, longest pause of a row that was tried, and the time to send. */
const drainMsMax = 90 * minuteMs;
/** A tenth of a turn (src/relay/deliveries/lanes.ts). */
const probeItemsMax = 200;
const run = 2;
const say = (line: string) => void process.stdout.write(`${line}\n`);
let failures = 0;
function check(what: string, isRight: boolean, seen: string): void {
  if (!isRight) failures++;
  say(`${isRight ? 'ok  ' : 'FAIL'} ${what}: ${seen}`);
}

interface Sent {
  readonly phase: 'before' | 'dead' | 'draining' | 'after';
  readonly at: number;
}

const relay = await openRelayDesk({ say });
try {
  await measure(relay);
} finally {
  await relay.close();
}
say(failures === 0 ? 'All hold.' : `${failures} do not hold.`);
process.exit(failures === 0 ? 0 : 1);

async function measure(desk: RelayDesk): Promise<void> {
  const sent = new Map<string, Sent>();
  const state: { phase: Sent['phase']; over: boolean } = { phase: 'before', over: false };
  const sending = sendSteadily(desk, sent, state);
  const dead = desk.platforms.find((each) => each.kind === kind);
  if (dead === undefined) throw new Error('There is no such platform.');
  const destination = desk.destinations.get(kind) as number;
  await pause(Number(given.healthy) * minuteMs);
  await dead.gate(mode);
  state.phase = 'dead';
  const deadAt = Date.now();
  const before = (await dead.heard()).requests;
  await pause(Number(given.minutes) * minuteMs);
  const [tried] = await desk.rows<{ n: number }>(
    'SELECT count(*)::int AS n FROM relay_attempts WHERE destination_id = $1 AND sent_at >= $2',
    [destination, new Date(deadAt)],
  );
  const waiting = await waitingAt(desk, destination);
  say(`${kind} was ${mode} for ${given.minutes} minutes: ${tried?.n} requests to it, ${waiting} deliveries wait`);
  await dead.gate('open');
  state.phase = 'draining';
  const backAt = Date.now();
  const drained = await whenDrained(desk, destination, backAt);
  check('what waited went out', drained !== undefined, `${((drained ?? 0) / 1_000).toFixed(0)} s after it was back`);
  state.phase = 'after';
  await pause(Number(given.healthy) * minuteMs);
  state.over = true;
  await sending;
  await pause(10_000);
  await checkOthers(desk, sent);
  const heard = await dead.heard();
  checkNoStorm(heard, backAt);
  await checkProbes(desk, destination, backAt);
  say(`     ${heard.requests - before} requests after it was back`);
  const counted = (await dead.counted()).map(({ id }) => id);
  const all = await desk.rows<{ n: number; sent: number }>(
    `SELECT count(*)::int AS n, sum(attempts)::int AS sent FROM relay_deliveries WHERE destination_id = $1 AND state = 'accepted'`,
    [destination],
  );
  const isOnce = new Set(counted).size === sent.size && counted.length === sent.size && all[0]?.n === sent.size;
  check('each order is counted once there', isOnce, `${counted.length} of ${sent.size}, sent ${all[0]?.sent} times`);
  const open = (await statesOf(desk)).filter(({ state: one }) => one !== 'accepted');
  check('all are accepted everywhere', open.length === 0, JSON.stringify(open));
}

async function sendSteadily(
  desk: RelayDesk,
  sent: Map<string, Sent>,
  state: { phase: Sent['phase']; over: boolean },
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const began = performance.now();
  const under = new Set<Promise<void>>();
  for (let n = 0; !state.over; n++) {
    const dueMs = (n / Number(given.rate)) * 1_000 - (performance.now() - began);
    if (dueMs > 0) await pause(dueMs);
    const { id, body } = orderOf(run, n);
    sent.set(id, { phase: state.phase, at: Date.now() });
    const one = takeOrder(desk, body, agent).then((status) => {
      if (status !== 202) throw new Error(`An order was answered ${status}.`);
      under.delete(one);
    });
    under.add(one);
  }
  await Promise.all(under);
  agent.destroy();
}

async function waitingAt(desk: RelayDesk, destination: number): Promise<number> {
  const states = await statesOf(desk);
  return states.reduce(
    (sum, row) => (row.destination === destination && row.state !== 'accepted' ? sum + row.n : sum),
    0,
  );
}

/** Nothing that came before this moment waits any more. @returns how long that took in milliseconds */
async function whenDrained(desk: RelayDesk, destination: number, backAt: number): Promise<number | undefined> {
  while (Date.now() - backAt < drainMsMax) {
    const [left] = await desk.rows<{ n: number }>(
      `SELECT count(*)::int AS n FROM relay_deliveries WHERE destination_id = $1 AND state IN ('waiting', 'sending') AND created_at < $2`,
      [destination, new Date(backAt)],
    );
    if (left?.n === 0) return Date.now() - backAt;
    await pause(1_000);
  }
  return undefined;
}

async function checkOthers(desk: RelayDesk, sent: ReadonlyMap<string, Sent>): Promise<void> {
  for (const platform of desk.platforms) {
    if (platform.kind === kind) continue;
    const { first } = await platform.heard();
    const took = (phases: readonly Sent['phase'][]) =>
      [...sent]
        .flatMap(([id, { phase, at }]) => (phases.includes(phase) && first[id] !== undefined ? [first[id] - at] : []))
        .sort((a, b) => a - b);
    const [well, meanwhile, after] = [took(['before', 'after']), took(['dead']), took(['draining'])];
    const [healthy, p95] = [percentile(well, 0.95), percentile(meanwhile, 0.95)];
    check(
      `${platform.kind} is as fast as before`,
      p95 <= healthy * 1.1,
      `p95 ${p95} ms, ${healthy} ms while all are well, ${percentile(after, 0.95)} ms while the other catches up`,
    );
  }
  say(`     load of the machine ${loadavg()[0]?.toFixed(1)}`);
}

/** No minute with more requests than a minute may have. */
function checkNoStorm({ perSecond }: Heard, backAt: number): void {
  const seconds = Object.entries(perSecond)
    .map(([second, n]) => ({ second: Number(second), n }))
    .filter(({ second }) => second >= Math.floor(backAt / 1_000));
  const inMinuteFrom = (from: number) =>
    seconds.reduce((sum, { second, n }) => (second >= from && second < from + 60 ? sum + n : sum), 0);
  const most = Math.max(0, ...seconds.map(({ second }) => inMinuteFrom(second)));
  const inOne = Math.max(0, ...seconds.map(({ n }) => n));
  check(
    'never more than its minute allows',
    most <= perMinute[kind],
    `at most ${most} requests in a minute (${perMinute[kind]} are allowed), ${inOne} in a second`,
  );
}

/** While it is away it is left alone but for single tries, and when it is back a small one goes first, by itself. */
async function checkProbes(desk: RelayDesk, destination: number, backAt: number): Promise<void> {
  const tries = await desk.rows<{ items: number; at: Date; ms: number }>(
    `SELECT items, sent_at AS at, coalesce(ms, 0) AS ms FROM relay_attempts
     WHERE destination_id = $1 AND sent_at >= $2 ORDER BY id LIMIT 2`,
    [destination, new Date(backAt)],
  );
  const [first, second] = tries;
  const isAlone = first !== undefined && (second === undefined || second.at.getTime() >= first.at.getTime() + first.ms);
  check(
    'a small request tries first, and the next one after its answer',
    isAlone && first.items <= probeItemsMax,
    `${first?.items} conversions, ${((first?.at.getTime() ?? 0) - backAt) / 1_000} s after it was back`,
  );
}
