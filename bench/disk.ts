import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { openWarehouse, type Warehouse } from '../src/platform/warehouse/index.ts';
import { type DeskFolder, pause, postgresFolder } from './desk.ts';

/** The engine merges for a while after the last write; it is left to until nothing has been merged for so long. */
const quietMs = 10_000;
const settleMaxMs = 10 * 60_000;

/** What a stopped desk uses of the disk, everything included, and which table and column uses how much of it. */
export async function diskTable(desk: DeskFolder): Promise<{ bytesPerEvent: number; rows: number; text: string }> {
  const data = join(desk.folder, 'data');
  const warehouse = await openWarehouse({
    config: { dataDir: data, clickhouseUrl: undefined, clickhouseCluster: undefined },
    clock: systemClock,
    log: silentLog,
  });
  try {
    await whenSettled(warehouse);
    const [stored] = await warehouse.read<{ rows: string }>('SELECT count() AS rows FROM events');
    const rows = Number(stored?.rows ?? 0);
    // Parts that were merged into others stay for eight minutes; they are nothing that a desk holds.
    const outdated = await warehouse.read<{ path: string }>('SELECT path FROM system.parts WHERE NOT active');
    const warehouseBytes = bytesIn(
      join(data, 'warehouse'),
      outdated.map(({ path }) => resolve(path)),
    );
    const postgresBytes = bytesIn(postgresFolder(desk));
    const others = bytesIn(data, [join(data, 'warehouse'), join(data, 'postgres')]);
    const total = warehouseBytes + postgresBytes + others;
    const tables = await warehouse.read<{ table: string; rows: string; bytes: string }>(
      `SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
       WHERE active AND database = currentDatabase() GROUP BY table ORDER BY sum(bytes_on_disk) DESC`,
    );
    const columns = await warehouse.read<{ table: string; column: string; bytes: string }>(
      `SELECT table, column, sum(column_bytes_on_disk) AS bytes FROM system.parts_columns
       WHERE active AND database = currentDatabase() GROUP BY table, column ORDER BY bytes DESC LIMIT 30`,
    );
    const per = (bytes: string | number) => (Number(bytes) / Math.max(1, rows)).toFixed(2);
    const lines = [
      '\n| what | rows | bytes | bytes per event |\n|---|---|---|---|',
      ...tables.map(({ table, rows: own, bytes }) => `| table ${table} | ${own} | ${bytes} | ${per(bytes)} |`),
      `| warehouse, all files | | ${warehouseBytes} | ${per(warehouseBytes)} |`,
      `| Postgres, all files | | ${postgresBytes} | ${per(postgresBytes)} |`,
      `| all other files (spool, salts, places) | | ${others} | ${per(others)} |`,
      `| **all** | ${rows} | ${total} | **${per(total)}** |`,
      '\n| column | bytes per event |\n|---|---|',
      ...columns.map(({ table, column, bytes }) => `| ${table}.${column} | ${per(bytes)} |`),
    ];
    return { bytesPerEvent: total / Math.max(1, rows), rows, text: lines.join('\n') };
  } finally {
    await warehouse.close();
  }
}

async function whenSettled(warehouse: Warehouse) {
  const began = performance.now();
  let quietSince = began;
  while (performance.now() - quietSince < quietMs && performance.now() - began < settleMaxMs) {
    const [merging] = await warehouse.read<{ merges: string }>('SELECT count() AS merges FROM system.merges');
    if (Number(merging?.merges) > 0) quietSince = performance.now();
    await pause(500);
  }
}

/** Bytes on disk of a folder's files, as `du` counts them: a file with two names once. What is below `without` is left out. */
function bytesIn(folder: string, without: readonly string[] = []): number {
  const counted = new Set<number>();
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || without.some((place) => path.startsWith(`${place}/`))) continue;
    try {
      const { ino, blocks } = statSync(path);
      if (!counted.has(ino)) bytes += blocks * 512;
      counted.add(ino);
    } catch {
      // A part may be merged away between being listed and being looked at.
    }
  }
  return bytes;
}
