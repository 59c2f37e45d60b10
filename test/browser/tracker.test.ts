import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildTracker } from '../../sdk/build.ts';
import type { EventOptions, Outcome } from '../../sdk/src/api.ts';
import { clickIdKinds } from '../../src/analytics/ingest/click_ids.ts';
import { launch } from './chromium.ts';
import { type Beacon, type Collector, type Resource, startCollector } from './collector.ts';
import { queueSnippet } from './journey.ts';

/** Names that lead to the loopback address, because the tracker does nothing on a page of localhost. */
const hosts = ['shop.example', 'stats.example', 'partner.example'];
/** The attributes of most pages here: the browser is automated, which keeps the tracker silent otherwise. */
const usual = 'data-domain="shop.example" data-local';

let browser: Browser;
let script: string;

/** The tab of the tests that change nothing about their browser: one that is warm takes half the time. */
let shared: Page;
beforeAll(async () => {
  script = (await buildTracker()).code;
  browser = await launch({ args: [`--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join()}`] });
  shared = await (await browser.newContext()).newPage();
});
afterAll(() => browser?.close());

type Global = Window & { fairlead: (name: string, options?: EventOptions) => void };

/** The server of one test, with the script at `/js/fairlead.js` and whatever the test adds. */
let server: Collector;
let context: BrowserContext;
let visitor: Page;
let resources: Record<string, Resource>;

beforeEach(async () => {
  resources = { '/js/fairlead.js': { body: script, type: 'text/javascript' } };
  server = await startCollector((url) => resources[url.pathname]);
  visitor = shared;
  context = shared.context();
});
afterEach(async () => {
  // A page that is left still says goodbye to the server that it came from.
  await shared.goto('about:blank');
  await server.close();
});

/** For tests that change their browser: its clock, or what a page finds in it. */
const inOwnBrowser = () => {
  beforeEach(async () => {
    context = await browser.newContext();
    visitor = await context.newPage();
  });
  afterEach(() => context.close());
};

const at = (host: string, path = '/') => `http://${host}:${server.port}${path}`;
const tagOf = (attributes: string) =>
  `<script defer src="${at('stats.example', '/js/fairlead.js')}" ${attributes}></script>`;
/** Serves this body at `/` with a script tag of these attributes. */
const page = (body = '', attributes = usual, path = '/') => {
  resources[path] = { body: `<!doctype html><title>Shop</title>${tagOf(attributes)}<body>${body}` };
};
const open = async (path = '/', host = 'shop.example') => {
  await visitor.goto(at(host, path));
  await server.until(({ event }) => event.n === 'pageview');
};
/** Sends an event from the page and resolves with what its callback was told. */
const tell = (name: string, options: Omit<EventOptions, 'callback'> = {}): Promise<Outcome> =>
  visitor.evaluate(
    ([name, options]) =>
      new Promise((callback) =>
        (window as unknown as Global).fairlead(name, {
          ...options,
          callback: ({ status, error }) => callback({ status, error: error && String(error) } as Outcome),
        }),
      ),
    [name, options] as const,
  );
/** All that has come once an event sent now has come, without that event itself. */
const all = async (): Promise<Beacon['event'][]> => {
  await tell('Last');
  await server.until(({ event }) => event.n === 'Last');
  return server.beacons.map(({ event }) => event).filter(({ n }) => n !== 'Last');
};
const names = async () => (await all()).map(({ n }) => n);
const settled = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe('where nothing is sent', () => {
  inOwnBrowser();
  const attributes = 'data-domain="shop.example"';
  const pretend = (key: string, value: unknown) =>
    context.addInitScript(
      ([key, value]) => {
        Object.defineProperty(Navigator.prototype, 'webdriver', { configurable: true, get: () => false });
        if (key === 'webdriver')
          Object.defineProperty(Navigator.prototype, key, { configurable: true, get: () => value });
        else if (key) (window as unknown as Record<string, unknown>)[key as string] = value;
      },
      [key, value],
    );

  it.each([
    ['a public host and a browser that a person drives', 'shop.example', '', true],
    ['localhost', 'localhost', '', false],
    ['a name below localhost', 'shop.localhost', '', false],
    ['127.0.0.1', '127.0.0.1', '', false],
    ['a browser under WebDriver', 'shop.example', 'webdriver', false],
    ['Cypress', 'shop.example', 'Cypress', false],
    ['PhantomJS', 'shop.example', '_phantom', false],
    ['Nightmare', 'shop.example', '__nightmare', false],
  ])('%s (%s %s): %s', async (_, host, robot, sends) => {
    await pretend(robot, true);
    page('<a id="out" href="javascript:void 0">x</a>', attributes);
    await visitor.goto(at(host));
    const untouched = await visitor.evaluate(() => /native code/.test(String(history.pushState)));
    expect(await tell('Called')).toEqual(sends ? { status: 202 } : {});
    await settled(150);
    expect(server.beacons.map(({ event }) => event.n)).toEqual(sends ? ['pageview', 'Called'] : []);
    expect(untouched).toBe(!sends);
  });

  it.each([
    ['', []],
    ['data-local', ['pageview']],
  ])('a file, unless it asks: %s', async (asks, sent) => {
    await pretend('', true);
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-tracker-'));
    try {
      await writeFile(join(folder, 'page.html'), `<!doctype html>${tagOf(`${attributes} ${asks}`)}`);
      await visitor.goto(`file://${folder}/page.html`);
      await tell('Last');
      await settled(150);
      expect(server.beacons.map(({ event }) => event.n).filter((name) => name !== 'Last')).toEqual(sent);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the script tag', () => {
  it.each([
    ['the endpoint is on the origin of the script', usual, 'stats.example', '/api/event', 'shop.example'],
    ['data-api, a path of the page', `${usual} data-api="/collect"`, 'shop.example', '/collect', 'shop.example'],
    [
      'data-api, another server',
      `${usual} data-api="//partner.example:PORT/e"`,
      'partner.example',
      '/e',
      'shop.example',
    ],
    [
      'several sites',
      'data-domain="shop.example,all.example" data-local',
      'stats.example',
      '/api/event',
      'shop.example,all.example',
    ],
    ['no data-domain: the host of the page', 'data-local', 'stats.example', '/api/event', 'shop.example'],
  ])('%s', async (_, attributes, host, path, domain) => {
    page('', attributes.replace('PORT', String(server.port)));
    await open();
    const [beacon] = server.beacons;
    expect([beacon?.headers.host, beacon?.path, beacon?.event.d]).toEqual([`${host}:${server.port}`, path, domain]);
  });

  it('a name and a path of your own, with the page, the script and the endpoint on one origin', async () => {
    resources['/assets/site.js'] = { body: script, type: 'text/javascript', headers: { 'set-cookie': 'login=secret' } };
    resources['/'] = { body: `<!doctype html><script src="/assets/site.js" ${usual} data-api="/t"></script>` };
    await open('/?token=secret');
    const [beacon] = server.beacons;
    expect(beacon?.path).toBe('/t');
    expect(await context.cookies()).toHaveLength(1);
    expect(beacon?.headers, 'the cookies of the site stay away from the endpoint').not.toHaveProperty('cookie');
    expect(beacon?.headers, 'and so does the address of the page').not.toHaveProperty('referer');
  });

  it.each([
    ['defer', (tag: string) => tag],
    ['async', (tag: string) => tag.replace('defer', 'async')],
    ['neither', (tag: string) => tag.replace('defer', '')],
    ['in the page twice', (tag: string) => tag + tag],
    [
      'injected by another script',
      () => `<script>
        const tag = document.createElement('script');
        tag.src = '${at('stats.example', '/js/fairlead.js')}';
        tag.dataset.domain = 'shop.example';
        tag.dataset.local = '';
        document.head.append(tag);
      </script>`,
    ],
  ])('loaded with %s: one page view', async (_, load) => {
    resources['/'] = {
      body: `<!doctype html><title>Shop</title>${queueSnippet}<script>fairlead('Early')</script>${load(tagOf(usual))}`,
    };
    await open();
    expect(await names()).toEqual(['pageview', 'Early']);
  });

  it('works under the strictest policy that names its two addresses, and breaks no rule of it', async () => {
    const origin = at('stats.example', '');
    page('<a id="out" target="_blank" href="http://partner.example/">x</a>');
    resources['/'] = {
      body: (resources['/'] as Resource).body,
      headers: {
        'content-security-policy': `default-src 'none'; script-src ${origin}; connect-src ${origin}; require-trusted-types-for 'script'; trusted-types 'none'`,
      },
    };
    const complaints: string[] = [];
    visitor.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await open();
    await visitor.click('#out');
    expect(await names()).toEqual(['pageview', 'Outbound Link: Click']);
    expect(complaints.filter((text) => !text.includes('favicon'))).toEqual([]);
  });

  it('data-manual: no page view but those that the page asks for, with engagement for these', async () => {
    page('', `${usual} data-manual`);
    await visitor.goto(at('shop.example'));
    await visitor.evaluate(() => history.pushState(null, '', '/next'));
    await tell('pageview', { url: '/virtual', props: { author: 'A' } });
    await visitor.goto('about:blank');
    const told = await server.until(({ event }) => event.n === 'engagement');
    expect(server.beacons.map(({ event }) => event.n)).toEqual(['pageview', 'engagement']);
    expect(told[0]?.event).toMatchObject({ u: at('shop.example', '/virtual'), p: { author: 'A' } });
  });

  it.each([
    [
      'data-exclude="/admin/**, /*/preview"',
      ['/', '/blog/a/preview', '/administrator'],
      ['/admin/', '/admin/a/b', '/blog/preview'],
    ],
    ['data-include="/blog**"', ['/blog', '/blog/a/b'], ['/', '/shop']],
    ['data-include="/blog/**" data-exclude="/blog/drafts/*"', ['/blog/a', '/blog/drafts/a/b'], ['/blog/drafts/a']],
    ['data-exclude="/a.b,/(c"', ['/aXb', '/c'], ['/a.b', '/(c']],
  ])('%s', async (attribute, sent, kept) => {
    page('', `${usual} data-manual ${attribute}`);
    await visitor.goto(at('shop.example'));
    for (const url of sent) expect(await tell('Probe', { url }), url).toEqual({ status: 202 });
    for (const url of kept) expect(await tell('Probe', { url }), url).toEqual({});
  });

  it('an excluded page sends neither its view nor engagement, and the next page does', async () => {
    page('', `${usual} data-exclude="/admin"`, '/admin');
    await visitor.goto(at('shop.example', '/admin'));
    await visitor.evaluate(() => history.pushState(null, '', '/shop'));
    await server.until(({ event }) => event.n === 'pageview');
    expect(server.beacons.map(({ event }) => [event.n, event.u])).toEqual([['pageview', at('shop.example', '/shop')]]);
  });

  it('data-transform: a function of the page sees the id of each event, which a pixel can send too', async () => {
    page(
      `<script>var pixel = []; function seen(event) { pixel.push([event.n, event.id]); return event }</script>`,
      `${usual} data-transform="seen"`,
    );
    await open();
    await tell('Purchase');
    const sent = (await all()).map(({ n, id }) => [n, id]);
    expect(sent.map(([n]) => n)).toEqual(['pageview', 'Purchase']);
    expect(new Set(sent.map(([, id]) => id)).size).toBe(2);
    expect(await visitor.evaluate(() => (window as unknown as { pixel: string[][] }).pixel.slice(0, 2))).toEqual(sent);
  });

  it('data-transform: a function of the page changes an event, or keeps it from leaving', async () => {
    page(
      `<script>function review(event) { event.p = { ...event.p, theme: 'dark' }; return event.n === 'Secret' ? null : event }</script>`,
      `${usual} data-transform="review"`,
    );
    await open();
    expect(await tell('Secret')).toEqual({});
    expect((await all()).map(({ n, p }) => [n, p])).toEqual([['pageview', { theme: 'dark' }]]);
  });
});

describe('a mistake of the page', () => {
  it.each([
    ['a transform that fails', `${usual} data-transform="broken"`, {}],
    ['an address that is none', usual, { url: 'http://' }],
    ['properties that are no JSON', usual, { props: 'circle' }],
  ])('%s is reported, and breaks nothing', async (_, attributes, options) => {
    const reported: string[] = [];
    context.on('weberror', (error) => reported.push(error.error().message));
    page(
      `<script>function broken(event) { if (path) throw new Error('broken'); return event } path = ''</script>`,
      attributes,
    );
    await open();
    const path = await visitor.evaluate((options) => {
      const circle: Record<string, unknown> = {};
      circle.circle = circle;
      (window as unknown as { path: string }).path = 'now';
      history.pushState(null, '', '/next');
      (window as unknown as Global).fairlead('Probe', (options.props ? { props: circle } : options) as EventOptions);
      return location.pathname;
    }, options as EventOptions);
    expect(path).toBe('/next');
    await expect.poll(() => reported.length).toBeGreaterThan(0);
  });
});

describe('an address keeps nothing but its campaign (COL-19)', () => {
  const clickIds = clickIdKinds.map((kind, index) => `${kind}=${index}`).join('&');
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln';

  it('in its query', async () => {
    page('', `${usual} data-manual`);
    await visitor.goto(at('shop.example'));
    for (const [url, kept] of [
      ['/a', '/a'],
      ['/a?', '/a'],
      [`/a?token=${token}&email=ann%40mail.example`, '/a'],
      ['/a?email=ann@mail.example&utm_source=x', '/a?utm_source=x'],
      ['/a?utm_source=x&email=ann@mail.example', '/a?utm_source=x'],
      ['/a?utm_source=x&session=1&utm_medium=y&code=2&utm_campaign=z', '/a?utm_source=x&utm_medium=y&utm_campaign=z'],
      ['/a?utm_term=t&utm_content=c&utm_id=i', '/a?utm_term=t&utm_content=c&utm_id=i'],
      ['/a?ref=x&source=y&refresh=z&sources=w&xref=v', '/a?ref=x&source=y'],
      [`/a?${clickIds}`, `/a?${clickIds}`],
      ['/a?my_gclid=1&gclid_x=2&UTM_SOURCE=3&utm_source', '/a'],
      ['/a?next=/b?utm_source=x', '/a'],
      [`/a#access_token=${token}`, '/a'],
      ['http://ann:secret@partner.example/b?key=1#c', 'http://partner.example/b'],
    ] as const) {
      await tell('Probe', { url });
      expect(server.beacons.at(-1)?.event.u, url).toBe(new URL(kept, at('shop.example')).href);
    }
  });

  it('in its fragment, on a site that routes by it', async () => {
    page('', `${usual} data-manual data-hash`);
    await visitor.goto(at('shop.example'));
    for (const [url, kept] of [
      ['/a#/b', '/a#/b'],
      ['/a#!/b/c', '/a#!/b/c'],
      [`/a#/b?token=${token}`, '/a#/b'],
      [`/a#access_token=${token}`, '/a#access_token'],
      [`/a#/b&state=${token}`, '/a#/b'],
    ] as const) {
      await tell('Probe', { url });
      expect(server.beacons.at(-1)?.event, url).toMatchObject({ u: new URL(kept, at('shop.example')).href, h: 1 });
    }
  });

  it('in the referrer', async () => {
    page();
    await visitor.goto(at('shop.example'), { referer: at('shop.example', `/from?token=${token}`) });
    await server.until(({ event }) => event.n === 'pageview');
    expect(server.beacons[0]?.event.r).toBe(at('shop.example', '/from'));
  });
});

describe('a click', () => {
  const out = (url: string) => ['Outbound Link: Click', { url }];
  /** What clicks on `#it` in each of these pages send; the browser is kept from following them. */
  const clicked = async (rows: (readonly [html: string, ...expected: unknown[]])[]) => {
    page('<div id="stage"></div>');
    await open();
    for (const [html, ...expected] of rows) {
      server.beacons.length = 0;
      await visitor.evaluate((html) => {
        const stage = document.getElementById('stage') as HTMLElement;
        stage.innerHTML = html;
        stage.onclick = () => false;
        stage
          .querySelector('#it')
          ?.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true, cancelable: true }));
      }, html);
      expect(
        (await all()).map(({ n, p }) => [n, p]),
        html,
      ).toEqual(expected);
    }
  };

  it('on a link to another host counts, without credentials, query and fragment', () =>
    clicked([
      ['<a id="it" href="/about?a=1">'],
      ['<a id="it" href="#part">'],
      ['<a id="it" href="https://partner.example/a/b?c=d#e">', out('https://partner.example/a/b')],
      ['<a id="it" href="https://blog.shop.example/">', out('https://blog.shop.example/')],
      ['<a id="it" href="https://ann:secret@partner.example/a">', out('https://partner.example/a')],
      ['<a href="//partner.example/"><b><i><u><s id="it">', out('http://partner.example/')],
      ['<a id="it" href="javascript:void 0">'],
      ['<a id="it" href="sms:+15550142">'],
      ['<a id="it">'],
      ['<button id="it">'],
      // Has an address of another kind, which is left alone.
      ['<svg><a href="https://partner.example/"><text id="it">x</text></a></svg>'],
    ]));

  it('on a file counts as a download, wherever the file is', () => {
    const download = (url: string) => ['File Download', { url: new URL(url, at('shop.example')).href }];
    const extensions =
      'pdf xlsx docx txt rtf csv exe key pps ppt pptx 7z pkg rar gz zip avi mov mp4 mpeg wmv midi mp3 wav wma dmg';
    return clicked([
      ...extensions.split(' ').map((name) => [`<a id="it" href="/a.${name}?b=c#d">`, download(`/a.${name}`)] as const),
      ['<a id="it" href="/B.ZIP">', download('/B.ZIP')],
      ['<a id="it" href="https://partner.example/d.mp4?e">', download('https://partner.example/d.mp4')],
      ['<a id="it" href="/pdf/zip.html">'],
      ['<a id="it" href="/report.pdfx">'],
    ]);
  });

  it('on a mail address tells the domain, on a phone number nothing (COL-11, COL-12)', () =>
    clicked([
      ['<a id="it" href="mailto:ann@mail.example">', ['Mailto: Click', { domain: 'mail.example' }]],
      [
        '<a id="it" href="mailto:ann@mail.example,bob@post.example?cc=carl@x.example">',
        ['Mailto: Click', { domain: 'post.example' }],
      ],
      ['<a id="it" href="mailto:&quot;ann@home&quot;@mail.example">', ['Mailto: Click', { domain: 'mail.example' }]],
      ['<a id="it" href="mailto:?to=ann@mail.example">', ['Mailto: Click', {}]],
      ['<a id="it" href="mailto:ann">', ['Mailto: Click', {}]],
      ['<a id="it" href="tel:+1-555-0142">', ['Tel: Click', {}]],
    ]));

  it('on a tagged element sends its event, and that alone', () =>
    clicked([
      ['<button id="it" data-fairlead-event="Buy" data-fairlead-size="L">', ['Buy', { size: 'L' }]],
      ['<a id="it" data-fairlead-event="Buy" href="https://partner.example">', ['Buy', {}]],
      ['<b id="it" data-fairlead-event="Buy" data-fairlead-name="Hat">', ['Buy', { name: 'Hat' }]],
      ['<b data-fairlead-event="Buy"><p><b><i id="it">', ['Buy', {}]],
      ['<b data-fairlead-event="Buy"><p><b><i><u id="it">'],
      ['<b id="it" data-fairlead-size="L">'],
      ['<form data-fairlead-event="Sent"><input id="it">'],
      ['<a data-fairlead-event="Logo"><svg><g><path id="it">', ['Logo', {}]],
      ['<b id="it" class="a plausible-event-name--Sign+up plausible-event-plan=pro">', ['Sign up', { plan: 'pro' }]],
    ]));

  it.each([
    ['a link inside a component', '<div id="host"></div>', '<a id="it" href="https://partner.example/">x</a>'],
    ['a component inside a link', '<a href="https://partner.example/"><div id="host"></div></a>', '<i id="it">x</i>'],
  ])('on %s', async (_, html, shadow) => {
    page(html);
    await open();
    await visitor.evaluate((shadow) => {
      const root = (document.getElementById('host') as HTMLElement).attachShadow({ mode: 'open' });
      root.innerHTML = shadow;
      addEventListener('click', (event) => event.preventDefault());
      root.getElementById('it')?.click();
    }, shadow);
    expect((await all()).slice(1).map(({ n, p }) => [n, p])).toEqual([out('https://partner.example/')]);
  });
});

describe('a form', () => {
  it.each([
    ['complete', '<form><input name="a" value="secret"><button>x</button></form>', true, ['Form: Submission']],
    ['incomplete', '<form><input name="a" required><button>x</button></form>', false, []],
    [
      'incomplete, without validation',
      '<form novalidate><input name="a" required><button>x</button></form>',
      true,
      ['Form: Submission'],
    ],
    [
      'with fields that hide what a form has: sent all the same, and not counted',
      '<form><input name="matches"><input name="attributes"><input name="href"><button>x</button></form>',
      true,
      [],
    ],
  ])('%s', async (_, html, reaches, expected) => {
    page(html);
    await open();
    await visitor.evaluate(() =>
      addEventListener('submit', (event) => {
        event.preventDefault();
        document.title = 'Sent';
      }),
    );
    await visitor.click('button');
    const sent = (await all()).slice(1);
    expect(sent.map(({ n }) => n)).toEqual(expected);
    expect(JSON.stringify(sent)).not.toContain('secret');
    expect(await visitor.title()).toBe(reaches ? 'Sent' : 'Shop');
  });
});

describe('an application that changes its address', () => {
  it('loses no page view to a visitor who leaves at once', async () => {
    page();
    await open();
    await visitor.evaluate(() => {
      history.pushState(null, '', '/checkout');
      location.href = 'about:blank';
    });
    await visitor.waitForURL('about:blank');
    const [view] = await server.until(({ event }) => event.u?.endsWith('/checkout') ?? false);
    expect(view?.event.n).toBe('pageview');
  });

  it('sends the page view before what happens on the page', async () => {
    page();
    await open();
    await visitor.evaluate(() => {
      history.pushState(null, '', '/checkout');
      (window as unknown as Global).fairlead('Viewed cart');
    });
    expect((await all()).map(({ n, u }) => `${n} ${new URL(u ?? '').pathname}`)).toEqual([
      'pageview /',
      'engagement /',
      'pageview /checkout',
      'Viewed cart /checkout',
    ]);
  });

  it('starts the depth of a page where the page starts, not where the last one was left', async () => {
    page('<div style="height:7200px"></div>');
    await open();
    await visitor.evaluate(async () => {
      scrollTo(0, 7200);
      await new Promise((done) => addEventListener('scroll', done, { once: true }));
      history.pushState(null, '', '/next');
      scrollTo(0, 0);
    });
    await server.until(({ event }) => event.n === 'pageview', 2);
    await visitor.goto('about:blank');
    const told = await server.until(({ event }) => event.n === 'engagement', 2);
    expect(told.map(({ event }) => event.sd)).toEqual([100, 10]);
  });
});

describe('a tab that nobody has looked at', () => {
  inOwnBrowser();

  it('sends nothing, and one page view when somebody does', async () => {
    await context.addInitScript(() => {
      let hidden = true;
      Object.defineProperty(Document.prototype, 'hidden', { configurable: true, get: () => hidden });
      (window as unknown as { show: () => void }).show = () => {
        hidden = false;
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      };
    });
    page();
    await visitor.goto(at('shop.example'));
    await visitor.evaluate(() => history.replaceState(null, '', '/ready'));
    await settled(200);
    expect(server.beacons).toHaveLength(0);
    await visitor.evaluate(() => (window as unknown as { show: () => void }).show());
    await server.until(({ event }) => event.n === 'pageview');
    expect((await all()).map(({ n, u }) => [n, u])).toEqual([['pageview', at('shop.example', '/ready')]]);
  });
});

describe('a failure', () => {
  inOwnBrowser();
  const waits = [2_900, 200, 60_000];

  it.each([
    ['none', [], [1, 1, 1], { status: 202 }],
    ['the server refuses for good', [400], [1, 1, 1], { status: 400 }],
    ['the server is busy once', [503], [1, 2, 2], { status: 202 }],
    ['the connection breaks once', ['break' as const], [1, 2, 2], { status: 202 }],
    ['the server is busy for long', [503, 500, 500], [1, 2, 2], { status: 500 }],
    [
      'the connection stays broken',
      ['break' as const, 'break' as const, 'break' as const],
      [1, 2, 2],
      { error: 'TypeError: Failed to fetch' },
    ],
  ])('%s: retried once after three seconds at most', async (_, answers, counts, outcome) => {
    await visitor.clock.install();
    page('', `${usual} data-manual`);
    await visitor.goto(at('shop.example'));
    await visitor.clock.pauseAt(Date.now() + 60_000);
    server.answers.push(...answers);
    const told = tell('Probe');
    await server.until(({ event }) => event.n === 'Probe');
    for (const [index, ms] of waits.entries()) {
      await settled(150);
      await visitor.clock.runFor(ms);
      await settled(150);
      expect(server.beacons, `after wait ${index}`).toHaveLength(counts[index] as number);
    }
    expect(await told).toEqual(outcome);
    expect(new Set(server.beacons.map(({ raw }) => raw)).size, 'the retry is the same event').toBe(1);
  });

  it('of a browser that ends requests with their page: a beacon is sent instead', async () => {
    await context.addInitScript(() => delete (Request.prototype as { keepalive?: boolean }).keepalive);
    page();
    await open();
    await visitor.goto('about:blank');
    await server.until(({ event }) => event.n === 'engagement');
    expect(server.beacons.map(({ headers }) => headers['content-type'])).toEqual([
      'text/plain;charset=UTF-8',
      'text/plain;charset=UTF-8',
    ]);
  });

  it('of nothing costs one request without a preflight', async () => {
    page();
    await open();
    expect(server.visited.filter((address) => address.includes('/api/event'))).toEqual([]);
    expect(server.beacons[0]?.headers['content-type']).toBe('text/plain;charset=UTF-8');
  });
});

describe('engagement', () => {
  inOwnBrowser();
  /** A page of ten screens, with a stopped clock and a window that can really lose the focus. */
  const read = async () => {
    await visitor.clock.install();
    page('<div style="height:7200px"></div>');
    await open();
    await visitor.clock.pauseAt(Date.now() + 60_000);
    const protocol = await context.newCDPSession(visitor);
    await protocol.send('Emulation.setFocusEmulationEnabled', { enabled: false });
    const other = await context.newPage();
    await leave(other);
    const told = await engagements(1);
    server.beacons.length = 0;
    return { other, first: told[0] };
  };
  const leave = async (other: Page) => {
    await other.bringToFront();
    await visitor.waitForFunction(() => !document.hasFocus(), undefined, { polling: 20 }).catch(() => {});
  };
  const comeBack = async () => {
    await visitor.bringToFront();
    await settled(150);
  };
  const engagements = async (count: number) =>
    (await server.until(({ event }) => event.n === 'engagement', count)).map(({ event: { e, sd, u } }) => ({
      e,
      sd,
      u,
    }));
  const scroll = (y: number) =>
    visitor.evaluate(async (y) => {
      const scrolled = new Promise((done) => addEventListener('scroll', done, { once: true }));
      scrollTo(0, y);
      await scrolled;
    }, y);

  it('counts the time during which the page has the focus, to the millisecond, and no other', async () => {
    const { other, first } = await read();
    expect(first?.sd).toBe(10);
    await visitor.clock.runFor(60_000); // Out of focus.
    await comeBack();
    await visitor.clock.runFor(5_250);
    await leave(other);
    await visitor.clock.runFor(60_000);
    await comeBack();
    await visitor.clock.runFor(2_999); // Too little to tell, but not forgotten.
    await leave(other);
    await comeBack();
    await visitor.clock.runFor(1);
    await visitor.goto('about:blank');
    expect(await engagements(2)).toMatchObject([{ e: 5_250 }, { e: 3_000 }]);
    expect(server.beacons).toHaveLength(2);
  });

  it('tells of new depth after any time, and of nothing new not at all', async () => {
    const { other } = await read();
    await comeBack();
    await scroll(2_880);
    await scroll(720);
    await visitor.clock.runFor(700);
    await leave(other);
    await comeBack();
    await scroll(1_440);
    await leave(other);
    await comeBack();
    await scroll(7_200);
    await visitor.goto('about:blank');
    expect(await engagements(2)).toMatchObject([
      { e: 700, sd: 50 },
      { e: 0, sd: 100 },
    ]);
    expect(server.beacons).toHaveLength(2);
  });

  it('starts anew with a page that comes back from the back-forward cache', async () => {
    const keeping = await launch({ backForwardCache: true });
    try {
      const visitor = await keeping.newPage();
      resources['/away'] = { body: '<!doctype html><p>Away' };
      resources['/'] = {
        body: `<!doctype html><title>Shop</title>${tagOf(usual).replace('stats.example', '127.0.0.1')}<a href="/away">x</a>`,
      };
      await visitor.goto(at('127.0.0.1'));
      await visitor.evaluate(() => Object.assign(window, { kept: true }));
      await visitor.click('a');
      await visitor.waitForURL('**/away');
      await visitor.evaluate(() => history.back());
      await server.until(({ event }) => event.n === 'pageview', 2);
      expect(await visitor.evaluate(() => 'kept' in window), 'the page was kept, not loaded again').toBe(true);
      await visitor.goto('about:blank');
      await engagements(2);
      expect(server.beacons.map(({ event }) => event.n)).toEqual(['pageview', 'engagement', 'pageview', 'engagement']);
    } finally {
      await keeping.close();
    }
  });
});

describe('the npm package', () => {
  it('keeps what is tracked before init, starts once, and adds no global', async () => {
    const built = await build({
      stdin: {
        contents: `import { init, track } from './src/index.ts';
          const settings = { domain: 'shop.example', endpoint: '/api/event', local: true, exclude: ['/admin/**'] };
          track('Before', { props: { n: 1 } });
          init(settings);
          init(settings);
          track('After', { url: '/admin/a', callback: () => track('After', { callback: () => { document.title = 'Done' } }) });`,
        resolveDir: fileURLToPath(new URL('../../sdk', import.meta.url)),
      },
      bundle: true,
      write: false,
      format: 'iife',
    });
    resources['/app.js'] = { body: built.outputFiles[0]?.text ?? '', type: 'text/javascript' };
    resources['/'] = { body: '<!doctype html><title>App</title><script src="/app.js"></script>' };
    await visitor.goto(at('shop.example'));
    await visitor.waitForFunction(() => document.title === 'Done');
    // Each is a request of its own: they leave in order, but may overtake one another on their connections.
    await expect.poll(() => server.beacons.length).toBe(3);
    expect(server.beacons.map(({ event }) => [event.n, event.p])).toEqual(
      expect.arrayContaining([
        ['pageview', undefined],
        ['Before', { n: 1 }],
        ['After', undefined],
      ]),
    );
    expect(await visitor.evaluate(() => 'fairlead' in window)).toBe(false);
  });
});
