import type { LeftOutReason } from '../../../../contract/drops.ts';
import { dropInLimits, ingestLimits } from '../../../../contract/limits.ts';
import type { ReadEvent } from '../ingest.ts';
import { type Refusal, readEvent } from '../payload.ts';
import { cutText } from '../text.ts';

/**
 * What the readers of other products' payloads share. Each turns its payload into an event in our own words and has
 * that read by the reader of `/api/event`, so that every rule of privacy is the same there and here. Their products
 * know no number of properties: what is over ours is left out and counted, instead of the whole event refused.
 */

/** An event in our words, by their long names (docs/guides/tracker.md, "Wire format"). */
export type OurWords = {
  readonly name: string;
  readonly url: string;
  readonly domain: string;
  readonly hashMode?: boolean;
  readonly referrer?: unknown;
  readonly title?: unknown;
  readonly screen?: string;
  readonly props?: Record<string, unknown>;
  readonly revenue?: { readonly amount: unknown; readonly currency: unknown };
  readonly interactive?: boolean;
  readonly ip?: unknown;
  readonly user_agent?: unknown;
  readonly time?: unknown;
};

/** @param theirNames our name of a member → theirs, so that a refusal names what was sent */
export function readOurWords(
  words: OurWords,
  leftOut: readonly LeftOutReason[],
  theirNames: Readonly<Record<string, string>>,
): ReturnType<ReadEvent> {
  const fitting = words.props === undefined ? undefined : fittingProps(words.props);
  const input = readEvent(fitting === undefined ? words : { ...words, props: fitting.props }, dropInLimits);
  if ('refused' in input) return { ...input, field: theirNames[input.field] ?? input.field };
  return { ...input, leftOut: fitting?.isCut === true ? [...leftOut, 'props_cut'] : leftOut };
}

/** As many properties, and as much of each, as an event may have. */
function fittingProps(props: Record<string, unknown>): { props: Record<string, unknown>; isCut: boolean } {
  const { propsMax, propKeyCharsMax, propValueCharsMax } = ingestLimits;
  const given = Object.entries(props).filter(([, said]) => isGiven(said));
  let isCut = given.length > propsMax;
  const cut = (text: string, charsMax: number) => {
    isCut ||= text.length > charsMax;
    return cutText(text, charsMax);
  };
  const kept = given
    .slice(0, propsMax)
    .map(([key, said]) => [cut(key, propKeyCharsMax), cut(String(said), propValueCharsMax)]);
  return { props: Object.fromEntries(kept), isCut };
}

export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

export function refuse(field: string, message: string): Refusal {
  return { refused: true, reason: 'invalid', field, message };
}

/** The first text that is longer than its product allows, as a refusal. */
export function refuseLong(
  sent: Readonly<Record<string, unknown>>,
  charsMax: Readonly<Record<string, number>>,
): Refusal | undefined {
  for (const field of Object.keys(charsMax)) {
    const value = sent[field];
    const max = charsMax[field] as number;
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') return refuse(field, `The "${field}" is text.`);
    if (value.length > max)
      return { refused: true, reason: 'too_large', field, message: `The "${field}" has at most ${max} characters.` };
  }
  return undefined;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Is there a value, whatever it is? Trackers send null and '' for what they do not have. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

/** A whole address stays; a path is put behind the origin, which is '' where the sender has none (an app, a server). */
export function pageAddress(origin: string, path: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) return path;
  return `${origin}${path.startsWith('/') ? '' : '/'}${path}`;
}

/** A referrer inside the site is a path with these trackers: it is nobody who referred. */
export function referrerOf(value: unknown): string {
  const text = textOf(value);
  return text.includes('://') ? text : '';
}

/** Deeper than this a value is its JSON text. */
const depthMax = 5;
/** More than an event keeps, so that revenue among them is found, and an end to what one event costs. */
const flatMax = 200;

/** Nested properties as flat ones: `{a: {b: 1}}` is `a.b`, a list its JSON text, as these products show them. */
export function flatProps(value: unknown): Record<string, unknown> {
  const flat: [string, unknown][] = [];
  const put = (key: string, said: unknown, depth: number) => {
    if (flat.length >= flatMax || !isGiven(said)) return;
    const inner = asObject(said);
    if (inner !== undefined && depth < depthMax)
      for (const name of Object.keys(inner)) put(key === '' ? name : `${key}.${name}`, inner[name], depth + 1);
    else if (key !== '') flat.push([key, typeof said === 'object' && said !== null ? JSON.stringify(said) : said]);
  };
  put('', value, 0);
  // No key of a sender's becomes a member by assignment: `__proto__` is a name like others.
  return Object.fromEntries(flat);
}
