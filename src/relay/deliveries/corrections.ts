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
  /**
   * What the order is worth by all that is known of it at this destination, exact: its latest restatement, or without one the
   * purchase, less the refunds after that. Undefined where the purchase has no value.
   */
  readonly worth: string | undefined;
  readonly currency: string | null;
  /** The restatement that this comes from where no refund is after it: it says so itself. */
  readonly saidBy: string | undefined;
}

export function isCorrection({ refund, original }: Conversion): boolean {
  return refund === true || original !== undefined;
}

function keyOf({ original, order_id }: Conversion): string | undefined {
  return original?.order_id ?? order_id ?? original?.event_id;
}

interface FoundPurchase extends Omit<Purchase, 'conversionId'> {
  readonly conversion_id: string;
  readonly order_id: string | null;
}

interface Correction {
  readonly conversion_id: string;
  readonly key: string;
  readonly is_refund: boolean;
  readonly state: string;
  readonly value: string | null;
  readonly currency: string | null;
}

/**
 * The orders of these corrections at this destination, by delivery. Of several purchases under one order the one that was
 * accepted counts, then the first.
 */
export async function readOrders(
  sql: Sql,
  lane: LaneOf,
  corrections: readonly TakenRow[],
): Promise<Map<number, Order>> {
  const purchases = await purchasesOf(sql, lane, corrections);
  const found = new Map(corrections.map((row) => [row.id, purchaseOf(row, purchases)]));
  const all = await correctionsOf(sql, lane, corrections);
  const orders = new Map<number, Order>();
  for (const row of corrections) {
    const one = found.get(row.id);
    const key = keyOf(row.facts);
    orders.set(row.id, {
      purchase: one && { ...one, conversionId: one.conversion_id },
      ...worthOf(
        one,
        all.filter((each) => each.key === key),
      ),
    });
  }
  return orders;
}

async function purchasesOf(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  corrections: readonly TakenRow[],
): Promise<FoundPurchase[]> {
  const keys = [...new Set(corrections.flatMap(({ facts }) => keyOf(facts) ?? []))];
  return sql.query<FoundPurchase>(
    `SELECT c.id AS conversion_id, c.order_id, c.currency, d.state, d.value::text AS value
     FROM relay_conversions c
     JOIN relay_deliveries d ON d.organisation_id = $1 AND d.conversion_id = c.id AND d.destination_id = $2
     WHERE c.organisation_id = $1 AND (c.order_id = ANY ($3) OR c.id = ANY ($4::uuid[]))
       AND (c.facts -> 'refund' = 'true'::jsonb) IS NOT TRUE AND NOT c.facts ? 'original'
     ORDER BY d.created_at, d.id`,
    [organisationId, destinationId, keys, corrections.flatMap(({ waits_for }) => waits_for ?? [])],
  );
}

function purchaseOf({ facts, waits_for }: TakenRow, purchases: readonly FoundPurchase[]): FoundPurchase | undefined {
  const key = keyOf(facts);
  const fitting = purchases.filter(
    ({ conversion_id, order_id }) => conversion_id === waits_for || (key !== undefined && order_id === key),
  );
  return fitting.find(({ state }) => state === 'accepted') ?? fitting[0];
}

/** All that corrects these orders at this destination, each once, in the order in which it happened; then as it came. */
async function correctionsOf(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  corrections: readonly TakenRow[],
): Promise<Correction[]> {
  const keys = [...new Set(corrections.flatMap(({ facts }) => keyOf(facts) ?? []))];
  return sql.query<Correction>(
    `SELECT * FROM (
       SELECT c.id AS conversion_id, coalesce(c.facts -> 'original' ->> 'order_id', c.order_id, c.facts -> 'original' ->> 'event_id') AS key,
         (c.facts -> 'refund' = 'true'::jsonb) IS TRUE AS is_refund, c.currency, c.occurred_at
       FROM relay_conversions c
       WHERE c.organisation_id = $1 AND (c.order_id = ANY ($3)
         OR (c.facts ? 'original' AND coalesce(c.facts -> 'original' ->> 'order_id', c.facts -> 'original' ->> 'event_id') = ANY ($3)))
         AND ((c.facts -> 'refund' = 'true'::jsonb) IS TRUE OR c.facts ? 'original')
     ) AS c CROSS JOIN LATERAL (
       SELECT d.state, d.value::text AS value, d.created_at, d.id FROM relay_deliveries d
       WHERE d.organisation_id = $1 AND d.conversion_id = c.conversion_id AND d.destination_id = $2
       ORDER BY d.state IN ('withheld', 'cancelled', 'dead'), d.id LIMIT 1) AS d
     ORDER BY c.occurred_at, d.created_at, d.id`,
    [organisationId, destinationId, keys],
  );
}

/**
 * A restatement says what the order is worth at its time, so the refunds that happened before it are in it already: a platform
 * that is sent it keeps its value and takes nothing more off (reference: a second event restates the value, a refund is the
 * remaining value). By the time at which each happened, so that the order in which they arrive does not matter. Restatements that
 * were withheld, cancelled or set aside say nothing, as their platform never heard of them; refunds that were withheld or
 * cancelled take nothing back, nor do those in another currency, which are refused.
 */
function worthOf(purchase: FoundPurchase | undefined, all: readonly Correction[]): Omit<Order, 'purchase'> {
  const last = all.findLastIndex(
    ({ is_refund, value, state }) => !is_refund && value !== null && !['withheld', 'cancelled', 'dead'].includes(state),
  );
  const base = all[last] ?? purchase;
  const currency = base?.currency ?? purchase?.currency ?? null;
  const refunds = all.slice(last + 1).filter((one) => {
    const counts = one.is_refund && one.value !== null && one.state !== 'withheld' && one.state !== 'cancelled';
    return counts && (one.currency === null || currency === null || one.currency === currency);
  });
  const worth =
    base?.value == null ? undefined : refunds.reduce((left, { value }) => difference(left, value ?? '0'), base.value);
  return { worth, currency, saidBy: refunds.length === 0 ? all[last]?.conversion_id : undefined };
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
 * A correction for a platform that asks what remains: what the order is worth now, by whatever was said of it, whichever of that
 * comes last. Where nothing remains it is a refund of the whole.
 * @returns the conversion as it is sent, or what is wrong with it
 */
export function restated(
  { conversion_id }: TakenRow,
  conversion: Conversion,
  order: Order,
): Conversion | { readonly field: string } {
  if (conversion.value === undefined || order.saidBy === conversion_id) return conversion;
  const { worth, purchase } = order;
  if (worth === undefined || purchase === undefined) return { field: 'original' };
  if (order.currency !== null && conversion.currency !== undefined && order.currency !== conversion.currency)
    return { field: 'currency' };
  const { refund: _refund, value: _value, items: _items, ...rest } = conversion;
  const original = conversion.original ?? (conversion.order_id === undefined ? {} : { order_id: conversion.order_id });
  if ((compareDecimals(worth, '0') ?? -1) <= 0) return { ...rest, original, refund: true };
  const currency = conversion.currency ?? order.currency ?? undefined;
  return { ...rest, original, value: worth, ...(currency === undefined ? {} : { currency }) };
}
