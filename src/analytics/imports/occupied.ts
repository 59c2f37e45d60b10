import type { Site } from '../../../contract/api.ts';
import type { House } from '../../platform/subject.ts';
import { dayOf as dayNumberOf, isoDay, localDay, zoneOrUtc } from '../../platform/zone.ts';
import type { DayKindName } from './kinds.ts';
import { importedDataOf } from './records.ts';
import type { StopReason } from './report.ts';

type Stores = Pick<House, 'postgres' | 'warehouse'>;
type Whose = Pick<Site, 'id' | 'organisation_id' | 'timezone'>;

/** The site's own date, 'YYYY-MM-DD'. */
export function today(now: number, timezone: string): string {
  return isoDay(localDay(now, zoneOrUtc(timezone)));
}

/**
 * For files that become events: UTC days that were measured here, or that a table of days holds. Their rows would count
 * a second time.
 */
export async function occupiedByDay(stores: Stores, site: Whose): Promise<ReadonlyMap<number, StopReason>> {
  const [imported, measured] = await Promise.all([
    importedDataOf(stores.postgres, site),
    stores.warehouse.read<{ day: number }>(
      'SELECT DISTINCT toUInt16(day) AS day FROM visits WHERE site_id = {site:UInt64} AND import_id = 0',
      { site: site.id },
      { purpose: 'import', seconds: 60 },
    ),
  ]);
  const occupied = new Map<number, StopReason>();
  if (imported.ids.length > 0)
    for (const day of await tableDays(stores, site, imported.ids))
      occupied.set(dayNumberOf(day.day) ?? -1, 'imported_already');
  for (const { day } of measured) occupied.set(day, 'measured_already');
  return occupied;
}

/** For tables of days: the site's days that have visits, or the same table of another import. */
export async function occupiedByKind(
  stores: Stores,
  site: Whose,
): Promise<(kind: DayKindName, day: string) => StopReason | undefined> {
  const imported = await importedDataOf(stores.postgres, site);
  const zone = zoneOrUtc(site.timezone);
  const [visited, held] = await Promise.all([
    stores.warehouse.read<{ day: string; live: number }>(
      'SELECT toString(toDate(started, {zone:String})) AS day, toUInt8(min(import_id) = 0) AS live FROM visits WHERE site_id = {site:UInt64} GROUP BY day',
      { site: site.id, zone },
      { purpose: 'import', seconds: 60 },
    ),
    tableDays(stores, site, imported.ids),
  ]);
  const visits = new Map(visited.map(({ day, live }) => [day, live === 1]));
  const tables = new Set(held.map(({ kind, day }) => `${kind} ${day}`));
  return (kind, day) => {
    const live = visits.get(day);
    if (live === true) return 'measured_already';
    return live === false || tables.has(`${kind} ${day}`) ? 'imported_already' : undefined;
  };
}

async function tableDays({ warehouse }: Stores, site: Whose, ids: readonly number[]) {
  if (ids.length === 0) return [];
  return warehouse.read<{ kind: string; day: string }>(
    'SELECT DISTINCT kind, toString(day) AS day FROM imported_days WHERE site_id = {site:UInt64} AND import_id IN ({ids:Array(UInt32)})',
    { site: site.id, ids },
    { purpose: 'import', seconds: 60 },
  );
}
