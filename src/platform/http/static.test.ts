import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listFiles, packFolder } from './packed.ts';
import { openStaticFiles } from './static.ts';

const script = `${'export const harbour = "quiet";\n'.repeat(200)}`;
let folder: string;
let server: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-static-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<html><head></head><body>desk</body></html>');
  writeFileSync(join(folder, 'assets', 'main.js'), script);
  writeFileSync(join(folder, 'assets', 'type.woff2'), Buffer.alloc(500, 7));
});
afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a browser gets from the folder as it is now, byte for byte. */
async function get(path: string, encoding: string, head = '', absent: string[] = []) {
  const files = openStaticFiles(folder, {}, head, absent);
  server = createServer((request, response) => files.send(request, response, request.url ?? '', {}, 'n0nce'));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<{ status: number; encoding: string | undefined; body: Buffer }>((resolve, reject) => {
      request({ port, host: '127.0.0.1', path, headers: { 'accept-encoding': encoding } }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            encoding: answer.headers['content-encoding'],
            body: Buffer.concat(parts),
          }),
        );
      })
        .on('error', reject)
        .end();
    });
  } finally {
    server.close();
  }
}

it('sends the packed form that lies beside a file, as it is', async () => {
  packFolder(folder);
  for (const [encoding, ending] of [
    ['br', '.br'],
    ['gzip', '.gz'],
  ] as const) {
    const answer = await get('/assets/main.js', encoding);
    expect(answer.encoding).toBe(encoding);
    expect(answer.body.equals(readFileSync(join(folder, `assets/main.js${ending}`)))).toBe(true);
  }
});

it.each([
  ['there is none', () => {}],
  [
    'it is of another state of the file',
    () => {
      writeFileSync(join(folder, 'assets/main.js'), 'old');
      packFolder(folder);
      writeFileSync(join(folder, 'assets/main.js'), script);
    },
  ],
  [
    'it is cut short',
    () => {
      packFolder(folder);
      for (const ending of ['.br', '.gz']) {
        const file = join(folder, `assets/main.js${ending}`);
        writeFileSync(file, readFileSync(file).subarray(0, 20));
      }
    },
  ],
  [
    'only one of the two is right',
    () => {
      packFolder(folder);
      writeFileSync(join(folder, 'assets/main.js.br'), brotliCompressSync(Buffer.from('another file')));
    },
  ],
])('sends the file that is there, packed at the start, when %s', async (_when, make) => {
  make();
  const brotli = await get('/assets/main.js', 'br, gzip');
  expect(brotli.encoding).toBe('br');
  expect(brotliDecompressSync(brotli.body).toString()).toBe(script);
  const gzip = await get('/assets/main.js', 'gzip');
  expect(gzip.encoding).toBe('gzip');
  expect(gunzipSync(gzip.body).toString()).toBe(script);
  expect((await get('/assets/main.js', 'identity')).body.toString()).toBe(script);
});

it('the page carries its head and, wherever a script is named, the nonce of its answer', async () => {
  const built =
    '<html><head><script src="/theme.js"></script><link rel="modulepreload" href="/a.js"><link rel="stylesheet" href="/a.css"></head><body>desk</body></html>';
  writeFileSync(join(folder, 'index.html'), built);
  packFolder(folder);
  for (const path of ['/anywhere', '/index.html'])
    expect((await get(path, 'br', '<meta name="a">')).body.toString(), path).toBe(
      '<html><head><meta property="csp-nonce" nonce="n0nce"><script nonce="n0nce" src="/theme.js"></script><link rel="modulepreload" nonce="n0nce" href="/a.js"><link rel="stylesheet" href="/a.css"><meta name="a"></head><body>desk</body></html>',
    );
});

it('the packed forms are no files of their own, and fonts have none', async () => {
  packFolder(folder);
  expect(listFiles(folder).sort()).toEqual(['assets/main.js', 'assets/type.woff2', 'index.html']);
  expect((await get('/assets/main.js.br', 'br')).status).toBe(404);
  const font = await get('/assets/type.woff2', 'br, gzip');
  expect([font.status, font.encoding, font.body.length]).toEqual([200, undefined, 500]);
});

it('a folder that is not there has no files', () => {
  expect(listFiles(join(folder, 'nowhere'))).toEqual([]);
});

it('answers 404 under a path that this desk has no page for, with the page that says so', async () => {
  const of = async (path: string) => {
    const { status, body } = await get(path, '', '', ['/dev/inbox']);
    return [status, body.toString().includes('<body>desk</body>')];
  };
  expect([await of('/dev/inbox'), await of('/dev'), await of('/o/shop')]).toEqual([
    [404, true],
    [200, true],
    [200, true],
  ]);
});
