import { z } from 'zod';
import { type BatchAnswer, batchAnswer, batchRequest, queryAnswer, queryRequest } from '../../../contract/query.ts';
import type { Clock } from '../../platform/clock.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import type { PackedDays } from '../packed/index.ts';
import type { Imported } from './imported.ts';
import type { KeptSums } from './kept_sums.ts';
import type { Goal, QueryProblem } from './parse.ts';
import { type FrozenDays, type QueryOutcome, type QuerySite, runBatch } from './run.ts';

/** What the routes need of the rest of the house; the app hands it in. */
export interface QueryDoors {
  warehouse: Pick<Warehouse, 'read'>;
  clock: Pick<Clock, 'now'>;
  /** A site by its domain or number; undefined when there is none. Who may see it is asked of the request. */
  findSite(wanted: string | number): Promise<(QuerySite & { organisationId: number }) | undefined>;
  goalsOf(site: QuerySite & { organisationId: number }): Promise<readonly Goal[]>;
  /** Absent: everything is read live. */
  frozenDaysOf?(site: QuerySite): Promise<FrozenDays>;
  /** Absent: closed days are read again for every question. */
  kept?: KeptSums;
  /** Absent: the engine reads closed days under a filter. */
  packed?: PackedDays | undefined;
  /** Absent: nothing is imported. */
  importedOf?(site: QuerySite & { organisationId: number }): Promise<Imported>;
}

type Allow = (organisationId: number, siteId?: number) => void;

/** `POST /api/v2/query` has Plausible's shape; `/batch` takes several of them and reads once what they share. */
export function queryRoutes(doors: QueryDoors): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v2/query',
      access: 'stats.read',
      summary: 'Answers a question about a site: metrics by dimensions over a range, filtered.',
      // The engine reads the body itself, so that every fault has the engine's code and path.
      body: z.unknown(),
      describedBody: queryRequest,
      answer: queryAnswer,
      async handle({ body, allow, signal }) {
        const [outcome] = await answerTogether(doors, [body], { allow, signal });
        if (outcome === undefined) throw new Error('A question has no answer.');
        if ('problem' in outcome) throw requestError(outcome);
        return { body: outcome };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v2/query/batch',
      access: 'stats.read',
      summary: 'Answers up to twenty questions at once; what they share is read once.',
      body: batchRequest,
      describedBody: batchRequest.extend({ queries: z.array(queryRequest).min(1) }),
      answer: batchAnswer,
      async handle({ body, allow, signal }) {
        const outcomes = await answerTogether(doors, body.queries, { allow, signal });
        const results: BatchAnswer['results'] = outcomes.map((outcome) =>
          'problem' in outcome ? { error: outcome.problem } : outcome,
        );
        return { body: { results } };
      },
    }),
  ];
}

function requestError({ problem }: QueryProblem): RequestError {
  return new RequestError(problem.code, problem.message, {
    ...(problem.field === undefined ? {} : { field: problem.field }),
    ...(problem.code === 'query_over_ceiling' || problem.code === 'warehouse_unavailable'
      ? { headers: { 'Retry-After': '5' } }
      : {}),
  });
}

/** Questions about one site are answered in one batch, whatever their order; each answer keeps its place. */
async function answerTogether(
  doors: QueryDoors,
  requests: readonly unknown[],
  { allow, signal }: { allow: Allow; signal: AbortSignal },
): Promise<QueryOutcome[]> {
  const outcomes = new Array<QueryOutcome>(requests.length);
  const bySite = Map.groupBy(
    requests.map((request, at) => ({ request, at })),
    ({ request }) => siteNamed(request),
  );
  await Promise.all(
    [...bySite].map(async ([wanted, questions]) => {
      const answers = await answersOf(
        doors,
        wanted,
        questions.map(({ request }) => request),
        { allow, signal },
      );
      questions.forEach(({ at }, number) => {
        outcomes[at] = answers[number] as QueryOutcome;
      });
    }),
  );
  return outcomes;
}

function siteNamed(request: unknown): string | number | undefined {
  const wanted = (request as { site_id?: unknown } | null | undefined)?.site_id;
  return typeof wanted === 'string' || typeof wanted === 'number' ? wanted : undefined;
}

async function answersOf(
  doors: QueryDoors,
  wanted: string | number | undefined,
  requests: readonly unknown[],
  { allow, signal }: { allow: Allow; signal: AbortSignal },
): Promise<QueryOutcome[]> {
  const everywhere = (problem: QueryProblem) => requests.map(() => problem);
  if (wanted === undefined)
    return everywhere({
      problem: { code: 'invalid_field', message: 'site_id is missing: send the domain of a site.', field: 'site_id' },
    });
  const site = await allowedSite(doors, wanted, allow);
  if (site === undefined)
    return everywhere({
      problem: {
        code: 'not_found',
        message: 'There is no such site here: check site_id and the key.',
        field: 'site_id',
      },
    });
  return askOfSite(doors, site, requests, signal);
}

/**
 * Asks questions about a site that the asker is known to be allowed to see: what the calls above ask, and what shared
 * pages and reports ask within the desk. One way, so that all of them say the same numbers.
 */
export async function askOfSite(
  doors: Omit<QueryDoors, 'findSite'>,
  site: QuerySite & { organisationId: number },
  requests: readonly unknown[],
  signal?: AbortSignal,
): Promise<QueryOutcome[]> {
  const [goals, frozenDays, imported] = await Promise.all([
    doors.goalsOf(site),
    doors.frozenDaysOf?.(site),
    doors.importedOf?.(site),
  ]);
  const outcomes = await runBatch({
    site,
    goals,
    frozenDays,
    imported,
    kept: doors.kept,
    packed: doors.packed,
    warehouse: doors.warehouse,
    now: doors.clock.now(),
    signal,
    requests,
  });
  doors.packed?.expect(site.id);
  return outcomes;
}

/** A site that may not be seen looks the same as one that does not exist. */
async function allowedSite(doors: QueryDoors, wanted: string | number, allow: Allow) {
  const site = await doors.findSite(wanted);
  if (site === undefined) return undefined;
  try {
    allow(site.organisationId, site.id);
    return site;
  } catch (error) {
    if (error instanceof RequestError && error.code === 'not_found') return undefined;
    throw error;
  }
}
