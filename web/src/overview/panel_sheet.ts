import { type Cell, cellNumber, isDuration, isPercentMetric } from '../numbers/format.ts';
import type { SheetCell } from '../numbers/xlsx.ts';
import { workbook } from '../numbers/xlsx.ts';
import type { Column } from '../questions/panels.ts';

/** A list as a workbook: what is seen, each number in a format that a sheet can go on calculating with. */
export function listWorkbook(
  title: string,
  name: string,
  columns: readonly Column[],
  rows: readonly { name: string; cells: readonly (Cell | undefined)[] }[],
): Promise<Blob> {
  return workbook(
    title,
    [name, ...columns.map(({ head }) => head)],
    rows.map((row) => [row.name, ...columns.map((column, at) => sheetCell(column, row.cells[at]))]),
  );
}

/** Rounded as it is seen. Percentages are parts of one, durations parts of a day, as sheets have them. */
function sheetCell(column: Column, cell: Cell | undefined): SheetCell {
  const value = cellNumber(cell);
  if (value === null) return null;
  const tenths = Math.round(value * 10) / 10;
  if (typeof cell === 'object' && cell !== null) return { value, format: moneyFormat(cell.currency) };
  if (column.kind === 'share' || isPercentMetric(column.metric))
    return { value: Math.round(value * 10) / 1_000, format: '0.0%' };
  if (isDuration(column.metric)) return { value: Math.round(value) / 86_400, format: '[h]:mm:ss' };
  return { value: tenths, format: column.metric === 'views_per_visit' ? '0.0' : '#,##0' };
}

/** The currency's own decimals, and its code, which every sheet shows alike. */
function moneyFormat(currency: string): string {
  const { maximumFractionDigits: decimals = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  return `#,##0${decimals === 0 ? '' : `.${'0'.repeat(decimals)}`} "${currency}"`;
}
