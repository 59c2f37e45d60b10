import { z } from 'zod';
import { queryLimits } from './limits.ts';

/**
 * The stats API: the shape of Plausible's `/api/v2/query` (reference/web-analytics.md, "Stats API"),
 * so that a script written for it runs here after a change of host and key.
 */
export const metricNames = [
  'visitors',
  'visits',
  'pageviews',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'events',
  'scroll_depth',
  'percentage',
  'conversion_rate',
  'group_conversion_rate',
  'average_revenue',
  'total_revenue',
  'time_on_page',
] as const;
export type MetricName = (typeof metricNames)[number];

export const dimensionNames = [
  'event:name',
  'event:goal',
  'event:page',
  'event:title',
  'event:hostname',
  'visit:entry_page',
  'visit:exit_page',
  'visit:entry_page_hostname',
  'visit:exit_page_hostname',
  'visit:source',
  'visit:referrer',
  'visit:channel',
  'visit:utm_source',
  'visit:utm_medium',
  'visit:utm_campaign',
  'visit:utm_term',
  'visit:utm_content',
  'visit:click_id',
  'visit:device',
  'visit:screen',
  'visit:browser',
  'visit:browser_version',
  'visit:os',
  'visit:os_version',
  'visit:country',
  'visit:region',
  'visit:city',
  'visit:country_name',
  'visit:region_name',
  'visit:city_name',
] as const;
export const timeDimensions = ['time', 'time:minute', 'time:hour', 'time:day', 'time:week', 'time:month'] as const;
/** A declared dimension, a time step, or a custom property as `event:props:<name>`. */
export type DimensionName = (typeof dimensionNames)[number] | (typeof timeDimensions)[number] | `event:props:${string}`;

const dateOrTime = z.string().regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})?)?$/);
export const namedRanges = [
  'day',
  'yesterday',
  '24h',
  '7d',
  '28d',
  '30d',
  '90d',
  '91d',
  'month',
  '6mo',
  '12mo',
  'year',
  'all',
  '30m',
  'realtime',
] as const;
/** Any number of days or months back, as Plausible takes them: '14d', '3mo'. They end before today, or this month. */
const lastDaysOrMonths = z.string().regex(/^([1-9]\d{0,3}d|[1-9]\d?mo)$/);
export const dateRange = z.union([z.enum(namedRanges), lastDaysOrMonths, z.tuple([dateOrTime, dateOrTime])]);
export type DateRange = z.infer<typeof dateRange>;

export const filterOperators = [
  'is',
  'is_not',
  'contains',
  'contains_not',
  'matches',
  'matches_not',
  'matches_wildcard',
  'matches_wildcard_not',
] as const;
export type FilterOperator = (typeof filterOperators)[number];
export type Filter =
  | [FilterOperator, string, (string | number)[]]
  | [FilterOperator, string, (string | number)[], { case_sensitive?: boolean }]
  | ['and' | 'or', Filter[]]
  | ['not', Filter]
  | ['has_done' | 'has_not_done', Filter]
  | ['is', 'segment', (number | string)[]];

export const queryRequest = z.strictObject({
  site_id: z.union([z.string(), z.number()]),
  metrics: z.array(z.string()).min(1).max(queryLimits.metricsMax),
  date_range: dateRange,
  dimensions: z.array(z.string()).max(queryLimits.dimensionsMax).optional(),
  /** Parsed by the engine itself, which names the path of what it cannot read. */
  filters: z.array(z.unknown()).optional(),
  order_by: z.array(z.tuple([z.string(), z.enum(['asc', 'desc'])])).optional(),
  include: z
    .strictObject({
      imports: z.boolean().optional(),
      time_labels: z.boolean().optional(),
      total_rows: z.boolean().optional(),
      comparisons: z
        .union([
          z.strictObject({
            mode: z.enum(['previous_period', 'year_over_year']),
            match_day_of_week: z.boolean().optional(),
          }),
          z.strictObject({ mode: z.literal('custom'), date_range: z.tuple([dateOrTime, dateOrTime]) }),
        ])
        .optional(),
      /** Ours: bounce_rate and scroll_depth to two places, as other rates are; without it in whole percents. */
      decimals: z.boolean().optional(),
      /** Ours: how the number came to be (which path, rows read, freshness, days being rebuilt). */
      explain: z.boolean().optional(),
    })
    .optional(),
  pagination: z
    .strictObject({
      limit: z.number().int().min(1).max(queryLimits.rowsMax).optional(),
      offset: z.number().int().min(0).optional(),
    })
    .optional(),
});
export type QueryRequest = z.infer<typeof queryRequest>;

const cell = z.union([
  z.number(),
  z.string(),
  z.null(),
  z.object({ currency: z.string(), value: z.number(), short: z.string(), long: z.string() }),
]);
export const queryAnswer = z.object({
  results: z.array(
    z.object({
      dimensions: z.array(z.string().nullable()),
      metrics: z.array(cell),
      comparison: z
        .object({
          dimensions: z.array(z.string().nullable()),
          metrics: z.array(cell),
          change: z.array(z.number().nullable()),
        })
        .optional(),
    }),
  ),
  meta: z.record(z.string(), z.unknown()),
  /** The question as it was understood, with the range resolved to ISO 8601 in the site's timezone. */
  query: z.record(z.string(), z.unknown()),
});
export type QueryAnswer = z.infer<typeof queryAnswer>;

export const batchRequest = z.strictObject({ queries: z.array(z.unknown()).min(1).max(queryLimits.batchQueriesMax) });
/** One entry per question, in the order asked: an answer, or the error that question alone met. */
export const batchAnswer = z.object({
  results: z.array(
    z.union([
      queryAnswer,
      z.object({ error: z.object({ code: z.string(), message: z.string(), field: z.string().optional() }) }),
    ]),
  ),
});
export type BatchAnswer = z.infer<typeof batchAnswer>;
