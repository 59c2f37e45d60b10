import type { Sql } from '../../platform/postgres/index.ts';
import type { LaneOf } from './parts.ts';
import type { Sent } from './request.ts';
import type { Ended } from './rows.ts';

/** What became of one request, for its row. */
export interface AttemptEnd {
  readonly id: number;
  readonly sent: Sent;
  /** When its result is asked for, milliseconds since 1970. */
  readonly resultAt?: number | undefined;
  /** Deliveries that were in it. */
  readonly of: readonly number[];
}

export interface SettleParts {
  readonly now: number;
  /** It was sent as a trial, and counts nowhere. */
  readonly isTest: boolean;
  /** The lease under which rows were sent: one that passed was taken by somebody else, whose word counts. */
  readonly leaseAt?: Date;
  /** Is told, in the transaction, of those that became accepted by this and that their platform had not had before. */
  readonly charge?: (accepted: readonly { id: number; conversionId: string }[]) => Promise<void>;
}

const ends: ReadonlySet<string> = new Set(['accepted', 'withheld', 'dead', 'cancelled']);

/**
 * Writes what became of deliveries, in one statement; lets go what waited for those that were accepted; and says of
 * conversions whose last delivery has ended when that was. Conversions are locked first: two accounts that end the last two
 * deliveries of one at once would each see the other's as under way.
 * @returns deliveries that were still this turn's
 */
export async function settle(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  all: readonly Ended[],
  { now, isTest, leaseAt, charge }: SettleParts,
): Promise<number> {
  if (all.length === 0) {
    await charge?.([]);
    return 0;
  }
  const at = new Date(now);
  const ending = [...new Set(all.flatMap(({ row, outcome }) => (ends.has(outcome.state) ? row.conversion_id : [])))];
  await lockConversions(sql, organisationId, ending);
  const rows = all.map(({ row: { id }, outcome }) => {
    if (outcome.state === 'unsent')
      return { id, state: outcome.isTried === true ? 'unsent_again' : 'unsent', next: at };
    if (outcome.state !== 'waiting') return { id, next: at, ...outcome };
    const { nextAt, triesUntil, waitsFor, reason } = outcome;
    return {
      id,
      state: 'waiting',
      reason,
      next: new Date(nextAt),
      until: triesUntil && new Date(triesUntil),
      waitsFor,
    };
  }) as { id: number; state: string; next: Date; reason?: string; field?: string; until?: Date; waitsFor?: string }[];
  // What did not leave is as it was: it counts as no attempt, or as the one that it has had in this turn.
  const settled = await sql.query<{ id: number }>(
    `UPDATE relay_deliveries d SET
       state = CASE WHEN u.state IN ('unsent', 'unsent_again') THEN 'waiting' ELSE u.state END, next_at = u.next, field = u.field,
       reason = CASE WHEN u.state IN ('unsent', 'unsent_again') THEN d.reason ELSE u.reason END,
       tries_until = coalesce(u.until, d.tries_until), waits_for = coalesce(u.waits_for, d.waits_for),
       attempts = CASE u.state WHEN 'unsent' THEN greatest(d.attempts - 1, 0) ELSE d.attempts END,
       attempt_ids = CASE WHEN u.state IN ('unsent', 'unsent_again')
         THEN trim_array(d.attempt_ids, least(1, cardinality(d.attempt_ids))) ELSE d.attempt_ids END,
       is_test = CASE u.state WHEN 'accepted' THEN $3 ELSE d.is_test END,
       settled_at = CASE WHEN u.state IN ('accepted', 'withheld', 'dead', 'cancelled') THEN $2::timestamptz END
     FROM unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::uuid[])
       AS u (id, state, reason, field, next, until, waits_for)
     WHERE d.organisation_id = $1 AND d.id = u.id AND d.state IN ('held', 'waiting', 'sending')
       AND ($11::timestamptz IS NULL OR (d.state = 'sending' AND d.next_at = $11)) RETURNING d.id`,
    [
      ...[organisationId, at, isTest, rows.map(({ id }) => id), rows.map(({ state }) => state)],
      ...[
        rows.map(({ reason }) => reason?.slice(0, 200) ?? null),
        rows.map(({ field }) => field?.slice(0, 120) ?? null),
      ],
      ...[
        rows.map(({ next }) => next),
        rows.map(({ until }) => until ?? null),
        rows.map(({ waitsFor }) => waitsFor ?? null),
      ],
      leaseAt ?? null,
    ],
  );
  const accepted = all.flatMap(({ row, outcome }) => (outcome.state === 'accepted' ? row.conversion_id : []));
  if (accepted.length > 0)
    await sql.run(
      `UPDATE relay_deliveries SET next_at = $3 WHERE organisation_id = $1 AND destination_id = $2
         AND waits_for = ANY ($4::uuid[]) AND state = 'waiting' AND next_at > $3`,
      [organisationId, destinationId, at, accepted],
    );
  if (ending.length > 0) await settleConversions(sql, organisationId, ending, now);
  // The account is locked by that: nothing of another organisation's or lane's waits for more than this transaction's end.
  if (charge !== undefined) {
    const still = new Set(settled.map(({ id }) => id));
    await charge(
      all.flatMap(({ row: { id, conversion_id }, outcome }) =>
        outcome.state === 'accepted' && outcome.isDouble !== true && still.has(id)
          ? [{ id, conversionId: conversion_id }]
          : [],
      ),
    );
  }
  return settled.length;
}

/** The account answers again: what it left unanswered is due now. Its bucket lets through what it may have, as ever. */
export async function drawForward(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  ids: readonly number[],
  now: number,
): Promise<void> {
  await sql.run(
    `UPDATE relay_deliveries SET next_at = $4 WHERE organisation_id = $1 AND destination_id = $2 AND id = ANY ($3::bigint[])
       AND state = 'waiting' AND next_at > $4 AND waits_for IS NULL`,
    [organisationId, destinationId, ids, new Date(now)],
  );
}

/**
 * Whoever ends deliveries of several conversions locks these first, and all in one order: neither of two waits for what the other
 * holds, and none sees as under way what the other is ending.
 */
export async function lockConversions(sql: Sql, organisationId: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql.query(
    'SELECT FROM relay_conversions WHERE organisation_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR NO KEY UPDATE',
    [organisationId, ids],
  );
}

/** Of these conversions, which are locked: those that have nothing under way any more have ended now. */
export async function settleConversions(
  sql: Sql,
  organisationId: number,
  conversionIds: readonly string[],
  now: number,
): Promise<void> {
  await sql.run(
    `UPDATE relay_conversions c SET settled_at = $3
     WHERE c.organisation_id = $1 AND c.id = ANY ($2::uuid[]) AND c.settled_at IS NULL AND NOT EXISTS (
       SELECT FROM relay_deliveries d WHERE d.organisation_id = $1 AND d.conversion_id = c.id
         AND d.state IN ('held', 'waiting', 'sending'))`,
    [organisationId, conversionIds, new Date(now)],
  );
}

/** Requests that did not leave have no row. */
export async function endAttempts(sql: Sql, organisationId: number, all: readonly AttemptEnd[]): Promise<void> {
  const gone = all.filter(({ sent }) => sent.isUnsent === true).map(({ id }) => id);
  if (gone.length > 0)
    await sql.run('DELETE FROM relay_attempts WHERE organisation_id = $1 AND id = ANY ($2::bigint[])', [
      organisationId,
      gone,
    ]);
  const made = all.filter(({ sent }) => sent.isUnsent !== true);
  if (made.length === 0) return;
  const of = <T>(value: (end: AttemptEnd) => T) => made.map(value);
  await sql.run(
    `UPDATE relay_attempts a SET ms = u.ms, status = u.status, class = u.class, reason = u.reason, answer = u.answer,
       platform_request = u.platform_request, result_at = u.result_at
     FROM unnest($2::bigint[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
       AS u (id, ms, status, class, reason, answer, platform_request, result_at)
     WHERE a.organisation_id = $1 AND a.id = u.id`,
    [
      ...[organisationId, of(({ id }) => id), of(({ sent }) => sent.ms), of(({ sent }) => sent.status)],
      ...[of(({ sent }) => sent.verdict.class), of(({ sent }) => sent.verdict.reason.slice(0, 200) || null)],
      ...[of(({ sent }) => sent.answer), of(({ sent }) => sent.platformRequest ?? null)],
      of(({ resultAt }) => (resultAt === undefined ? null : new Date(resultAt))),
    ],
  );
  for (const { id, resultAt, of: deliveries } of made)
    if (resultAt !== undefined)
      await sql.run('UPDATE relay_attempts SET result_of = $3 WHERE organisation_id = $1 AND id = $2', [
        ...[organisationId, id, deliveries],
      ]);
}

/**
 * PostgreSQL ends one of two transactions that wait for each other (40P01), and one that cannot go beside another (40001): nothing
 * of it was done, and it may well go through by itself.
 */
export async function onceMoreIfCut<T>(transaction: () => Promise<T>): Promise<T> {
  try {
    return await transaction();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== '40P01' && code !== '40001') throw error;
    return transaction();
  }
}
