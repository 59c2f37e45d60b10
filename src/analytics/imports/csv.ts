import { type Record, readRecords as readCsv } from '../../platform/files/csv.ts';
import { importLimits } from './limits.ts';

export type { Record };

/** The records of a table that is imported: commas, and UTF-8. */
export function readRecords(
  bytes: AsyncIterable<Buffer>,
  charsMax: number = importLimits.lineCharsMax,
): AsyncGenerator<Record> {
  return readCsv(bytes, { charsMax, columnsMax: importLimits.columnsMax });
}

/** A whole number of at most 15 digits; fractions are rounded. Undefined when the cell is none; '' is 0. */
export function countIn(cell: string): number | undefined {
  const text = cell.trim();
  if (text === '') return 0;
  return /^\d{1,15}(\.\d+)?$/.test(text) ? Math.round(Number(text)) : undefined;
}

/** 'YYYY-MM-DD' or 'YYYYMMDD' as 'YYYY-MM-DD'; undefined when that is no day, or one from before there was a web. */
export function dayIn(cell: string): string | undefined {
  const [, year, month, day] = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(cell.trim()) ?? [];
  if (year === undefined) return undefined;
  const text = `${year}-${month}-${day}`;
  const ms = Date.parse(text);
  // 30 February is read as 1 March.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text || text < firstDay ? undefined : text;
}

/** Databases write 0001-01-01 and 1970-01-01 for no date at all. */
const firstDay = '1990-01-01';
