import { createWriteStream, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../platform/clock.ts';
import type { Config } from '../../platform/config.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import { takeDataDir } from '../../platform/data_dir.ts';
import { diskOf, gigabytes } from '../../platform/disk.ts';
import type { Log } from '../../platform/log.ts';
import { erasePlace, fillPostgres, type Loader, refuseNewerRows } from '../../platform/postgres/index.ts';
import type { Random } from '../../platform/random.ts';
import {
  migrateWarehouse,
  openWarehouse,
  refuseNewerParts,
  type Warehouse,
  type WarehouseMigrations,
} from '../../platform/warehouse/index.ts';
import { readRoots, writeRestoredKeyFile } from '../keys/index.ts';
import { ageSubjectKeys, type CopiedKey, fillKeyStore } from '../vault/index.ts';
import { BackupError } from './backup_error.ts';
import { keysName, walk } from './contents.ts';
import { type Gone, listBackups } from './create.ts';
import { readRecoveryKey } from './recovery_key.ts';
import { openSealed } from './sealed_file.ts';

/** In the data directory while a restore is under way: the desk does not start on half of one. */
const markName = 'restoring';
/** What is read goes here first, and is moved from it by whoever keeps it. */
const stagingName = 'restored';

export interface RestoreParts {
  config: Pick<Config, 'dataDir' | 'keyFile' | 'keySource' | 'databaseUrl' | 'clickhouseUrl' | 'clickhouseCluster'>;
  clock: Clock;
  random: Random;
  log: Log;
  migrations: { postgres: readonly URL[]; warehouse: readonly WarehouseMigrations[] };
  /**
   * Takes out what was deleted, emptied or closed after the backup, from the filled database, before anything is served.
   * @param pepper the key under which the digests of `gone` were made
   * @returns sites whose rows in the warehouse have to go too
   */
  forget(sql: Pick<Loader, 'query'>, gone: readonly Gone[], pepper: Buffer): Promise<GoneSite[]>;
  forgetRows(warehouse: Warehouse, site: GoneSite): Promise<void>;
}

export interface GoneSite {
  siteId: number;
  /** Undefined: all of it. */
  beforeMs: number | undefined;
}

export interface Restored {
  file: string;
  made_at: string;
  keys_made_at: string;
  rows: number;
  parts: number;
  forgotten_sites: number;
}

/** @throws BackupError when a restore was cut short in this data directory */
export function refuseHalfRestored(dataDir: string): void {
  if (!existsSync(join(dataDir, markName))) return;
  throw new BackupError(
    `A restore into ${dataDir} was cut short, so it holds half of a desk. Run fairlead restore again: it begins anew. Nothing was changed.`,
  );
}

/**
 * Makes a desk out of a backup, in an empty data directory, with the recovery key alone. The backup is read to its end and
 * checked before anything is written. A restore that is cut short leaves a mark, and the next one begins anew.
 * @param from a folder of backups (its newest is taken), or the file of one
 * @throws BackupError
 */
export async function restoreBackup(
  parts: RestoreParts,
  from: string,
  recoveryKey: string,
  say: (line: string) => void,
): Promise<Restored> {
  const { config, clock, random, log } = parts;
  if (config.databaseUrl !== undefined || config.clickhouseUrl !== undefined)
    throw new BackupError(
      'DATABASE_URL or CLICKHOUSE_URL is set, and a restore fills the built-in databases. Take them out for the restore. Nothing was changed.',
    );
  if (config.keySource !== undefined)
    throw new BackupError(
      `${config.keySource.variable} is set, and a restored desk gets a key file of its own. Take the variable out. Nothing was changed.`,
    );
  const key = readRecoveryKey(recoveryKey);
  const file = await fileOf(from);
  const keysFile = join(dirname(file), keysName);
  if (!existsSync(keysFile))
    throw new BackupError(
      `The copy of the key store is missing: ${keysName} belongs beside ${file}. Without it nothing that is sealed could be read. Nothing was changed.`,
    );
  await clearHalf(config);
  refuseFull(config);

  say('Reading the backup and checking it …');
  const others = new Map<string, unknown>();
  const keyRows = new Map<string, string[]>();
  const keys = await walk(openSealed(keysFile, key), keysFile, {
    async other(name, value) {
      others.set(name, value);
    },
    async rows(table, texts) {
      keyRows.set(table, [...(keyRows.get(table) ?? []), ...texts]);
    },
  });
  let sequences: Record<string, number | null> = {};
  const checked = await walk(openSealed(file, key), file, {
    async other(name, value) {
      if (name === 'sequences') sequences = value as Record<string, number | null>;
    },
  });
  if (checked.manifest.kind !== 'whole' || keys.manifest.kind !== 'keys')
    throw new BackupError(
      `The file ${file} is a copy of the key store and no backup. Name a backup. Nothing was changed.`,
    );
  if (keys.manifest.made_at < checked.manifest.made_at)
    throw new BackupError(
      `The copy of the key store (${keys.manifest.made_at}) is older than the backup (${checked.manifest.made_at}): keys could be missing, and what was destroyed since could come back. Put the newest ${keysName} beside it. Nothing was changed.`,
    );
  await refuseNewerRows(parts.migrations.postgres, checked.manifest.migrations.postgres);
  await refuseNewerParts(parts.migrations.warehouse, checked.manifest.migrations.warehouse);
  const { freeBytes } = diskOf(existing(config.dataDir));
  if (freeBytes < checked.closing.file_bytes * 1.1)
    throw new BackupError(
      `The disk of ${config.dataDir} has ${gigabytes(freeBytes)} free, and the warehouse alone takes ${gigabytes(checked.closing.file_bytes)}. Make room. Nothing was changed.`,
    );

  const dataDir = takeDataDir(config.dataDir);
  try {
    const mark = join(config.dataDir, markName);
    writeFileSync(mark, `${config.keyFile}\n`, { mode: 0o600, flush: true });
    crashPoint('restore.marked');
    const carried = Object.entries(others.get('carried') as Record<string, string>).map(
      ([purpose, text]): [string, Buffer] => [purpose, Buffer.from(text, 'base64')],
    );
    const root = writeRestoredKeyFile(config.keyFile, random, new Map(carried));
    const pepper = new Map(carried).get('vault-pepper') as Buffer;

    say('Filling the database …');
    const staging = join(config.dataDir, stagingName);
    const now = new Date(clock.now());
    let sites: GoneSite[] = [];
    await fillPostgres(
      {
        ...{ dataDir: config.dataDir, migrations: parts.migrations.postgres, random, clock, log },
        only: checked.manifest.migrations.postgres,
      },
      async (loader) => {
        await walk(openSealed(file, key), file, {
          rows: (table, texts) => loader.put(table, texts),
          file: (name, body) => writeInto(join(staging, name), body),
        });
        await fillKeyStore(loader, others.get('owner-keys') as CopiedKey[], root, { random, now });
        for (const [table, texts] of keyRows) await loader.put(table, texts);
        await ageSubjectKeys(loader);
        await loader.setSequences(sequences);
        await loader.query('UPDATE backup_settings SET restored_at = $1, released_at = NULL', [now]);
        loader.whenWhole(async () => {
          sites = await parts.forget(loader, others.get('gone') as Gone[], pepper);
        });
      },
    );
    crashPoint('restore.filled');

    say('Filling the warehouse …');
    const attached = await fillWarehouse(parts, checked.manifest.migrations.warehouse, staging, sites);
    if (existsSync(join(staging, 'audit'))) await rename(join(staging, 'audit'), join(config.dataDir, 'audit'));
    await rm(staging, { recursive: true, force: true });
    crashPoint('restore.warehouse');
    await rm(mark);
    return {
      file,
      made_at: checked.manifest.made_at,
      keys_made_at: keys.manifest.made_at,
      rows: Object.values(checked.closing.tables).reduce((sum, table) => sum + table.rows, 0),
      parts: attached,
      forgotten_sites: sites.length,
    };
  } finally {
    dataDir.release();
  }
}

async function fileOf(from: string): Promise<string> {
  const found = await stat(from).catch(() => undefined);
  if (found === undefined)
    throw new BackupError(`There is nothing at ${from}. Name the folder of your backups, or the file of one.`);
  if (!found.isDirectory()) return from;
  const [newest] = await listBackups(from);
  if (newest === undefined)
    throw new BackupError(`There is no backup in ${from}: they are called fairlead-….backup. Name another folder.`);
  return newest.file;
}

/** Takes away what a restore that was cut short has made, which is everything in the data directory. */
async function clearHalf({ dataDir, keyFile }: Pick<Config, 'dataDir' | 'keyFile'>): Promise<void> {
  const mark = join(dataDir, markName);
  if (!existsSync(mark)) return;
  const written = (await readFile(mark, 'utf8')).trim();
  const taken = takeDataDir(dataDir);
  await erasePlace(dataDir);
  if (written === keyFile) rmSync(keyFile, { force: true });
  // The mark goes last: until then this is found again.
  for (const name of await readdir(dataDir))
    if (name !== markName && name !== 'lock') await rm(join(dataDir, name), { recursive: true, force: true });
  rmSync(mark);
  taken.release();
}

function refuseFull({ dataDir, keyFile }: Pick<Config, 'dataDir' | 'keyFile'>): void {
  const names = existsSync(dataDir) ? readdirSync(dataDir) : [];
  if (names.length > 0)
    throw new BackupError(
      `The data directory ${dataDir} is not empty, and a restore would mix two desks. Name an empty one in FAIRLEAD_DATA_DIR, or move this one away. Nothing was changed.`,
    );
  if (existsSync(keyFile)) {
    // Say whose it is only by that it can be read.
    readRoots(keyFile);
    throw new BackupError(
      `There is a key file ${keyFile} already, and a restored desk gets its own. Move it away, or name another in FAIRLEAD_KEY_FILE. Nothing was changed.`,
    );
  }
}

function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}

async function writeInto(path: string, body: AsyncIterable<Buffer>): Promise<void> {
  if (path.split('/').includes('..')) throw new BackupError(`The backup names a file ${path}. It is not used.`);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await pipeline(Readable.from(body), createWriteStream(path, { mode: 0o600 }));
}

async function fillWarehouse(
  parts: RestoreParts,
  migrations: readonly string[],
  staging: string,
  sites: readonly GoneSite[],
): Promise<number> {
  const warehouse = await openWarehouse(parts);
  try {
    await migrateWarehouse(warehouse, parts.migrations.warehouse, parts, migrations);
    const tables = await warehouse.read<{ name: string; data_paths: string[] }>(
      "SELECT name, data_paths FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
    );
    const from = join(staging, 'warehouse');
    let count = 0;
    for (const table of existsSync(from) ? await readdir(from) : []) {
      const folder = tables.find(({ name }) => name === table)?.data_paths[0];
      if (folder === undefined)
        throw new BackupError(`The backup has a table ${table}, which this version does not know.`);
      for (const part of inOrder(await readdir(join(from, table)))) {
        await rename(join(from, table, part), join(folder, 'detached', part));
        // The engine binds no parameter here.
        if (!/^[\w-]+$/.test(part)) throw new BackupError(`The backup names a part ${part}. It is not used.`);
        await warehouse.command(`ALTER TABLE \`${table}\` ATTACH PART '${part}'`);
        count += 1;
      }
    }
    for (const site of sites) await parts.forgetRows(warehouse, site);
    return count;
  } finally {
    await warehouse.close();
  }
}

/** As they were written: where one row takes the place of another, the later one has to stay the later. */
function inOrder(names: readonly string[]): string[] {
  const blockOf = (name: string) => Number(/_(\d+)_\d+_\d+(?:_\d+)?$/.exec(name)?.[1] ?? 0);
  return [...names].sort((a, b) => blockOf(a) - blockOf(b) || (a < b ? -1 : 1));
}
