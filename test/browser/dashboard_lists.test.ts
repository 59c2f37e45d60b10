import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { onDesk } from '../../src/app/with_desk.ts';
import { zipOf } from '../../src/platform/files/zip_rig.ts';
import {
  type DashboardDesk,
  goInside,
  importEvents,
  newContext,
  openDashboardDesk,
  owner,
  setUpDesk,
  signIn,
} from './dashboard.ts';
import { keyboardOf } from './keyboard.ts';

/**
 * What a reader does with the lists of the overview: another tab, a filter by click and by key, all rows with search
 * and order, the file of what is seen, and why its numbers are these. A real desk, rows that went the way of events.
 */
let desk: DashboardDesk;
let context: BrowserContext;
let page: Page;
const stepMs = 120_000;

const now = performance.timeOrigin + performance.now();
const hourMs = 3_600_000;
/** As the site's clocks say it: for an hour or two a night that is not the day in UTC. */
const day = (daysAgo: number) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin' }).format(now - daysAgo * 24 * hourMs);
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const pages = 120;
const pageOf = (at: number) => `https://shop.example/page-${String(at % pages).padStart(3, '0')}`;
const overview = '/s/shop.example/analytics';

beforeAll(async () => {
  desk = await openDashboardDesk();
  await setUpDesk(desk, ['shop.example', 'moved.example']);
  const visit = (at: number, more: object) => ({
    time: new Date(now - 50 * hourMs + at * 60_000).toISOString(),
    name: 'pageview',
    url: pageOf(at),
    title: at % 2 === 0 ? 'A page' : '=1+1',
    ip: `81.${at % 200}.7.9`,
    user_agent: agent,
    ...more,
  });
  await importEvents(desk, 'shop.example', [
    ...Array.from({ length: 2 * pages }, (_, at) => [
      visit(at, {
        ...(at % 3 === 0 ? { referrer: 'https://www.bing.com/' } : {}),
        ...(at % 4 === 0 ? { url: `${pageOf(at)}?utm_campaign=spring&utm_term=wool` } : {}),
      }),
      ...(at === 4
        ? [
            visit(at, {
              time: new Date(now - 50 * hourMs + at * 60_000 + 30_000).toISOString(),
              ...{ name: 'engagement', engagement_ms: 20_000, scroll_depth: 60 },
            }),
          ]
        : []),
    ]).flat(),
    ...Array.from({ length: 9 }, (_, at) =>
      visit(at, {
        time: new Date(now - 20 * hourMs + at * 60_000).toISOString(),
        name: 'Signup',
        props: { plan: at % 3 === 0 ? 'free' : 'pro', ...(at < 4 ? { place: 'footer' } : {}) },
      }),
    ),
  ]);
  // Twenty days of another product's counts; the oldest of them lie before the last 28 days.
  const rows = Array.from({ length: 20 }, (_, at) => `${day(30 - at)},10,40,3,12,600`).join('\r\n');
  await onDesk(
    {
      command: 'import',
      args: { kind: 'plausible', site: 'moved.example', file: 'export.zip' },
      body: Readable.from([
        zipOf([
          {
            name: `imported_visitors_${day(30).replaceAll('-', '')}_${day(11).replaceAll('-', '')}.csv`,
            text: `\ufeffdate,visitors,pageviews,bounces,visits,visit_duration\r\n${rows}\r\n`,
          },
        ]),
      ]),
    },
    desk.config,
  );
  context = await newContext(desk);
  page = await context.newPage();
  await signIn(page, desk, overview);
}, 300_000);
afterAll(() => desk.close());

const open = async (path: string) => {
  await goInside(page, desk, path);
  await page.locator('.series svg, .hush').first().waitFor();
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
};
const list = (name: string) => page.getByRole('tabpanel', { name, exact: true });
const rowsOf = (name: string) =>
  list(name)
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
const visitors = () => page.locator('.k', { hasText: 'Visitors' }).locator('.kv').textContent();

it('every tab asks for its own list, and the address says which', { timeout: stepMs }, async () => {
  await open(overview);
  for (const [tab, first] of [
    ['Sources', 'Direct / None'],
    ['Referrers', 'bing.com'],
    ['Campaigns', 'spring'],
    ['Titles', 'A page'],
    ['Hosts', 'shop.example'],
    ['Events', 'Signup'],
    ['Browsers', 'Firefox'],
    ['Systems', 'Linux'],
  ] as const) {
    await page.getByRole('tab', { name: tab, exact: true }).click();
    await list(tab).locator('.name', { hasText: first }).first().waitFor();
  }
  await page.getByLabel('Campaigns by').selectOption({ label: 'Content' });
  await page.getByRole('tab', { name: 'Search terms', exact: true }).click();
  await list('Search terms').locator('.name', { hasText: 'wool' }).waitFor();
  expect(new URL(page.url()).searchParams.get('goals')).toBe('event');
  await page.reload();
  await list('Events').locator('.name', { hasText: 'Signup' }).waitFor();
  // Page views are no event of this list, and no row of it.
  expect((await rowsOf('Events')).map(([name]) => name)).toEqual(['Signup']);
});

it('a row that is the only one leads on to what it is made of', { timeout: stepMs }, async () => {
  await open(`${overview}?devices=browser`);
  // Versions of all browsers in one list would say nothing.
  expect(await page.getByLabel('Browsers by').count()).toBe(0);
  await list('Browsers').locator('.name', { hasText: 'Firefox' }).click();
  await page.getByRole('button', { name: 'Browser versions of Firefox' }).click();
  await page.waitForURL((url) => url.searchParams.get('devices') === 'browser_version');
  await list('Browsers').locator('.name', { hasText: /^\d+/ }).first().waitFor();
  expect((await rowsOf('Browsers')).length).toBe(1);
  await list('Browsers').locator('.name').click();
  await page.waitForURL((url) => url.searchParams.getAll('f').some((one) => one.startsWith('is:browser_version:')));
  await page.getByLabel('Browsers by').selectOption({ label: 'Browser' });
  await expect.poll(async () => (await rowsOf('Browsers')).map(([name]) => name)).toEqual(['Firefox']);
});

it('a page that is the only one says how long and how far it is read, and where its visits began', {
  timeout: stepMs,
}, async () => {
  await open(overview);
  await page.getByRole('button', { name: 'All pages' }).click();
  await page.getByRole('button', { name: 'Time on page', exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('sort') === 'time_on_page');
  const row = page.locator('#all-rows tbody tr', { hasText: '/page-004' });
  await row.waitFor();
  const [, , , time = '', depth = ''] = await row.locator('td').allTextContents();
  expect([time, depth].join(' ')).toMatch(/^\d+s \d+\.\d%$/);
  await page.locator('#all-rows .name', { hasText: '/page-004' }).click();
  await page.waitForURL((url) => url.searchParams.get('f') === 'is:page:/page-004');
  await page.getByRole('button', { name: 'Overview' }).click();
  await page.locator('.k', { hasText: 'Time on page' }).locator('.kv', { hasText: time }).waitFor();
  await page.locator('.k', { hasText: 'Scroll depth' }).locator('.kv', { hasText: depth }).click();
  await page.waitForURL((url) => url.searchParams.get('metric') === 'scroll_depth');
  await page.getByRole('button', { name: 'Entry pages of /page-004' }).click();
  // A sign-up on this page was a visit of its own, which began without a page view.
  await expect.poll(async () => (await rowsOf('Entry')).map(([name]) => name)).toEqual(['/page-004', 'No page']);
});

it('the palette filters by what the lists show, and takes filters off', { timeout: stepMs }, async () => {
  await open(`${overview}?sources=source`);
  await page.keyboard.press('Control+k');
  const found = page.getByRole('listbox', { name: 'Results' }).getByRole('option');
  await found.first().waitFor();
  // Values are found by typing; nobody scrolls through all of them.
  expect(await found.filter({ hasText: 'Filters' }).count()).toBe(0);
  await page.keyboard.type('source bin');
  await found.filter({ hasText: 'Source is Bing' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.searchParams.get('f') === 'is:source:Bing');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('remove bing');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => !url.searchParams.has('f'));
});

it('an annotation is written onto a day, read from the chart and its table, and taken off', {
  timeout: stepMs,
}, async () => {
  await open(overview);
  await page.getByRole('button', { name: 'Annotations: none' }).click();
  await page.getByRole('dialog', { name: 'Annotations' }).getByLabel('Day').fill(day(2));
  await page.getByLabel('What happened').fill('Letter to readers');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Annotations: 1' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.note-ring').waitFor();
  await page.reload();
  await page.locator('.note-ring').waitFor();
  // The ring is on the third step from the end, and its words are read with the step's number.
  await page.locator('.series').focus();
  await page.keyboard.press('End');
  for (let n = 0; n < 2; n++) await page.keyboard.press('ArrowLeft');
  await page.locator('[aria-live]', { hasText: /: [\d,]+.*Letter to readers$/ }).waitFor();
  await open(`${overview}?step=week`);
  await page.keyboard.press('t');
  await page.getByRole('row', { name: /: Letter to readers/ }).waitFor();
  await page.getByRole('button', { name: 'Annotations: 1' }).click();
  await page.getByRole('button', { name: 'Change: Letter to readers' }).click();
  await page.getByLabel('What happened').fill('Second letter');
  await page.getByRole('button', { name: 'Save annotation' }).click();
  await page.getByRole('row', { name: /: Second letter/ }).waitFor();
  await page.getByRole('button', { name: 'Take off: Second letter' }).click();
  await page.getByRole('button', { name: 'Annotations: none' }).waitFor();
  await page.getByRole('row', { name: /: Second letter/ }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('row', { name: /: Second letter/ }).waitFor();
  await page.getByRole('button', { name: 'Take off: Second letter' }).click();
  await page.getByRole('row', { name: /: Second letter/ }).waitFor({ state: 'detached' });
});

it('the map shows what the list of countries has, goes through it by arrows, and filters', {
  timeout: stepMs,
}, async () => {
  await open(`${overview}?places=map`);
  const countries = page.locator('.world [data-code]');
  await countries.first().waitFor();
  const [most, second] = (await countries.evaluateAll((shapes) => shapes.map((one) => one.getAttribute('aria-label'))))
    .map((label) => label?.match(/^(.*): ([\d,]+) visitors?, /) ?? [])
    .map(([, name = '', number = '']) => ({ name, visitors: Number(number.replace(',', '')) }))
    .sort((a, b) => b.visitors - a.visitors);
  await page.locator('.world [tabindex="0"]').focus();
  await page.locator('.said', { hasText: `${most?.visitors}` }).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.locator('.said', { hasText: `${second?.visitors}` }).waitFor();
  await page.keyboard.press('ArrowLeft');
  const code = await page.evaluate(() => document.activeElement?.getAttribute('data-code'));
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.searchParams.get('f') === `is:country:${code}`);
  await expect.poll(visitors, { timeout: 30_000 }).toBe(String(most?.visitors));
  await page.getByRole('tab', { name: 'Countries' }).click();
  await expect
    .poll(() => rowsOf('Countries'), { timeout: 30_000 })
    .toEqual([[most?.name, String(most?.visitors), '100.0%']]);
});

it('a property of events is chosen by its name and filters by its value', { timeout: stepMs }, async () => {
  await open(overview);
  await page.getByRole('tab', { name: 'Properties' }).click();
  await page.waitForURL((url) => url.searchParams.get('goals') === 'prop.plan');
  await list('Properties').locator('.name', { hasText: 'pro' }).waitFor();
  expect((await rowsOf('Properties')).map(([name, , times]) => [name, times])).toEqual([
    ['pro', '6'],
    ['free', '3'],
  ]);
  await page.getByLabel('Property').selectOption('prop.place');
  await list('Properties').locator('.name', { hasText: 'footer' }).click();
  await page.waitForURL((url) => url.searchParams.get('f') === 'is:prop.place:footer');
  await page.locator('.chip', { hasText: 'place is footer' }).waitFor();
  await open('/s/moved.example/analytics?goals=prop.');
  await page.getByText('No event carried a property.').waitFor();
});

it('a click filters by a row, Alt and Enter leave it out, and Back takes each back', { timeout: stepMs }, async () => {
  await open(overview);
  const all = await visitors();
  await page.getByRole('tab', { name: 'Sources', exact: true }).click();
  await list('Sources').locator('.name', { hasText: 'Bing' }).click();
  await page.waitForURL((url) => url.searchParams.get('f') === 'is:source:Bing');
  await expect.poll(visitors, { timeout: stepMs }).not.toBe(all);
  await page.goBack();
  await expect.poll(visitors, { timeout: stepMs }).toBe(all);
  await list('Sources')
    .locator('.name', { hasText: 'Bing' })
    .click({ modifiers: ['Alt'] });
  await page.waitForURL((url) => url.searchParams.get('f') === 'is_not:source:Bing');
  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has('f'));
  await expect.poll(visitors, { timeout: stepMs }).toBe(all);
  // The same with keys alone: j goes to the first row of the first list.
  await page.locator('main').focus();
  await page.keyboard.press('j');
  const row = await page.evaluate(() => document.activeElement?.textContent);
  await page.keyboard.press('Alt+Enter');
  await page.waitForURL((url) => url.searchParams.get('f') === `is_not:source:${row}`);
  await page.locator('.chip', { hasText: 'Source is not' }).waitFor();
  // "Is not" becomes "is" without the value being chosen again.
  await page.locator('.chip-text').click();
  await page.getByLabel('Operator').selectOption('is');
  await page.getByRole('button', { name: 'Change filter' }).click();
  await page.waitForURL((url) => url.searchParams.get('f') === `is:source:${row}`);
});

it('all rows are searched, ordered and turned over in the address', { timeout: stepMs }, async () => {
  await open(overview);
  await page.getByRole('button', { name: 'All pages' }).click();
  await page.getByText(`1–50 of ${pages}`).waitFor();
  await page.getByRole('button', { name: 'After' }).click();
  await page.getByText(`51–100 of ${pages}`).waitFor();
  await page.reload();
  await page.getByText(`51–100 of ${pages}`).waitFor();
  await page.goBack();
  await page.getByText(`1–50 of ${pages}`).waitFor();
  await page.getByRole('button', { name: 'Views', exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('sort') === 'pageviews:asc');
  await page.locator('th[aria-sort="ascending"]', { hasText: 'Views' }).waitFor();
  await page.getByLabel('Search pages').fill('page-11');
  await page.getByText('1–10 of 10', { exact: true }).waitFor();
  await page.waitForURL((url) => url.searchParams.get('q') === 'page-11');
  await page.reload();
  expect(await page.getByLabel('Search pages').inputValue()).toBe('page-11');
  await page.getByText('1–10 of 10', { exact: true }).waitFor();
});

async function download(act: () => Promise<void>): Promise<{ name: string; lines: string[] }> {
  const [file] = await Promise.all([page.waitForEvent('download'), act()]);
  return {
    name: file.suggestedFilename(),
    lines: readFileSync(await file.path(), 'utf8')
      .split('\r\n')
      .slice(0, -1),
  };
}

it('the file of a list holds exactly what is seen, or all of it', { timeout: stepMs }, async () => {
  await open(overview);
  const more = page.getByRole('button', { name: 'More about pages' });
  await more.click();
  const seen = await download(() => page.getByRole('button', { name: /^CSV of what is shown/ }).click());
  expect(seen.name).toBe(`shop.example_pages_${day(27)}_${day(0)}.csv`);
  const shown = await rowsOf('Pages');
  expect(seen.lines).toEqual([
    '\ufeffPage,Views,"Share, %"',
    ...shown.map(([name, views, share]) => `${name},${views},${String(Number(share?.replace('%', '')))}`),
  ]);
  await more.click();
  const all = await download(() => page.getByRole('button', { name: /^CSV of all pages/ }).click());
  expect(all.lines.length).toBe(1 + pages);
  expect(all.lines.slice(0, 9)).toEqual(seen.lines);
  // A title that a sheet would run as a formula is a text in the file.
  await page.getByRole('tab', { name: 'Titles', exact: true }).click();
  await list('Titles').locator('.name', { hasText: '=1+1' }).waitFor();
  await page.getByRole('button', { name: 'More about titles' }).click();
  const titles = await download(() => page.getByRole('button', { name: /^CSV of what is shown/ }).click());
  expect(titles.lines.some((line) => line.startsWith("'=1+1,"))).toBe(true);
});

it('a list says why its numbers are these, by keys alone', { timeout: stepMs }, async () => {
  await open(`${overview}?f=is:source:Bing&sources=utm_campaign`);
  await page.locator('main').focus();
  await page.keyboard.press('.');
  const menu = page.getByRole('dialog', { name: 'More about campaigns' });
  await menu.waitFor();
  await menu.getByRole('button', { name: 'Why these numbers' }).focus();
  await page.keyboard.press('Enter');
  for (const words of [
    'Bounce rate. The share of visits with one counting event only.',
    'Source is Bing',
    'Robots, referrer spam and what shields stop',
    'Visits without this tag are left out of the list.',
    'Read from',
  ])
    await menu.getByText(words).first().waitFor();
  await menu.getByText('The same by API').click();
  const call = (await menu.locator('pre').textContent()) ?? '';
  expect(call).toContain(`curl -X POST '${desk.origin}/api/v2/query'`);
  const question = JSON.parse(call.split("--data-raw '")[1]?.slice(0, -1).replaceAll("'\\''", "'") ?? '');
  expect(question.dimensions).toEqual(['visit:utm_campaign']);
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('More about campaigns');
});

it('days that were brought along are counted, marked in the chart and named', { timeout: stepMs }, async () => {
  await open('/s/moved.example/analytics');
  // Of the 20 imported days, 17 lie in the last 28.
  await expect.poll(visitors, { timeout: stepMs }).toBe('170');
  await page.locator('.leg', { hasText: 'imported' }).waitFor();
  expect(await page.locator('line.imported').count()).toBe(1);
  await page.keyboard.press('w');
  await page.getByRole('dialog').getByText('Imported', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await open('/s/moved.example/analytics?period=all');
  await expect.poll(visitors, { timeout: stepMs }).toBe('200');
});

it('every job is done by keys alone, each stop is seen, and the focus is never lost', {
  timeout: 240_000,
}, async () => {
  const own = await newContext(desk);
  const by = await own.newPage();
  const { press, to, enter, isOn, isKept, palette } = keyboardOf(by, stepMs);

  // Signing in, which leads on to the view that was asked for.
  await by.goto(`${desk.origin}${overview}`);
  await isOn(/^E-mail/);
  await by.keyboard.type(owner.email);
  await press('Tab');
  await by.keyboard.type(owner.password);
  await press('Enter');
  await by.locator('.series svg').waitFor();
  await isKept();

  // Period, comparison, filter.
  await enter(/^\d+( \w+)? – \d+ \w+$/, 'Shift+Tab');
  await enter(/^7 days/, 'Shift+Tab');
  await by.waitForURL(/period=7d/);
  await press('c');
  await by.waitForURL(/against=off/);
  await press('f');
  await by.keyboard.type('source');
  await press('Enter');
  await by.locator('.option-tick', { hasText: 'Bing' }).waitFor();
  await by.keyboard.type('bin');
  await to(/^Bing/);
  await press('Space');
  await enter(/^Add filter/);
  await by.waitForURL(/f=is:source:Bing/);
  await enter(/^Remove filter: Source is Bing/, 'Shift+Tab');
  await by.waitForURL((url) => !url.searchParams.has('f'));
  await isKept();

  // A row and its detail, all rows, their file.
  await press('j');
  const row = (await by.evaluate(() => document.activeElement?.textContent)) ?? '';
  await press('Enter');
  await by.waitForURL(/f=is:channel/);
  await isOn(new RegExp(`^${row}`));
  await enter(new RegExp(`^Sources of ${row}`));
  await by.waitForURL(/sources=source/);
  await isKept();
  await enter(/^Remove filter/, 'Shift+Tab');
  await by.waitForURL((url) => !url.searchParams.has('f'));
  await enter(/^All pages/);
  await by.getByText('1–50 of 120').waitFor();
  await enter(/^After/);
  await by.getByText('51–100 of 120').waitFor();
  await to(/^More about pages/, 'Shift+Tab');
  await press('Enter');
  await isOn(/^CSV of what is shown/);
  const [file] = await Promise.all([by.waitForEvent('download'), press('Enter')]);
  expect(file.suggestedFilename()).toMatch(/^shop\.example_pages_.*\.csv$/);
  await isOn(/^More about pages/);
  await press('/');
  await isOn(/^Search pages/);
  await by.keyboard.type('page-007');
  await by.getByText('1–1 of 1', { exact: true }).waitFor();
  await enter(/^Overview$/, 'Shift+Tab');
  await by.waitForURL((url) => !url.searchParams.has('all'));
  await isKept();

  // An annotation: refused, written, taken off, put back.
  await enter(/Annotations: none$/, 'Shift+Tab');
  await enter(/^Add annotation/);
  await isOn(/^What happened/);
  await by.keyboard.type('A new door');
  await press('Enter');
  await by.getByRole('button', { name: 'Annotations: 1' }).waitFor();
  await enter(/^Take off: A new door/, 'Shift+Tab');
  await isOn(/^Undo/);
  await press('Enter');
  await by.getByRole('button', { name: 'Annotations: 1' }).waitFor();
  await press('Escape');
  await isOn(/Annotations: 1$/);

  // A goal: made, changed, removed, put back.
  await press('g', 'o');
  await enter(/^Create goal$/);
  await isOn(/^Page/);
  await by.keyboard.type('/page-001');
  await to(/^Name/);
  await by.keyboard.type('Second');
  await press('Enter');
  await by.getByRole('link', { name: 'Second', exact: true }).waitFor();
  await isKept();
  await by.getByRole('button', { name: 'More about Second' }).waitFor();
  await enter(/^More about Second/);
  await isOn(/^Change goal/);
  await press('Enter');
  await to(/^Name/);
  await by.keyboard.type('First');
  await press('Enter');
  await by.getByRole('heading', { name: 'First' }).waitFor();
  await press('g', 'o');
  await by.getByRole('button', { name: 'More about First' }).waitFor();
  await enter(/^More about First/);
  await enter(/^Remove goal/);
  await isOn(/^Undo/);
  await press('Enter');
  await by.getByRole('link', { name: 'First', exact: true }).waitFor();
  await isKept();

  // A shield with its preview, and a key.
  await press('g', 'h');
  await to(/^Page$/);
  await by.keyboard.type('/secret/**');
  await by.getByText('would have dropped').or(by.getByText('nothing')).first().waitFor();
  await enter(/^Add the rule/);
  await enter(/^Remove \/secret/, 'Shift+Tab');
  await isOn(/^Undo/);
  await palette('API keys');
  await to(/^Name/);
  await by.keyboard.type('Report');
  await press('Enter');
  await by.getByText('is ready.').waitFor();
  await enter(/^I have it/);
  await isKept();
  await own.close();
});

it('a printed page under Trust cuts no row: nothing around its tables is a grid, a flex or scrolled, and heads come on each page', async () => {
  const own = await newContext(desk);
  const by = await own.newPage();
  await signIn(by, desk, '/o/shop/trust/windows');
  await by.setViewportSize({ width: 688, height: 1_000 });
  await by.emulateMedia({ media: 'print' });
  for (const name of ['windows', 'subprocessors']) {
    await by.goto(`${desk.origin}/o/shop/trust/${name}`);
    await by.locator('main tbody tr').nth(1).waitFor({ state: 'attached' });
    const cut = await by.evaluate(() =>
      [...document.querySelectorAll('main tr')].flatMap((row) => {
        const around: string[] = [];
        for (let one = row.parentElement; one !== null && one.tagName !== 'BODY'; one = one.parentElement) {
          const { display, overflow } = getComputedStyle(one);
          if (/flex|grid/.test(display) || overflow !== 'visible')
            around.push(`${one.className} ${display} ${overflow}`);
        }
        const head = row.closest('table')?.tHead;
        const { breakInside, display } = getComputedStyle(row);
        const isWhole = breakInside === 'avoid' && display === 'table-row';
        const isHeaded = head === null || head === undefined || getComputedStyle(head).display === 'table-header-group';
        return around.length === 0 && isWhole && isHeaded ? [] : [`${around.join(', ')} ${breakInside} ${display}`];
      }),
    );
    expect([...new Set(cut)], name).toEqual([]);
  }
  await own.close();
});
