import { hash } from 'node:crypto';
import { conversionLimits } from '../../../contract/conversion.ts';

/**
 * What a platform makes of one identifier before it is hashed: text in, normalised text out, null where the identifier
 * is to be left out. Never throws.
 * @param text trimmed, in Unicode's composed form (NFC), 1 to 512 characters, no hash
 */
export type Rule = (text: string, beside?: Beside) => string | null;

/** What a rule may have to know beside the text. */
export interface Beside {
  /** Where phone numbers without a country are from: ISO 3166 alpha-2 in upper case. */
  readonly region?: string | undefined;
  /** The year it is. Nobody is born later. */
  readonly year?: number | undefined;
}

/**
 * The value that is hashed, by a rule. What is a SHA-256 hash already (64 hexadecimal digits and nothing else) is
 * lower-cased and passed. Null for what cannot be an identifier: empty, longer than a conversion may hold, or with half
 * of a surrogate pair, which has no UTF-8.
 */
export function normalized(given: string, rule: Rule, beside?: Beside): string | null {
  const text = readable(given);
  if (text === null) return null;
  if (isHash(text)) return text.toLowerCase();
  return rule(text, beside) || null;
}

/** The same as a SHA-256 hash in lower-case hexadecimal digits. */
export function hashed(given: string | undefined, rule: Rule, beside?: Beside): string | null {
  if (given === undefined) return null;
  const text = normalized(given, rule, beside);
  return text === null || isHash(text) ? text : sha256(text);
}

/** Hashes of one identifier or of several: each once, in the order given. */
export function hashedAll(given: string | readonly string[] | undefined, rule: Rule, beside?: Beside): string[] {
  if (given === undefined) return [];
  if (typeof given === 'string') {
    const hash = hashed(given, rule, beside);
    return hash === null ? [] : [hash];
  }
  const all = new Set<string>();
  for (const one of given) {
    const hash = hashed(one, rule, beside);
    if (hash !== null) all.add(hash);
  }
  return [...all];
}

/** SHA-256 of the text's UTF-8, lower-case hexadecimal digits. */
export function sha256(text: string): string {
  return hash('sha256', text);
}

/** Anchored: text that only contains 64 hexadecimal digits is no hash (reference, Pitfalls). */
export function isHash(text: string): boolean {
  return text.length === 64 && /^[0-9a-f]{64}$/i.test(text);
}

/** The text as rules get it; null where nothing is in it that could be an identifier. */
function readable(given: string): string | null {
  if (given.length > conversionLimits.textCharsMax) return null;
  const text = given.trim();
  if (text === '') return null;
  if (isAscii(text)) return text;
  // Keyboards of one system send "é" as one character, those of another as two: only the first is what platforms hold.
  return text.isWellFormed() ? text.normalize('NFC') : null;
}

export function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
