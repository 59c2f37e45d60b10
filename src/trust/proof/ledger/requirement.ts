/** A line of the promise ledger as the product itself knows it. What proves it is not here: see named.ts and the live checks. */
export interface Requirement {
  /** 'PSE-06' */
  readonly id: string;
  /** The data class that it is about, 'all' of them, or 'none' where no person's data is concerned. */
  readonly class: `D${number}` | 'all' | 'none';
  /** One plain sentence that can be false. */
  readonly promise: string;
  /** Where the product keeps it, as a user can understand; empty while nothing does. */
  readonly control: string;
  readonly standing: Standing;
  /** What is not kept yet, for `partly` and `open`. */
  readonly missing?: string;
  /** For `later`, and for `partly` where the rest belongs to it. */
  readonly capability?: Capability;
  /** It is shown by what shows this other requirement. */
  readonly by?: string;
}

/**
 * `kept`: built, and something shows it. `partly`: something of it is. `open`: it belongs to this layer and is not built.
 * `later`: it belongs to a capability that is not built. Only `kept` can become green.
 */
export type Standing = 'kept' | 'partly' | 'open' | 'later';

export type Capability = 'relay' | 'AI' | 'marketplace' | 'billing' | 'publishing' | 'tracking plan';

type Class = Requirement['class'];

export function kept(id: string, of: Class, promise: string, control: string, by?: string): Requirement {
  return { id, class: of, promise, control, standing: 'kept', ...(by === undefined ? {} : { by }) };
}
export function partly(
  id: string,
  of: Class,
  promise: string,
  control: string,
  missing: string,
  capability?: Capability,
): Requirement {
  return {
    ...{ id, class: of, promise, control, standing: 'partly', missing },
    ...(capability === undefined ? {} : { capability }),
  };
}
export function later(id: string, of: Class, promise: string, capability: Capability): Requirement {
  return { id, class: of, promise, control: '', standing: 'later', capability };
}
