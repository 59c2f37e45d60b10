import { madeConversion } from '../demo/index.ts';
import { repeat } from '../platform/clock.ts';
import { type AskSelf, openAskSelf } from '../platform/http/ask_self.ts';
import { openDemoRelay } from '../relay/index.ts';
import type { RunningServer } from './serve.ts';

const dayMs = 86_400_000;
/** Meta takes nothing that is older than seven days. */
const pastDays = 6;
const perDay = 40;
/** A purchase every few seconds while somebody looks. */
const nowEveryMs = 4_000;

/** Fills a demo's relay with a week of purchases, and lets further ones come by themselves. @returns what ends them */
export async function fillRelay(
  server: RunningServer,
  given: { seed: string; organisationId: number; siteId: number; kinds: readonly string[]; nowMs: number },
): Promise<() => void> {
  const { house } = server.desk;
  const { seed, nowMs } = given;
  const relay = await openDemoRelay(house, given);
  const count = pastDays * perDay;
  const past = Array.from({ length: count }, (_, n) => {
    const atMs = nowMs - Math.round(((count - n) / count) * pastDays * dayMs);
    return { body: madeConversion(seed, n, atMs).body, atMs: atMs + 2_000 };
  });
  await relay.takePast(past);
  const { host, port } = server.http.address;
  const ask: AskSelf = openAskSelf({ host, port, publicUrl: house.config.publicUrl, tls: false });
  let next = count;
  const send = async () => {
    const { body } = madeConversion(seed, next, house.clock.now() - 1_000);
    next += 1;
    const request = { method: 'POST', path: relay.path, body: JSON.stringify(body) } as const;
    await ask({ ...request, headers: { 'content-type': 'application/json' } });
    // One in fifteen is told twice, as shops do that got no answer in time.
    if (next % 15 === 0) await ask({ ...request, headers: { 'content-type': 'application/json' } });
  };
  return repeat(house.clock, nowEveryMs, send, {
    onError: (error) => house.log.error('demo.conversion_failed', {}, error),
  });
}
