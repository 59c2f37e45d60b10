import { z } from 'zod';
import { actOf } from '../../platform/audit.ts';
import { type Principal, RequestError, type RouteRequest, sitesOfPrincipal } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { cancelWhere } from '../deliveries/states.ts';

export type SettingsHouse = Pick<
  House,
  'postgres' | 'warehouse' | 'clock' | 'random' | 'keys' | 'vault' | 'audit' | 'mail' | 'log'
>;

/** What the settings ask of other parts of the desk. */
export interface SettingsDoors {
  /** Why a destination of this kind cannot be sent to with this connection, in a sentence; undefined where it can. */
  connectionProblem(sql: Sql, organisationId: number, connectionId: number, kind: string): Promise<string | undefined>;
  /** Whose connections a kind of destination is sent with. */
  providerOf(kind: string): string;
}

const number = z.coerce
  .number()
  .int()
  .positive()
  .max(2 ** 53 - 1);
export const ofOrganisation = z.object({ organisation: number });
export const ofSource = ofOrganisation.extend({ source: number });
export const ofVersion = ofSource.extend({ version: z.coerce.number().int().positive().max(2_147_483_647) });
export const ofDestination = ofOrganisation.extend({ destination: number });
export const ofRoute = ofOrganisation.extend({ route: number });

type Asked = Pick<
  RouteRequest<{ organisation: number }, unknown, unknown>,
  'params' | 'allow' | 'principal' | 'address' | 'requestId'
>;

/**
 * The organisation that a call about the relay is for, where the asker may do what the call needs. Conversions of the
 * relay are of an organisation and of no site alone: a key for some sites does not reach them.
 * @throws RequestError not_found
 */
export function organisationFor(request: Asked): number {
  const { organisation } = request.params;
  request.allow(organisation);
  if (sitesOfPrincipal(request.principal as Principal, organisation) !== undefined)
    throw new RequestError(
      'not_found',
      'The relay belongs to the whole organisation, and this sign-in or key is for some of its sites.',
    );
  return organisation;
}

/** Writes an act of the relay into the trail of its organisation. */
export function note(
  house: Pick<House, 'audit'>,
  sql: Sql,
  request: Asked,
  action: string,
  target: { type: string; id: number; label: string },
  details: Record<string, string | number | boolean | null> = {},
): Promise<void> {
  return house.audit.record(sql, request.params.organisation, {
    action,
    ...actOf(request),
    targets: [target],
    details,
  });
}

type Limited = 'relay_sources' | 'relay_destinations' | 'relay_routes';
const whatOf: Record<Limited, string> = {
  relay_sources: 'sources',
  relay_destinations: 'destinations',
  relay_routes: 'routes',
};

/**
 * Refuses a further one of what an organisation has its most of. To be called in the transaction that adds: two that come
 * at the same moment would both find room for one, so the second waits here until the first has ended.
 * @throws RequestError conflict
 */
export async function checkLimit(sql: Sql, organisationId: number, table: Limited, max: number): Promise<void> {
  await oneAtATime(sql, `${table} of organisation ${organisationId}`);
  const { count } = await sql.one<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  if (count >= max)
    throw new RequestError('conflict', `An organisation has at most ${max} ${whatOf[table]}. Remove one first.`);
}

/** Holds every other transaction that comes here under the same name until this one has ended. */
export async function oneAtATime(sql: Sql, name: string): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}

/** What was changed, as the trail has it: names of members, and no value. */
export function membersOf(body: object): string {
  return Object.keys(body).sort().join(' ');
}

/**
 * Cancels what waits for a route, a destination or all routes of a source, before these go. A conversion of which nothing
 * else is under way has ended with that.
 */
export async function cancelWaiting(
  sql: Sql,
  organisationId: number,
  of: 'route_id' | 'destination_id' | 'source_id',
  id: number,
  now: number,
): Promise<number> {
  const which =
    of === 'source_id' ? 'd.route_id IN (SELECT r.id FROM relay_routes r WHERE r.source_id = $2)' : `d.${of} = $2`;
  return cancelWhere(sql, organisationId, {
    where: `${which} AND d.state IN ('held', 'waiting')`,
    ...{ params: [id], reason: 'removed', now },
  });
}
