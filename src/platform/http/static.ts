import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { listFiles, type Packed, pack, packedBeside } from './packed.ts';

/** Files that we built ourselves, read into memory once. The whole dashboard is well under a megabyte. */
export interface StaticFiles {
  send(request: IncomingMessage, response: ServerResponse, path: string, headers: Record<string, string>): void;
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
 * `extra` adds single files under their own path and headers (the tracker), `head` goes into the page's head.
 */
export function openStaticFiles(
  folder: string | undefined,
  extra: Record<string, { body: Buffer; type: string; headers: Record<string, string> }> = {},
  head = '',
): StaticFiles {
  const files = new Map<string, StoredFile>();
  for (const name of folder === undefined ? [] : listFiles(folder)) {
    const file = join(folder as string, name);
    const plain = readFileSync(file);
    files.set(`/${name}`, store(plain, extname(name), name.startsWith('assets/'), packedBeside(file, plain)));
  }
  const built = files.get('/index.html');
  const index =
    built === undefined || head === ''
      ? built
      : store(Buffer.from(built.plain.toString('utf8').replace('</head>', `${head}</head>`)), '.html', false);
  if (index !== undefined) files.set('/index.html', index);
  const extras = new Map(
    Object.entries(extra).map(([path, file]) => [
      path,
      { ...store(file.body, extname(path), false), type: file.type, headers: file.headers },
    ]),
  );
  return {
    send(request, response, path, headers) {
      const special = extras.get(path);
      if (special !== undefined) return sendFile(request, response, special, { ...special.headers });
      const file = files.get(path);
      if (file !== undefined) return sendFile(request, response, file, headers);
      if (index !== undefined && extname(path) === '') return sendFile(request, response, index, headers);
      response.writeHead(404, { ...headers, 'content-type': 'text/plain; charset=utf-8' });
      response.end('There is no such file here.\n');
    },
  };
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
