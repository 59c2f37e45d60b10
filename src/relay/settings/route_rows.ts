import type { RouteRules } from '../../../contract/relay.ts';
import type { RelayRoute } from '../../../contract/relay_settings.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { TriedRoute } from './trial.ts';

export interface RouteRow {
  readonly id: number;
  readonly source_id: number;
  readonly destination_id: number;
  readonly state: 'active' | 'paused';
  readonly rules: RouteRules;
  readonly version: number;
  readonly created_at: Date;
  readonly source: string;
  readonly destination: string;
}

const columns = `r.id, r.source_id, r.destination_id, r.state, r.rules, r.version, r.created_at,
  s.name AS source, d.name AS destination`;
const from =
  'relay_routes r JOIN relay_sources s ON s.id = r.source_id JOIN relay_destinations d ON d.id = r.destination_id';

export function routeRows(sql: Sql): Promise<RouteRow[]> {
  return sql.query<RouteRow>(`SELECT ${columns} FROM ${from} ORDER BY r.id`);
}

/** @throws RequestError not_found */
export async function routeRow(sql: Sql, id: number): Promise<RouteRow> {
  const row = await sql.maybe<RouteRow>(`SELECT ${columns} FROM ${from} WHERE r.id = $1`, [id]);
  if (row === undefined) throw new RequestError('not_found', 'There is no route with this number here.');
  return row;
}

export function shownRoute(row: RouteRow): RelayRoute {
  return {
    ...{ id: row.id, source_id: row.source_id, destination_id: row.destination_id, state: row.state },
    ...{ rules: row.rules, version: row.version, created_at: row.created_at.toISOString() },
  };
}

type TriedRow = TriedRoute['destination'] & { route_id: number; rules: RouteRules };
const tried = 'd.id, d.name, d.kind, d.settings, d.test_code, d.is_dry_run, d.unknown_consent';

/** The active routes of a source with where they go. */
export async function triedRoutes(sql: Sql, sourceId: number): Promise<TriedRoute[]> {
  const rows = await sql.query<TriedRow>(
    `SELECT r.id AS route_id, r.rules, ${tried} FROM relay_routes r JOIN relay_destinations d ON d.id = r.destination_id
     WHERE r.source_id = $1 AND r.state = 'active' ORDER BY d.name, r.id`,
    [sourceId],
  );
  return rows.map(({ route_id: id, rules, ...destination }) => ({ id, rules, destination }));
}

/** A route that is not there yet. @throws RequestError invalid_field */
export async function routeToTry(sql: Sql, destinationId: number, rules: RouteRules): Promise<TriedRoute> {
  const destination = await sql.maybe<TriedRoute['destination']>(
    `SELECT ${tried} FROM relay_destinations d WHERE d.id = $1`,
    [destinationId],
  );
  if (destination === undefined) throw noDestination();
  return { id: 0, rules, destination };
}

export const noDestination = () =>
  new RequestError('invalid_field', 'There is no destination with this number here.', { field: 'destination_id' });
export const noSource = () =>
  new RequestError('invalid_field', 'There is no source with this number here.', { field: 'source_id' });
