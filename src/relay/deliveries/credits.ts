import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import { deliveryLimits } from './limits.ts';
import type { Account, Senders } from './parts.ts';
import type { Ended, Ready } from './rows.ts';

/** Why a delivery waits whose organisation has no credits left. */
const noCredits = 'no_credits';

/** @property ready those that may go, in their groups @property aside those that wait for credits */
export interface Covered {
  readonly groups: readonly (readonly Ready[])[];
  readonly aside: readonly Ended[];
  readonly reservation: number | undefined;
}

/**
 * Holds what these requests would cost. What nothing is left for waits, is never lost by that, and is looked at again in an
 * hour or when credits are added; the pause is outside of the hours in which it is tried. Trials cost nothing.
 */
export async function holdCredits(
  { credits }: Pick<Senders, 'credits'>,
  sql: Sql,
  account: Account,
  { groups, now }: { groups: readonly (readonly Ready[])[]; now: number },
): Promise<Covered> {
  if (credits === undefined || groups.length === 0 || isTrial(account))
    return { groups, aside: [], reservation: undefined };
  const all = groups.flat();
  const { organisationId, destinationId } = account;
  const { covered, reservation } = await credits.reserve(sql, {
    ...{ organisationId, destinationId, deliveries: all.map(({ row }) => row.id) },
  });
  const without = all.filter(({ row }) => !covered.has(row.id));
  if (without.length === 0) return { groups, aside: [], reservation };
  const pauseMs = deliveryLimits.creditLookMs;
  return {
    groups: groups.map((group) => group.filter(({ row }) => covered.has(row.id))).filter((group) => group.length > 0),
    aside: without.map(({ row }) => ({
      row,
      outcome: {
        ...{ state: 'waiting', reason: noCredits, nextAt: now + pauseMs },
        triesUntil: row.tries_until === null ? undefined : row.tries_until.getTime() + pauseMs,
      },
    })),
    reservation,
  };
}

/** A trial is sent to see that it works, counts nowhere, and costs nothing. */
export function isTrial({ isDryRun, testCode }: Pick<Account, 'isDryRun' | 'testCode'>): boolean {
  return isDryRun || testCode !== undefined;
}

/**
 * Credits were added: as many of those that wait for them as they are enough for are due now, the oldest first.
 * @returns how many
 */
export async function goOnWithCredits(
  postgres: Pick<Postgres, 'tenant'>,
  organisationId: number,
  { deliveries, now }: { deliveries: number; now: number },
): Promise<number> {
  let gone = 0;
  for (let piece = 1; piece > 0 && gone < deliveries; gone += piece)
    piece = await postgres.tenant(organisationId, (sql) =>
      sql.run(
        `UPDATE relay_deliveries u SET next_at = $2, reason = NULL
         FROM (SELECT d.id FROM relay_deliveries d WHERE d.organisation_id = $1 AND d.state = 'waiting' AND d.reason = $3
               ORDER BY d.id LIMIT $4 FOR UPDATE OF d SKIP LOCKED) AS one
         WHERE u.organisation_id = $1 AND u.id = one.id`,
        [organisationId, new Date(now), noCredits, Math.min(deliveries - gone, deliveryLimits.changePieceRows)],
      ),
    );
  return gone;
}
