import { objectOf } from './admin.ts';
import { type Counted, CountedOnce } from './counted.ts';

/**
 * What the emulators of smaller platforms keep, each alike: counts, what was counted once, what came under a test code, and
 * what a test wants of rows and tokens. `POST /__admin/platform` takes, of each, `tokens` (`{"t-1": true}`; false takes one
 * back) and `rejects` (`{"order-7": "SOME_REASON"}`: what the row of this id gets, each time; null: nothing any more).
 */
export class Tally {
  readonly #counted: CountedOnce;
  readonly #given: readonly string[];
  #tokens = new Set<string>();
  #rejects = new Map<string, string>();
  #tested: unknown[] = [];
  #counts = { requests: 0, refused: 0, received: 0, duplicates: 0 };

  /** @param sameMs for how long an id is known */
  constructor(tokens: readonly string[], sameMs?: number) {
    this.#given = tokens;
    this.#counted = new CountedOnce(sameMs);
    this.reset();
  }

  reset(): void {
    this.#counted.clear();
    this.#tokens = new Set(this.#given);
    this.#rejects = new Map();
    this.#tested = [];
    this.#counts = { requests: 0, refused: 0, received: 0, duplicates: 0 };
  }

  set({ tokens, rejects }: Record<string, unknown>): void {
    for (const [token, isGood] of Object.entries(objectOf(tokens)))
      if (isGood === true) this.#tokens.add(token);
      else this.#tokens.delete(token);
    for (const [id, reason] of Object.entries(objectOf(rejects)))
      if (reason === null) this.#rejects.delete(id);
      else this.#rejects.set(id, String(reason));
  }

  state(): object {
    return { ...this.#counts, tested: this.#tested };
  }

  counted(): readonly Counted[] {
    return this.#counted.all();
  }

  asked(): void {
    this.#counts.requests++;
  }

  refused(): void {
    this.#counts.refused++;
  }

  isToken(token: string | undefined): boolean {
    return token !== undefined && this.#tokens.has(token);
  }

  /** Why a test wants this row refused. */
  rejectOf(id: unknown): string | undefined {
    return this.#rejects.get(String(id));
  }

  test(rows: readonly unknown[]): void {
    this.#tested.push(...rows);
  }

  take(to: string, event: unknown, id: unknown, now: number): void {
    this.#counts.received++;
    const name = typeof event === 'string' ? event : null;
    if (!this.#counted.take({ to, event: name, id: typeof id === 'string' ? id : null }, now))
      this.#counts.duplicates++;
  }
}

/** SHA-256 as hexadecimal digits. */
export function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** One value, or a list of them. */
export function areHashes(value: unknown): boolean {
  return (Array.isArray(value) ? value : [value]).every(isHash);
}

/** The first name of a member whose hash is none. */
export function unhashedIn(user: Record<string, unknown>, names: readonly string[]): string | undefined {
  return names.find((name) => user[name] !== undefined && !areHashes(user[name]));
}

/** Where in a body a mail address stands in clear, as a path; none of these platforms takes one anywhere. */
export function rawIn(value: unknown, path = ''): string | undefined {
  if (typeof value === 'string') return /[^\s@/:?&=]+(?:@|%40)[^\s@/]+\.[a-z]{2,}/i.test(value) ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const found = rawIn(inner, path === '' ? name : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A whole number of seconds that is no time to come; milliseconds are one. */
export function isPastSecond(value: unknown, now: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value * 1_000 <= now + 60_000;
}

/** A number of the JSON, and no text of one. */
export function isAmount(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value));
}

export function isCurrency(value: unknown): boolean {
  return value === undefined || /^[A-Z]{3}$/.test(String(value));
}
