import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openTestDesk, type TestDesk } from './desk.ts';

/** What a site has its most of: the last place goes to one, however many come at the same moment. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'other.example']);
});
afterAll(() => desk.close());

const cases: [what: string, max: number, fill: string, body: (n: number) => object][] = [
  [
    'goals',
    100,
    `INSERT INTO goals (organisation_id, site_id, name, kind, pattern, created_at)
     SELECT 1, 1, 'Goal ' || n, 'event', 'e' || n, now() FROM generate_series(1, 99) AS n`,
    (n) => ({ kind: 'event', match: `late-${n}` }),
  ],
  [
    'annotations',
    1_000,
    `INSERT INTO annotations (organisation_id, site_id, day, note, created_at)
     SELECT 1, 1, '2026-01-01', 'Note ' || n, now() FROM generate_series(1, 999) AS n`,
    (n) => ({ day: '2026-01-02', note: `Late ${n}` }),
  ],
  [
    'shields',
    100,
    `INSERT INTO shields (organisation_id, site_id, kind, pattern, note, created_at)
     SELECT 1, 1, 'path', '/p' || n, '', now() FROM generate_series(1, 99) AS n`,
    (n) => ({ kind: 'path', value: `/late-${n}` }),
  ],
];

it.each(cases)('%s: at most %i, also when eight come at once', async (what, max, fill, body) => {
  await desk.server.desk.house.postgres.tenant(1, (sql) => sql.run(fill));
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) => desk.call('POST', `/api/sites/shop.example/${what}`, body(n))),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
    error: { code: 'conflict', message: `A site has at most ${max} ${what}. Remove one first.` },
  });
  const { body: list } = await desk.call('GET', `/api/sites/shop.example/${what}`);
  expect(list[what]).toHaveLength(max);
  expect((await desk.call('POST', `/api/sites/other.example/${what}`, body(0))).status).toBe(201);
});
