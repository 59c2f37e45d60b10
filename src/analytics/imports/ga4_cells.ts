import { countIn, dayIn } from './csv.ts';

/** Cells of GA4's tables: as it writes them itself, and as a sheet in which they were opened has written them. */

/** A whole number, also with separators of thousands (`1,234`, `1.234`, `1 234`); undefined when the cell is none. */
export function groupedCount(cell: string): number | undefined {
  const text = cell.trim();
  // A count has no fraction, so three digits behind a dot are thousands.
  const [, sign] = /^\d{1,3}([,.'’ \u00a0\u202f])\d{3}(?:\1\d{3})*$/.exec(text) ?? [];
  return countIn(sign === undefined ? text : text.replaceAll(sign, ''));
}

/**
 * A share or a mean: `0.45`, `0,45`, `45 %`, `1,234.5`, seconds also as `0:01:05`. Undefined when the cell is none, and
 * for `1,234`, which is two numbers in two languages.
 */
export function decimalIn(cell: string): number | undefined {
  const text = cell.trim();
  if (text === '') return 0;
  const [, hours, minutes, seconds] = /^(\d{1,4}):(\d{2}):(\d{2})$/.exec(text) ?? [];
  if (hours !== undefined) return Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
  const [, digits = '', percent] = /^([\d.,]{1,24})\s*(%)?$/.exec(text) ?? [];
  if (/^[1-9]\d{0,2},\d{3}$/.test(digits)) return undefined;
  const plain = digits.includes('.')
    ? digits.replace(/^\d{1,3}(?:,\d{3})+(?=\.)/, (whole) => whole.replaceAll(',', ''))
    : digits.replace(',', '.');
  if (!/^\d{1,12}(\.\d+)?$/.test(plain)) return undefined;
  return percent === undefined ? Number(plain) : Number(plain) / 100;
}

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');

/** `20260110`, `2026-01-10`, `2026/1/10`, `10.1.2026`, `Jan 10, 2026`; not `1/10/2026`, which is two days. */
export function ga4Day(cell: string): string | undefined {
  const text = cell.trim();
  const day =
    /^(?<y>\d{4})[/.](?<m>\d{1,2})[/.](?<d>\d{1,2})$/.exec(text) ??
    /^(?<d>\d{1,2})\.\s?(?<m>\d{1,2})\.\s?(?<y>\d{4})$/.exec(text) ??
    /^(?:[a-z]{3,9}, )?(?<m>[a-z]{3,9})\.? (?<d>\d{1,2}),? (?<y>\d{4})$/i.exec(text) ??
    /^(?:[a-z]{3,9}, )?(?<d>\d{1,2})\.? (?<m>[a-z]{3,9})\.? (?<y>\d{4})$/i.exec(text);
  if (day?.groups === undefined) return dayIn(text);
  const { y = '', m = '', d = '' } = day.groups;
  const month = /^\d/.test(m) ? m : String(months.indexOf(m.slice(0, 3).toLowerCase()) + 1);
  return dayIn(`${y}-${month.padStart(2, '0')}-${d.padStart(2, '0')}`);
}
