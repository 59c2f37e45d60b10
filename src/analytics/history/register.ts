import type { Warehouse } from '../../platform/warehouse/index.ts';
import { isoDay } from '../../platform/zone.ts';
import { historySeconds } from './read_limit.ts';

/** One row of `frozen_days`. */
export interface DayChange {
  /** UTC day number of `id_day`. */
  day: number;
  version: number;
  state: 'frozen' | 'dirty';
  reason: string;
  timezone: string;
  recipe: number;
  arrivals: number;
  /** Local day numbers, ascending. */
  pieces: readonly number[];
  leftOut: readonly string[];
  /** Keys of the goals that were counted. */
  goals: readonly string[];
}

/** The newest row of every day, by site and day; of one site when it is named. */
export async function readDays(warehouse: Warehouse, site?: number): Promise<Map<number, Map<number, DayChange>>> {
  const rows = await warehouse.read<{
    site: string;
    day: number;
    version: string;
    state: 'frozen' | 'dirty';
    reason: string;
    timezone: string;
    recipe: number;
    arrivals: string;
    pieces: number[];
    left_out: string[];
    goals: string[];
  }>(
    `SELECT site_id AS site, toUInt16(id_day) AS day, version, state, reason, timezone, recipe, arrivals,
       arrayMap(piece -> toUInt16(piece), pieces) AS pieces, left_out, goals
     FROM frozen_days FINAL${site === undefined ? '' : ' WHERE site_id = {site:UInt64}'}`,
    site === undefined ? {} : { site },
    { purpose: 'history', seconds: historySeconds },
  );
  const register = new Map<number, Map<number, DayChange>>();
  for (const row of rows) {
    const siteId = Number(row.site);
    const days = register.get(siteId) ?? new Map<number, DayChange>();
    register.set(siteId, days);
    days.set(row.day, {
      day: row.day,
      version: Number(row.version),
      state: row.state,
      reason: row.reason,
      timezone: row.timezone,
      recipe: row.recipe,
      arrivals: Number(row.arrivals),
      pieces: row.pieces,
      leftOut: row.left_out,
      goals: row.goals,
    });
  }
  return register;
}

/** Writes rows of one site and version; the same again changes nothing. */
export async function writeDays(warehouse: Warehouse, siteId: number, changes: readonly DayChange[]): Promise<void> {
  const lines = changes.map((change) =>
    JSON.stringify({
      site_id: siteId,
      id_day: isoDay(change.day),
      version: change.version,
      state: change.state,
      reason: change.reason,
      timezone: change.timezone,
      recipe: change.recipe,
      arrivals: change.arrivals,
      pieces: change.pieces.map(isoDay),
      left_out: change.leftOut,
      goals: change.goals,
    }),
  );
  const first = changes[0];
  if (first === undefined) return;
  await warehouse.insert(
    'frozen_days',
    Buffer.from(`${lines.join('\n')}\n`),
    `days:${siteId}:${first.day}:${first.state}:${first.version}`,
  );
}
