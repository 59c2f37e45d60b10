import type { MetricName, QueryAnswer } from '../../../contract/query.ts';
import { isoInstant } from '../../platform/zone.ts';
import { metricFacts } from '../facts.ts';
import { wholePercent } from './metric_value.ts';
import { decimalOf, thousandthsOf } from './money.ts';
import type { Query } from './parse.ts';
import type { Bucket, Range } from './range.ts';
import type { StatementRow } from './statement.ts';

type Cell = QueryAnswer['results'][number]['metrics'][number];

/** What the numbers of one list are divided by and counted in. */
export interface Measures {
  /** All visitors under the same filters; for `percentage`. */
  total?: number;
  /** All visitors without the conversion's filters; for `conversion_rate`. */
  base?: number;
  /** Currency of the revenue in a row, by its goal where there is a goal dimension; undefined = revenue has no answer. */
  currencyOf: (dimensions: readonly string[]) => string | undefined;
  /** Metrics that have no answer over these days. */
  unanswerable: readonly MetricName[];
}

export interface Row {
  dimensions: string[];
  metrics: Cell[];
}

/** A row of the statement as a row of the answer: labels, then the metrics in the order asked. */
export function shapeRow(row: StatementRow, query: Query, buckets: readonly Bucket[], measures: Measures): Row {
  const dimensions = query.dimensions.map((dimension, at) => {
    const label = String(row[`d${at}`] ?? '');
    return dimension.kind === 'time' ? labelOfStep(label, buckets) : label;
  });
  return { dimensions, metrics: query.metrics.map((metric) => cellOf(metric, row, dimensions, measures, query)) };
}

function labelOfStep(start: string, buckets: readonly Bucket[]): string {
  const second = Number(start);
  return buckets.find((bucket) => Math.floor(bucket.from / 1000) === second)?.label ?? '';
}

/** What a metric is where nothing happened: 0, or null where there is nothing to take a mean of. */
export function emptyRow(dimensions: string[], query: Query, measures: Measures): Row {
  return { dimensions, metrics: query.metrics.map((metric) => cellOf(metric, {}, dimensions, measures, query)) };
}

function cellOf(
  metric: MetricName,
  row: StatementRow,
  dimensions: readonly string[],
  measures: Measures,
  { include }: Pick<Query, 'include'>,
): Cell {
  if (measures.unanswerable.includes(metric)) return null;
  const value = row[`m_${metric}`];
  switch (metric) {
    case 'bounce_rate':
    case 'scroll_depth':
      return rateOf(metric, value, row, include.decimals);
    case 'time_on_page':
      return value === undefined || value === null ? null : Number(value);
    case 'percentage':
      return measures.total === undefined || measures.total === 0 ? null : share(Number(value ?? 0), measures.total);
    case 'conversion_rate':
      return share(Number(value ?? 0), measures.base ?? 0);
    case 'total_revenue':
    case 'average_revenue': {
      const currency = measures.currencyOf(dimensions);
      if (currency === undefined) return null;
      const sum = thousandthsOf(String(row.a_revenue ?? '0'));
      if (metric === 'total_revenue') return money(sum, currency);
      const events = BigInt(row.a_revenue_events ?? 0);
      return events === 0n ? null : money(divided(sum, events), currency);
    }
    default:
      return Number(value ?? 0);
  }
}

/** In whole percents, or to the two places that rows are ordered by. */
function rateOf(
  metric: 'bounce_rate' | 'scroll_depth',
  value: StatementRow[string] | undefined,
  row: StatementRow,
  decimals: boolean,
): number | null {
  if (decimals && value !== undefined && value !== null) return Number(value);
  return wholePercent(
    metric,
    Object.fromEntries(metricFacts[metric].atoms.map((atom) => [atom, Number(row[`a_${atom}`] ?? 0)])),
  );
}

/** Percent to two places, half up, from whole numbers. */
export function share(part: number, whole: number): number {
  if (whole === 0) return 0;
  return Math.floor((20_000 * part + whole) / (2 * whole)) / 100;
}

/** Half away from zero. */
function divided(over: bigint, under: bigint): bigint {
  const size = over < 0n ? -over : over;
  const rounded = (2n * size + under) / (2n * under);
  return over < 0n ? -rounded : rounded;
}

const moneyFormats = new Map<string, { short: Intl.NumberFormat; long: Intl.NumberFormat }>();

/** Plausible's shape of money. The formats get the decimal as text, which Intl reads exactly. */
export function money(thousandths: bigint, currency: string): Exclude<Cell, number | string | null> {
  const decimal = decimalOf(thousandths);
  const known = moneyFormats.get(currency) ?? {
    short: new Intl.NumberFormat('en-US', {
      style: 'currency',
      currency,
      notation: 'compact',
      maximumFractionDigits: 1,
    }),
    long: new Intl.NumberFormat('en-US', { style: 'currency', currency }),
  };
  moneyFormats.set(currency, known);
  const text = decimal as Intl.StringNumericLiteral;
  return { currency, value: Number(decimal), short: known.short.format(text), long: known.long.format(text) };
}

/**
 * Change from then to now, as in Plausible: rates in points, everything else in whole percent. From nothing to
 * something is 100; where one side is no number there is no change to speak of.
 */
export function changeOf(metric: MetricName, before: Cell, after: Cell, decimals: boolean): number | null {
  const [then, now] = [numberOf(before), numberOf(after)];
  if (then === null || now === null) return null;
  const hundredths = () => Math.round((now - then) * 100) / 100;
  if (metric === 'bounce_rate') return then > 0 ? (decimals ? hundredths() : Math.round(now - then)) : null;
  if (metric === 'conversion_rate' || metric === 'group_conversion_rate' || metric === 'percentage')
    return hundredths();
  if (then === 0) return now > 0 ? 100 : 0;
  return Math.round(((now - then) / then) * 100);
}

function numberOf(cell: Cell): number | null {
  if (typeof cell === 'number') return cell;
  return typeof cell === 'object' && cell !== null ? cell.value : null;
}

/** The range as Plausible writes it: both ends included, to the second, with the site's offset. */
export function rangeOf(range: Range): [string, string] {
  return [isoInstant(range.from, range.zone), isoInstant(range.to - 1, range.zone)];
}
