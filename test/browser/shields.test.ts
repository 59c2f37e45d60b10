import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect, type DashboardDesk, openSignedIn } from './dashboard.ts';

/** The page of shields on a real desk: what is added there holds for the next event, and what is removed does not. */
let desk: DashboardDesk;
let page: Page;
const stepMs = 120_000;

beforeAll(async () => {
  ({ desk, page } = await openSignedIn('shop.example', '/s/shop.example/analytics'));
}, 300_000);
afterAll(() => desk.close());

/** Paths of what is stored, once each. */
async function stored(): Promise<string[]> {
  expect(await desk.server.desk.house.spool.drain(20_000)).toBe(true);
  const rows = await desk.server.desk.house.warehouse.read<{ page: string }>(
    'SELECT DISTINCT concat(hostname, pathname) AS page FROM events ORDER BY page',
  );
  return rows.map((row) => row.page);
}
const rules = () => page.getByRole('region', { name: 'Rules', exact: true });
const choose = (label: string) => page.getByLabel('What it does').selectOption({ label });
const add = async () => {
  await page.getByRole('button', { name: 'Add the rule' }).click();
  await page.getByRole('region', { name: 'Add a rule' }).locator('.st.ok').waitFor();
};

it('is a page under Analytics that says when there is no rule', { timeout: stepMs }, async () => {
  await page.locator('.rail').getByRole('link', { name: 'Shields' }).click();
  await page.getByText('No shields yet.').waitFor();
  expect(await page.title()).toBe('shop.example · Shields · Fairlead');
});

it('shows what a rule would have dropped before it is added; then the rule drops it', { timeout: stepMs }, async () => {
  await collect(desk, '/');
  await collect(desk, '/admin/users');
  await collect(desk, '/admin/orders');
  expect(await stored()).toHaveLength(3);
  // A row of this very second may be a moment late.
  await page.waitForTimeout(1_100);
  await page.getByLabel('Page', { exact: true }).fill('/admin/**');
  await page.getByLabel('Note').fill('Our own staff');
  const preview = page.getByRole('region', { name: 'What it would have dropped' });
  await preview.getByText('2 events').first().waitFor();
  expect(await preview.textContent()).toContain('66.7% of all, by 1 of 1 visitor');
  expect(await preview.locator('tbody td.num').allTextContents()).toEqual(['1', '1']);
  // The rule stands in the address, so the same form can be sent to a colleague.
  expect(new URL(page.url()).searchParams.get('value')).toBe('/admin/**');
  await add();
  await page.getByRole('button', { name: 'Remove /admin/**' }).waitFor();
  expect(await rules().textContent()).toContain('Our own staff');
  expect(await rules().textContent()).toContain('by owner@shop.example');
  await collect(desk, '/admin/later');
  await collect(desk, '/after');
  expect(await stored()).toEqual([
    'shop.example/',
    'shop.example/admin/orders',
    'shop.example/admin/users',
    'shop.example/after',
  ]);
});

it('removes a rule, and Undo brings it back, without a mouse', { timeout: stepMs }, async () => {
  await page.getByRole('button', { name: 'Remove /admin/**' }).focus();
  await page.keyboard.press('Enter');
  const undo = page.getByRole('button', { name: 'Undo' });
  await undo.waitFor();
  await expect.poll(() => undo.evaluate((one) => one === document.activeElement)).toBe(true);
  await collect(desk, '/admin/between');
  expect(await stored()).toContain('shop.example/admin/between');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Remove /admin/**' }).waitFor();
  await collect(desk, '/admin/again');
  expect(await stored()).not.toContain('shop.example/admin/again');
});

it('a rule that drops nearly everything waits for the name of the site', { timeout: stepMs }, async () => {
  await choose('Allow only these hostnames');
  const next = page.getByRole('region', { name: 'Your own traffic' });
  const before = await next.boundingBox();
  await page.getByLabel('Hostname to allow').fill('elsewhere.example');
  const name = page.getByLabel('Type shop.example to add it all the same');
  await name.waitFor();
  expect(await next.boundingBox(), 'what stands under the form stays where it is').toEqual(before);
  const button = page.getByRole('button', { name: 'Add the rule' });
  expect(await button.isDisabled()).toBe(true);
  await name.fill('shop.example');
  await add();
  await collect(desk, '/locked-out');
  expect(await stored()).not.toContain('shop.example/locked-out');
  // A second one lets the site in again, and must not go by a slip.
  await page.getByLabel('Hostname to allow').fill('shop.example');
  await add();
  await collect(desk, '/allowed');
  expect(await stored()).toContain('shop.example/allowed');
  await page.waitForTimeout(1_100);
  await page.getByRole('button', { name: 'Remove shop.example' }).click();
  await page.getByLabel('Type shop.example to remove it all the same').waitFor();
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('button', { name: 'Remove elsewhere.example' }).click();
  await page.getByText('its events are dropped from now on').waitFor();
  await page.getByRole('button', { name: 'Remove shop.example' }).click();
  await page.getByText('Every hostname is counted again.').waitFor();
  await collect(desk, '/let-in');
  expect(await stored()).toContain('shop.example/let-in');
});

it('a country is chosen by name and kept as a code', { timeout: stepMs }, async () => {
  await choose('Block a country');
  await page.getByLabel('Country').selectOption('Germany');
  await page.getByText('It would have dropped nothing').waitFor();
  await add();
  await rules().getByText('Germany').waitFor();
  const kept = await desk.server.desk.house.postgres.tenant(1, (sql) =>
    sql.query<{ pattern: string }>(`SELECT pattern FROM shields WHERE kind = 'country'`),
  );
  expect(kept).toEqual([{ pattern: 'DE' }]);
});

it('own traffic is one button, and the address is nowhere on the page', { timeout: stepMs }, async () => {
  await page.getByRole('button', { name: 'Exclude my address' }).click();
  await page.getByText('Excluded from the next event on.').waitFor();
  await rules().getByText('one address, as a digest').waitFor();
  expect(await page.locator('main').textContent()).not.toMatch(/127\.0\.0\.1|::1/);
  await collect(desk, '/mine');
  expect(await stored()).not.toContain('shop.example/mine');
  await page.getByRole('button', { name: 'Exclude my address' }).click();
  await page.getByText('The address that you come from now is on the list already.').waitFor();
});

it('an address never comes into the address bar', { timeout: stepMs }, async () => {
  await choose('Block an address or a network');
  await page.getByLabel('Address or network').fill('203.0.113.0/24');
  await page.getByText('addresses are stored nowhere').waitFor();
  // Of the port it may be a part.
  expect(page.url().slice(desk.origin.length)).not.toContain('203');
  await page.getByLabel('Name', { exact: true }).first().fill('Agency');
  await add();
  await rules().getByText('203.0.113.0/24').waitFor();
});

it('missing events lead to the rule that dropped them', { timeout: stepMs }, async () => {
  // The counts go to the spool once a second, and from there to the warehouse.
  await page.waitForTimeout(1_200);
  await stored();
  await page.goto(`${desk.origin}/s/shop.example/missing`);
  await page.getByRole('link', { name: 'Change rule: A shield of the site blocks this page.' }).click();
  await rules().getByText('/admin/**').waitFor();
  expect(await page.getByLabel('What it does').inputValue()).toBe('path');
  // And back: a count leads to when it was.
  await rules()
    .getByRole('link', { name: /dropped: see when/ })
    .first()
    .click();
  await page.getByRole('link', { name: 'All reasons' }).waitFor();
});

it('a viewer reads the rules and changes none', { timeout: stepMs }, async () => {
  await desk.server.desk.house.postgres.tenant(1, (sql) => sql.run(`UPDATE memberships SET role = 'viewer'`));
  await page.goto(`${desk.origin}/s/shop.example/shields`);
  await page.getByText('Your role (viewer) does not include changing shields.').waitFor();
  await rules().getByText('/admin/**').waitFor();
  expect(await page.getByRole('button', { name: /^(Remove|Add the rule|Exclude)/ }).count()).toBe(0);
});
