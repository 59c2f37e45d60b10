import type { DeliveryState } from './relay.ts';

/** What pages and calls about the relay offer to choose from: plain lists, which the dashboard reads without what checks them. */
export const relayPeriods = ['today', '7d', '30d', '90d'] as const;
export type RelayPeriod = (typeof relayPeriods)[number];

/** `sent` is whatever has left at least once; `open` what has not ended: held, waiting or being sent. */
export const askedStates = [
  ...(['held', 'waiting', 'sending', 'accepted', 'withheld', 'dead', 'cancelled'] as const),
  ...(['sent', 'open'] as const),
] as const satisfies readonly (DeliveryState | 'sent' | 'open')[];
export type AskedState = (typeof askedStates)[number];

/** How conversions come in: with a request, in a file, or by an event that reached a goal. */
export const intakeWays = ['request', 'upload', 'goal'] as const;
