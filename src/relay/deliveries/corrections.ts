import type { Conversion } from '../../../contract/conversion.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { isNegative } from '../conversions/amount.ts';
import { compareDecimals } from '../mapping/decimal.ts';
import { difference } from '../routing/route.ts';
import { deliveryLimits } from './limits.ts';
import type { LaneOf } from './parts.ts';
import type { Outcome, TakenRow } from './rows.ts';

/**
 * Refunds and restatements go after their purchase: a platform that does not know the order yet would count one more sale.
 * They name it by its order, or by the event of `original`.
 */
export interface Purchase {
  readonly conversionId: string;
  /** The id under which its platform knows it here, and what corrects it goes under. */
  readonly platformId: string;
  readonly state: string;
  readonly value: string | null;
  readonly currency: string | null;
}

/** What is known of the order that a correction is about. */
export interface Order {
  readonly purchase: Purchase | undefined;
  /**
   * What the order is worth by all that is known of it at this destination, exact: its latest restatement, or without one the
   * purchase, less the refunds after that. Undefined where the purchase has no value and was not refunded whole.
   */
  readonly worth: string | undefined;
  readonly currency: string | null;
  /** The restatement that this comes from where no refund is after it: it says so itself. */
  readonly saidBy: string | undefined;
}

export function isCorrection({ refund, original }: Conversion): boolean {
  return refund === true || original !== undefined;
}

/** What a correction says of its purchase, and who says so. */
type Naming = Pick<TakenRow, 'waits_for' | 'source_id' | 'site_id'> & {
  readonly facts: Pick<Conversion, 'original' | 'order_id'>;
};

interface FoundPurchase {
  readonly conversion_id: string;
  readonly platform_id: string;
  readonly platform_event: string | null;
  readonly order_id: string | null;
  readonly event_id: string | null;
  readonly event_name: string;
  readonly source_id: number;
  readonly site_id: number | null;
  readonly state: string;
  readonly value: string | null;
  readonly currency: string | null;
}

interface Correction extends Naming {
  readonly conversion_id: string;
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
  const all = await correctionsOf(sql, lane, purchases);
  const byPurchase = Map.groupBy(all, (each) => purchaseOf(each, purchases)?.conversion_id);
  const orders = new Map<number, Order>();
  for (const row of corrections) {
    // Two conversion actions of one account each have the purchase, and each has its own refund wait for it.
    const own = purchases.filter(({ platform_event }) => platform_event === row.platform_event);
    const one = purchaseOf(row, own) ?? purchaseOf(row, purchases);
    orders.set(row.id, {
      purchase: one && { ...one, conversionId: one.conversion_id, platformId: one.platform_id },
      ...worthOf(one, one === undefined ? [] : (byPurchase.get(one.conversion_id) ?? [])),
    });
  }
  return orders;
}

const isRefundOf = "(c.facts -> 'refund' = 'true'::jsonb) IS TRUE";

/** Found by their conversion: OFFSET keeps the destination out of the index, by which all that went there would be read. */
const deliveriesOf = (conversion: string) => `(
    SELECT x.* FROM relay_deliveries x WHERE x.organisation_id = $1 AND x.conversion_id = ${conversion} OFFSET 0)`;

/** Whatever may be a purchase that these name. Apart from its deliveries, so that indexes of conversions find them whatever the planner thinks of those. */
export const namedPurchases = `WITH named AS MATERIALIZED (
    SELECT c.id AS conversion_id, c.order_id, c.event_id, c.event_name, c.source_id, c.site_id, c.currency FROM relay_conversions c
    WHERE c.organisation_id = $1 AND (c.order_id = ANY ($3) OR c.event_id = ANY ($4) OR c.id = ANY ($5::uuid[]))
      AND NOT ${isRefundOf} AND NOT c.facts ? 'original'
  )
  SELECT n.*, d.platform_id, d.platform_event, d.state, d.value::text AS value FROM named n
  CROSS JOIN LATERAL ${deliveriesOf('n.conversion_id')} AS d WHERE d.destination_id = $2
  ORDER BY d.created_at, d.id`;

async function purchasesOf(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  corrections: readonly TakenRow[],
): Promise<FoundPurchase[]> {
  return sql.query<FoundPurchase>(namedPurchases, [
    ...[organisationId, destinationId],
    [...new Set(corrections.flatMap(({ facts }) => orderOf(facts) ?? []))],
    [...new Set(corrections.flatMap(({ facts }) => facts.original?.event_id ?? []))],
    corrections.flatMap(({ waits_for }) => waits_for ?? []),
  ]);
}

function orderOf({ original, order_id }: Naming['facts']): string | undefined {
  return original?.order_id ?? order_id;
}

function purchaseOf(one: Naming, purchases: readonly FoundPurchase[]): FoundPurchase | undefined {
  const order = orderOf(one.facts);
  const ofOrder = purchases.filter(
    ({ conversion_id, order_id }) => conversion_id === one.waits_for || (order !== undefined && order_id === order),
  );
  const fitting = ofOrder.length > 0 ? ofOrder : ofEvent(one, purchases);
  return fitting.find(({ state }) => state === 'accepted') ?? fitting[0];
}

/**
 * An event's id is its source's own, and two sources may both count from one: that of the same source is meant, else one of the
 * same site. Where several of a site have it and their platform knows them apart, nobody can say which is meant, and none is.
 */
function ofEvent(
  { facts: { original }, source_id, site_id }: Naming,
  purchases: readonly FoundPurchase[],
): FoundPurchase[] {
  if (original?.event_id === undefined) return [];
  const all = purchases.filter(({ event_id }) => event_id === original.event_id);
  const own = all.filter((one) => one.source_id === source_id);
  const near = own.length > 0 ? own : all.filter((one) => one.site_id === site_id);
  // One event of a site may have reached several goals, each of which is a conversion.
  const named = near.filter(({ event_name }) => event_name === original.event_name);
  const fitting = named.length > 0 ? named : near;
  return own.length === 0 && new Set(fitting.map(({ platform_id }) => platform_id)).size > 1 ? [] : fitting;
}

/** All that corrects these at this destination, found by indexes, each once, in the order in which it happened; then as it came. */
async function correctionsOf(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  purchases: readonly FoundPurchase[],
): Promise<Correction[]> {
  return sql.query<Correction>(
    `SELECT c.conversion_id, c.source_id, c.site_id, c.is_refund, c.currency, d.waits_for, d.state, d.value,
       jsonb_strip_nulls(jsonb_build_object('original', c.original, 'order_id', c.order_id)) AS facts
     FROM (
       SELECT c.id AS conversion_id, c.source_id, c.site_id, c.order_id, c.facts -> 'original' AS original, ${isRefundOf} AS is_refund,
         c.currency, c.occurred_at
       FROM relay_conversions c
       WHERE c.organisation_id = $1 AND (c.order_id = ANY ($3) OR c.original_order_id = ANY ($3) OR c.original_event_id = ANY ($4))
         AND (${isRefundOf} OR c.facts ? 'original')
     ) AS c CROSS JOIN LATERAL (
       SELECT d.waits_for, d.state, d.value::text AS value, d.created_at, d.id FROM ${deliveriesOf('c.conversion_id')} AS d
       WHERE d.destination_id = $2 ORDER BY d.state IN ('withheld', 'cancelled', 'dead'), d.id LIMIT 1) AS d
     ORDER BY c.occurred_at, d.created_at, d.id`,
    [
      ...[organisationId, destinationId, [...new Set(purchases.flatMap(({ order_id }) => order_id ?? []))]],
      [...new Set(purchases.flatMap(({ event_id }) => event_id ?? []))],
    ],
  );
}

/**
 * A restatement says what the order is worth at its time, so the refunds that happened before it are in it already: a platform
 * that is sent it keeps its value and takes nothing more off (reference: a second event restates the value, a refund is the
 * remaining value). By the time at which each happened, so that the order in which they arrive does not matter. Restatements that
 * were withheld, cancelled or set aside say nothing, as their platform never heard of them; refunds that were withheld or
 * cancelled take nothing back, nor do those in another currency or below nothing, which are refused. After a refund of the whole
 * nothing is left, whatever parts are told of besides.
 */
function worthOf(purchase: FoundPurchase | undefined, all: readonly Correction[]): Omit<Order, 'purchase'> {
  const last = all.findLastIndex(
    ({ is_refund, value, state }) => !is_refund && value !== null && !['withheld', 'cancelled', 'dead'].includes(state),
  );
  const base = all[last] ?? purchase;
  const currency = base?.currency ?? purchase?.currency ?? null;
  const refunds = all
    .slice(last + 1)
    .filter(({ is_refund, state }) => is_refund && state !== 'withheld' && state !== 'cancelled');
  const isWhole = refunds.some(({ value }) => value === null);
  const parts = refunds.filter(({ value, currency: own }) => {
    const isSame = own === null || currency === null || own === currency;
    return isSame && value !== null && !isNegative(value);
  });
  const left =
    base?.value == null ? undefined : parts.reduce((rest, { value }) => difference(rest, value ?? '0'), base.value);
  const isLast = parts.length === 0 && !isWhole;
  return { worth: isWhole ? '0' : left, currency, saidBy: isLast ? all[last]?.conversion_id : undefined };
}

/** Whether a correction has to wait, or never goes. Undefined: it may go. @param now milliseconds since 1970 */
export function waitOf(row: TakenRow, { purchase }: Order, now: number): Outcome | undefined {
  if (purchase?.state === 'accepted') return undefined;
  const isOver = purchase !== undefined && ['dead', 'withheld', 'cancelled'].includes(purchase.state);
  // One that is still to go, after a pause of days or an approval, ends; of one that nobody has told of that is not known.
  const lateAt =
    purchase === undefined ? row.created_at.getTime() + deliveryLimits.purchaseWaitMs : Number.POSITIVE_INFINITY;
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
  const { worth, purchase } = order;
  const isNothing = worth !== undefined && (compareDecimals(worth, '0') ?? -1) <= 0;
  // Of the whole, unless a restatement is known that comes after it.
  const isWhole = conversion.value === undefined && (conversion.refund !== true || worth === undefined || isNothing);
  if (isWhole || order.saidBy === conversion_id) return conversion;
  if (worth === undefined || purchase === undefined) return { field: 'original' };
  if (order.currency !== null && conversion.currency !== undefined && order.currency !== conversion.currency)
    return { field: 'currency' };
  const { refund: _refund, value: _value, items: _items, ...rest } = conversion;
  const original = conversion.original ?? (conversion.order_id === undefined ? {} : { order_id: conversion.order_id });
  if (isNothing) return { ...rest, original, refund: true };
  const currency = conversion.currency ?? order.currency ?? undefined;
  return { ...rest, original, value: worth, ...(currency === undefined ? {} : { currency }) };
}
