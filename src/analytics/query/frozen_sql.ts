import { isoDay } from '../../platform/zone.ts';
import { openBinder } from './binder.ts';
import { conditionOf } from './condition.ts';
import { columns } from './daily.ts';
import { countsOf, daysIn, nameOf, type Source, type Stretch } from './frozen_source.ts';
import { never } from './rows.ts';

/** What is to be read of one source. */
export interface Missing {
  source: Source;
  stretches: readonly Stretch[];
}

/** One SELECT over `daily`: sources that differ in their dimension alone share it. */
interface FrozenPart {
  sources: readonly Source[];
  stretches: readonly Stretch[];
}

/** A row of the answer. */
export interface FrozenRow {
  /** Number of the part. */
  s: number;
  /** Dimension. */
  d: string;
  /** Of values the number of the stretch, of cells day and piece (`cellCode`). */
  k: number;
  /** Value, empty of cells. */
  v: string;
  /** Currency, empty in rows of counts. */
  c: string;
  /** The sums of `countsOf`, in its order: whole numbers below 2^53, which a Float64 holds as they are. */
  n: readonly number[];
  /** Revenue, a decimal, and the events that earned it. */
  r: string;
  e: number;
}

/** Day and piece are 16 bits each; together they name a row of a value in one number. */
export function cellCode(day: number, piece: number): number {
  return day * 65_536 + piece;
}

const codeSql = 'toUInt32(toUInt32(toUInt16(t.id_day)) * 65536 + toUInt16(t.local_day))';

/** Everything that is missing in one statement: planning one is what a small question costs. */
export function frozenSql(siteId: number, missing: readonly Missing[], rowsMax: number) {
  const binder = openBinder();
  const parts = partsOf(missing);
  const limit = `LIMIT ${binder.bind('UInt64', rowsMax + 1)} BY s, d, k`;
  const sql = parts
    .map(({ sources, stretches }, at) => {
      const [{ kind, filters, value, reading, revenue }] = sources as [Source];
      const days = [...new Set(stretches.flatMap(daysIn))];
      const dimensions = binder.bind(
        'Array(String)',
        sources.map(({ dimension }) => dimension),
      );
      const codes = kind === 'cells' ? [] : codesOf(stretches);
      const code = binder.bind(
        'Array(UInt32)',
        codes.map((one) => one.code),
      );
      const steps = binder.bind(
        'Array(UInt32)',
        codes.map((one) => one.stretch),
      );
      const where = [
        `t.site_id = ${binder.bind('UInt64', siteId)}`,
        `t.dimension IN (${dimensions})`,
        // One by one, not from the first to the last: what a range cuts lies at both of its ends, with months between.
        `t.id_day IN (${binder.bind('Array(Date)', days.map(isoDay))})`,
        ...(kind === 'cells' ? [] : [`${codeSql} IN (${code})`]),
        ...(value === undefined ? [] : [`t.value = ${binder.bind('String', value)}`]),
        ...filters.map((filter) => conditionOf(filter, { binder, table: 'daily', visitsWhere: never })),
        // Revenue lies in rows of its own.
        ...(revenue ? [] : [`t.currency = ''`]),
      ];
      const selected = [
        `toUInt32(${at}) AS s`,
        'toString(t.dimension) AS d',
        `${kind === 'cells' ? codeSql : `transform(${codeSql}, ${code}, ${steps}, toUInt32(0))`} AS k`,
        `${kind === 'cells' ? `''` : 't.value'} AS v`,
        `${revenue ? 'toString(t.currency)' : `''`} AS c`,
        `[${countsOf({ reading }).map((atom) => `toFloat64(sum(t.${columns[atom]}))`)}] AS n`,
        `toString(${revenue ? 'sum(t.revenue)' : '0'}) AS r`,
        `toFloat64(${revenue ? 'sum(t.revenue_events)' : '0'}) AS e`,
      ];
      return `SELECT ${selected.join(', ')}\nFROM daily AS t WHERE ${where.join(' AND ')} GROUP BY s, d, k, v, c ${limit}`;
    })
    .join('\nUNION ALL\n');
  return { sql, params: binder.paramsOf(sql), parts };
}

function partsOf(missing: readonly Missing[]): FrozenPart[] {
  const alike = Map.groupBy(missing, ({ source, stretches }) => {
    const { reading, revenue } = source;
    return JSON.stringify([
      nameOf({ ...source, dimension: '' }),
      reading && source.kind === 'values',
      revenue,
      stretches,
    ]);
  });
  return [...alike.values()].map((some) => ({
    sources: some.map(({ source }) => source),
    stretches: some[0]?.stretches ?? [],
  }));
}

function codesOf(stretches: readonly Stretch[]): { code: number; stretch: number }[] {
  return stretches.flatMap((each, stretch) =>
    'pieces' in each
      ? each.pieces.map(({ day, piece }) => ({ code: cellCode(day, piece), stretch }))
      : daysIn(each).map((day) => ({ code: cellCode(day, 0), stretch })),
  );
}
