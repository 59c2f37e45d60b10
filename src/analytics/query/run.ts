import { queryLimits } from '../../../contract/limits.ts';
import type { QueryAnswer } from '../../../contract/query.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { dayOf, startOfDay, zoneOrUtc } from '../../platform/zone.ts';
import type { SiteHistory } from '../history/index.ts';
import type { PackedDays } from '../packed/index.ts';
import { askWarehouse, problemOf, type Ran } from './ask_warehouse.ts';
import { type Imported, importedStretches, metricsWithoutImports } from './imported.ts';
import type { KeptSums } from './kept_sums.ts';
import { type Goal, type Problem, parseQuery, type Query, type QueryProblem } from './parse.ts';
import { type Ask, planQuestion, type Question, unanswerableOf } from './plan.ts';
import { type Bucket, bucketsOf, type Range, resolveComparison, resolveRange, stepFor } from './range.ts';
import { changeOf, emptyRow, type Measures, type Row, rangeOf, shapeRow } from './shape.ts';
import type { PartNote, StatementRow } from './statement.ts';
import { hasStoredIds } from './stored_ids.ts';

export interface QuerySite {
  id: number;
  domain: string;
  /** IANA name. */
  timezone: string;
  /** ISO 4217; revenue is summed in it where no goal names another. */
  currency: string;
}

/** What the engine asks of the record of frozen days (src/analytics/history). */
export type FrozenDays = Pick<SiteHistory, 'days' | 'rebuilding' | 'revisions'>;

export interface QueryHouse {
  site: QuerySite;
  goals: readonly Goal[];
  warehouse: Pick<Warehouse, 'read'>;
  /** Absent: everything is counted from visits and events, with the same results. */
  frozenDays?: FrozenDays | undefined;
  /** Sums of closed days from earlier questions. Absent: they are read again. */
  kept?: KeptSums | undefined;
  /** Closed days as columns, for questions with a filter. Absent: the engine reads them. */
  packed?: Pick<PackedDays, 'has' | 'count'> | undefined;
  /** Longest list that is added up in the server; longer ones are the engine's. Absent: what is sensible. */
  sumRowsMax?: number | undefined;
  /** What finished imports hold. Absent: there are none. */
  imported?: Imported | undefined;
  /** Milliseconds since the epoch. */
  now: number;
  signal?: AbortSignal | undefined;
}

export type QueryOutcome = QueryAnswer | QueryProblem;

/**
 * Answers one question in Plausible's shape, or says in a sentence why it has no answer.
 *
 * @example
 * await runQuery({ site, goals, warehouse, now, request: { site_id, metrics: ['visitors'], date_range: '7d' } })
 */
export async function runQuery(house: QueryHouse & { request: unknown }): Promise<QueryOutcome> {
  const [outcome] = await runBatch({ ...house, requests: [house.request] });
  if (outcome === undefined) throw new Error('A batch of one question has no answer.');
  return outcome;
}

const noEvent: { event?: number } = {};

/**
 * Answers several questions about one site, each for itself, in the order asked. What they share is read once:
 * lists over the same range and filters become one statement.
 */
export async function runBatch(house: QueryHouse & { requests: readonly unknown[] }): Promise<QueryOutcome[]> {
  const parsed = house.requests.map((request) => parseQuery(request, house.goals));
  const [first, stored] = await Promise.all([
    parsed.some(needsFirstEvent) ? firstEventOf(house) : noEvent,
    hasStoredIds(house, house.kept).catch((error: unknown): QueryProblem => ({ problem: problemOf(error) })),
  ]);
  const questions = parsed.map((query) => {
    if ('problem' in query) return query;
    if (typeof stored === 'object') return stored;
    if ('problem' in first) return needsFirstEvent(query) ? first : askOf(query, { ...house, stored }, undefined);
    const firstEvent = query.include.imports ? earlierOf(first.event, house) : first.event;
    return askOf(query, { ...house, stored }, firstEvent);
  });
  const answers = new Map<Question, QueryOutcome>();
  const answerable = questions.filter((question): question is Question => !('problem' in question));
  await answerAll(answerable, house, answers);
  return questions.map((question) =>
    'problem' in question ? question : (answers.get(question) ?? { problem: unanswered }),
  );
}

const unanswered: Problem = { code: 'internal', message: 'The question was lost on its way: ask again.' };

function needsFirstEvent(query: Query | QueryProblem): boolean {
  return !('problem' in query) && query.range.kind === 'named' && query.range.name === 'all';
}

/** `visits` is ordered by site and day, so its first row is found without reading more than one granule of each day. */
async function firstEventOf({ site, warehouse, signal }: QueryHouse): Promise<{ event?: number } | QueryProblem> {
  try {
    const [row] = await warehouse.read<{ first: string }>(
      'SELECT toUnixTimestamp64Milli(min(started)) AS first FROM visits WHERE site_id = {site:UInt64} HAVING count() > 0',
      { site: site.id },
      { purpose: 'first_event', ...(signal === undefined ? {} : { signal }) },
    );
    return row === undefined ? {} : { event: Number(row.first) };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/** The first event, or the first day of imported tables where that is earlier. */
function earlierOf(firstEvent: number | undefined, { imported, site }: QueryHouse): number | undefined {
  const [day] = imported === undefined || imported.ids.length === 0 ? [] : [...imported.days].sort();
  if (day === undefined) return firstEvent;
  const start = startOfDay(dayOf(day) ?? 0, zoneOrUtc(site.timezone));
  return firstEvent === undefined ? start : Math.min(start, firstEvent);
}

/** Gives the dates of a question their meaning and plans what to ask of the warehouse. */
function askOf(
  query: Query,
  house: QueryHouse & { stored: boolean },
  firstEvent: number | undefined,
): Question | QueryProblem {
  const { site, now, stored } = house;
  const zone = zoneOrUtc(site.timezone);
  const range = resolveRange(query.range, { zone, now, firstEvent });
  if (typeof range === 'string') return dateProblem(range, 'date_range');
  const compared =
    query.comparison === undefined ? undefined : resolveComparison(range, query.comparison, { now, firstEvent });
  if (typeof compared === 'string') return dateProblem(compared, 'include.comparisons');
  const time = query.dimensions.find((dimension) => dimension.kind === 'time');
  if (time === undefined) return planQuestion({ query, range, compared, house, stored });
  const step = time.step ?? stepFor(range);
  const buckets = bucketsOf(range, step);
  if (typeof buckets === 'string') return dateProblem(buckets, 'dimensions');
  const comparedBuckets = compared === undefined ? undefined : bucketsOf(compared, step);
  if (typeof comparedBuckets === 'string') return dateProblem(comparedBuckets, 'include.comparisons');
  return planQuestion({ query, range, compared, house, stored, step, buckets, comparedBuckets });
}

function dateProblem(message: string, field: string): QueryProblem {
  return { problem: { code: 'invalid_date_range', message, field } };
}

async function answerAll(questions: readonly Question[], house: QueryHouse, answers: Map<Question, QueryOutcome>) {
  const checked = await Promise.all(
    questions.map(async (question) => [question, await patternProblem(question, house)] as const),
  );
  const sound = checked.flatMap(([question, problem]) => {
    if (problem === undefined) return [question];
    answers.set(question, problem);
    return [];
  });
  const ran = await askWarehouse(
    sound.flatMap((question) => question.asks),
    house,
  );
  // A comparison of a list is asked for the rows that the list has, so it has to wait for them.
  const later = sound.flatMap((question) => {
    const main = ran.get(question.main);
    return main === undefined || 'problem' in main || question.compareRows === undefined
      ? []
      : [{ question, ask: question.compareRows(main.result.rows) }];
  });
  const compared = await askWarehouse(
    later.map(({ ask }) => ask),
    house,
  );
  for (const question of sound) {
    const ask = later.find((each) => each.question === question)?.ask;
    answers.set(question, answerOf(question, house, ran, ask === undefined ? undefined : compared.get(ask)));
  }
}

/** The engine's number for "this is no regular expression"; its text quotes the pattern, so only the number is used. */
const cannotCompile = /Code: 427\b|CANNOT_COMPILE_REGEXP/;

/**
 * Patterns are compiled by the engine's RE2 before anything else is read with them, so that a wrong one is the same
 * error whether or not the range holds any events.
 */
async function patternProblem(question: Question, house: QueryHouse): Promise<QueryProblem | undefined> {
  const { patterns } = question;
  if (patterns.length === 0) return undefined;
  const sql = `SELECT ${patterns.map((_, at) => `match('', {p${at}:String})`).join(', ')}`;
  try {
    await house.warehouse.read(sql, Object.fromEntries(patterns.map((pattern, at) => [`p${at}`, pattern])), {
      purpose: 'pattern',
    });
    return undefined;
  } catch (error) {
    if (cannotCompile.test(textsOf(error)))
      return {
        problem: {
          code: 'invalid_filter',
          message: `A pattern is no RE2 expression: correct it (https://github.com/google/re2/wiki/Syntax).`,
          field: 'filters',
        },
      };
    return { problem: problemOf(error) };
  }
}

function textsOf(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause)
    texts.push(at.message, String((at as { type?: unknown }).type ?? ''));
  return texts.join('\n');
}

function answerOf(
  question: Question,
  house: QueryHouse,
  ran: ReadonlyMap<Ask, Ran | QueryProblem>,
  comparedLate: Ran | QueryProblem | undefined,
): QueryOutcome {
  const failed = question.asks.map((ask) => ran.get(ask)).find((each) => each === undefined || 'problem' in each);
  if (failed !== undefined && 'problem' in failed) return failed;
  if (comparedLate !== undefined && 'problem' in comparedLate) return comparedLate;
  const rowsOf = (ask: Ask | undefined): StatementRow[] => {
    const found = ask === undefined ? undefined : ran.get(ask);
    return found === undefined || 'problem' in found ? [] : found.result.rows;
  };
  const { query, buckets = [], comparedBuckets = [] } = question;
  const measuresOf = (imported: Question['imported'], total: Ask | undefined, base: Ask | undefined): Measures => ({
    currencyOf: question.currencyOf,
    unanswerable: unanswerableOf(imported),
    ...(total === undefined ? {} : { total: visitorsOf(rowsOf(total)) }),
    ...(base === undefined ? {} : { base: visitorsOf(rowsOf(base)) }),
  });
  const measures = measuresOf(question.imported, question.total, question.base);
  const mainRows = rowsOf(question.main);
  let rows = mainRows.map((row) => shapeRow(row, query, buckets, measures));
  if (query.dimensions.length === 0 && rows.length === 0) rows = [emptyRow([], query, measures)];
  if (question.compared !== undefined) {
    const own = comparedLate === undefined ? rowsOf(question.compare) : comparedLate.result.rows;
    const before = measuresOf(question.comparedImports, question.compareTotal, question.compareBase);
    const then = own.map((row) => shapeRow(row, query, comparedBuckets, before));
    if (query.dimensions.length === 1 && query.dimensions[0]?.kind === 'time')
      rows = withEmptySteps(rows, query, buckets, measures);
    return finished(question, house, mainRows, withComparison(rows, then, question, measures), ran, rowsOf);
  }
  return finished(question, house, mainRows, rows, ran, rowsOf);
}

function visitorsOf(rows: readonly StatementRow[]): number {
  return Number(rows[0]?.a_visitors ?? 0);
}

/** A step without events has no row; beside a comparison it gets one, or the other side could not be shown. */
function withEmptySteps(rows: readonly Row[], query: Query, buckets: readonly Bucket[], measures: Measures): Row[] {
  const known = new Map(rows.map((row) => [row.dimensions[0], row]));
  if (query.limit < buckets.length || query.offset > 0) return [...rows];
  const steps = buckets.map((bucket) => known.get(bucket.label) ?? emptyRow([bucket.label], query, measures));
  const order = query.order[0];
  if (order?.key.kind === 'dimension') return order.direction === 'asc' ? steps : steps.reverse();
  return [...rows, ...steps.filter((step) => !rows.includes(step))];
}

function withComparison(rows: readonly Row[], then: readonly Row[], question: Question, measures: Measures) {
  const { query, buckets = [], comparedBuckets = [] } = question;
  const byLabels = new Map(then.map((row) => [row.dimensions.join('\u001f'), row]));
  const stepThen = new Map(buckets.map((bucket, at) => [bucket.label, comparedBuckets[at]?.label ?? null]));
  return rows.map((row) => {
    const dimensions = row.dimensions.map((label, at) =>
      query.dimensions[at]?.kind === 'time' ? (stepThen.get(label) ?? null) : label,
    );
    const found = byLabels.get(dimensions.join('\u001f'));
    const metrics = found?.metrics ?? emptyRow(row.dimensions, query, measures).metrics;
    const change = query.metrics.map((metric, at) =>
      changeOf(metric, metrics[at] ?? null, row.metrics[at] ?? null, query.include.decimals),
    );
    return { ...row, comparison: { dimensions, metrics, change } };
  });
}

function finished(
  question: Question,
  house: QueryHouse,
  mainRows: readonly StatementRow[],
  results: QueryAnswer['results'],
  ran: ReadonlyMap<Ask, Ran | QueryProblem>,
  rowsOf: (ask: Ask | undefined) => StatementRow[],
): QueryAnswer {
  const { query, range, buckets } = question;
  const meta: Record<string, unknown> = {};
  Object.assign(meta, importsOf(question, house));
  if (query.include.timeLabels && buckets !== undefined) {
    meta.time_labels = buckets.map((bucket) => bucket.label);
    const present = buckets.findIndex((bucket) => bucket.from <= house.now && house.now < bucket.to);
    if (present >= 0) meta.present_index = present;
  }
  if (query.include.totalRows) meta.total_rows = Number(mainRows[0]?.total_rows ?? 0);
  if (Object.keys(question.warnings).length > 0) meta.metric_warnings = question.warnings;
  const elsewhere = rowsOf(question.elsewhere).map((row) => ({
    currency: String(row.d0),
    events: Number(row.a_revenue_elsewhere),
  }));
  if (elsewhere.length > 0) meta.revenue_not_summed = elsewhere;
  const rebuilding = daysWithin(range, house.frozenDays?.rebuilding);
  if (rebuilding > 0)
    meta.warnings = [
      {
        code: 'days_rebuilding',
        warning: `${rebuilding} day(s) of this range are being counted again; until that is done they are read from visits, and the numbers are complete.`,
      },
    ];
  if (query.include.explain) meta.explain = explanationOf(question, house, ran);
  return { results, meta, query: echoOf(question, house.site) };
}

const importsWarnings = {
  unsupported_query:
    'Imported tables of days are not in this answer: they hold one thing per row, and the question is about two, or about something that is in none of them.',
  unsupported_interval: 'Imported tables of days are not in this answer: they know no time shorter than a day.',
};

/**
 * Plausible's words about imports, and the days that hold imported numbers: those of events, which are in every answer,
 * and those of tables, which are in it when it says so.
 */
function importsOf({ query, range, imported }: Question, { imported: held }: QueryHouse): Record<string, unknown> {
  const stretches = held === undefined ? [] : importedStretches(held.days, range);
  const marked = stretches.length === 0 ? {} : { imported_days: stretches };
  if (!query.include.imports) return marked;
  if (typeof imported === 'object') {
    const without = metricsWithoutImports(query, imported);
    const warning =
      without.length === 0
        ? {}
        : { imports_warning: `Imported tables do not know ${without.join(', ')}: those are of measured days only.` };
    return { imports_included: true, ...warning, ...marked };
  }
  const warning =
    imported === 'unsupported_query' || imported === 'unsupported_interval'
      ? { imports_warning: importsWarnings[imported] }
      : {};
  return { imports_included: false, imports_skip_reason: imported, ...warning, ...marked };
}

function daysWithin(range: Range, days: ReadonlySet<number> | undefined): number {
  let count = 0;
  for (const day of days ?? []) if (day * 86_400_000 < range.to && (day + 1) * 86_400_000 > range.from) count += 1;
  return count;
}

function explanationOf(question: Question, house: QueryHouse, ran: ReadonlyMap<Ask, Ran | QueryProblem>) {
  const parts = new Set<PartNote>();
  for (const ask of question.asks) {
    const found = ran.get(ask);
    if (found !== undefined && !('problem' in found)) for (const part of found.parts) parts.add(part);
  }
  const daily = question.main.list.daily;
  return {
    parts: [...parts],
    days: {
      frozen: new Set(daily?.rows.map((row) => row.day)).size,
      live: daily?.live.length ?? null,
      rebuilding: daysWithin(question.range, house.frozenDays?.rebuilding),
    },
    timezone: question.range.zone,
    counted_until: new Date(Math.min(house.now, question.range.to)).toISOString(),
    limits: { seconds: queryLimits.seconds, rows: queryLimits.rowsMax },
  };
}

/** The question as it was understood: dates resolved, `time` with its step, defaults filled in. */
function echoOf(question: Question, site: QuerySite): Record<string, unknown> {
  const { query, range, step, compared } = question;
  const named = (name: string) => (name === 'time' && step !== undefined ? `time:${step}` : name);
  return {
    site_id: site.domain,
    metrics: query.metrics,
    date_range: rangeOf(range),
    ...(compared === undefined ? {} : { comparison_date_range: rangeOf(compared) }),
    filters: query.asked.filters ?? [],
    dimensions: query.dimensions.map((dimension) => named(dimension.name)),
    order_by: query.order.map(({ key, direction }) => [
      key.kind === 'metric' ? key.metric : named(query.dimensions[key.index]?.name ?? ''),
      direction,
    ]),
    include: Object.fromEntries(Object.entries(query.asked.include ?? {}).filter(([, value]) => value !== false)),
    pagination: { limit: query.limit, offset: query.offset },
  };
}
