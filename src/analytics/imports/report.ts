import type { DropReason, LeftOutReason } from '../../../contract/drops.ts';

/** Why a row of a file was not taken in, beside the reasons that live events have. */
export const importStops = {
  line_too_long: 'The line is longer than a line may be.',
  wrong_columns: 'The row has more or fewer cells than the first line has headers.',
  no_day: 'The date cannot be read.',
  no_number: 'A number cannot be read.',
  in_future: 'The day is not over yet.',
  measured_already: 'The day has events that were measured here.',
  imported_already: 'Another import holds the same day.',
  not_a_log_line: 'The line has not the combined format.',
  not_a_page_view: 'The request is not for a page: a file, an error, a redirect, another method.',
  not_an_event: 'The other product makes this event by itself; here it is a visit or a page view.',
  totals: 'The row adds up the others.',
  no_agent: 'The request names no User-Agent, as only programs do.',
  other_site: 'The row belongs to another website of the export.',
} as const;

export type StopReason = DropReason | keyof typeof importStops;

export interface ImportReport {
  /** Lines or records read. */
  lines: number;
  stored: number;
  /** Rows that were not stored, by reason, with the first such places: line numbers from 1, or `table:line`. */
  stopped: Partial<Record<StopReason, { rows: number; lines: (number | string)[] }>>;
  /** Stored rows that were kept without something, for a setting of the site. */
  leftOut: Partial<Record<LeftOutReason, number>>;
  days: Span | undefined;
}

/** First and last of some days, 'YYYY-MM-DD'. */
interface Span {
  first: string;
  last: string;
}
/** How many days, and between which. */
export type Overlap = { days: number } & Span;

const linesShownMax = 20;

export function emptyReport(): ImportReport {
  return { lines: 0, stored: 0, stopped: {}, leftOut: {}, days: undefined };
}

export function countStopped(report: ImportReport, reason: StopReason, at: number | string): void {
  const count = report.stopped[reason] ?? { rows: 0, lines: [] };
  count.rows++;
  if (count.lines.length < linesShownMax) count.lines.push(at);
  report.stopped[reason] = count;
}

export function stoppedIn(report: ImportReport | undefined): number {
  return Object.values(report?.stopped ?? {}).reduce((sum, { rows }) => sum + rows, 0);
}

/** @param days in order */
export function spanOf(days: readonly string[]): Span | undefined {
  const [first, last] = [days[0], days.at(-1)];
  return first === undefined || last === undefined ? undefined : { first, last };
}

/** @param days in order */
export function overlapOf(days: readonly string[]): Overlap | undefined {
  const span = spanOf(days);
  return span === undefined ? undefined : { days: days.length, ...span };
}
