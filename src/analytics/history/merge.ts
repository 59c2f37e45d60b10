import { inDialect, type Warehouse } from '../../platform/warehouse/index.ts';
import { isoDay } from '../../platform/zone.ts';
import { historySeconds } from './read_limit.ts';

/**
 * Merges the visits of closed days until each day's partition holds one row per visit. Counts are right without it,
 * because every reader says FINAL; with it, FINAL finds a single merged part and reads it as it is.
 */
export function mergeVisits(warehouse: Warehouse, days: readonly number[]): Promise<void> {
  return mergePartitions(warehouse, 'visits', days.map(isoDay), 'count() > 1 OR max(level) = 0');
}

/** A month of all sites that is larger is left to the engine's own merging: to write it again each day would cost too much. */
const dailyBytesMax = 256 * 1024 * 1024;

/**
 * Merges the counts of the months that some days lie in. Each piece of them has the rows of a list, a total too, in a place
 * of its own, and a question about ninety days opened twenty-seven of them.
 */
export function mergeDaily(warehouse: Warehouse, days: readonly number[]): Promise<void> {
  const months = [...new Set(days.map((day) => isoDay(day).slice(0, 7).replace('-', '')))];
  return mergePartitions(warehouse, 'daily', months, `count() > 1 AND sum(bytes_on_disk) <= ${dailyBytesMax}`);
}

/** @param needed SQL over the parts of a partition: has it to be merged? */
async function mergePartitions(
  warehouse: Warehouse,
  table: 'visits' | 'daily',
  partitions: readonly string[],
  needed: string,
): Promise<void> {
  const { cluster } = warehouse;
  const rows = await warehouse.read<{ partition: string }>(
    `SELECT partition FROM ${cluster === undefined ? 'system.parts' : `clusterAllReplicas('${cluster}', system.parts)`}
     WHERE database = currentDatabase() AND table = {table:String} AND active AND partition IN {partitions:Array(String)}
     GROUP BY partition HAVING ${needed}`,
    { table: cluster === undefined ? table : `${table}_local`, partitions },
    { purpose: 'history', seconds: historySeconds },
  );
  for (const { partition } of rows) {
    // A partition's name cannot be a bound parameter; these names came from `days`, through the engine.
    if (!/^(\d{6}|\d{4}-\d{2}-\d{2})$/.test(partition)) continue;
    const [statement] = inDialect(`OPTIMIZE TABLE {{table:${table}}} PARTITION '${partition}' FINAL`, cluster);
    if (statement !== undefined) await warehouse.command(statement, {}, { background: true, purpose: 'merge' });
  }
}
