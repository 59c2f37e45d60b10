import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import type { Log } from '../platform/log.ts';
import { arePlacesFresh, buildPlaces, openPlaces, type Places } from './ingest/place.ts';

/** Where the set-up puts the table that is made of the bundled database. */
export const bundledPlacesTable = fileURLToPath(new URL('../../.cache/places/places.table', import.meta.url));

const nowhere: Places = { lookup: () => undefined, credit: { text: '', href: '' }, close() {} };

/**
 * The table of places: the bundled one, or one made of the operator's own file (FAIRLEAD_PLACES_FILE), which is
 * converted at the first start with it. Without any, places stay unknown, and the log of a desk says so once;
 * collection must not depend on it.
 */
export function openPlacesTable(config: Pick<Config, 'placesFile' | 'dataDir'>): Places {
  const table = placesTable(config);
  if (existsSync(table)) return openPlaces(table);
  return nowhere;
}

/** The same for a desk, which stays open. */
export function openDeskPlaces(
  config: Pick<Config, 'placesFile' | 'dataDir'>,
  { clock, log }: { clock: Pick<Clock, 'after'>; log: Log },
): Places {
  const table = placesTable(config);
  if (existsSync(table))
    return openPlaces(table, { clock, onUnreadable: (error) => log.error('places.unreadable', {}, error) });
  log.warn('places.missing');
  return nowhere;
}

function placesTable(config: Pick<Config, 'placesFile' | 'dataDir'>): string {
  if (config.placesFile === undefined) return bundledPlacesTable;
  const table = join(config.dataDir, 'places.table');
  const job = { v4: config.placesFile, out: table };
  if (!arePlacesFresh(job)) buildPlaces(job);
  return table;
}
