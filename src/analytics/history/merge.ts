import { inDialect, type Warehouse } from '../../platform/warehouse/index.ts';
import { historySeconds, isoDay } from './days.ts';

/**
 * Merges the visits of closed days until each day's partition holds one row per visit. Counts are right without it,
 * because every reader says FINAL; with it, FINAL finds a single merged part and reads it as it is.
 */
export async function mergeVisits(warehouse: Warehouse, days: readonly number[]): Promise<void> {
  const parts =
    warehouse.cluster === undefined ? 'system.parts' : `clusterAllReplicas('${warehouse.cluster}', system.parts)`;
  const table = warehouse.cluster === undefined ? 'visits' : 'visits_local';
  const rows = await warehouse.read<{ partition: string }>(
    `SELECT partition FROM ${parts}
     WHERE database = currentDatabase() AND table = {table:String} AND active AND partition IN {days:Array(String)}
     GROUP BY partition HAVING count() > 1 OR max(level) = 0`,
    { table, days: days.map(isoDay) },
    { purpose: 'history', seconds: historySeconds },
  );
  for (const { partition } of rows) {
    // A partition's name cannot be a bound parameter; these names came from `days`, through the engine.
    if (!/^\d{4}-\d{2}-\d{2}$/.test(partition)) continue;
    const [statement] = inDialect(`OPTIMIZE TABLE {{table:visits}} PARTITION '${partition}' FINAL`, warehouse.cluster);
    if (statement !== undefined) await warehouse.command(statement, {}, { background: true, purpose: 'merge' });
  }
}

/** A month of all sites that is larger is left to the engine's own merging: to write it again each day would cost too much. */
const dailyBytesMax = 256 * 1024 * 1024;

/**
 * Merges the counts of the months that some days lie in. Each piece of them has the rows of a list, a total too, in a place
 * of its own, and a question about ninety days opened twenty-seven of them.
 */
export async function mergeDaily(warehouse: Warehouse, days: readonly number[]): Promise<void> {
  const clustered = warehouse.cluster !== undefined;
  const parts = clustered ? `clusterAllReplicas('${warehouse.cluster}', system.parts)` : 'system.parts';
  const months = [...new Set(days.map((day) => isoDay(day).slice(0, 7).replace('-', '')))];
  const rows = await warehouse.read<{ partition: string }>(
    `SELECT partition FROM ${parts}
     WHERE database = currentDatabase() AND table = {table:String} AND active AND partition IN {months:Array(String)}
     GROUP BY partition HAVING count() > 1 AND sum(bytes_on_disk) <= {bytes:UInt64}`,
    { table: clustered ? 'daily_local' : 'daily', months, bytes: dailyBytesMax },
    { purpose: 'history', seconds: historySeconds },
  );
  for (const { partition } of rows) {
    if (!/^\d{6}$/.test(partition)) continue;
    const [statement] = inDialect(`OPTIMIZE TABLE {{table:daily}} PARTITION ${partition} FINAL`, warehouse.cluster);
    if (statement !== undefined) await warehouse.command(statement, {}, { background: true, purpose: 'merge' });
  }
}
