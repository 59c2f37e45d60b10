import type { Sql } from './postgres/index.ts';

/** Deliveries of one turn that are about to be sent, in the order in which they are due. */
export interface TurnAsk {
  readonly organisationId: number;
  readonly destinationId: number;
  readonly deliveries: readonly number[];
}
/** @property covered those that may go @property reservation under which they go; absent where none costs anything more */
export interface Reserved {
  readonly covered: ReadonlySet<number>;
  readonly reservation: number | undefined;
}
/** What became of a turn. @property accepted those that their platform took now, and had not had before */
export interface TurnOver {
  readonly organisationId: number;
  readonly destinationId: number;
  readonly reservation: number | undefined;
  readonly accepted: readonly { readonly id: number; readonly conversionId: string }[];
}
/** A platform has looked at a request later, and said how many of its rows it did not take. */
export interface LaterRefused {
  readonly organisationId: number;
  readonly destinationId: number;
  /** Number of the request, by which it is given back once. */
  readonly request: number;
  readonly sentAt: Date;
  readonly deliveries: readonly number[];
  readonly refused: number;
  /** They are sent once more: all of them are given back, beside what is given back of the others. */
  readonly isSentAgain?: true;
}

/**
 * What deliveries cost, for whoever sends them; absent from the house where the operator has credits off. Each call runs in
 * the transaction of what it is about, after everything that locks rows of others: the account of an organisation is locked
 * until that has ended.
 */
export interface DeliveryCredits {
  /** Holds what these would cost; of what is not enough for all, for the first. What was charged before costs nothing again. */
  reserve(sql: Sql, ask: TurnAsk): Promise<Reserved>;
  /** Charges what was accepted, each once for ever, and lets go what was held beside that. */
  settle(sql: Sql, over: TurnOver): Promise<void>;
  giveBack(sql: Sql, refused: LaterRefused): Promise<void>;
  /**
   * Does `work` when an organisation has got credits, with how many deliveries they are enough for, outside of any transaction.
   * @returns what ends it
   */
  onAdded(work: (organisationId: number, deliveries: number) => Promise<void>): () => void;
}
