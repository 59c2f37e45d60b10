import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../../test/stores.ts';
import type { Audit } from '../../platform/audit.ts';
import { stillClock as standingClock, type stillClock } from '../../platform/clock.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { systemRandom } from '../../platform/random.ts';
import type { Vault } from '../../platform/vault.ts';
import { ringOf } from '../keys/index.ts';
import { spanOf } from './days.ts';
import { chainHash, zeroHash } from './entry.ts';
import { openAudit } from './index.ts';
import { networkOf } from './network.ts';
import { findEntries } from './read.ts';
import { seeChain } from './stored.ts';

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

test('days of a filter are those of the organisation, of 23 and 25 hours where clocks change, or of the zone that is named', async () => {
  await store.postgres.tenant(north, (sql) =>
    sql.run("UPDATE organisations SET timezone = 'Europe/Berlin' WHERE id = $1", [north]),
  );
  const span = async (chain: number, asked: Parameters<typeof spanOf>[2]) => {
    const found = await seeChain(store.postgres, chain, (sql) => spanOf(sql, chain, asked));
    const text = (instant?: number) => (instant === undefined ? undefined : new Date(instant).toISOString());
    return [text(found.since), text(found.before)];
  };
  const day = (iso: string) => ({ from: iso, to: iso });
  expect(await span(north, day('2026-03-29'))).toEqual(['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z']);
  expect(await span(north, day('2026-10-25'))).toEqual(['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z']);
  // Clocks of Beirut jump from midnight to one; in the Azores the hour after midnight comes twice.
  const beirut = { ...day('2026-03-29'), timezone: 'Asia/Beirut' };
  expect(await span(north, beirut)).toEqual(['2026-03-28T22:00:00.000Z', '2026-03-29T21:00:00.000Z']);
  const azores = { ...day('2026-10-25'), timezone: 'Atlantic/Azores' };
  expect(await span(0, azores)).toEqual(['2026-10-25T00:00:00.000Z', '2026-10-26T01:00:00.000Z']);
  expect(await span(0, { to: '2026-10-25' })).toEqual([undefined, '2026-10-26T00:00:00.000Z']);
  await expect(span(north, { from: '2026-02-30' })).rejects.toMatchObject({ code: 'invalid_field', field: 'from' });
  await expect(span(north, { timezone: 'Mars/Olympus' })).rejects.toMatchObject({ field: 'timezone' });

  // And the rows: an act half past eleven in the evening of Berlin belongs to that day, half an hour later to the next.
  const at = async (iso: string) => {
    clock.set(Date.parse(iso));
    await store.postgres.tenant(north, (sql) => audit.record(sql, north, { action: 'key.created', actor: byAda }));
  };
  await at('2026-10-25T22:30:00Z');
  await at('2026-10-25T23:00:00Z');
  const rows = await store.postgres.tenant(north, async (sql) =>
    findEntries(sql, north, { ...(await spanOf(sql, north, day('2026-10-25'))), limit: 9 }),
  );
  expect(rows.map((row) => row.at)).toEqual(['2026-10-25T22:30:00.000000']);
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
