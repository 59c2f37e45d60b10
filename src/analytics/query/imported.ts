import type { MetricName } from '../../../contract/query.ts';
import { dayMs, dayOf, isoDay, shortestDayMs, startOfDay } from '../../platform/zone.ts';
import { type Atom, metricFacts } from '../facts.ts';
import { type DayColumn, type DayKind, type DayKindName, dayKinds } from '../imports/kinds.ts';
import type { Binder } from './binder.ts';
import { conditionOf, valueSql } from './condition.ts';
import { zeroOf } from './grouping.ts';
import type { Dimension, Filter, Query } from './parse.ts';
import type { Bucket, Range } from './range.ts';
import { never } from './rows.ts';

/** What finished imports of the site hold (src/analytics/imports/records.ts). */
export interface Imported {
  /** 'YYYY-MM-DD', of events and of tables of days. */
  days: ReadonlySet<string>;
  ids: readonly number[];
  holds: ReadonlyMap<DayKindName, ReadonlySet<Atom>>;
}

/** The words of Plausible's answers. */
export type SkipReason = 'no_imported_data' | 'out_of_range' | 'unsupported_query' | 'unsupported_interval';

/** What tables of days add to one list. */
export interface ImportedPlan {
  kind: DayKindName;
  ids: readonly number[];
  /** Whole days of the range, each with the start of its step in seconds (0 without a time dimension). */
  days: readonly { day: number; step: number }[];
  atoms: readonly Atom[];
  /** Metrics that have no answer over these days: a count that is imported goes into them, and what it is set against does not. */
  unanswerable: readonly MetricName[];
  filters: readonly Filter[];
  dimensions: readonly Dimension[];
}

/**
 * Can the tables of days add to this list, and what? They hold one thing per row, so dimensions and filters must all be
 * of the same table; and days, so a step may not be shorter than one.
 */
export function planImported(
  asked: {
    dimensions: readonly Dimension[];
    metrics: readonly MetricName[];
    filters: readonly Filter[];
    buckets?: readonly Bucket[] | undefined;
  },
  range: Range,
  imported: Imported,
): ImportedPlan | SkipReason {
  if (imported.ids.length === 0) return 'no_imported_data';
  // Its total per goal has no table.
  if (asked.metrics.includes('group_conversion_rate')) return 'unsupported_query';
  const kind = kindOf(asked.dimensions, asked.filters);
  if (kind === undefined) return 'unsupported_query';
  const held = imported.holds.get(kind);
  if (held === undefined) return 'no_imported_data';
  if (asked.buckets?.some((bucket) => bucket.to - bucket.from < shortestDayMs) === true) return 'unsupported_interval';
  const { atoms, unanswerable } = answeredAtoms(asked.metrics, held);
  if (atoms.length === 0) return 'unsupported_query';
  const days = daysOf(imported.days, range, asked.buckets);
  if (days.length === 0) return 'out_of_range';
  return { kind, ids: imported.ids, days, atoms, unanswerable, filters: asked.filters, dimensions: asked.dimensions };
}

/** The smallest table that has every column that is asked for. */
function kindOf(dimensions: readonly Dimension[], filters: readonly Filter[]): DayKindName | undefined {
  const columns = new Set<string>();
  for (const dimension of dimensions) {
    if (dimension.kind === 'time') continue;
    if (dimension.kind !== 'column') return undefined;
    columns.add(dimension.fact.column);
  }
  for (const filter of filters) if (!addColumns(filter, columns)) return undefined;
  const names = Object.keys(dayKinds) as DayKindName[];
  return names.find((name) => {
    const { columns: own }: DayKind = dayKinds[name];
    return [...columns].every((column) => own.includes(column as DayColumn));
  });
}

/** False when the filter asks for something that no table has. */
function addColumns(filter: Filter, columns: Set<string>): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.nodes.every((node) => addColumns(node, columns));
    case 'not':
      return addColumns(filter.node, columns);
    case 'goal':
      return false;
    case 'test':
      if (filter.subject.kind !== 'column') return false;
      columns.add(filter.subject.fact.column);
      return true;
  }
}

/**
 * A metric is answered whole or not at all: where the table lacks one of its numbers, the others are not added either,
 * or a rate would have its two halves from different days. A count that is asked for by itself is added all the same; a
 * rate that it goes into then has no answer over these days.
 */
function answeredAtoms(
  metrics: readonly MetricName[],
  held: ReadonlySet<Atom>,
): { atoms: Atom[]; unanswerable: MetricName[] } {
  const atomsOf = (metric: MetricName) => metricFacts[metric].atoms;
  const counts = new Set(metrics.flatMap((metric) => (atomsOf(metric).length === 1 ? atomsOf(metric) : [])));
  const atoms = new Set(held);
  const isHalf = (metric: MetricName) =>
    atomsOf(metric).some((atom) => !atoms.has(atom)) && atomsOf(metric).some((atom) => atoms.has(atom));
  for (let size = -1; size !== atoms.size; ) {
    size = atoms.size;
    for (const metric of metrics.filter(isHalf))
      for (const atom of atomsOf(metric)) if (!counts.has(atom)) atoms.delete(atom);
  }
  return {
    atoms: [...new Set(metrics.flatMap(atomsOf))].filter((atom) => atoms.has(atom)),
    unanswerable: metrics.filter(isHalf),
  };
}

/** Metrics of the question that the plan adds nothing to. */
export function metricsWithoutImports(query: Query, plan: ImportedPlan): MetricName[] {
  return query.metrics.filter(
    (metric) =>
      !plan.unanswerable.includes(metric) && metricFacts[metric].atoms.some((atom) => !plan.atoms.includes(atom)),
  );
}

function daysOf(
  known: ReadonlySet<string>,
  range: Range,
  buckets: readonly Bucket[] | undefined,
): { day: number; step: number }[] {
  return daysInside(known, range).flatMap(({ day, from }) => {
    if (buckets === undefined) return [{ day, step: 0 }];
    const bucket = buckets.find((each) => from >= each.from && from < each.to);
    return bucket === undefined ? [] : [{ day, step: Math.floor(bucket.from / 1000) }];
  });
}

/** Days that lie in the range whole, in order. */
function daysInside(known: ReadonlySet<string>, range: Range): { day: number; from: number }[] {
  const [first, last] = [Math.floor(range.from / dayMs) - 1, Math.floor(range.to / dayMs) + 1];
  return [...known]
    .sort()
    .map((text) => dayOf(text))
    .filter((day): day is number => day !== undefined && day >= first && day <= last)
    .map((day) => ({ day, from: startOfDay(day, range.zone), to: startOfDay(day + 1, range.zone) }))
    .filter((day) => day.from >= range.from && day.to <= range.to);
}

/** Stretches of days of the range with imported numbers, first and last: what a chart marks. */
export function importedStretches(days: ReadonlySet<string>, range: Range): [string, string][] {
  const stretches: [number, number][] = [];
  for (const { day } of daysInside(days, range)) {
    const open = stretches.at(-1);
    if (open !== undefined && open[1] === day - 1) open[1] = day;
    else stretches.push([day, day]);
  }
  return stretches.map(([first, last]) => [isoDay(first), isoDay(last)]);
}

/** One SELECT over `imported_days` with the columns that every part of a statement has. */
export function importedSql(
  at: number,
  plan: ImportedPlan,
  options: {
    site: string;
    binder: Binder;
    keys: readonly string[];
    atoms: readonly Atom[];
    /** Is there a column for the visitors of a row without the conversion's filters? */
    grouped: boolean;
  },
): string {
  const { site, binder, keys } = options;
  const days = binder.bind(
    'Array(Date)',
    plan.days.map(({ day }) => isoDay(day)),
  );
  const context = { binder, table: 'imported' as const, visitsWhere: never };
  const selected = keys.map((key, place) => {
    const dimension = plan.dimensions[place];
    if (dimension === undefined || dimension.kind === 'goal') return `'' AS ${key}`;
    if (dimension.kind !== 'time') return `toString(${valueSql(dimension, context)}) AS ${key}`;
    const numbers = binder.bind(
      'Array(UInt32)',
      plan.days.map(({ day }) => day),
    );
    const steps = binder.bind(
      'Array(UInt32)',
      plan.days.map(({ step }) => step),
    );
    return `toString(transform(toUInt32(toUInt16(t.day)), ${numbers}, ${steps}, toUInt32(0))) AS ${key}`;
  });
  const sums = options.atoms.map((atom) => `${plan.atoms.includes(atom) ? `sum(t.${atom})` : zeroOf(atom)} AS ${atom}`);
  const where = [
    `t.site_id = ${site}`,
    `t.kind = ${binder.bind('String', plan.kind)}`,
    `t.import_id IN (${binder.bind('Array(UInt32)', plan.ids)})`,
    `t.day IN (${days})`,
    ...plan.filters.map((filter) => conditionOf(filter, context)),
  ];
  const shown = [`${at} AS s`, ...selected, ...sums, ...(options.grouped ? ['toUInt64(0) AS group_visitors'] : [])];
  return `SELECT ${shown.join(', ')}\nFROM imported_days AS t WHERE ${where.join(' AND ')}${keys.length === 0 ? '' : ` GROUP BY ${keys.join(', ')}`}`;
}
