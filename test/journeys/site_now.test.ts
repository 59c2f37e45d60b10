import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import type { siteNow } from '../../contract/api.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** What every page of a site asks every few seconds: who is there, and whether the stores answer. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
});
afterAll(() => desk?.close());

it('the warehouse answers while events wait on disk, too, which on a busy site is always', async () => {
  const seen: z.infer<typeof siteNow>[] = [];
  await vi.waitFor(
    async () => {
      const event = { n: 'pageview', u: `https://shop.example/${seen.length}`, d: 'shop.example' };
      expect((await desk.collect(event)).status).toBe(202);
      const { status, body } = await desk.call('GET', '/api/sites/shop.example/now');
      expect(status).toBe(200);
      seen.push(body as unknown as z.infer<typeof siteNow>);
      expect(seen.filter(({ spool_lag_ms }) => spool_lag_ms > 0).length).toBeGreaterThan(8);
    },
    { timeout: 40_000, interval: 450 },
  );
  expect(seen.map(({ stores }) => stores)).toEqual(seen.map(() => ({ postgres: true, warehouse: true })));
  expect(seen.at(-1)?.visitors).toBe(1);
});
