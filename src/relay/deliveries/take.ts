import type { Sql } from '../../platform/postgres/index.ts';
import { holdCredits } from './credits.ts';
import { decide, takenColumns } from './decide.ts';
import { deliveryLimits } from './limits.ts';
import type { Account, Senders } from './parts.ts';
import type { Batch, Outcome, Ready, TakenRow } from './rows.ts';
import { settle } from './settle.ts';

/** What a turn has to send. @property isFull more may be due @property leaseAt until when it has time, as it stands in the rows */
export interface Turn {
  readonly batches: readonly Batch[];
  readonly leaseAt: Date;
  readonly isFull: boolean;
  /** Under which credits are held for it, where sending costs any. */
  readonly reservation?: number | undefined;
  /** Set aside before anything was sent. */
  readonly dead: number;
  readonly withheld: number;
}

/** What is due of an account, by organisation, destination, moment and how many. */
export const dueRows = `SELECT ${takenColumns}
  FROM relay_deliveries d JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
  WHERE d.organisation_id = $1 AND d.destination_id = $2 AND d.state IN ('waiting', 'sending') AND d.next_at <= $3
  AND EXISTS (SELECT FROM relay_destinations o WHERE o.id = $2 AND o.state = 'active')
  ORDER BY d.next_at, d.id LIMIT $4 FOR UPDATE OF d SKIP LOCKED`;

/** Rows of one turn: one request's, or of several where each takes few. */
export function rowsOf(batchMax: number): number {
  return Math.min(deliveryLimits.turnRowsMax, Math.max(batchMax, deliveryLimits.turnRequestsMax));
}

/**
 * Takes what is due of an account and marks it as being sent, in one transaction that ends before anything goes out: rows
 * that another process holds are passed over, and those that a dead process had are taken once their lease is over.
 * What cannot go (`decide`) is set aside here with its reason: each way to be sent, the first time or again, leads through here.
 * @param max rows, and requests that the account's bucket lets through; rows beyond them stay as they are
 */
export async function take(senders: Senders, account: Account, max: { rows: number; requests: number }): Promise<Turn> {
  const { postgres, vault, clock } = senders;
  const { organisationId, destinationId } = account;
  return postgres.tenant(organisationId, async (sql) => {
    const now = clock.now();
    const rows = await sql.query<TakenRow>(dueRows, [organisationId, destinationId, new Date(now), max.rows]);
    const leaseAt = new Date(now + deliveryLimits.leaseMs);
    if (rows.length === 0) return { batches: [], leaseAt, isFull: false, dead: 0, withheld: 0 };
    const { ready, aside, settings } = await decide(sql, vault, account, { rows, now });
    await keepIds(sql, organisationId, ready);
    const groups = grouped(account, ready).slice(0, max.requests);
    if (aside.length > 0) await settle(sql, account, aside, { now, isTest: false });
    // After what locks conversions, as at the end of a turn: two that lock in two orders would wait for each other.
    const held = await holdCredits(senders, sql, account, { groups, now });
    if (held.aside.length > 0) await settle(sql, account, held.aside, { now, isTest: false });
    const batches = await begin(sql, account, held.groups, { now, leaseAt, settings });
    const count = (state: Outcome['state']) => aside.filter(({ outcome }) => outcome.state === state).length;
    const isFull = rows.length === max.rows;
    const { reservation } = held;
    return { batches, leaseAt, isFull, reservation, dead: count('dead'), withheld: count('withheld') };
  });
}

/** The row says under which id it goes: that of its purchase was not known when a correction came. */
async function keepIds(sql: Sql, organisationId: number, ready: readonly Ready[]): Promise<void> {
  const other = ready.filter(({ row, item }) => item.id !== row.platform_id);
  if (other.length === 0) return;
  await sql.run(
    `UPDATE relay_deliveries d SET platform_id = u.platform_id FROM unnest($2::bigint[], $3::text[]) AS u (id, platform_id)
     WHERE d.organisation_id = $1 AND d.id = u.id`,
    [organisationId, other.map(({ row }) => row.id), other.map(({ item }) => item.id)],
  );
}

/** Rows of one request each: of the same event of the platform, and of what goes together. In the order in which they are due. */
function grouped({ destination }: Account, ready: readonly Ready[]): Ready[][] {
  const open = new Map<string, Ready[]>();
  const all: Ready[][] = [];
  for (const one of ready) {
    const key = JSON.stringify([one.row.platform_event, destination.together?.(one.item) ?? '']);
    let group = open.get(key);
    if (group === undefined || group.length >= destination.batchMax) {
      group = [];
      open.set(key, group);
      all.push(group);
    }
    group.push(one);
  }
  return all;
}

/**
 * Writes a row for each request before it goes out, and marks what is in it.
 * @param more.isHeld they are being sent already under this lease, and this is a part of that attempt: looking for the row that a
 *   platform refuses must not make the others wait as long as what failed a dozen times. Those that are not any more are left out
 */
export async function begin(
  sql: Sql,
  { organisationId, destinationId }: Pick<Account, 'organisationId' | 'destinationId'>,
  groups: readonly (readonly Ready[])[],
  {
    now,
    leaseAt,
    settings,
    isHeld = false,
  }: { now: number; leaseAt: Date; settings: (platformEvent: string | null) => unknown; isHeld?: boolean },
): Promise<Batch[]> {
  if (groups.length === 0) return [];
  const at = new Date(now);
  const attempts = await sql.query<{ id: number }>(
    `INSERT INTO relay_attempts (organisation_id, destination_id, sent_at, items)
     SELECT $1, $2, $3, items FROM unnest($4::int[]) WITH ORDINALITY AS g (items, place) ORDER BY place RETURNING id`,
    [organisationId, destinationId, at, groups.map((group) => group.length)],
  );
  const batches = groups.map((ready, place) => ({
    ready,
    attemptId: attempts[place]?.id as number,
    settings: settings(ready[0]?.row.platform_event ?? null),
  }));
  const each = batches.flatMap(({ ready, attemptId }) => ready.map(({ row }) => ({ id: row.id, attemptId })));
  const marked = await sql.query<{ id: number }>(
    `UPDATE relay_deliveries d SET state = 'sending', next_at = $2,
       attempts = CASE WHEN $8 THEN d.attempts ELSE least(d.attempts + 1, 32000) END,
       first_sent_at = coalesce(d.first_sent_at, $3), tries_until = coalesce(d.tries_until, $4),
       attempt_ids = (d.attempt_ids || u.attempt)[greatest(1, cardinality(d.attempt_ids) + 2 - $7):]
     FROM unnest($5::bigint[], $6::bigint[]) AS u (id, attempt) WHERE d.organisation_id = $1 AND d.id = u.id
       AND (NOT $8 OR (d.state = 'sending' AND d.next_at = $2)) RETURNING d.id`,
    [
      ...[organisationId, leaseAt, at, new Date(now + deliveryLimits.triesMs)],
      ...[each.map(({ id }) => id), each.map(({ attemptId }) => attemptId), deliveryLimits.attemptIdsMax, isHeld],
    ],
  );
  if (marked.length === each.length) return batches;
  const still = new Set(marked.map(({ id }) => id));
  return batches
    .map((batch) => ({ ...batch, ready: batch.ready.filter(({ row }) => still.has(row.id)) }))
    .filter(({ ready }) => ready.length > 0);
}
