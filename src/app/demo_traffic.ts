import { replayOn } from '../analytics/index.ts';
import type { MadeRequest, Scenario } from '../demo/index.ts';
import type { Desk } from './desk.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Visits that began so long ago may still be running. */
const runningMs = 35 * minuteMs;
const tickMs = 250;
/** So many visitors an hour come to each site at least while somebody looks; at night a real site might have none. */
const visitsPerHourMin = 120;
const drainMs = 120_000;

/**
 * Fills a demo's desk with the scenario's past and lets its present come by itself.
 * @param parts.ended resolves when the person has had enough
 * @returns the way to stop the visitors; undefined when it was ended while the past was being made
 */
export async function fillDesk(parts: {
  desk: Desk;
  scenario: Scenario;
  days: number;
  nowMs: number;
  say: (line: string) => void;
  ended: Promise<void>;
}): Promise<{ stop(): void } | undefined> {
  const { desk, scenario, say } = parts;
  const { clock, log, spool, random } = desk.house;
  const replay = replayOn(desk.house, parts.nowMs - runningMs);
  let isEnded = false;
  void parts.ended.then(() => {
    isEnded = true;
  });
  const startedMs = clock.monotonic();
  const fromMs = Math.floor(parts.nowMs / dayMs - parts.days) * dayMs;
  let nextHourMs = fromMs;
  let waiting: MadeRequest[] = [];

  /** All requests before `untilMs` that have not been given yet, in order. */
  function due(untilMs: number): MadeRequest[] {
    for (; nextHourMs <= untilMs; nextHourMs += hourMs)
      for (const site of scenario.sites) waiting.push(...scenario.hour(site, nextHourMs));
    const ready = waiting.filter((request) => request.atMs < untilMs).sort((a, b) => a.atMs - b.atMs);
    waiting = waiting.filter((request) => request.atMs >= untilMs);
    return ready;
  }

  let shown = 0;
  for (let untilMs = fromMs + hourMs; !isEnded; untilMs += hourMs) {
    const nowMs = clock.now();
    await replay.take(due(Math.min(untilMs, nowMs)));
    const share = Math.floor((10 * (untilMs - fromMs)) / (nowMs - fromMs)) / 10;
    if (share > shown && share < 1) say(`Making ${parts.days} days of visits: ${Math.round(share * 100)} %`);
    shown = Math.max(shown, share);
    if (untilMs >= nowMs) break;
  }
  await replay.settle();
  if (isEnded || !(await spool.drain(drainMs))) return undefined;
  const { stored, dropped } = replay.counts();
  const refused = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  say(
    `${stored} events of ${scenario.sites.length} sites are in, ${refused} were dropped with a reason, in ${Math.round((clock.monotonic() - startedMs) / 1000)} s.\n`,
  );

  let cancel = clock.after(tickMs, tick);
  function tick() {
    const nowMs = clock.now();
    for (const site of scenario.sites) {
      const missing = visitsPerHourMin - scenario.expected(site, nowMs);
      const share = (Math.max(0, missing) * tickMs) / hourMs;
      if (random.bytes(4).readUInt32LE() / 2 ** 32 < share) waiting.push(...scenario.visitNow(site, nowMs));
    }
    for (const request of due(nowMs))
      replay.takeNow(request, (outcome) => {
        if (outcome.kind !== 'taken') log.warn('demo.not_taken', { kind: outcome.kind });
      });
    cancel = clock.after(tickMs, tick);
  }
  return { stop: () => cancel() };
}
