import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { buildPixels, buildStorage, buildTracker } from '../../sdk/build.ts';
import type { PixelCalls } from '../../src/analytics/index.ts';
import { berlin, openRig, shop } from '../../src/analytics/ingest/rig.ts';
import { answerVisitors } from '../../src/analytics/ingest/visitor_door.ts';
import { openLog } from '../../src/platform/log.ts';
import { launch } from './chromium.ts';
import { type Collector, type Resource, startCollector } from './collector.ts';
import { queueSnippet } from './journey.ts';

/** A real browser on a page with stand-ins for pixels: what of their cookies and calls reaches the desk, and what never does. */

const tag = 'data-domain="shop.example" data-local data-pixels';
const agreed = { ad_storage: 'granted', ad_user_data: 'granted' };
const agree = `<script>fairlead('consent', ${JSON.stringify(agreed)})</script>`;
const own = {
  _fbp: 'fb.1.1700000000000.1234567890',
  _fbc: 'fb.1.1700000000000.IwARcanary',
  _ttp: 'canaryttp-0123456789',
};
/** Meta's base code and TikTok's, as their documents have them, without the scripts that they load; every call is kept in `told`. */
const pixels = `<script>
  document.cookie = 'session=secretcanary';
  ${Object.entries(own)
    .map(([name, value]) => `document.cookie = '${name}=${value}';`)
    .join('')}
  window.told = [];
  !function(f,n){if(f.fbq)return;n=f.fbq=function(){told.push(['fbq'].concat([].slice.call(arguments)))};n.push=n;n.loaded=!0;n.queue=[]}(window);
  var ttqs = window.ttq = []; ttqs.track = function(){ told.push(['ttq'].concat([].slice.call(arguments))) };
</script>`;
/** How often anybody read the page's cookies. */
const trap = () => {
  const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie') as Required<PropertyDescriptor>;
  (window as unknown as { reads: number }).reads = 0;
  Object.defineProperty(Document.prototype, 'cookie', {
    get() {
      (window as unknown as { reads: number }).reads++;
      return get.call(this);
    },
    set(value) {
      set.call(this, value);
    },
  });
};

let browser: Browser;
let server: Collector;
let context: BrowserContext;
let visitor: Page;
let resources: Record<string, Resource>;
let built: Record<string, Resource>;
let country: string;
/** Questions to the desk, and the calls it was told of. */
const asked: Record<string, unknown>[] = [];
const told: PixelCalls[] = [];
const rig = openRig({ sites: [shop] });

beforeAll(async () => {
  const file = async (build: () => Promise<{ code: string }>) => ({
    body: (await build()).code,
    type: 'text/javascript',
  });
  built = {
    '/js/fairlead.js': await file(buildTracker),
    '/js/fairlead-pixels.js': await file(buildPixels),
    '/js/fairlead-storage.js': await file(buildStorage),
  };
  const hosts = ['shop.example', 'stats.example'].map((host) => `MAP ${host} 127.0.0.1`).join();
  browser = await launch({ windows: false, args: [`--host-resolver-rules=${hosts}`] });
  const door = answerVisitors({
    ...{ ...rig.desk, drops: rig.drops, clock: rig.clock, watch: rig.watch },
    places: { lookup: () => (country === '' ? undefined : { ...berlin, country }) },
    links: { make: () => ({ v: '', s: '' }), take: async () => undefined },
    identify: async () => 'done',
    trustedProxies: 0,
    log: openLog(rig.clock, () => {}),
  });
  server = await startCollector((url) => resources[url.pathname], {
    '/api/visitor': (request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => asked.push({ ...JSON.parse(body), cookie: request.headers.cookie }));
      return door(request, response);
    },
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** What the site has switched on. */
function switches(of: { ids?: readonly ('meta' | 'tiktok')[]; calls?: boolean }): void {
  const site = { organisationId: 10, names: new Set(['Purchase']), clickIds: false, network: false };
  rig.watch.watch(new Map([[1, { ...site, browserIds: new Set(of.ids), pixelCalls: of.calls === true }]]), {
    keep: (_, done) => done(),
    keepCalls(calls, done) {
      told.push(calls);
      done();
    },
  });
}

beforeEach(async () => {
  resources = { ...built };
  country = 'DE';
  for (const list of [server.beacons, server.visited, asked, told]) list.length = 0;
  switches({ ids: ['meta', 'tiktok'], calls: true });
  await context?.close();
  context = await browser.newContext();
  await context.addInitScript(trap);
  visitor = await context.newPage();
});

const at = (host: string, path = '/') => `http://${host}:${server.port}${path}`;
const open = async (attributes: string, head = '') => {
  resources['/'] = {
    body: `<!doctype html><title>Shop</title>${queueSnippet}${pixels}${head}<script defer src="${at('stats.example', '/js/fairlead.js')}" ${attributes}></script>`,
  };
  await visitor.goto(at('shop.example'));
  await server.until(({ event }) => event.n === 'pageview');
  // Until then its calls are queued: another part is on its way, or the desk is asked.
  await expect
    .poll(() => visitor.evaluate(() => (window as never as { fairlead: { loaded?: boolean } }).fairlead.loaded))
    .toBe(true);
};
const call = (...all: unknown[]) =>
  visitor.evaluate((all) => (window as never as { fairlead(...all: unknown[]): void }).fairlead(...all), all);
/** An event from the page, as it arrives. */
const sent = async (name: string, options?: object) => {
  await call(name, options);
  const [beacon] = await server.until(({ event }) => event.n === name);
  return beacon?.event as Record<string, unknown> & { id: string };
};
const reads = () => visitor.evaluate(() => (window as never as { reads: number }).reads);
const page = <T>(expression: string) => visitor.evaluate(expression) as Promise<T>;
const everything = () => JSON.stringify([server.beacons, asked, told]);

it('reads no cookie and hears no pixel while the switch is off, nobody agreed, or the browser asks for privacy (COL-01)', async () => {
  const bare = tag.replace(' data-pixels', '');
  const cases: [what: string, attributes: string, head: string, off?: boolean][] = [
    ['without the attribute', bare, agree],
    ['switched off on the desk', tag, agree, true],
    ['nothing said', tag, ''],
    ['one of the two said', tag, agree.replace('ad_user_data', 'ad_personalization')],
    ['refused', tag, `<script>fairlead('consent', {ad_storage: 'granted', ad_user_data: 'denied'})</script>`],
    ['a default of the page', tag, `<script>dataLayer=[['consent','default',${JSON.stringify(agreed)}]]</script>`],
    ['the boolean of storage mode', tag, `<script>fairlead('consent', true)</script>`],
    [
      'privacy',
      tag,
      `<script>Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})</script>${agree}`,
    ],
  ];
  for (const [what, attributes, head, off] of cases) {
    switches(off ? {} : { ids: ['meta', 'tiktok'], calls: true });
    for (const list of [server.beacons, server.visited, asked, told]) list.length = 0;
    await open(attributes, head);
    await page(`fbq('track', 'Purchase', {}, {eventID: 'x-1'}), 0`);
    const event = await sent('Purchase', { pixel: { meta: 'Purchase' } });
    expect([what, await reads(), event.bi]).toEqual([what, 0, undefined]);
    await visitor.goto('about:blank');
    expect([what, told, asked.filter(({ n }) => n === 'calls')]).toEqual([what, [], []]);
    expect(asked.length, what).toBe(off ? 1 : 0);
    expect(everything(), what).not.toMatch(/canary|fb\.1\.|cookie":"/);
    if (attributes === bare) expect(server.visited.join()).not.toContain('pixels');
  }
}, 60_000);

it('hands ids of the platforms that are asked for over with own events after a yes, and takes them back with a no', async () => {
  switches({ ids: ['meta'] });
  await open(tag, agree);
  const event = await sent('Purchase');
  expect(event).toMatchObject({ bi: { fbp: own._fbp, fbc: own._fbc }, consent: agreed });
  // Of the page's view nothing, of another platform nothing, of another cookie nothing, and in no header.
  expect(server.beacons.filter(({ event: { n } }) => n === 'pageview').map(({ event: one }) => one.bi)).toEqual([
    undefined,
  ]);
  expect(everything()).not.toMatch(/canaryttp|secretcanary|cookie":"/);
  const before = await reads();
  expect(before).toBeGreaterThan(0);
  await call('consent', { ad_storage: 'denied' });
  expect((await sent('Later')).bi).toBeUndefined();
  expect(await reads()).toBe(before);
  // The tracker has set none.
  expect((await context.cookies()).map(({ name }) => name).sort()).toEqual(['_fbc', '_fbp', '_ttp', 'session']);
});

it('shows the page each own event with its id, and calls pixels with the id that the relay sends', async () => {
  const listen = `<script>window.seen = []; addEventListener('fairlead:event', ({detail}) => seen.push(detail))</script>`;
  await open(tag, listen.replace('addEventListener', 'document.addEventListener') + agree);
  const plain = await sent('Signup', { pixel: { meta: 'Lead', tiktok: 'SubmitForm', data: { plan: 'pro' } } });
  const sale = await sent('Purchase', {
    revenue: { amount: '19.90', currency: 'EUR', order_id: ' O-1 ' },
    pixel: { meta: 'Purchase' },
  });
  expect(sale.pixel).toBeUndefined();
  expect(await page('seen')).toEqual([
    { id: plain.id, name: 'Signup', allowed: true },
    { id: 'O-1', name: 'Purchase', allowed: true },
  ]);
  expect(await page('told')).toEqual([
    ['fbq', 'track', 'Lead', { plan: 'pro' }, { eventID: plain.id }],
    ['ttq', 'SubmitForm', { plan: 'pro' }, { event_id: plain.id }],
    ['fbq', 'track', 'Purchase', { value: 19.9, currency: 'EUR' }, { eventID: 'O-1' }],
  ]);
  await expect.poll(() => told.flatMap(({ calls }) => calls)).toHaveLength(3);
  expect(told[0]).toMatchObject({ siteId: 1, near: [plain.id, sale.id] });
  expect(told.flatMap(({ calls }) => calls)).toEqual([
    { platform: 'meta', name: 'Lead', id: plain.id },
    { platform: 'tiktok', name: 'SubmitForm', id: plain.id },
    { platform: 'meta', name: 'Purchase', id: 'O-1' },
  ]);
});

it('counts calls that the page makes by itself, of pixels that come later too, and none of a view', async () => {
  const late = `<script>delete window.fbq; delete window.ttq</script>`;
  await open(tag, late + agree);
  await page(`(() => {
    fbq = function(){ told.push([].slice.call(arguments)); return 'answer' };
    ttq = []; ttq.track = function(){ told.push([].slice.call(arguments)) };
    told.push(fbq('track', 'PageView'));
    fbq('trackSingle', '42', 'Purchase', {value: 1}, {eventID: 'A-1'});
    fbq('trackCustom', 'Rated');
    fbq('init', '42');
    ttq.track('CompletePayment', {}, {event_id: 'A-1'});
  })()`);
  // The call goes on as it is, with its answer.
  expect(await page('told')).toEqual([
    ['track', 'PageView'],
    'answer',
    ['trackSingle', '42', 'Purchase', { value: 1 }, { eventID: 'A-1' }],
    ['trackCustom', 'Rated'],
    ['init', '42'],
    ['CompletePayment', {}, { event_id: 'A-1' }],
  ]);
  // Leaving the page tells at once.
  await visitor.goto('about:blank');
  await expect
    .poll(() => told.flatMap(({ calls }) => calls))
    .toEqual([
      { platform: 'meta', name: 'Purchase', id: 'A-1' },
      { platform: 'meta', name: 'Rated', id: undefined },
      { platform: 'tiktok', name: 'CompletePayment', id: 'A-1' },
    ]);
});

it('goes with storage mode, and measures as ever where its own file cannot be had', async () => {
  await open(`${tag} data-persistence="storage"`, `<script>fairlead('consent', true)</script>${agree}`);
  expect(await sent('Purchase')).toMatchObject({
    vi: expect.stringMatching(/^[\da-f]{32}$/),
    bi: { fbp: own._fbp },
    consent: { ...agreed, analytics_storage: 'granted' },
  });
  // Who opted out is not asked about, and nothing of them is told.
  await call('optout', true);
  asked.length = 0;
  await page(`fbq('track', 'Purchase', {}, {eventID: 'x-1'}), 0`);
  await visitor.reload();
  await page(`fbq('track', 'Purchase', {}, {eventID: 'x-2'}), 0`);
  await visitor.goto('about:blank');
  expect(asked.filter(({ n }) => n === 'pixels' || n === 'calls')).toEqual([]);
  server.beacons.length = 0;
  delete resources['/js/fairlead-pixels.js'];
  await context.clearCookies();
  await open(tag, agree);
  expect((await sent('Purchase')).bi).toBeUndefined();
});

it('ends for the page where its visitor opts out without storage mode, and its words are no events', async () => {
  await open(tag, agree);
  expect(await sent('Purchase')).toMatchObject({ bi: { fbp: own._fbp } });
  await call('optout', true);
  await call('Purchase');
  await call('optout', false);
  // What was taken back goes on; the ads that were refused with it are asked for anew.
  expect((await sent('Signup')).bi).toBeUndefined();
  expect(server.beacons.map(({ event }) => event.n).filter((name) => name !== 'engagement')).toEqual([
    ...['pageview', 'Purchase', 'Signup'],
  ]);
});

it('the npm package with pixels keeps what was said before init, calls pixels with the id, and adds no global', async () => {
  const made = await build({
    stdin: {
      contents: `import { consent, init, optOut, track } from './src/pixels_package.ts';
        const settings = { domain: 'shop.example', endpoint: '${at('stats.example', '/api/event')}', local: true };
        const revenue = { amount: '49.90', currency: 'EUR' };
        consent(${JSON.stringify(agreed)});
        track('Purchase', { revenue, pixel: { meta: 'Purchase', tiktok: 'CompletePayment' } });
        init(settings);
        init(settings);
        window.app = { consent, optOut, track };`,
      resolveDir: fileURLToPath(new URL('../../sdk', import.meta.url)),
    },
    ...{ bundle: true, write: false, format: 'iife' },
  });
  resources['/app.js'] = { body: made.outputFiles?.[0]?.text ?? '', type: 'text/javascript' };
  resources['/'] = { body: `<!doctype html><title>App</title>${pixels}<script src="/app.js"></script>` };
  await visitor.goto(at('shop.example'));
  const [beacon] = await server.until(({ event }) => event.n === 'Purchase');
  const event = beacon?.event as Record<string, unknown>;
  expect(event).toMatchObject({ bi: { fbp: own._fbp, ttp: own._ttp }, consent: agreed });
  expect(await page('told')).toEqual([
    ['fbq', 'track', 'Purchase', { value: 49.9, currency: 'EUR' }, { eventID: event.id }],
    ['ttq', 'CompletePayment', { value: 49.9, currency: 'EUR' }, { event_id: event.id }],
  ]);
  await page(`app.consent({ ad_user_data: 'denied' })`);
  await page(`app.track('Signup', { pixel: { meta: 'Lead' } })`);
  const [refused] = await server.until(({ event }) => event.n === 'Signup');
  expect([refused?.event.bi, (await page<unknown[]>('told')).length]).toEqual([undefined, 2]);
  await page('app.optOut()');
  await page(`app.track('Later')`);
  await page('app.optOut(false)');
  await page(`app.track('Again')`);
  await server.until(({ event }) => event.n === 'Again');
  const names = server.beacons.map(({ event }) => event.n).filter((name) => name !== 'engagement');
  expect(names.sort()).toEqual(['Again', 'Purchase', 'Signup', 'pageview']);
  expect(await page(`'fairlead' in window`)).toBe(false);
});
