import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type {
  MappingTrialAnswer,
  RelayDestination,
  RelaySource,
  TriedDelivery,
} from '../../contract/relay_settings.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** The relay is set up as its pages do it, requests are sent to the address that it gave, and both sides are looked at. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

let desk: TestDesk;
let base: string;
let organisation: number;

beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
  const [row] = await desk.server.desk.house.postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  organisation = Number(row?.organisation_id);
  base = `/api/organisations/${organisation}/relay`;
});
afterAll(() => desk?.close());

async function ask<Body = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  status = { POST: 201, GET: 200, PATCH: 200, DELETE: 204 }[method],
): Promise<Body> {
  const answer = await desk.call(method, `${base}${path}`, body);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBe(status);
  return answer.body as Body;
}
const makeSource = (more: object = {}) =>
  ask<{ source: RelaySource; address: string }>('POST', '/sources', { name: 'Shop', ...more });
const asked = async <Row extends object>(text: string, params: unknown[] = []): Promise<Row[]> => {
  if (!(await desk.server.desk.house.spool.drain(20_000))) throw new Error('The spool did not drain within 20 s.');
  return desk.server.desk.house.postgres.tenant(organisation, (sql) => sql.query<Row>(text, params));
};
function send(address: string, body: unknown, headers: Record<string, string> = {}) {
  return desk.raw({
    path: new URL(address).pathname,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
const moment = () => new Date(desk.server.desk.house.clock.now() - 60_000).toISOString();
/** An order as no preset knows it. */
const order = () => ({
  ...{ id: 4711, at: moment(), sum: '19.90', cur: 'eur', status: 'paid' },
  buyer: { name: 'Canary Sevenfold', mail: 'canary7f3a9b@person.example', tel: '+49 30 901820' },
  note: 'call canary7f3a9b@person.example',
});
const mapping = {
  fields: {
    ...{ event_name: { default: 'purchase' }, order_id: 'id', occurred_at: 'at', value: 'sum' },
    ...{ currency: { path: 'cur', apply: ['upper'] }, action_source: { default: 'phone_call' } },
    ...{ 'user.email': 'buyer.mail', 'user.phone': 'buyer.tel', 'user.last_name': 'buyer.name' },
    'consent.ad_user_data': { default: 'granted' },
    'consent.ad_personalization': { default: 'granted' },
  },
};
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

it('goes from an empty desk to a conversion that is on its way: source, request, mapping, destination, route', async () => {
  const { source, address } = await makeSource();
  expect(source).toMatchObject({ kind: 'http', mapping_version: 0, last_request_at: null, conversions_today: 0 });
  // 32 random bytes, of which the desk keeps a keyed digest and nothing else.
  const secret = new URL(address).pathname.replace('/in/', '');
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(JSON.stringify(await asked('SELECT * FROM relay_sources'))).not.toContain(secret);
  expect(JSON.stringify(await ask('GET', `/sources/${source.id}`))).not.toContain(secret);

  // Nothing maps it yet: it is kept, and waits.
  expect((await send(address, order())).status).toBe(202);
  await asked('SELECT 1');
  const captured = async () =>
    (await ask<{ captures: { id: string; is_unmapped: boolean }[] }>('GET', `/sources/${source.id}/captures`)).captures;
  await expect.poll(async () => (await captured()).length, { timeout: 15_000 }).toBe(1);
  const [capture] = await captured();
  const tried = await ask<MappingTrialAnswer>(
    ...(['POST', `/sources/${source.id}/try`, { capture_id: capture?.id, mapping }, 200] as const),
  );
  expect([tried.reason, tried.found]).toEqual([null, 1]);
  expect(tried.conversions[0]?.conversion).toMatchObject({
    ...{ event_name: 'purchase', order_id: '4711', value: '19.90', currency: 'EUR' },
    user: { email: '••••••••@••••••.example' },
  });
  // Structure and what is nobody's is seen; names, addresses and numbers are not, wherever the sender wrote them.
  expect(tried.read?.body).toMatchObject({ id: 4711, sum: '19.90', status: 'paid' });
  for (const needle of ['canary7f3a9b', 'Sevenfold', '901820']) expect(JSON.stringify(tried)).not.toContain(needle);

  await ask('POST', `/sources/${source.id}/mappings`, { mapping, note: 'Our own shop', after: 0 });
  const destination = await ask<RelayDestination>('POST', '/destinations', {
    ...{ kind: 'meta-capi', name: 'Meta', settings: { dataset_id: '1234567890' }, secret: 'EAAB-token' },
  });
  expect([destination.has_secret, JSON.stringify(destination).includes('EAAB')]).toEqual([true, false]);
  const route = await ask<{ id: number }>('POST', '/routes', {
    ...{ source_id: source.id, destination_id: destination.id },
    rules: { events: [{ name: 'purchase', as: 'Purchase' }], value: { factor: '0.5' }, hold: true },
  });
  const [delivery] = (
    await ask<MappingTrialAnswer>(...(['POST', `/sources/${source.id}/try`, { capture_id: capture?.id }, 200] as const))
  ).conversions.flatMap(({ deliveries }): TriedDelivery[] => deliveries);
  expect(delivery).toMatchObject({ route_id: route.id, destination: 'Meta', outcome: 'held' });
  const { data: [event] = [] } = (delivery?.request?.body ?? {}) as { data?: Record<string, unknown>[] };
  const hash = sha256('canary7f3a9b@person.example');
  expect(event).toMatchObject({
    ...{ event_name: 'Purchase', event_id: '4711', custom_data: { value: 9.95, currency: 'EUR', order_id: '4711' } },
    user_data: { em: [`${hash.slice(0, 4)}…${hash.slice(-4)}`] },
  });

  expect(await ask('POST', `/sources/${source.id}/tests`, { mapping: { fields: { value: 'nowhere' } } }, 200)).toEqual({
    ...{ captures: 1, clean: 0, mapping_problem: null },
    failures: [{ capture_id: capture?.id, reason: 'missing', field: 'event_name' }],
  });
  expect(
    await ask('POST', '/route-tests', { source_id: source.id, destination_id: destination.id, rules: {} }, 200),
  ).toEqual({ captures: 1, conversions: 1, outcomes: [{ outcome: 'sent', count: 1 }] });

  // The change holds from the next request on, in this process at once.
  expect(JSON.parse((await send(address, { ...order(), id: 4712 })).text)).toMatchObject({ accepted: 1 });
  expect(await asked('SELECT state, platform_event, value::text AS value FROM relay_deliveries')).toEqual([
    { state: 'held', platform_event: 'Purchase', value: '9.95' },
  ]);
  const { sources } = await ask<{ sources: RelaySource[] }>('GET', '/sources');
  expect(sources[0]).toMatchObject({ conversions_today: 1, requests_today: 2, mapping_version: 1, routes: 1 });

  // What waits goes with its route, the conversion stays with what became of it.
  await ask('DELETE', `/routes/${route.id}`);
  expect(await asked('SELECT state, reason FROM relay_deliveries')).toEqual([
    { state: 'cancelled', reason: 'removed' },
  ]);
  expect(await asked('SELECT order_id FROM relay_conversions WHERE settled_at IS NOT NULL')).toEqual([
    { order_id: '4712' },
  ]);
  expect(await ask('GET', `/sources/${source.id}/contents`)).toMatchObject({ mappings: 1, routes: 0, conversions: 1 });
  // Its kept requests would go with it: not while a hold keeps them.
  await asked(
    `INSERT INTO legal_holds (organisation_id, scope, called, reason, owner, review_on, placed_by, placed_at)
     VALUES (current_organisation(), 'everything', 'it', 'Claim 12', 'Legal', current_date + 30, 1, now()) RETURNING id`,
  );
  expect(await asked('SELECT FROM relay_captures WHERE source_id = $1 LIMIT 1', [source.id])).toHaveLength(1);
  await ask('DELETE', `/sources/${source.id}`, undefined, 409);
  await asked('UPDATE legal_holds SET released_at = now(), released_by = 1 RETURNING id');
  await ask('DELETE', `/sources/${source.id}`);
  expect((await send(address, order())).status).toBe(404);
  expect(await asked('SELECT order_id FROM relay_conversions')).toEqual([{ order_id: '4712' }]);
});

it('a new address is taken at once, the one before for a day', async () => {
  const { source, address } = await makeSource({ preset: 'canonical' });
  const next = await ask<{ source: RelaySource; address: string }>('POST', `/sources/${source.id}/addresses`);
  expect(next.address).not.toBe(address);
  const until = Date.parse(next.source.address?.former_until ?? '') - desk.server.desk.house.clock.now();
  expect([until > 23.9 * 3_600_000, until <= 24 * 3_600_000]).toEqual([true, true]);
  const body = { event_name: 'lead', occurred_at: moment(), order_id: 'L-1' };
  expect((await send(next.address, body)).status).toBe(202);
  expect((await send(address, body)).status).toBe(202);
  const third = await ask<{ address: string }>('POST', `/sources/${source.id}/addresses`);
  // Two overlap, and no third: the first is over.
  expect((await send(address, body)).status).toBe(404);
  expect((await send(next.address, body)).status).toBe(202);
  expect((await send(third.address, body)).status).toBe(202);
});

it('a new signing secret is taken at once, the one before for a day, and neither is ever said', async () => {
  const first = 'the-secret-of-before';
  const { source, address } = await makeSource({
    ...{ preset: 'canonical', signature: { scheme: 'hmac', header: 'x-signed', secret: first } },
  });
  const made = await ask<{ secret: string }>('POST', `/sources/${source.id}/secrets`, {});
  expect(Buffer.from(made.secret, 'base64url')).toHaveLength(32);
  const body = JSON.stringify({ event_name: 'lead', occurred_at: moment(), order_id: 'L-2' });
  const signed = (secret: string) =>
    send(address, body, { 'x-signed': createHmac('sha256', secret).update(body).digest('hex') });
  expect((await signed(made.secret)).status).toBe(202);
  expect((await signed(first)).status).toBe(202);
  expect((await signed('a guess at it')).status).toBe(401);
  const said = JSON.stringify([await ask('GET', '/sources'), await asked('SELECT * FROM relay_sources')]);
  for (const secret of [first, made.secret]) expect(said).not.toContain(secret);
  // Whoever signs no more is known by the address alone.
  await ask('PATCH', `/sources/${source.id}`, { signature: null });
  expect((await send(address, body)).status).toBe(202);
  expect(await asked('SELECT former_secret_sealed FROM relay_sources WHERE id = $1', [source.id])).toEqual([
    { former_secret_sealed: null },
  ]);
});

it('versions of a mapping: none is lost to somebody who saved meanwhile, and an older one comes back as a new one', async () => {
  const { source } = await makeSource({ preset: 'shopify' });
  const path = `/sources/${source.id}/mappings`;
  await ask('POST', path, { mapping, after: 1 });
  const refused = await desk.call('POST', `${base}${path}`, { mapping, after: 1 });
  expect([refused.status, (refused.body.error as { field: string }).field]).toEqual([409, 'after']);
  const wrong = await desk.call('POST', `${base}${path}`, { mapping: { fields: { value: 'a[' } }, after: 2 });
  expect([wrong.status, (wrong.body.error as { field: string }).field]).toEqual([400, 'mapping.fields.value']);
  await ask('POST', `${path}/1/restoration`, { after: 2 });
  const { versions } = await ask<{ versions: object[] }>('GET', path);
  expect(versions).toMatchObject([
    { version: 3, note: 'As in version 1', in_force: true },
    { version: 2, in_force: false, fields: 11 },
    { version: 1, note: 'The preset Shopify' },
  ]);
  expect(await ask('GET', `${path}/2/file`)).toEqual(mapping);
});

it('a destination: its settings are checked by its platform’s own rules, and paused it waits for somebody', async () => {
  const add = (body: object) => desk.call('POST', `${base}/destinations`, { name: 'X', ...body });
  const refusals: [object, string][] = [
    [
      { kind: 'google-data-manager', settings: { customer_id: 'mine', conversion_action_id: '1' } },
      'settings.customer_id',
    ],
    [{ kind: 'google-data-manager', settings: { customer_id: '1' } }, 'settings.conversion_action_id'],
    [{ kind: 'webhook', settings: { url: 'http://shop.example' } }, 'settings.url'],
    [{ kind: 'linkedin', settings: { conversion_id: '1' }, test_code: 'TEST1' }, 'test_code'],
    [{ kind: 'meta-capi', settings: { dataset_id: '1' }, connection_id: 77 }, 'connection_id'],
  ];
  for (const [body, field] of refusals) {
    const answer = await add(body);
    expect([answer.status, (answer.body.error as { field: string }).field], JSON.stringify(body)).toEqual([400, field]);
  }
  const one = await ask<RelayDestination>('POST', '/destinations', {
    ...{ kind: 'google-data-manager', name: 'Google', is_dry_run: true },
    settings: { customer_id: '123-456-7890', conversion_action_id: '42' },
  });
  // As it is sent: digits alone.
  expect(one).toMatchObject({ settings: { customer_id: '1234567890' }, is_dry_run: true, has_secret: false });
  const path = `/destinations/${one.id}`;
  expect(await ask('PATCH', path, { state: 'paused' })).toMatchObject({ state: 'paused', state_reason: null });
  const refused = (state: string) =>
    desk.server.desk.house.postgres.tenant(organisation, (sql) =>
      sql.run(`UPDATE relay_destinations SET state = $2, state_reason = 'UNAUTHENTICATED' WHERE id = $1`, [
        ...[one.id, state],
      ]),
    );
  const active = { state: 'active', state_reason: null };
  await refused('reconnect');
  expect(await ask('PATCH', path, { state: 'active' })).toMatchObject(active);
  // What was refused is another now: nobody has to say that it goes on.
  await refused('misconfigured');
  expect(await ask('PATCH', path, { settings: one.settings })).toMatchObject(active);
  await refused('reconnect');
  expect(await ask('PATCH', path, { settings: one.settings, name: 'G' })).toMatchObject({ state: 'reconnect' });
  expect(await ask('PATCH', path, { secret: 'ya29.token' })).toMatchObject(active);
  const [{ secret_sealed } = { secret_sealed: Buffer.alloc(0) }] = await asked<{ secret_sealed: Buffer }>(
    'SELECT secret_sealed FROM relay_destinations WHERE id = $1',
    [one.id],
  );
  expect(secret_sealed.includes('ya29')).toBe(false);
  expect(await ask('PATCH', path, { secret: null })).toMatchObject({ has_secret: false });
  await ask('DELETE', path);
});

it('a destination that is sent with a connection from now on keeps no token of its own', async () => {
  // A key connects nothing: somebody does who is signed in.
  const made = await desk.raw({
    path: `/api/organisations/${organisation}/connections`,
    headers: { cookie: await desk.signIn(), 'content-type': 'application/json', 'x-fairlead-csrf': '1' },
    body: JSON.stringify({ provider: 'meta', secret: 'EAABpasted', label: 'Events' }),
  });
  expect(made.status, made.text).toBe(201);
  const connection_id = (JSON.parse(made.text) as { id: number }).id;
  const meta = { kind: 'meta-capi', name: 'Meta', settings: { dataset_id: '1234567890' } };
  const { id } = await ask<RelayDestination>('POST', '/destinations', { ...meta, secret: 'EAABitsown' });
  const path = `/destinations/${id}`;
  const row = async () =>
    (
      await asked('SELECT connection_id, secret_sealed IS NULL AS has_none FROM relay_destinations WHERE id = $1', [id])
    )[0];
  const both = { connection_id, secret: 'EAABanother' };
  for (const [method, at, body] of [
    ['PATCH', path, both],
    ['POST', '/destinations', { ...meta, ...both }],
  ] as const) {
    const answer = await desk.call(method, base + at, body);
    expect([answer.status, (answer.body.error as { field: string }).field]).toEqual([400, 'secret']);
  }
  expect(await row()).toEqual({ connection_id: null, has_none: false });
  expect(await ask('PATCH', path, { connection_id })).toMatchObject({ connection_id, has_secret: false });
  expect(await row()).toEqual({ connection_id, has_none: true });
  // And back again, with one that is given anew.
  await ask('PATCH', path, { connection_id: null, secret: 'EAABanother' });
  expect(await row()).toEqual({ connection_id: null, has_none: false });
  await ask('DELETE', path);
});

it('a key for some of the sites does not reach the relay, which is the whole organisation’s', async () => {
  const cookie = await desk.signIn();
  const [site] = await asked<{ id: number }>('SELECT id FROM sites');
  const answer = await desk.raw({
    path: `/api/keys?organisation_id=${organisation}`,
    headers: { cookie, 'content-type': 'application/json', 'x-fairlead-csrf': '1' },
    body: JSON.stringify({ name: 'one site', scopes: ['relay:write'], site_ids: [site?.id] }),
  });
  const { key } = JSON.parse(answer.text) as { key: string };
  const got = await desk.raw({ method: 'GET', path: `${base}/sources`, headers: { authorization: `Bearer ${key}` } });
  expect([answer.status, got.status]).toEqual([201, 404]);
});
