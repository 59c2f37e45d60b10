import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect, type DashboardDesk, openSignedIn, userAgent } from './dashboard.ts';

/** The page of profiles on a real desk: nobody in memory mode, and whoever was named with what came before. */
let desk: DashboardDesk;
let page: Page;
const stepMs = 120_000;

beforeAll(async () => {
  ({ desk, page } = await openSignedIn('shop.example', '/s/shop.example/analytics'));
}, 300_000);
afterAll(() => desk.close());

it('shows nobody of memory mode, finds a named visitor by address, and says what was done before; no picture is loaded', {
  timeout: stepMs,
}, async () => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await collect(desk, '/memory');
  await page.locator('.rail').getByRole('link', { name: 'Profiles' }).click();
  await page.getByText('No visitor of storage mode in the last 30 days.').waitFor();
  const vi = 'a1'.repeat(16);
  const consent = { analytics_storage: 'granted' };
  await collect(desk, '/before', { vi, si: 'c3'.repeat(16), consent });
  const { status } = await fetch(`${desk.origin}/api/visitor`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', 'user-agent': userAgent },
    body: JSON.stringify({
      ...{ n: 'identify', d: 'shop.example', vi, id: 'customer-7', email: 'ada@mail.example', name: 'Ada Lind' },
      avatar: 'https://img.example/a.png',
      consent,
    }),
  });
  expect(status).toBe(200);
  await page.waitForTimeout(1_200);
  expect(await desk.server.desk.house.spool.drain(20_000)).toBe(true);
  await page.getByLabel('Whole e-mail address or user id').fill('ADA@mail.example');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByRole('link', { name: /Ada Lind/ }).click();
  await page.getByRole('heading', { name: 'Ada Lind' }).waitFor();
  expect(await page.getByRole('link', { name: 'Open at img.example' }).getAttribute('rel')).toBe('noopener noreferrer');
  const did = await page.getByRole('region', { name: 'What they did' }).locator('.pf-visits').textContent();
  expect(did).toMatch(/Named .*Page view \/before$/);
  expect(did).not.toContain('/memory');
  expect(asked.filter((url) => !url.startsWith(desk.origin))).toEqual([]);
  expect(page.url()).not.toContain('ada');
});
