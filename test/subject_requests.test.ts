import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Erasure, RequestDetail } from '../contract/requests.ts';
import { createOrganisation, sitesChanged } from '../src/accounts/index.ts';
import { openArchiveRecords } from '../src/analytics/archive/records.ts';
import { sealedForm } from '../src/analytics/exports/sealed_file.ts';
import { openUploads } from '../src/analytics/imports/uploads.ts';
import { type Desk, openDesk } from '../src/app/desk.ts';
import { type Clock, systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { emailDigest, sealEmail } from '../src/platform/email.ts';
import { silentLog } from '../src/platform/log.ts';
import type { DataSubject } from '../src/platform/personal_data.ts';
import type { Sql } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { isSignature, signerOf } from '../src/trust/audit/index.ts';
import { type Column, readPostgresColumns } from '../src/trust/classes/index.ts';
import { writeRecord } from '../src/trust/consent/records.ts';
import { closeRequest } from '../src/trust/requests/answers.ts';
import { readArchive, writeArchive } from '../src/trust/requests/archive.ts';
import { openArchives } from '../src/trust/requests/archives.ts';
import { openErasures } from '../src/trust/requests/erasure.ts';
import { eraseAgain, erasedPeople } from '../src/trust/requests/erasure_again.ts';
import { readReceipt } from '../src/trust/requests/erasure_records.ts';
import { beginErasure, enterRequest, readRequest, takeStep } from '../src/trust/requests/records.ts';
import { restrictionsOf } from '../src/trust/requests/restricted.ts';
import { type RestrictedPerson, restrictAgain, restrictedPeople } from '../src/trust/requests/restricted_again.ts';
import { identifierOf } from '../src/trust/requests/subject.ts';
import { findUnheld } from '../src/trust/requests/unheld.ts';
import { placeHold, releaseHold } from '../src/trust/windows/holds.ts';
import { layPreparedDesk } from './prepared_cluster.ts';
import { startChild } from './proof/drivers/child.ts';
import { eraseStores } from './stores.ts';

/** One desk whose clock is turned: what it stores about somebody is found, copied and erased. */
vi.setConfig({ hookTimeout: 240_000, testTimeout: 60_000 });

const dayMs = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-subjects-'));
const places = { FAIRLEAD_DATA_DIR: join(folder, 'data'), FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k') };
let nowMs = systemClock.now();
const clock: Clock = { ...systemClock, now: () => nowMs };
let desk: Desk;
const north = { organisation: 0, person: 0, site: 0 };
const south = { organisation: 0, person: 0, site: 0 };
type Side = typeof north;

async function open(): Promise<void> {
  desk = await openDesk({ config: readConfig(places), clock, random: systemRandom, log: silentLog });
  await desk.begin();
}
beforeAll(async () => {
  await layPreparedDesk(places.FAIRLEAD_DATA_DIR);
  await open();
  for (const [name, side] of Object.entries({ north, south })) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: `owner@${name}.example`, organisation: name, hash: 'none' }),
    );
    side.organisation = made.organisationId;
    side.person = made.personId;
    side.site = await own(side, async (sql) => {
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO sites (organisation_id, domain, timezone, currency, retention_months, contact_clicks, created_at)
         VALUES ($1, $2, 'UTC', 'EUR', 25, true, $3) RETURNING id`,
        [side.organisation, `${name}.example`, new Date(nowMs)],
      );
      return id;
    });
  }
  await sitesChanged();
});
afterAll(async () => {
  const { directories } = desk.house.postgres;
  await desk.close();
  await eraseStores({ directories }, folder);
});

function own<T>(side: Side, work: (sql: Sql) => Promise<T>): Promise<T> {
  return desk.house.postgres.tenant(side.organisation, work);
}
const holders = () => desk.parts.flatMap((part) => part.holders ?? []);
const partsOf = (side: Side) => ({
  ...{ vault: desk.house.vault, organisationId: side.organisation, nowMs, personId: side.person },
});
async function known(side: Side, email: string): Promise<DataSubject> {
  const { organisation: organisationId } = side;
  return { organisationId, identifiers: [await identifierOf(desk.house, organisationId, 'email', email)] };
}
/** What every holder finds of an address, by table. */
async function found(side: Side, email: string): Promise<Record<string, number>> {
  const who = await known(side, email);
  const all: Record<string, number> = {};
  for (const holder of holders())
    for (const { table, rows } of (await holder.find(who)).rows)
      if (!table.startsWith('postgres subject_requests')) all[table] = (all[table] ?? 0) + rows;
  return all;
}

/** Somebody who is everywhere: a member with a report, told something, invited once more, mailed to, clicked on, in the trail. */
async function plant(side: Side, email: string): Promise<number> {
  const { postgres, vault, keys, mail, audit, warehouse } = desk.house;
  const { organisation, site } = side;
  const person = await postgres.system((sql) => lookedUp(sql, email));
  const personId =
    person ??
    (await postgres.system((sql) => createOrganisation(sql, desk.house, { email, organisation: 'own', hash: 'none' })))
      .personId;
  const now = new Date(nowMs);
  await postgres.within({ organisationId: organisation, personId }, async (sql) => {
    await sql.run(
      "INSERT INTO memberships (organisation_id, person_id, role, created_at, role_since) VALUES ($1, $2, 'viewer', $3, $3)",
      [...[organisation, personId, now]],
    );
    await sql.run(
      'INSERT INTO report_subscriptions (organisation_id, site_id, person_id, weekly_since) VALUES ($1, $2, $3, $4)',
      [organisation, site, personId, now],
    );
    await sql.run(
      `INSERT INTO notifications (person_id, organisation_id, kind, notice, facts, created_at)
       VALUES ($1, $2, 'organisation', 'role_changed', '{}', $3)`,
      [personId, organisation, now],
    );
    const { id } = await sql.one<{ id: number }>("SELECT nextval('invitations_id_seq') AS id");
    await sql.run(
      `INSERT INTO invitations (id, organisation_id, email_digest, email_sealed, role, digest, created_at, expires_at)
       OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, 'viewer', $5, $6, $6)`,
      [
        ...[id, organisation, emailDigest(keys, email)],
        await sealEmail(vault, { invitation: id, organisationId: organisation }, email),
        ...[systemRandom.bytes(32), now],
      ],
    );
    await mail.send(sql, {
      template: { name: 'role_changed', kind: 'service', write: () => ({ subject: 'x', blocks: [] }) },
      ...{ to: email, values: {}, organisationId: organisation },
    });
    await audit.record(sql, organisation, {
      ...{ action: 'member.removed', actor: { type: 'person', id: personId } },
      targets: [{ type: 'person', id: personId, label: email }],
    });
  });
  const at = Math.floor(nowMs / 1_000) * 1_000;
  const row = `${site} ${at} 77`;
  const subject = await vault.subject(organisation, 'site', `${site} 0`);
  const sealed = await vault.seal(
    { organisationId: organisation, table: 'events', column: 'contact', row, class: 'D4', subject },
    email.toUpperCase(),
  );
  const moment = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
  const event = {
    ...{ site_id: site, name: 'contact', hostname: 'x.example', pathname: '/about', time: moment, visit_start: moment },
    ...{ id_day: moment.slice(0, 10), visitor_id: '5', visit_id: '77' },
    contact: `v1.${organisation}.0.${sealed.toString('base64url')}`,
  };
  batch += 1;
  await warehouse.insert('events', Buffer.from(`${JSON.stringify(event)}\n`), `subjects-${batch}`);
  return personId;
}
let batch = 0;
/** A profile of them, and a file of each of two sites, of which one knows them. @returns the number of the other */
async function plantCopies(side: Side, email: string, otherSite = 'other.north.example'): Promise<number> {
  const { organisation, site } = side;
  const { digest } = await identifierOf(desk.house, organisation, 'email', email);
  const id = systemRandom.bytes(8).toString('hex');
  const made = await own(side, async (sql) => {
    await sql.run(
      'INSERT INTO profiles (id, organisation_id, site_id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)',
      [...[id, organisation, site, new Date(nowMs)]],
    );
    await sql.run(
      "INSERT INTO profile_digests (profile_id, organisation_id, site_id, kind, digest) VALUES ($1, $2, $3, 'email', $4)",
      [id, organisation, site, digest],
    );
    const { id: second } = await sql.one<{ id: number }>(
      `INSERT INTO sites (organisation_id, domain, timezone, currency, retention_months, created_at)
       VALUES ($1, $3, 'UTC', 'EUR', 25, $2) RETURNING id`,
      [organisation, new Date(nowMs), otherSite],
    );
    const ids: number[] = [];
    for (const ofSite of [site, second])
      ids.push(
        (
          await sql.one<{ id: number }>(
            `INSERT INTO exports (organisation_id, site_id, format, state, timezone, first_day, last_day, created_at, finished_at, expires_at)
             VALUES ($1, $2, 'ndjson', 'done', 'UTC', '2020-01-01', '2020-01-01', $3, $3, $4) RETURNING id`,
            [organisation, ofSite, new Date(nowMs), new Date(nowMs + 7 * dayMs)],
          )
        ).id,
      );
    return ids;
  });
  mkdirSync(join(places.FAIRLEAD_DATA_DIR, 'exports'), { recursive: true });
  const [, other = 0] = made;
  for (const one of made)
    writeFileSync(join(places.FAIRLEAD_DATA_DIR, 'exports', String(one)), one === other ? 'nobody' : `of ${email}`);
  return other;
}
/** A finished archive of theirs with the address in it. @returns its number */
async function plantArchive({ organisation, person }: Side, email: string): Promise<number> {
  const archive = await desk.house.postgres.tenant(organisation, async (sql) => {
    const { id } = await sql.one<{ id: number }>("SELECT nextval('organisation_archives_id_seq') AS id");
    const key = Buffer.alloc(32, id);
    const place = { organisationId: organisation, table: 'organisation_archives', column: 'key_sealed', row: id };
    await sql.run(
      `INSERT INTO organisation_archives (id, organisation_id, state, key_sealed, sites, created_by, created_at, finished_at, expires_at)
       VALUES ($1, $2, 'done', $3, 1, $4, $5, $5, $6)`,
      [
        ...[id, organisation, await desk.house.vault.seal({ ...place, class: 'D8' }, key), person],
        ...[new Date(nowMs), new Date(nowMs + dayMs)],
      ],
    );
    return { of: 'organisation archive' as const, id, key };
  });
  const folder = join(places.FAIRLEAD_DATA_DIR, 'archives');
  mkdirSync(folder, { recursive: true });
  const file = await sealedForm(archive, systemRandom).place(join(folder, String(archive.id)));
  await file.write(gzipSync(`of ${email}`), 0);
  await file.end();
  await file.close();
  return archive.id;
}
async function lookedUp(sql: Sql, email: string): Promise<number | undefined> {
  const row = await sql.maybe<{ person_id: number | null }>('SELECT person_id FROM lookup.person_by_email($1)', [
    emailDigest(desk.house.keys, email),
  ]);
  return row?.person_id ?? undefined;
}

/** A request for erasure, entered, checked and begun; what follows is to be asked for. */
async function begun(side: Side, email: string): Promise<number> {
  const said = await identifierOf(desk.house, side.organisation, 'email', email);
  return own(side, async (sql) => {
    const parts = partsOf(side);
    const received_on = new Date(nowMs).toISOString().slice(0, 10);
    const id = await enterRequest(sql, { kind: 'erasure', received_on, email }, parts);
    await takeStep(sql, id, { to: 'checked', check: 'mailbox' }, parts);
    await takeStep(sql, id, { to: 'working' }, parts);
    await beginErasure(sql, id, parts, (words) => {
      expect(words).toEqual([{ kind: 'email', value: email }]);
      return erasures().begin(sql, side.organisation, id, side.person, words);
    });
    expect(said.others).toBeDefined();
    return id;
  });
}
const erasures = () => openErasures(desk.house, holders, async () => {});
const read = (side: Side, id: number): Promise<RequestDetail & { erasure: Erasure }> =>
  own(side, (sql) => readRequest(sql, id, partsOf(side))) as Promise<RequestDetail & { erasure: Erasure }>;
const receiptOf = async (side: Side, id: number, number = 1) => {
  const signed = await own(side, (sql) => readReceipt(sql, id, number));
  const { publicKey } = signerOf(desk.house.keys.derive('audit-checkpoint'));
  expect(isSignature(signed.receipt, signed.signature, publicKey)).toBe(true);
  expect(isSignature(signed.receipt.replace('"rows":1', '"rows":2'), signed.signature, publicKey)).toBe(false);
  return JSON.parse(signed.receipt);
};

describe('who holds what', () => {
  const stored = async (): Promise<Column[]> => [
    ...(await desk.house.postgres.system(readPostgresColumns)),
    ...(await desk.house.warehouse.read<Column>(
      `SELECT 'warehouse' AS store, table, name AS column, comment FROM system.columns
       WHERE database = currentDatabase() AND table NOT IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView')`,
    )),
  ];

  test('every table with a personal class is walked by a request, or says why not', async () => {
    expect(findUnheld(await stored(), holders())).toEqual([]);
  });

  test('a table that nobody walks is seen, and one that two walk', async () => {
    const columns: Column[] = [
      ...(await stored()),
      { store: 'postgres', table: 'letters', column: 'id', comment: 'D21 x' },
    ];
    expect(findUnheld(columns, holders())).toEqual([
      expect.stringMatching(/^postgres letters has a personal class and no holder/),
    ]);
    const twice = [...holders(), { name: 'other', tables: { 'postgres invitations': 'D7' } }] as const;
    expect(findUnheld(await stored(), twice)).toEqual([
      expect.stringMatching(/^postgres invitations has the holders invitations and other/),
    ]);
  });
});

const everywhereOnce = {
  ...{ 'postgres invitations': 1, 'postgres notifications': 1, 'postgres memberships': 1 },
  ...{ 'postgres report_subscriptions': 1, 'postgres mail.messages': 1, 'warehouse events': 1 },
};

describe('an archive', () => {
  test('has everything that is stored about who asked, and nothing of others (DSR-01)', async () => {
    const copied = 'copied@visitor.example';
    await plant(north, copied);
    await plant(north, 'neighbour@visitor.example');
    // What they agreed to, and what another one did; the neighbour's site knows neither.
    for (const [side, email, state] of [
      [north, copied, 'given'],
      [north, copied, 'withdrawn'],
      [north, 'neighbour@visitor.example', 'given'],
      [south, copied, 'given'],
    ] as const) {
      const subject = await desk.house.vault.subject(side.organisation, 'email', email);
      const said = {
        purpose: 'identity',
        region: 'eea',
        text_version: '7',
        text: 'Know me again?',
        how: 'banner',
      } as const;
      await own(side, (sql) =>
        writeRecord(sql, { organisationId: side.organisation }, subject, { ...said, state }, nowMs),
      );
    }
    const { zip } = await archived(copied);
    const { records } = readArchive(zip);
    const consents = records.filter(({ table }) => table === 'postgres consent_records');
    expect(consents.map(({ record }) => [record.purpose, record.state, record.region, record.text_version])).toEqual([
      ['identity', 'given', 'eea', '7'],
      ['identity', 'withdrawn', 'eea', '7'],
    ]);
    const tables = new Set(records.map(({ table }) => table));
    // Of the trail the person gets nothing: entries name them by a pseudonym.
    for (const table of Object.keys(await found(north, copied)))
      if (table !== 'postgres audit.entries') expect(tables, table).toContain(table);
    // Each value that was planted, where it was planted.
    const said = (table: string) =>
      JSON.stringify(records.filter((one) => one.table === table).map(({ record }) => record));
    expect(said('postgres invitations')).toMatch(/copied@visitor\.example/);
    expect(said('postgres memberships')).toContain('viewer');
    expect(said('postgres notifications')).toContain('role_changed');
    expect(said('postgres report_subscriptions')).toContain(new Date(nowMs).toISOString().slice(0, 10));
    expect(said('warehouse events')).toMatch(/\/about.*COPIED@VISITOR\.EXAMPLE|COPIED@VISITOR\.EXAMPLE.*\/about/);
    expect(JSON.stringify(records)).not.toMatch(/neighbour@|owner@/i);
  });

  test('comes back as it went: what is read from it makes the same archive again, and the CSV has the same rows (DSR-04)', async () => {
    const { zip, records } = await archived('copied@visitor.example');
    const { records: read, ...about } = readArchive(zip);
    expect(read).toHaveLength(records);
    expect(writeArchive(about, read).equals(zip)).toBe(true);
    const hostile = [
      { table: 'postgres notes', class: 'D7' as const, record: { a: '=1+1', b: '<script>', c: 'x,"y"\n' } },
    ];
    const again = readArchive(writeArchive(about, hostile));
    expect(again.records).toEqual(hostile);
    expect(() => readArchive(Buffer.from('no archive'))).toThrow('no archive');
  });

  async function archived(email: string) {
    const id = await own(north, async (sql) => {
      const received_on = new Date(nowMs).toISOString().slice(0, 10);
      const made = await enterRequest(sql, { kind: 'access', received_on, email }, partsOf(north));
      await takeStep(sql, made, { to: 'checked', check: 'mailbox' }, partsOf(north));
      await takeStep(sql, made, { to: 'working' }, partsOf(north));
      return made;
    });
    return openArchives(desk.house, holders).make(north.organisation, id);
  }
});

describe('an erasure', () => {
  const reader = 'Quiet.Reader@visitor.example';

  test('leaves nothing of who asked in any table and destroys their keys, touches nobody else, and says so in a signed receipt (DSR-03)', async () => {
    await plant(north, reader);
    await plant(north, 'other@visitor.example');
    await plant(south, reader);
    const before = await found(north, reader);
    const other = await plantCopies(north, reader);
    expect(before).toMatchObject(everywhereOnce);
    const id = await begun(north, reader);
    await desk.requests.erase();
    const { erasure } = await read(north, id);
    expect([erasure.state, erasure.steps.every(({ state }) => state === 'done')]).toEqual(['done', true]);
    expect(await found(north, reader)).toEqual({});
    expect(await found(north, 'other@visitor.example')).toMatchObject(everywhereOnce);
    expect(await found(south, reader)).toMatchObject(everywhereOnce);
    const receipt = await receiptOf(north, id);
    expect(receipt).toMatchObject({ request: id, state: 'done', looked_again: { left: [], files: { found: [] } } });
    // Copies that were made of a site that knows them are gone, row and file; those of another site stay.
    expect(readdirSync(join(places.FAIRLEAD_DATA_DIR, 'exports'))).toEqual([String(other)]);
    expect(erasure).toMatchObject({
      files: { files: expect.any(Number), packed: 0, sealed: 0, cut: 0 },
      backups: { backups: 0, gone_by: null },
    });
    const walked = receipt.systems.map(({ system }: { system: string }) => system).sort();
    expect(walked, 'every part of the desk').toEqual(
      holders()
        .map((holder) => holder.name)
        .sort(),
    );
    expect(receipt.systems.map(({ system }: { system: string }) => system).indexOf('audit-names')).toBeGreaterThan(
      receipt.systems.map(({ system }: { system: string }) => system).indexOf('membership'),
    );
    expect(JSON.stringify(receipt)).not.toMatch(/reader@/i);
    // The letter that says so is not what is left of them: its line goes once it has left, or cannot.
    const parts = partsOf(north);
    const isOn = async () => true;
    await own(north, (sql) =>
      closeRequest({ ...desk.house.mail, isOn }, sql, id, { to: 'answered', outcome: 'It is gone.' }, parts),
    );
    expect(await found(north, reader)).toEqual({ 'postgres mail.messages': 1 });
    // The postman of a desk without mail may be at it at this moment.
    await vi.waitFor(async () => {
      await desk.house.postgres.mail((sql) =>
        sql.run("UPDATE mail.messages SET state = 'sent', content = NULL WHERE template = 'request_answer'"),
      );
      await desk.requests.erase();
      expect(await found(north, reader)).toEqual({});
    }, 10_000);
    const values = await own(north, (sql) =>
      sql.query('SELECT 1 FROM erasure_subjects WHERE value_sealed IS NOT NULL'),
    );
    expect(values, 'sealed values of who was erased').toEqual([]);
  });

  test('is red while a file of the desk names them, plain or hashed, or an archive or upload of the organisation does, and names the file', async () => {
    const traced = 'Traced.Reader@visitor.example';
    const folder = join(places.FAIRLEAD_DATA_DIR, 'spool', 'events');
    mkdirSync(folder, { recursive: true });
    const sha256 = createHash('sha256').update(traced.toLowerCase()).digest('hex');
    writeFileSync(join(folder, 'left.txt'), `${'x'.repeat(70_000)}${sha256}`);
    const at = new Date(nowMs);
    const later = new Date(nowMs + 86_400_000);
    // What another organisation has of them is not looked at.
    const archives = [await plantArchive(north, traced), await plantArchive(south, traced)];
    const upload = gzipSync(`{"url":"https://shop.example/?who=${traced}"}`);
    const { id: uploaded } = await own(north, (sql) =>
      sql.one<{ id: number }>(
        `INSERT INTO imports (organisation_id, site_id, kind, file_name, state, size, received, created_at, expires_at)
         VALUES ($1, $2, 'events', 'x.ndjson.gz', 'ready', $3, $3, $4, $5) RETURNING id`,
        [north.organisation, north.site, upload.length, at, later],
      ),
    );
    await openUploads(desk.house).write(uploaded, 0, upload);
    const id = await begun(north, traced);
    await desk.requests.erase();
    rmSync(join(folder, 'left.txt'));
    const { erasure } = await read(north, id);
    expect(erasure).toMatchObject({
      state: 'failed',
      files: {
        found: [
          { what: 'email, sha256', file: 'spool/events/left.txt' },
          { what: 'email', file: `archives/${archives[0]}` },
          { what: 'email', file: `imports/${uploaded}` },
        ],
        ...{ opened: 3, sealed: 1, packed: 0, cut: 0 },
      },
    });
    await own(north, (sql) => sql.run('DELETE FROM imports WHERE id = $1', [uploaded]));
    for (const path of [...archives.map((one) => `archives/${one}`), `imports/${uploaded}`])
      rmSync(join(places.FAIRLEAD_DATA_DIR, path));
    for (const side of [north, south]) await own(side, (sql) => sql.run('DELETE FROM organisation_archives'));
  });

  test('of what a legal hold keeps it is a partial refusal that names the hold, and goes on by itself once that is released', async () => {
    const held = 'held@visitor.example';
    await plant(north, held);
    const hold = await own(north, (sql) =>
      placeHold(
        sql,
        north.organisation,
        {
          ...{ scope: 'class', of: 'D7', reason: 'A claim', owner: 'Counsel' },
          review_on: new Date(nowMs + 30 * dayMs).toISOString().slice(0, 10),
        },
        { personId: north.person, nowMs },
      ),
    );
    const id = await begun(north, held);
    await desk.requests.erase();
    const { erasure } = await read(north, id);
    expect(erasure.state).toBe('partial');
    expect(erasure.steps.find(({ name }) => name === 'membership')).toMatchObject({
      ...{ state: 'held', gone: [] },
      kept: expect.arrayContaining([
        expect.objectContaining({
          table: 'postgres memberships',
          why: expect.stringContaining(`legal hold ${hold.id}`),
        }),
      ]),
    });
    expect(await found(north, held)).toMatchObject({ 'postgres memberships': 1 });
    expect(await found(north, held), 'what the hold does not match is gone').not.toHaveProperty('warehouse events');
    await own(north, (sql) => releaseHold(sql, hold.id, { reason: 'Settled', personId: north.person, nowMs }));
    // The clock jumps back meanwhile: nothing of this waits for it.
    nowMs -= 3 * dayMs;
    await desk.requests.erase();
    nowMs += 3 * dayMs;
    expect(await found(north, held)).toEqual({});
    expect((await read(north, id)).erasure).toMatchObject({ state: 'done', receipts: [{ number: 2 }, { number: 1 }] });
    expect((await receiptOf(north, id, 1)).state).toBe('partial');
  });

  test('while a hold on another site keeps the archives they stay and nobody is given one; released, they go with the rest (R9, DSR-03)', async () => {
    const kept = 'Kept.In.Archive@visitor.example';
    const other = await plantCopies(north, kept, 'held.north.example');
    const archive = await plantArchive(north, kept);
    const at = join(places.FAIRLEAD_DATA_DIR, 'archives', String(archive));
    const { id: hold } = await own(north, (sql) =>
      placeHold(
        sql,
        north.organisation,
        {
          ...{ scope: 'site', of: 'held.north.example', reason: 'A claim', owner: 'Counsel' },
          review_on: new Date(nowMs + 30 * dayMs).toISOString().slice(0, 10),
        },
        { personId: north.person, nowMs },
      ),
    );
    const id = await begun(north, kept);
    await desk.requests.erase();
    const { erasure } = await read(north, id);
    expect(erasure).toMatchObject({ state: 'partial', files: { found: [], held: 1 } });
    expect(erasure.steps.find(({ name }) => name === 'profiles')).toMatchObject({
      state: 'held',
      gone: expect.arrayContaining([expect.objectContaining({ table: 'postgres exports', rows: 1 })]),
      kept: [
        {
          ...{ table: 'postgres organisation_archives', class: 'D4', rows: 1 },
          why: expect.stringContaining(`legal hold ${hold} keeps archives of the organisation`),
        },
      ],
    });
    expect(await found(north, kept), 'of them nothing is left but the archive').toEqual({});
    const records = openArchiveRecords({ ...desk.house, notices: { tell: async () => {} } });
    expect([existsSync(at), await records.find(north.organisation, archive)]).toEqual([
      true,
      expect.objectContaining({ held: true, withheld: true }),
    ]);
    expect(existsSync(join(places.FAIRLEAD_DATA_DIR, 'exports', String(other))), 'the export of the held site').toBe(
      true,
    );
    await own(north, (sql) => releaseHold(sql, hold, { reason: 'Settled', personId: north.person, nowMs }));
    await desk.requests.erase();
    expect([existsSync(at), await records.find(north.organisation, archive)]).toEqual([false, undefined]);
    expect((await read(north, id)).erasure).toMatchObject({ state: 'done', files: { found: [], held: 0 } });
    expect(
      (await receiptOf(north, id, 2)).systems.find(({ system }: { system: string }) => system === 'profiles').gone,
    ).toEqual(
      expect.arrayContaining([{ table: 'postgres organisation_archives', class: 'D4', rows: 1, how: 'deleted' }]),
    );
  });

  test('a browser that is named in the middle of it is found by the next look, with its events, those that came late and belong to no visit too', async () => {
    const { site, organisation } = north;
    const named = 'named.late@visitor.example';
    const who = await known(north, named);
    const [{ digest } = { digest: Buffer.alloc(0) }] = who.identifiers;
    const of = [systemRandom.bytes(8).toString('hex'), organisation, site];
    const link = (visitor: string) =>
      own(north, async (sql) => {
        await sql.run(
          'INSERT INTO profile_visitors (profile_id, organisation_id, site_id, visitor_id, linked_at) VALUES ($1, $2, $3, $4, $5)',
          [...of, visitor, new Date(nowMs)],
        );
        const moment = new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ');
        const event = {
          ...{ site_id: site, name: 'late', hostname: 'x.example', pathname: '/', time: moment, visit_start: moment },
          ...{ id_day: moment.slice(0, 10), visitor_id: visitor, visit_id: visitor },
        };
        const detached = { ...event, visit_id: `${visitor}99`, detached: 1, stored_id: 1 };
        const rows = [event, detached].map((one) => `${JSON.stringify(one)}\n`).join('');
        batch += 1;
        await desk.house.warehouse.insert('events', Buffer.from(rows), `subjects-${batch}`);
      });
    await own(north, async (sql) => {
      await sql.run(
        'INSERT INTO profiles (id, organisation_id, site_id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)',
        [...of, new Date(nowMs)],
      );
      await sql.run(
        "INSERT INTO profile_digests (profile_id, organisation_id, site_id, kind, digest) VALUES ($1, $2, $3, 'email', $4)",
        [...of, digest],
      );
    });
    await link('8801');
    const holder = holders().find(({ name }) => name === 'profiles');
    const none = { siteIds: new Map<number, number>(), personIds: new Map<number, number>() };
    const copied = (await holder?.copy(who))?.filter(({ table }) => table === 'warehouse events');
    expect(copied?.map(({ record }) => record.name)).toEqual(['late']);
    await holder?.eraseBefore?.(who, none);
    await link('8802');
    await own(north, async (sql) => holder?.erase?.(sql, who, none));
    expect(await holder?.left(who, none)).toContainEqual({ table: 'warehouse events', class: 'D3', rows: 2 });
    await holder?.eraseBefore?.(who, none);
    await own(north, async (sql) => holder?.erase?.(sql, who, none));
    expect(await holder?.left(who, none)).toEqual([]);
    for (const table of ['events', 'visits'])
      expect(await desk.house.warehouse.read(`SELECT 1 FROM ${table} WHERE visitor_id IN (8801, 8802)`)).toEqual([]);
  });

  test('two processes at once do each step once', async () => {
    const twice = 'twice@visitor.example';
    await plant(north, twice);
    const id = await begun(north, twice);
    await Promise.all([desk.requests.erase(), erasures().work(), erasures().work()]);
    await desk.requests.erase();
    const { erasure } = await read(north, id);
    expect([erasure.state, erasure.receipts.length]).toEqual(['done', 1]);
    const gone = erasure.steps.flatMap(({ gone: all }) => all);
    expect(gone.filter(({ table }) => table === 'postgres invitations')).toMatchObject([{ rows: 1 }]);
    expect(await found(north, twice)).toEqual({});
  });

  test('the only owner of an organisation stays one, and the receipt says why', async () => {
    const id = await begun(north, 'owner@north.example');
    await desk.requests.erase();
    const { erasure } = await read(north, id);
    expect(erasure.state).toBe('partial');
    expect(erasure.steps.find(({ name }) => name === 'membership')?.kept).toContainEqual(
      expect.objectContaining({ table: 'postgres memberships', why: expect.stringContaining('they own') }),
    );
  });

  test('is begun once a check of who asks is noted, and not before', async () => {
    const id = await own(north, (sql) =>
      enterRequest(
        sql,
        { kind: 'erasure', received_on: new Date(nowMs).toISOString().slice(0, 10), email: reader },
        partsOf(north),
      ),
    );
    const begin = own(north, (sql) => beginErasure(sql, id, partsOf(north), async () => {}));
    await expect(begin).rejects.toMatchObject({ code: 'conflict' });
  });

  test('done before a backup was restored that is older, it is done again by its digests alone', async () => {
    const back = 'back@visitor.example';
    await plant(north, back);
    const id = await begun(north, back);
    await desk.requests.erase();
    const tombstones = await own(north, (sql) => erasedPeople(sql));
    const own1 = tombstones.filter(({ run }) => run === Math.max(...tombstones.map((one) => one.run)));
    expect(own1.map(({ kind }) => kind).sort()).toEqual(['email', 'person']);
    expect(JSON.stringify(own1)).not.toMatch(/back@/);
    // The rows come back, and the request as it stood before it was answered; the erasure is not known.
    await plant(north, back);
    const open = await own(north, (sql) => {
      const received_on = new Date(nowMs).toISOString().slice(0, 10);
      return enterRequest(sql, { kind: 'erasure', received_on, email: back }, partsOf(north));
    });
    await own(north, (sql) =>
      eraseAgain(
        sql,
        own1.map((one) => ({ ...one, run: 1_000_000 })),
        new Date(nowMs),
      ),
    );
    expect(await found(north, back)).toMatchObject(everywhereOnce);
    await desk.requests.erase();
    expect(await found(north, back)).toEqual({});
    expect(await read(north, open)).toMatchObject({ state: 'answered', email: null });
    expect(id).not.toBe(open);
  });

  test('an objection that a restored backup does not know is in force again, by its digests alone, and once', async () => {
    const objector = 'objector@visitor.example';
    const id = await own(north, async (sql) => {
      const received_on = new Date(nowMs).toISOString().slice(0, 10);
      const made = await enterRequest(sql, { kind: 'objection', received_on, email: objector }, partsOf(north));
      await takeStep(sql, made, { to: 'checked', check: 'mailbox' }, partsOf(north));
      return made;
    });
    await desk.requests.measure();
    expect(await read(north, id)).toMatchObject({ is_in_force: true });
    const listed = await own(north, restrictedPeople);
    expect(JSON.stringify(listed)).not.toMatch(/objector@/);
    const [one] = listed.slice(-1);
    // As rows would know it that are older: not this one.
    const began_at = new Date(Date.parse(one?.began_at ?? '') - 1_000).toISOString();
    const elsewhere = { ...one, organisation: 999_999 } as RestrictedPerson;
    for (const _ of ['restored', 'restored once more'])
      await own(north, (sql) =>
        restrictAgain(sql, [...listed, elsewhere, { ...one, began_at } as RestrictedPerson], new Date(nowMs)),
      );
    const again = await own(north, (sql) =>
      sql.query<{ request_id: number }>('SELECT request_id FROM restrictions WHERE began_at = $1', [began_at]),
    );
    expect(again).toHaveLength(1);
    expect(await read(north, again[0]?.request_id as number)).toMatchObject({
      ...{ kind: 'objection', state: 'answered', is_in_force: true, email: null, restriction: { has_address: false } },
    });
    const digest = await desk.house.vault.subject(north.organisation, 'email', objector);
    expect(await own(north, (sql) => restrictionsOf(sql, [{ kind: 'email', digest }]))).toHaveLength(2);
  });

  test.each(['erasure.planned', 'erasure.before:4', 'erasure.step:2', 'erasure.looked'])(
    'killed at %s it goes on where it ended, and the receipt comes once (DSR-12)',
    async (crashPoint) => {
      const killed = `killed.${crashPoint.replace(/\W/g, '')}@visitor.example`;
      await plant(north, killed);
      const id = await begun(north, killed);
      await desk.close();
      const child = () =>
        startChild(join(import.meta.dirname, 'proof/drivers/erasure_child.ts'), {
          args: [places.FAIRLEAD_DATA_DIR, places.FAIRLEAD_KEY_FILE],
          env: { FAIRLEAD_CRASH_POINT: crashPoint },
        });
      expect(await child().ended).toBe('SIGKILL');
      // The next life of the desk goes on by itself.
      await open();
      const state = async () => (await read(north, id)).erasure.state;
      await expect.poll(state, { timeout: 20_000, interval: 50 }).toBe('done');
      expect((await read(north, id)).erasure.receipts.length).toBe(1);
      expect(await found(north, killed)).toEqual({});
      expect((await receiptOf(north, id)).looked_again.left).toEqual([]);
    },
  );
});
