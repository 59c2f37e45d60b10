import type { DimensionName, MetricName, QueryAnswer, QueryRequest } from '../../../contract/query.ts';
import { reportLimits } from '../../../contract/reports.ts';
import { RequestError } from '../../platform/http/route.ts';
import { dayMs } from '../../platform/zone.ts';
import { type Cell, cellNumber, cellOf, changeOf, countryName, metricLabels, metricText } from '../figures.ts';
import type { QueryOutcome, QuerySite } from '../query/index.ts';
import type { Due } from './due.ts';

export interface ReportedSite extends QuerySite {
  organisation_id: number;
  revenue: boolean;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/** Asks the engine in the process; it is the one behind `/api/v2/query`. */
export type Asking = (site: ReportedSite, requests: readonly QueryRequest[]) => Promise<QueryOutcome[]>;

/** What a report says, ready to be written. */
export interface ReportContent {
  domain: string;
  timezone: string;
  /** How its reader has numbers and dates written; undefined: in English. */
  locale: string | undefined;
  due: Due;
  /** Label, number, and what became of it; '–' where nothing can be said. */
  figures: { label: string; text: string; change: string }[];
  lists: { title: string; head: string; rows: { name: string; text: string }[] }[];
  /** Visitors of each day. */
  days: number[];
  visitors: number;
}

const totalMetrics = [
  'visitors',
  'visits',
  'pageviews',
  'bounce_rate',
  'visit_duration',
] as const satisfies readonly MetricName[];

const lists: readonly { title: string; head: string; dimension: DimensionName; metric: MetricName; empty: string }[] = [
  { title: 'Sources', head: 'Visitors', dimension: 'visit:source', metric: 'visitors', empty: 'Direct / None' },
  { title: 'Pages', head: 'Page views', dimension: 'event:page', metric: 'pageviews', empty: 'Unknown' },
  { title: 'Countries', head: 'Visitors', dimension: 'visit:country', metric: 'visitors', empty: 'Unknown' },
  { title: 'Goals', head: 'Reached', dimension: 'event:goal', metric: 'visitors', empty: 'Unknown' },
];

/** The questions of a report: totals, orders, revenue, days, and the four lists, in this order. */
export function reportQuestions(site: Pick<ReportedSite, 'domain'>, { range, before }: Due): QueryRequest[] {
  const asked = { site_id: site.domain, date_range: [range.from, range.to] as [string, string] };
  const compared = {
    ...{ imports: true, decimals: true },
    comparisons: { mode: 'custom' as const, date_range: [before.from, before.to] as [string, string] },
  };
  return [
    { ...asked, metrics: [...totalMetrics], include: compared },
    { ...asked, metrics: ['events'], filters: [['is', 'event:name', ['purchase']]], include: compared },
    { ...asked, metrics: ['total_revenue'], include: compared },
    { ...asked, metrics: ['visitors'], dimensions: ['time:day'], include: { imports: true, time_labels: true } },
    ...lists.map(
      ({ dimension, metric }): QueryRequest => ({
        ...asked,
        metrics: [metric],
        dimensions: [dimension],
        order_by: [[metric, 'desc']],
        include: { imports: true },
        pagination: { limit: reportLimits.rowsMax },
      }),
    ),
  ];
}

/**
 * @param locale of whoever it is for
 * @throws RequestError when the warehouse does not answer: the report is tried again
 */
export async function readReport(
  asking: Asking,
  site: ReportedSite,
  due: Due,
  locale: string | undefined,
): Promise<ReportContent> {
  const outcomes = await asking(site, reportQuestions(site, due));
  const answers = outcomes.map((outcome): QueryAnswer => {
    if ('problem' in outcome) throw new RequestError(outcome.problem.code, outcome.problem.message);
    return outcome;
  });
  const [totals, orders, revenue, days, ...rows] = answers as [QueryAnswer, QueryAnswer, QueryAnswer, QueryAnswer];
  // Days before the site was made are no zeros: nothing is compared with them, unless an import filled them.
  const visitsBefore = cellNumber(totals.results[0]?.comparison?.metrics[1] as Cell | undefined) ?? 0;
  const compared = Date.parse(due.before.from) >= site.createdAt - dayMs || visitsBefore > 0;
  const figures = figuresOf(totals, compared, locale);
  const earned = cellNumber(revenue.results[0]?.metrics[0] as Cell | undefined) ?? 0;
  const earnedBefore = cellNumber(revenue.results[0]?.comparison?.metrics[0] as Cell | undefined) ?? 0;
  if (site.revenue && (earned !== 0 || earnedBefore !== 0))
    figures.push(
      figureOf('events', orders, { compared, locale }),
      figureOf('total_revenue', revenue, {
        ...{ compared, locale },
        base: cellNumber(orders.results[0]?.comparison?.metrics[0] as Cell),
      }),
    );
  return {
    ...{ domain: site.domain, timezone: site.timezone, locale, due, figures },
    lists: lists.map((list, at) => ({ title: list.title, head: list.head, rows: rowsOf(list, rows[at], locale) })),
    days: daysOf(days),
    visitors: cellNumber(totals.results[0]?.metrics[0] as Cell | undefined) ?? 0,
  };
}

function figuresOf(totals: QueryAnswer, compared: boolean, locale: string | undefined): ReportContent['figures'] {
  const row = totals.results[0];
  const after = (row?.metrics ?? []) as Cell[];
  const before = (row?.comparison?.metrics ?? []) as Cell[];
  return totalMetrics.map((metric) => {
    const base = metric === 'bounce_rate' || metric === 'visit_duration' ? cellNumber(before[1]) : undefined;
    const now = cellOf(totalMetrics, after, metric);
    const change = changeOf(metric, now, cellOf(totalMetrics, before, metric), base, locale);
    return {
      label: metricLabels[metric] ?? metric,
      text: metricText(metric, now, locale),
      change: compared ? (change?.text ?? '–') : '–',
    };
  });
}

function figureOf(
  metric: MetricName,
  answer: QueryAnswer,
  { compared, base, locale }: { compared: boolean; base?: number | null; locale: string | undefined },
): ReportContent['figures'][number] {
  const row = answer.results[0];
  const after = (row?.metrics[0] ?? 0) as Cell;
  const change = changeOf(metric, after, row?.comparison?.metrics[0] as Cell, base === 0 ? undefined : base, locale);
  return {
    label: metricLabels[metric] ?? metric,
    text: metricText(metric, after, locale),
    change: compared ? (change?.text ?? '–') : '–',
  };
}

function rowsOf(
  list: (typeof lists)[number],
  answer: QueryAnswer | undefined,
  locale: string | undefined,
): { name: string; text: string }[] {
  return (answer?.results ?? []).map(({ dimensions, metrics }) => {
    const value = dimensions[0] ?? '';
    const known = value !== '' && value !== '(not set)';
    const name = known ? (list.dimension === 'visit:country' ? countryName(value, locale) : value) : list.empty;
    return { name, text: metricText(list.metric, metrics[0] as Cell, locale) };
  });
}

function daysOf(answer: QueryAnswer): number[] {
  const values = new Map(answer.results.map((row) => [row.dimensions[0] ?? '', cellNumber(row.metrics[0] as Cell)]));
  return ((answer.meta.time_labels ?? []) as string[]).map((label) => values.get(label) ?? 0);
}
