import type { MetricName } from '../../../contract/query.ts';

/** What each number means, in one sentence; docs/guides/metrics.md has the whole of it. */
export interface MetricWords {
  label: string;
  definition: string;
}

export const metricWords: Partial<Record<MetricName, MetricWords>> & Record<'visitors', MetricWords> = {
  visitors: {
    label: 'Visitors',
    definition:
      'Different visitor numbers with at least one event in the period. A number is forgotten at midnight UTC, so someone who comes on two days counts twice.',
  },
  visits: {
    label: 'Visits',
    definition:
      'Visits that began in the period. A visit ends after 30 minutes without an event; a new source or campaign does not start another.',
  },
  pageviews: { label: 'Page views', definition: 'Pages that were shown in the period, each time they were shown.' },
  views_per_visit: {
    label: 'Views per visit',
    definition: 'Page views in the period, divided by the visits that began in it.',
  },
  bounce_rate: {
    label: 'Bounce rate',
    definition:
      'The share of visits with one counting event only. A second page view or an interactive event cancels the bounce.',
  },
  visit_duration: {
    label: 'Visit duration',
    definition: 'The mean time from the first to the last event of a visit. A bounced visit counts as 0 seconds.',
  },
  time_on_page: {
    label: 'Time on page',
    definition:
      'The mean time that a visit looks at the page: seconds in which it is in front and in focus. Visits without a sign of attention are not in the mean.',
  },
  scroll_depth: {
    label: 'Scroll depth',
    definition: 'How much of the page a visitor sees on the way down, at the deepest, averaged over visitors.',
  },
  events: {
    label: 'Orders',
    definition: 'Events called purchase in the period. The same order number counts once per site.',
  },
  total_revenue: {
    label: 'Revenue',
    definition:
      'The money of all events in the period, purchases and others, in the currency of the site. The same order counts once; other currencies are never added in silence.',
  },
  conversion_rate: {
    label: 'Rate',
    definition:
      'Visitors who reached the goal, as a share of all visitors in the period under the same filters. Days that were imported know no goals and are in neither number.',
  },
};

export function metricLabel(metric: MetricName): string {
  return metricWords[metric]?.label ?? metric;
}
