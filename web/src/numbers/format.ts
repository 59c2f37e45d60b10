import type { MetricName } from '../../../contract/query.ts';
import { readerLocale } from '../edge/reader.ts';

/**
 * Numbers as ui.md §4 wants them: the reader's locale, the site's currency, one way to write each kind.
 * Every function takes the locale, so that a test can say exactly what comes out; `undefined` is the reader's own: their
 * account's, else their browser's.
 */
export type Locale = string | undefined;

export const notApplicable = '–';
export const onItsWay = '…';
const minus = '−';

const formats = new Map<string, Intl.NumberFormat>();

function format(asked: Locale, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const locale = asked ?? readerLocale();
  const key = `${locale ?? ''}${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(locale, options);
  formats.set(key, made);
  return made;
}

/** A count in full, as tables and screen readers want it. */
export function exactCount(value: number, locale?: Locale): string {
  return format(locale, { maximumFractionDigits: 0 }).format(value);
}

/** A figure in a strip: in full up to 999,999, then `1.24M`. */
export function count(value: number, locale?: Locale): string {
  if (Math.abs(value) < 1_000_000) return exactCount(value, locale);
  const [scaled, suffix] = Math.abs(value) < 1_000_000_000 ? [value / 1e6, 'M'] : [value / 1e9, 'bn'];
  return `${format(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(scaled)}${suffix}`;
}

/** A label on an axis: `500`, `1.5k`, `2M`. */
export function axisCount(value: number, locale?: Locale): string {
  const size = Math.abs(value);
  const [scaled, suffix] =
    size >= 1e9
      ? [value / 1e9, 'bn']
      : size >= 1e6
        ? [value / 1e6, 'M']
        : size >= 1e3
          ? [value / 1e3, 'k']
          : [value, ''];
  return `${format(locale, { maximumFractionDigits: 2 }).format(scaled)}${suffix}`;
}

/** A percentage with one decimal; `value` is already in percent. */
export function percent(value: number, locale?: Locale): string {
  const one = format(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  if (value > 0 && value < 0.05) return `<${one.format(0.1)}%`;
  return `${one.format(value)}%`;
}

/** Things by their number: `1 row`, `2 rows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${exactCount(count)} ${count === 1 ? one : many}`;
}

/** `part` of `whole` in percent; without a whole there is nothing to take a share of. */
export function share(part: number | null, whole: number): number | null {
  return part === null || whole <= 0 ? null : (part / whole) * 100;
}

/** Seconds as `2m 41s`, `1h 04m`, `48s`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3_600)}h ${two(Math.floor((whole % 3_600) / 60))}m`;
}

/** A time span in milliseconds as `412 ms`, `1.9 s` or a duration. */
export function milliseconds(value: number, locale?: Locale): string {
  if (value < 1_000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${format(locale, { maximumFractionDigits: 1 }).format(value / 1_000)} s`;
  return duration(value / 1_000);
}

export function bytes(value: number, locale?: Locale): string {
  const one = format(locale, { maximumFractionDigits: 1 });
  if (value < 1_000) return `${value} B`;
  if (value < 1e6) return `${one.format(value / 1e3)} KB`;
  if (value < 1e9) return `${one.format(value / 1e6)} MB`;
  return `${one.format(value / 1e9)} GB`;
}

export interface Money {
  currency: string;
  /** In whole units of the currency, as the stats API gives it. */
  value: number;
}

/** Money with the currency's own decimals; whole units from 1,000 where the eye compares, `1.24M` from a million. */
export function money(amount: Money, locale?: Locale): string {
  const size = Math.abs(amount.value);
  if (size >= 1_000_000) {
    const [scaled, suffix] = size < 1e9 ? [amount.value / 1e6, 'M'] : [amount.value / 1e9, 'bn'];
    return withSuffix(currencyFormat(amount.currency, locale, 2), scaled, suffix);
  }
  return currencyFormat(amount.currency, locale, size >= 1_000 ? 0 : undefined).format(amount.value);
}

/**
 * Money in a column of a table, never abbreviated and with as many decimals as its neighbours: whole units where the
 * largest of them, in whole units too, has four digits.
 */
export function columnMoney(amount: Money, largest: number, locale?: Locale): string {
  return currencyFormat(amount.currency, locale, largest >= 1_000 ? 0 : undefined).format(amount.value);
}

/** Money to the last decimal, for hover and screen readers. */
export function exactMoney(amount: Money, locale?: Locale): string {
  return currencyFormat(amount.currency, locale).format(amount.value);
}

/** The same of an amount that is written in digits: each of them is shown, however many they are. */
export function decimalMoney(amount: string, currency: string, locale?: Locale): string {
  const places = amount.split('.')[1]?.length ?? 0;
  const { maximumFractionDigits = 0 } = currencyFormat(currency, locale).resolvedOptions();
  const decimals = places > maximumFractionDigits ? Math.min(places, 20) : undefined;
  return currencyFormat(currency, locale, decimals).format(amount as Intl.StringNumericLiteral);
}

function currencyFormat(currency: string, locale: Locale, decimals?: number): Intl.NumberFormat {
  return format(locale, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    ...(decimals === undefined ? {} : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
  });
}

/** Puts the suffix behind the digits and not behind the currency sign, whichever side that stands on. */
function withSuffix(numberFormat: Intl.NumberFormat, value: number, suffix: string): string {
  const parts = numberFormat.formatToParts(value);
  const last = parts.findLastIndex((part) => part.type === 'integer' || part.type === 'fraction');
  return parts.map((part, at) => (at === last ? `${part.value}${suffix}` : part.value)).join('');
}

/** One cell of an answer: a number, an amount of money, or nothing. */
export type Cell = number | string | null | (Money & { short: string; long: string });

export function isMoney(cell: Cell | undefined): cell is Exclude<Cell, number | string | null> {
  return typeof cell === 'object' && cell !== null;
}

const percentMetrics: ReadonlySet<string> = new Set([
  'bounce_rate',
  'percentage',
  'conversion_rate',
  'group_conversion_rate',
  'scroll_depth',
]);
const durationMetrics: ReadonlySet<string> = new Set(['visit_duration', 'time_on_page']);

export function isPercentMetric(metric: MetricName): boolean {
  return percentMetrics.has(metric);
}

/** In seconds. */
export function isDuration(metric: MetricName): boolean {
  return durationMetrics.has(metric);
}

/** A mean over visits: without a visit there is none. */
export function isMean(metric: MetricName): boolean {
  return ['views_per_visit', 'bounce_rate', 'visit_duration', 'time_on_page', 'scroll_depth'].includes(metric);
}

/**
 * The cell of a row as people read it: the engine answers 0 for a rate of no visits, which is not applicable rather
 * than zero. `metrics` are those of the row, in its order; visits have to be among them for that to be known.
 */
export function cellOf(
  metrics: readonly MetricName[],
  cells: readonly Cell[] | undefined,
  index: number,
): Cell | undefined {
  const visits = metrics.indexOf('visits');
  return visits !== -1 && isMean(metrics[index] as MetricName) && cellNumber(cells?.[visits]) === 0
    ? null
    : cells?.[index];
}

/** The number behind a cell, for arithmetic; money counts in whole units. */
export function cellNumber(cell: Cell | undefined): number | null {
  if (cell === undefined || cell === null) return null;
  if (typeof cell === 'object') return cell.value;
  const value = typeof cell === 'number' ? cell : Number(cell);
  return Number.isFinite(value) ? value : null;
}

/** A cell as its metric is read; `exact` never abbreviates. */
export function metricText(
  metric: MetricName,
  cell: Cell | undefined,
  options: { exact?: boolean; locale?: Locale } = {},
): string {
  if (typeof cell === 'object' && cell !== null)
    return options.exact ? exactMoney(cell, options.locale) : money(cell, options.locale);
  const value = cellNumber(cell);
  if (value === null) return notApplicable;
  if (percentMetrics.has(metric)) return percent(value, options.locale);
  if (durationMetrics.has(metric)) return duration(value);
  if (metric === 'views_per_visit')
    return format(options.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
  return options.exact ? exactCount(value, options.locale) : count(value, options.locale);
}

/** A base below this is too small for a percentage to mean anything: both counts are shown instead (ui.md §4). */
export const smallBase = 30;

export type Change =
  | { kind: 'none' }
  | { kind: 'new' }
  | { kind: 'counts'; text: string; spoken: string }
  | { kind: 'change'; text: string; direction: 'up' | 'down' | 'flat'; good: boolean | null };

/** Metrics of which less is better; `null` stands for neither. */
const betterWhen: Partial<Record<MetricName, 'down'>> = { bounce_rate: 'down' };

/**
 * What became of a number against the period before.
 * `base` is the count that a rate or a duration rests on (visits); a count is its own base.
 */
export function change(
  metric: MetricName,
  after: Cell | undefined,
  before: Cell | undefined,
  options: { base?: number | null; locale?: Locale } = {},
): Change {
  const to = cellNumber(after);
  const from = cellNumber(before);
  if (to === null || from === null) return { kind: 'none' };
  const rate = percentMetrics.has(metric);
  const base = options.base ?? from;
  if (base === 0) return to === 0 || options.base === 0 ? { kind: 'none' } : { kind: 'new' };
  if (base < smallBase) {
    const text = (cell: Cell | undefined) => metricText(metric, cell, { locale: options.locale });
    return {
      kind: 'counts',
      text: `${text(before)} → ${text(after)}`,
      spoken: `${text(after)}, before ${text(before)}`,
    };
  }
  const moved = rate ? to - from : from === 0 ? null : ((to - from) / from) * 100;
  if (moved === null) return to === 0 ? { kind: 'none' } : { kind: 'new' };
  const rounded = Math.round(moved * 10) / 10;
  const size = format(options.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(Math.abs(rounded));
  const sign = rounded > 0 ? '+' : rounded < 0 ? minus : '';
  const direction = rounded > 0 ? 'up' : rounded < 0 ? 'down' : 'flat';
  const better = betterWhen[metric] ?? 'up';
  return {
    kind: 'change',
    text: `${sign}${size}${rate ? ' pt' : '%'}`,
    direction,
    good: direction === 'flat' ? null : direction === better,
  };
}
