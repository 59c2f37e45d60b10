import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ObjectStoreEmulator, openObjectStoreEmulator } from '../../emulators/object_store.ts';
import { byOperator } from '../../src/app/backup_desk.ts';
import { goneOf } from '../../src/app/gone.ts';
import { type RunningServer, startServer } from '../../src/app/serve.ts';
import { onDesk } from '../../src/app/with_desk.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { readConfig } from '../../src/platform/config.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { Sql } from '../../src/platform/postgres/index.ts';
import { erasePlace } from '../../src/platform/postgres/index.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { copyKeys, makeRecoveryKey, restoreBackup } from '../../src/trust/backup/index.ts';
import { publicOf, readRecoveryKey } from '../../src/trust/backup/recovery_key.ts';
import { openSealed } from '../../src/trust/backup/sealed_file.ts';
import { parseRoots } from '../../src/trust/keys/key_file.ts';
import { openErasures } from '../../src/trust/requests/erasure.ts';
import { beginErasure, enterRequest, readRequest, takeStep } from '../../src/trust/requests/records.ts';
import { identifierOf } from '../../src/trust/requests/subject.ts';
import { openSmallDisk } from '../proof/drivers/small_disk.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** The drill: a desk, its backup, an empty machine, the recovery key. */
const folder = mkdtempSync(join(tmpdir(), 'fairlead-drill-'));
const backups = join(folder, 'backups');
const oldKeys = join(folder, 'keys-of-before');
const machine = { FAIRLEAD_DATA_DIR: join(folder, 'new', 'data'), PORT: '0', FAIRLEAD_BACKUP_DIR: backups };
/** Where copies of them go, and what the desk knows of it. */
const bucket = { bucket: 'drill', region: 'auto', accessKey: 'KEY', secretKey: 'a secret of the store' };
let store: ObjectStoreEmulator;
let elsewhere: Record<string, string> = {};
let desk: TestDesk;
let restored: RunningServer | undefined;
let key = '';
let before: unknown[] = [];
let owner = { organisation_id: 0, person_id: 0 };
let sealed: Record<'kept' | 'shredded', Buffer> = { kept: Buffer.alloc(0), shredded: Buffer.alloc(0) };

const place = (row: string, subject: Buffer) =>
  ({ organisationId: owner.organisation_id, table: 'drill', column: 'value', row, class: 'D5', subject }) as const;

beforeAll(async () => {
  store = await openObjectStoreEmulator(bucket);
  elsewhere = {
    FAIRLEAD_BACKUP_S3_URL: `http://127.0.0.1:${store.port}/${bucket.bucket}/desk`,
    FAIRLEAD_BACKUP_S3_KEY: bucket.accessKey,
    FAIRLEAD_BACKUP_S3_SECRET: bucket.secretKey,
    FAIRLEAD_BACKUP_S3_REGION: bucket.region,
    FAIRLEAD_OUTBOUND_ALLOW: `127.0.0.1:${store.port}`,
  };
  desk = await openTestDesk(['shop.example', 'blog.example'], { FAIRLEAD_BACKUP_DIR: backups, ...elsewhere });
}, 60_000);
afterAll(async () => {
  await restored?.stop();
  await desk?.close();
  await store?.close();
  await erasePlace(machine.FAIRLEAD_DATA_DIR);
  rmSync(folder, { recursive: true, force: true });
});

const backup = (what: string) =>
  onDesk({ command: 'backup', args: { what } }, desk.server.desk.house.config) as Promise<Record<string, never>>;

const ask = (base: string, site: string) =>
  fetch(`${base}/api/v2/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${desk.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      site_id: site,
      metrics: ['visitors', 'visits', 'pageviews', 'events', 'bounce_rate'],
      date_range: 'all',
      dimensions: ['event:page'],
    }),
  }).then(async (answer) => ((await answer.json()) as { results: unknown[] }).results);

/** The command line on the new machine, which has nothing but what it is given. */
async function restore(from: string, recoveryKey: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['src/app/cli.ts', 'restore', '--from', from], {
    env: { PATH: process.env.PATH, ...machine, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(recoveryKey);
  const [out, said, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  return { out, said, code };
}

/** Somebody whom a site knows, and who objects: to be erased, and lifted, after the backup. */
const reader = 'gone.reader@visitor.example';
let objection = 0;
const onOrganisation = <T>(work: (sql: Sql) => Promise<T>) =>
  desk.server.desk.house.postgres.tenant(owner.organisation_id, work);
const personOf = () => ({
  ...{
    vault: desk.server.desk.house.vault,
    organisationId: owner.organisation_id,
    nowMs: systemClock.now(),
    personId: 1,
  },
});
const enter = (kind: 'erasure' | 'objection', email: string) =>
  onOrganisation(async (sql) => {
    const received_on = new Date().toISOString().slice(0, 10);
    const id = await enterRequest(sql, { kind, received_on, email }, personOf());
    await takeStep(sql, id, { to: 'checked', check: 'mailbox' }, personOf());
    return id;
  });
async function plantReader(): Promise<void> {
  const { house, requests } = desk.server.desk;
  const { digest } = await identifierOf(house, owner.organisation_id, 'email', reader);
  await onOrganisation(async (sql) => {
    const { id } = await sql.one<{ id: number }>("SELECT id FROM sites WHERE domain = 'shop.example'");
    const of = ['00000000000000aa', owner.organisation_id, id];
    await sql.run(
      'INSERT INTO profiles (id, organisation_id, site_id, first_seen, last_seen) VALUES ($1, $2, $3, now(), now())',
      of,
    );
    await sql.run(
      "INSERT INTO profile_digests (profile_id, organisation_id, site_id, kind, digest) VALUES ($1, $2, $3, 'email', $4)",
      [...of, digest],
    );
    await sql.run(
      'INSERT INTO profile_visitors (profile_id, organisation_id, site_id, visitor_id, linked_at) VALUES ($1, $2, $3, $4, now())',
      [...[...of, '4711']],
    );
    const moment = '2026-01-05 10:00:00';
    const event = {
      ...{ site_id: id, name: 'opened', hostname: 'shop.example', pathname: '/', time: moment, visit_start: moment },
      ...{ id_day: moment.slice(0, 10), visitor_id: '4711', visit_id: '77', stored_id: 1 },
    };
    await house.warehouse.insert('events', Buffer.from(`${JSON.stringify(event)}\n`), 'reader-1');
  });
  objection = await enter('objection', 'objector@visitor.example');
  await requests.measure();
}
async function eraseReader(): Promise<void> {
  const { requests } = desk.server.desk;
  const id = await enter('erasure', reader);
  const erasures = openErasures(
    desk.server.desk.house,
    () => [],
    async () => {},
  );
  await onOrganisation(async (sql) => {
    await takeStep(sql, id, { to: 'working' }, personOf());
    await beginErasure(sql, id, personOf(), (words) => erasures.begin(sql, owner.organisation_id, id, 1, words));
  });
  await requests.erase();
  expect(await onOrganisation((sql) => readRequest(sql, id, personOf()))).toMatchObject({ erasure: { state: 'done' } });
  expect(await desk.rows("SELECT count() AS n FROM events WHERE name = 'opened'")).toEqual([{ n: '0' }]);
  // They were told by hand.
  await onOrganisation(async (sql) => {
    await sql.run('DELETE FROM restricted_identifiers');
    await sql.run(
      `UPDATE restrictions SET why_sealed = '\\x00', told_how = 'by-hand', told_at = now(), lifts_at = now(), ended_at = now(), email_sealed = NULL`,
    );
  });
}

it('copies a running desk into sealed files that neither hold the root key nor a salt, nor open with another key (PSE-07, RET-18)', async () => {
  for (const [n, page] of ['/', '/', '/prices', '/about'].entries())
    await desk.collect(
      { n: 'pageview', u: `https://shop.example${page}`, d: 'shop.example' },
      { 'x-forwarded-for': `203.0.113.${n}` },
    );
  await desk.collect({ n: 'pageview', u: 'https://blog.example/', d: 'blog.example' });
  expect(await desk.rows('SELECT count() AS n FROM events')).toEqual([{ n: '5' }]);
  before = await ask(desk.base, 'shop.example');
  expect(before).toHaveLength(3);
  expect(await ask(desk.base, 'blog.example')).toHaveLength(1);

  await expect(backup('make')).rejects.toThrow('There is no recovery key yet');
  const made = await backup('new-key');
  key = (/[0-9A-Z]{4}(?:-[0-9A-Z]{4}){13}/.exec(String(made.notes)) as RegExpExecArray)[0];
  const { postgres, vault, config } = desk.server.desk.house;
  const [site] = await desk.server.desk.house.postgres.system((sql) =>
    sql.query<{ organisation_id: number }>("SELECT organisation_id FROM lookup.site_by_domain('shop.example')"),
  );
  owner = { organisation_id: site?.organisation_id ?? 0, person_id: 1 };
  const subject = (name: string) => vault.subject(owner.organisation_id, 'external-id', name);
  sealed = {
    kept: await vault.seal(place('1', await subject('kept')), 'still here'),
    shredded: await vault.seal(place('2', await subject('shredded')), 'gone for good'),
  };

  // The daily one finds no room for itself: it is told once, and tried again after an hour.
  writeFileSync(backups, 'a file where the folder should be');
  const { backups: daily } = desk.server.desk;
  await daily.tick();
  await daily.tick();
  expect((await daily.state()).runs).toMatchObject([{ kind: 'whole', state: 'failed', bytes: null }]);
  const told = await postgres.person(1, (sql) =>
    sql.query<{ facts: { problem: string } }>("SELECT facts FROM notifications WHERE notice = 'backup_failed'"),
  );
  expect(told.map(({ facts }) => facts.problem)).toEqual([(await daily.state()).runs[0]?.problem]);
  rmSync(backups);

  await plantReader();
  await backup('keys');
  copyFileSync(join(backups, 'fairlead-keys.backup'), oldKeys);
  // One whose days are over: it goes with the next backup.
  writeFileSync(join(backups, 'fairlead-20260101T000000Z.backup'), 'old');
  // The store refuses: the backup stands here all the same, and the store gets it an hour later.
  store.set({ refusals: ['AccessDenied'] });
  const done = await backup('make');
  expect((await daily.state()).runs[0]).toMatchObject({
    ...{ state: 'done', remote_state: 'failed' },
    remote_problem: expect.stringContaining('the key may not do this in the bucket'),
  });
  await desk.server.desk.house.postgres.system((sql) =>
    sql.run("UPDATE backups SET remote_tried_at = remote_tried_at - interval '1 hour'"),
  );
  store.objects.set('desk/fairlead-20260101T000000Z.backup', Buffer.from('old'));
  await daily.tick();
  expect((await daily.state()).runs[0]).toMatchObject({ state: 'done', remote_state: 'done', remote_problem: null });
  expect([...store.objects.keys()].sort()).toEqual(
    readdirSync(backups)
      .map((name) => `desk/${name}`)
      .sort(),
  );
  const checks = await Promise.all(daily.checks.map(async ({ id, run }) => [id, (await run()).state]));
  expect(checks).toEqual([
    ['backup-age', 'ok'],
    ['backup-store', 'ok'],
  ]);
  expect(done).toMatchObject({ rows: expect.any(Number), entries: expect.any(Number) });
  expect(readdirSync(backups).sort()).toEqual([
    expect.stringMatching(/^fairlead-\d{8}T\d{6}Z\.backup$/),
    'fairlead-keys.backup',
  ]);

  // After the backup: somebody is erased, a restriction ends, a key is destroyed and a site emptied.
  // The copy of the key store is newer than that.
  await eraseReader();
  await vault.shred(owner.organisation_id, await subject('shredded'));
  await postgres.tenant(owner.organisation_id, (sql) =>
    sql.run("UPDATE sites SET emptied_at = now() + interval '1 minute' WHERE domain = 'blog.example'"),
  );
  await backup('keys');

  // What stands in the two files, unsealed: no root, no salt, in no way of writing it.
  const keyFolder = join(config.keyFile, '..');
  const roots = parseRoots(readFileSync(config.keyFile, 'utf8')) ?? [];
  const salts = readdirSync(keyFolder)
    .filter((name) => name.includes('salt'))
    .map((name) => readFileSync(join(keyFolder, name)));
  expect([roots.length, salts.length]).toEqual([1, 1]);
  const secrets = [...roots.map(({ bytes }) => bytes), ...salts.map((file) => file.subarray(file.length - 32))];
  const unsealed: Buffer[] = [];
  for (const name of readdirSync(backups)) {
    for await (const entry of openSealed(join(backups, name), readRecoveryKey(key)))
      for await (const part of entry.body) unsealed.push(Buffer.from(part));
  }
  const whole = Buffer.concat(unsealed);
  expect(whole.includes('shop.example')).toBe(true);
  const found = secrets.flatMap((secret) =>
    [secret, Buffer.from(secret.toString('hex')), Buffer.from(secret.toString('base64'))].filter((form) =>
      whole.includes(form),
    ),
  );
  expect(found).toEqual([]);
}, 60_000);

it('refuses a key that was copied wrongly, a cut or missing backup, an older key store, and a directory that is not empty (RET-18)', async () => {
  const refusal = (from: string, recoveryKey = key, env = {}) =>
    restoreBackup(
      {
        ...{ config: readConfig({ ...machine, ...env }), clock: systemClock, random: systemRandom, log: silentLog },
        migrations: { postgres: [], warehouse: [] },
        forget: async () => [],
        forgetRows: async () => {},
      },
      from,
      recoveryKey,
      () => {},
    ).then(
      () => 'restored',
      (error: Error) => error.message,
    );
  const [file = ''] = readdirSync(backups);
  const broken = join(folder, 'broken');
  mkdirSync(broken);
  expect(await refusal(broken)).toContain('There is no backup in');
  copyFileSync(join(backups, file), join(broken, file));
  expect(await refusal(broken)).toContain('The copy of the key store is missing');
  copyFileSync(oldKeys, join(broken, 'fairlead-keys.backup'));
  expect(await refusal(broken)).toContain('is older than the backup');
  truncateSync(join(broken, file), statSync(join(broken, file)).size - 1);
  expect(await refusal(broken)).toContain('is damaged or was cut off');
  const last = key.endsWith('2') ? '3' : '2';
  expect(await refusal(backups, `${key.slice(0, -1)}${last}`)).toContain('a letter of it was copied wrongly');
  expect(await refusal(backups, makeRecoveryKey(systemRandom).text)).toContain('for another recovery key');
  // This restore knows no migration: to it each backup is of a later version.
  expect(await refusal(backups)).toContain('a newer version made it');
  writeFileSync(join(broken, file), 'fairlead-backup-2\nof a form to come');
  expect(await refusal(broken)).toContain('a newer version made it');
  // Nothing was changed by any of these.
  expect(existsSync(machine.FAIRLEAD_DATA_DIR)).toBe(false);
  expect(await refusal(backups, key, { FAIRLEAD_DATA_DIR: desk.dataDir })).toContain('is not empty');
});

it('says that a disk is full, before and in the middle, and that one is being made, and leaves nothing half behind (RET-18)', async () => {
  const { backups: daily, house } = desk.server.desk;
  const place = join(folder, 'small');
  const disk = await openSmallDisk([place], 4096);
  if (disk !== undefined) {
    const small = disk.seen(place);
    await expect(daily.make(byOperator, small)).rejects.toThrow('has 0.0 GiB free, and a backup may take');
    const parts = { house, version: '0', gone: goneOf(house.keys) };
    await expect(copyKeys(parts, small, publicOf(readRecoveryKey(key)))).rejects.toThrow(
      'is full, so there is no backup',
    );
    expect(readdirSync(small)).toEqual([]);
    await disk.close();
  }
  const both = await Promise.allSettled([1, 2].map((n) => daily.make(byOperator, join(folder, `beside ${n}`))));
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(String(both.find(({ status }) => status === 'rejected')?.['reason' as never])).toContain(
    'is being made already',
  );
});

it('makes the same desk on an empty machine with that key alone, after a kill in the middle too (RET-18, CRY-08)', async () => {
  await desk.server.stop();
  const killed = await restore(backups, key, { FAIRLEAD_CRASH_POINT: 'restore.filled' });
  expect(killed.code).not.toBe(0);
  // The second try has lost the folder too: what the object store holds is enough, though it stumbles.
  rmSync(backups, { recursive: true });
  const unset = await restore('s3', key);
  expect([unset.code, unset.said]).toEqual([1, expect.stringContaining('FAIRLEAD_BACKUP_S3_URL is not set')]);
  store.set({ refusals: ['SlowDown'] });
  const again = await restore('s3', key, elsewhere);
  expect([again.code, again.said]).toEqual([0, expect.stringContaining('is restored')]);
  expect(readdirSync(backups)).toEqual([]);
  expect(JSON.parse(again.out)).toMatchObject({ forgotten_sites: 1 });

  restored = await startServer(readConfig(machine), { isQuiet: true });
  const base = `http://127.0.0.1:${restored.http.address.port}`;
  // Before anybody is answered: who was erased after the backup is no more, and what ended after it has ended.
  const events = await restored.desk.house.warehouse.read("SELECT 1 FROM events WHERE name = 'opened'");
  const ofReader = await restored.desk.house.postgres.tenant(owner.organisation_id, async (sql) => ({
    profiles: (await sql.query('SELECT 1 FROM profiles')).length,
    runs: await sql.query('SELECT state, request_id FROM erasure_runs'),
    restrictions: await sql.query(
      'SELECT ended_at IS NOT NULL AS ended, told_how FROM restrictions WHERE request_id = $1',
      [objection],
    ),
    listed: (await sql.query('SELECT 1 FROM restricted_identifiers')).length,
  }));
  expect({ events: events.length, ...ofReader }).toEqual({
    ...{ events: 0, profiles: 0, runs: [{ state: 'done', request_id: null }], listed: 0 },
    restrictions: [{ ended: true, told_how: 'by-hand' }],
  });
  // The API key of the lost desk opens this one, whose root key is another.
  expect(await ask(base, 'shop.example')).toEqual(before);
  expect(await ask(base, 'blog.example')).toEqual([]);
  const { vault } = restored.desk.house;
  const subject = (name: string) => vault.subject(owner.organisation_id, 'external-id', name);
  expect(String(await vault.open(place('1', await subject('kept')), sealed.kept))).toBe('still here');
  await expect(vault.open(place('2', await subject('shredded')), sealed.shredded)).rejects.toMatchObject({
    code: 'destroyed',
  });
  const signedIn = await fetch(`${base}/api/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base },
    body: JSON.stringify({ email: 'owner@shop.example', password: 'a harbour of quiet rope' }),
  });
  expect(signedIn.status).toBeLessThan(300);

  const { backups: held, releaseMail } = restored.desk;
  expect(await held.isHeld()).toBe(true);
  expect(await held.state()).toMatchObject({
    ...{ is_ours: true, is_running: false, restored_at: expect.any(String), released_at: null },
    // Nothing waited at the backup: the desk sends no mail.
    held: [],
  });
  expect(await releaseMail(byOperator)).toBe(true);
  expect([await held.isHeld(), await releaseMail(byOperator)]).toEqual([false, false]);

  // The trail came along, and goes on here.
  await expect(held.make(byOperator, '/dev/null/nowhere')).rejects.toThrow();
  expect(await held.make(byOperator, join(folder, 'anew'))).toMatchObject({ rows: expect.any(Number) });
  const acts = await restored.desk.house.postgres.system((sql) =>
    sql.query<{ action: string }>("SELECT action FROM audit.entries WHERE action LIKE 'backup.%' ORDER BY seq"),
  );
  expect(acts.map(({ action }) => action)).toEqual([
    ...['backup.key_made', 'backup.failed', 'backup.released', 'backup.failed', 'backup.made'],
  ]);
}, 120_000);
