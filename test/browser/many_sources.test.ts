import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { member } from './archive.ts';
import { type DashboardDesk, importEvents, newContext, openDashboardDesk, setUpDesk, signIn } from './dashboard.ts';

/**
 * One day with more sources than the desk gives at once: the panel, all rows with search and pages, and both files
 * say the same, and none of them leaves a row out.
 */
let desk: DashboardDesk;
let page: Page;
const stepMs = 120_000;
const sources = 10_040;
/** The first ten are sent to more often: eleven times, ten times, and so on. */
const visitorsOf = (at: number) => (at < 10 ? 11 - at : 1);
const all = Array.from({ length: sources }, (_, at) => visitorsOf(at)).reduce((sum, one) => sum + one, 0);
const host = (at: number) => `site-${String(at).padStart(5, '0')}.example`;
const path = '/s/shop.example/analytics?period=yesterday&sources=source';

beforeAll(async () => {
  desk = await openDashboardDesk();
  await setUpDesk(desk, ['shop.example']);
  // Noon of the site's yesterday, which is one day in its zone and in UTC.
  const now = performance.timeOrigin + performance.now();
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin' }).format(now);
  const noon = Date.parse(`${today}T00:00:00Z`) - 43_200_000;
  let visitor = 0;
  const rows: object[] = [];
  for (let at = 0; at < sources; at++)
    for (let n = 0; n < visitorsOf(at); n++) {
      visitor++;
      rows.push({
        time: new Date(noon + (visitor % 7_200) * 1_000).toISOString(),
        ...{ name: 'pageview', url: 'https://shop.example/', referrer: `https://${host(at)}/from` },
        ip: `81.${visitor >> 8}.${visitor & 255}.9`,
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
      });
    }
  await importEvents(desk, 'shop.example', rows);
  page = await (await newContext(desk)).newPage();
  await signIn(page, desk, path);
}, 300_000);
afterAll(() => desk.close());

const firstRows = (on: string) =>
  page
    .locator(on)
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.children].slice(0, 2).map((cell) => cell.textContent ?? '')));

it('the panel has the greatest, and says how many there are', { timeout: stepMs }, async () => {
  await page.locator('#panel-sources .name', { hasText: host(0) }).waitFor();
  expect((await firstRows('#panel-sources')).slice(0, 3)).toEqual([
    [host(0), '11'],
    [host(1), '10'],
    [host(2), '9'],
  ]);
  const said = await page.locator('#panel-sources').textContent();
  expect(/ of ([\d,]+)/.exec(said ?? '')?.[1]).toBe('10,040');
  await page
    .locator('.k', { hasText: 'Visitors' })
    .locator('.kv', { hasText: all.toLocaleString('en') })
    .waitFor();
});

it('all rows are turned over to the last one and searched', { timeout: stepMs }, async () => {
  await page.getByRole('button', { name: 'All sources' }).click();
  await page.getByText('1–50 of 10,040').waitFor();
  await page.goto(`${desk.origin}${path}&all=sources&from=10001`);
  await page.getByText('10,001–10,040 of 10,040').waitFor();
  expect((await firstRows('#all-rows')).length).toBe(40);
  expect(await page.getByRole('button', { name: 'After' }).isDisabled()).toBe(true);
  await page.getByLabel('Search sources').fill('site-1003');
  await page.getByText('1–10 of 10', { exact: true }).waitFor();
});

async function download(label: RegExp): Promise<Buffer> {
  await page.getByRole('button', { name: 'More about sources' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: label }).click()]);
  return readFileSync(await file.path());
}
const expected = new Map(Array.from({ length: sources }, (_, at) => [host(at), visitorsOf(at)]));

it('both files hold every source once, with its number', { timeout: stepMs }, async () => {
  await page.goto(`${desk.origin}${path}&all=sources`);
  await page.getByText('1–50 of 10,040').waitFor();
  const lines = (await download(/^CSV of all sources/)).toString().trimEnd().split('\r\n').slice(1);
  const inCsv = lines
    .map((line) => line.split(',').slice(0, 2))
    .map(([name = '', visitors]) => [name, Number(visitors)] as const);
  expect(inCsv.length).toBe(sources);
  expect(new Map(inCsv)).toEqual(expected);

  const archive = await download(/^XLSX of all sources/);
  const sheet = member(archive, 'xl/worksheets/sheet1.xml');
  const inSheet = [
    ...sheet.matchAll(/<c r="A\d+"[^>]*><is><t[^>]*>([^<]*)<\/t><\/is><\/c><c r="B\d+"[^>]*><v>([^<]*)<\/v>/g),
  ].map(([, name = '', visitors]) => [name, Number(visitors)] as const);
  expect(inSheet.length).toBe(sources);
  expect(new Map(inSheet)).toEqual(expected);
});
