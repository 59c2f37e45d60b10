import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTracker } from '../../sdk/build.ts';
import { readEvent } from '../../src/analytics/ingest/payload.ts';
import { launch } from './chromium.ts';
import { type Collector, startCollector } from './collector.ts';
import { otherEngines } from './engines.ts';
import { faultsOf, playSession, type Session, sabotaged } from './journey.ts';
import { setTraps } from './traps.ts';

let browser: Browser;
let script: string;

beforeAll(async () => {
  script = (await buildTracker()).code;
  browser = await launch();
});
afterAll(() => browser?.close());

describe.each(sabotaged)('the proof of COL-01, 02, 03, 09, 11, 12, 17, 18 and 19 notices', (...together) => {
  let faults: ReturnType<typeof faultsOf>;
  beforeAll(async () => {
    faults = faultsOf(
      await playSession(
        browser,
        together.reduce((broken, { apply }) => apply(broken), script),
      ),
    );
  });

  it.each(together)('$name ($breaks)', ({ breaks, fact }) => {
    expect(faults).toContainEqual({ id: breaks, fact: expect.stringContaining(fact) });
  });
});

describe('a whole session captures', () => {
  let session: Session;
  beforeAll(async () => {
    session = await playSession(browser, script);
  });

  const of = (name: string) => session.beacons.map(({ event }) => event).filter(({ n }) => n === name);
  const views = () => of('pageview').map(({ u, t }) => `${new URL(u ?? '').pathname}${new URL(u ?? '').hash} ${t}`);

  it('page views: loaded, pushed, replaced, gone back to, left and returned to, submitted to, routed by fragment', () => {
    expect(views().slice(0, 9)).toEqual([
      '/shop Shop',
      '/app/one One',
      '/app/two Two',
      '/shop Two', // The fixture keeps its last title when it goes back.
      '/shop Shop',
      '/shop Shop',
      '/thanks Thanks',
      '/routes#/first Routes',
      '/routes#/second Routes',
    ]);
  });

  it('with each page view the campaign, the referrer, the screen and the title', () => {
    const [first] = of('pageview');
    expect(first).toMatchObject({ d: 'shop.example', v: 1, sc: '1280x720', t: 'Shop' });
    expect(first?.u).toMatch(/\/shop\?utm_source=news&gclid=click-1&utm_campaign=spring$/);
    expect(first?.r).toMatch(/\/before$/);
  });

  it.each([
    ['calls made before the script was there', 'Queued', [{ place: 'head' }, { place: 'head' }, { place: 'head' }]],
    ['a form without validation, though it is incomplete; a complete one', 'Form: Submission', [undefined, undefined]],
    ['a tagged form under its own name', 'Newsletter', [{ list: 'weekly' }]],
    ['a mail link, with its domain', 'Mailto: Click', [{ domain: 'mail.example' }]],
    ['a phone link, without its number', 'Tel: Click', [{}]],
    ['a click on an element whose third parent is tagged', 'Deep', Array(2).fill({ plan: 'team', 'seat-count': '12' })],
    ['no click on one whose fourth parent is', 'Too deep', []],
    ['a click on an element tagged as for Plausible, and no right click', 'Moved in', [{ plan: 'solo' }]],
    ['a custom event with properties', 'purchase', [{ plan: 'team', seats: 3 }]],
  ])('%s', (_, name, props) => {
    expect(of(name).map(({ p }) => p)).toEqual(props);
  });

  it('a download and outbound links in a new tab, by middle click and in the same tab, without query and fragment', () => {
    expect(of('File Download').map(({ p }) => p?.url)).toEqual([expect.stringMatching(/\/files\/Price%20list\.PDF$/)]);
    expect(of('Outbound Link: Click').map(({ p }) => new URL(String(p?.url)).pathname)).toEqual([
      '/new-tab',
      '/middle',
      '/landing',
    ]);
    for (const { p } of of('Outbound Link: Click')) expect(p?.url).not.toMatch(/[?#]/);
  });

  it('revenue with its order id, events that are not interactive, and another page on request', () => {
    expect(of('purchase')[0]?.$).toEqual({ amount: '49.90', currency: 'EUR', order_id: '1042' });
    expect(of('Ad shown')[0]?.i).toBe(false);
    expect(of('Elsewhere')[0]?.u).toMatch(/\/virtual\?utm_medium=app$/);
    expect(session.outcomes).toEqual([{ status: 202 }, { status: 202 }, { status: 202 }]);
  });

  it('in words that the server reads whole', () => {
    for (const { event, raw } of session.beacons) {
      const read = readEvent(event);
      if ('refused' in read) throw new Error(`${read.message} ${raw}`);
      const { name, domains, id, title, screen, referrer, hashMode } = read;
      const { n, d, t = '', sc = '', r = '' } = event;
      expect([name, domains, id, title, screen, referrer]).toEqual([n, d, event.id, t, sc, r]);
      expect(hashMode).toBe(event.u?.includes('#'));
    }
    expect(readEvent(of('purchase')[0])).toMatchObject({ props: '{"plan":"team","seats":"3"}', orderId: '1042' });
    expect(readEvent(of('engagement')[0])).toMatchObject({ scrollDepth: 20, interactive: 0 });
  });

  it('engagement for each page, told before the next page view, with the deepest point that was seen', () => {
    for (const [index, { event }] of session.beacons.entries())
      if (event.n === 'engagement') {
        const view = session.beacons.findLastIndex(
          ({ event: { n, u } }, at) => at < index && n === 'pageview' && u === event.u,
        );
        expect(view, `a page view of ${event.u} before its engagement`).toBeGreaterThanOrEqual(0);
      }
    expect(of('engagement').some(({ u, sd }) => u?.endsWith('/shop') && sd === 100)).toBe(true);
  });
});

describe('the traps of that session spring', () => {
  it.each([
    'localStorage.length',
    'localStorage.visitor',
    'sessionStorage.visitor = 1',
    ...['getItem', 'setItem', 'removeItem', 'key', 'clear'].map((name) => `Storage.prototype.${name}.call(null, '')`),
    'Storage.prototype.length',
    'document.cookie',
    'document.cookie = "a=b"',
    'indexedDB',
    ...['open', 'databases', 'deleteDatabase'].map((name) => `IDBFactory.prototype.${name}.call(null, '')`),
    'caches',
    ...['open', 'match', 'has', 'keys', 'delete'].map((name) => `CacheStorage.prototype.${name}.call(null, '')`),
    'cookieStore',
    ...['get', 'getAll', 'set', 'delete'].map((name) => `CookieStore.prototype.${name}.call(null, '')`),
    'window.name',
    'window.name = "a"',
    'navigator.storage.getDirectory()',
    'navigator.serviceWorker.register("/a.js")',
    'new SharedWorker("/a.js")',
    'history.state',
    'document.hasStorageAccess()',
    'navigator.permissions.query({ name: "geolocation" })',
    '__tcfapi("ping", 2, () => {})',
  ])('on %s', async (code) => {
    await trapped.evaluate(`(() => { try { ${code} } catch {} })()`);
    await expect.poll(() => sprung.splice(0)).toHaveLength(1);
  });

  let site: Collector;
  let trapped: Page;
  let sprung: string[];
  beforeAll(async () => {
    site = await startCollector(() => ({ body: '' }));
    const context = await browser.newContext();
    sprung = await setTraps(context);
    trapped = await context.newPage();
    await trapped.goto(site.origin);
  });
  afterAll(async () => {
    await trapped.context().close();
    await site.close();
  });
});

describe('a whole session keeps the promises', () => {
  const { installed, missing } = otherEngines();
  if (missing.length > 0)
    console.warn(`Not run here, because Playwright's build is not installed: ${missing.join(', ')}.`);

  it.each([{ name: 'Chromium', launch }, ...installed])('in $name', async (engine) => {
    const own = await engine.launch();
    try {
      expect(faultsOf(await playSession(own, script))).toEqual([]);
    } finally {
      await own.close();
    }
  });

  it('with Sec-GPC and DNT as without: both headers reach the server, and nothing else changes (COL-20)', async () => {
    const session = await playSession(browser, script, { privacySignals: true });
    expect(faultsOf(session)).toEqual([]);
    // Playwright does not add its headers to what leaves while a page is torn down; a browser that sends them does.
    const seen = session.beacons.filter(({ event }) => event.n !== 'engagement');
    for (const { headers } of seen) expect(headers).toMatchObject({ 'sec-gpc': '1', dnt: '1' });
  });

  it('with the switch of R12 too, but for the two values that it is for (COL-11, COL-12)', async () => {
    const session = await playSession(browser, script, { contact: true });
    expect(faultsOf(session).map(({ id }) => id)).toEqual(['COL-11', 'COL-12']);
    const props = (name: string) => session.beacons.find(({ event }) => event.n === name)?.event.p;
    expect(props('Mailto: Click')).toEqual({ domain: 'mail.example', value: 'canary-recipient-9e9e@mail.example' });
    expect(props('Tel: Click')).toEqual({ value: '+15550142777' });
  });
});
