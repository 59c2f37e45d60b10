import type { Mapping } from '../../../../contract/mapping.ts';

/**
 * Mappings that somebody has changed and not saved, as they lie in the browser: each under its author and source, with the
 * version that it began from. There is nothing of a request in them: a mapping names where values lie, and holds none.
 */
export interface Draft {
  /** The version that it began from; 0 = none. */
  readonly after: number;
  readonly mapping: Mapping;
  /** When it was changed last, in milliseconds since 1970. */
  readonly at: number;
}

export const draftLimits = { count: 20, charsMax: 600_000, keptMs: 30 * 86_400_000 } as const;

export const placeOf = (personId: number, sourceId: number) => `${personId}/${sourceId}`;

type Drafts = Readonly<Record<string, Draft>>;

/** What was stored, without what is too old or cannot be read. */
export function readDrafts(text: string | null, now: number): Drafts {
  if (text === null) return {};
  try {
    const given: unknown = JSON.parse(text);
    if (typeof given !== 'object' || given === null) return {};
    return Object.fromEntries(
      Object.entries(given).filter(([, one]) => isDraft(one) && now - one.at <= draftLimits.keptMs),
    ) as Drafts;
  } catch {
    return {};
  }
}

function isDraft(given: unknown): given is Draft {
  const { after, mapping, at } = (given ?? {}) as Partial<Draft>;
  const isMapping = typeof mapping === 'object' && mapping !== null && ('fields' in mapping || 'cases' in mapping);
  return isMapping && Number.isSafeInteger(after) && typeof at === 'number';
}

/**
 * The drafts with this one in its place, or without it; the oldest others go where there are too many.
 * @returns the text to store; null where none is left; undefined where this one is larger than is kept
 */
export function withDraft(drafts: Drafts, place: string, draft: Draft | undefined): string | null | undefined {
  const { [place]: _, ...others } = drafts;
  const kept = Object.entries(others).toSorted(([, a], [, b]) => b.at - a.at);
  if (draft !== undefined) kept.unshift([place, draft]);
  const some = kept.slice(0, draftLimits.count);
  while (some.length > 0) {
    const text = JSON.stringify(Object.fromEntries(some));
    if (text.length <= draftLimits.charsMax) return text;
    if (some.length === 1) return draft === undefined ? null : undefined;
    some.pop();
  }
  return null;
}
