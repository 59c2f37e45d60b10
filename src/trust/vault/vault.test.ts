import { createHmac } from 'node:crypto';
import { gcm } from '@noble/ciphers/aes.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPostgres, type TestPostgres } from '../../../test/stores.ts';
import type { Act, Audit } from '../../platform/audit.ts';
import { systemRandom } from '../../platform/random.ts';
import type { Place } from '../../platform/vault.ts';
import { ringOf } from '../keys/index.ts';
import { framed } from './cipher.ts';
import { openVault, type VaultHouse } from './index.ts';
import { budget } from './key_store.ts';

const keys = ringOf(Buffer.alloc(32, 5));
let store: TestPostgres;
let north = 0;
let south = 0;
let now = Date.UTC(2026, 0, 5, 10);
const clock = { now: () => now, monotonic: () => now, after: () => () => {} };
const acts: { organisationId: number | 'desk'; act: Act }[] = [];
const audit: Audit = {
  record: async (_sql, organisationId, act) => void acts.push({ organisationId, act }),
  recordMany: async () => {},
  recordOfPerson: async () => {},
  writeNow: async () => {},
};

beforeAll(async () => {
  store = await openTestPostgres();
  for (const [slug, set] of [
    ['north', (id: number) => (north = id)],
    ['south', (id: number) => (south = id)],
  ] as const)
    set(await store.asOwner((sql) => makeOrganisation(sql, slug)));
});
afterAll(() => store.close());

async function makeOrganisation(sql: Parameters<Parameters<TestPostgres['asOwner']>[0]>[0], slug: string) {
  const { id } = await sql.one<{ id: number }>(`SELECT nextval('organisations_id_seq') AS id`);
  await sql.run(`SELECT set_config('fairlead.organisation', $1, false)`, [String(id)]);
  await sql.run('INSERT INTO organisations (id, name, slug, created_at) VALUES ($1, $2, $2, now())', [id, slug]);
  return id;
}

function open(more: Partial<VaultHouse> = {}, limits = budget) {
  return openVault(
    { keys, postgres: store.postgres, clock, random: systemRandom, audit: () => audit, ...more },
    limits,
  );
}
const at = (more: Partial<Place> = {}) =>
  ({ organisationId: north, table: 'connections', column: 'token', row: 1, class: 'D4', ...more }) as Place & {
    class: 'D4';
  };
const use = { purpose: 'test.read' };

describe('a sealed value (CRY-01)', () => {
  it('opens at its place, whatever it holds, and never looks the same twice', async () => {
    const vault = open();
    for (const text of ['', 'a', 'Grüße 👋', 'x'.repeat(100_000)]) {
      const sealed = await vault.seal(at(), text);
      expect((await vault.open(at(), sealed)).toString()).toBe(text);
      expect(sealed.length).toBe(Buffer.byteLength(text) + 38);
      expect(await vault.seal(at(), text)).not.toEqual(sealed);
    }
    const bytes = systemRandom.bytes(1000);
    expect(await open().open(at(), await vault.seal(at(), bytes)), 'in another process').toEqual(bytes);
  });

  it.each<[string, () => Partial<Place>]>([
    ['another row', () => ({ row: 2 })],
    ['another column', () => ({ column: 'secret' })],
    ['another table', () => ({ table: 'mailboxes' })],
    ['another class', () => ({ class: 'D5' })],
    ['another organisation', () => ({ organisationId: south })],
    ['the desk', () => ({ organisationId: 'desk' })],
    ['a subject', () => ({ subject: Buffer.alloc(32, 1) })],
    ['the same letters cut elsewhere', () => ({ table: 'connectionst', column: 'oken' })],
  ])('does not open at %s', async (_what, more) => {
    const vault = open();
    await vault.seal(at({ organisationId: south }), 'so that it has a key too');
    const sealed = await vault.seal(at(), 'secret');
    await expect(vault.open(at(more()), sealed)).rejects.toMatchObject({ name: 'VaultError' });
  });

  it('does not open with any byte changed, cut or added, and says what it is', async () => {
    const vault = open();
    const sealed = await vault.seal(at(), 'secret');
    const parts = { version: 1, 'key id': 3, nonce: 12, text: 24, tag: sealed.length - 1 };
    for (const [part, index] of Object.entries(parts)) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] as number) ^ 1;
      await expect(vault.open(at(), changed), part).rejects.toMatchObject({ name: 'VaultError' });
    }
    for (const cut of [0, 1, 37, sealed.length - 1, sealed.length - 12])
      await expect(vault.open(at(), sealed.subarray(0, cut)), `${cut} bytes`).rejects.toMatchObject({
        name: 'VaultError',
      });
    await expect(vault.open(at(), Buffer.concat([sealed, Buffer.from([0])]))).rejects.toMatchObject({
      code: 'not-authentic',
    });
  });

  it('is AES-256-GCM as another library writes it, with a tag of sixteen bytes and no less', async () => {
    const id = Buffer.alloc(8, 9);
    const root = keys.roots.wrapping(keys.fingerprint) as Buffer;
    const key = Buffer.alloc(32, 3);
    const nonce = Buffer.alloc(12, 4);
    const wrapped = gcm(root, nonce, framed(['dek', String(south), id])).encrypt(key);
    const vault = open();
    await vault.seal(at({ organisationId: south }), 'makes the root known');
    await store.postgres.vault(south, (sql) =>
      sql.run(
        `INSERT INTO vault.owner_keys (id, organisation_id, root_id, wrapped, is_current, messages, created_at)
         VALUES ($1, $2, $3, $4, false, 0, now())`,
        [id, south, keys.fingerprint, Buffer.concat([nonce, wrapped])],
      ),
    );
    const place = at({ organisationId: south });
    const bound = framed([String(south), place.table, place.column, '1', 'D4', id]);
    const foreign = Buffer.from(gcm(key, nonce, bound).encrypt(Buffer.from('written by noble')));
    const sealed = Buffer.concat([Buffer.from('v1'), id, nonce, foreign]);
    expect((await vault.open(place, sealed)).toString()).toBe('written by noble');
    const shortTag = sealed.subarray(0, sealed.length - 12);
    await expect(vault.open(place, shortTag)).rejects.toMatchObject({ code: 'not-authentic' });
  });
});

describe('the keys', () => {
  it('are each owner’s own, and a transaction of the app sees none of them', async () => {
    const vault = open();
    await vault.seal(at({ organisationId: 'desk' }), 'x');
    const owners = (owner: number | 'desk') =>
      store.postgres.vault(owner, (sql) => sql.query('SELECT DISTINCT organisation_id FROM vault.owner_keys'));
    expect(await owners(north)).toEqual([{ organisation_id: north }]);
    expect(await owners('desk')).toEqual([{ organisation_id: null }]);
    for (const text of [
      'SELECT * FROM vault.owner_keys',
      'SELECT * FROM vault.subject_keys',
      'DELETE FROM vault.roots',
    ])
      await expect(store.postgres.tenant(north, (sql) => sql.query(text))).rejects.toMatchObject({ code: '42501' });
    await expect(store.postgres.vault(north, (sql) => sql.query('SELECT * FROM organisations'))).rejects.toMatchObject({
      code: '42501',
    });
    expect(
      await store.postgres.vault(north, (sql) => sql.run('DELETE FROM vault.owner_keys')),
      'of nobody who stands there as destroyed',
    ).toBe(0);
  });

  it('are made once when many ask at once, in several processes, within a transaction of the caller', async () => {
    const organisationId = await store.asOwner((sql) => makeOrganisation(sql, 'many'));
    const vaults = [open(), open(), open()];
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        store.postgres.tenant(organisationId, async (sql) => {
          await sql.query('SELECT 1');
          const place = at({ organisationId, row: i, subject: Buffer.alloc(32, i % 3) });
          const sealed = await (vaults[i % 3] as (typeof vaults)[0]).seal(place, `${i}`);
          expect((await (vaults[(i + 1) % 3] as (typeof vaults)[0]).open(place, sealed)).toString()).toBe(`${i}`);
        }),
      ),
    );
    const count = await store.postgres.vault(organisationId, (sql) =>
      sql.one(`SELECT (SELECT count(*) FROM vault.owner_keys) AS owner_keys,
                      (SELECT count(*) FROM vault.subject_keys) AS subject_keys`),
    );
    expect(count).toEqual({ owner_keys: 1, subject_keys: 3 });
  });

  it('are replaced before 2^32 messages, counted in blocks that a crash cannot use again (CRY-11)', async () => {
    const organisationId = await store.asOwner((sql) => makeOrganisation(sql, 'busy'));
    const small = { messagesMax: 20, ofOwner: 8, ofSubject: 4, ofHeld: 8 };
    const ids = new Map<string, number>();
    // Each vault is a process that dies after three messages: what is left of its block is lost, never used twice.
    for (let process = 0; process < 6; process++) {
      const vault = open({}, small);
      for (let i = 0; i < 3; i++) {
        const sealed = await vault.seal(at({ organisationId }), 'x');
        const id = sealed.subarray(2, 10).toString('hex');
        ids.set(id, (ids.get(id) ?? 0) + 1);
        expect((await vault.open(at({ organisationId }), sealed)).toString()).toBe('x');
      }
    }
    // Two blocks of eight fit into twenty.
    expect([...ids.values()]).toEqual([6, 6, 6]);
    const busy = open({}, small);
    const sealed = await Promise.all(Array.from({ length: 100 }, () => busy.seal(at({ organisationId }), 'x')));
    for (const one of sealed) ids.set(one.subarray(2, 10).toString('hex'), 0);
    const rows = await store.postgres.vault(organisationId, (sql) =>
      sql.query<{ id: Buffer; messages: number; is_current: boolean }>(
        'SELECT id, messages, is_current FROM vault.owner_keys',
      ),
    );
    expect(rows.every(({ messages }) => messages <= 20)).toBe(true);
    expect(rows.filter((row) => row.is_current)).toHaveLength(1);
    expect(new Set(rows.map(({ id }) => id.toString('hex')))).toEqual(new Set(ids.keys()));
    expect(budget.messagesMax).toBe(2 ** 32);
    // A key that was replaced is told from the one of today, and its values are sealed anew on request.
    const oldest = sealed[0] as Buffer;
    expect(await busy.isOld(at({ organisationId }), oldest)).toBe(true);
    const anew = (await busy.reseal(at({ organisationId }), oldest)) as Buffer;
    expect((await busy.open(at({ organisationId }), anew)).toString()).toBe('x');
    expect(await busy.reseal(at({ organisationId }), anew)).toBeUndefined();
  });

  it('are held open for who cannot wait: reserved ahead, replaced in time, and not made again once destroyed (CRY-08, CRY-11)', async () => {
    const organisationId = await store.asOwner((sql) => makeOrganisation(sql, 'held'));
    const vault = open({}, { messagesMax: 16, ofOwner: 16, ofSubject: 4, ofHeld: 8 });
    const subject = await vault.subject(organisationId, 'site', '7 0');
    const { organisationId: _, ...place } = at({ organisationId });
    const held = await vault.hold(organisationId, subject);
    const sealed: Buffer[] = [];
    // More than two keys hold; what is asked for comes while the messages at hand last.
    while (sealed.length < 50) {
      const one = held.seal(place, `message ${sealed.length}`);
      if (one === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      else sealed.push(one);
    }
    for (const [i, one] of sealed.entries())
      expect((await open().open({ ...place, organisationId, subject }, one)).toString()).toBe(`message ${i}`);
    const rows = () =>
      store.postgres.vault(organisationId, (sql) =>
        sql.query<{ messages: number }>('SELECT messages FROM vault.subject_keys WHERE subject = $1', [subject]),
      );
    expect((await rows()).every(({ messages }) => messages <= 16)).toBe(true);
    expect((await rows()).length).toBeGreaterThan(2);
    await expect(open().open({ ...place, organisationId }, sealed[0] as Buffer)).rejects.toThrow();

    await vault.shred(organisationId, subject);
    for (let i = 0; i < 20; i++) held.seal(place, 'x');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(held.seal(place, 'x'), 'what was at hand is used up').toBeUndefined();
    expect(await rows()).toEqual([]);
    held.close();
  });
});

describe('a subject', () => {
  it('is known by a digest of the normalised identifier, another one in each organisation (CRY-10)', async () => {
    const vault = open();
    const digest = await vault.subject(north, 'email', ' Ada@North.example ');
    expect(digest).toEqual(await open().subject(north, 'email', 'ada@north.example'));
    const pepper = keys.digest('vault-pepper', String(north));
    expect(digest).toEqual(
      createHmac('sha256', pepper)
        .update(framed(['email', 'ada@north.example']))
        .digest(),
    );
    const others = await Promise.all([
      vault.subject(south, 'email', 'ada@north.example'),
      vault.subject('desk', 'email', 'ada@north.example'),
      vault.subject(north, 'external-id', 'ada@north.example'),
      openVault({
        keys: ringOf(Buffer.alloc(32, 6)),
        postgres: store.postgres,
        clock,
        random: systemRandom,
        audit: () => audit,
      }).subject(north, 'email', 'ada@north.example'),
    ]);
    for (const other of others) expect(other).not.toEqual(digest);
    expect(await vault.subject(north, 'phone', '+49 (30) 123-45')).toEqual(
      await vault.subject(north, 'phone', '00493012345'),
    );
  });

  it('that is shredded is unreadable at once, in other processes within five minutes, and others stay (CRY-08)', async () => {
    const vault = open();
    const other = open();
    const ada = await vault.subject(north, 'email', 'ada@north.example');
    const bob = await vault.subject(north, 'email', 'bob@north.example');
    const place = at({ subject: ada });
    const sealed = await vault.seal(place, 'Ada');
    const ofBob = await vault.seal({ ...place, subject: bob }, 'Bob');
    const elsewhere = { ...place, organisationId: south };
    const inSouth = await vault.seal(elsewhere, 'Ada in the south');
    await other.open(place, sealed);
    await vault.shred(north, ada);
    await expect(vault.open(place, sealed)).rejects.toMatchObject({ code: 'destroyed', message: /was destroyed/ });
    expect((await vault.open({ ...place, subject: bob }, ofBob)).toString()).toBe('Bob');
    expect((await vault.open(elsewhere, inSouth)).toString()).toBe('Ada in the south');
    now += 5 * 60_000;
    await expect(other.open(place, sealed)).rejects.toMatchObject({ code: 'destroyed' });
    // Who comes again gets a new key, and what was destroyed stays so.
    const again = await vault.seal(place, 'Ada again');
    expect((await other.open(place, again)).toString()).toBe('Ada again');
    await expect(vault.open(place, sealed)).rejects.toMatchObject({ code: 'destroyed' });
  });
});

it('an organisation whose keys are all destroyed is unreadable for ever, gets no new key, and no other is touched', async () => {
  const gone = await store.asOwner((sql) => makeOrganisation(sql, 'gone'));
  const vault = open();
  const other = open();
  const place = at({ organisationId: gone });
  const ada = { ...place, subject: await vault.subject(gone, 'email', 'ada@north.example') };
  const sealed = await Promise.all([vault.seal(place, 'secret'), vault.seal(ada, 'Ada')]);
  const inNorth = await vault.seal(at(), 'north');
  const onDesk = await vault.seal(at({ organisationId: 'desk' }), 'desk');
  await other.open(ada, sealed[1]);
  // Those who seal meanwhile either have their key before it and lose it, or hear that there is none.
  const meanwhile = Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => open().seal({ ...place, subject: Buffer.alloc(32, i) }, 'meanwhile')),
  );
  expect(await vault.shredAll(gone)).toBeGreaterThanOrEqual(2);
  for (const one of await meanwhile)
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'destroyed' });
  const left = await store.postgres.vault(gone, (sql) =>
    sql.one('SELECT (SELECT count(*) FROM vault.owner_keys) + (SELECT count(*) FROM vault.subject_keys) AS n'),
  );
  expect(left).toEqual({ n: 0 });
  now += 5 * 60_000;
  for (const one of [vault, other, open()]) {
    await expect(one.open(place, sealed[0])).rejects.toMatchObject({ code: 'destroyed', message: /organisation/ });
    await expect(one.open(ada, sealed[1])).rejects.toMatchObject({ code: 'destroyed' });
    await expect(one.seal(place, 'again')).rejects.toMatchObject({ code: 'destroyed' });
    await expect(one.seal(ada, 'again')).rejects.toMatchObject({ code: 'destroyed' });
    expect((await one.open(at(), inNorth)).toString()).toBe('north');
    expect((await one.open(at({ organisationId: 'desk' }), onDesk)).toString()).toBe('desk');
  }
  expect(await vault.shredAll(gone)).toBe(0);
});

it('a connector’s secret is written to the trail once per purpose, row and hour (CRY-09)', async () => {
  const vault = open();
  const place = { ...at({ row: 77 }), class: 'D9' } as const;
  const sealed = await vault.seal(place, 'token');
  acts.length = 0;
  for (let i = 0; i < 3; i++) await vault.open(place, sealed, use);
  await open().open(place, sealed, use);
  expect(acts).toEqual([
    {
      organisationId: north,
      act: {
        action: 'secret.opened',
        actor: { type: 'system' },
        targets: [{ type: 'connections', id: 77 }],
        details: { column: 'token', purpose: 'test.read' },
      },
    },
  ]);
  await vault.open(place, sealed, { purpose: 'test.other' });
  now += 3_600_000;
  await vault.open(place, sealed, use);
  expect(acts).toHaveLength(3);
  await expect(vault.open(place as Place as ReturnType<typeof at>, sealed)).rejects.toThrow(/what it is opened for/);
  await expect(
    vault.open({ ...place, row: 78 }, sealed, { purpose: 'test.read' }),
    'what does not open is not written down as opened',
  ).rejects.toThrow();
  expect(acts).toHaveLength(3);
  // In the caller's transaction the line goes when the transaction does.
  const rolledBack = store.postgres.tenant(north, async (sql) => {
    await vault.open(place, sealed, { purpose: 'test.undone', sql });
    throw new Error('undone');
  });
  await expect(rolledBack).rejects.toThrow('undone');
  await vault.open(place, sealed, { purpose: 'test.undone' });
  expect(acts).toHaveLength(5);
});
