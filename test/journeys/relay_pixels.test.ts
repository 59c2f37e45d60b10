import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { BrowserShare, ConversionStory } from '../../contract/relay_reading.ts';
import { endIdentifiers } from '../../src/relay/life/ageing.ts';
import { openTestDesk, type RawAnswer, type TestDesk } from './desk.ts';

/** What pages with pixels tell over HTTP, as the tracker sends it, and what the relay makes of it. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

let desk: TestDesk;
let organisation: number;
/** `on` has both switches, `off` has a source of goals as it is made. */
const sites = { on: 'shop.example', off: 'off.example' };
const sourceIds: Record<string, number> = {};
const destinations: Record<string, number> = {};
let hook: string;
const agreed = { ad_storage: 'granted', ad_user_data: 'granted' };
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const path = (rest: string) => `/api/organisations/${organisation}/relay${rest}`;
const sql = <Row extends object>(text: string, params: unknown[] = []) =>
  desk.server.desk.house.postgres.tenant(organisation, (one) => one.query<Row>(text, params));
async function made(rest: string, body: object): Promise<Record<string, unknown>> {
  const answer = await desk.call('POST', path(rest), body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body;
}
async function drained(): Promise<void> {
  if (!(await desk.server.desk.house.spool.drain(20_000))) throw new Error('The spool did not drain within 20 s.');
}

beforeAll(async () => {
  desk = await openTestDesk(Object.values(sites), { FAIRLEAD_TRUSTED_PROXIES: '1' });
  const [row] = await desk.server.desk.house.postgres.system((one) =>
    one.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  organisation = Number(row?.organisation_id);
  const ids = new Map(
    (await sql<{ id: number; domain: string }>('SELECT id, domain FROM sites')).map(({ id, domain }) => [domain, id]),
  );
  for (const [kind, settings] of [
    ['meta-capi', { dataset_id: '1234567890' }],
    ['tiktok', { pixel_id: 'C4A1B2C3D4E5F6G7H8I9' }],
  ] as const)
    destinations[kind] = Number((await made('/destinations', { kind, name: kind, settings })).id);
  // Nothing is to leave here: what platforms accepted is said below.
  await sql("UPDATE relay_destinations SET state = 'paused'");
  for (const [name, more] of [
    ['on', { kind: 'goals', site_id: ids.get(sites.on), browser_ids: true, pixel_calls: true, ip_and_agent: true }],
    ['off', { kind: 'goals', site_id: ids.get(sites.off) }],
    ['orders', { kind: 'http', preset: 'canonical', site_id: ids.get(sites.on) }],
  ] as const) {
    const { source, address } = await made('/sources', { name, ...more });
    sourceIds[name] = (source as { id: number }).id;
    if (address !== null) hook = new URL(String(address)).pathname;
    const rules = {
      events: [
        { name: 'purchase', as: 'Purchase' },
        { name: 'lead', as: 'Lead' },
      ],
    };
    await made('/routes', { source_id: sourceIds[name], destination_id: destinations['meta-capi'], rules });
  }
  await made('/routes', { source_id: sourceIds.orders, destination_id: destinations.tiktok });
  for (const domain of Object.values(sites))
    for (const [name, match] of [
      ['purchase', 'Purchase'],
      ['lead', 'Lead'],
    ])
      expect((await desk.call('POST', `/api/sites/${domain}/goals`, { name, kind: 'event', match })).status).toBe(201);
});
afterAll(() => desk?.close());

let visitors = 10;
function visitor(domain = sites.on) {
  const headers = { 'x-forwarded-for': `85.214.132.${visitors++}`, 'user-agent': agent };
  return {
    send: async (n: string, more: object = {}, also: object = {}) => {
      const answer = await desk.collect({ n, d: domain, u: `https://${domain}/`, ...more }, { ...headers, ...also });
      expect(answer.status).toBe(202);
    },
    ask: (body: object, also: object = {}): Promise<RawAnswer> =>
      desk.raw({
        path: '/api/visitor',
        headers: { ...headers, ...also },
        body: JSON.stringify({ d: domain, ...body }),
      }),
  };
}
const calls = (...given: [p: string, n: string, i?: string][]) => given.map(([p, n, i]) => ({ p, n, i }));
const order = (order_id: string, more: object = {}) =>
  desk.raw({
    path: hook,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{
        event_name: 'purchase',
        order_id,
        value: '5.00',
        currency: 'EUR',
        consent: { ...agreed, ad_personalization: 'granted' },
      },
      ...{ occurred_at: new Date(desk.server.desk.house.clock.now() - 1_000).toISOString() },
      ...{ page_url: 'https://shop.example/thanks', user: { email: 'a@person.example', user_agent: agent } },
      ...more,
    }),
  });
/** What is known of the browser's event of each delivery, by platform. */
async function browserOf(id: string): Promise<string[]> {
  await drained();
  const rows = await sql<{ text: string }>(
    `SELECT concat_ws(' ', o.kind, d.browser, d.browser_event) AS text FROM relay_deliveries d
     JOIN relay_destinations o ON o.id = d.destination_id WHERE d.platform_id = $1 ORDER BY 1`,
    [id],
  );
  return rows.map(({ text }) => text);
}
async function factsOf(eventId: string): Promise<Record<string, unknown>> {
  await drained();
  const rows = await sql<{ facts: Record<string, unknown> }>(
    `SELECT facts FROM relay_conversions WHERE facts->>'event_id' = $1`,
    [eventId],
  );
  expect(rows).toHaveLength(1);
  return rows[0]?.facts ?? {};
}

it('lets a page read and count by switch and consent alone: of who said yes to both, and never against a signal', async () => {
  const yes = { may: true, ids: ['meta'], calls: true, orders: true };
  const cases: [consent: object, headers: object, site: string, answer: object][] = [
    [agreed, {}, sites.on, yes],
    [{ gcs: 'G111', ad_user_data: 'granted' }, {}, sites.on, yes],
    [{}, {}, sites.on, { may: false }],
    [{ ad_user_data: 'granted' }, {}, sites.on, { may: false }],
    [{ ad_storage: 'granted' }, {}, sites.on, { may: false }],
    [{ ...agreed, tc: 'nonsense' }, {}, sites.on, { may: false }],
    [agreed, { 'sec-gpc': '1' }, sites.on, { may: false }],
    [agreed, { dnt: '1' }, sites.on, { may: false }],
    // Where notice is enough to tell a platform of a click, silence is still no yes to reading a cookie.
    [{}, { 'x-forwarded-for': '8.8.8.8' }, sites.on, { may: false }],
    [agreed, { 'x-forwarded-for': '8.8.8.8' }, sites.on, yes],
    [agreed, {}, sites.off, { may: false }],
  ];
  for (const [consent, headers, site, answer] of cases) {
    const said = await visitor(site).ask({ n: 'pixels', consent }, headers);
    expect([consent, headers, site, said.status, JSON.parse(said.text)]).toEqual([consent, headers, site, 200, answer]);
  }
  const refused = { n: 'calls', calls: calls(['meta', 'Purchase', 'x']) };
  for (const [site, consent] of [
    [sites.on, {}],
    [sites.off, agreed],
  ] as const)
    expect((await visitor(site).ask({ ...refused, consent })).status).toBe(403);
  for (const wrong of [
    {},
    { calls: [] },
    { calls: calls(['google', 'Purchase']) },
    { calls: calls(['meta', 'x'.repeat(65)]) },
    { calls: [{ p: 'meta', n: 'Purchase', i: 'x'.repeat(129) }] },
    { calls: calls(...Array.from({ length: 21 }, () => ['meta', 'Purchase'] as [string, string])) },
    { calls: calls(['meta', 'Purchase']), near: Array.from({ length: 11 }, () => 'a') },
  ])
    expect((await visitor().ask({ n: 'calls', consent: agreed, ...wrong })).status, JSON.stringify(wrong)).toBe(400);
});

it('hands ids of the browser over with the conversion, as the platform wants them, and to nothing else', async () => {
  const bi = {
    fbc: 'fb.1.1700000000000.IwARcookieCanary',
    fbp: 'fb.1.1700000000000.1234567890',
    ttp: 'ttpcanary-0123456789',
  };
  const { send } = visitor();
  await send('Purchase', { id: 'ids-1', bi, consent: agreed });
  // Of TikTok nothing was asked for: no route of this source leads there.
  expect((await factsOf('ids-1')).click_ids).toEqual({ fbc: bi.fbc, fbp: bi.fbp });
  const [row] = await sql<{ id: string; present: string[] }>(
    `SELECT id, present FROM relay_conversions WHERE facts->>'event_id' = 'ids-1'`,
  );
  expect(row?.present).toEqual(['fbc', 'fbp', 'ip', 'user_agent']);
  const story = (await desk.call('GET', path(`/conversions/${row?.id}`))).body as unknown as ConversionStory;
  expect(story.deliveries[0]?.request?.body).toMatchObject({
    data: [{ event_name: 'Purchase', event_id: 'ids-1', user_data: { fbc: bi.fbc, fbp: bi.fbp } }],
  });
  // A click since then is another one: the address counts, and the cookie of the click before does not.
  await desk.call('PATCH', path(`/sources/${sourceIds.on}`), { click_ids: true });
  await send('pageview', { u: 'https://shop.example/?fbclid=IwARnewer', consent: agreed });
  await send('Purchase', { id: 'ids-2', bi, consent: agreed });
  const facts = await factsOf('ids-2');
  expect(facts.click_ids).toEqual({ fbclid: 'IwARnewer', fbc: bi.fbc, fbp: bi.fbp });
  const [other] = await sql<{ id: string }>(`SELECT id FROM relay_conversions WHERE facts->>'event_id' = 'ids-2'`);
  const newer = (await desk.call('GET', path(`/conversions/${other?.id}`))).body as unknown as ConversionStory;
  const clicked = Date.parse(String(facts.clicked_at));
  expect(newer.deliveries[0]?.request?.body).toMatchObject({
    data: [{ user_data: { fbc: `fb.1.${clicked}.IwARnewer`, fbp: bi.fbp } }],
  });
  await desk.call('PATCH', path(`/sources/${sourceIds.on}`), { click_ids: false });
  expect(JSON.stringify(await desk.rows('SELECT * FROM events'))).not.toMatch(/cookieCanary|1234567890|ttpcanary/);
});

it('takes none of a site that has it off, of who did not say yes, or that no pixel made, and has it in no file (COL-10)', async () => {
  const bi = (word: string) => ({ fbc: `fb.1.1700000000000.${word}`, fbp: 'fb.1.1700000000000.999000111222' });
  await visitor(sites.off).send('Lead', { id: 'off-1', bi: bi('offcanary'), consent: agreed });
  await visitor().send('Lead', { id: 'silent-1', bi: bi('silentcanary'), consent: { ad_user_data: 'granted' } });
  await visitor().send('Lead', { id: 'gpc-1', bi: bi('gpccanary'), consent: agreed }, { 'sec-gpc': '1' });
  await visitor().send('Other', { id: 'other-1', bi: bi('othercanary'), consent: agreed });
  await visitor().send('Lead', { id: 'odd-1', bi: { fbp: 'odd canary', fbc: 7, ttp: {} }, consent: agreed });
  for (const id of ['off-1', 'silent-1', 'gpc-1', 'odd-1']) expect((await factsOf(id)).click_ids).toBeUndefined();
  for (const word of [
    'offcanary',
    'silentcanary',
    'gpccanary',
    'othercanary',
    'odd canary',
    '999000111222',
    'ttpcanary',
  ])
    expect([word, filesWith(desk.dataDir, word)]).toEqual([word, []]);
});

it('knows of each delivery what the browser told of: before it or after it, of goals and of orders', async () => {
  const { send, ask } = visitor();
  const tell = async (near: string[], ...given: [p: string, n: string, i?: string][]) =>
    expect((await ask({ n: 'calls', consent: agreed, calls: calls(...given), near })).status).toBe(200);
  const lead = (id: string) => send('Lead', { id, consent: agreed });
  // A call of the view of the page that the goal was reached in.
  await tell(['same-1'], ['meta', 'Lead', 'same-1']);
  await drained();
  await lead('same-1');
  await lead('named-1');
  await lead('else-1');
  await lead('bare-1');
  await lead('unseen-1');
  await drained();
  await tell(['named-1'], ['meta', 'lead', 'named-1']);
  await tell(['else-1', 'same-1'], ['meta', 'Lead', 'mine-77canary']);
  await tell(['bare-1'], ['meta', 'Lead'], ['meta', 'ViewContent']);
  expect(await browserOf('same-1')).toEqual(['meta-capi same Lead']);
  expect(await browserOf('named-1')).toEqual(['meta-capi other_name Lead']);
  expect(await browserOf('else-1')).toEqual(['meta-capi other_id Lead']);
  expect(await browserOf('bare-1')).toEqual(['meta-capi no_id Lead']);
  expect(await browserOf('unseen-1')).toEqual(['meta-capi unseen Lead']);
  // An order of a webhook: its pixel was called on the site that counts, and TikTok's by the name that the relay sends it as.
  await tell([], ['meta', 'Purchase', 'W-1'], ['tiktok', 'Purchase', 'W-1']);
  await order('W-1');
  await order('W-2', { event_id: 'same-1' });
  await order('W-3', { action_source: 'physical_store' });
  expect(await browserOf('W-1')).toEqual(['meta-capi same Purchase', 'tiktok same Purchase']);
  expect(await browserOf('W-2')).toEqual(['meta-capi unseen Purchase', 'tiktok unseen Purchase']);
  expect(await browserOf('W-3')).toEqual(['meta-capi', 'tiktok']);
  // What comes better later counts, and the reload of a page says nothing new.
  await tell(['else-1'], ['meta', 'Lead', 'else-1'], ['meta', 'Lead', 'mine-77canary']);
  expect(await browserOf('else-1')).toEqual(['meta-capi same Lead']);
  // Of a site that counts nothing nothing is known.
  await visitor(sites.off).send('Lead', { id: 'off-2', consent: agreed });
  expect(await browserOf('off-2')).toEqual(['meta-capi']);
  expect(filesWith(desk.dataDir, 'mine-77canary')).toEqual([]);
  expect(await desk.metrics()).toMatch(/^fairlead_relay_pixel_calls_total 9$/m);
});

it('tells the share by destination and event, and each number leads to its conversions', async () => {
  const { ask } = visitor();
  await ask({
    n: 'calls',
    consent: agreed,
    calls: calls(['meta', 'Lead', 'nobody'], ['meta', 'Lead'], ['tiktok', 'Lead', 'n']),
  });
  await drained();
  await sql(`UPDATE relay_deliveries SET state = 'accepted', settled_at = created_at WHERE state = 'waiting'`);
  const read = async () =>
    (await desk.call('GET', path('/browser-share?period=today'))).body as unknown as BrowserShare;
  const share = await read();
  const row = (event: string, kind: string) =>
    share.server.find((one) => one.event === event && one.destination.kind === kind);
  expect([share.counting_sources, share.is_cut]).toEqual([1, false]);
  const leads = { same: 2, other_name: 1, other_id: 0, no_id: 1, unseen: 1 };
  // Two leads of before had no call, and were not withheld: of who said nothing to one of the purposes.
  expect(row('lead', 'meta-capi')).toMatchObject({ sent_as: 'Lead', states: { ...leads, unseen: 3 }, count: 7 });
  expect(row('purchase', 'tiktok')).toMatchObject({
    ...{ sent_as: 'Purchase', count: 2, by_step: [2], same_by_step: [1] },
    states: { same: 1, other_name: 0, other_id: 0, no_id: 0, unseen: 1 },
  });
  // ViewContent and TikTok's Lead are events that the relay does not send.
  expect(share.browser).toEqual([
    { platform: 'meta', label: 'Meta Conversions API', event: 'Lead', with_id: 1, without_id: 1, by_step: [2] },
  ]);
  for (const { destination, event, states } of share.server)
    for (const [state, count] of Object.entries(states)) {
      const query = `destination=${destination.id}&event=${event}&browser=${state}&state=accepted&period=today`;
      const { conversions } = (await desk.call('GET', path(`/conversions?${query}`))).body as {
        conversions: unknown[];
      };
      expect([event, state, conversions.length]).toEqual([event, state, count]);
    }
});

it('keeps calls for two days, and then how many no delivery belonged to', async () => {
  const { postgres, vault, clock, log } = desk.server.desk.house;
  const later = { postgres, vault, log, clock: { ...clock, now: () => clock.now() + 47 * 3_600_000 } };
  await endIdentifiers(later);
  const left = async () =>
    (await sql<{ count: number }>('SELECT count(*)::int AS count FROM relay_pixel_calls'))[0]?.count;
  expect(await left()).toBeGreaterThan(8);
  await endIdentifiers({ ...later, clock: { ...clock, now: () => clock.now() + 49 * 3_600_000 } });
  expect(await left()).toBe(0);
  expect(await sql('SELECT platform, event_name, with_id, without_id FROM relay_pixel_days')).toEqual([
    { platform: 'meta', event_name: 'Lead', with_id: 1, without_id: 1 },
  ]);
  const share = (await desk.call('GET', path('/browser-share?period=today'))).body as unknown as BrowserShare;
  expect(share.browser).toMatchObject([{ event: 'Lead', with_id: 1, without_id: 1, by_step: [2] }]);
});

it('is the same of a segment that is loaded on a thread of its own', async () => {
  const ids = Array.from({ length: 300 }, (_, at) => `many-${at}`);
  const { ask } = visitor();
  await ask({ n: 'calls', consent: agreed, calls: calls(['meta', 'Lead', 'many-7']), near: ['many-7'] });
  const lead = { n: 'Lead', d: sites.on, u: `https://${sites.on}/${'a'.repeat(900)}`, consent: agreed };
  const headers = { 'x-forwarded-for': '85.214.132.9', 'user-agent': agent };
  const answer = await desk.collect(
    ids.map((id) => ({ ...lead, id })),
    headers,
  );
  expect(JSON.parse(answer.text)).toMatchObject({ stored: 300 });
  expect([await browserOf('many-7'), await browserOf('many-8')]).toEqual([
    ['meta-capi same Lead'],
    ['meta-capi unseen Lead'],
  ]);
});

function filesWith(folder: string, word: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    try {
      const about = statSync(file);
      if (about.isDirectory()) found.push(...filesWith(file, word));
      else if (about.isFile() && readFileSync(file).includes(word)) found.push(file);
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}
