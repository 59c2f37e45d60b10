import type { DropReason, ImportStop, LeftOutReason } from '../../../contract/drops.ts';

export type StopReason = DropReason | ImportStop;

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
