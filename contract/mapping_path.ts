/**
 * Where a value lies in what was sent: a small subset of JSONPath, read once and walked with a limit. No expression of it is
 * ever evaluated.
 *
 * - `customer.email`, `items[0].price`, `items[*].sku` (each of a list), `["a key"]` or `customer["e.mail"]` (quoted)
 * - `note_attributes[name="gclid"].value`: those of a list that say so of themselves
 * - at its start `$query`, `$headers` (names in lower case), `$body` (the whole, where `each` took a part of it),
 *   `$received_at` (when the request came, ISO 8601) and `$endpoint` (the last word of the address, such as `track`)
 */
export type PathStep =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'at'; readonly at: number }
  | { readonly kind: 'each' }
  | { readonly kind: 'where'; readonly name: string; readonly equals: string };

export const pathRoots = ['record', 'query', 'headers', 'body', 'received_at', 'endpoint'] as const;
export type PathRoot = (typeof pathRoots)[number];

export interface Path {
  readonly root: PathRoot;
  readonly steps: readonly PathStep[];
}

export const pathLimits = { charsMax: 256, stepsMax: 16, eachMax: 3, atMax: 9_998 } as const;

/** Names by which objects of the language reach what they are made of. No path and no variable may be called so. */
const forbidden: readonly string[] = ['__proto__', 'prototype', 'constructor'];

export function isForbiddenName(name: string): boolean {
  return forbidden.includes(name);
}

const root = /^\$(query|headers|body|received_at|endpoint)?(?=$|[.[])/;
const bareName = /\.?([^.[\]"'$\s][^.[\]"']*)/y;
const position = /\[(\d{1,5})\]/y;
const each = /\[\*\]/y;
const quoted = /\[(?:"([^"\]]*)"|'([^'\]]*)')\]/y;
const where = /\[([A-Za-z_][\w-]*)=(?:"([^"\]]*)"|'([^'\]]*)')\]/y;

/** @returns undefined where it is no path. @example parsePath('items[*].price') */
export function parsePath(text: string): Path | undefined {
  if (text.length === 0 || text.length > pathLimits.charsMax) return undefined;
  const start = root.exec(text);
  const steps: PathStep[] = [];
  let at = start?.[0].length ?? 0;
  while (at < text.length) {
    const step = stepAt(text, at, at === 0);
    if (step === undefined) return undefined;
    steps.push(step.step);
    at = step.end;
  }
  const names = steps.flatMap((step) => (step.kind === 'name' || step.kind === 'where' ? [step.name] : []));
  if (names.some(isForbiddenName) || steps.length > pathLimits.stepsMax) return undefined;
  if (steps.filter(({ kind }) => kind === 'each' || kind === 'where').length > pathLimits.eachMax) return undefined;
  return { root: (start?.[1] as PathRoot | undefined) ?? 'record', steps };
}

function stepAt(text: string, at: number, isFirst: boolean): { step: PathStep; end: number } | undefined {
  const found = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  if (text.charAt(at) !== '[') {
    // A dot stands between names and not before the first.
    const name = text.startsWith('.', at) === isFirst ? null : found(bareName);
    return name ? { step: { kind: 'name', name: (name[1] as string).trimEnd() }, end: at + name[0].length } : undefined;
  }
  const place = found(position);
  if (place) {
    const index = Number(place[1]);
    return index > pathLimits.atMax ? undefined : { step: { kind: 'at', at: index }, end: at + place[0].length };
  }
  if (found(each)) return { step: { kind: 'each' }, end: at + 3 };
  const name = found(quoted);
  if (name) return { step: { kind: 'name', name: name[1] ?? name[2] ?? '' }, end: at + name[0].length };
  const like = found(where);
  if (!like) return undefined;
  const step = { kind: 'where', name: like[1] as string, equals: like[2] ?? like[3] ?? '' } as const;
  return { step, end: at + like[0].length };
}

/** A piece of a template: text as it is, or a path to fill in. */
export type TemplatePart = string | Path;

/** `{{first}} {{last}}` → its pieces; undefined where a path in it is none or braces do not match. */
export function parseTemplate(text: string): readonly TemplatePart[] | undefined {
  const pieces = text.split(/\{\{([^{}]*)\}\}/);
  const parts = pieces.map((piece, i) => (i % 2 === 0 ? piece : parsePath(piece.trim())));
  if (parts.includes(undefined) || pieces.some((piece, i) => i % 2 === 0 && /\{\{|\}\}/.test(piece))) return undefined;
  return parts.filter((part): part is TemplatePart => part !== '' && part !== undefined);
}
