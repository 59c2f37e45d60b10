import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDesk, type TestDesk } from './desk.ts';

/** COL-11, COL-12, rule R12: values of mail and phone links, through a whole desk. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'open.example']);
});
afterAll(() => desk.close());

const canary = 'jane.canary@mail.example';
const number = '+49 30 5550 1234';
const clicks = (site: string) => {
  const click = (n: string, p: object | string, path: string) => ({ n, p, u: `https://${site}/${path}`, d: site });
  return [
    // As our tracker sends them with data-contact.
    click('Mailto: Click', { domain: 'mail.example', value: canary }, 'tracker'),
    click('Tel: Click', { value: number }, 'tel'),
    // As others may: other names, schemes, percent signs, JSON text, an address where the domain belongs.
    click('mailto-click', { href: `mailto:${canary}?subject=hi&body=secret`, label: 'Write' }, 'href'),
    click('Mailto: Click', { domain: canary, place: 'footer' }, 'domain'),
    click('Tel: Click', JSON.stringify({ phone: '(030) 5550-1234', place: 'header' }), 'text'),
    click('Outbound Link: Click', { url: `MAILTO:${canary.replace('@', '%40')}` }, 'outbound'),
    click('Talk', { to: `tel:${number}`, place: 'menu' }, 'custom'),
  ];
};
const stored = (site: string) =>
  desk.rows<{ pathname: string; props: Record<string, string>; contact: string }>(
    `SELECT pathname, props, contact FROM events WHERE hostname = '${site}' ORDER BY pathname`,
  );
const props = {
  '/custom': { place: 'menu' },
  '/domain': { place: 'footer' },
  '/href': { label: 'Write' },
  '/outbound': {},
  '/tel': {},
  '/text': { place: 'header' },
  '/tracker': { domain: 'mail.example' },
};

/** Long enough to stand in no file by chance: the engine's own files are full of digits. */
const canaries = [canary, 'jane.canary', number, '5550 1234', '5550-1234', '493055501234', '03055501234'];

/** Every file below the data directory that holds the text as it is. */
function filesWith(text: string): string[] {
  return readdirSync(desk.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}

it('without the switch the click and the mail domain are stored, and what was left out is counted', async () => {
  expect(await desk.call('GET', '/api/sites/shop.example')).toMatchObject({ body: { contact_clicks: false } });
  const answer = await desk.collect(clicks('shop.example'));
  expect(JSON.parse(answer.text)).toMatchObject({ stored: 7, dropped: {} });
  expect(answer.headers['x-fairlead-dropped']).toBeUndefined();
  const rows = await stored('shop.example');
  expect(Object.fromEntries(rows.map((row) => [row.pathname, row.props]))).toEqual(props);
  expect(rows.map((row) => row.contact)).toEqual(['', '', '', '', '', '', '']);
  for (const text of canaries) expect(filesWith(text), text).toEqual([]);
  expect(await desk.metrics()).toContain('fairlead_fields_left_out_total{reason="contact_off"} 7');
});

it('with it the value is stored sealed, apart from the properties, and opens for who may change the site', async () => {
  const changed = await desk.call('PATCH', '/api/sites/open.example', { contact_clicks: true });
  expect(changed).toMatchObject({ status: 200, body: { contact_clicks: true } });
  await desk.collect(clicks('open.example'));
  const rows = await stored('open.example');
  expect(Object.fromEntries(rows.map((row) => [row.pathname, row.props]))).toEqual(props);
  for (const row of rows) expect(row.contact).toMatch(/^[\w-]{50,}$/);
  for (const text of canaries) expect(filesWith(text), text).toEqual([]);

  const { body } = await desk.call('GET', '/api/sites/open.example/contact-clicks');
  const read = (body as { clicks: { page: string; value: string }[] }).clicks;
  expect(Object.fromEntries(read.map(({ page, value }) => [page, value]))).toEqual({
    '/custom': number,
    '/domain': canary,
    '/href': canary,
    '/outbound': canary.replace('@', '%40'),
    '/tel': number,
    '/text': '(030) 5550-1234',
    '/tracker': canary,
  });
  expect(await desk.call('GET', '/api/sites/shop.example/contact-clicks')).toEqual({
    status: 200,
    body: { clicks: [] },
  });
});

it('a sealed value opens for its own site only', async () => {
  const [row] = await stored('open.example');
  const copied = { site_id: 1, name: 'Tel: Click', time: '2026-06-01 00:00:00.000', contact: row?.contact };
  await desk.server.desk.house.warehouse.insert('events', Buffer.from(`${JSON.stringify(copied)}\n`), 'copied');
  const { body } = await desk.call('GET', '/api/sites/shop.example/contact-clicks');
  expect((body as { clicks: { value: string | null }[] }).clicks.map(({ value }) => value)).toEqual([null]);
});

it('no question about properties or columns reaches it', async () => {
  const ask = (dimension: string) =>
    desk.call('POST', '/api/v2/query', {
      site_id: 'open.example',
      metrics: ['events'],
      date_range: 'day',
      dimensions: [dimension],
    });
  expect(await ask('event:props:value')).toMatchObject({ body: { results: [{ dimensions: ['(none)'] }] } });
  expect(await ask('event:props:contact')).toMatchObject({ body: { results: [{ dimensions: ['(none)'] }] } });
  expect(await ask('event:contact')).toMatchObject({ status: 400 });
});
