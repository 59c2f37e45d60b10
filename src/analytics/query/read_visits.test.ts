import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QueryAnswer } from '../../../contract/query.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import type { EventRow } from '../event_row.ts';
import { frozenDimensions } from '../history/recipe.ts';
import { repeatable } from './random_site.ts';
import { eventAt, openTestWarehouse, storeEvents } from './rig.ts';
import { type FrozenDays, type QueryHouse, runQuery } from './run.ts';

/** What the server counts from rows of visits is what the engine counts, for visits at the edges of what rows can say. */
const dayMs = 86_400_000;
const from = Date.UTC(2026, 9, 19);
const now = Date.UTC(2026, 9, 28, 12);
const closed = [20, 21, 22, 23, 24, 25, 26].map((date) => Date.UTC(2026, 9, date) / dayMs);

let warehouse: Warehouse;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ warehouse, close } = await openTestWarehouse());
  const random = repeatable(17);
  // Visitors with several visits a day; a visit every twenty minutes around midnight in Berlin (22 o'clock in UTC).
  const events: EventRow[] = [];
  for (let number = 0; number < 900; number++) {
    const day = from + (number % 8) * dayMs;
    const start = day + (number % 3 === 0 ? 21.5 * 3_600_000 + random() * 3_600_000 : random() * 84_600_000);
    const at = (minutes: number, some: Partial<EventRow>) =>
      eventAt(Math.floor(start + minutes * 60_000), {
        visitor_id: String(2n ** 63n + BigInt(number % 40) * 2n ** 31n + BigInt(Math.floor(day / dayMs))),
        visit_id: String(1000 + number),
        id_day: eventAt(day).id_day,
        visit_start: eventAt(Math.floor(start)).time,
        source: ['', 'Google', 'Bing'][number % 3] ?? '',
        country: ['DE', 'FR', 'US', ''][number % 4] ?? '',
        detached: number % 50 === 7 ? 1 : 0,
        ...some,
      });
    events.push(at(0, { pathname: '/', entry_page: '/' }));
    if (number % 2 === 0) events.push(at(10 + random() * 15, { pathname: `/blog/${number % 5}`, entry_page: '/' }));
    if (number % 5 === 0) events.push(at(27, { name: 'Signup', entry_page: '/' }));
  }
  await storeEvents(warehouse, events);
  // The same on a second site, where one visit has ids of the day before its own.
  await storeEvents(
    warehouse,
    events.map((event, at) => ({
      ...event,
      site_id: 2,
      id_day: at === 500 ? eventAt(Date.parse(event.id_day) - dayMs).id_day : event.id_day,
    })),
  );
});
afterAll(() => close());

/** Days that are closed, and of which nothing is frozen: each number has to be counted from visits and events. */
const frozenDays: FrozenDays = {
  days: new Map(
    closed.map((day) => [
      day,
      { pieces: [day, day + 1], leftOut: new Set(frozenDimensions), goals: new Set(), events: 300 },
    ]),
  ),
  revisions: new Map(closed.map((day) => [day, 1])),
  rebuilding: new Set(),
};

const dimensions = [
  [],
  ['time:day'],
  ['time:week'],
  ['time:hour'],
  ['visit:source'],
  ['visit:exit_page'],
  ['visit:country_name'],
];
const filters: unknown[][] = [
  [],
  [['is_not', 'visit:country', ['US']]],
  [['contains', 'event:page', ['/blog/']]],
  [['is', 'event:name', ['Signup']]],
  [
    ['is', 'visit:source', ['Google']],
    ['is_not', 'event:page', ['/blog/1']],
  ],
];
const questions = dimensions.flatMap((listed) => filters.map((some) => ({ listed, some })));

/** @param through counted by the server where that can hand over columns */
async function ask(
  through: QueryHouse['warehouse'],
  { listed, some, site, timezone }: { listed: string[]; some: unknown[]; site: number; timezone: string },
): Promise<QueryAnswer['results']> {
  const outcome = await runQuery({
    ...{ site: { id: site, domain: 'example.com', timezone, currency: 'EUR' }, goals: [], frozenDays, now },
    warehouse: through,
    request: {
      ...{ site_id: 'example.com', dimensions: listed, filters: some },
      metrics: ['visitors', 'visits', 'bounce_rate', 'visit_duration', 'pageviews', 'events'],
      date_range: ['2026-10-20', '2026-10-27'],
    },
  });
  if ('problem' in outcome) throw new Error(outcome.problem.message);
  return outcome.results;
}

/** The warehouse, and how often it was asked for rows and for columns. */
function watched() {
  const asked = { rows: 0, columns: 0 };
  const through: QueryHouse['warehouse'] = {
    read(sql, params, options) {
      asked.rows += 1;
      return warehouse.read(sql, params, options);
    },
    async readBlocks(sql, params, options) {
      asked.columns += 1;
      return (await warehouse.readBlocks?.(sql, params, options)) ?? [];
    },
  };
  return { asked, through };
}

test.each(questions)('$listed where $some', async ({ listed, some }) => {
  for (const [site, timezone] of [
    [1, 'Europe/Berlin'],
    [1, 'UTC'],
    [2, 'Europe/Berlin'],
  ] as const) {
    const question = { listed, some, site, timezone };
    const { asked, through } = watched();
    const answer = await ask(through, question);
    expect(answer).toEqual(await ask({ read: warehouse.read }, question));
    expect(answer.length).toBeGreaterThan(0);
    const isOfEvents = JSON.stringify(some).includes('"event:');
    // In which hours a visit has an event of a kind is asked of the events.
    if (!(isOfEvents && listed[0] === 'time:hour')) expect(asked.columns).toBeGreaterThan(0);
  }
});

test('a visit with ids of another day leaves the counting to the engine', async () => {
  const [plain, odd] = [watched(), watched()];
  const question = { listed: ['visit:source'], some: [], timezone: 'Europe/Berlin' };
  await ask(plain.through, { ...question, site: 1 });
  await ask(odd.through, { ...question, site: 2 });
  expect(odd.asked.columns).toBe(plain.asked.columns);
  expect(odd.asked.rows).toBeGreaterThan(plain.asked.rows);
});
