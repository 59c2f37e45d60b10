import { type CaptureReason, signatureSchemes } from '../../../contract/mapping.ts';
import type { Clock } from '../../platform/clock.ts';
import type { LineAnswer } from '../../platform/ndjson.ts';
import { isNames } from '../mapping/data.ts';
import { readMapping } from '../mapping/plan.ts';
import { refused, type Taken, takeRequest } from './capture.ts';
import { readJson } from './json.ts';
import { presetOf, presets } from './presets/index.ts';
import type { CapturedRequest } from './request.ts';
import { type Signing, signatureHeaders } from './signature.ts';
import { unpack } from './unpack.ts';

/** What a line of `explain captures` is answered; `problems` are there where there is more to say than the first. */
export type ExplainedCapture = Pick<Taken, 'status' | 'conversions' | 'reason'> & {
  readonly field?: string;
  readonly problems?: Taken['problems'];
  /** What is wrong with the mapping itself. */
  readonly sentence?: string;
};

/**
 * A line `{request: {method, url, headers, body}, mapping}` → `{status, conversions, reason}`. The mapping is one, or the
 * name of a preset. The line may have `signature: {scheme, secret, header}` (with a preset that signs the secret is enough)
 * and `now` in ISO 8601, when it came. The body is text; an object or a list stands for the JSON of it.
 */
export function explainCapture(line: string, clockNow: number): ExplainedCapture {
  let given: Record<string, unknown>;
  try {
    given = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return unreadLine('request');
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return unreadLine('request');
  const request = requestOf(given.request, line);
  if (request === undefined) return unreadLine('request');
  const now = typeof given.now === 'string' ? Date.parse(given.now) : clockNow;
  if (Number.isNaN(now)) return unreadLine('now');
  const preset = typeof given.mapping === 'string' ? presetOf(given.mapping) : undefined;
  if (typeof given.mapping === 'string' && preset === undefined) return unknownPreset();
  const read = preset ?? readOnce(given.mapping);
  if ('problem' in read) {
    const { at, sentence } = read.problem;
    return { ...none(202, 'mapping'), field: at === '' ? 'mapping' : `mapping.${at}`, sentence };
  }
  const signing = signingOf(given.signature, preset?.signature);
  if (signing === 'unread') return unreadLine('signature');
  const unpacked = unpack(request);
  const {
    field,
    problems,
    unmapped: _unmapped,
    places: _places,
    ...taken
  } = 'refused' in unpacked
    ? refused(unpacked.refused)
    : takeRequest(unpacked, { mapping: read.mapping, signing, ping: preset?.ping }, now);
  return { ...taken, ...(field !== null && { field }), ...(problems.length > 0 && { problems }) };
}

/** Lines of one run mostly have the same mapping, and to check one takes longer than to use it. */
const readBefore = new Map<string, ReturnType<typeof readMapping>>();
const readBeforeMax = 20;

function readOnce(given: unknown): ReturnType<typeof readMapping> {
  const text = JSON.stringify(given) ?? '';
  const known = readBefore.get(text);
  if (known !== undefined) return known;
  const read = readMapping(given);
  if (readBefore.size === readBeforeMax) readBefore.clear();
  readBefore.set(text, read);
  return read;
}

function unknownPreset(): ExplainedCapture {
  const sentence = `There is no such preset: ${presets.map(({ id }) => id).join(', ')}.`;
  return { ...none(202, 'mapping'), field: 'mapping', sentence };
}

function none(status: 202 | 400, reason: CaptureReason) {
  return { status, conversions: [], reason } as const;
}

/** The line itself is wrong, which no sender of a request can be. */
function unreadLine(field: string): ExplainedCapture {
  return { ...none(400, 'invalid'), field };
}

function requestOf(given: unknown, line: string): CapturedRequest | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { method = 'POST', url = '/', headers = {}, body = null } = given as Record<string, unknown>;
  if (typeof method !== 'string' || typeof url !== 'string' || typeof headers !== 'object') return undefined;
  const named = Object.entries(headers ?? {}).flatMap(([name, value]): [string, string | string[]][] => {
    if (Array.isArray(value)) return [[name, value.map(String)]];
    return value === null || value === undefined ? [] : [[name, String(value)]];
  });
  const text = typeof body === 'string' || body === null ? body : bodyOf(line);
  return { method: method.toUpperCase(), url, headers: Object.fromEntries(named), body: text };
}

/** A body that stands in the line as JSON, with its numbers as they are written there. */
function bodyOf(line: string): string {
  const read = readJson(line);
  const request = 'data' in read && isNames(read.data) ? read.data.request : undefined;
  return JSON.stringify(isNames(request) ? request.body : null);
}

function signingOf(given: unknown, ofPreset: Signing['scheme'] | undefined): Signing | undefined | 'unread' {
  if (given === undefined || given === null) return undefined;
  const { scheme = ofPreset, secret, secrets, header } = given as Record<string, unknown>;
  const all = Array.isArray(secrets) ? secrets : [secret];
  const known = signatureSchemes.find((one) => one === scheme);
  if (known === undefined || !all.every((one) => typeof one === 'string')) return 'unread';
  const named = typeof header === 'string' ? header : known === 'hmac' ? undefined : signatureHeaders[known];
  return named === undefined ? 'unread' : { scheme: known, secrets: all, header: named };
}

/** The command `explain captures`: what is said to a line of NDJSON. */
export function capturesAnswer(clock: Pick<Clock, 'now'>): LineAnswer {
  return (line) => explainCapture(line, clock.now());
}
