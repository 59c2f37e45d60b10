import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { systemRandom } from '../random.ts';
import type { PlainRequest } from './plain_lane.ts';
import { type FastHandler, type HttpServer, openHttp } from './server.ts';

/**
 * The same bytes are sent to two listeners with the same handler: one with the short way, one with node:http alone. They
 * must answer alike, whatever the bytes are; and the short way must be taken by what it is for, and by nothing else.
 */

type Seen = { headers: Record<string, unknown>; body: string; remoteAddress: string | undefined };

let seenPlain: Seen[];
let seenNode: Seen[];
let withLane: HttpServer;
let nodeAlone: HttpServer;
let release: (() => void)[];
let holds: boolean;

const answerHeaders = ['content-type', 'text/plain; charset=utf-8', 'content-length', '2'];

function handler(hasLane: boolean): FastHandler {
  const take = (seen: Seen[], request: Omit<PlainRequest, 'reply' | 'url'>, reply: () => void) => {
    const { headers, body, remoteAddress } = request;
    seen.push({ headers: { ...headers }, body: body.toString(), remoteAddress });
    if (holds) release.push(reply);
    else reply();
  };
  const slow: FastHandler = (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () =>
      take(
        seenNode,
        { headers: request.headers, remoteAddress: request.socket.remoteAddress, body: Buffer.concat(parts) },
        () => response.writeHead(202, answerHeaders).end('ok'),
      ),
    );
  };
  if (hasLane) slow.plain = (request) => take(seenPlain, request, () => request.reply(202, answerHeaders, 'ok'));
  return slow;
}

function open(hasLane: boolean): Promise<HttpServer> {
  return openHttp({
    ...{ host: '127.0.0.1', port: 0, publicUrl: 'http://desk', trustedProxies: 0, tls: undefined, routes: [] },
    fast: { '/api/event': handler(hasLane) },
    fastUnder: { '/in/': handler(hasLane) },
    files: undefined,
    authenticate: async () => undefined,
    ...{ clock: systemClock, random: systemRandom, log: silentLog },
  });
}

beforeEach(async () => {
  seenPlain = [];
  seenNode = [];
  release = [];
  holds = false;
  withLane = await open(true);
  nodeAlone = await open(false);
});
afterEach(async () => {
  for (const reply of release) reply();
  await Promise.all([withLane.close(200), nodeAlone.close(200)]);
});

/** Sends the pieces one after the other, ends its side, and gives everything that came back. */
function talk(server: HttpServer, pieces: readonly string[], { ends = true } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port: server.address.port, host: '127.0.0.1', noDelay: true });
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
    });
    // A listener may cut a connection on which nonsense goes on.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(answer));
    void (async () => {
      for (const piece of pieces) {
        await new Promise<void>((sent) => socket.write(piece, 'latin1', () => sent()));
        await new Promise((done) => setTimeout(done, 25));
      }
      if (ends) socket.end();
      else setTimeout(() => socket.destroy(), 100);
    })();
  });
}

/** Status, headers and body without what differs by nature: the date, and the request id of an error. */
function comparable(answer: string): string {
  return answer
    .replace(/^Date: .*\r\n/gim, '')
    .replace(/^x-request-id: .*\r\n/gim, '')
    .replace(/"request_id":"[^"]*"/g, '')
    .replace(/reference [0-9a-f]{12}/g, '');
}

function post(body: string, headers = '', path = '/api/event'): string {
  return `POST ${path} HTTP/1.1\r\nHost: desk\r\nUser-Agent: A\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

describe('the short way', () => {
  it('takes a plain POST, again and again on one connection', async () => {
    const answer = await talk(withLane, [post('{"a":1}'), post('{"a":2}'), post('')]);
    expect(answer.match(/HTTP\/1\.1 202 Accepted/g)).toHaveLength(3);
    expect(answer).toContain('\r\nDate: ');
    expect(seenPlain.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":2}', '']);
    expect(seenPlain[0]).toMatchObject({ headers: { host: 'desk', 'user-agent': 'A' }, remoteAddress: '127.0.0.1' });
    expect(seenNode).toEqual([]);
  });

  it('takes what lies one step under a path, and nothing odd or further down', async () => {
    const paths = ['/in/a_B-9', '/in/', '/in/a/b', '/in/a?b=1', '/in/a%20b', `/in/${'a'.repeat(129)}`, '/other/a'];
    for (const path of paths) await talk(withLane, [post(path, '', path)]);
    expect(seenPlain.map(({ body }) => body)).toEqual(['/in/a_B-9']);
    expect(seenNode.map(({ body }) => body)).toEqual(paths.slice(1, -1));
  });

  it('leaves the connection to node:http at the first request that is not plain, for good', async () => {
    const answer = await talk(withLane, [post('1'), 'GET /nothing HTTP/1.1\r\nHost: desk\r\n\r\n', post('2')]);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 202', 'HTTP/1.1 404', 'HTTP/1.1 202']);
    expect(seenPlain.map(({ body }) => body)).toEqual(['1']);
    expect(seenNode.map(({ body }) => body)).toEqual(['2']);
  });

  it('answers what came behind a request that is still at the disk, in order', async () => {
    holds = true;
    const talking = talk(withLane, [post('1'), post('2') + post('3')], { ends: false });
    await expect.poll(() => release.length).toBe(1);
    holds = false;
    await new Promise((done) => setTimeout(done, 50));
    release.shift()?.();
    expect((await talking).match(/HTTP\/1\.1 202/g)).toHaveLength(3);
    expect([...seenPlain, ...seenNode].map(({ body }) => body)).toEqual(['1', '2', '3']);
  });

  it('answers a sender who has closed his side, and forgets one who is gone', async () => {
    holds = true;
    const half = talk(withLane, [post('1')]);
    await expect.poll(() => release.length).toBe(1);
    await new Promise((done) => setTimeout(done, 50));
    release.shift()?.();
    expect(await half).toContain('202 Accepted');

    const gone = talk(withLane, [post('2')], { ends: false });
    await expect.poll(() => release.length).toBe(1);
    await gone;
    release.shift()?.();
    holds = false;
    expect(await talk(withLane, [post('3')])).toContain('202 Accepted');
  });

  it('lets a stop wait for the answer under way, and for nothing else', async () => {
    const idle = connect({ port: withLane.address.port, host: '127.0.0.1' });
    const idleEnded = new Promise((done) => idle.once('close', done));
    idle.write(post('0'));
    idle.resume();
    await expect.poll(() => seenPlain.length).toBe(1);
    holds = true;
    const talking = talk(withLane, [post('1')]);
    await expect.poll(() => release.length).toBe(1);
    const closed = withLane.close(5_000);
    await idleEnded;
    release.shift()?.();
    const answer = await talking;
    expect(answer).toContain('202 Accepted');
    expect(answer).toContain('Connection: close');
    await closed;
  });
});

/** Every one of them is answered by both listeners; none may reach the handler by the short way. */
const notPlain: [title: string, pieces: string[]][] = [
  ['another method', ['GET /api/event HTTP/1.1\r\nHost: desk\r\n\r\n']],
  ['a query', [post('1', '', '/api/event?x=1')]],
  ['another path', [post('1', '', '/api/events')]],
  ['an absolute address', [post('1', '', 'http://desk/api/event')]],
  ['HTTP/1.0', [post('1').replace('HTTP/1.1', 'HTTP/1.0')]],
  ['no Host', [post('1').replace('Host: desk\r\n', '')]],
  ['two Hosts', [post('1', 'Host: other\r\n')]],
  ['no length', ['POST /api/event HTTP/1.1\r\nHost: desk\r\n\r\n']],
  ['two lengths', [post('12', 'Content-Length: 1\r\n')]],
  ['the same length twice', [post('12', 'Content-Length: 2\r\n')]],
  ['a length with a sign', ['POST /api/event HTTP/1.1\r\nHost: desk\r\nContent-Length: +2\r\n\r\n12']],
  ['a length that is a list', ['POST /api/event HTTP/1.1\r\nHost: desk\r\nContent-Length: 2, 2\r\n\r\n12']],
  ['a length in hexadecimal', ['POST /api/event HTTP/1.1\r\nHost: desk\r\nContent-Length: 0x2\r\n\r\n12']],
  [
    'chunks',
    [`${post('', 'Transfer-Encoding: chunked\r\n').replace('Content-Length: 0\r\n', '')}2\r\n12\r\n0\r\n\r\n`],
  ],
  ['chunks and a length', [`${post('', 'Transfer-Encoding: chunked\r\n')}2\r\n12\r\n0\r\n\r\n`]],
  ['chunks in disguise', [`${post('', 'Transfer-Encoding : chunked\r\n')}0\r\n\r\n`]],
  ['an expectation', [post('12', 'Expect: 100-continue\r\n')]],
  ['an upgrade', [post('12', 'Connection: upgrade\r\nUpgrade: websocket\r\n')]],
  ['the wish to close', [post('12', 'Connection: close\r\n')]],
  ['a name with a space', [post('12', 'X-A : 1\r\n')]],
  ['a name with an underscore', [post('12', 'X_A: 1\r\n')]],
  ['a name that every object has', [post('12', 'constructor: 1\r\n')]],
  ['a folded line', [post('12', 'X-A: 1\r\n 2\r\n')]],
  ['a line without a colon', [post('12', 'X-A\r\n')]],
  ['an empty name', [post('12', ': 1\r\n')]],
  ['a lone line feed', [post('12', 'X-A: 1\nX-B: 2\r\n')]],
  ['a lone carriage return', [post('12', 'X-A: 1\rX-B: 2\r\n')]],
  ['a NUL', [post('12', 'X-A: 1\0\r\n')]],
  ['a byte above ASCII', [post('12', 'X-A: \xe9\r\n')]],
  ['a header twice', [post('12', 'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n')]],
  ['head and body apart', [post('').replace('Content-Length: 0', 'Content-Length: 2'), '12']],
  ['a head in two pieces', ['POST /api/event HTTP/1.1\r\nHost: desk\r\nConte', 'nt-Length: 2\r\n\r\n12']],
  ['a head that never ends', ['POST /api/event HTTP/1.1\r\nHost: de']],
  ['two requests in one piece', [post('1') + post('2')]],
  ['bytes behind the body', [`${post('1')}GARBAGE\r\n\r\n`]],
  ['a body that never comes whole', [post('12').slice(0, -1)]],
  ['a head above the limit', [post('12', `X-A: ${'a'.repeat(30_000)}\r\n`)]],
  ['no HTTP at all', ['hello\r\n\r\n']],
  ['a handshake of TLS', ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03']],
];

describe('what is not plain', () => {
  it.each(notPlain)('%s: node:http answers, as it would alone', async (_title, pieces) => {
    const answer = await talk(withLane, pieces, { ends: false });
    const reached = seenNode.splice(0);
    expect(seenPlain).toEqual([]);
    expect(comparable(answer)).toBe(comparable(await talk(nodeAlone, pieces, { ends: false })));
    expect(reached).toEqual(seenNode);
  });

  it('reads every header as node:http does', async () => {
    const request = post(
      '{}',
      'Accept: */*\r\nACCEPT-LANGUAGE:de\r\nX-Forwarded-For: \t 1.2.3.4 \r\nSec-GPC: 1\r\nConnection: Keep-Alive\r\nX-Empty:\r\n',
    );
    const answer = await talk(withLane, [request]);
    expect(comparable(answer)).toBe(comparable(await talk(nodeAlone, [request])));
    expect(seenPlain).toHaveLength(1);
    expect(seenPlain).toEqual(seenNode);
  });
});
