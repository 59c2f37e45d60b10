import type { LookupAddress } from 'node:dns';
import http, { type IncomingMessage, type RequestListener } from 'node:http';
import net, { type AddressInfo, isIP } from 'node:net';
import zlib from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { openLog } from '../log.ts';
import { isPublicAddress } from './addresses.ts';
import { type Answer, type Failure, type OutboundRequest, openOutbound, outboundLimits } from './outbound.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<number> {
  const server = http.createServer(listener);
  return listen(server, () => server.closeAllConnections());
}
async function serveBytes(answer: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  return listen(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}
async function listen(server: net.Server, end: () => void): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    end();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Every name leads to this machine unless said otherwise; the exceptions are what an operator would set. */
function open({ allow = ['127.0.0.1'], names = {} as Record<string, string[]>, lines = [] as string[] } = {}) {
  const asked: string[] = [];
  const outbound = openOutbound({
    gate: async () => undefined,
    config: { outboundAllow: allow },
    clock: systemClock,
    log: openLog(systemClock, (line) => lines.push(line)),
    async lookup(name): Promise<LookupAddress[]> {
      asked.push(name);
      return (names[name] ?? ['127.0.0.1']).map((address) => ({ address, family: isIP(address) }));
    },
  });
  closers.push(() => void outbound.close());
  const send = (url: string, more: Partial<OutboundRequest> = {}) =>
    outbound.send({ method: 'GET', url, purpose: 'test', timeoutMs: 2_000, ...more });
  return { outbound, send, asked, lines };
}
const failure = (failed: Failure['failed']) => ({ failed });
const text = (answer: Answer | Failure) => ('failed' in answer ? answer.failed : `${answer.status} ${answer.body}`);

describe('which addresses are public', () => {
  const cases: [address: string, isPublic: boolean][] = [
    ['8.8.8.8', true],
    ['1.1.1.1', true],
    ['172.15.255.255', true],
    ['172.16.0.0', false],
    ['172.31.255.255', false],
    ['172.32.0.0', true],
    ['100.63.255.255', true],
    ['100.64.0.1', false],
    ['100.100.100.200', false],
    ['100.127.255.255', false],
    ['100.128.0.0', true],
    ['0.0.0.0', false],
    ['0.1.2.3', false],
    ['10.1.2.3', false],
    ['127.0.0.1', false],
    ['127.255.255.254', false],
    ['168.63.129.16', false],
    ['169.254.169.254', false],
    ['192.0.0.192', false],
    ['192.0.2.1', false],
    ['192.88.99.1', false],
    ['192.168.1.1', false],
    ['198.18.0.1', false],
    ['198.19.255.255', false],
    ['198.51.100.7', false],
    ['203.0.113.7', false],
    ['224.0.0.1', false],
    ['239.255.255.250', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['2606:4700:4700::1111', true],
    ['2a00:1450:4001:81b::200e', true],
    ['::', false],
    ['::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:7f00:1', false],
    ['::ffff:8.8.8.8', false],
    ['::127.0.0.1', false],
    ['64:ff9b::7f00:1', false],
    ['64:ff9b::10.0.0.1', false],
    ['64:ff9b::169.254.169.254', false],
    ['64:ff9b::8.8.8.8', true],
    ['64:ff9b:1::8.8.8.8', false],
    ['100::1', false],
    ['2001::1', false],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', false],
    ['2001:10::1', false],
    ['2001:db8::1', false],
    ['2001:4860:4860::8888', true],
    ['2002:7f00:1::1', false],
    ['2606:4700::5efe:7f00:1', false],
    ['2606:4700::200:5efe:7f00:1', false],
    ['3fff::1', false],
    ['4000::1', false],
    ['5f00::1', false],
    ['fc00::1', false],
    ['fd00:ec2::254', false],
    ['fe80::1', false],
    ['fe80::1%lo', false],
    ['fec0::1', false],
    ['ff02::1', false],
    ['example.com', false],
    ['', false],
  ];
  it.each(cases)('%s: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});

describe('an address that leads inside is refused, however it is written', () => {
  const names = {
    'inside.test': ['10.0.0.7'],
    'both.test': ['93.184.216.34', '127.0.0.1'],
    'mapped.test': ['::ffff:127.0.0.1'],
    'nat.test': ['64:ff9b::7f00:1'],
    'metadata.test': ['169.254.169.254'],
    'unique-local.test': ['fd12::1'],
    'nothing.test': [],
    'xn--bcher-kva.test': ['192.168.0.1'],
    localhost: ['::1', '127.0.0.1'],
  };
  const cases: [url: string, reason: Failure['failed']][] = [
    ['http://127.0.0.1/', 'address_private'],
    ['http://127.1/', 'address_private'],
    ['http://2130706433/', 'address_private'],
    ['http://0x7f000001/', 'address_private'],
    ['http://0x7f.0.0.1/', 'address_private'],
    ['http://0177.0.0.1/', 'address_private'],
    ['http://017700000001/', 'address_private'],
    ['http://127.0.0.1./', 'address_private'],
    ['http://①②⑦.⓪.⓪.①/', 'address_private'],
    ['http://127。0。0。1/', 'address_private'],
    ['http://0/', 'address_private'],
    ['http://169.254.169.254/latest/meta-data/', 'address_private'],
    ['http://[::1]/', 'address_private'],
    ['http://[::]/', 'address_private'],
    ['http://[::ffff:127.0.0.1]/', 'address_private'],
    ['http://[0:0:0:0:0:ffff:7f00:1]/', 'address_private'],
    ['http://[64:ff9b::127.0.0.1]/', 'address_private'],
    ['http://[fe80::1]/', 'address_private'],
    ['http://localhost/', 'address_private'],
    ['http://localhost./', 'address_private'],
    ['http://LOCALHOST:8080/', 'address_private'],
    ['http://inside.test/', 'address_private'],
    ['http://both.test/', 'address_private'],
    ['http://mapped.test/', 'address_private'],
    ['http://nat.test/', 'address_private'],
    ['http://metadata.test/', 'address_private'],
    ['http://unique-local.test/', 'address_private'],
    ['http://bücher.test/', 'address_private'],
    ['http://nothing.test/', 'name_unknown'],
    ['http://user@example.com/', 'address_invalid'],
    ['http://example.com:secret@127.0.0.1/', 'address_invalid'],
    ['http://example.com%40127.0.0.1/', 'address_invalid'],
    ['http://127.0.0.1:99999/', 'address_invalid'],
    ['http://1.2.3.4.5/', 'address_invalid'],
    ['http://[fe80::1%25lo]/', 'address_invalid'],
    ['http:///', 'address_invalid'],
    ['file:///etc/passwd', 'address_invalid'],
    ['gopher://127.0.0.1/', 'address_invalid'],
    ['ftp://127.0.0.1/', 'address_invalid'],
    ['data:text/plain,x', 'address_invalid'],
    ['//example.com/', 'address_invalid'],
    ['', 'address_invalid'],
  ];
  it.each(cases)('%s', async (url, reason) => {
    const { send } = open({ allow: [], names });
    expect(await send(url)).toEqual(failure(reason));
  });

  it('a resolver that fails', async () => {
    const outbound = openOutbound({
      gate: async () => undefined,
      config: { outboundAllow: [] },
      clock: systemClock,
      log: openLog(systemClock, () => {}),
      lookup: () => Promise.reject(new Error('ENOTFOUND')),
    });
    expect(await outbound.send({ method: 'GET', url: 'http://example.com/', purpose: 'test' })).toEqual(
      failure('name_unknown'),
    );
  });

  it('the name is resolved once, and the connection goes where the judgement was made (DNS rebinding)', async () => {
    const port = await serve((_request, response) => void response.end('hello'));
    let asked = 0;
    const outbound = openOutbound({
      gate: async () => undefined,
      config: { outboundAllow: [`rebound.test:${port}`] },
      clock: systemClock,
      log: openLog(systemClock, () => {}),
      async lookup() {
        asked++;
        return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
      },
    });
    const answer = await outbound.send({ method: 'GET', url: `http://rebound.test:${port}/`, purpose: 'test' });
    expect(text(answer)).toBe('200 hello');
    expect(asked).toBe(1);
  });

  const exceptions: [entry: string, isAllowed: boolean][] = [
    ['127.0.0.1', true],
    ['127.0.0.1:PORT', true],
    ['127.0.0.1:1', false],
    ['2130706433', true],
    ['inside.test', false],
    ['127.0.0.2', false],
    ['[127.0.0.1]:PORT', true],
    ['[::1]:PORT', false],
    ['::1', false],
  ];
  it.each(exceptions)(
    'FAIRLEAD_OUTBOUND_ALLOW=%s lets http://127.0.0.1:PORT/ through: %s',
    async (entry, isAllowed) => {
      const port = await serve((_request, response) => void response.end());
      const { send } = open({ allow: [entry.replace('PORT', String(port))] });
      expect('failed' in (await send(`http://127.0.0.1:${port}/`))).toBe(!isAllowed);
    },
  );
});

describe('redirects', () => {
  async function hops(): Promise<{ port: number; seen: IncomingMessage[]; bodies: string[] }> {
    const seen: IncomingMessage[] = [];
    const bodies: string[] = [];
    const port = await serve(async (request, response) => {
      seen.push(request);
      let body = '';
      for await (const chunk of request) body += chunk;
      bodies.push(body);
      const [, status, ...target] = (request.url ?? '').split('/');
      if (status === 'end') return void response.end('arrived');
      response.writeHead(Number(status), { location: decodeURIComponent(target.join('/')) }).end();
    });
    return { port, seen, bodies };
  }
  const to = (status: number, target: string) => `/${status}/${encodeURIComponent(target)}`;

  it('are given back unless asked for', async () => {
    const { port } = await hops();
    expect(await open().send(`http://127.0.0.1:${port}${to(302, '/end')}`)).toMatchObject({ status: 302 });
  });

  it('are followed as often as asked for, three times at most', async () => {
    const { port } = await hops();
    const chain = (length: number): string => (length === 0 ? '/end' : to(302, chain(length - 1)));
    const { send } = open();
    const go = (length: number, redirectsMax: number) =>
      send(`http://127.0.0.1:${port}${chain(length)}`, { redirectsMax });
    expect(text(await go(1, 1))).toBe('200 arrived');
    expect(text(await go(3, 3))).toBe('200 arrived');
    expect(text(await go(2, 1))).toBe('too_many_redirects');
    expect(text(await go(4, 50))).toBe('too_many_redirects');
  });

  it.each([
    ['http://10.0.0.7/', 'address_private'],
    ['http://inside.test/', 'address_private'],
    ['//169.254.169.254/', 'address_private'],
    ['file:///etc/passwd', 'address_invalid'],
    ['http://user:secret@example.com/', 'address_invalid'],
    ['gopher://127.0.0.1/', 'address_invalid'],
  ])('to %s are judged like any address', async (target, reason) => {
    const { port } = await hops();
    const { send } = open({ names: { 'inside.test': ['192.168.3.3'] } });
    expect(text(await send(`http://127.0.0.1:${port}${to(302, target)}`, { redirectsMax: 3 }))).toBe(reason);
  });

  it('carry secrets to the same origin and to no other', async () => {
    const { port, seen } = await hops();
    const { send } = open({ allow: ['127.0.0.1', 'other.test'] });
    const headers = { authorization: 'Bearer x', 'x-api-key': 'y', cookie: 'z', accept: 'text/plain' };
    await send(`http://127.0.0.1:${port}${to(302, '/end')}`, { headers, redirectsMax: 1 });
    expect(seen.at(-1)?.headers).toMatchObject(headers);
    await send(`http://127.0.0.1:${port}${to(302, `http://other.test:${port}/end`)}`, { headers, redirectsMax: 1 });
    expect(seen.at(-1)?.headers).toMatchObject({ accept: 'text/plain', host: `other.test:${port}` });
    for (const name of ['authorization', 'x-api-key', 'cookie']) expect(seen.at(-1)?.headers).not.toHaveProperty(name);
  });

  const methods: [status: number, method: OutboundRequest['method'], becomes: string, body: string][] = [
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [307, 'POST', 'POST', 'x=1'],
    [308, 'PUT', 'PUT', 'x=1'],
    [302, 'PUT', 'PUT', 'x=1'],
  ];
  it.each(methods)('%i turns %s into %s', async (status, method, becomes, body) => {
    const { port, seen, bodies } = await hops();
    await open().send(`http://127.0.0.1:${port}${to(status, '/end')}`, { method, body: 'x=1', redirectsMax: 1 });
    expect(seen.at(-1)?.method).toBe(becomes);
    expect(bodies.at(-1)).toBe(body);
  });

  it('with a body go to no other origin', async () => {
    const { port } = await hops();
    const { send } = open({ allow: ['127.0.0.1', 'other.test'] });
    const target = to(307, `http://other.test:${port}/end`);
    const answer = await send(`http://127.0.0.1:${port}${target}`, { method: 'POST', body: 'secret', redirectsMax: 1 });
    expect(text(answer)).toBe('redirect_unsafe');
  });
});

describe('caps', () => {
  const bomb = zlib.gzipSync(Buffer.alloc(50 * 1024 * 1024));
  const bodies: [title: string, encoding: string | undefined, body: Buffer, max: number, expected: string][] = [
    ['plain', undefined, Buffer.from('hello'), 5, '200 hello'],
    ['plain, one byte too many', undefined, Buffer.from('hello'), 4, 'answer_too_large'],
    ['gzip', 'gzip', zlib.gzipSync('hello'), 5, '200 hello'],
    ['GZIP, by its other name', 'X-GZIP', zlib.gzipSync('hello'), 5, '200 hello'],
    ['deflate', 'deflate', zlib.deflateSync('hello'), 5, '200 hello'],
    ['brotli', 'br', zlib.brotliCompressSync('hello'), 5, '200 hello'],
    ['a bomb', 'gzip', bomb, 1024 * 1024, 'answer_too_large'],
    ['no gzip in truth', 'gzip', Buffer.from('hello'), 100, 'answer_broken'],
    ['gzip, cut short', 'gzip', zlib.gzipSync('hello'.repeat(100)).subarray(0, 20), 1_000, 'answer_broken'],
    ['an encoding that nobody asked for', 'zstd', Buffer.from('hello'), 100, 'answer_broken'],
    ['twice compressed', 'gzip, gzip', zlib.gzipSync(zlib.gzipSync('hello')), 100, 'answer_broken'],
    ['nothing, named gzip', 'gzip', Buffer.alloc(0), 100, '200 '],
  ];
  it.each(bodies)('a body that is %s', async (_title, encoding, body, answerBytesMax, expected) => {
    const port = await serve((_request, response) => {
      response.writeHead(200, encoding === undefined ? {} : { 'content-encoding': encoding }).end(body);
    });
    expect(text(await open().send(`http://127.0.0.1:${port}/`, { answerBytesMax }))).toBe(expected);
  });

  const raw: [title: string, answer: string, expected: string][] = [
    ['not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 'answer_broken'],
    ['cut in its body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello', 'answer_broken'],
    ['cut in its headers', 'HTTP/1.1 200 OK\r\nx: y', 'answer_broken'],
    ['empty', '', 'answer_broken'],
    [
      'of too many headers',
      `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(101)}content-length: 0\r\n\r\n`,
      'answer_too_large',
    ],
    ['of too long headers', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(17_000)}\r\n\r\n`, 'answer_too_large'],
    ['announced too large', `HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\nx`, 'answer_too_large'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx', 'answer_broken'],
    ['switching protocols', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 'answer_broken'],
  ];
  it.each(raw)('an answer that is %s', async (_title, answer, expected) => {
    const port = await serveBytes((socket) => socket.end(answer));
    expect(text(await open().send(`http://127.0.0.1:${port}/`))).toBe(expected);
  });

  it('an answer that drips is ended by the clock of the whole', async () => {
    const port = await serve((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    });
    const start = performance.now();
    expect(await open().send(`http://127.0.0.1:${port}/`, { timeoutMs: 150 })).toEqual(failure('timed_out'));
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('a server that accepts and says nothing', async () => {
    const port = await serveBytes(() => {});
    expect(await open().send(`http://127.0.0.1:${port}/`, { timeoutMs: 100 })).toEqual(failure('timed_out'));
  });

  it('a port where nobody listens, and TLS where nobody speaks it', async () => {
    const port = await serve((_request, response) => void response.end());
    expect(await open().send('http://127.0.0.1:1/')).toEqual(failure('connect_failed'));
    expect(await open().send(`https://127.0.0.1:${port}/`)).toEqual(failure('tls_failed'));
  });

  it('a request that is too large, or one too many', async () => {
    const port = await serveBytes(() => {});
    const { send, outbound } = open();
    const url = `http://127.0.0.1:${port}/`;
    const body = Buffer.alloc(outboundLimits.requestBytesMax + 1);
    expect(await send(url, { method: 'POST', body })).toEqual(failure('request_too_large'));
    const waiting = Array.from({ length: outboundLimits.atOnceMax }, () => send(url));
    expect(await send(url)).toEqual(failure('busy'));
    await outbound.close();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => failure('closed')));
    expect(await send(url)).toEqual(failure('closed'));
  });
});

it('sends what it was given, and tries the next address of a name when one does not answer', async () => {
  const seen: { method: string | undefined; body: string; type: string | undefined }[] = [];
  const port = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ method: request.method, body, type: request.headers['content-type'] });
    response.end('ok');
  });
  const { send, asked } = open({ allow: ['two.test'], names: { 'two.test': ['127.0.0.2', '127.0.0.1'] } });
  const answer = await send(`http://two.test.:${port}/x?y=1`, {
    ...{ method: 'POST', body: '{"a":"é"}', headers: { 'content-type': 'application/json' } },
  });
  expect(text(answer)).toBe('200 ok');
  expect(seen).toEqual([{ method: 'POST', body: '{"a":"é"}', type: 'application/json' }]);
  expect(asked).toEqual(['two.test']);
});

it.each([
  { host: 'elsewhere' },
  { 'content-length': '0' },
  { 'Transfer-Encoding': 'chunked' },
  { 'x-y': 'a\r\nb: c' },
  { 'x y': 'z' },
])('a header that would change the message is a mistake of the caller: %o', async (headers) => {
  await expect(open().send('http://127.0.0.1:1/', { headers: headers as Record<string, string> })).rejects.toThrow(
    TypeError,
  );
});

it('logs and counts name the purpose and the reason, never the address', async () => {
  const { send, outbound, lines } = open({ allow: [] });
  await send('http://secret-host.test/token?key=hidden');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: 'outbound_failed', purpose: 'test', reason: 'address_private' },
  ]);
  expect(lines.join('')).not.toMatch(/secret-host|hidden/);
  expect(outbound.counts()).toEqual([{ purpose: 'test', end: 'address_private', count: 1 }]);
});
