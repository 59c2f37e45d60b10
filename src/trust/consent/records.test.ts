import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type BasesAnswer,
  basisRegions,
  type ConsentRecord,
  type OwnConsents,
  processingPurposes,
} from '../../../contract/consent_records.ts';
import { type AccountsHouse, openAccountsHouse } from '../../../test/accounts_house.ts';
import { createOrganisation } from '../../accounts/index.ts';
import { systemClock } from '../../platform/clock.ts';
import type { HeldScope } from '../../platform/executor.ts';
import { dayMs } from '../../platform/zone.ts';
import { ringOf } from '../keys/index.ts';
import { usageExecutor } from '../usage/ageing.ts';
import { readUsage } from '../usage/counts.ts';
import { openUsage } from '../usage/index.ts';
import { consentExecutor } from './ageing.ts';
import { consentHolder } from './holder.ts';
import { openConsent } from './index.ts';
import { choicesOf, purposes } from './purposes.ts';
import { endConsents, hasAgreed, writeRecord } from './records.ts';

/** A real database, a real listener, and a clock that is turned. */
const aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const keys = ringOf(Buffer.alloc(32, 7));
const password = 'a harbour of quiet rope';
const email = 'Quiet.Reader@visitor.example';
const north = { email: 'owner@north.example', personId: 0, organisationId: 0, cookie: '' };
const south = { email: 'owner@south.example', personId: 0, organisationId: 0, cookie: '' };
let desk: AccountsHouse;

beforeAll(async () => {
  desk = await openAccountsHouse({
    ...{ clock, keys, trustedProxies: 1, inbox: true },
    more: (house) => [...(openConsent(house).routes ?? []), ...(openUsage(house).routes ?? [])],
  });
  const hash = await desk.accounts.passwords.hash(password);
  for (const side of [north, south]) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: side.email, organisation: side.email.slice(6, 11), hash }),
    );
    Object.assign(side, made);
    const answer = await ask('POST', '/api/sessions', '', { email: side.email, password });
    side.cookie = answer.cookies;
  }
});
afterAll(() => desk.close());

const ask: AccountsHouse['ask'] = (...given) => desk.ask(...given);
const at = (side: typeof north, rest: string) => `/api/organisations/${side.organisationId}/${rest}`;
const said = (state: string, more: object = {}) => ({
  ...{ subject: { kind: 'email', value: email }, purpose: 'ad_measurement', state, region: 'eea' },
  ...{ text_version: '3', text: 'Tell the platform which click became a purchase.', how: 'banner', evidence: 'CPXx' },
  ...more,
});
async function recorded(side: typeof north, state: string, more: object = {}): Promise<ConsentRecord> {
  const answer = await ask('POST', at(side, 'consents'), side.cookie, said(state, more));
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body as ConsentRecord;
}
const found = async (side: typeof north) =>
  (await ask('POST', at(side, 'consents/search'), side.cookie, { subject: { kind: 'email', value: email } })).body;
const bases = async (side: typeof north) =>
  (await ask('GET', at(side, 'lawful-bases'), side.cookie)).body as BasesAnswer;
const nothingHeld: HeldScope = { everything: false, siteIds: new Set(), personIds: new Set() };

test('each purpose has one lawful basis in each region, versioned, never looser than shipped, of one organisation (CON-02)', async () => {
  const cells = (answer: BasesAnswer) =>
    answer.purposes.flatMap((one) => one.bases.map(({ region, basis }) => [one.purpose, region, basis].join(' ')));
  const shipped = cells(await bases(north));
  expect(shipped).toHaveLength(processingPurposes.length * basisRegions.length);
  expect(new Set(shipped.map((cell) => cell.split(' ').slice(0, 2).join(' '))).size).toBe(shipped.length);
  for (const purpose of processingPurposes)
    for (const region of basisRegions) expect(choicesOf(purpose, region)[0]).toBe(purposes[purpose].shipped[region]);

  const set = (basis: string, version: number, purpose = 'ad_measurement', region = 'us') =>
    ask('PUT', at(north, `lawful-bases/${purpose}/${region}`), north.cookie, { basis, version });
  // Two at once: one of them is told.
  const both = await Promise.all([set('consent', 0), set('off', 0)]);
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(cells(await bases(north)).filter((cell) => !shipped.includes(cell))).toHaveLength(1);
  expect((await set('off', 1)).status).toBe(200);
  expect((await set('notice', 2)).status).toBe(200);
  expect(cells(await bases(north))).toEqual(shipped);
  expect((await set('contract', 3)).status).toBe(400);
  expect((await set('notice', 0, 'ad_measurement', 'eea')).status).toBe(400);
  expect((await set('consent', 0, 'account', 'eea')).status).toBe(400);
  expect(cells(await bases(south))).toEqual(shipped);
  const versions = await desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.query<{ version: number }>('SELECT version FROM lawful_bases ORDER BY version'),
  );
  expect(versions.map(({ version }) => version)).toEqual([1, 2, 3]);
});

test('a record says who as a pseudonym, to which words, when and how, with a proof, and nobody can change it (CON-04)', async () => {
  const record = await recorded(north, 'given');
  expect(record).toMatchObject({ purpose: 'ad_measurement', state: 'given', text_version: '3', how: 'banner' });
  const [row] = await desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.query<Record<string, unknown> & { subject_digest: Buffer; text_digest: Buffer; proof: Buffer }>(
      'SELECT * FROM consent_records WHERE id = $1',
      [record.id],
    ),
  );
  expect(JSON.stringify(row)).not.toMatch(/quiet|visitor\.example/i);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  expect(row?.text_digest.toString('hex')).toBe(sha256('Tell the platform which click became a purchase.'));
  expect(record.proof).toBe(
    sha256(
      JSON.stringify([
        ...[row?.subject_digest.toString('hex'), 'ad_measurement', 'given', 'eea', '3'],
        ...[sha256('Tell the platform which click became a purchase.'), sha256('CPXx'), 'banner', record.at],
      ]),
    ),
  );
  for (const statement of [
    "UPDATE consent_records SET state = 'refused'",
    'DELETE FROM consent_records',
    "UPDATE lawful_bases SET basis = 'off'",
    'DELETE FROM lawful_bases',
  ])
    await expect(desk.house.postgres.tenant(north.organisationId, (sql) => sql.run(statement))).rejects.toThrow(
      /permission denied/,
    );
  // Another organisation knows the same person by another digest, and sees nothing.
  expect(await found(south)).toEqual({ records: [], given: [] });
  const there = await recorded(south, 'given');
  expect(there.subject).not.toBe(record.subject);
  expect((await ask('GET', at(south, 'consents'), north.cookie)).status).toBe(404);
  const listed = (await ask('GET', at(north, 'consents'), north.cookie)).body.records as ConsentRecord[];
  expect(listed.map(({ id }) => id)).toEqual([record.id]);
});

test('taking consent back is the call that gave it, and holds from the next question on (DSR-10)', async () => {
  await recorded(north, 'given');
  expect((await found(north)).given).toEqual(['ad_measurement']);
  await recorded(north, 'withdrawn', { subject: { kind: 'email', value: email.toLowerCase() } });
  expect((await found(north)).given).toEqual([]);
  expect((await found(north)).records.map(({ state }: ConsentRecord) => state).slice(0, 2)).toEqual([
    'withdrawn',
    'given',
  ]);
});

test('optional AI, marketing mail and optional analytics are off until the person agrees, and off at once when they do not (CON-03)', async () => {
  const own = async () => (await ask('GET', '/api/account/consents', north.cookie)).body as OwnConsents;
  const agrees = (purpose: string) =>
    desk.house.postgres.person(north.personId, (sql) =>
      hasAgreed(sql, north.personId, purpose as 'optional_ai' | 'marketing_mail' | 'optional_analytics'),
    );
  const first = await own();
  expect(first.consents.map(({ purpose, is_given, at: when }) => [purpose, is_given, when])).toEqual([
    ['marketing_mail', false, null],
    ['optional_ai', false, null],
    ['optional_analytics', false, null],
  ]);
  for (const { purpose, text_version } of first.consents) {
    expect(await agrees(purpose)).toBe(false);
    const put = (is_given: boolean, version = text_version) =>
      ask('PUT', `/api/account/consents/${purpose}`, north.cookie, { is_given, text_version: version });
    expect((await put(true, 'older words')).status).toBe(409);
    expect((await put(true)).status).toBe(200);
    expect(await agrees(purpose)).toBe(true);
    // Words that have changed meanwhile keep nobody from taking it back.
    expect((await put(false, 'older words')).status).toBe(200);
    expect(await agrees(purpose)).toBe(false);
  }
  // A yes to earlier words is none to those of now, which may name more, and is asked for as if nobody had.
  const { house } = desk;
  await house.postgres.person(north.personId, async (sql) => {
    const digest = await house.vault.subject('desk', 'person', String(north.personId));
    const older = { purpose: 'optional_analytics', state: 'given', region: 'eea', how: 'account', text: 'x' } as const;
    await writeRecord(
      sql,
      { personId: north.personId },
      digest,
      { ...older, text_version: 'older words' },
      house.clock.now(),
    );
  });
  expect(await agrees('optional_analytics')).toBe(false);
  expect((await own()).consents.at(-1)).toMatchObject({ is_given: false, at: null });
  // The other one was asked nothing, and what a person agreed to is no organisation's to read.
  const others = (await ask('GET', '/api/account/consents', south.cookie)).body as OwnConsents;
  expect(others.consents.every(({ at: when }) => when === null)).toBe(true);
  const rows = await desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.query('SELECT 1 FROM consent_records WHERE organisation_id IS NULL'),
  );
  expect(rows).toEqual([]);
});

test('opened pages and used features are counted by name, day and organisation, of who agreed and for as long, and no row can name a person (SHR-08, CON-03)', async () => {
  const { postgres } = desk.house;
  const open = (page: unknown, side = north, organisation = north.organisationId) =>
    ask('POST', '/api/usage/pages', side.cookie, { organisation, page });
  const rows = () =>
    postgres.tenant(north.organisationId, (sql) =>
      sql.query<{ page: string; opened: number }>(
        "SELECT name AS page, opened FROM product_usage WHERE kind = 'page' ORDER BY name",
      ),
    );
  const agree = (is_given: boolean) =>
    ask('PUT', '/api/account/consents/optional_analytics', north.cookie, { is_given, text_version: '2026-11-30' });
  const isCounted = async () => (await ask('GET', '/api/session', north.cookie)).body.is_counted;

  const columns = await desk.database.postgres.system((sql) =>
    sql.query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
       WHERE attrelid = 'product_usage'::regclass AND attnum > 0 ORDER BY attnum`,
    ),
  );
  expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    ...['organisation_id bigint', 'day date', 'name text', 'opened integer', 'kind text'],
  ]);
  expect([(await open('trust')).status, await isCounted(), await rows()]).toEqual([204, false, []]);
  await agree(true);
  expect(await isCounted()).toBe(true);
  await Promise.all([open('trust'), open('trust'), open('profile')]);
  for (const page of ['profile/17', 'ada@mail.example', 'Trust', '', 7, null])
    expect((await open(page)).status, String(page)).toBe(400);
  expect((await open('trust', south)).status, 'of another organisation').toBe(404);
  const counted = [
    { page: 'profile', opened: 1 },
    { page: 'trust', opened: 2 },
  ];
  expect(await rows()).toEqual(counted);
  const narrow = (features: string[]) =>
    ask('POST', '/api/usage/pages', north.cookie, {
      ...{ organisation: north.organisationId, page: 'analytics', is_new: false, features },
    });
  await Promise.all([narrow(['table', 'filter']), narrow(['filter', 'filter'])]);
  expect((await narrow(['ada@mail.example'])).status).toBe(400);

  // Each of the three ways in which it is not to be.
  await agree(false);
  await open('trust');
  await agree(true);
  const basis = (value: string) =>
    ask('PUT', at(north, 'lawful-bases/optional_analytics/ch'), north.cookie, { basis: value });
  await basis('off');
  await open('trust');
  await basis('consent');
  const turn = (isOn: boolean) =>
    postgres.system((sql) =>
      sql.run(
        `INSERT INTO product_usage_settings (id, is_on, changed_at) VALUES (1, $1, now()) ON CONFLICT (id) DO UPDATE SET is_on = $1`,
        [isOn],
      ),
    );
  await turn(false);
  await open('trust');
  expect(await isCounted()).toBe(false);
  await turn(true);
  expect(await rows()).toEqual(counted);

  // Of an organisation with one member the operator is told no name.
  const read = await readUsage(postgres, clock.now());
  expect(read).toMatchObject({
    pages: [
      { page: 'trust', opened: 2 },
      { page: 'profile', opened: 1 },
    ],
    organisations: [{ name: null, opened: 3, page: 'trust', used: 3, feature: 'filter' }],
    features: [
      { feature: 'filter', used: 2, days: 1 },
      { feature: 'table', used: 1, days: 1 },
    ],
  });
  expect(read.days.at(-1)).toMatchObject({ opened: 3, used: 3 });
  const executor = usageExecutor(postgres);
  if (executor.works !== 'in the transaction') throw new Error('It works otherwise.');
  const ofMonths = (cutMs: number) => ({
    ...{ organisationId: north.organisationId, nowMs: clock.now(), siteCutMs: () => 0, holds: nothingHeld, cutMs },
  });
  expect(await executor.due(ofMonths(clock.now() - dayMs))).toEqual([]);
  expect(await executor.due(ofMonths(clock.now() + dayMs))).toMatchObject([{ rows: 4, isHeld: false }]);
  const [gone] = await postgres.tenant(north.organisationId, (sql) => executor.end(ofMonths(clock.now() + dayMs), sql));
  expect([gone?.rows, await rows()]).toEqual([4, []]);
});

test('records go together three years after the consent ended; what still holds stays, and so does a hold', async () => {
  const { postgres, vault } = desk.house;
  const lasting = { subject: { kind: 'external-id', value: 'customer 7' } };
  await recorded(north, 'given', lasting);
  await recorded(north, 'withdrawn');
  const executor = consentExecutor(postgres);
  if (executor.works !== 'in the transaction') throw new Error('It works otherwise.');
  const years = (count: number, holds = nothingHeld) => ({
    ...{ organisationId: north.organisationId, nowMs: clock.now(), siteCutMs: () => 0, holds },
    cutMs: clock.now() + count * 366 * dayMs - 3 * 366 * dayMs,
  });
  expect(await executor.due(years(2))).toEqual([]);
  const [due] = await executor.due(years(4));
  expect(due).toMatchObject({ table: 'consent_records', isHeld: false });
  const held = { ...nothingHeld, everything: true };
  expect(await postgres.tenant(north.organisationId, (sql) => executor.end(years(4, held), sql))).toEqual([]);
  const [gone] = await postgres.tenant(north.organisationId, (sql) => executor.end(years(4), sql));
  expect(gone?.rows).toBe(due?.rows);
  expect((await found(north)).records).toEqual([]);
  const digest = await vault.subject(north.organisationId, 'external-id', 'customer 7');
  const who = { organisationId: north.organisationId, identifiers: [{ kind: 'external-id' as const, digest }] };
  const holder = consentHolder(desk.house);
  expect((await holder.copy(who)).map(({ record }) => record.state)).toEqual(['given']);
  const erased = await postgres.tenant(north.organisationId, async (sql) =>
    holder.erase?.(sql, who, { siteIds: new Map(), personIds: new Map() }),
  );
  expect(erased).toMatchObject({ gone: [], kept: [{ table: 'postgres consent_records', rows: 1 }] });
  // Of an account, closing it ends what was agreed to.
  const agree = { is_given: true, text_version: '2026-11' };
  expect((await ask('PUT', '/api/account/consents/marketing_mail', south.cookie, agree)).status).toBe(200);
  const ofDesk = { ...years(4), organisationId: null };
  const before = (await executor.due(ofDesk))[0]?.rows ?? 0;
  await postgres.person(south.personId, (sql) => endConsents(sql, south.personId, clock.now()));
  expect((await executor.due(ofDesk))[0]?.rows).toBe(before + 2);
});
