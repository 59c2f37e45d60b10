import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestPostgres, type TestPostgres } from '../../../test/stores.ts';
import { systemClock } from '../../platform/clock.ts';
import { readConfig } from '../../platform/config.ts';
import { silentLog } from '../../platform/log.ts';
import { registeredTransport } from '../../platform/mail/index.ts';
import { openOutbound } from '../../platform/outbound/index.ts';
import { destinations } from '../../relay/index.ts';
import { classes } from '../classes/index.ts';
import { openGate } from './gate.ts';
import { knownOf, missingIn, refusedBecause } from './judge.ts';
import { receiversOf, rowOf } from './receivers.ts';
import { readStatements, state } from './statements.ts';

/** Everything that can be set to something that receives. */
const everything = {
  FAIRLEAD_DATA_DIR: '/data/fairlead',
  FAIRLEAD_KEY_FILE: '/keys/fairlead/key',
  FAIRLEAD_PUBLIC_URL: 'https://desk.example',
  FAIRLEAD_SENTRY_DSN: 'https://key@errors.example/1',
  FAIRLEAD_POSTHOG_KEY: 'key',
  FAIRLEAD_POSTHOG_HOST: 'https://numbers.example',
  FAIRLEAD_GOOGLE_CLIENT_ID: 'a',
  FAIRLEAD_GOOGLE_CLIENT_SECRET: 'b',
  FAIRLEAD_META_CLIENT_ID: 'a',
  FAIRLEAD_META_CLIENT_SECRET: 'b',
  FAIRLEAD_LINKEDIN_CLIENT_ID: 'a',
  FAIRLEAD_LINKEDIN_CLIENT_SECRET: 'b',
  FAIRLEAD_MICROSOFT_CLIENT_ID: 'a',
  FAIRLEAD_MICROSOFT_CLIENT_SECRET: 'b',
  FAIRLEAD_TIKTOK_CLIENT_ID: 'a',
  FAIRLEAD_TIKTOK_CLIENT_SECRET: 'b',
  FAIRLEAD_GITHUB_CLIENT_ID: 'a',
  FAIRLEAD_GITHUB_CLIENT_SECRET: 'b',
  FAIRLEAD_OIDC_CLIENT_ID: 'a',
  FAIRLEAD_OIDC_CLIENT_SECRET: 'b',
  FAIRLEAD_OIDC_ISSUER: 'https://people.example',
  FAIRLEAD_BACKUP_S3_URL: 'https://store.example/backups',
  FAIRLEAD_BACKUP_S3_KEY: 'a',
  FAIRLEAD_BACKUP_S3_SECRET: 'b',
  FAIRLEAD_LOG_URL: 'https://logs.example/lines',
  FAIRLEAD_ACME_DOMAINS: 'desk.example',
  FAIRLEAD_ACME_EMAIL: 'ops@desk.example',
  FAIRLEAD_OUTBOUND_ALLOW: '127.0.0.1,localhost,elsewhere.example',
};

let store: TestPostgres;
let server: http.Server;
let port: number;
const seen: string[] = [];
beforeAll(async () => {
  store = await openTestPostgres();
  server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.headers.host} ${request.url}`);
    if (request.url === '/away') response.writeHead(302, { location: `http://elsewhere.example:${port}/` });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  server.close();
  await store.close();
});

function open(env: Record<string, string>) {
  const config = readConfig({ ...everything, ...env });
  const parts = { config, clock: systemClock, log: silentLog };
  const register = openGate({ ...parts, postgres: store.postgres });
  const asked: string[] = [];
  const outbound = openOutbound({
    ...{ ...parts, gate: register.gate },
    async lookup(name) {
      asked.push(name);
      return [{ address: '127.0.0.1', family: 4 }];
    },
  });
  return { config, register, outbound, asked };
}

/** Where a destination's own requests go. */
function hostOfDestination(id: string): string {
  const destination = destinations.find((one) => one.id === id);
  const conversion = { event_name: 'purchase', occurred_at: '2026-11-30T09:15:00+01:00' };
  const identifiers = destination?.identify(conversion);
  const item = { conversion, identifiers, id: 'A-1' };
  return new URL(destination?.build([item], destination.settings(destination.examples.settings), 0).url ?? '').hostname;
}

const signIn = ['sign_in.discovery', 'sign_in.keys', 'sign_in.token', 'sign_in.profile'];

it('every caller of the product has its row: each purpose that the sources name, and no other (SHR-02)', () => {
  const root = join(import.meta.dirname, '../..');
  const callers = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ts$/.test(path) && !/\.test\.ts$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(
      ({ path }) => !path.startsWith('trust/register/') && !/^platform\/outbound\/(outbound|callbacks)\.ts$/.test(path),
    )
    // Whoever holds the door, or the way to it that sign-in hands on. What is missed here is refused when it runs.
    .filter(({ text }) => /\boutbound\b\s*\.send\(|postCallback\(|'(?:sign_in|provider)\.[a-z]+'/.test(text));
  const purposes = callers.flatMap(({ text }) => [
    ...[...text.matchAll(/^\s+purpose: '([a-z_.]+)',\n/gm)].map((found) => found[1] as string),
    ...[...text.matchAll(/'((?:sign_in|report)\.[a-z_]+|provider\.[a-z]+)'/g)].map((found) => found[1] as string),
  ]);
  const rows = receiversOf(readConfig(everything), 'mail.example');
  const registered = rows.flatMap((row) => row.purposes).filter((purpose) => purpose !== 'mail');
  expect(callers.map(({ path }) => path).sort()).toEqual([
    'accounts/alerts/posts.ts',
    'accounts/identities/flow.ts',
    'accounts/identities/github.ts',
    'accounts/identities/openid.ts',
    'analytics/first_run.ts',
    'app/ship_logs.ts',
    'platform/acme/conversation.ts',
    'platform/outbound/reports.ts',
    'providers/connect.ts',
    'providers/converse.ts',
    'providers/disconnect.ts',
    'providers/pickers.ts',
    'providers/tokens.ts',
    'relay/deliveries/request.ts',
    'trust/backup/object_store.ts',
    'trust/requests/callbacks.ts',
  ]);
  // Deliveries are sent for a purpose of each destination.
  purposes.push(...destinations.map(({ id }) => `relay.${id}`));
  const called = new Set(purposes.filter((purpose) => !['first_event', 'now'].includes(purpose)));
  expect([...called].sort()).toEqual([...new Set(registered)].sort());
  expect(rows.map(({ id }) => id)).toEqual([
    'self',
    'sites',
    'callbacks',
    'alerts',
    'mail',
    'backups',
    'google',
    'github',
    'oidc',
    'google-connect',
    'meta-connect',
    'linkedin-connect',
    'microsoft-connect',
    'tiktok-connect',
    'acme',
    'logs',
    'errors',
    'events',
    'webhook',
    ...destinations.map(({ id }) => id).filter((id) => id !== 'webhook'),
  ]);
  for (const { id, hosts } of rows.filter(({ byOrganisation }) => byOrganisation === true))
    if (id !== 'webhook') expect([id, hosts]).toEqual([id, [hostOfDestination(id)]]);
  const known = new Set(classes.map(({ id }) => id));
  for (const row of rows) for (const id of row.classes) expect(known).toContain(id);
});

it('nobody in the register pays for data or advertises: a purpose is one of a closed list, and what is of visitors goes to nobody (SHR-01)', () => {
  // Whoever adds one answers here, too, what it is for.
  const purposes = [
    'self_check',
    'snippet_check',
    'mail',
    'backup',
    'acme',
    'logs',
    'report.error',
    'report.event',
    'opendsr.callback',
    'alerts.post',
    ...signIn,
    'provider.token',
    'provider.read',
  ];
  const ofVisitors = ['D1', 'D2', 'D3', 'D4', 'D5', 'D6'];
  for (const row of receiversOf(readConfig(everything), 'mail.example')) {
    // What an organisation sends on, it sends to an account of its own, of people who did not deny it (REL-08).
    if (row.byOrganisation === true) {
      expect(row.purposes).toEqual([`relay.${row.id}`]);
      // What somebody wrote of themselves is of D5, the id of a click is a part of the conversion.
      expect(row.classes).toEqual(/SHA-256/.test(row.sent) ? ['D5', 'D6'] : ['D6']);
      continue;
    }
    for (const purpose of row.purposes) expect(purposes).toContain(purpose);
    expect(
      row.classes.filter((id) => ofVisitors.includes(id)),
      row.id,
    ).toEqual([]);
  }
});

it('each row says who, as what, where, for what and which classes, or that this is missing (SHR-04)', () => {
  const stores = {
    ...{
      DATABASE_URL: 'postgres://a:b@db.example/fairlead?sslmode=verify-full',
      DATABASE_MIGRATION_URL: 'postgres://o:b@db.example/fairlead?sslmode=verify-full',
    },
    CLICKHOUSE_URL: 'http://localhost:8123',
  };
  const rows = receiversOf(readConfig({ ...everything, ...stores }), 'mail.example');
  expect(rows.find(({ id }) => id === 'database')?.hosts).toEqual(['db.example']);
  expect(rows.some(({ id }) => id === 'warehouse')).toBe(false);
  const missing = Object.fromEntries(rows.map((row) => [row.id, missingIn(knownOf(row, undefined), [])]));
  expect(missing.self).toEqual([]);
  expect(missing.mail).toEqual([
    ...['the name of the company', 'the country', 'the processing contract', 'the day of that contract'],
    ...['the privacy policy', 'the terms', 'the day on which policy and terms were last read'],
  ]);
  expect(missing.google).toEqual(['what the transfer rests on', 'the day on which policy and terms were last read']);
  for (const row of rows) {
    expect([row.label, row.why, row.sent].every((text) => text.length > 0)).toBe(true);
    expect(['processor', 'controller', 'own']).toContain(row.role);
  }
});

it('refuses a call without a row before its name is resolved, also behind a redirect, and counts it (SHR-02)', async () => {
  const { outbound, asked } = open({ FAIRLEAD_PUBLIC_URL: `http://localhost:${port}` });
  const get = (url: string, purpose: string, more = {}) => outbound.send({ method: 'GET', url, purpose, ...more });
  expect(await get(`http://localhost:${port}/`, 'self_check')).toMatchObject({ status: 200 });
  expect(await get(`http://localhost.:${port}/`, 'self_check')).toMatchObject({ status: 200 });
  expect(await get(`http://elsewhere.example:${port}/`, 'self_check')).toEqual({ failed: 'not_registered' });
  expect(await get(`http://localhost:${port}/`, 'ads.sell')).toEqual({ failed: 'not_registered' });
  // One provider's row lets nothing through that is meant for another's.
  const ofGoogle = { receiver: 'google' };
  expect(await get('https://people.example/', 'sign_in.token', ofGoogle)).toEqual({ failed: 'not_registered' });
  seen.length = 0;
  expect(await get(`http://localhost:${port}/away`, 'self_check', { redirectsMax: 3 })).toEqual({
    failed: 'not_registered',
  });
  expect(seen).toEqual([`GET localhost:${port} /away`]);
  expect(new Set(asked)).toEqual(new Set(['localhost']));
  expect(outbound.hosts()).toMatchObject([
    { purpose: 'self_check', host: 'localhost', calls: 3, refusals: {} },
    { purpose: 'self_check', host: 'elsewhere.example', calls: 0, refusals: { not_registered: 2 } },
    { purpose: 'ads.sell', calls: 0, refusals: { not_registered: 1 } },
    { purpose: 'sign_in.token', receiver: 'google', calls: 0, refusals: { not_registered: 1 } },
  ]);
  await outbound.close();
});

it('a desk with a pin sends nothing to another region, or to who knows where, until a basis is stated (SHR-07)', async () => {
  const { config, outbound, register } = open({
    FAIRLEAD_REGIONS: 'eea,uk',
    FAIRLEAD_GOOGLE_URL: `http://localhost:${port}`,
  });
  const send = () =>
    outbound.send({ method: 'GET', url: `http://localhost:${port}/`, purpose: 'sign_in.keys', receiver: 'google' });
  const row = rowOf(receiversOf(config, undefined), { purpose: 'sign_in.keys', host: 'localhost', receiver: 'google' });
  if (row === undefined) throw new Error('There is no row.');
  seen.length = 0;
  expect(await send()).toEqual({ failed: 'region_refused' });

  const said = {
    ...{ legal_name: 'Doors Ltd', country: 'US', checked_on: '2026-11-01' },
  };
  const say = async (change: Partial<Parameters<typeof state>[2]>, host = 'localhost') => {
    await store.postgres.system((sql) => state(sql, { receiver: 'google', host, atMs: 0 }, { ...said, ...change }));
    register.forget();
  };
  await say({});
  expect(await send()).toEqual({ failed: 'region_refused' });
  const statement = (await store.postgres.system(readStatements)).get('google');
  expect(refusedBecause(knownOf(row, statement), config.regions)).toBe(
    'this desk is pinned to EEA, UK, Google sign-in processes in US, and nothing is stated that a transfer rests on',
  );
  expect(seen).toEqual([]);
  await say({ basis: 'clauses' });
  expect(await send()).toMatchObject({ status: 200 });
  await say({ country: 'IE' });
  expect(await send()).toMatchObject({ status: 200 });
  // What was said of another host is not about this one.
  await say({ country: 'IE' }, 'old.example');
  expect(await send()).toEqual({ failed: 'region_refused' });
  await outbound.close();

  // Mail asks the same register, and waits.
  const server = { host: '127.0.0.1', port: 9, tls: 'starttls', from: 'a@b.example' } as const;
  const transport = registeredTransport(
    { ...server, userName: undefined, password: undefined, dkim: undefined },
    register.mail,
  );
  const letter = { subject: 's', text: 't', html: 'h', pictures: [] };
  expect(await transport.send({ messageId: 'a@b', to: 'c@d.example', letter, unsubscribe: undefined })).toMatchObject({
    ...{ kind: 'later', reason: 'region_refused' },
  });
  transport.close();
});

it('two who state at once make two versions, and nothing that was stated is changed or gone', async () => {
  const said = {
    ...{ country: 'DE', contract: 'Folder 3', contract_on: '2026-01-31' },
  } as const;
  const one = (legal_name: string) =>
    store.postgres.system((sql) =>
      state(sql, { receiver: 'mail', host: 'mail.example', atMs: 0 }, { ...said, legal_name }),
    );
  expect((await Promise.all([one('Post'), one('Post and sons')])).sort()).toEqual([1, 2]);
  await expect(
    store.postgres.system((sql) => sql.run("UPDATE receiver_statements SET country = 'US'")),
  ).rejects.toThrow();
  await expect(store.postgres.system((sql) => sql.run('DELETE FROM receiver_statements'))).rejects.toThrow();
});
