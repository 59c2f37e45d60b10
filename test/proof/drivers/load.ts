import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Random, seededRandom } from '../../../src/platform/random.ts';

/** One event as its sender knows it. The path names it uniquely: `/<visitor>/<number>`. */
export interface SentEvent {
  path: string;
  visitor: number;
  number: number;
  name: 'pageview' | 'Signup' | 'engagement' | 'purchase';
  /** Its sender was told that it is kept. */
  acknowledged: boolean;
  /** Its sender gave up after an answer that did not come: it may be stored or not. */
  abandoned: boolean;
  /** How often time had been moved when it was made. */
  era: number;
}

export interface Load {
  /** Everything that was ever sent, in the order of each visitor. */
  readonly sent: SentEvent[];
  /** Answers by status and drop reason, such as `202`, `202 duplicate`, `503`, and `ECONNRESET` for none. */
  readonly answers: Map<string, number>;
  /** Answers that no sender may ever get, such as a page view that was dropped. */
  readonly faults: string[];
  /** Refusals as they came: status, Retry-After, body. */
  readonly refusals: { status: number; retryAfter: string | undefined; text: string }[];
  acknowledged(): number;
  /** Moves time so far that visits are over: each sender goes on with a page view. */
  overTime(move: () => Promise<void>): Promise<void>;
  /** Lets every sender end the delivery it is at, retries included, and stops. */
  end(): Promise<void>;
  /** Ends at once, whatever is under way. */
  stop(): void;
}

/** However slow the machine: what was not acknowledged after so long will not be. */
const endMsMax = 240_000;

export interface LoadSettings {
  url: string;
  apiKey: string;
  seed: string;
  /** Visitors whose events come one at a time, each from his own browser. */
  singles: number;
  /** Senders of batches, each for ten visitors of its own. */
  batches: number;
  /** A sender waits up to this long between two deliveries. */
  thinkMsMax: number;
  /** Share of the deliveries without an answer that are not sent again. */
  abandons?: number;
  /** Appended to each event as a property, so that a small disk is soon full. */
  padding?: number;
  /** For a second load on the same desk: visitors are counted from here. */
  firstVisitor?: number;
}

const visitorsPerBatch = 10;
const site = 'shop.example';

/**
 * Visitors who click through a site while the desk under them dies and comes back. A visitor's next event is sent when
 * his last one was acknowledged; what was not acknowledged is sent again, the same event with the same id.
 */
export function startLoad(settings: LoadSettings): Load {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const sent: SentEvent[] = [];
  const answers = new Map<string, number>();
  const faults: string[] = [];
  const refusals: Load['refusals'] = [];
  let ending = false;
  let stopped = false;
  let era = 0;
  let moving = false;
  const count = (answer: string) => answers.set(answer, (answers.get(answer) ?? 0) + 1);
  const first = settings.firstVisitor ?? 0;

  function nextEvent(visitor: number, number: number, isFirst: boolean, random: Random): SentEvent {
    const draw = random.bytes(1).readUInt8();
    const name: SentEvent['name'] =
      isFirst || draw < 180 ? 'pageview' : draw < 205 ? 'Signup' : draw < 240 ? 'engagement' : 'purchase';
    const event: SentEvent = {
      path: `/${visitor}/${number}`,
      visitor,
      number,
      name,
      acknowledged: false,
      abandoned: false,
      era,
    };
    sent.push(event);
    return event;
  }

  /** Sends until it is acknowledged, or given up: then it may be stored or not. */
  async function deliver(events: SentEvent[], random: Random): Promise<'acknowledged' | 'given up'> {
    const [only] = events;
    const isBatch = events.length > 1;
    const body = isBatch
      ? JSON.stringify(events.map((event) => ({ ...payloadOf(event, settings.padding), ...senderOf(event.visitor) })))
      : JSON.stringify(payloadOf(only as SentEvent, settings.padding));
    while (!stopped) {
      const answer = await send(settings, agent, body, isBatch ? undefined : (only as SentEvent).visitor);
      if ('failed' in answer) {
        count(answer.failed);
        if (random.bytes(1).readUInt8() / 256 < (settings.abandons ?? 0)) {
          for (const event of events) event.abandoned = true;
          return 'given up';
        }
        await pause(60);
        continue;
      }
      const { status, dropped, retryAfter, text } = answer;
      count(dropped === undefined ? String(status) : `${status} ${dropped}`);
      if (status === 202) {
        for (const event of events) event.acknowledged = true;
        const words = dropped === undefined ? [] : dropped.split(', ');
        for (const word of words) {
          if (word === 'duplicate') continue;
          // Attention that was on its way while time was moved belongs to a visit that is over.
          const late = events.filter((event) => event.name === 'engagement' && (moving || event.era < era));
          if (word !== 'no_session_for_engagement' || late.length === 0)
            faults.push(`${events[0]?.path}: dropped as ${dropped}`);
          for (const event of late) event.acknowledged = false;
        }
        return 'acknowledged';
      }
      if (status !== 503) faults.push(`${events[0]?.path}: ${status} ${text}`);
      if (refusals.length < 200) refusals.push({ status, retryAfter, text });
      await pause(100);
    }
    return 'given up';
  }

  async function runSender(visitors: number[], name: string): Promise<void> {
    const random = seededRandom(`${settings.seed} ${name}`);
    let seen = -1;
    for (let number = 0; !ending; number++) {
      const isFirst = seen !== era;
      seen = era;
      const end = await deliver(
        visitors.map((visitor) => nextEvent(visitor, number, isFirst, random)),
        random,
      );
      // Without its page view no visit may be running, and attention alone begins none.
      if (isFirst && end === 'given up') seen = -1;
      await pause(Math.floor((random.bytes(1).readUInt8() / 256) * settings.thinkMsMax));
    }
  }

  const senders: Promise<void>[] = [];
  for (let n = 0; n < settings.singles; n++) senders.push(runSender([first + n], `single ${n}`));
  for (let n = 0; n < settings.batches; n++) {
    const from = first + settings.singles + n * visitorsPerBatch;
    senders.push(
      runSender(
        Array.from({ length: visitorsPerBatch }, (_, at) => from + at),
        `batch ${n}`,
      ),
    );
  }
  return {
    sent,
    answers,
    faults,
    refusals,
    acknowledged: () => sent.filter((event) => event.acknowledged).length,
    stop() {
      ending = true;
      stopped = true;
      agent.destroy();
    },
    async overTime(move) {
      era++;
      moving = true;
      await move();
      era++;
      moving = false;
    },
    async end() {
      ending = true;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          const open = sent.filter((event) => !event.acknowledged && !event.abandoned).length;
          reject(new Error(`${open} events were not acknowledged within ${endMsMax / 1000} s, sent again and again.`));
        }, endMsMax);
      });
      await Promise.race([Promise.all(senders), late]).finally(() => clearTimeout(timer));
      agent.destroy();
    },
  };
}

/** Who the visitor is: his address and his browser. */
function senderOf(visitor: number): { ip: string; user_agent: string } {
  return {
    ip: `198.18.${visitor >> 8}.${visitor & 255}`,
    user_agent: `Mozilla/5.0 (X11; Linux x86_64; rv:${100 + (visitor % 40)}.0) Gecko/20100101 Firefox/${100 + (visitor % 40)}.0`,
  };
}

function payloadOf(event: SentEvent, padding = 0) {
  return {
    n: event.name,
    u: `https://${site}${event.path}`,
    d: site,
    id: event.path,
    ...(event.number === 0 ? { r: 'https://search.example/' } : {}),
    ...(padding === 0 ? {} : { p: { padding: 'x'.repeat(padding) } }),
    ...(event.name === 'engagement' ? { e: 1_000, sd: 50 } : {}),
    // The same order each time: it earns once.
    ...(event.name === 'purchase' ? { $: { currency: 'EUR', amount: 10, order_id: `order ${event.visitor}` } } : {}),
  };
}

type Answer =
  | { failed: string }
  | { status: number; dropped: string | undefined; retryAfter: string | undefined; text: string };

function send(settings: LoadSettings, agent: http.Agent, body: string, visitor: number | undefined): Promise<Answer> {
  const headers: Record<string, string> =
    visitor === undefined
      ? { authorization: `Bearer ${settings.apiKey}` }
      : {
          'x-forwarded-for': senderOf(visitor).ip,
          'user-agent': senderOf(visitor).user_agent,
          'accept-language': 'en',
        };
  return new Promise((resolve) => {
    const request = http.request(
      `${settings.url}/api/event`,
      { method: 'POST', agent, headers: { ...headers, 'content-type': 'application/json' }, timeout: 30_000 },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        // An answer whose end did not come is no answer.
        response.on('error', (error: NodeJS.ErrnoException) => resolve({ failed: error.code ?? error.message }));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            dropped: response.headers['x-fairlead-dropped'] as string | undefined,
            retryAfter: response.headers['retry-after'],
            text,
          }),
        );
      },
    );
    request.on('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })));
    request.on('error', (error: NodeJS.ErrnoException) => resolve({ failed: error.code ?? error.message }));
    request.end(body);
  });
}
