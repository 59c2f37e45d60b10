import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Random } from '../random.ts';
import type { Outbound } from './outbound.ts';

/**
 * Reports about the product itself, to a Sentry and a PostHog that the operator names (COK-06, R15): nothing is
 * sent, resolved or prepared unless FAIRLEAD_SENTRY_DSN or FAIRLEAD_POSTHOG_KEY is set.
 *
 * Both carry words and numbers of the closed lists below and nothing else: no person, site, organisation, address,
 * host name or installation id, and no error message, because messages quote what strangers sent.
 */
export interface Reports {
  /** An exception that nobody expected. `where` is a word of the code's own, such as `http` or `loader`. */
  error(where: string, error: unknown): void;
  /** A product event with its numbers. */
  event<Name extends ProductEvent>(name: Name, numbers: Record<(typeof productEvents)[Name][number], number>): void;
  /** Waits for what is under way, shortly. */
  close(): Promise<void>;
}

/** Every event there is, with every number it may carry. */
export const productEvents = {
  server_started: ['start_ms', 'embedded_postgres', 'embedded_warehouse'],
  set_up_finished: ['sites'],
  first_event_received: ['seconds_after_set_up'],
  day_ended: ['organisations', 'sites', 'events_stored', 'events_dropped', 'rows_quarantined', 'disk_bytes'],
} as const;
export type ProductEvent = keyof typeof productEvents;

export const reportLimits = {
  /** Errors sent in a minute; an error that repeats its place within it is sent once. */
  errorsPerMinute: 20,
  framesMax: 30,
  frameCharsMax: 200,
  underWayMax: 8,
  timeoutMs: 5_000,
} as const;

export interface ReportsSettings {
  config: Pick<Config, 'sentryDsn' | 'posthog'>;
  clock: Clock;
  random: Random;
  outbound: Outbound;
  version: string;
}

export function openReports({ config, clock, random, outbound, version }: ReportsSettings): Reports {
  const sentry = config.sentryDsn === undefined ? undefined : readDsn(config.sentryDsn);
  const { posthog } = config;
  const underWay = new Set<Promise<unknown>>();
  let minute = Number.NEGATIVE_INFINITY;
  let sent = new Set<string>();

  /** Nobody waits for a report, and a report that fails is not reported: `outbound` counts it. */
  function post(purpose: string, url: string, headers: Record<string, string>, body: string): void {
    if (underWay.size >= reportLimits.underWayMax) return;
    const sending = outbound
      .send({ method: 'POST', url, headers, body, purpose, timeoutMs: reportLimits.timeoutMs, answerBytesMax: 65_536 })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  }

  function isNew(place: string): boolean {
    const now = clock.monotonic();
    if (now - minute >= 60_000) {
      minute = now;
      sent = new Set();
    }
    if (sent.has(place) || sent.size >= reportLimits.errorsPerMinute) return false;
    sent.add(place);
    return true;
  }

  return {
    error(where, error) {
      if (sentry === undefined) return;
      const { type, code, frames } = scrubbed(error);
      if (!isNew(`${where} ${type} ${frames.at(-1)?.filename}:${frames.at(-1)?.lineno}`)) return;
      const eventId = random.bytes(16).toString('hex');
      const sentAt = new Date(clock.now()).toISOString();
      const event = {
        event_id: eventId,
        timestamp: sentAt,
        platform: 'node',
        level: 'error',
        release: `fairlead@${version}`,
        tags: { where, ...(code === undefined ? {} : { code }) },
        exception: { values: [{ type, ...(frames.length === 0 ? {} : { stacktrace: { frames } }) }] },
      };
      const lines = [{ event_id: eventId, sent_at: sentAt }, { type: 'event' }, event].map((line) =>
        JSON.stringify(line),
      );
      post('report.error', sentry.url, sentry.headers(version), `${lines.join('\n')}\n`);
    },
    event(name, numbers) {
      if (posthog === undefined) return;
      const properties: Record<string, number | boolean | string> = {
        // Without these PostHog makes a person of the sender, and a place of its address.
        $process_person_profile: false,
        $geoip_disable: true,
        $ip: '0.0.0.0',
        $lib: 'fairlead',
      };
      for (const key of productEvents[name] as readonly (keyof typeof numbers)[]) {
        const value: unknown = numbers[key];
        if (typeof value !== 'number' || !Number.isFinite(value))
          throw new TypeError(`The number ${key} of the event ${name} is ${typeof value}: give a finite number.`);
        properties[key] = value;
      }
      const body = {
        api_key: posthog.key,
        event: name,
        // One constant for every installation: the field is required, and must tell nobody from anybody.
        distinct_id: 'fairlead-server',
        properties,
        timestamp: new Date(clock.now()).toISOString(),
      };
      post('report.event', `${posthog.host}/i/v0/e/`, { 'content-type': 'application/json' }, JSON.stringify(body));
    },
    async close() {
      await Promise.all(underWay);
    },
  };
}

/**
 * `https://<public key>@<host>/<path>/<project>` → the project's envelope endpoint.
 * https://develop.sentry.dev/sdk/data-model/envelopes/ and …/sdk/overview/#parsing-the-dsn
 * @throws Error naming the variable, when it has no key or no project
 */
function readDsn(dsn: string): { url: string; headers(version: string): Record<string, string> } {
  const url = new URL(dsn);
  const { username: key } = url;
  const [, path = '', project] = /^(.*)\/([A-Za-z0-9_-]+)\/?$/.exec(url.pathname) ?? [];
  if (key === '' || project === undefined)
    throw new Error('FAIRLEAD_SENTRY_DSN has no key or no project: copy it whole, https://<key>@<host>/<project>.');
  return {
    url: `${url.origin}${path}/api/${project}/envelope/`,
    headers: (version) => ({
      'content-type': 'application/x-sentry-envelope',
      'x-sentry-auth': `Sentry sentry_version=7, sentry_client=fairlead/${version}, sentry_key=${key}`,
    }),
  };
}

interface Frame {
  filename: string;
  function?: string;
  lineno: number;
  colno: number;
  in_app: boolean;
}

/** Kind, code and places of an error: what the code chose, nothing that came in. Oldest frame first, as Sentry reads. */
function scrubbed(error: unknown): { type: string; code: string | undefined; frames: Frame[] } {
  if (!(error instanceof Error)) return { type: typeof error, code: undefined, frames: [] };
  const code = String((error as { code?: unknown }).code ?? '');
  const frames: Frame[] = [];
  for (const line of (error.stack ?? '').split('\n')) {
    const [, name, path, lineno, colno] = /^\s+at (?:(.+?) \()?(.+?):(\d+):(\d+)\)?$/.exec(line) ?? [];
    const filename = path === undefined ? undefined : publicPath(path);
    if (filename === undefined || frames.length === reportLimits.framesMax) continue;
    frames.unshift({
      filename: filename.slice(0, reportLimits.frameCharsMax),
      ...(name === undefined ? {} : { function: name.slice(0, reportLimits.frameCharsMax) }),
      lineno: Number(lineno),
      colno: Number(colno),
      in_app: filename.startsWith('src/'),
    });
  }
  return {
    type: /^[A-Za-z_$][\w$]{0,79}$/.test(error.name) ? error.name : 'Error',
    code: /^[A-Z0-9_]{1,60}$/.test(code) ? code : undefined,
    frames,
  };
}

/** The part of a path that is the same on every machine; undefined for a file that is not of the program. */
function publicPath(path: string): string | undefined {
  if (path.startsWith('node:')) return path;
  return /(?:^|\/)(node_modules\/.+|(?:src|contract)\/.+)$/.exec(path)?.[1];
}
