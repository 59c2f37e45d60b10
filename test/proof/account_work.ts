import { openOpenIdEmulator } from '../../emulators/oidc.ts';
import { codeOf } from './drivers/accounts_desk.ts';
import { openMailbox } from './drivers/mailbox.ts';
import { type Answer, openBrowser, type TestBrowser } from './drivers/test_browser.ts';
import { CannotProve } from './kit.ts';

/** What may be nowhere in clear, and what it is. */
export interface Secret {
  name: string;
  kind: 'password' | 'secret';
  value: string;
}

/** The provider that the used desk knows, and the mail server that it is told of. */
export async function openOutside(word: (prefix: string) => string, origin: string) {
  const clientSecret = word('bettong');
  const oidc = await openOpenIdEmulator({
    ...{ clientId: 'desk-1', clientSecret, redirectUris: [`${origin}/sign-in/oidc`] },
    user: { sub: 'ada', email: 'ada@shop.example', email_verified: true, name: 'Ada Byron' },
  });
  const login = { user: 'desk', password: word('kultarr') };
  const mailbox = await openMailbox(login);
  return {
    env: {
      FAIRLEAD_OIDC_ISSUER: oidc.url,
      FAIRLEAD_OIDC_CLIENT_ID: 'desk-1',
      FAIRLEAD_OIDC_CLIENT_SECRET: clientSecret,
      FAIRLEAD_OIDC_NAME: 'Shop login',
      FAIRLEAD_OUTBOUND_ALLOW: new URL(oidc.url).host,
    },
    ...{ clientSecret, login, mailbox },
    close: () => Promise.all([oidc.close(), mailbox.close()]),
  };
}

/**
 * Everything that people do with accounts, right and wrong, each from another address.
 * @returns what must be found nowhere afterwards
 */
export async function workWithAccounts(desk: {
  origin: string;
  addresses: readonly string[];
  agent: string;
  /** Who `fairlead setup` made, of organisation `shop` with this site. */
  owner: { email: string; password: string };
  site: string;
  word(prefix: string): string;
  outside: Awaited<ReturnType<typeof openOutside>>;
  /** `fairlead people reset`. @returns the link */
  resetLink(email: string): Promise<string>;
}): Promise<Secret[]> {
  const { owner, word, outside } = desk;
  const secrets: Secret[] = [
    { name: 'the password of the owner', kind: 'password', value: owner.password },
    { name: 'the client secret of a provider', kind: 'secret', value: outside.clientSecret },
    { name: 'the password of the mail server', kind: 'password', value: outside.login.password },
  ];
  const keep = (name: string, value: unknown, kind: Secret['kind'] = 'secret') => {
    if (typeof value !== 'string' || value.length < 12) throw new CannotProve(`There is no ${name} to look for.`);
    secrets.push({ name, kind, value });
    return value;
  };
  let at = 0;
  const browser = () =>
    openBrowser(desk.origin, {
      address: desk.addresses[at++ % desk.addresses.length] as string,
      agent: desk.agent,
      heard: (cookie) => {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        // Of an access token the signature is the secret; the rest says who somebody is.
        if (value !== '') keep(`the cookie ${name}`, value.split('.').at(-1)?.padEnd(12, value));
      },
    });
  async function ask(from: TestBrowser, method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await from.send(method, path, body);
    if (answer.status >= 400) throw new CannotProve(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return answer;
  }
  const signIn = (email: string, password: string, from = browser()) =>
    from.send('POST', '/api/sessions', { email, password });

  const boss = browser();
  await ask(boss, 'POST', '/api/sessions', owner);
  await ask(boss, 'PUT', '/api/mail/server', {
    ...{ host: '127.0.0.1', port: outside.mailbox.port, tls: 'starttls', user: outside.login.user },
    ...{ password: outside.login.password, from: 'Fairlead <desk@desk.example>' },
  });
  const email = 'pademelon@shop.example';
  const password = keep('a password', word('dunnart'), 'password');
  await ask(boss, 'POST', '/api/organisations/shop/invitations', { email, role: 'viewer' });
  const letter = await outside.mailbox.letter(email, /./);
  const token = keep('the token of an invitation', /invitation[/#](?:token=)?([\w-]{16,})/.exec(letter.text)?.[1]);
  const person = browser();
  await ask(person, 'POST', '/api/invitations/acceptances', { token, name: 'A person', password });
  for (const wrong of ['quenda', 'mulgara']) await signIn(email, keep('a wrong password', word(wrong), 'password'));
  await signIn(`${word('nobody')}@shop.example`, keep('the password of nobody', word('ningaui'), 'password'));
  await ask(person, 'POST', '/api/sessions/refresh');
  // Sent where nobody looks for one: as the name.
  await signIn(keep('a password typed as the name', word('kowari'), 'password'), 'something else entirely');

  const begun = await ask(person, 'POST', '/api/account/authenticator', { password });
  const secret = keep('the secret of an authenticator', begun.body.secret);
  const code = codeOf(secret, Date.now());
  const on = await ask(person, 'POST', '/api/account/authenticator/confirmation', { code });
  const codes = on.body.recovery_codes as string[];
  for (const one of codes) keep('a recovery code', one);
  const half = browser();
  await ask(half, 'POST', '/api/sessions', { email, password });
  await half.send('POST', '/api/sessions/second-factor', { code: keep('a wrong code', word('x')) });
  await ask(half, 'POST', '/api/sessions/second-factor', { code: codes[0] });

  const link = await desk.resetLink(email);
  const reset = keep('the token of a reset', /token=([\w-]+)/.exec(link)?.[1]);
  const next = keep('a password by reset', word('phascogale'), 'password');
  await ask(browser(), 'PUT', '/api/password-resets', { token: reset, password: next });
  const mailed = outside.mailbox.letters.length;
  await browser().send('POST', '/api/password-resets', { email });
  const second = await outside.mailbox.letter(email, /^Set a new password/, mailed);
  keep('the token of a mailed reset', /token=([\w-]+)/.exec(second.text)?.[1]);

  const made = await ask(boss, 'POST', '/api/keys', { name: 'a program', scopes: ['sites:read'] });
  const key = keep('an API key', made.body.key);
  for (const one of [key, keep('a wrong API key', `fl_7_${word('q').padEnd(40, 'Z')}`)])
    await browser().send('GET', '/api/sites', undefined, { authorization: `Bearer ${one}` });
  const guard = keep('the password of a share', word('chuditch'), 'password');
  const share = await ask(boss, 'POST', `/api/sites/${desk.site}/shares`, {
    ...{ name: 'a share', kind: 'password', panels: ['totals'], periods: ['28d'], password: guard },
  });
  const { pathname } = new URL(String(share.body.link));
  keep('the token of a share', pathname.split('/').at(-1));
  for (const one of [keep('a wrong password of a share', word('wambenger'), 'password'), guard])
    await browser().send('POST', pathname, new URLSearchParams({ password: one }));
  const away = await ask(browser(), 'POST', '/api/sign-in/providers/oidc', {});
  for (const name of ['state', 'nonce'])
    keep(`the ${name} of a provider`, new URL(String(away.body.url)).searchParams.get(name));
  await browser().send('POST', '/api/sign-in/providers/oidc/answers', {
    ...{ code: keep('a code of a provider', word('woylie')), state: word('s') },
  });
  await ask(boss, 'DELETE', '/api/sessions/current');
  return secrets;
}
