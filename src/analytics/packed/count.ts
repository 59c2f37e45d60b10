import { keySeparator } from '../query/sums.ts';
import type { Coded, Codes, PackedDay } from './day.ts';
import {
  type Key,
  NotHere,
  type PackedAtom,
  type PackedList,
  type PackedQuestion,
  type PackedRows,
  type Test,
} from './question.ts';
import { numbered, ofEvents, propertyOf, testerOf } from './testers.ts';

/** Keys of one list are numbers below this; each has an entry in some arrays while a day is counted. */
const keysMax = 1 << 21;

interface Row {
  keys: string[];
  counts: number[];
  revenue: bigint;
}

/** Adds up days; a visitor and a visit belong to one day, so every number adds up. */
export function openCounting(question: PackedQuestion) {
  const lists = question.lists.map(() => new Map<string, Row>());
  return {
    /** @throws NotHere */
    add(number: number, day: PackedDay): void {
      const passing = passingOf(day, question);
      for (const [at, list] of question.lists.entries())
        countList(day, list, { question, passing, number }, lists[at] as Map<string, Row>);
    },
    rows: (): PackedRows[] =>
      lists.map((rows) => {
        const all = [...rows.values()];
        return {
          keys: all.map(({ keys }) => keys),
          counts: all.map(({ counts }) => counts),
          revenue: all.map(({ revenue }) => revenue),
        };
      }),
  };
}

/** What of a day the filters let through. */
interface Passing {
  /** Numbers of visits, ascending. */
  visits: Uint32Array;
  /** Numbers of their events that pass, ascending. */
  events(): Uint32Array;
  /** The same without engagement, which is nobody's act. */
  actions(): Uint32Array;
  /** Of these the conversions of a goal. */
  conversions(goal: Test): Uint32Array;
}

/** What the questions of one job have in common is worked out once. */
const passingOfDay = new WeakMap<PackedDay, Map<string, Passing>>();

function passingOf(day: PackedDay, { tests, asksEvents, actionsOnly }: PackedQuestion): Passing {
  const known = passingOfDay.get(day) ?? new Map<string, Passing>();
  passingOfDay.set(day, known);
  const name = JSON.stringify([tests, asksEvents, actionsOnly]);
  const passing = known.get(name) ?? makePassing(day, { tests, asksEvents, actionsOnly });
  known.set(name, passing);
  return passing;
}

function makePassing(
  day: PackedDay,
  { tests, asksEvents, actionsOnly }: Pick<PackedQuestion, 'tests' | 'asksEvents' | 'actionsOnly'>,
): Passing {
  const tester = testerOf(day, { kind: 'and', nodes: tests });
  const sortOf = sortsOf(day);
  const isAction = (event: number) => sortOf(event) !== engagement;
  const once = (make: () => Uint32Array) => {
    let made: Uint32Array | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  let visits: Uint32Array;
  let events: () => Uint32Array;
  if (asksEvents || tester.level === 'event') {
    const passes = ofEvents(day, tester);
    const found = those(day.events, actionsOnly ? (event) => passes(event) && isAction(event) : passes);
    events = () => found;
    visits = visitsWith(day, found);
  } else {
    visits = those(day.visits, tester.passes);
    events = once(() => eventsOf(day, visits));
  }
  const actions = once(() => among(events(), isAction));
  return { visits, events, actions, conversions: (goal) => among(actions(), ofEvents(day, testerOf(day, goal))) };
}

function those(count: number, passes: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++) if (passes(row)) rows[found++] = row;
  return rows.subarray(0, found);
}

/** Those of some rows that pass. The array's own `filter` takes five times as long. */
function among(rows: Uint32Array, passes: (row: number) => boolean): Uint32Array {
  const kept = new Uint32Array(rows.length);
  let found = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    if (passes(row)) kept[found++] = row;
  }
  return kept.subarray(0, found);
}

/** Visits that have one of the events. */
function visitsWith(day: PackedDay, events: Uint32Array): Uint32Array {
  const visitOf = day.visitOf();
  const visits = new Uint32Array(day.visits);
  let found = 0;
  for (const event of events) {
    const visit = visitOf[event] as number;
    if (found === 0 || visits[found - 1] !== visit) visits[found++] = visit;
  }
  return visits.subarray(0, found);
}

function eventsOf({ firstEvent, events }: PackedDay, visits: Uint32Array): Uint32Array {
  const all = new Uint32Array(events);
  let found = 0;
  for (const visit of visits) {
    const end = firstEvent[visit + 1] as number;
    for (let event = firstEvent[visit] as number; event < end; event++) all[found++] = event;
  }
  return all.subarray(0, found);
}

interface Counting {
  question: PackedQuestion;
  passing: Passing;
  /** Of the day: whole UTC days since 1970. */
  number: number;
}

function countList(day: PackedDay, list: PackedList, counting: Counting, into: Map<string, Row>) {
  const { question, passing } = counting;
  const { keys, atoms } = list;
  const steps = keys.some(({ kind }) => kind === 'step') ? stepsOf(counting.number, list.starts) : undefined;
  const [step = ''] = steps?.texts ?? [];
  if (steps !== undefined && steps.texts.length > 1) return countSeries(day, list, steps, counting, into);
  if (keys.some(({ kind }) => kind === 'currency')) return countCurrencies(day, list, counting, into);
  if (keys.some(({ kind }) => kind === 'goal')) {
    for (const [at, goal] of question.goals.entries()) {
      const events = passing.conversions(goal.test);
      const tally = tallyOf(1, atoms);
      countEvents(day, undefined, events, tally);
      earn(day, () => 0, { events, currency: goal.currency }, tally);
      write(tally, list, () => keys.map(({ kind }) => (kind === 'step' ? step : String(at + 1))), into);
    }
    return;
  }
  const { codes, size, isOfEvents, keysOf } = numberingOf(day, keys, step);
  const tally = tallyOf(size, atoms);
  const events = () => (list.actionsOnly ? passing.actions() : passing.events());
  if (isOfEvents) countEvents(day, codes, events(), tally);
  else {
    countVisits(day, codes, passing.visits, tally);
    if (tally.acting) countActs(day, codes === undefined ? undefined : atEvents(day, codes), events(), tally);
  }
  if (tally.earns) {
    const visitOf = isOfEvents || codes === undefined ? undefined : day.visitOf();
    const rowOf = (event: number) => codes?.[visitOf === undefined ? event : (visitOf[event] as number)] ?? 0;
    earn(day, rowOf, { events: events(), currency: question.currency }, tally);
  }
  write(tally, list, keysOf, into);
}

interface Steps {
  texts: readonly string[];
  /** The place of its step, by quarter of an hour. */
  ofQuarter: Uint8Array;
}

/** A day has 96 of them, and its ids live ten minutes longer. */
const dayQuarters = 97;

/** The steps that a day's events can lie in: it and the ten minutes after it in which its ids are still used. */
function stepsOf(day: number, starts: readonly number[]): Steps {
  const texts: string[] = [];
  const ofQuarter = new Uint8Array(256);
  let at = 0;
  for (let quarter = 0; quarter < ofQuarter.length; quarter++) {
    const second = day * 86_400 + quarter * 900;
    while (at + 1 < starts.length && (starts[at + 1] as number) <= second) at++;
    const text = String(starts[at] ?? 0);
    if (quarter < dayQuarters && texts.at(-1) !== text) texts.push(text);
    ofQuarter[quarter] = Math.max(0, texts.indexOf(text));
  }
  return { texts, ofQuarter };
}

/**
 * A series whose steps begin within the day. Visitors, page views and events are of the step of the event, as in the
 * engine: a visit is never silent for as long as a step, so it is in a step just when it has an event there. Visits are
 * of the step in which they began and, where the filters ask about events, have one there that passes.
 */
function countSeries(
  day: PackedDay,
  list: PackedList,
  { texts, ofQuarter }: Steps,
  { question, passing }: Counting,
  into: Map<string, Row>,
): void {
  const tally = tallyOf(texts.length, list.atoms);
  const events = list.actionsOnly ? passing.actions() : passing.events();
  const quarter = day.quarter();
  const stepOf = (event: number) => ofQuarter[quarter[event] as number] as number;
  const codes = new Uint8Array(day.events);
  for (const event of events) codes[event] = stepOf(event);
  countEvents(day, codes, events, { ...tally, visiting: false });
  if (tally.visiting) {
    const { firstEvent } = day;
    const beganIn = (visit: number) => {
      const end = firstEvent[visit + 1] as number;
      let began = 255;
      for (let event = firstEvent[visit] as number; event < end; event++) began = Math.min(began, stepOf(event));
      return began;
    };
    const tell = visitTeller(day, tally);
    if (!question.asksEvents) for (const visit of passing.visits) tell(visit, beganIn(visit));
    else {
      const visitOf = day.visitOf();
      let told = -1;
      for (const event of events) {
        const visit = visitOf[event] as number;
        if (visit === told || codes[event] !== beganIn(visit)) continue;
        told = visit;
        tell(visit, codes[event] as number);
      }
    }
  }
  earn(day, (event) => codes[event] as number, { events, currency: question.currency }, tally);
  write(tally, list, (row) => [texts[row] ?? ''], into);
}

function countCurrencies(day: PackedDay, list: PackedList, { question, passing }: Counting, into: Map<string, Row>) {
  const { currency } = day.earned();
  const tally = tallyOf(Math.max(1, currency.values.length), list.atoms);
  const events = list.actionsOnly ? passing.actions() : passing.events();
  earn(day, (_, at) => currency.codes[at] as number, { events, currency: question.currency }, tally);
  write(tally, list, (row) => [currency.values[row] ?? ''], into);
}

/** A number for each row of a list: `codes` are of visits or of events; undefined where there is one row only. */
interface Numbering {
  codes: Codes | undefined;
  isOfEvents: boolean;
  size: number;
  /** The texts that a number stands for. */
  keysOf(row: number): string[];
}

function numberingOf(day: PackedDay, keys: readonly Key[], step: string): Numbering {
  const columns = keys.flatMap((key, at) => {
    const column = columnOf(day, key);
    return column === undefined ? [] : [{ at, ...column }];
  });
  const isOfEvents = columns.some((column) => column.isOfEvents);
  const countOf = ({ coded }: Column) => Math.max(1, coded.values.length);
  const size = columns.reduce((product, column) => product * countOf(column), 1);
  if (size > keysMax) throw new NotHere('A list has too many rows to be counted from packed days.');
  const atLevel = (column: Column) =>
    column.isOfEvents || !isOfEvents ? column.coded.codes : atEvents(day, column.coded.codes);
  const [first, ...others] = columns;
  let codes: Codes | undefined;
  if (first !== undefined && others.length === 0) codes = first.coded.codes;
  else if (first !== undefined) {
    codes = Uint32Array.from(atLevel(first));
    for (const other of others) {
      const own = atLevel(other);
      const count = countOf(other);
      for (let at = 0; at < codes.length; at++) codes[at] = (codes[at] as number) * count + (own[at] as number);
    }
  }
  return {
    ...{ codes, isOfEvents, size },
    keysOf(row) {
      if (first !== undefined && keys.length === 1) return [first.coded.values[row] ?? ''];
      const texts = keys.map(() => step);
      let rest = row;
      for (const column of columns.toReversed()) {
        const count = countOf(column);
        texts[column.at] = column.coded.values[rest % count] ?? '';
        rest = Math.floor(rest / count);
      }
      return texts;
    },
  };
}

interface Column {
  coded: Coded;
  isOfEvents: boolean;
}

function columnOf(day: PackedDay, key: Key): Column | undefined {
  switch (key.kind) {
    case 'visit':
      return { coded: day.ofVisit(key.column), isOfEvents: false };
    case 'event':
      return { coded: day.ofEvent(key.column), isOfEvents: true };
    case 'property':
      return { coded: propertyColumn(day.ofEvent('props'), key.property), isOfEvents: true };
    case 'step':
    case 'goal':
    case 'currency':
      return undefined;
  }
}

function propertyColumn(props: Coded, property: string): Coded {
  const texts = props.values.map((value) => propertyOf(value, property));
  const values = [...new Set(texts)];
  const codeOf = new Map(values.map((value, code) => [value, code]));
  const codes = new Uint32Array(props.codes.length);
  const ofCode = Uint32Array.from(texts, (text) => codeOf.get(text) ?? 0);
  for (let at = 0; at < codes.length; at++) codes[at] = ofCode[props.codes[at] as number] as number;
  return { values, codes };
}

/** What visits say, on each of their events. */
function atEvents(day: PackedDay, codes: Codes): Codes {
  const visitOf = day.visitOf();
  const all = new Uint32Array(day.events);
  for (let event = 0; event < all.length; event++) all[event] = codes[visitOf[event] as number] as number;
  return all;
}

/** Numbers by row; those that were not asked for are absent. */
interface Tally extends Partial<Record<Exclude<PackedAtom, 'revenue'>, Float64Array>> {
  size: number;
  revenue: Map<number, bigint> | undefined;
  /** Is any number of revenue asked for, any of visits beside visitors, any of events? */
  earns: boolean;
  visiting: boolean;
  acting: boolean;
}

function tallyOf(size: number, atoms: readonly PackedAtom[]): Tally {
  const has = (...some: PackedAtom[]) => atoms.some((atom) => some.includes(atom));
  const tally: Tally = {
    size,
    revenue: has('revenue') ? new Map() : undefined,
    earns: has('revenue', 'revenue_events', 'revenue_elsewhere'),
    visiting: has('visits', 'bounces', 'duration'),
    acting: has('pageviews', 'events'),
  };
  for (const atom of atoms) if (atom !== 'revenue') tally[atom] = new Float64Array(size);
  return tally;
}

/** A visitor's visits lie side by side, so that one who is not the last that a row has seen is new to it. */
function countVisits(day: PackedDay, codes: Codes | undefined, passing: Uint32Array, tally: Tally): void {
  const { visitor } = day;
  const { visitors } = tally;
  if (tally.visiting) {
    const tell = visitTeller(day, tally);
    for (const visit of passing) tell(visit, codes === undefined ? 0 : (codes[visit] as number));
  }
  if (visitors === undefined) return;
  const seen = new Int32Array(tally.size).fill(-1);
  for (const visit of passing) {
    const row = codes === undefined ? 0 : (codes[visit] as number);
    const who = visitor[visit] as number;
    if (seen[row] === who) continue;
    seen[row] = who;
    visitors[row] = (visitors[row] as number) + 1;
  }
}

/** Counts a visit for a row. */
function visitTeller(day: PackedDay, { visits, bounces, duration }: Tally): (visit: number, row: number) => void {
  const { counted, bounced } = day;
  const seconds = duration === undefined ? undefined : day.seconds();
  return (visit, row) => {
    if (counted[visit] === 0) return;
    if (visits !== undefined) plus(visits, row, 1);
    if (bounced[visit] === 1) {
      if (bounces !== undefined) plus(bounces, row, 1);
    } else if (duration !== undefined) plus(duration, row, seconds?.[visit] as number);
  };
}

/** The same where rows are of events: a visit counts once for each row that its events have. */
function countEvents(day: PackedDay, codes: Codes | undefined, passing: Uint32Array, tally: Tally): void {
  const { visitors } = tally;
  if (tally.acting) countActs(day, codes, passing, tally);
  if (visitors === undefined && !tally.visiting) return;
  const { visitor } = day;
  const visitOf = day.visitOf();
  if (visitors !== undefined) {
    const seen = new Int32Array(tally.size).fill(-1);
    for (const event of passing) {
      const row = codes === undefined ? 0 : (codes[event] as number);
      const who = visitor[visitOf[event] as number] as number;
      if (seen[row] === who) continue;
      seen[row] = who;
      visitors[row] = (visitors[row] as number) + 1;
    }
  }
  if (!tally.visiting) return;
  const tell = visitTeller(day, tally);
  const seen = new Int32Array(tally.size).fill(-1);
  for (const event of passing) {
    const row = codes === undefined ? 0 : (codes[event] as number);
    const visit = visitOf[event] as number;
    if (seen[row] === visit) continue;
    seen[row] = visit;
    tell(visit, row);
  }
}

/** Page views and events. */
function countActs(day: PackedDay, codes: Codes | undefined, passing: Uint32Array, { pageviews, events }: Tally): void {
  const sortOf = sortsOf(day);
  for (const event of passing) {
    const sort = sortOf(event);
    if (sort === engagement) continue;
    const row = codes === undefined ? 0 : (codes[event] as number);
    if (events !== undefined) plus(events, row, 1);
    if (pageviews !== undefined && sort === pageView) plus(pageviews, row, 1);
  }
}

const pageView = 1;
const engagement = 2;

/** Is an event a page view, engagement, or another? */
function sortsOf(day: PackedDay): (event: number) => number {
  const names = day.ofEvent('name');
  const { codes } = names;
  const ofCode = numbered(names, (text) => (text === 'pageview' ? pageView : text === 'engagement' ? engagement : 0));
  return (event) => ofCode[codes[event] as number] as number;
}

/** @param rowOf the row of an event, which is also the so-manieth with revenue */
function earn(
  day: PackedDay,
  rowOf: (event: number, at: number) => number,
  { events: passing, currency: wanted }: { events: Uint32Array; currency: string },
  tally: Tally,
): void {
  if (!tally.earns) return;
  const { revenue, revenue_events: events, revenue_elsewhere: elsewhere } = tally;
  const { event: earning, amount, currency } = day.earned();
  for (const [at, event] of earning.entries()) {
    if (!isAmong(passing, event)) continue;
    const row = rowOf(event, at);
    const thousandths = amount[at] as bigint;
    const isWanted = currency.values[currency.codes[at] as number] === wanted;
    if (isWanted) revenue?.set(row, (revenue.get(row) ?? 0n) + thousandths);
    if (thousandths === 0n) continue;
    if (isWanted && events !== undefined) plus(events, row, 1);
    if (!isWanted && elsewhere !== undefined) plus(elsewhere, row, 1);
  }
}

/** @param ascending numbers */
function isAmong(ascending: Uint32Array, wanted: number): boolean {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === wanted;
}

function plus(numbers: Float64Array, at: number, more: number): void {
  numbers[at] = (numbers[at] as number) + more;
}

/** Adds the rows in which anything was counted. */
function write(tally: Tally, { atoms }: PackedList, keysOf: (row: number) => string[], into: Map<string, Row>): void {
  const columns = atoms.map((atom) => (atom === 'revenue' ? undefined : tally[atom]));
  for (let row = 0; row < tally.size; row++) {
    const revenue = tally.revenue?.get(row) ?? 0n;
    let isEmpty = revenue === 0n;
    for (const column of columns) if (column !== undefined && column[row] !== 0) isEmpty = false;
    if (isEmpty) continue;
    const keys = keysOf(row);
    const name = keys.length === 1 ? (keys[0] as string) : keys.join(keySeparator);
    let known = into.get(name);
    if (known === undefined) {
      known = { keys, counts: atoms.map(() => 0), revenue: 0n };
      into.set(name, known);
    }
    for (let at = 0; at < columns.length; at++)
      known.counts[at] = (known.counts[at] as number) + (columns[at]?.[row] ?? 0);
    if (revenue !== 0n) known.revenue += revenue;
  }
}
