import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { member } from './archive.ts';
import { type DashboardDesk, importEvents, newContext, openSignedIn, openSite } from './dashboard.ts';

/**
 * What leaves a desk, in a browser on a real one: everything as a file, a list as a workbook, and the totals as a widget
 * in a page of somebody else.
 */
let desk: DashboardDesk;
let page: Page;
const stepMs = 120_000;
const days = 5;

beforeAll(async () => {
  ({ desk, page } = await openSignedIn('shop.example', '/s/shop.example/analytics'));
}, 300_000);
afterAll(() => desk.close());

async function download(act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [file] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}
const files = () => page.getByRole('region', { name: 'Files' });

it('a site whose first day is not over has nothing to take away', { timeout: stepMs }, async () => {
  await page.locator('.rail').getByRole('link', { name: 'Exports' }).click();
  await page.getByText('There is nothing to export yet.').waitFor();
  expect(await page.title()).toBe('shop.example · Exports · Fairlead');
  expect(await page.getByRole('button', { name: 'Export: Tables by day' }).isDisabled()).toBe(true);
});

it('an export is started, followed, fetched and deleted, by keys alone', { timeout: stepMs }, async () => {
  const rows: object[] = [];
  for (let day = days; day >= 1; day--)
    for (let n = 0; n < 4; n++)
      rows.push({
        time: new Date(Date.now() - day * 86_400_000 + n * 1_000).toISOString(),
        ...{ name: 'pageview', url: `https://shop.example/${n}`, title: n === 0 ? '=1+1' : `Page ${n}` },
        ...{ ip: `192.0.2.${n + 1}`, user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Firefox/142.0' },
      });
  await importEvents(desk, 'shop.example', rows);
  await page.reload();
  await page.getByText('No exports yet.').waitFor();
  await page.getByRole('button', { name: 'Export: Events, NDJSON' }).focus();
  await page.keyboard.press('Enter');
  await files().getByText(`Ready, ${rows.length} rows`).waitFor();
  expect(await page.locator('main [role=status]').textContent()).toBe('Events, NDJSON: ready to download.');
  const { name, bytes } = await download(async () => {
    await files()
      .getByRole('link', { name: /^Download Events, NDJSON/ })
      .focus();
    await page.keyboard.press('Enter');
  });
  expect(name).toMatch(/^shop\.example-ndjson-\d{8}_\d{8}\.ndjson$/);
  const lines = bytes.toString().trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { url: string }).url)).toEqual(
    (rows as { url: string }[]).map(({ url }) => url),
  );
  await files()
    .getByRole('button', { name: /^Delete Events, NDJSON/ })
    .focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Delete this file?' }).waitFor();
  await page.getByRole('button', { name: 'Delete file' }).click();
  await page.getByText('No exports yet.').waitFor();
  await page.reload();
  await page.getByText('No exports yet.').waitFor();
});

it('a list is a workbook with what is seen', { timeout: stepMs }, async () => {
  await page.goto(`${desk.origin}/s/shop.example/analytics`);
  await page.getByRole('tab', { name: 'Titles', exact: true }).click();
  const list = page.getByRole('tabpanel', { name: 'Titles', exact: true });
  await list.locator('.name', { hasText: '=1+1' }).waitFor();
  await page.getByRole('button', { name: 'More about titles' }).click();
  const { name, bytes } = await download(() => page.getByRole('button', { name: /^XLSX of what is shown/ }).click());
  expect(name).toMatch(/^shop\.example_titles_.*\.xlsx$/);
  const sheet = member(bytes, 'xl/worksheets/sheet1.xml');
  const cells = [...sheet.matchAll(/<c r="([A-Z]+\d+)"[^>]*>(?:<v>([^<]*)<\/v>|<is><t[^>]*>([^<]*)<\/t><\/is>)<\/c>/g)];
  const found = Object.fromEntries(cells.map(([, place = '', value, text]) => [place, value ?? text]));
  expect([found.A1, found.B1]).toEqual(['Title', 'Views']);
  const shown = await list.locator('tbody tr .name').allTextContents();
  const named = Object.keys(found).filter((place) => /^A(?!1$)/.test(place));
  expect(named.map((place) => found[place])).toEqual(shown.map((title) => (title === '=1+1' ? "'=1+1" : title)));
  expect(named.map((place) => found[place.replace('A', 'B')])).toEqual(shown.map(() => String(days)));
});

it('a widget stands in a page of the host that it names, and nothing else of the desk does', {
  timeout: stepMs,
}, async () => {
  let html = '';
  const foreign = await openSite(() => html);
  const context = await newContext(desk);
  try {
    await page.goto(`${desk.origin}/s/shop.example/shares`);
    await page.getByLabel('Kind').selectOption('widget');
    await page.getByLabel('Name').fill('Press page');
    await page.getByLabel('Hosts of the pages that show it').fill(`127.0.0.1:${foreign.port}`);
    await page.getByRole('button', { name: 'Make the share' }).click();
    const snippet = (await page.locator('.secret code').textContent()) ?? '';
    html = `<!doctype html><title>Press</title>${snippet}<iframe title="Desk" src="${desk.origin}/s/shop.example/analytics"></iframe>`;

    const reader = await context.newPage();
    const asked = new Set<string>();
    reader.on('request', (request) => asked.add(new URL(request.url()).origin));
    const widget = reader.frameLocator('iframe[title^="Visitors of"]');
    const at = (host: string) => reader.goto(`http://${host}:${foreign.port}/`);
    const frames = () => reader.frames().map((frame) => new URL(frame.url()).protocol);
    await at('127.0.0.1');
    await widget.getByRole('heading', { name: 'shop.example' }).waitFor();
    expect(await widget.locator('main').textContent()).toMatch(/Visitors\s*20\b/);
    // The page itself, the widget, and the dashboard, in whose place the browser says that it is refused.
    await expect.poll(frames, { timeout: stepMs }).toEqual(['http:', 'http:', 'chrome-error:']);
    expect([...asked].toSorted()).toEqual([`http://127.0.0.1:${foreign.port}`, desk.origin].toSorted());
    expect(await context.cookies()).toEqual([]);

    await at('localhost');
    await expect.poll(frames, { timeout: stepMs }).toEqual(['http:', 'chrome-error:', 'chrome-error:']);

    // The last day has passed: a sentence, in any page.
    const { postgres } = desk.server.desk.house;
    await postgres.tenant(1, (sql) => sql.run(`UPDATE shares SET expires_on = '2026-01-01'`));
    await at('127.0.0.1');
    await widget.getByText('it has reached its last day').waitFor();
  } finally {
    await context.close();
    await foreign.close();
  }
});

it('what other sites load says that they may, and the dashboard says that they may not (CORP)', async () => {
  const policies: (string | null)[] = [];
  for (const [path, init] of [
    ['/js/fairlead.js', {}],
    ['/api/event', { method: 'POST', body: '{}' }],
    ['/share/nothing/widget', {}],
    ['/', {}],
    ['/favicon.svg', {}],
    ['/api/session', {}],
  ] as const) {
    const answer = await fetch(`${desk.origin}${path}`, { redirect: 'manual', ...init });
    await answer.arrayBuffer();
    policies.push(answer.headers.get('cross-origin-resource-policy'));
  }
  expect(policies).toEqual([
    ...['cross-origin', 'cross-origin', 'cross-origin'],
    ...['same-site', 'same-site', 'same-origin'],
  ]);
});
