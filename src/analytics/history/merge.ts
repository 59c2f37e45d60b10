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
