import { repeat } from '../../platform/clock.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Verdict } from '../destinations/destination.ts';
import { versionOf } from '../destinations/index.ts';
import { openAccount } from './account.ts';
import { agesByKind, tooOld } from './ages.ts';
import { deliveryLimits } from './limits.ts';
import type { LaneOf, Senders } from './parts.ts';
import { unsettle } from './replays.ts';
import { sendRequest } from './request.ts';

interface AskedRow {
  destination_id: number;
  platform_request: string | null;
  sent_at: Date;
  items: number;
  result_of: number[] | null;
}

/**
 * Asks platforms that take requests first and look at them later what became of each. What they say is counts by reason, and
 * never which row: it is written to the request, and its first words to every delivery in it. Deliveries stay accepted, unless
 * something of it may yet go through (a click that is too recent, a fault of the platform, a reason that nobody knows): then
 * those that it can be about go once more, after the pause that the platform's documents name.
 * @returns how many were asked
 */
export async function askResults(senders: Senders): Promise<number> {
  const { postgres, clock, log } = senders;
  const due = await postgres.system((sql) =>
    sql.query<{ organisation_id: number; attempt_id: number }>('SELECT * FROM lookup.results_to_ask($1) LIMIT $2', [
      ...[new Date(clock.now()), deliveryLimits.resultsAtOnceMax],
    ]),
  );
  for (const { organisation_id, attempt_id } of due)
    await askOne(senders, organisation_id, attempt_id).catch((error) =>
      log.error('relay.result_failed', { attempt: attempt_id }, error),
    );
  return due.length;
}

async function askOne(senders: Senders, organisationId: number, attemptId: number): Promise<void> {
  const { postgres, clock, log, credits } = senders;
  const now = clock.now();
  // Whoever asks holds it for a while: another process passes it over.
  const row = await postgres.tenant(organisationId, (sql) =>
    sql.maybe<AskedRow>(
      `UPDATE relay_attempts SET result_at = $3 WHERE organisation_id = $1 AND id = $2 AND result_at <= $4
       RETURNING destination_id, platform_request, sent_at, items, result_of`,
      [organisationId, attemptId, new Date(now + deliveryLimits.leaseMs), new Date(now)],
    ),
  );
  if (row === undefined) return;
  const lane: LaneOf = { organisationId, destinationId: row.destination_id };
  const ageMs = now - row.sent_at.getTime();
  const isOver = ageMs >= deliveryLimits.resultMsMax;
  const found = isOver ? undefined : await resultOf(senders, lane, row);
  const later = isOver ? 'no_result' : found?.text;
  const againMs = Math.min(Math.max(ageMs, deliveryLimits.resultFirstMs), deliveryLimits.resultAgainMsMax);
  await postgres.tenant(organisationId, async (sql) => {
    await sql.run(
      `UPDATE relay_attempts SET result_at = $3, result = $4, result_of = CASE WHEN $4::text IS NULL THEN result_of END
       WHERE organisation_id = $1 AND id = $2`,
      [organisationId, attemptId, later === undefined ? new Date(now + againMs) : null, later?.slice(0, 200) ?? null],
    );
    if (later !== undefined && later !== 'no_result')
      await sql.run(
        `UPDATE relay_deliveries SET platform_result = $3
         WHERE organisation_id = $1 AND id = ANY ($2::bigint[]) AND state = 'accepted'`,
        [organisationId, row.result_of ?? [], later.slice(0, 120)],
      );
    const of = row.result_of ?? [];
    const again =
      found !== undefined && mayYetGo(found.verdict)
        ? await sendAgain(sql, lane, { of, sentAt: row.sent_at, now, ...found })
        : [];
    if (again.length > 0)
      log.info('relay.sent_again', {
        destination: lane.destinationId,
        deliveries: again.length,
        why: found?.verdict.reason,
      });
    if (credits === undefined || found === undefined) return;
    const refused = { ...lane, request: attemptId, sentAt: row.sent_at };
    // What goes once more is given back, whichever of it the platform meant, and costs again when it is taken then.
    await credits.giveBack(sql, { ...refused, deliveries: again, refused: again.length, isSentAgain: true });
    const others = of.filter((id) => !again.includes(id));
    await credits.giveBack(sql, { ...refused, deliveries: others, refused: found.refused - again.length });
  });
}

/** @returns undefined while the platform is still looking, or could not be asked */
async function resultOf(senders: Senders, lane: LaneOf, row: AskedRow): Promise<Found | undefined> {
  const account = await openAccount(senders, lane);
  if ('state' in account || account.destination.later === undefined || row.platform_request === null) return undefined;
  const { later } = account.destination;
  const version = versionOf(account.destination, senders.versions);
  const sent = await sendRequest(senders, account, later.build(row.platform_request, version), {
    ...{ sent: row.items, now: senders.clock.now() },
  });
  return sent.result === undefined
    ? undefined
    : { text: sent.result, verdict: sent.verdict, refused: sent.refused ?? 0 };
}

/** What the platform says of a request in words, and what follows from it. */
interface Found {
  readonly text: string;
  readonly verdict: Verdict;
  /** How many of its rows it did not take. */
  readonly refused: number;
}

function mayYetGo({ class: answer }: Verdict): boolean {
  return answer === 'retry' || answer === 'retry_later';
}

/**
 * Lets deliveries of a request wait for another one. Which of them the platform means it does not say, and each counts once by
 * its id there, so all go; of a click that is too recent only those with a click that was not a day old. An order that was
 * corrected since would be made whole again: it stays as it is. What would be too old by then stays accepted, too.
 * @returns which
 */
async function sendAgain(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  { of, sentAt, now, verdict }: Found & { of: readonly number[]; sentAt: Date; now: number },
): Promise<number[]> {
  const nextAt = now + (verdict.retryAfterMs ?? deliveryLimits.resultRepeatMs);
  const isOfClick = verdict.reason === 'TOO_RECENT_CLICK';
  const again = await sql.query<{ id: number; conversion_id: string }>(
    `WITH sent AS (
       SELECT d.id, c.source_id, c.site_id, coalesce(c.original_order_id, c.order_id) AS order_id,
         CASE WHEN c.facts ? 'original' THEN c.original_event_id ELSE c.event_id END AS event_id
       FROM relay_deliveries d JOIN relay_destinations o ON o.id = d.destination_id
       JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
       WHERE d.organisation_id = $1 AND d.destination_id = $2 AND d.id = ANY ($3::bigint[]) AND d.state = 'accepted' AND NOT d.is_test
         AND NOT ${tooOld({ now: 4, ages: 9 })}
         AND (NOT $5 OR (c.facts -> 'click_ids' ?| '{gclid,gbraid,wbraid}'
           AND coalesce((c.facts ->> 'clicked_at')::timestamptz, $6) > $6::timestamptz - interval '1 day'))
         AND (SELECT count(*) FROM relay_attempts a WHERE a.organisation_id = $1 AND a.id = ANY (d.attempt_ids) AND a.result IS NOT NULL) <= $7
       ORDER BY d.id FOR UPDATE OF d
     ), corrected AS (
       SELECT e.id, k.* FROM (
         SELECT c.id AS conversion_id, c.source_id, c.site_id, coalesce(c.original_order_id, c.order_id) AS order_id, c.original_event_id AS event_id
         FROM relay_conversions c WHERE c.organisation_id = $1 AND (c.facts -> 'refund' = 'true'::jsonb OR c.facts ? 'original')
           AND (c.order_id = ANY (ARRAY(SELECT order_id FROM sent)) OR c.original_order_id = ANY (ARRAY(SELECT order_id FROM sent))
             OR c.original_event_id = ANY (ARRAY(SELECT event_id FROM sent)))) AS k
       JOIN relay_deliveries e ON e.organisation_id = $1 AND e.conversion_id = k.conversion_id AND e.destination_id = $2
         AND e.state NOT IN ('withheld', 'cancelled', 'dead')
     )
     UPDATE relay_deliveries d SET state = 'waiting', reason = $8, next_at = $4, tries_until = NULL, settled_at = NULL
     FROM sent s WHERE d.organisation_id = $1 AND d.id = s.id
       AND NOT EXISTS (SELECT FROM corrected k WHERE k.id > s.id AND (k.order_id = s.order_id OR (k.event_id = s.event_id
         AND (k.source_id = s.source_id OR k.site_id IS NOT DISTINCT FROM s.site_id)))) RETURNING d.id, d.conversion_id`,
    [
      ...[organisationId, destinationId, of, new Date(nextAt), isOfClick, sentAt],
      ...[deliveryLimits.resultRepeatsMax, verdict.reason.slice(0, 200), ...agesByKind()],
    ],
  );
  await unsettle(sql, organisationId, again);
  return again.map(({ id }) => id);
}

/** Timers of results. @returns what ends them */
export function lookForResults(senders: Senders): () => void {
  return repeat(
    senders.clock,
    deliveryLimits.resultLookMs,
    async () => ((await senders.isHeld?.()) === true ? 0 : askResults(senders)),
    {
      onError: (error) => senders.log.error('relay.results_failed', {}, error),
    },
  );
}
