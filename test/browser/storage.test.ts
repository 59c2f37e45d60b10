import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { visitorStorage } from '../../contract/browser_storage.ts';
import { buildStorage, buildTracker } from '../../sdk/build.ts';
import { openLinks } from '../../src/analytics/ingest/links.ts';
import { berlin, openRig, shop } from '../../src/analytics/ingest/rig.ts';
import { answerVisitors } from '../../src/analytics/ingest/visitor_door.ts';
import type { Traits } from '../../src/analytics/profiles/traits.ts';
import { openLog } from '../../src/platform/log.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { ringOf } from '../../src/trust/keys/index.ts';
import { launch } from './chromium.ts';
import { type Collector, type Resource, startCollector } from './collector.ts';
import { queueSnippet } from './journey.ts';

const vectors = JSON.parse(readFileSync(new URL('../../src/trust/consent/vectors.json', import.meta.url), 'utf8')) as {
  tc: { text: string; purposes: number[] }[];
  gpp: { text: string; optedOut: boolean; gpc: boolean }[];
};
const hosts = ['shop.example', 'stats.example', 'partner.example', 'stranger.example'];
const usual = 'data-domain="shop.example" data-local';
const storage = `${usual} data-persistence="storage"`;

let browser: Browser;
let server: Collector;
let resources: Record<string, Resource>;
/** Where the visitor's address lies; '' = unknown. */
let country = '';
/** What identify calls said. */
const named: (Traits & { visitor: string })[] = [];
const rig = openRig({ sites: [shop] });
/** What the database remembers for all collectors of a desk. */
const taken = new Set<string>();
const firstTime = async (digest: Buffer) => taken.size < taken.add(digest.toString('hex')).size;
const collector = () => openLinks({ ...rig, random: systemRandom, keys: ringOf(Buffer.alloc(32, 1)), firstTime });
/** The files as they are built; a test may serve others. */
let built: Record<string, Resource>;
let context: BrowserContext;
let visitor: Page;

beforeAll(async () => {
  built = {
    '/js/fairlead.js': { body: (await buildTracker()).code, type: 'text/javascript' },
    '/js/fairlead-storage.js': { body: (await buildStorage()).code, type: 'text/javascript' },
  };
  browser = await launch({ args: [`--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join()}`] });
  server = await startCollector((url) => resources[url.pathname], {
    '/api/visitor': answerVisitors({
      ...rig.desk,
      watch: rig.watch,
      drops: rig.drops,
      clock: rig.clock,
      places: { lookup: () => (country === '' ? undefined : { ...berlin, country }) },
      links: collector(),
      identify: async (_site, visitor, traits) => {
        named.push({ visitor, ...traits });
        return traits.id === 'ben' && named.filter(({ id }) => id === 'ben').length === 1 ? 'other' : 'done';
      },
      trustedProxies: 0,
      log: openLog(rig.clock, () => {}),
    }),
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** A visitor who was never here, on an empty page. */
const newcomer = async (options: Parameters<Browser['newContext']>[0] = {}) => {
  await context?.close();
  context = await browser.newContext(options);
  visitor = await context.newPage();
  server.beacons.length = 0;
  server.visited.length = 0;
};
beforeEach(async () => {
  resources = { ...built };
  country = '';
  await newcomer();
});

const at = (host: string, path = '/') => `http://${host}:${server.port}${path}`;
const page = (attributes: string, body = '', head = '') => {
  resources['/'] = {
    body: `<!doctype html><title>Shop</title>${queueSnippet}${head}<script defer src="${at('stats.example', '/js/fairlead.js')}" ${attributes}></script><body>${body}`,
  };
};
const open = async (host = 'shop.example', path = '/') => {
  const before = server.beacons.length;
  await visitor.goto(at(host, path));
  await expect.poll(() => server.beacons.slice(before).some(({ event }) => event.n === 'pageview')).toBe(true);
};
const call = (name: string, value?: unknown) =>
  visitor.evaluate(
    ([name, value]) => (window as never as { fairlead(...call: unknown[]): void }).fairlead(name, value),
    [name, value] as [string, never],
  );
/** An event from the page, as it arrives. */
const sent = async () => {
  const before = server.beacons.length;
  await call('Asked');
  await expect.poll(() => server.beacons.slice(before).some(({ event }) => event.n === 'Asked')).toBe(true);
  return server.beacons.findLast(({ event }) => event.n === 'Asked')?.event as Record<string, string>;
};
/** All that lies on the device, under this page's host. */
const kept = async () =>
  Object.fromEntries(
    await visitor.evaluate(() => [
      ...Object.entries({ ...localStorage }).map(([key, value]) => [`localStorage ${key}`, value]),
      ...Object.entries({ ...sessionStorage }).map(([key, value]) => [`sessionStorage ${key}`, value]),
      ...document.cookie
        .split('; ')
        .filter(Boolean)
        .map((text) => [`cookie ${text}`, text]),
      ...(window.name ? [['window.name', window.name]] : []),
    ]),
  ) as Record<string, string>;
const ids = async () => {
  const found = await kept();
  return [found['localStorage fairlead.visitor'], found['sessionStorage fairlead.visit']?.split(' ')[0]];
};

it('starts for exactly data-persistence="storage"; for every other value nothing is loaded, read or kept (COL-04)', async () => {
  const values = ['', 'Storage', 'STORAGE', ' storage', 'storage ', 'true', '1', 'memory', 'cookie', 'localStorage'];
  const head = `<script>fairlead('consent', true)</script>`;
  for (const attribute of ['', ...values.map((value) => `data-persistence="${value}"`)]) {
    page(`${usual} ${attribute}`, '', head);
    await open();
    expect(await kept(), attribute).toEqual({});
    expect(
      server.visited.filter((path) => path.includes('storage')),
      attribute,
    ).toEqual([]);
    for (const { event } of server.beacons) expect(event).not.toHaveProperty('vi');
  }
  page(storage, '', head);
  await open();
  expect(Object.keys(await kept())).toHaveLength(2);
});

it('keeps 128 random bits in localStorage and the visit in sessionStorage, and nothing that the published list lacks (COL-05)', async () => {
  page(storage, '', `<script>fairlead('consent', true)</script>`);
  const seen = new Set<string | undefined>();
  for (let people = 0; people < 3; people++) {
    if (people > 0) await newcomer();
    await open();
    const [known, visit] = await ids();
    for (const id of [known, visit]) {
      expect(id).toMatch(/^[\da-f]{32}$/);
      seen.add(id);
    }
    const event = await sent();
    expect([event.vi, event.si]).toEqual([known, visit]);
    await open();
    expect(await ids(), 'the same after a reload').toEqual([known, visit]);
    const allowed = visitorStorage.map(({ kind, name }) => `${kind} ${name}`);
    for (const key of Object.keys(await kept())) expect(allowed).toContain(key);
    expect(await context.cookies()).toEqual([]);
  }
  expect(seen.size).toBe(6);
  await call('optout', true);
  expect(await kept()).toEqual({ 'localStorage fairlead.optout': '1' });
  const before = server.beacons.length;
  // Until its page view would have gone: the module of the storage comes after the page.
  await visitor.goto(at('shop.example'), { waitUntil: 'networkidle' });
  await call('Asked');
  await call('optout', false);
  await sent();
  expect(server.beacons.slice(before).map(({ event }) => event.n)).toEqual(['Asked']);
});

describe('before a consent signal nothing is written', () => {
  const gtag = (how: string, value: string) =>
    `<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('consent','${how}',{analytics_storage:'${value}'})</script>`;
  const tcf = (tcString = '') =>
    `<script>window.__tcfapi=(name,version,tell)=>{if(name==='addEventListener')tell({eventStatus:'tcloaded',gdprApplies:false,tcString:'${tcString}'},true)}</script>`;
  const gpp = (gppString = '') =>
    `<script>window.__gpp=(name,tell)=>tell({pingData:{signalStatus:'ready',gppString:'${gppString}'}})</script>`;
  const tcOf = (isWanted: (purposes: number[]) => boolean) =>
    vectors.tc.find(({ purposes }) => isWanted(purposes))?.text as string;
  const agreed = tcOf((purposes) => purposes.includes(1) && purposes.includes(8));
  const shown = agreed.split('.').find((segment) => /^[I-P]/.test(segment)) as string;

  it('in the EEA, the UK, Switzerland and where the place is unknown; each kind of signal opens or keeps it shut (CON-01)', async () => {
    const rows: [place: string, head: string, writes: boolean][] = [
      ...['DE', 'NO', 'GB', 'CH', 'RE', ''].map((place): [string, string, boolean] => [place, '', false]),
      ['US', '', true],
      ['JP', '', true],
      ['DE', gtag('default', 'granted'), false],
      ['DE', gtag('update', 'granted'), true],
      ['US', gtag('update', 'denied'), false],
      ['DE', tcf(agreed), true],
      ['DE', tcf(tcOf((purposes) => !purposes.includes(8))), false],
      // What v2.2 wrote, and what is none: a yes that cannot be read is none.
      ['DE', tcf(agreed.replace(`.${shown}`, '')), false],
      ['DE', gtag('update', 'granted') + tcf('CQ'), false],
      ['DE', gtag('update', 'granted') + tcf(tcOf((purposes) => !purposes.includes(8))), false],
      ['DE', gpp('DBA'), false],
      ['US', gpp(vectors.gpp.find(({ gpc }) => gpc)?.text), false],
      // To have opted out of sale is no word about being counted.
      ['US', gpp(vectors.gpp.find(({ optedOut, gpc }) => optedOut && !gpc)?.text), true],
      ['DE', `<script>fairlead('consent', false)</script>${gtag('update', 'granted')}`, false],
      ['DE', `<script>fairlead('consent', true)</script>`, true],
    ];
    const byItself = openRig({ sites: [shop] });
    for (const [place, head, writes] of rows) {
      await newcomer();
      country = place;
      page(storage, '', head);
      await open();
      expect(Object.keys(await kept()).length > 0, `${place} ${head}`).toBe(writes);
      // What left the page is taken in by the same rule: no id that is looked at where none was kept, and none lost.
      const { event } = server.beacons.findLast(
        ({ event }) => event.n === 'pageview',
      ) as (typeof server.beacons)[number];
      byItself.desk.places = { lookup: () => (place === '' ? undefined : { ...berlin, country: place }) };
      byItself.send({ ...(event as object), u: 'https://shop.example/' });
      expect(byItself.rows().at(-1)?.stored_id, `${place} ${head}`).toBe(writes ? 1 : 0);
      byItself.send({ ...(event as object), id: '', u: 'https://shop.example/', vi: 'a'.repeat(32) });
      expect(byItself.rows().at(-1)?.stored_id, `${place} ${head}`).toBe(writes ? 1 : 0);
    }
  });

  it('and what was kept goes when consent is taken back (CON-01)', async () => {
    country = 'DE';
    page(storage);
    await open();
    expect((await sent()).vi).toBeUndefined();
    await call('consent', true);
    // The browser asks the desk first; what happens meanwhile is sent without.
    await expect.poll(async () => String((await sent()).vi)).toMatch(/^[\da-f]{32}$/);
    await call('consent', false);
    expect((await sent()).vi).toBeUndefined();
    expect(await kept()).toEqual({});
  });
});

it('Sec-GPC, DNT and navigator.globalPrivacyControl switch storage, identity and links off, whatever is configured (COL-20)', async () => {
  country = 'US';
  const body = `<a id="out" href="${at('partner.example')}">partner</a>`;
  for (const property of ['globalPrivacyControl', 'doNotTrack']) {
    // Without the header, which something on the way may have taken off: what the browser says has to do.
    await newcomer();
    await context.addInitScript(
      (property) => Object.defineProperty(navigator, property, { get: () => (property === 'doNotTrack' ? '1' : true) }),
      property,
    );
    page(`${storage} data-allowed-hostnames="partner.example"`, body, `<script>fairlead('consent', true)</script>`);
    await open();
    expect((await sent()).vi).toBeUndefined();
    await visitor.hover('#out');
    await visitor.click('#out');
    await visitor.waitForURL(at('partner.example'));
    expect(await kept()).toEqual({});
    await visitor.goto(at('shop.example'));
    expect(await kept()).toEqual({});
  }
  // The server says the same to a page that sends ids all the same.
  const asked = (headers: Record<string, string>, n: string) =>
    fetch(`${server.origin}/api/visitor`, {
      method: 'POST',
      headers,
      body: JSON.stringify({
        ...{ d: 'shop.example', n, h: 'partner.example', v: 'a'.repeat(32), s: 'b'.repeat(32) },
        consent: { analytics_storage: 'granted' },
      }),
    });
  expect((await asked({}, 'link')).status).toBe(200);
  for (const header of ['sec-gpc', 'dnt']) {
    for (const n of ['link', 'linked', 'identify']) expect((await asked({ [header]: '1' }, n)).status).toBe(403);
    expect(await (await asked({ [header]: '1' }, 'region')).json()).toEqual({ may: false });
  }
});

it('says who a visitor is by an explicit call only, and nothing of the page: autofill, fields and mail links stay (COL-17)', async () => {
  const form =
    '<form><input name="email" autocomplete="email" value="canary@mail.example"><input name="name" value="canary"></form><a href="mailto:canary@mail.example">x</a>';
  page(storage, form, `<script>fairlead('consent', true)</script>`);
  await open();
  await visitor.fill('[name=name]', 'canary-typed');
  await visitor.evaluate(() => document.forms[0]?.dispatchEvent(new Event('change', { bubbles: true })));
  await sent();
  expect(named).toEqual([]);
  await call('identify', {
    id: 'ada',
    email: 'ada@mail.example',
    name: 'Ada',
    avatar: 'https://img.example/a.png',
    phone: '1',
  });
  await expect.poll(() => named).toHaveLength(1);
  const { visitor: first, ...traits } = named[0] as (typeof named)[number];
  expect(traits).toEqual({ id: 'ada', email: 'ada@mail.example', name: 'Ada', avatar: 'https://img.example/a.png' });
  for (const { raw } of server.beacons) expect(raw).not.toMatch(/canary|ada@/);
  // Somebody else at the same browser gets an id of their own.
  const [before] = await ids();
  await call('identify', { id: 'ben' });
  await expect.poll(() => named).toHaveLength(3);
  expect((await ids())[0]).not.toBe(before);
  expect(named[2]?.visitor).not.toBe(first);
  // Without consent there is nobody to name.
  await call('consent', false);
  await call('identify', { id: 'ada' });
  await sent();
  expect(named).toHaveLength(3);
});

describe('links from one host of a site to another', () => {
  const body = () =>
    ['partner.example', 'stranger.example', 'shop.example']
      .map(
        (host) =>
          `<a id="${host.split('.')[0]}" href="${at('HOST', '/landing?a=1&b=%20#part').replace('HOST', host)}">${host}</a>`,
      )
      .join('<br><br><br>');
  const followed = async (host: string) => {
    await visitor.hover(`#${host.split('.')[0]}`);
    // The answer comes while the pointer is on its way, as it does with people.
    await visitor.waitForLoadState('networkidle');
    await visitor.click(`#${host.split('.')[0]}`);
    await visitor.waitForURL((url) => url.hostname === host && url.pathname === '/landing');
    return new URL(`http://${server.visited.findLast((path) => path.includes('/landing'))}`);
  };
  const granted = `<script>fairlead('consent', true)</script>`;

  it('carry the visitor only in storage mode, and only to the hosts that the tag names (COL-06)', async () => {
    for (const mode of [usual, storage])
      for (const allowed of ['', 'data-allowed-hostnames="partner.example, third.example"'])
        for (const host of ['partner.example', 'stranger.example']) {
          await newcomer();
          page(`${mode} ${allowed}`, body(), granted);
          resources['/landing'] = { body: '<!doctype html>' };
          await open();
          const url = await followed(host);
          const carries = mode === storage && allowed !== '' && host === 'partner.example';
          expect(url.searchParams.has('_et_vid'), `${mode} ${allowed} ${host}`).toBe(carries);
        }
  });

  it('by the two documented parameters and no cookie, which are gone before an event leaves, and good once (COL-07, COL-08)', async () => {
    page(`${storage} data-allowed-hostnames="partner.example,shop.example"`, body(), granted);
    resources['/landing'] = resources['/'] as Resource;
    await open();
    const [known, visit] = await ids();
    const link = await visitor.getAttribute('#partner', 'href');
    const before = server.beacons.length;
    const url = await followed('partner.example');
    expect([...url.searchParams.keys()]).toEqual(['a', 'b', '_et_vid', '_et_sid']);
    expect(`${url}`, 'sealed').not.toContain(known);
    expect(await context.cookies()).toEqual([]);
    await expect.poll(() => server.beacons.slice(before).filter(({ event }) => event.n === 'pageview').length).toBe(1);
    expect(visitor.url(), 'the rest of the address is as it was').toBe(link);
    expect(await visitor.evaluate(() => [history.length, document.referrer.includes('_et_')])).toEqual([3, false]);
    for (const { raw, headers } of server.beacons) expect(raw + JSON.stringify(headers)).not.toContain('_et_');
    const arrived = server.beacons.findLast(({ event }) => event.n === 'pageview')?.event as Record<string, string>;
    expect([arrived.vi, arrived.si], 'the same visitor and visit on the other host').toEqual([known, visit]);

    // The same address again, by somebody else: it is good once.
    await newcomer();
    await open('partner.example', `${url.pathname}${url.search}`);
    const [other] = await ids();
    expect(other).toMatch(/^[\da-f]{32}$/);
    expect(other).not.toBe(known);
    expect(visitor.url()).not.toContain('_et_');
  });

  it('are refused after five minutes, on another host, changed, of another site, of another desk and a second time, whichever collector is asked (COL-08)', async () => {
    const place = { siteId: 1, host: 'partner.example' };
    const sender = { visitor: 'a'.repeat(32), visit: 'b'.repeat(32) };
    const links = collector();
    const made = () => links.make(sender, place);
    expect(await links.take(made(), place)).toEqual(sender);
    const once = made();
    const other = collector();
    expect(await Promise.all([links.take(once, place), other.take(once, place), links.take(once, place)])).toEqual([
      sender,
      undefined,
      undefined,
    ]);
    expect(await other.take(made(), place), 'of another collector of the desk').toEqual(sender);
    expect(await links.take(made(), { ...place, host: 'stranger.example' })).toBeUndefined();
    expect(await links.take(made(), { ...place, siteId: 2 })).toBeUndefined();
    expect(await links.take({ v: made().v, s: made().s }, place), 'parts of two links').toBeUndefined();
    const { v, s } = made();
    expect(await links.take({ v: `${v}=`, s }, place)).toBeUndefined();
    expect(await links.take({ v: v.slice(0, -2), s }, place)).toBeUndefined();
    const stranger = openLinks({ ...rig, random: systemRandom, keys: ringOf(Buffer.alloc(32, 9)), firstTime });
    expect(await stranger.take(made(), place), 'another desk').toBeUndefined();
    const late = made();
    const last = made();
    rig.clock.travel(5 * 60_000);
    expect(await links.take(last, place)).toEqual(sender);
    rig.clock.travel(1);
    expect(await links.take(late, place)).toBeUndefined();
  });
});

it('these tests notice what they are there for', async () => {
  const granted = `<script>fairlead('consent', true)</script>`;
  const broken = (file: string, find: RegExp, replacement: string) => {
    const path = `/js/${file}`;
    const text = String(built[path]?.body);
    expect(text.match(find), String(find)).not.toBeNull();
    resources = { ...built, [path]: { ...built[path], body: text.replace(find, replacement) } };
  };
  broken('fairlead.js', /"storage"===\w+\.persistence&&\w+\.persistence/, '"storage"');
  page(usual, '', granted);
  await open();
  expect(Object.keys(await kept()), 'COL-04').toHaveLength(2);

  await newcomer();
  broken('fairlead-storage.js', /(\w)=(\w)\.may/, '$1=!$2.may');
  page(storage);
  await open();
  expect(Object.keys(await kept()), 'CON-01').toHaveLength(2);

  await newcomer();
  await context.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true }));
  broken('fairlead-storage.js', /navigator\.globalPrivacyControl/, '!1');
  page(storage, '', granted);
  await open();
  expect(Object.keys(await kept()), 'COL-20').toHaveLength(2);

  await newcomer();
  broken('fairlead-storage.js', /history\.replaceState\([^)]*\)/, '0');
  page(`${storage} data-allowed-hostnames="partner.example"`, '', granted);
  await open('shop.example', '/?_et_vid=a&_et_sid=b');
  expect(visitor.url(), 'COL-08').toContain('_et_vid');
});
