import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { AwsV4Signer } from 'aws4fetch';
import type { ObjectStoreSettings } from '../../platform/backup_config.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Answer, Outbound, OutboundRequest } from '../../platform/outbound/index.ts';
import { BackupError } from './backup_error.ts';

/** What the protocol sets: a part has 5 MiB or more (but the last), and there are 10,000 at most. */
export const objectLimits = {
  partBytes: 8 * 1024 * 1024,
  /** What `outbound` sends at once. */
  partBytesMax: 16 * 1024 * 1024,
  partsMax: 10_000,
  /** Of one request, from its start to the end of its answer. */
  timeoutMs: 120_000,
  tries: 4,
  /** Before the second try; four times as long before each further one. */
  againMs: 1_000,
  listed: 1_000,
} as const;

export interface StoredObject {
  name: string;
  bytes: number;
}

/** A folder of a bucket. Every problem is a `BackupError` that names the place, what it said and what to do. */
export interface ObjectStore {
  /** For people: endpoint, bucket and folder. */
  readonly place: string;
  /** Sends a file whole; what was there under the name stays until all of it has come. */
  put(name: string, file: string): Promise<void>;
  /** What lies in the folder, and not below it. */
  list(): Promise<StoredObject[]>;
  /** Writes an object into a file that is not there yet. */
  get(object: StoredObject, file: string): Promise<void>;
  remove(name: string): Promise<void>;
}

type Parts = { clock: Pick<Clock, 'now' | 'after'>; outbound: Pick<Outbound, 'send'> };
type Call = Pick<OutboundRequest, 'method' | 'headers' | 'body' | 'answerBytesMax'> & {
  name?: string;
  query?: Record<string, string>;
};

/**
 * A bucket that speaks the S3 protocol (Amazon, and what many other providers and MinIO offer), named by its path. Each
 * request carries the digest of its body under the signature, so what arrives otherwise than it was sent is refused there.
 */
export function openObjectStore(settings: ObjectStoreSettings, { clock, outbound }: Parts): ObjectStore {
  const place = `${settings.endpoint}/${settings.bucket}/${settings.prefix}`;

  async function send({ name, query = {}, method, headers = {}, body, answerBytesMax }: Call): Promise<Answer> {
    const url = new URL(
      `${settings.endpoint}/${settings.bucket}${name === undefined ? '' : `/${settings.prefix}${name}`}`,
    );
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    let waitMs: number = objectLimits.againMs;
    for (let tries = 1; ; tries++) {
      const signed = await new AwsV4Signer({
        ...{ method, url: url.href, service: 's3', region: settings.region },
        ...{ accessKeyId: settings.accessKey, secretAccessKey: settings.secretKey },
        datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
        headers: {
          ...headers,
          'x-amz-content-sha256': createHash('sha256')
            .update(body ?? '')
            .digest('hex'),
        },
      }).sign();
      const answer = await outbound.send({
        purpose: 'backup',
        ...{ method, url: signed.url.href, timeoutMs: objectLimits.timeoutMs },
        // The host is written by whoever connects.
        headers: Object.fromEntries([...signed.headers].filter(([key]) => key !== 'host')),
        ...(body !== undefined && { body }),
        ...(answerBytesMax !== undefined && { answerBytesMax }),
      });
      // A store that assembles parts says 200 before it knows how that ends.
      const isWhole = 'status' in answer && answer.status < 300 && !/<Error>/.test(headOf(answer));
      if (isWhole) return answer;
      const problem =
        'failed' in answer ? (noWay[answer.failed] ?? `it cannot be reached (${answer.failed})`) : said(answer);
      const mayPass =
        'failed' in answer
          ? passing.has(answer.failed)
          : answer.status >= 500 || answer.status === 429 || answer.status === 200;
      if (!mayPass || tries === objectLimits.tries)
        throw new BackupError(`The object store ${place} did not take part: ${problem}.`);
      await new Promise<void>((resolve) => clock.after(waitMs, resolve));
      waitMs *= 4;
    }
  }

  /** What a kill left of sendings costs money and is in no list. */
  async function abandonHalf(name: string): Promise<void> {
    const { body } = await send({ method: 'GET', query: { uploads: '', prefix: settings.prefix + name } });
    for (const upload of String(body).split('<Upload>').slice(1)) {
      const uploadId = elementText(upload, 'UploadId');
      if (elementText(upload, 'Key') === settings.prefix + name && uploadId !== undefined)
        await send({ method: 'DELETE', name, query: { uploadId } });
    }
  }

  async function putParts(name: string, file: string, size: number): Promise<void> {
    const partBytes = Math.max(objectLimits.partBytes, Math.ceil(size / objectLimits.partsMax));
    if (partBytes > objectLimits.partBytesMax)
      throw new BackupError(
        `The backup ${file} is too large for the object store: ${objectLimits.partsMax} parts of 16 MiB are the most. Copy the folder there with a tool of your choice, and take FAIRLEAD_BACKUP_S3_URL out.`,
      );
    await abandonHalf(name);
    const begun = await send({ method: 'POST', name, query: { uploads: '' } });
    const uploadId = elementText(String(begun.body), 'UploadId');
    if (uploadId === undefined)
      throw new BackupError(`The object store ${place} began no upload: its answer has no number.`);
    const handle = await open(file, 'r');
    try {
      const tags: string[] = [];
      for (let at = 0; at < size; at += partBytes) {
        const body = Buffer.alloc(Math.min(partBytes, size - at));
        const { bytesRead } = await handle.read(body, 0, body.length, at);
        if (bytesRead !== body.length)
          throw new BackupError(`The file ${file} changed while it was sent. Nothing is lost here: back up again.`);
        const { headers } = await send({
          ...{ method: 'PUT', name, body },
          query: { partNumber: String(tags.length + 1), uploadId },
        });
        tags.push(headers.etag ?? '');
      }
      const parts = tags.map(
        (tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escaped(tag)}</ETag></Part>`,
      );
      await send({
        ...{ method: 'POST', name, query: { uploadId } },
        body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`,
      });
    } catch (error) {
      await send({ method: 'DELETE', name, query: { uploadId } }).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
  }

  async function list(): Promise<StoredObject[]> {
    const found: StoredObject[] = [];
    for (let from: string | undefined; ; ) {
      const { body } = await send({
        method: 'GET',
        query: {
          ...{ 'list-type': '2', prefix: settings.prefix, delimiter: '/', 'max-keys': String(objectLimits.listed) },
          ...(from !== undefined && { 'continuation-token': from }),
        },
      });
      const text = String(body);
      for (const object of text.split('<Contents>').slice(1)) {
        const key = elementText(object, 'Key') ?? '';
        const bytes = Number(elementText(object, 'Size'));
        if (key.startsWith(settings.prefix) && Number.isSafeInteger(bytes))
          found.push({ name: key.slice(settings.prefix.length), bytes });
      }
      from = elementText(text, 'IsTruncated') === 'true' ? elementText(text, 'NextContinuationToken') : undefined;
      if (from === undefined) return found;
    }
  }

  return {
    place,
    list,
    async put(name, file) {
      const { size } = await stat(file);
      if (size > objectLimits.partBytes) await putParts(name, file, size);
      else {
        const handle = await open(file, 'r');
        try {
          await send({ method: 'PUT', name, body: await handle.readFile() });
        } finally {
          await handle.close();
        }
      }
      const { headers } = await send({ method: 'HEAD', name });
      if (Number(headers['content-length']) !== size)
        throw new BackupError(
          `The object store ${place} holds ${headers['content-length'] ?? 'no'} bytes of ${name}, and ${size} were sent. The copy here is whole; it is sent again.`,
        );
    },
    async get({ name, bytes }, file) {
      const handle = await open(file, 'wx', 0o600);
      try {
        for (let at = 0; at < bytes; at += objectLimits.partBytes) {
          const last = Math.min(at + objectLimits.partBytes, bytes) - 1;
          const { body } = await send({
            ...{ method: 'GET', name, headers: { range: `bytes=${at}-${last}` } },
            answerBytesMax: objectLimits.partBytes,
          });
          if (body.length !== last - at + 1)
            throw new BackupError(
              `The object store ${place} gave ${body.length} bytes of ${name} where ${last - at + 1} were asked for. Nothing was changed; ask again.`,
            );
          await handle.appendFile(body);
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    async remove(name) {
      await send({ method: 'DELETE', name });
    },
  };
}

const passing: ReadonlySet<string> = new Set(['connect_failed', 'timed_out', 'answer_broken', 'busy', 'name_unknown']);
/** What stands in the way here and not there, with what to do. */
const noWay: Readonly<Record<string, string>> = {
  address_private: 'its address is a private one, and this desk calls none that FAIRLEAD_OUTBOUND_ALLOW does not name',
  name_unknown: 'its name does not resolve',
  tls_failed: 'its certificate does not hold',
  timed_out: `it did not answer within ${objectLimits.timeoutMs / 1000} seconds`,
  not_registered: 'the register of receivers has no row for it',
  region_refused: 'it is outside the regions of FAIRLEAD_REGIONS, and nothing is stated that the transfer rests on',
};

/** What a store refused with, in its own words where it says any. */
function said(answer: Answer): string {
  const code = elementText(headOf(answer), 'Code');
  const todo = code === undefined ? undefined : todos[code];
  return `it answers ${answer.status}${code === undefined ? '' : ` ${code}`}${todo === undefined ? '' : ` (${todo})`}`;
}
/** Error codes of the protocol that an operator can do something about. */
const todos: Readonly<Record<string, string>> = {
  AccessDenied: 'the key may not do this in the bucket: it needs to list, read, write and delete there',
  InvalidAccessKeyId: 'it does not know FAIRLEAD_BACKUP_S3_KEY',
  SignatureDoesNotMatch: 'FAIRLEAD_BACKUP_S3_SECRET does not belong to the key',
  AuthorizationHeaderMalformed: 'FAIRLEAD_BACKUP_S3_REGION is not its region',
  NoSuchBucket: 'there is no such bucket: make it there first',
  PermanentRedirect: 'the bucket lies at another endpoint',
  RequestTimeTooSkewed: 'the clock of this machine is wrong',
  QuotaExceeded: 'it is full',
};

function headOf(answer: Answer): string {
  return answer.body.subarray(0, 4096).toString('utf8');
}

/** Text of the first element of that name; the protocol's own answers nest none of the same name. */
function elementText(xml: string, element: string): string | undefined {
  const text = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return text?.replace(/&(lt|gt|quot|apos|amp|#34|#39|#x22|#x27);/g, (_, entity: string) => entities[entity] ?? '');
}
const entities: Readonly<Record<string, string>> = {
  ...{ lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' },
  ...{ '#34': '"', '#39': "'", '#x22': '"', '#x27': "'" },
};
function escaped(text: string): string {
  return text.replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
