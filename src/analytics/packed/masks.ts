import { countryNameOf } from '../query/countries.ts';
import type { Coded, PackedDay } from './day.ts';
import { type Check, NotHere, type Test } from './question.ts';

/** Which visits or events of a day pass a test: 1 or 0 for each. */
export interface Mask {
  level: 'visit' | 'event';
  bits: Uint8Array;
}

export function maskOf(day: PackedDay, test: Test): Mask {
  switch (test.kind) {
    case 'visit': {
      const textOf = test.isName ? countryNameOf : (text: string) => text;
      return { level: 'visit', bits: spread(day.ofVisit(test.column), (text) => passes(test.check, textOf(text))) };
    }
    case 'event':
      return { level: 'event', bits: spread(day.ofEvent(test.column), (text) => passes(test.check, text)) };
    case 'property':
      return {
        level: 'event',
        bits: spread(day.ofEvent('props'), (props) => passes(test.check, propertyOf(props, test.property))),
      };
    case 'and':
    case 'or':
      return joined(
        day,
        test.nodes.map((node) => maskOf(day, node)),
        test.kind,
      );
    case 'not': {
      const { level, bits } = maskOf(day, test.node);
      const others = new Uint8Array(bits.length);
      for (let at = 0; at < bits.length; at++) others[at] = (bits[at] as number) ^ 1;
      return { level, bits: others };
    }
  }
}

/** The same for events: those of the visits that pass. */
export function ofEvents(day: PackedDay, { level, bits }: Mask): Uint8Array {
  if (level === 'event') return bits;
  const all = new Uint8Array(day.events);
  for (let visit = 0; visit < day.visits; visit++)
    if (bits[visit] === 1) all.fill(1, day.firstEvent[visit], day.firstEvent[visit + 1]);
  return all;
}

/** Visits that have an event that passes. */
export function withEvent(day: PackedDay, events: Uint8Array): Uint8Array {
  const visits = new Uint8Array(day.visits);
  for (let visit = 0; visit < day.visits; visit++) {
    const end = day.firstEvent[visit + 1] as number;
    for (let event = day.firstEvent[visit] as number; event < end; event++)
      if (events[event] === 1) {
        visits[visit] = 1;
        break;
      }
  }
  return visits;
}

export function both(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bits = new Uint8Array(one.length);
  for (let at = 0; at < bits.length; at++) bits[at] = (one[at] as number) & (other[at] as number);
  return bits;
}

/** Events that somebody did: all but engagement. */
export function actionsOf(day: PackedDay): Uint8Array {
  return spread(day.ofEvent('name'), (name) => name !== 'engagement');
}

/** The value of a property in the JSON of all; '' where it is absent, as in the engine. */
export function propertyOf(props: string, name: string): string {
  if (props === '') return '';
  const all = JSON.parse(props) as { [name: string]: string };
  return Object.hasOwn(all, name) ? (all[name] as string) : '';
}

function joined(day: PackedDay, masks: readonly Mask[], how: 'and' | 'or'): Mask {
  const [only] = masks;
  if (only !== undefined && masks.length === 1) return only;
  const level = masks.some((mask) => mask.level === 'event') ? 'event' : 'visit';
  const length = level === 'event' ? day.events : day.visits;
  const bits = new Uint8Array(length).fill(how === 'and' ? 1 : 0);
  for (const mask of masks) {
    const own = level === 'event' ? ofEvents(day, mask) : mask.bits;
    if (how === 'and') for (let at = 0; at < length; at++) bits[at] = (bits[at] as number) & (own[at] as number);
    else for (let at = 0; at < length; at++) bits[at] = (bits[at] as number) | (own[at] as number);
  }
  return { level, bits };
}

/** Each text is looked at once, however many rows have it. */
function spread(column: Coded, test: (text: string) => boolean): Uint8Array {
  return looked(column, (text) => (test(text) ? 1 : 0));
}

/** A small number for each row, by its text. */
export function looked({ values, codes }: Coded, numberOf: (text: string) => number): Uint8Array {
  const ofCode = Uint8Array.from(values, numberOf);
  const numbers = new Uint8Array(codes.length);
  for (let at = 0; at < numbers.length; at++) numbers[at] = ofCode[codes[at] as number] as number;
  return numbers;
}

function passes({ operator, anyCase, values }: Check, written: string): boolean {
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
