import type { Conversion } from '../../../contract/conversion.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { compareDecimals } from '../mapping/decimal.ts';
import { difference } from '../routing/route.ts';
import { deliveryLimits } from './limits.ts';
import type { LaneOf } from './parts.ts';
import type { Outcome, TakenRow } from './rows.ts';

/**
 * Refunds and restatements go after their purchase: a platform that does not know the order yet would count one more sale.
 * What they are told apart by is the order, else the event of `original`.
 */
export interface Purchase {
  readonly conversionId: string;
  readonly state: string;
  readonly value: string | null;
  readonly currency: string | null;
}

/** What is known of the order that a correction is about. */
export interface Order {
  readonly purchase: Purchase | undefined;
  /** What all refunds of the order so far take back together, as sent to this destination; exact. */
  readonly refunded: string;
  /** The value of the purchase less that. */
  readonly remaining: string | undefined;
}

export function isCorrection({ refund, original }: Conversion): boolean {
  return refund === true || original !== undefined;
}

function keyOf({ original, order_id }: Conversion): string | undefined {
  return original?.order_id ?? order_id ?? original?.event_id;
}

interface Found {
  key: string;
  conversion_id: string;
  state: string;
  value: string | null;
  currency: string | null;
  refunded: string;
}

/**
 * The orders of these corrections at this destination, by delivery. Of several purchases under one order the one that was
 * accepted counts, then the first. Refunds that were withheld or cancelled take nothing back.
 */
export async function readOrders(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  corrections: readonly TakenRow[],
): Promise<Map<number, Order>> {
  const keys = [...new Set(corrections.flatMap(({ facts }) => keyOf(facts) ?? []))];
  const named = corrections.flatMap(({ waits_for }) => waits_for ?? []);
  const found = await sql.query<Found>(
    `WITH told AS (
       SELECT c.id, c.currency, coalesce(c.facts -> 'original' ->> 'order_id', c.order_id, c.facts -> 'original' ->> 'event_id') AS key,
              (c.facts -> 'refund' = 'true'::jsonb) IS TRUE AS is_refund, c.facts ? 'original' AS is_correction
       FROM relay_conversions c
       WHERE c.organisation_id = $1 AND (c.order_id = ANY ($3) OR c.id = ANY ($4::uuid[])
         OR (c.facts ? 'original' AND coalesce(c.facts -> 'original' ->> 'order_id', c.facts -> 'original' ->> 'event_id') = ANY ($3)))
     ), sent AS (
       SELECT t.*, d.state, d.value, d.created_at FROM told t
       JOIN relay_deliveries d ON d.organisation_id = $1 AND d.conversion_id = t.id AND d.destination_id = $2
     ), refunds AS (
       SELECT key, sum(value) AS refunded FROM sent
       WHERE is_refund AND value IS NOT NULL AND state NOT IN ('withheld', 'cancelled') GROUP BY key
     )
     SELECT DISTINCT ON (s.id) coalesce(s.key, '') AS key, s.id AS conversion_id, s.state, s.value::text AS value, s.currency,
            coalesce(r.refunded, 0)::text AS refunded
     FROM sent s LEFT JOIN refunds r USING (key)
     WHERE NOT s.is_refund AND NOT s.is_correction
     ORDER BY s.id, s.state = 'accepted' DESC, s.created_at`,
    [organisationId, destinationId, keys, named],
  );
  const orders = new Map<number, Order>();
  for (const row of corrections) {
    const key = keyOf(row.facts);
    const fitting = found.filter(
      (one) => one.conversion_id === row.waits_for || (key !== undefined && one.key === key),
    );
    const one = fitting.find(({ state }) => state === 'accepted') ?? fitting[0];
    orders.set(row.id, {
      purchase: one && { conversionId: one.conversion_id, state: one.state, value: one.value, currency: one.currency },
      refunded: one?.refunded ?? '0',
      remaining: one?.value == null ? undefined : difference(one.value, one.refunded),
    });
  }
  return orders;
}

/** Whether a correction has to wait, or never goes. Undefined: it may go. @param now milliseconds since 1970 */
export function waitOf(row: TakenRow, { purchase }: Order, now: number): Outcome | undefined {
  if (purchase?.state === 'accepted') return undefined;
  const lateAt = row.created_at.getTime() + deliveryLimits.purchaseWaitMs;
  const isOver = purchase !== undefined && ['dead', 'withheld', 'cancelled'].includes(purchase.state);
  if (isOver || now >= lateAt) return { state: 'dead', reason: 'original_not_delivered', field: 'original' };
  return {
    ...{ state: 'waiting', reason: 'waits_for_original', triesUntil: row.tries_until?.getTime() },
    nextAt: Math.min(now + deliveryLimits.purchaseLookMs, lateAt),
    waitsFor: purchase?.conversionId ?? row.waits_for ?? undefined,
  };
}

/**
 * A refund of a part, for a platform that asks what remains: the order is worth what the purchase was, less all refunds so
 * far, whichever of them comes last. Where nothing remains it is a refund of the whole.
 * @returns the conversion as it is sent, or what is wrong with it
 */
export function restated(conversion: Conversion, order: Order): Conversion | { readonly field: string } {
  if (conversion.refund !== true || conversion.value === undefined) return conversion;
  const { remaining, purchase } = order;
  if (remaining === undefined || purchase === undefined) return { field: 'original' };
  if (purchase.currency !== null && conversion.currency !== undefined && purchase.currency !== conversion.currency)
    return { field: 'currency' };
  const { refund: _refund, value: _value, items: _items, ...rest } = conversion;
  const original = conversion.original ?? (conversion.order_id === undefined ? {} : { order_id: conversion.order_id });
  if ((compareDecimals(remaining, '0') ?? -1) <= 0) return { ...rest, original, refund: true };
  const currency = conversion.currency ?? purchase.currency ?? undefined;
  return { ...rest, original, value: remaining, ...(currency === undefined ? {} : { currency }) };
}
