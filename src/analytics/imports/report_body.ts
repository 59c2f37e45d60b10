import type { ImportReportBody } from '../../../contract/imports.ts';
import type { DayReport } from './day_import.ts';
import type { EventReport } from './events.ts';
import type { Overlap } from './report.ts';

/** What the two ways of importing say: of events, where an archive may hold more than is read, or of tables of days. */
export type AnyReport = (EventReport & { notUnderstood?: string[] }) | DayReport;

/** A report in the words of the API. @param days the days that hold its numbers, in order */
export function reportBody(report: AnyReport, days: readonly string[]): ImportReportBody {
  const tables = 'tables' in report ? report.tables : {};
  // Each table adds up the same visits once more: the one of whole days says what they are, or the only one there is.
  const sums = 'tables' in report ? (tables.visitors ?? Object.values(tables)[0]) : report;
  const [first, last] = [days[0], days.at(-1)];
  return {
    rows: report.lines,
    stored: report.stored,
    visitors: sums?.visitors ?? 0,
    visits: sums?.visits ?? 0,
    pageviews: sums?.pageviews ?? 0,
    days: first === undefined || last === undefined ? null : { days: days.length, first_day: first, last_day: last },
    overlap: spanBody(report.overlap),
    tables: Object.entries(tables).map(([name, { rows, days: tableDays }]) => ({ name, rows, days: tableDays })),
    refused: Object.entries(report.stopped)
      .map(([reason, { rows, lines }]) => ({ reason, rows, lines }))
      .sort((a, b) => b.rows - a.rows),
    left_out: Object.entries(report.leftOut).map(([reason, rows]) => ({ reason, rows })),
    not_understood: report.notUnderstood ?? [],
  };
}

function spanBody(overlap: Overlap | undefined): ImportReportBody['overlap'] {
  return overlap === undefined ? null : { days: overlap.days, first_day: overlap.first, last_day: overlap.last };
}
