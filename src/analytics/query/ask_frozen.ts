import { type Atom, isRevenue } from '../facts.ts';
import { goalDimension, goalKey } from '../history/index.ts';
import { quartersOf } from './blocks.ts';
import {
  countsOf,
  daysIn,
  joined,
  type ListOfDaily,
  nameOf,
  type Source,
  type Stretch,
  sourceOf,
  stretchesFor,
  withMore,
} from './frozen_source.ts';
import { cellCode, type FrozenRow, frozenSql, type Missing } from './frozen_sql.ts';
import type { SiteSums } from './kept_sums.ts';
import { thousandthsOf } from './money.ts';
import { listedBy, type PartNote } from './statement.ts';
import { added, copied, keySeparator, type ListSums, put, type SumRow, type Sums, tooLong } from './sums.ts';

/** A list, and the currency that its revenue is summed in where no goal names one. */
export interface AskedOfDaily {
  list: ListOfDaily;
  currency: string;
}

/** The closed side of one list, from what was kept and from what had to be read. */
export interface FromDaily {
  sums: ListSums;
  parts: PartNote[];
}

/** Of some rows of a source: sums by value or cell, and revenue by currency beside. */
interface Held {
  counts: Sums;
  revenue: Sums;
}

/** A source while it is being found and read. */
interface Open {
  source: Source;
  /** By the name of the stretch. */
  stretches: Map<string, { stretch: Stretch; held: Held | typeof tooLong | undefined; kept: boolean }>;
}

export interface Store {
  siteId: number;
  ofSite: SiteSums;
  /** Frozen days of the site. */
  frozen: { has(day: number): boolean };
  rowsMax: number;
  /** Asks the warehouse. */
  read: (statement: { sql: string; params: Record<string, unknown> }) => Promise<FrozenRow[]>;
}

/**
 * Lists that `daily` answers, whatever their ranges. What is not kept is read by one statement, and each stretch of it is kept
 * for itself.
 *
 * @returns one answer for each list, in their order
 */
export async function readDaily(asked: readonly AskedOfDaily[], store: Store): Promise<FromDaily[]> {
  const needs = asked.map(({ list }) => {
    const source = sourceOf(list);
    return { source, stretches: stretchesFor(list, source.kind, store.frozen) };
  });
  const sources = await hold(needs, store);
  return asked.map((one, at) => {
    const { source, stretches } = needs[at] as Missing;
    const open = sources.get(nameOf(source));
    return answerOf(
      one,
      stretches.flatMap((stretch) => open?.stretches.get(JSON.stringify(stretch)) ?? []),
      store,
    );
  });
}

/** Finds or reads what is needed, and keeps it. @returns the sources by their names */
export async function hold(needs: readonly Missing[], store: Store): Promise<ReadonlyMap<string, Open>> {
  const sources = new Map<string, Open>();
  for (const { source, stretches } of needs) {
    const name = nameOf(source);
    const open = sources.get(name) ?? { source, stretches: new Map() };
    open.source = joined(open.source, source);
    sources.set(name, open);
    for (const stretch of stretches)
      open.stretches.set(JSON.stringify(stretch), { stretch, held: undefined, kept: false });
  }
  for (const { source, stretches } of sources.values())
    for (const one of stretches.values()) {
      one.held = find(source, one.stretch, store.ofSite);
      one.kept = one.held !== undefined;
    }
  await readMissing([...sources.values()], store);
  return sources;
}

async function readMissing(sources: readonly Open[], { siteId, ofSite, rowsMax, read }: Store): Promise<void> {
  const missing = sources.flatMap(({ source, stretches }): Missing[] => {
    const some = [...stretches.values()];
    // A list with a part that is too long is the engine's, whatever the others say.
    if (some.some(({ held }) => held === tooLong)) return [];
    const left = some.flatMap(({ stretch, held }) => (held === undefined ? [stretch] : []));
    return left.length === 0 ? [] : [{ source, stretches: left }];
  });
  if (missing.length === 0) return;
  const { sql, params, parts } = frozenSql(siteId, missing, rowsMax);
  const rows = Map.groupBy(await read({ sql, params }), ({ s, d }) => `${s} ${d}`);
  for (const [at, part] of parts.entries())
    for (const source of part.sources) {
      const own = rows.get(`${at} ${source.dimension}`) ?? [];
      const open = sources.find((each) => each.source === source);
      const ofStretch = rowsByStretch(own, part.stretches, source.kind);
      for (const [number, stretch] of part.stretches.entries()) {
        const some = ofStretch.get(number) ?? [];
        const held = source.kind === 'values' && some.length > rowsMax ? tooLong : heldOf(some, source);
        ofSite.keep(
          askedOf(source, stretch),
          daysIn(stretch),
          held === tooLong ? [tooLong] : [held.counts, held.revenue],
        );
        const place = open?.stretches.get(JSON.stringify(stretch));
        if (place !== undefined) place.held = held;
      }
    }
}

function rowsByStretch(
  rows: readonly FrozenRow[],
  stretches: readonly Stretch[],
  kind: Source['kind'],
): Map<number, FrozenRow[]> {
  if (kind === 'values') return Map.groupBy(rows, ({ k }) => k);
  const ofDay = new Map(stretches.flatMap((stretch, at) => daysIn(stretch).map((day) => [day, at])));
  return Map.groupBy(rows, ({ k }) => ofDay.get(Math.floor(k / cellCode(1, 0))) ?? -1);
}

function heldOf(rows: readonly FrozenRow[], source: Source): Held {
  const atoms = countsOf(source);
  const held = { counts: new Map<string, SumRow>(), revenue: new Map<string, SumRow>() };
  for (const { k, v, c, n, r, e } of rows) {
    const key = source.kind === 'cells' ? String(k) : v;
    if (n.some((count) => count !== 0))
      put(held.counts, key, { keys: [key], counts: countsIn(n, source), revenue: 0n }, atoms);
    if (e === 0) continue;
    const money = { keys: [key, c], counts: { revenue_events: e }, revenue: thousandthsOf(r) };
    put(held.revenue, key + keySeparator + c, money, moneyAtoms);
  }
  return held;
}

/** Written out: rows that are all made in one place in one order are added up in half the time. */
function countsIn(n: readonly number[], { reading }: Source): SumRow['counts'] {
  const [visitors = 0, visits = 0, bounces = 0, duration = 0, pageviews = 0, events = 0] = n;
  const every = { visitors, visits, bounces, duration, pageviews, events };
  if (!reading) return every;
  const [scroll = 0, scroll_visits = 0, engagement = 0, engaged_visits = 0] = n.slice(6);
  return { ...every, scroll, scroll_visits, engagement, engaged_visits };
}

const moneyAtoms = ['revenue', 'revenue_events'] as const;

/** A block that is not kept is made of its quarters where they are, and kept as well. */
function find(source: Source, stretch: Stretch, ofSite: SiteSums): Held | typeof tooLong | undefined {
  for (const more of withMore(source)) {
    const lists = ofSite.find(askedOf(more, stretch));
    if (lists === undefined) continue;
    const [counts = tooLong, revenue = tooLong] = lists;
    return counts === tooLong || revenue === tooLong ? tooLong : { counts, revenue };
  }
  const parts: Held[] = [];
  for (const quarter of 'first' in stretch ? quartersOf(stretch) : []) {
    const held = find(source, quarter, ofSite);
    if (held === undefined || held === tooLong) return undefined;
    parts.push(held);
  }
  if (parts.length === 0) return undefined;
  const held = together(parts, countsOf(source));
  ofSite.keep(askedOf(source, stretch), daysIn(stretch), [held.counts, held.revenue]);
  return held;
}

function together(all: readonly Held[], atoms: readonly Atom[]): Held {
  return {
    counts: added(
      all.map(({ counts }) => counts),
      atoms,
    ),
    revenue: added(
      all.map(({ revenue }) => revenue),
      moneyAtoms,
    ),
  };
}

function askedOf(source: Source, stretch: Stretch) {
  return { sql: 'daily', params: { source, stretch }, shape: '' };
}

function answerOf(
  { list, currency }: AskedOfDaily,
  stretches: readonly { stretch: Stretch; held: Held | typeof tooLong | undefined; kept: boolean }[],
  { ofSite, rowsMax }: Store,
): FromDaily {
  const asked = new Set(list.daily.rows.map(({ day }) => day));
  const daysOf = (kept: boolean) => {
    const days = stretches.flatMap((one) => (one.kept === kept ? daysIn(one.stretch) : []));
    return new Set(days.filter((day) => asked.has(day))).size;
  };
  const note = { table: 'daily' as const, dimensions: [listedBy(list)], numbers: [...list.atoms] };
  const [kept, read] = [daysOf(true), daysOf(false)];
  const parts = [
    ...(kept > 0 ? [{ ...note, days: kept, kept: true }] : []),
    ...(read > 0 ? [{ ...note, days: read }] : []),
  ];
  const all = stretches.map(({ held }) => held);
  if (!all.every((held) => held !== undefined && held !== tooLong)) return { sums: tooLong, parts };
  const source = sourceOf(list);
  // Cells of two stretches are never the same; values are.
  if (source.kind === 'cells') return { sums: sumsFor(list, all, currency), parts };
  const whole = wholeOf(
    { source, atoms: list.atoms },
    stretches.map(({ stretch }) => stretch),
    all,
    ofSite,
  );
  const sums = sumsFor(list, [whole], currency);
  return { sums: sums.size > rowsMax ? tooLong : sums, parts };
}

/** All stretches added up, which is kept as well: who looks again looks at the same days. */
function wholeOf(
  { source, atoms }: { source: Source; atoms: readonly Atom[] },
  stretches: readonly Stretch[],
  all: readonly Held[],
  ofSite: SiteSums,
): Held {
  const [only, ...more] = all;
  if (only !== undefined && more.length === 0) return only;
  const asked = { sql: 'daily added', params: { source, atoms, stretches }, shape: '' };
  const [counts = tooLong, revenue = tooLong] = ofSite.find(asked) ?? [];
  if (counts !== tooLong && revenue !== tooLong) return { counts, revenue };
  const held = together(all, atoms);
  ofSite.keep(asked, stretches.flatMap(daysIn), [held.counts, held.revenue]);
  return held;
}

/** A row of the list that a value or cell is added to. */
interface Target {
  keyAt(place: number, currency: string): string;
  /** That its revenue is summed in. */
  currency: string;
}

function sumsFor(list: ListOfDaily, all: readonly Held[], currency: string): Sums {
  const { daily, dimensions, atoms } = list;
  const earns = atoms.some(isRevenue);
  const [only] = all;
  // Named by their value, as what is kept is.
  const isByValue = daily.valuesAt.length === 1 && dimensions.length === 1 && daily.dimension !== goalDimension;
  if (isByValue && !earns && only !== undefined) return only.counts;
  const sums = new Map<string, SumRow>();
  if (isByValue) for (const [name, row] of only?.counts ?? []) sums.set(name, copied(row));
  const targetsOf = openTargets(list, currency);
  const add = (target: Target, of: string, row: Omit<SumRow, 'keys'>) => {
    const keys = dimensions.map((_, place) => target.keyAt(place, of));
    put(sums, keys.join(keySeparator), { keys, counts: { ...row.counts }, revenue: row.revenue }, atoms);
  };
  if (!isByValue && daily.currencyAt < 0)
    for (const { counts: rows } of all)
      for (const row of rows.values()) for (const target of targetsOf(row.keys[0] ?? '')) add(target, '', row);
  if (earns)
    for (const { revenue: rows } of all)
      for (const { keys, counts, revenue } of rows.values()) {
        const [key = '', of = ''] = keys;
        const events = counts.revenue_events ?? 0;
        for (const target of targetsOf(key))
          if (of === target.currency) add(target, of, { counts: { revenue_events: events }, revenue });
          else add(target, of, { counts: { revenue_elsewhere: events }, revenue: 0n });
      }
  return sums;
}

/** Two goals may count the same, under two names or in two currencies: each gets the row. */
function openTargets({ daily }: ListOfDaily, currency: string): (key: string) => readonly Target[] {
  const { timeAt, currencyAt, valuesAt, rows, goals, dimension } = daily;
  if (valuesAt.length === 0) {
    const stepOf = new Map(rows.map(({ day, piece, step }) => [String(cellCode(day, piece)), String(step)]));
    return (key) => {
      const step = stepOf.get(key);
      if (step === undefined) return [];
      return [{ keyAt: (place, of) => (place === timeAt ? step : place === currencyAt ? of : ''), currency }];
    };
  }
  const target = (value: string, own: string): Target => ({
    keyAt: (place, of) => (place === currencyAt ? of : valuesAt.includes(place) ? value : ''),
    currency: own,
  });
  if (dimension !== goalDimension) return (key) => [target(key, currency)];
  const numbers = Map.groupBy(goals.keys(), (at) => goalKey(goals[at] as (typeof goals)[number]));
  return (key) => (numbers.get(key) ?? []).map((at) => target(String(at + 1), goals[at]?.currency ?? '-'));
}
