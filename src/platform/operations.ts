/**
 * What a part says of something that it did or tried, for the operations log (D16); `trust/operations` writes it down in
 * the background. Here, because the platform says it too and may not know trust.
 */
export interface Operation {
  kind: OperationKind;
  /** A word of the code: a route by its pattern, the name of a job, the purpose of a call. Never data. */
  action: string;
  /** Absent: it belongs to the desk itself. */
  organisationId?: number | undefined;
  siteId?: number | undefined;
  actor?: { type: 'person' | 'key'; id: number } | undefined;
  /** The number of a `person` becomes a pseudonym. */
  object?: { kind: string; id: string } | undefined;
  requestId?: string | undefined;
  outcome: 'done' | 'refused' | 'failed';
  /** A word of a closed list: an error of the contract, a reason of a call that failed. */
  code?: string | undefined;
  ms?: number | undefined;
  browser?: string | null | undefined;
  /** Cut to its network before it is written, and gone after 90 days (R3). */
  address?: string | undefined;
}

export const operationKinds = ['request', 'job', 'call'] as const;
export type OperationKind = (typeof operationKinds)[number];

export interface Operations {
  /** Never waits and never throws: what cannot be kept is counted. */
  note(operation: Operation): void;
}
