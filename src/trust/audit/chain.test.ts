import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../../test/stores.ts';

import type { Act, Audit } from '../../platform/audit.ts';
import { stillClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { systemRandom } from '../../platform/random.ts';
import { ringOf } from '../keys/index.ts';
import { auditFiles } from './checkpoint_file.ts';
import { openAudit } from './index.ts';
import { type Keeper, openKeeper } from './keeper.ts';
import { readPage } from './page.ts';
import { openVerifier } from './verify.ts';

/** Three years ago: what is too old is judged by the database's own clock too. */
const start = Date.parse('2023-03-01T10:00:00Z');
const hour = 3_600_000;
const north = 1;
const south = 2;
const keys = ringOf(Buffer.alloc(32, 7));
const clock = stillClock(start);
const act: Act = {
  action: 'key.created',
  actor: { type: 'key', id: 3 },
  targets: [{ type: 'key', id: 4, label: 'Shop' }],
  details: { scopes: 'stats:read' },
  reason: 'none',
  request: { id: 'a1b2c3', address: '203.0.113.77' },
};
let store: TestPostgres;
let audit: Audit;
let keeper: Keeper;
let checkpoints: string;

beforeAll(async () => {
  store = await openTestPostgres();
  audit = openAudit({ vault: openTestVault({ keys, clock, postgres: store.postgres }), clock, random: systemRandom });
  keeper = openKeeper({ postgres: store.postgres, keys, clock, log: silentLog, dataDir: store.dataDir });
  checkpoints = join(store.dataDir, 'audit', 'checkpoints.ndjson');
  for (const id of [north, south]) {
    await store.postgres.tenant(id, async (sql) => {
      await sql.run('INSERT INTO organisations (id, name, slug, created_at) VALUES ($1, $2, $2, now())', [
        id,
        `o${id}`,
      ]);
      await sql.run(
        `INSERT INTO api_keys (id, organisation_id, name, digest, last4, scopes, created_at) VALUES ($1, $2, 'Shop', $3, 'abcd', '{stats:read}', now())`,
        [id + 2, id, Buffer.alloc(32, id)],
      );
    });
    for (let i = 0; i < 3; i++) await store.postgres.tenant(id, (sql) => audit.record(sql, id, act));
  }
  await keeper.checkpoint();
  await store.postgres.tenant(north, (sql) => audit.recordMany(sql, north, [act, act, act]));
  clock.travel(hour);
  await keeper.checkpoint();
  await owner('CREATE TABLE audit.saved AS SELECT * FROM audit.entries');
  await owner('CREATE TABLE audit.saved_chains AS SELECT * FROM audit.chains');
});
afterAll(() => store.close());

/** What somebody with the whole power over the database can do, which the app has not. */
function owner(text: string) {
  return store.asOwner((sql) =>
    sql.run(
      `BEGIN; ALTER TABLE audit.entries NO FORCE ROW LEVEL SECURITY; ALTER TABLE audit.chains NO FORCE ROW LEVEL SECURITY;
       ${text};
       ALTER TABLE audit.entries FORCE ROW LEVEL SECURITY; ALTER TABLE audit.chains FORCE ROW LEVEL SECURITY; COMMIT`,
    ),
  );
}
const asSaved = `DELETE FROM audit.entries; DELETE FROM audit.chains;
  INSERT INTO audit.entries SELECT * FROM audit.saved; INSERT INTO audit.chains SELECT * FROM audit.saved_chains;`;
const restore = () => owner(asSaved);
const found = async () => (await keeper.verify()).findings.map(({ kind, seq, sentence }) => ({ kind, seq, sentence }));
const entry = `organisation_id = ${north} AND seq = 3`;

describe('a chain (AUD-02)', () => {
  test('that nobody touched verifies', async () => {
    expect(await keeper.verify()).toMatchObject({ entries: 9, chains: 2, checkpoints: 2, findings: [] });
  });

  test('is taken page by page where nothing is wrong: entry by entry it would cost twice as much', async () => {
    const page = await store.postgres.tenant(north, (sql) =>
      readPage(sql, north, { after: 0, through: 9, count: 100 }),
    );
    const verifier = openVerifier({ organisation: north, nowMs: clock.now() });
    expect(verifier.takePage(page)).toBe(new Date(start).toISOString());
    expect(verifier.end(undefined)).toMatchObject({ entries: 6, findings: [] });
  });

  test.each([
    ['entry', `entry = '00000000-0000-4000-8000-000000000000'`],
    ['at', `at = at + interval '1 microsecond'`],
    ['action', `action = 'key.revoked'`],
    ['class', `class = 'D7'`],
    ['outcome', `outcome = 'failed'`],
    ['reason', 'reason = NULL'],
    ['actor_type', `actor_type = 'person'`],
    ['actor', `actor = '4'`],
    ['actor_name', `actor_name = set_byte(actor_name, 40, 255 - get_byte(actor_name, 40))`],
    ['actor_commitment', 'actor_commitment = sha256(actor_commitment)'],
    ['targets', `targets = '[{"id": "5", "type": "key"}]'`],
    ['targets, by a member that was not there', `targets = '[{"id": "4", "type": "key", "more": 1}]'`],
    ['details', `details = NULL`],
    ['details_commitment', 'details_commitment = sha256(details_commitment)'],
    ['request_id', `request_id = 'd4e5f6'`],
    ['address', `address = '198.51.100.0/24'`],
    ['address, by taking it away too early', `address = NULL, address_salt = NULL`],
    ['address_salt', `address_salt = '\\x00'`],
    ['address_commitment', 'address_commitment = sha256(address_commitment)'],
    ['hash', 'hash = sha256(hash)'],
  ])('shows that somebody changed %s', async (_column, change) => {
    await owner(`${asSaved} UPDATE audit.entries SET ${change} WHERE ${entry}`);
    const findings = await found();
    expect(findings[0]).toMatchObject({ seq: 3 });
    expect(findings.some(({ kind, sentence }) => kind === 'changed' && sentence.includes('ntry 3'))).toBe(true);
  });

  test('has a test for each of its columns', async () => {
    const columns = await store.asOwner((sql) =>
      sql.query<{ name: string }>(
        `SELECT attname AS name FROM pg_attribute WHERE attrelid = 'audit.entries'::regclass AND attnum > 0`,
      ),
    );
    // Those that are not in the table above are where an entry stands, and have tests of their own below.
    expect(columns.length).toBe(20);
  });

  test.each<[string, string, string, number]>([
    ['an entry is gone', `DELETE FROM audit.entries WHERE ${entry}`, 'deleted', 3],
    [
      'two entries have changed places',
      `UPDATE audit.entries SET seq = -seq WHERE organisation_id = 1 AND seq IN (3, 4);
       UPDATE audit.entries SET seq = 7 + seq WHERE organisation_id = 1 AND seq IN (-3, -4)`,
      'reordered',
      3,
    ],
    [
      'the end was cut off, and the head set back',
      `DELETE FROM audit.entries WHERE organisation_id = 1 AND seq > 4;
       UPDATE audit.chains SET seq = 4, hash = (SELECT hash FROM audit.entries WHERE ${entry.replace('3', '4')}) WHERE organisation_id = 1`,
      'truncated',
      5,
    ],
    [
      'the whole chain is gone',
      `DELETE FROM audit.entries WHERE organisation_id = 1; DELETE FROM audit.chains WHERE organisation_id = 1`,
      'truncated',
      1,
    ],
    [
      'an entry was put into the chain of another',
      `DELETE FROM audit.entries WHERE ${entry};
       UPDATE audit.entries SET organisation_id = 1 WHERE organisation_id = 2 AND seq = 3`,
      'changed',
      3,
    ],
    [
      'the beginning was removed by age, and nobody signed where',
      `DELETE FROM audit.entries WHERE organisation_id = 1 AND seq < 3;
       UPDATE audit.chains SET base_seq = 2, base_hash = (SELECT hash FROM audit.saved WHERE organisation_id = 1 AND seq = 2) WHERE organisation_id = 1`,
      'unsigned',
      2,
    ],
  ])('shows that %s', async (_what, change, kind, seq) => {
    await owner(`${asSaved} ${change}`);
    expect((await found())[0]).toMatchObject({ kind, seq });
  });

  test('that was written anew from some entry on, hashes and all, differs from what was signed: a fork', async () => {
    await owner(
      `${asSaved} DELETE FROM audit.entries WHERE organisation_id = 1 AND seq > 4;
       UPDATE audit.chains SET seq = 4, hash = (SELECT hash FROM audit.entries WHERE organisation_id = 1 AND seq = 4) WHERE organisation_id = 1`,
    );
    await store.postgres.tenant(north, (sql) => audit.recordMany(sql, north, [act, act, act]));
    const findings = await found();
    expect(findings).toEqual([
      { kind: 'forked', seq: 6, sentence: expect.stringMatching(/not the one that the checkpoint of .+ signed/) },
    ]);
    await restore();
  });
});

test('an entry of which nearly everything is empty, or that has signs of every kind, reads as it was written and no other way (AUD-02)', async () => {
  const odd = ['"}, [[', 'a\tb\nc', '\\"', 'é € 😀 \u2028', '{"id": "', '7"],["type","', '', '=', '-', '\u0001'];
  await store.postgres.tenant(south, (sql) =>
    audit.recordMany(sql, south, [{ action: 'operator.granted', actor: { type: 'system' } }, act]),
  );
  expect(await found()).toEqual([]);
  const changed = async (seq: number, change: string) => {
    const where = `organisation_id = ${south} AND seq = ${seq}`;
    await owner(`ALTER TABLE audit.entries ALTER action DROP NOT NULL; CREATE TABLE audit.one AS SELECT * FROM audit.entries WHERE ${where};
      UPDATE audit.entries SET ${change} WHERE ${where}`);
    expect((await found())[0], change).toMatchObject({ kind: 'changed', seq });
    await owner(`DELETE FROM audit.entries WHERE ${where}; INSERT INTO audit.entries SELECT * FROM audit.one; DROP TABLE audit.one;
      ALTER TABLE audit.entries ALTER action SET NOT NULL`);
  };
  for (const [seq, change] of [
    ...['reason', 'actor', 'request_id', 'address'].map((column) => [4, `${column} = ''`] as const),
    ...['actor_commitment', 'details_commitment', 'address_commitment', 'address_salt', 'actor_name', 'details'].map(
      (column) => [4, `${column} = ''`] as const,
    ),
    [5, `class = action || chr(9) || class, action = NULL`],
    [5, `action = action || chr(9) || class, class = ''`],
    [5, `request_id = request_id || chr(10)`],
  ] as const)
    await changed(seq, change);
  await store.postgres.tenant(south, (sql) =>
    audit.record(sql, south, { ...act, targets: [{ type: 'key', id: ']],[[4' }] }),
  );
  await changed(6, `targets = '[{"id": "}, [[4", "type": "key"}]'`);
  await store.postgres.tenant(south, (sql) =>
    audit.recordMany(
      sql,
      south,
      odd.map((id) => ({ ...act, targets: [{ type: 'key', id }] })),
    ),
  );
  expect(await found()).toEqual([]);
  await restore();
});

describe('the file of checkpoints', () => {
  test('is private, and declared', async () => {
    expect((await stat(checkpoints)).mode & 0o777).toBe(0o600);
    expect(auditFiles.map(({ path }) => path)).toEqual(['audit/checkpoints.ndjson']);
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ['a head was changed', (text) => text.replace(/"1":\[3,/, '"1":[2,'), /signed other heads/],
    ['a time was changed', (text) => text.replace('T10:00:00', 'T09:00:00'), /not signed by the key of this desk/],
    ['a line was taken out', (text) => text.slice(text.indexOf('\n') + 1), /does not follow the one before/],
    ['two lines have changed places', (text) => text.trim().split('\n').reverse().join('\n'), /does not follow/],
    ['it is damaged', (text) => `{${text}`, /cannot be read/],
  ])('shows that %s', async (_what, change, sentence) => {
    const text = await readFile(checkpoints, 'utf8');
    await writeFile(checkpoints, change(text));
    expect((await found()).map((one) => one.sentence)).toContainEqual(expect.stringMatching(sentence));
    await writeFile(checkpoints, text);
  });

  test('goes on after a crash that left half a line', async () => {
    await appendFile(checkpoints, '{"at":"2023');
    const next = openKeeper({ postgres: store.postgres, keys, clock, log: silentLog, dataDir: store.dataDir });
    await next.checkpoint();
    expect(await next.verify()).toMatchObject({ checkpoints: 3, findings: [] });
  });

  test('gets a line at each full hour and at a stop that has something new', async () => {
    const next = openKeeper({ postgres: store.postgres, keys, clock, log: silentLog, dataDir: store.dataDir });
    const lines = async () => (await readFile(checkpoints, 'utf8')).split('\n').length - 1;
    const before = await lines();
    clock.travel(20 * 60_000);
    next.begin();
    clock.travel(39 * 60_000);
    expect(await lines()).toBe(before);
    clock.travel(60_000);
    await expect.poll(lines).toBe(before + 1);
    expect((await next.newest())?.at).toMatch(/T12:00:00\.000Z$/);
    await next.stop();
    expect(await lines()).toBe(before + 1);
    await store.postgres.system((sql) =>
      audit.record(sql, 'desk', { action: 'operator.granted', actor: { type: 'operator' } }),
    );
    await next.stop();
    expect(await lines()).toBe(before + 2);
  });
});

test('a network goes after ninety days and an entry after two years, and the chain still verifies (R3, RET-05)', async () => {
  const next = openKeeper({ postgres: store.postgres, keys, clock, log: silentLog, dataDir: store.dataDir });
  const kept = () =>
    store.postgres.tenant(north, (sql) =>
      sql.one(
        'SELECT min(seq) AS first, max(seq) AS last, count(address) AS networks, count(address_commitment) AS commitments FROM audit.entries',
      ),
    );
  async function retain() {
    const twoYearsAgo = new Date(clock.now());
    twoYearsAgo.setUTCFullYear(twoYearsAgo.getUTCFullYear() - 2);
    let entries = 0;
    for (const chain of [0, north, south]) entries += await next.removeEntries(chain, twoYearsAgo.getTime());
    return { addresses: await next.dropAddresses(), entries };
  }
  clock.set(start + 89 * 24 * hour);
  expect(await retain()).toEqual({ addresses: 0, entries: 0 });
  clock.set(start + 91 * 24 * hour);
  expect(await retain()).toEqual({ addresses: 9, entries: 0 });
  expect(await kept()).toEqual({ first: 1, last: 6, networks: 0, commitments: 6 });
  expect((await next.verify()).findings).toEqual([]);
  await store.postgres.tenant(north, (sql) => audit.record(sql, north, act));

  const signedHash = await hashOf(north, 3);
  clock.set(Date.parse('2025-03-01T09:00:00Z'));
  expect(await retain()).toMatchObject({ entries: 0 });
  // After the first checkpoint and before the second one are two years over: only what the first signed goes.
  clock.set(Date.parse('2025-03-01T10:30:00Z'));
  // A desk that stopped in the middle: the beginning was moved, and one of the three entries before it is still there.
  const piece = await store.postgres.retention((sql) =>
    sql.one(`SELECT retention.delete_audit_entries(1, 3, $1, $2, 2) AS gone`, [
      Buffer.from(signedHash, 'hex'),
      new Date(start + hour / 2),
    ]),
  );
  expect([piece, await kept()]).toMatchObject([{ gone: 2 }, { first: 3 }]);
  expect((await next.verify()).findings).toEqual([]);
  expect(await retain()).toMatchObject({ entries: 4 });
  expect(await kept()).toMatchObject({ first: 4, last: 7 });
  expect(await next.verify()).toMatchObject({ entries: 5, findings: [] });
  expect((await next.proofs(north, { seq: 3, hash: (await baseOf(north)) ?? '' })).length).toBe(2);

  await owner(`UPDATE audit.entries SET action = 'key.revoked' WHERE organisation_id = 1 AND seq = 4`);
  expect((await next.verify()).findings).toMatchObject([{ kind: 'changed', seq: 4 }]);
});

async function hashOf(organisation: number, seq: number): Promise<string> {
  const row = await store.postgres.tenant(organisation, (sql) =>
    sql.one<{ hash: string }>("SELECT encode(hash, 'hex') AS hash FROM audit.entries WHERE seq = $1", [seq]),
  );
  return row.hash;
}

async function baseOf(organisation: number): Promise<string | undefined> {
  const row = await store.postgres.tenant(organisation, (sql) =>
    sql.maybe<{ hash: string }>("SELECT encode(base_hash, 'hex') AS hash FROM audit.chains"),
  );
  return row?.hash;
}

describe('the app (AUT-17)', () => {
  test.each([
    ['insert an entry by itself', `INSERT INTO audit.entries SELECT * FROM audit.entries`],
    ['change an entry', `UPDATE audit.entries SET action = 'key.revoked'`],
    ['delete an entry', 'DELETE FROM audit.entries'],
    ['empty the trail', 'TRUNCATE audit.entries'],
    ['set a head back', 'UPDATE audit.chains SET seq = 1'],
    ['become the role that writes', 'SET LOCAL ROLE fairlead_chain'],
    ['take row security off', 'ALTER TABLE audit.entries DISABLE ROW LEVEL SECURITY'],
    ['look past row security', 'SET LOCAL row_security = off; SELECT * FROM audit.entries'],
  ])('cannot %s, in any role that it can take on', async (_what, text) => {
    for (const door of [
      (work: Parameters<typeof store.postgres.audit>[0]) => store.postgres.tenant(north, work),
      store.postgres.audit,
      store.postgres.retention,
    ])
      await expect(door((sql) => sql.query(text))).rejects.toMatchObject({ code: '42501' });
  });

  test('cannot remove what is younger than two years, whatever moment it names, nor from the middle', async () => {
    await store.postgres.tenant(south, async (sql) => {
      clock.set(Date.now());
      await audit.record(sql, south, act);
    });
    const { seq, hash } = await store.postgres.tenant(south, (sql) =>
      sql.one<{ seq: number; hash: Buffer }>('SELECT seq, hash FROM audit.entries ORDER BY seq DESC LIMIT 1'),
    );
    const remove = (through: number, digest: Buffer) =>
      store.postgres.retention((sql) =>
        sql.one('SELECT retention.delete_audit_entries($1, $2, $3, $4, 10)', [south, through, digest, '9999-01-01']),
      );
    await expect(remove(seq, hash)).rejects.toThrow('younger than their window');
    await expect(remove(seq, Buffer.alloc(32))).rejects.toThrow('this hash');
    const rows = await store.postgres.retention((sql) =>
      sql.one(`SELECT retention.drop_audit_addresses(2, 0, 99, '9999-01-01') AS gone`),
    );
    expect(rows).toEqual({ gone: 0 });
  });
});
