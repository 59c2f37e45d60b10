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
  setUpDesk,
  signIn,
  watchShifts,
} from './dashboard.ts';

/**
 * Goals as a person meets them: what was seen becomes one, its numbers stand in the list and on its page, it is changed
 * and removed and taken back; and every view of it is its address. A real desk, rows that went the way of events.
 */
let desk: DashboardDesk;
let context: BrowserContext;
let page: Page;
const stepMs = 120_000;
const list = '/s/shop.example/goals';

beforeAll(async () => {
  desk = await openDashboardDesk();
  await setUpDesk(desk, ['shop.example', 'new.example']);
  await setUpDesk(desk, ['moved.example'], ['/thanks']);
  const day = (daysAgo: number) =>
    new Date(performance.timeOrigin + performance.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
  const brought = Array.from({ length: 5 }, (_, at) => `${day(20 - at)},10,40,3,12,600`).join('\r\n');
  await onDesk(
    {
      command: 'import',
      args: { kind: 'plausible', site: 'moved.example', file: 'export.zip' },
      body: Readable.from([
        zipOf([
          {
            name: `imported_visitors_${day(20).replaceAll('-', '')}_${day(16).replaceAll('-', '')}.csv`,
            text: `\ufeffdate,visitors,pageviews,bounces,visits,visit_duration\r\n${brought}\r\n`,
          },
        ]),
      ]),
    },
    desk.config,
  );
  // All within one day of the site, whatever the time is.
  const start = Date.parse(`${day(2)}T08:00:00Z`);
  const rows = (host: number) => {
    const own = (minute: number, more: object) => ({
      time: new Date(start + (host * 7 + minute) * 60_000).toISOString(),
      name: 'pageview',
      url: 'https://shop.example/',
      ip: `81.2.69.${host}`,
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
      ...(host % 4 === 0 ? { referrer: 'https://www.bing.com/' } : {}),
      ...more,
    });
    return [
      own(0, {}),
      ...(host % 2 === 0 ? [own(1, { url: 'https://shop.example/blog/wool' })] : []),
      ...(host % 2 === 0
        ? [
            own(2, {
              name: 'engagement',
              url: 'https://shop.example/blog/wool',
              scroll_depth: host * 2,
              engagement_ms: 900,
            }),
          ]
        : []),
      ...(host % 4 === 0 ? [own(3, { name: 'Signup', props: { plan: host % 8 === 0 ? 'pro' : 'free' } })] : []),
      ...(host % 10 === 0 ? [own(4, { name: 'purchase', revenue: { currency: 'EUR', amount: '12.5' } })] : []),
    ];
  };
  await importEvents(desk, 'shop.example', Array.from({ length: 40 }, (_, at) => rows(at + 1)).flat());
  context = await newContext(desk);
  page = await context.newPage();
  await signIn(page, desk, list);
}, 300_000);
afterAll(() => desk.close());

const row = (name: string) => page.locator('.gl-rows tbody tr', { has: page.getByRole('link', { name, exact: true }) });
const cells = async (name: string) => {
  await expect.poll(() => row(name).count(), { timeout: 30_000 }).toBe(1);
  await expect.poll(async () => (await row(name).allInnerTexts()).join(), { timeout: 30_000 }).not.toContain('…');
  return (await row(name).locator('td').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
};

it('what was seen becomes a goal by one click and one more, and nothing before', { timeout: stepMs }, async () => {
  await page.getByText('No goals yet.').waitFor();
  await page.getByRole('link', { name: 'Create goal: event Signup' }).click();
  expect(new URL(page.url()).search).toBe('?new=event&match=Signup');
  expect(await page.getByLabel('Event', { exact: true }).inputValue()).toBe('Signup');
  await page.getByText('10 of 40 visitors would have reached it (25.0%)').waitFor();
  expect(await page.locator('.gl-rows tbody tr').count()).toBe(0);
  await page.getByRole('button', { name: 'Create goal' }).click();
  expect((await cells('Signup')).slice(0, 4)).toEqual(['Signup Event Signup', '10', '10', '25.0%']);
  expect(new URL(page.url()).search).toBe('');
  expect(await page.locator('.gl-answer').textContent()).toContain('10 of 40 visitors reached a goal: 25.0%');
  // It is no suggestion any more.
  await expect.poll(() => page.getByRole('link', { name: 'Create goal: event Signup' }).count()).toBe(0);
});

it('an event with a property, revenue and a page that is read, by keyboard alone', { timeout: stepMs }, async () => {
  await goInside(page, desk, `${list}?new=event`);
  const event = page.getByLabel('Event', { exact: true });
  await expect.poll(() => event.evaluate((input) => input === document.activeElement)).toBe(true);
  await page.keyboard.type('Signup');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await page.keyboard.type('plan');
  await page.keyboard.press('Tab');
  // A goal that lacks its value is not sent, and the focus is where it lacks.
  await page.keyboard.press('Enter');
  await page.getByText('Say the value that counts.').waitFor();
  await page.keyboard.type('pro');
  await page.getByText('5 of 40 visitors would have reached it').waitFor();
  await page.keyboard.press('Enter');
  expect((await cells('Signup, plan pro'))[0]).toBe('Signup, plan pro Event Signup, plan is pro');

  await goInside(page, desk, `${list}?new=scroll&match=/blog/*`);
  await page.getByLabel('Depth, %').fill('101');
  await page.getByRole('button', { name: 'Create goal' }).click();
  await page.getByText('A whole number from 1 to 100.').waitFor();
  await page.getByLabel('Depth, %').fill('60');
  await page.getByLabel('Name').fill('Read it');
  await page.getByText('6 of 40 visitors would have reached it').waitFor();
  await page.getByRole('button', { name: 'Create goal' }).click();
  expect((await cells('Read it')).slice(0, 4)).toEqual(['Read it 60% of page /blog/*', '6', '–', '15.0%']);

  await goInside(page, desk, `${list}?new=event&match=purchase`);
  await page.getByLabel('Revenue').selectOption('EUR');
  await page.getByRole('button', { name: 'Create goal' }).click();
  expect((await cells('purchase'))[4]).toBe('€50.00');
});

it('the order of the list is in its address, and numbers that are none come last', { timeout: stepMs }, async () => {
  const names = () => page.locator('.gl-rows tbody .name').allInnerTexts();
  await goInside(page, desk, list);
  await cells('Signup');
  expect(await names()).toEqual(['Signup', 'Read it', 'Signup, plan pro', 'purchase']);
  await page.getByRole('link', { name: 'Times' }).click();
  expect(new URL(page.url()).search).toBe('?sort=events');
  expect((await names()).at(-1)).toBe('Read it');
  await page.getByRole('link', { name: 'Goal', exact: true }).click();
  expect(await names()).toEqual(['purchase', 'Read it', 'Signup', 'Signup, plan pro']);
  await page.reload();
  await cells('Signup');
  expect(await names()).toEqual(['purchase', 'Read it', 'Signup', 'Signup, plan pro']);
  expect(await page.locator('th[aria-sort]').textContent()).toContain('Goal');
});

it('the file of the list holds what is seen, in its order', { timeout: stepMs }, async () => {
  await goInside(page, desk, `${list}?sort=total_revenue`);
  await cells('Signup');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV of what is shown' }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/^shop\.example_goals_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d\.csv$/);
  expect(readFileSync(await file.path(), 'utf8').split('\r\n')).toEqual([
    '\ufeffGoal,Counts,Visitors,Times,"Rate, %",Revenue,Currency',
    'purchase,Event purchase,4,4,10,50,EUR',
    'Read it,60% of page /blog/*,6,,15,,',
    'Signup,Event Signup,10,10,25,,',
    '"Signup, plan pro","Event Signup, plan is pro",5,5,12.5,,',
    '',
  ]);
});

it('one goal has its totals, its course, and where those came from who reached it', { timeout: stepMs }, async () => {
  await goInside(page, desk, list);
  await page.getByRole('link', { name: 'Signup', exact: true }).click();
  await page.getByRole('heading', { name: 'Signup', level: 1 }).waitFor();
  await page.locator('.series svg').waitFor();
  expect(await page.title()).toBe('shop.example · Signup · Fairlead');
  expect((await page.locator('.k .kv').allInnerTexts()).slice(0, 3)).toEqual(['10', '10', '25.0%']);
  const source = page.locator('#panel-sources tbody tr').first();
  expect((await source.locator('td').allInnerTexts()).map((text) => text.trim())).toEqual([
    ...['Organic Search', '10', '10', '100.0%'],
  ]);
  const plan = page.locator('#panel-goals tbody tr').first();
  await expect
    .poll(async () => (await plan.allInnerTexts()).join().replace(/\s+/g, ' '), { timeout: 30_000 })
    .toMatch(/(free|pro) 5 5/);
  // The rate over time is a share of the visitors of its own step.
  await page.getByRole('button', { name: /^Rate/ }).click();
  await page.keyboard.press('t');
  const steps = page.locator('.series-table tbody tr');
  const ofQuarter = async () => (await steps.allInnerTexts()).filter((text) => text.includes('25.0%')).length;
  await expect.poll(ofQuarter, { timeout: 30_000 }).toBe(1);
  await page.keyboard.press('w');
  await page.getByRole('dialog').getByText('Goal is Signup').waitFor();
  await page.keyboard.press('Escape');
  // A filter narrows it and stays in the address on the way back to the list.
  await page.getByRole('button', { name: 'Organic Search' }).click();
  await page.waitForURL((url) => url.searchParams.get('f') === 'is:channel:Organic Search');
  await page.locator('.gl-answer').getByRole('link', { name: 'Goals' }).click();
  expect((await cells('Signup')).slice(1, 4)).toEqual(['10', '10', '100.0%']);
});

it('filtered by a goal, the lists of the overview say the rate of each row', { timeout: stepMs }, async () => {
  await goInside(page, desk, '/s/shop.example/analytics?f=is:goal:Signup');
  const source = page.locator('#panel-sources tbody tr', { hasText: 'Organic Search' });
  await source.locator('.name').waitFor();
  expect(await page.locator('#panel-sources thead th').allTextContents()).toEqual([
    ...['Channel', 'Reached', 'Times', 'Rate'],
  ]);
  expect((await source.locator('td').allInnerTexts()).map((text) => text.trim())).toEqual([
    ...['Organic Search', '10', '10', '100.0%'],
  ]);
});

it('days that were brought along without events are said to be in no number', { timeout: stepMs }, async () => {
  await goInside(page, desk, '/s/moved.example/goals');
  await page.getByText(/Imported days know no goals: .* are in none of these numbers\./).waitFor();
  expect(await cells('Visit /thanks')).toContain('0');
  // Days of events that were imported hold goals like any other.
  await goInside(page, desk, list);
  await cells('Signup');
  await page.locator('.fresh').waitFor();
  expect(await page.locator('.fresh').textContent()).not.toContain('Imported days');
});

it('a goal is changed under its number, removed, and taken back', { timeout: stepMs }, async () => {
  await goInside(page, desk, list);
  await page.getByRole('link', { name: 'Read it', exact: true }).click();
  const address = new URL(page.url()).pathname;
  await page.getByRole('link', { name: 'Change goal' }).click();
  await page.getByLabel('Depth, %').fill('40');
  await page.getByLabel('Name').fill('Read half');
  await page.getByRole('button', { name: 'Save goal' }).click();
  await page.getByRole('heading', { name: 'Read half', level: 1 }).waitFor();
  expect(new URL(page.url()).pathname).toBe(address);
  await expect.poll(async () => (await page.locator('.k .kv').allInnerTexts())[0], { timeout: 30_000 }).toBe('11');
  await page.getByRole('button', { name: 'Remove goal' }).click();
  await page.getByText('“Read half” is removed.').waitFor();
  expect(await row('Read half').count()).toBe(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  expect((await cells('Read half'))[1]).toBe('11');
  await page.getByRole('button', { name: 'More about Signup, plan pro' }).click();
  await page.getByRole('button', { name: 'Remove goal' }).click();
  await page.getByText('“Signup, plan pro” is removed.').waitFor();
  // What was brought back has its number still, so a link to it holds; one that was not is gone.
  await page.goto(desk.origin + address);
  await page.getByRole('heading', { name: 'Read half', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Remove goal' }).click();
  await page.getByText('“Read half” is removed.').waitFor();
  await page.goto(desk.origin + address);
  await page.getByText('There is no goal with this number here.').waitFor();
});

it.each([
  [list, 1440],
  [list, 375],
  ['/s/new.example/goals', 1440],
])('nothing moves while %s loads, %i px wide', { timeout: stepMs }, async (path, width) => {
  const own = await newContext(desk, {
    storageState: await context.storageState(),
    viewport: { width, height: width < 500 ? 812 : 900 },
  });
  const fresh = await own.newPage();
  const moved = await watchShifts(fresh);
  await fresh.goto(desk.origin + path);
  await fresh.locator('.fresh').waitFor();
  await fresh.waitForLoadState('networkidle');
  await fresh.evaluate(() => document.fonts.ready);
  expect(await moved()).toEqual([]);
  await own.close();
});

it('a viewer reads the goals and changes none', { timeout: stepMs }, async () => {
  await desk.server.desk.house.postgres.tenant(1, (sql) => sql.run(`UPDATE memberships SET role = 'viewer'`));
  await page.goto(`${desk.origin}${list}?new=event&match=Signup`);
  await cells('Signup');
  await page.locator('.fresh').waitFor();
  expect(await page.getByRole('button', { name: /^(Create goal|More about)/ }).count()).toBe(0);
  expect(await page.getByRole('link', { name: /^Create goal/ }).count()).toBe(0);
  await page.getByRole('link', { name: 'Signup', exact: true }).click();
  await page.getByRole('heading', { name: 'Signup', level: 1 }).waitFor();
  expect(await page.getByRole('button', { name: 'Remove goal' }).count()).toBe(0);
});
