import type { MetricName } from '../../../contract/query.ts';
import type { Against, Period, Preset, Step } from '../period/period.ts';
import { isDay, presets, steps } from '../period/period.ts';
import type { Filter } from '../questions/filters.ts';
import { readFilter, writeFilter } from '../questions/filters.ts';

/**
 * Everything that decides what the overview shows. It lives in the query string and nowhere else, so reload,
 * Back and a shared link give the same view. What equals the default is left out of the address.
 */
export interface View {
  period: Period;
  against: Against;
  matchWeekdays: boolean;
  filters: Filter[];
  metric: MetricName;
  /** Unset: the step that suits the period. */
  step: Step | undefined;
  /** The series as a table. */
  table: boolean;
  /** panel → the dimension shown in it, where it is not the first. */
  tabs: Record<string, string>;
  /** The panel that is opened to all of its rows. */
  all: string | undefined;
  /** Of the opened panel: what its rows are searched for, how they are ordered, and the first that is shown. */
  search: string;
  sort: { metric: MetricName; direction: 'asc' | 'desc' } | undefined;
  offset: number;
}

export const defaultView: View = {
  period: { kind: 'preset', preset: '28d' },
  against: { kind: 'before' },
  matchWeekdays: true,
  filters: [],
  metric: 'visitors',
  step: undefined,
  table: false,
  tabs: {},
  all: undefined,
  search: '',
  sort: undefined,
  offset: 0,
};

/** What a view drops when its panel is closed, or shows another list. */
export const firstRows = { search: '', sort: undefined, offset: 0 } as const satisfies Partial<View>;

export const chartMetrics = [
  'visitors',
  'visits',
  'pageviews',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'time_on_page',
  'scroll_depth',
  'events',
  'conversion_rate',
  'total_revenue',
] as const satisfies readonly MetricName[];

export const panelIds = ['sources', 'pages', 'goals', 'places', 'devices'] as const;

/** More chips than this is no view that a person made; a limit keeps a hostile link small. */
const filtersMax = 20;
const searchCharsMax = 200;

export function readView(search: string): View {
  const query = new URLSearchParams(search);
  const metric = query.get('metric');
  const step = query.get('step');
  const all = query.get('all');
  const tabs: Record<string, string> = {};
  for (const panel of panelIds) {
    const tab = query.get(panel);
    if (tab !== null) tabs[panel] = tab;
  }
  return {
    period: readPeriod(query.get('period')),
    against: readAgainst(query.get('against')),
    matchWeekdays: query.get('weekdays') !== 'off',
    filters: query
      .getAll('f')
      .map(readFilter)
      .filter((filter) => filter !== undefined)
      .slice(0, filtersMax),
    metric: chartMetrics.find((one) => one === metric) ?? defaultView.metric,
    step: steps.find((one) => one === step),
    table: query.get('table') === 'on',
    tabs,
    all: panelIds.find((panel) => panel === all),
    search: (query.get('q') ?? '').slice(0, searchCharsMax),
    sort: readSort(query.get('sort')),
    offset: readOffset(query.get('from')),
  };
}

/** The query string of a view, with its question mark; empty for the default view. */
export function writeView(view: View): string {
  const query = new URLSearchParams();
  const period = writePeriod(view.period);
  if (period !== writePeriod(defaultView.period)) query.set('period', period);
  const against = writeAgainst(view.against);
  if (against !== 'before') query.set('against', against);
  if (!view.matchWeekdays) query.set('weekdays', 'off');
  for (const filter of view.filters) query.append('f', writeFilter(filter));
  if (view.metric !== defaultView.metric) query.set('metric', view.metric);
  if (view.step !== undefined) query.set('step', view.step);
  if (view.table) query.set('table', 'on');
  for (const [panel, tab] of Object.entries(view.tabs)) query.set(panel, tab);
  if (view.all !== undefined) {
    query.set('all', view.all);
    if (view.search !== '') query.set('q', view.search);
    if (view.sort !== undefined) query.set('sort', `${view.sort.metric}${view.sort.direction === 'asc' ? ':asc' : ''}`);
    if (view.offset > 0) query.set('from', String(view.offset + 1));
  }
  // URLSearchParams escapes more than an address must; these signs are legal in a query and far easier to read.
  const text = query.toString().replaceAll('%3A', ':').replaceAll('%2F', '/').replaceAll('%7C', '|');
  return text === '' ? '' : `?${text}`;
}

/** `bounce_rate`, greatest first, or `bounce_rate:asc`. */
function readSort(text: string | null): View['sort'] {
  const [name, direction] = text?.split(':') ?? [];
  const metric = chartMetrics.find((one) => one === name);
  return metric === undefined ? undefined : { metric, direction: direction === 'asc' ? 'asc' : 'desc' };
}

/** Rows are counted from one in an address, as people do. */
function readOffset(text: string | null): number {
  const first = Number(text ?? '1');
  return Number.isSafeInteger(first) && first > 1 ? first - 1 : 0;
}

function readPeriod(text: string | null): Period {
  const preset = presets.find((one) => one === text);
  if (preset !== undefined) return { kind: 'preset', preset: preset as Preset };
  const days = readDays(text);
  return days === undefined ? defaultView.period : { kind: 'days', ...days };
}

function writePeriod(period: Period): string {
  return period.kind === 'preset' ? period.preset : `${period.from}..${period.to}`;
}

function readAgainst(text: string | null): Against {
  if (text === 'off' || text === 'year') return { kind: text };
  const days = readDays(text);
  return days === undefined ? defaultView.against : { kind: 'days', ...days };
}

function writeAgainst(against: Against): string {
  return against.kind === 'days' ? `${against.from}..${against.to}` : against.kind;
}

/** `2026-10-15..2026-11-11`, in either order. */
function readDays(text: string | null): { from: string; to: string } | undefined {
  const [first = '', second = ''] = text?.split('..') ?? [];
  if (!isDay(first) || !isDay(second)) return undefined;
  return first <= second ? { from: first, to: second } : { from: second, to: first };
}
