import type { Route } from '../../platform/http/route.ts';
import { destinationRoutes } from './destinations.ts';
import { mappingRoutes } from './mappings.ts';
import type { SettingsDoors, SettingsHouse } from './parts.ts';
import { routeRoutes } from './routes.ts';
import { sourceRoutes } from './sources.ts';

export type { SettingsDoors } from './parts.ts';
export { sourceAccess } from './source_access.ts';

/** Sources, mappings, destinations and routes, as people set them. */
export function relaySettingsRoutes(house: SettingsHouse, doors: SettingsDoors): Route[] {
  return [...sourceRoutes(house), ...mappingRoutes(house), ...destinationRoutes(house, doors), ...routeRoutes(house)];
}
