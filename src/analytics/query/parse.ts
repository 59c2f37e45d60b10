import type { z } from 'zod';
import type { ErrorCode } from '../../../contract/errors.ts';
import { queryLimits } from '../../../contract/limits.ts';
import {
  type FilterOperator,
  filterOperators,
  type MetricName,
  metricNames,
  queryRequest,
} from '../../../contract/query.ts';
import { wordsOfShape } from '../../platform/shape.ts';
import {
  type DimensionFact,
  dimensionFacts,
  goalDimension,
  metricFacts,
  propertyPrefix,
  type TimeStep,
  timeSteps,
} from '../facts.ts';
import type { GoalRule } from '../history/index.ts';
import type { ComparisonRequest, RangeRequest } from './range.ts';

/** A goal as the engine needs it: the caller reads it from its own store. */
export interface Goal extends GoalRule {
  /** What answers and filters call it. */
  name: string;
  /** ISO 4217, when the goal earns revenue. */
  currency: string | null;
}

/** Why a question has no answer: the fact, then the next step. `field` is the path of the part at fault. */
export interface Problem {
  code: ErrorCode;
  message: string;
  field?: string;
}
export interface QueryProblem {
  problem: Problem;
}

export type Dimension =
  | { kind: 'time'; name: string; step: TimeStep | undefined }
  | { kind: 'goal'; name: string }
  | { kind: 'property'; name: string; property: string }
  | { kind: 'column'; name: string; fact: DimensionFact };

export type Filter =
  | { kind: 'and' | 'or'; nodes: Filter[] }
  | { kind: 'not'; node: Filter }
  | { kind: 'goal'; goals: Goal[] }
  | {
      kind: 'test';
      subject: Extract<Dimension, { kind: 'property' | 'column' }>;
      operator: 'is' | 'contains' | 'matches' | 'matches_wildcard';
      negated: boolean;
      caseSensitive: boolean;
      values: string[];
    };

export interface Order {
  key: { kind: 'metric'; metric: MetricName } | { kind: 'dimension'; index: number };
  direction: 'asc' | 'desc';
}

/** A question that makes sense; what is left to find out is what its dates mean in the site's zone. */
export interface Query {
  metrics: MetricName[];
  dimensions: Dimension[];
  /** All of them must hold. */
  filters: Filter[];
  range: RangeRequest;
  comparison: ComparisonRequest | undefined;
  order: Order[];
  limit: number;
  offset: number;
  include: { imports: boolean; timeLabels: boolean; totalRows: boolean; decimals: boolean; explain: boolean };
  /** As it was asked, for the echo in the answer. */
  asked: z.infer<typeof queryRequest>;
}

/** One question may test this many things; each is a condition in the statement. */
export const filterTestsMax = 100;
export const filterValueCharsMax = 2_000;
export const propertyCharsMax = 300;

/** Thrown inside this file only, so that a deep fault needs no ladder of checks on its way up. */
class Fault extends Error {
  readonly problem: Problem;
  constructor(code: ErrorCode, message: string, field: string) {
    super(message);
    this.problem = { code, message, field };
  }
}

/**
 * Reads a question of any shape. Everything that can be said about it without a calendar or a store is said here.
 *
 * @example
 * parseQuery({ site_id: 'example.com', metrics: ['visitors'], date_range: '7d' }, [])
 */
export function parseQuery(request: unknown, goals: readonly Goal[]): Query | QueryProblem {
  const shape = queryRequest.safeParse(request, { error: wordsOfShape });
  if (!shape.success) return { problem: shapeProblem(shape.error) };
  try {
    return readQuery(shape.data, goals);
  } catch (fault) {
    if (fault instanceof Fault) return { problem: fault.problem };
    throw fault;
  }
}

function shapeProblem(error: z.ZodError): Problem {
  const issue = error.issues[0];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...unknown].join('.');
  if (field.startsWith('date_range'))
    return {
      code: 'invalid_date_range',
      message: 'date_range is neither a known range ("7d", "month", "all", …) nor a pair of dates: send one of them.',
      field: 'date_range',
    };
  if (field === '' && issue?.code === 'invalid_type')
    return {
      code: 'invalid_field',
      message: 'A query is a JSON object: send one with site_id, metrics and date_range.',
    };
  return {
    code: 'invalid_field',
    message: `${field === '' ? 'The query' : field} cannot be read: ${issue?.message ?? 'wrong shape'}. Correct it; docs/guides/metrics.md shows the shape.`,
    ...(field === '' ? {} : { field }),
  };
}

function readQuery(asked: z.infer<typeof queryRequest>, goals: readonly Goal[]): Query {
  const metrics = asked.metrics.map((name, at) => readMetric(name, `metrics.${at}`));
  refuseTwins(metrics, 'metrics');
  const dimensions = (asked.dimensions ?? []).map((name, at) => readDimension(name, `dimensions.${at}`));
  refuseTwins(
    dimensions.map((dimension) => (dimension.kind === 'time' ? 'time' : dimension.name)),
    'dimensions',
  );
  const reader = filterReader(goals);
  const filters = (asked.filters ?? []).map((filter, at) => reader(filter, `filters.${at}`, 1));
  const include = asked.include ?? {};
  if (include.time_labels === true && !dimensions.some((dimension) => dimension.kind === 'time'))
    throw new Fault(
      'invalid_field',
      'include.time_labels needs a time dimension: add one, such as time:day.',
      'include.time_labels',
    );
  const query: Query = {
    metrics,
    dimensions,
    filters,
    range: readRange(asked.date_range),
    comparison: readComparison(include.comparisons),
    order: (asked.order_by ?? defaultOrder(metrics, dimensions)).map((entry, at) =>
      readOrder(entry, { metrics, dimensions }, `order_by.${at}`),
    ),
    limit: asked.pagination?.limit ?? queryLimits.rowsMax,
    offset: asked.pagination?.offset ?? 0,
    include: {
      imports: include.imports === true,
      timeLabels: include.time_labels === true,
      totalRows: include.total_rows === true,
      decimals: include.decimals === true,
      explain: include.explain === true,
    },
    asked,
  };
  refuseOrphanMetrics(query);
  return query;
}

function readMetric(name: string, field: string): MetricName {
  const known = metricNames.find((metric) => metric === name);
  if (known !== undefined) return known;
  throw new Fault(
    'unknown_metric',
    `There is no metric ${quoted(name)}. Ask for one of: ${metricNames.join(', ')}.`,
    field,
  );
}

function readDimension(name: string, field: string): Dimension {
  if (name === 'time') return { kind: 'time', name, step: undefined };
  const step = timeSteps.find((known) => name === `time:${known}`);
  if (step !== undefined) return { kind: 'time', name, step };
  if (name === goalDimension) return { kind: 'goal', name };
  return readSubject(name, field);
}

function readSubject(name: string, field: string): Extract<Dimension, { kind: 'property' | 'column' }> {
  if (name.startsWith(propertyPrefix)) {
    const property = name.slice(propertyPrefix.length);
    if (property.length === 0 || property.length > propertyCharsMax)
      throw new Fault(
        'unknown_dimension',
        `A property's name has 1 to ${propertyCharsMax} characters: shorten it.`,
        field,
      );
    return { kind: 'property', name, property };
  }
  const fact = Object.hasOwn(dimensionFacts, name) ? dimensionFacts[name] : undefined;
  if (fact !== undefined) return { kind: 'column', name, fact };
  const known = `${Object.keys(dimensionFacts).join(', ')}, ${goalDimension}, ${propertyPrefix}<name>`;
  throw new Fault('unknown_dimension', `There is no dimension ${quoted(name)}. Ask for one of: ${known}.`, field);
}

function refuseTwins(names: readonly string[], field: string) {
  const twin = names.find((name, at) => names.indexOf(name) !== at);
  if (twin === undefined) return;
  throw new Fault('invalid_field', `${field} names ${quoted(twin)} twice: name it once.`, field);
}

function filterReader(goals: readonly Goal[]) {
  let tests = 0;
  return function read(filter: unknown, field: string, depth: number): Filter {
    if (depth > queryLimits.filterDepthMax)
      throw new Fault(
        'query_too_large',
        `Filters are nested deeper than ${queryLimits.filterDepthMax}: flatten them.`,
        field,
      );
    if (!Array.isArray(filter) || typeof filter[0] !== 'string')
      throw new Fault(
        'invalid_filter',
        'A filter is a list such as ["is", "event:page", ["/"]]: write it like that.',
        field,
      );
    const [operator] = filter as [string];
    if (operator === 'and' || operator === 'or') {
      const nodes = filter[1];
      if (!Array.isArray(nodes) || nodes.length === 0 || filter.length > 2)
        throw new Fault(
          'invalid_filter',
          `["${operator}", [filter, …]] takes a list of filters: give it at least one.`,
          field,
        );
      return { kind: operator, nodes: nodes.map((node, at) => read(node, `${field}.1.${at}`, depth + 1)) };
    }
    if (operator === 'not') {
      if (filter.length !== 2)
        throw new Fault('invalid_filter', '["not", filter] takes one filter: give it one.', field);
      return { kind: 'not', node: read(filter[1], `${field}.1`, depth + 1) };
    }
    if (operator === 'has_done' || operator === 'has_not_done')
      throw new Fault(
        'unsupported',
        `${operator} is not available yet: filter by the event itself, or ask for the two numbers apart.`,
        field,
      );
    const known = filterOperators.find((each) => each === operator);
    if (known === undefined)
      throw new Fault(
        'invalid_filter',
        `There is no filter operator ${quoted(operator)}. Use one of: ${filterOperators.join(', ')}, and, or, not.`,
        field,
      );
    tests += 1;
    if (tests > filterTestsMax)
      throw new Fault('query_too_large', `The query has more than ${filterTestsMax} filters: ask in parts.`, field);
    return readTest(known, filter, field, goals);
  };
}

function readTest(operator: FilterOperator, filter: unknown[], field: string, goals: readonly Goal[]): Filter {
  const [, name, list, modifiers] = filter;
  if (typeof name !== 'string' || filter.length < 3 || filter.length > 4)
    throw new Fault('invalid_filter', 'A filter is [operator, dimension, [values]]: write it like that.', field);
  if (name === 'segment')
    throw new Fault('unsupported', 'Segments are not available yet: put their filters into the query itself.', field);
  if (name === 'time' || name.startsWith('time:'))
    throw new Fault('invalid_filter', 'Time is no filter: set date_range instead.', field);
  const values = readValues(list, `${field}.2`);
  const caseSensitive = readCase(operator, modifiers, `${field}.3`);
  if (name === goalDimension) return readGoals(operator, values, caseSensitive, goals, field);
  const subject = readSubject(name, `${field}.1`);
  const base = operator.replace(/_not$/, '') as 'is' | 'contains' | 'matches' | 'matches_wildcard';
  if (base === 'contains' && values.includes(''))
    throw new Fault('invalid_filter', 'Every text contains the empty one: name some letters.', `${field}.2`);
  if (base === 'matches') refuseLongPatterns(values, `${field}.2`);
  return { kind: 'test', subject, operator: base, negated: operator !== base, caseSensitive, values };
}

function readValues(list: unknown, field: string): string[] {
  if (!Array.isArray(list) || list.length === 0)
    throw new Fault('invalid_filter', 'A filter needs a list of values: give it at least one.', field);
  if (list.length > queryLimits.filterValuesMax)
    throw new Fault(
      'query_too_large',
      `A filter takes at most ${queryLimits.filterValuesMax} values: use a pattern.`,
      field,
    );
  return list.map((value, at) => {
    // Places are numbers in Plausible's answers (GeoName ids), so scripts send them as numbers.
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    if (typeof value !== 'string')
      throw new Fault('invalid_filter', 'A filter compares with text: put the value in quotes.', `${field}.${at}`);
    if (value.length > filterValueCharsMax)
      throw new Fault(
        'query_too_large',
        `A value has at most ${filterValueCharsMax} characters: shorten it.`,
        `${field}.${at}`,
      );
    if (!value.isWellFormed())
      throw new Fault(
        'invalid_filter',
        'The value is no valid Unicode (a lone surrogate): correct it.',
        `${field}.${at}`,
      );
    return value;
  });
}

function readCase(operator: FilterOperator, modifiers: unknown, field: string): boolean {
  if (modifiers === undefined) return true;
  const keys = typeof modifiers === 'object' && modifiers !== null ? Object.keys(modifiers) : ['?'];
  const value = (modifiers as { case_sensitive?: unknown } | null)?.case_sensitive;
  if (keys.some((key) => key !== 'case_sensitive') || (value !== undefined && typeof value !== 'boolean'))
    throw new Fault(
      'invalid_filter',
      'The one modifier is {"case_sensitive": true or false}: send that or none.',
      field,
    );
  if (value !== undefined && operator.startsWith('matches'))
    throw new Fault('invalid_filter', 'Patterns take no case_sensitive: begin the pattern with (?i) instead.', field);
  return value ?? true;
}

function refuseLongPatterns(values: readonly string[], field: string) {
  const at = values.findIndex((value) => value.length > queryLimits.patternCharsMax);
  if (at >= 0)
    throw new Fault(
      'query_too_large',
      `A pattern has at most ${queryLimits.patternCharsMax} characters: shorten it.`,
      `${field}.${at}`,
    );
}

/** As in Plausible a goal is found by its name, whole or in part; asking for one that does not exist is a mistake. */
function readGoals(
  operator: FilterOperator,
  values: readonly string[],
  caseSensitive: boolean,
  goals: readonly Goal[],
  field: string,
): Filter {
  const fold = (text: string) => (caseSensitive ? text : text.toLowerCase());
  if (operator === 'contains')
    return {
      kind: 'goal',
      goals: goals.filter((goal) => values.some((value) => fold(goal.name).includes(fold(value)))),
    };
  if (operator !== 'is')
    throw new Fault('invalid_filter', 'Goals are filtered with is and contains: use one of them.', field);
  return {
    kind: 'goal',
    goals: values.flatMap((value, at) => {
      const found = goals.filter((goal) => fold(goal.name) === fold(value));
      if (found.length > 0) return found;
      throw new Fault(
        'invalid_filter',
        `This site has no goal ${quoted(value)}: create it under Goals, or correct the name.`,
        `${field}.2.${at}`,
      );
    }),
  };
}

function readRange(asked: Query['asked']['date_range']): RangeRequest {
  if (typeof asked !== 'string') return readPair(asked, 'date_range');
  const last = /^(\d+)(d|mo)$/.exec(asked);
  if (last !== null) return { kind: 'last', count: Number(last[1]), unit: last[2] as 'd' | 'mo' };
  return { kind: 'named', name: asked as Extract<RangeRequest, { kind: 'named' }>['name'] };
}

function readPair([from, to]: readonly [string, string], field: string): RangeRequest {
  const times = [from, to].filter((text) => text.includes('T')).length;
  if (times === 1)
    throw new Fault('invalid_date_range', 'The range mixes a date with a time: send two dates or two times.', field);
  return { kind: times === 2 ? 'times' : 'dates', from, to };
}

function readComparison(asked: NonNullable<Query['asked']['include']>['comparisons']): ComparisonRequest | undefined {
  if (asked === undefined) return undefined;
  if (asked.mode === 'custom')
    return { mode: 'custom', range: readPair(asked.date_range, 'include.comparisons.date_range') };
  return { mode: asked.mode, matchDayOfWeek: asked.match_day_of_week === true };
}

function defaultOrder(metrics: readonly MetricName[], dimensions: readonly Dimension[]): [string, 'asc' | 'desc'][] {
  const time = dimensions.find((dimension) => dimension.kind === 'time');
  return [
    ...(time === undefined ? [] : [[time.name, 'asc'] as [string, 'asc']]),
    ...metrics.slice(0, 1).map((metric) => [metric, 'desc'] as [string, 'desc']),
  ];
}

function readOrder(
  [name, direction]: readonly [string, 'asc' | 'desc'],
  { metrics, dimensions }: { metrics: readonly MetricName[]; dimensions: readonly Dimension[] },
  field: string,
): Order {
  const metric = metrics.find((each) => each === name);
  if (metric !== undefined) return { key: { kind: 'metric', metric }, direction };
  const index = dimensions.findIndex((dimension) => dimension.name === name);
  if (index >= 0) return { key: { kind: 'dimension', index }, direction };
  throw new Fault(
    'invalid_field',
    `order_by names ${quoted(name)}, which the query does not ask for: add it or drop it.`,
    field,
  );
}

function refuseOrphanMetrics({ metrics, dimensions, filters }: Query) {
  const tests = (wanted: (filter: Filter) => boolean) => filters.some((filter) => anyFilter(filter, wanted));
  const page = (name: string) => name === 'event:page';
  const met = {
    page:
      dimensions.some((dimension) => page(dimension.name)) ||
      tests((filter) => filter.kind === 'test' && page(filter.subject.name)),
    goal: dimensions.some((dimension) => dimension.kind === 'goal') || tests((filter) => filter.kind === 'goal'),
    dimension: dimensions.length > 0,
  };
  const next = {
    page: 'an event:page dimension or filter',
    goal: 'an event:goal dimension or filter',
    dimension: 'a dimension',
  };
  metrics.forEach((metric, at) => {
    const { needs } = metricFacts[metric];
    if (needs !== undefined && !met[needs])
      throw new Fault('invalid_field', `${metric} is a number only with ${next[needs]}: add one.`, `metrics.${at}`);
  });
  if (!metrics.some((metric) => metric === 'conversion_rate' || metric === 'group_conversion_rate')) return;
  const deep = (filter: Filter) =>
    (filter.kind === 'and' || filter.kind === 'or' || filter.kind === 'not') && anyFilter(filter, isOfConversion);
  if (filters.some(deep))
    throw new Fault(
      'invalid_filter',
      'With a conversion rate, goals and properties are filtered at the top level only: move them there.',
      'filters',
    );
}

/** Goals and properties say what the conversion is; the visitors it is a share of are counted without them. */
export function isOfConversion(filter: Filter): boolean {
  return filter.kind === 'goal' || (filter.kind === 'test' && filter.subject.kind === 'property');
}

/** Does the wanted test occur in a filter, at any depth? */
export function anyFilter(filter: Filter, wanted: (filter: Filter) => boolean): boolean {
  if (wanted(filter)) return true;
  if (filter.kind === 'not') return anyFilter(filter.node, wanted);
  if (filter.kind === 'and' || filter.kind === 'or') return filter.nodes.some((node) => anyFilter(node, wanted));
  return false;
}

function quoted(text: string): string {
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`;
}
