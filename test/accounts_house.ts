import { type Accounts, openAccounts } from '../src/accounts/index.ts';
import type { Clock } from '../src/platform/clock.ts';
import type { Config } from '../src/platform/config.ts';
import type { Route } from '../src/platform/http/route.ts';
import { openHttp } from '../src/platform/http/server.ts';
import { silentLog } from '../src/platform/log.ts';
import { type MailOffice, openMail } from '../src/platform/mail/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import type { House, KeyRing } from '../src/platform/subject.ts';
import { openAudit } from '../src/trust/audit/index.ts';
import { readFoot } from '../src/trust/documents/index.ts';
import { openTestPostgres, openTestVault, quickCost, type TestPostgres } from './stores.ts';

export interface Asked {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many calls, each looked at by the test that asks.
  body: any;
  cookies: string;
}

/** The account plane of a desk and nothing else: a real database, a real listener, mail that leaves for nowhere. */
export interface AccountsHouse {
  database: TestPostgres;
  house: House;
  vault: ReturnType<typeof openTestVault>;
  audit: ReturnType<typeof openAudit>;
  mail: MailOffice;
  accounts: Accounts;
  /** `http://127.0.0.1:…` */
  base: string;
  /** Asks as a browser behind the trusted proxy does. @param cookie what an answer before gave as `cookies`, or '' */
  ask(method: string, path: string, cookie: string, body?: unknown): Promise<Asked>;
  close(): Promise<void>;
}

/** @param inbox are messages kept where a development desk shows them? */
export async function openAccountsHouse({
  clock,
  keys,
  trustedProxies,
  inbox,
  more = () => [],
}: {
  clock: Clock;
  keys: KeyRing;
  trustedProxies: number;
  inbox: boolean;
  /** Calls of another part. */
  more?: (house: House, accounts: Accounts) => Route[];
}): Promise<AccountsHouse> {
  const database = await openTestPostgres();
  const { postgres } = database;
  const host = '127.0.0.1';
  const publicUrl = 'http://desk.test';
  const config = {
    host,
    trustedProxies,
    publicUrl,
    inbox,
    smtp: undefined,
    passwordCost: quickCost,
  } as unknown as Config;
  const vault = openTestVault({ keys, clock, postgres });
  const audit = openAudit({ vault, clock, random: systemRandom });
  const parts = { config, clock, random: systemRandom, log: silentLog, postgres, keys, vault };
  const mail = openMail({ ...parts, audit, foot: readFoot });
  const house = { ...parts, audit, mail } as unknown as House;
  const accounts = openAccounts(house, { version: 'test' });
  const http = await openHttp({
    ...{ host, port: 0, publicUrl, trustedProxies, tls: undefined },
    ...{
      routes: [...(accounts.routes ?? []), ...more(house, accounts)],
      fast: {},
      files: undefined,
      authenticate: accounts.authenticate,
      hasNews: (personId) => accounts.notices.news.has(personId),
    },
    ...{ clock, random: systemRandom, log: silentLog },
  });
  const base = `http://127.0.0.1:${http.address.port}`;
  return {
    ...{ database, house, vault, audit, mail, accounts, base },
    async ask(method, path, cookie, body) {
      const answer = await fetch(base + path, {
        method,
        headers: {
          ...{ 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7', 'user-agent': 'test', cookie },
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      const cookies = answer.headers.getSetCookie().map((one) => one.split(';')[0]);
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text), cookies: cookies.join('; ') };
    },
    async close() {
      await http.close(100);
      await accounts.stop?.();
      await mail.stop();
      await database.close();
    },
  };
}
