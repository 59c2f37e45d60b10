/**
 * From an event to the platform: how long after a shop begins to tell of an order each platform has heard of it, while
 * nothing else is to be done. One order about every second, to all five platforms.
 *
 *     node --disable-warning=ExperimentalWarning bench/relay_latency.ts [orders]
 *
 * Target: p95 within 3 s. Ends with 1 when a platform misses it, or an order.
 */
import { loadavg } from 'node:os';
import { pause } from './desk.ts';
import { percentile } from './percentile.ts';
import { openRelayDesk, orderOf, takeOrder } from './relay_desk.ts';

const orders = Number(process.argv[2] ?? 200);
const targetMs = 3_000;
const run = 1;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const relay = await openRelayDesk({ say });
let isMissed = false;
try {
  const begun = new Map<string, number>();
  const answered: number[] = [];
  for (let n = 0; n < orders; n++) {
    const { id, body } = orderOf(run, n);
    const at = Date.now();
    begun.set(id, at);
    const status = await takeOrder(relay, body);
    if (status !== 202) throw new Error(`An order was answered ${status}.`);
    answered.push(Date.now() - at);
    // Not in step with the desk's own second.
    await pause(700 + Math.random() * 600);
  }
  await pause(5_000);
  answered.sort((a, b) => a - b);
  say(`${orders} orders; answered p50 ${percentile(answered, 0.5)} ms, p95 ${percentile(answered, 0.95)} ms`);
  for (const platform of relay.platforms) {
    const { first } = await platform.heard();
    const took = [...begun].flatMap(([id, at]) => (first[id] === undefined ? [] : [first[id] - at]));
    took.sort((a, b) => a - b);
    const p95 = percentile(took, 0.95);
    const isRight = took.length === orders && p95 <= targetMs;
    isMissed ||= !isRight;
    say(
      `${isRight ? 'ok  ' : 'FAIL'} ${platform.kind}: ${took.length} of ${orders}, p50 ${percentile(took, 0.5)} ms, p95 ${p95} ms, longest ${took.at(-1)} ms`,
    );
  }
  say(`load of the machine ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await relay.close();
}
process.exit(isMissed ? 1 : 0);
