import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect, type DashboardDesk, openSignedIn } from './dashboard.ts';

/** The page of missing events on a real desk: what was dropped just now is there with its reason and its rule. */
let desk: DashboardDesk;
let page: Page;
const stepMs = 120_000;

beforeAll(async () => {
  ({ desk, page } = await openSignedIn('shop.example', '/s/shop.example/analytics'));
}, 300_000);
afterAll(() => desk.close());

const cellsOf = (label: string) => page.getByRole('region', { name: label, exact: true }).locator('tbody td.num');

it('is a page under Analytics that says when nothing arrived', { timeout: stepMs }, async () => {
  await page.locator('.rail').getByRole('link', { name: 'Missing events' }).click();
  await page.getByText('Nothing arrived.').waitFor();
  expect(await page.title()).toBe('shop.example · Missing events · Fairlead');
});

it('shows what was dropped with its count and share, and leads to the rule', { timeout: stepMs }, async () => {
  await collect(desk, '/a');
  for (let n = 0; n < 3; n++) await collect(desk, '/robot', {}, 'Googlebot/2.1 (+http://www.google.com/bot.html)');
  await collect(desk, '/b', { n: 'Tel: Click', p: { value: '+49 30 5550 1234' } });
  // The counts go to the spool once a second, and from there to the warehouse.
  await page.waitForTimeout(1_200);
  expect(await desk.server.desk.house.spool.drain(20_000)).toBe(true);
  await page.getByRole('button', { name: '24 hours' }).click();
  await page.getByRole('heading', { name: 'Not stored' }).waitFor();
  expect(new URL(page.url()).search).toBe('?period=24h');
  // Three of five: the click was stored, without its number.
  expect(await cellsOf('Not stored').allTextContents()).toEqual(['3', '60.0%']);
  expect(await cellsOf('Stored without a part').allTextContents()).toEqual(['1', '50.0%']);
  expect(await cellsOf('Robots by rule').allTextContents()).toEqual(['3', '100.0%']);
  expect(await page.locator('main').textContent()).not.toMatch(/5550|Googlebot/);
});

it('one reason over time is in the address, and Back leaves it', { timeout: stepMs }, async () => {
  await page.getByRole('link', { name: 'The sender is a known robot.' }).click();
  await page.getByRole('link', { name: 'All reasons' }).waitFor();
  expect(new URL(page.url()).search).toBe('?period=24h&reason=bot');
  await page.reload();
  await page.getByRole('link', { name: 'All reasons' }).waitFor();
  await page.goBack();
  await page.getByText('Events that were not stored by hour').first().waitFor();
  await page.getByRole('link', { name: /^Change rule/ }).click();
  await page.getByRole('heading', { name: 'What is kept' }).waitFor();
});

it('an event of another reason is there with its page, and with its reason alone', { timeout: stepMs }, async () => {
  for (let n = 0; n < 2; n++) await collect(desk, '/twice', { id: 'one' });
  await page.waitForTimeout(1_200);
  expect(await desk.server.desk.house.spool.drain(20_000)).toBe(true);
  await page.goto(`${desk.origin}/s/shop.example/missing?period=24h`);
  const last = page.getByRole('region', { name: 'The last of other reasons' }).locator('tbody tr');
  await last.first().waitFor();
  expect(await last.allTextContents()).toEqual([expect.stringMatching(/duplicate.*shop\.example\/twice/)]);
  await page.getByRole('link', { name: 'The sender is a known robot.' }).click();
  await last.first().waitFor({ state: 'detached' });
});
