import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ClickHouseHttp, startClickHouseHttp } from '../fixtures/clickhouse_http.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** While ClickHouse cannot work, everything that is asked of it is refused by name, with the time to come back. */
let clickhouse: ClickHouseHttp;
let desk: TestDesk;
beforeAll(async () => {
  clickhouse = await startClickHouseHttp();
  desk = await openTestDesk(['shop.example'], { CLICKHOUSE_URL: clickhouse.url });
});
afterAll(async () => {
  clickhouse.fail(undefined);
  await desk.close();
  await clickhouse.close();
});

const question = (date_range: string) => ({ site_id: 'shop.example', metrics: ['visitors'], date_range });

it('questions and pages say that the warehouse is away, settings are answered, and all is well afterwards', async () => {
  clickhouse.fail({ code: 394, type: 'QUERY_WAS_CANCELLED', status: 500 });
  // "all" looks for the first event before anything else; the batch is answered whole all the same.
  const batch = await desk.call('POST', '/api/v2/query/batch', {
    queries: [question('all'), question('7d'), question('never')],
  });
  expect(batch.status).toBe(200);
  expect(batch.body.results).toMatchObject([
    { error: { code: 'warehouse_unavailable' } },
    { error: { code: 'warehouse_unavailable' } },
    { error: { code: expect.not.stringContaining('warehouse') } },
  ]);
  for (const path of ['missing', 'properties', 'realtime']) {
    const { status, headers, text } = await desk.raw({
      method: 'GET',
      path: `/api/sites/shop.example/${path}`,
      headers: { authorization: `Bearer ${desk.key}` },
    });
    expect([path, status, headers['retry-after']], text).toEqual([path, 503, '1']);
    expect(text).toContain('"code":"warehouse_unavailable"');
  }
  expect((await desk.call('GET', '/api/sites/shop.example/annotations')).status).toBe(200);
  clickhouse.fail(undefined);
  const well = await desk.call('POST', '/api/v2/query/batch', { queries: [question('all')] });
  expect(well.body.results).toMatchObject([{ results: [{ metrics: [0] }] }]);
});
