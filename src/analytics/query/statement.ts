import type { MetricName } from '../../../contract/query.ts';
import type { Atom } from '../facts.ts';
import type { DailyPlan } from './daily.ts';
import type { ImportedPlan } from './imported.ts';
import type { Dimension, Filter, Goal, Order } from './parse.ts';
import type { Bucket, Range } from './range.ts';

/** What is asked of the warehouse in one statement, and what comes back: `sql.ts` turns the one into the other. */
export interface Statement {
  sql: string;
  params: Record<string, unknown>;
  /** For `meta.explain`: what each part read. */
  parts: PartNote[];
}

export interface PartNote {
  table: 'daily' | 'packed' | 'visits' | 'events' | 'events+visits' | 'imported_days' | 'stored_ids';
  dimensions: string[];
  numbers: Atom[];
  /** Days of identity it was limited to; absent = every one that the range touches. */
  days?: number;
  /** From memory: nothing about its days has changed since it was read. */
  kept?: boolean;
}

/** The events that a statement is about. */
export interface Scope {
  siteId: number;
  range: Range;
  filters: readonly Filter[];
  /** Goals of the site that the goal dimension ranges over. */
  goals: readonly Goal[];
  /** Revenue is summed in this currency where no goal names one. */
  currency: string;
  /** Can a visitor id of the site come on several days of the range? Those of storage mode do. */
  stored: boolean;
}

export interface List {
  dimensions: readonly Dimension[];
  /** Steps of the time dimension, when there is one. */
  buckets?: readonly Bucket[];
  metrics: readonly MetricName[];
  atoms: readonly Atom[];
  /** What frozen days answer for this list, and which days are read live. Absent: all is read live. */
  daily?: DailyPlan;
  /** What imported tables of days add to this list. */
  imported?: ImportedPlan;
  /** Count the visitors of each row without these filters too (group_conversion_rate). */
  groupFilters?: readonly Filter[];
}

/** For `meta.explain`: by what a list is. */
export function listedBy({ dimensions }: Pick<List, 'dimensions'>): string {
  return dimensions.map((dimension) => dimension.name).join(' × ');
}

export interface Tail {
  order: readonly Order[];
  limit: number;
  offset: number;
  totalRows: boolean;
  /** Answer for these rows only, given as labels; a comparison asks for the rows that its main answer has. */
  onlyRows?: readonly (readonly string[])[];
}

/** A row of the result. `list` says which list it is of; dimensions are labels, times the bucket's start in seconds. */
export type StatementRow = Record<string, string | number | null>;
