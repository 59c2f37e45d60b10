import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { BackupRun, BackupState, MadeRecoveryKey } from '../../contract/backups.ts';
import type { Act } from '../platform/audit.ts';
import type { CheckResult, LiveCheck } from '../platform/checks.ts';
import { repeat } from '../platform/clock.ts';
import { crashPoint } from '../platform/crash_point.ts';
import { everywhere } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import {
  BackupError,
  type BackupParts,
  backupDaysMax,
  backupsAmong,
  copyKeys,
  keysName,
  listBackups,
  makeBackup,
  makeRecoveryKey,
  nameOfKey,
  notOurs,
  openObjectStore,
  removeOld,
  removeOldObjects,
} from '../trust/backup/index.ts';
import { goneOf } from './gone.ts';
import { version } from './version.ts';

const hourMs = 3_600_000;
/** The copy of the key store is never older than a day, also where no backup is made (CRY-08). */
const keysEveryMs = 23 * hourMs;
const lookMs = 10 * 60_000;
const againMs = hourMs;
/** Runs that are shown. */
const shownRuns = 50;

/** Who asked for it. */
export type By = Pick<Act, 'actor' | 'request'>;
/** Whoever is at the machine. */
export const byOperator: By = { actor: { type: 'operator' } };
const bySchedule: By = { actor: { type: 'system' } };

type Parts = Pick<
  House,
  'config' | 'clock' | 'random' | 'log' | 'postgres' | 'warehouse' | 'keys' | 'audit' | 'outbound'
>;

interface Settings {
  public_key: Buffer | null;
  key_made_at: Date | null;
  key_made_by: number | null;
  restored_at: Date | null;
  released_at: Date | null;
}

type Run = Pick<
  BackupRun,
  'id' | 'state' | 'kind' | 'bytes' | 'key_name' | 'problem' | 'remote_state' | 'remote_problem'
> & {
  began_at: Date;
  ended_at: Date | null;
  file: string;
  entries: number | null;
  verified_at: Date | null;
};
/** What is said of a run that nobody ended. */
const cutShort = { state: 'failed', problem: 'It was cut short: the desk stopped meanwhile.' } as const;

const cutShortThere = { remote_state: 'failed', remote_problem: cutShort.problem } as const;

/** What waits for one destination. */
interface HeldConversions {
  destination: string;
  kind: string;
  conversions: number;
  oldest: Date;
}

export interface Backups {
  /** @param to another folder than the one of the settings */
  make(by: By, to?: string): Promise<Record<string, unknown>>;
  /** Begins one and does not wait for it. @throws BackupError where none can be begun */
  begin(by: By): Promise<void>;
  newKey(by: By): Promise<MadeRecoveryKey>;
  list(to?: string): Promise<Record<string, unknown>>;
  /** What the page shows. */
  state(): Promise<BackupState>;
  /** Writes the copy of the key store anew: what was destroyed until now is gone for every older backup too. */
  copyKeys(by: By): Promise<Record<string, unknown>>;
  /** The same where there is a key, after somebody was erased; a failure is noted with the runs and does not stop them. */
  forgetErased(): Promise<void>;
  /** Is the desk restored, and has nobody let it go on? */
  isHeld(): Promise<boolean>;
  waiting(): Promise<Record<string, unknown>>;
  release(by: By): Promise<boolean>;
  /** How old the newest backup is, and whether one is older than it may be. */
  checks: readonly LiveCheck[];
  /** Makes what is due by the clock. */
  tick(): Promise<void>;
}

function noKey(): BackupError {
  return new BackupError('There is no recovery key yet. Make one with fairlead backup new-key, and write it down.');
}

function problemOf(error: unknown): string {
  return error instanceof BackupError ? error.message : 'It failed by a fault of the desk: look at its log.';
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
export function openBackups(
  house: Parts,
  /** Called with the reason when one that nobody asked for failed. */
  onFailed: (problem: string) => Promise<void>,
): Backups {
  const { config, clock, random, log, postgres, audit } = house;
  const parts: BackupParts = { house, version, gone: goneOf(house.keys) };
  const settings = config.backup ?? {
    folder: `${config.dataDir}-backups`,
    hour: undefined,
    days: 14,
    store: undefined,
  };
  const store = settings.store && openObjectStore(settings.store, house);
  const isOurs = house.warehouse.mode === 'embedded' && postgres.mode === 'embedded';
  let running: Promise<unknown> | undefined;

  const read = () =>
    postgres.system((sql) =>
      sql.one<Settings>('SELECT public_key, key_made_at, key_made_by, restored_at, released_at FROM backup_settings'),
    );

  async function newKey(by: By) {
    const made = makeRecoveryKey(random);
    const at = new Date(clock.now());
    await postgres.system(async (sql) => {
      await sql.run('UPDATE backup_settings SET public_key = $1, key_made_at = $2, key_made_by = $3', [
        ...[made.publicKey, at],
        by.actor.type === 'person' ? by.actor.id : null,
      ]);
      await audit.record(sql, 'desk', { action: 'backup.key_made', ...by });
    });
    return { key: made.text, name: nameOfKey(made.publicKey), made_at: at.toISOString() };
  }

  function refuseSecond(): void {
    if (running !== undefined)
      throw new BackupError('A backup is being made already. Wait until it is done, then look at the list.');
  }

  /** One at a time: a second would read and write the same disk at once, and both would be late. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    refuseSecond();
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

  async function failed(id: number, by: By, error: unknown): Promise<void> {
    const problem = problemOf(error);
    await postgres.system(async (sql) => {
      await sql.run("UPDATE backups SET state = 'failed', ended_at = $2, problem = $3 WHERE id = $1", [
        id,
        new Date(clock.now()),
        problem.slice(0, 1000),
      ]);
      await audit.record(sql, 'desk', { action: 'backup.failed', outcome: 'failed', ...by });
    });
    if (by === bySchedule) await onFailed(problem);
  }

  /**
   * Sends what a run has made to the object store, the keys first: a restore refuses a backup that is newer than they are.
   * The run itself is done by then, whatever comes of this.
   */
  async function send(id: number, files: readonly string[], by: By): Promise<void> {
    if (store === undefined) return;
    const end = (state: 'sending' | 'done' | 'failed', problem: string | null) =>
      postgres.system((sql) =>
        sql.run('UPDATE backups SET remote_state = $2, remote_tried_at = $3, remote_problem = $4 WHERE id = $1', [
          ...[id, state, new Date(clock.now()), problem],
        ]),
      );
    try {
      await end('sending', null);
      for (const file of files) {
        await store.put(basename(file), file);
        crashPoint('backup.sent');
      }
      for (const name of await removeOldObjects(store, settings.days, clock))
        await postgres.system((sql) =>
          sql.run(
            "UPDATE backups SET remote_state = 'removed' WHERE remote_state = 'done' AND right(file, length($1)) = $1",
            [`/${name}`],
          ),
        );
      await end('done', null);
    } catch (error) {
      log.error('backup.not_sent', {}, error);
      const problem = problemOf(error).slice(0, 1000);
      await end('failed', problem);
      await postgres.system((sql) => audit.record(sql, 'desk', { action: 'backup.failed', outcome: 'failed', ...by }));
      if (by === bySchedule) await onFailed(problem);
    }
  }

  async function make(by: By, to?: string) {
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
          await audit.record(sql, 'desk', {
            action: 'backup.made',
            ...by,
            targets: [{ type: 'backup', id }],
            details: { bytes: made.bytes },
          });
        });
        const gone = await removeOld(folder, settings.days, clock);
        for (const file of gone)
          await postgres.system((sql) => sql.run("UPDATE backups SET state = 'removed' WHERE file = $1", [file]));
        log.info('backup.made', { bytes: made.bytes, rows: made.rows });
        // A folder that somebody names for once is a copy of its own.
        if (to === undefined) await send(id, [join(folder, keysName), made.file], by);
        return { ...made, removed: gone };
      } catch (error) {
        await failed(id, by, error);
        throw error;
      }
    });
  }

  async function keysAnew(by: By) {
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
        await send(id, [join(settings.folder, keysName)], by);
        return { bytes };
      } catch (error) {
        await failed(id, by, error);
        throw error;
      }
    });
  }

  /** What did not come to the object store is sent again after an hour, as long as it lies here and is the newest. */
  async function sendAgain(now: number): Promise<boolean> {
    if (store === undefined) return false;
    const [last] = await postgres.system((sql) =>
      sql.query<{ id: number; file: string; remote_state: string | null; remote_tried_at: Date | null }>(
        "SELECT id, file, remote_state, remote_tried_at FROM backups WHERE kind = 'whole' AND state = 'done' ORDER BY id DESC LIMIT 1",
      ),
    );
    if (last === undefined || last.remote_state === 'done' || !existsSync(last.file)) return false;
    if (dirname(last.file) !== settings.folder) return false;
    if (last.remote_tried_at !== null && now - last.remote_tried_at.getTime() < againMs) return false;
    await alone(() => send(last.id, [join(settings.folder, keysName), last.file], bySchedule));
    return true;
  }

  const runsOf = () =>
    postgres.system((sql) =>
      sql.query<Run>(
        'SELECT id, began_at, ended_at, state, kind, file, bytes, entries, key_name, verified_at, problem, remote_state, remote_problem FROM backups ORDER BY id DESC LIMIT $1',
        [shownRuns],
      ),
    );

  const heldMail = () =>
    postgres.mail((sql) =>
      sql.query<{ template: string; kind: string; messages: number; oldest: Date }>(
        `SELECT template, kind, count(*)::int AS messages, min(created_at) AS oldest FROM mail.messages
         WHERE state = 'waiting' GROUP BY template, kind ORDER BY template, kind`,
      ),
    );

  const heldConversions = () =>
    everywhere(postgres, (sql) =>
      sql.query<HeldConversions>(
        `SELECT o.name AS destination, o.kind, count(*)::int AS conversions, min(d.created_at) AS oldest
         FROM relay_deliveries d JOIN relay_destinations o ON o.id = d.destination_id
         WHERE d.state IN ('waiting', 'sending') GROUP BY o.id, o.name, o.kind ORDER BY o.id`,
      ),
    );

  const holds = ({ restored_at, released_at }: Pick<Settings, 'restored_at' | 'released_at'>) =>
    restored_at !== null && released_at === null;
  const isHeld = async () => holds(await read());

  return {
    make,
    newKey,
    copyKeys: keysAnew,
    async forgetErased() {
      if ((await read()).public_key === null) return;
      await keysAnew({ actor: { type: 'system' } }).catch((error) => log.error('backup.keys_not_copied', {}, error));
    },
    checks: [
      {
        ...{ id: 'backup-age', what: 'age of the backups', proves: ['RET-18'], every: 'day', audience: 'operator' },
        run: async () => ageOf(await listBackups(settings.folder), (await read()).public_key !== null, clock.now()),
      },
      ...(store === undefined
        ? []
        : [
            {
              ...{ id: 'backup-store', what: 'age of the copies in the object store', proves: ['RET-18'] },
              ...({ every: 'day', audience: 'operator' } as const),
              run: async () => {
                const hasKey = (await read()).public_key !== null;
                // Whoever cannot ask does not know.
                return store.list().then(
                  (objects) => ageOf(backupsAmong(objects), hasKey, clock.now()),
                  (error): CheckResult => ({
                    state: 'wrong',
                    fact: problemOf(error),
                    todo: 'Look at FAIRLEAD_BACKUP_S3_URL and its key',
                  }),
                );
              },
            },
          ]),
    ],
    isHeld,
    async list(to) {
      const { public_key, key_made_at, restored_at, released_at } = await read();
      const past = await runsOf();
      const files = await listBackups(to ?? settings.folder);
      return {
        ...{ folder: to ?? settings.folder, store: store?.place ?? null },
        ...{ hour: settings.hour ?? null, days: settings.days },
        recovery_key: public_key === null ? null : { name: nameOfKey(public_key), made_at: key_made_at },
        files: files.map(({ file, atMs, bytes }) => ({ file, made_at: new Date(atMs).toISOString(), bytes })),
        runs: past,
        ...{ restored_at, released_at },
      };
    },
    async waiting() {
      return { is_held: await isHeld(), mail: await heldMail(), conversions: await heldConversions() };
    },
    async begin(by) {
      if ((await read()).public_key === null) throw noKey();
      if (!isOurs) throw new BackupError(notOurs);
      refuseSecond();
      void make(by).catch((error) => log.error('backup.failed', {}, error));
    },
    async state() {
      const [{ public_key, key_made_at, restored_at, released_at }, runs, files] = await Promise.all([
        read(),
        runsOf(),
        listBackups(settings.folder),
      ]);
      const text = (at: Date | null) => at?.toISOString() ?? null;
      const held = holds({ restored_at, released_at }) ? await heldMail() : [];
      return {
        ...{ is_ours: isOurs, folder: settings.folder, hour: settings.hour ?? null, days: settings.days },
        store: store?.place ?? null,
        recovery_key:
          public_key === null || key_made_at === null
            ? null
            : { name: nameOfKey(public_key), made_at: key_made_at.toISOString() },
        files: files.map(({ file, atMs, bytes }) => ({
          ...{ file: basename(file), bytes },
          made_at: new Date(atMs).toISOString(),
        })),
        runs: runs.map(({ file: _file, entries: _entries, ...run }) => ({
          ...run,
          ...(run.state === 'running' && running === undefined ? cutShort : {}),
          ...(run.remote_state === 'sending' && running === undefined ? cutShortThere : {}),
          ...{ began_at: run.began_at.toISOString(), ended_at: text(run.ended_at), verified_at: text(run.verified_at) },
        })),
        is_running: running !== undefined,
        ...{ restored_at: text(restored_at), released_at: text(released_at) },
        held: held.map(({ template, messages, oldest }) => ({ template, messages, oldest: oldest.toISOString() })),
      };
    },
    async release(by) {
      return postgres.system(async (sql) => {
        const released = await sql.run(
          'UPDATE backup_settings SET released_at = $1 WHERE restored_at IS NOT NULL AND released_at IS NULL',
          [new Date(clock.now())],
        );
        if (released === 0) return false;
        await audit.record(sql, 'desk', { action: 'backup.released', ...by });
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
        sql.one<Record<'whole' | 'tried' | 'keys' | 'keys_tried', Date | null>>(
          `SELECT max(began_at) FILTER (WHERE kind = 'whole' AND state IN ('done', 'removed')) AS whole,
             max(began_at) FILTER (WHERE kind = 'whole') AS tried,
             max(began_at) FILTER (WHERE state IN ('done', 'removed')) AS keys,
             max(began_at) AS keys_tried
           FROM backups`,
        ),
      );
      const isDue = last.whole === null || last.whole.getTime() < dueSince;
      // What failed is tried again after an hour: the disk may have room by then.
      const rests = (tried: Date | null) => tried !== null && now - tried.getTime() < againMs;
      if (isDue && (last.tried === null || last.tried.getTime() < dueSince || !rests(last.tried))) {
        await make(bySchedule).catch((error) => log.error('backup.failed', {}, error));
        return;
      }
      if (await sendAgain(now)) return;
      // A backup writes the copy of the keys too. One that failed leaves the keys to be copied alone.
      if ((last.keys !== null && now - last.keys.getTime() < keysEveryMs) || rests(last.keys_tried)) return;
      await keysAnew(bySchedule).catch((error) => log.error('backup.failed', {}, error));
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
