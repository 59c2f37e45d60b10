import { type CaptureReason, captureLimits } from '../../../contract/mapping.ts';
import { type Data, isNames, type Names } from '../mapping/data.ts';
import { addField, readQuery } from '../mapping/query.ts';
import type { Scope } from '../mapping/walk.ts';
import { readJson, type Unread } from './json.ts';
import { readMultipart } from './multipart.ts';

/** What came to a source's address, as it came. */
export interface CapturedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string | Uint8Array | null;
}

/** A request that is not taken. @property at where in the body it ended; @property field the field that it is about */
export interface RefusedRequest {
  readonly status: 400 | 401 | 405 | 413 | 414 | 415;
  readonly reason: CaptureReason;
  readonly field?: string | undefined;
  readonly at?: number;
}

/** The records of a request: one, or one for each of a JSON list. What is no object among them is undefined. */
export type ReadRequest = { readonly records: readonly (Scope | undefined)[] } | { readonly refused: RefusedRequest };

/**
 * A JSON body is its object, or each object of its list. A form's record is its fields, with those of the query that it
 * does not name itself; without a body it is the query alone (a postback). A name that stands several times has a list.
 * @param now milliseconds since 1970: when it came
 */
export function readRequest(request: CapturedRequest, now: number): ReadRequest {
  const refused = refusalOf(request);
  if (refused !== undefined) return { refused };
  const query = readQuery(queryOf(request.url));
  if (query === undefined) return refuse(413, 'too_many_items', { field: 'query' });
  const read = readBody(request, query);
  if ('refused' in read) return read;
  const around = {
    query,
    headers: readableHeaders(request.headers),
    received_at: new Date(now).toISOString().replace('.000Z', 'Z'),
    endpoint: endpointOf(request.url),
    work: { left: captureLimits.stepsMax },
  };
  return { records: read.data.map((record) => (isNames(record) ? { ...around, record, body: record } : undefined)) };
}

/** What is seen before the body is read: method, length of the address, size. */
export function refusalOf({ method, url, body }: CapturedRequest): RefusedRequest | undefined {
  if (method !== 'GET' && method !== 'POST') return { status: 405, reason: 'method' };
  if (url.length > captureLimits.urlCharsMax) return { status: 414, reason: 'too_large', field: 'url' };
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : (body?.length ?? 0);
  if (bytes > captureLimits.bodyBytesMax) return { status: 413, reason: 'too_large', field: 'body' };
  return undefined;
}

/** Headers by names in lower case, of whom several stand joined by a comma. */
export function headerOf(headers: CapturedRequest['headers'], name: string): string | undefined {
  const found = Object.keys(headers).find((one) => one.toLowerCase() === name);
  const value = found === undefined ? undefined : headers[found];
  return typeof value === 'string' || value === undefined ? value : value.join(', ');
}

const proves = /auth|cookie|sign|hmac|secret|token|password|api-?key/;

/** Does it prove who somebody is? Such headers are in no capture, and no mapping reaches them. */
export function isProvingHeader(name: string): boolean {
  return proves.test(name.toLowerCase());
}

function readableHeaders(headers: CapturedRequest['headers']): Names {
  const readable: Record<string, Data> = Object.create(null);
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !isProvingHeader(name))
      readable[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
  return readable;
}

export function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0] as string;
}

function queryOf(url: string): string {
  const address = url.split('#', 1)[0] as string;
  const from = address.indexOf('?');
  return from < 0 ? '' : address.slice(from + 1);
}

/** The last word of the path, such as `track`. A secret in an address is longer, and holds more than letters. */
function endpointOf(url: string): string | undefined {
  return /\/([a-z]{1,16})\/?$/.exec(withoutQuery(url))?.[1];
}

type ReadBody = { readonly data: readonly Data[] } | { readonly refused: RefusedRequest };

function refuse(status: RefusedRequest['status'], reason: CaptureReason, more: Partial<RefusedRequest> = {}) {
  return { refused: { status, reason, ...more } } as const;
}

type ContentType = 'json' | 'form' | 'multipart' | 'unsaid' | 'other';

function readBody({ headers, body }: CapturedRequest, query: Names): ReadBody {
  const said = headerOf(headers, 'content-type') ?? '';
  const type = contentTypeOf(said);
  if (body === null || body.length === 0) {
    if (type === 'json' || type === 'multipart' || Object.keys(query).length === 0) return refuse(400, 'empty');
    return { data: [query] };
  }
  if (type === 'multipart') return readParts(said, body, query);
  if (type === 'other') return refuse(415, 'content_type');
  const text = textOf(body);
  if (text === undefined) return refuse(400, 'not_utf8');
  const kind = type === 'unsaid' ? looksLike(text) : type;
  if (kind === undefined) return refuse(415, 'content_type');
  return kind === 'json' ? readJsonBody(text) : readForm(text, query);
}

/** What may be without saying so: a browser's beacon says `text/plain`, and some trackers nothing. */
const unsaid = ['', 'text/plain', 'application/octet-stream'];

function contentTypeOf(said: string): ContentType {
  const [name = '', ...parameters] = said.toLowerCase().split(';');
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([\w-]+)"?\s*$/.exec(one)?.[1]).find(Boolean);
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset)) return 'other';
  const type = name.trim();
  if (type === 'application/json' || type === 'text/json' || /^application\/[\w.-]+\+json$/.test(type)) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (type === 'multipart/form-data') return 'multipart';
  return unsaid.includes(type) ? 'unsaid' : 'other';
}

function looksLike(text: string): 'json' | 'form' | undefined {
  if (/^[\s\ufeff]*[{[]/.test(text)) return 'json';
  return /^[^\s<>="]+=[^\s<>]*$/.test(text.trim()) ? 'form' : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** UTF-8 or nothing: what is another encoding would be read as other names. */
function textOf(body: string | Uint8Array): string | undefined {
  if (typeof body === 'string') return body;
  try {
    return utf8.decode(body);
  } catch {
    return undefined;
  }
}

function readJsonBody(text: string): ReadBody {
  const read = readJson(text);
  if ('unread' in read) return refuse(statusOf(read.unread), read.unread.reason, { at: read.unread.at });
  const { data } = read;
  if (typeof data !== 'object' || data === null) return refuse(400, 'not_an_object');
  return { data: isNames(data) ? [data] : (data as readonly Data[]) };
}

function statusOf({ reason }: Unread): 400 | 413 {
  return reason === 'too_many_items' ? 413 : 400;
}

/** A form has a name and a value at least. `curl -d '{…}'` says it is one and is none. */
function readForm(text: string, query: Names): ReadBody {
  if (/^[\s\ufeff]*[{[<"]/.test(text) || !text.includes('=')) return refuse(400, 'not_form');
  const fields = readQuery(text.trim());
  return fields === undefined ? refuse(413, 'too_many_items') : { data: [over(query, fields)] };
}

function readParts(said: string, body: string | Uint8Array, query: Names): ReadBody {
  const read = readMultipart(said, typeof body === 'string' ? Buffer.from(body) : body);
  if ('reason' in read) return refuse(read.reason === 'too_many_items' ? 413 : 400, read.reason, named(read.field));
  const fields: Record<string, Data> = Object.create(null);
  for (const { name, value } of read.fields) addField(fields, name, value);
  return { data: [over(query, fields)] };
}

function named(field: string | undefined): Partial<RefusedRequest> {
  return field === undefined ? {} : { field };
}

function over(query: Names, fields: Names): Names {
  return Object.assign(Object.create(null) as Record<string, Data>, query, fields);
}
