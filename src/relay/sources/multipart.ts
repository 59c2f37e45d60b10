import { captureLimits } from '../../../contract/mapping.ts';

type Read =
  | { readonly fields: readonly { readonly name: string; readonly value: string }[] }
  | {
      readonly reason: 'not_multipart' | 'file' | 'too_many_items' | 'not_utf8';
      /** The name of the part, where it is about one. */
      readonly field?: string;
    };

const breaks = Buffer.from('\r\n');
const headEnd = Buffer.from('\r\n\r\n');

/**
 * The fields of a `multipart/form-data` body (RFC 7578). A part with a file's name is a file, and a source takes none:
 * files of conversions are uploaded elsewhere. A body that ends before its last boundary was cut on its way.
 */
export function readMultipart(contentType: string, body: Uint8Array): Read {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) return { reason: 'not_multipart' };
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const line = Buffer.from(`--${boundary}`);
  const between = Buffer.from(`\r\n--${boundary}`);
  // What stands before the first boundary means nothing (RFC 2046), and so does what follows the last.
  let at = bytes.subarray(0, line.length).equals(line) ? 0 : bytes.indexOf(between) + breaks.length;
  if (at === breaks.length - 1) return { reason: 'not_multipart' };
  const fields: { name: string; value: string }[] = [];
  for (;;) {
    at += line.length;
    if (bytes.subarray(at, at + 2).toString('latin1') === '--') return { fields };
    while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
    if (!bytes.subarray(at, at + 2).equals(breaks)) return { reason: 'not_multipart' };
    const end = bytes.indexOf(between, at);
    const headsUntil = bytes.subarray(at, at + captureLimits.partHeadBytesMax).indexOf(headEnd);
    if (end < 0 || headsUntil < 0 || at + headsUntil > end) return { reason: 'not_multipart' };
    if (fields.length === captureLimits.itemsMax) return { reason: 'too_many_items' };
    const head = readHead(bytes.subarray(at + breaks.length, at + headsUntil).toString('utf8'));
    if (head === undefined) return { reason: 'not_multipart' };
    if (head.isFile) return { reason: 'file', field: head.name };
    const value = textOf(bytes.subarray(Math.min(at + headsUntil + headEnd.length, end), end));
    if (value === undefined) return { reason: 'not_utf8', field: head.name };
    fields.push({ name: head.name, value });
    at = end + breaks.length;
  }
}

function boundaryOf(contentType: string): string | undefined {
  const found = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;",]{1,70}))/i.exec(contentType);
  return found?.[1] ?? found?.[2];
}

const disposition = /^content-disposition\s*:\s*form-data\s*;(.*)$/i;
/** Text is sent as it is; what is packed otherwise would be another text. */
const asItIs = /^content-transfer-encoding\s*:\s*(7bit|8bit|binary)\s*$/i;

function readHead(head: string): { name: string; isFile: boolean } | undefined {
  const lines = head.split('\r\n');
  if (lines.some((line) => /^content-transfer-encoding/i.test(line) && !asItIs.test(line))) return undefined;
  const parameters = lines.map((line) => disposition.exec(line)?.[1]).find((found) => found !== undefined);
  if (parameters === undefined) return undefined;
  const name = /(?:^|;)\s*name\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(parameters);
  if (name === null) return undefined;
  return { name: unescaped(name[1] ?? name[2] ?? ''), isFile: /(?:^|;)\s*filename\*?\s*=/i.test(parameters) };
}

/** Browsers escape these three in a name, and nothing else. */
function unescaped(name: string): string {
  return name.replace(/%22|%0D|%0A/gi, (one) => String.fromCharCode(Number.parseInt(one.slice(1), 16)));
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
