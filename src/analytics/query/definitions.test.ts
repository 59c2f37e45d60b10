import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueryAnswer } from '../../../contract/query.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import type { EventRow } from '../event_row.ts';
import type { Goal } from './parse.ts';
import { eventAt, openTestWarehouse, storeEvents } from './rig.ts';
import { type QueryOutcome, runQuery } from './run.ts';

/** The sentences of docs/guides/metrics.md, each as events and the numbers that they give. */
const now = Date.UTC(2026, 9, 28, 12);
const day = '2026-10-26';
const range = [day, day];
const at = (time: string, some: Partial<EventRow> = {}, on = day) => eventAt(Date.parse(`${on}T${time}Z`), some);
/** Events of one visit: the first one says when it began. */
const visit = (number: number, ...events: readonly (readonly [string, Partial<EventRow>])[]) =>
  events.map(([time, some]) =>
    at(time, {
      visitor_id: String(number),
      visit_id: String(number),
      visit_start: `${day} ${events[0]?.[0]}.000`,
      ...some,
    }),
  );
const engagement = (some: Partial<EventRow>): Partial<EventRow> => ({ name: 'engagement', interactive: 0, ...some });

const goals: Goal[] = [
  { name: 'Signup', kind: 'event', match: 'Signup', currency: null },
  { name: 'Sale', kind: 'event', match: 'purchase', currency: 'EUR' },
  { name: 'Dollars', kind: 'event', match: 'purchase', currency: 'USD' },
  { name: 'Blog', kind: 'page', match: '/blog**', currency: null },
];

let warehouse: Warehouse;
let close: () => Promise<void>;
let sites = 0;

beforeAll(async () => {
  ({ warehouse, close } = await openTestWarehouse());
});
afterAll(() => close());

/** Every table of events has a site of its own. */
async function siteWith(events: readonly EventRow[]): Promise<number> {
  sites += 1;
  await storeEvents(
    warehouse,
    events.map((event) => ({ ...event, site_id: sites })),
  );
  return sites;
}

async function ask(id: number, question: object, timezone = 'UTC'): Promise<QueryAnswer> {
  const outcome = await outcomeOf(id, question, timezone);
  if ('problem' in outcome) throw new Error(outcome.problem.message);
  return outcome;
}

function outcomeOf(id: number, question: object, timezone = 'UTC'): Promise<QueryOutcome> {
  return runQuery({
    site: { id, domain: 'example.com', timezone, currency: 'EUR' },
    goals,
    warehouse,
    now,
    request: { site_id: 'example.com', date_range: range, ...question },
  });
}

const plain = (answer: QueryAnswer) =>
  answer.results.map(({ dimensions, metrics }) => [
    ...dimensions,
    ...metrics.map((cell) => (typeof cell === 'object' && cell !== null ? cell.value : cell)),
  ]);

const view = {};
/** Of three visits to each page two bounce; a third of it is seen, of the one a little more. */
const thirds = ['/a', '/b'].flatMap((pathname, page) =>
  [33, 33, pathname === '/a' ? 35 : 34].flatMap((scroll_depth, number) =>
    visit(
      10 * page + number,
      ['10:00:00', { pathname }],
      ['10:00:10', engagement({ pathname, scroll_depth })],
      ...(number === 0 ? [['10:01:00', { pathname, name: 'Signup' }] as [string, object]] : []),
    ),
  ),
);
const table: [rule: string, events: EventRow[], question: object, rows: unknown[][]][] = [
  [
    'a second counting event cancels a bounce: not engagement, not an event that is not interactive',
    [
      ...visit(1, ['10:00:00', view]),
      ...visit(2, ['10:00:00', view], ['10:00:10', { name: 'Hint', interactive: 0 }]),
      ...visit(3, ['10:00:00', view], ['10:00:20', { name: 'Signup' }]),
      ...visit(4, ['10:00:00', view], ['10:00:30', engagement({ engagement_ms: 9000 })]),
    ],
    { metrics: ['visits', 'bounce_rate', 'events', 'pageviews'] },
    [[4, 75, 6, 4]],
  ],
  [
    'rates are whole percents as in Plausible',
    thirds,
    { metrics: ['bounce_rate', 'scroll_depth'], dimensions: ['event:page'] },
    [
      ['/a', 67, 34],
      ['/b', 67, 33],
    ],
  ],
  [
    'rates have two places where decimals are asked for, and rows are ordered by them',
    thirds,
    {
      ...{ metrics: ['bounce_rate', 'scroll_depth'], dimensions: ['event:page'] },
      ...{ order_by: [['scroll_depth', 'asc']], include: { decimals: true } },
    },
    [
      ['/b', 66.67, 33.33],
      ['/a', 66.67, 33.67],
    ],
  ],
  [
    'a visit lasts from its first event to its last, and a bounced one 0 seconds',
    [
      ...visit(1, ['10:00:00', view], ['10:01:30', view]),
      ...visit(2, ['10:00:00', view], ['10:10:00', engagement({})]),
    ],
    { metrics: ['visit_duration', 'views_per_visit'] },
    [[45, 1.5]],
  ],
  [
    'an id counts once however often it comes; the id of another UTC day is another visitor',
    [
      at('10:00:00', { visitor_id: '1', visit_id: '1' }),
      at('15:00:00', { visitor_id: '1', visit_id: '2' }),
      at('15:00:00', { visitor_id: '2', visit_id: '3' }, '2026-10-25'),
    ],
    { metrics: ['visitors', 'visits'], date_range: ['2026-10-25', day] },
    [[2, 3]],
  ],
  [
    'an id that a browser keeps counts once in whatever days it comes, and once in each step and row that it comes in',
    [
      at('10:00:00', { visitor_id: '1', visit_id: '1', stored_id: 1 }),
      at('10:00:00', { visitor_id: '1', visit_id: '2', stored_id: 1, pathname: '/b' }, '2026-10-25'),
      at('10:00:00', { visitor_id: '1', visit_id: '3', stored_id: 1, pathname: '/b' }, '2026-10-24'),
      at('15:00:00', { visitor_id: '2', visit_id: '4', pathname: '/b' }, '2026-10-25'),
    ],
    { metrics: ['visitors', 'visits'], dimensions: ['event:page'], date_range: ['2026-10-24', day] },
    [
      ['/b', 2, 3],
      ['/', 1, 1],
    ],
  ],
  [
    'a visit counts where it began, its visitor and its page views where they are',
    [
      at('23:50:00', { visit_start: '2026-10-25 23:50:00.000', id_day: '2026-10-25' }, '2026-10-25'),
      at('00:05:00', { visit_start: '2026-10-25 23:50:00.000', id_day: '2026-10-25' }),
    ],
    { metrics: ['visitors', 'visits', 'pageviews'] },
    [[1, 0, 1]],
  ],
  [
    'a late event stands alone: a visitor and a page view, but no visit',
    [at('10:00:00', { detached: 1 })],
    { metrics: ['visitors', 'visits', 'pageviews'] },
    [[1, 0, 1]],
  ],
  [
    'time on page adds up the beacons of a visit; scroll depth is the deepest of each visit, averaged',
    [
      ...visit(
        1,
        ['10:00:00', { pathname: '/a' }],
        ['10:00:10', engagement({ pathname: '/a', engagement_ms: 4000, scroll_depth: 10 })],
        ['10:00:20', engagement({ pathname: '/a', engagement_ms: 6000, scroll_depth: 60 })],
      ),
      ...visit(
        2,
        ['10:00:00', { pathname: '/a' }],
        ['10:00:10', engagement({ pathname: '/a', engagement_ms: 20_000, scroll_depth: 100 })],
        ['10:00:20', engagement({ pathname: '/b', engagement_ms: 1000, scroll_depth: 255 })],
      ),
    ],
    { metrics: ['time_on_page', 'scroll_depth', 'visitors'], dimensions: ['event:page'] },
    [
      ['/a', 15, 80, 2],
      ['/b', 1, null, 1],
    ],
  ],
  [
    'a rate of conversion is a share of all visitors, whatever else the goal filters',
    [1, 2, 3, 4].flatMap((number) =>
      visit(number, ['10:00:00', view], ...(number === 1 ? [['10:00:05', { name: 'Signup' }] as const] : [])),
    ),
    { metrics: ['visitors', 'events', 'conversion_rate'], filters: [['is', 'event:goal', ['Signup']]] },
    [[1, 1, 25]],
  ],
  [
    'a group rate is a share of the visitors of the same row',
    [1, 2, 3].flatMap((number) =>
      visit(
        number,
        ['10:00:00', { source: number === 3 ? '' : 'Google' }],
        ['10:00:05', { source: number === 3 ? '' : 'Google', name: number === 2 ? 'Other' : 'Signup' }],
      ),
    ),
    {
      metrics: ['visitors', 'group_conversion_rate'],
      dimensions: ['visit:source'],
      filters: [['is', 'event:goal', ['Signup']]],
      order_by: [['visit:source', 'asc']],
    },
    [
      ['Direct / None', 1, 100],
      ['Google', 1, 50],
    ],
  ],
  [
    'a filter means what the answer calls so: rows without a channel and rows whose channel is "Direct"',
    [1, 2, 3].flatMap((number) => visit(number, ['10:00:00', { channel: ['Direct', '', 'Email'][number - 1] ?? '' }])),
    { metrics: ['visitors'], filters: [['is', 'visit:channel', ['Direct']]] },
    [[2]],
  ],
  [
    'a percentage is a share of the visitors of the whole answer, not of the page of it',
    [1, 2, 3, 4].flatMap((number) => visit(number, ['10:00:00', { device: number === 4 ? 'Tablet' : 'Mobile' }])),
    { metrics: ['visitors', 'percentage'], dimensions: ['visit:device'], pagination: { limit: 1 } },
    [['Mobile', 3, 75]],
  ],
  [
    'money of each goal is summed in its own currency, to the last decimal place',
    [
      ...visit(1, ['10:00:00', { name: 'purchase', revenue_amount: '12.5', revenue_currency: 'EUR' }]),
      ...visit(2, ['10:00:00', { name: 'purchase', revenue_amount: '0.001', revenue_currency: 'EUR' }]),
      ...visit(3, ['10:00:00', { name: 'purchase', revenue_amount: '99', revenue_currency: 'USD' }]),
    ],
    {
      metrics: ['total_revenue', 'average_revenue', 'events'],
      dimensions: ['event:goal'],
      order_by: [['event:goal', 'asc']],
    },
    [
      ['Dollars', 99, 99, 3],
      ['Sale', 12.501, 6.251, 3],
    ],
  ],
  [
    'a page goal takes page views below its pattern and nothing else',
    [
      ...visit(1, ['10:00:00', { pathname: '/blog' }], ['10:00:05', { pathname: '/blog/one', name: 'Signup' }]),
      ...visit(2, ['10:00:00', { pathname: '/blog/one/two' }], ['10:00:05', { pathname: '/blo' }]),
    ],
    { metrics: ['visitors', 'events'], filters: [['is', 'event:goal', ['Blog']]] },
    [[2, 2]],
  ],
];

describe('the definitions of metrics.md', () => {
  test.each(table)('%s', async (_rule, events, question, rows) => {
    expect(plain(await ask(await siteWith(events), question))).toEqual(rows);
  });

  test('revenue in other currencies is not summed and is said', async () => {
    const events = [
      ...visit(1, ['10:00:00', { name: 'purchase', revenue_amount: '5', revenue_currency: 'EUR' }]),
      ...visit(2, ['10:00:00', { name: 'purchase', revenue_amount: '7', revenue_currency: 'USD' }]),
    ];
    const answer = await ask(await siteWith(events), { metrics: ['total_revenue'] });
    expect(answer.results[0]?.metrics).toEqual([{ currency: 'EUR', value: 5, short: '€5', long: '€5.00' }]);
    expect(answer.meta.revenue_not_summed).toEqual([{ currency: 'USD', events: 1 }]);
  });
});

describe('time', () => {
  test.each([
    ['2026-10-25', 25, ['2026-10-25 02:00:00', '2026-10-25 02:00:00+01:00']],
    ['2026-03-29', 23, ['2026-03-29 01:00:00', '2026-03-29 03:00:00']],
  ])('the hours of %s in Berlin are %i', async (date, hours, neighbours) => {
    const answer = await ask(
      await siteWith([]),
      {
        ...{ metrics: ['visitors'], dimensions: ['time:hour'], date_range: [date, date] },
        include: { time_labels: true },
      },
      'Europe/Berlin',
    );
    const labels = answer.meta.time_labels as string[];
    expect(labels).toHaveLength(hours);
    expect(labels).toEqual(expect.arrayContaining(neighbours));
    expect(new Set(labels).size).toBe(hours);
  });

  test('an event of the hour that comes twice is in the one it happened in', async () => {
    const events = [at('00:30:00', {}, '2026-10-25'), at('01:30:00', {}, '2026-10-25')];
    const answer = await ask(
      await siteWith(events),
      { metrics: ['pageviews'], dimensions: ['time:hour'], date_range: ['2026-10-25', '2026-10-25'] },
      'Europe/Berlin',
    );
    expect(plain(answer)).toEqual([
      ['2026-10-25 02:00:00', 1],
      ['2026-10-25 02:00:00+01:00', 1],
    ]);
  });
});

describe('comparisons, order and pages', () => {
  const twoDays = [
    ...visit(1, ['10:00:00', { source: 'Google' }]),
    ...visit(2, ['10:00:00', { source: 'Google' }]),
    ...visit(3, ['10:00:00', { source: 'Bing' }]),
    at('10:00:00', { visitor_id: '4', visit_id: '4', source: 'Google' }, '2026-10-25'),
    at('10:00:00', { visitor_id: '5', visit_id: '5', source: 'Yahoo!' }, '2026-10-25'),
  ];
  const previous = { include: { comparisons: { mode: 'previous_period' } } };

  test('totals stand against the days before', async () => {
    const answer = await ask(await siteWith(twoDays), { metrics: ['visitors'], ...previous });
    expect(answer.results).toEqual([
      { dimensions: [], metrics: [3], comparison: { dimensions: [], metrics: [2], change: [50] } },
    ]);
    expect(answer.query.comparison_date_range).toEqual(['2026-10-25T00:00:00+00:00', '2026-10-25T23:59:59+00:00']);
  });

  test('a row stands against the row of the same name, or against nothing', async () => {
    const answer = await ask(await siteWith(twoDays), {
      ...{ metrics: ['visitors'], dimensions: ['visit:source'] },
      ...previous,
    });
    expect(answer.results.map(({ dimensions, comparison }) => [...dimensions, comparison?.metrics[0]])).toEqual([
      ['Google', 1],
      ['Bing', 0],
    ]);
  });

  test('pages of a list with equal numbers never overlap and never leave a row out', async () => {
    const events = Array.from({ length: 25 }, (_, n) => visit(n + 1, ['10:00:00', { pathname: `/${n}` }])).flat();
    const id = await siteWith(events);
    const seen: unknown[] = [];
    for (const offset of [0, 10, 20]) {
      const answer = await ask(id, {
        ...{ metrics: ['visitors'], dimensions: ['event:page'], include: { total_rows: true } },
        pagination: { limit: 10, offset },
      });
      expect(answer.meta.total_rows).toBe(25);
      seen.push(...answer.results.map((row) => row.dimensions[0]));
    }
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
  });
});

describe('what cannot be asked', () => {
  test.each<[string, object, string, string | undefined]>([
    ['an unknown metric', { metrics: ['clicks'] }, 'unknown_metric', 'metrics.0'],
    ['an unknown dimension', { dimensions: ['visit:shoe'] }, 'unknown_dimension', 'dimensions.0'],
    ['a member that does not exist', { include: { cake: true } }, 'invalid_field', 'include.cake'],
    ['a range that ends before it starts', { date_range: [day, '2026-10-01'] }, 'invalid_date_range', 'date_range'],
    ['a date that there is not', { date_range: ['2026-02-30', day] }, 'invalid_date_range', 'date_range'],
    ['an unknown operator', { filters: [['like', 'event:page', ['/']]] }, 'invalid_filter', 'filters.0'],
    ['a pattern that RE2 refuses', { filters: [['matches', 'event:page', ['(?=a)']]] }, 'invalid_filter', 'filters'],
    [
      'a pattern of 501 characters',
      { filters: [['matches', 'event:page', ['a'.repeat(501)]]] },
      'query_too_large',
      'filters.0.2.0',
    ],
    ['a segment', { filters: [['is', 'segment', [1]]] }, 'unsupported', 'filters.0'],
    ['has_done', { filters: [['has_done', ['is', 'event:name', ['Signup']]]] }, 'unsupported', 'filters.0'],
    ['a goal that is not there', { filters: [['is', 'event:goal', ['Nobody']]] }, 'invalid_filter', 'filters.0.2.0'],
    ['labels without a time', { include: { time_labels: true } }, 'invalid_field', 'include.time_labels'],
    ['scroll depth without a page', { metrics: ['scroll_depth'] }, 'invalid_field', 'metrics.0'],
    [
      'more steps than a series may have',
      { dimensions: ['time:minute'], date_range: '12mo' },
      'invalid_date_range',
      'dimensions',
    ],
  ])('%s', async (_what, question, code, field) => {
    const outcome = await outcomeOf(9_999, { metrics: ['visitors'], ...question });
    expect(outcome).toMatchObject({ problem: { code, ...(field === undefined ? {} : { field }) } });
    expect((outcome as { problem: { message: string } }).problem.message).toMatch(/[.?]$|docs/);
  });
});
