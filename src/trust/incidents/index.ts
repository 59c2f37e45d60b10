export { incidentRoutes } from './routes.ts';

export const incidentMigrations = new URL('./migrations/', import.meta.url);
