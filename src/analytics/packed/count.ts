import { keySeparator } from '../query/sums.ts';
import type { Coded, OpenDay } from './day.ts';
import { type Events, type Passing, passingOf, Visits } from './passing.ts';
import {
  type Key,
  NotHere,
  type PackedAtom,
  type PackedList,
  type PackedQuestion,
  type PackedRows,
} from './question.ts';
import { countByCode, countOwners, nobody, numbersOfDay, ownerAt, sumByCode, sumsOfDay, valuesAt } from './rows.ts';
import { propertyOf } from './testers.ts';

/** Keys of one list are numbers below this; each has an entry in some arrays while a day is counted. */
const keysMax = 1 << 21;

/** The rows of a list: of each its keys, and its numbers in one array with those of the others. */
interface Rows {
  placeOf: Map<string, number>;
  keys: string[][];
  counts: Float64Array;
  revenue: bigint[];
}

/** Adds up days; a visitor and a visit belong to one day, so every number adds up. */
export function openCounting(question: PackedQuestion) {
  const lists = question.lists.map(
    (): Rows => ({ placeOf: new Map(), keys: [], counts: new Float64Array(64), revenue: [] }),
  );
  return {
    /** @throws NotHere */
    add(number: number, day: OpenDay): void {
      const passing = passingOf(day, question);
      for (const [at, list] of question.lists.entries())
        countList(day, list, { question, passing, number }, lists[at] as Rows);
    },
    rows: (): PackedRows[] =>
      lists.map(({ keys, counts, revenue }, at) => {
        const width = question.lists[at]?.atoms.length ?? 0;
        return {
          keys,
          counts: keys.map((_, place) => [...counts.subarray(place * width, (place + 1) * width)]),
          revenue,
        };
      }),
  };
}

interface Counting {
  question: PackedQuestion;
  passing: Passing;
  /** Of the day: whole UTC days since 1970. */
  number: number;
}

function countList(day: OpenDay, list: PackedList, counting: Counting, into: Rows) {
  const { question, passing } = counting;
  const { keys, atoms } = list;
  const eventsOf = () => (list.actionsOnly ? passing.events.actions : passing.events);
  const steps = keys.some(({ kind }) => kind === 'step') ? stepsOf(counting.number, list.starts) : undefined;
  const [step = ''] = steps?.texts ?? [];
  if (steps !== undefined && steps.texts.length > 1)
    return countSeries(day, list, { ...counting, steps, events: eventsOf() }, into);
  if (keys.some(({ kind }) => kind === 'currency')) {
    const { values, codes } = day.earned().currency;
    const tally = tallyOf(Math.max(1, values.length), atoms);
    earn(day, eventsOf(), question.currency, tally, (at) => codes[at] as number);
    return write(tally, list, { textOf: (row) => values[row] ?? '' }, into);
  }
  if (keys.some(({ kind }) => kind === 'goal')) {
    for (const [at, goal] of question.goals.entries()) {
      const events = passing.events.conversions(goal.test);
      const tally = tallyOf(1, atoms);
      countEvents(day, undefined, events, tally);
      if (tally.reading) countReading(day, undefined, events, tally);
      earn(day, events, goal.currency, tally, () => 0);
      write(tally, list, { keysOf: () => keys.map(({ kind }) => (kind === 'step' ? step : String(at + 1))) }, into);
    }
    return;
  }
  const { codes, size, isOfEvents, ...names } = numberingOf(day, keys, step);
  const tally = tallyOf(size, atoms);
  if (isOfEvents) countEvents(day, codes, eventsOf(), tally);
  else {
    countVisits(day, codes, passing.visits, tally);
    if (tally.visitors !== undefined) countOwners(passing.visits.rows, codes, passing.visits.visitors, tally.visitors);
    if (tally.acting) countActs(codes, eventsOf(), tally, true);
  }
  if (tally.reading) countReading(day, codes, eventsOf(), tally, !isOfEvents);
  if (tally.earns) {
    const { event } = day.earned();
    earn(day, eventsOf(), question.currency, tally, (at) => {
      const own = event[at] as number;
      return codes?.[isOfEvents ? own : ownerAt(own, day.firstEvent)] ?? 0;
    });
  }
  write(tally, list, names, into);
}

interface Steps {
  texts: readonly string[];
  /** The place of its step, by quarter of an hour. */
  ofQuarter: Uint32Array;
}

/** A day has 96 of them, and its ids live ten minutes longer. */
const dayQuarters = 97;

/** The steps that a day's events can lie in: it and the ten minutes after it in which its ids are still used. */
function stepsOf(day: number, starts: readonly number[]): Steps {
  const texts: string[] = [];
  const ofQuarter = new Uint32Array(256);
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
  day: OpenDay,
  list: PackedList,
  { steps, events, question, passing }: Counting & { steps: Steps; events: Events },
  into: Rows,
): void {
  const { texts, ofQuarter } = steps;
  const tally = tallyOf(texts.length, list.atoms);
  const codes = valuesAt(ofQuarter, day.quarter());
  countEvents(day, codes, events, { ...tally, visiting: false });
  if (tally.reading) countReading(day, codes, events, tally);
  if (tally.visiting) {
    const began = valuesAt(ofQuarter, day.beganIn());
    const visits = question.asksEvents ? visitsBegunWith(day, events, codes, began) : passing.visits;
    countVisits(day, began, visits, tally);
  }
  const { event } = day.earned();
  earn(day, events, question.currency, tally, (at) => codes[event[at] as number] as number);
  write(tally, list, { textOf: (row) => texts[row] ?? '' }, into);
}

/** Visits of which one of the events lies in the step in which they began. */
function visitsBegunWith(
  day: OpenDay,
  { rows: events, visits: visitOf }: Events,
  steps: Uint32Array,
  began: Uint32Array,
): Visits {
  const visits = numbersOfDay(day.visits);
  let found = 0;
  let last = -1;
  for (let at = 0; at < events.length; at++) {
    const event = events[at] as number;
    const visit = visitOf[at] as number;
    if (visit === last || steps[event] !== began[visit]) continue;
    last = visit;
    visits[found++] = visit;
  }
  return new Visits(day, visits.subarray(0, found));
}

/** A number for each row of a list: `codes` are of visits or of events; undefined where there is one row only. */
interface Numbering extends Names {
  codes: Uint32Array | undefined;
  isOfEvents: boolean;
  size: number;
}

/** What the number of a row stands for: a text where there is one key, else one for each key. */
interface Names {
  textOf?: (row: number) => string;
  keysOf?: (row: number) => string[];
}

function numberingOf(day: OpenDay, keys: readonly Key[], step: string): Numbering {
  const columns = keys.flatMap((key, at) => {
    const column = columnOf(day, key);
    return column === undefined ? [] : [{ at, ...column }];
  });
  const isOfEvents = columns.some((column) => column.isOfEvents);
  const countOf = ({ coded }: Column) => Math.max(1, coded.values.length);
  const size = columns.reduce((product, column) => product * countOf(column), 1);
  if (size > keysMax) throw new NotHere('A list has too many rows to be counted from packed days.');
  const atLevel = (column: Column) =>
    column.isOfEvents || !isOfEvents ? column.coded.codes : valuesAt(column.coded.codes, day.visitOf());
  const [first, ...others] = columns;
  let codes: Uint32Array | undefined;
  if (first !== undefined && others.length === 0) codes = first.coded.codes;
  else if (first !== undefined) {
    codes = Uint32Array.from(atLevel(first));
    for (const other of others) {
      const own = atLevel(other);
      const count = countOf(other);
      for (let at = 0; at < codes.length; at++) codes[at] = (codes[at] as number) * count + (own[at] as number);
    }
  }
  if (first !== undefined && keys.length === 1)
    return { ...{ codes, isOfEvents, size }, textOf: (row) => first.coded.values[row] ?? '' };
  return {
    ...{ codes, isOfEvents, size },
    keysOf(row) {
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
  coded: Coded<Uint32Array>;
  isOfEvents: boolean;
}

function columnOf(day: OpenDay, key: Key): Column | undefined {
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

function propertyColumn(props: Coded<Uint32Array>, property: string): Coded<Uint32Array> {
  const texts = props.values.map((value) => propertyOf(value, property));
  const values = [...new Set(texts)];
  const codeOf = new Map(values.map((value, code) => [value, code]));
  const ofCode = Uint32Array.from(texts, (text) => codeOf.get(text) ?? 0);
  return { values, codes: valuesAt(ofCode, props.codes) };
}

/** Numbers by row; those that were not asked for are absent. */
interface Tally extends Partial<Record<Exclude<PackedAtom, 'revenue'>, Float64Array>> {
  size: number;
  revenue: Map<number, bigint> | undefined;
  /** Is any number of revenue asked for, any of reading, any of visits beside visitors, any of events? */
  earns: boolean;
  reading: boolean;
  visiting: boolean;
  acting: boolean;
}

function tallyOf(size: number, atoms: readonly PackedAtom[]): Tally {
  const has = (...some: PackedAtom[]) => atoms.some((atom) => some.includes(atom));
  const tally: Tally = {
    size,
    revenue: has('revenue') ? new Map() : undefined,
    earns: has('revenue', 'revenue_events', 'revenue_elsewhere'),
    reading: has('scroll', 'scroll_visits', 'engagement', 'engaged_visits'),
    visiting: has('visits', 'bounces', 'duration'),
    acting: has('pageviews', 'events'),
  };
  for (const atom of atoms) if (atom !== 'revenue') tally[atom] = sumsOfDay(size);
  return tally;
}

/** What is counted of visits as such. */
function countVisits(day: OpenDay, codes: Uint32Array | undefined, chosen: Visits, tally: Tally): void {
  const { visits, bounces, duration } = tally;
  if (visits !== undefined) countByCode(chosen.counted, codes, visits);
  if (bounces !== undefined) countByCode(chosen.bounced, codes, bounces);
  if (duration !== undefined) sumByCode(chosen.stayed, codes, day.seconds(), duration);
}

/** The same where rows are of events: a visit counts once for each row that its events have. */
function countEvents(day: OpenDay, codes: Uint32Array | undefined, chosen: Events, tally: Tally): void {
  if (tally.acting) countActs(codes, chosen, tally);
  if (tally.visitors !== undefined) countOwners(chosen.rows, codes, chosen.visitors, tally.visitors);
  if (!tally.visiting) return;
  const { visits, bounces, duration, size } = tally;
  const { counted, bounced } = day;
  const visitOf = chosen.visits;
  const seconds = day.seconds();
  const lastOf = numbersOfDay(size).fill(nobody);
  for (let at = 0; at < chosen.rows.length; at++) {
    const event = chosen.rows[at] as number;
    const row = codes === undefined ? 0 : (codes[event] as number);
    const visit = visitOf[at] as number;
    if (lastOf[row] === visit) continue;
    lastOf[row] = visit;
    if (counted[visit] === 0) continue;
    if (visits !== undefined) plus(visits, row, 1);
    if (bounced[visit] === 0) {
      if (duration !== undefined) plus(duration, row, seconds[visit] as number);
    } else if (bounces !== undefined) plus(bounces, row, 1);
  }
}

/** Page views and events. @param ofVisits are the codes of visits, not of events? */
function countActs(
  codes: Uint32Array | undefined,
  chosen: Events,
  { pageviews, events }: Tally,
  ofVisits = false,
): void {
  const coded = (some: Events) => (ofVisits && codes !== undefined ? some.visits : some.rows);
  if (events !== undefined) countByCode(coded(chosen.actions), codes, events);
  if (pageviews !== undefined) countByCode(coded(chosen.views), codes, pageviews);
}

/**
 * Of each visit and row the deepest counts, and the milliseconds add up. A visit's events lie side by side.
 * @param ofVisits are the codes of visits, not of events?
 */
function countReading(
  day: OpenDay,
  codes: Uint32Array | undefined,
  { rows, visits }: Events,
  { scroll, scroll_visits: scrolled, engagement, engaged_visits: engaged, size }: Tally,
  ofVisits = false,
): void {
  const { firstEvent } = day;
  const { first, depth, attention } = day.read();
  const lastOf = numbersOfDay(size).fill(nobody);
  const deepestOf = new Int32Array(size);
  for (let at = 0; at < rows.length; at++) {
    const event = rows[at] as number;
    const visit = visits[at] as number;
    // Counted from the end, where the visit's events of engagement lie.
    const place = (first[visit + 1] as number) - ((firstEvent[visit + 1] as number) - event);
    if (place < (first[visit] as number)) continue;
    const row = codes === undefined ? 0 : (codes[ofVisits ? visit : event] as number);
    if (lastOf[row] !== visit) {
      lastOf[row] = visit;
      deepestOf[row] = -1;
      if (engaged !== undefined) plus(engaged, row, 1);
    }
    if (engagement !== undefined) plus(engagement, row, attention[place] as number);
    const deep = depth[place] as number;
    const before = deepestOf[row] as number;
    if (deep > deepestMax || deep <= before) continue;
    deepestOf[row] = deep;
    if (before < 0 && scrolled !== undefined) plus(scrolled, row, 1);
    if (scroll !== undefined) plus(scroll, row, deep - Math.max(0, before));
  }
}

/** Per cent; what is above says that the depth is not known. */
const deepestMax = 100;

/** @param rowOf the row of the so-manieth event with revenue */
function earn(day: OpenDay, chosen: Events, wanted: string, tally: Tally, rowOf: (at: number) => number): void {
  if (!tally.earns) return;
  const { revenue, revenue_events: events, revenue_elsewhere: elsewhere } = tally;
  const { amount, currency } = day.earned();
  for (const at of chosen.earning) {
    const row = rowOf(at);
    const thousandths = amount[at] as bigint;
    const isWanted = currency.values[currency.codes[at] as number] === wanted;
    if (isWanted) revenue?.set(row, (revenue.get(row) ?? 0n) + thousandths);
    if (thousandths === 0n) continue;
    if (isWanted && events !== undefined) plus(events, row, 1);
    if (!isWanted && elsewhere !== undefined) plus(elsewhere, row, 1);
  }
}

function plus(numbers: Float64Array, at: number, more: number): void {
  numbers[at] = (numbers[at] as number) + more;
}

/** Adds the rows in which anything was counted. */
function write(tally: Tally, { atoms }: PackedList, { textOf, keysOf }: Names, into: Rows): void {
  const columns = atoms.flatMap((atom, at) => {
    const numbers = atom === 'revenue' ? undefined : tally[atom];
    return numbers === undefined ? [] : [{ at, numbers }];
  });
  for (let row = 0; row < tally.size; row++) {
    const revenue = tally.revenue?.get(row);
    let isEmpty = revenue === undefined || revenue === 0n;
    for (const { numbers } of columns) if (numbers[row] !== 0) isEmpty = false;
    if (isEmpty) continue;
    const keys = textOf === undefined ? (keysOf?.(row) ?? []) : undefined;
    const name = keys === undefined ? (textOf?.(row) ?? '') : keys.join(keySeparator);
    const place = into.placeOf.get(name) ?? newRow(into, name, keys ?? [name], atoms.length);
    for (const { at, numbers } of columns) plus(into.counts, place * atoms.length + at, numbers[row] as number);
    if (revenue !== undefined) into.revenue[place] = (into.revenue[place] ?? 0n) + revenue;
  }
}

function newRow(into: Rows, name: string, keys: string[], width: number): number {
  const place = into.keys.push(keys) - 1;
  into.placeOf.set(name, place);
  into.revenue.push(0n);
  if ((place + 1) * width > into.counts.length) {
    const counts = new Float64Array(Math.max(into.counts.length * 2, width));
    counts.set(into.counts);
    into.counts = counts;
  }
  return place;
}
