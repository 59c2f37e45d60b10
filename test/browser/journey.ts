import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Beacon, type Collector, type Resource, startCollector } from './collector.ts';
import { inspectionPath, isAsking, leftBehind, setTraps } from './traps.ts';

/**
 * One visitor's whole session, played in a real browser on a page that traps every kind of device storage. What it
 * saw is read twice: `faultsOf` names the promises of the ledger that were broken (the proof kit runs it against
 * sabotaged scripts), and tracker-session.test.ts looks for each thing that the tracker is meant to capture.
 */
export interface Session {
  /** In the order of arrival. */
  beacons: Beacon[];
  /** Addresses that the desk was asked for in another way than by an event. */
  asked: string[];
  /** Storage and consent APIs that were touched, and what was found on the device afterwards. */
  sprung: string[];
  leftBehind: string[];
  /** Exceptions that nothing caught. */
  errors: string[];
  /** Names on `window` that a page has with the script and lacks without it. */
  globals: string[];
  /** The document of the same page with the script and without it, after load, scroll and click. */
  dom: { with: string; without: string };
  /** Everything that other hosts were asked for by clicked links, as they received it. */
  followed: string[];
  /** Events of three loads of one page: the first, its reload, and a new tab. */
  loads: Beacon[][];
  /** What callbacks of custom events were told. */
  outcomes: unknown[];
}

export interface Fault {
  /** The requirement of the promise ledger. */
  id: string;
  fact: string;
}

/** Words that the visitor types, or that are in the page, in links and in addresses, and that must never leave. */
export const canaries = {
  'text input': 'canary-text-7f3a',
  email: 'canary-mail-91bc',
  password: 'canary-password-e2d8',
  autofill: 'canary-autofill-44aa',
  textarea: 'canary-textarea-c0de',
  selection: 'canary-option-5b1e',
  'hidden field': 'canary-hidden-8842',
  'address token': 'canary-token-3c9f',
  fragment: 'canary-fragment-d41d',
  'link query': 'canary-query-b6a0',
  'link fragment': 'canary-anchor-1f2e',
  'mail address': 'canary-recipient-9e9e',
  'mail subject': 'canary-subject-70f1',
  'phone number': '5550142777',
  'element text': 'canary-label-aa31',
} as const;

const page = (title: string, body: string, head = '') =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>${head}</head><body>${body}</body></html>`;

/** The fragment of a page that queues calls before the script is there; as in docs/guides/tracker.md. */
export const queueSnippet =
  '<script>window.fairlead=window.fairlead||function(){(fairlead.q=fairlead.q||[]).push(arguments)}</script>';

const shop = (scriptTag: string, elsewhere: string) =>
  page(
    'Shop',
    `
<div style="height:400px">Welcome</div>
<a id="same-tab" href="${elsewhere}/landing?q=${canaries['link query']}#${canaries['link fragment']}">partner</a>
<a id="new-tab" target="_blank" href="${elsewhere}/new-tab"><svg width="20" height="20"><rect width="20" height="20"/></svg></a>
<a id="middle" href="${elsewhere}/middle"><b><i>middle</i></b></a>
<a id="internal" href="#${canaries.fragment}">internal</a>
<a id="download" href="/files/Price%20list.PDF?sig=${canaries['link query']}">price list</a>
<a id="mail" href="mailto:${canaries['mail address']}@mail.example?subject=${canaries['mail subject']}">write</a>
<a id="phone" href="tel:+1${canaries['phone number']}">call</a>
<div data-fairlead-event="Deep" data-fairlead-plan="team" data-fairlead-seat-count="12"><p><b><i id="third-parent">${canaries['element text']}</i></b></p></div>
<div data-fairlead-event="Too deep"><p><b><i><u id="fourth-parent">far</u></i></b></p></div>
<button id="moved" class="big plausible-event-name=Moved+in plausible-event-plan=solo">moved</button>
<form id="plain" action="/thanks"><input name="text"><input type="email" name="email" required>
  <input type="password" name="password"><input name="name" autocomplete="name"><textarea name="more"></textarea>
  <select name="choice"><option>none</option><option>${canaries.selection}</option></select>
  <input type="hidden" name="hidden" value="${canaries['hidden field']}"><button>send</button></form>
<form id="free" novalidate><input name="needed" required><button>send</button></form>
<form id="named" data-fairlead-event="Newsletter" data-fairlead-list="weekly"><input name="mail"><button>send</button></form>
<div style="height:3000px">Long</div>
<script>
addEventListener('click', (event) => event.target.closest('#mail, #phone') && event.preventDefault());
addEventListener('submit', (event) => event.target.matches('#free, #named') && event.preventDefault());
</script>`,
    scriptTag,
  );

/**
 * Plays the session against this script, with the page on one origin and script and endpoint on another.
 *
 * @param script the code to serve as `/js/fairlead.js`
 * @param contact the tag carries `data-contact`: the switch of rule R12
 * @param privacySignals the browser sends Sec-GPC and DNT and tells scripts so
 */
export const playSession = async (
  browser: Browser,
  script: string,
  { contact = false, privacySignals = false }: { contact?: boolean; privacySignals?: boolean } = {},
): Promise<Session> => {
  const desk = await startCollector((url) =>
    url.pathname === '/js/fairlead.js' ? { body: script, type: 'text/javascript' } : undefined,
  );
  const tag = (attributes: string) =>
    `<script defer src="${desk.origin}/js/fairlead.js" data-domain="shop.example" data-local ${attributes}></script>`;
  const site = await startCollector((url): Resource | undefined => {
    const elsewhere = `http://localhost:${url.port}`;
    if (url.pathname === '/shop')
      return {
        body: shop(
          `${queueSnippet}<script>fairlead('Queued', { props: { place: 'head' } })</script>${tag(contact ? 'data-contact' : '')}`,
          elsewhere,
        ),
      };
    if (url.pathname === '/measured') return { body: shop(tag(''), elsewhere) };
    if (url.pathname === '/unmeasured') return { body: shop(tag('').replace(desk.origin, ''), elsewhere) };
    if (url.pathname === '/js/fairlead.js') return { body: '', type: 'text/javascript' };
    if (url.pathname === '/routes') return { body: page('Routes', '<p>Routes</p>', tag('data-hash')) };
    if (url.pathname.startsWith('/files/'))
      return { body: 'file', type: 'application/pdf', headers: { 'content-disposition': 'attachment' } };
    if (url.pathname === '/thanks') return { body: page('Thanks', '<p>Thank you</p>', tag('')) };
    return { body: page(url.pathname, '<p>Elsewhere</p>') };
  });
  const context = await browser.newContext(privacySignals ? { extraHTTPHeaders: { 'Sec-GPC': '1', DNT: '1' } } : {});
  try {
    if (privacySignals)
      await context.addInitScript(() => {
        Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { configurable: true, get: () => true });
        Object.defineProperty(Navigator.prototype, 'doNotTrack', { configurable: true, get: () => '1' });
      });
    const sprung = await setTraps(context);
    const errors: string[] = [];
    context.on('weberror', (error) => errors.push(error.error().message));
    const visitor = await context.newPage();
    const outcomes = await browse({ visitor, context, desk, site });
    const loads = await loadThreeTimes({ visitor, context, desk, site });
    const measured = await look(visitor, `${site.origin}/measured`);
    const unmeasured = await look(visitor, `${site.origin}/unmeasured`);
    await visitor.goto(site.origin + inspectionPath);
    return {
      beacons: desk.beacons,
      asked: desk.visited.filter((address) => !address.endsWith('/js/fairlead.js')),
      sprung,
      leftBehind: await leftBehind(context, visitor),
      errors,
      globals: measured.globals.filter((name) => !unmeasured.globals.includes(name)),
      // The two pages differ in the address of the script on purpose.
      dom: { with: measured.html.replace(desk.origin, ''), without: unmeasured.html },
      followed: site.visited.filter((address) => address.startsWith('localhost')),
      loads,
      outcomes,
    };
  } finally {
    await context.close();
    await desk.close();
    await site.close();
  }
};

interface Scene {
  visitor: Page;
  context: BrowserContext;
  desk: Collector;
  site: Collector;
}

const named = (name: string) => (beacon: Beacon) => beacon.event.n === name;
const viewed = (path: string) => (beacon: Beacon) =>
  beacon.event.n === 'pageview' && new URL(beacon.event.u ?? '').pathname === path;

const browse = async ({ visitor, context, desk, site }: Scene): Promise<unknown[]> => {
  await visitor.goto(
    `${site.origin}/shop?utm_source=news&token=${canaries['address token']}&gclid=click-1&utm_campaign=spring#${canaries.fragment}`,
    { referer: `${site.origin}/before?token=${canaries['address token']}` },
  );
  await desk.until(viewed('/shop'));
  await desk.until(named('Queued'));

  // Typing, autofill and a choice, then the three kinds of forms.
  await visitor.fill('[name=text]', canaries['text input']);
  await visitor.fill('[name=password]', canaries.password);
  await visitor.fill('[name=more]', canaries.textarea);
  await visitor.selectOption('[name=choice]', canaries.selection);
  await visitor.locator('[name=name]').evaluate((field, value) => {
    (field as HTMLInputElement).value = value;
    field.dispatchEvent(new Event('change', { bubbles: true }));
  }, canaries.autofill);
  await visitor.click('#plain button'); // Stays: the address is missing.
  await visitor.click('#free button');
  await visitor.fill('[name=mail]', `${canaries.email}@mail.example`);
  await visitor.click('#named button');
  await desk.until(named('Newsletter'));

  // Clicks.
  await visitor.click('#mail');
  await visitor.click('#phone');
  await visitor.click('#third-parent');
  await visitor.click('#fourth-parent');
  await visitor.click('#moved');
  await visitor.click('#moved', { button: 'right' });
  await visitor.click('#internal');
  await visitor.click('#download');
  await desk.until(named('File Download'));
  for (const [selector, button] of [['#new-tab', 'left'] as const, ['#middle', 'middle'] as const]) {
    const [tab] = await Promise.all([context.waitForEvent('page'), visitor.click(selector, { button })]);
    await tab.waitForLoadState();
    await tab.close();
  }

  // Custom events and their callbacks.
  const outcomes = await visitor.evaluate(async () => {
    const { fairlead } = window as unknown as {
      fairlead: (name: string, options: Record<string, unknown>) => void;
    };
    const told = (name: string, options: Record<string, unknown>) =>
      new Promise((callback) =>
        fairlead(name, {
          ...options,
          callback: ({ status, error }: Record<string, unknown>) => callback({ status, error }),
        }),
      );
    return [
      await told('purchase', {
        props: { plan: 'team', seats: 3 },
        revenue: { amount: '49.90', currency: 'EUR', order_id: '1042' },
      }),
      await told('Ad shown', { interactive: false }),
      await told('Elsewhere', { url: '/virtual?utm_medium=app&secret=1' }),
    ];
  });

  // An application that changes its address; the last three are the same page and count nothing.
  await visitor.evaluate((fragment) => {
    history.pushState(null, '', '/app/one?utm_source=news');
    document.title = 'One';
    history.replaceState(null, '', '/app/two');
    document.title = 'Two';
    history.pushState(null, '', '/app/two?sort=price');
    history.replaceState(null, '', '/app/two?sort=name');
    location.hash = fragment;
  }, canaries.fragment);
  await desk.until(viewed('/app/two'));
  // Back over two states of the same page and the page itself, to what was there before.
  await visitor.evaluate(() => history.go(-3));
  await desk.until(viewed('/shop'), 2);

  // Away over a link and back, which is a new view of the page; then a form that takes its values into the address.
  await visitor.goto(`${site.origin}/shop`);
  await desk.until(viewed('/shop'), 3);
  await visitor.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await visitor.waitForFunction(() => scrollY > 0);
  await visitor.click('#same-tab');
  await visitor.waitForURL('**/landing?*');
  await visitor.goBack();
  await desk.until(viewed('/shop'), 4);
  await visitor.fill('[name=email]', `${canaries.email}@mail.example`);
  await visitor.fill('[name=text]', canaries['text input']);
  await visitor.click('#plain button');
  await desk.until(viewed('/thanks'));

  // A site that routes by fragment.
  await visitor.goto(`${site.origin}/routes#/first?token=${canaries['address token']}`);
  await desk.until((beacon) => beacon.event.u?.endsWith('#/first') ?? false);
  await visitor.evaluate(() => {
    location.hash = '/second';
  });
  await desk.until((beacon) => beacon.event.u?.endsWith('#/second') ?? false);
  return outcomes;
};

const loadThreeTimes = async ({ visitor, context, desk, site }: Scene): Promise<Beacon[][]> => {
  const loads: Beacon[][] = [];
  const load = async (page: Page, go: () => Promise<unknown>) => {
    const from = desk.beacons.length;
    await go();
    await desk.until((beacon) => desk.beacons.indexOf(beacon) >= from && viewed('/thanks')(beacon));
    await page.evaluate(() => (window as unknown as { fairlead: (name: string) => void }).fairlead('Loaded'));
    await desk.until((beacon) => desk.beacons.indexOf(beacon) >= from && named('Loaded')(beacon));
    loads.push(
      desk.beacons.slice(from).filter(({ event }) => event.u?.endsWith('/thanks') && event.n !== 'engagement'),
    );
  };
  await load(visitor, () => visitor.goto(`${site.origin}/thanks`));
  await load(visitor, () => visitor.reload());
  const tab = await context.newPage();
  await load(tab, () => tab.goto(`${site.origin}/thanks`));
  await tab.close();
  return loads;
};

/** The page as it is after load, scroll and a click, and every name on its window. */
const look = async (visitor: Page, address: string) => {
  await visitor.goto(address);
  await visitor.evaluate(() => scrollTo(0, 500));
  await visitor.click('#third-parent');
  return {
    html: await visitor.content(),
    globals: await visitor.evaluate(() => Object.getOwnPropertyNames(window)),
  };
};

/** Reads a session: each promise of the ledger that it broke, with what was seen. */
export const faultsOf = (session: Session): Fault[] => {
  const faults: Fault[] = [];
  const expect = (id: string, kept: boolean, fact: string) => {
    if (!kept) faults.push({ id, fact });
  };

  for (const fact of session.sprung) expect(isAsking(fact) ? 'COL-03' : 'COL-01', false, fact);
  for (const fact of session.leftBehind) expect('COL-01', false, fact);
  for (const fact of session.errors) expect('COL-01', false, `a script failed: ${fact}`);
  expect('COL-01', session.beacons.length > 20, `only ${session.beacons.length} events came: the session did not run`);

  // No value but those of the site itself is common to two loads, nor to two events.
  const ids = session.beacons.map(({ event }) => event.id);
  expect(
    'COL-02',
    ids.every((id) => typeof id === 'string' && id.length >= 20),
    'an event has no random id',
  );
  expect('COL-02', new Set(ids).size === ids.length, 'two events carry the same id');
  for (const shared of sharedValues(session.loads)) expect('COL-02', false, `two loads of the page share ${shared}`);

  expect(
    'COL-03',
    session.dom.with === session.dom.without,
    'the document differs from that of a page without the script',
  );
  expect('COL-03', session.globals.join() === 'fairlead', `the script adds to window: ${session.globals.join()}`);

  for (const address of session.followed)
    expect('COL-09', !/[?&](?!q=canary)/.test(address), `a link was decorated: ${address}`);

  for (const [kind, canary] of Object.entries(canaries)) {
    const leak = session.beacons.find((beacon) => leaves(beacon, canary));
    const id =
      { 'mail address': 'COL-11', 'phone number': 'COL-12' }[kind] ??
      (/token|query|fragment|subject/.test(kind) ? 'COL-19' : kind === 'autofill' ? 'COL-17' : 'COL-18');
    expect(id, !leak, `the ${kind} left the page with ${leak?.event.n}: ${leak?.raw}`);
  }
  for (const address of session.asked) expect('COL-18', false, `the desk was asked for ${address}`);
  return faults;
};

/** Does this word leave with the beacon: in its body, its address or a header, plain or encoded? */
const leaves = ({ raw, headers, path }: Beacon, word: string) => {
  const text = [raw, path, JSON.stringify(headers)].join('\n');
  const decoded = text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString(),
  );
  const inBase64 = (text.match(/[\w+/-]{16,}/g) ?? []).map((run) => Buffer.from(run, 'base64').toString('latin1'));
  return [text, decoded, ...inBase64].some((form) => form.includes(word));
};

/** Values that occur in two loads and are not the same for every visitor. */
const sharedValues = (loads: Beacon[][]) => {
  const ofSite = new Set(['n', 'u', 'd', 'v', 't', 'sc', 'r']);
  const seen = loads.map(
    (beacons) =>
      new Set(
        beacons.flatMap(({ event }) =>
          Object.entries(event)
            .filter(([key]) => !ofSite.has(key))
            .map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
        ),
      ),
  );
  return seen.flatMap((values, index) =>
    [...values].filter((value) => seen.some((others, at) => at < index && others.has(value))),
  );
};

/** A way to break the tracker. A proof that still passes with one of these in place proves nothing. */
interface Sabotage {
  name: string;
  /** The requirement whose proof has to fail. */
  breaks: string;
  /** What the proof has to say; nothing else of the same session makes it say that. */
  fact: string;
  apply: (script: string) => string;
}

const replacing = (what: string, by: string) => (script: string) => {
  if (!script.includes(what)) throw new Error(`The sabotage finds no ${what} in the script: bring it up to date.`);
  return script.replace(what, () => by);
};
const adding = (code: string) => (script: string) => `${script}\n;(()=>{${code}})();`;

/** The sabotages of one session each: a session costs seconds, and these are told apart by their facts. */
export const sabotaged: readonly (readonly Sabotage[])[] = [
  [
    {
      name: 'one read of localStorage, its error swallowed',
      breaks: 'COL-01',
      fact: 'window.localStorage read',
      apply: adding('try{localStorage.getItem("off")}catch{}'),
    },
    {
      name: 'one write to window.name',
      breaks: 'COL-01',
      fact: 'window.name written',
      apply: adding('try{window.name="visitor"}catch{}'),
    },
    {
      name: 'one cookie',
      breaks: 'COL-01',
      fact: 'Document.cookie written',
      apply: adding('try{document.cookie="visitor=1"}catch{}'),
    },
    {
      name: 'an id that is the same on every page',
      breaks: 'COL-02',
      fact: 'two loads of the page share id',
      apply: replacing('crypto.getRandomValues(new Uint32Array(4)).join()', '"1234567890123456789012"'),
    },
    {
      name: 'a banner',
      breaks: 'COL-03',
      fact: 'the document differs from that of a page without the script',
      apply: adding('document.body.append("We value your privacy")'),
    },
    {
      name: 'a question to the consent API of the page',
      breaks: 'COL-03',
      fact: 'window.__tcfapi called',
      apply: adding('try{__tcfapi("getTCData",2,()=>{})}catch{}'),
    },
    {
      name: 'a second global',
      breaks: 'COL-03',
      fact: 'the script adds to window: fairlead,analytics',
      apply: adding('window.analytics=1'),
    },
    {
      name: 'the mail address without the switch',
      breaks: 'COL-11',
      fact: 'the mail address left the page with Mailto: Click',
      apply: replacing('contact:"contact"in', 'contact:!0||"contact"in'),
    },
    {
      name: 'the phone number without the switch, by the same change',
      breaks: 'COL-12',
      fact: 'the phone number left the page with Tel: Click',
      apply: (script) => script,
    },
    {
      name: 'what autofill puts in',
      breaks: 'COL-17',
      fact: 'the autofill left the page with Field',
      apply: adding('addEventListener("change",e=>fairlead("Field",{props:{value:e.target.value}}))'),
    },
    {
      name: 'the whole query string',
      breaks: 'COL-19',
      fact: 'the address token left the page with pageview',
      apply: replacing(')=)[^&]*/g,"")', ')=)[^&]*/g,"$&")'),
    },
  ],
  [
    {
      name: 'links that carry the visitor',
      breaks: 'COL-09',
      fact: 'a link was decorated',
      apply: adding('for(const a of document.links)a.search+="&visitor=1"'),
    },
    {
      name: 'a picture that is asked for with what was typed',
      breaks: 'COL-18',
      fact: 'the desk was asked for',
      apply: adding(
        'addEventListener("input",e=>{new Image().src=document.querySelector("[data-domain]").src.replace("fairlead.js",e.target.value)},true)',
      ),
    },
    {
      name: 'the values of a submitted form',
      breaks: 'COL-18',
      fact: 'the hidden field left the page with Form',
      apply: adding(
        'addEventListener("submit",e=>fairlead("Form",{props:Object.fromEntries(new FormData(e.target))}),true)',
      ),
    },
  ],
  [
    {
      name: 'the query string in the Referer header',
      breaks: 'COL-19',
      fact: 'the address token left the page with pageview',
      apply: replacing('referrer:"",', 'referrerPolicy:"unsafe-url",'),
    },
  ],
];
