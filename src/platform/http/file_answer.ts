import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RequestError } from './route.ts';

/** A file of this machine as an answer: sent piece by piece, however large it is. */
export interface FileAnswer {
  path: string;
  type: string;
  /** What the browser is to call it: plain letters, digits, dots, dashes and underscores. */
  name: string;
  /** Of a file that lies sealed: how many bytes it says, of those that are stored, and what it says, both ends included. */
  opened?: {
    bytes(stored: number): number;
    read(span: { from: number; to: number }): AsyncIterable<Buffer>;
  };
}

/** A file that is made while it is sent: no length, and no going on with one that broke off. */
export interface StreamAnswer {
  pieces: AsyncIterable<string | Buffer>;
  type: string;
  name: string;
}

/** A receiver that takes nothing for so long has gone. A slow one may take as long as it needs in all. */
const idleMsMax = 60_000;

/**
 * Sends a file, or the part of it that `Range` asks for, so that a download that broke off can go on. The file must
 * never change under its name: `Last-Modified` is what tells a browser that it still has the same one (`If-Range`).
 * @throws RequestError not_found when there is no such file, before anything is sent
 */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: FileAnswer,
  headers: Record<string, string | string[]>,
  idleMs: number = idleMsMax,
): Promise<void> {
  const handle = await openFile(file.path);
  try {
    const { size: stored, mtime } = await handle.stat();
    const size = file.opened?.bytes(stored) ?? stored;
    const modified = mtime.toUTCString();
    const own = {
      ...headers,
      'content-type': file.type,
      'content-disposition': `attachment; filename="${file.name}"`,
      'accept-ranges': 'bytes',
      'last-modified': modified,
    };
    const condition = request.headers['if-range'];
    const asked = condition === undefined || condition === modified ? request.headers.range : undefined;
    const part = readRange(asked, size);
    if (part === 'none') {
      response.writeHead(416, { ...own, 'content-range': `bytes */${size}`, 'content-length': '0' });
      response.end();
      return;
    }
    const { from, to } = part ?? { from: 0, to: size - 1 };
    response.writeHead(part === undefined ? 200 : 206, {
      ...own,
      'content-length': String(to - from + 1),
      ...(part === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${size}` }),
    });
    if (request.method === 'HEAD' || to < from) {
      response.end();
      return;
    }
    response.setTimeout(idleMs, () => response.destroy());
    const said = file.opened?.read({ from, to }) ?? handle.createReadStream({ start: from, end: to, autoClose: false });
    await pipeline(said, response);
  } catch (error) {
    if (!response.headersSent) throw error;
    // The receiver has gone, or the disk failed in the middle: either way the length that was promised is not met.
    response.destroy();
    if (!isGone(error)) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Sends pieces as they are made, no faster than they are taken. One that cannot be made breaks the connection off, so that
 * nobody takes what came for the whole.
 */
export async function sendStream(
  response: ServerResponse,
  stream: StreamAnswer,
  headers: Record<string, string | string[]>,
  idleMs: number = idleMsMax,
): Promise<void> {
  response.writeHead(200, {
    ...headers,
    'content-type': stream.type,
    'content-disposition': `attachment; filename="${stream.name}"`,
  });
  response.setTimeout(idleMs, () => response.destroy());
  try {
    await pipeline(Readable.from(stream.pieces), response);
  } catch (error) {
    response.destroy();
    if (!isGone(error)) throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new RequestError('not_found', 'This file is no longer here.');
  }
}

function isGone(error: unknown): boolean {
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(String((error as { code?: unknown }).code));
}

/**
 * One range of bytes, both ends included (RFC 9110, 14.2). Undefined = the whole file: there is no range, or one that
 * is not understood, such as several at once. 'none' = it lies behind the end.
 */
export function readRange(header: string | undefined, size: number): { from: number; to: number } | 'none' | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (found === null) return undefined;
  const [, first = '', last = ''] = found;
  if (first === '' && last === '') return undefined;
  if (first === '') return Number(last) === 0 ? 'none' : { from: Math.max(0, size - Number(last)), to: size - 1 };
  if (last !== '' && Number(last) < Number(first)) return undefined;
  if (Number(first) >= size) return 'none';
  return { from: Number(first), to: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}
