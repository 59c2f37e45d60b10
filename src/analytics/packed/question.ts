import type { Atom } from '../facts.ts';
import type { EventColumn, VisitColumn } from './day.ts';

/** A test of a text; it passes when it does for any of the values. */
export interface Check {
  operator: 'is' | 'contains' | 'starts';
  /** Letters of either case are alike; the values are ASCII then. */
  anyCase: boolean;
  values: readonly string[];
}

/** A filter as data that a worker can be sent. What a visit says is the same on all of its events. */
export type Test =
  | { kind: 'visit'; column: VisitColumn; isName: boolean; check: Check }
  | { kind: 'event'; column: Exclude<EventColumn, 'props'>; check: Check }
  | { kind: 'property'; property: string; check: Check }
  | { kind: 'and' | 'or'; nodes: readonly Test[] }
  | { kind: 'not'; node: Test };

/** What the rows of a list are told apart by. */
export type Key =
  | { kind: 'visit'; column: VisitColumn }
  | { kind: 'event'; column: Exclude<EventColumn, 'props'> }
  | { kind: 'property'; property: string }
  /** The step of a series: by itself, or beside others where each day lies in one step whole. */
  | { kind: 'step' }
  /** The currency of revenue, by itself. */
  | { kind: 'currency' }
  | { kind: 'goal' };

/** Numbers that a packed day can tell. */
export const packedAtoms = [
  'visitors',
  'visits',
  'bounces',
  'duration',
  'pageviews',
  'events',
  'scroll',
  'scroll_visits',
  'engagement',
  'engaged_visits',
  'revenue',
  'revenue_events',
  'revenue_elsewhere',
] as const satisfies readonly Atom[];
export type PackedAtom = (typeof packedAtoms)[number];

export interface PackedList {
  keys: readonly Key[];
  atoms: readonly PackedAtom[];
  /** Engagement is nobody's under these keys. */
  actionsOnly: boolean;
  /** Starts of the steps of a series in seconds, ascending; each at a quarter of an hour. */
  starts: readonly number[];
}

/** Lists over the same visits and events. */
export interface PackedQuestion {
  /** All of them must hold, of one and the same event where any asks about events. */
  tests: readonly Test[];
  asksEvents: boolean;
  /** Engagement is nobody's under these filters. */
  actionsOnly: boolean;
  goals: readonly { test: Test; currency: string }[];
  /** Revenue is summed in it where no goal names one. */
  currency: string;
  lists: readonly PackedList[];
}

/** The rows of one list: their keys, and a number for each atom in the list's order (0 for revenue, which is apart). */
export interface PackedRows {
  keys: string[][];
  counts: number[][];
  /** In thousandths. */
  revenue: bigint[];
}

/** What a packed day cannot tell after all; the question stays the engine's. */
export class NotHere extends Error {}
