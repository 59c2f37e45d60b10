import { spawn } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';
import type { Emulated, EmulatedRequest } from '../emulators/admin.ts';
import { emulatedAccounts } from '../emulators/all.ts';
import type { Counted } from '../emulators/counted.ts';
import { openDataManagerEmulator } from '../emulators/data_manager.ts';
import { openGa4Emulator } from '../emulators/ga4.ts';
import { openGenericEmulator } from '../emulators/generic.ts';
import { openMetaEmulator } from '../emulators/meta.ts';
import { openTikTokEmulator } from '../emulators/tiktok.ts';

/**
 * Doubles of platforms, each in a process of its own behind a gate that can be shut: what a measured desk sends to. Each notes
 * when it heard of an order first, how many requests came in which second, and what of a person stood in one in clear.
 */

/** What a desk is told of each kind: where it goes, as which account, with which secret. */
export const platformKinds = {
  'meta-capi': { settings: { dataset_id: emulatedAccounts.meta.dataset }, secret: 'token', variable: 'META' },
  'google-data-manager': {
    settings: {
      customer_id: emulatedAccounts.google.customer,
      conversion_action_id: emulatedAccounts.google.conversionAction,
    },
    ...{ secret: 'token', variable: 'DATA_MANAGER' },
  },
  ga4: {
    settings: { measurement_id: emulatedAccounts.ga4.measurementId },
    ...{ secret: emulatedAccounts.ga4.secret, variable: 'GA4' },
  },
  tiktok: { settings: { pixel_id: emulatedAccounts.tiktok.pixel }, secret: 'token', variable: 'TIKTOK' },
  webhook: { settings: {}, secret: emulatedAccounts.webhook, variable: undefined },
} as const;
export type PlatformKind = keyof typeof platformKinds;
export const allKinds = Object.keys(platformKinds) as PlatformKind[];

export interface PlatformPlan {
  readonly kind: PlatformKind;
  /** Orders in what is sent, as a regular expression: the first time of each is noted. */
  readonly orders: string;
  /** What must not stand in a request, as a regular expression. */
  readonly secrets: string;
  /** A webhook is asked over TLS alone. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** What a platform has heard. */
export interface Heard {
  /** By order, milliseconds since 1970. */
  readonly first: Readonly<Record<string, number>>;
  /** Requests by second since 1970. */
  readonly perSecond: Readonly<Record<string, number>>;
  readonly requests: number;
  /** Shortened texts of requests in which something stood in clear. */
  readonly inClear: readonly string[];
}

export interface PlatformProcess {
  readonly kind: PlatformKind;
  /** Where the desk goes. */
  readonly url: string;
  /** Past the gate, for `/__admin`. */
  admin<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T>;
  counted(): Promise<readonly Counted[]>;
  heard(): Promise<Heard>;
  /** `shut` refuses connections; `silent` takes them and says nothing. */
  gate(state: 'open' | 'shut' | 'silent'): Promise<void>;
  stop(): Promise<void>;
}

const inClearMax = 20;

export async function startPlatform(plan: PlatformPlan): Promise<PlatformProcess> {
  const script = ['--disable-warning=ExperimentalWarning', import.meta.filename, JSON.stringify(plan)];
  const child = spawn(process.execPath, script, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`The double of ${plan.kind} ended.`);
    return JSON.parse(value);
  };
  // One question at a time: answers come in order.
  let last: Promise<unknown> = Promise.resolve();
  function ask<T>(question: string): Promise<T> {
    const answer = last.then(() => {
      child.stdin.write(`${question}\n`);
      return next() as Promise<T>;
    });
    last = answer.catch(() => {});
    return answer;
  }
  const { url, inner } = (await next()) as { url: string; inner: string };
  async function admin<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${inner}/__admin${path}`, {
      ...{ method, headers: { 'content-type': 'application/json' } },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${plan.kind}: ${method} /__admin${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }
  return {
    ...{ kind: plan.kind, url, admin },
    counted: async () => (await admin<{ counted: Counted[] }>('GET', '/counted')).counted,
    heard: () => ask<Heard>('heard'),
    gate: async (state) => void (await ask(state)),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await ended;
    },
  };
}

// ── In the process of a platform ──

if (process.argv[1] === import.meta.filename) await serve(JSON.parse(process.argv[2] ?? '{}') as PlatformPlan);

async function serve(plan: PlatformPlan): Promise<void> {
  const { heard, hear } = openEar(plan);
  const emulated = await openDouble(plan.kind, hear);
  const gate = await openGate(Number(new URL(emulated.url).port), plan.tls);
  const [scheme, host] = plan.tls === undefined ? ['http', '127.0.0.1'] : ['https', 'localhost'];
  say({ url: `${scheme}://${host}:${gate.port}`, inner: emulated.url });
  const questions = createInterface({ input: process.stdin });
  questions.on('line', (question) => {
    if (question === 'heard') say(heard());
    else void gate.set(question as 'open' | 'shut' | 'silent').then(() => say({ gate: question }));
  });
  questions.once('close', () => process.exit(0));
}

function openEar({ orders, secrets }: PlatformPlan): { hear(request: EmulatedRequest): void; heard(): Heard } {
  const order = new RegExp(orders, 'g');
  const secret = new RegExp(secrets, 'i');
  const first = new Map<string, number>();
  const perSecond: Record<string, number> = {};
  const inClear: string[] = [];
  let requests = 0;
  return {
    hear({ path, query, headers, text }) {
      const now = Date.now();
      requests++;
      const second = Math.floor(now / 1_000);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
      for (const [id] of text.matchAll(order)) if (!first.has(id)) first.set(id, now);
      const all = `${path}?${query} ${JSON.stringify(headers)} ${text}`;
      const found = secret.exec(all);
      if (found !== null && inClear.length < inClearMax)
        inClear.push(all.slice(Math.max(0, found.index - 60), found.index + 60));
    },
    heard: () => ({ first: Object.fromEntries(first), perSecond, requests, inClear }),
  };
}

function openDouble(kind: PlatformKind, heard: (request: EmulatedRequest) => void): Promise<Emulated> {
  const parts = { now: Date.now, chance: Math.random, heard };
  const { google, meta, ga4, tiktok } = emulatedAccounts;
  switch (kind) {
    case 'meta-capi':
      return openMetaEmulator({ ...parts, datasets: [meta.dataset], tokens: { token: 'valid' } });
    case 'google-data-manager':
      return openDataManagerEmulator({
        ...{ ...parts, tokens: { token: ['https://www.googleapis.com/auth/datamanager'] } },
        accounts: { [google.customer]: [google.conversionAction] },
      });
    case 'ga4':
      return openGa4Emulator({ ...parts, streams: { [ga4.measurementId]: [ga4.secret] } });
    case 'tiktok':
      return openTikTokEmulator({
        ...{ ...parts, apps: [], tokens: ['token'] },
        advertisers: [{ id: tiktok.advertiser, name: 'Shop', pixels: [{ code: tiktok.pixel, name: 'Shop' }] }],
      });
    case 'webhook':
      return openGenericEmulator({
        ...{ ...parts, platform: 'webhook', accounts: [], tokens: [emulatedAccounts.webhook] },
      });
  }
}

/** A port in front of the double: open, shut, or there without a word. */
async function openGate(to: number, tls: PlatformPlan['tls']) {
  const sockets = new Set<Socket>();
  let isSilent = false;
  let port = 0;
  let server: Server | undefined;
  function take(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    if (isSilent) {
      socket.resume();
      return;
    }
    const inner = connect(to, '127.0.0.1');
    inner.on('error', () => socket.destroy());
    // What the double breaks off is broken off here, and the other way round.
    inner.on('close', (hadError) => (hadError ? socket.destroy() : socket.end()));
    socket.on('close', () => inner.destroy());
    socket.pipe(inner).pipe(socket);
  }
  async function open(): Promise<void> {
    const made = tls === undefined ? createServer(take) : createTlsServer(tls, take);
    made.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => made.listen(port, '127.0.0.1', resolve));
    const address = made.address();
    if (typeof address === 'object' && address !== null) port = address.port;
    server = made;
  }
  await open();
  return {
    port,
    async set(state: 'open' | 'shut' | 'silent'): Promise<void> {
      isSilent = state === 'silent';
      if (state === 'open' && server === undefined) await open();
      if (state !== 'shut') return;
      server?.close();
      server = undefined;
      for (const socket of sockets) socket.destroy();
    },
  };
}

function say(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
