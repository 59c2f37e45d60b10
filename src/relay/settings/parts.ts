import { z } from 'zod';
import { actOf } from '../../platform/audit.ts';
import { type Principal, RequestError, type RouteRequest, sitesOfPrincipal } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { cancelPiece } from '../deliveries/states.ts';
import { lockLoads } from '../intake/loads.ts';

export type SettingsHouse = Pick<
  House,
  'postgres' | 'warehouse' | 'clock' | 'random' | 'keys' | 'vault' | 'audit' | 'mail' | 'log' | 'config'
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

const waitingOf = {
  destination_id: 'd.destination_id = $2',
  // The destination is what the index begins with.
  route_id: 'd.route_id = $2 AND d.destination_id = (SELECT r.destination_id FROM relay_routes r WHERE r.id = $2)',
  source_id: `d.route_id IN (SELECT r.id FROM relay_routes r WHERE r.source_id = $2)
    AND d.destination_id IN (SELECT r.destination_id FROM relay_routes r WHERE r.source_id = $2)`,
};
const routesOf = { destination_id: 'destination_id', route_id: 'id', source_id: 'source_id' };

/**
 * Removes a route, a destination, or a source with all its routes, and cancels what waits for it; a conversion of which nothing
 * else is under way has ended with that. Of a long queue a piece in each transaction, the last with the removal: until then
 * nothing more goes this way, and whoever asks again goes on where a desk was killed.
 * @param parts.stop notes that nothing goes there any more, once, where it is more than one piece
 */
export async function removeWithWaiting<Gone extends { id: number }>(
  { postgres, clock }: Pick<House, 'clock'> & { postgres: Pick<House['postgres'], 'tenant'> },
  organisationId: number,
  of: 'route_id' | 'destination_id' | 'source_id',
  parts: {
    find(sql: Sql): Promise<Gone>;
    stop(sql: Sql, gone: Gone): Promise<void>;
    remove(sql: Sql, gone: Gone, cancelled: number): Promise<void>;
  },
  pieceRows?: number,
): Promise<void> {
  let cancelled = 0;
  let isStopped = false;
  for (let isGone = false; !isGone; )
    isGone = await postgres.tenant(organisationId, async (sql) => {
      // A load that has read the routes is over then, and what it routed is cancelled too; the next one finds what is left of them.
      await lockLoads(sql, organisationId);
      const gone = await parts.find(sql);
      const what = {
        where: `${waitingOf[of]} AND d.state IN ('held', 'waiting')`,
        params: [gone.id],
        reason: 'removed',
      };
      const piece = await cancelPiece(sql, organisationId, { ...what, now: clock.now() }, pieceRows);
      cancelled += piece.cancelled;
      if (piece.isLast) await parts.remove(sql, gone, cancelled);
      else if (!isStopped) {
        await sql.run(
          `UPDATE relay_routes SET state = 'paused', version = version + 1 WHERE ${routesOf[of]} = $1 AND state = 'active'`,
          [gone.id],
        );
        await parts.stop(sql, gone);
        isStopped = true;
      }
      return piece.isLast;
    });
}
