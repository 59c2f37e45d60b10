import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type DashboardDesk,
  newContext,
  openDashboardDesk,
  openSite,
  owner,
  signIn,
  userAgent,
} from '../browser/dashboard.ts';

/**
 * From the printed address to an overview that fills: the real server, the built dashboard, a real browser, and a
 * page of another origin with the very snippet that the dashboard shows. The steps build on each other, as they do
 * for the person who takes them.
 */
let desk: DashboardDesk;
let site: Awaited<ReturnType<typeof openSite>>;
let context: BrowserContext;
let page: Page;
/** The head of the site's page: empty until the snippet is pasted. */
let head = '';
let printed = '';

const stepMs = 120_000;
const overviewPath = '/s/shop.example/analytics';
const text = (words: string | RegExp) => page.getByText(words).first();
/** Waits until a figure of the strip has become a value. */
const figure = (name: string, value: string, on = page) =>
  on.locator('.k', { hasText: name }).locator('.kv').getByText(value, { exact: true }).waitFor();

beforeAll(async () => {
  site = await openSite(
    () => `<!doctype html><html lang="en"><head><title>Shop</title>${head}</head><body>Welcome</body></html>`,
  );
  // The tracker keeps quiet on localhost and under automation: the site gets a name, and the browser does not say that it is driven.
  desk = await openDashboardDesk(() => [
    `--host-resolver-rules=MAP shop.example:80 127.0.0.1:${site.port}`,
    '--disable-blink-features=AutomationControlled',
  ]);
  printed = desk.server.address;
  context = await newContext(desk);
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
}, 180_000);
afterAll(async () => {
  await desk.close();
  await site.close();
});

/** Types into the field that has the focus, then goes on to the next: no pointer is ever used. */
async function typeAndTab(value: string, tabs = 1): Promise<void> {
  await page.keyboard.type(value);
  for (let tab = 0; tab < tabs; tab++) await page.keyboard.press('Tab');
}
async function focusOn(name: string): Promise<void> {
  for (let tab = 0; tab < 60; tab++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      const label =
        element?.closest('label') ??
        (element?.id ? document.querySelector(`label[for="${CSS.escape(element.id)}"]`) : null);
      return (label?.textContent || element?.getAttribute('aria-label') || element?.textContent || '').trim();
    });
    if (focused.startsWith(name)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Sixty times Tab did not reach “${name}”.`);
}

it('prints an address that carries the code in its fragment', () => {
  expect(printed).toMatch(/^http:\/\/localhost:\d+\/setup#code=[\w-]{20,}$/);
});

it('says where the printed address is when someone comes without the code', { timeout: stepMs }, async () => {
  await page.goto(`${desk.origin}/setup`);
  await text('Open the printed address').waitFor();
  await page.goto(`${desk.origin}/`);
  await text('Nobody is here yet').waitFor();
});

it('refuses a wrong code, a weak password and what is no domain, each with a sentence', {
  timeout: stepMs,
}, async () => {
  await page.goto('about:blank');
  await page.goto(`${desk.origin}/setup#code=${'x'.repeat(22)}`);
  await page.getByLabel('E-mail').fill(owner.email);
  const password = page.getByRole('textbox', { name: 'Password' });
  await password.fill('short');
  await page.getByLabel('Organisation').fill('Shop');
  await text('A password has at least 12 characters.').waitFor();
  await page.getByLabel('First site').fill('not a domain');
  await page.getByLabel('Organisation').focus();
  await text('“not a domain” is no domain. Write it without a path, such as shop.example.').waitFor();
  // With a path it is understood, and shown as it will be kept.
  await page.getByLabel('First site').fill('https://www.shop.example/products?id=1');
  await page.getByLabel('Organisation').focus();
  expect(await page.getByLabel('First site').inputValue()).toBe('shop.example');
  await password.fill(owner.password);
  await page.getByRole('button', { name: 'Create owner and site' }).click();
  await text('This set-up code is not the current one. Use the address that the last start printed.').waitFor();
});

it('refuses a long password that is easy to guess, at its field', { timeout: stepMs }, async () => {
  await page.goto('about:blank');
  await page.goto(printed);
  await page.getByLabel('E-mail').fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill('password12345');
  await page.getByLabel('Organisation').fill('Shop');
  await page.getByLabel('First site').fill('shop.example');
  await page.getByRole('button', { name: 'Create owner and site' }).click();
  await text('This password is easy to guess.').waitFor();
  expect(await page.getByRole('textbox', { name: 'Password' }).getAttribute('aria-invalid')).toBe('true');
});

it('takes the first run with the keyboard alone, and the code leaves the address at once', {
  timeout: stepMs,
}, async () => {
  await page.goto('about:blank');
  await page.goto(printed);
  await page.getByLabel('E-mail').waitFor();
  expect(page.url()).toBe(`${desk.origin}/setup`);
  await focusOn('E-mail');
  await typeAndTab(owner.email);
  await focusOn('Password');
  await typeAndTab(owner.password);
  await focusOn('Organisation');
  await typeAndTab('Shop');
  await focusOn('First site');
  await typeAndTab('shop.example');
  await focusOn('Timezone');
  expect(await page.getByLabel('Timezone').inputValue()).toBe('Europe/Berlin');
  await focusOn('Create owner and site');
  await page.keyboard.press('Enter');
  await text('Put this on every page').waitFor();
  // The heading of the next step has the focus, so that a screen reader says where one is.
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
});

it('shows the snippet with the whole address of the desk, and checks that say what is missing', {
  timeout: stepMs,
}, async () => {
  await text('localhost').waitFor();
  await text('Waiting for the first event').waitFor();
  const snippet = (await page.locator('.snip pre').textContent()) ?? '';
  expect(snippet).toContain(`src="${desk.origin}/js/fairlead.js"`);
  expect(snippet).toContain('data-domain="shop.example"');
  await page
    .locator('.checks li', { hasText: 'This desk answers under its public name' })
    .getByText(/localhost/)
    .waitFor();
  // The name shop.example exists in this browser only, so the desk itself cannot ask it, and says so.
  await page
    .locator('.checks li', { hasText: 'shop.example answers' })
    .getByText(/no answer|private address/)
    .waitFor();
  head = snippet;
});

it('sees the first event of a page elsewhere by itself', { timeout: stepMs }, async () => {
  const visitor = await desk.browser.newContext({ userAgent, locale: 'en-GB' });
  const shop = await visitor.newPage();
  const sent = shop.waitForResponse((response) => response.url().endsWith('/api/event'));
  await shop.goto('http://shop.example/?utm_source=letter&secret=never-kept');
  expect((await sent).status()).toBe(202);
  expect((await sent).headers()['x-fairlead-dropped']).toBeUndefined();
  await text('First event received').waitFor();
  await page.locator('.ev').getByText('shop.example/').waitFor();
  expect(await page.locator('.ev').textContent()).not.toContain('never-kept');
  await visitor.close();
});

it('goes on to an overview that has the visit', { timeout: stepMs }, async () => {
  await focusOn('Open the overview');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${desk.origin}${overviewPath}`);
  await figure('Visitors', '1');
  await page.locator('[aria-label="Pages"] .name').getByText('/', { exact: true }).waitFor();
});

it('fills by itself while it is open', { timeout: stepMs }, async () => {
  for (const [at, path] of ['/throws', '/care', '/throws'].entries()) {
    const answer = await fetch(`${desk.origin}/api/event`, {
      method: 'POST',
      headers: {
        'user-agent': `Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/14${at}.0`,
        'accept-language': 'en',
      },
      body: JSON.stringify({
        n: 'pageview',
        u: `https://shop.example${path}`,
        d: 'shop.example',
        r: 'https://duckduckgo.com/',
      }),
    });
    expect(answer.headers.get('x-fairlead-dropped')).toBeNull();
  }
  await figure('Visitors', '4');
});

it('refuses the code once it is used', { timeout: stepMs }, async () => {
  const other = await (await newContext(desk)).newPage();
  await other.goto(printed);
  await other.getByText('This desk is set up').waitFor();
  const answer = await other.evaluate(async (code) => {
    const response = await fetch('/api/set-up', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-fairlead-csrf': '1' },
      body: JSON.stringify({
        code,
        email: 'second@shop.example',
        password: 'another harbour of rope',
        organisation: 'Second',
        site: { domain: 'second.example', timezone: 'UTC', currency: 'EUR' },
      }),
    });
    return { status: response.status, body: await response.text() };
  }, new URL(printed).hash.slice('#code='.length));
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.body).toContain('owner');
  await other.context().close();
});

it('filters by a click, moves the period, and Back takes each step back', { timeout: stepMs }, async () => {
  await page.locator('.name', { hasText: '/throws' }).click();
  await page.waitForURL(/f=is:page:\/throws/);
  await figure('Visitors', '2');
  await page.getByRole('button', { name: /against/ }).waitFor();
  await page.locator('.bar-controls .btn').first().click();
  await page.locator('.choice', { hasText: 'Today' }).click();
  await page.waitForURL(/period=today/);
  await figure('Visitors', '2');
  await page.reload();
  await page.locator('.chip', { hasText: '/throws' }).waitFor();
  expect(page.url()).toMatch(/period=today.*f=is:page:\/throws/);
  await figure('Visitors', '2');
  await page.goBack();
  await page.waitForURL((url) => !url.search.includes('period'));
  await page.locator('.chip', { hasText: '/throws' }).waitFor();
  await page.goBack();
  await page.waitForURL(`${desk.origin}${overviewPath}`);
  await figure('Visitors', '4');
});

it('is worked with the keyboard alone', { timeout: stepMs }, async () => {
  await page.keyboard.press('f');
  await page.keyboard.type('sour');
  await page.keyboard.press('Enter');
  // Typed in small letters, found with its capitals.
  await page.keyboard.type('duck');
  const found = page.locator('.option-tick', { hasText: 'DuckDuckGo' });
  await found.waitFor();
  await focusOn('DuckDuckGo');
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await page.waitForURL(/f=is:source:DuckDuckGo/);
  await figure('Visitors', '3');
  await page.keyboard.press('t');
  await page.getByRole('columnheader', { name: 'When' }).waitFor();
  await page.keyboard.press('t');
  await page.locator('.series svg').waitFor();
  await page.keyboard.press('w');
  await page.getByRole('dialog', { name: 'Why this number' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Why this number' }).waitFor({ state: 'detached' });
  await page.locator('.series').focus();
  await page.keyboard.press('End');
  await page.locator('.series [aria-live]', { hasText: 'so far: 3' }).waitFor({ state: 'attached' });
  await page.keyboard.press('Control+k');
  await page.keyboard.type('90 days');
  await page.keyboard.press('Enter');
  await page.waitForURL(/period=90d.*source/);
});

it('keeps two tabs with different filters apart', { timeout: stepMs }, async () => {
  const second = await context.newPage();
  await second.goto(`${desk.origin}${overviewPath}?f=is:page:/care`);
  await figure('Visitors', '1', second);
  await figure('Visitors', '3');
  expect(page.url()).toContain('source');
  await second.close();
});

it('signs out, and in again', { timeout: stepMs }, async () => {
  await page.getByRole('button', { name: owner.email }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('E-mail').fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password at all');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await text('This name and password do not belong together.').waitFor();
  await signIn(page, desk, overviewPath);
  await figure('Visitors', '4');
});

it('says that the session has ended, and comes back to the same page', { timeout: stepMs }, async () => {
  await page.goto(`${desk.origin}${overviewPath}?f=is:page:/care`);
  await figure('Visitors', '1');
  // Signed out in another tab; this one learns it with its next request.
  const second = await context.newPage();
  await second.goto(`${desk.origin}${overviewPath}`);
  await second.getByRole('button', { name: owner.email }).click();
  await second.getByRole('button', { name: 'Sign out' }).click();
  await second.getByRole('heading', { name: 'Sign in' }).waitFor();
  await second.close();
  await text('Your session has ended. After signing in, the same page comes back.').waitFor();
  await page.getByLabel('E-mail').fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(/analytics\?f=is:page:\/care/);
  await figure('Visitors', '1');
});

it('says that the desk is gone, shows no wrong number, and goes on when it is back', {
  timeout: 2 * stepMs,
}, async () => {
  await desk.stop();
  await page.locator('main').getByText('This desk does not answer.').first().waitFor();
  await figure('Visitors', '1');
  // Another question cannot be answered now: the old number must not stand under it.
  await page.getByRole('button', { name: /^Remove filter/ }).click();
  await page.getByText('Is its server running?').first().waitFor();
  expect(await page.locator('.kv').allInnerTexts()).not.toContain('1');
  await desk.start();
  await figure('Visitors', '4');
  await page.locator('main').getByText('This desk does not answer.').waitFor({ state: 'detached' });
});
