/**
 * A load generator on raw sockets: 11 to 20 µs of CPU a request, most of them the
 * kernel's, so that on two cores the server is what is measured.
 * Each connection has one request under way (no pipelining), as browsers do. With a rate, requests are due evenly spread
 * over time whatever the server does, and each waits for a free connection; its latency counts from when it was due, so
 * a server that pauses is charged for everything that would have come meanwhile. Run as a process of its own:
 *
 *     node bench/load.ts '{"port":7070,"connections":64,"seconds":10,"rate":0,"mode":"visits","run":1}'
 *
 * prints one line of JSON: acknowledged requests and events, errors by status, latency percentiles in ms, CPU seconds.
 */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { letEventLoopGoFirst } from '../src/platform/priority.ts';
import { type Latencies, latenciesOf } from './latencies.ts';

export interface LoadPlan {
  port: number;
  connections: number;
  seconds: number;
  /** Requests a second over all connections; 0 = as many as the server answers. */
  rate: number;
  /**
   * `visits`: three page views per visitor. `visitors`: each request a new one. `batch`: 50 events a request, three per
   * visitor. `conversion`: a purchase a request, to the address of a source of the relay (`path`).
   */
  mode: 'visits' | 'visitors' | 'batch' | 'conversion';
  /** Where conversions go. */
  path?: string;
  /** Makes visitors and event ids of this run different from another's. */
  run: number;
  /** How long it has gone on before latencies count: a server that has just started meets code it never ran. None unless given. */
  settleSeconds?: number;
  /** Stop after so many requests, whatever the time. */
  requestsMax?: number;
  /** Print a line per acknowledged event id to this file descriptor's path; used by the crash tests. */
  domain?: string;
}

export interface LoadResult {
  requests: number;
  events: number;
  failed: Record<string, number>;
  seconds: number;
  per_second: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
  max_ms: number;
  cpu_seconds: number;
  /** All of them, to be put together with those of other runs. */
  latencies: Latencies;
}

const agents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
];
const referrers = [
  '',
  'https://www.google.com/',
  'https://news.ycombinator.com/item?id=1',
  'https://duckduckgo.com/',
  'https://t.co/abc',
];
const eventsPerBatch = 50;

/** The n-th event of a run: which visitor, which of its pages. */
function eventOf(plan: LoadPlan, n: number): { visitor: number; body: string } {
  const visitor = plan.mode === 'visitors' ? n : Math.floor(n / 3);
  const page = (Math.imul(n, 2654435761) >>> 0) % 5000;
  const first = plan.mode === 'visitors' || n % 3 === 0;
  const referrer = first ? referrers[visitor % referrers.length] : `https://${plan.domain}/`;
  return {
    visitor,
    body: `{"n":"pageview","u":"https://${plan.domain}/section-${page % 20}/page-${page}${first && visitor % 7 === 0 ? '?utm_source=newsletter&utm_medium=email&utm_campaign=autumn' : ''}","d":"${plan.domain}","r":"${referrer}","t":"Page ${page}","sc":"1440x900","id":"${plan.run}-${n}"}`,
  };
}

/** Public addresses from 1.0.0.0 on, spread so that neighbours are far apart; each run has a block of its own. */
function addressOf(plan: Pick<LoadPlan, 'run'>, visitor: number): string {
  const n = (Math.imul(visitor + plan.run * 7_919_993, 2654435761) >>> 0) % 0x5f000000;
  return `${20 + (n >>> 24)}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
}

/** An order as a shop tells of it: everything by which a person may be found, an item, a click. */
export function conversionBody(run: number, n: number): string {
  const plan = { run };
  const person = `person${plan.run}x${n}`;
  return JSON.stringify({
    ...{ event_name: 'purchase', order_id: `${plan.run}-${n}`, occurred_at: new Date(nowMs()).toISOString() },
    ...{ value: (10 + (n % 9_000) / 100).toFixed(2), currency: 'EUR', page_url: 'https://shop.example/thanks' },
    consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
    click_ids: { gclid: `Cj0KCQ${plan.run}${n}`, fbp: `fb.1.1790000000000.${1_000_000 + (n % 1_000_000)}` },
    user: {
      ...{
        email: `${person}@example.com`,
        phone: `+4930${10_000_000 + (n % 80_000_000)}`,
        first_name: 'Ana',
        last_name: person,
      },
      ...{ city: 'Berlin', zip: '10115', country: 'DE', external_id: person },
      ...{ ip: addressOf(plan, n), user_agent: agents[n % agents.length] },
    },
    items: [{ id: `sku-${n % 500}`, quantity: 1, price: '19.90' }],
  });
}

/** A minute ago: the server may believe another time by some milliseconds. */
function nowMs(): number {
  return Date.now() - 60_000;
}

function requestOf(plan: LoadPlan, n: number): string {
  if (plan.mode === 'conversion') {
    const body = conversionBody(plan.run, n);
    return `POST ${plan.path} HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }
  let body: string;
  let visitor: number;
  if (plan.mode === 'batch') {
    const events: string[] = [];
    for (let index = 0; index < eventsPerBatch; index++) events.push(eventOf(plan, n * eventsPerBatch + index).body);
    body = `[${events.join(',')}]`;
    visitor = n;
  } else ({ visitor, body } = eventOf(plan, n));
  return `POST /api/event HTTP/1.1\r\nHost: desk\r\nUser-Agent: ${agents[visitor % agents.length]}\r\nAccept: */*\r\nAccept-Language: en\r\nAccept-Encoding: gzip, br\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Site: cross-site\r\nX-Forwarded-For: ${addressOf(plan, visitor)}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Runs the plan. `acknowledged` hears the number of each request that got its 202. */
export function runLoad(given: LoadPlan, acknowledged: (n: number) => void = () => {}): Promise<LoadResult> {
  const plan = { domain: 'bench.example', ...given };
  const latencies = new Float64Array(Math.min(plan.requestsMax ?? 4_000_000, 4_000_000));
  const failed: Record<string, number> = {};
  let sent = 0;
  let counted = 0;
  let done = 0;
  let running = plan.connections;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const endsAt = start + plan.seconds * 1000;
  const countsFrom = start + (plan.settleSeconds ?? 0) * 1000;
  const isOver = () => performance.now() >= endsAt || sent >= (plan.requestsMax ?? Number.POSITIVE_INFINITY);
  return new Promise((resolve) => {
    const close = () => {
      if (--running > 0) return;
      const seconds = (performance.now() - start) / 1000;
      const used = process.cpuUsage(cpu);
      const sorted = latencies.subarray(0, counted).sort();
      const at = (share: number) =>
        Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 100) / 100;
      const events = done * (plan.mode === 'batch' ? eventsPerBatch : 1);
      resolve({
        requests: done,
        events,
        failed,
        seconds: Math.round(seconds * 100) / 100,
        per_second: Math.round(events / seconds),
        p50_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        max_ms: at(1),
        cpu_seconds: Math.round((used.user + used.system) / 1e4) / 100,
        latencies: latenciesOf(sorted),
      });
    };
    // Three events of one visitor go out on one connection, one after another, as a browser sends them.
    let nextVisitor = 0;
    const group = plan.mode === 'visits' ? 3 : 1;
    /** With a rate: connections that wait for something to be due. */
    const idle: ((dueAt: number) => void)[] = [];
    for (let index = 0; index < plan.connections; index++) openConnection();
    const pace = plan.rate > 0 ? setInterval(sendDue, 1) : undefined;
    function sendDue() {
      const now = performance.now();
      for (let dueAt = dueNext(); dueAt <= now && idle.length > 0; dueAt = dueNext()) idle.shift()?.(dueAt);
      if (isOver()) {
        clearInterval(pace);
        for (const end of idle.splice(0)) end(0);
      }
    }
    function dueNext() {
      return start + (sent * 1000) / plan.rate;
    }
    function openConnection() {
      let n = -1;
      let sentAt = 0;
      let rest = '';
      // Read without a stream, which costs as much as the rest of a request here.
      const onread = { buffer: Buffer.allocUnsafe(4_096), callback: heard };
      const socket: Socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true, onread });
      function send() {
        if (isOver() || plan.rate === 0) return write(performance.now());
        idle.push(write);
        sendDue();
      }
      function write(dueAt: number) {
        if (isOver()) return socket.end();
        n = n >= 0 && (n + 1) % group !== 0 ? n + 1 : group * nextVisitor++;
        sent++;
        sentAt = dueAt;
        socket.write(requestOf(plan, n), 'latin1');
      }
      function heard(bytes: number, buffer: Uint8Array): boolean {
        const text = (buffer as Buffer).toString('latin1', 0, bytes);
        rest = rest === '' ? text : rest + text;
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) return true;
        const length = /content-length: (\d+)/i.exec(rest)?.[1] ?? '0';
        if (rest.length < end + 4 + Number(length)) return true;
        const status = rest.slice(9, 12);
        if (status === '202') {
          if (counted < latencies.length && sentAt >= countsFrom) latencies[counted++] = performance.now() - sentAt;
          done++;
          acknowledged(n);
        } else failed[status] = (failed[status] ?? 0) + 1;
        rest = '';
        send();
        return true;
      }
      socket.on('connect', send);
      socket.on('error', (error: NodeJS.ErrnoException) => {
        failed[error.code ?? 'error'] = (failed[error.code ?? 'error'] ?? 0) + 1;
      });
      socket.on('close', close);
    }
  });
}

/** Runs the plan in a process of its own, so that its work is not the server's. */
export function loadApart(plan: LoadPlan): Promise<LoadResult> {
  return new Promise((done, reject) => {
    const script = ['--disable-warning=ExperimentalWarning', import.meta.filename, JSON.stringify(plan)];
    const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.once('close', (code) =>
      code === 0 ? done(JSON.parse(out) as LoadResult) : reject(new Error(`The load generator ended with ${code}.`)),
    );
  });
}

if (process.argv[1] === import.meta.filename) {
  const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan;
  // The generator stands for machines elsewhere: what it waits for a processor itself would be counted as the server's
  // latency (p99 5 ms without that wait, 9 to 36 ms with it), and as requests that it did not take. Linux, as root;
  // elsewhere everything stays as it is.
  letEventLoopGoFirst();
  console.log(JSON.stringify(await runLoad(plan)));
}
