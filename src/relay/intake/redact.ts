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
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  const trimmed = text.trimStart();
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) {
    try {
      return cut(JSON.stringify(shapeOf(JSON.parse(text), 0)));
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

function nameOf(name: string): string {
  return programName.test(name) && !longDigits.test(name) && !name.includes('@') ? name : '(name)';
}

function shapeOf(given: unknown, depth: number): unknown {
  if (given === null || typeof given === 'boolean') return given;
  if (typeof given === 'string') return `text (${given.length})`;
  if (typeof given === 'number') return 'number';
  if (depth >= depthMax) return Array.isArray(given) ? `list (${given.length})` : 'object';
  if (Array.isArray(given)) {
    const shown = given.slice(0, itemsMax).map((one) => shapeOf(one, depth + 1));
    return given.length > itemsMax ? [...shown, `and ${given.length - itemsMax} more`] : shown;
  }
  const shape: Record<string, unknown> = {};
  const names = Object.keys(given as object);
  for (const name of names.slice(0, namesMax))
    shape[nameOf(name)] = shapeOf((given as Record<string, unknown>)[name], depth + 1);
  if (names.length > namesMax) shape['…'] = `and ${names.length - namesMax} more`;
  return shape;
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
