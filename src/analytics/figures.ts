import type { MetricName } from '../../contract/query.ts';

/**
 * Numbers as the dashboard writes them (ui.md §4), for pages and mails that the server itself makes. A locale is that of
 * the reader (BCP 47); without one, as on shared pages, nobody knows it, and they are in English.
 */
type Locale = string | undefined;
const notApplicable = '–';
const minus = '−';
/** A base below this is too small for a percentage to mean anything: both counts are shown instead. */
const smallBase = 30;

/** One cell of an answer of the query engine. */
export type Cell = number | string | null | { currency: string; value: number; short: string; long: string };

const percentMetrics: ReadonlySet<string> = new Set(['bounce_rate', 'conversion_rate', 'group_conversion_rate']);
const durationMetrics: ReadonlySet<string> = new Set(['visit_duration']);
/** Means over visits: without a visit there is none. */
const means: ReadonlySet<string> = new Set(['bounce_rate', 'visit_duration']);
const betterWhenLess: ReadonlySet<string> = new Set(['bounce_rate']);

export const metricLabels: Partial<Record<MetricName, string>> = {
  visitors: 'Visitors',
  visits: 'Visits',
  pageviews: 'Page views',
  bounce_rate: 'Bounce rate',
  visit_duration: 'Visit duration',
  events: 'Orders',
  total_revenue: 'Revenue',
};

const formats = new Map<string, Intl.NumberFormat>();
/** People choose their locale freely, and what they chose is not kept for ever. */
const formatsMax = 500;
function format(options: Intl.NumberFormatOptions, locale: Locale): Intl.NumberFormat {
  const key = `${locale ?? ''}${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(locale ?? 'en', options);
  if (formats.size >= formatsMax) formats.clear();
  formats.set(key, made);
  return made;
}

/** A count in full. */
export function exactCount(value: number, locale?: Locale): string {
  return format({ maximumFractionDigits: 0 }, locale).format(value);
}

/** A label on an axis: `500`, `1.5k`, `2M`. */
export function axisCount(value: number): string {
  const size = Math.abs(value);
  const [scaled, suffix] =
    size >= 1e9
      ? [value / 1e9, 'bn']
      : size >= 1e6
        ? [value / 1e6, 'M']
        : size >= 1e3
          ? [value / 1e3, 'k']
          : [value, ''];
  return `${format({ maximumFractionDigits: 2 }, undefined).format(scaled)}${suffix}`;
}

/** A percentage with one decimal; `value` is already in percent. */
export function percent(value: number, locale?: Locale): string {
  const one = format({ minimumFractionDigits: 1, maximumFractionDigits: 1 }, locale);
  return value > 0 && value < 0.05 ? `<${one.format(0.1)}%` : `${one.format(value)}%`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3_600)}h ${two(Math.floor((whole % 3_600) / 60))}m`;
}

/** The number behind a cell; money counts in whole units. */
export function cellNumber(cell: Cell | undefined): number | null {
  if (cell === undefined || cell === null) return null;
  const value = typeof cell === 'object' ? cell.value : Number(cell);
  return Number.isFinite(value) ? value : null;
}

/** A cell as people read it, never abbreviated: money to the currency's own decimals. */
export function metricText(metric: MetricName, cell: Cell | undefined, locale?: Locale): string {
  if (typeof cell === 'object' && cell !== null)
    return format({ style: 'currency', currency: cell.currency, currencyDisplay: 'narrowSymbol' }, locale).format(
      cell.value,
    );
  const value = cellNumber(cell);
  if (value === null) return notApplicable;
  if (percentMetrics.has(metric)) return percent(value, locale);
  return durationMetrics.has(metric) ? duration(value) : exactCount(value, locale);
}

/**
 * The cell of a row: the engine answers 0 for a rate of no visits, which is not applicable rather than zero. Visits have
 * to be among the metrics for that to be known.
 */
export function cellOf(metrics: readonly MetricName[], cells: readonly Cell[], metric: MetricName): Cell | undefined {
  const visits = metrics.indexOf('visits');
  return visits !== -1 && means.has(metric) && cellNumber(cells[visits]) === 0 ? null : cells[metrics.indexOf(metric)];
}

/** What became of a number: the words, and whether that is good; null: neither, or nobody can say. */
export interface Change {
  text: string;
  direction: 'up' | 'down' | 'flat';
  good: boolean | null;
}

/**
 * A number against the period before. A rate moves in points; a base of 0 is new, and one under 30 is said with both
 * counts instead of a percentage.
 * @param base what a rate or a mean rests on (visits); a count is its own base
 */
export function changeOf(
  metric: MetricName,
  after: Cell | undefined,
  before: Cell | undefined,
  base?: number | null,
  locale?: Locale,
): Change | undefined {
  const to = cellNumber(after);
  const from = cellNumber(before);
  if (to === null || from === null) return undefined;
  const rate = percentMetrics.has(metric);
  const rests = base ?? from;
  if (rests === 0) return to === 0 || base === 0 ? undefined : { text: 'new', direction: 'flat', good: null };
  if (rests < smallBase)
    return {
      text: `${metricText(metric, before, locale)} → ${metricText(metric, after, locale)}`,
      direction: 'flat',
      good: null,
    };
  if (!rate && from === 0) return to === 0 ? undefined : { text: 'new', direction: 'flat', good: null };
  const moved = rate ? to - from : ((to - from) / from) * 100;
  const rounded = Math.round(moved * 10) / 10;
  const size = format({ minimumFractionDigits: 1, maximumFractionDigits: 1 }, locale).format(Math.abs(rounded));
  const sign = rounded > 0 ? '+' : rounded < 0 ? minus : '';
  const direction = rounded > 0 ? 'up' : rounded < 0 ? 'down' : 'flat';
  return {
    text: `${sign}${size}${rate ? ' pt' : '%'}`,
    direction,
    good: direction === 'flat' ? null : (direction === 'down') === betterWhenLess.has(metric),
  };
}

const at = (day: string) => Date.parse(`${day.slice(0, 10)}T00:00:00Z`);
/** Days are handed to Intl as if they were UTC: they are already in the zone of the site. */
function dateText(day: string, options: Intl.DateTimeFormatOptions, locale?: Locale): string {
  return new Intl.DateTimeFormat(locale ?? 'en-GB', { timeZone: 'UTC', ...options }).format(at(day));
}

/** `3 Nov`, or `3 Nov 2025` where a year is asked for. */
export function dayText(day: string, year = false, locale?: Locale): string {
  return dateText(day, { day: 'numeric', month: 'short', ...(year ? { year: 'numeric' } : {}) }, locale);
}

/** `15 Oct – 11 Nov 2026`: a range says its year, since pages and mails are kept. */
export function rangeText({ from, to }: { from: string; to: string }, locale?: Locale): string {
  if (from === to) return dayText(from, true, locale);
  return `${dayText(from, from.slice(0, 4) !== to.slice(0, 4), locale)} – ${dayText(to, true, locale)}`;
}

/** A day with its name: `Tuesday 3 Nov`. */
export function weekdayText(day: string, locale?: Locale): string {
  return dateText(day, { weekday: 'long', day: 'numeric', month: 'short' }, locale);
}

export type Step = 'hour' | 'day' | 'week' | 'month';

/** A step of a series in full: `Tuesday 3 Nov`, `14:00`, `Week of 2 Nov`, `November 2026`. */
export function stepText(label: string, step: Step): string {
  switch (step) {
    case 'hour':
      // The hour that clocks going back repeat carries its offset.
      return `${dayText(label)}, ${label.slice(11, 16)}${label.length > 19 ? ', the second time' : ''}`;
    case 'day':
      return weekdayText(label);
    case 'week':
      return `Week of ${dayText(label)}`;
    case 'month':
      return dateText(label, { month: 'long', year: 'numeric' });
  }
}

/** A step on the axis, where space is short. */
export function stepTick(label: string, step: Step): string {
  if (step === 'hour') return label.slice(11, 16);
  return step === 'month' ? dateText(label, { month: 'short', year: '2-digit' }) : dayText(label);
}

let regionNames: { locale: Locale; names: Intl.DisplayNames } | undefined;

/** A country by name: answers carry ISO 3166-1 codes, and A1 for known anonymous exits. */
export function countryName(code: string, locale?: Locale): string {
  if (code === 'A1') return 'Anonymous exit';
  if (!/^[A-Z]{2}$/.test(code)) return code;
  if (regionNames === undefined || regionNames.locale !== locale)
    regionNames = { locale, names: new Intl.DisplayNames(locale ?? 'en', { type: 'region', fallback: 'code' }) };
  return regionNames.names.of(code) ?? code;
}

/** Text between tags or in a quoted attribute. */
export function htmlText(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Grid values from zero upwards, at most five above it, at round numbers; the last is at least the greatest value. */
export function gridValues(greatest: number): number[] {
  const top = greatest > 0 ? greatest : 1;
  const power = 10 ** Math.floor(Math.log10(top / 5));
  const step =
    [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= 1 && one % 1 === 0 && one * 5 >= top) ??
    Math.max(1, power * 10);
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, at) => at * step);
}
