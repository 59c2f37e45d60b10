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

export interface MetricFact {
  atoms: readonly Atom[];
  /**
   * The value in SQL, from atoms by name. Division rounds half up, in integers where the answer is one, so that the
   * order of rows and the number shown come from the same value.
   */
  sql: string;
  /** Without a time step, page or goal, is it a number at all? */
  needs?: 'page' | 'goal' | 'dimension';
}

/** Whole numbers, half up: 12.5 → 13. The divisor is 0 where nothing was counted. */
const ratio = (over: string, under: string) => `if(${under} = 0, 0, intDiv(2 * (${over}) + ${under}, 2 * ${under}))`;
const ratioOrNull = (over: string, under: string) =>
  `if(${under} = 0, NULL, intDiv(2 * (${over}) + ${under}, 2 * ${under}))`;

export const metricFacts: Record<MetricName, MetricFact> = {
  visitors: { atoms: ['visitors'], sql: 'visitors' },
  visits: { atoms: ['visits'], sql: 'visits' },
  pageviews: { atoms: ['pageviews'], sql: 'pageviews' },
  events: { atoms: ['events'], sql: 'events' },
  /** Two places: hundredths are rounded as integers, then divided. */
  views_per_visit: { atoms: ['pageviews', 'visits'], sql: `${ratio('100 * pageviews', 'visits')} / 100` },
  bounce_rate: { atoms: ['bounces', 'visits'], sql: ratio('100 * bounces', 'visits') },
  visit_duration: { atoms: ['duration', 'visits'], sql: ratio('duration', 'visits') },
  scroll_depth: { atoms: ['scroll', 'scroll_visits'], sql: ratioOrNull('scroll', 'scroll_visits'), needs: 'page' },
  time_on_page: {
    atoms: ['engagement', 'engaged_visits'],
    sql: ratioOrNull('engagement', '(1000 * engaged_visits)'),
    needs: 'page',
  },
  /** Shares of one total keep the order of the visitors they are shares of; the division is made when the answer is. */
  percentage: { atoms: ['visitors'], sql: 'visitors', needs: 'dimension' },
  conversion_rate: { atoms: ['visitors'], sql: 'visitors', needs: 'goal' },
  group_conversion_rate: {
    atoms: ['visitors'],
    sql: `${ratio('10000 * visitors', 'group_visitors')} / 100`,
    needs: 'goal',
  },
  total_revenue: { atoms: ['revenue', 'revenue_elsewhere'], sql: 'revenue' },
  average_revenue: {
    atoms: ['revenue', 'revenue_events', 'revenue_elsewhere'],
    sql: 'if(revenue_events = 0, 0, revenue / revenue_events)',
  },
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
