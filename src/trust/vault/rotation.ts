import type { Clock } from '../../platform/clock.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import type { Postgres } from '../../platform/postgres/index.ts';
import type { Random } from '../../platform/random.ts';
import type { Owner } from '../../platform/vault.ts';
import { type KeptKeyRing, KeyFileError } from '../keys/index.ts';
import { dataKeyBound, nonceBytes, subjectKeyBound, unwrap, wrap } from './cipher.ts';
import { type DataKeyRow, type KeyStore, type SubjectKeyRow, wrappingOf } from './key_store.ts';

/** Keys wrapped anew in one transaction: short enough that nobody who seals waits for it. */
const batchMax = 200;

/** Changes keys while everything goes on; each step is durable by itself, so an ended run is taken up by the next one. */
export interface VaultKeeper {
  roots(): Promise<RootState[]>;
  /** Puts a further root into the key file and uses it for nothing yet. @returns its id */
  prepareRoot(): Promise<string>;
  /**
   * Wraps the key of every organisation under the newest root of the key file, which is made when the newest is in use
   * already. The data keys stay, so no stored value is touched.
   * @param say is told how many keys are wrapped anew so far
   */
  rotateRoot(say: (keys: number) => void): Promise<{ root: string; keys: number }>;
  /** Takes a root out that wraps nothing. @throws KeyFileError with the reason why it has to stay */
  forgetRoot(id: string): Promise<void>;
  /**
   * A new data key for one owner, and its subjects' keys wrapped under it. What was sealed before opens as before.
   * @returns how many subjects' keys were wrapped anew; undefined when the owner has no key
   */
  rotateData(owner: Owner): Promise<number | undefined>;
}

export interface RootState {
  id: string;
  /** `current` wraps new keys; `first` is what passwords and digests come from; `prepared` was used for nothing yet. */
  uses: ('current' | 'first' | 'prepared')[];
  /** How many organisations have a key under it, the desk counted as one. */
  owners: number;
}

export function openKeeper(house: {
  keys: KeptKeyRing;
  postgres: Pick<Postgres, 'vault' | 'system'>;
  clock: Pick<Clock, 'now'>;
  random: Random;
  store: KeyStore;
  /** Several processes with a copy of the key file each: a root must be in all copies before it is used. */
  isShared: boolean;
}): VaultKeeper {
  const { keys, postgres, clock, random, store } = house;
  const wrapping = wrappingOf(house);

  const knownRoots = () =>
    postgres.vault('desk', (sql) =>
      sql.query<{ id: string; is_current: boolean }>('SELECT id, is_current FROM vault.roots ORDER BY first_used_at'),
    );
  const ownersOf = async (root: string): Promise<Owner[]> =>
    (
      await postgres.system((sql) =>
        sql.query<{ organisation_id: number | null }>('SELECT * FROM lookup.owners_of_root($1)', [root]),
      )
    ).map(({ organisation_id }) => organisation_id ?? 'desk');

  async function rootToUse(): Promise<string> {
    const known = await knownRoots();
    const newest = keys.roots.ids().at(-1) as string;
    const isInUse = known.length === 0 || known.find((root) => root.is_current)?.id === newest;
    if (!isInUse) return newest;
    for (const { id } of known.filter((root) => !root.is_current)) if ((await ownersOf(id)).length > 0) return newest;
    if (house.isShared)
      throw new KeyFileError(
        'Several processes may share this database, and a new root must lie in the key file of each before it is used. Run fairlead vault rotate --root --prepare, copy the key file to every machine, then run this again. Nothing was changed.',
      );
    return keys.addRoot(random);
  }

  async function wrapAnew(owner: Owner, root: string): Promise<number> {
    return postgres.vault(owner, async (sql) => {
      const rows = await sql.query<DataKeyRow>(
        `SELECT id, root_id, wrapped FROM vault.owner_keys WHERE root_id <> $1 ORDER BY id LIMIT ${batchMax} FOR UPDATE`,
        [root],
      );
      for (const row of rows) {
        const key = wrapping.dataKey(owner, row);
        const under = await wrapping.takeRoot(sql);
        await sql.run('UPDATE vault.owner_keys SET root_id = $2, wrapped = $3 WHERE id = $1', [
          row.id,
          under,
          wrap(key, wrapping.root(under), dataKeyBound(owner, row.id), random.bytes(nonceBytes)),
        ]);
      }
      return rows.length;
    });
  }

  async function wrapSubjectsAnew(owner: Owner): Promise<number> {
    let count = 0;
    for (;;) {
      const above = await store.toSeal(owner);
      const rows = await postgres.vault(owner, (sql) =>
        sql.query<SubjectKeyRow & { subject: Buffer }>(
          `SELECT id, subject, wrapped, wrapped_by FROM vault.subject_keys WHERE wrapped_by <> $1 LIMIT ${batchMax}`,
          [above.id],
        ),
      );
      if (rows.length === 0) return count;
      const changes: [Buffer, Buffer, Buffer, Buffer][] = [];
      for (const { id, subject, wrapped, wrapped_by } of rows) {
        const bound = subjectKeyBound(owner, id, subject);
        const key = unwrap(wrapped, (await store.toOpen(owner, wrapped_by)).key, bound);
        const next = await store.toSeal(owner);
        changes.push([id, wrapped_by, next.id, wrap(key, next.key, bound, random.bytes(nonceBytes))]);
      }
      // One that was destroyed meanwhile is not there to be changed.
      await postgres.vault(owner, async (sql) => {
        for (const change of changes)
          await sql.run(
            'UPDATE vault.subject_keys SET wrapped_by = $3, wrapped = $4 WHERE id = $1 AND wrapped_by = $2',
            change,
          );
      });
      crashPoint('vault.subjects');
      count += rows.length;
    }
  }

  return {
    async roots() {
      const known = await knownRoots();
      const ids = new Set([...keys.roots.ids(), ...known.map(({ id }) => id)]);
      const states: RootState[] = [];
      for (const id of ids) {
        const row = known.find((root) => root.id === id);
        const uses: RootState['uses'] = [];
        if (id === keys.fingerprint) uses.push('first');
        if (row?.is_current === true) uses.push('current');
        if (row === undefined && id !== keys.fingerprint) uses.push('prepared');
        states.push({ id, uses, owners: (await ownersOf(id)).length });
      }
      return states;
    },
    prepareRoot: async () => keys.addRoot(random),
    async rotateRoot(say) {
      const root = await rootToUse();
      crashPoint('vault.prepared');
      await postgres.vault('desk', async (sql) => {
        await sql.run('UPDATE vault.roots SET is_current = false WHERE is_current AND id <> $1', [root]);
        await sql.run(
          `INSERT INTO vault.roots (id, is_current, first_used_at) VALUES ($1, true, $2)
           ON CONFLICT (id) DO UPDATE SET is_current = true`,
          [root, new Date(clock.now())],
        );
      });
      crashPoint('vault.current');
      let count = 0;
      for (const { id } of await knownRoots()) {
        if (id === root) continue;
        for (const owner of await ownersOf(id))
          for (;;) {
            const wrapped = await wrapAnew(owner, root);
            if (wrapped === 0) break;
            crashPoint('vault.wrapped');
            count += wrapped;
            say(count);
          }
      }
      return { root, keys: count };
    },
    async forgetRoot(id) {
      const known = await knownRoots();
      const stays = (reason: string) => new KeyFileError(`The root ${id} ${reason}. Nothing was changed.`);
      if (!keys.roots.ids().includes(id)) throw stays('is not in the key file');
      if (id === keys.fingerprint) throw stays('stays: passwords, sessions and digests are derived from it');
      if (known.some((root) => root.id === id && root.is_current))
        throw stays('is the one that wraps keys. Run fairlead vault rotate --root first');
      const owners = (await ownersOf(id)).length;
      if (owners > 0)
        throw stays(`still wraps keys of ${owners} organisations. Run fairlead vault rotate --root first`);
      await postgres.vault('desk', (sql) => sql.run('DELETE FROM vault.roots WHERE id = $1', [id]));
      keys.dropRoot(id);
    },
    async rotateData(owner) {
      const isThere = await store.replaceDataKey(owner);
      crashPoint('vault.replaced');
      return isThere ? wrapSubjectsAnew(owner) : undefined;
    },
  };
}

/**
 * Asked at every start: a copy of the key file from before a change of root would let the desk start, and open nothing.
 * @throws KeyFileError
 */
export async function refuseMissingRoots(house: {
  keys: KeptKeyRing;
  postgres: Pick<Postgres, 'vault'>;
  /** The key file or the variable, as a sentence names it. */
  keyName: string;
}): Promise<void> {
  const rows = await house.postgres.vault('desk', (sql) => sql.query<{ id: string }>('SELECT id FROM vault.roots'));
  const missing = rows.find(({ id }) => house.keys.roots.wrapping(id) === undefined);
  if (missing === undefined) return;
  throw new KeyFileError(
    `The keys of this database are wrapped under the root ${missing.id}, which ${house.keyName} does not hold: it is an older copy. Put the newest copy of the key there. Nothing was changed.`,
  );
}
