import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { tablesOfArchive, writeTable } from '../../src/analytics/archive/tables.ts';
import { relayChanged } from '../../src/relay/changes.ts';
import { openPeople } from '../../src/relay/conversions/people.ts';
import { endIdentifiers } from '../../src/relay/life/ageing.ts';
import { withholdRefused } from '../../src/relay/routing/withdrawn.ts';
import { openTestDesk, type RawAnswer, type TestDesk } from './desk.ts';

/** Conversions come in over HTTP, and what is in the database afterwards is looked at. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

let desk: TestDesk;
let organisation: number;
let sources: Record<'shop' | 'tracker' | 'signed' | 'strict' | 'paused' | 'firsts' | 'several', number>;
let destination: Record<'meta' | 'webhook', number>;
const secret = (name: string) => createHash('sha256').update(`source ${name}`).digest('base64url');

beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
  const { postgres, keys, vault, clock } = desk.server.desk.house;
  const [row] = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  organisation = Number(row?.organisation_id);
  const now = new Date(clock.now());
  await postgres.tenant(organisation, async (sql) => {
    const source = async (name: string, more: Record<string, unknown> = {}) => {
      const columns = { preset: 'canonical', ...more };
      const names = Object.keys(columns);
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO relay_sources (organisation_id, name, kind, address_digest, created_at${names.map((one) => `, ${one}`).join('')})
         VALUES ($1, $2, 'http', $3, $4${names.map((_, at) => `, $${at + 5}`).join('')}) RETURNING id`,
        [organisation, name, keys.digest('relay-source', secret(name)), now, ...Object.values(columns)],
      );
      return id;
    };
    sources = {
      shop: await source('shop'),
      tracker: await source('tracker', { preset: 'voluum' }),
      signed: await source('signed', { signature_scheme: 'hmac', signature_header: 'x-signed' }),
      strict: await source('strict', { unmapped_status: 422 }),
      paused: await source('paused', { state: 'paused' }),
      firsts: await source('firsts'),
      several: await source('several'),
    };
    const sealed = await vault.seal(
      {
        organisationId: organisation,
        table: 'relay_sources',
        column: 'secret_sealed',
        row: sources.signed,
        class: 'D9',
      },
      'a secret of the sender',
    );
    await sql.run('UPDATE relay_sources SET secret_sealed = $2 WHERE id = $1', [sources.signed, sealed]);
    const to = async (kind: string, settings: object) =>
      (
        await sql.one<{ id: number }>(
          `INSERT INTO relay_destinations (organisation_id, kind, name, settings, state, state_since, created_at)
           VALUES ($1, $2, $2, $3, 'paused', $4, $4) RETURNING id`,
          [organisation, kind, JSON.stringify(settings), now],
        )
      ).id;
    destination = {
      meta: await to('meta-capi', { dataset_id: '1234567890' }),
      webhook: await to('webhook', { url: 'https://hook.example/in' }),
    };
    const route = (source_: number, destination_: number, rules: object) =>
      sql.run(
        'INSERT INTO relay_routes (organisation_id, source_id, destination_id, rules, created_at) VALUES ($1, $2, $3, $4, $5)',
        [organisation, source_, destination_, JSON.stringify(rules), now],
      );
    await route(sources.shop, destination.meta, { value: { factor: '0.5' } });
    await route(sources.tracker, destination.meta, {});
    await route(sources.several, destination.webhook, {});
    await route(sources.firsts, destination.meta, { first_only: true, when: { path: 'value', compare: '>=', to: 10 } });
    await route(sources.firsts, destination.webhook, { first_only: true });
    await route(sources.shop, destination.webhook, {
      events: [{ name: 'purchase', as: 'Sale' }],
      when: { path: 'value', compare: '>=', to: 10 },
      first_only: true,
      hold: true,
    });
  });
  await relayChanged();
});
afterAll(() => desk?.close());

const send = (name: string, body: unknown, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  desk.raw({
    path: `/in/${secret(name)}`,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
const asked = async <Row extends object>(text: string, params: unknown[] = []): Promise<Row[]> => {
  if (!(await desk.server.desk.house.spool.drain(20_000))) throw new Error('The spool did not drain within 20 s.');
  return desk.server.desk.house.postgres.tenant(organisation, (sql) => sql.query<Row>(text, params));
};
const at = () => new Date(desk.server.desk.house.clock.now() - 60_000).toISOString();
const purchase = (more: object = {}) => ({
  ...{ event_name: 'purchase', occurred_at: at(), value: '19.90', currency: 'EUR' },
  consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
  ...more,
});

it('keeps a conversion before it answers, and stores it with its deliveries: hashed, sealed, nothing of a person in the clear', async () => {
  const canary = 'canary7f3a9b@person.example';
  const answer = await send(
    'shop',
    purchase({
      ...{ order_id: 'A-1', page_url: `https://shop.example/thanks?mail=${canary}&gclid=Cj0&utm_source=news` },
      user: {
        email: canary,
        phone: '+49 30 901820',
        ip: '81.2.69.142',
        user_agent: 'canarybrowser/1.0',
        country: 'DE',
      },
    }),
  );
  expect([answer.status, JSON.parse(answer.text).accepted]).toEqual([202, 1]);
  const [row] = await asked<Record<string, unknown>>('SELECT * FROM relay_conversions WHERE order_id = $1', ['A-1']);
  expect(row).toMatchObject({
    source_id: sources.shop,
    event_name: 'purchase',
    value: '19.90',
    currency: 'EUR',
    region: 'eea',
    doubles: 0,
  });
  expect(row?.present).toEqual(['country', 'email', 'ip', 'phone', 'user_agent'].sort());
  expect(row?.facts).toMatchObject({
    page_url: 'https://shop.example/thanks?gclid=Cj0&utm_source=news',
    ...{ click_ids: { gclid: 'Cj0' }, utm: { source: 'news' }, domain: 'shop.example' },
  });
  const deliveries = await asked(
    'SELECT destination_id, platform_id, platform_event, value, state, reason FROM relay_deliveries WHERE conversion_id = $1 ORDER BY route_id',
    [row?.id],
  );
  expect(deliveries).toEqual([
    {
      destination_id: destination.meta,
      platform_id: 'A-1',
      platform_event: null,
      value: '9.95',
      state: 'waiting',
      reason: null,
    },
    {
      destination_id: destination.webhook,
      platform_id: 'A-1',
      platform_event: 'Sale',
      value: '19.90',
      state: 'held',
      reason: null,
    },
  ]);
  const { postgres, vault } = desk.server.desk.house;
  const people = await postgres.tenant(organisation, (sql) => openPeople(sql, vault, organisation, [String(row?.id)]));
  const known = people.get(String(row?.id));
  expect(known?.raw).toMatchObject({ email: canary, ip: '81.2.69.142' });
  const sha = createHash('sha256').update(canary).digest('hex');
  expect(known?.hashes['meta-capi']).toMatchObject({ em: [sha] });
  expect(JSON.stringify(known?.hashes)).not.toContain('81.2.69.142');
  // Neither the address nor its hash stands in a table or a file of the desk.
  const [tables] = await asked<{ text: string }>(
    `SELECT concat((SELECT json_agg(c) FROM relay_conversions c), (SELECT json_agg(t) FROM relay_tellings t),
       (SELECT json_agg(d) FROM relay_deliveries d), (SELECT json_agg(x) FROM relay_captures x)) AS text`,
  );
  for (const word of [canary, sha, 'canarybrowser', '901820', '81.2.69.142']) {
    expect(tables?.text).not.toContain(word);
    expect(filesWith(desk.dataDir, word)).toEqual([]);
  }
});

it('takes many at once, and loads them on a thread of their own: each once, on each of its ways', async () => {
  const many = Array.from({ length: 400 }, (_, n) =>
    purchase({ order_id: `M-${n}`, user: { email: `many${n}@person.example`, first_name: 'Many', country: 'DE' } }),
  );
  const threads = () =>
    readdirSync('/proc/self/task').filter(
      (one) => readFileSync(`/proc/self/task/${one}/comm`, 'utf8').trim() === 'WorkerThread',
    ).length;
  const before = threads();
  const answer = await send('firsts', many);
  expect([answer.status, JSON.parse(answer.text).accepted]).toEqual([202, 400]);
  const [row] = await asked(
    `SELECT count(*)::int AS conversions, count(DISTINCT order_id)::int AS orders,
       (SELECT count(*)::int FROM relay_deliveries d WHERE d.conversion_id = ANY (array_agg(c.id))) AS deliveries,
       (SELECT count(*)::int FROM relay_subjects s JOIN relay_tellings t ON t.id = s.telling_id
        WHERE t.conversion_id = ANY (array_agg(c.id))) AS subjects
     FROM relay_conversions c WHERE order_id LIKE 'M-%'`,
  );
  expect(row).toEqual({ conversions: 400, orders: 400, deliveries: 800, subjects: 400 });
  expect(threads()).toBe(before + 1);
  // The same lines again change nothing, as after a kill before the spool has heard of it.
  expect((await send('firsts', many)).status).toBe(202);
  const [again] = await asked(
    "SELECT count(*)::int AS conversions, sum(doubles)::int AS doubles FROM relay_conversions WHERE order_id LIKE 'M-%'",
  );
  expect(again).toEqual({ conversions: 400, doubles: 400 });
});

it('is one delivery, however often a request comes (REL-10)', async () => {
  const body = purchase({ event_id: 'e-100', user: { email: 'again@person.example' } });
  const answers = await Promise.all(Array.from({ length: 100 }, () => send('shop', body)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  const rows = await asked<{ doubles: number; tellings: number; deliveries: number }>(
    `SELECT doubles, (SELECT count(*) FROM relay_tellings t WHERE t.conversion_id = c.id)::int AS tellings,
       (SELECT count(*) FROM relay_deliveries d WHERE d.conversion_id = c.id)::int AS deliveries
     FROM relay_conversions c WHERE facts->>'event_id' = 'e-100'`,
  );
  expect(rows).toEqual([{ doubles: 99, tellings: 100, deliveries: 2 }]);
});

it('knows an order of two sources as one, and what the second adds', async () => {
  await send('shop', purchase({ order_id: 'T-9', event_name: 'conversion', user: { email: 'first@person.example' } }));
  await asked('SELECT 1');
  const postback = await desk.raw({
    method: 'GET',
    path: `/in/${secret('tracker')}?cid=click-1&payout=19.90&txid=T-9&et=conversion&currency=EUR`,
  });
  expect([postback.status, JSON.parse(postback.text).accepted]).toEqual([202, 1]);
  const rows = await asked<{ source_id: number; doubles: number; facts: { click_ids: object } }>(
    'SELECT source_id, doubles, facts FROM relay_conversions WHERE order_id = $1',
    ['T-9'],
  );
  expect(rows).toMatchObject([{ source_id: sources.shop, doubles: 1, facts: { click_ids: { tracker: 'click-1' } } }]);
});

it('takes the same words without an id as one for ten minutes', async () => {
  const body = purchase({ value: '77.01', user: { external_id: 'words-1' } });
  await send('shop', body);
  await send('shop', body);
  await send('shop', { ...body, value: '77.02' });
  const rows = await asked<{ doubles: number }>(
    'SELECT doubles FROM relay_conversions WHERE value IN (77.01, 77.02) ORDER BY value',
  );
  expect(rows).toEqual([{ doubles: 1 }, { doubles: 0 }]);
});

it('takes a postback without an id as one too, whose time is when it came', async () => {
  const postback = (payout: string) =>
    desk.raw({ method: 'GET', path: `/in/${secret('tracker')}?cid=c-1&payout=${payout}&et=lead` });
  for (const payout of ['1', '1', '1', '2']) {
    expect((await postback(payout)).status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  const rows = await asked(
    `SELECT value, doubles, (SELECT count(*) FROM relay_tellings t WHERE t.conversion_id = c.id)::int AS tellings,
       (SELECT count(DISTINCT t.received_at) FROM relay_tellings t WHERE t.conversion_id = c.id)::int AS moments,
       (SELECT count(*) FROM relay_deliveries d WHERE d.conversion_id = c.id)::int AS deliveries
     FROM relay_conversions c WHERE facts->'click_ids'->>'tracker' = 'c-1' ORDER BY value`,
  );
  expect(rows).toEqual([
    { value: '1', doubles: 2, tellings: 3, moments: 3, deliveries: 1 },
    { value: '2', doubles: 0, tellings: 1, moments: 1, deliveries: 1 },
  ]);
});

it('withholds by consent: a denial anywhere, silence where it is asked for (REL-08)', async () => {
  const said = [
    ['c-denied', { consent: { ad_user_data: 'denied' }, user: { email: 'a@person.example', country: 'US' } }],
    ['c-silent-eea', { consent: {}, user: { email: 'a@person.example', country: 'FR' } }],
    ['c-silent-uk', { consent: {}, user: { email: 'a@person.example', country: 'GB' } }],
    ['c-silent-nowhere', { consent: {}, user: { email: 'a@person.example' } }],
    ['c-silent-us', { consent: {}, user: { email: 'a@person.example', country: 'US' } }],
  ] as const;
  for (const [order_id, more] of said) await send('shop', purchase({ order_id, ...more, event_name: 'lead' }));
  const rows = await asked(
    `SELECT c.order_id, d.state, d.reason, d.field FROM relay_deliveries d JOIN relay_conversions c ON c.id = d.conversion_id
     WHERE c.order_id LIKE 'c-%' AND d.destination_id = $1 ORDER BY c.order_id`,
    [destination.meta],
  );
  const withheld = (reason: string) => ({ state: 'withheld', reason, field: 'consent.ad_user_data' });
  expect(rows).toEqual([
    { order_id: 'c-denied', ...withheld('consent_denied') },
    { order_id: 'c-silent-eea', ...withheld('consent_unknown') },
    { order_id: 'c-silent-nowhere', ...withheld('consent_unknown') },
    { order_id: 'c-silent-uk', ...withheld('consent_unknown') },
    { order_id: 'c-silent-us', state: 'waiting', reason: null, field: null },
  ]);
  const settled = await asked<{ order_id: string }>(
    "SELECT order_id FROM relay_conversions WHERE order_id LIKE 'c-%' AND settled_at IS NOT NULL ORDER BY order_id",
  );
  expect(settled.map(({ order_id }) => order_id)).toEqual([
    'c-denied',
    'c-silent-eea',
    'c-silent-nowhere',
    'c-silent-uk',
  ]);
});

it('honours what is on record of somebody: taken back counts whatever a sender says, given fills in silence (REL-08)', async () => {
  const { vault, postgres, clock } = desk.server.desk.house;
  const record = async (email: string, state: string) => {
    const digest = await vault.subject(organisation, 'email', email);
    await postgres.tenant(organisation, (sql) =>
      sql.run(
        `INSERT INTO consent_records (organisation_id, subject_digest, purpose, state, region, text_version, text_digest, how, recorded_at, proof)
         VALUES ($1, $2, 'ad_measurement', $3, 'eea', '1', $4, 'banner', $5, $4)`,
        [organisation, digest, state, Buffer.alloc(32), new Date(clock.now())],
      ),
    );
  };
  await record('back@person.example', 'given');
  await record('back@person.example', 'withdrawn');
  await record('agreed@person.example', 'given');
  const from = (email: string) => ({ event_name: 'lead', user: { email, country: 'DE' } });
  await send('shop', purchase({ order_id: 'k-back', ...from('back@person.example') }));
  await send('shop', purchase({ order_id: 'k-agreed', consent: {}, ...from('agreed@person.example') }));
  const rows = await asked(
    `SELECT c.order_id, d.state, d.reason FROM relay_deliveries d JOIN relay_conversions c ON c.id = d.conversion_id
     WHERE c.order_id LIKE 'k-%' AND d.destination_id = $1 ORDER BY c.order_id`,
    [destination.meta],
  );
  expect(rows).toEqual([
    { order_id: 'k-agreed', state: 'waiting', reason: null },
    { order_id: 'k-back', state: 'withheld', reason: 'consent_denied' },
  ]);
  // Taken back while it waits, through the same door as anybody's; where it was the last to wait, the conversion has ended.
  await asked(
    `UPDATE relay_deliveries d SET state = 'cancelled', settled_at = now() FROM relay_conversions c
     WHERE c.id = d.conversion_id AND c.order_id = 'k-agreed' AND d.destination_id <> $1 RETURNING d.id`,
    [destination.meta],
  );
  const digest = await vault.subject(organisation, 'email', 'agreed@person.example');
  await postgres.tenant(organisation, (sql) =>
    withholdRefused(sql, { organisationId: organisation, purpose: 'ad_measurement', digest }),
  );
  const later = await asked(
    `SELECT d.state, d.reason, c.settled_at IS NOT NULL AS is_over FROM relay_deliveries d JOIN relay_conversions c ON c.id = d.conversion_id
     WHERE c.order_id = 'k-agreed' AND d.destination_id = $1`,
    [destination.meta],
  );
  expect(later).toEqual([{ state: 'withheld', reason: 'consent_denied', is_over: true }]);
});

it('goes a route by its rules: event, condition, only the first of a click', async () => {
  await send('shop', purchase({ order_id: 'r-small', value: '9.99' }));
  await send('shop', purchase({ order_id: 'r-first', click_ids: { gclid: 'click-r' } }));
  await send('shop', purchase({ order_id: 'r-second', click_ids: { gclid: 'click-r' } }));
  await send('shop', purchase({ order_id: 'r-other', click_ids: { gclid: 'click-s' } }));
  const rows = await asked(
    `SELECT c.order_id, d.state, d.reason FROM relay_deliveries d JOIN relay_conversions c ON c.id = d.conversion_id
     WHERE c.order_id LIKE 'r-%' AND d.destination_id = $1 ORDER BY c.order_id`,
    [destination.webhook],
  );
  expect(rows).toEqual([
    { order_id: 'r-first', state: 'held', reason: null },
    { order_id: 'r-other', state: 'held', reason: null },
    { order_id: 'r-second', state: 'withheld', reason: 'not_first' },
  ]);
});

it('is the first on each way by itself', async () => {
  const click = { click_ids: { gclid: 'click-way' } };
  await send('firsts', purchase({ order_id: 'w-small', value: '5.00', ...click }));
  await asked('SELECT 1');
  await send('firsts', purchase({ order_id: 'w-large', value: '50.00', ...click }));
  const rows = await asked(
    `SELECT c.order_id, d.destination_id, d.state FROM relay_deliveries d JOIN relay_conversions c ON c.id = d.conversion_id
     WHERE c.order_id LIKE 'w-%' ORDER BY c.order_id, d.destination_id`,
  );
  expect(rows).toEqual([
    { order_id: 'w-large', destination_id: destination.meta, state: 'waiting' },
    { order_id: 'w-large', destination_id: destination.webhook, state: 'withheld' },
    { order_id: 'w-small', destination_id: destination.webhook, state: 'waiting' },
  ]);
});

it('stores an order whose address says %00 or a macro that nobody filled in, and takes neither for a click', async () => {
  const { spool } = desk.server.desk.house;
  await asked('SELECT 1');
  const before = spool.quarantined();
  const page = (query: string) => ({ page_url: `https://shop.example/thanks?${query}` });
  await send('firsts', purchase({ order_id: 'q-nul', ...page('gclid=a%00b&utm_source=%00&utm_medium=mail') }));
  await send('firsts', purchase({ order_id: 'q-query', query: 'gclid=%00' }));
  for (const name of ['one', 'two'])
    await send(
      'firsts',
      purchase({ order_id: `q-${name}`, ...page('gclid={gclid}'), user: { email: `${name}@q.example` } }),
    );
  const rows = await asked<{ order_id: string; clicks: object | null; utm: object | null; states: string[] }>(
    `SELECT order_id, facts->'click_ids' AS clicks, facts->'utm' AS utm,
       ARRAY(SELECT d.state FROM relay_deliveries d WHERE d.conversion_id = c.id) AS states
     FROM relay_conversions c WHERE order_id LIKE 'q-%' ORDER BY order_id`,
  );
  const goes = { clicks: null, utm: null, states: ['waiting', 'waiting'] };
  expect(rows).toEqual([
    { order_id: 'q-nul', ...goes, utm: { medium: 'mail' } },
    ...['q-one', 'q-query', 'q-two'].map((order_id) => ({ order_id, ...goes })),
  ]);
  expect(spool.quarantined()).toEqual(before);
});

it('lets a refund wait for its purchase, whether that is known yet or not', async () => {
  await send('shop', purchase({ order_id: 'R-1' }));
  await send('shop', purchase({ event_name: 'refund', event_id: 'rf-1', refund: true, original: { order_id: 'R-1' } }));
  await send(
    'shop',
    purchase({ event_name: 'refund', event_id: 'rf-2', refund: true, original: { order_id: 'R-unknown' } }),
  );
  await send('shop', purchase({ event_name: 'refund', event_id: 'rf-3', refund: true, original: { event_id: 'e-9' } }));
  const rows = await asked<{ event: string; waits_for: string; platform_id: string }>(
    `SELECT c.facts->>'event_id' AS event, d.waits_for, d.platform_id FROM relay_deliveries d
     JOIN relay_conversions c ON c.id = d.conversion_id WHERE c.event_name = 'refund' AND d.destination_id = $1 ORDER BY 1`,
    [destination.meta],
  );
  const [order] = await asked<{ id: string }>("SELECT id FROM relay_conversions WHERE order_id = 'R-1'");
  expect(rows).toEqual([
    { event: 'rf-1', waits_for: order?.id, platform_id: 'R-1' },
    { event: 'rf-2', waits_for: '00000000-0000-0000-0000-000000000000', platform_id: 'R-unknown' },
    // Which one has that event is looked for when it is to go, and it goes under the id of that.
    { event: 'rf-3', waits_for: '00000000-0000-0000-0000-000000000000', platform_id: expect.any(String) },
  ]);
});

it('answers what it cannot take with the reason, and each request stands in the intake log without a value of it (REL-09)', async () => {
  const body = JSON.stringify(purchase({ order_id: 'S-1', user: { email: 'logged@person.example' } }));
  const signature = createHmac('sha256', 'a secret of the sender').update(body).digest('hex');
  const tooLarge = Buffer.alloc(2_000_001, ' ');
  const answers = [
    await desk.raw({ path: `/in/${secret('nobody')}`, body }),
    await send('signed', body, { 'x-signed': signature }),
    await send('signed', body, { 'x-signed': 'ab'.repeat(32) }),
    await send('signed', body),
    await send('paused', body),
    await send('shop', '{"event_name": '),
    await send('shop', tooLarge),
    await send('shop', JSON.stringify(Array.from({ length: 10_000 }, () => ({})))),
    await send('shop', purchase({ value: '12,50' })),
    await send('strict', purchase({ currency: 'EURO', user: { email: 'logged@person.example' } })),
    await desk.raw({ method: 'DELETE', path: `/in/${secret('shop')}` }),
    await send('shop', '<order/>', { 'content-type': 'text/xml' }),
  ];
  const said = answers.map(({ status, text }) => {
    const { error, accepted, problems } = JSON.parse(text);
    return [status, error?.code ?? accepted, error?.field ?? problems?.[0]?.field ?? null, error?.at ?? null];
  });
  expect(said).toEqual([
    [404, 'not_found', null, null],
    [202, 1, null, null],
    [401, 'unauthenticated', 'x-signed', null],
    [401, 'unauthenticated', 'x-signed', null],
    [403, 'forbidden', null, null],
    [400, 'not_json', 'body', 15],
    [413, 'too_large', 'body', null],
    [413, 'too_many_items', 'body', 29_998],
    [202, 0, 'value', null],
    [422, 'unknown_currency', 'currency', null],
    [405, 'method', 'method', null],
    [415, 'content_type', 'content-type', null],
  ]);
  expect(JSON.parse(answers[5]?.text ?? '').error.message).toMatch(/ \(body, character 15\)$/);
  const log = await desk.rows<{ status: number; reason: string; field: string; body: string }>(
    'SELECT status, reason, field, body FROM relay_intake ORDER BY at DESC LIMIT 11',
  );
  expect(log.map(({ status, reason, field }) => `${status} ${reason} ${field}`).reverse()).toEqual([
    ...['202  ', '401 signature_wrong x-signed', '401 signature_missing x-signed', '403 paused ', '400 not_json body'],
    ...['413 too_large body', '413 too_many_items body', '202 invalid value', '422 unknown_currency currency'],
    ...['405 method method', '415 content_type content-type'],
  ]);
  expect(log.map(({ body: shape }) => shape).join(' ')).toContain('"email":"text (21)"');
  expect(filesWith(desk.dataDir, 'logged@person')).toEqual([]);
  const unmapped = await asked<{ source_id: number }>(
    'SELECT source_id FROM relay_captures WHERE is_unmapped ORDER BY source_id',
  );
  expect(unmapped.map(({ source_id }) => source_id)).toEqual([sources.shop, sources.strict].sort());
  const long = await desk.raw({ method: 'GET', path: `/in/${secret('shop')}?cid=${'x'.repeat(16_384)}` });
  expect([long.status, JSON.parse(long.text).error]).toMatchObject([414, { code: 'too_large', field: 'url' }]);
  // Nobody signed the query: it is in no capture and no line.
  const asking = { 'content-type': 'application/json', 'x-signed': signature };
  const queried = await desk.raw({ path: `/in/${secret('signed')}?unsigned-word=1`, body, headers: asking });
  expect(queried.status).toBe(202);
  const [shape] = await desk.rows<{ body: string }>('SELECT body FROM relay_intake ORDER BY at DESC LIMIT 1');
  expect(shape?.body).not.toContain('unsigned-word');
  const macro = JSON.parse((await send('shop', purchase({ event_name: '{event}' }))).text);
  expect(macro.problems).toEqual([
    { field: 'event_name', reason: 'unexpanded_macro', macro: 'event', path: 'event_name' },
  ]);
});

it('writes no name of a part down that may be of somebody, and tells its sender which it was (REL-09)', async () => {
  const word = 'anna.muster@mail.example';
  const part = (name: string, more: string, value: string | Buffer) =>
    Buffer.concat([
      Buffer.from(`--b\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n`),
      ...[Buffer.from(value), Buffer.from('\r\n--b--\r\n')],
    ]);
  const form = { 'content-type': 'multipart/form-data; boundary=b' };
  const answers = [
    await send('shop', part(word, '; filename="cv.pdf"', 'a file'), form),
    await send('shop', part(word, '', Buffer.from([0xff, 0xfe])), form),
    await send('shop', part('cv', '; filename="cv.pdf"', 'a file'), form),
  ];
  expect(
    answers.map(({ status, text }) => [status, JSON.parse(text).error.code, JSON.parse(text).error.field]),
  ).toEqual([
    [400, 'file', word],
    [400, 'not_utf8', word],
    [400, 'file', 'cv'],
  ]);
  const log = await desk.rows<{ reason: string; field: string }>(
    'SELECT reason, field FROM relay_intake ORDER BY at DESC LIMIT 3',
  );
  expect(log.map(({ reason, field }) => `${reason} ${field}`).reverse()).toEqual([
    ...['file (name)', 'not_utf8 (name)', 'file cv'],
  ]);
  expect(filesWith(desk.dataDir, word)).toEqual([]);
});

it('takes requests again that did not map, once their source has another mapping, and each is there once', async () => {
  const { postgres, clock } = desk.server.desk.house;
  const before = await asked<{ id: string }>('SELECT id FROM relay_captures WHERE is_unmapped AND source_id = $1', [
    sources.strict,
  ]);
  expect(before).toHaveLength(1);
  const sent = { event: 'sale', when: at(), total: '5.00', mail: 'later@person.example', number: 'L-1' };
  expect((await send('strict', sent)).status).toBe(422);
  await asked('SELECT 1');
  const mapping = {
    fields: {
      ...{ event_name: 'event', occurred_at: 'when', value: 'total', order_id: 'number', 'user.email': 'mail' },
      currency: { default: 'EUR' },
    },
  };
  await postgres.tenant(organisation, async (sql) => {
    await sql.run(
      'INSERT INTO relay_mappings (organisation_id, source_id, version, mapping, created_at) VALUES ($1, $2, 1, $3, $4)',
      [organisation, sources.strict, JSON.stringify(mapping), new Date(clock.now())],
    );
    await sql.run('UPDATE relay_sources SET mapping_version = 1 WHERE id = $1', [sources.strict]);
  });
  await relayChanged();
  await vi.waitFor(
    async () => {
      const rows = await asked(
        "SELECT value, currency, mapping_version, doubles FROM relay_conversions WHERE order_id = 'L-1'",
      );
      expect(rows).toEqual([{ value: '5.00', currency: 'EUR', mapping_version: 1, doubles: 0 }]);
    },
    { timeout: 20_000, interval: 200 },
  );
  const left = await asked<{ id: string; tried_version: number }>(
    'SELECT id, tried_version FROM relay_captures WHERE is_unmapped AND source_id = $1',
    [sources.strict],
  );
  expect(left).toEqual([{ id: before[0]?.id, tried_version: 1 }]);
});

it('leaves what of a request was stored as it is, where the rest of it is taken by a later mapping', async () => {
  const { postgres, clock } = desk.server.desk.house;
  const map = async (version: number, fields: object) => {
    const mapping = { fields: { event_name: 'event', value: 'total', order_id: 'number', ...fields } };
    await postgres.tenant(organisation, async (sql) => {
      await sql.run(
        'INSERT INTO relay_mappings (organisation_id, source_id, version, mapping, created_at) VALUES ($1, $2, $3, $4, $5)',
        [organisation, sources.several, version, JSON.stringify(mapping), new Date(clock.now())],
      );
      await sql.run('UPDATE relay_sources SET mapping_version = $2 WHERE id = $1', [sources.several, version]);
    });
    await relayChanged();
  };
  const currency = { default: 'EUR' };
  await map(1, { occurred_at: 'when', currency });
  const sale = { event: 'several', total: '7.00', campaign: 'spring' };
  const answers = [
    await send('several', [
      { ...sale, when: at() },
      { ...sale, at: at(), total: '8.00' },
    ]),
    await send('several', [{ ...sale, when: at(), number: 'V-1', total: '9.00' }, { ...sale }]),
  ];
  expect(answers.map(({ text }) => JSON.parse(text).accepted)).toEqual([1, 1]);
  const stored = () =>
    asked(
      `SELECT c.value, c.mapping_version AS mapping, c.doubles,
         (SELECT count(*)::int FROM relay_tellings t WHERE t.conversion_id = c.id) AS tellings,
         (SELECT count(*)::int FROM relay_deliveries d WHERE d.conversion_id = c.id) AS deliveries
       FROM relay_conversions c WHERE c.event_name = 'several' ORDER BY c.value`,
    );
  const once = { doubles: 0, tellings: 1, deliveries: 1 };
  const before = [
    { value: '7.00', mapping: 1, ...once },
    { value: '9.00', mapping: 1, ...once },
  ];
  expect(await stored()).toEqual(before);
  const tried = (version: number) =>
    vi.waitFor(
      async () => {
        const left = await asked<{ tried_version: number }>(
          'SELECT tried_version FROM relay_captures WHERE is_unmapped AND source_id = $1',
          [sources.several],
        );
        expect(left).toEqual([{ tried_version: version }]);
      },
      { timeout: 20_000, interval: 200 },
    );
  // The words of the first are others now, and its order is known: neither makes a second conversion of it, or a double.
  const more = { currency, 'utm.campaign': 'campaign' };
  await map(2, { occurred_at: ['when', 'at'], ...more });
  await tried(2);
  const after = [before[0], { value: '8.00', mapping: 2, ...once }, before[1]];
  expect(await stored()).toEqual(after);
  await map(3, { occurred_at: ['when', 'at'], ...more, 'utm.term': 'event' });
  await tried(3);
  expect(await stored()).toEqual(after);
});

it('finds whom a conversion is about by any of their identifiers, and an erasure leaves nothing of it (DSR-03)', async () => {
  await send('shop', purchase({ order_id: 'D-1', user: { email: 'gone@person.example', phone: '+493090182099' } }));
  await send('shop', purchase({ order_id: 'D-2', user: { phone: '+493090182099' } }));
  await send('shop', purchase({ order_id: 'D-3', user: { email: 'stays@person.example' } }));
  await asked('SELECT 1');
  const { postgres, vault } = desk.server.desk.house;
  const holder = desk.server.desk.parts
    .flatMap((part) => part.holders ?? [])
    .find(({ name }) => name === 'conversions');
  if (holder === undefined) throw new Error('no holder');
  const digest = await vault.subject(organisation, 'email', 'Gone@person.example');
  const who = { organisationId: organisation, identifiers: [{ kind: 'email' as const, digest }] };
  const held = { siteIds: new Map<number, number>(), personIds: new Map<number, number>() };
  expect((await holder.find(who)).known).toContainEqual({ kind: 'phone', value: '+493090182099' });
  const records = await holder.copy(who);
  expect(records.filter(({ class: of }) => of === 'D6').map(({ record }) => record.order)).toEqual(['D-1', 'D-2']);
  const subjects = await asked<{ subject: Buffer }>(
    "SELECT DISTINCT t.subject FROM relay_tellings t JOIN relay_conversions c ON c.id = t.conversion_id WHERE c.order_id IN ('D-1', 'D-2')",
  );
  await postgres.tenant(
    organisation,
    (sql) => holder.erase?.(sql, who, held) ?? Promise.reject(new Error('cannot erase')),
  );
  expect(await holder.left(who, held)).toEqual([]);
  const orders = await asked<{ order_id: string }>("SELECT order_id FROM relay_conversions WHERE order_id LIKE 'D-%'");
  expect(orders).toEqual([{ order_id: 'D-3' }]);
  for (const { subject } of subjects) {
    const keys = await postgres.vault(organisation, (sql) =>
      sql.query('SELECT 1 FROM vault.subject_keys WHERE subject = $1', [subject]),
    );
    expect(keys).toEqual([]);
  }
});

it('is in the archive of its organisation with what it came with, and without a key or a digest (DSR-14)', async () => {
  await send('shop', purchase({ order_id: 'Z-1', user: { email: 'archived@person.example' } }));
  await asked('SELECT 1');
  const { house } = desk.server.desk;
  const { tables } = await house.postgres.tenant(organisation, tablesOfArchive);
  const written: string[] = [];
  const unopened: number[] = [];
  for (const table of tables.filter(({ table: name }) => name.startsWith('relay_'))) {
    const { rows, unopened: missed } = await writeTable(
      house,
      organisation,
      table,
      async (text) => void written.push(text),
    );
    if (rows > 0) unopened.push(missed);
  }
  expect(unopened.every((missed) => missed === 0)).toBe(true);
  const text = written.join('');
  expect(text).toContain('archived@person.example');
  expect(text).not.toMatch(/"(subject|address_digest|secret)"/);
});

it('is in the archive without what was rotated out while that is written, which is no value that did not open (DSR-14)', async () => {
  const { postgres, vault } = desk.server.desk.house;
  const { tables } = await postgres.tenant(organisation, tablesOfArchive);
  const table = tables.find((one) => one.table === 'relay_captures');
  if (table === undefined) throw new Error('Captured requests are in no archive.');
  await send('shop', purchase({ order_id: 'Z-2' }));
  const captures = await asked<{ id: string; subject: Buffer; value: Buffer }>(
    'SELECT id, subject, request_sealed AS value FROM relay_captures ORDER BY received_at',
  );
  const [gone, shredded] = captures;
  if (gone === undefined || shredded === undefined) throw new Error('Nothing was captured.');
  // As the keeper does it, once the cursor has the row and before it is opened; and a key that is destroyed while the row stays.
  const meanwhile: typeof vault = {
    ...vault,
    async prepare(of, sealed) {
      await postgres.tenant(of, (sql) => sql.run('DELETE FROM relay_captures WHERE id = $1', [gone.id]));
      await vault.forget(of, [gone, shredded]);
      return vault.prepare(of, sealed);
    },
  };
  const lines: { id: string; request: string | null }[] = [];
  const written = await writeTable({ postgres, vault: meanwhile }, organisation, table, async (text) => {
    lines.push(
      ...text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  });
  expect(written).toEqual({ rows: captures.length - 1, unopened: 1 });
  expect(lines.map(({ id }) => id).sort()).toEqual(
    captures
      .map(({ id }) => id)
      .filter((id) => id !== gone.id)
      .sort(),
  );
  expect(lines.filter(({ request }) => request === null).map(({ id }) => id)).toEqual([shredded.id]);
});

it('ends raw identifiers so many days after the last delivery as the source says, and what was hashed stays (REL-06)', async () => {
  await send('shop', purchase({ order_id: 'W-1', user: { email: 'raw@person.example' } }));
  await send('shop', purchase({ order_id: 'W-2', user: { email: 'raw@person.example' } }));
  await asked('SELECT 1');
  const { postgres, vault, clock, log } = desk.server.desk.house;
  const day = 86_400_000;
  const settle = (order: string, daysAgo: number) =>
    asked('UPDATE relay_conversions SET settled_at = $2 WHERE order_id = $1', [
      order,
      new Date(clock.now() - daysAgo * day),
    ]);
  await settle('W-1', 7.1);
  await settle('W-2', 6.9);
  await endIdentifiers({ postgres, vault, clock, log });
  const rows = await asked(
    `SELECT c.order_id, t.raw_sealed IS NULL AS is_over, t.hashes_sealed IS NOT NULL AS has_hashes FROM relay_tellings t
     JOIN relay_conversions c ON c.id = t.conversion_id WHERE c.order_id LIKE 'W-%' ORDER BY 1`,
  );
  expect(rows).toEqual([
    { order_id: 'W-1', is_over: true, has_hashes: true },
    { order_id: 'W-2', is_over: false, has_hashes: true },
  ]);
  const open = await asked(
    'SELECT 1 FROM relay_tellings t JOIN relay_conversions c ON c.id = t.conversion_id WHERE c.settled_at IS NULL AND t.raw_sealed IS NULL AND t.subject IS NOT NULL',
  );
  expect(open).toEqual([]);
});

it('knows nobody across organisations: every unique index has the organisation, and each digest is of one alone (REL-11)', async () => {
  const { postgres, vault } = desk.server.desk.house;
  const indexes = await postgres.system((sql) =>
    sql.query<{ name: string; columns: string[] }>(
      `SELECT c.relname AS name, array_agg(a.attname::text ORDER BY k.n) AS columns FROM pg_index i
       CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
       JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
       WHERE t.relname IN ('relay_subjects', 'relay_identities', 'relay_tellings', 'relay_conversions') AND i.indisunique
       GROUP BY c.relname ORDER BY c.relname`,
    ),
  );
  expect(indexes.length).toBeGreaterThan(3);
  for (const { name, columns } of indexes) expect([name, columns[0]]).toEqual([name, 'organisation_id']);
  const [here, there] = await Promise.all([1, 2].map((id) => vault.subject(id, 'email', 'same@person.example')));
  expect(here?.equals(there as Buffer)).toBe(false);
});

/** Files of the data directory that hold these bytes. What the warehouse merges meanwhile is gone again. */
function filesWith(folder: string, word: string): string[] {
  const unlessGone = <Read>(read: () => Read, none: Read): Read => {
    try {
      return read();
    } catch {
      return none;
    }
  };
  return unlessGone(() => readdirSync(folder, { withFileTypes: true }), []).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesWith(path, word);
    return entry.isFile() && unlessGone(() => readFileSync(path).includes(word), false) ? [path] : [];
  });
}
