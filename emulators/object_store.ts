import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An object store after Amazon's "API Reference" of S3 and "Signature Version 4": buckets by path, objects, uploads in
 * parts, lists in pages, ranges. It checks each signature and each digest by its own reckoning, and has bad days: it can
 * slow down requests, fail after it said 200, hang up, lose bytes and be full.
 */
export interface ObjectStoreEmulator {
  port: number;
  objects: Map<string, Buffer>;
  /** Uploads that were begun and not ended. */
  uploads: Map<string, { key: string; parts: Map<number, Buffer> }>;
  /** Method and key (or query) of each request that was let in, oldest first. */
  asked: string[];
  set(mischief: Partial<ObjectStoreMischief>): void;
  reset(): void;
  close(): Promise<void>;
}

export interface ObjectStoreMischief {
  /** Codes for the next requests, in place of an answer; each is used once. `hang-up` closes the connection. */
  refusals: ('SlowDown' | 'InternalError' | 'AccessDenied' | 'QuotaExceeded' | 'hang-up')[];
  /** Says 200 to the end of an upload, and that it failed in the body. */
  failsAtTheEnd: number;
  /** Keeps all but so many bytes of what comes next, and says nothing of it. */
  loses: number;
  /** Objects of one page of a list. */
  pageOf: number;
  /** How far its clock is from that of the machine. */
  aheadMs: number;
}

const good: ObjectStoreMischief = { refusals: [], failsAtTheEnd: 0, loses: 0, pageOf: 1000, aheadMs: 0 };
const statuses: Record<string, number> = {
  ...{ SlowDown: 503, InternalError: 500, AccessDenied: 403, QuotaExceeded: 403, SignatureDoesNotMatch: 403 },
  ...{ InvalidAccessKeyId: 403, RequestTimeTooSkewed: 403, NoSuchKey: 404, NoSuchBucket: 404, NoSuchUpload: 404 },
  ...{ XAmzContentSHA256Mismatch: 400, EntityTooSmall: 400, InvalidPart: 400, InvalidRange: 416, NotImplemented: 501 },
  AuthorizationHeaderMalformed: 400,
};
const partBytesLeast = 5 * 1024 * 1024;
const skewMs = 15 * 60_000;

class Refusal extends Error {}

export async function openObjectStoreEmulator(settings: {
  bucket: string;
  region: string;
  accessKey: string;
  secretKey: string;
}): Promise<ObjectStoreEmulator> {
  const objects = new Map<string, Buffer>();
  const uploads: ObjectStoreEmulator['uploads'] = new Map();
  const asked: string[] = [];
  let mischief = structuredClone(good);
  let begun = 0;

  function checkSignature(request: IncomingMessage, url: URL, body: Buffer): void {
    const said = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
    if (said === null) throw new Refusal('AccessDenied');
    const [, credential = '', signedHeaders = '', signature] = said;
    const [accessKey, date = '', region = '', service, end] = credential.split('/');
    if (accessKey !== settings.accessKey) throw new Refusal('InvalidAccessKeyId');
    if (region !== settings.region || service !== 's3' || end !== 'aws4_request')
      throw new Refusal('AuthorizationHeaderMalformed');
    const time = String(request.headers['x-amz-date']);
    const parsed = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(time);
    if (parsed === null || !time.startsWith(date)) throw new Refusal('AccessDenied');
    const [, y, mo, d, h, mi, s] = parsed;
    if (Math.abs(Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`) - Date.now() - mischief.aheadMs) > skewMs)
      throw new Refusal('RequestTimeTooSkewed');
    const digest = String(request.headers['x-amz-content-sha256']);
    const names = signedHeaders.split(';');
    for (const needed of ['host', 'x-amz-content-sha256', 'x-amz-date'])
      if (!names.includes(needed)) throw new Refusal('AccessDenied');
    const canonical = [
      request.method,
      url.pathname
        .split('/')
        .map((part) => strict(decodeURIComponent(part)))
        .join('/'),
      [...url.searchParams]
        .map(([key, value]): [string, string] => [strict(key), strict(value)])
        .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
        .map(([key, value]) => `${key}=${value}`)
        .join('&'),
      ...names.map(
        (name) =>
          `${name}:${String(request.headers[name] ?? '')
            .trim()
            .replace(/ +/g, ' ')}`,
      ),
      '',
      signedHeaders,
      digest,
    ].join('\n');
    const scope = `${date}/${region}/s3/aws4_request`;
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
    let key = hmac(`AWS4${settings.secretKey}`, date);
    for (const part of [region, 's3', 'aws4_request']) key = hmac(key, part);
    if (hmac(key, toSign).toString('hex') !== signature) throw new Refusal('SignatureDoesNotMatch');
    if (digest !== sha256(body)) throw new Refusal('XAmzContentSHA256Mismatch');
  }

  function keep(body: Buffer): Buffer {
    const kept = body.subarray(0, Math.max(0, body.length - mischief.loses));
    mischief.loses = 0;
    return kept;
  }

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://store');
    checkSignature(request, url, body);
    const [, bucket, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const key = rest.join('/');
    const query = url.searchParams;
    asked.push(`${request.method} ${key || url.search}`);
    if (bucket !== settings.bucket) throw new Refusal('NoSuchBucket');
    const uploadId = query.get('uploadId');
    const xml = (text: string) =>
      response
        .writeHead(200, { 'content-type': 'application/xml' })
        .end(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);

    if (key === '' && request.method === 'GET' && query.has('uploads')) {
      const open = [...uploads].filter(([, upload]) => upload.key.startsWith(query.get('prefix') ?? ''));
      xml(
        `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${open
          .map(
            ([id, upload]) => `<Upload><Key>${escaped(upload.key)}</Key><UploadId>${escaped(id)}</UploadId></Upload>`,
          )
          .join('')}</ListMultipartUploadsResult>`,
      );
    } else if (key === '' && request.method === 'GET' && query.get('list-type') === '2') {
      const prefix = query.get('prefix') ?? '';
      const delimiter = query.get('delimiter');
      const after = query.get('continuation-token') ?? '';
      const fitting = [...objects.keys()]
        .filter((name) => name.startsWith(prefix) && name > after)
        .filter((name) => delimiter === null || !name.slice(prefix.length).includes(delimiter))
        .sort();
      const page = fitting.slice(0, Math.min(mischief.pageOf, Number(query.get('max-keys') ?? 1000)));
      const isCut = page.length < fitting.length;
      xml(
        `<ListBucketResult><IsTruncated>${isCut}</IsTruncated>${
          isCut ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>` : ''
        }${page
          .map((name) => `<Contents><Key>${escaped(name)}</Key><Size>${objects.get(name)?.length}</Size></Contents>`)
          .join('')}</ListBucketResult>`,
      );
    } else if (request.method === 'POST' && query.has('uploads')) {
      const id = `up+l/o=a d&${++begun}`;
      uploads.set(id, { key, parts: new Map() });
      xml(`<InitiateMultipartUploadResult><UploadId>${escaped(id)}</UploadId></InitiateMultipartUploadResult>`);
    } else if (uploadId !== null) {
      const upload = uploads.get(uploadId);
      if (upload === undefined || upload.key !== key) throw new Refusal('NoSuchUpload');
      if (request.method === 'DELETE') {
        uploads.delete(uploadId);
        response.writeHead(204).end();
      } else if (request.method === 'PUT') {
        upload.parts.set(Number(query.get('partNumber')), keep(body));
        response.writeHead(200, { etag: tagOf(body) }).end();
      } else {
        if (mischief.failsAtTheEnd > 0) {
          mischief.failsAtTheEnd--;
          xml('<Error><Code>InternalError</Code></Error>');
          return;
        }
        const wanted = [...String(body).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
        const parts = wanted.map(([, number, tag], at) => {
          const part = upload.parts.get(Number(number));
          if (part === undefined || Number(number) !== at + 1 || tag?.replace(/&#34;|&quot;/g, '"') === '')
            throw new Refusal('InvalidPart');
          if (at < wanted.length - 1 && part.length < partBytesLeast - 1024) throw new Refusal('EntityTooSmall');
          return part;
        });
        objects.set(key, Buffer.concat(parts));
        uploads.delete(uploadId);
        xml('<CompleteMultipartUploadResult/>');
      }
    } else if (request.method === 'PUT') {
      objects.set(key, keep(body));
      response.writeHead(200, { etag: tagOf(body) }).end();
    } else if (request.method === 'DELETE') {
      objects.delete(key);
      response.writeHead(204).end();
    } else if (request.method === 'HEAD' || request.method === 'GET') {
      const object = objects.get(key);
      if (object === undefined) throw new Refusal('NoSuchKey');
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': object.length }).end();
      else if (range === null) response.writeHead(200, { 'content-length': object.length }).end(object);
      else {
        const [from, to] = [Number(range[1]), Number(range[2])];
        if (from >= object.length) throw new Refusal('InvalidRange');
        response
          .writeHead(206, { 'content-range': `bytes ${from}-${Math.min(to, object.length - 1)}/${object.length}` })
          .end(object.subarray(from, to + 1));
      }
    } else throw new Refusal('NotImplemented');
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const refusal = mischief.refusals.shift();
      if (refusal === 'hang-up') {
        request.socket.destroy();
        return;
      }
      try {
        if (refusal !== undefined) throw new Refusal(refusal);
        answer(request, response, Buffer.concat(chunks));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        response
          .writeHead(statuses[error.message] ?? 400, { 'content-type': 'application/xml' })
          .end(
            request.method === 'HEAD'
              ? undefined
              : `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.message}</Code><Message>refused</Message></Error>`,
          );
      }
    });
    request.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...{ port: (server.address() as AddressInfo).port, objects, uploads, asked },
    set: (more) => {
      mischief = { ...mischief, ...structuredClone(more) };
    },
    reset() {
      mischief = structuredClone(good);
      asked.length = 0;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Each byte but the unreserved ones of RFC 3986 as %XX. */
function strict(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
function tagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
