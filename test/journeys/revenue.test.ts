import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDesk, type TestDesk } from './desk.ts';

/** COL-16: revenue is stored where the site keeps it, or has a goal that earns; the event is stored either way. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
});
afterAll(() => desk.close());

const buy = (path: string) =>
  desk.collect({
    n: 'purchase',
    u: `https://shop.example/${path}`,
    d: 'shop.example',
    p: { plan: 'team' },
    $: { amount: '19.99', currency: 'EUR', order_id: `order of ${path}` },
  });

it('follows the switch and the goals of the site from one event to the next, and counts what it leaves out', async () => {
  await buy('on');
  expect(await desk.call('PATCH', '/api/sites/shop.example', { revenue: false })).toMatchObject({
    status: 200,
    body: { revenue: false },
  });
  const left = await buy('off');
  expect([left.status, left.text, left.headers['x-fairlead-dropped']]).toEqual([202, 'ok', undefined]);
  const goal = await desk.call('POST', '/api/sites/shop.example/goals', {
    kind: 'event',
    match: 'purchase',
    currency: 'EUR',
  });
  expect(goal.status).toBe(201);
  await buy('goal');
  expect((await desk.call('DELETE', `/api/sites/shop.example/goals/${goal.body.id}`)).status).toBe(200);
  await buy('gone');

  const rows = await desk.rows<{ pathname: string; props: object; revenue: string; currency: string; order: string }>(
    `SELECT pathname, props, toString(revenue_amount) AS revenue, revenue_currency AS currency, order_id AS order
    FROM events ORDER BY time`,
  );
  const nothing = { revenue: '0', currency: '', order: '' };
  const props = { plan: 'team' };
  expect(rows).toEqual([
    { pathname: '/on', props, revenue: '19.99', currency: 'EUR', order: 'order of on' },
    { pathname: '/off', props, ...nothing },
    { pathname: '/goal', props, revenue: '19.99', currency: 'EUR', order: 'order of goal' },
    { pathname: '/gone', props, ...nothing },
  ]);
  expect(await desk.metrics()).toContain('fairlead_fields_left_out_total{reason="revenue_off"} 2');
  // Counts go to the spool once a second.
  await expect
    .poll(() => desk.rows('SELECT reason, toUInt32(sum(events)) AS events FROM drops GROUP BY reason'), {
      timeout: 20_000,
    })
    .toEqual([{ reason: 'revenue_off', events: 2 }]);
});
