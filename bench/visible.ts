import { ask, type DeskFolder, pause, type Running } from './desk.ts';

/** How often it is looked: what is measured is a few milliseconds too long, never too short. */
const lookMs = 25;
const giveUpMs = 30_000;

/** Seconds from an event's 202 until the answer of the stats API has it, `times` times. */
export async function measureVisible(
  desk: DeskFolder,
  running: Running,
  times: number,
): Promise<{ median: number; worst: number; times: number }> {
  const took: number[] = [];
  const run = Math.floor(performance.timeOrigin);
  for (let time = 0; time < times; time++) {
    const pathname = `/visible/${run}/${time}`;
    const response = await fetch(`http://127.0.0.1:${running.port}/api/event`, {
      method: 'POST',
      headers: {
        'content-type': 'text/plain',
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
        'accept-language': 'en',
        'x-forwarded-for': `20.0.${time}.7`,
      },
      body: JSON.stringify({ n: 'pageview', d: 'bench.example', u: `https://bench.example${pathname}` }),
    });
    const dropped = response.headers.get('x-fairlead-dropped');
    if (response.status !== 202 || dropped !== null)
      throw new Error(`The event was not taken: ${response.status} ${dropped ?? ''}`);
    const began = performance.now();
    while (!(await isThere(desk, running, pathname))) {
      if (performance.now() - began > giveUpMs) throw new Error(`${pathname} is not visible after 30 s.`);
      await pause(lookMs);
    }
    took.push((performance.now() - began) / 1000);
    // Not in step with the spool's second.
    await pause(137 * (time % 7));
  }
  took.sort((a, b) => a - b);
  return { median: took[times >> 1] ?? 0, worst: took.at(-1) ?? 0, times };
}

async function isThere(desk: DeskFolder, running: Running, pathname: string): Promise<boolean> {
  const answer = await ask<{ results: { metrics: number[] }[] }>(desk, running, '/api/v2/query', {
    ...{ site_id: 'bench.example', metrics: ['pageviews'], date_range: '24h' },
    filters: [['is', 'event:page', [pathname]]],
  });
  return (answer.results[0]?.metrics[0] ?? 0) > 0;
}
