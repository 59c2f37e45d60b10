import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type ConnectedDesk, openConnectedDesk } from '../../test/connected.ts';
import { stillClock } from '../platform/clock.ts';

vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });
const hour = 3_600_000;
let all: ConnectedDesk;
beforeAll(async () => {
  all = await openConnectedDesk();
  await all.reset();
});
afterAll(() => all.close());

it('tokens are renewed although whoever was renewing them was killed, and the clock was set back since', async () => {
  const { north } = all;
  const begun = await all.begin(north);
  const { id } = (await all.answer(north, await all.consent(begun.body.url))).body;
  const inside = (text: string, values: unknown[] = []) =>
    all.desk.house.postgres.tenant(north.organisationId, (sql) =>
      sql.query<{ refreshing_until: Date | null }>(text, values),
    );
  const lease = async () =>
    (await inside('SELECT refreshing_until FROM connections WHERE id = $1', [id]))[0]?.refreshing_until;
  const clock = stillClock(all.now() + 2 * hour);
  const other = all.another({}, clock);
  await other.begin?.();
  await inside(
    `UPDATE connections SET token_expires_at = $2, refresh_at = NULL, refreshing_until = $3 WHERE id = $1 RETURNING refreshing_until`,
    [id, new Date(all.now() - 60_000), new Date(clock.now() + 45_000)],
  );
  clock.set(clock.now() - 2 * hour);
  clock.travel(1_000);
  await new Promise((resolve) => setImmediate(resolve));
  clock.travel(40_000);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await lease(), 'whoever has it may still be at work').not.toBeNull();
  clock.travel(5_000);
  await vi.waitFor(async () => expect(await lease()).toBeNull(), { timeout: 10_000, interval: 20 });
  expect(await other.freshToken(north.organisationId, id)).toHaveProperty('token');
  const { requests } = all.google.admin('GET', '/received') as { requests: { body: unknown }[] };
  expect(requests.filter(({ body }) => String(body).includes('grant_type=refresh_token'))).toHaveLength(1);
  await other.stop?.();
});
