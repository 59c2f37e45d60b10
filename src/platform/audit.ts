import type { Principal } from './http/route.ts';
import type { Sql } from './postgres/index.ts';

/**
 * What every part says about an act that matters, and the interface through which it says so; `trust/audit` writes it
 * down. Here, because the platform hands it to every subject and may not know trust.
 */
export interface Act {
  /** A name of the registry (trust/audit/actions.ts): `member.role_changed`. One that is not there is refused. */
  action: string;
  actor: Actor;
  /**
   * What it was done to. A label is what a person would call it; it is sealed, the rest is not. The number of a target of
   * the type `person` becomes a pseudonym, and its label is sealed under the key of that person; the label of an
   * `invitation` is the address that was invited, and is sealed under the key of that address.
   */
  targets?: readonly { type: string; id: string | number; label?: string }[];
  outcome?: 'done' | 'refused' | 'failed';
  /** One word of a closed list, such as `wrong_password`. */
  reason?: string;
  /** What changed, small and without secrets; sealed. */
  details?: Readonly<Record<string, string | number | boolean | null>>;
  request?: { id: string; address: string };
}

/** `operator` acts through the command line on the machine, `system` is the desk itself. */
export interface Actor {
  type: 'person' | 'key' | 'operator' | 'system' | 'visitor';
  id?: number;
}

export interface Audit {
  /**
   * Writes the act down in the caller's transaction, so that neither stands without the other. It is sent with COMMIT:
   * the trail does not show it before.
   * @param organisationId one whose door the transaction opened; `desk` for what belongs to no organisation
   */
  record(sql: Sql, organisationId: number | 'desk', act: Act): Promise<void>;
  /** Many acts in one go, at most 1,000, in their order. */
  recordMany(sql: Sql, organisationId: number | 'desk', acts: readonly Act[]): Promise<void>;
  /**
   * An act of or on a person: into the trail of each organisation that the person belongs to, or into the desk's own
   * when there is none. Works in any transaction.
   */
  recordOfPerson(sql: Sql, personId: number, act: Act): Promise<void>;
  /**
   * Writes what was recorded so far now, and not with COMMIT: for a transaction that goes on through the door of another
   * organisation, since a trail is written through its own. Call it for the trail of the smallest number first.
   */
  writeNow(sql: Sql): Promise<void>;
}

/** Who asks, as an act says it. */
export function actOf(request: {
  principal: Principal | undefined;
  address: string;
  requestId: string;
}): Required<Pick<Act, 'actor' | 'request'>> {
  const { principal, address, requestId } = request;
  return {
    actor: principal === undefined ? { type: 'visitor' } : { type: principal.kind, id: principal.id },
    request: { id: requestId, address },
  };
}
