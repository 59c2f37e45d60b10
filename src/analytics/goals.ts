import { z } from 'zod';
import { isCurrency } from '../../contract/currency.ts';
import { addedGoal, goal, goalPreview, goalRule, newGoal, removedGoal } from '../../contract/goals.ts';
import { siteOfPath, sitesChanged } from '../accounts/index.ts';
import { actOf } from '../platform/audit.ts';
import type { Clock } from '../platform/clock.ts';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import { everywhere, type Postgres, type Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { isoDay, localDay, zoneOrUtc } from '../platform/zone.ts';
import { refuseWhileHeld } from '../trust/windows/index.ts';
import { siteTarget } from './act_target.ts';
import type { GoalRule } from './history/index.ts';
import { propertyRoutes } from './properties.ts';
import { type FrozenDays, runBatch } from './query/index.ts';
import { checkSiteLimit } from './site_limit.ts';
import { openUndo } from './undo.ts';

export type Goal = z.infer<typeof goal>;

/** More would make the goals panel a page of its own; reports read all of them in one pass. */
export const goalsPerSiteMax = 100;

/** How far back a goal that is being made is tried. */
const previewDays = 30;

const ruleColumns = `kind, pattern AS match, scroll_depth,
  CASE WHEN property IS NULL THEN NULL ELSE json_build_object('name', property, 'value', property_value) END AS property`;
const columns = `id, name, currency, ${ruleColumns}`;

export function listGoals(sql: Sql, siteId: number): Promise<Goal[]> {
  return sql.query<Goal>(`SELECT ${columns} FROM goals WHERE site_id = $1 ORDER BY name, id`, [siteId]);
}

/** What the goals of every site count, by the site's number; each organisation's read through its own door. */
export async function goalRules(postgres: Postgres): Promise<Map<number, GoalRule[]>> {
  const rows = await everywhere(postgres, (sql) =>
    sql.query<GoalRule & { site_id: number }>(`SELECT site_id, ${ruleColumns} FROM goals ORDER BY site_id, id`),
  );
  const rules = new Map<number, GoalRule[]>();
  for (const { site_id: siteId, ...rule } of rows) rules.set(siteId, [...(rules.get(siteId) ?? []), rule]);
  return rules;
}

/**
 * Adds a goal; the same name again is a conflict.
 * @param id the number that it had before it was removed
 * @throws RequestError invalid_field, conflict
 */
export async function addGoal(
  sql: Sql,
  clock: Clock,
  site: { id: number; organisation_id: number },
  input: z.infer<typeof newGoal>,
  id?: number,
): Promise<Goal> {
  refuseUnsound(input);
  await checkSiteLimit(sql, site.id, 'goals', goalsPerSiteMax);
  const row = await sql.maybe<Goal>(
    `INSERT INTO goals (name, kind, pattern, property, property_value, scroll_depth, currency, organisation_id, site_id, created_at${id === undefined ? '' : ', id'})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10${id === undefined ? '' : ', $11'})
     ON CONFLICT DO NOTHING RETURNING ${columns}`,
    [...valuesOf(input), ...[site.organisation_id, site.id, new Date(clock.now())], ...(id === undefined ? [] : [id])],
  );
  if (row === undefined && id !== undefined)
    throw new RequestError('conflict', 'This goal is there again, or another one has taken its name.', {
      field: 'name',
    });
  if (row === undefined) throw nameTaken(input);
  return row;
}

/**
 * Makes a goal count something else, or gives it another name. Its number stays, so links to it do.
 * @throws RequestError invalid_field, conflict, not_found
 */
async function changeGoal(sql: Sql, siteId: number, id: number, input: z.infer<typeof newGoal>): Promise<Goal> {
  refuseUnsound(input);
  const row = await sql
    .maybe<Goal>(
      `UPDATE goals SET name = $1, kind = $2, pattern = $3, property = $4, property_value = $5, scroll_depth = $6, currency = $7
       WHERE id = $8 AND site_id = $9 RETURNING ${columns}`,
      [...valuesOf(input), id, siteId],
    )
    .catch((error: unknown) => {
      throw error instanceof Error && 'code' in error && error.code === uniqueViolation ? nameTaken(input) : error;
    });
  if (row === undefined) throw noSuchGoal();
  return row;
}

/** PostgreSQL's word for a name that is there already. */
const uniqueViolation = '23505';

function valuesOf(input: z.infer<typeof newGoal>) {
  return [
    nameOf(input),
    input.kind,
    input.match,
    input.property?.name ?? null,
    input.property?.value ?? null,
    input.scroll_depth ?? null,
    input.currency ?? null,
  ];
}

/** The name that was given, or one that says what is counted. */
function nameOf({ name, kind, match, property, scroll_depth: depth }: z.infer<typeof newGoal>): string {
  const own = { page: `Visit ${match}`, event: match, scroll: `Scroll ${depth}% of ${match}` }[kind];
  return (name ?? (property == null ? own : `${own}, ${property.name} ${property.value}`)).slice(0, 120);
}

const nameTaken = (input: z.infer<typeof newGoal>) =>
  new RequestError('conflict', `There is a goal called "${nameOf(input)}" already. Give this one another name.`, {
    field: 'name',
  });
const noSuchGoal = () => new RequestError('not_found', 'There is no goal with this number on this site.');

/** Refuses what no event could ever be. */
function refuseUnsound(input: z.infer<typeof newGoal>): void {
  const refuse = (field: string, message: string) => {
    throw new RequestError('invalid_field', message, { field });
  };
  const { kind, match } = input;
  if (kind !== 'event' && !match.startsWith('/') && !match.startsWith('*'))
    refuse('match', `"${match}" is not a page pattern. Begin it with a slash, such as /blog** or /thanks.`);
  if (kind === 'event' && match === 'engagement')
    refuse('match', 'Attention is no event that is done. To count how far a page is read, make a goal of scrolling.');
  if (kind === 'scroll' && input.scroll_depth == null)
    refuse('scroll_depth', 'Say how much of the page has to be seen, in percent from 1 to 100.');
  if (kind !== 'scroll' && input.scroll_depth != null)
    refuse('scroll_depth', 'Only a goal of scrolling has a depth. Leave it out, or make the kind "scroll".');
  if (kind !== 'event' && input.property != null)
    refuse('property', 'Only an event carries properties. Leave it out, or make the kind "event".');
  if (input.currency != null && !isCurrency(input.currency))
    refuse('currency', `"${input.currency}" is not a currency. Write an ISO 4217 code such as EUR.`);
  if (input.currency != null && kind !== 'event')
    refuse(
      'currency',
      'A page earns no revenue by itself. Make the goal of an event that carries revenue, such as purchase.',
    );
}

export function goalRoutes(
  house: Pick<House, 'postgres' | 'warehouse' | 'clock' | 'keys' | 'random' | 'audit'>,
  { frozenDaysOf }: { frozenDaysOf: (siteId: number) => Promise<FrozenDays> },
): Route[] {
  const { postgres, warehouse, clock, audit } = house;
  // Only a number that this desk has given and taken back can be asked for again.
  const removal = openUndo(house, 'goal-undo', { id: z.number().int() });
  const numbered = z.object({ domain: z.string(), id: z.coerce.number().int().positive() });
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
      summary: 'Adds a goal: a page pattern, an event or scrolling, with a currency when it earns revenue.',
      params: z.object({ domain: z.string() }),
      body: addedGoal,
      answer: goal,
      async handle({ body: { undo, ...input }, ...request }) {
        const site = await siteOfPath(postgres, request);
        const id = undo === undefined ? undefined : removal.take(site, undo).id;
        const made = await postgres.tenant(site.organisation_id, async (sql) => {
          const added = await addGoal(sql, clock, site, input, id);
          await audit.record(sql, site.organisation_id, {
            action: id === undefined ? 'goal.added' : 'goal.restored',
            ...actOf(request),
            targets: [{ type: 'goal', id: added.id, label: added.name }, siteTarget(site)],
          });
          return added;
        });
        // A goal that earns makes its site keep revenue, and conversions may be made of it from the next event on.
        await sitesChanged();
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/goal-preview',
      access: 'stats.read',
      summary: `What a goal would have counted in the last ${previewDays} days. Nothing is kept.`,
      params: z.object({ domain: z.string() }),
      body: goalRule,
      answer: goalPreview,
      async handle(request) {
        refuseUnsound(request.body);
        const site = await siteOfPath(postgres, request);
        const now = clock.now();
        const today = localDay(now, zoneOrUtc(site.timezone));
        const days: [string, string] = [isoDay(today - previewDays + 1), isoDay(today)];
        const asked = { site_id: site.domain, date_range: days };
        const answers = await runBatch({
          ...{ site, warehouse, now, signal: request.signal },
          frozenDays: await frozenDaysOf(site.id),
          goals: [{ ...request.body, name: 'preview', currency: null }],
          requests: [
            { ...asked, metrics: ['visitors', 'events'], filters: [['is', 'event:goal', ['preview']]] },
            { ...asked, metrics: ['visitors'] },
          ],
        });
        const [[visitors, times], [of]] = answers.map((answer) => {
          if ('problem' in answer) throw new RequestError(answer.problem.code, answer.problem.message);
          return answer.results[0]?.metrics.map(Number) ?? [];
        }) as [number[], number[]];
        return {
          body: {
            days,
            visitors: visitors ?? 0,
            of: of ?? 0,
            times: request.body.kind === 'scroll' ? null : (times ?? 0),
          },
        };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/sites/:domain/goals/:id',
      access: 'goal.manage',
      summary: 'Changes a goal: its name, what it counts, its currency. The past is counted by the new rule too.',
      params: numbered,
      body: newGoal,
      answer: goal,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const changed = await postgres.tenant(site.organisation_id, async (sql) => {
          const now = await changeGoal(sql, site.id, request.params.id, request.body);
          await audit.record(sql, site.organisation_id, {
            action: 'goal.changed',
            ...actOf(request),
            targets: [{ type: 'goal', id: now.id, label: now.name }, siteTarget(site)],
          });
          return now;
        });
        await sitesChanged();
        return { body: changed };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/goals/:id',
      access: 'goal.manage',
      summary: 'Removes a goal. The events it counted stay; with the answer it comes back under its number.',
      params: numbered,
      answer: removedGoal,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        await postgres.tenant(site.organisation_id, async (sql) => {
          await refuseWhileHeld(sql, site.organisation_id, site.id);
          const removed = await sql.maybe<{ name: string }>(
            'DELETE FROM goals WHERE id = $1 AND site_id = $2 RETURNING name',
            [request.params.id, site.id],
          );
          if (removed === undefined) throw noSuchGoal();
          await audit.record(sql, site.organisation_id, {
            action: 'goal.removed',
            ...actOf(request),
            targets: [{ type: 'goal', id: request.params.id, label: removed.name }, siteTarget(site)],
          });
        });
        await sitesChanged();
        return { body: { undo: removal.give(site, { id: request.params.id }) } };
      },
    }),
  ];
}
