/** What a platform counts as one conversion, however often it came. */
export interface Counted {
  /** The account, pixel, tag or conversion action that it counts for. */
  to: string;
  /** The platform's name of the event, where it is a part of what makes two the same. */
  event: string | null;
  /** By which it knows a double; null for what has none, and is nobody's twin. */
  id: string | null;
  /** How often it came. */
  received: number;
}

/** The de-duplicated set of a platform, which a test holds against the set that it expects. */
export class CountedOnce {
  readonly #sameMs: number;
  #all: Counted[] = [];
  #latest = new Map<string, { counted: Counted; at: number }>();

  /** @param sameMs for how long an id is known; afterwards it counts once more */
  constructor(sameMs = Number.POSITIVE_INFINITY) {
    this.#sameMs = sameMs;
  }

  /** @returns whether it is a new one */
  take({ to, event, id }: Omit<Counted, 'received'>, now: number): boolean {
    const key = JSON.stringify([to, event, id]);
    const known = id === null ? undefined : this.#latest.get(key);
    if (known !== undefined && now - known.at < this.#sameMs) {
      known.counted.received++;
      return false;
    }
    const counted = { to, event, id, received: 1 };
    this.#all.push(counted);
    this.#latest.set(key, { counted, at: now });
    return true;
  }

  /** In the order in which they came first. */
  all(): readonly Counted[] {
    return this.#all;
  }

  clear(): void {
    this.#all = [];
    this.#latest = new Map();
  }
}
