import type { Act, Audit } from '../platform/audit.ts';
import { type Clock, repeat } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import type { Outbound } from '../platform/outbound/index.ts';
import type { Gauge } from '../platform/subject.ts';

/**
 * The desk's logs on another machine, where whoever breaks into this one cannot change them (ASVS 16.4.3): its own lines,
 * those of the access log, and each act that goes into the audit log, as NDJSON to the address of FAIRLEAD_LOG_URL.
 * Nothing is sent, resolved or kept waiting unless that is set.
 */
export interface LogShipping {
  /** One line of a log, as JSON. Never waits and never throws: what there is no room for is counted. */
  take(log: 'desk' | 'access' | 'audit', line: string): void;
  /** From here on it sends; what was taken before waits until then. */
  begin(outbound: Pick<Outbound, 'send'>): void;
  gauges: Gauge[];
  /** One more attempt with what is waiting. */
  close(): Promise<void>;
}

export const shippingLimits = {
  everyMs: 1_000,
  linesAtOnce: 2_000,
  /** Some 10 MB: half an hour of a busy desk whose collector is away. */
  waitingMax: 50_000,
  /** After attempts that failed in a row the next one waits twice as long, at most so long. */
  pauseMsMax: 60_000,
  timeoutMs: 10_000,
} as const;

export function openLogShipping({ config, clock }: { config: Pick<Config, 'logs'>; clock: Clock }): LogShipping {
  const to = config.logs;
  let waiting: string[] = [];
  const ends = { sent: 0, dropped: 0 };
  let outbound: Pick<Outbound, 'send'> | undefined;
  let stop = () => {};
  let failures = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  let underWay: Promise<boolean> | undefined;

  /** One at a time: two would take the same lines away. @returns whether the collector took all that is waiting */
  function ship(): Promise<boolean> {
    underWay ??= shipAll().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  async function shipAll(): Promise<boolean> {
    while (to !== undefined && outbound !== undefined && waiting.length > 0) {
      const lines = waiting.slice(0, shippingLimits.linesAtOnce);
      const answer = await outbound.send({
        method: 'POST',
        url: to.url,
        headers: {
          'content-type': 'application/x-ndjson',
          ...(to.key === undefined ? {} : { authorization: `Bearer ${to.key}` }),
        },
        body: lines.join(''),
        purpose: 'logs',
        timeoutMs: shippingLimits.timeoutMs,
        answerBytesMax: 65_536,
      });
      if ('failed' in answer || answer.status < 200 || answer.status > 299) {
        failures++;
        notBefore = clock.monotonic() + Math.min(shippingLimits.pauseMsMax, shippingLimits.everyMs * 2 ** failures);
        return false;
      }
      // Whatever was taken meanwhile stands behind these.
      waiting = waiting.slice(lines.length);
      ends.sent += lines.length;
      failures = 0;
    }
    return true;
  }

  return {
    take(log, line) {
      if (to === undefined) return;
      if (waiting.length >= shippingLimits.waitingMax) ends.dropped++;
      else waiting.push(`{"log":"${log}",${line.trimEnd().slice(1)}\n`);
    },
    begin(door) {
      if (to === undefined) return;
      outbound = door;
      const work = async () => void (clock.monotonic() >= notBefore && (await ship()));
      // `send` gives failures back as values.
      stop = repeat(clock, shippingLimits.everyMs, work, { onError: () => {} });
    },
    gauges:
      to === undefined
        ? []
        : [
            {
              name: 'fairlead_shipped_log_lines_total',
              help: 'Lines of logs for the collector of FAIRLEAD_LOG_URL, by what became of them.',
              kind: 'counter',
              read: () => Object.entries(ends).map(([end, value]) => ({ labels: { end }, value })),
            },
            {
              name: 'fairlead_shipped_log_lines_waiting',
              help: 'Lines of logs that the collector has not taken yet.',
              kind: 'gauge',
              read: () => waiting.length,
            },
          ],
    async close() {
      stop();
      await underWay;
      await ship();
    },
  };
}

/**
 * The audit log, whose acts are told when they are written down: name, outcome, reason, organisation and request, and
 * nobody's name. One whose transaction is taken back afterwards was told, too.
 */
export function alsoTold(audit: Audit, clock: Clock, tell: (line: string) => void): Audit {
  const say = (of: number | 'desk' | undefined, { action, actor, outcome = 'done', reason, request }: Act) =>
    tell(
      JSON.stringify({
        ...{ time: new Date(clock.now()).toISOString(), action, outcome, reason, actor: actor.type, organisation: of },
        request_id: request?.id,
      }),
    );
  return {
    ...audit,
    async record(sql, of, act) {
      await audit.record(sql, of, act);
      say(of, act);
    },
    async recordMany(sql, of, acts) {
      await audit.recordMany(sql, of, acts);
      for (const act of acts) say(of, act);
    },
    async recordOfPerson(sql, personId, act) {
      await audit.recordOfPerson(sql, personId, act);
      say(undefined, act);
    },
  };
}
