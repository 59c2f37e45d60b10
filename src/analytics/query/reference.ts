import type { EventRow } from '../event_row.ts';
import { type Atom, atomNames, metricFacts } from '../facts.ts';
import type { Dimension, Filter, Goal, Query } from './parse.ts';
import type { Bucket, Range } from './range.ts';

/**
 * The definitions of docs/guides/metrics.md, computed from raw events in the most straightforward way there is.
 * It shares no line with the SQL; tests ask both and compare. For tests only.
 */
export interface ReferenceVisit {
  id: string;
  start: number;
  end: number;
  counted: boolean;
  counting: number;
  entryPage: string;
  exitPage: string;
  entryHost: string;
  exitHost: string;
  first: EventRow;
}

export const instantOfRow = (time: string) => Date.parse(`${time.replace(' ', 'T')}Z`);

export function visitsOf(events: readonly EventRow[]): Map<string, ReferenceVisit> {
  const byVisit = Map.groupBy(events, (event) => event.visit_id);
  return new Map(
    [...byVisit].map(([id, own]) => {
      const rows = [...own].sort((a, b) => instantOfRow(a.time) - instantOfRow(b.time));
      const views = rows.filter((row) => row.name === 'pageview');
      const first = rows[0] as EventRow;
      const visit: ReferenceVisit = {
        id,
        start: instantOfRow(first.time),
        end: instantOfRow((rows.at(-1) as EventRow).time),
        counted: rows.some((row) => row.detached === 0),
        counting: rows.filter((row) => row.name === 'pageview' || (row.name !== 'engagement' && row.interactive === 1))
          .length,
        entryPage: views[0]?.pathname ?? '',
        exitPage: views.at(-1)?.pathname ?? '',
        entryHost: views[0]?.hostname ?? '',
        exitHost: views.at(-1)?.hostname ?? '',
        first,
      };
      return [id, visit];
    }),
  );
}

export interface ReferenceRow {
  dimensions: string[];
  atoms: Record<Atom, number>;
}

export function referenceRows(
  events: readonly EventRow[],
  {
    query,
    range,
    buckets,
    goals,
    currency,
  }: { query: Query; range: Range; buckets: readonly Bucket[]; goals: readonly Goal[]; currency: string },
): ReferenceRow[] {
  const visits = visitsOf(events);
  const scrolls = (some: readonly Goal[]) => some.some((goal) => goal.kind === 'scroll');
  const actionsOnly =
    query.dimensions.some((dimension) => named(dimension) && !(dimension.kind === 'goal' && scrolls(goals))) ||
    (query.filters.some((filter) => mentions(filter)) &&
      !query.filters.some((filter) => goalsNamed(filter).some((goal) => goal.kind === 'scroll')));
  const inRange = events.filter((event) => {
    const at = instantOfRow(event.time);
    return at >= range.from && at < range.to;
  });
  const passing = inRange.filter((event) =>
    query.filters.every((filter) => passes(filter, event, visits.get(event.visit_id) as ReferenceVisit)),
  );
  const matching = passing.filter((event) => !actionsOnly || event.name !== 'engagement');
  const rows = new Map<
    string,
    { dimensions: string[]; sets: Record<string, Set<string>>; sums: Record<string, number> }
  >();
  const rowAt = (dimensions: string[]) => {
    const key = JSON.stringify(dimensions);
    const found = rows.get(key) ?? { dimensions, sets: {}, sums: {} };
    rows.set(key, found);
    return found;
  };
  const into = (set: string, dimensions: string[], id: string) => {
    const row = rowAt(dimensions);
    row.sets[set] ??= new Set();
    row.sets[set].add(id);
  };
  const add = (sum: string, dimensions: string[], by: number) => {
    const row = rowAt(dimensions);
    row.sums[sum] = (row.sums[sum] ?? 0) + by;
  };
  const visitRows = new Map<string, { visit: ReferenceVisit; dimensions: string[] }>();
  const depths = new Map<string, { dimensions: string[]; depth: number; ms: number }>();
  for (const event of matching) {
    const visit = visits.get(event.visit_id) as ReferenceVisit;
    for (const dimensions of keysOf(query.dimensions, event, visit, instantOfRow(event.time), buckets, goals)) {
      into('visitors', dimensions, event.visitor_id);
      if (event.name === 'pageview') add('pageviews', dimensions, 1);
      if (event.name !== 'engagement') add('events', dimensions, 1);
      const wanted = currencyOf(query.dimensions, dimensions, goals, currency);
      const amount = Number(event.revenue_amount);
      if (event.revenue_currency === wanted) {
        add('revenue', dimensions, Math.round(amount * 1000));
        if (amount !== 0) add('revenue_events', dimensions, 1);
      } else if (amount !== 0) add('revenue_elsewhere', dimensions, 1);
      if (event.name === 'engagement') {
        const key = JSON.stringify([dimensions, event.visit_id]);
        const known = depths.get(key) ?? { dimensions, depth: -1, ms: 0 };
        if (event.scroll_depth <= 100) known.depth = Math.max(known.depth, event.scroll_depth);
        known.ms += event.engagement_ms;
        depths.set(key, known);
      }
    }
    const sameStep =
      !query.dimensions.some((dimension) => dimension.kind === 'time') ||
      stepOf(instantOfRow(event.time), buckets) === stepOf(visit.start, buckets);
    if (visit.counted && visit.start >= range.from && visit.start < range.to && sameStep)
      for (const dimensions of keysOf(query.dimensions, event, visit, visit.start, buckets, goals))
        visitRows.set(JSON.stringify([dimensions, visit.id]), { visit, dimensions });
  }
  for (const { visit, dimensions } of visitRows.values()) {
    add('visits', dimensions, 1);
    if (visit.counting <= 1) add('bounces', dimensions, 1);
    else add('duration', dimensions, Math.floor((visit.end - visit.start) / 1000));
  }
  for (const { dimensions, depth, ms } of depths.values()) {
    if (depth >= 0) {
      add('scroll', dimensions, depth);
      add('scroll_visits', dimensions, 1);
    }
    add('engagement', dimensions, ms);
    add('engaged_visits', dimensions, 1);
  }
  const asked = new Set(query.metrics.flatMap((metric) => metricFacts[metric].atoms));
  const result = [...rows.values()].map(({ dimensions, sets, sums }) => ({
    dimensions,
    atoms: Object.fromEntries(atomNames.map((atom) => [atom, sets[atom]?.size ?? sums[atom] ?? 0])) as Record<
      Atom,
      number
    >,
  }));
  if (query.dimensions.length === 0 && result.length === 0)
    return [{ dimensions: [], atoms: Object.fromEntries(atomNames.map((atom) => [atom, 0])) as Record<Atom, number> }];
  return result.filter((row) => query.dimensions.length === 0 || [...asked].some((atom) => row.atoms[atom] !== 0));
}

const stepOf = (at: number, buckets: readonly Bucket[]) =>
  buckets.findIndex((bucket) => at >= bucket.from && at < bucket.to);

function keysOf(
  dimensions: readonly Dimension[],
  event: EventRow,
  visit: ReferenceVisit,
  at: number,
  buckets: readonly Bucket[],
  goals: readonly Goal[],
): string[][] {
  let keys: string[][] = [[]];
  for (const dimension of dimensions) {
    const values = valuesOf(dimension, event, visit, at, buckets, goals);
    keys = keys.flatMap((key) => values.map((value) => [...key, value]));
  }
  return keys;
}

function valuesOf(
  dimension: Dimension,
  event: EventRow,
  visit: ReferenceVisit,
  at: number,
  buckets: readonly Bucket[],
  goals: readonly Goal[],
): string[] {
  switch (dimension.kind) {
    case 'time':
      return buckets.filter((bucket) => at >= bucket.from && at < bucket.to).map((bucket) => bucket.label);
    case 'goal':
      return goals.filter((goal) => reaches(goal, event)).map((goal) => goal.name);
    case 'property':
      return [event.props[dimension.property] ?? '(none)'];
    case 'column': {
      const value = raw(dimension, event, visit);
      return [value === '' ? dimension.fact.empty : value];
    }
  }
}

function raw(
  dimension: Extract<Dimension, { kind: 'column' | 'property' }>,
  event: EventRow,
  visit: ReferenceVisit,
): string {
  if (dimension.kind === 'property') return event.props[dimension.property] ?? '';
  switch (dimension.name) {
    case 'visit:entry_page':
      return visit.entryPage;
    case 'visit:exit_page':
      return visit.exitPage;
    case 'visit:entry_page_hostname':
      return visit.entryHost;
    case 'visit:exit_page_hostname':
      return visit.exitHost;
    case 'visit:country_name':
      return countries[visit.first.country] ?? visit.first.country;
    default: {
      const row = dimension.fact.level === 'visit' ? visit.first : event;
      return String(row[dimension.fact.column as keyof EventRow]);
    }
  }
}

const countries: Record<string, string> = { DE: 'Germany', FR: 'France', US: 'United States' };

function reaches(goal: Goal, event: EventRow): boolean {
  if (goal.kind === 'event') {
    const { property } = goal;
    return event.name === goal.match && (property == null || event.props[property.name] === property.value);
  }
  if (!globs(goal.match, event.pathname)) return false;
  if (goal.kind === 'page') return event.name === 'pageview';
  const depth = event.scroll_depth;
  return event.name === 'engagement' && depth <= 100 && depth >= (goal.scroll_depth ?? 100);
}

/** By hand, so as not to share the translation into a pattern. */
function globs(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob.startsWith('**'))
    return Array.from({ length: text.length + 1 }, (_, at) => at).some((at) => globs(glob.slice(2), text.slice(at)));
  if (glob.startsWith('*')) {
    const slash = text.indexOf('/');
    const most = slash < 0 ? text.length : slash;
    return Array.from({ length: most + 1 }, (_, at) => at).some((at) => globs(glob.slice(1), text.slice(at)));
  }
  return text !== '' && text[0] === glob[0] && globs(glob.slice(1), text.slice(1));
}

function passes(filter: Filter, event: EventRow, visit: ReferenceVisit): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.nodes.every((node) => passes(node, event, visit));
    case 'or':
      return filter.nodes.some((node) => passes(node, event, visit));
    case 'not':
      return !passes(filter.node, event, visit);
    case 'goal':
      return filter.goals.some((goal) => reaches(goal, event));
    case 'test': {
      const value = raw(filter.subject, event, visit);
      const empty = filter.subject.kind === 'property' ? '(none)' : filter.subject.fact.empty;
      const fold = (text: string) => (filter.caseSensitive ? text : text.toLowerCase());
      // biome-ignore lint/suspicious/useIterableCallbackReturn: the switch is exhaustive.
      const hit = filter.values.some((wanted) => {
        switch (filter.operator) {
          case 'is':
            return fold(value === '' ? empty : value) === fold(wanted);
          case 'contains':
            return fold(value).includes(fold(wanted));
          case 'matches':
            return new RegExp(wanted).test(value);
          case 'matches_wildcard':
            return globs(wanted, value);
        }
      });
      return hit !== filter.negated;
    }
  }
}

function currencyOf(
  dimensions: readonly Dimension[],
  labels: readonly string[],
  goals: readonly Goal[],
  currency: string,
): string {
  const at = dimensions.findIndex((dimension) => dimension.kind === 'goal');
  if (at < 0) return currency;
  return goals.find((goal) => goal.name === labels[at])?.currency ?? '-';
}

const named = (dimension: Dimension) =>
  dimension.kind === 'goal' || dimension.name === 'event:name' || dimension.name === 'event:title';

function goalsNamed(filter: Filter): readonly Goal[] {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.nodes.flatMap(goalsNamed);
  if (filter.kind === 'not') return goalsNamed(filter.node);
  return filter.kind === 'goal' ? filter.goals : [];
}

function mentions(filter: Filter): boolean {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.nodes.some(mentions);
  if (filter.kind === 'not') return mentions(filter.node);
  return filter.kind === 'goal' || (filter.kind === 'test' && named(filter.subject));
}
