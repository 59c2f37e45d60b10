import { owner, pause, type Running } from './desk.ts';
import type { IngestLine } from './ingest.ts';
import { type LoadPlan, loadApart } from './load.ts';
import { percentile } from './percentile.ts';

/** How long signing in takes: one after another, and twenty at once while events come (accounts issue, targets). */
const oneTargetMs = 400;
const togetherTargetMs = 8_000;
const ingestTargetMs = 25;
const oneAfterAnother = 40;
const together = 20;

export async function measureSignIn(
  running: Running,
  { seconds, say }: { seconds: number; say: (line: string) => void },
): Promise<IngestLine[]> {
  say('Signing in …');
  // The process that hashes starts with the first.
  await signIn(running, 0);
  const times: number[] = [];
  for (let at = 0; at < oneAfterAnother; at++) times.push(await signIn(running, at));
  times.sort((a, b) => a - b);
  const p95 = percentile(times, 0.95);

  const plan: LoadPlan = {
    ...{ port: running.port, connections: 64, seconds: Math.max(seconds, 12), rate: 5_000, mode: 'visits' },
    run: Math.floor(performance.timeOrigin % 1e9),
  };
  const load = loadApart(plan);
  await pause(2_000);
  const ends = await Promise.all(Array.from({ length: together }, (_, at) => signIn(running, 100 + at)));
  const { p99_ms: p99, per_second: perSecond } = await load;
  const last = Math.max(...ends);
  return [
    {
      what: 'one sign-in at a time',
      target: `p95 ${oneTargetMs} ms`,
      measured: `median ${percentile(times, 0.5).toFixed(0)}, p95 ${p95.toFixed(0)}, worst ${percentile(times, 1).toFixed(0)} ms of ${times.length}`,
      holds: p95 <= oneTargetMs,
    },
    {
      what: `${together} sign-ins at once while 5,000 events/s arrive`,
      target: `all within ${togetherTargetMs / 1000} s`,
      measured: `the last after ${(last / 1000).toFixed(1)} s`,
      holds: last <= togetherTargetMs,
    },
    {
      what: 'events beside them',
      target: `p99 ${ingestTargetMs} ms at 5,000/s`,
      measured: `p99 ${p99.toFixed(1)} ms at ${perSecond.toFixed(0)}/s`,
      holds: p99 <= ingestTargetMs && perSecond >= 4_950,
    },
  ];
}

/** @returns milliseconds; each from a network of its own, as people come */
async function signIn(running: Running, at: number): Promise<number> {
  const began = performance.now();
  const answer = await fetch(`http://127.0.0.1:${running.port}/api/sessions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': `198.18.${at}.1`,
    },
    body: JSON.stringify(owner),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`Signing in answered ${answer.status}.`);
  return performance.now() - began;
}
