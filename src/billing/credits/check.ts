import { creditMicro } from '../../../contract/credits.ts';
import type { CheckResult, LiveCheck } from '../../platform/checks.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';

/** Charges are held against their transfers for so many days back: older ones may have aged out. */
const chargeDays = 30;

/** What does not hold together in the ledger of an organisation, by the name of the rule; nothing where all does. */
export async function brokenRules(sql: Sql, organisationId: number, now: number): Promise<string[]> {
  const rules = await sql.query<{ rule: string }>(
    `WITH lines AS (
       SELECT account, sum(amount) AS amount FROM credit_entries WHERE organisation_id = $1 GROUP BY account
     ), of AS (
       SELECT coalesce(sum(amount) FILTER (WHERE account = 'available'), 0) AS available,
         coalesce(sum(amount) FILTER (WHERE account = 'reserved'), 0) AS reserved,
         coalesce(sum(amount) FILTER (WHERE account = 'consumed'), 0) AS consumed,
         coalesce(sum(amount) FILTER (WHERE account = 'expired'), 0) AS expired,
         coalesce(sum(amount) FILTER (WHERE account = 'granted'), 0) AS granted,
         coalesce(sum(amount) FILTER (WHERE account = 'refunded'), 0) AS refunded
       FROM lines
     ), a AS (SELECT * FROM credit_accounts WHERE organisation_id = $1)
     SELECT 'a transfer whose lines do not sum to nothing' AS rule WHERE EXISTS (
       SELECT FROM credit_transfers t LEFT JOIN credit_entries e ON e.organisation_id = t.organisation_id AND e.transfer_id = t.id
       WHERE t.organisation_id = $1 GROUP BY t.id HAVING coalesce(sum(e.amount), 1) <> 0 OR count(e.account) < 2)
     UNION ALL SELECT 'a balance that is not the sum of its lines' FROM of LEFT JOIN a ON true
       WHERE (coalesce(a.available, 0), coalesce(a.reserved, 0), coalesce(a.consumed, 0), coalesce(a.expired, 0), coalesce(a.granted, 0), coalesce(a.refunded, 0))
         <> (of.available, of.reserved, of.consumed, of.expired, of.granted, of.refunded)
     UNION ALL SELECT 'lots that are not what is left' FROM of
       WHERE of.available + of.reserved <> (SELECT coalesce(sum(remaining), 0) FROM credit_lots WHERE organisation_id = $1)
     UNION ALL SELECT 'reservations that are not what is held' FROM of
       WHERE of.reserved <> (SELECT coalesce(sum(amount), 0) FROM credit_reservations WHERE organisation_id = $1)
     UNION ALL SELECT 'a charge that is not what its deliveries cost' WHERE EXISTS (
       SELECT FROM credit_transfers t
       JOIN credit_entries e ON e.organisation_id = t.organisation_id AND e.transfer_id = t.id AND e.account = 'consumed'
       WHERE t.organisation_id = $1 AND t.kind = 'charge' AND t.at >= $2
         AND (e.amount, e.amount) <> ((SELECT coalesce(sum(c.amount), 0) FROM credit_charges c
           WHERE c.organisation_id = $1 AND c.transfer_id = t.id), t.deliveries * $3::bigint))`,
    [organisationId, new Date(now - chargeDays * dayMs), creditMicro],
  );
  return rules.map(({ rule }) => rule);
}

/** Does the ledger of credits hold together: every transfer, every balance, every lot, every charge (BIL-03)? */
export function creditCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  const look = (sql: Sql, organisationId: number) => brokenRules(sql, organisationId, clock.now());
  const resultOf = (broken: readonly string[]): CheckResult =>
    broken.length === 0
      ? { state: 'ok', fact: 'every balance is the sum of its lines, and every transfer sums to nothing' }
      : {
          state: 'wrong',
          fact: `does not hold together: ${[...new Set(broken)].join(', ')}`,
          todo: 'Switch credits off (FAIRLEAD_CREDITS=off), so that nothing waits for them, and send in this line with the log.',
        };
  return {
    id: 'credit-ledger',
    what: 'the ledger of credits',
    proves: ['BIL-03'],
    every: 'day',
    audience: 'everyone',
    run: async () => resultOf(await everywhere(postgres, look)),
    own: async (organisation) => resultOf(await postgres.tenant(organisation, (sql) => look(sql, organisation))),
  };
}
