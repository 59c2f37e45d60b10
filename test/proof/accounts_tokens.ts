import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { accountsDesk, codeOf } from './drivers/accounts_desk.ts';
import type { TestBrowser } from './drivers/test_browser.ts';
import { load, must, type Proof } from './kit.ts';

/** Promises about what proves a person after the password: tokens, their times and their ends. */

const accessCookie = '__Host-fairlead_access';
const refreshCookie = '__Host-fairlead_refresh';
const secondMs = 1_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;
const tokensFile = 'src/accounts/tokens.ts';

const isIn = async (browser: TestBrowser) => (await browser.send('GET', '/api/session')).status === 200;
const refresh = async (browser: TestBrowser) => (await browser.send('POST', '/api/sessions/refresh')).status;

export const proofs: readonly Proof[] = [
  {
    id: 'AUT-04',
    title: 'An access token lives 15 minutes and is taken by HS256 alone, with its own issuer, audience and type.',
    async run(context) {
      const shared = await accountsDesk(context);
      const { browser, id } = await shared.newPerson('viewer');
      const token = browser.cookies.get(accessCookie) ?? '';
      const claims = decodeJwt(token);
      const header = decodeProtectedHeader(token);
      must(header.alg === 'HS256' && header.typ === 'at+jwt', `The token is ${header.alg}, ${header.typ}.`);
      must((claims.exp as number) - (claims.iat as number) <= 900, 'The token lives longer than 15 minutes.');
      // Forged with the very key of the desk, so that only what is claimed differs.
      const { openKeyRing } = await load<typeof import('../../src/trust/keys/index.ts')>(
        context,
        'src/trust/keys/index.ts',
      );
      const { systemRandom } = await load<typeof import('../../src/platform/random.ts')>(
        context,
        'src/platform/random.ts',
      );
      const { home } = shared;
      const keyFile = join(
        home.keysDir,
        readdirSync(home.keysDir).find((name) => name.endsWith('.keys')) ?? 'no key file',
      );
      const key = openKeyRing({ keyFile, dataDir: home.dataDir, random: systemRandom }).derive('access-token');
      const now = Math.floor(shared.now() / 1000);
      const honest = { alg: 'HS256', typ: 'at+jwt', iss: 'fairlead', aud: 'fairlead-desk', exp: now + 600 };
      const made = (change: Partial<typeof honest>) => {
        const { alg, typ, iss, aud, exp } = { ...honest, ...change };
        return new SignJWT({ fam: claims.fam })
          .setProtectedHeader({ alg, typ, kid: header.kid as string })
          .setIssuer(iss)
          .setAudience(aud)
          .setSubject(String(id))
          .setIssuedAt(now - 10)
          .setExpirationTime(exp)
          .sign(key);
      };
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const statusOf = async (forged: string) => {
        const other = shared.browser();
        other.cookies.set(accessCookie, forged);
        return (await other.send('GET', '/api/session')).status;
      };
      must((await statusOf(await made({}))) === 200, 'A token made by the rules is refused, so nothing is shown.');
      const [head = '', body = '', mac = ''] = token.split('.');
      const forgeries: [string, string][] = [
        ['no algorithm', `${part({ alg: 'none', typ: 'at+jwt' })}.${body}.`],
        ['no algorithm, with a signature', `${part({ alg: 'none', typ: 'at+jwt' })}.${body}.${mac}`],
        ['HS512', await made({ alg: 'HS512' })],
        ['HS384', await made({ alg: 'HS384' })],
        ['another audience', await made({ aud: 'elsewhere' })],
        ['another issuer', await made({ iss: 'elsewhere' })],
        ['another type', await made({ typ: 'JWT' })],
        ['a time that is over', await made({ exp: now - 1 })],
        ['another person under the old signature', `${head}.${part({ ...claims, sub: '1' })}.${mac}`],
        ['nothing', '..'],
      ];
      for (const [what, forged] of forgeries)
        must((await statusOf(forged)) === 401, `A token with ${what} opens the desk.`);
      must(await isIn(browser), 'The person was signed out by it.');
      await shared.travel(15 * minuteMs + secondMs);
      must(!(await isIn(browser)), 'The token still opens the desk after 15 minutes.');
      must((await refresh(browser)) === 200 && (await isIn(browser)), 'The session cannot be continued.');
      return `${forgeries.length} forgeries refused, the honest one taken; refused after 15 minutes and one second`;
    },
    sabotage: {
      name: 'another algorithm is taken too',
      file: tokensFile,
      find: "algorithms: ['HS256'],",
      replace: "algorithms: ['HS256', 'HS512'],",
    },
  },
  {
    id: 'AUT-05',
    title: 'A refresh token works once; one that comes again ends its whole family, and its person is told.',
    async run(context) {
      const shared = await accountsDesk(context);
      const { browser, email } = await shared.newPerson('viewer');
      const first = browser.cookies.get(refreshCookie) as string;
      const tab = () => {
        const other = shared.browser();
        other.cookies.set(refreshCookie, first);
        return other;
      };
      const tabs = [tab(), tab(), tab()];
      must(
        (await Promise.all(tabs.map(refresh))).every((status) => status === 200),
        'A tab of the race was refused.',
      );
      const children = new Set(tabs.map((one) => one.cookies.get(refreshCookie)));
      must(children.size === 1 && !children.has(first), `Three tabs at once got ${children.size} tokens.`);
      const [mine] = tabs as [TestBrowser];
      must((await refresh(mine)) === 200 && (await isIn(mine)), 'The session did not survive the race.');
      const after = shared.mailbox.letters.length;
      await shared.travel(11 * secondMs);
      const thief = tab();
      must((await refresh(thief)) === 401 && !(await isIn(thief)), 'A token that was replaced is taken again.');
      must(!(await isIn(mine)), 'The access token of the family still opens the desk.');
      must((await refresh(mine)) === 401, 'The family goes on after a token of it was copied.');
      const letter = await shared.mailbox.letter(email, /session/i, after);
      must((await refresh(await shared.owner())) === 200, 'Another person was signed out by it.');
      return `a race of three tabs got one child; the replay ended the family at once, and “${letter.subject}” went to its person`;
    },
    sabotage: {
      name: 'the family of a copied token goes on',
      file: 'src/accounts/sessions.ts',
      find: "'UPDATE sessions SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL'",
      replace: "'UPDATE sessions SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL AND false'",
    },
  },
  {
    id: 'AUT-06',
    title: 'A session ends 30 days after its beginning, and 14 days after it was last continued.',
    async run(context) {
      const shared = await accountsDesk(context);
      const used = (await shared.newPerson('viewer')).browser;
      const left = (await shared.newPerson('viewer')).browser;
      const late = (await shared.newPerson('viewer')).browser;
      await shared.travel(13.9 * dayMs);
      must((await refresh(used)) === 200 && (await refresh(late)) === 200, 'A session ended within 14 days.');
      await shared.travel(0.1 * dayMs + minuteMs);
      must((await refresh(left)) === 401, 'A session that nobody used for 14 days goes on.');
      await shared.travel(13 * dayMs);
      must((await refresh(used)) === 200, 'A session that is used ended within 30 days.');
      await shared.travel(3 * dayMs - 2 * minuteMs);
      must((await refresh(late)) === 401, 'A session that nobody used for 16 days goes on.');
      must((await refresh(used)) === 200, 'A session that is used ended within 30 days.');
      await shared.travel(3 * minuteMs);
      must((await refresh(used)) === 401, 'A session goes on after 30 days.');
      return '30 days of travel: continued on day 13, 27 and 29, over on day 30; unused ones over after 14';
    },
    sabotage: {
      name: 'no absolute end',
      file: 'src/accounts/sessions.ts',
      find: 'const expires = Math.min(row.startedAt + refreshDaysAbsolute * dayMs, now + refreshDaysIdle * dayMs);',
      replace: 'const expires = now + refreshDaysIdle * dayMs;',
    },
  },
  {
    id: 'AUT-08',
    title: 'The link of a mail works once and for an hour; the table has its digest, and no row of it afterwards.',
    async run(context) {
      const shared = await accountsDesk(context);
      const person = await shared.newPerson('viewer');
      const rowsOf = async () =>
        ((await shared.tables.dump()).get('one_time_tokens') ?? []).filter(
          (row) => Number(row.person_id) === person.id,
        );
      const askFor = async () => {
        const after = shared.mailbox.letters.length;
        await shared.browser().send('POST', '/api/password-resets', { email: person.email });
        const letter = await shared.mailbox.letter(person.email, /^Set a new password/, after);
        return /#token=([\w-]+)/.exec(letter.text)?.[1] ?? '';
      };
      const set = async (token: string, password: string) =>
        (await shared.browser().send('PUT', '/api/password-resets', { token, password })).status;
      const first = await askFor();
      const [row] = await rowsOf();
      const stored = Object.values(row ?? {}).map((value) =>
        Buffer.isBuffer(value) ? value.toString('hex') : `${value}`,
      );
      const forms = [first, Buffer.from(first, 'base64url').toString('hex'), Buffer.from(first).toString('hex')];
      must(first.length >= 22 && row !== undefined, 'There is no link, or no row of it.');
      must(!stored.some((value) => forms.some((form) => value.includes(form))), 'The token itself is stored.');
      must((await set(first, 'nine boats at low tide')) === 204, 'The link does not work.');
      must((await rowsOf()).length === 0, 'A used link leaves its row.');
      const again = await set(first, 'ten boats at low tide');
      must(again >= 400, 'The link works a second time.');
      const replaced = await askFor();
      const second = await askFor();
      must((await set(replaced, 'ten boats at low tide')) >= 400, 'A link works after a newer one was sent.');
      await shared.travel(61 * minuteMs);
      must((await set(second, 'eleven boats at low tide')) >= 400, 'The link works after an hour.');
      must((await rowsOf()).length === 0, 'A link that is over leaves its row.');
      await shared.signIn({ email: person.email, password: 'nine boats at low tide' });
      return 'a reset by mail: digest at rest, used once, the older of two dead, over after an hour, no row left';
    },
    sabotage: {
      name: 'a link never ends',
      file: 'src/accounts/people/one_time.ts',
      find: 'if (row !== undefined && row.expires_at.getTime() <= clock.now()) {',
      replace: 'if (row !== undefined && row.expires_at.getTime() <= 0) {',
    },
  },
  {
    id: 'AUT-09',
    title: 'Another password, another second factor and a suspension end every other session of the person.',
    async run(context) {
      const shared = await accountsDesk(context);
      const person = await shared.newPerson('viewer');
      const bystander = await shared.newPerson('viewer');
      const here = person.browser;
      let password = person.password;
      const seen: string[] = [];
      async function ends(what: string, act: () => Promise<number>, hereStays: boolean) {
        const elsewhere = await shared.signIn({ email: person.email, password });
        must(await isIn(elsewhere), `${what}: the other session never began.`);
        const status = await act();
        must(status < 300, `${what} is refused with ${status}.`);
        must(!(await isIn(elsewhere)) && (await refresh(elsewhere)) === 401, `${what}: another session goes on.`);
        must((await isIn(here)) === hereStays, `${what}: the session itself ${hereStays ? 'ended' : 'goes on'}.`);
        seen.push(what);
      }
      await ends(
        'a changed password',
        async () => {
          const body = { current: password, password: 'twelve boats at low tide' };
          const { status } = await here.send('PUT', '/api/account/password', body);
          password = body.password;
          return status;
        },
        true,
      );
      let secret = '';
      await ends(
        'an authenticator',
        async () => {
          const begun = await here.send('POST', '/api/account/authenticator', { password });
          secret = String(begun.body.secret);
          const code = codeOf(secret, shared.now());
          return (await here.send('POST', '/api/account/authenticator/confirmation', { code })).status;
        },
        true,
      );
      // What the second session has to pass from now on is left out: it is begun before the factor goes.
      const other = await shared.signIn({ email: person.email, password }).catch(() => undefined);
      must(other === undefined, 'The password alone signs in although there is an authenticator.');
      const pause = shared.browser();
      await pause.send('POST', '/api/sessions', { email: person.email, password });
      await shared.travel(60 * secondMs);
      await pause.send('POST', '/api/sessions/second-factor', { code: codeOf(secret, shared.now()) });
      must(await isIn(pause), 'The second step does not sign in.');
      await shared.travel(60 * secondMs);
      const removal = { password, code: codeOf(secret, shared.now()) };
      const removed = await here.send('POST', '/api/account/authenticator/removal', removal);
      must(removed.status === 204, `The authenticator cannot be taken away: ${removed.text}`);
      must(!(await isIn(pause)), 'Another session goes on after the authenticator was taken away.');
      seen.push('its removal');
      await ends(
        'a suspension',
        async () => {
          const body = { email: person.email, status: 'suspended', reason: 'the proof' };
          return (await (await shared.owner()).send('PUT', '/api/desk/people/status', body)).status;
        },
        false,
      );
      must(
        (await isIn(bystander.browser)) || (await refresh(bystander.browser)) === 200,
        'Somebody else was signed out.',
      );
      return `${seen.join(', ')}: every other session ended at once, that of a bystander went on`;
    },
    sabotage: {
      name: 'sessions are left as they are',
      file: 'src/accounts/people/parts.ts',
      find: 'return sessions.endOf(sql, personId, { except: keep });',
      replace: 'return sessions.endOf(sql, 0, { except: keep });',
    },
  },
];
