import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join as pathOf } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GitHubEmulator, openGitHubEmulator } from '../../../emulators/github.ts';
import { openGoogleEmulator } from '../../../emulators/google.ts';
import { type OpenIdEmulator, openOpenIdEmulator } from '../../../emulators/oidc.ts';
import { CannotProve, load, must, type ProofContext } from '../kit.ts';
import { type Home, homeIn, type ProvedDesk, password, startDesk, until } from './desk.ts';
import type { Faults } from './faulty_process.ts';
import { type Mailbox, openMailbox } from './mailbox.ts';
import { openTables, type Tables } from './tables.ts';
import { type Answer, openBrowser, type TestBrowser } from './test_browser.ts';

/**
 * One desk for all proofs about people: behind a trusted proxy, with a mail server, three providers that are emulators,
 * two organisations that know nothing of each other, and a wall clock that can be put forward while it runs.
 */
export interface AccountsDesk {
  readonly desk: ProvedDesk;
  readonly home: Home;
  readonly origin: string;
  readonly mailbox: Mailbox;
  readonly tables: Tables;
  readonly providers: { google: OpenIdEmulator; github: GitHubEmulator; oidc: OpenIdEmulator };
  /** What was asked and answered before there was an owner. */
  readonly beforeOwner: { people: number; signIns: number[]; noCode: number; wrongCode: number; again: number };
  /** Every `set-cookie` that came since the start. */
  readonly setCookies: readonly string[];
  /** What the process opened a connection to. */
  connections(): string[];
  /** A browser without cookies, in a network of its own unless one is named. */
  browser(address?: string): TestBrowser;
  /** The owner of the organisation, signed in. */
  owner(): Promise<TestBrowser>;
  /** The owner of another organisation, signed in. */
  rival(): Promise<TestBrowser>;
  /** Invited by the owner, joined by the link of the mail, and signed in. */
  newPerson(role: string, options?: { password?: string }): Promise<Person>;
  /** By password. @throws Error unless the desk takes it */
  signIn(person: Pick<Person, 'email' | 'password'>, address?: string): Promise<TestBrowser>;
  /** Puts the wall clock of the desk forward. */
  travel(ms: number): Promise<void>;
  /** The time that the desk believes. */
  now(): number;
  /** `fairlead people …`, `organisations …` over the control socket. */
  command(name: string, args: Record<string, string>): Promise<Record<string, unknown>>;
}
export interface Person {
  email: string;
  password: string;
  id: number;
  browser: TestBrowser;
}

export const site = 'shop.example';
export const rivalSite = 'rival.example';
export const organisation = 'shop';
export const client = { clientId: 'desk-1', clientSecret: 'a secret / with + signs' };
export const ada = { sub: '10769150350006150715113082367', email: 'ada@shop.example', name: 'Ada Byron' };
const rivalMail = 'owner@rival.example';
const ownerMail = 'owner@shop.example';

export const accountsDesk = (context: ProofContext): Promise<AccountsDesk> =>
  context.share('accounts desk', open, async ({ desk, mailbox, tables, providers }) => {
    await tables.close();
    await desk.stop();
    await Promise.all([mailbox, ...Object.values(providers)].map((one) => one.close()));
  });

async function open(context: ProofContext): Promise<AccountsDesk> {
  const folder = await context.folder();
  const home = homeIn(pathOf(folder, 'home'));
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const callback = (id: string) => `${origin}/sign-in/${id}`;
  const user = { ...ada, email_verified: true };
  const [google, oidc, github, mailbox] = await Promise.all([
    openGoogleEmulator({ ...client, redirectUris: [callback('google')], user }),
    openOpenIdEmulator({ ...client, redirectUris: [callback('oidc')], user: { ...user, sub: 'ada' } }),
    openGitHubEmulator({
      ...client,
      callback: callback('github'),
      user: {
        ...{ id: 583_231, login: 'ada', name: null, email: 'public@elsewhere.example' },
        emails: [{ email: ada.email, primary: true, verified: true }],
      },
    }),
    openMailbox(),
  ]);
  const faults = pathOf(folder, 'faults.json');
  const calls = pathOf(folder, 'connections');
  let number = 0;
  let offset = 0;
  const tell = () => {
    // In one step: the desk may read it at any moment.
    writeFileSync(`${faults}.new`, JSON.stringify({ number: ++number, clockOffsetMs: offset } satisfies Faults));
    renameSync(`${faults}.new`, faults);
  };
  tell();
  const desk = await startDesk(context.root, home, {
    env: {
      PORT: String(port),
      FAIRLEAD_PUBLIC_URL: origin,
      FAIRLEAD_TRUSTED_PROXIES: '1',
      FAIRLEAD_SMTP_URL: `smtp://127.0.0.1:${mailbox.port}`,
      FAIRLEAD_MAIL_FROM: 'Fairlead <desk@desk.example>',
      FAIRLEAD_OUTBOUND_ALLOW: [google.url, oidc.url, github.url].map((url) => new URL(url).host).join(','),
      FAIRLEAD_GOOGLE_CLIENT_ID: client.clientId,
      FAIRLEAD_GOOGLE_CLIENT_SECRET: client.clientSecret,
      FAIRLEAD_GOOGLE_URL: google.url,
      FAIRLEAD_GITHUB_CLIENT_ID: client.clientId,
      FAIRLEAD_GITHUB_CLIENT_SECRET: client.clientSecret,
      FAIRLEAD_GITHUB_URL: github.url,
      FAIRLEAD_GITHUB_API_URL: `${github.url}/api`,
      FAIRLEAD_OIDC_CLIENT_ID: client.clientId,
      FAIRLEAD_OIDC_CLIENT_SECRET: client.clientSecret,
      FAIRLEAD_OIDC_ISSUER: oidc.url,
      FAIRLEAD_OIDC_NAME: 'Shop login',
      PROOF_FAULTS: faults,
      PROOF_CONNECTIONS: calls,
    },
    imports: ['faulty_process.ts', 'watched_connections.ts'].map((name) =>
      fileURLToPath(new URL(`./${name}`, import.meta.url)),
    ),
  });
  const tables = await openTables(home);
  const setCookies: string[] = [];
  let network = 0;
  let people = 0;
  const browser = (address = `198.18.${++network % 250}.${Math.floor(network / 250) + 1}`) =>
    openBrowser(origin, { address, heard: (cookie) => void setCookies.push(cookie) });
  const beforeOwner = await firstOwner(desk, tables, browser);
  const { onDesk } = await load<typeof import('../../../src/app/with_desk.ts')>(context, 'src/app/with_desk.ts');
  const { readConfig } = await load<typeof import('../../../src/platform/config.ts')>(
    context,
    'src/platform/config.ts',
  );
  const command = async (name: string, args: Record<string, string>) =>
    (await onDesk({ command: name, args }, readConfig({ FAIRLEAD_DATA_DIR: home.dataDir }))) as Record<string, unknown>;
  const signedIn = new Map<string, TestBrowser>();
  async function signIn({ email, password }: Pick<Person, 'email' | 'password'>, address?: string) {
    const fresh = browser(address);
    const answer = await fresh.send('POST', '/api/sessions', { email, password });
    if (answer.status !== 201) throw new Error(`${email} cannot sign in: ${answer.status} ${answer.text}`);
    return fresh;
  }
  /** One whose session has ended meanwhile signs in anew. */
  async function still(email: string) {
    const known = signedIn.get(email);
    if (known !== undefined) {
      if ((await known.send('GET', '/api/session')).status === 200) return known;
      if ((await known.send('POST', '/api/sessions/refresh')).status === 200) return known;
    }
    const fresh = await signIn({ email, password }).catch((error: Error) => {
      throw new CannotProve(error.message);
    });
    signedIn.set(email, fresh);
    return fresh;
  }
  /** Invited, joined by the link of the mail, confirmed by the next one, and signed in. */
  async function join(slug: string, role: string, who: { email: string; name: string; password: string }) {
    const owner = await one.owner();
    const after = mailbox.letters.length;
    const invited = await owner.send('POST', `/api/organisations/${slug}/invitations`, { email: who.email, role });
    if (invited.status !== 201) throw new CannotProve(`Nobody can be invited: ${invited.text}`);
    const letter = await mailbox.letter(who.email, /./, after);
    const token = /invitation[/#](?:token=)?([\w-]{16,})/.exec(letter.text)?.[1];
    const fresh = browser();
    const joined = await fresh.send('POST', '/api/invitations/acceptances', {
      ...{ token, name: who.name, password: who.password },
    });
    if (joined.status !== 201) throw new CannotProve(`Nobody can join: ${joined.text}`);
    // The mailbox says that it was they who came: until then the account can be taken back by it.
    const told = await mailbox.letter(who.email, /^An account was made/, after);
    const confirmed = await fresh.send('POST', '/api/email-verifications', {
      token: /verify#token=([\w-]+)/.exec(told.text)?.[1],
    });
    if (confirmed.status !== 200) throw new CannotProve(`No address can be confirmed: ${confirmed.text}`);
    return fresh;
  }
  const one: AccountsDesk = {
    ...{ desk, home, origin, mailbox, tables, beforeOwner, setCookies, browser, signIn, command },
    providers: { google, github, oidc },
    connections: () => (existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').filter(Boolean) : []),
    owner: () => still(ownerMail),
    rival: () => still(rivalMail),
    now: () => Date.now() + offset,
    async travel(ms) {
      offset += ms;
      tell();
      await until(30, () => (readFileSync(`${faults}.seen`, 'utf8') === String(number) ? true : undefined));
    },
    async newPerson(role, options = {}) {
      const email = `person-${++people}@shop.example`;
      const secret = options.password ?? `seven boats at low tide ${people}`;
      const fresh = await join(organisation, role, { email, name: `Person ${people}`, password: secret });
      const session = await fresh.send('GET', '/api/session');
      return { email, password: secret, id: (session.body.person as { id: number }).id, browser: fresh };
    },
  };
  signedIn.set(ownerMail, await signIn({ email: ownerMail, password }));
  const owner = await one.owner();
  const other = await owner.send('POST', '/api/organisations', { name: 'Rival' });
  if (other.status !== 201) throw new CannotProve(`There can be no other organisation: ${other.text}`);
  // Over the weeks that pass here, the days to set a second factor up would run out.
  for (const slug of [organisation, 'rival', 'rival-2']) {
    const path = `/api/organisations/${slug}/second-factor`;
    const { status } = await owner.send('PUT', path, { required: 'off' });
    if (slug !== organisation && status === 200)
      signedIn.set(rivalMail, await join(slug, 'owner', { email: rivalMail, name: 'Rival', password }));
  }
  const made = await (await one.rival()).send('POST', '/api/sites', {
    ...{ domain: rivalSite, timezone: 'UTC', currency: 'EUR' },
  });
  if (made.status !== 201) throw new CannotProve(`The other organisation gets no site: ${made.text}`);
  return one;
}

/** What products that have a default account let in. */
const usualAccounts = [
  ['admin', 'admin'],
  ['admin@localhost', 'administrator'],
  ['admin@example.com', 'password1234'],
  ['root', 'root'],
] as const;

async function firstOwner(desk: ProvedDesk, tables: Tables, browser: () => TestBrowser) {
  const code = await until(30, () => /#code=([\w-]+)/.exec(desk.output())?.[1]);
  const people = ((await tables.dump()).get('people') ?? []).length;
  const ask = (code: string) =>
    browser().send('POST', '/api/set-up', {
      ...{ code, email: ownerMail, password, organisation: 'Shop' },
      site: { domain: site, timezone: 'UTC', currency: 'EUR' },
    });
  const signIns: number[] = [];
  for (const [email, password] of usualAccounts)
    signIns.push((await browser().send('POST', '/api/sessions', { email, password })).status);
  const noCode = (await ask('')).status;
  const wrongCode = (await ask('A'.repeat(code.length))).status;
  must(noCode >= 400 && wrongCode >= 400, 'Somebody without the code became the owner.');
  const made = await ask(code);
  if (made.status !== 201) throw new CannotProve(`The desk cannot be set up: ${made.text}`);
  return { people, signIns, noCode, wrongCode, again: (await ask(code)).status };
}

/** RFC 6238: the six digits that an authenticator with this secret shows at this time. */
export function codeOf(base32: string, atMs: number): string {
  const bits = [...base32.replaceAll(' ', '')]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(atMs / 30_000)));
  const digest = createHmac('sha1', key).update(counter).digest();
  const at = (digest.at(-1) as number) & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Goes to the provider's page and comes back with what it sends along. */
export async function visitProvider(url: string): Promise<Record<string, string>> {
  const response = await fetch(url, { redirect: 'manual' });
  await response.arrayBuffer();
  const back = new URL(response.headers.get('location') ?? 'about:blank');
  const { error_description: _, ...answer } = Object.fromEntries(back.searchParams);
  return answer;
}

/** Begins in a browser. @returns where the desk sends it */
export async function beginWith(browser: TestBrowser, provider: string): Promise<string> {
  const begun: Answer = await browser.send('POST', `/api/sign-in/providers/${provider}`, {});
  if (begun.status !== 201) throw new Error(`${provider} cannot be gone to: ${begun.text}`);
  return String(begun.body.url);
}

export async function freePort(): Promise<number> {
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address() as { port: number };
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
