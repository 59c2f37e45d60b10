import type { MetricName } from '../../../contract/query.ts';
import type { panelIds } from '../address/view.ts';
import type { DimensionKey } from './dimensions.ts';

/** A column of a breakdown. A share is computed here, from a metric and the totals of the same view. */
export interface Column {
  kind: 'metric' | 'share';
  metric: MetricName;
  head: string;
  /** Left out on narrow screens, where a table keeps its name and two numbers (ui.md §3). */
  wide?: boolean;
}

export interface PanelTab {
  dimension: DimensionKey;
  label: string;
  /** Tabs with the same group are one tab with a choice inside (the five UTM parameters). */
  group?: string;
  columns: readonly Column[];
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
const shareOfVisitors: Column = { kind: 'share', metric: 'visitors', head: 'Share' };
const visits: Column = { kind: 'metric', metric: 'visits', head: 'Visits', wide: true };
const bounce: Column = { kind: 'metric', metric: 'bounce_rate', head: 'Bounce rate' };
const time: Column = { kind: 'metric', metric: 'visit_duration', head: 'Duration', wide: true };

const origin = [visitors, visits, bounce, time] as const;
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
      { dimension: 'utm_campaign', label: 'Campaign', group: 'Campaigns', columns: origin },
      { dimension: 'utm_source', label: 'Source', group: 'Campaigns', columns: origin },
      { dimension: 'utm_medium', label: 'Medium', group: 'Campaigns', columns: origin },
      { dimension: 'utm_term', label: 'Term', group: 'Campaigns', columns: origin },
      { dimension: 'utm_content', label: 'Content', group: 'Campaigns', columns: origin },
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
        columns: [
          { kind: 'metric', metric: 'pageviews', head: 'Views' },
          { kind: 'share', metric: 'pageviews', head: 'Share' },
        ],
      },
      {
        dimension: 'entry',
        label: 'Entry',
        columns: [{ kind: 'metric', metric: 'visits', head: 'Entrances' }, bounce],
      },
      {
        dimension: 'exit',
        label: 'Exit',
        columns: [
          { kind: 'metric', metric: 'visits', head: 'Exits' },
          { kind: 'share', metric: 'visits', head: 'Share' },
        ],
      },
    ],
  },
  {
    id: 'goals',
    title: 'Goals',
    span: 4,
    rows: 6,
    tabs: [
      {
        dimension: 'goal',
        label: 'Goals',
        columns: [
          visitors,
          { kind: 'metric', metric: 'events', head: 'Times', wide: true },
          { kind: 'metric', metric: 'conversion_rate', head: 'Rate' },
        ],
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
    ],
  },
  {
    id: 'devices',
    title: 'Devices',
    span: 4,
    rows: 6,
    tabs: [
      { dimension: 'device', label: 'Devices', columns: plain },
      { dimension: 'browser', label: 'Browsers', columns: plain },
      { dimension: 'os', label: 'Systems', columns: plain },
      { dimension: 'screen', label: 'Screens', columns: plain },
    ],
  },
];
