import { createReadStream, existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import { diskOf, gigabytes, keptFreeBytes } from '../../platform/disk.ts';
import type { Snapshot } from '../../platform/postgres/index.ts';
import { makePrivateFolder, syncFolder } from '../../platform/private_file.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';
import { carriedPurposes } from '../keys/index.ts';
import { copyOfKeys } from '../vault/index.ts';
import { BackupError } from './backup_error.ts';
import { keysName, type Manifest, notCopied, openTally, walk, wholeName } from './contents.ts';
import type { ObjectStore, StoredObject } from './object_store.ts';
import { openSealedWriter, type SealedWriter } from './sealed_file.ts';

/** Name of the engine's own copy by hard links, while a backup is made. */
const frozenName = 'fairlead_backup';
/** Backups older than this do not exist, whatever is set (R1, RET-18). */
export const backupDaysMax = 30;

/** Said where a database is no part of the desk. */
export const notOurs =
  'This desk uses a PostgreSQL or ClickHouse server of its own, and fairlead backup copies the built-in ones. Back those servers up with their own tools, and keep a copy of the key file.';

/** What became of people, sites and organisations that are no more, as keyed digests. */
export interface Gone {
  /** Of the kind and number. */
  digest: string;
  /** Of something that was emptied and goes on: what is older than this goes. */
  before?: string;
  /** A restriction that has ended since, after whoever it was about was told. */
  lifted?: Record<'began_at' | 'told_how' | 'told_at' | 'lifts_at' | 'ended_at', string> & { organisation: number };
  /** Somebody whose data is kept and not used, as the digests of what they are known by: that is in force once more. */
  restricted?: {
    organisation: number;
    kind: 'restriction' | 'objection';
    received_on: string;
    due_on: string;
    began_at: string;
    known_by: { kind: string; digest: string; mail: string | null }[];
  };
  /** Somebody whose data was erased, as the digests of one thing that they were known by: it is erased once more. */
  erased?: {
    run: number;
    organisation: number;
    kind: string;
    digest: string;
    account: string | null;
    mail: string | null;
  };
}

export interface BackupParts {
  house: Pick<House, 'config' | 'clock' | 'random' | 'postgres' | 'warehouse' | 'keys'>;
  version: string;
  /** What is gone at the moment of the snapshot. */
  gone(snapshot: Pick<Snapshot, 'query'>): Promise<Gone[]>;
}

export interface MadeBackup {
  file: string;
  made_at: string;
  bytes: number;
  entries: number;
  digest: string;
  rows: number;
  /** Bytes of the warehouse's files. */
  file_bytes: number;
}

/**
 * Copies both databases as they stand at one moment, and the key store beside them, into sealed files of a folder. Each is
 * written under another name, read back whole, and only then called a backup.
 * @throws BackupError
 */
export async function makeBackup(parts: BackupParts, folder: string, recipient: Buffer): Promise<MadeBackup> {
  const { house } = parts;
  if (house.warehouse.mode !== 'embedded' || house.postgres.mode !== 'embedded') throw new BackupError(notOurs);
  await readyFolder(house.config.dataDir, folder);
  const { total } = await house.warehouse.diskBytes();
  const { freeBytes } = diskOf(folder);
  if (freeBytes < total + keptFreeBytes)
    throw new BackupError(
      `The disk of ${folder} has ${gigabytes(freeBytes)} free, and a backup may take ${gigabytes(total)} and leaves ${gigabytes(keptFreeBytes)} to the events. Make room, or name another folder. Nothing was written.`,
    );
  const made = new Date(house.clock.now()).toISOString();
  const file = join(folder, `fairlead-${made.slice(0, 19).replace(/[-:]/g, '')}Z.backup`);
  if (existsSync(file)) throw new BackupError(`There is a backup ${file} already, made this second. Ask again.`);
  try {
    const whole = await writeSealed(file, recipient, (writer) => copyStores(parts, writer, made));
    crashPoint('backup.whole');
    await writeKeys(parts, folder, recipient);
    return { file, made_at: made, ...whole };
  } catch (error) {
    throw spoken(error, folder);
  } finally {
    await rm(frozenFolder(house.config.dataDir), { recursive: true, force: true });
  }
}

/** Writes the copy of the key store anew, in the place of the last one (at least every 24 h). */
export async function copyKeys(parts: BackupParts, folder: string, recipient: Buffer): Promise<{ bytes: number }> {
  await readyFolder(parts.house.config.dataDir, folder);
  try {
    return await writeKeys(parts, folder, recipient);
  } catch (error) {
    throw spoken(error, folder);
  }
}

/** Backups in a folder, the newest first. */
export async function listBackups(folder: string): Promise<{ file: string; atMs: number; bytes: number }[]> {
  const names = await readdir(folder).catch(() => []);
  const found = names.flatMap((name) => {
    const atMs = madeAt(name);
    return atMs === undefined ? [] : [{ file: join(folder, name), atMs }];
  });
  const sized = await Promise.all(
    found.map(async (one) => ({ ...one, bytes: (await stat(one.file).catch(() => undefined))?.size ?? 0 })),
  );
  return sized.sort((a, b) => b.atMs - a.atMs);
}

/** Backups among the objects of a store, the newest first. */
export function backupsAmong(objects: readonly StoredObject[]): (StoredObject & { atMs: number })[] {
  const found = objects.flatMap((object) => {
    const atMs = madeAt(object.name);
    return atMs === undefined ? [] : [{ ...object, atMs }];
  });
  return found.sort((a, b) => b.atMs - a.atMs);
}

/** The moment of a backup, from its name; undefined for another file. */
function madeAt(name: string): number | undefined {
  const parsed = wholeName.exec(name);
  if (parsed === null) return undefined;
  const [, year, month, day, hour, minute, second] = parsed;
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/**
 * Those whose days are over, of a list that begins with the newest. The newest stays beyond the days that are set, since a desk whose backups fail is
 * not to lose its last one, and goes with the thirtieth day all the same (R1).
 */
function outOfDays<T extends { atMs: number }>(all: readonly T[], days: number, now: number): T[] {
  return all.filter(({ atMs }, at) => now - atMs >= (at === 0 ? backupDaysMax : Math.min(days, backupDaysMax)) * dayMs);
}

/** Removes backups whose days are over. @returns the files that went */
export async function removeOld(folder: string, days: number, clock: Pick<Clock, 'now'>): Promise<string[]> {
  const old = outOfDays(await listBackups(folder), days, clock.now());
  for (const { file } of old) await rm(file, { force: true });
  return old.map(({ file }) => file);
}

/** The same in an object store. @returns the names that went */
export async function removeOldObjects(
  store: Pick<ObjectStore, 'list' | 'remove'>,
  days: number,
  clock: Pick<Clock, 'now'>,
): Promise<string[]> {
  const old = outOfDays(backupsAmong(await store.list()), days, clock.now());
  for (const { name } of old) await store.remove(name);
  return old.map(({ name }) => name);
}

async function readyFolder(dataDir: string, folder: string): Promise<void> {
  const inside = relative(dataDir, resolve(folder));
  if (inside === '' || (!inside.startsWith(`..${sep}`) && inside !== '..'))
    throw new BackupError(
      `The folder ${folder} lies inside the data directory: it would be lost together with it. Name a folder elsewhere, best on another disk.`,
    );
  try {
    makePrivateFolder(folder);
    // What a kill left of a backup is none.
    for (const name of await readdir(folder))
      if (/^fairlead-[\w-]+\.backup\.part$/.test(name)) await rm(join(folder, name), { force: true });
  } catch (error) {
    throw spoken(error, folder);
  }
  await rm(frozenFolder(dataDir), { recursive: true, force: true });
}

function frozenFolder(dataDir: string): string {
  return join(dataDir, 'warehouse', 'shadow', frozenName);
}

async function writeSealed(
  file: string,
  recipient: Buffer,
  fill: (writer: SealedWriter) => Promise<void>,
): Promise<Omit<MadeBackup, 'file' | 'made_at'>> {
  const half = `${file}.part`;
  await rm(half, { force: true });
  const writer = await openSealedWriter(half, recipient);
  try {
    await fill(writer);
    const { bytes, digest } = await writer.end();
    crashPoint('backup.written');
    const { closing, entries } = await walk(writer.readBack(), file);
    await rename(half, file);
    syncFolder(join(file, '..'));
    const rows = Object.values(closing.tables).reduce((sum, table) => sum + table.rows, 0);
    return { bytes, digest, entries, rows, file_bytes: closing.file_bytes };
  } catch (error) {
    await writer.abandon();
    await rm(half, { force: true });
    throw error;
  }
}

async function copyStores(parts: BackupParts, writer: SealedWriter, made: string): Promise<void> {
  const { house } = parts;
  const { config, postgres, warehouse } = house;
  const begun = Promise.withResolvers<void>();
  const frozen = Promise.withResolvers<{ table: string; folder: string }[]>();
  const migrations = await warehouse.read<{ name: string }>(
    "SELECT DISTINCT concat(subject, '/', name) AS name FROM warehouse_migrations ORDER BY name",
  );
  const copying = postgres.snapshot(async (snapshot) => {
    begun.resolve();
    const tables = await frozen.promise;
    const tally = openTally();
    await addJson(writer, 'manifest', {
      ...{ form: 1, kind: 'whole', made_at: made, version: parts.version },
      migrations: { postgres: snapshot.migrations, warehouse: migrations.map(({ name }) => name) },
    } satisfies Manifest);
    await addJson(writer, 'sequences', snapshot.sequences);
    for (const { table, rows } of snapshot.tables) {
      if (table in notCopied) continue;
      for await (const texts of rows()) {
        tally.rows(table, texts);
        await addJson(writer, `rows ${table}`, texts);
      }
    }
    for (const { table, folder } of tables) await addFolder(writer, tally, `warehouse/${table}`, folder);
    const checkpoints = join(config.dataDir, 'audit', 'checkpoints.ndjson');
    if (existsSync(checkpoints)) await addFile(writer, tally, 'audit/checkpoints.ndjson', checkpoints);
    await addJson(writer, 'closing', tally.closing());
  });
  // Whatever fails first is told; the other end must not wait for it.
  copying.catch((error) => begun.reject(error));
  try {
    // One moment in both: nothing is written to the warehouse between the snapshot's first statement and the freezing.
    await warehouse.standStill(async (command) => {
      await begun.promise;
      const tables = await warehouse.read<{ name: string; data_paths: string[] }>(
        "SELECT name, data_paths FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'warehouse_migrations' ORDER BY name",
      );
      for (const { name } of tables) await command(`ALTER TABLE \`${name}\` FREEZE WITH NAME '${frozenName}'`);
      const root = join(config.dataDir, 'warehouse');
      frozen.resolve(
        tables.map(({ name, data_paths }) => ({
          table: name,
          folder: join(frozenFolder(config.dataDir), relative(root, data_paths[0] as string)),
        })),
      );
    });
  } catch (error) {
    frozen.reject(error);
  }
  await copying;
}

async function writeKeys(parts: BackupParts, folder: string, recipient: Buffer): Promise<{ bytes: number }> {
  const { keys, clock, postgres } = parts.house;
  return writeSealed(join(folder, keysName), recipient, (writer) =>
    postgres.snapshot(async (snapshot) => {
      const tally = openTally();
      await addJson(writer, 'manifest', {
        ...{ form: 1, kind: 'keys', made_at: new Date(clock.now()).toISOString(), version: parts.version },
        migrations: { postgres: snapshot.migrations, warehouse: [] },
      } satisfies Manifest);
      await addJson(
        writer,
        'carried',
        Object.fromEntries(carriedPurposes.map((purpose) => [purpose, keys.derive(purpose).toString('base64')])),
      );
      await addJson(writer, 'owner-keys', await copyOfKeys(snapshot, keys));
      await addJson(writer, 'gone', await parts.gone(snapshot));
      for (const { table, rows } of snapshot.tables) {
        if (table !== 'vault.subject_keys' && table !== 'vault.destroyed_owners') continue;
        for await (const texts of rows()) {
          tally.rows(table, texts);
          await addJson(writer, `rows ${table}`, texts);
        }
      }
      await addJson(writer, 'closing', tally.closing());
    }),
  );
}

async function addJson(writer: SealedWriter, name: string, value: unknown): Promise<void> {
  const body = Buffer.from(JSON.stringify(value));
  await writer.add(name, body.length, [body]);
}

async function addFolder(
  writer: SealedWriter,
  tally: ReturnType<typeof openTally>,
  name: string,
  folder: string,
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    // The engine makes no folder for a table without rows.
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await addFolder(writer, tally, `${name}/${entry.name}`, path);
    else await addFile(writer, tally, `${name}/${entry.name}`, path);
  }
}

async function addFile(
  writer: SealedWriter,
  tally: ReturnType<typeof openTally>,
  name: string,
  path: string,
): Promise<void> {
  const { size } = await stat(path);
  tally.file(name, size);
  const body = async function* () {
    if (size === 0) return;
    // A file that grows meanwhile (checkpoints are added at its end) is copied as it stood.
    for await (const part of createReadStream(path, { end: size - 1, highWaterMark: 1024 * 1024 })) {
      tally.bytes(part as Buffer);
      yield part as Buffer;
    }
  };
  await writer.add(`file ${name}`, size, body());
}

/** What the disk says, as a sentence. */
function spoken(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new BackupError(
      `The disk of ${folder} is full, so there is no backup; what was written of it is removed. Make room, or name another folder.`,
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new BackupError(
      `The folder ${folder} cannot be written by this user (${code}). Give it to the user that runs Fairlead, or name another folder.`,
    );
  return error;
}
