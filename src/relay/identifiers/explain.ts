import type { Clock } from '../../platform/clock.ts';
import type { LineAnswer } from '../../platform/ndjson.ts';
import { countryCode } from './countries.ts';
import { isHash, normalized, sha256 } from './given.ts';
import { type IdentifierPlatform, type PlatformRules, platforms } from './platforms.ts';

export type ExplainedIdentifier =
  | { readonly normalized: string | null; readonly sha256: string | null }
  | { readonly error: string };

/**
 * What a platform would get of one identifier `{field, input, phone_country}`: the text that is hashed and its hash.
 * Both are null where it is left out; the hash is null where the platform wants clear text. What was hashed already is
 * both, and left out where clear text is wanted. The default country of phones, `phone_country`, may be a code or a name.
 * @param year the year it is: nobody is born later
 * @example explainIdentifier({ field: 'em', input: ' A@Shop.example' }, 'meta') // { normalized: 'a@shop.example', sha256: '…' }
 */
export function explainIdentifier(line: unknown, platform: IdentifierPlatform, year?: number): ExplainedIdentifier {
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return { error: 'the line is no JSON object' };
  const { field, input, phone_country } = line as Record<string, unknown>;
  const { rules, clear }: PlatformRules = platforms[platform];
  if (typeof field !== 'string') return { error: 'field is missing' };
  const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
  if (rule === undefined) {
    return { error: `field is none that ${platform} takes: it takes ${Object.keys(rules).join(', ')}` };
  }
  if (input === undefined) return { error: 'input is missing' };
  if (typeof input !== 'string') return { normalized: null, sha256: null };
  const region = typeof phone_country === 'string' ? countryCode(phone_country) : null;
  const text = normalized(input, rule, { region: region ?? undefined, year });
  if (text === null || clear.includes(field))
    return { normalized: text === null || isHash(text) ? null : text, sha256: null };
  return { normalized: text, sha256: isHash(text) ? text : sha256(text) };
}

/** The command `explain identifiers`: what is said to a line of NDJSON. */
export function identifiersAnswer(platform: IdentifierPlatform, clock: Pick<Clock, 'now'>): LineAnswer {
  return (line) => explainLine(line, platform, new Date(clock.now()).getUTCFullYear());
}

function explainLine(line: string, platform: IdentifierPlatform, year: number): ExplainedIdentifier {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    return { error: 'the line is no JSON' };
  }
  return explainIdentifier(given, platform, year);
}
