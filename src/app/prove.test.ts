import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CheckRun } from '../../contract/proof.ts';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../test/stores.ts';
import type { Notice } from '../accounts/mail/notices.ts';
import { createOrganisation } from '../accounts/set_up.ts';
import { sealedForm } from '../analytics/exports/sealed_file.ts';
import { writeZip } from '../analytics/exports/zip_writer.ts';
import type { CheckResult, LiveCheck } from '../platform/checks.ts';
import { stillClock } from '../platform/clock.ts';
import { readConfig } from '../platform/config.ts';
import { silentLog } from '../platform/log.ts';
import type { Sql } from '../platform/postgres/index.ts';
import { systemRandom } from '../platform/random.ts';
import type { House } from '../platform/subject.ts';
import { openAudit } from '../trust/audit/index.ts';
import { ringOf } from '../trust/keys/index.ts';
import { canaryOf, keyAgeCheck, openerOf, scanFolders, selfAuditExecutor, standingOf } from '../trust/proof/index.ts';
import { registerCheck } from '../trust/register/register_check.ts';
import { state } from '../trust/register/statements.ts';
import { objectionCheck } from '../trust/requests/overdue_check.ts';
import { openBackups } from './backup_desk.ts';
import { openProver } from './prove.ts';

let store: TestPostgres;
let house: House;
/** What was mailed, in one line each; a mail that cannot be written stands for a desk that is killed in between. */
const told: string[] = [];
let isKilled = false;
/** Or at the mail to this one, after others have had theirs. */
let killedAt = '';
const people: Record<string, number> = {};
const organisations: Record<string, number> = {};
const clock = stillClock(Date.UTC(2026, 10, 28));
const folder = mkdtempSync(join(tmpdir(), 'fairlead-prove-'));
beforeAll(async () => {
  store = await openTestPostgres();
  const { postgres } = store;
  const keys = ringOf(Buffer.alloc(32, 7));
  const vault = openTestVault({ keys, clock, postgres });
  const audit = openAudit({ vault, clock, random: systemRandom });
  const config = readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k') });
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  mkdirSync(join(folder, 'keys'));
  writeFileSync(config.keyFile, 'x', { mode: 0o600 });
  for (const name of ['shop', 'runner', 'officer'])
    await postgres.system(async (sql) => {
      const { personId, organisationId } = await createOrganisation(
        ...([sql, { clock, vault, keys }, { email: `${name}@desk.example`, organisation: name, hash: 'x' }] as const),
      );
      people[name] = personId;
      organisations[name] = organisationId;
    });
  await postgres.person(people.runner as number, (sql) =>
    sql.run('UPDATE people SET is_operator = true WHERE id = $1', [people.runner]),
  );
  // The officer owns nothing: what they hear, they hear as privacy officer of the shop.
  await postgres.tenant(organisations.officer as number, (sql) =>
    sql.run('DELETE FROM memberships WHERE person_id = $1', [people.officer]),
  );
  await postgres.tenant(organisations.shop as number, (sql) =>
    sql.run(
      "INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'privacy-officer', $3)",
      [...[organisations.shop, people.officer, new Date(clock.now())]],
    ),
  );
  house = {
    ...{ config, clock, postgres, keys, vault, audit, random: systemRandom, log: silentLog },
    warehouse: { mode: 'embedded' },
    outbound: { hosts: () => [] },
    mail: {
      servers: { current: async () => ({ server: undefined }) },
      link: (path: string) => `https://desk.example${path}`,
      send: async (
        _sql: unknown,
        { to, values }: { to: string; values: { checks: { what: string; todo: string }[] } },
      ) => {
        if (isKilled || to === killedAt) throw new Error('killed');
        told.push(`${to}: ${values.checks.map(({ what, todo }) => `${what}, ${todo.split(';')[0]}`).join('; ')}`);
      },
    },
  } as unknown as House;
});
/** Notices as they are kept, so that it is known who has heard. */
const tell = async (sql: Sql, personId: number, { name, facts = {}, organisationId }: Notice) => {
  await sql.run(
    "INSERT INTO notifications (person_id, organisation_id, kind, notice, facts, created_at) VALUES ($1, $2, 'security', $3, $4, $5)",
    [personId, organisationId ?? null, name, JSON.stringify(facts), new Date(clock.now())],
  );
};
const red = (id: string, result: () => CheckResult, every: LiveCheck['every'] = 'week'): LiveCheck => ({
  ...{ id, what: id, proves: [], every, audience: 'everyone', run: async () => result() },
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

it('looks at the guards, signs and stores what it found for a year, and tells once of a guard that was taken away (OPS-03)', async () => {
  const { postgres } = store;
  const { config } = house;
  let weekly: CheckResult = { state: 'ok', fact: 'well' };
  const { prove, runs } = openProver(house, [{ checks: [red('slow', () => weekly)] }], { tell });

  const sound = await prove('daily');
  expect(sound.findings.filter(({ state }) => state === 'wrong')).toEqual([]);
  expect(sound.findings.some(({ check }) => check === 'slow')).toBe(false);
  expect(told).toEqual([]);

  await store.asOwner((sql) => sql.run('ALTER TABLE goals NO FORCE ROW LEVEL SECURITY'));
  writeFileSync(config.keyFile, 'x');
  rmSync(config.keyFile);
  writeFileSync(config.keyFile, 'x', { mode: 0o644 });
  const open = await prove('asked', { actor: { type: 'operator' } });
  expect([open.worst, open.turned_red]).toEqual(['wrong', ['row security', 'key file']]);
  expect(await runs.lastWholeMs()).toBe(clock.now());
  const step = 'Run fairlead migrate.';
  expect(told).toEqual([
    `runner@desk.example: row security, ${step}; key file, chmod 600 ${config.keyFile}`,
    `shop@desk.example: row security, ${step}`,
    `officer@desk.example: row security, ${step}`,
  ]);

  // Still red: nobody is told again. Well in between, and red again: once more.
  weekly = { state: 'not_run', fact: 'away' };
  expect((await prove('weekly')).turned_red).toEqual([]);
  await store.asOwner((sql) => sql.run('ALTER TABLE goals FORCE ROW LEVEL SECURITY'));
  expect((await prove('daily')).turned_well).toEqual(['row security']);
  expect(told).toHaveLength(3);

  const trail = await postgres.system((sql) =>
    sql.query<{ action: string; actor_type: string }>(
      "SELECT action, actor_type FROM audit.entries WHERE organisation_id = 0 AND action = 'proof.run' ORDER BY seq",
    ),
  );
  expect(trail.map((one) => one.actor_type)).toEqual(['system', 'operator', 'system', 'system']);
  expect((await runs.read(10)).map(({ signature }) => signature)).toEqual(['holds', 'holds', 'holds', 'holds']);
  await store.asOwner((sql) =>
    sql.run(`UPDATE self_audits SET findings = jsonb_set(findings, '{0,state}', '"look"') WHERE kind = 'asked'`),
  );
  expect((await runs.read(10)).map(({ signature }) => signature)).toEqual(['holds', 'holds', 'broken', 'holds']);
  await store.asOwner((sql) => sql.run(`DELETE FROM self_audits WHERE kind = 'asked'`));
  expect(
    (await runs.read(10)).map(({ signature }) => signature),
    'one was taken out',
  ).toEqual(['holds', 'gap', 'holds']);

  // The newest one has no follower that would miss it; the audit log does.
  await store.asOwner((sql) => sql.run('DELETE FROM self_audits WHERE id = (SELECT max(id) FROM self_audits)'));
  const after = await prove('daily');
  expect([after.turned_red, after.signature]).toEqual([['results of live checks'], 'gap']);
  expect((await prove('daily')).turned_well).toEqual(['results of live checks']);

  clock.travel(367 * 86_400_000);
  await prove('daily');
  // The night takes them, and leaves how many in a note for its receipt.
  const executor = selfAuditExecutor(store.postgres);
  const ask = { organisationId: null, nowMs: clock.now(), cutMs: 0, siteCutMs: () => 0 };
  const holds = { everything: false, siteIds: new Set<number>(), personIds: new Set<number>() };
  const [due] = await executor.due({ ...ask, holds });
  await store.postgres.system(async (sql) => {
    if (executor.works === 'in the transaction') await executor.end({ ...ask, holds }, sql);
    expect(await sql.query('SELECT line, rows FROM retention_removals')).toEqual([
      { line: 'self-audits', rows: due?.rows },
    ]);
  });
  expect(await runs.read(10)).toHaveLength(1);
});

it('a weekly red is mailed to owner and privacy officer once, again when it was well in between, also by a desk that was killed meanwhile (OPS-03)', async () => {
  told.length = 0;
  let state: CheckResult['state'] = 'wrong';
  let hours = 0;
  const { prove, runs } = openProver(
    house,
    [{ checks: [red('weekly look', () => ({ state, fact: `${++hours} hours` }))] }],
    { tell },
  );
  isKilled = true;
  await expect(prove('weekly')).rejects.toThrow('killed');
  expect([(await runs.read(1))[0]?.turned_red, told]).toEqual([['weekly look'], []]);
  isKilled = false;
  // The next look, a daily one that does not run it: who was not told is told, of what was found then, and nobody twice.
  killedAt = 'officer@desk.example';
  await expect(prove('daily')).rejects.toThrow('killed');
  expect(told).toHaveLength(2);
  killedAt = '';
  await prove('daily');
  const all = ['runner', 'shop', 'officer'].map((name) => `${name}@desk.example: weekly look, `);
  expect(told).toEqual(all);
  for (const kind of ['weekly', 'daily', 'weekly', 'asked'] as const) await prove(kind);
  expect(told).toEqual(all);
  state = 'not_run';
  await prove('weekly');
  state = 'wrong';
  await prove('weekly');
  expect(told).toEqual(all);
  state = 'ok';
  expect((await prove('weekly')).turned_well).toEqual(['weekly look']);
  state = 'wrong';
  await prove('weekly');
  expect(told).toEqual([...all, ...all]);
});

it('an objection that is late in one organisation is mailed to who runs the desk and to its own people, and to nobody of another one (DSR-06)', async () => {
  told.length = 0;
  const other = await store.postgres.system((sql) =>
    createOrganisation(sql, house, { email: 'other@desk.example', organisation: 'other', hash: 'x' }),
  );
  const objects = (organisation: number, hours: number) =>
    store.postgres.tenant(organisation, (sql) =>
      sql.run(
        `INSERT INTO subject_requests (organisation_id, kind, state, received_on, due_on, warn_on, email_digest, entered_at, checked_at, identity_check)
         VALUES ($1, 'objection', 'checked', $2::date, $2::date + 30, $2::date + 21, $3, $2, $2, 'mailbox')`,
        [organisation, new Date(clock.now() - hours * 3_600_000), Buffer.alloc(32, organisation)],
      ),
    );
  await objects(organisations.shop as number, 25);
  await objects(other.organisationId, 23);
  const { prove } = openProver(house, [{ checks: [objectionCheck(house)] }], { tell });
  for (const _ of [1, 2]) await prove('daily');
  const line = 'objections of data subjects, The log of the desk says why (requests.measure_failed).';
  expect(told).toEqual(['runner', 'shop', 'officer'].map((name) => `${name}@desk.example: ${line}`));
  const heard = (person: number) =>
    store.postgres.person(person, (sql) =>
      sql.query<{ what: string }>(
        "SELECT facts->>'what' AS what FROM notifications WHERE notice = 'check_red' ORDER BY id",
      ),
    );
  expect((await heard(people.shop as number)).at(-1)?.what).toMatch(/: 1 objection is not in force more than a day/);
  expect(await heard(other.personId)).toEqual([]);
  // The check is red already when the other one's is late, too: its own people hear of it once, and nobody again.
  clock.travel(2 * 3_600_000);
  told.length = 0;
  for (const _ of [1, 2]) await prove('daily');
  expect(told).toEqual([`other@desk.example: ${line}`]);
  for (const id of [organisations.shop as number, other.organisationId])
    await store.postgres.tenant(id, (sql) =>
      sql.run("UPDATE subject_requests SET state = 'answered', closed_at = now() WHERE kind = 'objection'"),
    );
  await store.postgres.tenant(other.organisationId, (sql) =>
    sql.run('DELETE FROM memberships WHERE person_id = $1', [other.personId]),
  );
});

it('a stored result whose bytes were changed is not genuine: it is red, and hides nothing from the next comparison (OPS-03)', async () => {
  let state: CheckResult['state'] = 'ok';
  const checks = [red('guard', () => ({ state, fact: 'seen' }))];
  const { prove, runs } = openProver(house, [{ checks }], { tell });
  await prove('weekly');
  const standing = async () => standingOf(checks, await runs.read(5), false)[0];
  expect(await standing()).toMatchObject({ state: 'ok', fact: 'seen' });
  const change = (text: string) =>
    store.asOwner((sql) => sql.run(`${text} WHERE id = (SELECT max(id) FROM self_audits)`));
  const place = async () => ((await runs.read(1))[0] as CheckRun).findings.findIndex(({ check }) => check === 'guard');
  for (const text of [
    `UPDATE self_audits SET findings = jsonb_set(findings, '{${await place()},state}', '"wrong"')`,
    `UPDATE self_audits SET findings = jsonb_set(findings, '{${await place()},state}', '"ok"'), made_at = made_at + interval '1 day'`,
    "UPDATE self_audits SET made_at = made_at - interval '1 day', signature = NULL",
  ]) {
    await change(text);
    expect((await runs.read(1))[0]?.signature, text).toBe('broken');
    expect(await standing()).toMatchObject({ state: 'wrong', fact: expect.stringContaining('not genuine') });
  }
  // Somebody wrote that it was red before, so that nobody hears when it turns red: it is compared with what was signed.
  await prove('weekly');
  await change(
    `UPDATE self_audits SET findings = jsonb_set(findings, '{${await place()},state}', '"wrong"'), worst = 'wrong'`,
  );
  told.length = 0;
  state = 'wrong';
  expect((await prove('weekly')).turned_red).toEqual(['guard']);
  expect(told).toHaveLength(3);
});

it('a canary in bytes opens a draft of an incident in each organisation, once for each time that it is found (OPS-01)', async () => {
  let state: CheckResult['state'] = 'wrong';
  const canaries = red('canaries', () => ({ state, fact: 'an address in data/x' }));
  const { prove } = openProver(house, [{ checks: [canaries] }], { tell });
  const drafts = async (of: string) =>
    store.postgres.tenant(organisations[of] as number, async (sql) => [
      ...(await sql.query<{ kind: string }>('SELECT kind FROM incident_drafts ORDER BY id')).map(({ kind }) => kind),
      ...(await sql.query("SELECT 1 FROM audit.entries WHERE action = 'alert.raised'")).map(() => 'alert'),
    ]);
  isKilled = true;
  await expect(prove('weekly')).rejects.toThrow('killed');
  isKilled = false;
  for (const _ of [1, 2]) await prove('weekly');
  for (const name of ['shop', 'runner']) expect(await drafts(name)).toEqual(['canary_found', 'alert']);
  state = 'ok';
  await prove('weekly');
  state = 'wrong';
  clock.travel(60_000);
  await prove('weekly');
  expect(await drafts('shop')).toEqual(['canary_found', 'canary_found', 'alert', 'alert']);
});

it('the age of the keys turns red when nobody changes them, and when an owner has none in use (CRY-07)', async () => {
  const of = organisations.shop as number;
  const made = await Promise.all(
    (['desk', ...Object.values(organisations)] as const).map((owner) =>
      store.postgres.vault(owner, (sql) =>
        sql.one<{ ms: Date | null }>('SELECT min(created_at) AS ms FROM vault.owner_keys'),
      ),
    ),
  );
  const oldest = Math.min(...made.map(({ ms }) => ms?.getTime() ?? Number.POSITIVE_INFINITY));
  const after = (days: number) =>
    keyAgeCheck({ ...house, clock: { ...clock, now: () => oldest + days * 86_400_000 } }).run();
  const states = await Promise.all([365, 366, 455, 456].map(async (days) => (await after(days)).state));
  expect(states).toEqual(['ok', 'look', 'look', 'wrong']);
  await store.postgres.vault(of, (sql) => sql.run('UPDATE vault.owner_keys SET is_current = false'));
  expect(await after(1)).toMatchObject({
    state: 'wrong',
    fact: expect.stringContaining('1 owner has keys and none in use'),
  });
  await store.postgres.vault(of, (sql) => sql.run('UPDATE vault.owner_keys SET is_current = true'));
});

it('the age of the backups turns red when one is missing, late, or older than it may be (RET-18)', async () => {
  const backups = openBackups(house, async () => {});
  const look = async () => backups.checks.find(({ id }) => id === 'backup-age')?.run();
  expect(await look()).toMatchObject({ state: 'look', fact: expect.stringContaining('no recovery key') });
  await backups.newKey({ actor: { type: 'operator' } });
  expect(await look()).toMatchObject({ state: 'wrong', fact: 'there is no backup' });
  const place = house.config.backup?.folder ?? `${house.config.dataDir}-backups`;
  mkdirSync(place);
  const lay = (hours: number) => {
    const name = new Date(clock.now() - hours * 3_600_000).toISOString().slice(0, 19).replace(/[-:]/g, '');
    writeFileSync(join(place, `fairlead-${name}Z.backup`), 'x');
  };
  lay(27);
  expect(await look()).toMatchObject({ state: 'wrong', fact: 'the newest backup is 27 hours old' });
  lay(2);
  expect(await look()).toMatchObject({ state: 'ok' });
  lay(31 * 24 + 3);
  expect(await look()).toMatchObject({ state: 'wrong', fact: 'a backup is older than 30 days' });
});

it('the register turns red while somebody receives of whom name, country, contract or basis is not stated (SHR-04, SHR-07)', async () => {
  const server = { server: { host: 'post.example' } };
  const parts = { ...house, mail: { servers: { current: async () => server } } } as unknown as House;
  const pinned = { ...parts, config: { ...house.config, regions: ['eea'] } } as House;
  expect(await registerCheck(house).run()).toMatchObject({ state: 'ok' });
  const said = {
    legal_name: 'Post Ltd',
    country: 'US',
    contract: 'Folder 3',
    contract_on: '2026-01-31',
    basis: 'clauses',
  } as const;
  const say = (change: Partial<Record<keyof typeof said | 'checked_on', string | undefined>>) =>
    store.postgres.system((sql) =>
      state(sql, { receiver: 'mail', host: 'post.example', atMs: 0 }, { ...said, ...change } as typeof said),
    );
  expect(await registerCheck(parts).run()).toMatchObject({
    state: 'wrong',
    fact: expect.stringContaining('the name of the company, the country, the processing contract'),
  });
  for (const [change, lacks] of [
    [{ contract: undefined }, 'the processing contract'],
    [{ basis: undefined }, 'what the transfer rests on'],
  ] as const) {
    await say(change);
    expect(await registerCheck(parts).run()).toMatchObject({
      state: 'wrong',
      fact: expect.stringContaining(`Mail server: ${lacks}`),
    });
  }
  expect((await registerCheck(pinned).run()).fact).toContain('pinned to EEA');
  await say({});
  expect(await registerCheck(parts).run()).toMatchObject({ state: 'look' });
  await say({ checked_on: new Date(clock.now()).toISOString().slice(0, 10) });
  expect(await registerCheck(parts).run()).toMatchObject({ state: 'ok' });
  // What was stated of another server is not about this one.
  server.server.host = 'other.example';
  expect(await registerCheck(parts).run()).toMatchObject({ state: 'wrong' });
});

it('a canary is found in every form that a store might keep it in, over the edge of a piece, and only where it was written', async () => {
  const place = join(folder, 'scanned');
  mkdirSync(place);
  const packed = Buffer.from('20010db8a1b2c3d4e5f60718293a4b5c', 'hex');
  const canary = canaryOf('it', '2001:db8:a1b2:c3d4:e5f6:718:293a:4b5c', packed);
  const noise = Buffer.alloc(64 * 1024 - 7, 46);
  const [text] = canary.forms as [Buffer];
  const forms: Record<string, Buffer> = {
    text,
    packed,
    hex: Buffer.from(packed.toString('hex')),
    utf16: Buffer.from(text.toString(), 'utf16le'),
    base64: Buffer.from(Buffer.concat([Buffer.from('x'), text]).toString('base64')),
    'packed.gz': gzipSync(Buffer.concat([noise, packed])),
  };
  writeFileSync(join(place, 'nothing'), Buffer.concat([noise, Buffer.from('2001:db8::1')]));
  for (const [name, bytes] of Object.entries(forms))
    writeFileSync(join(place, name), name.endsWith('.gz') ? bytes : Buffer.concat([noise, bytes, noise]));
  const seen = await scanFolders([place], 0, [canary]);
  expect(seen.found.map(({ file }) => file).sort()).toEqual(Object.keys(forms).sort());
  expect(seen).toMatchObject({ opened: 1, packed: 0, sealed: 0, cut: 0, closed: 0 });
  expect(await scanFolders([place], Number.MAX_SAFE_INTEGER, [canary])).toMatchObject({ files: 0, found: [] });
});

it('a canary is found in what is packed or sealed, one in the other, and what was not opened is counted', async () => {
  const place = join(folder, 'inside');
  mkdirSync(join(place, 'archives'), { recursive: true });
  const canary = canaryOf('it', 'canary-of-the-inside');
  // Of letters alone: what cannot be packed lies plain in what packs it.
  const noise = Buffer.from(systemRandom.bytes(225_000).toString('base64'));
  const text = Buffer.concat([noise, Buffer.from('x canary-of-the-inside x'), noise]);
  const write = async (name: string, parts: Record<string, Buffer>) => {
    const files = Object.entries(parts).map(([part, bytes]) => {
      const path = join(folder, `${name}.${part}`);
      writeFileSync(path, bytes);
      return { name: part, path, isPacked: part.endsWith('.zip') };
    });
    await writeZip(join(place, name), files);
    return readFileSync(join(place, name));
  };
  const zip = await write('export', { first: noise, 'rows.csv': text, last: noise });
  const deep = await write('deep', { 'export.zip': zip, other: noise });
  const clean = await write('clean', { one: noise, two: Buffer.from('nothing') });
  // As programs write it that do not know a length before: it stands behind the content.
  const content = deflateRawSync(text);
  const head = Buffer.from(zip.subarray(0, 35));
  head.writeUInt16LE(8, 6);
  head.fill(0, 14, 26);
  const behind = Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), Buffer.alloc(12)]);
  writeFileSync(join(place, 'open-ended'), Buffer.concat([head, deflateRawSync(noise), behind, head, content, behind]));
  writeFileSync(join(place, 'zstd'), zstdCompressSync(text));
  const encrypted = Buffer.from(clean);
  encrypted.writeUInt16LE(1, 6);
  writeFileSync(join(place, 'encrypted'), encrypted);
  writeFileSync(join(place, 'cut-off'), zip.subarray(0, 400_000));
  const block = Buffer.alloc(100);
  block[16] = 0x82;
  block.writeUInt32LE(84, 17);
  block.writeUInt32LE(200, 21);
  writeFileSync(join(place, 'block'), block);
  const form = sealedForm({ of: 'organisation archive', id: 1, key: Buffer.alloc(32, 3) }, systemRandom);
  for (const name of ['archives/1', 'archives/2']) {
    const placed = await form.place(join(place, name));
    await placed.write(deep, 0);
    await placed.end();
    await placed.close();
  }
  const open = openerOf(place, [
    {
      folder: 'archives',
      open: async (name) => (name === '1' ? form.readPlaced(join(place, 'archives/1')) : undefined),
      held: async () => new Set(),
    },
  ]);
  const seen = await scanFolders([place], 0, [canary], { open });
  expect(seen.found.map(({ file }) => file).sort()).toEqual(['archives/1', 'deep', 'export', 'open-ended', 'zstd']);
  expect(seen).toMatchObject({ files: 10, opened: 7, sealed: 1, packed: 3, cut: 0, closed: 0 });
  const cut = await scanFolders([place], 0, [canary], { open, limits: { ms: 60_000, bytes: 1_000 } });
  expect([cut.cut, cut.opened, cut.found]).toEqual([8, 0, []]);
  const late = await scanFolders([place], 0, [canary], { open, limits: { ms: -1, bytes: 1e9 } });
  expect(late.cut).toBe(8);
});
