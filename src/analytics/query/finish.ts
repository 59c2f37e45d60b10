import { type Atom, noProperty } from '../facts.ts';
import { countryNameOf } from './countries.ts';
import { metricValue } from './metric_value.ts';
import { decimalOf } from './money.ts';
import type { Dimension, Goal, Order } from './parse.ts';
import type { List, Scope, StatementRow, Tail } from './statement.ts';
import { keySeparator, type SumRow, type Sums } from './sums.ts';

interface Labelled {
  row: SumRow;
  labels: readonly string[];
}

/**
 * Names, orders and cuts the rows of a list that was added up here, as `buildStatement` has the engine do it
 * (same_number.test.ts holds the two against each other).
 */
export function finishedRows(sums: Sums, list: List, tail: Tail, scope: Pick<Scope, 'goals'>): StatementRow[] {
  // A list without dimensions has its one row even where nothing happened.
  const all = list.dimensions.length === 0 && sums.size === 0 ? [nothing] : [...sums.values()];
  const only = tail.onlyRows === undefined ? undefined : new Set(tail.onlyRows.map((row) => row.join(keySeparator)));
  const rows: Labelled[] = [];
  for (const row of all) {
    // A row without anything that was asked for is no row.
    if (list.dimensions.length > 0 && !list.atoms.some((atom) => isCounted(row, atom))) continue;
    const labels = list.dimensions.map((dimension, at) => labelOf(dimension, row.keys[at] ?? '', scope.goals));
    if (only === undefined || only.has(fixedLabels(labels, list.dimensions))) rows.push({ row, labels });
  }
  const page = ordered(rows, tail.order).slice(tail.offset, tail.offset + tail.limit);
  return page.map(({ row, labels }) => ({
    ...Object.fromEntries(labels.map((label, at) => [`d${at}`, label])),
    ...Object.fromEntries(list.metrics.map((metric) => [`m_${metric}`, cellOf(metricValue(metric, row))])),
    ...Object.fromEntries(list.atoms.map((atom) => [`a_${atom}`, textOf(row, atom)])),
    ...(tail.totalRows ? { total_rows: String(rows.length) } : {}),
  }));
}

const nothing: SumRow = { keys: [], counts: {}, revenue: 0n };

function isCounted({ counts, revenue }: SumRow, atom: Atom): boolean {
  return atom === 'revenue' ? revenue !== 0n : (counts[atom] ?? 0) !== 0;
}

function textOf({ counts, revenue }: SumRow, atom: Atom): string {
  return atom === 'revenue' ? decimalOf(revenue) : String(counts[atom] ?? 0);
}

/** Money is shown from its atoms. */
function cellOf(value: number | bigint | null): number | string | null {
  return typeof value === 'bigint' ? decimalOf(value) : value;
}

/** A comparison finds its rows by everything but time, which it has other steps for. */
function fixedLabels(labels: readonly string[], dimensions: readonly Dimension[]): string {
  return labels.filter((_, at) => dimensions[at]?.kind !== 'time').join(keySeparator);
}

/** What a key is called in the answer. Times stay numbers until shape.ts names them. */
function labelOf(dimension: Dimension, key: string, goals: readonly Goal[]): string {
  switch (dimension.kind) {
    case 'time':
      return key;
    case 'goal':
      return goals[Number(key) - 1]?.name ?? '';
    case 'property':
      return key === '' ? noProperty : key;
    case 'column':
      if (key === '') return dimension.fact.empty;
      return dimension.fact.names === 'country' ? countryNameOf(key) : key;
  }
}

/** Rows are ordered as asked, then by their labels, so that a page never depends on chance. */
function ordered(rows: Labelled[], order: readonly Order[]): Labelled[] {
  const keyed = rows.map((each) => ({
    each,
    values: order.map(({ key }) =>
      key.kind === 'metric' ? metricValue(key.metric, each.row) : (each.labels[key.index] ?? ''),
    ),
  }));
  keyed.sort((a, b) => {
    for (let at = 0; at < order.length; at++) {
      const way = compared(a.values[at] ?? null, b.values[at] ?? null, order[at]?.direction === 'desc' ? -1 : 1);
      if (way !== 0) return way;
    }
    for (let at = 0; at < a.each.labels.length; at++) {
      const way = inBytes(a.each.labels[at] ?? '', b.each.labels[at] ?? '');
      if (way !== 0) return way;
    }
    return 0;
  });
  return keyed.map(({ each }) => each);
}

type Value = string | number | bigint | null;

/** What has no value comes last, whichever way the rest is ordered. */
function compared(a: Value, b: Value, direction: 1 | -1): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === 'string' && typeof b === 'string') return direction * inBytes(a, b);
  return a === b ? 0 : a < b ? -direction : direction;
}

/** The order of the texts' UTF-8 bytes, which is the engine's: JavaScript puts U+E000 to U+FFFF after what follows. */
function inBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== other) return rank(one) - rank(other);
  }
  return a.length - b.length;
}

/** Halves of a pair stand for code points above every single unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
