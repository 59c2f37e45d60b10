import { countryNameOf } from '../query/countries.ts';
import type { Coded, PackedDay } from './day.ts';
import { type Check, NotHere, type Test } from './question.ts';

/** A test made ready for a day: of the number of a visit, or of that of an event. Each text has been looked at once. */
export interface Tester {
  level: 'visit' | 'event';
  passes(row: number): boolean;
}

export function testerOf(day: PackedDay, test: Test): Tester {
  switch (test.kind) {
    case 'visit': {
      const textOf = test.isName ? countryNameOf : (text: string) => text;
      return { level: 'visit', passes: looksUp(day.ofVisit(test.column), (text) => holds(test.check, textOf(text))) };
    }
    case 'event':
      return { level: 'event', passes: looksUp(day.ofEvent(test.column), (text) => holds(test.check, text)) };
    case 'property':
      return {
        level: 'event',
        passes: looksUp(day.ofEvent('props'), (props) => holds(test.check, propertyOf(props, test.property))),
      };
    case 'and':
    case 'or':
      return joined(
        day,
        test.nodes.map((node) => testerOf(day, node)),
        test.kind,
      );
    case 'not': {
      const { level, passes } = testerOf(day, test.node);
      return { level, passes: (row) => !passes(row) };
    }
  }
}

function joined(day: PackedDay, testers: readonly Tester[], how: 'and' | 'or'): Tester {
  const [only] = testers;
  if (only !== undefined && testers.length === 1) return only;
  const level = testers.some((tester) => tester.level === 'event') ? 'event' : 'visit';
  const tests = testers.map((tester) => (level === 'event' ? ofEvents(day, tester) : tester.passes));
  return {
    level,
    passes:
      how === 'and' ? (row) => tests.every((passes) => passes(row)) : (row) => tests.some((passes) => passes(row)),
  };
}

/** The same for events: those of the visits that pass. */
export function ofEvents(day: PackedDay, { level, passes }: Tester): (event: number) => boolean {
  if (level === 'event') return passes;
  const visitOf = day.visitOf();
  return (event) => passes(visitOf[event] as number);
}

/** The value of a property in the JSON of all; '' where it is absent, as in the engine. */
export function propertyOf(props: string, name: string): string {
  if (props === '') return '';
  const all = JSON.parse(props) as { [name: string]: string };
  return Object.hasOwn(all, name) ? (all[name] as string) : '';
}

/** A small number for each text of a column. */
export function numbered({ values }: Coded, numberOf: (text: string) => number): Uint8Array {
  return Uint8Array.from(values, numberOf);
}

function looksUp(column: Coded, test: (text: string) => boolean): (row: number) => boolean {
  const { codes } = column;
  const ofCode = numbered(column, (text) => (test(text) ? 1 : 0));
  return (row) => ofCode[codes[row] as number] === 1;
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
