import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { zipOf } from '../../src/platform/files/zip_rig.ts';
import {
  collect,
  type DashboardDesk,
  importEvents,
  newContext,
  openDashboardDesk,
  owner,
  setUpDesk,
} from './dashboard.ts';
import { type Keyboard, keyboardOf } from './keyboard.ts';

/**
 * The jobs beside the overview, by somebody who has a keyboard and nothing else, on a real desk: goals of each kind,
 * taking everything away, bringing the past along and undoing it, realtime, the theme, and leaving.
 */
let desk: DashboardDesk;
let page: Page;
let keys: Keyboard;
const stepMs = 60_000;
const testMs = 240_000;
const dayMs = 86_400_000;
const now = performance.timeOrigin + performance.now();
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const visitors = 4;
const days = 5;

beforeAll(async () => {
  desk = await openDashboardDesk();
  await setUpDesk(desk, ['shop.example', 'empty.example']);
  const rows: object[] = [];
  for (let ago = days; ago >= 1; ago--)
    for (let n = 0; n < visitors; n++) {
      const url = `https://shop.example/guide/${n}`;
      const who = { ip: `192.0.2.${n + 1}`, user_agent: agent };
      const at = (seconds: number) => new Date(now - ago * dayMs + (n * 60 + seconds) * 1_000).toISOString();
      rows.push({ time: at(0), name: 'pageview', url, ...who });
      // Each reads on; half of them as far as three quarters.
      rows.push({ time: at(10), name: 'engagement', url, engagement_ms: 9_000, scroll_depth: n < 2 ? 80 : 30, ...who });
      // Twice by each, with the dear plan by one of them.
      for (const more of [12, 14])
        rows.push({ time: at(more), name: 'Signup', url, props: { plan: n === 0 ? 'pro' : 'free' }, ...who });
    }
  await importEvents(desk, 'shop.example', rows);
  page = await (await newContext(desk)).newPage();
  page.setDefaultTimeout(stepMs);
  keys = keyboardOf(page, stepMs);
}, 300_000);
afterAll(() => desk.close());

/** The row of a goal: what stands beside its name. */
const goalRow = (name: string) =>
  page
    .locator('.gl-rows tbody tr', { has: page.getByRole('link', { name, exact: true }) })
    .locator('td')
    .allTextContents();

it('goals of each kind are made in the form, and their numbers are what happened', { timeout: testMs }, async () => {
  await page.goto(`${desk.origin}/s/shop.example/goals`);
  await keys.isOn(/^E-mail/);
  await keys.type(owner.email);
  await keys.press('Tab');
  await keys.type(owner.password);
  await keys.press('Enter');
  await page.getByText('No goals yet.').waitFor();
  await keys.isKept();

  /** From the list: the form, which of its kinds (by arrow keys), and where the focus is then. */
  const begin = async (arrows: number) => {
    await keys.enter(/^Create goal$/);
    await keys.isOn(/^Page/);
    await keys.to(/^It is reached when/, 'Shift+Tab');
    for (let n = 0; n < arrows; n++) await keys.press('ArrowDown');
  };
  const end = async (name: string) => {
    await keys.to(/^Name/);
    await keys.type(name);
    await keys.press('Enter');
    await page.getByRole('link', { name, exact: true }).waitFor();
    await page.getByRole('button', { name: `More about ${name}` }).waitFor();
    await keys.isKept();
  };

  await begin(0);
  await keys.to(/^Page/);
  await keys.type('/guide/*');
  await page.getByText(`${visitors * days} of ${visitors * days} visitors`).waitFor();
  await end('Reads a guide');

  await begin(1);
  await keys.to(/^Event/);
  await keys.type('Signup');
  await end('Signs up');

  await begin(1);
  await keys.to(/^Event/);
  await keys.type('Signup');
  await keys.to(/^Only with a property/);
  await keys.press('Space');
  await keys.to(/^Property/);
  await keys.type('plan');
  await keys.to(/^Is/);
  await keys.type('pro');
  await end('Signs up for pro');

  await begin(2);
  await keys.to(/^Depth/);
  await keys.press('Control+a');
  await keys.type('75');
  await keys.to(/^Page/);
  await keys.type('/guide/*');
  await end('Reads to the end');

  await begin(1);
  await keys.to(/^Event/);
  await keys.type('purchase');
  await keys.to(/^Revenue/);
  // The site's own currency is the first after none.
  await keys.press('ArrowDown');
  await keys.to(/^Name/, 'Shift+Tab');
  await keys.type('Buys');
  await keys.press('Enter');
  await page.getByRole('button', { name: 'More about Buys' }).waitFor();

  // One visitor buys twice, after the goal is there: what earns nothing has stored no amount.
  for (const amount of [12.5, 30])
    await collect(desk, '/cart', { n: 'purchase', $: { currency: 'EUR', amount }, id: String(amount) });
  expect(await desk.server.desk.house.spool.drain(20_000)).toBe(true);
  await page.reload();
  await expect.poll(() => goalRow('Buys'), { timeout: stepMs }).toContain('€42.50');
  // Visitors, times, and the rate among 21: the four of each day, and the one who buys.
  for (const [name, ...numbers] of [
    ['Reads a guide', '20', '20', '95.2%'],
    ['Signs up', '20', '40', '95.2%'],
    ['Signs up for pro', '5', '10', '23.8%'],
    ['Reads to the end', '10', '–', '47.6%'],
    ['Buys', '1', '2', '4.8%'],
  ] as const)
    expect((await goalRow(name)).slice(1, 4), name).toEqual(numbers);
});

it('revenue is the same number over the chart and in a list, and what is no purchase is no order', {
  timeout: testMs,
}, async () => {
  await collect(desk, '/donate', { n: 'Donation', $: { currency: 'EUR', amount: 7.5 }, id: 'donation' });
  expect(await desk.server.desk.house.spool.drain(20_000)).toBe(true);
  await page.goto(`${desk.origin}/s/shop.example/analytics?period=today&sources=source`);
  const figure = (name: string) => page.locator('.k', { hasText: name }).locator('.kv');
  await figure('Revenue').getByText('€50.00').waitFor();
  expect(await figure('Orders').textContent()).toBe('2');
  await page.locator('#panel-sources tbody tr', { hasText: 'Direct / None' }).getByText('€50.00').waitFor();
});

it('a goal of reading has a dash for how often, in the list of goals and where it filters', {
  timeout: testMs,
}, async () => {
  const cells = (on: string, name: string) =>
    page.locator(`${on} tbody tr`, { hasText: name }).locator('td').allTextContents();
  await page.goto(`${desk.origin}/s/shop.example/analytics`);
  await expect
    .poll(() => cells('#panel-goals', 'Reads to the end'), { timeout: stepMs })
    .toEqual(['Reads to the end', '10', '–', '47.6%']);
  await page.goto(`${desk.origin}/s/shop.example/analytics?f=is:goal:Reads to the end&sources=source`);
  await expect
    .poll(() => cells('#panel-sources', 'Direct / None'), { timeout: stepMs })
    .toEqual(['Direct / None', '10', '–', '47.6%']);
});

it('goals, exports and imports have their call for a shell, which answers what the page shows', {
  timeout: testMs,
}, async () => {
  for (const [path, method, call] of [
    ['goals', 'POST', '/api/v2/query'],
    ['exports', 'GET', '/api/sites/shop.example/exports'],
    ['imports', 'GET', '/api/sites/shop.example/imports'],
  ] as const) {
    await page.goto(`${desk.origin}/s/shop.example/${path}`);
    await page.getByText('The same by API').waitFor();
    await keys.enter(/^The same by API/);
    const text = (await page.locator('main > .call pre').textContent()) ?? '';
    expect(text).toContain(`curl ${method === 'GET' ? '' : '-X POST '}'${desk.origin}${call}'`);
    const body = text.split("--data-raw '")[1]?.slice(0, -1);
    const status = await page.evaluate(
      async ([to, how, sent]) =>
        (
          await fetch(to, {
            method: how,
            ...(sent === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: sent }),
          })
        ).status,
      [call, method, body] as const,
    );
    expect([path, status]).toEqual([path, 200]);
  }
});

it('everything is taken away in each format', { timeout: testMs }, async () => {
  await page.goto(`${desk.origin}/s/shop.example/goals`);
  await page.locator('.gl-rows').waitFor();
  await keys.press('g', 'e');
  await page.getByText('No exports yet.').waitFor();
  for (const [name, file, holds] of [
    ['Tables by day', /\.zip$/, 'imported_visitors_'],
    ['Events, NDJSON', /\.ndjson$/, '"url":"https://shop.example/guide/0"'],
    ['Events, Parquet', /\.zip$/, '.parquet'],
  ] as const) {
    await keys.enter(new RegExp(`^Export: ${name}`));
    await keys.isKept();
    await page.getByRole('link', { name: new RegExp(`^Download ${name}`) }).waitFor();
    await keys.isKept();
    await keys.to(new RegExp(`^Download ${name}`));
    const [saved] = await Promise.all([page.waitForEvent('download'), keys.press('Enter')]);
    expect(saved.suggestedFilename()).toMatch(file);
    expect(readFileSync(await saved.path(), 'latin1')).toContain(holds);
    // Back to the top, as a person with a keyboard comes there again.
    await keys.press('g', 'e');
    await keys.to(/^Export: Tables by day|^Skip to the exports/, 'Shift+Tab');
  }
  await keys.enter(/^Delete Events, Parquet/);
  await keys.to(/^Delete file/, 'Shift+Tab');
  await keys.press('Enter');
  await page.getByRole('link', { name: /^Download Events, Parquet/ }).waitFor({ state: 'detached' });
  await keys.isKept();
});

/** Days of the past in the tables of Plausible, and in the lines of a web server. */
const archive = () =>
  zipOf([
    {
      name: 'imported_visitors_20260101_20260102.csv',
      text: 'date,visitors,pageviews,bounces,visits,visit_duration\n2026-01-01,10,40,3,12,600\n2026-01-02,5,9,1,6,60\n',
    },
  ]);
const accessLog = () =>
  Buffer.from(
    Array.from(
      { length: 30 },
      (_, n) => `10.0.0.${n} - - [05/Feb/2026:10:00:00 +0000] "GET /page-${n} HTTP/1.1" 200 512 "-" "${agent}"\n`,
    ).join(''),
  );

it('the past is brought along and undone: an archive of Plausible and an access log', {
  timeout: testMs,
}, async () => {
  await page.goto(`${desk.origin}/s/empty.example/imports`);
  await page.getByText('Nothing was imported yet.').waitFor();
  for (const [name, buffer, arrows, count] of [
    ['export.zip', archive(), 0, 2],
    ['access.log', accessLog(), 3, 30],
  ] as const) {
    await keys.enter(/^Import$/);
    await keys.isKept();
    await keys.to(/^Plausible/);
    for (let n = 0; n < arrows; n++) {
      await keys.press('ArrowDown');
      await keys.isKept();
    }
    const chosen = page.waitForEvent('filechooser');
    await keys.enter(/^Choose a file/);
    await (await chosen).setFiles({ name, mimeType: 'application/octet-stream', buffer });
    await page.getByText(name).first().waitFor();
    await keys.isOn(/^Choose a file/);
    await keys.enter(/^Send and check/);
    const start = page.getByRole('button', { name: `Import ${count} rows` });
    await start.waitFor();
    await keys.isKept();
    await keys.enter(new RegExp(`^Import ${count} rows`));
    await page.getByText(`In the numbers, ${count} rows`).waitFor();
    await keys.isKept();
    await keys.enter(new RegExp(`^Report of ${name}`));
    await page
      .getByRole('dialog', { name: `Report of ${name}` })
      .getByText('Days that came')
      .waitFor();
    await keys.press('Escape');
    await keys.isOn(new RegExp(`^Report of ${name}`));
    await keys.enter(new RegExp(`^Undo ${name}`));
    await keys.isKept();
    await keys.press('Escape');
    await keys.isOn(new RegExp(`^Undo ${name}`));
    await keys.press('Enter');
    await keys.to(new RegExp(`^Undo ${count} rows`), 'Shift+Tab');
    await keys.press('Enter');
    await page
      .getByRole('row', { name: new RegExp(name) })
      .getByText('Undone, nothing of it is left')
      .waitFor();
    await keys.isKept();
  }
});

it('an annotation is read by a viewer, and is neither written nor changed', { timeout: testMs }, async () => {
  await page.goto(`${desk.origin}/s/shop.example/analytics`);
  await keys.enter(/Annotations: none$/);
  await keys.to(/^What happened/);
  await keys.type('A letter');
  await keys.press('Enter');
  await page.getByRole('button', { name: 'Annotations: 1' }).waitFor();
  const { postgres } = desk.server.desk.house;
  const be = (role: string) => postgres.tenant(1, (sql) => sql.run('UPDATE memberships SET role = $1', [role]));
  await be('viewer');
  await page.reload();
  await page.getByRole('button', { name: 'Annotations: 1' }).waitFor();
  await keys.enter(/Annotations: 1$/);
  const list = page.getByRole('dialog', { name: 'Annotations' });
  await list.getByText('A letter').waitFor();
  expect(await list.locator('button, input').count()).toBe(0);
  const statuses = await page.evaluate(async (path) => {
    const sent = { headers: { 'content-type': 'application/json' }, body: '{"day":"2026-01-01","note":"Mine"}' };
    const { annotations } = (await (await fetch(path)).json()) as { annotations: { id: number }[] };
    const one = `${path}/${annotations[0]?.id}`;
    const answers = [
      fetch(path, { method: 'POST', ...sent }),
      fetch(one, { method: 'PUT', ...sent }),
      fetch(one, { method: 'DELETE' }),
    ];
    return (await Promise.all(answers)).map(({ status }) => status);
  }, '/api/sites/shop.example/annotations');
  expect(statuses).toEqual([404, 404, 404]);
  await be('owner');
});

it('arrows, ends and letters go through what opens, and the focus comes back to what opened it', {
  timeout: testMs,
}, async () => {
  await page.goto(`${desk.origin}/s/shop.example/analytics?period=28d`);
  await page.locator('#panel-pages tbody .name').first().waitFor();
  /** Each key, and what has the focus after it; Escape at the end gives it back. */
  const go = async (opener: RegExp, ...steps: (readonly [string, RegExp])[]) => {
    await keys.enter(opener);
    for (const [key, name] of steps) {
      await keys.press(key);
      await keys.isOn(name);
    }
    await keys.press('Escape');
    await keys.isOn(opener);
  };
  await go(
    /^(?!against).*–/,
    ['ArrowDown', /^90 days/],
    ['Home', /^Today/],
    ['ArrowUp', /^All/],
    ['y', /^Yesterday/],
    ['y', /^Year to date/],
    ['End', /^All/],
  );
  await go(
    /^More about pages/,
    ['End', /^Why these numbers/],
    ['c', /^CSV of what is shown/],
    ['ArrowUp', /^Why these numbers/],
  );

  // A list beside a field: the field keeps the focus, and names the option that the keys have reached.
  const reached = () =>
    page.evaluate(() => {
      const id = document.activeElement?.getAttribute('aria-activedescendant');
      const option = id == null ? null : document.getElementById(id);
      return option?.getAttribute('aria-selected') === 'true' ? option.textContent : undefined;
    });
  await keys.to(/^S?shop\.example$/, 'Shift+Tab');
  await keys.press('Enter');
  await keys.isOn(/^Find a site/);
  expect(await reached()).toMatch(/shop\.example/);
  await keys.press('ArrowDown');
  expect(await reached()).toBe('All sites');
  await keys.press('ArrowUp', 'ArrowUp', 'ArrowUp');
  expect(await reached()).toBe('Add a site');
  await keys.press('Escape');
  await keys.isOn(/^S?shop\.example$/);

  await keys.press('Control+k');
  await keys.isOn(/^Go to or do/);
  const first = await reached();
  await keys.press('ArrowDown');
  expect(await reached()).not.toBe(first);
  await keys.press('ArrowUp');
  expect(await reached()).toBe(first);
  await keys.press('Escape');
  await keys.isOn(/^S?shop\.example$/);

  // One stop for all tabs; none is chosen before Enter.
  await keys.to(/^Channels$/);
  for (const [key, name] of [
    ['End', /^Search terms$/],
    ['ArrowRight', /^Channels$/],
    ['ArrowRight', /^Sources$/],
    ['Home', /^Channels$/],
  ] as const) {
    await keys.press(key);
    await keys.isOn(name);
  }
});

it('realtime is paused, the theme chosen, and the desk left', { timeout: testMs }, async () => {
  await page.goto(`${desk.origin}/s/shop.example/realtime`);
  await page.getByText(/^Counted to/).waitFor();
  await keys.to(/^Pause$/);
  await keys.press('Space');
  await page.getByText(/^Paused\. Counted to/).waitFor();
  await keys.isOn(/^Pause$/);
  await collect(desk, '/while-paused');
  await keys.press('p');
  await page.locator('.rt-scroll').getByText('/while-paused').waitFor();
  await keys.press('p');
  await page.getByText(/^Paused\. Counted to/).waitFor();
  await keys.palette('go on with');
  await page.getByText(/^Counted to/).waitFor();
  await keys.isKept();

  const account = new RegExp(owner.email.replaceAll('.', '\\.'));
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  await keys.enter(account, 'Shift+Tab');
  await keys.to(/^Dark$/);
  await keys.press('Space');
  await expect.poll(scheme).toBe('dark');
  await keys.isOn(/^Dark$/);
  await keys.press('Escape');
  await keys.isOn(account);
  await keys.palette('theme light');
  await expect.poll(scheme).toBe('light');
  await keys.isKept();

  await keys.enter(account, 'Shift+Tab');
  await keys.enter(/^Sign out/);
  await page.waitForURL((url) => url.pathname === '/sign-in');
  await keys.isOn(/^E-mail/);
});
