import { atomNames, noProperty } from '../facts.ts';
import { type Binder, openBinder } from './binder.ts';
import { countryName } from './condition.ts';
import { numbered } from './grouping.ts';
import { metricSql } from './metric_value.ts';
import type { Dimension, Order } from './parse.ts';
import { type Part, partsOf, type Side } from './parts.ts';
import type { Numbered } from './pass.ts';
import type { List, Scope, Statement, Tail } from './statement.ts';

/**
 * A statement answers one or several lists over the same events: same site, range and filters. Each list is a
 * GROUP BY of its own; lists that need the same numbers from the same table share one pass over it (GROUPING SETS).
 *
 *   SELECT list, labels, metrics FROM (
 *     SELECT list, keys, sum(atoms) FROM (part UNION ALL part UNION ALL …) GROUP BY list, keys
 *   ) ORDER BY … LIMIT …
 *
 * A part reads one table: `daily` for days that are frozen, `visits` or `events` for the others. Each part names all
 * atoms and leaves those it does not know at 0, so that adding up is all that is left to do.
 */
export function buildStatement(scope: Scope, lists: readonly List[], tail: Tail): Statement {
  const binder = openBinder();
  const atoms = atomNames.filter((atom) => lists.some((list) => list.atoms.includes(atom)));
  const grouped = lists.some((list) => list.groupFilters !== undefined);
  const keyCount = Math.max(0, ...lists.map((list) => list.dimensions.length));
  const numberedLists = lists.map((list, at) => ({ at, list }));
  const parts = partsOf(scope, numberedLists, binder, { atoms, grouped, keyCount });
  const keys = numbered(keyCount, 'k');
  const labels = numbered(keyCount, 'd');
  const sums = [...atoms, ...(grouped ? ['group_visitors'] : [])].map((atom) => `sum(${atom}) AS ${atom}`);
  const metrics = [...new Set(lists.flatMap((list) => list.metrics))];
  const inner = `SELECT ${['s', ...keys, ...sums].join(', ')}\nFROM (\n${parts.map((part) => part.sql).join('\nUNION ALL\n')}\n)\nGROUP BY ${['s', ...keys].join(', ')}`;
  const labelled = [
    's',
    ...labels.map((label, at) => `${labelSql(lists, at, binder, scope)} AS ${label}`),
    ...metrics.map((metric) => `${metricSql(metric)} AS m_${metric}`),
    ...atoms,
  ];
  const conditions = [
    // A row without anything that was asked for is no row; the one row of a list without dimensions always is.
    `(s IN (${binder.bind('Array(UInt32)', [0xffff, ...lists.flatMap((list, at) => (list.dimensions.length === 0 ? [at] : []))])}) OR ${atoms.map((atom) => `${atom} != 0`).join(' OR ')})`,
  ];
  const middle = `SELECT ${labelled.join(', ')}\nFROM (\n${inner}\n)\nWHERE ${conditions.join(' AND ')}`;
  const columns = [
    's',
    ...labels,
    ...metrics.map((metric) => `m_${metric}`),
    ...atoms.map((atom) => `toString(${atom}) AS a_${atom}`),
    ...(tail.totalRows ? ['count() OVER (PARTITION BY s) AS total_rows'] : []),
  ];
  const where = tail.onlyRows === undefined ? '' : `\nWHERE ${rowsCondition(tail.onlyRows, lists, binder)}`;
  const limit = `LIMIT ${binder.bind('UInt64', tail.limit)} OFFSET ${binder.bind('UInt64', tail.offset)}${lists.length > 1 ? ' BY s' : ''}`;
  const sql = `SELECT ${columns.join(', ')}\nFROM (\n${middle}\n)${where}\nORDER BY ${orderSql(tail.order, labels)}\n${limit}`;
  return { sql, params: binder.paramsOf(sql), parts: parts.map((part) => part.note) };
}

/** Lists over the same events; `closed` are the days of identity on their closed side. */
export interface Group {
  scope: Scope;
  /** Numbered through all groups of a batch. */
  lists: readonly Numbered[];
  closed: ReadonlySet<number>;
  /** All days of the range where none is open, so that what is counted over them together can be kept, too. */
  still: readonly number[] | undefined;
}

export interface SumsStatement extends Pick<Statement, 'sql' | 'params'> {
  parts: readonly Pick<Part, 'note' | 'lists'>[];
  /** How its rows are read; two statements of the same text may be about different numbers of the same rows. */
  shape: string;
  /** On the closed side: the days of identity that it reads. */
  closedDays: readonly number[] | undefined;
}

/**
 * One side of some lists, not yet added up, named, ordered or cut: the rows of the parts as they are, so that those of
 * closed days can be kept. One statement per table: what one cannot answer in time is not the other's fault.
 * @param rowsMax of a list and part; one more is asked for, so that the reader sees that there are too many
 */
export function buildSums(groups: readonly Group[], side: Side['name'], rowsMax: number): SumsStatement[] {
  const binder = openBinder();
  const lists = groups.flatMap((group) => group.lists.map(({ list }) => list));
  const atoms = atomNames.filter((atom) => lists.some((list) => list.atoms.includes(atom)));
  const keyCount = Math.max(0, ...lists.map((list) => list.dimensions.length));
  const wanted = { atoms, grouped: false, keyCount };
  const parts = groups.flatMap(({ scope, lists: own, closed }) =>
    partsOf(scope, own, binder, wanted, { name: side, closed }),
  );
  const limit = `LIMIT ${binder.bind('UInt64', rowsMax + 1)} BY s`;
  const shape = JSON.stringify(lists.map((list) => [list.dimensions.length, list.atoms]));
  const frozen = lists.flatMap((list) => list.daily?.rows.map((row) => row.day) ?? []);
  const closed = groups.flatMap((group) => [...group.closed]);
  const closedDays = side === 'closed' ? [...new Set([...closed, ...frozen])] : undefined;
  const stillDays = groups.every(({ still }) => still !== undefined)
    ? [...new Set(groups.flatMap(({ still = [] }) => still))]
    : undefined;
  return [...Map.groupBy(parts, ({ note }) => note.table).values()].map((same) => {
    const sql = same.map((part) => `${part.sql} ${limit}`).join('\nUNION ALL\n');
    const days = same[0]?.note.table === 'stored_ids' ? stillDays : closedDays;
    return { sql, params: binder.paramsOf(sql), parts: same, shape, closedDays: days };
  });
}

/** Rows are ordered as asked, then by their labels, so that a page never depends on chance. */
function orderSql(order: readonly Order[], labels: readonly string[]): string {
  const asked = order.map(({ key, direction }) => {
    const column = key.kind === 'metric' ? `m_${key.metric}` : (labels[key.index] ?? 's');
    return `${column} ${direction === 'asc' ? 'ASC' : 'DESC'}`;
  });
  return ['s', ...asked, ...labels].join(', ');
}

/** Labels of one row never contain the separator: it is a control character that no step of ingest lets through. */
function rowsCondition(rows: readonly (readonly string[])[], lists: readonly List[], binder: Binder): string {
  const fixed = (lists[0]?.dimensions ?? []).flatMap((dimension, at) => (dimension.kind === 'time' ? [] : [`d${at}`]));
  const joined = rows.map((row) => row.join('\u001f'));
  return `concat(${[`''`, ...fixed.flatMap((column, at) => (at === 0 ? [column] : [`char(31)`, column]))].join(', ')}) IN (${binder.bind('Array(String)', joined)})`;
}

/** What a key is called in the answer. Times stay numbers until shape.ts names them. */
function labelSql(lists: readonly List[], at: number, binder: Binder, scope: Scope): string {
  const branches = lists.flatMap((list, number) => {
    const dimension = list.dimensions[at];
    return dimension === undefined ? [] : [[`s = ${number}`, labelOf(dimension, `k${at}`, binder, scope)]];
  });
  if (branches.length === 1 && lists.length === 1) return branches[0]?.[1] ?? `''`;
  return `multiIf(${branches.flat().join(', ')}, '')`;
}

function labelOf(dimension: Dimension, key: string, binder: Binder, scope: Scope): string {
  switch (dimension.kind) {
    case 'time':
      return key;
    case 'goal': {
      const numbers = binder.bind(
        'Array(String)',
        scope.goals.map((_, index) => String(index + 1)),
      );
      const names = binder.bind(
        'Array(String)',
        scope.goals.map((goal) => goal.name),
      );
      return scope.goals.length === 0 ? key : `transform(${key}, ${numbers}, ${names}, '')`;
    }
    case 'property':
      return `if(${key} = '', '${noProperty}', ${key})`;
    case 'column': {
      const name = dimension.fact.names === 'country' ? countryName(key, binder) : key;
      return `if(${key} = '', ${binder.bind('String', dimension.fact.empty)}, ${name})`;
    }
  }
}
