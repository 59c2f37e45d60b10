import { type Atom, noProperty } from '../facts.ts';
import { countryNameOf } from './countries.ts';
import { metricValue } from './metric_value.ts';
import { decimalOf } from './money.ts';
import type { Dimension, Goal, Order } from './parse.ts';
import type { List, Scope, StatementRow, Tail } from './statement.ts';
import { keySeparator, type SumRow, type Sums } from './sums.ts';

/** A row on its way to its place; it gets its labels when somebody asks for them, because most rows are cut off. */
interface Placed {
  row: SumRow;
  labels: readonly string[] | undefined;
  /** What it is ordered by. */
  values: readonly Value[];
}
type Value = string | number | bigint | null;

/**
 * Names, orders and cuts the rows of a list that was added up here, as `buildStatement` has the engine do it
 * (same_number.test.ts holds the two against each other).
 */
export function finishedRows(sums: Sums, list: List, tail: Tail, scope: Pick<Scope, 'goals'>): StatementRow[] {
  const { dimensions, atoms, metrics } = list;
  const labelled = (placed: Placed): readonly string[] => {
    placed.labels ??= dimensions.map((dimension, at) => labelOf(dimension, placed.row.keys[at] ?? '', scope.goals));
    return placed.labels;
  };
  const only = tail.onlyRows === undefined ? undefined : new Set(tail.onlyRows.map((row) => row.join(keySeparator)));
  const rows: Placed[] = [];
  // A list without dimensions has its one row even where nothing happened; of the others such a row is none.
  for (const row of dimensions.length === 0 && sums.size === 0 ? [nothing] : sums.values()) {
    if (dimensions.length > 0 && !atoms.some((atom) => isCounted(row, atom))) continue;
    const placed: Placed = { row, labels: undefined, values: [] };
    if (only !== undefined && !only.has(fixedLabels(labelled(placed), dimensions))) continue;
    placed.values = tail.order.map(({ key }) =>
      key.kind === 'metric' ? metricValue(key.metric, row) : (labelled(placed)[key.index] ?? ''),
    );
    rows.push(placed);
  }
  const end = tail.offset + tail.limit;
  const page = candidates(rows, tail.order, end)
    .sort((a, b) => byOrder(a, b, tail.order) || byLabels(labelled(a), labelled(b)))
    .slice(tail.offset, end);
  return page.map((placed) => {
    const finished: StatementRow = {};
    labelled(placed).forEach((label, at) => {
      finished[`d${at}`] = label;
    });
    for (const metric of metrics) finished[`m_${metric}`] = cellOf(metricValue(metric, placed.row));
    for (const atom of atoms) finished[`a_${atom}`] = textOf(placed.row, atom);
    if (tail.totalRows) finished.total_rows = String(rows.length);
    return finished;
  });
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

/**
 * The rows that can be among the first `count`. A page is short and a list is long: to find the number that its last
 * row has takes a tenth of the time that ordering all rows takes.
 */
function candidates(rows: Placed[], [first]: readonly Order[], count: number): Placed[] {
  if (first === undefined || rows.length <= 2 * count) return rows;
  const values = new Float64Array(rows.length);
  const sign = first.direction === 'desc' ? -1 : 1;
  for (const [
    at,
    {
      values: [value],
    },
  ] of rows.entries()) {
    if (typeof value !== 'number') return rows;
    values[at] = sign * value;
  }
  const last = values.sort()[count - 1] ?? 0;
  return rows.filter(({ values: [value] }) => sign * (value as number) <= last);
}

function byOrder(a: Placed, b: Placed, order: readonly Order[]): number {
  for (let at = 0; at < order.length; at++) {
    const way = compared(a.values[at] ?? null, b.values[at] ?? null, order[at]?.direction === 'desc' ? -1 : 1);
    if (way !== 0) return way;
  }
  return 0;
}

/** Where the order that was asked for leaves a choice, so that a page never depends on chance. */
function byLabels(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < a.length; at++) {
    const way = inBytes(a[at] ?? '', b[at] ?? '');
    if (way !== 0) return way;
  }
  return 0;
}

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
