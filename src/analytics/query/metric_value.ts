import type { MetricName } from '../../../contract/query.ts';
import { type Atom, metricFacts, type Quotient } from '../facts.ts';

/**
 * A metric from its atoms, twice: as SQL where the engine orders and cuts a list, and in numbers where the server adds
 * up what it knows of closed days. Both are whole-number arithmetic, so they agree to the last digit.
 */
export function metricSql(metric: MetricName): string {
  const { value } = metricFacts[metric];
  switch (value.kind) {
    case 'sum':
      return value.of;
    case 'mean_revenue':
      return 'if(revenue_events = 0, 0, revenue / revenue_events)';
    case 'quotient':
      return quotientSql(value);
  }
}

function quotientSql({ over, under, times = 1, underTimes = 1, hundredths, none }: Quotient): string {
  const scaled = hundredths === true ? 100 * times : times;
  const divisor = `${underTimes} * ${under}`;
  const rounded = `if(${under} = 0, ${none ?? 'NULL'}, intDiv(${2 * scaled} * ${over} + ${divisor}, 2 * ${divisor}))`;
  return hundredths === true ? `${rounded} / 100` : rounded;
}

/** The atoms of one row; revenue in thousandths, which are whole however much it is. */
export interface AtomSums {
  counts: Partial<Record<Exclude<Atom, 'revenue'>, number>>;
  revenue: bigint;
}

/** What rows are ordered by and, where it is no revenue, shown as. Revenue is in thousandths. */
export function metricValue(metric: MetricName, { counts, revenue }: AtomSums): number | bigint | null {
  const { value } = metricFacts[metric];
  switch (value.kind) {
    case 'sum':
      return value.of === 'revenue' ? revenue : (counts[value.of] ?? 0);
    case 'mean_revenue': {
      const events = BigInt(counts.revenue_events ?? 0);
      return events === 0n ? 0n : revenue / events;
    }
    case 'quotient':
      return quotientOf(value, counts);
  }
}

/**
 * A rate in whole percents, as Plausible answers it: from its atoms, since hundredths that are rounded once more are
 * another number.
 */
export function wholePercent(metric: 'bounce_rate' | 'scroll_depth', counts: AtomSums['counts']): number | null {
  const { hundredths: _, ...whole } = metricFacts[metric].value as Quotient;
  return quotientOf(whole, counts);
}

/** Both sides stay far below 2^53, where the floor of a quotient of whole numbers is exact. */
function quotientOf(quotient: Quotient, counts: AtomSums['counts']): number | null {
  const { over, under, times = 1, underTimes = 1, hundredths, none } = quotient;
  if (over === 'revenue' || under === 'revenue' || under === 'group_visitors')
    throw new Error('This quotient is computed by the engine only.');
  const divisor = underTimes * (counts[under] ?? 0);
  if (divisor === 0) return none;
  const scaled = hundredths === true ? 100 * times : times;
  const rounded = Math.floor((2 * scaled * (counts[over] ?? 0) + divisor) / (2 * divisor));
  return hundredths === true ? rounded / 100 : rounded;
}
