import { readFileSync } from 'node:fs';
import type { View } from '../web/src/address/view.ts';
import { readView } from '../web/src/address/view.ts';
import type { QueryRequest } from '../web/src/desk/api.ts';
import { localTime } from '../web/src/period/period.ts';
import type { Filter } from '../web/src/questions/filters.ts';
import { type Asked, breakdownQuestion, frameOf, overviewQuestions, tabOf } from '../web/src/questions/overview.ts';
import { panels } from '../web/src/questions/panels.ts';
import { ask, type DeskFolder, daysShown, lastDays, mainSite, nowOf, type Running, timezone } from './desk.ts';
import { percentile } from './percentile.ts';

/**
 * Asks a running desk what its dashboard asks, through HTTP with an API key: the questions are built by the
 * dashboard's own code. The overview over ninety days is totals, series and the series before, the orders, the five
 * panels, and one more list so that there are six.
 */
export interface QueryLine {
  question: string;
  medianMs: number;
  p95Ms: number;
  worstMs: number;
  times: number;
  /** Processor time of the server for one of them, mean; on a machine that others use, the number to compare by. */
  cpuMs: number;
  /** Of the p95. */
  targetMs: number;
}

/** Filters that a reader sets with a click, from a value that most visits have to one that few have. */
const filtersOfReaders: readonly Filter[] = [
  { operator: 'is', dimension: 'country', values: ['DE'] },
  { operator: 'is', dimension: 'device', values: ['Desktop'] },
  { operator: 'is', dimension: 'source', values: ['Google'] },
  { operator: 'is', dimension: 'channel', values: ['Organic Search'] },
  { operator: 'is_not', dimension: 'country', values: ['US'] },
  { operator: 'is', dimension: 'page', values: ['/'] },
  { operator: 'contains', dimension: 'page', values: ['/blog/'] },
  { operator: 'is', dimension: 'entry', values: ['/'] },
  { operator: 'is', dimension: 'exit', values: ['/'] },
  { operator: 'is', dimension: 'browser', values: ['Chrome'] },
  { operator: 'is', dimension: 'event', values: ['Signup'] },
  { operator: 'is', dimension: 'goal', values: ['purchase'] },
  { operator: 'is', dimension: 'prop.plan', values: ['pro'] },
  { operator: 'is', dimension: 'utm_campaign', values: ['campaign-2'] },
  { operator: 'contains', dimension: 'source', values: ['site-'] },
];

/**
 * What a reader sees who looks again (sums of closed days are kept in memory, so only what is open is read), and what
 * the first one sees: then each round asks about days that nobody has asked about before.
 *
 * @param rounds questions of each kind; those before them that open files, or are a first look, are not counted
 */
export async function measureQueries(
  desk: DeskFolder,
  running: Running,
  { rounds, say = () => {} }: { rounds: number; say?: (line: string) => void },
): Promise<QueryLine[]> {
  const first = await time(desk, running, overview(desk, [], 0));
  say(`    the first overview after the start: ${first.toFixed(0)} ms`);
  const tabs = furtherTabs();
  const tabOfRound = (round: number) => tabs[round % tabs.length] as (typeof tabs)[number];
  const ofFilters = Math.max(rounds, 2 * filtersOfReaders.length);
  const ofTabs = Math.max(rounds, 2 * tabs.length);
  const lines: QueryLine[] = [];
  for (const [who, daysOf] of [
    ['first look', (round: number) => daysShown + 1 + round],
    ['again', () => daysShown],
  ] as const) {
    const perFilter = filtersOfReaders.map((filter) => ({ filter, times: [] as number[] }));
    const unfiltered: number[] = [];
    lines.push(
      await timed(running, `overview, unfiltered, ${who}`, 150, rounds, async (round) => {
        const ms = await time(desk, running, overview(desk, [], round, daysOf(round)));
        unfiltered.push(ms);
        return ms;
      }),
      await timed(
        running,
        `overview, filtered (${perFilter.length} filters), ${who}`,
        1_000,
        ofFilters,
        async (round) => {
          const one = perFilter[round % perFilter.length] as (typeof perFilter)[number];
          const ms = await time(
            desk,
            running,
            overview(desk, [one.filter], round, daysOf(Math.floor(round / perFilter.length))),
          );
          one.times.push(ms);
          return ms;
        },
        who === 'again' ? perFilter.length : 2,
      ),
    );
    say(`    ${who}, unfiltered, one after another: ${unfiltered.map((ms) => ms.toFixed(0)).join(' ')} ms`);
    for (const { filter, times } of perFilter)
      say(
        `    ${who}, ${filter.operator} ${filter.dimension} ${filter.values}: ${times.map((ms) => ms.toFixed(0)).join(' ')} ms`,
      );
    lines.push(
      await timed(running, `a further breakdown, unfiltered, ${who}`, 500, ofTabs, (round) =>
        time(desk, running, [breakdown(desk, [], tabOfRound(round), daysOf(Math.floor(round / tabs.length) + 40))]),
      ),
      await timed(running, `a further breakdown, filtered, ${who}`, 500, ofTabs, (round) => {
        const filter = filtersOfReaders[round % filtersOfReaders.length] as Filter;
        return time(desk, running, [breakdown(desk, [filter], tabOfRound(round), daysOf(round))]);
      }),
    );
  }
  return lines;
}

async function timed(
  running: Running,
  question: string,
  targetMs: number,
  rounds: number,
  once: (round: number) => Promise<number>,
  /** Questions that are not counted. */
  before = 2,
): Promise<QueryLine> {
  const times: number[] = [];
  for (let round = 0; round < before; round++) await once(rounds + round);
  const began = processorMs(running);
  for (let round = 0; round < rounds; round++) times.push(await once(round));
  const cpuMs = (processorMs(running) - began) / rounds;
  times.sort((a, b) => a - b);
  const at = (share: number) => percentile(times, share);
  return {
    question,
    medianMs: at(0.5),
    p95Ms: at(0.95),
    worstMs: times.at(-1) ?? 0,
    times: times.length,
    cpuMs,
    targetMs,
  };
}

/** Processor time that the server has used so far; the kernel counts it in hundredths of a second. Linux only. */
function processorMs(running: Running): number {
  const fields = readFileSync(`/proc/${running.process.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * Milliseconds from sending a batch to having read its answer. A question that met the ceiling of time took that long
 * and counts so; any other error ends the bench.
 */
async function time(desk: DeskFolder, running: Running, queries: readonly QueryRequest[]): Promise<number> {
  const began = performance.now();
  const { results } = await ask<{ results: ({ results: unknown[] } | { error: { code: string; message: string } })[] }>(
    desk,
    running,
    '/api/v2/query/batch',
    { queries },
  );
  const took = performance.now() - began;
  for (const result of results)
    if ('error' in result && result.error.code !== 'query_over_ceiling') throw new Error(result.error.message);
  return took;
}

const view: View = { ...readView('?period=90d'), step: 'day' };

/** The minute grows with the rounds, as it does for a reader who looks again: no question is asked twice alike. */
function asked(desk: DeskFolder, filters: readonly Filter[], round: number, days: number): Asked {
  const local = localTime(nowOf(desk) + round * 60_000, timezone);
  const [from, to] = lastDays(desk, days);
  const frame = frameOf({ ...view, period: { kind: 'days', from, to } }, local.day, lastDays(desk, 200)[0]);
  return { site: mainSite, frame, filters, time: local.time.slice(0, 5) };
}

function overview(desk: DeskFolder, filters: readonly Filter[], round: number, days = daysShown): QueryRequest[] {
  const about = asked(desk, filters, round, days);
  const questions = overviewQuestions(about, view, true);
  const sources = panels.find((panel) => panel.id === 'sources');
  if (sources === undefined) throw new Error('The dashboard has no panel of sources.');
  const tab = sources.tabs.find((one) => one.dimension === 'source') ?? tabOf(sources, view);
  return [...Object.values(questions), breakdownQuestion(about, tab, { limit: sources.rows })];
}

/** Every tab of every panel that the overview does not show at first. */
function furtherTabs() {
  return panels.flatMap((panel) => panel.tabs.slice(1).map((tab) => ({ panel, tab })));
}

function breakdown(
  desk: DeskFolder,
  filters: readonly Filter[],
  { panel, tab }: ReturnType<typeof furtherTabs>[number],
  days: number,
): QueryRequest {
  return breakdownQuestion(asked(desk, filters, 0, days), tab, { limit: panel.rows });
}
