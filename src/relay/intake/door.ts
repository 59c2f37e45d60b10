import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { captureLimits } from '../../../contract/mapping.ts';
import type { Clock } from '../../platform/clock.ts';
import type { PlainHandler } from '../../platform/http/plain_lane.ts';
import type { FastHandler } from '../../platform/http/server.ts';
import { answeredUnread } from '../../platform/http/unread.ts';
import type { Log } from '../../platform/log.ts';
import { type Random, timedUuidOf } from '../../platform/random.ts';
import { type Lane, piecesOf, SpoolUnavailable } from '../../platform/spool/index.ts';
import type { KeyRing } from '../../platform/subject.ts';
import { isEarly, refused, type Taken, takeRequest } from '../sources/capture.ts';
import { type CapturedRequest, withoutQuery } from '../sources/request.ts';
import { unpack } from '../sources/unpack.ts';
import { earlyAgainAt } from './again.ts';
import { type CaptureKeeper, capturePlace, captureText } from './captures.ts';
import type { RunningSource, SourceDirectory } from './directory.ts';
import { clockText, intakeLine } from './line.ts';
import type { IntakeRates } from './rate.ts';
import { keySubject, keyText, makeRecord, recordLine, type Sealing, tellingIdOf } from './record.ts';
import { capturedParts, nameOf, redactedBody, redactedQuery } from './redact.ts';

/** Where sources are: behind it stands the secret of one, and behind that whatever a sender adds. */
export const intakePath = '/in/';
/** 32 random bytes in base64url have 43 characters; anything much shorter or longer was never given out. */
const secretCharsMax = 128;
/** When to come again if nothing can be kept. */
const waitSeconds = 5;

export interface IntakeParts {
  readonly directory: SourceDirectory;
  readonly keys: Pick<KeyRing, 'digest'>;
  readonly sealing: Sealing;
  readonly captures: CaptureKeeper;
  readonly rates: Pick<IntakeRates, 'waitSeconds'>;
  readonly conversions: Lane;
  readonly log: Lane;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly random: Random;
  readonly house: Pick<Log, 'error'>;
}

/** What became of requests since the start, for `/metrics`. */
export interface IntakeCounts {
  readonly requests: Map<string, number>;
  readonly conversions: { count: number };
}

type Reply = { readonly status: number; readonly body: object; readonly retryAfter?: number };

/**
 * `POST /in/<secret>` and `GET /in/<secret>?…`: a conversion, or several, in whatever words its sender has.
 *
 *     202 {request, accepted, problems?}   kept (durably); a record that could not be read is named
 *     200                                  a sender's question whether anybody is there
 *     400 · 401 · 404 · 405 · 413 · 414 · 415 · 422 · 429 · 503   {error: {code, message, field, at}}
 *
 * The address is a secret: it is in no log, and whoever does not know one is told nothing.
 */
export function openIntake(parts: IntakeParts): { handler: FastHandler; counts: IntakeCounts } {
  const counts: IntakeCounts = { requests: new Map(), conversions: { count: 0 } };
  const sourceOf = openAddresses(parts);
  const answer = (source: RunningSource, asked: Asked, reply: (given: Reply) => void) => {
    take(parts, source, asked, counts).then(reply, (error) => {
      if (error instanceof SpoolUnavailable) return reply(unavailable);
      parts.house.error('relay.intake_failed', { source: source.id }, error);
      reply(failed);
    });
  };
  const handler: FastHandler = (request, response) => {
    const begun = parts.clock.monotonic();
    const { method = '', url = '', headers } = request;
    const source = sourceOf(url);
    if (source === undefined) {
      request.resume();
      return send(response, counts, unknown);
    }
    const retryAfter = parts.rates.waitSeconds(source);
    if (retryAfter > 0) {
      request.resume();
      return send(response, counts, { ...tooMany, retryAfter });
    }
    readBody(
      request,
      (body) => answer(source, { method, url, headers, body, begun }, (reply) => send(response, counts, reply)),
      (bytes) => {
        const status = answeredUnread(request.socket) ?? hungUp;
        unread(source, { method, status, reason: 'incomplete', field: 'body', bytes, begun });
      },
    );
  };
  // What comes in one piece, as nearly everything does: the same without node:http, which takes more than reading a mapping.
  const plain: PlainHandler = (request) => {
    const begun = parts.clock.monotonic();
    const { url, headers } = request;
    const body = request.body.length === 0 ? null : request.body;
    const reply = (given: Reply) => {
      const { status, text } = counted(counts, given);
      request.reply(status, plainHeadersOf(given, Buffer.byteLength(text)), text);
    };
    const source = sourceOf(url);
    if (source === undefined) return reply(unknown);
    const retryAfter = parts.rates.waitSeconds(source);
    if (retryAfter > 0) return reply({ ...tooMany, retryAfter });
    answer(source, { method: 'POST', url, headers, body, begun }, reply);
  };
  handler.plain = plain;
  handler.tooLarge = ({ method, url }) => {
    const source = sourceOf(url);
    if (source === undefined || parts.rates.waitSeconds(source) > 0) return;
    unread(source, {
      method,
      status: 431,
      reason: 'too_large',
      field: 'headers',
      bytes: 0,
      begun: parts.clock.monotonic(),
    });
  };
  return { handler, counts };

  /** What never was a whole request has its line too. Nobody waits for that; one that cannot be kept is told of by the desk's log. */
  function unread(source: RunningSource, { method, begun, ...said }: Unread): void {
    countStatus(counts, said.status);
    const at = parts.clock.now();
    const line = {
      ...{ organisationId: source.organisationId, sourceId: source.id, at, id: timedUuidOf(parts.random, at) },
      ...{ way: 'request' as const, method: methodName(method), ms: msSince(parts, begun), ...said },
    };
    parts.log.append(intakeLine(line)).catch((error) => {
      parts.house.error('relay.intake_line_failed', { source: source.id }, error);
    });
  }
}

/** As servers log a sender that was gone before there was an answer. */
const hungUp = 499;

interface Unread {
  readonly method: string;
  readonly status: number;
  readonly reason: string;
  readonly field: string;
  readonly bytes: number;
  readonly begun: number;
}

function methodName(method: string): string {
  return /^[A-Z]{1,10}$/.test(method) ? method : 'other';
}

function msSince({ clock }: IntakeParts, begun: number): number {
  return Math.max(0, Math.round(clock.monotonic() - begun));
}

/** A request with its body, however it was read. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer | null;
  /** Monotonic time at which it was there. */
  readonly begun: number;
}

const unknown: Reply = {
  status: 404,
  body: {
    error: {
      code: 'not_found',
      message:
        'There is no source at this address. Look it up under Relay, Sources: an address that was replaced ends after 24 hours.',
    },
  },
};
const tooMany: Reply = {
  status: 429,
  body: {
    error: {
      code: 'rate_limited',
      message:
        'More requests come than this source takes in a minute. Send it again after the seconds that Retry-After says; the limit is under Relay, Sources.',
      field: 'requests_per_minute',
    },
  },
};
const unavailable: Reply = {
  status: 503,
  retryAfter: waitSeconds,
  body: { error: { code: 'unavailable', message: 'This cannot be kept right now. Send it again in some seconds.' } },
};
const failed: Reply = {
  status: 500,
  body: {
    error: { code: 'internal', message: 'Something went wrong here. Send it again; the log of this desk says more.' },
  },
};

/** Keyed digests that are remembered, by plain digests: what a sender uses again and again is not digested with the key each time. */
const rememberedMax = 1_000;

function openAddresses({ directory, keys, clock }: IntakeParts): (url: string) => RunningSource | undefined {
  const remembered = new Map<string, string>();
  return (url) => {
    const rest = url.slice(intakePath.length);
    const end = rest.search(/[/?#]/);
    const secret = end < 0 ? rest : rest.slice(0, end);
    if (secret === '' || secret.length > secretCharsMax) return undefined;
    const plain = hash('sha256', secret);
    const known = remembered.get(plain);
    const digest = known ?? keys.digest('relay-source', secret).toString('hex');
    const source = directory.byAddress(digest, clock.now());
    if (known === undefined && source !== undefined) {
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(plain, digest);
    }
    return source;
  };
}

/**
 * A declared or real excess is drained and never kept; one byte more than may be is what says so.
 * @param cut told of a body that never came to its end, and how much of it came
 */
function readBody(request: IncomingMessage, done: (body: Buffer | null) => void, cut: (bytes: number) => void): void {
  const most = captureLimits.bodyBytesMax + 1;
  const pieces: Buffer[] = [];
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    if (bytes < most) pieces.push(piece.subarray(0, most - bytes));
    bytes += piece.length;
  });
  request.once('close', () => {
    if (!request.readableEnded) cut(bytes);
  });
  request.once('end', () =>
    done(pieces.length === 0 ? null : pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)),
  );
}

async function take(
  parts: IntakeParts,
  source: RunningSource,
  { method, url, headers, body, begun }: Asked,
  counts: IntakeCounts,
): Promise<Reply> {
  const at = parts.clock.now();
  const id = timedUuidOf(parts.random, at);
  const address = plainUrl(url);
  const packed: CapturedRequest = {
    // What nobody signed is not kept either: a mapping that comes later reads what is kept.
    ...{ method, url: source.signing === undefined ? address : withoutQuery(address) },
    ...{ headers: headers as CapturedRequest['headers'], body },
  };
  const unpacked = unpack(packed);
  const came = 'refused' in unpacked ? { ...packed, body: null } : unpacked;
  const line = (
    said: { status: number; reason: string | null; field: string | null },
    more: { conversions: number; problems: number },
  ) =>
    parts.log.append(
      JSON.stringify({
        organisation_id: source.organisationId,
        source_id: source.id,
        at: clockText(at),
        id,
        status: said.status,
        reason: said.reason ?? '',
        field: said.field ?? '',
        method: methodName(method),
        content_type: kindOf(headers['content-type']),
        bytes: Math.min(came.body?.length ?? 0, 0xff_ff_ff_ff),
        ms: msSince(parts, begun),
        conversions: more.conversions,
        problems: more.problems,
        body: (came.body?.length ?? 0) > captureLimits.bodyBytesMax ? '' : shapeOf(came),
      }),
    );
  if (source.state !== 'active') {
    await line({ status: 403, reason: source.state, field: null }, { conversions: 0, problems: 0 });
    return {
      status: 403,
      body: {
        error: {
          code: 'forbidden',
          message: 'This source is paused. Whoever runs it can start it again under Relay, Sources.',
        },
      },
    };
  }
  const rules = { mapping: source.mapping ?? nothingMapped, signing: source.signing, ping: source.ping };
  const taken = 'refused' in unpacked ? refused(unpacked.refused) : takeRequest(came, rules, at);
  const isUnmapped = taken.unmapped !== undefined;
  const status = isUnmapped && taken.conversions.length === 0 ? source.unmappedStatus : taken.status;
  const isRead = taken.status === 202;
  const rows: string[] = [];
  if (isRead) {
    const made = recordsOf(parts, source, taken, { request: id, at });
    if (made === undefined) return unavailable;
    rows.push(...made);
    if (isUnmapped) {
      const again = isEarly(taken) ? { again: earlyAgainAt(at, at) } : {};
      const unmapped = unmappedRow(parts, source, came, { id, at, ...again });
      if (unmapped === undefined) return unavailable;
      rows.push(unmapped);
    }
  }
  const counted = { conversions: taken.conversions.length, problems: taken.problems.length };
  const logged = () => line({ status, reason: taken.reason, field: loggedField(taken) }, counted);
  const [piece, ...more] = piecesOf(rows);
  if (more.length === 0) await Promise.all([piece && parts.conversions.append(piece), logged()]);
  else {
    // A refusal between two of them has the whole request come again, so it is in the log once all are kept.
    for (const one of [piece as string, ...more]) await parts.conversions.append(one);
    await logged();
  }
  counts.conversions.count += taken.conversions.length;
  // Whoever is no sender of this source shows nothing to it either.
  if (taken.status !== 401 && !isUnmapped && !('refused' in unpacked)) capture(parts, source, came, { id, at });
  return answerOf(taken, status, id);
}

/** What is refused may be named as its sender names it (a part of a form), and that may be somebody; else it is a field of ours. */
function loggedField({ status, field }: Taken): string | null {
  return field === null || status < 400 ? field : nameOf(field);
}

/** Of a source that nobody has mapped yet each request waits until somebody does. */
const nothingMapped = { cases: [{ when: { path: 'record', exists: false }, ignore: true as const }] };

function recordsOf(
  { directory, sealing }: IntakeParts,
  source: RunningSource,
  { conversions, places }: Pick<Taken, 'conversions' | 'places'>,
  came: { request: string; at: number },
): string[] | undefined {
  if (conversions.length === 0) return [];
  const freshKeys = directory.freshKeys(source.organisationId);
  if (freshKeys === undefined) return undefined;
  const rows: string[] = [];
  for (const [number, conversion] of conversions.entries()) {
    const id = tellingIdOf(came.request, places?.[number]);
    const record = makeRecord(conversion, source, { ...came, id, freshKeys }, sealing);
    if (record === undefined) return undefined;
    rows.push(recordLine(record));
  }
  return rows;
}

function sealCapture(
  { directory }: IntakeParts,
  source: RunningSource,
  came: CapturedRequest,
  id: string,
): { key: Parameters<typeof keyText>[0]; sealed: Buffer } | undefined {
  const made = directory.freshKeys(source.organisationId)?.make(keySubject(id));
  if (made === undefined) return undefined;
  const { organisationId: _, ...place } = capturePlace(source.organisationId, id);
  return { key: made.key, sealed: made.seal(place, captureText(capturedParts(came, source.signing?.header))) };
}

function unmappedRow(
  parts: IntakeParts,
  source: RunningSource,
  came: CapturedRequest,
  { id, at, again }: { id: string; at: number; again?: number },
): string | undefined {
  const sealed = sealCapture(parts, source, came, id);
  if (sealed === undefined) return undefined;
  return JSON.stringify({
    ...{ kind: 'unmapped', organisation: source.organisationId, source: source.id, id, at },
    ...{ mapping: source.mappingVersion, key: keyText(sealed.key), sealed: sealed.sealed.toString('base64') },
    ...(again === undefined ? {} : { again }),
  });
}

function capture(
  parts: IntakeParts,
  source: RunningSource,
  came: CapturedRequest,
  { id, at }: { id: string; at: number },
) {
  if ((came.body?.length ?? 0) > captureLimits.bodyBytesMax || !parts.captures.wants(source.id)) return;
  const sealed = sealCapture(parts, source, came, id);
  if (sealed === undefined) return;
  parts.captures.keep({ organisationId: source.organisationId, sourceId: source.id, id, at, ...sealed });
}

function answerOf(taken: Taken, status: number, request: string): Reply {
  const problems = taken.problems.map(({ field, reason, record, macro, path, at }) => ({
    ...(record !== undefined && { record }),
    ...{ field: field === '' ? null : field, reason },
    ...(macro !== undefined && { macro }),
    // Where the mapping looked for it.
    ...(path !== undefined && { path }),
    ...(at !== undefined && { at }),
  }));
  if (status >= 400) {
    const { field = null, at } = problems[0] ?? {};
    const where = [field ?? [], at === undefined ? [] : `character ${at}`].flat().join(', ');
    const message = `${sentenceOf(taken, status)}${where === '' ? '' : ` (${where})`}`;
    const code = status === 401 ? 'unauthenticated' : (taken.reason ?? 'invalid');
    const named = { ...(field !== null && { field }), ...(at !== undefined && { at }) };
    return { status, body: { error: { code, message, ...named }, request } };
  }
  if (status === 200) return { status, body: {} };
  return {
    status,
    body: {
      request,
      accepted: taken.conversions.length,
      ...(problems.length > 0 && { problems: problems.slice(0, 20) }),
    },
  };
}

function sentenceOf({ reason }: Taken, status: number): string {
  if (status === 422)
    return 'The mapping of this source makes no conversion of this request. It is kept for seven days, and taken once the mapping is right';
  return sentences[reason ?? ''] ?? 'This request cannot be read';
}

const sentences: Readonly<Record<string, string>> = {
  method: 'Send it with POST, or as a postback with GET',
  too_large: `It is larger than a request may be: ${captureLimits.bodyBytesMax} bytes of body, ${captureLimits.urlCharsMax} characters of address`,
  too_deep: `Its objects lie more than ${captureLimits.depthMax} deep in each other`,
  too_many_items: `A list or an object of it has more than ${captureLimits.itemsMax} items. Send it in several requests`,
  not_utf8: 'Its body is no UTF-8',
  not_json: 'Its body is no JSON, though its content type says so or it begins as such',
  not_form: 'Its body is no form, though its content type says so',
  not_multipart: 'Its body is not the multipart that its content type says',
  file: 'It has a file in it. Files of conversions are uploaded under Relay, Sources',
  content_type: 'Its content type is none of JSON, form and multipart, in UTF-8',
  content_encoding: 'Its body is packed in a way that is not read here: send it as gzip, deflate or br, or as it is',
  not_unpackable: 'Its body is not what its content encoding says, or a part of it is missing',
  empty: 'There is nothing in it',
  not_an_object: 'Its JSON is neither an object nor a list of objects',
  signature_missing: 'It has no signature, and this source takes signed requests alone',
  signature_wrong: 'Its signature does not fit. Compare the secret here and at the sender',
  signature_expired: 'Its signature is older than five minutes, or from a clock that is wrong',
};

/** @returns what is sent, counted */
function counted(counts: IntakeCounts, { status, body }: Reply): { status: number; text: string } {
  countStatus(counts, status);
  return { status, text: JSON.stringify(body) };
}

function countStatus({ requests }: IntakeCounts, status: number): void {
  const name = `${Math.floor(status / 100)}xx`;
  requests.set(name, (requests.get(name) ?? 0) + 1);
}

function headersOf({ status, retryAfter }: Reply, bytes: number): Record<string, string | number> {
  return {
    ...{ 'content-type': 'application/json', 'content-length': bytes, 'cache-control': 'no-store' },
    ...{ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' },
    ...(status === 405 ? { allow: 'GET, POST' } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(status === 415 ? { 'accept-encoding': 'gzip, deflate, br' } : {}),
  };
}

/** Names and values in turn. Most answers are as long as the one before, and the listener remembers how it wrote these. */
const plainHeaders = new Map<string, readonly string[]>();
function plainHeadersOf(reply: Reply, bytes: number): readonly string[] {
  const name = `${reply.status} ${bytes} ${reply.retryAfter}`;
  const known = plainHeaders.get(name);
  if (known !== undefined) return known;
  const made = Object.entries(headersOf(reply, bytes)).flatMap(([header, value]) => [header, String(value)]);
  if (plainHeaders.size >= rememberedMax) plainHeaders.clear();
  plainHeaders.set(name, made);
  return made;
}

function send(response: ServerResponse, counts: IntakeCounts, given: Reply): void {
  const { status, text } = counted(counts, given);
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, headersOf(given, Buffer.byteLength(text))).end(text);
}

/** What stands before the first slash behind `/in/` is a secret, which nothing below here has any use for. */
function plainUrl(url: string): string {
  const rest = url.slice(intakePath.length);
  const at = rest.search(/[/?#]/);
  return `${intakePath}(address)${at < 0 ? '' : rest.slice(at)}`;
}

function shapeOf({ url, headers, body }: CapturedRequest): string {
  const query = url.includes('?') ? redactedQuery(url.slice(url.indexOf('?') + 1)) : '';
  const said = String(headers['content-type'] ?? '');
  return [query === '' ? '' : `?${query}`, redactedBody(body, said)].filter((one) => one !== '').join(' ');
}

/** A sender says the same each time. */
const kinds = new Map<string | undefined, string>();
function kindOf(said: string | undefined): string {
  const known = kinds.get(said);
  if (known !== undefined) return known;
  const kind = plainKind(said);
  if ((said?.length ?? 0) > 200) return kind;
  if (kinds.size >= rememberedMax) kinds.clear();
  kinds.set(said, kind);
  return kind;
}

function plainKind(said: string | undefined): string {
  const kind = (said ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return /^[a-z]+\/[a-z0-9.+-]{1,60}$/.test(kind) ? kind : kind === '' ? '' : 'other';
}
