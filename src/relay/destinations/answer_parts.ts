import type { AnswerClass } from '../../../contract/conversion.ts';
import type { Answer, Asked, Verdict } from './destination.ts';

/** A pause that a platform asks for is not believed beyond a day: a wrong header would hold a lane for years. */
const pauseMsMax = 86_400_000;

/** A JSON object, else undefined. What is in it is a stranger's. */
export function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

export function seriesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A number, or digits as text; NaN for anything else. `Number` itself throws for objects of a stranger's making. */
export function numberIn(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
}

/** A code of a platform; a text that is more than a code may quote what was sent, and is none. */
export function codeText(value: unknown, otherwise: string): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && /^\w{1,100}$/.test(value) ? value : otherwise;
}

/** A page or any text where JSON was due: something on the way answered, and not the platform. */
export function isPage(body: unknown): boolean {
  return typeof body === 'string' && body.trim() !== '';
}

export function headerOf({ headers }: Answer, name: string): string | undefined {
  for (const each of Object.keys(headers ?? {}))
    if (each.toLowerCase() === name) {
      const value: unknown = headers[each];
      return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
    }
  return undefined;
}

/**
 * RFC 9110: seconds, or a date. A date is held against the answer's own date, since clocks differ.
 * @param now for answers without a date, milliseconds since 1970
 */
export function retryAfterMs(answer: Answer, now?: number): number | undefined {
  const said = headerOf(answer, 'retry-after')?.trim();
  if (said === undefined || said === '') return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(said)
    ? Math.ceil(Number(said) * 1000)
    : Date.parse(said) - (answeredAt(answer) ?? now ?? Number.NaN);
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), pauseMsMax) : undefined;
}

/** When an answer was given by the platform's clock, milliseconds since 1970. */
export function answeredAt(answer: Answer): number | undefined {
  const ms = Date.parse(headerOf(answer, 'date') ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

export function withPause(answerClass: AnswerClass, reason: string, ms: number | undefined): Verdict {
  return ms === undefined ? { class: answerClass, reason } : { class: answerClass, reason, retryAfterMs: ms };
}

/**
 * Where what is refused is, or may be, the version that the request was made for: the reason names it behind the platform's code,
 * since the operator's setting ends it. The account goes on by itself once that is another one.
 */
export function versionRefused(code: string, { version }: Asked = {}): Verdict {
  return { class: 'config', reason: version === undefined ? code : `${code}/${version}` };
}

const byUrgency: readonly AnswerClass[] = [
  ...(['auth', 'rate_limited', 'retry', 'retry_later', 'config', 'permanent'] as const),
  ...(['treat_as_delivered', 'accepted'] as const),
];

/** Of several things that an answer says the one that must not be overlooked: nothing that may yet go through is given up. */
export function mostUrgent<Said extends { readonly class: AnswerClass }>(all: readonly Said[]): Said | undefined {
  return all.toSorted((one, other) => byUrgency.indexOf(one.class) - byUrgency.indexOf(other.class))[0];
}
