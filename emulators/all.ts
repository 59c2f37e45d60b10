import { randomInt } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, type Emulated, type EmulatorParts, openClock } from './admin.ts';
import { openDataManagerEmulator } from './data_manager.ts';
import { openGa4Emulator } from './ga4.ts';
import { type GenericSettings, openGenericEmulator } from './generic.ts';
import { openGoogleAdsEmulator } from './google_ads.ts';
import { openGoogleOAuthEmulator } from './google_oauth.ts';
import { openLinkedInEmulator } from './linkedin.ts';
import { openMetaEmulator } from './meta.ts';
import { openMicrosoftEmulator } from './microsoft.ts';
import { readText, sendJson } from './oidc.ts';
import { type Postback, postbackHosts } from './postbacks.ts';
import { openTikTokEmulator } from './tiktok.ts';

/**
 * All ad platforms in one process, a port each, on one clock: a token that Google's OAuth gave is good at Data Manager and at
 * Google Ads for the scopes that were allowed. Their accounts are in `emulatedAccounts`; where a platform takes tokens that
 * were pasted, `token` is one.
 *
 * ```
 * node emulators/all.ts [--port 4700] [--redirect http://localhost:3000/api/connections/google/callback]…
 * ```
 *
 * prints one line of JSON: `{"admin": "http://127.0.0.1:4700", "platforms": {"meta": "http://127.0.0.1:4704", …}, "hosts":
 * {"graph.facebook.com": "http://127.0.0.1:4704", …}}`. Without `--port` the ports are whichever are free. An app of each
 * platform is known by `emulatedApp`, at the addresses that were given and no other.
 *
 * `admin` steers them together: `GET /__admin` tells all of `GET /__admin` by platform, `/__admin/counted` what each counts;
 * `POST /__admin/reset`, `/clock`, `/chaos` and `/platform` go to all of them, the clock moves once.
 */
export interface AllEmulators {
  admin: string;
  platforms: Readonly<Record<EmulatedPlatform, Emulated>>;
  /** By host of the outside world, where it is here. */
  hosts: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export const emulatedApp = { id: '424242', secret: 'emulated-secret' };
export const emulatedAccounts = {
  google: { customer: '1234567890', manager: '9876543210', conversionAction: '555' },
  meta: { business: '700', account: '1001', dataset: '1234567890' },
  ga4: { measurementId: 'G-ABC123DEF4', secret: 'emulated-secret' },
  tiktok: { advertiser: '801', pixel: 'C4A1B2C3D4E5F6G7H8I9' },
  microsoft: { account: '601', customer: '60', tag: '187012345' },
  linkedin: { account: '501', rule: '104012' },
  pinterest: '549755885175',
  snap: 'b1c2d3e4-0000-4000-8000-000000000001',
  reddit: 't2_abc123',
  x: 'o8z6j',
  webhook: `whsec_${Buffer.from('a secret for an emulator').toString('base64')}`,
} as const;

/** Hosts of each, as clients ask them. */
const hostsOf = {
  google_oauth: ['accounts.google.com', 'oauth2.googleapis.com'],
  data_manager: ['datamanager.googleapis.com'],
  google_ads: ['googleads.googleapis.com'],
  meta: ['graph.facebook.com', 'www.facebook.com'],
  ga4: ['www.google-analytics.com'],
  tiktok: ['business-api.tiktok.com'],
  microsoft: [
    ...['capi.uet.microsoft.com', 'login.microsoftonline.com', 'clientcenter.api.bingads.microsoft.com'],
    'campaign.api.bingads.microsoft.com',
  ],
  linkedin: ['api.linkedin.com', 'www.linkedin.com'],
  pinterest: ['api.pinterest.com'],
  snap: ['tr.snapchat.com'],
  reddit: ['ads-api.reddit.com'],
  x: ['ads-api.x.com'],
  webhook: [],
  ...postbackHosts,
} as const;
export type EmulatedPlatform = keyof typeof hostsOf;
export const emulatedPlatforms = Object.keys(hostsOf) as readonly EmulatedPlatform[];

/** @param settings.port of the first, the others follow */
export async function openAllEmulators({
  now,
  chance,
  port = 0,
  redirectUris,
}: Pick<EmulatorParts, 'now' | 'chance' | 'port'> & { redirectUris: string[] }): Promise<AllEmulators> {
  const clock = openClock(now);
  let next = port;
  const parts = () => ({ now, chance, clock, port: port === 0 ? 0 : ++next });
  const platforms = await openPlatforms(parts, [{ ...emulatedApp, redirectUris }]);
  const control = createServer((request, response) => {
    steer(platforms, clock, request, response).catch((error) => sendJson(response, 500, { emulator: String(error) }));
  });
  await new Promise<void>((resolve) => control.listen(port, '127.0.0.1', resolve));
  const hosts = Object.entries(hostsOf).flatMap(([name, all]) =>
    all.map((host) => [host, platforms[name as EmulatedPlatform].url]),
  );
  return {
    admin: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
    platforms,
    hosts: Object.fromEntries(hosts),
    async close() {
      await Promise.all(Object.values(platforms).map((each) => each.close()));
      control.closeAllConnections();
      await new Promise((resolve) => control.close(resolve));
    },
  };
}

type Apps = { id: string; secret: string; redirectUris: string[] }[];

async function openPlatforms(parts: () => EmulatorParts, apps: Apps): Promise<AllEmulators['platforms']> {
  const { google, meta, ga4, tiktok, microsoft, linkedin, pinterest, snap, reddit, x, webhook } = emulatedAccounts;
  const { customer, manager, conversionAction } = google;
  const oauth = await openGoogleOAuthEmulator({ ...parts(), apps });
  const scopes = ['datamanager', 'adwords'].map((name) => `https://www.googleapis.com/auth/${name}`);
  const tokens = { token: scopes };
  const where = { currency: 'EUR', timeZone: 'Europe/Berlin' };
  const generic = (platform: GenericSettings['platform'], account: string, token = 'token') =>
    openGenericEmulator({ ...parts(), platform, accounts: account === '' ? [] : [account], tokens: [token] });
  return {
    google_oauth: oauth,
    data_manager: await openDataManagerEmulator({
      ...{ ...parts(), tokens, issued: oauth.scopesOf, accounts: { [customer]: [conversionAction] } },
    }),
    google_ads: await openGoogleAdsEmulator({
      ...{ ...parts(), tokens, issued: oauth.scopesOf, accessible: [manager] },
      accounts: [
        { ...where, id: manager, name: 'Agency', isManager: true },
        {
          ...{ ...where, id: customer, name: 'Shop', parent: manager },
          actions: [{ id: conversionAction, name: 'Purchase', type: 'UPLOAD_CLICKS' }],
        },
      ],
    }),
    meta: await openMetaEmulator({
      ...{ ...parts(), datasets: [meta.dataset], tokens: { token: 'valid' } },
      login: {
        apps,
        accounts: [
          {
            ...{ id: meta.account, name: 'Shop', currency: 'EUR', timezone: 'Europe/Berlin', status: 1 },
            ...{ business: meta.business, pixels: [{ id: meta.dataset, name: 'Shop' }] },
          },
        ],
      },
    }),
    ga4: await openGa4Emulator({ ...parts(), streams: { [ga4.measurementId]: [ga4.secret] } }),
    tiktok: await openTikTokEmulator({
      ...{ ...parts(), apps, tokens: ['token'] },
      advertisers: [{ id: tiktok.advertiser, name: 'Shop', pixels: [{ code: tiktok.pixel, name: 'Shop' }] }],
    }),
    microsoft: await openMicrosoftEmulator({
      ...{ ...parts(), apps, tags: { [microsoft.tag]: 'token' } },
      accounts: [
        {
          ...{ id: microsoft.account, name: 'Shop', currency: 'EUR', customer: microsoft.customer },
          tags: [{ id: microsoft.tag, name: 'Shop' }],
        },
      ],
    }),
    linkedin: await openLinkedInEmulator({
      ...{ ...parts(), apps, tokens: ['token'] },
      accounts: [
        { id: linkedin.account, name: 'Shop', currency: 'EUR', rules: [{ id: linkedin.rule, name: 'Purchase' }] },
      ],
    }),
    pinterest: await generic('pinterest', pinterest),
    snap: await generic('snap', snap),
    reddit: await generic('reddit', reddit),
    x: await generic('x', x),
    webhook: await generic('webhook', '', webhook),
    ...(await openPostbacks(generic)),
  };
}

/** Of a postback nobody has an account or a token. */
async function openPostbacks(generic: (platform: Postback, account: string) => Promise<Emulated>) {
  const opened: [string, Emulated][] = [];
  for (const name of Object.keys(postbackHosts) as Postback[]) opened.push([name, await generic(name, '')]);
  return Object.fromEntries(opened) as Record<Postback, Emulated>;
}

async function steer(
  platforms: AllEmulators['platforms'],
  clock: Clock,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const text = await readText(request);
  const { method = 'GET', url = '/' } = request;
  const path = /^\/__admin(\/\w+)?$/.exec(url)?.[1] ?? (url === '/__admin' ? '' : undefined);
  if (path === undefined) return sendJson(response, 404, { emulator: `nothing at ${method} ${url}` });
  const body: unknown = text === '' ? {} : JSON.parse(text);
  const [first] = Object.values(platforms);
  if (method === 'POST' && path === '/reset') clock.reset();
  // One clock for all: to move it at each would move it as often as there are platforms.
  const asked = method === 'POST' && path === '/clock' ? [['clock', first] as const] : Object.entries(platforms);
  const told = asked.map(([name, each]) => [name, each?.admin(method, path, body)] as const);
  const wrong = told.find(([, said]) => typeof said !== 'object')?.[1];
  if (told.some(([, said]) => typeof said !== 'object'))
    return sendJson(response, 400, { emulator: wrong ?? `nothing at ${method} ${url}` });
  sendJson(response, 200, { now: clock.now(), ...Object.fromEntries(told) });
}

if (import.meta.main) {
  const after = (name: string) =>
    process.argv.flatMap((word, at) => (word === name ? [process.argv[at + 1] ?? ''] : []));
  const all = await openAllEmulators({
    now: Date.now,
    chance: () => randomInt(2 ** 32) / 2 ** 32,
    port: Number(after('--port')[0] ?? 0),
    redirectUris: after('--redirect'),
  });
  const urls = Object.entries(all.platforms).map(([name, { url }]) => [name, url]);
  console.log(JSON.stringify({ admin: all.admin, platforms: Object.fromEntries(urls), hosts: all.hosts }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void all.close());
}
