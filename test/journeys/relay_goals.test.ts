import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openPeople } from '../../src/relay/conversions/people.ts';
import { openTestDesk, type RawAnswer, type TestDesk } from './desk.ts';

/** Events come in over HTTP as browsers send them, reach goals, and what the relay made of them is looked at. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

let desk: TestDesk;
let organisation: number;
/** `bare` has a source as it is made, `full` one with both switches, `none` has no source. */
const sites = { full: 'shop.example', bare: 'bare.example', none: 'none.example' };
const sourceIds: Record<string, number> = {};
let destination: number;

beforeAll(async () => {
  desk = await openTestDesk(Object.values(sites), { FAIRLEAD_TRUSTED_PROXIES: '1' });
  const [row] = await desk.server.desk.house.postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  organisation = Number(row?.organisation_id);
  const made = async (path: string, body: object) => {
    const answer = await desk.call('POST', `/api/organisations/${organisation}/relay/${path}`, body);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer));
    return answer.body;
  };
  const { body } = await desk.call('GET', '/api/sites');
  const ids = new Map((body.sites as { id: number; domain: string }[]).map(({ id, domain }) => [domain, id]));
  const platform = await made('destinations', {
    kind: 'meta-capi',
    name: 'Meta',
    settings: { dataset_id: '1234567890' },
  });
  destination = Number(platform.id);
  for (const [name, switches] of [
    ['full', { click_ids: true, ip_and_agent: true }],
    ['bare', {}],
  ] as const) {
    const { source } = await made('sources', { name, kind: 'goals', site_id: ids.get(sites[name]), ...switches });
    sourceIds[name] = (source as { id: number }).id;
    await desk.server.desk.house.postgres.tenant(organisation, (sql) =>
      sql.run(
        `INSERT INTO relay_routes (organisation_id, source_id, destination_id, rules, created_at) VALUES ($1, $2, $3, '{}', $4)`,
        [organisation, sourceIds[name], destination, new Date(desk.server.desk.house.clock.now())],
      ),
    );
  }
  for (const domain of Object.values(sites)) {
    await goal(domain, { name: 'purchase', kind: 'event', match: 'Purchase', currency: 'EUR' });
    await goal(domain, { name: 'Signed up', kind: 'event', match: 'Signup' });
    await goal(domain, {
      ...{ name: 'Signed up, pro', kind: 'event', match: 'Signup' },
      property: { name: 'plan', value: 'pro' },
    });
    await goal(domain, { kind: 'page', match: '/thanks' });
  }
});
afterAll(() => desk?.close());

async function goal(domain: string, body: object): Promise<void> {
  const answer = await desk.call('POST', `/api/sites/${domain}/goals`, body);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer));
}

let visitors = 10;
/** A browser of a place of its own: the addresses are of Germany and of the United States. */
function visitor(place: 'DE' | 'US', domain = sites.full) {
  const address = `${place === 'DE' ? '85.214.132' : '8.8.8'}.${visitors++}`;
  return {
    address,
    send: (n: string, more: object = {}, headers: Record<string, string> = {}): Promise<RawAnswer> =>
      desk.collect(
        { n, d: domain, u: `https://${domain}/`, ...more },
        { 'x-forwarded-for': address, 'user-agent': agent, ...headers },
      ),
  };
}
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const allowed = { ad_storage: 'granted', ad_user_data: 'granted', ad_personalization: 'granted' };

interface Row {
  readonly id: string;
  readonly event_name: string;
  readonly order_id: string | null;
  readonly value: string | null;
  readonly currency: string | null;
  readonly region: string;
  readonly doubles: number;
  readonly present: string[];
  readonly facts: Record<string, unknown>;
  readonly deliveries: string[];
}
async function conversions(source: 'full' | 'bare', eventId: string): Promise<Row[]> {
  if (!(await desk.server.desk.house.spool.drain(20_000))) throw new Error('The spool did not drain within 20 s.');
  return desk.server.desk.house.postgres.tenant(organisation, (sql) =>
    sql.query<Row>(
      `SELECT c.id, event_name, order_id, value, currency, region, doubles, present, facts,
         ARRAY(SELECT concat_ws(' ', d.platform_id, d.state, d.reason) FROM relay_deliveries d WHERE d.conversion_id = c.id) AS deliveries
       FROM relay_conversions c WHERE source_id = $1 AND facts->>'event_id' = $2 ORDER BY event_name`,
      [sourceIds[source], eventId],
    ),
  );
}

it('makes a sale a conversion, with the visit that it came of and the click that began it', async () => {
  const { send, address } = visitor('DE');
  const landing = `https://shop.example/start?gclid=Cj0kCANARYone&fbclid=IwARcanaryTwo&utm_source=news&utm_campaign=autumn&mail=a@person.example`;
  expect((await send('pageview', { u: landing, consent: allowed })).status).toBe(202);
  const sale = {
    ...{ id: 'sale-1', u: 'https://shop.example/thanks?token=secret', consent: allowed, p: { size: 'XL' } },
    $: { amount: '19.9', currency: 'EUR', order_id: 'O-1' },
  };
  expect((await send('Purchase', sale)).status).toBe(202);
  const [row, ...others] = await conversions('full', 'sale-1');
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    ...{ event_name: 'purchase', order_id: 'O-1', value: '19.90', currency: 'EUR', region: 'eea', doubles: 0 },
    present: ['fbclid', 'gclid', 'ip', 'user_agent'],
    deliveries: ['O-1 waiting'],
  });
  expect(row?.facts).toEqual({
    ...{ event_name: 'purchase', event_id: 'sale-1', order_id: 'O-1', value: '19.90', currency: 'EUR' },
    ...{ action_source: 'website', page_url: 'https://shop.example/thanks', domain: 'shop.example' },
    ...{ occurred_at: expect.stringMatching(/Z$/), clicked_at: expect.stringMatching(/Z$/) },
    utm: { source: 'news', campaign: 'autumn' },
    campaign: { source: expect.any(String) },
    consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
    click_ids: { gclid: 'Cj0kCANARYone', fbclid: 'IwARcanaryTwo' },
  });
  const { postgres, vault } = desk.server.desk.house;
  const people = await postgres.tenant(organisation, (sql) => openPeople(sql, vault, organisation, [String(row?.id)]));
  expect(people.get(String(row?.id))?.raw).toEqual({ ip: address, user_agent: agent });
  // What the analytics keeps of the visit is what it always kept.
  const [event] = await desk.rows<{ click_id: string }>("SELECT click_id FROM events WHERE name = 'Purchase' LIMIT 1");
  expect(event).toEqual({ click_id: 'gclid' });
});

it('makes one conversion of each goal that an event reaches, and none of what reaches no goal of an event', async () => {
  const { send } = visitor('US');
  await send('pageview', { u: 'https://shop.example/thanks', id: 'page-1' });
  await send('Signup', { id: 'pro-1', p: { plan: 'pro' } });
  await send('Signup', { id: 'free-1', p: { plan: 'free' } });
  await send('Other', { id: 'other-1' });
  const names = async (id: string) => (await conversions('full', id)).map(({ event_name }) => event_name);
  expect(await names('pro-1')).toEqual(['Signed up', 'Signed up, pro']);
  expect(await names('free-1')).toEqual(['Signed up']);
  expect([...(await names('page-1')), ...(await names('other-1'))]).toEqual([]);
});

it('has nothing of a visitor as a source is made: no click id, no address, no agent', async () => {
  const { send } = visitor('DE', sites.bare);
  await send('pageview', { u: 'https://bare.example/?gclid=barecanary7', consent: allowed });
  await send('Signup', { id: 'bare-1', u: 'https://bare.example/?gclid=barecanary7', consent: allowed });
  const [row] = await conversions('bare', 'bare-1');
  expect(row).toMatchObject({ present: [], region: 'eea', deliveries: ['bare-1 waiting'] });
  expect(row?.facts.click_ids).toBeUndefined();
});

it('is without click ids, address and agent where the visitor did not allow it, and is withheld (REL-08)', async () => {
  const u = 'https://shop.example/?gclid=refusedcanary8';
  const cases = [
    ['DE silent', 'DE', {}, {}, {}, 'consent_unknown'],
    [
      'DE denied',
      'DE',
      { ad_storage: 'denied', ad_user_data: 'denied' },
      {},
      { ad_user_data: 'denied' },
      'consent_denied',
    ],
    [
      'DE unreadable',
      'DE',
      { tc: 'nonsense' },
      {},
      { ad_user_data: 'denied', ad_personalization: 'denied' },
      'consent_denied',
    ],
    [
      'DE gpc',
      'DE',
      allowed,
      { 'sec-gpc': '1' },
      { ad_user_data: 'denied', ad_personalization: 'denied' },
      'consent_denied',
    ],
    [
      'US gpc',
      'US',
      {},
      { 'sec-gpc': '1' },
      { ad_user_data: 'denied', ad_personalization: 'denied' },
      'consent_denied',
    ],
    ['US denied', 'US', { ad_user_data: 'denied' }, {}, { ad_user_data: 'denied' }, 'consent_denied'],
  ] as const;
  for (const [id, place, consent, headers] of cases) {
    const { send } = visitor(place);
    await send('pageview', { u, consent }, headers);
    await send('Signup', { id, u, consent }, headers);
  }
  for (const [id, , , , said, reason] of cases) {
    const [row] = await conversions('full', id);
    expect([id, row?.present, row?.facts.click_ids, row?.facts.consent, row?.deliveries]).toEqual([
      ...[id, [], undefined, said, [`${id} withheld ${reason}`]],
    ]);
  }
  expect(await desk.metrics()).toMatch(/^fairlead_landed_clicks [0-9]+$/m);
});

it('takes silence for what it is where notice is enough, and a yes for a yes', async () => {
  const u = 'https://shop.example/?gclid=UsClick9';
  const { send } = visitor('US');
  await send('pageview', { u });
  await send('Signup', { id: 'us-silent' });
  const [row] = await conversions('full', 'us-silent');
  expect(row).toMatchObject({
    region: 'us',
    present: ['gclid', 'ip', 'user_agent'],
    deliveries: ['us-silent waiting'],
  });
  expect(row?.facts).toMatchObject({ consent: {}, click_ids: { gclid: 'UsClick9' } });
});

it('takes no %00 and no macro that nobody filled in for a click, and the sale is there', async () => {
  for (const [id, query] of Object.entries({
    'odd-nul': 'gclid=a%00b&fbclid={fbclid}',
    'odd-one': 'gclid=%00&ttclid=T1',
  })) {
    const { send } = visitor('US');
    await send('pageview', { u: `https://shop.example/?${query}` });
    await send('Signup', { id });
  }
  const rows = [...(await conversions('full', 'odd-nul')), ...(await conversions('full', 'odd-one'))];
  expect(rows.map(({ facts }) => [facts.click_ids, facts.clicked_at, facts.query])).toEqual([
    [undefined, undefined, undefined],
    [{ ttclid: 'T1' }, expect.stringMatching(/Z$/), undefined],
  ]);
  expect(desk.server.desk.house.spool.quarantined()).toEqual({});
});

it('forgets the click ids of a visit with the first no, and takes them up with the first yes on the landing page', async () => {
  const landing = 'https://shop.example/?gclid=Later10';
  const first = visitor('DE');
  await first.send('pageview', { u: landing });
  await first.send('Agreed', { u: landing, consent: allowed });
  await first.send('Signup', { id: 'later-yes', consent: allowed });
  await first.send('Changed', { consent: { ...allowed, ad_user_data: 'denied' } });
  await first.send('Signup', { id: 'after-no', consent: allowed });
  expect((await conversions('full', 'later-yes'))[0]?.facts.click_ids).toEqual({ gclid: 'Later10' });
  expect((await conversions('full', 'after-no'))[0]?.facts.click_ids).toBeUndefined();
});

it('is the same in storage mode', async () => {
  const { send } = visitor('DE');
  const stored = { vi: 'a1'.repeat(16), si: 'b2'.repeat(16), consent: { ...allowed, analytics_storage: 'granted' } };
  await send('pageview', { u: 'https://shop.example/?wbraid=Stored11', ...stored });
  await send('Signup', { id: 'stored-1', ...stored });
  const [row] = await conversions('full', 'stored-1');
  expect(row?.facts.click_ids).toEqual({ wbraid: 'Stored11' });
  expect(JSON.stringify(row)).not.toMatch(/a1a1a1|b2b2b2/);
  const [event] = await desk.rows<{ stored_id: number }>(
    "SELECT max(stored_id) AS stored_id FROM events WHERE name = 'Signup'",
  );
  expect(event?.stored_id).toBe(1);
});

it('is one conversion however often its event comes, and an order is one whatever the event', async () => {
  const { send } = visitor('US');
  const sale = (id: string) => ({ id, $: { amount: 5, currency: 'EUR', order_id: 'O-2' } });
  await Promise.all(Array.from({ length: 20 }, () => send('Purchase', sale('twice-1'))));
  await send('Purchase', sale('twice-2'));
  const rows = await conversions('full', 'twice-1');
  expect(rows).toMatchObject([{ order_id: 'O-2', value: '5.00', doubles: 1, deliveries: ['O-2 waiting'] }]);
  expect(await conversions('full', 'twice-2')).toEqual([]);
});

it('takes events of a server by what they say of the visitor, and nothing of the server', async () => {
  const send = (body: object) =>
    desk.raw({
      headers: {
        authorization: `Bearer ${desk.key}`,
        'content-type': 'application/json',
        'user-agent': agent,
      },
      body: JSON.stringify({ domain: sites.full, name: 'Signup', url: 'https://shop.example/x', ...body }),
    });
  await send({ id: 'server-1', consent: allowed });
  await send({ id: 'server-2', consent: allowed, ip: '8.8.8.200', user_agent: agent });
  expect((await conversions('full', 'server-1'))[0]?.present).toEqual([]);
  expect((await conversions('full', 'server-2'))[0]?.present).toEqual(['ip', 'user_agent']);
});

it('follows its settings from the next event on: paused, a goal less, a switch off', async () => {
  const source = `/api/organisations/${organisation}/relay/sources/${sourceIds.full}`;
  const { send } = visitor('US');
  await send('pageview', { u: 'https://shop.example/?gclid=Switched12' });
  await desk.call('PATCH', source, { click_ids: false });
  await desk.call('PATCH', source, { click_ids: true });
  await send('Signup', { id: 'switched-1' });
  // What was in memory went with the switch.
  expect((await conversions('full', 'switched-1'))[0]?.facts.click_ids).toBeUndefined();
  await desk.call('PATCH', source, { state: 'paused' });
  await send('Signup', { id: 'paused-1' });
  await desk.call('PATCH', source, { state: 'active' });
  expect(await conversions('full', 'paused-1')).toEqual([]);
  await goal(sites.full, { name: 'Called', kind: 'event', match: 'Call' });
  await send('Call', { id: 'call-1' });
  expect(await conversions('full', 'call-1')).toHaveLength(1);
  expect((await desk.call('PATCH', source, { site_id: null })).status).toBe(400);
  const siteless = { name: 'of no site', kind: 'goals' };
  const refused = await desk.call('POST', `/api/organisations/${organisation}/relay/sources`, siteless);
  expect([refused.status, refused.body.error]).toMatchObject([400, { field: 'site_id' }]);
});

it('has no click id of a site without such a source in any file, nor one that nobody may be told (COL-10, COL-19)', async () => {
  const { send } = visitor('US', sites.none);
  await send('pageview', { u: 'https://none.example/?gclid=nonecanary13', consent: allowed });
  await send('Signup', { id: 'none-1', u: 'https://none.example/?gclid=nonecanary13', consent: allowed });
  const { postgres, spool } = desk.server.desk.house;
  await spool.drain(20_000);
  const all = await postgres.tenant(organisation, (sql) =>
    sql.one<{ text: string }>(
      'SELECT concat((SELECT json_agg(c) FROM relay_conversions c), (SELECT json_agg(t) FROM relay_tellings t)) AS text',
    ),
  );
  for (const word of ['nonecanary13', 'barecanary7', 'refusedcanary8', 'Switched12']) {
    expect(all.text).not.toContain(word);
    expect([word, filesWith(desk.dataDir, word)]).toEqual([word, []]);
  }
  expect(all.text).toContain('Cj0kCANARYone');
});

it('keeps no click id over a restart, and makes conversions of goals after it', async () => {
  const { send } = visitor('US');
  await send('pageview', { u: 'https://shop.example/?gclid=Restart14' });
  await desk.restart();
  await send('Signup', { id: 'restarted-1' });
  const [row] = await conversions('full', 'restarted-1');
  expect(row?.facts.click_ids).toBeUndefined();
  expect(row?.deliveries).toEqual(['restarted-1 waiting']);
  expect(filesWith(desk.dataDir, 'Restart14')).toEqual([]);
});

function filesWith(folder: string, word: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    try {
      const about = statSync(path);
      if (about.isDirectory()) found.push(...filesWith(path, word));
      else if (about.isFile() && readFileSync(path).includes(word)) found.push(path);
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}
