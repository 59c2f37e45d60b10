import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../../test/stores.ts';
import type { Audit } from '../../platform/audit.ts';
import { stillClock as standingClock, type stillClock } from '../../platform/clock.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { systemRandom } from '../../platform/random.ts';
import type { Vault } from '../../platform/vault.ts';
import { ringOf } from '../keys/index.ts';
import { chainHash, zeroHash } from './entry.ts';
import { openAudit } from './index.ts';
import { networkOf } from './network.ts';

const start = Date.parse('2026-01-05T10:00:00Z');
let store: TestPostgres;
let clock: ReturnType<typeof stillClock>;
let vault: Vault;
let audit: Audit;
const ada = 1;
const north = 1;
const south = 2;

beforeAll(async () => {
  store = await openTestPostgres();
  clock = standingClock(start);
  vault = openTestVault({ keys: ringOf(Buffer.alloc(32, 7)), clock, postgres: store.postgres });
  audit = openAudit({ vault, clock, random: systemRandom });
  for (const id of [north, south])
    await store.postgres.within({ organisationId: id, personId: ada }, async (sql) => {
      await sql.run('INSERT INTO organisations (id, name, slug, created_at) VALUES ($1, $2, $2, $3)', [
        id,
        `o${id}`,
        new Date(start),
      ]);
      if (id === north)
        await sql.run(
          `INSERT INTO people (id, email_digest, email_sealed, name, created_at) VALUES ($1, sha256('ada'), 'sealed', 'Ada', $2)`,
          [ada, new Date(start)],
        );
    });
  await store.postgres.tenant(north, (sql) =>
    sql.run(`INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'owner', $3)`, [
      north,
      ada,
      new Date(start),
    ]),
  );
});
afterAll(() => store.close());

const entries = (sql: Sql) =>
  sql.query<{ seq: number; action: string }>('SELECT seq, action FROM audit.entries ORDER BY seq');
const byAda = { type: 'person', id: ada } as const;

describe('an act', () => {
  test('stands with its effect, and goes with it', async () => {
    await store.postgres.tenant(north, (sql) => audit.record(sql, north, { action: 'key.created', actor: byAda }));
    await expect(
      store.postgres.tenant(north, async (sql) => {
        await audit.record(sql, north, { action: 'key.revoked', actor: byAda });
        throw new Error('on purpose');
      }),
    ).rejects.toThrow('on purpose');
    expect(await store.postgres.tenant(north, entries)).toEqual([{ seq: 1, action: 'key.created' }]);
  });

  test('of a person goes into the trail of each organisation of theirs, else into that of the desk', async () => {
    const device = { action: 'session.started', actor: byAda, details: { device: 'Firefox on Linux' } };
    await store.postgres.person(ada, (sql) => audit.recordOfPerson(sql, ada, device));
    await store.postgres.person(99, (sql) =>
      audit.recordOfPerson(sql, 99, { ...device, actor: { type: 'person', id: 99 } }),
    );
    expect((await store.postgres.tenant(north, entries)).at(-1)).toEqual({ seq: 2, action: 'session.started' });
    expect(await store.postgres.system(entries)).toEqual([{ seq: 1, action: 'session.started' }]);
    const hashes = await store.postgres.tenant(north, (sql) =>
      sql.query<{ seq: number; hash: string }>(
        "SELECT seq, encode(hash, 'hex') AS hash FROM audit.entries ORDER BY seq",
      ),
    );
    expect(hashes[0]?.hash).not.toBe(chainHash(zeroHash, 1, zeroHash));
    expect(await store.postgres.tenant(south, entries)).toEqual([]);
    expect(await store.postgres.person(ada, entries)).toEqual([]);
  });

  test('is refused when it is not in the registry, or for an organisation that is not in force', async () => {
    await expect(
      store.postgres.tenant(north, (sql) => audit.record(sql, north, { action: 'key.lent', actor: byAda })),
    ).rejects.toThrow('not in the registry');
    await expect(
      store.postgres.tenant(north, (sql) => audit.record(sql, south, { action: 'key.created', actor: byAda })),
    ).rejects.toMatchObject({ code: '42501' });
  });
});

test.each([
  ['203.0.113.77', '203.0.113.0/24'],
  ['2001:db8:7:8:9::1', '2001:db8:7::/48'],
  ['2001:db8::1', '2001:db8:0::/48'],
  ['::1', '0:0:0::/48'],
  ['fe80::', 'fe80:0:0::/48'],
  ['', null],
])('of the address %j it keeps %j (R3)', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
