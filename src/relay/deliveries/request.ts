import type { FailureReason, Answer as HttpAnswer } from '../../platform/outbound/index.ts';
import { answeredAt } from '../destinations/answer_parts.ts';
import type { Answer, Item, OutgoingRequest, Verdict } from '../destinations/destination.ts';
import { versionOf } from '../destinations/index.ts';
import { keptAnswer } from './kept_answer.ts';
import { deliveryLimits } from './limits.ts';
import type { Account, Senders, Target } from './parts.ts';

/** What became of one request. */
export interface Sent {
  readonly verdict: Verdict;
  readonly ms: number;
  readonly status: number;
  /** Redacted. */
  readonly answer: string;
  /** The platform's number of the request, where it says later what it did with it. */
  readonly platformRequest?: string;
  /** What the platform says of an earlier request, where that was asked. */
  readonly result?: string;
  /** And of how many of its rows it says that it did not take them. */
  readonly refused?: number;
  /** It did not leave: the desk is stopping or has too much under way. It counts as not tried. */
  readonly isUnsent?: true;
  /** The body was larger than may be sent. */
  readonly isTooLarge?: true;
  /** When it answered by its own clock, milliseconds since 1970, where it says so. */
  readonly answeredAt?: number;
  /** Percent of what the platform allows, where its headers say it. */
  readonly usage?: number;
}

/** Failures that somebody who runs the desk or owns the destination has to end; all others are tried again. */
const configFailures: ReadonlySet<FailureReason> = new Set([
  ...(['address_invalid', 'address_private', 'not_registered', 'region_refused', 'cut_off'] as const),
]);

/**
 * The settings that one request is built with: the platform event of the route stands in for the setting that is one, and a
 * test has the platform's code of it.
 */
export function settingsFor({ destination, settings, testCode }: Target, platformEvent: string | null): unknown {
  const { eventSetting } = destination;
  const given =
    eventSetting === undefined || platformEvent === null ? settings : { ...settings, [eventSetting]: platformEvent };
  const read = destination.settings(given);
  return testCode === undefined ? read : (destination.asTest?.(read, testCode) ?? read);
}

/** Sends one request for items that go together. */
export async function sendItems(
  senders: Senders,
  account: Account,
  items: readonly Item[],
  settings: unknown,
): Promise<Sent> {
  const { destination, isDryRun } = account;
  const now = senders.clock.now();
  const built = destination.build(items, settings, now, versionOf(destination, senders.versions));
  const request = isDryRun && destination.asDryRun !== undefined ? destination.asDryRun(built) : built;
  return sendRequest(senders, account, request, { sent: items.length, now });
}

export async function sendRequest(
  { outbound, clock, baseUrls, versions }: Senders,
  { destination, secret }: Account,
  request: OutgoingRequest,
  asked: { sent: number; now: number },
): Promise<Sent> {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  if (body !== undefined && Buffer.byteLength(body) > deliveryLimits.bodyBytesMax)
    return { ...notSent('permanent', 'body_too_large'), isTooLarge: true };
  const { url, headers } = withCredential(request, body ?? '', destination.credential, secret ?? '');
  const begun = clock.monotonic();
  const answer = await outbound.send({
    ...{ method: request.method, url: atBase(url, baseUrls[destination.id]), headers },
    ...(body === undefined ? {} : { body }),
    ...{ timeoutMs: deliveryLimits.requestMs, answerBytesMax: deliveryLimits.answerBytesMax },
    ...outwardOf(destination),
  });
  const ms = Math.round(clock.monotonic() - begun);
  if ('failed' in answer) return { ...failed(answer.failed), ms };
  const read = readAnswer(answer);
  const verdict = destination.read(read, { ...asked, version: versionOf(destination, versions) });
  const number = verdict.class === 'accepted' ? destination.later?.numberIn(read) : undefined;
  const usage = usageIn(read);
  const at = answeredAt(read);
  const result = destination.later?.describe(read);
  const refused = result === undefined ? 0 : (destination.later?.refused(read, asked.sent) ?? 0);
  return {
    ...{ verdict, ms, status: answer.status, answer: keptAnswer(read.body) },
    ...(number === undefined ? {} : { platformRequest: number }),
    ...(usage === undefined ? {} : { usage }),
    ...(at === undefined ? {} : { answeredAt: at }),
    ...(result === undefined ? {} : { result, refused }),
  };
}

/** Under which purpose and row of the register a destination's requests leave. */
export function outwardOf({ id }: { readonly id: string }): { purpose: string; receiver: string } {
  return { purpose: `relay.${id}`, receiver: id };
}

function notSent(answerClass: Verdict['class'], reason: string): Sent {
  return { verdict: { class: answerClass, reason }, ms: 0, status: 0, answer: '' };
}

function failed(reason: FailureReason): Sent {
  if (reason === 'closed' || reason === 'busy') return { ...notSent('retry', reason), isUnsent: true };
  if (reason === 'request_too_large') return { ...notSent('permanent', reason), isTooLarge: true };
  return notSent(configFailures.has(reason) ? 'config' : 'retry', reason);
}

function withCredential(
  { url, headers }: OutgoingRequest,
  body: string,
  credential: Account['destination']['credential'],
  secret: string,
): { url: string; headers: Record<string, string> } {
  switch (credential.kind) {
    case 'none':
      return { url, headers: { ...headers } };
    case 'bearer':
      return { url, headers: { ...headers, authorization: `Bearer ${secret}` } };
    case 'header':
      return { url, headers: { ...headers, [credential.name]: secret } };
    case 'query': {
      const mark = url.includes('?') ? '&' : '?';
      return { url: `${url}${mark}${credential.name}=${encodeURIComponent(secret)}`, headers: { ...headers } };
    }
    case 'signature': {
      const secrets = secret.split(/\s+/).filter((each) => each !== '');
      return { url, headers: { ...headers, [credential.header]: credential.sign({ headers }, body, secrets) } };
    }
  }
}

/** The operator's address in place of scheme and host of the platform. */
function atBase(url: string, base: string | undefined): string {
  if (base === undefined) return url;
  const { pathname, search } = new URL(url);
  return base.replace(/\/+$/, '') + pathname + search;
}

function readAnswer({ status, headers, body }: HttpAnswer): Answer {
  const text = body.toString('utf8');
  return {
    status,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
    ),
    body: parsed(text),
  };
}

function parsed(text: string): unknown {
  if (!/^\s*[{["\dtfn-]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Meta's `X-App-Usage` and `X-Business-Use-Case-Usage`: the highest percentage in them. */
function usageIn({ headers }: Answer): number | undefined {
  const found: number[] = [];
  for (const name of ['x-app-usage', 'x-business-use-case-usage'])
    for (const [, percent] of (headers[name] ?? '').matchAll(/"(?:call_count|total_cputime|total_time)":\s*(\d{1,4})/g))
      found.push(Number(percent));
  return found.length === 0 ? undefined : Math.max(...found);
}
