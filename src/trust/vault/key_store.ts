import type { Clock } from '../../platform/clock.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { Random } from '../../platform/random.ts';
import type { KeyRing } from '../../platform/subject.ts';
import { type FreshKey, type Owner, VaultError } from '../../platform/vault.ts';
import { adoptKeys, allDestroyed, destroyKeys, destructionLock, foreignKeyGone, refuseDestroyed } from './adopt.ts';
import {
  dataKeyBound,
  keyIdBytes,
  type LiveKey,
  liveKey,
  nonceBytes,
  subjectKeyBound,
  unwrap,
  wrap,
} from './cipher.ts';

/** How long an unwrapped key may stay in memory: so long another process may use a key that was destroyed. */
const rememberedMs = 5 * 60_000;
const sweepMs = 60_000;
/** Unwrapped keys at once: 10,000 are about 3 MB. The oldest goes first. */
const rememberedMax = 10_000;

/** Keys of which this process still holds reserved messages. What of the oldest is left is lost, which wastes it only. */
const reservedMax = 100_000;

/** Random nonces of 96 bits collide with a chance of 2^-32 after so many messages under one key (NIST SP 800-38D). */
export const messagesMax = 2 ** 32;

/**
 * Messages are reserved in the database before they are used, a block at a time, so a crash wastes the rest of a block
 * and uses none twice.
 */
export interface Budget {
  messagesMax: number;
  ofOwner: number;
  ofSubject: number;
  /** Of a key that is held open. The next block is asked for when half of one is used: at 5,000 a second, six seconds ahead. */
  ofHeld: number;
}
export const budget: Budget = { messagesMax, ofOwner: 2 ** 20, ofSubject: 2 ** 14, ofHeld: 2 ** 16 };
/** What could not be had is asked for again after this long. */
const askAgainMs = 1_000;

function subjectDestroyed(): VaultError {
  return new VaultError('destroyed', 'This value cannot be opened any more: the key of its subject was destroyed.');
}

/** Finds, makes, unwraps and destroys keys. What it hands out is to be used at once and not kept. */
export interface KeyStore {
  /** The key to seal one message with; one message is taken from its budget. */
  toSeal(owner: Owner, subject?: Buffer): Promise<LiveKey>;
  /** The key of this id. @throws VaultError destroyed or no-key */
  toOpen(owner: Owner, id: Buffer, subject?: Buffer): Promise<LiveKey>;
  isCurrent(owner: Owner, id: Buffer, subject?: Buffer): Promise<boolean>;
  /** A key with messages reserved for this holder alone, of a subject or of the owner; further ones are fetched while it seals. */
  hold(owner: Owner, subject?: Buffer): Promise<HeldStock>;
  /** Takes keys in that were made under a held key of the owner: they open, and seal nothing further. */
  adopt(owner: Owner, keys: readonly FreshKey[]): Promise<void>;
  /** Remembers the keys that are not at hand yet, as far as there are any. */
  prepare(owner: Owner, keys: readonly SubjectAndId[]): Promise<void>;
  /** Destroys these keys alone. */
  forget(owner: Owner, keys: readonly SubjectAndId[]): Promise<void>;
  destroy(owner: Owner, subject: Buffer): Promise<void>;
  /** Destroys every key of an organisation and lets none be made again. @returns how many keys; 0 when it was done before */
  destroyAll(organisationId: number): Promise<number>;
  /** Puts a new data key in the place of the current one, which goes on opening. @returns false when there is none */
  replaceDataKey(owner: Owner): Promise<boolean>;
  close(): void;
}

/** What of a key is at hand. */
export interface HeldStock {
  /** The key for one message, at once; undefined while none is at hand. */
  take(): LiveKey | undefined;
  close(): void;
}

export interface SubjectAndId {
  subject: Buffer;
  id: Buffer;
}

interface Stock {
  key: LiveKey;
  messages: number;
}

interface KeyHouse {
  keys: Pick<KeyRing, 'roots'>;
  postgres: Pick<Postgres, 'vault'>;
  clock: Pick<Clock, 'now' | 'monotonic' | 'after'>;
  random: Random;
}

export function openKeyStore(house: KeyHouse, limits: Budget): KeyStore {
  const { postgres, clock, random } = house;
  const wrapping = wrappingOf(house);
  /** By owner, subject and id; and by owner and subject alone, the one that seals. */
  const live = remembering<LiveKey>(clock);
  const current = remembering<LiveKey>(clock);
  /** Messages left of what was reserved here, by key id. It outlives what is remembered of the key. */
  const left = new Map<string, number>();
  const loading = new Map<string, Promise<LiveKey>>();
  /** Counts destructions: what was read before one must not be remembered after it. */
  let destroyed = 0;

  const nameOf = (owner: Owner, subject?: Buffer, id?: Buffer) =>
    `${owner} ${subject?.toString('hex') ?? ''} ${id?.toString('hex') ?? ''}`;

  async function toSeal(owner: Owner, subject?: Buffer): Promise<LiveKey> {
    const name = nameOf(owner, subject);
    for (;;) {
      const found = current.get(name) ?? (await once(name, () => loadCurrent(owner, subject)));
      if (take(found.id)) return found;
      // Its block is used up: the next one, or the next key, comes from the database.
      current.delete(name);
    }
  }

  function take(id: Buffer): boolean {
    const name = id.toString('hex');
    const messages = left.get(name) ?? 0;
    if (messages === 0) return false;
    left.set(name, messages - 1);
    return true;
  }

  /** Many callers at once ask the database once. */
  function once(name: string, load: () => Promise<LiveKey>): Promise<LiveKey> {
    const running = loading.get(name);
    if (running !== undefined) return running;
    const mine = load().finally(() => loading.delete(name));
    loading.set(name, mine);
    return mine;
  }

  async function loadCurrent(owner: Owner, subject?: Buffer): Promise<LiveKey> {
    const before = destroyed;
    const { key, reserved } =
      subject === undefined ? await currentDataKey(owner) : await currentSubjectKey(owner, subject);
    const name = key.id.toString('hex');
    const oldest = left.keys().next();
    if (left.size >= reservedMax && !oldest.done) left.delete(oldest.value);
    left.set(name, (left.get(name) ?? 0) + reserved);
    if (before === destroyed) {
      current.set(nameOf(owner, subject), key);
      live.set(nameOf(owner, subject, key.id), key);
    }
    return key;
  }

  function currentDataKey(
    owner: Owner,
    of: { block: number; isAtHand: (id: Buffer) => boolean } = {
      block: limits.ofOwner,
      isAtHand: (id) => (left.get(id.toString('hex')) ?? 0) > 0,
    },
  ): Promise<{ key: LiveKey; reserved: number }> {
    const { block } = of;
    return postgres.vault(owner, async (sql) => {
      await refuseDestroyed(sql, owner);
      for (;;) {
        const row = await sql.maybe<DataKeyRow>('SELECT id, root_id, wrapped FROM vault.owner_keys WHERE is_current');
        if (row !== undefined) {
          const key = liveKey(row.id, wrapping.dataKey(owner, row));
          if (of.isAtHand(row.id)) return { key, reserved: 0 };
          if (await reserve(sql, 'owner_keys', row.id, block)) return { key, reserved: block };
          await retire(sql, row.id);
        }
        const made = await makeDataKey(sql, owner, block);
        if (made !== undefined) return { key: made, reserved: block };
      }
    });
  }

  /** @returns undefined when another process was faster: its key is to be taken */
  async function makeDataKey(sql: Sql, owner: Owner, block = limits.ofOwner): Promise<LiveKey | undefined> {
    const made = { id: random.bytes(keyIdBytes), bytes: random.bytes(32) };
    const rootId = await wrapping.takeRoot(sql);
    const inserted = await sql.run(
      `INSERT INTO vault.owner_keys (id, organisation_id, root_id, wrapped, is_current, messages, created_at)
       VALUES ($1, current_organisation(), $2, $3, true, $4, $5)
       ON CONFLICT (organisation_id) WHERE is_current DO NOTHING`,
      [
        made.id,
        rootId,
        wrap(made.bytes, wrapping.root(rootId), dataKeyBound(owner, made.id), random.bytes(nonceBytes)),
        block,
        new Date(clock.now()),
      ],
    );
    return inserted === 1 ? liveKey(made.id, made.bytes) : undefined;
  }

  function retire(sql: Sql, id: Buffer): Promise<number> {
    return sql.run('UPDATE vault.owner_keys SET is_current = false, replaced_at = $2 WHERE id = $1 AND is_current', [
      id,
      new Date(clock.now()),
    ]);
  }

  /** Near its end a key gets no further block, and the next key takes over (CRY-11). */
  async function reserve(sql: Sql, table: 'owner_keys' | 'subject_keys', id: Buffer, block: number): Promise<boolean> {
    return (
      (await sql.run(
        `UPDATE vault.${table} SET messages = messages + $2 WHERE id = $1 AND is_current AND messages + $2 <= $3`,
        [id, block, limits.messagesMax],
      )) === 1
    );
  }

  /** @param of how many messages to reserve, whether some are left of before, and whether a key may be made */
  async function currentSubjectKey(
    owner: Owner,
    subject: Buffer,
    of: { block: number; isAtHand: (id: Buffer) => boolean; mayMake: boolean } = {
      block: limits.ofSubject,
      isAtHand: (id) => (left.get(id.toString('hex')) ?? 0) > 0,
      mayMake: true,
    },
  ): Promise<{ key: LiveKey; reserved: number }> {
    const { block } = of;
    for (;;) {
      const found = await postgres.vault(owner, async (sql) => {
        const row = await sql.maybe<SubjectKeyRow>(
          'SELECT id, wrapped, wrapped_by FROM vault.subject_keys WHERE subject = $1 AND is_current',
          [subject],
        );
        if (row === undefined && !of.mayMake) throw subjectDestroyed();
        if (row === undefined) return undefined;
        if (of.isAtHand(row.id)) return { row, reserved: 0 };
        if (await reserve(sql, 'subject_keys', row.id, block)) return { row, reserved: block };
        await sql.run('UPDATE vault.subject_keys SET is_current = false WHERE id = $1', [row.id]);
        return undefined;
      });
      if (found !== undefined)
        return { key: await unwrapSubjectKey(owner, subject, found.row), reserved: found.reserved };
      const made = await makeSubjectKey(owner, subject, block);
      if (made !== undefined) return { key: made, reserved: block };
    }
  }

  /** @returns undefined when another process was faster */
  async function makeSubjectKey(owner: Owner, subject: Buffer, block: number): Promise<LiveKey | undefined> {
    // Before the transaction: it may have to ask for a block of its own, on another connection.
    const above = await toSeal(owner);
    const made = { id: random.bytes(keyIdBytes), bytes: random.bytes(32) };
    const inserted = await postgres
      .vault(owner, (sql) =>
        sql.run(
          `INSERT INTO vault.subject_keys
           (id, organisation_id, subject, wrapped_by, wrapped, is_current, messages, created_at)
         VALUES ($1, current_organisation(), $2, $3, $4, true, $5, $6)
         ON CONFLICT (organisation_id, subject) WHERE is_current DO NOTHING`,
          [
            made.id,
            subject,
            above.id,
            wrap(made.bytes, above.key, subjectKeyBound(owner, made.id, subject), random.bytes(nonceBytes)),
            block,
            new Date(clock.now()),
          ],
        ),
      )
      .catch((error: { code?: string }) => {
        // The key above it was remembered here, and is gone.
        throw error.code === foreignKeyGone ? allDestroyed() : error;
      });
    return inserted === 1 ? liveKey(made.id, made.bytes) : undefined;
  }

  async function unwrapSubjectKey(owner: Owner, subject: Buffer, row: SubjectKeyRow): Promise<LiveKey> {
    const above = await toOpen(owner, row.wrapped_by);
    return liveKey(row.id, unwrap(row.wrapped, above.key, subjectKeyBound(owner, row.id, subject)));
  }

  async function toOpen(owner: Owner, id: Buffer, subject?: Buffer): Promise<LiveKey> {
    const name = nameOf(owner, subject, id);
    const found = live.get(name);
    if (found !== undefined) return found;
    return once(name, async () => {
      const before = destroyed;
      const key = subject === undefined ? await dataKey(owner, id) : await subjectKey(owner, id, subject);
      if (before === destroyed) live.set(name, key);
      return key;
    });
  }

  async function dataKey(owner: Owner, id: Buffer): Promise<LiveKey> {
    const row = await postgres.vault(owner, async (sql) => {
      const found = await sql.maybe<DataKeyRow>('SELECT id, root_id, wrapped FROM vault.owner_keys WHERE id = $1', [
        id,
      ]);
      if (found === undefined) await refuseDestroyed(sql, owner);
      return found;
    });
    if (row === undefined)
      throw new VaultError(
        'no-key',
        'This value was sealed under a key that the key store does not have: it belongs to another organisation, or the key store is older than the value.',
      );
    return liveKey(row.id, wrapping.dataKey(owner, row));
  }

  async function subjectKey(owner: Owner, id: Buffer, subject: Buffer): Promise<LiveKey> {
    const row = await postgres.vault(owner, (sql) =>
      sql.maybe<SubjectKeyRow>(
        'SELECT id, wrapped, wrapped_by FROM vault.subject_keys WHERE id = $1 AND subject = $2',
        [id, subject],
      ),
    );
    if (row === undefined) throw subjectDestroyed();
    return unwrapSubjectKey(owner, subject, row);
  }

  async function prepare(owner: Owner, wanted: readonly SubjectAndId[]): Promise<void> {
    const missing = new Map<string, SubjectAndId>();
    for (const one of wanted) {
      const name = nameOf(owner, one.subject, one.id);
      if (live.get(name) === undefined) missing.set(name, one);
    }
    if (missing.size === 0) return;
    const before = destroyed;
    const rows = await postgres.vault(owner, (sql) =>
      sql.query<SubjectKeyRow & { subject: Buffer }>(
        'SELECT id, subject, wrapped, wrapped_by FROM vault.subject_keys WHERE id = ANY ($1)',
        [[...missing.values()].map(({ id }) => id)],
      ),
    );
    for (const row of rows) {
      const name = nameOf(owner, row.subject, row.id);
      if (!missing.has(name)) continue;
      const key = await unwrapSubjectKey(owner, row.subject, row);
      if (before === destroyed) live.set(name, key);
    }
  }

  async function forget(owner: Owner, keys: readonly SubjectAndId[]): Promise<void> {
    if (keys.length === 0) return;
    await destroyKeys(
      postgres,
      owner,
      keys.map(({ id }) => id),
    );
    destroyed += 1;
    for (const { subject, id } of keys) live.delete(nameOf(owner, subject, id));
  }

  async function hold(owner: Owner, subject?: Buffer): Promise<HeldStock> {
    const fetchStock = async (mayMake: boolean): Promise<Stock> => {
      const of = { block: limits.ofHeld, isAtHand: () => false, mayMake };
      const { key, reserved } =
        subject === undefined ? await currentDataKey(owner, of) : await currentSubjectKey(owner, subject, of);
      return { key, messages: reserved };
    };
    let stock: Stock | undefined = await fetchStock(true);
    let next: Stock | undefined;
    let notBefore: number | undefined;
    function ask() {
      const now = clock.monotonic();
      if (next !== undefined || (notBefore !== undefined && now < notBefore)) return;
      notBefore = Number.POSITIVE_INFINITY;
      // A key that was destroyed meanwhile is not made again: whoever holds it hears of it soon, and lets go.
      void fetchStock(false).then(
        (fetched) => {
          notBefore = undefined;
          if (stock !== undefined) next = fetched;
        },
        () => {
          notBefore = clock.monotonic() + askAgainMs;
        },
      );
    }
    return {
      take() {
        if (stock === undefined) return undefined;
        if (stock.messages === 0 && next !== undefined) {
          stock = next;
          next = undefined;
        }
        if (stock.messages <= limits.ofHeld / 2) ask();
        if (stock.messages === 0) return undefined;
        stock.messages -= 1;
        return stock.key;
      },
      close() {
        stock = undefined;
        next = undefined;
      },
    };
  }

  const sweep = () => {
    live.sweep();
    current.sweep();
    stopSweeping = clock.after(sweepMs, sweep);
  };
  let stopSweeping = clock.after(sweepMs, sweep);

  return {
    toSeal,
    toOpen,
    hold,
    adopt: (owner, keys) => adoptKeys(postgres, owner, keys, clock.now()),
    prepare,
    forget,
    async isCurrent(owner, id, subject) {
      const table = subject === undefined ? 'owner_keys' : 'subject_keys';
      const row = await postgres.vault(owner, (sql) =>
        sql.maybe<{ is_current: boolean }>(`SELECT is_current FROM vault.${table} WHERE id = $1`, [id]),
      );
      return row?.is_current === true;
    },
    async destroy(owner, subject) {
      await postgres.vault(owner, (sql) => sql.run('DELETE FROM vault.subject_keys WHERE subject = $1', [subject]));
      destroyed += 1;
      current.delete(nameOf(owner, subject));
      live.deleteAll(nameOf(owner, subject));
    },
    async destroyAll(organisationId) {
      const count = await postgres.vault(organisationId, async (sql) => {
        await sql.query('SELECT pg_advisory_xact_lock($1, 0)', [destructionLock]);
        await sql.run(
          'INSERT INTO vault.destroyed_owners (organisation_id, destroyed_at) VALUES ($1, $2) ON CONFLICT DO NOTHING',
          [organisationId, new Date(clock.now())],
        );
        // Held first: a subject's key that is being made under one of them is waited for, and none is made afterwards.
        await sql.query('SELECT id FROM vault.owner_keys FOR UPDATE');
        const subjects = await sql.run('DELETE FROM vault.subject_keys');
        return subjects + (await sql.run('DELETE FROM vault.owner_keys'));
      });
      destroyed += 1;
      current.deleteAll(`${organisationId} `);
      live.deleteAll(`${organisationId} `);
      return count;
    },
    async replaceDataKey(owner) {
      const isReplaced = await postgres.vault(owner, async (sql) => {
        const row = await sql.maybe<{ id: Buffer }>('SELECT id FROM vault.owner_keys WHERE is_current FOR UPDATE');
        if (row === undefined) return false;
        await retire(sql, row.id);
        await makeDataKey(sql, owner);
        return true;
      });
      current.delete(nameOf(owner));
      return isReplaced;
    },
    close() {
      stopSweeping();
      live.clear();
      current.clear();
    },
  };
}

export interface DataKeyRow {
  id: Buffer;
  root_id: string;
  wrapped: Buffer;
}

export interface SubjectKeyRow {
  id: Buffer;
  wrapped: Buffer;
  wrapped_by: Buffer;
}

/** What concerns the roots: which one wraps, and what one has wrapped. */
export function wrappingOf({ keys, clock }: Pick<KeyHouse, 'keys'> & { clock: Pick<Clock, 'now'> }) {
  function root(id: string): Buffer {
    const key = keys.roots.wrapping(id);
    if (key !== undefined) return key;
    throw new VaultError(
      'no-root',
      `The keys of this database are wrapped under the root ${id}, which the key file here does not hold. Put the newest copy of the key file here.`,
    );
  }
  return {
    root,
    dataKey: (owner: Owner, row: DataKeyRow) => unwrap(row.wrapped, root(row.root_id), dataKeyBound(owner, row.id)),
    /** The root to wrap one key under. The row stays locked until the transaction ends, so no change of root comes between. */
    async takeRoot(sql: Sql): Promise<string> {
      for (;;) {
        const taken = await sql.maybe<{ id: string; messages: number }>(
          'UPDATE vault.roots SET messages = messages + 1 WHERE is_current AND messages < $1 RETURNING id, messages',
          [messagesMax],
        );
        if (taken !== undefined) return taken.id;
        const newest = keys.roots.ids().at(-1) as string;
        const made = await sql.run(
          `INSERT INTO vault.roots (id, is_current, first_used_at) VALUES ($1, true, $2) ON CONFLICT DO NOTHING`,
          [newest, new Date(clock.now())],
        );
        const spent = await sql.maybe('SELECT id FROM vault.roots WHERE is_current AND messages >= $1', [messagesMax]);
        if (made === 0 && spent !== undefined)
          throw new VaultError('spent', 'The root key has wrapped 2^32 keys. Run fairlead vault rotate --root.');
      }
    },
  };
}

/** Keeps each value for five minutes at most, and the newest ones of too many. */
function remembering<Value>(clock: Pick<Clock, 'monotonic'>) {
  const entries = new Map<string, { value: Value; until: number }>();
  // One iterator goes on from where it was: a new one each time steps over everything that was deleted since the map grew.
  let oldest = entries.keys();
  function dropOldest(): void {
    let next = oldest.next();
    if (next.done) {
      oldest = entries.keys();
      next = oldest.next();
    }
    if (!next.done) entries.delete(next.value);
  }
  return {
    get(name: string): Value | undefined {
      const entry = entries.get(name);
      return entry !== undefined && entry.until > clock.monotonic() ? entry.value : undefined;
    },
    set(name: string, value: Value): void {
      entries.delete(name);
      if (entries.size >= rememberedMax) dropOldest();
      entries.set(name, { value, until: clock.monotonic() + rememberedMs });
    },
    delete: (name: string) => void entries.delete(name),
    deleteAll(start: string): void {
      for (const name of entries.keys()) if (name.startsWith(start)) entries.delete(name);
    },
    clear: () => entries.clear(),
    sweep(): void {
      for (const [name, { until }] of entries) if (until <= clock.monotonic()) entries.delete(name);
    },
  };
}
