import type { MetricName } from '../../../contract/query.ts';
import type { panelIds } from '../address/view.ts';
import type { DimensionKey, PropertyKey } from './dimensions.ts';
import { noProperty, notSet } from './dimensions.ts';
import type { Filter } from './filters.ts';

/** A column of a breakdown. A share is computed here, from a metric and the totals of the same view. */
export interface Column {
  kind: 'metric' | 'share';
  metric: MetricName;
  head: string;
  /** Left out on narrow screens, where a table keeps its name and two numbers (ui.md §3). */
  wide?: boolean;
  /** What the number means here, where that is not what its metric means everywhere. */
  means?: string;
}

export interface PanelTab {
  dimension: DimensionKey | PropertyKey;
  label: string;
  /** Tabs with the same group are one tab with a choice inside (the five UTM parameters). */
  group?: string;
  columns: readonly Column[];
  /** Of the list of all rows, which has the room of the whole page; without them its columns are those of the panel. */
  allColumns?: readonly Column[];
  /** A value that the list leaves out, in the API's words, and why: a row for it would dwarf what the list is about. */
  without?: { value: string; why: string };
  /** Means something for one value of this dimension only: versions are of a browser. */
  within?: DimensionKey;
  /** Shown as a map rather than as rows: of all values, since a map has no first eight. */
  map?: true;
}

/** A tab's name in addresses and in answers: a map shows what a list of the same panel shows as rows. */
export function tabKey(tab: PanelTab): string {
  return tab.map === true ? 'map' : tab.dimension;
}

/** What a row is made of: the list that says more once it is the only one that passes. */
const finer: Partial<Record<string, DimensionKey>> = {
  channel: 'source',
  source: 'referrer',
  utm_campaign: 'utm_content',
  page: 'entry',
  country: 'region',
  region: 'city',
  browser: 'browser_version',
  os: 'os_version',
};

/** The one value that a dimension is filtered to, and the tab that goes on from there. */
export function detailOf(
  panel: Panel,
  tab: PanelTab,
  filters: readonly Filter[],
): { value: string; tab: PanelTab } | undefined {
  const value = onlyValue(filters, tab.dimension);
  const next = panel.tabs.find(({ dimension }) => dimension === finer[tab.dimension]);
  return value === undefined || next === undefined ? undefined : { value, tab: next };
}

/** Can this tab be chosen under these filters? */
export function isOffered(tab: PanelTab, filters: readonly Filter[]): boolean {
  return tab.within === undefined || onlyValue(filters, tab.within) !== undefined;
}

/** The one page that a view is about: then it says how long and how far that page is read. */
export function onlyPage(filters: readonly Filter[]): string | undefined {
  return onlyValue(filters, 'page');
}

function onlyValue(filters: readonly Filter[], dimension: string): string | undefined {
  const own = filters.filter((filter) => filter.dimension === dimension && filter.operator === 'is');
  const [{ values } = { values: [] }] = own;
  return own.length === 1 && values.length === 1 ? values[0] : undefined;
}

/** More countries than there are, so that a map is asked for whole. */
const countriesMax = 300;

/** How many rows a panel asks for. */
export function rowsAsked(panel: Panel, tab: PanelTab): number {
  return tab.map === true ? countriesMax : panel.rows;
}

export interface Panel {
  id: (typeof panelIds)[number];
  title: string;
  /** Columns of twelve. */
  span: 4 | 5 | 7;
  rows: number;
  tabs: readonly PanelTab[];
}

const visitors: Column = { kind: 'metric', metric: 'visitors', head: 'Visitors' };
const shareOfVisitors: Column = {
  kind: 'share',
  metric: 'visitors',
  head: 'Share',
  means: 'Of all visitors in the view. Someone can be in two rows, so the shares can add up to more than 100%.',
};
const shareOfViews: Column = {
  kind: 'share',
  metric: 'pageviews',
  head: 'Share',
  means: 'Of all page views in the view.',
};
const shareOfViewsWide: Column = { ...shareOfViews, wide: true };
const timeOnPage: Column = { kind: 'metric', metric: 'time_on_page', head: 'Time on page' };
const scrollDepth: Column = { kind: 'metric', metric: 'scroll_depth', head: 'Scrolled' };
const views: Column = { kind: 'metric', metric: 'pageviews', head: 'Views' };
const untagged = { value: notSet, why: 'Visits without this tag are left out of the list.' };
const visits: Column = { kind: 'metric', metric: 'visits', head: 'Visits', wide: true };
const bounce: Column = { kind: 'metric', metric: 'bounce_rate', head: 'Bounce rate' };
const time: Column = { kind: 'metric', metric: 'visit_duration', head: 'Duration', wide: true };

const times: Column = {
  kind: 'metric',
  metric: 'events',
  head: 'Times',
  means: 'How often it happened in the period.',
};

const earned: Column = {
  kind: 'metric',
  metric: 'total_revenue',
  head: 'Revenue',
  means: 'The money of all events of these visits, in the currency of the site. The same order counts once.',
};

const reached: Column = {
  kind: 'metric',
  metric: 'visitors',
  head: 'Reached',
  means: 'Visitors who reached the goal.',
};
const rate: Column = {
  kind: 'metric',
  metric: 'group_conversion_rate',
  head: 'Rate',
  means: 'The share of the visitors of this row who reached the goal.',
};

/**
 * What a row says where a list is of those who reached a goal. Scrolling further is not another time.
 * @param earns the goal has a currency
 */
export function conversionColumns(countsTimes: boolean, earns = false): Column[] {
  return [
    reached,
    ...(countsTimes
      ? [{ ...times, wide: true, means: 'How often the goal was reached. A goal of reading has no count.' }]
      : []),
    rate,
    ...(earns ? [{ ...earned, wide: true, means: 'What the goal earned, in its currency.' }] : []),
  ];
}

/** The same list when the view is filtered by a goal: each row says its rate. Lists of what was done keep their own. */
export function convertingTab(tab: PanelTab): PanelTab {
  const isOfActions = tab.dimension === 'goal' || tab.dimension === 'event' || tab.group === propertyGroup;
  if (isOfActions || tab.map === true) return tab;
  const { allColumns: _, ...rest } = tab;
  return { ...rest, columns: conversionColumns(true) };
}

const origin: readonly Column[] = [visitors, visits, bounce, time];

const bounceWide: Column = { ...bounce, wide: true };

/** Where visits come from, on a site that earns: what they brought stands beside them, on a phone too. */
export function earningTab(tab: PanelTab): PanelTab {
  return tab.columns === origin
    ? {
        ...tab,
        columns: [visitors, visits, bounceWide, earned],
        allColumns: [visitors, visits, bounceWide, time, earned],
      }
    : tab;
}

const plain = [visitors, shareOfVisitors] as const;

export const panels: readonly Panel[] = [
  {
    id: 'sources',
    title: 'Where visits come from',
    span: 7,
    rows: 8,
    tabs: [
      { dimension: 'channel', label: 'Channels', columns: origin },
      { dimension: 'source', label: 'Sources', columns: origin },
      { dimension: 'referrer', label: 'Referrers', columns: origin },
      { dimension: 'utm_campaign', label: 'Campaign', group: 'Campaigns', columns: origin, without: untagged },
      { dimension: 'utm_source', label: 'Source', group: 'Campaigns', columns: origin, without: untagged },
      { dimension: 'utm_medium', label: 'Medium', group: 'Campaigns', columns: origin, without: untagged },
      { dimension: 'utm_content', label: 'Content', group: 'Campaigns', columns: origin, without: untagged },
      { dimension: 'utm_term', label: 'Search terms', columns: origin, without: untagged },
    ],
  },
  {
    id: 'pages',
    title: 'Pages',
    span: 5,
    rows: 8,
    tabs: [
      {
        dimension: 'page',
        label: 'Pages',
        columns: [views, shareOfViews],
        allColumns: [views, { ...visitors, wide: true }, timeOnPage, { ...scrollDepth, wide: true }, shareOfViewsWide],
      },
      {
        dimension: 'entry',
        label: 'Entry',
        columns: [
          { kind: 'metric', metric: 'visits', head: 'Entrances', means: 'Visits that began on this page.' },
          bounce,
        ],
      },
      {
        dimension: 'exit',
        label: 'Exit',
        columns: [
          { kind: 'metric', metric: 'visits', head: 'Exits', means: 'Visits that ended on this page.' },
          { kind: 'share', metric: 'visits', head: 'Share', means: 'Of all visits in the view.' },
        ],
      },
      { dimension: 'title', label: 'Titles', columns: [views, shareOfViews] },
      { dimension: 'hostname', label: 'Hosts', columns: [views, shareOfViews] },
    ],
  },
  {
    id: 'goals',
    title: 'Goals and events',
    span: 4,
    rows: 6,
    tabs: [
      {
        dimension: 'goal',
        label: 'Goals',
        columns: [
          visitors,
          {
            ...times,
            wide: true,
            means: `${times.means} Reading a page further is not another time, so goals of reading have no count.`,
          },
          {
            kind: 'metric',
            metric: 'conversion_rate',
            head: 'Rate',
            means: 'The share of all visitors in the view who reached the goal.',
          },
        ],
      },
      {
        dimension: 'event',
        label: 'Events',
        columns: [visitors, times],
        without: { value: 'pageview', why: 'Page views are left out of the list: they stand under Pages.' },
      },
    ],
  },
  {
    id: 'places',
    title: 'Places',
    span: 4,
    rows: 6,
    tabs: [
      { dimension: 'country', label: 'Countries', columns: plain },
      { dimension: 'region', label: 'Regions', columns: plain },
      { dimension: 'city', label: 'Cities', columns: plain },
      { dimension: 'country', label: 'Map', columns: plain, map: true },
    ],
  },
  {
    id: 'devices',
    title: 'Devices',
    span: 4,
    rows: 6,
    tabs: [
      { dimension: 'device', label: 'Devices', columns: plain },
      { dimension: 'browser', label: 'Browser', group: 'Browsers', columns: plain },
      { dimension: 'browser_version', label: 'Version', group: 'Browsers', within: 'browser', columns: plain },
      { dimension: 'os', label: 'System', group: 'Systems', columns: plain },
      { dimension: 'os_version', label: 'Version', group: 'Systems', within: 'os', columns: plain },
      { dimension: 'screen', label: 'Screens', columns: plain },
    ],
  },
];

/** The panel whose last tab is one property of events at a time; which ones there are, the desk knows. */
export const propertyPanel = 'goals';
export const propertyGroup = 'Properties';

/** The list of one property's values. Without a name it waits for one to be chosen. */
export function propertyTab(dimension: PropertyKey): PanelTab {
  return {
    dimension,
    label: dimension.slice('prop.'.length),
    group: propertyGroup,
    columns: [visitors, times],
    without: { value: noProperty, why: 'Events without this property are left out of the list.' },
  };
}
