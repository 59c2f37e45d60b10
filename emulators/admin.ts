import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Counted } from './counted.ts';
import { readText, sendJson } from './oidc.ts';

/**
 * What the emulators of ad platforms share: a server on the loopback, a clock of its own, and `/__admin`:
 *
 * - `GET /__admin` what the platform holds, its clock and what is planned; `GET /__admin/received` the last requests, and
 *   `counted`: what the platform counts as one conversion each (`GET /__admin/counted` has these alone)
 * - `POST /__admin/reset` forgets everything
 * - `POST /__admin/next` `[{status, headers, body}, {chaos: "latency", ms: 500}, …]`: the next answers, in this order, each
 *   used once. A scripted answer is given in place of the platform's own, which then never sees the request. With
 *   `isHeld: true` it is given once `POST /__admin/release` lets everything go that is held.
 * - `POST /__admin/chaos` `{share: 0.2, modes: ["html_502", …], ms}`: that share of all answers goes wrong; `share: 0` ends it
 * - `POST /__admin/clock` `{set: "2026-11-30T09:00:00Z"}` (or milliseconds), `{advance: 60000}`, `{skew: -120000}`: this one goes
 *   wrong by so much, and by no more
 * - `POST /__admin/platform` what only this platform knows, such as the states of tokens
 *
 * Emulators of one process may share a clock: what is set at one of them is set for all, and the reset of one leaves it.
 */
export interface Emulated {
  url: string;
  /** Of the emulator, in milliseconds since 1970. */
  now(): number;
  /** What `GET` and `POST` of `/__admin{path}` do. @returns a sentence about what is wrong; undefined where nothing is there */
  admin(method: string, path: string, body?: unknown): object | string | undefined;
  close(): Promise<void>;
}

/**
 * `latency` answers late. `reset_mid_body` and `drop_answer` take the request and then close the connection, after half of
 * the answer and before any of it. `html_502` is the page of a proxy that never reached the platform. `duplicate_answer`
 * takes the request once and says so twice. `slow_loris` gives the answer a byte at a time, a long one in 500 pieces. `quota` is the platform's own
 * refusal for having been asked too often. `repeated_request` is a way that delivers the request twice.
 */
const chaosModes = [
  ...(['latency', 'reset_mid_body', 'html_502', 'duplicate_answer', 'drop_answer', 'slow_loris', 'quota'] as const),
  'repeated_request',
] as const;
type ChaosMode = (typeof chaosModes)[number];

/** @property body text as it is, anything else as JSON */
export interface EmulatedAnswer {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

/**
 * @property body parsed where it is JSON, else text
 * @property text as it came, which is what a signature is made of
 */
export interface EmulatedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: unknown;
  text: string;
}

export interface Platform {
  answer(request: EmulatedRequest, now: number): EmulatedAnswer;
  /** The refusal for having been asked too often. */
  quota(now: number): EmulatedAnswer;
  /** What `GET /__admin` tells of it. */
  state(now: number): object;
  /** Absent where nothing is counted, as at a place that gives tokens. */
  counted?(): readonly Counted[];
  /** `POST /__admin/platform`. */
  set(change: Record<string, unknown>): void;
  reset(): void;
}

export interface Clock {
  now(): number;
  set(at: number): void;
  advance(ms: number): void;
  reset(): void;
}

/** A clock that runs as the given one does, and can be moved against it. */
export function openClock(given: () => number): Clock {
  let shiftMs = 0;
  return {
    now: () => given() + shiftMs,
    set: (at) => {
      shiftMs = at - given();
    },
    advance: (ms) => {
      shiftMs += ms;
    },
    reset: () => {
      shiftMs = 0;
    },
  };
}

export interface EmulatorParts {
  /** Milliseconds since 1970, from which the emulator's own clock is moved. */
  now: () => number;
  /** In place of a clock of its own. */
  clock?: Clock;
  /** At least 0 and less than 1. */
  chance: () => number;
  port?: number;
  /** Told of each request as it came, before anything is answered: for whoever looks at all of them. */
  heard?: (request: EmulatedRequest) => void;
}

type Step = ({ chaos: ChaosMode; ms?: number } | (EmulatedAnswer & { chaos?: undefined })) & { isHeld?: boolean };

const keptMax = 1_000;
/** A thousand requests of a thousand events each would fill the memory of what is measured beside it. */
const keptBytesMax = 32_000_000;
/** A long answer would take minutes in single bytes. */
const piecesMax = 500;
const lateMs = 200;
const byteMs = 5;

export async function openEmulator(
  platform: Platform,
  { now: given, chance, port = 0, clock: shared, heard }: EmulatorParts,
): Promise<Emulated> {
  const clock = shared ?? openClock(given);
  let skewMs = 0;
  const now = () => clock.now() + skewMs;
  let total = 0;
  let next: Step[] = [];
  let chaos: { share: number; modes: ChaosMode[]; ms?: number } = { share: 0, modes: [] };
  const received: { request: object; bytes: number }[] = [];
  let keptBytes = 0;
  let held: (() => void)[] = [];

  const server = createServer((request, response) => {
    serve(request, response).catch((error) => {
      if (!response.headersSent) sendJson(response, 500, { emulator: String(error) });
      else response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readText(request);
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://emulator');
    const { method = 'GET', headers } = request;
    if (path === '/__admin' || path.startsWith('/__admin/'))
      return sendAdmin(response, method, path.slice('/__admin'.length), parsed(text));
    const asked = { method, path, query, headers, body: parsed(text), text };
    heard?.(asked);
    const step: Step | undefined = next.shift() ?? byChance();
    total++;
    keep({ at: now(), method, path: request.url, headers, body: asked.body, step: step?.chaos ?? null }, text.length);
    if (step?.isHeld === true) await new Promise<void>((resolve) => held.push(resolve));
    if (step === undefined) return send(response, platform.answer(asked, now()));
    if (step.chaos === undefined) return send(response, step);
    await misbehave(response, asked, step.chaos, step.ms);
  }

  function keep(request: object, bytes: number): void {
    received.push({ request, bytes });
    keptBytes += bytes;
    while (received.length > keptMax || (keptBytes > keptBytesMax && received.length > 1))
      keptBytes -= received.shift()?.bytes ?? 0;
  }

  function byChance(): Step | undefined {
    if (chaos.modes.length === 0 || chance() >= chaos.share) return undefined;
    const mode = chaos.modes[Math.floor(chance() * chaos.modes.length)] as ChaosMode;
    return chaos.ms === undefined ? { chaos: mode } : { chaos: mode, ms: chaos.ms };
  }

  async function misbehave(response: ServerResponse, asked: EmulatedRequest, mode: ChaosMode, ms?: number) {
    if (mode === 'html_502')
      return send(response, {
        status: 502,
        headers: { 'content-type': 'text/html' },
        body: '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>',
      });
    if (mode === 'quota') return send(response, platform.quota(now()));
    if (mode === 'repeated_request') platform.answer(asked, now());
    const answer = platform.answer(asked, now());
    const bytes = bytesOf(answer);
    if (mode === 'drop_answer') response.destroy();
    else if (mode === 'latency') {
      await pause(ms ?? lateMs);
      send(response, answer);
    } else if (mode === 'duplicate_answer') {
      // In one piece, so that no client has asked for something else before the second one comes.
      const head = Object.entries(headersOf(answer, bytes)).map(([name, value]) => `${name}: ${value}\r\n`);
      const one = [Buffer.from(`HTTP/1.1 ${answer.status} OK\r\n${head.join('')}\r\n`), bytes];
      response.socket?.end(Buffer.concat([...one, ...one]));
    } else if (mode === 'reset_mid_body') {
      response.writeHead(answer.status, headersOf(answer, bytes));
      response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
    } else if (mode === 'slow_loris') {
      response.writeHead(answer.status, headersOf(answer, bytes));
      const step = Math.ceil(bytes.length / piecesMax);
      for (let at = 0; at < bytes.length; at += step) {
        if (response.destroyed) return;
        response.write(bytes.subarray(at, at + step));
        await pause(ms ?? byteMs);
      }
      response.end();
    } else send(response, answer);
  }

  function send(response: ServerResponse, answer: EmulatedAnswer): void {
    const bytes = bytesOf(answer);
    response.writeHead(answer.status, headersOf(answer, bytes)).end(bytes);
  }

  /** The date is the emulator's: a platform whose clock is off says so. */
  function headersOf({ headers }: EmulatedAnswer, bytes: Buffer) {
    return {
      'content-type': 'application/json; charset=UTF-8',
      'content-length': bytes.length,
      date: new Date(now()).toUTCString(),
      ...headers,
    };
  }

  function sendAdmin(response: ServerResponse, method: string, path: string, body: unknown): void {
    const told = admin(method, path, body);
    if (told === undefined) sendJson(response, 404, { emulator: `nothing at ${method} /__admin${path}` });
    else if (typeof told === 'string') sendJson(response, 400, { emulator: told });
    else sendJson(response, 200, told);
  }

  function admin(method: string, path: string, body?: unknown): object | string | undefined {
    return method === 'GET' ? tell(path) : method === 'POST' ? take(path, body) : undefined;
  }

  function tell(path: string): object | undefined {
    const counted = platform.counted?.() ?? [];
    if (path === '/received')
      return { total, kept: received.length, requests: received.map(({ request }) => request), counted };
    if (path === '/counted') return { counted };
    return path === '' ? { now: now(), received: total, next, chaos, platform: platform.state(now()) } : undefined;
  }

  function release(): number {
    const all = held;
    held = [];
    for (const go of all) go();
    return all.length;
  }

  /** @returns what is wrong with it, as a sentence; undefined where there is no such thing to do */
  function take(path: string, body: unknown): object | string | undefined {
    if (path === '/reset') {
      [total, skewMs, next, chaos] = [0, 0, [], { share: 0, modes: [] }];
      if (shared === undefined) clock.reset();
      received.length = 0;
      keptBytes = 0;
      release();
      platform.reset();
      return { now: now() };
    }
    if (path === '/release') return { released: release() };
    if (path === '/next') {
      if (!Array.isArray(body)) return 'an array of answers is needed';
      const wrong = body.find((each) => !isMode(each?.chaos) && !Number.isInteger(each?.status));
      if (wrong !== undefined) return `neither an answer nor a mode: ${JSON.stringify(wrong)}`;
      next.push(...(body as Step[]));
      return { next };
    }
    const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
    if (path === '/chaos') {
      const { share = 0, modes = chaosModes, ms } = said;
      if (typeof share !== 'number' || !Array.isArray(modes) || !modes.every(isMode))
        return 'share and modes are needed';
      chaos = { share, modes: [...modes], ...(typeof ms === 'number' && { ms }) };
      return chaos;
    }
    if (path === '/clock') {
      const { set, advance, skew } = said;
      const at = typeof set === 'string' ? Date.parse(set) : set;
      if (typeof at === 'number' && Number.isFinite(at)) clock.set(at);
      else if (typeof advance === 'number' && Number.isFinite(advance)) clock.advance(advance);
      else if (typeof skew === 'number' && Number.isFinite(skew)) skewMs = skew;
      else return 'set, advance or skew is needed';
      return { now: now() };
    }
    if (path !== '/platform') return undefined;
    platform.set(said);
    return platform.state(now());
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    now,
    admin,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isMode(value: unknown): value is ChaosMode {
  return (chaosModes as readonly unknown[]).includes(value);
}

function bytesOf({ body }: EmulatedAnswer): Buffer {
  return Buffer.from(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A JSON object, else an empty one: what is missing in it is then missed by name. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
