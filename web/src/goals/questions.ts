import type { MetricName } from '../../../contract/query.ts';
import type { Goal, QueryRequest } from '../desk/api.ts';
import type { Day } from '../period/period.ts';
import { addDays } from '../period/period.ts';
import type { Filter } from '../questions/filters.ts';
import type { Asked } from '../questions/overview.ts';
import { seriesQuestion, totalsQuestion } from '../questions/overview.ts';
import type { Panel } from '../questions/panels.ts';
import { conversionColumns } from '../questions/panels.ts';
import { countsTimes } from './words.tsx';

/** What stands beside each goal. Without a goal that earns, revenue is not asked for: it would be refused. */
export function listMetrics(goals: readonly Goal[]): MetricName[] {
  const earns = goals.some(({ currency }) => currency !== null);
  return ['visitors', 'events', 'conversion_rate', ...(earns ? (['total_revenue'] as const) : [])];
}

/** As many goals as a site can have. */
const goalsMax = 100;

/** All goals of the list and their course, who was there at all, and whether days of the view were imported. */
export function listQuestions(asked: Asked, goals: readonly Goal[]): Record<string, QueryRequest> {
  const questions: Record<string, QueryRequest> = {
    everyone: { ...totalsQuestion(asked, ['visitors']), include: {} },
    imported: { ...totalsQuestion(asked, ['visitors']), include: { imports: true } },
  };
  if (goals.length === 0) return questions;
  const { include, ...totals } = totalsQuestion(asked, listMetrics(goals));
  const before = include?.comparisons?.mode === 'custom' ? include.comparisons : undefined;
  // A list with a comparison compares the rows that it has: a goal that nobody reaches any more would have no before.
  const rows: QueryRequest = {
    ...totals,
    dimensions: ['event:goal'],
    include: { explain: true },
    pagination: { limit: goalsMax },
  };
  return {
    ...questions,
    rows,
    ...(before === undefined ? {} : { before: { ...rows, metrics: ['visitors'], date_range: before.date_range } }),
    any: totalsQuestion(asked, ['visitors', 'conversion_rate'], [anyOf(goals)]),
    course: {
      ...seriesQuestion(asked, asked.frame.range, ['visitors']),
      dimensions: ['event:goal', `time:${asked.frame.step}`],
    },
  };
}

const anyOf = (goals: readonly Goal[]) => ['is', 'event:goal', goals.map(({ name }) => name)];

export const goalFilter = ({ name }: Goal): Filter => ({ operator: 'is', dimension: 'goal', values: [name] });

/** What a goal is asked for over time: its rate by step is a share of the visitors of that step. */
export function stepMetrics(goal: Goal): MetricName[] {
  return [
    'visitors',
    'events',
    'group_conversion_rate',
    ...(goal.currency === null ? [] : (['total_revenue'] as const)),
  ];
}

export function goalMetrics(goal: Goal): MetricName[] {
  return [
    'visitors',
    ...(goal.kind === 'scroll' ? [] : (['events'] as const)),
    'conversion_rate',
    ...(goal.currency === null ? [] : (['total_revenue'] as const)),
  ];
}

/** Totals, course and who was there of one goal; its lists are those of the panels. */
export function goalQuestions(view: Asked, goal: Goal): Record<string, QueryRequest> {
  const asked = { ...view, filters: [...view.filters, goalFilter(goal)] };
  const { before, range } = asked.frame;
  const both = (range_: typeof range, name: string) => ({
    [`${name} series`]: { ...seriesQuestion(asked, range_, stepMetrics(goal)) },
    [`${name} people`]: { ...seriesQuestion(view, range_, ['visitors']), include: {} },
  });
  return {
    totals: totalsQuestion(asked, goalMetrics(goal)),
    everyone: { ...totalsQuestion(view, ['visitors']), include: {} },
    imported: { ...totalsQuestion(view, ['visitors']), include: { imports: true } },
    ...both(range, 'now'),
    ...(before === undefined ? {} : both(before, 'before')),
  };
}

/** Where those came from who reached it, by which pages, from where, on what; and what its event said. */
export function goalPanels(goal: Goal): Panel[] {
  const columns = conversionColumns(countsTimes(goal));
  const origin = conversionColumns(countsTimes(goal), goal.currency !== null);
  const tagged = { value: '(not set)', why: 'Visits without this tag are left out of the list.' };
  const campaign = (dimension: 'utm_campaign' | 'utm_source' | 'utm_medium', label: string) => ({
    ...{ dimension, label, group: 'Campaigns', columns: origin, without: tagged },
  });
  const event = goal.kind === 'event';
  const entry = { dimension: 'entry' as const, label: 'Entry pages', columns };
  // A page goal is reached on its own pages: where the visit began says more.
  const pages =
    goal.kind === 'page' && !goal.match.includes('*')
      ? [entry]
      : [entry, { dimension: 'page' as const, label: 'Pages', columns }];
  return [
    {
      ...{ id: 'sources', title: 'Where they come from', span: 7, rows: 8 },
      tabs: [
        { dimension: 'channel', label: 'Channels', columns: origin },
        { dimension: 'source', label: 'Sources', columns: origin },
        { dimension: 'referrer', label: 'Referrers', columns: origin },
        campaign('utm_campaign', 'Campaign'),
        campaign('utm_source', 'Source'),
        campaign('utm_medium', 'Medium'),
      ],
    },
    { ...{ id: 'pages', title: 'Pages', span: 5, rows: 8 }, tabs: pages },
    {
      ...{ id: 'places', title: 'Places', span: event ? 4 : 7, rows: 6 },
      tabs: [
        { dimension: 'country', label: 'Countries', columns },
        { dimension: 'region', label: 'Regions', columns },
        { dimension: 'city', label: 'Cities', columns },
      ],
    },
    {
      ...{ id: 'devices', title: 'Devices', span: event ? 4 : 5, rows: 6 },
      tabs: [
        { dimension: 'device', label: 'Devices', columns },
        { dimension: 'browser', label: 'Browsers', columns },
        { dimension: 'os', label: 'Systems', columns },
      ],
    },
    ...(event ? [{ ...{ id: 'goals' as const, title: 'Properties', span: 4 as const, rows: 6 }, tabs: [] }] : []),
  ];
}

/** How far back what is seen is a suggestion. */
export const seenDays = 30;

/** Words that the address of a page has when something has worked. */
const aims = [
  ...['thank', 'success', 'confirm', 'complete', 'welcome', 'checkout', 'order', 'signup', 'sign-up', 'register'],
  ...['subscri', 'contact', 'pricing', 'demo', 'download', 'danke', 'bestell', 'merci', 'gracias'],
];

/** What was seen lately that a goal could be made of. Filters of the view are not asked: a goal has none. */
export function seenQuestions(site: string, today: Day): Record<'events' | 'aims' | 'pages', QueryRequest> {
  const base = { site_id: site, date_range: [addDays(today, 1 - seenDays), today] as [string, string] };
  const pages = { ...base, metrics: ['visitors'], dimensions: ['event:page'], pagination: { limit: 30 } };
  return {
    events: {
      ...base,
      metrics: ['visitors', 'events', 'total_revenue'],
      dimensions: ['event:name'],
      filters: [['is_not', 'event:name', ['pageview']]],
      pagination: { limit: 50 },
    },
    aims: { ...pages, filters: [['contains', 'event:page', aims, { case_sensitive: false }]] },
    pages,
  };
}
