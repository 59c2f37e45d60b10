import { type DeliveryState, deliveryStates } from '../../../contract/relay.ts';
import type { AskedState } from '../../../contract/relay_asked.ts';
import type { ConversionsQuestion } from '../../../contract/relay_reading.ts';

export type Narrowing = Pick<
  ConversionsQuestion,
  'source' | 'destination' | 'state' | 'reason' | 'event' | 'browser' | 'from' | 'to'
> & {
  /** Conversions that a search has found, or that somebody named. */
  readonly ids?: readonly string[] | undefined;
};

/** The states of deliveries that an asked one stands for. */
export function statesOf(state: AskedState | undefined): readonly DeliveryState[] {
  if (state === undefined || state === 'sent') return deliveryStates;
  return state === 'open' ? ['held', 'waiting', 'sending'] : [state];
}

export function isOfDeliveries({ destination, state, reason, browser }: Narrowing): boolean {
  return [destination, state, reason, browser].some((one) => one !== undefined);
}

/** Parameters of one statement, each once. */
export class Bound {
  readonly params: unknown[] = [];
  add(value: unknown): string {
    return `$${this.params.push(value)}`;
  }
}

/** Conditions on the conversion `c` alone. */
export function ofConversions(
  { source, event, from, to, ids }: Narrowing,
  organisation: string,
  bound: Bound,
): string[] {
  const where = [`c.organisation_id = ${organisation}`];
  if (source !== undefined) where.push(`c.source_id = ${bound.add(source)}`);
  if (event !== undefined) where.push(`c.event_name = ${bound.add(event)}`);
  if (from !== undefined) where.push(`c.received_at >= ${bound.add(new Date(from))}`);
  if (to !== undefined) where.push(`c.received_at < ${bound.add(new Date(to))}`);
  if (ids !== undefined) where.push(`c.id = ANY (${bound.add(ids)}::uuid[])`);
  return where;
}

/** Conditions on a delivery `d`, apart from which destination and which states. */
export function ofDeliveries({ state, reason, browser }: Narrowing, bound: Bound): string[] {
  return [
    ...(reason === undefined ? [] : [`d.reason = ${bound.add(reason)}`]),
    ...(browser === undefined ? [] : [`d.browser = ${bound.add(browser)}`]),
    ...(state === 'sent' ? ['d.first_sent_at IS NOT NULL'] : []),
  ];
}

/** A conversion `c` has such a delivery. */
export function hasDelivery(given: Narrowing, bound: Bound): string {
  const where = [
    'd.organisation_id = c.organisation_id AND d.conversion_id = c.id',
    ...(given.destination === undefined ? [] : [`d.destination_id = ${bound.add(given.destination)}`]),
    ...(given.state === undefined || given.state === 'sent'
      ? []
      : [`d.state = ANY (${bound.add(statesOf(given.state))})`]),
    ...ofDeliveries(given, bound),
  ];
  return `EXISTS (SELECT FROM relay_deliveries d WHERE ${where.join(' AND ')})`;
}
