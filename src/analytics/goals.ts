import { z } from 'zod';
import { goal, newGoal } from '../../contract/api.ts';
import { isCurrency } from '../../contract/currency.ts';
import { siteOfPath, sitesChanged } from '../accounts/index.ts';
import type { Clock } from '../platform/clock.ts';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import type { Postgres, Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import type { GoalRule } from './history/index.ts';
import { propertyRoutes } from './properties.ts';

export type Goal = z.infer<typeof goal>;

/** More would make the goals panel a page of its own; reports read all of them in one pass. */
export const goalsPerSiteMax = 100;

const columns = 'id, name, kind, pattern AS match, currency';

export function listGoals(sql: Sql, siteId: number): Promise<Goal[]> {
  return sql.query<Goal>(`SELECT ${columns} FROM goals WHERE site_id = $1 ORDER BY name, id`, [siteId]);
}

/** What the goals of every site count, by the site's number; each organisation's read through its own door. */
export async function goalRules(postgres: Postgres): Promise<Map<number, GoalRule[]>> {
  const organisations = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  const rules = new Map<number, GoalRule[]>();
  for (const { organisation_id: organisationId } of organisations) {
    const rows = await postgres.tenant(organisationId, (sql) =>
      sql.query<GoalRule & { site_id: number }>(
        'SELECT site_id, kind, pattern AS match FROM goals ORDER BY site_id, id',
      ),
    );
    for (const { site_id: siteId, kind, match } of rows)
      rules.set(siteId, [...(rules.get(siteId) ?? []), { kind, match }]);
  }
  return rules;
}

/**
 * Adds a goal; the same name again is a conflict.
 * @throws RequestError invalid_field, conflict
 */
export async function addGoal(
  sql: Sql,
  clock: Clock,
  site: { id: number; organisation_id: number },
  input: z.infer<typeof newGoal>,
): Promise<Goal> {
  const name = input.name ?? (input.kind === 'page' ? `Visit ${input.match}` : input.match);
  if (input.kind === 'page' && !input.match.startsWith('/') && !input.match.startsWith('*'))
    throw new RequestError(
      'invalid_field',
      `"${input.match}" is not a page pattern. Begin it with a slash, such as /blog** or /thanks.`,
      { field: 'match' },
    );
  if (input.currency != null && !isCurrency(input.currency))
    throw new RequestError(
      'invalid_field',
      `"${input.currency}" is not a currency. Write an ISO 4217 code such as EUR.`,
      { field: 'currency' },
    );
  if (input.currency != null && input.kind === 'page')
    throw new RequestError(
      'invalid_field',
      'A page earns no revenue by itself. Make the goal of an event that carries revenue, such as purchase.',
      { field: 'currency' },
    );
  const { count } = await sql.one<{ count: number }>('SELECT count(*)::int AS count FROM goals WHERE site_id = $1', [
    site.id,
  ]);
  if (count >= goalsPerSiteMax)
    throw new RequestError('conflict', `A site has at most ${goalsPerSiteMax} goals. Remove one first.`);
  const row = await sql.maybe<Goal>(
    `INSERT INTO goals (organisation_id, site_id, kind, name, pattern, currency, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (organisation_id, site_id, name) DO NOTHING RETURNING ${columns}`,
    [
      site.organisation_id,
      site.id,
      input.kind,
      name.slice(0, 120),
      input.match,
      input.currency ?? null,
      new Date(clock.now()),
    ],
  );
  if (row === undefined)
    throw new RequestError('conflict', `There is a goal called "${name}" already. Give this one another name.`, {
      field: 'name',
    });
  return row;
}

export function goalRoutes(house: Pick<House, 'postgres' | 'warehouse' | 'clock'>): Route[] {
  const { postgres, clock } = house;
  return [
    ...propertyRoutes(house),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/goals',
      access: 'site.read',
      summary: 'The goals of a site.',
      params: z.object({ domain: z.string() }),
      answer: z.object({ goals: z.array(goal) }),
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        return { body: { goals: await postgres.tenant(site.organisation_id, (sql) => listGoals(sql, site.id)) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/goals',
      access: 'goal.manage',
      summary: 'Adds a goal: a page pattern or an event, with a currency when it earns revenue.',
      params: z.object({ domain: z.string() }),
      body: newGoal,
      answer: goal,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const made = await postgres.tenant(site.organisation_id, (sql) => addGoal(sql, clock, site, request.body));
        // A goal that earns makes its site keep revenue.
        if (made.currency !== null) await sitesChanged();
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/goals/:id',
      access: 'goal.manage',
      summary: 'Removes a goal. The events it counted stay.',
      params: z.object({ domain: z.string(), id: z.coerce.number().int().positive() }),
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const removed = await postgres.tenant(site.organisation_id, (sql) =>
          sql.run('DELETE FROM goals WHERE id = $1 AND site_id = $2', [request.params.id, site.id]),
        );
        if (removed === 0) throw new RequestError('not_found', 'There is no goal with this number on this site.');
        await sitesChanged();
        return { status: 204 };
      },
    }),
  ];
}
