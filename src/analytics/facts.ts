import type { MetricName } from '../../contract/query.ts';

/**
 * What the query engine can be asked about web analytics, declared once. SQL identifiers come from this page only;
 * a name that is not on it never gets near a statement.
 */

export const timeSteps = ['minute', 'hour', 'day', 'week', 'month'] as const;
export type TimeStep = (typeof timeSteps)[number];

/**
 * The numbers that statements add up; every metric is made of these. Each one adds up over days of identity
 * (`id_day`), because a visitor's id and a visit belong to exactly one of them.
 */
export const atomNames = [
  'visitors',
  'visits',
  'bounces',
  'duration',
  'pageviews',
  'events',
  'scroll',
  'scroll_visits',
  'engagement',
  'engaged_visits',
  'revenue',
  'revenue_events',
  'revenue_elsewhere',
] as const;
export type Atom = (typeof atomNames)[number];

/** Money, and what is counted with it: of an event that earned, by currency. */
export function isRevenue(atom: Atom): boolean {
  return atom.startsWith('revenue');
}

/**
 * What a metric is, from atoms: one of them as it is, revenue by its events, or a quotient of two in whole numbers.
 * Declared as data, because the engine and the server both have to compute it, to the same last digit
 * (query/metric_value.ts).
 */
type MetricValue = { kind: 'sum'; of: Atom } | { kind: 'mean_revenue' } | Quotient;

/** Rounded half up in whole numbers, so that the order of rows and the number shown come from the same value. */
export interface Quotient {
  kind: 'quotient';
  over: Atom;
  under: Atom | 'group_visitors';
  /** Factors of both before they are divided; 1 where absent. */
  times?: number;
  underTimes?: number;
  /** Two places: hundredths are rounded as whole numbers, then divided. */
  hundredths?: true;
  /** What it is when nothing was counted to divide by. */
  none: 0 | null;
}

export interface MetricFact {
  atoms: readonly Atom[];
  value: MetricValue;
  /** Without a time step, page or goal, is it a number at all? */
  needs?: 'page' | 'goal' | 'dimension';
}

const sum = (of: Atom): MetricValue => ({ kind: 'sum', of });
const quotient = (over: Atom, under: Quotient['under'], more: Partial<Quotient> = {}): Quotient => ({
  ...{ kind: 'quotient', over, under, none: 0 },
  ...more,
});

export const metricFacts: Record<MetricName, MetricFact> = {
  visitors: { atoms: ['visitors'], value: sum('visitors') },
  visits: { atoms: ['visits'], value: sum('visits') },
  pageviews: { atoms: ['pageviews'], value: sum('pageviews') },
  events: { atoms: ['events'], value: sum('events') },
  views_per_visit: {
    atoms: ['pageviews', 'visits'],
    value: quotient('pageviews', 'visits', { hundredths: true }),
  },
  bounce_rate: { atoms: ['bounces', 'visits'], value: quotient('bounces', 'visits', { times: 100, hundredths: true }) },
  visit_duration: { atoms: ['duration', 'visits'], value: quotient('duration', 'visits') },
  scroll_depth: {
    atoms: ['scroll', 'scroll_visits'],
    value: quotient('scroll', 'scroll_visits', { hundredths: true, none: null }),
    needs: 'page',
  },
  /** Seconds, from milliseconds. */
  time_on_page: {
    atoms: ['engagement', 'engaged_visits'],
    value: quotient('engagement', 'engaged_visits', { underTimes: 1000, none: null }),
    needs: 'page',
  },
  /** Shares of one total keep the order of the visitors they are shares of; the division is made when the answer is. */
  percentage: { atoms: ['visitors'], value: sum('visitors'), needs: 'dimension' },
  conversion_rate: { atoms: ['visitors'], value: sum('visitors'), needs: 'goal' },
  group_conversion_rate: {
    atoms: ['visitors'],
    value: quotient('visitors', 'group_visitors', { times: 100, hundredths: true }),
    needs: 'goal',
  },
  total_revenue: { atoms: ['revenue', 'revenue_elsewhere'], value: sum('revenue') },
  average_revenue: { atoms: ['revenue', 'revenue_events', 'revenue_elsewhere'], value: { kind: 'mean_revenue' } },
};

/**
 * `visit`: said once by a visit's first event and copied onto each of its events.
 * `visit-end`: known only when all of a visit's events are (its pages of entry and exit), so it is in `visits` alone.
 * `event`: may differ from event to event of one visit.
 */
export type Level = 'visit' | 'visit-end' | 'event';

export interface DimensionFact {
  level: Level;
  column: string;
  /** What '' is called in answers and filters. */
  empty: string;
  /** Values are codes that are shown by their name; filters then see the names. */
  names?: 'country';
  /** Attention is not something a visitor did by name: engagement events have no part in this dimension. */
  actionsOnly?: boolean;
}

/** Plausible's words for an absent value, in answers and in filters. */
export const directNone = 'Direct / None';
export const notSet = '(not set)';
export const noProperty = '(none)';

/**
 * What rows may hold whose answer says one of the words. The word for an absent value can stand in rows as well
 * ("Direct" is a channel, anybody may name a campaign "(not set)"): the answer calls both the same, so a filter means both.
 */
export function storedValues(words: readonly string[], empty: string): string[] {
  return words.flatMap((word) => (word === empty ? ['', word] : [word]));
}

const visit = (column: string, empty = notSet): DimensionFact => ({ level: 'visit', column, empty });
const visitEnd = (column: string): DimensionFact => ({ level: 'visit-end', column, empty: notSet });

export const dimensionFacts: Record<string, DimensionFact> = {
  'event:name': { level: 'event', column: 'name', empty: notSet, actionsOnly: true },
  'event:page': { level: 'event', column: 'pathname', empty: notSet },
  'event:title': { level: 'event', column: 'title', empty: notSet, actionsOnly: true },
  'event:hostname': { level: 'event', column: 'hostname', empty: notSet },
  'visit:entry_page': visitEnd('entry_page'),
  'visit:exit_page': visitEnd('exit_page'),
  'visit:entry_page_hostname': visitEnd('entry_hostname'),
  'visit:exit_page_hostname': visitEnd('exit_hostname'),
  'visit:source': visit('source', directNone),
  'visit:referrer': visit('referrer', directNone),
  'visit:channel': visit('channel', 'Direct'),
  'visit:utm_source': visit('utm_source'),
  'visit:utm_medium': visit('utm_medium'),
  'visit:utm_campaign': visit('utm_campaign'),
  'visit:utm_term': visit('utm_term'),
  'visit:utm_content': visit('utm_content'),
  'visit:click_id': visit('click_id'),
  'visit:device': visit('device'),
  'visit:screen': visit('screen'),
  'visit:browser': visit('browser'),
  'visit:browser_version': visit('browser_version'),
  'visit:os': visit('os'),
  'visit:os_version': visit('os_version'),
  'visit:country': visit('country'),
  'visit:region': visit('region'),
  'visit:city': visit('city'),
  'visit:country_name': { ...visit('country'), names: 'country' },
  'visit:region_name': visit('region'),
  'visit:city_name': visit('city'),
};

export const goalDimension = 'event:goal';
export const propertyPrefix = 'event:props:';
