// Long because it has an example of every call, each beside the others that it is compared with.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keyScopes } from '../contract/api.ts';
import { errorStatus } from '../contract/errors.ts';
import { event } from '../contract/event.ts';
import type { OperationLine } from '../contract/operations.ts';
import { type Role, roles } from '../contract/roles.ts';
import type { UsageAnswer } from '../contract/usage.ts';
import { rolePermissions, scopePermissions } from '../src/accounts/index.ts';
import { type RunningServer, startServer } from '../src/app/serve.ts';
import { readConfig } from '../src/platform/config.ts';
import { emailDigest, sealEmail } from '../src/platform/email.ts';
import { actions } from '../src/trust/audit/actions.ts';
import { featureOfCall } from '../src/trust/usage/features.ts';
import { byTurns } from './depth.ts';
import { layPreparedDesk } from './prepared_cluster.ts';
import type { Answer, Asker, Example, Examples } from './routes/example.ts';
import { eraseStores, ownerLogin, quickCost } from './stores.ts';
import { unnoted, type Written, watchWrites } from './written.ts';

/**
 * Every call that a desk registers × everybody who may ask: the table in docs/guides/permissions.md is what each must
 * get. A call that is not in the table, or has no example here, fails.
 */
const table = readTable(readFileSync(new URL('../docs/guides/permissions.md', import.meta.url), 'utf8'));
const password = 'a harbour of quiet rope';
const allScopes = [...keyScopes];

// The whole desk starts, and a person of each role signs in, each at a quarter of a second of a core.
vi.setConfig({ hookTimeout: 300_000 });
const folder = mkdtempSync(join(tmpdir(), 'fairlead-routes-'));
let server: RunningServer;
let base: string;
let owner: pg.Client;
let written: () => Promise<Written[]>;
/** What the first run wrote. */
let firstWritten: Written[];
const people: Record<string, Asker> = {};
const keys: Record<string, string> = {};
let organisation = 0;
let number = 0;
let madeExport = 0;
let madeImport = 0;
let started: Answer;

async function call(method: string, path: string, asker: Asker = {}, body?: unknown): Promise<Answer> {
  const response = await fetch(base + path, {
    method,
    headers: {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
      'accept-language': 'en',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(asker.cookies === undefined ? {} : { cookie: asker.cookies.map((one) => one.split(';')[0]).join('; ') }),
      ...(asker.key === undefined ? {} : { authorization: `Bearer ${asker.key}` }),
      ...asker.headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    body: text.startsWith('{') ? JSON.parse(text) : {},
    cookies: response.headers.getSetCookie(),
    headers: response.headers,
  };
}

const site = 'shop.example';
const question = { site_id: site, metrics: ['visitors'], date_range: 'day' };
const bySite = (rest: string) => ({ path: () => `/api/sites/${site}${rest}` });
const newKey = () => ({ name: `key ${++number}`, scopes: ['stats:read'] });
const newForeignId = () => ({ id: `client-${++number}`, secret: 'sec_0123456789abcdef' });
const newAnnotation = () => ({ day: '2026-11-01', note: `note ${++number}` });
const newShield = () => ({ kind: 'path', value: `/shielded-${++number}/**`, note: `shield ${number}` });
/** What the last removed shield came back with: a restoration needs it in its body. */
let undo = '';
const newGoal = () => ({ kind: 'page', match: `/page-${++number}**` });

/** Each subject has the examples of its calls in a file of its own (test/routes); those of the first ones are here. */
const files = readdirSync(new URL('./routes/', import.meta.url)).filter((file) => file !== 'example.ts');
const elsewhere = await Promise.all(
  files.map(async (file) => ((await import(`./routes/${file}`)) as { examples: Examples }).examples),
);
const examples: Record<string, Example> = {
  ...Object.assign(
    {},
    ...elsewhere.map((make) =>
      make({
        site,
        organisation: () => organisation,
        server: () => server,
        people,
        next: () => ++number,
        call,
        asOwner: (work) => asOwner(organisation, () => work(owner)),
      }),
    ),
  ),
  'GET /api/openapi.json': { path: () => '/api/openapi.json', status: 200 },
  'GET /api/docs': { path: () => '/api/docs', status: 200 },
  'GET /api/docs.css': { path: () => '/api/docs.css', status: 200 },
  'GET /api/set-up': { path: () => '/api/set-up', status: 200 },
  'POST /api/set-up': {
    path: () => '/api/set-up',
    body: () => firstRun(''),
    // The owner of this desk exists: beforeAll made it by this call.
    status: 409,
    badValues: [
      ['email', 'nobody'],
      ['password', 'short'],
      ['organisation', ' '],
    ],
  },
  'POST /api/sessions': {
    path: () => '/api/sessions',
    body: () => ({ email: 'owner@shop.example', password }),
    status: 201,
  },
  'POST /api/sessions/refresh': { path: () => '/api/sessions/refresh', status: 200 },
  'DELETE /api/sessions/current': { path: () => '/api/sessions/current', status: 200 },
  'GET /api/session': { path: () => '/api/session', status: 200 },
  'GET /api/sites': {
    path: () => `/api/sites?organisation_id=${organisation}`,
    status: 200,
    badParams: [
      ['/api/sites?organisation_id=none', 'organisation_id'],
      ['/api/sites?organization_id=1', 'organization_id'],
    ],
  },
  'POST /api/sites': {
    path: () => `/api/sites?organisation_id=${organisation}`,
    body: () => ({ domain: `site-${++number}.example`, timezone: 'UTC', currency: 'EUR' }),
    status: 201,
    badParams: [['/api/sites?organisation_id=-1', 'organisation_id']],
    badValues: [
      ['domain', 'no domain'],
      ['domain', 'a\u0000b.example'],
      ['timezone', 'Mars/Olympus'],
      ['timezone', '\u0000'],
      ['currency', 'EURO'],
      ['currency', 'XQQ'],
      ['retention_months', 26],
      ['retention_months', 0],
      ['retention_months', 1.5],
    ],
  },
  'GET /api/sites/:domain': { ...bySite(''), status: 200 },
  'PATCH /api/sites/:domain': {
    ...bySite(''),
    body: () => ({ titles: true, timezone: 'UTC' }),
    status: 200,
    badValues: [
      ['timezone', 'Mars/Olympus'],
      ['currency', 'XQQ'],
      ['privacy_signals', 'maybe'],
      ['domain', 'x.example'],
    ],
  },
  'GET /api/sites/:domain/checks': { ...bySite('/checks'), status: 200 },
  'POST /api/sites/:domain/test-events': { ...bySite('/test-events'), status: 201 },
  'GET /api/sites/:domain/now': { ...bySite('/now'), status: 200 },
  'GET /api/sites/:domain/contact-clicks': { ...bySite('/contact-clicks'), status: 200 },
  'GET /api/sites/:domain/profiles': {
    ...bySite('/profiles?search=ada%40mail.example'),
    status: 200,
    badParams: [
      [`/api/sites/shop.example/profiles?search=${'x'.repeat(321)}`, 'search'],
      ['/api/sites/shop.example/profiles?before=yesterday', 'before'],
    ],
  },
  'GET /api/sites/:domain/profiles/:profile': {
    ...bySite('/profiles/0123456789abcdef'),
    status: 200,
    badParams: [
      ['/api/sites/shop.example/profiles/somebody', 'profile'],
      ['/api/sites/shop.example/profiles/0123456789abcdef?before=yesterday', 'before'],
    ],
  },
  'GET /api/sites/:domain/foreign-ids': { ...bySite('/foreign-ids'), status: 200 },
  'PUT /api/sites/:domain/foreign-ids/:product': {
    ...bySite('/foreign-ids/openpanel'),
    body: newForeignId,
    status: 200,
    badParams: [
      [`/api/sites/${site}/foreign-ids/matomo`, 'product'],
      [`/api/sites/${site}/foreign-ids/constructor`, 'product'],
    ],
    badValues: [
      ['id', ''],
      ['id', 'two words'],
      ['id', 'a\u0000b'],
      ['id', 'x'.repeat(65)],
      ['secret', 'short'],
    ],
  },
  'DELETE /api/sites/:domain/foreign-ids/:product': {
    path: async () => {
      const path = `/api/sites/${site}/foreign-ids/rybbit`;
      await call('PUT', path, people.owner, { id: `site-${++number}` });
      return path;
    },
    status: 204,
    badParams: [[`/api/sites/${site}/foreign-ids/matomo`, 'product']],
  },
  'GET /api/sites/:domain/properties': {
    ...bySite('/properties?event=Signup'),
    status: 200,
    badParams: [[`/api/sites/${site}/properties?event=`, 'event']],
  },
  'GET /api/sites/:domain/missing': {
    path: () => `/api/sites/${site}/missing`,
    status: 200,
    badParams: [
      [`/api/sites/${site}/missing?period=2y`, 'period'],
      [`/api/sites/${site}/missing?since=1`, 'since'],
    ],
  },
  'GET /api/sites/:domain/quality': { ...bySite('/quality'), status: 200 },
  'GET /api/sites/:domain/shields': { ...bySite('/shields'), status: 200 },
  'GET /api/sites/:domain/shield-preview': {
    path: () => `/api/sites/${site}/shield-preview?kind=path&value=/admin/**`,
    status: 200,
    badParams: [
      [`/api/sites/${site}/shield-preview?kind=path`, 'value'],
      [`/api/sites/${site}/shield-preview?kind=address&value=203.0.113.7`, 'kind'],
      [`/api/sites/${site}/shield-preview?kind=country&value=ZZ`, 'value'],
      [`/api/sites/${site}/shield-preview?kind=rate&value=1.5`, 'value'],
    ],
  },
  'POST /api/sites/:domain/shields': {
    ...bySite('/shields'),
    body: newShield,
    status: 201,
    badValues: [
      ['kind', 'feeling'],
      ['value', 'no slash'],
      ['value', '/a?b=c'],
      ['value', '/a\u0000b'],
      ['value', `/${'x'.repeat(253)}`],
      ['note', 'x'.repeat(81)],
      ['note', 'the office (203.0.113.7)'],
    ],
  },
  'DELETE /api/sites/:domain/shields/:id': {
    path: async () =>
      `/api/sites/${site}/shields/${(await call('POST', `/api/sites/${site}/shields`, people.owner, newShield())).body.id}`,
    status: 200,
    badParams: [
      [`/api/sites/${site}/shields/first`, 'id'],
      [`/api/sites/${site}/shields/0`, 'id'],
      [`/api/sites/${site}/shields/1?force=yes`, 'force'],
    ],
  },
  'POST /api/sites/:domain/shield-undo': {
    path: async () => {
      const path = `/api/sites/${site}/shields`;
      const { id } = (await call('POST', path, people.owner, newShield())).body;
      undo = String((await call('DELETE', `${path}/${id}`, people.owner)).body.undo);
      return `/api/sites/${site}/shield-undo`;
    },
    body: () => ({ undo }),
    status: 201,
    badValues: [
      ['undo', ''],
      ['undo', 'c29tZXRoaW5nIGVsc2UsIGFuZCBub3Qgc2VhbGVk'],
    ],
  },
  'GET /api/sites/:domain/realtime': {
    path: () => `/api/sites/${site}/realtime`,
    status: 200,
    badParams: [
      [`/api/sites/${site}/realtime?since=yesterday`, 'since'],
      [`/api/sites/${site}/realtime?filters=${'x'.repeat(8_001)}`, 'filters'],
    ],
  },
  'GET /api/sites/:domain/exports': { ...bySite('/exports'), status: 200 },
  'POST /api/sites/:domain/exports': {
    ...bySite('/exports'),
    body: () => ({ format: 'ndjson' }),
    // No day of this site is over.
    status: 409,
    badValues: [['format', 'xlsx']],
  },
  'GET /api/sites/:domain/exports/:id/file': {
    path: () => `/api/sites/${site}/exports/${madeExport}/file`,
    status: 200,
    badParams: [[`/api/sites/${site}/exports/last/file`, 'id']],
  },
  'DELETE /api/sites/:domain/exports/:id': {
    path: async () => `/api/sites/${site}/exports/${await makeExport()}`,
    status: 204,
    badParams: [[`/api/sites/${site}/exports/0`, 'id']],
  },
  'GET /api/sites/:domain/imports': { ...bySite('/imports'), status: 200 },
  'POST /api/sites/:domain/imports': {
    ...bySite('/imports'),
    body: () => ({ kind: 'ga4', name: 'table.csv', size: 10 }),
    // One that is being sent stands in the way.
    status: 409,
    badValues: [
      ['kind', 'matomo'],
      ['name', ' '],
      ['name', 'a\u0000b'],
      ['name', 'x'.repeat(256)],
      ['size', 0],
      ['size', 1.5],
      ['size', 5 * 1024 ** 3],
    ],
  },
  'PUT /api/sites/:domain/imports/:id/parts/:part': {
    path: () => `/api/sites/${site}/imports/${madeImport}/parts/0`,
    // It comes without a byte.
    status: 400,
    badParams: [
      [`/api/sites/${site}/imports/first/parts/0`, 'id'],
      [`/api/sites/${site}/imports/1/parts/-1`, 'part'],
    ],
  },
  'POST /api/sites/:domain/imports/:id/check': {
    path: () => `/api/sites/${site}/imports/${madeImport}/check`,
    status: 409,
    badParams: [[`/api/sites/${site}/imports/0/check`, 'id']],
  },
  'POST /api/sites/:domain/imports/:id/start': {
    path: () => `/api/sites/${site}/imports/${madeImport}/start`,
    status: 409,
    badParams: [[`/api/sites/${site}/imports/4294967296/start`, 'id']],
  },
  'DELETE /api/sites/:domain/imports/:id': {
    path: async () => `/api/sites/${site}/imports/${await makeImport('failed')}`,
    status: 204,
    badParams: [[`/api/sites/${site}/imports/0`, 'id']],
  },
  'GET /api/sites/:domain/annotations': { ...bySite('/annotations'), status: 200 },
  'POST /api/sites/:domain/annotations': {
    ...bySite('/annotations'),
    body: newAnnotation,
    status: 201,
    badValues: [
      ['day', '2026-02-30'],
      ['day', 'today'],
      ['note', ' '],
      ['note', 'a\u0000b'],
      ['note', 'x'.repeat(201)],
    ],
  },
  'PUT /api/sites/:domain/annotations/:id': {
    path: async () =>
      `/api/sites/${site}/annotations/${(await call('POST', `/api/sites/${site}/annotations`, people.owner, newAnnotation())).body.id}`,
    body: newAnnotation,
    status: 200,
    badParams: [[`/api/sites/${site}/annotations/0`, 'id']],
    badValues: [
      ['day', 'today'],
      ['note', ' '],
    ],
  },
  'DELETE /api/sites/:domain/annotations/:id': {
    path: async () =>
      `/api/sites/${site}/annotations/${(await call('POST', `/api/sites/${site}/annotations`, people.owner, newAnnotation())).body.id}`,
    status: 204,
    badParams: [
      [`/api/sites/${site}/annotations/first`, 'id'],
      [`/api/sites/${site}/annotations/0`, 'id'],
    ],
  },
  'GET /api/sites/:domain/goals': { ...bySite('/goals'), status: 200 },
  'POST /api/sites/:domain/goals': {
    ...bySite('/goals'),
    body: newGoal,
    status: 201,
    badValues: [
      ['match', ''],
      ['match', 'no slash'],
      ['match', '/a\u0000b'],
      ['name', 'a\u0000b'],
      ['name', 'x'.repeat(121)],
      ['kind', 'feeling'],
      ['currency', 'XQQ'],
      ['property', { name: 'plan', value: 'pro' }],
      ['property', { name: 'plan' }],
      ['scroll_depth', 50],
      ['scroll_depth', 101],
      ['undo', ''],
      ['undo', 'of nobody'],
    ],
  },
  'POST /api/sites/:domain/goal-preview': {
    ...bySite('/goal-preview'),
    body: newGoal,
    status: 200,
    badValues: [
      ['match', 'no slash'],
      ['scroll_depth', 0],
      ['property', { name: 'plan', value: '' }],
    ],
  },
  'PUT /api/sites/:domain/goals/:id': {
    path: async () =>
      `/api/sites/${site}/goals/${(await call('POST', `/api/sites/${site}/goals`, people.owner, newGoal())).body.id}`,
    body: newGoal,
    status: 200,
    badValues: [
      ['match', ''],
      ['name', ''],
      ['currency', 'XQQ'],
    ],
    badParams: [[`/api/sites/${site}/goals/0`, 'id']],
  },
  'DELETE /api/sites/:domain/goals/:id': {
    path: async () =>
      `/api/sites/${site}/goals/${(await call('POST', `/api/sites/${site}/goals`, people.owner, newGoal())).body.id}`,
    status: 200,
    badParams: [
      [`/api/sites/${site}/goals/first`, 'id'],
      [`/api/sites/${site}/goals/0`, 'id'],
      [`/api/sites/${site}/goals/99999999999999999999`, 'id'],
    ],
  },
  'POST /api/v2/query': {
    path: () => '/api/v2/query',
    body: () => question,
    status: 200,
    badValues: [
      ['metrics', []],
      ['date_range', 'some day'],
    ],
  },
  'POST /api/v2/query/batch': {
    path: () => '/api/v2/query/batch',
    body: () => ({ queries: [question, question] }),
    status: 200,
    badValues: [
      ['queries', []],
      ['queries', Array.from({ length: 21 }, () => question)],
    ],
  },
  'GET /api/keys': { path: () => `/api/keys?organisation_id=${organisation}`, status: 200 },
  'POST /api/keys': {
    path: () => `/api/keys?organisation_id=${organisation}`,
    body: newKey,
    status: 201,
    badValues: [
      ['name', ''],
      ['name', 'a\u0000b'],
      ['name', 'x'.repeat(121)],
      ['scopes', []],
      ['scopes', ['all']],
      ['site_ids', []],
      ['site_ids', ['first']],
      ['site_ids', [987_654_321]],
      ['expires_at', 'tomorrow'],
      ['expires_at', '2026-01-01T00:00:00Z'],
    ],
  },
  'DELETE /api/keys/:id': {
    path: async () =>
      `/api/keys/${(await call('POST', '/api/keys', people.owner, newKey())).body.id}?organisation_id=${organisation}`,
    status: 204,
    badParams: [
      ['/api/keys/first', 'id'],
      ['/api/keys/1e3x', 'id'],
    ],
  },
};
/** Acts that no example brings about, and the tests that do. */
const shownElsewhere: Readonly<Record<string, string>> = {
  ...of('src/providers/connections.test.ts', ['connection.authorised', 'connection.ended', 'connection.paused']),
  ...of('src/accounts/people/people.test.ts', [
    ...['session.refused', 'session.reused', 'password.changed', 'password.reset_asked', 'password.reset'],
    ...['email.change_asked', 'email.changed', 'email.verified', 'second_factor.enabled', 'second_factor.disabled'],
    ...['second_factor.refused', 'second_factor.codes_renewed', 'second_factor.used_recovery'],
    ...['operator.password_reset', 'operator.second_factor_off'],
  ]),
  ...of('src/accounts/watch.test.ts', ['alert.raised']),
  ...of('test/journeys/request_measures.test.ts', ['request.called_back']),
  ...of('test/journeys/alert_hooks.test.ts', ['alerts.changed']),
  ...of('test/journeys/relay_intake_edges.test.ts', ['relay.address_ended']),
  ...of('src/trust/incidents/concerns.test.ts', ['incident.concern_came']),
  ...of('test/incidents.test.ts', ['transfer.done']),
  ...of('src/trust/access/access.test.ts', ['access.review_done']),
  ...of('test/ending.test.ts', ['organisation.removed']),
  ...of('src/accounts/closing/closing.test.ts', [
    'person.archive_fetched',
    'person.closing',
    'person.kept',
    'person.closed',
    'person.taken_back',
  ]),
  ...of('src/platform/mail/mail.test.ts', ['mail.bounced']),
  ...of('test/subject_requests.test.ts', ['request.erased_part', 'request.came']),
  ...of('src/accounts/sign_up/sign_up.test.ts', [
    ...[
      'person.added',
      'terms.accepted',
      'age.attested',
      'sign_up.invited',
      'operator.document_published',
      'operator.document_withdrawn',
    ],
  ]),
  ...of('test/journeys/organisations.test.ts', [
    ...['member.joined', 'member.left', 'organisation.suspended', 'organisation.resumed'],
    ...['organisation.closing', 'organisation.closed', 'organisation.ownership_transferred'],
    ...['vault.rotated', 'organisation.shredded'],
  ]),
  ...of('test/journeys/identities.test.ts', [
    ...['identity.linked', 'identity.unlinked', 'passkey.added', 'passkey.refused', 'passkey.removed'],
  ]),
  ...of('test/journeys/site_life.test.ts', ['site.deleted']),
  ...of('test/journeys/backup.test.ts', ['backup.made', 'backup.failed', 'backup.key_made', 'backup.released']),
  ...of('src/trust/requests/requests.test.ts', ['request.begun', 'request.answered', 'request.refused']),
  ...of('test/journeys/request_measures.test.ts', ['request.restriction_ended', 'request.restriction_ending']),
  ...of('src/trust/incidents/concerns.test.ts', ['incident.concern_read']),
  ...of('test/windows.test.ts', ['retention.removed', 'retention.failed', 'retention.put_off']),
  ...of('src/trust/vault/vault.test.ts', ['secret.opened']),
  ...of('src/trust/consent/records.test.ts', ['consent.withdrawn']),
  ...of('test/journeys/contact_clicks.test.ts', ['contact_clicks.sealed_anew', 'contact_clicks.key_destroyed']),
  ...of('src/accounts/mail/mail.test.ts', ['mail.tested']),
  ...of('test/journeys/exports_http.test.ts', ['export.started']),
  ...of('test/journeys/imports_http.test.ts', ['import.started', 'import.undone']),
  ...of('test/journeys/relay_uploads.test.ts', ['relay.upload_started', 'relay.upload_cancelled']),
  // Nothing writes these: src/trust/audit/actions.test.ts says why.
  ...of('', [
    ...['invitation.refused', 'team.member_added', 'team.member_removed'],
    ...['secret.rotated', 'subject.shredded', 'operator.granted', 'operator.withdrawn'],
  ]),
};
function of(file: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, file]));
}

const calls = Object.keys(table);
const closed = calls.filter((name) => table[name]?.nobody === '–');
/** About the asker's own session: no organisation has anything to do with them. */
const sessionCalls = ['GET /api/session', 'POST /api/sessions/refresh', 'DELETE /api/sessions/current'];
/** Answers that carry their refusals inside. */
const batch = 'POST /api/v2/query/batch';

function firstRun(code: string) {
  return {
    code,
    email: 'owner@shop.example',
    password,
    organisation: 'Shop',
    site: { domain: site, timezone: 'UTC', currency: 'EUR' },
  };
}

beforeAll(async () => {
  const config = {
    ...readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), PORT: '0' }),
    passwordCost: quickCost,
  };
  await layPreparedDesk(config.dataDir);
  server = await startServer(config);
  base = `http://127.0.0.1:${server.http.address.port}`;
  owner = new pg.Client(await ownerLogin(server.desk.house.postgres));
  await owner.connect();
  written = await watchWrites((work) => work(async (text) => (await owner.query(text)).rows));
  started = await call('POST', '/api/set-up', {}, firstRun(server.address.split('#code=')[1] ?? ''));
  firstWritten = await written();
  people.owner = { cookies: started.cookies };
  organisation = (started.body as { organisation_id: number }).organisation_id;
  await call('POST', '/api/sites', people.owner, { domain: 'second.example', timezone: 'UTC', currency: 'EUR' });
  const hash = await server.desk.accounts.passwords.hash(password);
  for (const role of roles.filter((one) => one !== 'owner'))
    people[role] = await join_(organisation, role, `${role}@shop.example`, hash);
  const rival = await makeRival(hash);
  for (const scope of allScopes) keys[scope] = await makeKey(people.owner, [scope]);
  keys.all = await makeKey(people.owner, allScopes);
  keys.rival = await makeKey(rival, allScopes);
  people.rival = rival;
  madeExport = await makeExport();
  madeImport = await makeImport('uploading');
  const limited = await call('POST', '/api/keys', people.owner, { name: 'second only', scopes: allScopes });
  keys.second = String(limited.body.key);
  await asOwner(organisation, async () => {
    const { rows } = await owner.query<{ id: string }>("SELECT id FROM sites WHERE domain = 'second.example'");
    await owner.query('UPDATE api_keys SET site_ids = $1 WHERE id = $2', [[rows[0]?.id], limited.body.id]);
  });
  // What was set up with our own hands is no call of anybody.
  await owner.query('TRUNCATE watched.writes');
});
afterAll(async () => {
  const { directories } = server.desk.house.postgres;
  await owner.end();
  await server.stop();
  await eraseStores({ directories }, folder);
});

/** A finished export of the site, with its file. */
async function makeExport(): Promise<number> {
  return asOwner(organisation, async () => {
    const { rows } = await owner.query<{ id: string }>(
      `INSERT INTO exports (organisation_id, site_id, format, state, timezone, first_day, last_day, created_at, finished_at, expires_at)
       SELECT organisation_id, id, 'ndjson', 'done', 'UTC', '2026-01-01', '2026-01-31', now(), now(), now() + interval '7 days'
       FROM sites WHERE domain = $1 RETURNING id`,
      [site],
    );
    const id = Number(rows[0]?.id);
    mkdirSync(join(folder, 'data', 'exports'), { recursive: true });
    writeFileSync(join(folder, 'data', 'exports', String(id)), '{"name":"pageview"}\n');
    return id;
  });
}

/** An import of the site whose file comes in parts. */
async function makeImport(state: 'uploading' | 'failed'): Promise<number> {
  return asOwner(organisation, async () => {
    const { rows } = await owner.query<{ id: string }>(
      `INSERT INTO imports (organisation_id, site_id, kind, file_name, state, size, created_at)
       SELECT organisation_id, id, 'ga4', 'table.csv', $2, 10, now() FROM sites WHERE domain = $1 RETURNING id`,
      [site, state],
    );
    return Number(rows[0]?.id);
  });
}

/** A colleague with a role, signed in. */
async function join_(into: number, role: string, email: string, hash: string): Promise<Asker> {
  const { postgres, clock, keys, vault } = server.desk.house;
  const now = new Date(clock.now());
  const { id } = await postgres.system((sql) => sql.one<{ id: number }>("SELECT nextval('people_id_seq') AS id"));
  await postgres.within({ organisationId: into, personId: id }, async (sql) => {
    await sql.run('INSERT INTO people (id, email_digest, email_sealed, created_at) VALUES ($1, $2, $3, $4)', [
      id,
      emailDigest(keys, email),
      await sealEmail(vault, { person: id }, email),
      now,
    ]);
    await sql.run('INSERT INTO passwords (person_id, hash, changed_at) VALUES ($1, $2, $3)', [id, hash, now]);
    await sql.run('INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, $3, $4)', [
      into,
      id,
      role,
      now,
    ]);
  });
  return signIn(email);
}

async function signIn(email: string): Promise<Asker> {
  const answer = await call('POST', '/api/sessions', {}, { email, password });
  expect(answer.status).toBe(201);
  return { cookies: answer.cookies };
}

/** The owner of another organisation on the same desk, with a site of its own. */
async function makeRival(hash: string): Promise<Asker> {
  const { postgres } = server.desk.house;
  const { createOrganisation } = await import('../src/accounts/index.ts');
  await postgres.system((sql) =>
    createOrganisation(sql, server.desk.house, { email: 'owner@rival.example', organisation: 'Rival', hash }),
  );
  const rival = await signIn('owner@rival.example');
  const made = await call('POST', '/api/sites', rival, { domain: 'rival.example', timezone: 'UTC', currency: 'EUR' });
  expect(made.status).toBe(201);
  return rival;
}

async function makeKey(by: Asker, scopes: string[]): Promise<string> {
  const made = await call('POST', '/api/keys', by, { name: `key of ${scopes.length} scopes, ${++number}`, scopes });
  expect(made.status, made.text).toBe(201);
  return String(made.body.key);
}

async function asOwner<T>(of: number, work: () => Promise<T>): Promise<T> {
  await owner.query("SELECT set_config('fairlead.organisation', $1, false)", [String(of)]);
  return work();
}

/** A digest of every row that the first organisation has in any tenant table, and how many events it has. */
async function everyRow(): Promise<Record<string, string>> {
  return asOwner(organisation, async () => {
    everyTable ??= await digestOfEveryTable();
    const { rows } = await owner.query<{ name: string; digest: string }>(everyTable);
    const state = Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
    if (await isPending()) await server.desk.house.spool.drain(10_000);
    const [events] = await server.desk.house.warehouse.read<{ count: string }>('SELECT count() AS count FROM events');
    return { ...state, events: String(events?.count) };
  });
}

/** Without what timers of the desk note by themselves, a minute and a half after its start. One statement for all tables: asked one by one, they were half of this test's time. */
let everyTable: string | undefined;
async function digestOfEveryTable(): Promise<string> {
  const { rows } = await owner.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relforcerowsecurity AND c.relkind = 'r' AND c.relname NOT IN ('sessions', 'passwords', 'operations', 'operation_networks', 'relay_sums', 'relay_sum_changes')
     ORDER BY 1`,
  );
  return rows
    .map(
      ({ name }) =>
        `SELECT '${name}' AS name, count(*) || ' ' || coalesce(md5(string_agg((to_jsonb(t) - '{last_used_day,reminded}'::text[])::text, ' ' ORDER BY t::text)), '') AS digest FROM ${name} t`,
    )
    .join(' UNION ALL ');
}

/** Is a row on its way to the warehouse? Waiting for the next segment each time would take minutes. */
async function isPending(): Promise<boolean> {
  return server.desk.house.spool.bytes() > 0;
}

async function ask(name: string, asker: Asker, path?: string): Promise<Answer> {
  const example = examples[name] as Example;
  const [method = ''] = name.split(' ');
  return call(method, path ?? (await example.path()), asker, example.body?.());
}

/**
 * Where a call is asked that must be refused. What the example prepares for it (a goal or a key to delete) is made by the
 * owner once: no refusal uses it up.
 */
async function refusedAt(name: string): Promise<string> {
  const known = preparedFor.get(name);
  if (known !== undefined) return known;
  const path = await (examples[name] as Example).path();
  preparedFor.set(name, path);
  return path;
}
const preparedFor = new Map<string, string>();

/** Around calls that must change nothing, every row is compared: once for all of them, since to look takes longer than to ask. */
function changesNothing(names: readonly string[]) {
  let before: Record<string, string>;
  beforeAll(async () => {
    for (const name of names) await refusedAt(name);
    // What is posted of alerts goes once more by itself, after minutes: not while rows are compared.
    await asOwner(organisation, () => owner.query("UPDATE alert_posts SET next_at = now() + interval '1 day'"));
    before = await everyRow();
  });
  afterAll(async () => expect(await everyRow(), 'no row is another than before').toEqual(before));
}

/** 'yes', '–', or what it was instead. */
function verdict(name: string, answer: Answer, refusedBy: number[]): string {
  const refusals = (answer.body.results as { error?: { code: string } }[] | undefined)?.map((one) => one.error?.code);
  if (name === batch && answer.status === 200)
    return refusals?.every((code) => code === 'not_found')
      ? '–'
      : refusals?.every((code) => code === undefined)
        ? 'yes'
        : answer.text;
  if (answer.status === examples[name]?.status) return 'yes';
  return refusedBy.includes(answer.status) ? '–' : `${answer.status} ${answer.text}`;
}

it('the table has every call that the desk registers, and no others', () => {
  const registered = server.routes.map((route) => `${route.method} ${route.path}`);
  expect(calls.toSorted()).toEqual(registered.toSorted());
  expect(Object.keys(examples).toSorted(), 'the examples of this test').toEqual(registered.toSorted());
  expect(server.fastPaths.toSorted()).toEqual([
    '/api/batch',
    '/api/event',
    '/api/identify',
    '/api/send',
    '/api/track',
    '/api/visitor',
    '/healthz',
    '/metrics',
    '/readyz',
    '/track',
  ]);
});

it('the OpenAPI document is one, names every call and permission, and its page shows the same', async () => {
  const { body } = await call('GET', '/api/openapi.json');
  expect(await new Validator().validate(structuredClone(body))).toEqual({ valid: true });
  interface Said {
    operationId: string;
    'x-permission'?: string;
    security: { key?: string[] }[];
    parameters?: { name: string; required: boolean }[];
  }
  const paths = body.paths as Record<string, Record<string, Said>>;
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      ...operation,
    })),
  );
  const health = ['/healthz', '/metrics', '/readyz'];
  const collection = server.fastPaths.filter((path) => !health.includes(path)).map((path) => `POST ${path}`);
  expect(documented.map(({ name }) => name).toSorted()).toEqual(
    [...server.routes.map((route) => `${route.method} ${route.path}`), ...collection].toSorted(),
  );
  for (const route of server.routes) {
    const found = documented.find(({ name }) => name === `${route.method} ${route.path}`);
    const isOpen = ['public', 'signed-in', 'operator'].includes(route.access);
    expect(found?.['x-permission'], route.path).toBe(isOpen ? undefined : route.access);
    const scopes = keyScopes.filter((scope) => scopePermissions[scope].some((each) => each === route.access));
    expect(found?.security.flatMap(({ key }) => key ?? []).toSorted(), route.path).toEqual(scopes.toSorted());
  }
  // What has a default may be left out of a call, and so it is no part of the call to copy.
  expect(documented.find(({ operationId }) => operationId === 'getApiSitesDomainMissing')?.parameters).toContainEqual(
    expect.objectContaining({ name: 'period', required: false }),
  );
  const page = await call('GET', '/api/docs');
  expect(page.text).toContain('shield-preview?kind={kind}&amp;value={value}');
  expect(page.text).toContain('--data-binary');
  // What scrolls is reached by keyboard.
  expect(page.text.match(/<(?:pre|div class="wide")(?![^>]*tabindex="0")/g)).toBeNull();
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  for (const { operationId } of documented) expect(page.text).toContain(`<article id="${operationId}">`);
  const warnings = ['days_rebuilding', 'not_measured_by_event', 'unsupported_query'];
  for (const code of [...Object.keys(errorStatus), ...warnings]) expect(page.text).toContain(`<code>${code}</code>`);
});

it('an event with everything that the document names is stored', async () => {
  const whole = {
    name: 'purchase',
    url: 'https://shop.example/thanks',
    domain: site,
    referrer: 'https://www.google.com/',
    title: 'Thanks',
    screen: '1440x900',
    props: { plan: 'pro', seats: 3, trial: false },
    revenue: { currency: 'EUR', amount: '19.99', order_id: 'document-1' },
    interactive: true,
    scroll_depth: 50,
    engagement_ms: 1000,
    id: 'document-1',
    time: new Date().toISOString(),
    ip: '192.0.2.7',
    consent: { analytics_storage: 'granted', ad_storage: 'denied', gcs: 'G101', gpc: false, dnt: false },
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  };
  expect(Object.keys(whole)).toEqual(Object.keys(event.shape));
  const answer = await call('POST', '/api/event', { key: keys['events:write'] as string }, [whole]);
  expect([answer.status, answer.text]).toEqual([
    202,
    JSON.stringify({ stored: 1, duplicates: 0, dropped: {}, refused: [] }),
  ]);
});

it('each call that reads a body or parameters has a schema for them', () => {
  for (const route of server.routes) {
    if (route.path.includes(':')) expect(route.params, `${route.method} ${route.path}`).toBeDefined();
    if (examples[`${route.method} ${route.path}`]?.body) expect(route.body, route.path).toBeDefined();
    expect(route.summary.length).toBeGreaterThan(10);
  }
});

it('the first run creates the owner (the one call that works once)', () => {
  expect([started.status, started.body.domain]).toEqual([201, site]);
  expect([firstWritten.flatMap(({ acts }) => acts), unnoted(firstWritten)]).toEqual([
    expect.arrayContaining(['operator.set_up']),
    [],
  ]);
});

describe('nobody', () => {
  changesNothing(closed);

  it.each(closed)('%s', async (name) => {
    const path = await refusedAt(name);
    const answer = await ask(name, {}, path);
    expect(verdict(name, answer, [401])).toBe(table[name]?.nobody);
    expect(answer.body.error?.code).toBe('unauthenticated');
    for (const key of ['fl_short', `fl_${'A'.repeat(40)}`])
      expect((await ask(name, { key }, path)).status, 'a key that nobody has').toBe(401);
    expect((await ask(name, { cookies: ['__Host-fairlead_access=a.b.c'] }, path)).status, 'a forged session').toBe(401);
  });
});

it.each(calls.filter((name) => !closed.includes(name)))('%s answers nobody, too', async (name) => {
  expect(verdict(name, await ask(name, {}), [401])).toBe(table[name]?.nobody);
});

/** What a role may do is its permissions and nothing else, so of roles with the same ones one is asked every call. */
const setOf = (role: Role) => rolePermissions[role].toSorted().join(' ');
const askedRoles = roles.filter((role, at) => roles.findIndex((other) => setOf(other) === setOf(role)) === at);

it.each(roles.filter((role) => !askedRoles.includes(role)))(
  '%s stands in the table as the role with its permissions',
  (role) => {
    const like = askedRoles.find((other) => setOf(other) === setOf(role)) as Role;
    for (const name of calls) expect(table[name]?.[role], name).toBe(table[name]?.[like]);
  },
);

const titleOf = (role: Role) => (role === 'owner' ? 'owner, whose changes leave a line in the trail (AUD-01)' : role);
describe.each(askedRoles.map((role) => [titleOf(role), role] as const))('%s', (_title, role) => {
  it.each(calls)('%s', async (name) => {
    // Signing out and a refresh would end the session that the next calls need.
    const asker = sessionCalls.includes(name) ? await signIn(`${role}@shop.example`) : people[role];
    const path = table[name]?.[role] === '–' ? await refusedAt(name) : undefined;
    expect(verdict(name, await ask(name, asker as Asker, path), [404])).toBe(table[name]?.[role]);
  });

  if (role !== 'owner') return;

  it('each transaction that changed something left its act, and changed one organisation alone', async () => {
    const all = await written();
    expect(all.length).toBeGreaterThan(100);
    expect(unnoted(all)).toEqual([]);
    // A site that moves is of two organisations.
    const ofMoves = /^UPDATE public\.(site_moves|sites\(organisation_id\))/;
    expect(all.flatMap(({ strange }) => strange).filter((change) => !ofMoves.test(change))).toEqual([]);
  });

  it('what takes more than one call leaves its line, too', async () => {
    const of = `/api/sites/${site}`;
    const shop = `/api/organisations/${organisation}`;
    const as = async (method: string, path: string, body?: unknown) => {
      const answer = await call(method, path, people.owner, body);
      expect(answer.status, `${method} ${path}: ${answer.text}`).toBeLessThan(300);
      return answer.body;
    };
    for (let times = 0; times < 2; times++) await as('PUT', `${of}/foreign-ids/openpanel`, newForeignId());
    const goal = newGoal();
    const { undo } = await as('DELETE', `${of}/goals/${(await as('POST', `${of}/goals`, goal)).id}`);
    await as('POST', `${of}/goals`, { ...goal, undo });
    for (const weekly of [true, false]) await as('PUT', `${of}/report-subscription`, { weekly, monthly: false });
    const share = { name: 'Closed', kind: 'password', password: 'quiet harbour', panels: ['totals'], periods: ['28d'] };
    const { link } = await as('POST', `${of}/shares`, share);
    await fetch(base + new URL(String(link)).pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'password=noisy+harbour',
    });
    const { members } = (await as('GET', `${shop}/members`)) as { members: { id: number; email: string }[] };
    const viewer = members.find(({ email }) => email === 'viewer@shop.example')?.id;
    for (const team_sites_only of [true, false])
      await as('PATCH', `${shop}/members/${viewer}`, { team_ids: [], team_sites_only });
    await as('PUT', `${shop}/ownership-offer`, { person_id: viewer });
    await as('DELETE', `${shop}/ownership-offer`);
    const status = (to: string) =>
      as('PUT', '/api/desk/people/status', { email: 'owner@rival.example', status: to, reason: 'A look.' });
    await status('suspended');
    await status('active');
    people.rival = await signIn('owner@rival.example');
  });

  it('every act of the registry was written, but those of other tests', async () => {
    const missing = async () => {
      const acts = new Set([...firstWritten, ...(await written())].flatMap((one) => one.acts));
      return Object.keys(actions).filter((name) => !acts.has(name) && !(name in shownElsewhere));
    };
    // Some are written behind the answer.
    await expect.poll(missing).toEqual([]);
  });

  it('who looks at contact values, trail or access log, or takes data along, is written down, and who may not is not', async () => {
    const views = {
      'GET /api/sites/:domain/contact-clicks': 'contact_clicks.viewed',
      'GET /api/sites/:domain/profiles': 'profiles.viewed',
      'GET /api/sites/:domain/profiles/:profile': 'profiles.viewed',
      'GET /api/organisations/:organisation/audit': 'audit.viewed',
      'GET /api/organisations/:organisation/audit/export': 'audit.exported',
      'GET /api/audit/export': 'audit.exported',
      'GET /api/access-log/export': 'access_log.read',
      'GET /api/organisations/:organisation/access-log/export': 'access_log.read',
      'GET /api/organisations/:organisation/operations/export': 'operations.exported',
      'GET /api/operations/export': 'operations.exported',
      'GET /api/sites/:domain/exports/:id/file': 'export.downloaded',
      'GET /api/organisations/:organisation/archives/:archive/file': 'archive.fetched',
    };
    const countOf = async (act: string) => (await written()).filter(({ acts }) => acts.includes(act)).length;
    for (const [name, act] of Object.entries(views)) {
      const before = await countOf(act);
      expect(before, name).toBeGreaterThan(0);
      expect((await ask(name, {})).status).toBe(401);
      expect(await countOf(act), `${name}, refused`).toBe(before);
    }
  });

  it('what people changed and were refused stands in the operations log, by pseudonym, browser and network, and can be taken away (CRY-12)', async () => {
    const at = `/api/organisations/${organisation}/operations`;
    const added = await call('POST', `/api/sites/${site}/goals`, people.owner, newGoal());
    const refused = await call('DELETE', `/api/organisations/${organisation}/members/1`, people.viewer);
    expect([added.status, refused.status]).toEqual([201, 404]);
    const linesAt = async (path: string) => (await call('GET', path, people.owner)).body.lines as OperationLine[];
    const lineOf = async (answer: Answer, of = at) =>
      (await linesAt(`${of}?request=${answer.headers.get('x-request-id')}`))[0];
    const line = await lineOf(added);
    expect(line).toMatchObject({
      ...{ kind: 'request', action: 'POST /api/sites/:domain/goals', outcome: 'done', code: null },
      ...{ browser: 'Firefox 142', network: '127.0.0.0/24', object: { kind: 'goals', id: String(added.body.id) } },
      actor: { type: 'person', id: expect.stringMatching(/^[0-9a-f]{32}$/), name: expect.any(String) },
    });
    // Who was not let into an organisation leaves nothing in its log.
    expect(await lineOf(refused)).toBeUndefined();
    expect(await lineOf(refused, '/api/operations')).toMatchObject({ outcome: 'refused', code: 'not_found' });
    // What cannot be read is refused before its handler asks whose it is.
    const unread = (who: Asker | undefined) =>
      call('POST', `/api/sites/${site}/goals`, who, { kind: 'page', match: '' });
    expect(await lineOf(await unread(people.owner))).toMatchObject({ outcome: 'refused', code: 'invalid_field' });
    expect(await lineOf(await unread(people.rival))).toBeUndefined();
    const found = async (query: string) => (await linesAt(`${at}?${query}`)).length;
    expect(await found(`actor=person:${line?.actor?.id}&object=goals:${added.body.id}`)).toBe(1);
    expect(await found(`object=goals:${added.body.id}&outcome=failed`)).toBe(0);
    expect((await call('GET', `${at}?limit=1`, people.rival)).status).toBe(404);
    const taken = await call('GET', `${at}/export?request=${line?.request_id}`, people.owner);
    expect(JSON.parse(taken.text)).toEqual(line);
    const all = (await call('GET', `${at}/export?format=csv`, people.owner)).text;
    for (const secret of [password, 'Mozilla', '__Host-', ...Object.values(keys)]) expect(all).not.toContain(secret);
  });

  it('what is used is counted behind its answer, of people who agreed alone, and each call of the list exists (SHR-08)', async () => {
    const known = server.routes.map(({ method, path }) => `${method} ${path}`);
    expect(Object.keys(featureOfCall).filter((one) => !known.includes(one))).toEqual([]);
    const goals = async () => {
      const { features } = (await call('GET', '/api/usage', people.owner)).body as UsageAnswer;
      return features.find(({ feature }) => feature === 'goal')?.used ?? 0;
    };
    const agree = (is_given: boolean) =>
      call('PUT', '/api/account/consents/optional_analytics', people.owner, { is_given, text_version: '2026-11-30' });
    const add = (who: Asker | undefined = people.owner) => call('POST', `/api/sites/${site}/goals`, who, newGoal());
    await agree(true);
    const before = await goals();
    await Promise.all([add(), add(), add()]);
    await expect.poll(goals).toBe(before + 3);
    // Refused, by a key, and by who does not agree any more: the use after them is the next that is counted.
    expect((await add(people.rival)).status).toBe(404);
    expect((await add({ key: keys.all as string })).status).toBe(201);
    await agree(false);
    expect((await add()).status).toBe(201);
    await agree(true);
    await add();
    await expect.poll(goals).toBe(before + 4);
    await agree(false);
  });

  it('an owner reads who asked for what of their organisation, and nothing of another one, of strangers or of sign-ins', async () => {
    const sites = (await call('GET', '/api/sites', people.rival)).body.sites as { organisation_id: number }[];
    const rivals = sites[0]?.organisation_id as number;
    const asked = {
      ours: await call('GET', `/api/sites/${site}`, people.viewer),
      byKey: await call('GET', '/api/sites', { key: keys.all as string }),
      theirs: await call('GET', '/api/sites/rival.example', people.rival),
      stranger: await call('GET', `/api/organisations/${organisation}/members`, people.rival),
      mine: await call('GET', '/api/account', people.owner),
      nobody: await call('POST', '/api/sessions', {}, { email: 'nobody@shop.example', password: 'of nobody at all' }),
    };
    expect(Object.values(asked).map(({ status }) => status)).toEqual([200, 200, 200, 404, 200, 401]);
    await server.accessLog.flush();
    const seenAt = async (path: string, asker: Asker | undefined) => {
      const { text } = await call('GET', path, asker);
      return Object.entries(asked).flatMap(([name, { headers }]) =>
        text.includes(headers.get('x-request-id') as string) ? [name] : [],
      );
    };
    const logOf = (id: number) => `/api/organisations/${id}/access-log`;
    expect(await seenAt(logOf(organisation), people.owner)).toEqual(['ours', 'byKey']);
    expect(await seenAt(`${logOf(organisation)}/export?format=csv`, people.owner)).toEqual(['ours', 'byKey']);
    expect(await seenAt(logOf(rivals), people.rival)).toEqual(['theirs']);
    expect(await seenAt('/api/access-log', people.owner)).toEqual(Object.keys(asked));
    const trail = await call('GET', `/api/organisations/${rivals}/audit?action=access_log.read`, people.rival);
    expect(trail.body.entries).toHaveLength(1);
  });
});

it('a query that forgets whose rows it wants sees no row of another organisation in any table, and all of its own (AUT-13)', async () => {
  // A move of a site is seen by the two organisations that it is between.
  const { rows: tables } = await owner.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relkind = 'r' AND a.attname = 'organisation_id' AND c.relforcerowsecurity
       AND c.relname <> 'site_moves' AND has_column_privilege('fairlead_app', c.oid, a.attnum, 'SELECT') ORDER BY 1`,
  );
  const ofAll = ['annotations', 'api_keys', 'goals', 'memberships', 'shares', 'shields', 'sites'];
  const whole: Record<string, Record<string, number>> = {};
  // Taken back with the transaction: the owner's rows are those of nobody while it is forced.
  await owner.query('BEGIN');
  for (const { name } of tables) {
    await owner.query(`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`);
    const { rows } = await owner.query<{ id: string; count: string }>(
      `SELECT organisation_id AS id, count(*) FROM ${name} WHERE organisation_id > 0 GROUP BY 1`,
    );
    whole[name] = Object.fromEntries(rows.map(({ id, count }) => [String(id), Number(count)]));
  }
  await owner.query('ROLLBACK');
  const organisations = new Set(Object.values(whole).flatMap((of) => Object.keys(of).map(Number)));
  expect(organisations.size).toBeGreaterThan(1);
  for (const of of [...organisations, 999_999])
    await server.desk.house.postgres.tenant(of, async (sql) => {
      for (const { name } of tables) {
        const rows = await sql.query<{ id: number; count: number }>(
          `SELECT organisation_id AS id, count(*) FROM ${name} WHERE organisation_id > 0 GROUP BY 1`,
        );
        const mine = whole[name]?.[of];
        expect(
          rows.filter(({ id }) => Number(id) !== of),
          `rows of others in ${name}`,
        ).toEqual([]);
        // What belongs to a person inside it is not seen by the organisation as a whole; of the rest nothing is missing.
        if (ofAll.includes(name)) expect(Number(rows[0]?.count ?? 0), `own rows of ${name}`).toBe(mine ?? 0);
      }
    });
  for (const name of ['sites', 'memberships', 'api_keys'])
    expect(Object.keys(whole[name] ?? {}).length, name).toBeGreaterThan(1);
});

describe.each(allScopes)('a key with %s', (scope) => {
  it.each(closed)('%s', async (name) => {
    const enough = table[name]?.key.split(' ').includes(scope) ? 'yes' : '–';
    const path = enough === '–' ? await refusedAt(name) : undefined;
    expect(verdict(name, await ask(name, { key: keys[scope] as string }, path), [401, 403, 404])).toBe(enough);
  });
});

it.each(calls.filter((name) => !closed.includes(name)))('%s answers a key like anybody', async (name) => {
  expect(table[name]?.key).toBe('any');
  expect((await ask(name, { key: keys.all as string })).status).toBe(examples[name]?.status);
});

describe('another organisation', () => {
  const others = closed.filter((name) => !sessionCalls.includes(name) && examples[name]?.own !== true);
  changesNothing(others);

  it.each(others)('gets nothing of %s and changes nothing', async (name) => {
    const path = await refusedAt(name);
    const missing = path
      .replace(site, 'missing.example')
      .replace(`organisation_id=${organisation}`, 'organisation_id=999999')
      .replace(/(goals|keys)\/\d+/, '$1/999999');
    for (const asker of [people.rival, { key: keys.rival as string }] as Asker[]) {
      const answer = await ask(name, asker, path);
      expect(verdict(name, answer, [404]), name).toBe('–');
      if (name === batch || name === 'POST /api/v2/query') continue;
      const none = await ask(name, asker, missing);
      const plain = (one: Answer) => ({
        status: one.status,
        error: { ...one.body.error, request_id: '' },
      });
      const words = (one: Answer) =>
        JSON.stringify(plain(one)).replaceAll(site, '…').replaceAll('missing.example', '…');
      expect(words(answer), 'the same as for what does not exist').toBe(words(none));
    }
  });

  it('learns nothing by asking a query for a site that is not there', async () => {
    const words = async (site_id: string) =>
      (await call('POST', '/api/v2/query', people.rival, { ...question, site_id })).body.error;
    const { request_id: _a, ...theirs } = (await words(site)) as unknown as Record<string, string>;
    const { request_id: _b, ...none } = (await words('missing.example')) as unknown as Record<string, string>;
    expect(theirs).toEqual(none);
  });

  it('sees only itself in its session and its lists', async () => {
    const all = [
      await call('GET', '/api/session', people.rival),
      await call('GET', '/api/sites', people.rival),
      await call('GET', '/api/keys', people.rival),
      await call('GET', '/api/sites', { key: keys.rival as string }),
    ];
    for (const { status, text } of all) {
      expect(status).toBe(200);
      expect(text).not.toContain('shop.example');
      expect(text).not.toContain('second only');
    }
  });
});

describe('a key that is limited to another site', () => {
  const ofSite = closed.filter(
    (name) => (name.includes('/sites') || name.includes('/query')) && name !== 'GET /api/sites',
  );
  changesNothing(ofSite);

  it.each(ofSite)('gets nothing of %s', async (name) => {
    const answer = await ask(name, { key: keys.second as string }, await refusedAt(name));
    expect(verdict(name, answer, [404])).toBe('–');
  });

  it('sees its own site alone, and reads it', async () => {
    const key = keys.second as string;
    const listed = (await call('GET', '/api/sites', { key })).body as { sites: { domain: string }[] };
    expect(listed.sites.map((one) => one.domain)).toEqual(['second.example']);
    expect((await call('GET', '/api/sites/second.example', { key })).status).toBe(200);
    expect((await call('POST', '/api/v2/query', { key }, { ...question, site_id: 'second.example' })).status).toBe(200);
  });
});

describe('a page of another site cannot make a browser', () => {
  const acts = calls.filter((name) => !name.startsWith('GET') && closed.includes(name));
  changesNothing(acts);

  it.each(acts)('%s', async (name) => {
    const path = await refusedAt(name);
    const fromElsewhere: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of byTurns(2, acts.indexOf(name), fromElsewhere)) {
      const answer = await ask(name, { ...people.owner, headers }, path);
      expect([answer.status, answer.body.error?.code], JSON.stringify(headers)).toEqual([403, 'cross_site']);
    }
  });
});

describe('a page of another site cannot', () => {
  it.each(calls)('read the answer of %s', async (name) => {
    const answer = await ask(name, { headers: { origin: 'https://evil.example' } }, await refusedAt(name));
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    // A widget is made to be shown inside pages of others; its own policy says of which.
    const policy = name === 'GET /share/:token/widget' ? 'cross-origin' : 'same-origin';
    expect(answer.headers.get('cross-origin-resource-policy')).toBe(policy);
  });
});

describe('what cannot be read is refused with the field at fault', () => {
  const withBody = calls.filter((name) => examples[name]?.body);
  it.each(withBody)('%s: text that is no JSON', async (name) => {
    const [method = ''] = name.split(' ');
    for (const body of byTurns(1, withBody.indexOf(name), ['', '{', 'nothing', '\u0000', '{"a":1}{"b":2}'])) {
      const answer = await call(method, await refusedAt(name), people.owner, body);
      expect([answer.status, answer.body.error?.code], body).toEqual([400, 'invalid_json']);
    }
  });

  it.each(withBody)('%s: a body that is no object', async (name) => {
    const [method = ''] = name.split(' ');
    for (const body of byTurns(1, withBody.indexOf(name), [null, 7, 'text', [], true])) {
      const answer = await call(method, await refusedAt(name), people.owner, JSON.stringify(body));
      expect(answer.status, `${JSON.stringify(body)}: ${answer.text}`).toBe(400);
    }
  });

  it.each(withBody)('%s: a member that nobody knows', async (name) => {
    const [method = ''] = name.split(' ');
    const body = { ...(examples[name]?.body?.() as object), surprise: 1 };
    const answer = await call(method, await refusedAt(name), people.owner, body);
    expect([answer.status, answer.body.error?.field], answer.text).toEqual([400, 'surprise']);
  });

  const members = withBody.flatMap((name) =>
    Object.keys(examples[name]?.body?.() as object).map((member) => [name, member] as const),
  );
  it.each(members)('%s: %s of another type, or missing', async (name, member) => {
    const [method = ''] = name.split(' ');
    const good = examples[name]?.body?.() as Record<string, unknown>;
    // What stands inside a batch is answered inside it.
    const wrong: unknown[] = [{ an: 'object' }, null, ...(member === 'queries' ? [] : [[[]]])];
    if (typeof good[member] !== 'string') wrong.push('text');
    if (typeof good[member] !== 'number') wrong.push(7);
    // A site may be named by its number.
    const refused = member === 'site_id' ? wrong.filter((one) => one !== 7) : wrong;
    // One code refuses them for every call: each member meets two, each value many members.
    const turn = members.findIndex(([ofCall, known]) => ofCall === name && known === member);
    for (const value of new Set(byTurns(2, turn, refused))) {
      const body = { ...good, [member]: value };
      const answer = await call(method, await refusedAt(name), people.owner, body);
      expect(answer.status, `${JSON.stringify(value)}: ${answer.text}`).toBe(400);
      expect(answer.body.error?.field, JSON.stringify(value)).toMatch(new RegExp(`^${member}\\b`));
    }
  });

  const values = withBody.flatMap((name) => (examples[name]?.badValues ?? []).map((bad) => [name, ...bad] as const));
  it.each(values)('%s: %s = %j', async (name, member, value) => {
    const [method = ''] = name.split(' ');
    const path = examples[name]?.bodyOfPath === true ? await examples[name].path() : await refusedAt(name);
    const body = { ...(examples[name]?.body?.() as object), [member]: value };
    const answer = await call(method, path, people.owner, body);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.error?.field).toMatch(new RegExp(`^${member}\\b`));
  });

  const params = calls.flatMap((name) => (examples[name]?.badParams ?? []).map((bad) => [name, ...bad] as const));
  it.each(params)('%s: %s', async (name, path, field) => {
    const answer = await ask(name, people.owner as Asker, path);
    expect([answer.status, answer.body.error?.field], answer.text).toEqual([400, field]);
  });

  const ofDomains = calls.filter((name) => name.includes(':domain'));
  const noDomains = ['%00', '%ED%A0%80', '..%2F..%2Fetc', "'%20OR%201=1", 'x'.repeat(5_000), '%F0%9F%98%80'];
  it.each(ofDomains)('%s: a name that is no domain', async (name) => {
    const path = await refusedAt(name);
    for (const wrong of byTurns(2, ofDomains.indexOf(name), noDomains))
      expect((await ask(name, people.owner as Asker, path.replace(site, wrong))).status, wrong).toBe(404);
  });
});

it('what was refused is there: at the same places the owner is answered', async () => {
  const looked = [...preparedFor].filter(([name]) => name.startsWith('GET') && table[name]?.owner === 'yes');
  expect(looked.length).toBeGreaterThan(50);
  for (const [name, path] of looked) {
    const { status } = await ask(name, people.owner as Asker, path);
    // An offer may be answered meanwhile.
    expect([examples[name]?.status, 409], path).toContain(status);
  }
});

it.each([...new Set(calls.map((name) => name.split(' ')[1] as string))])(
  '%s answers only its methods',
  async (path) => {
    const known = calls.filter((name) => name.endsWith(` ${path}`)).map((name) => name.split(' ')[0] as string);
    for (const method of ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'].filter((one) => !known.includes(one))) {
      const answer = await call(method, path.replace(':domain', site).replace(':id', '1'), people.owner);
      expect([answer.status, answer.headers.get('allow')], method).toEqual([405, known.toSorted().join(', ')]);
    }
  },
);

/** The rows of the guide, of all its tables: call → what stands under each heading. */
function readTable(text: string): Record<string, Record<string, string> & { key: string }> {
  const rows: Record<string, Record<string, string> & { key: string }> = {};
  let heads: string[] = [];
  for (const line of text.split('\n').filter((one) => one.startsWith('|') && !one.startsWith('|---'))) {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (cells[0] === 'call') heads = cells;
    else {
      const row = Object.fromEntries(heads.map((head, at) => [head, cells[at] ?? '']));
      rows[(row.call ?? '').replaceAll('`', '')] = { ...row, key: row.key ?? '' };
    }
  }
  return rows;
}
