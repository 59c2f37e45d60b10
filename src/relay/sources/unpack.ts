import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { captureLimits } from '../../../contract/mapping.ts';
import { type CapturedRequest, headerOf, type RefusedRequest } from './request.ts';

const name = 'content-encoding';

/** Nothing is unpacked further than one byte beyond what a body may be: a bomb costs what a whole body does. */
const bound = { maxOutputLength: captureLimits.bodyBytesMax + 1 };

const codings: Readonly<Record<string, (packed: Uint8Array) => Buffer>> = {
  gzip: (packed) => gunzipSync(packed, bound),
  'x-gzip': (packed) => gunzipSync(packed, bound),
  deflate: (packed) => inflateSync(packed, bound),
  br: (packed) => brotliDecompressSync(packed, bound),
};

/**
 * A request as it was before its body was packed (RFC 9110, 8.4): what is read, logged, captured and signed is that. Reading
 * the JSON of a body takes several times as long as unpacking it, so it is done in its place. A text is not packed.
 * @returns what it is refused with, where its coding is unknown (415), its body damaged (400), or too large unpacked (413)
 */
export function unpack(request: CapturedRequest): CapturedRequest | { readonly refused: RefusedRequest } {
  const said = (headerOf(request.headers, name) ?? '').trim().toLowerCase();
  if (said === '' || said === 'identity') return request;
  const decode = Object.hasOwn(codings, said) ? codings[said] : undefined;
  if (decode === undefined) return { refused: { status: 415, reason: 'content_encoding', field: name } };
  const { body } = request;
  if (body === null || typeof body === 'string' || body.length > captureLimits.bodyBytesMax) return request;
  try {
    return { ...request, headers: without(request.headers), body: decode(body) };
  } catch (error) {
    const isTooLarge = (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
    return {
      refused: isTooLarge
        ? { status: 413, reason: 'too_large', field: 'body' }
        : { status: 400, reason: 'not_unpackable', field: name },
    };
  }
}

/** What is unpacked does not say that it is packed: it is kept like this, and read again. */
function without(headers: CapturedRequest['headers']): CapturedRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([one]) => one.toLowerCase() !== name));
}
