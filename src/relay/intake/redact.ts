import type { CapturedRequest } from '../sources/request.ts';
import { isProvingHeader } from '../sources/request.ts';

/** What of a body the intake log keeps: its shape, without a value in it. */
export const redactedCharsMax = 4_000;
const depthMax = 8;
const namesMax = 60;
const itemsMax = 3;

/** Names that a program gives. Somebody's address or number as a name is none, and is not kept. */
const programName = /^[A-Za-z_$][\w$ .:-]{0,63}$/;
const longDigits = /\d{5}/;

/**
 * The shape of a body: names as they are, of values only of what kind and how long they are (REL-09). Nothing of a person
 * comes through, whatever a sender writes where.
 */
export function redactedBody(body: string | Uint8Array | null, contentType: string): string {
  if (body === null || body.length === 0) return '';
  const text = typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.length).toString();
  const trimmed = text.trimStart();
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) {
    try {
      return cut(shapeOf(JSON.parse(text), 0));
    } catch {
      return `text of ${text.length} characters that is no JSON`;
    }
  }
  if (/multipart/i.test(contentType)) return `multipart of ${body.length} bytes`;
  if (trimmed.includes('=')) return cut(redactedQuery(text.trim()));
  return `text of ${text.length} characters`;
}

/** Names of a query with the length of each value. */
export function redactedQuery(query: string): string {
  return query
    .split('&', namesMax)
    .map((pair) => {
      const at = pair.indexOf('=');
      const value = at < 0 ? '' : pair.slice(at + 1);
      return `${nameOf(decoded(at < 0 ? pair : pair.slice(0, at)))}=(${decoded(value).length})`;
    })
    .join('&');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** A name that a sender gave, as it may be written down: `(name)` in place of one that may be somebody's. */
export function nameOf(name: string): string {
  return programName.test(name) && !longDigits.test(name) && !name.includes('@') ? name : '(name)';
}

/** As JSON, written straight away: it is made of every request, and mostly of a few words that come again and again. */
function shapeOf(given: unknown, depth: number): string {
  if (typeof given === 'string') return textsOf[given.length] ?? textOf(given.length);
  if (typeof given === 'number') return '"number"';
  if (given === null || typeof given === 'boolean') return String(given);
  if (depth >= depthMax) return Array.isArray(given) ? `"list (${given.length})"` : '"object"';
  if (Array.isArray(given)) {
    let shown = '';
    for (let at = 0; at < given.length && at < itemsMax; at++)
      shown += `${at === 0 ? '' : ','}${shapeOf(given[at], depth + 1)}`;
    return `[${shown}${given.length > itemsMax ? `,"and ${given.length - itemsMax} more"` : ''}]`;
  }
  const names = Object.keys(given as object);
  let shown = '';
  for (let at = 0; at < names.length && at < namesMax; at++) {
    const quotes = quotedName(names[at] as string);
    if (quotes === unnamed) return shapeOfShared(given as Record<string, unknown>, names, depth);
    shown += `${at === 0 ? '' : ','}${quotes}:${shapeOf((given as Record<string, unknown>)[names[at] as string], depth + 1)}`;
  }
  return `{${shown}${more(names.length, shown)}}`;
}

/** A name that several have to share stands once, with the last of them, as in an object. */
function shapeOfShared(given: Record<string, unknown>, names: readonly string[], depth: number): string {
  const shapes = new Map<string, string>();
  for (const name of names.slice(0, namesMax)) shapes.set(quotedName(name), shapeOf(given[name], depth + 1));
  const shown = [...shapes].map(([name, shape]) => `${name}:${shape}`).join(',');
  return `{${shown}${more(names.length, shown)}}`;
}

function more(names: number, shown: string): string {
  return names > namesMax ? `${shown === '' ? '' : ','}"…":"and ${names - namesMax} more"` : '';
}

function textOf(length: number): string {
  return `"text (${length})"`;
}
/** Of short texts, which nearly all are. */
const textsOf = Array.from({ length: 256 }, (_, length) => textOf(length));
const unnamed = '"(name)"';

/** Names of programs in quotes; others are looked at each time, since they may be somebody's. */
const quoted = new Map<string, string>();
const quotedMax = 2_000;
function quotedName(name: string): string {
  const known = quoted.get(name);
  if (known !== undefined) return known;
  const shown = nameOf(name);
  const made = JSON.stringify(shown);
  if (shown === name) {
    if (quoted.size >= quotedMax) quoted.clear();
    quoted.set(name, made);
  }
  return made;
}

function cut(text: string): string {
  return text.length > redactedCharsMax ? `${text.slice(0, redactedCharsMax - 1)}…` : text;
}

/** A request as it is captured: without what proves who sent it. Its secret address is not in it any more. */
export function capturedParts(request: CapturedRequest, signatureHeader: string | undefined): CapturedRequest {
  const signature = signatureHeader?.toLowerCase();
  const headers = Object.entries(request.headers).filter(
    ([name]) => !isProvingHeader(name) && name.toLowerCase() !== signature,
  );
  return { ...request, headers: Object.fromEntries(headers) };
}
