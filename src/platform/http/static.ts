import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { listFiles, type Packed, pack, packedBeside } from './packed.ts';

/** Files that we built ourselves, read into memory once. The whole dashboard is well under a megabyte. */
export interface StaticFiles {
  /** @param nonce goes into the page's scripts, as the policy in `headers` names it */
  send(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    headers: Record<string, string>,
    nonce: string,
  ): void;
  /** Is this a file for other sites' pages, such as the tracker? It is part of the collection plane. */
  isShared(path: string): boolean;
}

interface StoredFile extends Packed {
  type: string;
  plain: Buffer;
  forever: boolean;
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

/**
 * Serves a folder of built files, with `index.html` for every path that is no file (the dashboard routes itself).
 * What `packFolder` left beside them is sent to browsers that take it; without that they are compressed here, once.
 * `extra` adds single files under their own path and headers (the tracker), `head` goes into the page's head. Under the paths
 * `absent` this desk has no page: they answer 404, with the page that says so.
 */
export function openStaticFiles(
  folder: string | undefined,
  extra: Record<string, { body: Buffer; type: string; headers: Record<string, string> }> = {},
  head = '',
  absent: readonly string[] = [],
): StaticFiles {
  const files = new Map<string, StoredFile>();
  for (const name of folder === undefined ? [] : listFiles(folder)) {
    const file = join(folder as string, name);
    const plain = readFileSync(file);
    files.set(`/${name}`, store(plain, extname(name), name.startsWith('assets/'), packedBeside(file, plain)));
  }
  const built = files.get('/index.html');
  const page =
    built === undefined ? undefined : readPage(built.plain.toString('utf8').replace('</head>', `${head}</head>`));
  files.delete('/index.html');
  const extras = new Map(
    Object.entries(extra).map(([path, file]) => [
      path,
      { ...store(file.body, extname(path), false), type: file.type, headers: file.headers },
    ]),
  );
  return {
    isShared: (path) => extras.has(path),
    send(request, response, path, headers, nonce) {
      const special = extras.get(path);
      if (special !== undefined) return sendFile(request, response, special, { ...special.headers });
      const file = files.get(path);
      if (file !== undefined) return sendFile(request, response, file, headers);
      if (page !== undefined && (extname(path) === '' || path === '/index.html'))
        return sendPage(request, response, absent.includes(path) ? 404 : 200, page(nonce), headers);
      response.writeHead(404, { ...headers, 'content-type': 'text/plain; charset=utf-8' });
      response.end('There is no such file here.\n');
    },
  };
}

/**
 * The page with a gap wherever a nonce belongs: its scripts and what it loads ahead of them. The tag in the head is where
 * the code that Vite adds for lazy parts looks for it.
 */
function readPage(html: string): (nonce: string) => Buffer {
  const parts = html
    .replaceAll(/<script |<link rel="modulepreload" /g, (tag) => `${tag}nonce="\u0000" `)
    .replace('<head>', '<head><meta property="csp-nonce" nonce="\u0000">')
    .split('\u0000');
  return (nonce) => Buffer.from(parts.join(nonce));
}

/** The page differs each time, and is two packets long: it travels as it is. */
function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  status: 200 | 404,
  body: Buffer,
  headers: Record<string, string>,
): void {
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...headers,
    'content-type': 'text/html; charset=utf-8',
    'content-length': String(body.length),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function store(plain: Buffer, extension: string, forever: boolean, packed = pack(plain, extension)): StoredFile {
  return { type: types[extension] ?? 'application/octet-stream', plain, ...packed, forever };
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: StoredFile,
  headers: Record<string, string>,
): void {
  const accepts = String(request.headers['accept-encoding'] ?? '');
  const [body, encoding] =
    file.brotli !== undefined && /\bbr\b/.test(accepts)
      ? [file.brotli, 'br']
      : file.gzip !== undefined && /\bgzip\b/.test(accepts)
        ? [file.gzip, 'gzip']
        : [file.plain, undefined];
  response.writeHead(200, {
    'cache-control': file.forever ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...headers,
    'content-type': file.type,
    'content-length': String(body.length),
    vary: 'accept-encoding',
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
