import type { Conversion } from '../../../contract/conversion.ts';
import type { Item } from '../destinations/destination.ts';

/** A delivery that was taken to be sent, with its conversion. */
export interface TakenRow {
  id: number;
  conversion_id: string;
  source_id: number;
  site_id: number | null;
  platform_id: string;
  platform_event: string | null;
  value: string | null;
  waits_for: string | null;
  created_at: Date;
  tries_until: Date | null;
  attempts: number;
  occurred_at: Date;
  currency: string | null;
  facts: Conversion;
  /** Not, where the route that it goes by was removed since. */
  has_route: boolean;
}

/** One that can go. */
export interface Ready {
  readonly row: TakenRow;
  readonly item: Item;
}

/** Rows of one request. @property settings as `build` takes them */
export interface Batch {
  readonly settings: unknown;
  readonly ready: readonly Ready[];
  readonly attemptId: number;
}

/** What becomes of a delivery in this turn. `unsent`: as it was, and due at once; where it is `isTried`, it was sent in this turn before. */
export type Outcome =
  /** `isDouble`: its platform says that it had it before. */
  | { readonly state: 'accepted'; readonly reason: string | undefined; readonly isDouble?: true }
  | { readonly state: 'dead' | 'withheld' | 'cancelled'; readonly reason: string; readonly field?: string | undefined }
  | {
      readonly state: 'waiting';
      readonly nextAt: number;
      readonly triesUntil: number | undefined;
      readonly reason: string;
      readonly waitsFor?: string | undefined;
    }
  | { readonly state: 'unsent'; readonly isTried?: boolean };

export interface Ended {
  readonly row: Pick<TakenRow, 'id' | 'conversion_id'>;
  readonly outcome: Outcome;
}
