import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ingestLimits } from '../../../contract/limits.ts';
import { systemClock } from '../../platform/clock.ts';
import { RequestError } from '../../platform/http/route.ts';
import { type HttpServer, openHttp } from '../../platform/http/server.ts';
import { silentLog } from '../../platform/log.ts';
import { PostgresAway } from '../../platform/postgres/index.ts';
import { systemRandom } from '../../platform/random.ts';
import { noShields } from '../sites.ts';
import { collectEvents } from './collect.ts';
import { browserHeaders, chrome, openRig, shop, shopKey } from './rig.ts';

const view = { n: 'pageview', u: 'https://shop.example/a', d: 'shop.example' };

let server: HttpServer | undefined;
afterEach(async () => {
  await server?.close(100);
  server = undefined;
});

async function open(options: { trustedProxies?: number } & Parameters<typeof openRig>[0] = {}) {
  const rig = openRig(options);
  const handler = collectEvents({
    ingest: rig.ingest,
    gate: rig.gate,
    trustedProxies: options.trustedProxies ?? 0,
    log: silentLog,
    async authenticate(authorization) {
      if (authorization === 'Bearer good') return shopKey;
      if (authorization === 'Bearer broken') throw new Error('A store is away.');
      if (authorization === 'Bearer away') throw new PostgresAway('57P03', { cause: undefined });
      if (authorization === 'Bearer reader') return { ...shopKey, can: () => false };
      if (authorization.startsWith('Bearer'))
        throw new RequestError('unauthenticated', 'This API key is unknown. Make a new one.');
      return undefined;
    },
  });
  server = await openHttp({
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'http://localhost',
    trustedProxies: options.trustedProxies ?? 0,
    tls: undefined,
    routes: [],
    fast: { '/api/event': handler },
    files: undefined,
    authenticate: async () => undefined,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  const { port } = server.address;
  return { ...rig, port, post: (body: unknown, headers: Record<string, string> = {}) => post(port, body, headers) };
}

type Answer = { status: number; headers: IncomingHttpHeaders; text: string };

/** `fetch` would add and hide headers; this sends exactly what it is given. */
function post(port: number, body: unknown, headers: Record<string, string> = {}, method = 'POST'): Promise<Answer> {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { port, host: '127.0.0.1', path: '/api/event', method, headers: { ...browserHeaders, ...headers } },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString() }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}

describe("Plausible's answers", () => {
  it.each(['text/plain', 'application/json', 'application/x-www-form-urlencoded', ''])(
    '202 ok for JSON, whatever the content type says: %s',
    async (type) => {
      const desk = await open();
      const answer = await desk.post(view, type === '' ? {} : { 'content-type': type });
      expect([answer.status, answer.text]).toEqual([202, 'ok']);
      expect(answer.headers['x-fairlead-dropped']).toBeUndefined();
      expect(desk.rows()).toHaveLength(1);
    },
  );
  it("202 ok even when dropped, with the reason and Plausible's header", async () => {
    const desk = await open();
    const answer = await desk.post({ ...view, d: 'nobody.example' });
    expect(answer).toMatchObject({ status: 202, text: 'ok' });
    expect(answer.headers).toMatchObject({ 'x-fairlead-dropped': 'not_found', 'x-plausible-dropped': '1' });
  });
  it('200 and the address used, when asked to debug; nothing is stored', async () => {
    const desk = await open({ trustedProxies: 1 });
    const answer = await desk.post(view, { 'x-debug-request': 'true', 'x-forwarded-for': '6.6.6.6, 203.0.113.7' });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { ip: '203.0.113.7' }]);
    expect(desk.rows()).toEqual([]);
  });
  it('a list gets counts', async () => {
    const desk = await open();
    const answer = await desk.post([view, { ...view, id: 'a' }, { ...view, id: 'a' }, { n: 'x' }]);
    expect(answer.status).toBe(202);
    expect(JSON.parse(answer.text)).toEqual({
      stored: 2,
      duplicates: 1,
      dropped: { duplicate: 1, invalid: 1 },
      refused: [{ index: 3, field: 'url', message: expect.stringContaining('url') }],
    });
    expect(answer.headers).toMatchObject({ 'x-fairlead-dropped': 'duplicate, invalid', 'x-plausible-dropped': '2' });
  });
});

describe('bad input: a clear 4xx or a counted reason, never a crash', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const rows: [title: string, body: unknown, status: number, code: string | undefined, reason: string | undefined][] = [
    ['malformed JSON', '{"n":', 400, 'invalid_json', 'invalid'],
    ['nothing', '', 400, 'invalid_json', 'invalid'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00]), 400, 'invalid_json', 'invalid'],
    ['a number', '5', 400, 'invalid_field', 'invalid'],
    ['null', 'null', 400, 'invalid_field', 'invalid'],
    ['a missing url', { n: 'pageview', d: 'shop.example' }, 400, 'invalid_field', 'invalid'],
    ['an invalid url', { ...view, u: 'https://[/' }, 400, 'invalid_field', 'invalid'],
    ['a data: url', { ...view, u: 'data:text/html,x' }, 400, 'invalid_field', 'invalid'],
    [
      'a path of 10,000 characters',
      { ...view, u: `https://shop.example/${'x'.repeat(10_000)}` },
      400,
      'invalid_field',
      'too_large',
    ],
    [
      '1,000 properties',
      { ...view, p: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])) },
      400,
      'invalid_field',
      'too_large',
    ],
    ['an unknown site', { ...view, d: 'nobody.example' }, 202, undefined, 'not_found'],
    ['a domain that is a method of objects', { ...view, d: 'constructor' }, 202, undefined, 'not_found'],
    [
      'lone surrogates',
      '{"n":"a\\ud800","u":"https://shop.example/\\udfff","d":"shop.example","p":{"k\\ud800":"\\udc00"}}',
      202,
      undefined,
      undefined,
    ],
    [
      'null bytes',
      '{"n":"a\\u0000b","u":"https://shop.example/\\u0000","d":"shop.example","t":"\\u0000"}',
      202,
      undefined,
      undefined,
    ],
    [
      'keys of prototypes',
      '{"__proto__":{"n":"x"},"constructor":{"prototype":{}},"n":"pageview","u":"https://shop.example/","d":"shop.example","p":{"__proto__":"x"}}',
      202,
      undefined,
      undefined,
    ],
    [
      'deep nesting',
      `{"n":"pageview","u":"https://shop.example/","d":"shop.example","p":{"a":${deep}}}`,
      202,
      undefined,
      undefined,
    ],
    ['deep nesting alone', deep, 202, undefined, 'invalid'],
    [
      'rows that do not fit into one write',
      Array.from({ length: 990 }, () => ({
        ...view,
        t: 'A long title. '.repeat(30),
        d: ['s', 'S'].flatMap((a) => ['h', 'H'].flatMap((b) => [`${a}${b}op.example`, `${a}${b}oP.example`])).join(),
      })),
      413,
      'too_large',
      'too_large',
    ],
    ['a list of 1,001 events', Array.from({ length: 1_001 }, () => view), 413, 'too_large', 'too_large'],
    ['5 MB', Buffer.alloc(5 * 1024 * 1024, 0x20), 413, 'too_large', 'too_large'],
  ];
  it.each(rows)('%s', async (_title, body, status, code, reason) => {
    const desk = await open();
    const answer = await desk.post(body);
    expect(answer.status).toBe(status);
    if (code !== undefined) expect(JSON.parse(answer.text).error.code).toBe(code);
    expect(answer.headers['x-fairlead-dropped']).toBe(reason);
    const counted = desk.drops.totals().map(({ labels, value }) => [labels.reason, String(value)]);
    expect(counted).toEqual(reason === undefined ? [] : [[reason, answer.headers['x-plausible-dropped']]]);
    expect(desk.rows()).toHaveLength(reason === undefined ? 1 : 0);
    for (const row of desk.events.lines) expect([row.isWellFormed(), row.includes('\\u0000')]).toEqual([true, false]);
    expect(await desk.post(view)).toMatchObject({ status: 202 });
  });

  it('the field at fault is named', async () => {
    const desk = await open();
    expect(JSON.parse((await desk.post({ n: 'x' })).text).error).toMatchObject({ field: 'url' });
  });

  it('5 MB in chunks without a declared length are refused on the way', async () => {
    const desk = await open();
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(desk.port, '127.0.0.1');
      let text = '';
      socket.on('data', (part) => {
        text += part;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
      socket.write('POST /api/event HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`;
      for (let n = 0; n < 80; n++) socket.write(chunk);
      socket.write('0\r\n\r\n');
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(desk.rows()).toEqual([]);
  });

  it('a sender that goes away in the middle leaves nothing', async () => {
    const desk = await open();
    await new Promise<void>((resolve) => {
      const socket = connect(desk.port, '127.0.0.1', () => {
        socket.write('POST /api/event HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"n":');
        socket.destroy();
        socket.on('close', () => resolve());
      });
    });
    expect(await desk.post(view)).toMatchObject({ status: 202 });
    expect(desk.rows()).toHaveLength(1);
  });

  it('other methods are told what this address answers', async () => {
    const desk = await open();
    const answer = await post(desk.port, '', {}, 'GET');
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST, OPTIONS']);
  });
});

describe('any origin may send, without credentials', () => {
  it('the preflight says so', async () => {
    const desk = await open();
    const answer = await post(
      desk.port,
      '',
      {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
      'OPTIONS',
    );
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-headers': expect.stringContaining('content-type'),
      'access-control-max-age': '86400',
    });
  });
  type Case = [
    status: number,
    title: string,
    call: { body?: unknown; headers?: Record<string, string>; method?: string },
    exposed?: string,
  ];
  const cases: Case[] = [
    [202, 'stored', { body: view }],
    [202, 'dropped', { body: { ...view, d: 'nobody.example' } }, 'not_found'],
    [202, 'a list', { body: [view, {}] }, 'invalid'],
    [200, 'the address we would use', { body: view, headers: { 'x-debug-request': 'true' } }],
    [204, 'the preflight', { method: 'OPTIONS' }],
    [400, 'malformed', { body: '{' }, 'invalid'],
    [400, 'a field', { body: { ...view, u: 'data:text/html,x' } }, 'invalid'],
    [401, 'a key that is none', { body: view, headers: { authorization: 'Basic eDp5' } }],
    [401, 'an unknown key', { body: view, headers: { authorization: 'Bearer bad' } }],
    [403, 'a key without the scope', { body: view, headers: { authorization: 'Bearer reader' } }],
    [405, 'another method', { method: 'GET' }],
    [413, 'too large', { body: Buffer.alloc(2 * 1024 * 1024) }, 'too_large'],
    [
      413,
      'too large, in chunks',
      { body: Buffer.alloc(2 * 1024 * 1024), headers: { 'transfer-encoding': 'chunked' } },
      'too_large',
    ],
    [413, 'too many', { body: Array.from({ length: 1_001 }, () => view) }, 'too_large'],
    [429, 'above the rate', { body: { ...view, d: 'busy.example' } }, 'throttle'],
    [503, 'a key that cannot be looked up', { body: view, headers: { authorization: 'Bearer away' } }],
    [500, 'a fault of ours', { body: view, headers: { authorization: 'Bearer broken' } }],
    [503, 'a disk that refuses', { body: view }],
  ];
  it.each(cases)(
    '%i can be read from elsewhere, and leaves nothing behind: %s',
    async (status, _title, call, exposed) => {
      const desk = await open(status === 429 ? { siteRate: 0.5, sites: [{ ...shop, domain: 'busy.example' }] } : {});
      desk.events.refuse(status === 503);
      const elsewhere = { origin: 'https://elsewhere.example', 'if-none-match': '"x"', cookie: 'a=b', ...call.headers };
      const answer = await post(desk.port, call.body ?? '', elsewhere, call.method);
      const { headers } = answer;
      expect(answer.status).toBe(status);
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers['cross-origin-resource-policy']).toBe('cross-origin');
      for (const name of ['access-control-allow-credentials', 'set-cookie', 'etag', 'last-modified', 'x-frame-options'])
        expect(headers[name]).toBeUndefined();
      const readable = String(headers['access-control-expose-headers']).split(', ');
      expect(readable).toEqual(['x-fairlead-dropped', 'x-plausible-dropped', 'retry-after']);
      expect(headers['x-fairlead-dropped']).toBe(exposed);
      expect(headers['retry-after'] !== undefined).toBe([429, 503].includes(status));
    },
  );

  it.each([
    ['400', 'no HTTP at all', 'nonsense\r\n\r\n'],
    ['400', 'two lengths', 'POST /api/event HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
    ['431', 'headers without end', `POST /api/event HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`],
  ])('%s for what is no request can be read too: %s', async (status, _title, bytes) => {
    const desk = await open();
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(desk.port, '127.0.0.1', () => socket.write(bytes));
      socket.on('data', (part) => {
        text += part;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/^Access-Control-Allow-Origin: \*\r$/m);
    expect(answer).toMatch(/^Cross-Origin-Resource-Policy: cross-origin\r$/m);
  });
});

describe('when events cannot be kept', () => {
  describe('while a starting desk reads back', () => {
    const readingBack = { isReadingBack: true };
    /** Sent one after another: the listener has each before the next is sent. */
    async function sendAll(desk: Awaited<ReturnType<typeof open>>, paths: readonly string[]) {
      const answers: Promise<Answer>[] = [];
      for (const path of paths) {
        answers.push(desk.post({ ...view, u: `https://shop.example${path}` }));
        await vi.waitFor(() => expect(desk.gate.waiting()).toBe(answers.length));
      }
      return answers;
    }

    it('events wait, and are taken in the order of their arrival when it is over', async () => {
      const desk = await open(readingBack);
      const answers = await sendAll(desk, ['/a', '/b', '/c']);
      expect(desk.rows()).toEqual([]);
      desk.gate.open();
      for (const answer of await Promise.all(answers)) expect(answer.status).toBe(202);
      expect(desk.rows().map((row) => row.pathname)).toEqual(['/a', '/b', '/c']);
      expect(desk.gate.waiting()).toBe(0);
      expect((await desk.post(view)).status).toBe(202);
    });
    it('those that cannot wait are told to come again, and nothing of them is stored', async () => {
      const desk = await open(readingBack);
      const [first] = await sendAll(desk, ['/a']);
      for (let held = 1; held < ingestLimits.waitingRequestsMax; held++)
        desk.gate.hold(
          0,
          () => {},
          () => {},
        );
      const tooMany = await desk.post(view);
      expect([tooMany.status, tooMany.headers['retry-after']]).toEqual([503, '5']);
      desk.gate.close();
      expect((await first)?.status).toBe(503);
      expect((await desk.post(view)).status).toBe(503);
      expect(desk.rows()).toEqual([]);
    });
    it('bodies take no more than their share of memory', async () => {
      const desk = await open(readingBack);
      desk.gate.hold(
        ingestLimits.waitingBytesMax,
        () => {},
        () => {},
      );
      expect((await desk.post(view)).status).toBe(503);
    });
  });
  it('503 with Retry-After when the spool refuses, and nothing is burnt', async () => {
    const desk = await open();
    desk.events.refuse(true);
    const answer = await desk.post({ ...view, id: 'e1' });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(JSON.parse(answer.text).error.code).toBe('spool_full');
    desk.events.refuse(false);
    expect(await desk.post({ ...view, id: 'e1' })).toMatchObject({ status: 202, text: 'ok' });
    expect(desk.rows()).toHaveLength(1);
  });
  it("429 with Retry-After and the reason above the site's rate", async () => {
    const desk = await open({ siteRate: 1 });
    await desk.post(view);
    const answer = await desk.post(view);
    expect(answer.status).toBe(429);
    expect(answer.headers).toMatchObject({ 'retry-after': '1', 'x-fairlead-dropped': 'throttle' });
  });
});

describe('keys', () => {
  const claims = { ...view, ip: '198.51.100.20', user_agent: chrome };
  it.each([
    ['a good one speaks for the visitor', 'Bearer good', 202, ''],
    ['one without events:write', 'Bearer reader', 403, 'DE'],
    ['an unknown one', 'Bearer bad', 401, 'DE'],
    ['something else', 'Basic eDp5', 401, 'DE'],
  ])('%s', async (_title, authorization, status, country) => {
    const desk = await open();
    const answer = await desk.post(claims, { authorization });
    expect(answer.status).toBe(status);
    expect(desk.rows().map((row) => row.country)).toEqual(status === 202 ? [country] : []);
  });
});

describe('a spoofed X-Forwarded-For changes nothing (PSE-10)', () => {
  // The site blocks 203.0.113.0/24, so an address that is believed shows in the answer.
  const site = { ...shop, shields: { ...noShields, networks: ['203.0.113.0/24'] } };
  const rows: [title: string, header: string | undefined, hops: number, believed: boolean][] = [
    ["no proxy: the header is the client's", '203.0.113.7', 0, false],
    ['no proxy: several entries', '203.0.113.7, 203.0.113.8', 0, false],
    ['one proxy: what it wrote', '203.0.113.7', 1, true],
    ['one proxy: what the client wrote before', '203.0.113.7, 198.51.100.1', 1, false],
    ['two proxies: what the outer one wrote', '203.0.113.7, 10.0.0.1', 2, true],
    ['two proxies, one entry: it did not come through both', '203.0.113.7', 2, false],
    ['garbage at the trusted place', '203.0.113.7, <script>', 1, false],
    ['an empty place', '203.0.113.7,', 1, false],
    ['a port', '203.0.113.7:8080', 1, true],
    ['v4 in v6', '::ffff:203.0.113.7', 1, true],
    ['v4 in v6 in brackets with a port', '[::ffff:203.0.113.7]:443', 1, true],
    ['octal', '0313.0.0161.07', 1, false],
    ['no header', undefined, 1, false],
  ];
  it.each(rows)('%s', async (_title, header, hops, believed) => {
    const desk = await open({ sites: [site], trustedProxies: hops });
    const headers: Record<string, string> = {
      forwarded: 'for=203.0.113.7',
      'x-real-ip': '203.0.113.7',
      'cf-connecting-ip': '203.0.113.7',
      'true-client-ip': '203.0.113.7',
      'x-client-ip': '203.0.113.7',
    };
    if (header !== undefined) headers['x-forwarded-for'] = header;
    const answer = await desk.post(view, headers);
    expect(answer.headers['x-fairlead-dropped']).toBe(believed ? 'site_ip_blocklist' : undefined);
  });
});

it('neither address nor agent is in anything that leaves the request (PSE-04, PSE-08)', async () => {
  const desk = await open({ trustedProxies: 1 });
  const heard: unknown[] = [];
  desk.live.listen((event) => heard.push(event));
  const canary = 'CanaryBrowser/9.8.7';
  for (const address of ['203.0.113.77', '2001:db8::77'])
    await desk.post(
      { ...view, id: 'e1', n: 'Signup' },
      { 'x-forwarded-for': address, 'user-agent': `${chrome} ${canary}` },
    );
  await desk.post(view, { 'x-forwarded-for': '203.0.113.77', 'user-agent': `Googlebot ${canary}` });
  const everything = JSON.stringify([heard, desk.events.lines, desk.bots.lines, desk.drops.take()]);
  expect(desk.events.lines.length + desk.bots.lines.length).toBeGreaterThan(1);
  for (const secret of ['203.0.113.77', '2001:db8::77', canary, 'CanaryBrowser'])
    expect(everything).not.toContain(secret);
});

it('a hundred requests on one connection are a hundred events', async () => {
  const desk = await open();
  const body = JSON.stringify(view);
  const one = `POST /api/event HTTP/1.1\r\nHost: x\r\nUser-Agent: ${chrome}\r\nAccept: */*\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  await new Promise<void>((resolve, reject) => {
    const socket = connect(desk.port, '127.0.0.1', () => socket.write(one.repeat(100)));
    let answers = 0;
    socket.on('data', (part) => {
      answers += String(part).split('HTTP/1.1 202 ').length - 1;
      if (answers === 100) {
        socket.destroy();
        resolve();
      }
    });
    socket.on('error', reject);
  });
  expect(desk.rows()).toHaveLength(100);
});
