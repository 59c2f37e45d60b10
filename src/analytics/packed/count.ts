import type { Coded, Codes, PackedDay } from './day.ts';
import { actionsOf, both, looked, maskOf, ofEvents, propertyOf, withEvent } from './masks.ts';
import {
  type Key,
  NotHere,
  type PackedAtom,
  type PackedList,
  type PackedQuestion,
  type PackedRows,
  type Test,
} from './question.ts';

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

/** What of a day the filters let through; each part is worked out when a list needs it. */
interface Passing {
  visits(): Uint8Array;
  /** @param actionsOnly without engagement */
  events(actionsOnly: boolean): Uint8Array;
  goal(test: Test): Uint8Array;
  /** Of each event: is it a page view, engagement, or another? */
  sorts(): Uint8Array;
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
  const mask = maskOf(day, { kind: 'and', nodes: tests });
  const actions = once(() => actionsOf(day));
  const all = once(() => (actionsOnly ? both(ofEvents(day, mask), actions()) : ofEvents(day, mask)));
  const acted = once(() => (actionsOnly ? all() : both(all(), actions())));
  const sorts = once(() => sortsOf(day));
  return {
    visits: once(() => (asksEvents || mask.level === 'event' ? withEvent(day, all()) : mask.bits)),
    events: (withoutEngagement) => (withoutEngagement ? acted() : all()),
    goal: (test) => both(acted(), ofEvents(day, maskOf(day, test))),
    sorts,
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
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
      const events = passing.goal(goal.test);
      const tally = tallyOf(1, atoms);
      countEvents(day, undefined, { events, sorts: passing.sorts }, tally);
      earn(day, { codes: undefined, isOfEvents: true }, { events, currency: goal.currency }, tally);
      write(tally, list, () => keys.map(({ kind }) => (kind === 'step' ? step : String(at + 1))), into);
    }
    return;
  }
  const numbering = numberingOf(day, keys, step);
  const { codes, size, isOfEvents } = numbering;
  const tally = tallyOf(size, atoms);
  const events = once(() => passing.events(list.actionsOnly));
  if (isOfEvents) countEvents(day, codes, { events: events(), sorts: passing.sorts }, tally);
  else {
    countVisits(day, codes, passing.visits(), tally);
    if (tally.pageviews !== undefined || tally.events !== undefined)
      countActions(day, codes, { events: events(), sorts: passing.sorts }, tally);
  }
  if (tally.earns) earn(day, numbering, { events: events(), currency: question.currency }, tally);
  write(tally, list, numbering.keysOf, into);
}

interface Steps {
  texts: readonly string[];
  /** The place of its step, by quarter of an hour. */
  ofQuarter: Uint8Array;
}

/** The steps that a day's events can lie in: it and the ten minutes after it in which its ids are still used. */
function stepsOf(day: number, starts: readonly number[]): Steps {
  const texts: string[] = [];
  const ofQuarter = new Uint8Array(256);
  for (let quarter = 0; quarter < ofQuarter.length; quarter++) {
    const second = day * 86_400 + quarter * 900;
    let at = starts.findIndex((start) => start > second);
    if (at < 0) at = starts.length;
    const text = String(starts[Math.max(0, at - 1)] ?? 0);
    if (quarter < dayQuarters && texts.at(-1) !== text) texts.push(text);
    ofQuarter[quarter] = Math.max(0, texts.indexOf(text));
  }
  return { texts, ofQuarter };
}

/** A day has 96 of them, and its ids live ten minutes longer. */
const dayQuarters = 97;

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
  const { firstEvent, counted } = day;
  const tally = tallyOf(texts.length, list.atoms);
  const events = passing.events(list.actionsOnly);
  const quarter = day.quarter();
  const codes = new Uint8Array(day.events);
  for (let event = 0; event < codes.length; event++) codes[event] = ofQuarter[quarter[event] as number] as number;
  const tell = tally.visiting ? visitTeller(day, tally) : undefined;
  countEvents(day, codes, { events, sorts: passing.sorts }, { ...tally, visiting: false });
  if (tell !== undefined) {
    const visits = passing.visits();
    for (let visit = 0; visit < day.visits; visit++) {
      if (visits[visit] === 0 || counted[visit] === 0) continue;
      const first = firstEvent[visit] as number;
      const end = firstEvent[visit + 1] as number;
      let began = 255;
      for (let event = first; event < end; event++) began = Math.min(began, codes[event] as number);
      const isIn = (event: number) => events[event] === 1 && codes[event] === began;
      let has = !question.asksEvents;
      for (let event = first; event < end && !has; event++) has = isIn(event);
      if (has) tell(visit, began);
    }
  }
  earn(day, { codes, isOfEvents: true }, { events, currency: question.currency }, tally);
  write(tally, list, (row) => [texts[row] ?? ''], into);
}

function countCurrencies(day: PackedDay, list: PackedList, { question, passing }: Counting, into: Map<string, Row>) {
  const { event: earning, currency } = day.earned();
  const tally = tallyOf(Math.max(1, currency.values.length), list.atoms);
  const codes = new Uint16Array(day.events);
  for (const [at, event] of earning.entries()) codes[event] = currency.codes[at] as number;
  const events = passing.events(list.actionsOnly);
  earn(day, { codes, isOfEvents: true }, { events, currency: question.currency }, tally);
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
  const [first, ...others] = columns;
  let codes: Codes | undefined;
  if (first !== undefined && others.length === 0) codes = first.coded.codes;
  else if (first !== undefined) {
    codes = Uint32Array.from(atLevel(day, first, isOfEvents));
    for (const other of others) {
      const own = atLevel(day, other, isOfEvents);
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
  const ofCode = Uint32Array.from(texts, (text) => codeOf.get(text) ?? 0);
  const codes = new Uint32Array(props.codes.length);
  for (let at = 0; at < codes.length; at++) codes[at] = ofCode[props.codes[at] as number] as number;
  return { values, codes };
}

function atLevel(day: PackedDay, { coded: { codes }, isOfEvents }: Column, wantsEvents: boolean): Codes {
  if (isOfEvents || !wantsEvents) return codes;
  const all = new Uint32Array(day.events);
  for (let visit = 0; visit < day.visits; visit++)
    all.fill(codes[visit] as number, day.firstEvent[visit], day.firstEvent[visit + 1]);
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
function countVisits(day: PackedDay, codes: Codes | undefined, passing: Uint8Array, tally: Tally): void {
  const { visitor } = day;
  const { visitors } = tally;
  if (tally.visiting) {
    const tell = visitTeller(day, tally);
    for (let visit = 0; visit < day.visits; visit++)
      if (passing[visit] === 1) tell(visit, codes === undefined ? 0 : (codes[visit] as number));
  }
  if (visitors === undefined) return;
  const seen = new Int32Array(tally.size).fill(-1);
  for (let visit = 0; visit < day.visits; visit++) {
    if (passing[visit] === 0) continue;
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

interface PassingEvents {
  events: Uint8Array;
  sorts(): Uint8Array;
}

/** The same where rows are of events: a visit counts once for each row that its events have. */
function countEvents(day: PackedDay, codes: Codes | undefined, { events, sorts }: PassingEvents, tally: Tally): void {
  const { visitor, firstEvent } = day;
  const { visitors } = tally;
  if (tally.acting) countActs(codes, events, sorts(), tally);
  const tell = tally.visiting ? visitTeller(day, tally) : undefined;
  if (visitors === undefined && tell === undefined) return;
  const seenVisitor = new Int32Array(tally.size).fill(-1);
  const seenVisit = tell === undefined ? undefined : new Int32Array(tally.size).fill(-1);
  for (let visit = 0; visit < day.visits; visit++) {
    const who = visitor[visit] as number;
    const end = firstEvent[visit + 1] as number;
    for (let event = firstEvent[visit] as number; event < end; event++) {
      if (events[event] === 0) continue;
      const row = codes === undefined ? 0 : (codes[event] as number);
      if (visitors !== undefined && seenVisitor[row] !== who) {
        seenVisitor[row] = who;
        plus(visitors, row, 1);
      }
      if (seenVisit === undefined || seenVisit[row] === visit) continue;
      seenVisit[row] = visit;
      tell?.(visit, row);
    }
  }
}

/** Page views and events by something that events say. */
function countActs(
  codes: Codes | undefined,
  passing: Uint8Array,
  sorts: Uint8Array,
  { pageviews, events }: Tally,
): void {
  for (let event = 0; event < passing.length; event++) {
    const sort = sorts[event];
    if (passing[event] === 0 || sort === engagement) continue;
    const row = codes === undefined ? 0 : (codes[event] as number);
    if (events !== undefined) plus(events, row, 1);
    if (pageviews !== undefined && sort === pageView) plus(pageviews, row, 1);
  }
}

/** Page views and events by something that visits say. */
function countActions(day: PackedDay, codes: Codes | undefined, { events, sorts }: PassingEvents, tally: Tally): void {
  const ofVisits = { coded: { values: [], codes: codes ?? new Uint8Array() }, isOfEvents: false };
  countActs(codes === undefined ? undefined : atLevel(day, ofVisits, true), events, sorts(), tally);
}

const pageView = 1;
const engagement = 2;

function sortsOf(day: PackedDay): Uint8Array {
  return looked(day.ofEvent('name'), (text) =>
    text === 'pageview' ? pageView : text === 'engagement' ? engagement : 0,
  );
}

function earn(
  day: PackedDay,
  { codes, isOfEvents }: Pick<Numbering, 'codes' | 'isOfEvents'>,
  { events: passing, currency: wanted }: { events: Uint8Array; currency: string },
  tally: Tally,
): void {
  if (!tally.earns) return;
  const { revenue, revenue_events: events, revenue_elsewhere: elsewhere } = tally;
  const { event: earning, amount, currency } = day.earned();
  const visitOf = isOfEvents || codes === undefined ? undefined : visitsOf(day, earning);
  for (const [at, event] of earning.entries()) {
    if (passing[event] === 0) continue;
    const row = codes === undefined ? 0 : (codes[visitOf === undefined ? event : (visitOf[at] as number)] as number);
    const thousandths = amount[at] as bigint;
    const isWanted = currency.values[currency.codes[at] as number] === wanted;
    if (isWanted) revenue?.set(row, (revenue.get(row) ?? 0n) + thousandths);
    if (thousandths === 0n) continue;
    if (isWanted && events !== undefined) plus(events, row, 1);
    if (!isWanted && elsewhere !== undefined) plus(elsewhere, row, 1);
  }
}

/** The visits of some events. */
function visitsOf({ firstEvent, visits }: PackedDay, events: Uint32Array): Uint32Array {
  return events.map((event) => {
    let low = 0;
    let high = visits - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((firstEvent[middle] as number) <= event) low = middle;
      else high = middle - 1;
    }
    return low;
  });
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
    const name = keys.length === 1 ? (keys[0] as string) : keys.join('\u001f');
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
