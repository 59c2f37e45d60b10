import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sitesChanged } from '../../src/accounts/index.ts';
import { openContactKeys } from '../../src/analytics/contact_keys.ts';
import { openContactUpkeep } from '../../src/analytics/contact_upkeep.ts';
import { openSeal } from '../../src/trust/keys/index.ts';
import { ownerLogin } from '../stores.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** COL-11, COL-12, rule R12: values of mail and phone links, through a whole desk. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'open.example']);
});
afterAll(() => desk.close());

const canary = 'jane.canary@mail.example';
const number = '+49 30 5550 1234';
const clicks = (site: string) => {
  const click = (n: string, p: object | string, path: string) => ({
    ...{ n, p, u: `https://${site}/${path}`, d: site },
    // The address of the tests has no place, which counts as one where a visitor is asked first.
    consent: { analytics_storage: 'granted' },
  });
  return [
    // As our tracker sends them with data-contact.
    click('Mailto: Click', { domain: 'mail.example', value: canary }, 'tracker'),
    click('Tel: Click', { value: number }, 'tel'),
    // As others may: other names, schemes, percent signs, JSON text, an address where the domain belongs.
    click('mailto-click', { href: `mailto:${canary}?subject=hi&body=secret`, label: 'Write' }, 'href'),
    click('Mailto: Click', { domain: canary, place: 'footer' }, 'domain'),
    click('Tel: Click', JSON.stringify({ phone: '(030) 5550-1234', place: 'header' }), 'text'),
    click('Outbound Link: Click', { url: `MAILTO:${canary.replace('@', '%40')}` }, 'outbound'),
    click('Talk', { to: `tel:${number}`, place: 'menu' }, 'custom'),
  ];
};
const stored = (site: string) =>
  desk.rows<{ pathname: string; props: Record<string, string>; contact: string }>(
    `SELECT pathname, props, contact FROM events WHERE hostname = '${site}' ORDER BY pathname`,
  );
const props = {
  '/custom': { place: 'menu' },
  '/domain': { place: 'footer' },
  '/href': { label: 'Write' },
  '/outbound': {},
  '/tel': {},
  '/text': { place: 'header' },
  '/tracker': { domain: 'mail.example' },
};

/** Long enough to stand in no file by chance: the engine's own files are full of digits. */
const canaries = [canary, 'jane.canary', number, '5550 1234', '5550-1234', '493055501234', '03055501234'];

/** Every file below the data directory that holds the text as it is. */
function filesWith(text: string): string[] {
  return readdirSync(desk.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}

it('without the switch the click and the mail domain are stored, and what was left out is counted', async () => {
  expect(await desk.call('GET', '/api/sites/shop.example')).toMatchObject({ body: { contact_clicks: false } });
  const answer = await desk.collect(clicks('shop.example'));
  expect(JSON.parse(answer.text)).toMatchObject({ stored: 7, dropped: {} });
  expect(answer.headers['x-fairlead-dropped']).toBeUndefined();
  const rows = await stored('shop.example');
  expect(Object.fromEntries(rows.map((row) => [row.pathname, row.props]))).toEqual(props);
  expect(rows.map((row) => row.contact)).toEqual(['', '', '', '', '', '', '']);
  for (const text of canaries) expect(filesWith(text), text).toEqual([]);
  expect(await desk.metrics()).toContain('fairlead_fields_left_out_total{reason="contact_off"} 7');
});

it('with it the value is stored sealed, apart from the properties, and opens for who may change the site', async () => {
  const changed = await desk.call('PATCH', '/api/sites/open.example', { contact_clicks: true });
  expect(changed).toMatchObject({ status: 200, body: { contact_clicks: true } });
  await desk.collect(clicks('open.example'));
  const rows = await stored('open.example');
  expect(Object.fromEntries(rows.map((row) => [row.pathname, row.props]))).toEqual(props);
  for (const row of rows) expect(row.contact).toMatch(/^v1\.1\.0\.[\w-]{60,}$/);
  for (const text of canaries) expect(filesWith(text), text).toEqual([]);

  const { body } = await desk.call('GET', '/api/sites/open.example/contact-clicks');
  const read = (body as { clicks: { page: string; value: string }[] }).clicks;
  expect(Object.fromEntries(read.map(({ page, value }) => [page, value]))).toEqual({
    '/custom': number,
    '/domain': canary,
    '/href': canary,
    '/outbound': canary.replace('@', '%40'),
    '/tel': number,
    '/text': '(030) 5550-1234',
    '/tracker': canary,
  });
  const masked = await desk.call('GET', '/api/sites/open.example/contact-clicks?masked=true');
  const shown = (masked.body as { clicks: { page: string; kind: string; value: string }[] }).clicks;
  expect(Object.fromEntries(shown.map(({ page, kind, value }) => [page, `${kind} ${value}`]))).toEqual({
    '/custom': `phone ••• ${number.slice(-2)}`,
    '/domain': `mail •••@${canary.split('@')[1]}`,
    '/href': `mail •••@${canary.split('@')[1]}`,
    '/outbound': `mail •••@${canary.split('@')[1]}`,
    '/tel': `phone ••• ${number.slice(-2)}`,
    '/text': 'phone ••• 34',
    '/tracker': `mail •••@${canary.split('@')[1]}`,
  });
  const looks = await desk.server.desk.house.postgres.tenant(1, (sql) =>
    sql.query("SELECT 1 FROM audit.entries WHERE action = 'contact_clicks.viewed'"),
  );
  expect(looks, 'masked, it is no look at a value').toHaveLength(1);
  expect(await desk.call('GET', '/api/sites/shop.example/contact-clicks')).toEqual({
    status: 200,
    body: { clicks: [] },
  });
});

interface Click {
  page: string;
  value: string | null;
}
async function clicksOf(site: string): Promise<Click[]> {
  const { status, body } = await desk.call('GET', `/api/sites/${site}/contact-clicks`);
  expect(status).toBe(200);
  return (body as { clicks: Click[] }).clicks;
}
const valuesOf = async (site: string) => (await clicksOf(site)).map(({ value }) => value);
const house = () => desk.server.desk.house;
const insert = (rows: object[], token: string) =>
  house().warehouse.insert('events', Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')), token);
const siteId = async (site: string) => (await desk.call('GET', `/api/sites/${site}`)).body.id as number;
const keysOf = (organisationId: number) =>
  house().postgres.vault(organisationId, async (sql) => (await sql.query('SELECT id FROM vault.subject_keys')).length);
const siteKeysOf = (organisationId: number) =>
  house().postgres.tenant(organisationId, (sql) =>
    sql.query<{ site_id: number; since_ms: number }>('SELECT site_id, since_ms FROM contact_keys ORDER BY site_id'),
  );
async function asOwner(organisationId: number, ...statements: [text: string, params: unknown[]][]) {
  const client = new pg.Client(await ownerLogin(house().postgres));
  await client.connect();
  try {
    await client.query(`SELECT set_config('fairlead.organisation', $1, false)`, [String(organisationId)]);
    for (const [text, params] of statements) await client.query(text, params);
  } finally {
    await client.end();
  }
}

it('a sealed value opens in its own row only, and not when a byte of it is another (CRY-01)', async () => {
  const [row] = await desk.rows<{ contact: string; time: string; visit_id: string }>(
    `SELECT contact, toString(time) AS time, toString(visit_id) AS visit_id FROM events WHERE hostname = 'open.example' LIMIT 1`,
  );
  const { contact = '', time = '', visit_id } = row ?? {};
  const open = {
    site_id: await siteId('open.example'),
    name: 'Tel: Click',
    hostname: 'copied',
    visit_id,
    time,
    contact,
  };
  const changed = (at: number) => contact.slice(0, at) + (contact[at] === 'A' ? 'B' : 'A') + contact.slice(at + 1);
  await insert(
    [
      { ...open, site_id: await siteId('shop.example') },
      { ...open, pathname: '/other time', time: '2026-06-01 00:00:00.000' },
      { ...open, pathname: '/other visit', visit_id: '7' },
      { ...open, pathname: '/other organisation', contact: contact.replace('v1.1.', 'v1.2.') },
      { ...open, pathname: '/other moment', contact: contact.replace('v1.1.0.', 'v1.1.1000.') },
      ...[8, 12, 20, 40, contact.length - 3].map((at) => ({ ...open, pathname: `/byte ${at}`, contact: changed(at) })),
      { ...open, pathname: '/cut off', contact: contact.slice(0, -8) },
      { ...open, pathname: '/bare', contact: 'v1.1.0.' },
    ],
    'copied',
  );
  expect(await valuesOf('shop.example')).toEqual([null]);
  const read = await clicksOf('open.example');
  expect(read.filter(({ value }) => value === null)).toHaveLength(11);
  expect(read.filter(({ value }) => value !== null)).toHaveLength(7);
  await house().warehouse.command(`ALTER TABLE events DELETE WHERE hostname = 'copied'`, {});
});

it('what was sealed before sites had keys opens, and is sealed anew: no row is lost, no other column changes (CRY-08)', async () => {
  const site = await siteId('open.example');
  const former = openSeal(house().keys.derive('contact-click'), house().random);
  const count = 1_100;
  await insert(
    Array.from({ length: count }, (_, i) => ({
      ...{ site_id: site, name: 'Mailto: Click', time: '2026-06-01 00:00:00.000', visit_id: String(i + 1) },
      ...{ hostname: 'open.example', pathname: `/former ${i}`, props: { domain: 'mail.example' } },
      contact: former.seal(`former${i}@mail.example`, `contact-click ${site}`),
    })),
    'former',
  );
  const all = () =>
    desk.rows<{ all: string; sum: string; former: string }>(
      `SELECT count() AS all, toString(sum(cityHash64(* EXCEPT contact))) AS sum,
        countIf(contact != '' AND NOT startsWith(contact, 'v1.')) AS former FROM events`,
    );
  const expected = new Set([...Array.from({ length: count }, (_, i) => `former${i}@mail.example`), canary, number]);
  const [before] = await all();
  expect(before).toMatchObject({ former: String(count) });
  const opened = (await valuesOf('open.example')).filter((value) => expected.has(value ?? ''));
  expect(opened.length).toBeGreaterThan(990);

  const keys = openContactKeys(house());
  const upkeep = openContactUpkeep({ house: house(), keys, refresh: async () => {}, begun: Promise.resolve() });
  upkeep.wake();
  await vi.waitFor(async () => expect(await all()).toEqual([{ ...before, former: '0' }]), { timeout: 20_000 });
  await upkeep.stop();
  const values = await desk.rows<{ contact: string; visit: string; ms: string }>(
    `SELECT contact, toString(visit_id) AS visit, toString(toUnixTimestamp64Milli(time)) AS ms FROM events WHERE pathname LIKE '/former%'`,
  );
  const read = new Set<string | undefined>();
  for (const { contact, visit, ms } of values) {
    expect(contact).toMatch(/^v1\.1\.0\./);
    read.add(await keys.open({ siteId: site, timeMs: Number(ms), visitId: visit }, contact));
  }
  expect(read).toEqual(new Set(Array.from({ length: count }, (_, i) => `former${i}@mail.example`)));
  await house().warehouse.command(`ALTER TABLE events DELETE WHERE pathname LIKE '/former%'`, {});

  // Another start looks again, until nothing can come in any more that was sealed so; from then on none does.
  let scans = 0;
  const counting = new Proxy(house().warehouse, {
    get(target, name) {
      if (name !== 'read') return Reflect.get(target, name);
      return (...asked: Parameters<typeof target.read>) => {
        if (asked[0].includes('DISTINCT site_id')) scans += 1;
        return target.read(...asked);
      };
    },
  });
  const start = async () => {
    const parts = { keys, refresh: async () => {}, begun: Promise.resolve() };
    const next = openContactUpkeep({ house: { ...house(), warehouse: counting }, ...parts });
    next.wake();
    await next.stop();
    return scans;
  };
  expect([await start(), await start()]).toEqual([1, 2]);
  await asOwner(1, [`UPDATE upkeep SET clean_at = clean_at - interval '8 days' WHERE done_at IS NULL`, []]);
  expect([await start(), await start(), await start()]).toEqual([3, 3, 3]);
});

it('no question about properties or columns reaches it', async () => {
  const ask = (dimension: string) =>
    desk.call('POST', '/api/v2/query', {
      site_id: 'open.example',
      metrics: ['events'],
      date_range: 'day',
      dimensions: [dimension],
    });
  expect(await ask('event:props:value')).toMatchObject({ body: { results: [{ dimensions: ['(none)'] }] } });
  expect(await ask('event:props:contact')).toMatchObject({ body: { results: [{ dimensions: ['(none)'] }] } });
  expect(await ask('event:contact')).toMatchObject({ status: 400 });
});

it('keys are changed while clicks come in, and everything opens afterwards (CRY-07)', async () => {
  const before = (await valuesOf('open.example')).length;
  const { keeper } = desk.server.desk;
  let sent = 0;
  let isOver = false;
  const sending = (async () => {
    while (!isOver) await desk.collect(clicks('open.example')).then(() => (sent += 7));
  })();
  await keeper.rotateData(1);
  await keeper.rotateRoot(() => {});
  await keeper.rotateData(1);
  await vi.waitFor(() => expect(sent).toBeGreaterThan(50));
  isOver = true;
  await sending;
  const { contact } =
    (await desk.rows<{ contact: string }>(`SELECT countIf(contact != '') AS contact FROM events`))[0] ?? {};
  expect(Number(contact)).toBe(before + sent);
  await desk.restart();
  const read = await valuesOf('open.example');
  expect(read).toHaveLength(Math.min(1_000, before + sent));
  expect(read).not.toContain(null);
  expect(await desk.metrics()).not.toContain('contact_unsealed');
});

it('a site takes its values to another organisation, is emptied and deleted, and the key that is left behind is destroyed (CRY-08)', async () => {
  const site = await siteId('open.example');
  const read = (await valuesOf('open.example')).sort();
  const copy = await desk.rows<{ contact: string; visit: string; ms: string }>(
    `SELECT contact, toString(visit_id) AS visit, toString(toUnixTimestamp64Milli(time)) AS ms FROM events WHERE contact != '' LIMIT 1`,
  );
  const copied = { siteId: site, timeMs: Number(copy[0]?.ms), visitId: copy[0]?.visit ?? '' };
  const text = copy[0]?.contact ?? '';
  const strangers = openContactKeys(house());
  expect(await strangers.open(copied, text)).toBeDefined();
  expect(await siteKeysOf(1)).toEqual([{ site_id: site, since_ms: 0 }]);

  await asOwner(9, ['INSERT INTO organisations (id, name, slug, created_at) VALUES (9, $1, $1, now())', ['taker']]);
  const soon = { timeout: 20_000, interval: 50 };
  const prefixes = async () =>
    (
      await desk.rows<{ prefix: string }>(
        `SELECT DISTINCT arrayStringConcat(arraySlice(splitByChar('.', contact), 1, 3), '.') AS prefix FROM events WHERE contact != ''`,
      )
    ).map(({ prefix }) => prefix);
  async function becomes(statement: [string, unknown[]], owner: number, prefix: string | undefined) {
    await asOwner(1, ['ALTER TABLE sites NO FORCE ROW LEVEL SECURITY', []], statement, [
      'ALTER TABLE sites FORCE ROW LEVEL SECURITY',
      [],
    ]);
    await sitesChanged();
    if (prefix !== undefined) await desk.collect(clicks('open.example'));
    await vi.waitFor(async () => {
      expect(await siteKeysOf(1)).toEqual(owner === 1 ? [expect.anything()] : []);
      expect(await siteKeysOf(9)).toHaveLength(prefix !== undefined && owner === 9 ? 1 : 0);
      if (prefix !== undefined) expect(await prefixes()).toEqual([prefix]);
    }, soon);
  }
  await becomes(['UPDATE sites SET organisation_id = 9 WHERE id = $1', [site]], 9, 'v1.9.0');
  expect([await keysOf(1), await keysOf(9)]).toEqual([0, 1]);
  const fresh = openContactKeys(house());
  expect(await fresh.open(copied, text), 'a copy from before').toBeUndefined();
  const rows = await desk.rows<{ contact: string; visit: string; ms: string }>(
    `SELECT contact, toString(visit_id) AS visit, toString(toUnixTimestamp64Milli(time)) AS ms FROM events WHERE contact != ''`,
  );
  const values = await Promise.all(
    rows.map(({ contact, visit, ms }) => fresh.open({ siteId: site, timeMs: Number(ms), visitId: visit }, contact)),
  );
  expect(values).toHaveLength(read.length + 7);
  expect(values).not.toContain(undefined);

  const cut = Date.UTC(2026, 0, 1);
  await becomes(['UPDATE sites SET emptied_at = $2 WHERE id = $1', [site, new Date(cut)]], 9, `v1.9.${cut}`);
  expect(await keysOf(9)).toBe(1);
  await becomes(['DELETE FROM sites WHERE id = $1', [site]], 9, undefined);
  expect([await keysOf(1), await keysOf(9)]).toEqual([0, 0]);
  const trail = await house().postgres.tenant(9, (sql) =>
    sql.query<{ action: string }>('SELECT action FROM audit.entries ORDER BY seq'),
  );
  expect(trail.map(({ action }) => action)).toEqual([
    ...['contact_clicks.sealed_anew', 'contact_clicks.sealed_anew'],
    ...['contact_clicks.key_destroyed', 'contact_clicks.key_destroyed'],
  ]);
});

it('beside other processes (DATABASE_URL) a key that is left behind stays for a day, and anew when its site came back', async () => {
  const site = await siteId('shop.example');
  const keys = openContactKeys(house());
  const row = { siteId: site, timeMs: Date.UTC(2026, 10, 28), visitId: '1' };
  const old = { organisationId: 1, siteId: site, sinceMs: 0 };
  // As a process seals it whose spool waits: nothing of it is in the warehouse yet.
  const use = async () => {
    await keys.note(old);
    return keys.sealAnew(old, row, canary);
  };
  const sealed = await use();
  let aheadMs = 0;
  const hour = 3_600_000;
  const looks: unknown[] = [];
  const upkeep = openContactUpkeep({
    house: {
      ...house(),
      config: { ...house().config, databaseUrl: 'postgres://shared.example/fairlead' },
      clock: { ...house().clock, now: () => house().clock.now() + aheadMs },
      log: {
        ...house().log,
        info: (event, fields) => void (event === 'contact_clicks.sealed_anew' && looks.push(fields)),
      },
    },
    ...{ keys, refresh: async () => {}, begun: Promise.resolve() },
  });
  /** What a look does so much later: how many keys it destroys. */
  const looked = async (laterMs: number) => {
    aheadMs += laterMs;
    const before = looks.length;
    upkeep.wake();
    await vi.waitFor(() => expect(looks.length).toBeGreaterThan(before), { timeout: 10_000 });
    return looks.at(-1);
  };
  const empty = (at: Date | null) => asOwner(1, ['UPDATE sites SET emptied_at = $2 WHERE id = $1', [site, at]]);
  const opened = () => openContactKeys(house()).open(row, sealed);

  await empty(new Date(Date.UTC(2026, 10, 29)));
  for (const laterMs of [0, 23 * hour]) {
    expect(await looked(laterMs)).toMatchObject({ site, keys_destroyed: 0 });
    expect(await opened()).toBe(canary);
  }
  // The site has its key again, and leaves it once more: the day begins anew.
  await empty(null);
  await use();
  await empty(new Date(Date.UTC(2026, 10, 30)));
  for (const laterMs of [2 * hour, 21.9 * hour]) expect(await looked(laterMs)).toMatchObject({ keys_destroyed: 0 });
  expect(await opened()).toBe(canary);
  expect(await looked(2.2 * hour), 'both of its former keys').toMatchObject({ site, keys_destroyed: 2 });
  await upkeep.stop();
  expect([await opened(), (await siteKeysOf(1)).map(({ since_ms }) => since_ms)]).toEqual([
    undefined,
    [Date.UTC(2026, 10, 30)],
  ]);
});
