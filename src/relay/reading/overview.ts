import {
  type RelayFlow,
  type RelayOverview,
  relayFiguresQuestion,
  relayOverview,
} from '../../../contract/relay_reading.ts';
import { defineRoute, type Route, whyOf } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { ofOrganisation, organisationFor } from '../settings/parts.ts';
import { type FlowRow, figuresOf } from './figures.ts';
import { labelOf, percentiles, type ReadingHouse, reading, type Span, shownSpan, spanOf } from './parts.ts';
import { outcomeOf } from './requests.ts';

interface QueueRow {
  destination_id: number;
  waiting: number;
  held: number;
  oldest_at: Date | null;
}
interface DestinationRow {
  id: number;
  name: string;
  kind: string;
  state: 'active' | 'paused' | 'reconnect' | 'misconfigured';
  state_reason: string | null;
  state_since: Date;
}

/** Reasons that are told one by one; the others are their sum. */
const reasonsMax = 20;

export function overviewRoutes(house: ReadingHouse): Route[] {
  const { clock } = house;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/overview',
      access: 'relay.read',
      summary:
        'What came into the relay in a period and what became of it, per destination and with reasons; the queue as it is now.',
      params: ofOrganisation,
      query: relayFiguresQuestion,
      answer: relayOverview,
      async handle(request) {
        const organisation = organisationFor(request);
        const now = clock.now();
        const { span, ...read } = await reading(house, organisation, async (sql) => {
          const asked = await spanOf(sql, organisation, request.query.period, now);
          const figures = await figuresOf(sql, organisation, asked);
          return {
            span: asked,
            flows: await figures.flows(sql, organisation, asked),
            queues: await queueRows(sql, organisation),
            destinations: await sql.query<DestinationRow>(
              'SELECT id, name, kind, state, state_reason, state_since FROM relay_destinations ORDER BY name, id',
            ),
            told: await figures.told(sql, organisation, asked),
            setUp: await sql.one<RelayOverview['set_up']>(
              `SELECT (SELECT count(*)::int FROM relay_sources) AS sources, (SELECT count(*)::int FROM relay_destinations) AS destinations,
                 (SELECT count(*)::int FROM relay_routes) AS routes`,
            ),
          };
        });
        const byDestination = Map.groupBy(read.flows, ({ destination_id }) => destination_id);
        const queues = new Map(read.queues.map((row) => [row.destination_id, row]));
        const known = new Map(read.destinations.map((row) => [row.id, row]));
        const ids = new Set([...known.keys(), ...byDestination.keys(), ...queues.keys()]);
        return {
          body: {
            span: shownSpan(span),
            set_up: read.setUp,
            ...read.told,
            all: flowOf(read.flows),
            destinations: [...ids].map((id) => ({
              ...flowOf(byDestination.get(id) ?? []),
              ...shownDestination(id, known.get(id)),
              queue: shownQueue(queues.get(id)),
            })),
            requests: await requestsIn(house, organisation, span),
          },
        };
      },
    }),
  ];
}

/** Counts out of the sums; the oldest of each out of an index. */
function queueRows(sql: Sql, organisationId: number): Promise<QueueRow[]> {
  return sql.query<QueueRow>(
    `SELECT q.*, (SELECT min(l.oldest) FROM unnest('{waiting,sending}'::text[]) AS s(state) CROSS JOIN LATERAL (
         SELECT d.created_at AS oldest FROM relay_deliveries d
         WHERE d.organisation_id = $1 AND d.destination_id = q.destination_id AND d.state = s.state ORDER BY d.created_at LIMIT 1) AS l) AS oldest_at
     FROM (
       SELECT about AS destination_id, coalesce(sum(rows) FILTER (WHERE state = 'open'), 0)::int AS waiting,
         coalesce(sum(rows) FILTER (WHERE state = 'held'), 0)::int AS held
       FROM relay_summed WHERE organisation_id = $1 AND what = 'deliveries' AND state IN ('held', 'open')
       GROUP BY 1 HAVING sum(rows) <> 0) AS q`,
    [organisationId],
  );
}

export function flowOf(rows: readonly FlowRow[]): RelayFlow {
  const sum = (which: (row: FlowRow) => boolean) => rows.reduce((all, row) => (which(row) ? all + row.count : all), 0);
  const of = (state: string) => sum((row) => row.state === state);
  const steps = new Map<number, number>();
  for (const { step, count } of rows) if (step !== null) steps.set(step, (steps.get(step) ?? 0) + count);
  return {
    deliveries: sum(() => true),
    ...{ withheld: of('withheld'), withheld_reasons: reasonsOf(rows, 'withheld') },
    ...{ sent: sum((row) => row.was_sent), accepted: of('accepted') },
    ...{ dead: of('dead'), dead_reasons: reasonsOf(rows, 'dead'), cancelled: of('cancelled') },
    open: of('held') + of('open'),
    latency: percentiles(steps),
  };
}

function reasonsOf(rows: readonly FlowRow[], state: string): RelayFlow['dead_reasons'] {
  const counts = new Map<string, number>();
  for (const row of rows)
    if (row.state === state) counts.set(row.reason ?? '', (counts.get(row.reason ?? '') ?? 0) + row.count);
  const sorted = [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
  const rest = sorted.slice(reasonsMax).reduce((sum, { count }) => sum + count, 0);
  return rest === 0 ? sorted : [...sorted.slice(0, reasonsMax), { reason: 'other', count: rest }];
}

function shownDestination(id: number, row: DestinationRow | undefined) {
  if (row === undefined)
    return {
      ...{ id, name: `Destination ${id}`, kind: '', label: '' },
      ...{ state: 'removed' as const, state_reason: null, state_since: null },
    };
  return {
    ...{ id, name: row.name, kind: row.kind, label: labelOf(row.kind) },
    ...{ state: row.state, state_reason: row.state_reason, state_since: row.state_since.toISOString() },
  };
}

function shownQueue(row: QueueRow | undefined) {
  return { waiting: row?.waiting ?? 0, held: row?.held ?? 0, oldest_at: row?.oldest_at?.toISOString() ?? null };
}

/** Null where the intake log cannot be read now: the rest of the page does not wait for it. */
async function requestsIn(
  { warehouse, log }: ReadingHouse,
  organisation: number,
  { from, to }: Span,
): Promise<RelayOverview['requests']> {
  try {
    const rows = await warehouse.read<{ outcome: string; status: number; reason: string; count: string }>(
      `SELECT ${outcomeOf} AS outcome, status, reason, sum(requests) AS count FROM relay_intake
       WHERE organisation_id = {organisation:UInt64} AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
         AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
       GROUP BY outcome, status, reason ORDER BY count DESC`,
      { organisation, from, to },
      { purpose: 'relay_overview' },
    );
    const of = (outcome?: string) =>
      rows.reduce((sum, row) => (outcome === undefined || row.outcome === outcome ? sum + Number(row.count) : sum), 0);
    return {
      ...{ all: of(), taken: of('taken'), unmapped: of('unmapped'), refused: of('refused') },
      reasons: rows
        .filter(({ outcome }) => outcome !== 'taken')
        .slice(0, reasonsMax)
        .map(({ status, reason, count }) => ({ status, reason, count: Number(count) })),
    };
  } catch (error) {
    log.warn('relay.requests_not_read', { why: whyOf(error) });
    return null;
  }
}
