import type { CheckResult, LiveCheck } from '../platform/checks.ts';
import { repeat } from '../platform/clock.ts';
import { crashPoint } from '../platform/crash_point.ts';
import type { House } from '../platform/subject.ts';
import {
  BackupError,
  type BackupParts,
  backupDaysMax,
  copyKeys,
  listBackups,
  makeBackup,
  makeRecoveryKey,
  nameOfKey,
  removeOld,
} from '../trust/backup/index.ts';
import { goneOf } from './gone.ts';
import { version } from './version.ts';

const hourMs = 3_600_000;
/** The copy of the key store is never older than a day, also where no backup is made (CRY-08). */
const keysEveryMs = 23 * hourMs;
const lookMs = 10 * 60_000;

type Parts = Pick<House, 'config' | 'clock' | 'random' | 'log' | 'postgres' | 'warehouse' | 'keys' | 'audit'>;

interface Settings {
  public_key: Buffer | null;
  key_made_at: Date | null;
  key_made_by: number | null;
  restored_at: Date | null;
  released_at: Date | null;
}

export interface Backups {
  /** @param to another folder than the one of the settings */
  make(by: 'operator' | 'system', to?: string): Promise<Record<string, unknown>>;
  newKey(): Promise<{ key: string; name: string; made_at: string }>;
  list(to?: string): Promise<Record<string, unknown>>;
  /** Writes the copy of the key store anew: what was destroyed until now is gone for every older backup too. */
  copyKeys(by: 'operator' | 'system'): Promise<Record<string, unknown>>;
  /** Is the desk restored, and has nobody let its mail go? */
  isHeld(): Promise<boolean>;
  waiting(): Promise<Record<string, unknown>>;
  release(): Promise<boolean>;
  /** How old the newest backup is, and whether one is older than it may be. */
  checks: readonly LiveCheck[];
  /** Makes what is due by the clock. */
  tick(): Promise<void>;
}

function noKey(): BackupError {
  return new BackupError('There is no recovery key yet. Make one with fairlead backup new-key, and write it down.');
}

/** One that is made each day is a day old at most; two hours are for a run that takes long, or begins late. */
const lateMs = 26 * hourMs;

function ageOf(files: readonly { atMs: number }[], hasKey: boolean, now: number): CheckResult {
  const oldest = files.at(-1);
  if (oldest !== undefined && now - oldest.atMs > backupDaysMax * 24 * hourMs + lateMs)
    return {
      state: 'wrong',
      fact: `a backup is older than ${backupDaysMax} days`,
      todo: 'Remove it, here and where it was copied to, and look why no newer one was made',
    };
  if (!hasKey)
    return {
      state: 'look',
      fact: 'no backup is made: there is no recovery key',
      todo: 'Run fairlead backup new-key, and write the key down',
    };
  const newest = files[0];
  if (newest === undefined || now - newest.atMs > lateMs)
    return {
      state: 'wrong',
      fact:
        newest === undefined
          ? 'there is no backup'
          : `the newest backup is ${Math.floor((now - newest.atMs) / hourMs)} hours old`,
      todo: 'Run fairlead backup, and look at fairlead backup list for why the last one failed',
    };
  return {
    state: 'ok',
    fact: `${files.length} backups, the newest ${Math.floor((now - newest.atMs) / hourMs)} hours old`,
  };
}

/** Backups of a running desk, one at a time: by hand, by the clock, and what became of them. */
export function openBackups(house: Parts): Backups {
  const { config, clock, random, log, postgres, audit } = house;
  const parts: BackupParts = { house, version, gone: goneOf(house.keys) };
  const settings = config.backup ?? { folder: `${config.dataDir}-backups`, hour: undefined, days: 14 };
  let running: Promise<unknown> | undefined;

  const read = () =>
    postgres.system((sql) =>
      sql.one<Settings>('SELECT public_key, key_made_at, key_made_by, restored_at, released_at FROM backup_settings'),
    );

  async function newKey() {
    const made = makeRecoveryKey(random);
    const at = new Date(clock.now());
    await postgres.system(async (sql) => {
      await sql.run('UPDATE backup_settings SET public_key = $1, key_made_at = $2, key_made_by = NULL', [
        made.publicKey,
        at,
      ]);
      await audit.record(sql, 'desk', { action: 'backup.key_made', actor: { type: 'operator' } });
    });
    return { key: made.text, name: nameOfKey(made.publicKey), made_at: at.toISOString() };
  }

  /** One at a time: a second would read and write the same disk at once, and both would be late. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    if (running !== undefined)
      throw new BackupError('A backup is being made already. Wait until it is done, then look at the list.');
    const mine = work();
    running = mine;
    try {
      return await mine;
    } finally {
      running = undefined;
    }
  }

  async function note(kind: 'whole' | 'keys', folder: string, key: Buffer): Promise<number> {
    const { id } = await postgres.system((sql) =>
      sql.one<{ id: number }>(
        "INSERT INTO backups (began_at, state, kind, file, key_name) VALUES ($1, 'running', $2, $3, $4) RETURNING id",
        [new Date(clock.now()), kind, folder, nameOfKey(key)],
      ),
    );
    return id;
  }

  async function failed(id: number, by: 'operator' | 'system', error: unknown): Promise<void> {
    const problem = error instanceof BackupError ? error.message : 'It failed by a fault of the desk: look at its log.';
    await postgres.system(async (sql) => {
      await sql.run("UPDATE backups SET state = 'failed', ended_at = $2, problem = $3 WHERE id = $1", [
        id,
        new Date(clock.now()),
        problem.slice(0, 1000),
      ]);
      await audit.record(sql, 'desk', { action: 'backup.failed', outcome: 'failed', actor: { type: by } });
    });
  }

  async function make(by: 'operator' | 'system', to?: string) {
    return alone(async () => {
      const { public_key: key } = await read();
      if (key === null) throw noKey();
      const folder = to ?? settings.folder;
      const id = await note('whole', folder, key);
      try {
        const made = await makeBackup(parts, folder, key);
        crashPoint('backup.kept');
        const now = new Date(clock.now());
        await postgres.system(async (sql) => {
          await sql.run(
            "UPDATE backups SET state = 'done', ended_at = $2, file = $3, bytes = $4, entries = $5, verified_at = $2 WHERE id = $1",
            [id, now, made.file, made.bytes, made.entries],
          );
          await sql.run("DELETE FROM backups WHERE began_at < $1::timestamptz - interval '12 months'", [now]);
          await audit.record(sql, 'desk', {
            action: 'backup.made',
            actor: { type: by },
            targets: [{ type: 'backup', id }],
            details: { bytes: made.bytes },
          });
        });
        const gone = await removeOld(folder, settings.days, clock);
        for (const file of gone)
          await postgres.system((sql) => sql.run("UPDATE backups SET state = 'removed' WHERE file = $1", [file]));
        log.info('backup.made', { bytes: made.bytes, rows: made.rows });
        return { ...made, removed: gone };
      } catch (error) {
        await failed(id, by, error);
        throw error;
      }
    });
  }

  async function keysAnew(by: 'operator' | 'system') {
    return alone(async () => {
      const { public_key: key } = await read();
      if (key === null) throw noKey();
      const id = await note('keys', settings.folder, key);
      try {
        const { bytes } = await copyKeys(parts, settings.folder, key);
        await postgres.system((sql) =>
          sql.run("UPDATE backups SET state = 'done', ended_at = $2, bytes = $3, verified_at = $2 WHERE id = $1", [
            id,
            new Date(clock.now()),
            bytes,
          ]),
        );
        return { bytes };
      } catch (error) {
        await failed(id, by, error);
        throw error;
      }
    });
  }

  async function isHeld(): Promise<boolean> {
    const { restored_at, released_at } = await read();
    return restored_at !== null && released_at === null;
  }

  return {
    make,
    newKey,
    copyKeys: keysAnew,
    checks: [
      {
        ...{ id: 'backup-age', what: 'age of the backups', proves: ['RET-18'], every: 'day', audience: 'operator' },
        run: async () => ageOf(await listBackups(settings.folder), (await read()).public_key !== null, clock.now()),
      },
    ],
    isHeld,
    async list(to) {
      const { public_key, key_made_at, restored_at, released_at } = await read();
      const past = await postgres.system((sql) =>
        sql.query<object>(
          'SELECT id, began_at, ended_at, state, kind, file, bytes, entries, key_name, verified_at, problem FROM backups ORDER BY id DESC LIMIT 50',
        ),
      );
      const files = await listBackups(to ?? settings.folder);
      return {
        ...{ folder: to ?? settings.folder, hour: settings.hour ?? null, days: settings.days },
        recovery_key: public_key === null ? null : { name: nameOfKey(public_key), made_at: key_made_at },
        files: files.map(({ file, atMs, bytes }) => ({ file, made_at: new Date(atMs).toISOString(), bytes })),
        runs: past,
        ...{ restored_at, released_at },
      };
    },
    async waiting() {
      const waiting = await postgres.mail((sql) =>
        sql.query<{ template: string; kind: string; messages: number; oldest: Date }>(
          `SELECT template, kind, count(*)::int AS messages, min(created_at) AS oldest FROM mail.messages
           WHERE state = 'waiting' GROUP BY template, kind ORDER BY template, kind`,
        ),
      );
      return { is_held: await isHeld(), mail: waiting };
    },
    async release() {
      return postgres.system(async (sql) => {
        const released = await sql.run(
          'UPDATE backup_settings SET released_at = $1 WHERE restored_at IS NOT NULL AND released_at IS NULL',
          [new Date(clock.now())],
        );
        if (released === 0) return false;
        await audit.record(sql, 'desk', { action: 'backup.released', actor: { type: 'operator' } });
        return true;
      });
    },
    async tick() {
      const { public_key: key } = await read();
      if (key === null || settings.hour === undefined || running !== undefined) return;
      const now = clock.now();
      const day = 24 * hourMs;
      const sinceMidnight = now % day;
      const hourToday = now - sinceMidnight + settings.hour * hourMs;
      const dueSince = hourToday <= now ? hourToday : hourToday - day;
      const last = await postgres.system((sql) =>
        sql.one<{ whole: Date | null; keys: Date | null }>(
          `SELECT max(began_at) FILTER (WHERE kind = 'whole') AS whole, max(began_at) FILTER (WHERE state = 'done') AS keys FROM backups`,
        ),
      );
      if (last.whole === null || last.whole.getTime() < dueSince) {
        await make('system').catch((error) => log.error('backup.failed', {}, error));
        return;
      }
      // A backup writes the copy of the keys too. One that failed leaves the keys to be copied alone.
      if (last.keys !== null && now - last.keys.getTime() < keysEveryMs) return;
      await keysAnew('system').catch((error) => log.error('backup.failed', {}, error));
    },
  };
}

/** Looks every ten minutes whether a backup is due, once the desk has begun. @returns the way to call it off */
export function scheduleBackups(desk: {
  house: Pick<House, 'config' | 'clock' | 'log'>;
  backups: Backups;
  hasBegun(): boolean;
}): () => void {
  const { config, clock, log } = desk.house;
  if (config.role !== 'all' || config.demo) return () => {};
  return repeat(clock, lookMs, async () => (desk.hasBegun() ? desk.backups.tick() : undefined), {
    onError: (error) => log.error('backup.look_failed', {}, error),
  });
}
