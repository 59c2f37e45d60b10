import { repeat } from '../../platform/clock.ts';
import { openAccount } from './account.ts';
import { deliveryLimits } from './limits.ts';
import type { LaneOf, Senders } from './parts.ts';
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
 * never which row: it is written to the request, and its first words to every delivery in it. Deliveries stay accepted.
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
  const { postgres, clock, credits } = senders;
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
  const said = isOver ? { result: 'no_result', refused: 0 } : await resultOf(senders, lane, row);
  const later = said?.result;
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
    if (credits !== undefined && said !== undefined && said.refused > 0)
      await credits.giveBack(sql, {
        ...{ organisationId, destinationId: row.destination_id, request: attemptId, sentAt: row.sent_at },
        ...{ deliveries: row.result_of ?? [], refused: said.refused },
      });
  });
}

/** @returns undefined while the platform is still looking, or could not be asked */
async function resultOf(
  senders: Senders,
  lane: LaneOf,
  row: AskedRow,
): Promise<{ result: string; refused: number } | undefined> {
  const account = await openAccount(senders, lane);
  if ('state' in account || account.destination.later === undefined || row.platform_request === null) return undefined;
  const { later } = account.destination;
  const sent = await sendRequest(senders, account, later.build(row.platform_request), {
    ...{ sent: row.items, now: senders.clock.now() },
  });
  return sent.result === undefined ? undefined : { result: sent.result, refused: sent.refused ?? 0 };
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
