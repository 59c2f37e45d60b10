import type { MetricName } from '../../../contract/query.ts';
import { type Atom, isRevenue, metricFacts, type TimeStep } from '../facts.ts';
import { filterActions, isOfActions } from './condition.ts';
import { planDaily } from './daily.ts';
import { type ImportedPlan, planImported, type SkipReason } from './imported.ts';
import { anyFilter, type Dimension, type Filter, type Goal, isOfConversion, type Query } from './parse.ts';
import type { Bucket, Range } from './range.ts';
import type { QueryHouse } from './run.ts';
import type { List, Scope, StatementRow, Tail } from './statement.ts';
import { daysTouched } from './whole_days.ts';

/** One list to be asked of the warehouse. */
export interface Ask {
  scope: Scope;
  list: List;
  tail: Tail;
}

export interface AskResult {
  rows: StatementRow[];
}

/** A question with everything that it takes to answer it. */
export interface Question {
  query: Query;
  range: Range;
  compared: Range | undefined;
  step: TimeStep | undefined;
  buckets: readonly Bucket[] | undefined;
  comparedBuckets: readonly Bucket[] | undefined;
  /** All that can be asked at once; the named ones below are among them. */
  asks: Ask[];
  main: Ask;
  /** All visitors under the same filters (`percentage`), and without those of the conversion (`conversion_rate`). */
  total: Ask | undefined;
  base: Ask | undefined;
  compare: Ask | undefined;
  compareTotal: Ask | undefined;
  compareBase: Ask | undefined;
  /** Revenue of the same events in other currencies than the one that is summed. */
  elsewhere: Ask | undefined;
  /** The comparison of a list, for the rows that the list turned out to have. */
  compareRows: ((rows: readonly StatementRow[]) => Ask) | undefined;
  /** What imported tables of days add to the answer, or why nothing; and to the comparison. */
  imported: ImportedPlan | SkipReason;
  comparedImports: ImportedPlan | SkipReason;
  /** RE2 expressions that the filters carry. */
  patterns: string[];
  currencyOf: (dimensions: readonly string[]) => string | undefined;
  /** Metrics that are null, and why; Plausible's `meta.metric_warnings`. */
  warnings: Record<string, { code: string; warning: string }>;
}

export interface Dated {
  query: Query;
  range: Range;
  compared: Range | undefined;
  house: QueryHouse;
  step?: TimeStep;
  buckets?: readonly Bucket[];
  comparedBuckets?: readonly Bucket[] | undefined;
  /** Has the site visitors of storage mode? */
  stored: boolean;
}

/** Decides what has to be asked. It reads nothing and knows no table; sql.ts decides which one answers. */
export function planQuestion(dated: Dated): Question {
  const { query, range, compared, house } = dated;
  const goals = goalsInView(query, house.goals);
  const revenue = revenueOf(query, goals, house.site.currency);
  const scopeOf = (over: Range, filters: readonly Filter[]): Scope => ({
    siteId: house.site.id,
    range: over,
    filters,
    goals,
    currency: revenue.currency ?? '-',
    stored: dated.stored && daysTouched(over).length > 1,
  });
  const tail: Tail = {
    order: query.order,
    limit: query.limit,
    offset: query.offset,
    totalRows: query.include.totalRows,
  };
  const wantsTotal = query.metrics.includes('percentage');
  const wantsBase = query.metrics.includes('conversion_rate');
  const base = withoutConversion(query.filters);
  const included = (asked: Parameters<typeof planImported>[0], over: Range): ImportedPlan | SkipReason =>
    query.include.imports && house.imported !== undefined
      ? planImported(asked, over, house.imported)
      : 'no_imported_data';
  const visitorsIncluded = (over: Range, filters: readonly Filter[]) =>
    included({ dimensions: [], metrics: ['visitors'], filters }, over);
  /** Shares of a list that has imported numbers are shares of a total that has them, or the list has none either. */
  const importedOf = (over: Range, buckets: readonly Bucket[] | undefined): ImportedPlan | SkipReason => {
    const plans = [
      included({ ...query, buckets }, over),
      ...(wantsTotal ? [visitorsIncluded(over, query.filters)] : []),
      ...(wantsBase ? [visitorsIncluded(over, base)] : []),
    ];
    return plans.find((plan) => typeof plan === 'string') ?? (plans[0] as ImportedPlan);
  };
  const imported = importedOf(range, dated.buckets);
  const added = (plan: ImportedPlan | SkipReason) => (typeof plan === 'string' ? {} : { imported: plan });
  const listOf = (over: Range, buckets: readonly Bucket[] | undefined): List =>
    withDays(
      {
        dimensions: query.dimensions,
        ...(buckets === undefined ? {} : { buckets }),
        metrics: query.metrics,
        atoms: atomsOf(query.metrics),
        ...added(importedOf(over, buckets)),
        ...(query.metrics.includes('group_conversion_rate') ? { groupFilters: withoutConversion(query.filters) } : {}),
      },
      scopeOf(over, query.filters),
      house,
    );
  const visitorsOver = (over: Range, filters: readonly Filter[]): Ask => ({
    scope: scopeOf(over, filters),
    list: withDays(
      {
        dimensions: [],
        metrics: ['visitors'],
        atoms: ['visitors'],
        ...(typeof importedOf(over, over === range ? dated.buckets : dated.comparedBuckets) === 'string'
          ? {}
          : added(visitorsIncluded(over, filters))),
      },
      scopeOf(over, filters),
      house,
    ),
    tail: wholeTail,
  });
  const main: Ask = { scope: scopeOf(range, query.filters), list: listOf(range, dated.buckets), tail };
  const comparison = (over: Range, onlyRows?: string[][]): Ask => ({
    scope: scopeOf(over, query.filters),
    list: listOf(over, dated.comparedBuckets),
    tail:
      onlyRows === undefined ? { ...wholeTail, order: query.order } : { ...wholeTail, order: query.order, onlyRows },
  });
  // Rows of a series are found by their step, all others by their labels.
  const waits = query.dimensions.some((dimension) => dimension.kind !== 'time');
  const total = wantsTotal ? visitorsOver(range, query.filters) : undefined;
  const baseAsk = wantsBase ? visitorsOver(range, base) : undefined;
  const compare = compared !== undefined && !waits ? comparison(compared) : undefined;
  const compareTotal = compared !== undefined && wantsTotal ? visitorsOver(compared, query.filters) : undefined;
  const compareBase = compared !== undefined && wantsBase ? visitorsOver(compared, base) : undefined;
  const elsewhere = revenue.asked ? elsewhereAsk(scopeOf(range, query.filters), query, house) : undefined;
  const all = [main, total, baseAsk, compare, compareTotal, compareBase, elsewhere];
  return {
    query,
    range,
    compared,
    step: dated.step,
    buckets: dated.buckets,
    comparedBuckets: dated.comparedBuckets,
    asks: all.filter((ask) => ask !== undefined),
    main,
    total,
    base: baseAsk,
    compare,
    compareTotal,
    compareBase,
    elsewhere,
    compareRows: compared !== undefined && waits ? (rows) => comparison(compared, labelsOf(rows, query)) : undefined,
    imported,
    comparedImports: compared === undefined ? 'out_of_range' : importedOf(compared, dated.comparedBuckets),
    patterns: patternsOf(query.filters),
    currencyOf: revenue.currencyOf,
    warnings: { ...revenue.warnings, ...readingWarnings(query, goals), ...importWarnings(imported) },
  };
}

/** Metrics that have no answer beside what is imported. */
export function unanswerableOf(imported: Question['imported']): readonly MetricName[] {
  return typeof imported === 'string' ? [] : imported.unanswerable;
}

/** Rates over days of which an import has one half. */
function importWarnings(imported: Question['imported']): Question['warnings'] {
  const warning = (metric: MetricName) =>
    `There is no ${metric} of this range: its imported days lack a number that it is made of. Ask about other days, or leave imports out.`;
  return Object.fromEntries(
    unanswerableOf(imported).map((metric) => [metric, { code: 'not_in_imported_days', warning: warning(metric) }]),
  );
}

const wholeTail: Tail = { order: [], limit: 100_000, offset: 0, totalRows: false };

/** The list with what frozen days answer of it. */
function withDays(list: List, { range, filters, goals }: Scope, { frozenDays }: QueryHouse): List {
  const daily = frozenDays === undefined ? undefined : planDaily(list, range, filters, { frozen: frozenDays, goals });
  return daily === undefined ? list : { ...list, daily };
}

export function atomsOf(metrics: readonly MetricName[]): Atom[] {
  return [...new Set(metrics.flatMap((metric) => metricFacts[metric].atoms))];
}

function withoutConversion(filters: readonly Filter[]): Filter[] {
  return filters.filter((filter) => !isOfConversion(filter));
}

/** Labels of the rows by everything but time, which the comparison has other steps for. */
function labelsOf(rows: readonly StatementRow[], query: Query): string[][] {
  const labels = rows.map((row) =>
    query.dimensions.flatMap((dimension, at) => (dimension.kind === 'time' ? [] : [String(row[`d${at}`] ?? '')])),
  );
  return [...new Map(labels.map((each) => [each.join('\u001f'), each])).values()];
}

/** With goals filtered at the top level a list of goals shows those only, as in Plausible. */
function goalsInView(query: Query, goals: readonly Goal[]): readonly Goal[] {
  const filtered = query.filters.flatMap((filter) => (filter.kind === 'goal' ? [filter.goals] : []));
  return goals.filter((goal) => filtered.every((some) => some.some((each) => each.name === goal.name)));
}

/**
 * Money of different currencies is never added. A list of goals sums each goal in its own currency; filtered by
 * goals, in the one that they share; with no goal in the question, in the site's.
 */
function revenueOf(query: Query, inView: readonly Goal[], siteCurrency: string) {
  const asked = query.metrics.filter((metric) => metric === 'total_revenue' || metric === 'average_revenue');
  const none = { asked: false, currency: undefined, currencyOf: () => undefined, warnings: {} };
  if (asked.length === 0) return none;
  const refused = (code: string, warning: string) => ({
    ...none,
    warnings: Object.fromEntries(asked.map((metric) => [metric, { code, warning }])),
  });
  const earning = inView.filter((goal) => goal.currency !== null);
  const goalAt = query.dimensions.findIndex((dimension) => dimension.kind === 'goal');
  const filtered = query.filters.some((filter) => anyFilter(filter, (test) => test.kind === 'goal'));
  if ((goalAt >= 0 || filtered) && earning.length === 0)
    return refused(
      'no_revenue_goals_matching',
      'Revenue is null because none of the goals earns: give one a currency.',
    );
  if (goalAt >= 0) {
    const byGoal = new Map(inView.map((goal) => [goal.name, goal.currency ?? undefined]));
    return {
      asked: true,
      currency: undefined,
      currencyOf: (dimensions: readonly string[]) => byGoal.get(dimensions[goalAt] ?? ''),
      warnings: {},
    };
  }
  const currencies = [...new Set(earning.map((goal) => goal.currency as string))];
  if (filtered && currencies.length > 1)
    return refused(
      'no_single_revenue_currency',
      `Revenue is null because the goals earn in ${currencies.join(' and ')}: ask for one of them, or add the event:goal dimension.`,
    );
  const currency = filtered ? currencies[0] : siteCurrency;
  return { asked: true, currency, currencyOf: () => currency, warnings: {} };
}

const currencyDimension: Dimension = {
  kind: 'column',
  name: 'revenue_currency',
  fact: { level: 'event', column: 'revenue_currency', empty: '' },
};

function elsewhereAsk(scope: Scope, query: Query, house: QueryHouse): Ask {
  const goal = query.dimensions.find((dimension) => dimension.kind === 'goal');
  return {
    scope,
    list: withDays(
      {
        dimensions: goal === undefined ? [currencyDimension] : [currencyDimension, goal],
        metrics: [],
        atoms: ['revenue_elsewhere'],
      },
      scope,
      house,
    ),
    tail: wholeTail,
  };
}

/** Depth and attention come with engagement events, which have no name or title to be asked by, and no goal but scroll. */
function readingWarnings(query: Query, goals: readonly Goal[]): Question['warnings'] {
  const byAction = query.dimensions.some((dimension) => isOfActions(dimension, goals)) || filterActions(query.filters);
  if (!byAction) return {};
  const asked = query.metrics.filter((metric) => metric === 'scroll_depth' || metric === 'time_on_page');
  const warning = 'Reading is not measured per event: drop the name, goal or title from the question.';
  return Object.fromEntries(asked.map((metric) => [metric, { code: 'not_measured_by_event', warning }]));
}

function patternsOf(filters: readonly Filter[]): string[] {
  const patterns: string[] = [];
  for (const filter of filters)
    anyFilter(filter, (test) => {
      if (test.kind === 'test' && test.operator === 'matches') patterns.push(...test.values);
      return false;
    });
  return [...new Set(patterns)];
}

/** For logs and metrics; a word of ours, never of the question. */
export function askName(list: List | undefined): string {
  if (list?.buckets !== undefined) return 'series';
  return list?.dimensions.length === 0 ? 'totals' : 'list';
}

/**
 * Lists that are read together: the same site, range, filters and goals, however they are ordered and cut. Those without
 * revenue are the same in every currency, so they go where revenue is asked for.
 */
export function together(asks: readonly Ask[]): Pick<Bundle, 'scope' | 'lists'>[] {
  const groups = new Map<string, Bundle>();
  const earning = new Map<string, string>();
  const inNoCurrency = (ask: Ask) => eventsOf({ ...ask, scope: { ...ask.scope, currency: '' } });
  for (const ask of asks) if (earns(ask)) earning.set(inNoCurrency(ask), eventsOf(ask));
  // The first ask of a group gives it its currency.
  for (const ask of [...asks].sort((one, other) => Number(earns(other)) - Number(earns(one)))) {
    const key = (earns(ask) ? undefined : earning.get(inNoCurrency(ask))) ?? eventsOf(ask);
    const found = groups.get(key) ?? { scope: ask.scope, lists: [], tail: ask.tail };
    addTo(found, ask);
    groups.set(key, found);
  }
  return [...groups.values()];
}

function earns({ list }: Ask): boolean {
  return list.atoms.some(isRevenue);
}

/** What one statement answers: its lists, and for each of them the asks that it is the answer to. */
export interface Bundle {
  scope: Scope;
  lists: { list: List; asks: Ask[] }[];
  tail: Tail;
}

/**
 * Puts together what one statement can answer: the same site, range, filters and goals; all totals, which become one
 * list, and lists that are cut and ordered alike. What is asked twice is answered once.
 */
export function bundle(asks: readonly Ask[]): Bundle[] {
  const bundles = new Map<string, Bundle>();
  const bundleOfScope = new Map<string, string>();
  // Lists first, so that totals find one of the same events to travel with.
  const ordered = [...asks].sort((a, b) => Number(isTotal(a)) - Number(isTotal(b)));
  for (const ask of ordered) {
    const scope = eventsOf(ask);
    const key = isTotal(ask) ? (bundleOfScope.get(scope) ?? scope) : `${scope} ${cutOf(ask)}`;
    if (!isAlone(ask) && !bundleOfScope.has(scope)) bundleOfScope.set(scope, key);
    const found = bundles.get(key) ?? { scope: ask.scope, lists: [], tail: ask.tail };
    if (!isTotal(ask)) found.tail = ask.tail;
    addTo(found, ask);
    bundles.set(key, found);
  }
  return [...bundles.values()];
}

/** Names the events that an ask is about, and what imports add to them: lists are put together by their dimensions. */
function eventsOf({ scope: { range, filters, goals, currency }, list: { imported } }: Ask): string {
  const added = imported === undefined ? [] : [imported.kind, imported.atoms];
  return JSON.stringify([range.from, range.to, filters, goals, currency, added]);
}

function isTotal(ask: Ask): boolean {
  return ask.list.dimensions.length === 0;
}

/** A series has steps of its own, a list of goals counts events several times: neither shares a statement. */
function isAlone({ list, tail }: Ask): boolean {
  return (
    list.buckets !== undefined ||
    list.groupFilters !== undefined ||
    tail.onlyRows !== undefined ||
    list.dimensions.some((dimension) => dimension.kind === 'goal')
  );
}

function cutOf(ask: Ask): string {
  const names = isAlone(ask) ? ask.list.dimensions.map((dimension) => dimension.name) : [];
  return JSON.stringify([ask.tail, ask.list.metrics, ask.list.groupFilters, names, ask.list.buckets?.length]);
}

function addTo({ lists }: Bundle, ask: Ask) {
  const name = (list: List) => list.dimensions.map((dimension) => dimension.name).join();
  const same = lists.find(({ list }) => name(list) === name(ask.list));
  if (same === undefined) {
    lists.push({ list: ask.list, asks: [ask] });
    return;
  }
  same.list = {
    ...same.list,
    metrics: [...new Set([...same.list.metrics, ...ask.list.metrics])],
    atoms: [...new Set([...same.list.atoms, ...ask.list.atoms])],
  };
  same.asks.push(ask);
}
