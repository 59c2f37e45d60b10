import type { DimensionName, MetricName } from '../../../contract/query.ts';
import type { View } from '../address/view.ts';
import type { QueryRequest } from '../desk/api.ts';
import type { Day, DayRange, Step } from '../period/period.ts';
import { resolveAgainst, resolvePeriod, stepsFor } from '../period/period.ts';
import type { Dimension } from './dimensions.ts';
import { declaredDimension, dimensionOf, isProperty } from './dimensions.ts';
import type { Filter } from './filters.ts';
import { toApiFilter } from './filters.ts';
import type { Column, Panel, PanelTab } from './panels.ts';
import {
  convertingTab,
  earningTab,
  onlyPage,
  panels,
  propertyPanel,
  propertyTab,
  rowsAsked,
  tabKey,
} from './panels.ts';

/** A view meets the calendar: the days it means, and what it is compared with. */
export interface Frame {
  range: DayRange;
  before: DayRange | undefined;
  step: Step;
  offered: Step[];
  today: Day;
  /** The range ends in a day that still runs, so the comparison is cut at the same time of day. */
  running: boolean;
}

export function frameOf(view: View, today: Day, firstDay: Day): Frame {
  const range = resolvePeriod(view.period, today, firstDay);
  const everything = view.period.kind === 'preset' && view.period.preset === 'all';
  const { offered, preferred } = stepsFor(range);
  return {
    range,
    before: everything ? undefined : resolveAgainst(range, view.against, view.matchWeekdays),
    step:
      view.step !== undefined && offered.includes(view.step)
        ? view.step
        : offered.includes(preferred)
          ? preferred
          : (offered[0] as Step),
    offered,
    today,
    running: range.to === today && range.from <= today,
  };
}

const totalMetrics = [
  'visitors',
  'visits',
  'pageviews',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
] as const satisfies readonly MetricName[];
const readingMetrics = [
  'visitors',
  'visits',
  'pageviews',
  'bounce_rate',
  'time_on_page',
  'scroll_depth',
] as const satisfies readonly MetricName[];

/** Under a goal the share of all visitors who reached it stands beside how they came and what else they did. */
const convertingMetrics = [
  'visitors',
  'visits',
  'pageviews',
  'bounce_rate',
  'visit_duration',
  'conversion_rate',
] as const satisfies readonly MetricName[];

/** What a reader does on it: reading is measured for pages and visits, not for these. */
const actions = new Set<string>(['goal', 'event', 'title']);

/**
 * The numbers over the chart. A view of one page says how long and how far that page is read, in place of how long its
 * visits were.
 */
export function totalsOfView(filters: readonly Filter[]): readonly MetricName[] {
  if (filters.some(({ dimension, operator }) => dimension === 'goal' && operator === 'is')) return convertingMetrics;
  const read =
    onlyPage(filters) !== undefined && !filters.some(({ dimension: key }) => actions.has(key) || isProperty(key));
  return read ? readingMetrics : totalMetrics;
}

/** The same by step: the rate of a step is a share of the visitors of that step. */
export function stepMetricOf(metric: MetricName): MetricName {
  return metric === 'conversion_rate' ? 'group_conversion_rate' : metric;
}

/** What a site that keeps revenue shows beside its totals. */
export const revenueMetrics = ['events', 'total_revenue'] as const satisfies readonly MetricName[];

export interface Asked {
  site: string;
  frame: Frame;
  filters: readonly Filter[];
  /** The time of day in the site's zone, to the minute, at which a running day is cut in the comparison. */
  time: string;
}

function base(
  { site, frame, filters }: Asked,
  range: DayRange = frame.range,
): Pick<QueryRequest, 'site_id' | 'date_range' | 'filters'> {
  return {
    site_id: site,
    date_range: [range.from, range.to],
    ...(filters.length === 0 ? {} : { filters: filters.map(toApiFilter) }),
  };
}

/** Days that were brought along from another product are days of this site too; the answer says where it could not add them. */
const withImports = { imports: true } as const;
/** Rates as ui.md writes them, with one decimal: the same ask in all that a page asks, so that its numbers are the same. */
const asShown = { ...withImports, decimals: true } as const;

/** Totals against the period before; a day that still runs stands against the same part of its counterpart. */
export function totalsQuestion(
  asked: Asked,
  metrics: readonly MetricName[],
  extra: readonly unknown[] = [],
): QueryRequest {
  const { before, running } = asked.frame;
  const { filters = [], ...rest } = base(asked);
  const all = [...filters, ...extra];
  return {
    ...rest,
    ...(all.length === 0 ? {} : { filters: all }),
    metrics: [...metrics],
    include: {
      ...asShown,
      explain: true,
      ...(before === undefined
        ? {}
        : {
            comparisons: {
              mode: 'custom' as const,
              date_range: running
                ? ([`${before.from}T00:00:00`, `${before.to}T${asked.time}:59`] as [string, string])
                : ([before.from, before.to] as [string, string]),
            },
          }),
    },
  };
}

export function seriesQuestion(
  asked: Asked,
  range: DayRange,
  metrics: readonly MetricName[],
  extra: readonly unknown[] = [],
): QueryRequest {
  const { filters = [], ...rest } = base(asked, range);
  const all = [...filters, ...extra];
  return {
    ...rest,
    ...(all.length === 0 ? {} : { filters: all }),
    metrics: [...metrics],
    dimensions: [`time:${asked.frame.step}`],
    include: { ...asShown, time_labels: true },
  };
}

/**
 * Orders are events of the first-class type `purchase`. Revenue is the money of all events, as in the lists: what a
 * subscription earns is no order, and is earned all the same.
 */
const ordersFilter = ['is', 'event:name', ['purchase']] as const;
const narrowedBy = (metric: MetricName) => (metric === 'events' ? [ordersFilter] : []);

export function breakdownQuestion(
  asked: Asked,
  tab: PanelTab,
  page: { limit: number; offset?: number; search?: string; sort?: View['sort'] },
): QueryRequest {
  const dimension = declaredDimension(tab.dimension);
  const { filters = [], ...rest } = base(asked);
  const search = page.search?.trim() ?? '';
  const all = [
    ...filters,
    ...(tab.without === undefined ? [] : [['is_not', dimension.api, [tab.without.value]]]),
    ...searchFilter(dimension, search),
  ];
  return {
    ...rest,
    ...(all.length === 0 ? {} : { filters: all }),
    metrics: tab.columns.filter((column) => column.kind === 'metric').map((column) => column.metric),
    dimensions: dimensionsOf(dimension),
    order_by: [
      page.sort === undefined ? [(tab.columns[0] as Column).metric, 'desc'] : [page.sort.metric, page.sort.direction],
    ],
    include: { ...asShown, explain: true, total_rows: true },
    pagination: {
      limit: page.limit,
      ...(page.offset === undefined || page.offset === 0 ? {} : { offset: page.offset }),
    },
  };
}

/** What is typed into a list finds names whatever their capitals. */
function searchFilter(dimension: Dimension, search: string): unknown[] {
  return search === '' ? [] : [['contains', dimension.names ?? dimension.api, [search], { case_sensitive: false }]];
}

/** A code travels with its name, so that a row can be read by people and filtered by code. */
function dimensionsOf(dimension: Dimension): DimensionName[] {
  // Countries are named in the reader's own language by the browser.
  return dimension.names === undefined || dimension.key === 'country'
    ? [dimension.api]
    : [dimension.api, dimension.names];
}

/** The values of a dimension for the filter's list, with their visitors under the other filters. */
export function valuesQuestion(asked: Asked, key: string, search: string): QueryRequest {
  const dimension = dimensionOf(key) ?? declaredDimension('page');
  const others = asked.filters.filter((filter) => filter.dimension !== key);
  const { filters = [], ...rest } = base({ ...asked, filters: others });
  const all = [...filters, ...searchFilter(dimension, search)];
  return {
    ...rest,
    ...(all.length === 0 ? {} : { filters: all }),
    metrics: ['visitors'],
    dimensions: dimensionsOf(dimension),
    order_by: [['visitors', 'desc']],
    include: withImports,
    pagination: { limit: 20 },
  };
}

/**
 * Which tab of a panel a view shows.
 * @param earns the site keeps revenue: lists of where visits come from say what they brought
 */
export function tabOf(panel: Panel, view: View, earns = false): PanelTab {
  const chosen = view.tabs[panel.id];
  if (panel.id === propertyPanel && chosen !== undefined && isProperty(chosen)) return propertyTab(chosen);
  const tab = panel.tabs.find((one) => tabKey(one) === chosen) ?? (panel.tabs[0] as PanelTab);
  if (tab === undefined) return tab;
  if (view.filters.some(({ dimension }) => dimension === 'goal')) return convertingTab(tab);
  return earns ? earningTab(tab) : tab;
}

/** All questions of the overview, by name: one batch. */
export function overviewQuestions(asked: Asked, view: View, revenue: boolean): Record<string, QueryRequest> {
  const { frame } = asked;
  const ofMoney = revenueMetrics.find((one) => one === view.metric);
  const metrics = totalsOfView(view.filters);
  const steps = metrics.map(stepMetricOf);
  const course = (range: DayRange) =>
    ofMoney === undefined
      ? seriesQuestion(asked, range, steps)
      : seriesQuestion(asked, range, [ofMoney], narrowedBy(ofMoney));
  const questions: Record<string, QueryRequest> = {
    totals: totalsQuestion(asked, metrics),
    series: course(frame.range),
  };
  if (frame.before !== undefined) questions.before = course(frame.before);
  // A step in which somebody was there and nobody reached the goal has a rate of 0; one with nobody has none.
  if (view.metric === 'conversion_rate' && metrics.includes('conversion_rate')) {
    const everyone = { ...asked, filters: asked.filters.filter(({ dimension }) => dimension !== 'goal') };
    questions.people = seriesQuestion(everyone, frame.range, ['visitors']);
    if (frame.before !== undefined) questions['people before'] = seriesQuestion(everyone, frame.before, ['visitors']);
  }
  if (revenue) for (const one of revenueMetrics) questions[one] = totalsQuestion(asked, [one], narrowedBy(one));
  for (const panel of panels) {
    const tab = tabOf(panel, view, revenue);
    // "Properties" without a name: which there are is being asked.
    if (dimensionOf(tab.dimension) !== undefined)
      questions[listName(panel, tab)] = breakdownQuestion(asked, tab, { limit: rowsAsked(panel, tab) });
  }
  return questions;
}

/** Under which name a list is asked for: one of its own, so that the rows of a tab never stand under another's heads. */
export function listName(panel: Panel, tab: PanelTab): string {
  return `${panel.id} ${tabKey(tab)}`;
}
