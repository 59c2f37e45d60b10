import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DashboardDesk, openSignedIn } from './dashboard.ts';

/** The page of imports on a real desk: a file is sent, looked through, imported and undone, with keys alone. */
let desk: DashboardDesk;
let page: Page;
const stepMs = 60_000;
const path = '/s/shop.example/imports';

beforeAll(async () => {
  ({ desk, page } = await openSignedIn('shop.example', '/s/shop.example/analytics'));
  page.setDefaultTimeout(20_000);
}, 300_000);
afterAll(() => desk.close());

const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
function accessLog(views: number): Buffer {
  const lines = Array.from(
    { length: views },
    (_, n) =>
      `10.0.${(n >> 8) & 255}.${n & 255} - - [05/Jan/2026:10:00:00 +0000] "GET /page-${n % 50} HTTP/1.1" 200 512 "-" "${agent}"`,
  );
  return Buffer.from(`no line of a log\n${lines.join('\n')}\n`);
}
const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'text/plain', buffer });
const current = () => page.getByRole('region', { name: 'Import at work' });
async function stored(): Promise<number> {
  expect(await desk.server.desk.house.spool.drain(20_000)).toBe(true);
  const [row] = await desk.server.desk.house.warehouse.read<{ n: string }>('SELECT count() AS n FROM events');
  return Number(row?.n);
}

it('is a page under Analytics that says when nothing was imported', { timeout: stepMs }, async () => {
  await page.locator('.rail').getByRole('link', { name: 'Imports' }).click();
  await page.getByText('Nothing was imported yet.').waitFor();
  expect(await page.title()).toBe('shop.example · Imports · Fairlead');
});

it('shows what would come of a file before anything is stored, then imports it', { timeout: stepMs }, async () => {
  await page.getByRole('link', { name: 'Import', exact: true }).focus();
  await page.keyboard.press('Enter');
  // Each step is seen before the next key, as by a person.
  await page.getByRole('radio', { name: /Plausible/ }).focus();
  for (const where of ['The ZIP of its data export.', 'In Explore, with', 'A log in the combined format']) {
    await page.keyboard.press('ArrowDown');
    await page.getByText(where).waitFor();
  }
  expect(new URL(page.url()).searchParams.get('new')).toBe('access-log');
  const chosen = page.waitForEvent('filechooser');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Choose a file');
  await page.keyboard.press('Enter');
  await (await chosen).setFiles(file('access.log', accessLog(2_000)));
  await page.getByRole('button', { name: 'Send and check' }).focus();
  await page.keyboard.press('Enter');
  const start = page.getByRole('button', { name: 'Import 2,000 rows' });
  await start.waitFor();
  const text = (await current().textContent()) ?? '';
  expect(text).toContain('1 day, 5 Jan 2026');
  expect(text).toContain('2,000 of 2,001');
  expect(await current().locator('tbody tr').allTextContents()).toEqual(['The line has not the combined format.11']);
  const saved = page.waitForEvent('download');
  await current().getByRole('button', { name: 'CSV' }).click();
  expect((await saved).suggestedFilename()).toBe('access.log-left-out.csv');
  expect(await stored()).toBe(0);

  await start.focus();
  await page.keyboard.press('Enter');
  await page.getByText('In the numbers, 2,000 rows, 1 left out').waitFor();
  expect(await stored()).toBe(2_000);
  expect(await page.locator('main').textContent()).toContain('One import holds numbers from before, 5 Jan 2026.');
  await page.getByRole('link', { name: 'Report of access.log' }).click();
  await page.getByRole('dialog', { name: 'Report of access.log' }).getByText('Days that came').waitFor();
  await page.keyboard.press('Escape');
});

it('undoes an import whole after it was asked with its counts', { timeout: stepMs }, async () => {
  await page.getByRole('button', { name: 'Undo access.log' }).click();
  const dialog = page.getByRole('dialog', { name: 'Undo access.log' });
  expect(await dialog.textContent()).toContain('2,000 rows of 5 Jan 2026 leave the numbers of shop.example');
  await dialog.getByRole('button', { name: 'Undo 2,000 rows' }).click();
  await page.getByText('Undone, nothing of it is left').waitFor();
  expect(await stored()).toBe(0);
});

it('a file that is none says why, and its line can be removed', { timeout: stepMs }, async () => {
  await page.goto(`${desk.origin}${path}?new=plausible`);
  await page.getByLabel('File to import').setInputFiles(file('export.zip', Buffer.from('no archive')));
  await page.getByRole('button', { name: 'Send and check' }).click();
  await page.getByText('The file is no whole ZIP archive').waitFor();
  await page.getByRole('button', { name: 'Remove export.zip' }).click();
  await page.getByRole('button', { name: 'Remove export.zip' }).waitFor({ state: 'detached' });
});

it('a page that is closed while it sends goes on with the same file, and with no other', {
  timeout: stepMs,
}, async () => {
  const big = accessLog(30_000);
  await page.goto(`${desk.origin}${path}?new=access-log`);
  // The second part never arrives: the line is lost.
  await page.route('**/parts/1', (route) => route.abort());
  await page.getByLabel('File to import').setInputFiles(file('big.log', big));
  await page.getByRole('button', { name: 'Send and check' }).click();
  await page.getByText('The line is lost; it is tried again').waitFor();
  await page.unroute('**/parts/1');
  await page.reload();
  await page.getByText('It was being sent from a page that is closed.').waitFor();
  await page.getByLabel('File to import').setInputFiles(file('other.log', accessLog(10)));
  await page.getByText('To go on, choose big.log').waitFor();
  await page.getByLabel('File to import').setInputFiles(file('big.log', big));
  await page.getByRole('button', { name: 'Import 30,000 rows' }).click();
  await page.getByText('In the numbers, 30,000 rows, 1 left out').waitFor();
  expect(await stored()).toBe(30_000);
});
