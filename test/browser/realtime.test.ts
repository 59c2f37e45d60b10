import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect, type DashboardDesk, openSignedIn } from './dashboard.ts';

/** The page of now on a real desk: an event comes into the stream by itself, and Pause holds it. */
let desk: DashboardDesk;
let page: Page;
const stepMs = 120_000;

beforeAll(async () => {
  ({ desk, page } = await openSignedIn('shop.example', '/s/shop.example/analytics'));
}, 300_000);
afterAll(() => desk.close());

const paths = () =>
  page.locator('.rt-scroll tbody .rt-page').evaluateAll((cells) => cells.map((cell) => cell.getAttribute('title')));
const visitors = () => page.locator('.rt-now b').textContent();

it('is a page under Analytics that says when nothing happens', { timeout: stepMs }, async () => {
  await page.locator('.rail').getByRole('link', { name: 'Realtime' }).click();
  await page.getByText('No event in the last 30 minutes.').waitFor();
  expect(await page.title()).toBe('shop.example · Realtime · Fairlead');
  expect(await visitors()).toBe('0');
});

it('an event that was sent comes into the stream, and is said to who cannot see it', { timeout: stepMs }, async () => {
  await collect(desk, '/first');
  await expect.poll(paths, { timeout: 30_000 }).toEqual(['/first']);
  expect(await visitors()).toBe('1');
  await page.getByText('1 new event, the newest: page view on /first').waitFor({ state: 'attached' });
});

it('Pause holds the stream by key, and going on brings what came meanwhile', { timeout: stepMs }, async () => {
  await page.locator('h1').first().click();
  await page.keyboard.press('p');
  await page.getByText(/^Paused\. Counted to/).waitFor();
  await collect(desk, '/second');
  // It can be asked for, so the page would have it if it looked.
  expect(await desk.server.desk.house.spool.drain(20_000)).toBe(true);
  await page.waitForTimeout(2_500);
  expect(await paths()).toEqual(['/first']);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await expect.poll(paths, { timeout: 30_000 }).toEqual(['/second', '/first']);
});

it('a desk that goes away is said, with the time up to which was counted', { timeout: stepMs }, async () => {
  await desk.stop();
  await page.getByText(/^Counted to .+ This desk does not answer/).waitFor();
  expect(await paths()).toEqual(['/second', '/first']);
  await desk.start();
  await page.getByText(/^Counted to [\d:]+$/).waitFor();
});
