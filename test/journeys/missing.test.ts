import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MissingEvents } from '../../contract/missing.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Everything that was sent and is not there has a reason and a count, which the page of missing events reads. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'other.example']);
});
afterAll(() => desk.close());

const view = (n: number, more: object = {}) => ({
  ...{ n: 'pageview', u: `https://shop.example/page-${n}`, d: 'shop.example' },
  ...more,
});

async function missing(site: string, period = '7d'): Promise<MissingEvents> {
  // The counts go to the spool once a second, and from there to the warehouse.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  await desk.rows('SELECT 1');
  const { status, body } = await desk.call('GET', `/api/sites/${site}/missing?period=${period}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as unknown as MissingEvents;
}
const counts = (rows: { reason: string; events: number }[]) =>
  Object.fromEntries(rows.map(({ reason, events }) => [reason, events]));

it('an empty site has no reasons, and as many steps as its period', async () => {
  const week = await missing('other.example');
  expect(week).toMatchObject({ step: 'day', stored: 0, reasons: [], robots: [], examples: [] });
  expect(week.steps).toHaveLength(7);
  expect((await missing('other.example', '30d')).steps).toHaveLength(30);
  const day = await missing('other.example', '24h');
  expect([day.step, day.steps.length]).toEqual(['hour', 24]);
});

it('each reason has its count, its step, its meaning and where its rule is', async () => {
  await desk.collect([view(1, { id: 'a' }), view(1, { id: 'a' }), view(2, { id: 'b' })]);
  const robot = { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' };
  for (let n = 0; n < 3; n++) await desk.collect(view(3, { r: 'https://www.google.com/search?q=secret' }), robot);
  await desk.collect({ n: 'engagement', u: 'https://shop.example/', d: 'shop.example' }, { 'user-agent': 'Other/1.0' });
  await desk.collect(view(4, { n: 'Tel: Click', p: { value: '+49 30 5550 1234' } }));
  await desk.collect({ n: 'pageview', u: 'https://shop.example/', d: 'shpo.example' });
  const found = await missing('shop.example');
  expect(found.stored).toBe(3);
  expect(counts(found.reasons)).toMatchObject({ bot: expect.any(Number), duplicate: 1, contact_off: 1 });
  expect(found.reasons[0]).toMatchObject({ reason: 'bot', means: 'The sender is a known robot.', rule: null });
  expect(found.reasons.find(({ reason }) => reason === 'contact_off')).toMatchObject({
    kind: 'left_out',
    rule: 'site',
  });
  // All of it happened just now, so the last step has it all.
  for (const { events, by_step, reason } of found.reasons) {
    expect(by_step, reason).toHaveLength(7);
    expect(
      by_step.reduce((sum, each) => sum + each, 0),
      reason,
    ).toBe(events);
  }
  const [rows] = await desk.rows<{ events: string }>(
    `SELECT toString(sum(events)) AS events FROM drops WHERE site_id != 0`,
  );
  expect(found.reasons.reduce((sum, { events }) => sum + events, 0)).toBe(Number(rows?.events));
  expect(counts(found.of_no_site)).toEqual({ not_found: 1 });
});

it('robots are shown by rule, and the last of them without anything of who it was', async () => {
  const { robots, examples, reasons } = await missing('shop.example', '24h');
  expect(robots.reduce((sum, { events }) => sum + events, 0)).toBe(counts(reasons).bot);
  expect(examples[0]).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    rule: expect.any(String),
    name: expect.any(String),
    hostname: 'shop.example',
    page: expect.stringMatching(/^\/(page-3)?$/),
    referrer: expect.any(String),
    country: '',
  });
  expect(JSON.stringify(examples)).not.toMatch(/secret|Googlebot\/|127\.0\.0\.1/);
});

it('the last of other reasons say where they came from, and nothing of whoever asked not to be counted', async () => {
  const shields = '/api/sites/shop.example/shields';
  const add = (kind: string, value: string) => desk.call('POST', shields, { kind, value, confirm: 'shop.example' });
  expect((await add('path', '/inside/**')).status).toBe(201);
  expect((await add('blocked_hostname', 'copy.example')).status).toBe(201);
  expect((await desk.call('PATCH', '/api/sites/shop.example', { privacy_signals: 'drop' })).status).toBe(200);
  await desk.collect(view(1, { u: 'https://copy.example/a?token=secret#secret', r: 'https://bing.com/?q=secret' }));
  await desk.collect(view(1, { u: 'https://shop.example/inside/jane@shop.example', n: 'Signup' }));
  for (const header of ['sec-gpc', 'dnt'])
    await desk.collect(view(1, { u: 'https://shop.example/inside/of-nobody' }), { [header]: '1' });
  await desk.collect(view(1, { u: 7 }));
  const { last, reasons } = await missing('shop.example', '24h');
  expect(counts(reasons)).toMatchObject({ privacy_signal: 2, site_page_blocklist: 1, invalid: 1 });
  const told = { time: expect.any(String), country: '', field: '', referrer: '', name: 'pageview' };
  expect(last.slice(0, 3)).toEqual([
    { ...told, reason: 'invalid', name: '', hostname: '', page: '', field: 'url' },
    { ...told, reason: 'site_page_blocklist', name: 'Signup', hostname: 'shop.example', page: '/inside/(email)' },
    { ...told, reason: 'site_hostname_blocklist', hostname: 'copy.example', page: '/a', referrer: 'bing.com' },
  ]);
  expect(last.map(({ reason }) => reason)).toContain('duplicate');
  expect(JSON.stringify(last)).not.toMatch(/secret|jane|of-nobody|bot|privacy_signal/);
  for (let n = 0; n < 9; n++) await desk.collect(view(1, { u: `https://shop.example/inside/${n}` }));
  const again = (await missing('shop.example', '24h')).last.filter(({ reason }) => reason === 'site_page_blocklist');
  expect(again).toHaveLength(4);
});

it('another site sees none of it', async () => {
  expect(await missing('other.example')).toMatchObject({ reasons: [], robots: [], examples: [], last: [] });
});
