import { countryNameOf } from '../query/countries.ts';
import type { Coded, OpenDay } from './day.ts';
import { type Check, NotHere, type Test } from './question.ts';
import { ascending, lookedUp, marked, marksOf, without } from './rows.ts';

/** A test made ready for a day. Each text has been looked at once. */
export interface Tester {
  level: 'visit' | 'event';
  /** Those that pass of some visits or events: numbers of the day, ascending. */
  among(rows: Uint32Array): Uint32Array;
}

export function testerOf(day: OpenDay, test: Test): Tester {
  switch (test.kind) {
    case 'visit': {
      const textOf = test.isName ? countryNameOf : (text: string) => text;
      return looksUp(day, test, day.ofVisit(test.column), (text) => holds(test.check, textOf(text)));
    }
    case 'event':
      return looksUp(day, test, day.ofEvent(test.column), (text) => holds(test.check, text));
    case 'property':
      return looksUp(day, test, day.ofEvent('props'), (props) => holds(test.check, propertyOf(props, test.property)));
    case 'and':
    case 'or': {
      const testers = test.nodes.map((node) => testerOf(day, node));
      const [only] = testers;
      if (only !== undefined && testers.length === 1) return only;
      const level = testers.some((tester) => tester.level === 'event') ? 'event' : 'visit';
      const alike = level === 'event' ? testers.map((tester) => ofEvents(day, tester)) : testers;
      return {
        level,
        among: test.kind === 'and' ? all(alike) : any(alike, level === 'event' ? day.events : day.visits),
      };
    }
    case 'not': {
      const { level, among } = testerOf(day, test.node);
      return { level, among: (rows) => without(rows, among(rows)) };
    }
  }
}

function all(testers: readonly Tester[]): Tester['among'] {
  return (rows) => testers.reduce((left, tester) => tester.among(left), rows);
}

function any(testers: readonly Tester[], count: number): Tester['among'] {
  return (rows) => marked(rows, marksOf(count, ...testers.map((tester) => tester.among(rows))));
}

/** The same for events: those of the visits that pass. */
export function ofEvents(day: OpenDay, tester: Tester): Tester {
  if (tester.level === 'event') return tester;
  let passes: Uint8Array | undefined;
  return {
    level: 'event',
    among(rows) {
      passes ??= marksOf(day.visits, tester.among(ascending(day.visits)));
      return lookedUp(rows, day.visitOf(), passes);
    },
  };
}

/** The value of a property in the JSON of all; '' where it is absent, as in the engine. */
export function propertyOf(props: string, name: string): string {
  if (props === '') return '';
  const all = JSON.parse(props) as { [name: string]: string };
  return Object.hasOwn(all, name) ? (all[name] as string) : '';
}

/** A small number for each text of a column. */
export function numbered({ values }: Coded, numberOf: (text: string) => number): Uint8Array {
  const numbers = new Uint8Array(values.length);
  for (let code = 0; code < numbers.length; code++) numbers[code] = numberOf(values[code] as string);
  return numbers;
}

function looksUp(day: OpenDay, test: Test, column: Coded<Uint32Array>, passes: (text: string) => boolean): Tester {
  const level = test.kind === 'visit' ? 'visit' : 'event';
  const ofCode = numbered(column, (text) => (passes(text) ? 1 : 0));
  const count = level === 'event' ? day.events : day.visits;
  return {
    level,
    among(rows) {
      const found = () => lookedUp(rows, column.codes, ofCode);
      return rows.length < count ? found() : allPassing(day, JSON.stringify(test), found);
    },
  };
}

/** What of all visits or events passes a test: questions of one job often begin with the same. */
const allPassing = onceADay<Uint32Array>();

/** Keeps what was made of a day under a name for as long as the day is open. */
export function onceADay<T extends object>(): (day: OpenDay, name: string, make: () => T) => T {
  const ofDays = new WeakMap<OpenDay, Map<string, T>>();
  return (day, name, make) => {
    const known = ofDays.get(day) ?? new Map<string, T>();
    ofDays.set(day, known);
    const made = known.get(name) ?? make();
    known.set(name, made);
    return made;
  };
}

function holds({ operator, anyCase, values }: Check, written: string): boolean {
  if (anyCase && foldsOddly.test(written))
    throw new NotHere('A text has a letter whose other case is one of the alphabet.');
  const text = anyCase ? written.toLowerCase() : written;
  const wanted = anyCase ? values.map((value) => value.toLowerCase()) : values;
  switch (operator) {
    case 'is':
      return wanted.includes(text);
    case 'contains':
      return wanted.some((value) => text.includes(value));
    case 'starts':
      return wanted.some((value) => text.startsWith(value));
  }
}

/** The Kelvin sign, the long s, and i with and without a dot: runtimes differ in what their other case is. */
const foldsOddly = /[\u212a\u017f\u0130\u0131]/;
