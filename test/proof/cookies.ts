import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { type AccountsDesk, accountsDesk, beginWith, codeOf, type Person, site } from './drivers/accounts_desk.ts';
import { until } from './drivers/desk.ts';
import { load, must, type Proof, type ProofContext, repository } from './kit.ts';

/** Promises about what the dashboard keeps in a browser and asks of elsewhere, seen in a real Chromium and in every answer. */

interface Place {
  cookies: string[];
  storage: string[];
  /** Everything that any storage holds, as text. */
  values: string;
}
interface Walk {
  /** As somebody without an account: after each page. */
  stranger: Place;
  /** Signed in, after pages, a chosen theme and switched-off keys. */
  person: Place;
  hosts: Set<string>;
  /** Method, address and what was sent. */
  requests: { method: string; url: string; sent: string; isPerson: boolean }[];
  setCookies: string[];
  /** The tokens of the session, and the one of the link of a mail. */
  tokens: string[];
  linkToken: string;
  /** Did a page get something from elsewhere when its script asked for it? */
  reached: string[];
  word: string;
}

const word = 'wombat7f3a91';
const agent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 ${word}`;
/** Of an invitation that nobody sent. */
const strangeToken = 'A'.repeat(22);
const publicPages = ['/sign-in', '/reset', '/nothing-here', `/invitation/${strangeToken}`, '/api/docs'];
const patienceMs = 120_000;

function judgeCookie(cookie: string): void {
  const [pair = '', ...attributes] = cookie.split(';').map((part) => part.trim());
  const [name = ''] = pair.split('=');
  const has = (one: string) => attributes.some((given) => given.toLowerCase() === one.toLowerCase());
  must(name.startsWith('__Host-'), `${name} is bound to no host.`);
  must(has('HttpOnly') && has('Secure') && has('Path=/'), `${name} is set with ${attributes.join('; ')}.`);
  must(has('SameSite=Lax') || has('SameSite=Strict'), `${name} is sent to other sites' requests.`);
  must(!attributes.some((one) => /^domain=/i.test(one)), `${name} has a Domain.`);
}

export const proofs: readonly Proof[] = [
  {
    id: 'COK-01',
    title: 'Every cookie of every way in is HttpOnly, Secure, SameSite, bound to one host by its name, and has Path=/.',
    async run(context) {
      const shared = await accountsDesk(context);
      await everyWayIn(shared);
      // Before the browser walks: it needs cookies that are whole.
      shared.setCookies.forEach(judgeCookie);
      const all = [...shared.setCookies, ...(await walk(context)).setCookies];
      all.forEach(judgeCookie);
      const names = new Set(all.map((cookie) => cookie.split('=')[0]?.replace(/\d+$/, '')));
      must(names.size >= 6, `Only ${names.size} kinds of cookies came: ${[...names].join(', ')}.`);
      return `${all.length} Set-Cookie headers of ${names.size} kinds`;
    },
    sabotage: {
      name: 'scripts may read the session',
      file: 'src/accounts/cookies.ts',
      find: "const attributes = 'Path=/; HttpOnly; Secure; SameSite=Lax';",
      replace: "const attributes = 'Path=/; Secure; SameSite=Lax';",
    },
  },
  {
    id: 'COK-02',
    title:
      'No token is in any storage of the page or in an address: also the one of a mailed link is never sent in one.',
    async run(context) {
      const { person, tokens, requests, linkToken } = await walk(context);
      must(tokens.length === 2 && linkToken.length > 20, 'There is no session to look for.');
      for (const token of tokens) {
        must(!person.values.includes(token), 'A token of the session is in a storage of the page.');
        must(!requests.some(({ url }) => url.includes(token)), 'A token of the session is in an address.');
      }
      must(!requests.some(({ url }) => url.includes(linkToken)), 'The token of a mailed link was sent in an address.');
      return `${requests.length} requests and every storage: neither token of the session, nor that of a reset link`;
    },
    sabotage: {
      name: 'the link of a mail carries its token in the query',
      file: 'src/accounts/people/link_routes.ts',
      find: '#token=',
      replace: '?token=',
    },
  },
  {
    id: 'COK-03',
    title:
      'Pages ask the desk and nobody else; a script in one that tries to is stopped; no cookie is for advertising.',
    async run(context) {
      const shared = await accountsDesk(context);
      const { hosts, reached, requests, person } = await walk(context);
      const own = new URL(shared.origin).host;
      const strange = [...hosts].filter((host) => host !== own);
      must(strange.length === 0, `A page asked ${strange.join(', ')}.`);
      must(reached.length === 0, `A script in a page reached another host by ${reached.join(', ')}.`);
      must(
        person.cookies.every((name) => name.startsWith('__Host-fairlead_')),
        `There is ${person.cookies.join()}.`,
      );
      return `${requests.length} requests, all to ${own}; fetch, image, frame and script to another host stopped`;
    },
    sabotage: {
      name: 'the policy lets pages ask anybody',
      file: 'src/platform/http/headers.ts',
      find: `"connect-src 'self'",`,
      replace: `'connect-src *',`,
    },
  },
  {
    id: 'COK-04',
    title: 'Before signing in nothing is stored; afterwards what is declared, and nothing else.',
    async run(context) {
      const { stranger, person } = await walk(context);
      must(
        stranger.cookies.length + stranger.storage.length === 0,
        `Unasked: ${[...stranger.cookies, ...stranger.storage].join()}.`,
      );
      const { browserStorage } = await load<typeof import('../../contract/browser_storage.ts')>(
        context,
        'contract/browser_storage.ts',
      );
      const declared = new Set<string>(browserStorage.map(({ kind, name }) => `${kind} ${name}`));
      const kept = [...person.cookies.map((name) => `cookie ${name}`), ...person.storage];
      const unknown = kept.filter((one) => !declared.has(one));
      must(unknown.length === 0, `${unknown.join(', ')} is declared nowhere.`);
      must(kept.length >= 4, `Only ${kept.join(', ')} was kept, so the choices were not made.`);
      return `${publicPages.length + 1} public pages: nothing; signed in with two choices made: ${kept.length} entries, all declared`;
    },
    sabotage: {
      name: 'a key is stored under a name that is declared nowhere',
      file: 'contract/browser_storage.ts',
      find: "name: 'fairlead.theme',",
      replace: "name: 'fairlead.colours',",
    },
  },
  {
    id: 'COK-05',
    title:
      'Whoever looks at a public page without an account gives nothing of themselves and leaves nothing but a line of access.',
    async run(context) {
      const shared = await accountsDesk(context);
      const { requests } = await walk(context);
      // The page of an invitation asks about the token of its own address; that is all that is said.
      const isOwnToken = (sent: string) => sent === JSON.stringify({ token: strangeToken });
      const sent = requests.filter(
        ({ isPerson, sent, method }) => !isPerson && (sent !== '' || method !== 'GET') && !isOwnToken(sent),
      );
      must(sent.length === 0, `A public page sent ${sent[0]?.method} ${sent[0]?.url}.`);
      const folder = join(shared.home.dataDir, 'access');
      const lines = await until(30, () => {
        const text = readdirSync(folder)
          .map((name) => readFileSync(join(folder, name), 'utf8'))
          .join('');
        return text.includes('/api/docs') ? text : undefined;
      });
      const rows = [...(await shared.tables.dump()).values()].flat().map((row) => Object.values(row).join(' '));
      for (const [where, text] of [
        ['the access log', lines],
        ['the database', rows.join('\n')],
        ['the log', shared.desk.output()],
      ] as const)
        must(!text.includes(word), `A word of the browser's name is in ${where}.`);
      return `${requests.filter(({ isPerson }) => !isPerson).length} requests of public pages, none of which says anything; of the browser nothing in access log, database and log`;
    },
    sabotage: {
      name: 'the access log names the browser',
      file: 'src/platform/http/server.ts',
      find: 'route: label,',
      replace: "route: [label, request.headers['user-agent']].join(' '),",
    },
  },
  {
    id: 'COK-06',
    title:
      'The desk tells nobody about itself: it opens connections to what its operator named, also when something fails.',
    async run(context) {
      const shared = await accountsDesk(context);
      await walk(context);
      await beginWith(shared.browser(), 'google');
      // What fails in a server is what error trackers send home.
      await shared.browser().send('POST', '/api/csp-reports', { 'csp-report': { 'document-uri': shared.origin } });
      await shared.browser().send('GET', '/api/sites/%00');
      const named = [
        ...Object.values(shared.providers).map(({ url }) => new URL(url).host),
        `127.0.0.1:${shared.mailbox.port}`,
      ];
      const all = shared.connections();
      const strange = [...new Set(all)].filter((one) => !named.includes(one));
      must(strange.length === 0, `The desk went to ${strange.join(', ')}.`);
      must(all.length > 0, 'No connection was seen, not even to the mail server.');
      return `${all.length} connections since the start, all to the mail server and the providers of its settings`;
    },
    sabotage: {
      name: 'a start is reported',
      file: 'src/app/serve.ts',
      find: "log.info('listening', { port: http.address.port, version, role: config.role });",
      replace:
        "log.info('listening', { port: http.address.port, version, role: config.role }); fetch('http://127.0.0.1:47009/started').catch(() => {});",
    },
  },
  {
    id: 'COK-07',
    title: 'The guide about cookies says what the code declares, and what a browser was given is in it, with its time.',
    async run(context) {
      const shared = await accountsDesk(context);
      await everyWayIn(shared);
      const { browserStorage, sharedPageStorage, visitorStorage } = await load<
        typeof import('../../contract/browser_storage.ts')
      >(context, 'contract/browser_storage.ts');
      const guide = readFileSync(join(repository, 'docs/guides/cookies.md'), 'utf8');
      const rows = [...browserStorage, ...sharedPageStorage, ...visitorStorage];
      for (const { kind, name, purpose, until } of rows)
        must(
          guide.includes(`| ${kind} | \`${name}\` | ${purpose} | ${until} |`),
          `The guide does not say ${name} as it is declared.`,
        );
      const told = guide.split('\n').filter((line) => /^\| (cookie|localStorage|sessionStorage) \|/.test(line));
      must(told.length === rows.length, `The guide names ${told.length} entries, the code ${rows.length}.`);
      const { person, setCookies } = await walk(context);
      for (const cookie of [...shared.setCookies, ...setCookies]) {
        const [, name = '', seconds = ''] = /^([^=]+)=.*?Max-Age=(\d+)/.exec(cookie) ?? [];
        const row = rows.find((one) => (one.name.endsWith('_') ? name.startsWith(one.name) : name === one.name));
        must(row !== undefined, `${name} was set, and the guide does not know it.`);
        must(Number(seconds) <= secondsOf(row.until), `${name} is kept for ${seconds} s; the guide says ${row.until}.`);
      }
      for (const one of person.storage)
        must(
          rows.some(({ kind, name }) => `${kind} ${name}` === one),
          `${one} is not told.`,
        );
      return `${rows.length} entries alike in guide and code; ${shared.setCookies.length + setCookies.length} cookies seen, each told, none longer than told`;
    },
    sabotage: {
      name: 'a cookie under another name',
      file: 'src/accounts/cookies.ts',
      find: "export const stepCookie = '__Host-fairlead_step';",
      replace: "export const stepCookie = '__Host-fairlead_pause';",
    },
  },
  {
    id: 'COK-08',
    title: 'In a browser that keeps no cookies the sign-in page says so, and says what to do.',
    minutes: 3,
    async run(context) {
      const { origin } = await accountsDesk(context);
      const { launch } = await import('../browser/chromium.ts');
      const browser = await launch();
      try {
        const page = await browser.newPage();
        page.setDefaultTimeout(patienceMs);
        // What the setting of the browser does to its pages.
        const control = await page.context().newCDPSession(page);
        await control.send('Emulation.setDocumentCookieDisabled', { disabled: true });
        await page.goto(`${origin}/sign-in`);
        // The first page of a process was told too late.
        await page.reload();
        await page.getByLabel('E-mail').waitFor();
        const isOn = await page.evaluate(() => navigator.cookieEnabled);
        must(!isOn, 'The browser keeps cookies after all, so nothing is shown.');
        const words = (await page.locator('body').textContent()) ?? '';
        must(
          /keeps no cookies/.test(words) && /Allow cookies/.test(words),
          'The page does not say why nobody can sign in.',
        );
        return 'Chromium with cookies blocked: the page names the reason and the step before anything is typed';
      } finally {
        await browser.close();
      }
    },
    sabotage: {
      name: 'the page does not look',
      file: 'web/src/sign_in/page.tsx',
      find: '{!navigator.cookieEnabled && refusal === undefined && <FormError message={noCookies} />}',
      replace: '',
    },
  },
];

/** Each way in that sets a cookie of its own. */
const everyWayIn = async (shared: AccountsDesk): Promise<void> => {
  const person = await shared.newPerson('viewer');
  const { browser, password } = person;
  await browser.send('POST', '/api/sessions/refresh');
  const begun = await browser.send('POST', '/api/account/authenticator', { password });
  const code = codeOf(String(begun.body.secret), shared.now());
  await browser.send('POST', '/api/account/authenticator/confirmation', { code });
  await browser.send('POST', '/api/account/passkey-options', { password });
  const half = shared.browser();
  must((await half.send('POST', '/api/sessions', { email: person.email, password })).status === 202, 'No second step.');
  await beginWith(half, 'oidc');
  await half.send('POST', '/api/sign-in/passkeys/options');
  await browser.send('DELETE', '/api/sessions/current');
  const secret = 'the door behind the door';
  const made = await (await shared.owner()).send('POST', `/api/sites/${site}/shares`, {
    ...{ name: `cookies ${shared.now()}`, kind: 'password', panels: ['totals'], periods: ['28d'], password: secret },
  });
  const { pathname } = new URL(String(made.body.link));
  const opened = await shared.browser().send('POST', pathname, new URLSearchParams({ password: secret }));
  must(opened.status === 303, `The shared page does not open: ${opened.status}.`);
};

const walk = (context: ProofContext): Promise<Walk> => context.share('walk through the dashboard', go);

async function go(context: ProofContext): Promise<Walk> {
  const shared = await accountsDesk(context);
  const { launch } = await import('../browser/chromium.ts');
  const person = await shared.newPerson('viewer');
  const made = await (await shared.owner()).send('POST', `/api/sites/${site}/shares`, {
    ...{ name: 'a public page', kind: 'public', panels: ['totals'], periods: ['28d'] },
  });
  const browser = await launch();
  try {
    const requests: Walk['requests'] = [];
    const hosts = new Set<string>();
    const setCookies: string[] = [];
    let isPerson = false;
    async function open(): Promise<[BrowserContext, Page]> {
      const fresh = await browser.newContext({
        ...{ userAgent: agent, locale: 'en-GB' },
        // As the one trusted proxy in front of the desk says it.
        extraHTTPHeaders: { 'x-forwarded-for': '198.18.251.1', 'x-forwarded-proto': 'https' },
      });
      fresh.setDefaultTimeout(patienceMs);
      fresh.on('request', (request) => {
        const url = request.url();
        hosts.add(new URL(url).host);
        requests.push({ method: request.method(), url, sent: request.postData() ?? '', isPerson });
      });
      fresh.on('response', async (response) => {
        const headers = await response.headersArray().catch(() => []);
        setCookies.push(...headers.filter(({ name }) => name.toLowerCase() === 'set-cookie').map(({ value }) => value));
      });
      return [fresh, await fresh.newPage()];
    }
    const [strangers, first] = await open();
    for (const path of [...publicPages, new URL(String(made.body.link)).pathname]) {
      await first.goto(shared.origin + path);
      await first.waitForLoadState('networkidle');
    }
    const stranger = await placeOf(strangers, first);
    await strangers.close();
    isPerson = true;
    const [persons, page] = await open();
    await page.goto(`${shared.origin}/sign-in?next=${encodeURIComponent(`/s/${site}/analytics`)}`);
    await page.getByLabel('E-mail').fill(person.email);
    await page.getByRole('textbox', { name: 'Password' }).fill(person.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page
      .waitForURL((url) => url.pathname !== '/sign-in', { timeout: 60_000 })
      .catch(async () => must(false, `Nobody gets in: ${await page.locator('[role=alert]').allTextContents()}`));
    await page.waitForLoadState('networkidle');
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByRole('checkbox').click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: person.email }).click();
    await page.getByRole('button', { name: 'Dark', exact: true }).click();
    for (const path of [`/s/${site}/goals`, '/account/security', '/account/sessions']) {
      await page.goto(shared.origin + path);
      await page.waitForLoadState('networkidle');
    }
    const after = await placeOf(persons, page);
    const tokens = (await persons.cookies())
      .filter(({ name }) => /access|refresh/.test(name))
      .map(({ value }) => value);
    const before = [...hosts];
    const reached = await tryElsewhere(page, shared);
    const linkToken = await followLink(shared, person, page);
    return {
      ...{ stranger, person: after, requests, setCookies, tokens, linkToken, reached, word },
      // What the page's own script was made to try is judged by what came back.
      hosts: new Set(before),
    };
  } finally {
    await browser.close();
  }
}

async function placeOf(context: BrowserContext, page: Page): Promise<Place> {
  const stored = await page.evaluate(async () => ({
    local: Object.entries(localStorage),
    session: Object.entries(sessionStorage),
    databases: (await indexedDB.databases()).map(({ name }) => name),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    address: location.href,
    history: JSON.stringify(history.state),
  }));
  return {
    cookies: (await context.cookies()).map(({ name }) => name),
    storage: [
      ...stored.local.map(([name]) => `localStorage ${name}`),
      ...stored.session.map(([name]) => `sessionStorage ${name}`),
      ...stored.databases.map((name) => `database ${name}`),
      ...stored.caches.map((name) => `cache ${name}`),
      ...(stored.workers > 0 ? ['a worker'] : []),
    ],
    values: JSON.stringify(stored),
  };
}

/** What a script that got into a page would do. @returns the ways that led to another host */
async function tryElsewhere(page: Page, { providers }: AccountsDesk): Promise<string[]> {
  const { seen, url } = providers.google;
  const count = () => seen.requests.filter((one) => one.includes('/elsewhere')).length;
  const reached: string[] = [];
  for (const way of ['fetch', 'img', 'iframe', 'script']) {
    const before = count();
    await page
      .evaluate(
        async ([way, url]) => {
          if (way === 'fetch') await fetch(url as string, { mode: 'no-cors' }).catch(() => {});
          else {
            const element = document.createElement(way as 'img');
            try {
              element.src = url as string;
            } catch {}
            document.body.append(element);
          }
          await new Promise((resolve) => setTimeout(resolve, 150));
        },
        [way, `${url}/elsewhere`],
      )
      .catch(() => {});
    if (count() > before) reached.push(way);
  }
  return reached;
}

/** Opens the link of a reset as a mail program would. @returns its token */
async function followLink(shared: AccountsDesk, { email }: Person, page: Page): Promise<string> {
  const after = shared.mailbox.letters.length;
  await shared.browser().send('POST', '/api/password-resets', { email });
  const { text } = await shared.mailbox.letter(email, /^Set a new password/, after);
  const link = /https?:\S*token=([\w-]+)/.exec(text);
  await page.goto(link?.[0] ?? 'about:blank');
  await page.waitForLoadState('networkidle');
  return link?.[1] ?? '';
}

/** The longest that “14 days at most” and the like allow. */
function secondsOf(until: string): number {
  const [, count = '', unit = ''] = /(\d+) (minutes|hours|days)/.exec(until) ?? [];
  return Number(count) * ({ minutes: 60, hours: 3600, days: 86_400 }[unit] ?? 0);
}
