import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { DisclosureKind } from '../contract/disclosures.ts';
import type { NewIncident } from '../contract/incidents.ts';
import type { Transfer } from '../contract/transfers.ts';
import { createOrganisation } from '../src/accounts/index.ts';
import { type Desk, openDesk } from '../src/app/desk.ts';
import { systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { silentLog } from '../src/platform/log.ts';
import type { Sql } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { recordsOf, writeRecord } from '../src/trust/consent/records.ts';
import { openDeskFacts } from '../src/trust/documents/desk_facts.ts';
import { openRenewal } from '../src/trust/documents/renewal.ts';
import { digestOf, publish, readVersions, review } from '../src/trust/documents/versions.ts';
import { writePaper } from '../src/trust/documents/write.ts';
import { affectedBy } from '../src/trust/incidents/affected.ts';
import { incidentCheck } from '../src/trust/incidents/clock_check.ts';
import {
  addToDisclosure,
  enterDisclosure,
  listDisclosures,
  readDisclosure,
} from '../src/trust/incidents/disclosures.ts';
import {
  addEntry,
  clockOf,
  closeIncident,
  listIncidents,
  openIncident,
  readIncident,
  readLog,
  reportIncident,
} from '../src/trust/incidents/register.ts';
import { remind } from '../src/trust/incidents/reminders.ts';
import { listTransfers, openTransfers } from '../src/trust/transfers/index.ts';
import { layPreparedDesk } from './prepared_cluster.ts';
import { eraseStores } from './stores.ts';

/** One desk with two organisations; what the calls give to whom is in test/routes. */
vi.setConfig({ hookTimeout: 240_000 });

const hourMs = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-incidents-'));
const nowMs = Math.floor(systemClock.now() / 1_000) * 1_000;
let desk: Desk;
const north = { organisation: 0, person: 0, site: 0 };
const south = { organisation: 0, person: 0, site: 0 };

beforeAll(async () => {
  const config = readConfig({
    FAIRLEAD_DATA_DIR: join(folder, 'data'),
    FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k'),
  });
  await layPreparedDesk(config.dataDir);
  desk = await openDesk({ config, clock: systemClock, random: systemRandom, log: silentLog });
  for (const [name, side] of Object.entries({ north, south })) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: `owner@${name}.example`, organisation: name, hash: 'none' }),
    );
    side.organisation = made.organisationId;
    side.person = made.personId;
    side.site = await own(side, async (sql) => {
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO sites (organisation_id, domain, timezone, currency, retention_months, created_at)
         VALUES ($1, $2, 'UTC', 'EUR', 25, $3) RETURNING id`,
        [side.organisation, `${name}.example`, ago(1_000)],
      );
      return id;
    });
  }
});
afterAll(async () => {
  const { directories } = desk.house.postgres;
  await desk.close();
  await eraseStores({ directories }, folder);
});

function own<T>(side: typeof north, work: (sql: Sql) => Promise<T>): Promise<T> {
  return desk.house.postgres.tenant(side.organisation, work);
}
function ago(hours: number): Date {
  return new Date(nowMs - hours * hourMs);
}
const by = { personId: 1, nowMs };
const incident = (known: number): NewIncident => ({
  ...{ title: 'A copied file', what: 'A report was sent to a stranger.', severity: 'high' },
  ...{ classes: ['D3', 'D7'], sites: ['north.example'] },
  ...{ began_at: ago(known + 10).toISOString(), known_at: ago(known).toISOString() },
});
const opened = (known = 2) => own(north, (sql) => openIncident(sql, north.organisation, incident(known), by));

test('72 hours run from when it became known, until it is said which authority was told, or why none (OPS-02)', async () => {
  const row = await opened();
  const of = north.organisation;
  const knownMs = ago(2).getTime();
  expect(clockOf(row, knownMs + 72 * hourMs)).toBe('running');
  expect(clockOf(row, knownMs + 72 * hourMs + 1)).toBe('late');
  await expect(own(north, (sql) => closeIncident(sql, of, row.id, 'over', by))).rejects.toThrow(/which authority/);
  const untold = await own(north, (sql) => reportIncident(sql, of, row.id, { untold_reason: 'Sealed.' }, by));
  expect(clockOf(untold, nowMs)).toBe('untold');
  const report = { authority: 'CNPD', told_at: ago(1).toISOString() };
  const told = await own(north, (sql) => reportIncident(sql, of, row.id, report, by));
  expect(clockOf(told, knownMs + 99 * hourMs)).toBe('told');
  await expect(own(north, (sql) => reportIncident(sql, of, row.id, { untold_reason: 'No.' }, by))).rejects.toThrow(
    /told of this already/,
  );
  const ends = await Promise.allSettled(
    [1, 2].map(() => own(north, (sql) => closeIncident(sql, of, row.id, 'It is over.', by))),
  );
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const log = await own(north, (sql) => readLog(sql, desk.house.vault, of, row.id));
  expect(log.map(({ kind }) => kind)).toEqual(['opened', 'untold', 'told', 'closed']);
  expect(new Set(log.map(({ name }) => name)), 'who wrote').toEqual(new Set(['owner@north.example']));
});

test('what was entered is never changed: the log is only added to, and nobody else sees it (OPS-02)', async () => {
  const row = await opened();
  const of = north.organisation;
  for (const change of [
    "UPDATE incidents SET what = 'x'",
    'UPDATE incidents SET known_at = now()',
    'DELETE FROM incidents',
    "UPDATE incident_entries SET said = 'x'",
    'DELETE FROM incident_entries',
  ])
    await expect(own(north, (sql) => sql.query(change))).rejects.toThrow(/permission denied/);
  const entry = { kind: 'measure', said: 'The link was ended.' } as const;
  for (const organisation of [south.organisation, of])
    await expect(own(south, (sql) => addEntry(sql, organisation, row.id, entry, by))).rejects.toThrow(/no incident/);
  expect((await own(south, (sql) => listIncidents(sql, of))).incidents).toEqual([]);
  await own(north, (sql) => addEntry(sql, of, row.id, entry, by));
  expect((await own(north, (sql) => readLog(sql, desk.house.vault, of, row.id))).map(({ said }) => said)).toEqual([
    row.what,
    entry.said,
  ]);
});

test('how many are affected is counted in the stores, of its sites and its time alone (OPS-02)', async () => {
  const event = (site: number, hours: number, visitor: string) => {
    const time = ago(hours).toISOString().slice(0, 19).replace('T', ' ');
    return {
      ...{ site_id: site, name: 'pageview', hostname: 'x.example', pathname: '/', time, visit_start: time },
      ...{ id_day: time.slice(0, 10), visitor_id: visitor, visit_id: visitor },
    };
  };
  const rows = [
    // It began 30 hours ago and was known 20 hours ago.
    ...[event(north.site, 21, '1'), event(north.site, 21, '1'), event(north.site, 21, '2')],
    ...[event(north.site, 31, '3'), event(north.site, 19, '4'), event(south.site, 21, '5')],
  ];
  const lines = rows.map((one) => `${JSON.stringify(one)}\n`).join('');
  await desk.house.warehouse.insert('events', Buffer.from(lines), 'incidents-1');
  const row = await opened(20);
  const counted = await affectedBy(desk.house, north.organisation, row);
  expect(counted.map(({ of, count }) => [of, count])).toEqual([
    ['visitors', 2],
    ['sites', 1],
    ['members', 1],
  ]);
  expect(counted[0]?.question).toMatch(/^Different visitors with a stored event from .* to .* UTC/);
  const all = await own(north, (sql) =>
    openIncident(sql, north.organisation, { ...incident(20), sites: [], classes: ['D16'] }, by),
  );
  expect(await own(north, (sql) => readIncident(sql, north.organisation, all.id))).toMatchObject({ sites: [] });
  const ofMembers = await affectedBy(desk.house, north.organisation, all);
  expect(ofMembers.map(({ of, count }) => [of, count])).toEqual([
    ['sites', 1],
    ['members', 1],
  ]);
});

test('who decides hears at 24 and 60 hours and when the 72 are over, once each, however many look (OPS-02)', async () => {
  const { organisation: of, person } = north;
  await own(north, async (sql) => {
    for (const { id, clock } of (await listIncidents(sql, of)).incidents.map((row) => ({
      ...row,
      clock: clockOf(row, nowMs),
    })))
      if (clock === 'running') await reportIncident(sql, of, id, { untold_reason: 'Of another test.' }, by);
  });
  const [fresh] = await Promise.all([1, 25, 61, 80].map((known) => opened(known)));
  const look = async () => {
    const [one, other] = [0, 1].map(() => remind({ house: desk.house, notices: desk.accounts.notices }));
    await Promise.all([one, other]);
    const told = await desk.house.postgres.person(person, (sql) =>
      sql.query<{ notice: string; facts: { hours: number } }>(
        "SELECT notice, facts FROM notifications WHERE notice LIKE 'incident%' ORDER BY notice, facts->>'hours'",
      ),
    );
    return told.map(({ notice, facts }) => `${notice} ${facts.hours}`);
  };
  const first = await look();
  expect(first).toEqual(['incident_due 10', 'incident_due 46', 'incident_overdue 0']);
  expect(await look()).toEqual(first);
  await own(north, (sql) => reportIncident(sql, of, fresh?.id ?? 0, { untold_reason: 'Sealed.' }, by));
  expect(await look()).toEqual(first);
  const found = await incidentCheck(desk.house).run();
  expect(found).toMatchObject({ state: 'wrong', fact: '1 of 3 undecided incidents are past their 72 hours' });
  // What is late is told to the organisation alone; no other one sees it or is mailed.
  expect(await incidentCheck(desk.house).own?.(of)).toMatchObject({ state: 'wrong' });
  expect(await incidentCheck(desk.house).own?.(south.organisation)).toMatchObject({ state: 'ok' });
});

test('a demand of an authority is decided by a second person where there is one, nothing leaves before, and no entry is ever changed (SHR-06)', async () => {
  const of = north.organisation;
  const demand = {
    ...{ authority: 'Police', reference: '', ground: 'Section 100', classes: ['D7'], scope: 'One account in October.' },
    asked_on: ago(48).toISOString().slice(0, 10),
  };
  const enter = () => own(north, (sql) => enterDisclosure(sql, of, demand, { personId: north.person, nowMs }));
  const add = (id: number, kind: DisclosureKind, personId = north.person) =>
    own(north, (sql) => addToDisclosure(sql, of, id, { kind, said: 'As counsel says.' }, { personId, nowMs }));

  // Alone, the owner decides, and the register says so.
  const alone = await enter();
  expect(alone).toMatchObject({ state: 'waiting', subject: 'open', may_decide: true });
  await expect(add(alone.id, 'disclosed')).rejects.toMatchObject({ code: 'conflict' });
  expect((await add(alone.id, 'allowed')).entries).toMatchObject([{ kind: 'allowed', alone: true }]);

  await own(north, (sql) =>
    sql.run(
      "INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'privacy-officer', now())",
      [of, south.person],
    ),
  );
  const { id, may_decide } = await enter();
  expect(may_decide).toBe(false);
  await expect(add(id, 'allowed')).rejects.toThrow(/another owner or privacy officer/);
  const both = await Promise.allSettled([add(id, 'allowed', south.person), add(id, 'refused', south.person)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const { id: other } = await enter();
  await add(other, 'refused', south.person);
  await expect(add(other, 'disclosed')).rejects.toThrow(/refused/);
  const third = (await enter()).id;
  await add(third, 'allowed', south.person);
  for (const kind of ['disclosed', 'untold', 'told'] as const) await add(third, kind);
  await expect(add(third, 'untold')).rejects.toThrow(/told already/);
  const whole = await own(north, (sql) => readDisclosure(sql, of, third, north.person));
  expect([whole.state, whole.subject, whole.entries.map(({ kind, alone: by }) => [kind, by])]).toEqual([
    'disclosed',
    'told',
    [
      ['allowed', false],
      ['disclosed', false],
      ['untold', false],
      ['told', false],
    ],
  ]);

  for (const change of ["UPDATE disclosures SET scope = 'x'", "UPDATE disclosure_entries SET said = 'x'"])
    await expect(own(north, (sql) => sql.run(change))).rejects.toMatchObject({ code: '42501' });
  expect(await own(north, (sql) => sql.run('DELETE FROM disclosure_entries'))).toBe(0);
  expect((await own(south, (sql) => listDisclosures(sql, south.organisation, south.person))).disclosures).toEqual([]);
  await expect(own(south, (sql) => readDisclosure(sql, south.organisation, third, south.person))).rejects.toMatchObject(
    { code: 'not_found' },
  );
  await own(north, (sql) => sql.run('DELETE FROM memberships WHERE person_id = $1', [south.person]));
});

test('an organisation passes to a new controller on its day and not before, told to members and visitors, with policy and consents as they were and documents that name the new one (SHR-06)', async () => {
  const of = north.organisation;
  const { house, accounts, parts } = desk;
  let at = nowMs;
  const clock = { ...house.clock, now: () => at };
  const told: string[] = [];
  let isFailing = false;
  const notices: Parameters<typeof openTransfers>[1] = {
    async tell(sql, person, notice) {
      if (isFailing) throw new Error('cut short');
      told.push(notice.name);
      await accounts.notices.tell(sql, person, notice);
    },
  };
  const facts = openDeskFacts(house);
  const transfers = openTransfers({ ...house, clock }, notices, openRenewal(facts));
  type Ask = (request: object) => Promise<{ body: Transfer }>;
  const routeOf = (method: string) => transfers.routes?.find((one) => one.method === method)?.handle as unknown as Ask;
  const request = (more: object) => ({
    ...{ params: { organisation: of, ...more }, allow() {}, requestId: 'r', address: '192.0.2.1', headers: {} },
    principal: { kind: 'person', id: north.person },
  });
  const day = (days: number) => new Date(at + days * 24 * hourMs).toISOString().slice(0, 10);
  const wish = (days: number) => ({
    ...{ legal_name: 'Harbour <b> Ltd', address: '2 Quay', jurisdiction: 'Ireland', contact: 'data@harbour.example' },
    ...{ registration: null, officer: 'None is needed', representative: null, authority: 'DPC', why: 'It was sold.' },
    effective_on: day(days),
  });
  const announce = (days: number) => routeOf('POST')({ ...request({}), body: wish(days) });
  const page = async (more: { document?: string; version?: string } = {}) => {
    const wanted = ['/legal/:organisation', ...Object.keys(more).map((name) => `:${name}`)].join('/');
    const route = parts.flatMap((part) => part.routes ?? []).find(({ path }) => path === wanted);
    const params = { organisation: 'north', ...more };
    return String((await (route as unknown as { handle: Ask }).handle({ params })).body);
  };
  await own(north, async (sql) => {
    await sql.run(
      `INSERT INTO organisation_identities (organisation_id, version, legal_name, address, jurisdiction, contact, officer, authority,
         measuring_basis, changed_at, changed_by)
       VALUES ($1, 1, 'North Ltd', '1 Hill', 'Ireland', 'a@north.example', 'None', 'DPC', 'Legitimate interests', $2, $3)`,
      [of, new Date(at), north.person],
    );
    await sql.run(
      `INSERT INTO operator_identities (version, legal_name, address, jurisdiction, contact, officer, authority, changed_at, changed_by)
       VALUES (1, 'Desk Works', '3 Pier', 'Ireland', 'data@works.example', 'None', 'DPC', $1, $2)`,
      [new Date(at), north.person],
    );
    await sql.run(
      `INSERT INTO retention_policies (organisation_id, version, profile, windows, changed_at) VALUES ($1, 1, 'strict', '{}', $2)`,
      [of, new Date(at)],
    );
    await writeRecord(sql, { organisationId: of }, Buffer.alloc(32, 7), consent('given'), at);
  });
  // Of two published documents one says what the facts say; of the other something has changed since, unread.
  await facts.prepare();
  await own(north, async (sql) => {
    const known = await facts.of(sql, of);
    for (const kind of ['privacy-notice', 'record-of-processing'] as const) {
      const { paper, gaps } = writePaper(kind, known);
      const words = kind === 'privacy-notice' ? paper : { ...paper, sections: paper.sections.slice(1) };
      await review(sql, of, kind, digestOf(words), by);
      await publish(sql, of, { paper: words, gaps, effectiveOn: day(0), isMaterial: true }, by);
    }
  });
  const promised = () =>
    own(north, (sql) =>
      sql.query(
        `SELECT (SELECT json_agg(p) FROM retention_policies p) AS policy, (SELECT json_agg(c ORDER BY c.id) FROM consent_records c) AS consents`,
      ),
    );
  const before = await promised();

  await expect(announce(29)).rejects.toMatchObject({ code: 'invalid_field', field: 'effective_on' });
  const { body: first } = await announce(30);
  expect([first.members_told, first.before_name]).toEqual([1, 'North Ltd']);
  await expect(announce(31)).rejects.toMatchObject({ code: 'conflict' });
  const coming = /another company answers for north: Harbour &lt;b&gt; Ltd, 2 Quay/;
  for (const where of [{}, { document: 'privacy-notice' }]) {
    const shown = await page(where);
    expect(shown).toMatch(coming);
    expect(shown).toContain('Until then North Ltd does.');
  }
  await routeOf('DELETE')(request({ transfer: first.id }));
  expect(await page()).not.toContain('Harbour');
  const { body: second } = await announce(30);
  expect(told).toEqual(['controller_changes', 'controller_stays', 'controller_changes']);

  at += 29 * 24 * hourMs;
  expect(await transfers.carryOutDue()).toBe(0);
  at += 24 * hourMs;
  // On its day nobody takes it back, and one that is cut short leaves nothing behind.
  await expect(routeOf('DELETE')(request({ transfer: second.id }))).rejects.toMatchObject({ code: 'conflict' });
  isFailing = true;
  await expect(transfers.carryOutDue()).rejects.toThrow('cut short');
  const names = () =>
    own(north, (sql) =>
      sql.query<{ legal_name: string; measuring_basis: string }>(
        'SELECT legal_name, measuring_basis FROM organisation_identities ORDER BY version',
      ),
    );
  expect((await names()).map(({ legal_name }) => legal_name)).toEqual(['North Ltd']);
  isFailing = false;
  const twice = await Promise.all([transfers.carryOutDue(), transfers.carryOutDue()]);
  expect([twice.sort(), told.at(-1), await transfers.carryOutDue()]).toEqual([[0, 1], 'controller_changed', 0]);
  expect(await names()).toMatchObject([
    { legal_name: 'North Ltd' },
    { legal_name: 'Harbour <b> Ltd', measuring_basis: 'Legitimate interests' },
  ]);
  expect(await promised()).toEqual(before);
  const [done, withdrawn] = await own(north, (sql) => listTransfers(sql, of));
  expect([withdrawn?.state, done?.state, done?.carried]).toEqual([
    'withdrawn',
    'done',
    { policy_version: 1, bases: 0, holds: 0, consents: 1 },
  ]);
  expect(await page()).toMatch(/answers for north, before that North Ltd/);
  const versions = await own(north, (sql) => readVersions(sql, of));
  expect(versions.map(({ kind, version, told: heard }) => [kind, version, heard])).toEqual([
    ...[
      ['privacy-notice', 2, 1],
      ['privacy-notice', 1, 0],
      ['record-of-processing', 1, 0],
    ],
  ]);
  const renewed = await page({ document: 'privacy-notice', version: '2' });
  expect(renewed).toContain('<td>Harbour &lt;b&gt; Ltd</td>');
  expect(renewed).not.toContain('North Ltd');
  const ofBefore = /before that North Ltd\. This version is from before that day\..* write to Harbour &lt;b&gt; Ltd/;
  expect(await page({ document: 'privacy-notice', version: '1' })).toMatch(ofBefore);
  const waiting = await page({ document: 'record-of-processing' });
  expect(waiting).toMatch(ofBefore);
  expect(waiting).toMatch(/<footer .*north · Harbour &lt;b&gt; Ltd/);
  // What was agreed to is taken back from the new controller as from the one before.
  await own(north, (sql) => writeRecord(sql, { organisationId: of }, Buffer.alloc(32, 7), consent('withdrawn'), at));
  expect((await own(north, (sql) => recordsOf(sql, of, Buffer.alloc(32, 7)))).given).toEqual([]);
  expect(
    await own(north, (sql) => sql.run("UPDATE controller_transfers SET state = 'announced', ended_at = NULL")),
  ).toBe(0);
  const acts = await own(north, (sql) =>
    sql.query<{ action: string }>("SELECT action FROM audit.entries WHERE action LIKE 'transfer.%' ORDER BY seq"),
  );
  expect(acts.map(({ action }) => action)).toEqual([
    ...['transfer.announced', 'transfer.withdrawn', 'transfer.announced', 'transfer.done'],
  ]);
  expect(await own(south, (sql) => sql.query('SELECT 1 FROM controller_transfers'))).toEqual([]);
});

const consent = (state: 'given' | 'withdrawn') => ({
  ...{
    purpose: 'measurement' as const,
    state,
    region: 'eea' as const,
    text_version: '1',
    text: 'x',
    how: 'banner' as const,
  },
});
