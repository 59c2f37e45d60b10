import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  type AccountsDesk,
  accountsDesk,
  beginWith,
  client,
  type Person,
  visitProvider,
} from './drivers/accounts_desk.ts';
import type { Answer, TestBrowser } from './drivers/test_browser.ts';
import { load, must, type Proof } from './kit.ts';

/** Promises about how one gets in: passwords, guessing, providers, the first owner. */

const minuteMs = 60_000;
const providers = ['google', 'github', 'oidc'] as const;
type ProviderName = (typeof providers)[number];

export const proofs: readonly Proof[] = [
  {
    id: 'AUT-02',
    title: 'Every character of a password counts: behind the 72nd byte, behind a NUL, and 128 of them.',
    async run(context) {
      const { openPasswords } = await load<typeof import('../../src/accounts/passwords.ts')>(
        context,
        'src/accounts/passwords.ts',
      );
      const { openKeyRing } = await load<typeof import('../../src/trust/keys/index.ts')>(
        context,
        'src/trust/keys/index.ts',
      );
      const { systemRandom } = await load<typeof import('../../src/platform/random.ts')>(
        context,
        'src/platform/random.ts',
      );
      const { systemClock } = await load<typeof import('../../src/platform/clock.ts')>(
        context,
        'src/platform/clock.ts',
      );
      const folder = await context.folder();
      const keys = openKeyRing({ keyFile: join(folder, 'keys'), dataDir: folder, random: systemRandom });
      const passwords = openPasswords({ keys, clock: systemClock });
      try {
        const long = 'ü'.repeat(127);
        const pairs: [string, string, string][] = [
          ['the 73rd byte', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`],
          ['what is behind a NUL', 'a quiet harbour\0a', 'a quiet harbour\0b'],
          ['the 128th character', `${long}a`, `${long}b`],
        ];
        for (const [what, right, wrong] of pairs) {
          const stored = await passwords.hash(right);
          must(await passwords.verify(right, stored), `A password of ${right.length} characters is not taken.`);
          must(!(await passwords.verify(wrong, stored)), `${what} does not count.`);
        }
        return `${pairs.map(([what]) => what).join(', ')}: the right one taken, one that differs there refused`;
      } finally {
        passwords.close();
      }
    },
    sabotage: {
      name: 'bcrypt is given the password itself',
      file: 'src/accounts/passwords.ts',
      find: "createHmac('sha384', pepper).update(password.normalize('NFC')).digest('base64')",
      replace: 'password.normalize()',
    },
  },
  {
    id: 'AUT-03',
    title: 'A provider is asked for name, address and picture, and for nothing else.',
    async run(context) {
      const shared = await accountsDesk(context);
      const wanted: Record<ProviderName, string> = {
        google: 'openid email profile',
        github: 'read:user user:email',
        oidc: 'openid email profile',
      };
      for (const provider of providers) {
        const url = new URL(await beginWith(shared.browser(), provider));
        must(url.origin === shared.providers[provider].url, `${provider}: the browser is sent to ${url.origin}.`);
        const { scope, client_id, code_challenge_method, redirect_uri } = Object.fromEntries(url.searchParams);
        must(scope === wanted[provider], `${provider} is asked for “${scope}”.`);
        must(client_id === client.clientId && code_challenge_method === 'S256', `${provider} is asked without PKCE.`);
        must(redirect_uri === `${shared.origin}/sign-in/${provider}`, `${provider} sends back to ${redirect_uri}.`);
      }
      return providers.map((one) => `${one}: ${wanted[one]}`).join('; ');
    },
    sabotage: {
      name: 'GitHub is asked for the repositories too',
      file: 'src/accounts/identities/github.ts',
      find: "const scopes = ['read:user', 'user:email'];",
      replace: "const scopes = ['read:user', 'user:email', 'repo'];",
    },
  },
  {
    id: 'AUT-07',
    title: 'What a provider sends back counts once, within ten minutes, in the browser that began, from this provider.',
    async run(context) {
      const shared = await accountsDesk(context);
      const person = await shared.newPerson('viewer');
      const refused: string[] = [];
      for (const provider of providers) {
        await link(shared, person, provider);
        const browser = shared.browser();
        const answer = await visitProvider(await beginWith(browser, provider));
        const stranger = shared.browser();
        await mustRefuse(stranger, await send(stranger, provider, answer), `${provider}: in another browser`);
        const done = await send(browser, provider, answer);
        must(done.status === 201 && (await isIn(browser)), `${provider}: nobody gets in: ${done.text}`);
        browser.cookies.delete('__Host-fairlead_access');
        await mustRefuse(browser, await send(browser, provider, answer), `${provider}: a second time`);
        refused.push(`${provider}: a second time`, `${provider}: in another browser`);
      }
      const { oidc } = shared.providers;
      const now = Math.floor(shared.now() / 1000);
      const tricks: [string, Parameters<typeof oidc.set>[0], Record<string, string>?][] = [
        ['another nonce', { claims: { ...timesOf(shared), nonce: 'A'.repeat(43) } }],
        ['another issuer in the token', { claims: { ...timesOf(shared), iss: 'https://elsewhere.example' } }],
        ['another audience', { claims: { ...timesOf(shared), aud: 'somebody else' } }],
        ['a token of an hour ago', { claims: { iat: now - 7200, exp: now - 3600 } }],
        ['a strange key', { signature: 'other-key' }],
        ['no signature', { signature: 'none' }],
        ['another issuer beside the code', {}, { iss: 'https://elsewhere.example' }],
        ['a state that nobody made', {}, { state: 'A'.repeat(43) }],
      ];
      for (const [what, mischief, change] of tricks) {
        oidc.reset();
        oidc.set({ claims: timesOf(shared), ...mischief });
        const browser = shared.browser();
        const answer = await visitProvider(await beginWith(browser, 'oidc'));
        await mustRefuse(browser, await send(browser, 'oidc', { ...answer, ...change }), what);
        refused.push(what);
      }
      honest(shared);
      const mixed = shared.browser();
      const fromGoogle = await visitProvider(await beginWith(mixed, 'google'));
      await mustRefuse(mixed, await send(mixed, 'oidc', fromGoogle), "another provider's answer");
      const late = shared.browser();
      const answer = await visitProvider(await beginWith(late, 'oidc'));
      await shared.travel(10 * minuteMs + 1_000);
      await mustRefuse(late, await send(late, 'oidc', answer), 'after ten minutes');
      // PKCE: each code was exchanged with the verifier of the challenge that its browser went out with.
      const challenges = new Set(oidc.seen.authorisations.map((one) => one.code_challenge));
      for (const { code_verifier: verifier = '' } of oidc.seen.tokens)
        must(
          challenges.has(createHash('sha256').update(verifier).digest('base64url')),
          'A code was exchanged without its verifier.',
        );
      return `${refused.length + 2} wrong ways back refused without a session, the right one taken with three providers`;
    },
    sabotage: {
      name: 'the nonce is not compared',
      file: 'src/accounts/identities/openid.ts',
      find: "if (payload.nonce !== answer.nonce) return { refused: 'wrong_nonce' };",
      replace: '',
    },
  },
  {
    id: 'AUT-10',
    title: 'Twelve networks that guess at one account are stopped, and nothing tells who has an account.',
    async run(context) {
      const shared = await accountsDesk(context);
      const target = await shared.newPerson('viewer');
      const others = await Promise.all([shared.newPerson('viewer'), shared.newPerson('viewer')]);
      const guess = async (email: string, password: string, proof?: object, browser = shared.browser()) => {
        const began = performance.now();
        const body = { email, password, ...(proof === undefined ? {} : { proof }) };
        const answer = await browser.send('POST', '/api/sessions', body);
        return { answer, ms: performance.now() - began };
      };
      // Nobody and somebody in turn, each within the free tries of their account.
      const known: { answer: Answer; ms: number }[] = [];
      const unknown: { answer: Answer; ms: number }[] = [];
      for (let n = 0; n < 6; n++) {
        known.push(await guess((others[n % 2] as Person).email, 'not the password of this'));
        unknown.push(await guess(`nobody-${n}@shop.example`, 'not the password of this'));
      }
      const said = ({ answer }: { answer: Answer }) =>
        `${answer.status} ${answer.text.replace(/"request_id":"[^"]*"/, '')} ${[...answer.headers.keys()].sort().join()}`;
      const sayings = new Set([...known, ...unknown].map(said));
      must(sayings.size === 1, 'A wrong password and an unknown address are answered in different words.');
      const { t, share } = difference(
        known.map(({ ms }) => ms),
        unknown.map(({ ms }) => ms),
      );
      must(!(Math.abs(t) > 4.5 && share > 0.3), `Time tells who has an account: t = ${t.toFixed(1)}.`);
      const resets = await Promise.all(
        [(others[0] as Person).email, 'nobody@shop.example'].map((email) =>
          shared.browser().send('POST', '/api/password-resets', { email }),
        ),
      );
      must(
        new Set(resets.map(({ status, text }) => `${status} ${text}`)).size === 1,
        'A reset tells who has an account.',
      );
      let taken = 0;
      for (let network = 0; network < 12; network++) {
        const { answer } = await guess(target.email, `not the password ${network}`);
        if (answer.status === 401) taken++;
        else must(answer.status === 429, `A guess is answered with ${answer.status}.`);
      }
      must(taken <= 5, `${taken} guesses from twelve networks were taken.`);
      const own = shared.browser();
      const right = await guess(target.email, target.password, undefined, own);
      must(right.answer.status === 429, 'The thirteenth network may go on guessing.');
      const { challenge } = right.answer.body.error as unknown as { challenge: { token: string; bits: number } };
      const paid = await guess(target.email, target.password, solve(challenge), own);
      must(paid.answer.status === 201, `Its owner is locked out: ${paid.answer.text}`);
      return `${taken} of 12 guesses from 12 networks taken, the rest refused, its owner not; known and unknown alike in status, words and time (t = ${t.toFixed(1)})`;
    },
    sabotage: {
      name: 'guesses are counted by network alone',
      file: 'src/accounts/throttle.ts',
      find: 'perAccount: 5,',
      replace: 'perAccount: 5_000,',
    },
  },
  {
    id: 'AUT-15',
    title: 'A new desk knows nobody, and only who has the code of its start becomes the owner, once.',
    async run(context) {
      const { beforeOwner } = await accountsDesk(context);
      must(beforeOwner.people === 0, `A new desk has ${beforeOwner.people} accounts.`);
      must(
        beforeOwner.signIns.every((status) => status >= 400),
        'A usual name and password open a new desk.',
      );
      must(beforeOwner.noCode === 403 && beforeOwner.wrongCode === 403, 'Somebody without the code was not refused.');
      must(beforeOwner.again === 409, `The code worked a second time: ${beforeOwner.again}.`);
      return `no account before; ${beforeOwner.signIns.length} usual names, no code and a wrong one refused from loopback, the right one taken once`;
    },
    sabotage: {
      name: 'any code is the code',
      file: 'src/accounts/set_up.ts',
      find: "return createHash('sha256').update(code).digest();",
      replace: "return createHash('sha256').update(code.slice(code.length)).digest();",
    },
  },
  {
    id: 'AUT-16',
    title:
      'No call takes, and no column keeps, a password of another service: only of people, shares and the mail server.',
    async run(context) {
      const { browser, tables } = await accountsDesk(context);
      const document = (await browser().send('GET', '/api/openapi.json')).body as unknown as {
        paths: Record<string, Record<string, unknown>>;
      };
      const own =
        /^\/api\/(sessions|set-up|sign-ups?|account|invitations|password-resets|email-verifications)\b|^\/api\/sites\/\{domain\}\/shares|^\/api\/mail\/server$|^\/api\/backups\/recovery-keys$/;
      let asked = 0;
      for (const [path, calls] of Object.entries(document.paths))
        for (const name of fieldsOf(calls)) {
          if (!isPassword(name)) continue;
          asked++;
          must(own.test(path), `${path} takes “${name}”.`);
        }
      const { rows } = await tables.owner.query<{ place: string }>(
        `SELECT table_schema || '.' || table_name || '.' || column_name AS place FROM information_schema.columns
         WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
      );
      const kept = rows.map(({ place }) => place).filter((place) => isPassword(place.split('.')[2] ?? ''));
      const ownColumns = /^public\.(shares|sign_ups?|passwords)\.|^mail\.servers?\./;
      const strange = kept.filter((place) => !ownColumns.test(place));
      must(strange.length === 0, `${strange.join(', ')} keeps a password.`);
      must(asked > 5 && rows.length > 100, 'The calls or the columns are not there to be looked at.');
      return `${Object.keys(document.paths).length} paths, ${rows.length} columns: ${asked} fields and ${kept.length} columns for passwords, all of people, shares and the mail server`;
    },
    sabotage: {
      name: 'the ids of another product are taken with its password',
      file: 'contract/api.ts',
      find: 'secret: z.string().min(16).max(200).optional(),',
      replace: 'secret: z.string().min(16).max(200).optional(), password: z.string().optional(),',
    },
  },
];

const isIn = async (browser: TestBrowser) => (await browser.send('GET', '/api/session')).status === 200;

function send(browser: TestBrowser, provider: ProviderName, answer: object): Promise<Answer> {
  return browser.send('POST', `/api/sign-in/providers/${provider}/answers`, answer);
}

async function mustRefuse(browser: TestBrowser, answer: Answer, what: string): Promise<void> {
  must(answer.status >= 400 && !(await isIn(browser)), `An answer that comes ${what} is taken.`);
}

/** The emulators live in our time, the desk in its own. */
function timesOf(shared: AccountsDesk): { iat: number; exp: number } {
  const now = Math.floor(shared.now() / 1000);
  return { iat: now - 2, exp: now + 3600 };
}
function honest(shared: AccountsDesk): void {
  const { google, oidc } = shared.providers;
  for (const one of [google, oidc]) {
    one.reset();
    one.set({ claims: timesOf(shared) });
  }
}

async function link(shared: AccountsDesk, { browser, password }: Person, provider: ProviderName): Promise<void> {
  honest(shared);
  const begun = await browser.send('POST', `/api/account/identity-links/${provider}`, { password });
  const linked = await send(browser, provider, await visitProvider(String(begun.body.url)));
  must(linked.status === 201, `${provider} cannot be linked: ${linked.text}`);
}

/** Welch's t of two samples, and how far apart their means are as a share of the greater. */
function difference(a: number[], b: number[]): { t: number; share: number } {
  const mean = (all: number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;
  const [ma, mb] = [mean(a), mean(b)];
  const spread = (all: number[], m: number) =>
    all.reduce((sum, one) => sum + (one - m) ** 2, 0) / (all.length - 1) / all.length;
  return { t: (ma - mb) / Math.sqrt(spread(a, ma) + spread(b, mb)), share: Math.abs(ma - mb) / Math.max(ma, mb) };
}

/** As the sign-in page works for a further try. */
function solve({ token, bits }: { token: string; bits: number }): { token: string; answer: string } {
  for (let n = 0; ; n++) {
    const digest = createHash('sha256').update(`${token}.${n}`).digest();
    if (digest.readUInt32BE(0) >>> (32 - bits) === 0) return { token, answer: String(n) };
  }
}

function isPassword(name: string): boolean {
  return /passw|passphrase|^pin$/i.test(name) && !/^(has_|passwords?_changed)/.test(name);
}

/** Names of all members of all schemas below. */
function fieldsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => [
    ...(key === 'properties' && typeof one === 'object' && one !== null ? Object.keys(one) : []),
    ...fieldsOf(one),
  ]);
}
