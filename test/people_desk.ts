import { expect } from 'vitest';
import { type Accounts, createOrganisation, learnPlaces } from '../src/accounts/index.ts';
import { systemClock } from '../src/platform/clock.ts';
import type { MailOffice } from '../src/platform/mail/index.ts';
import { ringOf } from '../src/trust/keys/index.ts';
import { openAccountsHouse } from './accounts_house.ts';
import type { openTestVault, TestPostgres } from './stores.ts';
import { type Written, watchWrites } from './written.ts';

/** For tests of accounts: a real database and a real listener; mails are read where a development desk shows them. */
export let database: TestPostgres;
export let written: () => Promise<Written[]>;
export let accounts: Accounts;
export let vault: ReturnType<typeof openTestVault>;
export let mail: MailOffice;
let base: string;
let close: () => Promise<void>;
let aheadMs = 0;
/** The desk's clock goes on by so much. */
export function travel(ms: number): void {
  aheadMs += ms;
}
export const clock = {
  ...systemClock,
  now: () => systemClock.now() + aheadMs,
  monotonic: () => systemClock.monotonic() + aheadMs,
};
export const minute = 60_000;
export const day = 1_440 * minute;
export const keys = ringOf(Buffer.alloc(32, 7));
export const password = 'a harbour of quiet rope';
export const ada = { email: 'ada@shop.example', personId: 0, organisationId: 0 };
export const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
export const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1';

/** To be called before all tests of a file; what it opened ends with `close`. */
export async function openPeopleDesk(): Promise<void> {
  // Files that follow each other in one process share this one.
  aheadMs = 0;
  seen = new Set();
  const opened = await openAccountsHouse({ clock, keys, trustedProxies: 1, inbox: true });
  ({ database, vault, mail, accounts, base, close } = opened);
  const { postgres } = database;
  learnPlaces((address) => (address === '203.0.113.7' ? { country: 'DE', region: 'Berlin' } : undefined));
  const hash = await accounts.passwords.hash(password);
  Object.assign(
    ada,
    await postgres.system((sql) =>
      createOrganisation(sql, { clock, vault, keys }, { email: ada.email, organisation: 'Shop', hash }),
    ),
  );
  await postgres.system((sql) =>
    createOrganisation(sql, { clock, vault, keys }, { email: 'rival@other.example', organisation: 'Other', hash }),
  );
  written = await watchWrites((work) => database.asOwner((sql) => work(sql.query)));
}
export const closePeopleDesk = () => close();

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many calls, each looked at by the test that asks.
  body: any;
  cookies: string[];
  headers: Headers;
  bytes: Buffer;
}
export async function call(
  method: string,
  path: string,
  options: { body?: unknown; bytes?: Buffer; cookies?: string[]; agent?: string; address?: string; key?: string } = {},
): Promise<Answer> {
  const response = await fetch(base + path, {
    method,
    headers: {
      'user-agent': options.agent ?? firefox,
      'x-forwarded-proto': 'https',
      'x-forwarded-for': options.address ?? '203.0.113.7',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
      ...(options.cookies === undefined
        ? {}
        : { cookie: options.cookies.map((cookie) => cookie.split(';')[0]).join('; ') }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.bytes === undefined ? {} : { body: new Uint8Array(options.bytes) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return {
    status: response.status,
    body: isJson ? JSON.parse(bytes.toString()) : {},
    cookies: response.headers.getSetCookie(),
    headers: response.headers,
    bytes,
  };
}
export const asked = (email = ada.email, words = password, agent = firefox) =>
  call('POST', '/api/sessions', { body: { email, password: words }, agent });
export const signIn = async (...given: Parameters<typeof asked>) => {
  const answer = await asked(...given);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.cookies;
};
export const isLiving = async (cookies: string[]) => (await call('GET', '/api/session', { cookies })).status === 200;
export const code = (answer: Answer) => answer.body.error?.code;
export const field = (answer: Answer) => answer.body.error?.field;

/** The mails that came since the last look, in the order in which they were written. */
let seen = new Set<number>();
export async function mails(): Promise<{ to: string; template: string; text: string; token: string }[]> {
  await accounts.people.settle();
  await mail.deliver();
  const fresh = (mail.inbox?.list() ?? []).filter((one) => !seen.has(one.id)).toReversed();
  for (const { id } of fresh) seen.add(id);
  return fresh.map(({ to, template, letter }) => ({
    to,
    template,
    text: letter.text,
    token: /#token=([\w-]+)/.exec(letter.text)?.[1] ?? '',
  }));
}
export const rows = <T extends object>(text: string) =>
  database.postgres.person(ada.personId, (sql) => sql.query<T>(text));
