import type { DimensionName, MetricName, QueryRequest } from '../../../contract/query.ts';
import type { SharePanel } from '../../../contract/shares.ts';
import type { Frame } from './period.ts';

/** A list of a share: which dimension it is of, what stands in its columns. */
export interface ListPanel {
  title: string;
  /** What a row is. */
  head: string;
  dimension: DimensionName;
  metrics: readonly MetricName[];
  /** Heads of the columns, where they are not the metrics' own. */
  heads: readonly string[];
  /** A column more: the first metric as a share of this total. */
  shareOf?: MetricName;
  /** What stands where a value is absent. */
  empty: string;
  /** A value that the list leaves out: a row for it would dwarf what the list is about. */
  without?: string;
  /** Where the page has room for two columns: the wide one. */
  wide?: true;
}

export const totalMetrics = ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration'] as const;
const origin = {
  metrics: ['visitors', 'visits', 'bounce_rate'],
  heads: ['Visitors', 'Visits', 'Bounce rate'],
  wide: true,
} as const;
const plain = { metrics: ['visitors'], heads: ['Visitors'], shareOf: 'visitors', empty: 'Unknown' } as const;
const notSet = '(not set)';

/** The lists of a share; they ask what the first tabs of the overview's panels ask. */
export const listPanels: Readonly<Record<Exclude<SharePanel, 'totals' | 'revenue' | 'series'>, ListPanel>> = {
  channels: { title: 'Channels', head: 'Channel', dimension: 'visit:channel', ...origin, empty: 'Unknown' },
  sources: { title: 'Sources', head: 'Source', dimension: 'visit:source', ...origin, empty: 'Direct / None' },
  campaigns: {
    ...{ title: 'Campaigns', head: 'Campaign', dimension: 'visit:utm_campaign', ...origin },
    ...{ empty: 'Not tagged', without: notSet },
  },
  pages: {
    ...{ title: 'Pages', head: 'Page', dimension: 'event:page', metrics: ['pageviews'], heads: ['Views'] },
    ...{ shareOf: 'pageviews', empty: 'Unknown' },
  },
  entry_pages: {
    ...{ title: 'Entry pages', head: 'Page', dimension: 'visit:entry_page' },
    ...{ metrics: ['visits', 'bounce_rate'], heads: ['Entrances', 'Bounce rate'], empty: 'No page' },
  },
  exit_pages: {
    ...{ title: 'Exit pages', head: 'Page', dimension: 'visit:exit_page', metrics: ['visits'], heads: ['Exits'] },
    ...{ shareOf: 'visits', empty: 'No page' },
  },
  goals: {
    ...{ title: 'Goals', head: 'Goal', dimension: 'event:goal', metrics: ['visitors', 'conversion_rate'] },
    ...{ heads: ['Reached', 'Rate'], empty: 'Unknown' },
  },
  countries: { title: 'Countries', head: 'Country', dimension: 'visit:country', ...plain },
  cities: { title: 'Cities', head: 'City', dimension: 'visit:city_name', ...plain },
  devices: { title: 'Devices', head: 'Device', dimension: 'visit:device', ...plain },
  browsers: { title: 'Browsers', head: 'Browser', dimension: 'visit:browser', ...plain },
  systems: { title: 'Systems', head: 'System', dimension: 'visit:os', ...plain },
};

export const listRowsMax = 8;

/** One name for each question, as the answers carry it. */
export type QuestionName = SharePanel | 'before' | 'orders';

/**
 * Everything that a share of these panels asks: the whole of what its viewers can learn. Nothing of a request is in it
 * but the period, which is one of the share's own list.
 */
export function questionsOf(
  panels: readonly SharePanel[],
  frame: Frame,
  site: string,
): ReadonlyMap<QuestionName, QueryRequest> {
  const { range, before, step, time } = frame;
  const asked = { site_id: site, date_range: [range.from, range.to] as [string, string] };
  const totals = (metrics: readonly MetricName[], filters?: unknown[]): QueryRequest => ({
    ...asked,
    metrics: [...metrics],
    ...(filters === undefined ? {} : { filters }),
    include: {
      ...{ imports: true, decimals: true },
      // The last day still runs: it stands against the same part of its counterpart.
      comparisons: { mode: 'custom', date_range: [`${before.from}T00:00:00`, `${before.to}T${time}:59`] },
    },
  });
  const series = (days: { from: string; to: string }): QueryRequest => ({
    site_id: site,
    date_range: [days.from, days.to],
    metrics: ['visitors'],
    dimensions: [`time:${step}`],
    include: { imports: true, time_labels: true },
  });
  const questions = new Map<QuestionName, QueryRequest>();
  // Shares of a total need it, whether or not it is shown.
  if (panels.some((panel) => panel === 'totals' || (isList(panel) && listPanels[panel].shareOf !== undefined)))
    questions.set('totals', totals(totalMetrics));
  for (const panel of panels) {
    if (panel === 'totals') continue;
    if (panel === 'revenue') {
      questions.set('orders', totals(['events'], [['is', 'event:name', ['purchase']]]));
      questions.set('revenue', totals(['total_revenue']));
    } else if (panel === 'series') {
      questions.set('series', series(range));
      questions.set('before', series(before));
    } else questions.set(panel, listQuestion(asked, listPanels[panel]));
  }
  return questions;
}

function listQuestion(asked: Pick<QueryRequest, 'site_id' | 'date_range'>, list: ListPanel): QueryRequest {
  return {
    ...asked,
    metrics: [...list.metrics],
    dimensions: [list.dimension],
    ...(list.without === undefined ? {} : { filters: [['is_not', list.dimension, [list.without]]] }),
    order_by: [[list.metrics[0] as string, 'desc']],
    include: { imports: true, decimals: true, total_rows: true },
    pagination: { limit: listRowsMax },
  };
}

export function isList(panel: SharePanel): panel is keyof typeof listPanels {
  return panel in listPanels;
}
