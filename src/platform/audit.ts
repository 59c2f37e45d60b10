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
  /** What it was done to. A label is what a person would call it; it is sealed, the rest is not. */
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
  /** Writes the act down in the caller's transaction, so that neither stands without the other. */
  record(sql: Sql, organisationId: number, act: Act): Promise<void>;
  /** An act of or on a person: into the trail of each organisation that the person belongs to. */
  recordOfPerson(sql: Sql, personId: number, act: Act): Promise<void>;
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
