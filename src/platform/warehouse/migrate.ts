import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { inDialect } from './dialect.ts';
import { WarehouseRefused } from './errors.ts';
import type { Warehouse } from './warehouse.ts';

/** Dated SQL files of one subject: `2026-11-25-01-events.sql`. They run in the order of their names, once each. */
export interface WarehouseMigrations {
  subject: string;
  directory: URL;
}

const fileName = /^\d{4}-\d{2}-\d{2}-\d{2}-[a-z0-9-]+\.sql$/;

/** What has been applied is a table too, so that `fairlead doctor` and a person can look. */
const register = `
CREATE TABLE IF NOT EXISTS {{table:warehouse_migrations}}
(
    subject String COMMENT 'D16 subject that the migration belongs to',
    name String COMMENT 'D16 file name of the migration',
    digest String COMMENT 'D16 SHA-256 of the file',
    applied_at DateTime64(3, 'UTC') COMMENT 'D16 when it was applied'
)
ENGINE = {{engine:MergeTree}}
ORDER BY (subject, name)
SETTINGS {{durable}};
`;

/**
 * @param names migrations that a backup was made under, as `subject/name`
 * @throws WarehouseRefused when one of them is not known here: a newer version made the backup
 */
export async function refuseNewerParts(
  subjects: readonly WarehouseMigrations[],
  names: readonly string[],
): Promise<void> {
  const all = (await Promise.all(subjects.map(filesOf))).flat();
  const stranger = names.find((name) => !all.some((file) => nameOf(file) === name));
  if (stranger !== undefined)
    throw new WarehouseRefused(
      `The backup has the migration ${stranger} of the warehouse, which this version of Fairlead does not know: a newer version made it. Restore with that version. Nothing was changed.`,
    );
}

/**
 * Applies what has not been applied. Statements are written so that they may run twice (`IF NOT EXISTS` is put into
 * each CREATE), because ClickHouse has no transactions over them: after a crash in the middle of a file the next start
 * runs that file again.
 *
 * @param only stops at the schema of a backup: these, as `subject/name`, and no others
 * @throws WarehouseRefused when the warehouse has a migration that this code does not know, or knows otherwise
 * @returns names of the files applied now
 */
export async function migrateWarehouse(
  warehouse: Warehouse,
  subjects: readonly WarehouseMigrations[],
  house: { clock: Clock; log: Log },
  only?: readonly string[],
): Promise<string[]> {
  const all = (await Promise.all(subjects.map(filesOf))).flat();
  const wanted = only === undefined ? all : all.filter((file) => only.includes(nameOf(file)));
  for (const statement of inDialect(register, warehouse.cluster)) await warehouse.command(statement);
  const registerName = warehouse.cluster === undefined ? 'warehouse_migrations' : 'warehouse_migrations_local';
  const applied = await warehouse.read<{ subject: string; name: string; digest: string }>(
    `SELECT subject, name, any(digest) AS digest FROM ${registerName} GROUP BY subject, name`,
  );

  for (const row of applied) {
    const known = wanted.find((file) => file.subject === row.subject && file.name === row.name);
    if (known === undefined)
      throw new WarehouseRefused(
        `The warehouse has the migration ${row.subject}/${row.name}, which this version does not know: start the newer version that applied it.`,
      );
    if (known.digest !== row.digest)
      throw new WarehouseRefused(
        `The migration ${row.subject}/${row.name} was applied with other contents than this version has: an applied migration is never edited, so restore the file and add a new one.`,
      );
  }

  const now: string[] = [];
  for (const file of wanted) {
    if (applied.some((row) => row.subject === file.subject && row.name === file.name)) continue;
    for (const statement of inDialect(file.sql, warehouse.cluster)) await warehouse.command(repeatable(statement));
    const row = {
      subject: file.subject,
      name: file.name,
      digest: file.digest,
      applied_at: new Date(house.clock.now()).toISOString().slice(0, 23).replace('T', ' '),
    };
    await warehouse.insert(
      registerName,
      Buffer.from(`${JSON.stringify(row)}\n`),
      `migration:${file.subject}:${file.name}`,
    );
    house.log.info('warehouse.migrated', { subject: file.subject, name: file.name });
    now.push(file.name);
  }
  return now;
}

function nameOf({ subject, name }: { subject: string; name: string }): string {
  return `${subject}/${name}`;
}

function repeatable(statement: string): string {
  return statement.replace(/^CREATE (TABLE|MATERIALIZED VIEW|VIEW) (?!IF NOT EXISTS)/i, 'CREATE $1 IF NOT EXISTS ');
}

async function filesOf({ subject, directory }: WarehouseMigrations) {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      if (!fileName.test(name))
        throw new Error(`The migration ${name} is not named like 2026-11-25-01-subject.sql: rename it.`);
      const sql = await readFile(new URL(name, `${directory.href.replace(/\/?$/, '/')}`), 'utf8');
      return { subject, name, sql, digest: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}
