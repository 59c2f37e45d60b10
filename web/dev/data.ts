import type { QueryAnswer, QueryRequest } from '../src/desk/api.ts';
import { addDays, daysIn, localTime, stepStart } from '../src/period/period.ts';

/**
 * Plausible-looking numbers for the dashboard's development double: the same question always gets the same answer.
 * Nothing here is part of the product.
 */
export interface Shape {
  /** Visitors on an ordinary day. */
  daily: number;
  revenue: boolean;
  /** Days of history before today. */
  days: number;
  /** Makes lists long and values awkward: long paths, right-to-left titles, emoji. */
  awkward?: boolean;
}

type Value = [value: string, weight: number, name?: string];

const values: Record<string, Value[]> = {
  'visit:channel': [
    ['Organic Search', 31.2],
    ['Direct', 21.4],
    ['Paid Search', 15.8],
    ['Paid Social', 12.1],
    ['Email', 8.3],
    ['Organic Social', 6.4],
    ['Referral', 3.4],
    ['AI Assistants', 1.4],
  ],
  'visit:source': [
    ['Google', 38.1],
    ['Direct / None', 21.4],
    ['Facebook', 9.2],
    ['newsletter', 8.3],
    ['Instagram', 6.3],
    ['Bing', 4.1],
    ['DuckDuckGo', 3.2],
    ['Pinterest', 2.9],
    ['ChatGPT', 1.4],
    ['crafts.example', 1.1],
    ['Reddit', 0.9],
    ['Ecosia', 0.7],
  ],
  'visit:referrer': [
    ['Direct / None', 21.4],
    ['google.com', 30.1],
    ['google.de', 8],
    ['l.facebook.com/', 7.1],
    ['instagram.com/', 6.3],
    ['bing.com/', 4.1],
    ['crafts.example/best-of/wool-throws', 1.1],
    ['forum.example/t/natural-dyes/8841', 0.4],
  ],
  'visit:utm_campaign': [
    ['(not set)', 71],
    ['autumn-mail', 8.3],
    ['brand-search', 7.9],
    ['throws-generic', 5.2],
    ['retarget-30d', 4.4],
    ['lookalike-de', 3.1],
  ],
  'visit:utm_source': [
    ['(not set)', 71],
    ['google', 13.1],
    ['newsletter', 8.3],
    ['meta', 7.5],
  ],
  'visit:utm_medium': [
    ['(not set)', 71],
    ['cpc', 20.6],
    ['email', 8.3],
  ],
  'visit:utm_term': [
    ['(not set)', 92],
    ['wool throw', 4.1],
    ['linen blanket', 2.2],
    ['indigo', 1.1],
  ],
  'visit:utm_content': [
    ['(not set)', 93],
    ['hero', 4],
    ['footer', 2.1],
  ],
  'event:page': [
    ['/', 26.2],
    ['/throws/wool/harbour-stripe', 11.8],
    ['/collections/autumn', 10.9],
    ['/cart', 7.1],
    ['/throws', 6.6],
    ['/journal/how-we-dye-indigo', 5.8],
    ['/care/washing-wool', 2.6],
    ['/checkout/thanks', 0.8],
  ],
  'visit:entry_page': [
    ['/', 34],
    ['/collections/autumn', 14.2],
    ['/throws/wool/harbour-stripe', 12],
    ['/journal/how-we-dye-indigo', 9.9],
    ['/throws', 6.1],
    ['/care/washing-wool', 3.8],
  ],
  'visit:exit_page': [
    ['/', 22],
    ['/cart', 16.2],
    ['/throws/wool/harbour-stripe', 13],
    ['/collections/autumn', 8.7],
    ['/checkout/thanks', 2.4],
  ],
  'event:title': [
    ['Cedar throws', 26],
    ['Harbour stripe throw', 12],
  ],
  'event:hostname': [
    ['shop.example', 97],
    ['help.shop.example', 3],
  ],
  'event:goal': [
    ['Scrolled to reviews', 13.9],
    ['Added to cart', 9.7],
    ['Order placed', 2.7],
    ['Newsletter joined', 2.1],
    ['Swatch requested', 0.9],
  ],
  'event:props:size': [
    ['Single', 4.9],
    ['Double', 3.8],
    ['King', 1],
  ],
  'event:props:wool': [
    ['Merino', 2.9],
    ['Shetland', 1.3],
  ],
  'event:name': [
    ['pageview', 100],
    ['Added to cart', 9.7],
    ['purchase', 2.7],
  ],
  'visit:country': [
    ['DE', 34.1],
    ['NL', 16.2],
    ['AT', 10.8],
    ['FR', 9.4],
    ['DK', 7.1],
    ['GB', 5.8],
    ['BE', 3.9],
    ['CH', 3.1],
    ['SE', 2.2],
    ['PL', 1.6],
    ['IT', 1.2],
    ['ES', 0.9],
    ['US', 0.7],
    ['(not set)', 0.4],
  ],
  'visit:region': [
    ['DE-BE', 9.1, 'Berlin'],
    ['NL-NH', 8.2, 'North Holland'],
    ['DE-BY', 7.4, 'Bavaria'],
    ['AT-9', 6.1, 'Vienna'],
    ['DE-HH', 5, 'Hamburg'],
    ['FR-IDF', 4.4, 'Île-de-France'],
    ['DK-84', 3.9, 'Capital Region'],
  ],
  'visit:city': [
    ['Berlin', 8.8, 'Berlin'],
    ['Amsterdam', 6.6, 'Amsterdam'],
    ['Vienna', 5.9, 'Vienna'],
    ['Hamburg', 4.8, 'Hamburg'],
    ['Munich', 4.1, 'Munich'],
    ['Paris', 3.9, 'Paris'],
    ['Copenhagen', 3.2, 'Copenhagen'],
  ],
  'visit:device': [
    ['Mobile', 58.3],
    ['Desktop', 36.9],
    ['Tablet', 4.8],
  ],
  'visit:browser': [
    ['Chrome', 48.1],
    ['Safari', 31.2],
    ['Firefox', 8.4],
    ['Edge', 6.3],
    ['Samsung Internet', 4.2],
    ['Opera', 1.1],
  ],
  'visit:browser_version': [
    ['146', 61.2],
    ['145', 22.9],
    ['144', 8.4],
    ['139', 4.1],
  ],
  'visit:os_version': [
    ['15', 52.8],
    ['14', 31.9],
    ['13', 9.7],
  ],
  'visit:os': [
    ['iOS', 33.1],
    ['Android', 29.4],
    ['Windows', 20.2],
    ['macOS', 12.9],
    ['Linux', 3.1],
    ['Chrome OS', 0.6],
  ],
  'visit:screen': [
    ['390x844', 18.2],
    ['1920x1080', 14.1],
    ['393x852', 9.4],
    ['1440x900', 6.6],
    ['360x800', 6.1],
    ['1536x864', 5.9],
  ],
};

function valuesOf(dimension: string, shape: Shape): Value[] {
  const listed = values[dimension] ?? [];
  if (shape.awkward === true && dimension === 'event:page')
    return [
      ...listed.slice(0, 2),
      [
        '/a/very/long/path/that/goes/on/and/on/because/someone/put/every/category/into/the/address/and-then-a-title-of-two-hundred-characters-which-nobody-will-ever-read/the-part-that-tells-it-apart',
        14,
      ],
      ['/مجموعات/الخريف', 9],
      ['/🧶/wolle', 6],
      ['/%E2%9C%93', 4],
      ...listed.slice(4),
    ];
  if (dimension !== 'event:page') return listed;
  // A long tail, so that "All pages" has pages.
  return [
    ...listed,
    ...Array.from(
      { length: 206 },
      (_, at): Value => [`/journal/entry-${String(at + 1).padStart(3, '0')}`, 0.9 / (at + 2)],
    ),
  ];
}

/** A number in [0, 1) that depends on the text only. */
function chance(text: string): number {
  let hash = 2_166_136_261;
  for (const sign of text) hash = Math.imul(hash ^ (sign.codePointAt(0) as number), 16_777_619);
  return ((hash >>> 0) % 10_000) / 10_000;
}

const weekdayShape = [0.86, 1.04, 1.07, 1.06, 1.03, 0.9, 0.84];
const hourShape = [
  0.3, 0.2, 0.15, 0.12, 0.15, 0.3, 0.7, 1.2, 1.5, 1.6, 1.6, 1.55, 1.5, 1.5, 1.45, 1.4, 1.4, 1.5, 1.7, 1.9, 1.95, 1.6,
  1.1, 0.6,
];
const hourSum = hourShape.reduce((sum, one) => sum + one, 0);

export interface Moment {
  day: string;
  time: string;
}

export function answerQuery(query: QueryRequest, shape: Shape, timezone: string, nowMs: number): QueryAnswer {
  const local = localTime(nowMs, timezone);
  const first = addDays(local.day, -shape.days);
  const range = dates(query.date_range, local, first);
  const share = filterShare(query.filters ?? [], shape);
  const goals = (query.filters ?? []).filter((filter) => Array.isArray(filter) && filter[1] === 'event:goal');
  const rate = Math.round(filterShare(goals, shape) * 1000) / 10;
  // One visitor in 37 buys; goals and events are those of who did what they say.
  const isOfEarners = (query.filters ?? []).some(
    (filter) => Array.isArray(filter) && (filter[1] === 'event:goal' || filter[1] === 'event:name'),
  );
  const earning = isOfEarners ? 1 : 0.027;
  const meta: Record<string, unknown> = {};
  const done = (results: QueryAnswer['results']): QueryAnswer => ({
    results,
    meta,
    query: {
      site_id: query.site_id,
      metrics: query.metrics,
      date_range: [`${range.from}T00:00:00`, `${range.to}T23:59:59`],
    },
  });
  if (query.include?.explain === true)
    meta.explain = {
      parts: [{ table: 'daily' }, { table: 'visits' }],
      days: { frozen: Math.max(0, daysIn(range) - 1), live: 1, rebuilding: 0 },
      counted_until: new Date(nowMs).toISOString(),
    };

  if (query.date_range === 'realtime') return done([{ dimensions: [], metrics: [Math.round(shape.daily / 34)] }]);

  const [dimension, second] = query.dimensions ?? [];
  if (dimension === 'event:goal' && second?.startsWith('time:'))
    return done(
      valuesOf(dimension, shape).flatMap(([goal]) => {
        const filters = [...(query.filters ?? []), ['is', 'event:goal', [goal]]];
        const own = answerQuery({ ...query, dimensions: [second], filters }, shape, timezone, nowMs);
        return own.results.map((row) => ({ ...row, dimensions: [goal, ...row.dimensions] }));
      }),
    );
  if (dimension?.startsWith('time:')) {
    const buckets = new Map<string, number>();
    for (let day = range.from; day <= range.to; day = addDays(day, 1)) {
      if (dimension === 'time:hour')
        for (let hour = 0; hour < 24; hour++)
          buckets.set(
            `${day} ${String(hour).padStart(2, '0')}:00:00`,
            hourVisitors(day, hour, shape, local, first) * share,
          );
      else {
        const start = dimension === 'time:day' ? day : stepStart(day, dimension === 'time:week' ? 'week' : 'month');
        const label = dimension === 'time:week' && start < range.from ? range.from : start;
        buckets.set(label, (buckets.get(label) ?? 0) + dayVisitors(day, shape, local, first) * share);
      }
    }
    if (query.include?.time_labels === true) meta.time_labels = [...buckets.keys()];
    return done(
      [...buckets]
        .filter(([, visitors]) => Math.round(visitors) > 0)
        .map(([label, visitors]) => ({
          dimensions: [label],
          metrics: metricsOf(query.metrics, visitors, label, { rate, earning }),
        })),
    );
  }

  const visitors = total(range, shape, local, first, undefined) * share;
  if (dimension === undefined) {
    const row: QueryAnswer['results'][number] = {
      dimensions: [],
      metrics: metricsOf(query.metrics, visitors, range.from, { rate, earning }),
    };
    const comparison = query.include?.comparisons;
    if (comparison?.mode === 'custom') {
      const [from, to] = comparison.date_range;
      const before =
        total(
          { from: from.slice(0, 10), to: to.slice(0, 10) },
          shape,
          local,
          first,
          to.includes('T') ? to.slice(11, 16) : undefined,
        ) * share;
      const metrics = metricsOf(query.metrics, before, from, { rate, earning });
      row.comparison = { dimensions: [], metrics, change: metrics.map(() => null) };
    }
    return done([row]);
  }

  const search = (query.filters ?? []).flatMap((filter) =>
    Array.isArray(filter) && filter[0] === 'contains' && (filter[1] === dimension || filter[1] === second)
      ? (filter[2] as string[])
      : [],
  );
  const only = (query.filters ?? []).flatMap((filter) =>
    Array.isArray(filter) && filter[0] === 'is' && filter[1] === dimension ? (filter[2] as string[]) : [],
  );
  const not = (query.filters ?? []).flatMap((filter) =>
    Array.isArray(filter) && filter[0] === 'is_not' && filter[1] === dimension ? (filter[2] as string[]) : [],
  );
  const listed = valuesOf(dimension, shape)
    .filter(([value, , name]) => search.every((text) => (name ?? value).toLowerCase().includes(text.toLowerCase())))
    .filter(([value]) => (only.length === 0 || only.includes(value)) && !not.includes(value))
    .map(([value, weight, name]) => ({
      dimensions: second === undefined ? [value] : [value, name ?? value],
      metrics: metricsOf(
        query.metrics,
        (total(range, shape, local, first, undefined) * otherShare(query.filters ?? [], dimension, shape) * weight) /
          100,
        value,
        { rate: weight, isRow: true, earning: dimension.startsWith('event:') ? 1 : earning },
      ),
    }))
    .map((row) => ({
      ...row,
      // The desk counts no events for a goal of reading.
      metrics: row.metrics.map((cell, at) =>
        query.metrics[at] === 'events' && row.dimensions[0] === 'Scrolled to reviews' ? 0 : cell,
      ),
    }))
    .filter((row) => (row.metrics[0] as number) > 0);
  const [by] = query.order_by ?? [];
  const at = by === undefined ? 0 : query.metrics.indexOf(by[0]);
  listed.sort((a, b) => (b.metrics[at] as number) - (a.metrics[at] as number));
  if (query.include?.total_rows === true) meta.total_rows = listed.length;
  const offset = query.pagination?.offset ?? 0;
  return done(listed.slice(offset, offset + (query.pagination?.limit ?? 10_000)));
}

function dates(range: QueryRequest['date_range'], local: Moment, first: string): { from: string; to: string } {
  if (Array.isArray(range)) return { from: range[0].slice(0, 10), to: range[1].slice(0, 10) };
  return { from: range === 'all' ? first : local.day, to: local.day };
}

function total(
  range: { from: string; to: string },
  shape: Shape,
  local: Moment,
  first: string,
  until: string | undefined,
): number {
  let visitors = 0;
  for (let day = range.from; day <= range.to; day = addDays(day, 1)) {
    if (day === range.to && until !== undefined) visitors += dayVisitors(day, shape, { day, time: until }, first);
    else visitors += dayVisitors(day, shape, local, first);
  }
  return visitors;
}

function dayVisitors(day: string, shape: Shape, local: Moment, first: string): number {
  const whole = wholeDay(day, shape, local, first);
  if (whole === 0 || day < local.day) return whole;
  return hourShape.reduce((sum, _part, hour) => sum + whole * partOf(hour, day, local), 0);
}

function hourVisitors(day: string, hour: number, shape: Shape, local: Moment, first: string): number {
  return wholeDay(day, shape, local, first) * partOf(hour, day, local);
}

/** As if it were over. */
function wholeDay(day: string, shape: Shape, local: Moment, first: string): number {
  if (day < first || day > local.day) return 0;
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  const age = daysIn({ from: day, to: local.day });
  const growth = 1 + 0.3 * Math.max(0, 1 - age / 400);
  // A mailing eight days ago lifts a few days.
  const lift = age <= 10 && age >= 5 ? 1.42 - (10 - age) * 0.06 : 1;
  const noise = 0.93 + 0.14 * chance(day);
  return shape.daily * (weekdayShape[weekday] as number) * growth * lift * noise;
}

/** What of a day's visitors came in one of its hours, so far. */
function partOf(hour: number, day: string, local: Moment): number {
  const part = (hourShape[hour] as number) / hourSum;
  if (day < local.day) return part;
  const [h = 0, m = 0] = local.time.split(':').map(Number);
  return hour < h ? part : hour === h ? (part * m) / 60 : 0;
}

function filterShare(filters: readonly unknown[], shape: Shape): number {
  return otherShare(filters, undefined, shape);
}

function otherShare(filters: readonly unknown[], except: string | undefined, shape: Shape): number {
  let share = 1;
  for (const filter of filters) {
    if (!Array.isArray(filter)) continue;
    const [operator, dimension, wanted] = filter as [string, string, string[]];
    if (dimension === except) continue;
    const list = valuesOf(dimension, shape);
    const sum = list.reduce((all, [, weight]) => all + weight, 0) || 1;
    const hits = list.filter(([value, , name]) =>
      wanted.some((one) =>
        operator.startsWith('contains') ? (name ?? value).toLowerCase().includes(one.toLowerCase()) : value === one,
      ),
    );
    const part = hits.reduce((all, [, weight]) => all + weight, 0) / (dimension.startsWith('event:') ? 100 : sum);
    share *= operator.endsWith('not') ? Math.max(0, 1 - part) : Math.min(1, part);
  }
  return share;
}

function metricsOf(
  metrics: readonly string[],
  visitors: number,
  seed: string,
  { rate, isRow = false, earning = 1 }: { rate: number; isRow?: boolean; earning?: number },
): QueryAnswer['results'][number]['metrics'] {
  const whole = Math.round(visitors);
  const noise = chance(seed);
  return metrics.map((metric) => {
    switch (metric) {
      case 'visitors':
        return whole;
      case 'visits':
        return Math.round(whole * (1.14 + noise * 0.06));
      case 'pageviews':
        return Math.round(whole * (3.1 + noise * 0.6));
      case 'views_per_visit':
        return whole === 0 ? 0 : Math.round((2.7 + noise * 0.4) * 10) / 10;
      case 'bounce_rate':
        return whole === 0 ? 0 : Math.round((34 + noise * 9) * 100) / 100;
      case 'visit_duration':
        return whole === 0 ? 0 : Math.round(140 + noise * 50);
      case 'time_on_page':
        return whole === 0 ? null : Math.round(30 + noise * 60);
      case 'scroll_depth':
        return whole === 0 ? null : Math.round((55 + noise * 30) * 100) / 100;
      case 'events':
        return Math.round(whole * (isRow ? 1.2 : 0.98 + noise * 0.05));
      case 'conversion_rate':
        return rate;
      case 'group_conversion_rate':
        return Math.round((1.4 + noise * 3) * 100) / 100;
      case 'total_revenue': {
        const value = Math.round(whole * earning * (76 + noise * 12) * 100) / 100;
        return { currency: 'EUR', value, short: `€${value}`, long: `€${value}` };
      }
      default:
        return null;
    }
  });
}
