import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { browserStorage } from '../../contract/browser_storage.ts';
import {
  collect,
  type DashboardDesk,
  goInside,
  importEvents,
  newContext,
  openDashboardDesk,
  owner,
  setUpDesk,
  signIn,
  watchShifts,
} from './dashboard.ts';

/**
 * The dashboard on a real desk: what it asks for, how it loads, and how it draws what real sites bring. The sites are
 * filled through the import, so that every row went the way of a real event.
 */
let desk: DashboardDesk;
let context: BrowserContext;
let page: Page;
const stepMs = 180_000;

const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const hourMs = 3_600_000;
const longPath = `/${'a-very-long-part/'.repeat(12)}the-end`;
const rightToLeft = '/مقالات/تاريخ-النسيج';
const sources = 10_000;

/** `count` visits, one every `everyMs` from `from` on, with a page, a referrer and an address each. */
function visits(domain: string, from: number, everyMs: number, count: number, one: (at: number) => object): object[] {
  return Array.from({ length: count }, (_, at) => ({
    time: new Date(from + at * everyMs).toISOString(),
    name: 'pageview',
    url: `https://${domain}/`,
    ip: `81.${at % 200}.${Math.floor(at / 200) % 250}.9`,
    user_agent: agent,
    ...one(at),
  }));
}

beforeAll(async () => {
  desk = await openDashboardDesk();
  await setUpDesk(desk, ['shop.example', 'new.example', 'many.example', 'clock.example'], ['Never']);
  const now = performance.timeOrigin + performance.now();
  const paths = ['/', '/throws', longPath, rightToLeft, '/🧶/yarn'];
  await importEvents(
    desk,
    'shop.example',
    visits('shop.example', now - 90 * 24 * hourMs, hourMs, 90 * 24 - 2, (at) => ({
      url: `https://shop.example${paths[at % paths.length]}`,
      ...(at % 7 === 0 ? { ip: '81.2.69.142' } : {}),
    })),
  );
  await importEvents(
    desk,
    'many.example',
    visits('many.example', now - 30 * hourMs, 1_000, sources, (at) => ({ referrer: `https://site${at}.example/` })),
  );
  // Clocks go back in Berlin at 01:00 UTC on 25 October 2026: the hour from 02:00 to 03:00 is there twice.
  await importEvents(
    desk,
    'clock.example',
    visits('clock.example', Date.parse('2026-10-24T22:30:00Z'), hourMs, 25, () => ({})),
  );
  context = await newContext(desk);
  page = await context.newPage();
  await signIn(page, desk, '/s/shop.example/analytics');
}, 300_000);
afterAll(() => desk.close());

const open = (path: string) => goInside(page, desk, path);
const visitors = (on = page) => on.locator('.k', { hasText: 'Visitors' }).locator('.kv').textContent();
const drawn = async (on = page) => {
  await on.locator('.series svg, .hush, .series-table').first().waitFor();
  await on.locator('.skeleton').first().waitFor({ state: 'detached' });
};

it('an overview is one question to the desk, and at most 130 KB of scripts and 15 KB of styles', {
  timeout: stepMs,
}, async () => {
  const first = await newContext(desk, { storageState: await context.storageState() });
  const fresh = await first.newPage();
  const asked: string[] = [];
  const weights: Promise<[string, number]>[] = [];
  fresh.on('request', (request) => {
    if (request.url().includes('/api/v2/')) asked.push(new URL(request.url()).pathname);
  });
  fresh.on('response', (response) => {
    if (!/\.(js|css)$/.test(new URL(response.url()).pathname)) return;
    weights.push(
      response
        .request()
        .sizes()
        .then((sizes) => [response.url(), sizes.responseBodySize]),
    );
  });
  await fresh.goto(`${desk.origin}/s/shop.example/analytics`);
  await drawn(fresh);
  await fresh.waitForLoadState('networkidle');
  expect(asked).toEqual(['/api/v2/query/batch']);
  const loaded = await Promise.all(weights);
  const weigh = (ending: string) =>
    loaded.filter(([url]) => new URL(url).pathname.endsWith(ending)).reduce((sum, [, bytes]) => sum + bytes, 0);
  expect(weigh('.js')).toBeGreaterThan(10_000);
  expect(weigh('.js')).toBeLessThanOrEqual(130_000);
  expect(weigh('.css')).toBeGreaterThan(1_000);
  expect(weigh('.css')).toBeLessThanOrEqual(15_000);
  await first.close();
});

const answersLateMs = 120;
/** By width of the window; a row is walked through in a window of its own, all of them at once, since most of it is waiting. */
const walks: [width: number, paths: string[]][] = [
  [1440, ['/', ...['analytics', 'analytics?table=on&period=90d', 'analytics?all=pages', 'analytics?f=is:country:MT']]],
  [1440, ['realtime', 'goals', 'profiles', 'missing', 'shields', 'exports']],
  [
    1440,
    ['imports', 'settings', 'settings/snippet', 'settings/keys', '/s/new.example/analytics', '/s/new.example/goals'],
  ],
  [720, ['analytics', 'realtime', 'goals', 'imports']],
  [375, ['analytics', 'realtime', 'goals', 'exports']],
];

/** With each minute the bars of realtime go one place to the left. */
const isNoMinute = (shift: string) => !/^[\d.e-]+: DIV step-bars\s*(\| DIV step-bars\s*)*$/.test(shift);

it('nothing moves while a page loads, however late its answers are', { timeout: stepMs }, async () => {
  const storageState = await context.storageState();
  const walk = async ([width, paths]: (typeof walks)[number]) => {
    const own = await newContext(desk, { storageState, viewport: { width, height: width < 500 ? 812 : 900 } });
    const fresh = await own.newPage();
    // Each a little later than the one before, so that no two parts of a page come at once.
    let late = 0;
    await fresh.route('**/api/**', async (route) => {
      late = (late + 1) % 4;
      await new Promise((resolve) => setTimeout(resolve, answersLateMs * late));
      await route.continue();
    });
    const moved = await watchShifts(fresh);
    for (const path of paths) {
      await fresh.goto(desk.origin + (path.startsWith('/') ? path : `/s/shop.example/${path}`));
      await fresh.locator('h1').first().waitFor({ state: 'attached' });
      if (path.includes('analytics')) await drawn(fresh);
      await fresh.waitForLoadState('networkidle');
      await fresh.evaluate(() => document.fonts.ready);
      expect((await moved()).filter(isNoMinute), `${path}, ${width} px`).toEqual([]);
    }
    await own.close();
  };
  await Promise.all(walks.map(walk));
});

it('keeps in the browser what is declared, and nothing else', { timeout: stepMs }, async () => {
  const own = await newContext(desk);
  const fresh = await own.newPage();
  await fresh.goto(`${desk.origin}/sign-in`);
  await fresh.getByLabel('E-mail').waitFor();
  expect(await own.cookies()).toEqual([]);
  await signIn(fresh, desk, '/s/shop.example/analytics');
  await drawn(fresh);
  await fresh.keyboard.press('?');
  await fresh.getByRole('dialog').getByRole('checkbox').click();
  await fresh.keyboard.press('Escape');
  await fresh.getByRole('button', { name: 'owner@shop.example' }).click();
  await fresh.getByRole('button', { name: 'Dark', exact: true }).click();
  const { source, address } = await fresh.evaluate(async () => {
    const { organisations } = await (await fetch('/api/session')).json();
    const made = await fetch(`/api/organisations/${organisations[0].id}/relay/sources`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"Orders"}',
    });
    const { source, address } = await made.json();
    return { source: source.id as number, address: address as string };
  });
  // Somebody who waits for the first request sees it come, and keeps what is typed meanwhile.
  await fresh.goto(`${desk.origin}/s/shop.example/relay/sources/${source}`);
  await fresh.getByText('Waits for its first request.').waitFor();
  await fresh.getByLabel('Days to keep identifiers').fill('5');
  const sent = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"id":1}' };
  expect((await fetch(desk.origin + new URL(address).pathname, sent)).status).toBe(202);
  await fresh.getByText('Requests came, and nothing says yet how to read them.').waitFor();
  expect(await fresh.getByLabel('Days to keep identifiers').inputValue()).toBe('5');
  await fresh.goto(`${desk.origin}/s/shop.example/relay/sources/${source}/mapping`);
  await fresh
    .getByRole('button', { name: /^event_name/ })
    .first()
    .click();
  await fresh.getByLabel('Always').fill('purchase');
  await fresh.getByText(/^draft, of/).waitFor();
  await expect.poll(() => fresh.evaluate(() => localStorage.getItem('fairlead.drafts'))).toContain('purchase');
  const stored = await fresh.evaluate(async () => ({
    localStorage: Object.keys(localStorage),
    sessionStorage: Object.keys(sessionStorage),
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }));
  const declared = (kind: string) => browserStorage.filter((one) => one.kind === kind).map((one) => one.name);
  expect(stored.localStorage.toSorted()).toEqual(declared('localStorage').toSorted());
  // Those of one step of a sign-in come and go with it.
  const lasting = browserStorage.filter((one) => one.kind === 'cookie' && !one.until.includes('minutes at most'));
  const cookies = (await own.cookies()).map(({ name }) => name);
  expect(declared('cookie')).toEqual(expect.arrayContaining(cookies));
  expect(cookies).toEqual(expect.arrayContaining(lasting.map(({ name }) => name)));
  expect(stored).toMatchObject({ sessionStorage: [], databases: [], caches: [], workers: 0 });
  const guide = readFileSync(new URL('../../docs/guides/cookies.md', import.meta.url), 'utf8');
  for (const { kind, name, purpose, until } of browserStorage)
    expect(guide).toContain(`| ${kind} | \`${name}\` | ${purpose} | ${until} |`);

  const mapping = new URL(fresh.url()).pathname;
  // Saved by somebody else meanwhile: what the draft changed goes into it, and what they changed stays.
  const save = (value: object, after: number) =>
    fresh.evaluate(
      async ([path, text]) => {
        const { organisations } = await (await fetch('/api/session')).json();
        const sent = await fetch(`/api/organisations/${organisations[0].id}/relay/sources/${path}/mappings`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: text,
        });
        return sent.status;
      },
      [String(source), JSON.stringify({ mapping: value, after })] as const,
    );
  expect(await save({ fields: { occurred_at: '$received_at' } }, 0)).toBe(201);
  await fresh.reload();
  await fresh.getByRole('button', { name: 'Put it on top of version 1' }).click();
  await fresh.getByText('The draft’s changes are in version 1 now.').waitFor();
  await expect
    .poll(() => fresh.evaluate(() => Object.values(JSON.parse(localStorage.getItem('fairlead.drafts') ?? '{}'))))
    .toMatchObject([
      { after: 1, mapping: { fields: { occurred_at: '$received_at', event_name: { default: 'purchase' } } } },
    ]);
  const always = (value: string) => expect.poll(() => fresh.getByLabel('Always').inputValue()).toBe(value);
  const field = () =>
    fresh
      .getByRole('button', { name: /^event_name/ })
      .first()
      .click();
  // A session that ends by itself takes no work along.
  await own.clearCookies();
  await signIn(fresh, desk, mapping);
  await field();
  await always('purchase');
  // Who signs out by hand leaves no draft behind, not even of what was typed a moment before.
  await fresh.getByLabel('Always').fill('refund');
  await fresh.getByRole('button', { name: 'owner@shop.example' }).click();
  await fresh.getByRole('button', { name: 'Sign out' }).click();
  await fresh.waitForURL((url) => url.pathname === '/sign-in');
  await fresh.getByLabel('E-mail').waitFor();
  expect((await fresh.evaluate(() => Object.keys(localStorage))).toSorted()).toEqual([
    'fairlead.keys',
    'fairlead.theme',
  ]);
  // In the same tab, which is not loaded anew.
  await fresh.getByLabel('E-mail').fill(owner.email);
  await fresh.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await fresh.getByRole('button', { name: 'Sign in' }).click();
  await fresh.waitForURL((url) => url.pathname !== '/sign-in');
  await goInside(fresh, desk, mapping);
  await field();
  await always('');
  await own.close();
});

const documents = ['/', '/api/docs', '/nowhere'];
const everyPage = [
  '/',
  ...[
    'analytics',
    'realtime',
    'missing',
    'profiles',
    'goals',
    'shields',
    'exports',
    'imports',
    'shares',
    'settings',
    'settings/keys',
  ].map((part) => `/s/shop.example/${part}`),
  ...['', '/security', '/sessions', '/notifications'].map((part) => `/account${part}`),
  ...['settings', 'settings/members', 'settings/keys', 'sites', 'trust/audit'].map((part) => `/o/shop/${part}`),
  ...['/notifications', '/api/docs', '/nowhere'],
];

it('asks nobody but this desk, runs nothing that the policy stops, and its cookies are out of reach (COK-01, COK-02, COK-03)', {
  timeout: stepMs,
}, async () => {
  const own = await newContext(desk);
  const fresh = await own.newPage();
  const elsewhere: string[] = [];
  const said: string[] = [];
  const cookies: string[] = [];
  own.on('request', (request) => {
    if (!request.url().startsWith(`${desk.origin}/`)) elsewhere.push(request.url());
  });
  fresh.on('console', (message) => {
    if (/policy|Trusted/i.test(message.text())) said.push(message.text());
  });
  fresh.on('pageerror', (error) => said.push(error.message));
  fresh.on('response', async (response) => {
    for (const { name, value } of await response.headersArray().catch(() => []))
      if (name.toLowerCase() === 'set-cookie') cookies.push(...value.split('\n'));
  });
  await signIn(fresh, desk);
  const values = (await own.cookies()).map(({ value }) => value);
  for (const path of everyPage) {
    // One document holds all pages of the dashboard, under one policy; the last ones are documents of their own.
    if (documents.includes(path)) await fresh.goto(desk.origin + path, { waitUntil: 'load' });
    else await goInside(fresh, desk, path);
    await fresh.locator('h1, main').first().waitFor();
    const kept = await fresh.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.cookie]),
    );
    for (const value of values) expect(kept).not.toContain(value);
  }
  expect(elsewhere).toEqual([]);
  expect(said).toEqual([]);
  expect(cookies.length).toBeGreaterThanOrEqual(2);
  for (const cookie of cookies) {
    const [pair = '', ...attributes] = cookie.split('; ');
    expect(pair).toMatch(/^__Host-fairlead_\w+=/);
    expect(attributes.filter((one) => !one.startsWith('Max-Age=')).toSorted()).toEqual(
      ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'].toSorted(),
    );
  }
  // The sabotage: what a smuggled script would do is stopped, and the desk hears of it.
  const ran = await fresh.evaluate(() => {
    const script = document.createElement('script');
    script.append('window.smuggled = 1');
    document.body.append(script);
    let sink = 'open';
    try {
      document.body.insertAdjacentHTML('beforeend', '<b>text</b>');
    } catch {
      sink = 'closed';
    }
    return [(window as unknown as { smuggled?: number }).smuggled, sink];
  });
  expect(ran).toEqual([undefined, 'closed']);
  await expect
    .poll(async () => (await fetch(`${desk.origin}/metrics`)).text())
    .toContain('fairlead_csp_reports_total{directive="require-trusted-types-for",blocked="trusted-types-sink"} 2');
  await own.close();
});

it('a browser without cookies is told so instead of failing at signing in (COK-08)', { timeout: stepMs }, async () => {
  const own = await newContext(desk);
  await own.addInitScript(() => Object.defineProperty(navigator, 'cookieEnabled', { get: () => false }));
  const fresh = await own.newPage();
  await fresh.goto(`${desk.origin}/sign-in`);
  await fresh.getByText('This browser keeps no cookies').waitFor();
  await own.close();
});

it('who mistyped often works some seconds and is in (AUT-10)', { timeout: stepMs }, async () => {
  const own = await newContext(desk);
  const fresh = await own.newPage();
  const refusals = [];
  for (let tries = 0; tries < 6; tries++) {
    const answer = await fetch(`${desk.origin}/api/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'owner@shop.example', password: `wrong guess ${tries}` }),
    });
    refusals.push(answer.status);
  }
  expect(refusals).toEqual([401, 401, 401, 401, 401, 429]);
  await signIn(fresh, desk, '/s/shop.example/analytics');
  await drawn(fresh);
  await own.close();
});

it('an empty site says what it waits for, and gives no rate of nothing', { timeout: stepMs }, async () => {
  await open('/s/new.example/analytics');
  await page.getByText('No visits yet.').waitFor();
  // The list of goals asks first whether there are any.
  await page.getByText('Fills with the first visit.').nth(4).waitFor();
  expect(await page.getByText('Fills with the first visit.').count()).toBe(5);
  expect(await page.locator('.k', { hasText: 'Bounce rate' }).locator('.kv').textContent()).toBe('–');
  expect(await page.locator('.k', { hasText: 'Visit duration' }).locator('.kv').textContent()).toBe('–');
});

it('a goal that nobody met is told from no goal', { timeout: stepMs }, async () => {
  await open('/s/shop.example/analytics');
  await page.getByText('No goal was met in this period.').waitFor();
});

it('All begins with the first stored day, imported before the site was made', { timeout: stepMs }, async () => {
  await open('/s/clock.example/analytics?period=all');
  await drawn();
  expect(await visitors()).toBe('25');
  await page.locator('.bar-controls .btn', { hasText: '25 Oct' }).waitFor();
});

it('a place is found by its name in small letters and filtered by it', { timeout: stepMs }, async () => {
  await open('/s/shop.example/analytics');
  await drawn();
  await page.keyboard.press('f');
  await page.keyboard.type('country');
  await page.keyboard.press('Enter');
  await page.keyboard.type('united k');
  await page.locator('.option-tick', { hasText: 'United Kingdom' }).locator('input').check();
  await page.getByRole('button', { name: 'Add filter' }).click();
  await page.waitForURL(/f=is:country:GB/);
  await page.locator('[aria-label="Countries"] .name', { hasText: 'United Kingdom' }).waitFor();
  await page.getByRole('tab', { name: 'Cities' }).click();
  await page.locator('[aria-label="Cities"] .name').first().click();
  await page.waitForURL(/f=is:city:/);
  await drawn();
  expect(await visitors()).not.toBe('0');
});

it('the day with 25 hours has 25 steps, two of them at the same hour', { timeout: stepMs }, async () => {
  await open('/s/clock.example/analytics?period=2026-10-25..2026-10-25&table=on&against=off');
  await page.getByRole('columnheader', { name: 'When' }).waitFor();
  const steps = await page.locator('.series-table tbody tr').evaluateAll((rows) => rows.map((row) => row.textContent));
  expect(steps.length).toBe(25);
  expect(steps.filter((step) => step?.includes('02:00')).length).toBe(2);
  expect(steps.filter((step) => step?.includes('the second time')).length).toBe(1);
  const counted = steps.map((step) => Number(step?.match(/(\d+)$/)?.[1]));
  expect(counted.reduce((sum, one) => sum + one, 0)).toBe(25);
  expect(await visitors()).toBe('25');
});

it('ten thousand sources are eight, the rest is a search away', { timeout: stepMs }, async () => {
  await open('/s/many.example/analytics?sources=source');
  await page.getByText('8 of 10,000').waitFor();
  await page.getByRole('button', { name: 'All sources' }).click();
  await page.getByText('1–50 of 10,000').waitFor();
  await page.getByLabel('Search sources').fill('SITE9999');
  await page.locator('.name', { hasText: 'site9999.example' }).waitFor();
  await page.getByText('1–1 of 1', { exact: true }).waitFor();
  await page.goBack();
  await page.getByText('8 of 10,000').waitFor();
});

it('a long path keeps its end, and one in Arabic its slashes', { timeout: stepMs }, async () => {
  await open('/s/shop.example/analytics');
  await page.locator('[aria-label="Pages"] .tail', { hasText: 'the-end' }).waitFor();
  const arabic = page.locator('[aria-label="Pages"] .name', { hasText: rightToLeft });
  expect(await arabic.locator('.cut').getAttribute('dir')).toBe('ltr');
  await arabic.click();
  await page.waitForURL((url) => url.searchParams.get('f') === `is:page:${rightToLeft}`);
  await page.locator('.chip', { hasText: rightToLeft }).waitFor();
});

it('what still runs stands by itself in the chart and is named', { timeout: stepMs }, async () => {
  await open('/s/shop.example/analytics');
  await drawn();
  expect(await page.locator('.dot-so-far').count()).toBe(1);
  await page.locator('.leg', { hasText: 'so far' }).waitFor();
});

it('an open page shows what comes, of a visitor who is there already too', { timeout: stepMs }, async () => {
  await open('/s/new.example/analytics');
  await page.getByText('No visits yet.').waitFor();
  const views = page.locator('.k', { hasText: 'Page views' }).locator('.kv');
  for (const [at, path] of ['/', '/next', '/last'].entries()) {
    await collect(desk, path, { d: 'new.example', u: `https://new.example${path}` });
    // Left to itself the page would look again every 30 seconds.
    await expect.poll(() => views.textContent(), { timeout: 15_000 }).toBe(String(at + 1));
  }
});
