import type { Emulated } from '../emulators/admin.ts';
import { openGoogleOAuthEmulator } from '../emulators/google_oauth.ts';
import { openMetaEmulator } from '../emulators/meta.ts';
import { createOrganisation } from '../src/accounts/index.ts';
import { type Clock, systemClock } from '../src/platform/clock.ts';
import type { Config } from '../src/platform/config.ts';
import { readConnections } from '../src/platform/connection_config.ts';
import { openLog } from '../src/platform/log.ts';
import { openOutbound } from '../src/platform/outbound/index.ts';
import { readVersions } from '../src/platform/relay_config.ts';
import type { House } from '../src/platform/subject.ts';
import { type Connections, openConnections } from '../src/providers/index.ts';
import { ringOf } from '../src/trust/keys/index.ts';
import { openGate } from '../src/trust/register/index.ts';
import { type AccountsHouse, openAccountsHouse } from './accounts_house.ts';
import { openTestVault } from './stores.ts';

/** For tests of connections: two organisations, a real listener and database, and platforms that are emulators on this machine. */
export const password = 'a harbour of quiet rope';
export interface Side {
  email: string;
  organisationId: number;
  personId: number;
  cookie: string;
}
export interface ConnectedDesk {
  desk: AccountsHouse;
  /** As the connections were given it. */
  house: House;
  connections: Connections;
  google: Awaited<ReturnType<typeof openGoogleOAuthEmulator>>;
  meta: Emulated;
  north: Side;
  south: Side;
  lines: string[];
  now(): number;
  travel(ms: number): void;
  /** Back to today. */
  home(): void;
  /** As at the beginning: today, everybody signed in, platforms that allow what they are asked, and no connections. */
  reset(): Promise<void>;
  /** Asks for the address at the platform where somebody authorises. */
  begin(side: Side, body?: object): ReturnType<AccountsHouse['ask']>;
  /** Comes back with what the platform said. */
  answer(side: Side, back: Record<string, string>, more?: object): ReturnType<AccountsHouse['ask']>;
  signIn(side: Side): Promise<void>;
  /** Another process of the same desk: with the same rows and keys, and perhaps other settings or a clock of its own. */
  another(env?: Record<string, string>, clock?: Clock): Connections;
  at(side: Side, rest?: string): string;
  /** The way of a browser to the platform and back. @returns what it comes back with */
  consent(url: string): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function openConnectedDesk(): Promise<ConnectedDesk> {
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const parts = { now: () => clock.now(), chance: () => 0.99 };
  const back = (id: string) => [`http://desk.test/connect/${id}`];
  const google = await openGoogleOAuthEmulator({
    ...parts,
    apps: [{ id: 'app-1', secret: 'google / secret', redirectUris: back('google') }],
  });
  const business = { currency: 'EUR', timezone: 'Europe/Berlin', status: 1, business: '700' };
  const meta = await openMetaEmulator({
    ...{ ...parts, datasets: ['900'], tokens: {} },
    login: {
      apps: [{ id: '42', secret: 'meta secret', redirectUris: back('meta') }],
      accounts: [
        {
          ...{ ...business, id: '1', name: 'Shop' },
          pixels: [
            { id: '900', name: 'Shop pixel' },
            { id: '901', name: 'Old pixel', isUnavailable: true },
          ],
        },
        { ...business, id: '2', name: 'Shop abroad', pixels: [], status: 2, business: '701' },
      ],
    },
  });
  const environment: Record<string, string> = {
    FAIRLEAD_GOOGLE_CLIENT_ID: 'app-1',
    FAIRLEAD_GOOGLE_CLIENT_SECRET: 'google / secret',
    FAIRLEAD_GOOGLE_OAUTH_URL: google.url,
    FAIRLEAD_META_CLIENT_ID: '42',
    FAIRLEAD_META_CLIENT_SECRET: 'meta secret',
    FAIRLEAD_META_URL: meta.url,
  };
  function connectionsOf(env: Record<string, string>) {
    const read = {
      text: (name: string) => env[name],
      wrong(name: string, problem: string) {
        throw new Error(`${name}: ${problem}`);
      },
    };
    return readConnections({ ...read, isLoopback: (host) => host === '127.0.0.1', versions: readVersions(read) });
  }
  const lines: string[] = [];
  const log = openLog(clock, (line) => lines.push(line));
  const settings = (env: Record<string, string>) => ({
    role: 'all' as const,
    regions: [],
    outboundAllow: ['127.0.0.1'],
    connections: connectionsOf({ ...environment, ...env }),
  });
  function given(house: House, env: Record<string, string> = {}, own: Clock = clock): House {
    const config = { ...house.config, ...settings(env) } as Config;
    const { gate } = openGate({ config, clock, log, postgres: house.postgres });
    // One that writes down what a secret was opened for.
    const vault = openTestVault({ keys: house.keys, clock, postgres: house.postgres, audit: () => house.audit });
    return { ...house, vault, config, log, clock: own, outbound: openOutbound({ config, clock, log, gate }) };
  }
  let connections!: Connections;
  let house!: House;
  let another!: ConnectedDesk['another'];
  const desk = await openAccountsHouse({
    ...{ clock, keys: ringOf(Buffer.alloc(32, 7)), trustedProxies: 1, inbox: true },
    more(inner, accounts) {
      house = given(inner);
      connections = openConnections(house, accounts.notices);
      another = (env, own) => openConnections(given(inner, env, own), accounts.notices);
      return connections.routes ?? [];
    },
  });
  const hash = await desk.accounts.passwords.hash(password);
  const sides: Side[] = [];
  for (const name of ['north', 'south']) {
    const email = `owner@${name}.example`;
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email, organisation: name, hash }),
    );
    sides.push({ email, ...made, cookie: '' });
  }
  const [north, south] = sides as [Side, Side];
  async function signIn(side: Side): Promise<void> {
    side.cookie = (await desk.ask('POST', '/api/sessions', '', { email: side.email, password })).cookies;
  }
  for (const side of sides) await signIn(side);
  const home = () => {
    aheadMs = 0;
  };
  // What begins with a hyphen stands beside the connections.
  const at: ConnectedDesk['at'] = ({ organisationId }, rest = '') =>
    `/api/organisations/${organisationId}/connection${rest.startsWith('-') ? '' : 's'}${rest}`;
  return {
    ...{ at, home },
    async reset() {
      home();
      google.admin('POST', '/reset', {});
      google.admin('POST', '/platform', { consent: 'allow', rotates: false });
      meta.admin('POST', '/reset', {});
      meta.admin('POST', '/platform', { consent: 'allow' });
      for (const side of sides) {
        await signIn(side);
        await desk.house.postgres.tenant(side.organisationId, async (sql) => {
          await sql.run('DELETE FROM connections');
          await sql.run('DELETE FROM connection_steps');
        });
      }
      lines.length = 0;
    },
    begin: (side, body = { provider: 'google' }) => desk.ask('POST', at(side, '-authorisations'), side.cookie, body),
    answer: (side, { state, code }, more = {}) =>
      desk.ask('POST', at(side, '-answers'), side.cookie, { provider: 'google', state, code, ...more }),
    ...{ desk, house, connections, google, meta, north, south, lines, signIn, another },
    now: clock.now,
    travel(ms) {
      aheadMs += ms;
    },
    async consent(url) {
      const answer = await fetch(url, { redirect: 'manual' });
      const location = answer.headers.get('location');
      if (location === null)
        throw new Error(`The platform does not send back: ${answer.status} ${await answer.text()}`);
      const { origin, pathname, searchParams } = new URL(location);
      return { back: origin + pathname, ...Object.fromEntries(searchParams) };
    },
    async close() {
      await desk.close();
      await Promise.all([google.close(), meta.close()]);
    },
  };
}
