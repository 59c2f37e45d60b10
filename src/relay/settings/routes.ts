import { relayLimits } from '../../../contract/relay.ts';
import {
  newRelayRoute,
  relayRoute,
  relayRouteChange,
  relayRoutes,
  routeTest,
  routeTestAnswer,
  type TriedDelivery,
} from '../../../contract/relay_settings.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { relayChanged } from '../changes.ts';
import { takeRequest } from '../sources/capture.ts';
import { presetOf } from '../sources/presets/index.ts';
import { openKept } from './kept.ts';
import { mappingInForce } from './mapping_rows.ts';
import {
  checkLimit,
  membersOf,
  note,
  ofOrganisation,
  ofRoute,
  organisationFor,
  removeWithWaiting,
  type SettingsHouse,
} from './parts.ts';
import { noDestination, noSource, type RouteRow, routeRow, routeRows, routeToTry, shownRoute } from './route_rows.ts';
import { sourceRow } from './source_rows.ts';
import { judgingOf, tryRoute } from './trial.ts';

/** What goes from which source to which destination, and as what. */
export function routeRoutes(house: SettingsHouse): Route[] {
  const { postgres, clock } = house;
  const kept = openKept(house);
  const judging = judgingOf(house);
  const target = ({ id, source, destination }: Pick<RouteRow, 'id' | 'source' | 'destination'>) => ({
    ...{ type: 'relay_route', id, label: `${source} → ${destination}` },
  });

  async function checkEnds(sql: Sql, ends: { source_id: number; destination_id: number }): Promise<void> {
    const has = async (table: string, id: number) =>
      (await sql.maybe(`SELECT FROM ${table} WHERE id = $1 FOR SHARE`, [id])) !== undefined;
    if (!(await has('relay_sources', ends.source_id))) throw noSource();
    if (!(await has('relay_destinations', ends.destination_id))) throw noDestination();
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/routes',
      access: 'relay.read',
      summary: 'Every route with its rules.',
      params: ofOrganisation,
      answer: relayRoutes,
      async handle(request) {
        const organisation = organisationFor(request);
        const rows = await postgres.tenant(organisation, routeRows);
        return { body: { routes: rows.map(shownRoute), limits: { routes: relayLimits.routesMax } } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/routes',
      access: 'relay.manage',
      summary: 'Makes a route. What comes from then on goes this way; what came before does not.',
      params: ofOrganisation,
      body: newRelayRoute,
      answer: relayRoute,
      async handle(request) {
        const organisation = organisationFor(request);
        const { source_id, destination_id, rules } = request.body;
        const made = await postgres.tenant(organisation, async (sql) => {
          await checkLimit(sql, organisation, 'relay_routes', relayLimits.routesMax);
          await checkEnds(sql, request.body);
          const { id } = await sql.one<{ id: number }>(
            `INSERT INTO relay_routes (organisation_id, source_id, destination_id, rules, created_at)
             VALUES ($1, $2, $3, $4, $5) RETURNING id`,
            [organisation, source_id, destination_id, JSON.stringify(rules), new Date(clock.now())],
          );
          const row = await routeRow(sql, id);
          await note(house, sql, request, 'relay.route_added', target(row));
          return shownRoute(row);
        });
        await relayChanged();
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/organisations/:organisation/relay/routes/:route',
      access: 'relay.manage',
      summary: 'Changes the rules of a route, or pauses it: what comes then does not go this way, later neither.',
      params: ofRoute,
      body: relayRouteChange,
      answer: relayRoute,
      async handle(request) {
        const organisation = organisationFor(request);
        const { body, params } = request;
        const changed = await postgres.tenant(organisation, async (sql) => {
          const before = await routeRow(sql, params.route);
          const count = await sql.run(
            `UPDATE relay_routes SET rules = coalesce($2::jsonb, rules), state = coalesce($3, state), version = version + 1
             WHERE id = $1 AND version = $4`,
            [
              ...[before.id, body.rules === undefined ? null : JSON.stringify(body.rules), body.state ?? null],
              body.version,
            ],
          );
          if (count === 0)
            throw new RequestError('conflict', 'Somebody else has changed this route meanwhile. Look at it again.', {
              field: 'version',
            });
          const after = await routeRow(sql, before.id);
          await note(house, sql, request, 'relay.route_changed', target(after), {
            ...{ members: membersOf(body), version: after.version, state: after.state },
          });
          return shownRoute(after);
        });
        await relayChanged();
        return { body: changed };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/relay/routes/:route',
      access: 'relay.manage',
      summary: 'Removes a route; what waits on it is cancelled.',
      params: ofRoute,
      async handle(request) {
        const organisation = organisationFor(request);
        await removeWithWaiting(house, organisation, 'route_id', {
          find: (sql) => routeRow(sql, request.params.route),
          stop: (sql, gone) =>
            note(house, sql, request, 'relay.route_changed', target(gone), { members: 'state', state: 'paused' }),
          async remove(sql, gone, cancelled) {
            await sql.run('DELETE FROM relay_routes WHERE id = $1', [gone.id]);
            await note(house, sql, request, 'relay.route_removed', target(gone), { cancelled });
          },
        });
        await relayChanged();
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/route-tests',
      access: 'relay.read',
      summary:
        'What a route, there or not yet, would do with the requests that are kept of its source. Nothing is sent.',
      params: ofOrganisation,
      body: routeTest,
      answer: routeTestAnswer,
      async handle(request) {
        const organisation = organisationFor(request);
        const { source_id, destination_id, rules } = request.body;
        const [source, mapping, route] = await postgres.tenant(organisation, async (sql) => {
          const row = await sourceRow(sql, source_id, clock.now()).catch((error: unknown) => {
            throw error instanceof RequestError && error.code === 'not_found' ? noSource() : error;
          });
          return [row, await mappingInForce(sql, row), await routeToTry(sql, destination_id, rules)] as const;
        });
        const ping = source.preset === null ? undefined : presetOf(source.preset)?.ping;
        const counts = new Map<string, Pick<TriedDelivery, 'outcome' | 'reason' | 'field'> & { count: number }>();
        let looked = 0;
        let conversions = 0;
        for (const { id } of await kept.list(organisation, source_id)) {
          const came = await kept.open(organisation, source_id, id);
          if (came === undefined) continue;
          looked += 1;
          for (const conversion of takeRequest(came.request, { mapping, ping }, came.receivedAt).conversions) {
            conversions += 1;
            const { outcome, reason, field } = tryRoute(
              route,
              conversion,
              judging(organisation, source_id),
              came.receivedAt,
            );
            const name = [outcome, reason, field].join(' ');
            const known = counts.get(name) ?? { outcome, ...(reason && { reason }), ...(field && { field }), count: 0 };
            counts.set(name, { ...known, count: known.count + 1 });
          }
        }
        const order = ['sent', 'held', 'withheld', 'refused', 'skipped', 'misconfigured'];
        const outcomes = [...counts.values()].toSorted(
          (a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome) || b.count - a.count,
        );
        return { body: { captures: looked, conversions, outcomes } };
      },
    }),
  ];
}
