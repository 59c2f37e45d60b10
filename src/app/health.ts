import type { ServerResponse } from 'node:http';
import { diskOf } from '../platform/disk.ts';
import type { FastHandler } from '../platform/http/server.ts';
import type { House, RunningSubject } from '../platform/subject.ts';
import type { Desk } from './desk.ts';
import { type DiskUse, largestOf } from './disk_use.ts';

/** A disk fuller than this is said in the log, on `/readyz` and by `fairlead doctor`. */
export const diskWarnShare = 0.8;

/** A part of the desk that has figures for `/metrics` or warnings for `/readyz`. */
interface HealthPart extends Pick<RunningSubject, 'gauges'> {
  warnings?(): string[];
}

type HealthDesk = Pick<Desk, 'house' | 'hasBegun' | 'diskUse'>;

export interface Readiness {
  ready: boolean;
  /** The desk listens and still reads back its running visits: events wait for it. */
  reading_back: boolean;
  postgres: boolean;
  warehouse: boolean;
  spool_lag_ms: number;
  spool_bytes: number;
  disk_used_share: number;
  /** By store; one that does not answer is not there. */
  disk_bytes: DiskUse;
  warnings: string[];
}

/**
 * `/healthz`: this process answers. `/readyz`: its stores answer too and events are taken without waiting, with the spool's
 * lag; 503 otherwise.
 * A desk whose warehouse is away still takes events, so a load balancer should look at `/healthz` for collection.
 */
export async function readiness(
  { house, hasBegun, diskUse }: HealthDesk,
  parts: readonly HealthPart[] = [],
): Promise<Readiness> {
  const [postgres, warehouse] = await Promise.all([
    house.postgres.health().then(
      (health) => health.ok,
      () => false,
    ),
    house.warehouse.health().then(
      (health) => health.ok,
      () => false,
    ),
  ]);
  const disk_bytes = diskUse.known();
  const { usedShare } = diskOf(house.config.dataDir);
  const warnings = parts.flatMap((part) => part.warnings?.() ?? []);
  if (usedShare >= diskWarnShare)
    warnings.push(
      `The disk of the data directory is ${Math.round(usedShare * 100)} % full. Events are refused when it is full. On it: ${largestOf(disk_bytes) || 'less than 0.1 GB of ours'}.`,
    );
  return {
    ready: postgres && warehouse && hasBegun(),
    reading_back: !hasBegun(),
    postgres,
    warehouse,
    spool_lag_ms: house.spool.lagMs(),
    spool_bytes: house.spool.bytes(),
    disk_used_share: Math.round(usedShare * 1000) / 1000,
    disk_bytes,
    warnings,
  };
}

export function healthHandlers(
  desk: HealthDesk,
  parts: readonly HealthPart[],
  httpCounts: () => { labels: Record<string, string>; value: number }[],
): Record<string, FastHandler> {
  const { house } = desk;
  return {
    '/healthz': (_request, response) => sendText(response, 200, 'ok\n', 'text/plain; charset=utf-8'),
    '/readyz': (_request, response) =>
      void readiness(desk, parts).then(
        (state) =>
          sendText(response, state.ready ? 200 : 503, `${JSON.stringify(state)}\n`, 'application/json; charset=utf-8'),
        (error) => {
          house.log.error('readyz_failed', {}, error);
          sendText(response, 503, '{"ready":false}\n', 'application/json; charset=utf-8');
        },
      ),
    '/metrics': (_request, response) =>
      sendText(
        response,
        200,
        exposition(house, parts, { requests: httpCounts(), use: desk.diskUse.known() }),
        'text/plain; version=0.0.4; charset=utf-8',
      ),
  };
}

/** Prometheus' text format. Labels are words of our own code: routes, reasons, lanes. */
function exposition(
  house: House,
  parts: readonly HealthPart[],
  { requests, use }: { requests: { labels: Record<string, string>; value: number }[]; use: DiskUse },
): string {
  const memory = process.memoryUsage();
  const own = [
    {
      name: 'fairlead_process_resident_bytes',
      help: 'Resident memory of the server process.',
      kind: 'gauge' as const,
      read: () => memory.rss,
    },
    {
      name: 'fairlead_disk_bytes',
      help: 'Bytes on disk by store, and by folder of the data directory; read at most once a minute.',
      kind: 'gauge' as const,
      read: () => Object.entries(use).map(([store, value]) => ({ labels: { store }, value })),
    },
    {
      name: 'fairlead_disk_used_share',
      help: 'How full the disk of the data directory is, from 0 to 1.',
      kind: 'gauge' as const,
      read: () => diskOf(house.config.dataDir).usedShare,
    },
    {
      name: 'fairlead_http_requests_total',
      help: 'Answered requests by route and status class, collection excluded.',
      kind: 'counter' as const,
      read: () => requests,
    },
    {
      name: 'fairlead_outbound_requests_total',
      help: 'Requests to other servers by purpose and end.',
      kind: 'counter' as const,
      read: () =>
        house.outbound.counts().map(({ purpose, end, count }) => ({ labels: { purpose, end }, value: count })),
    },
  ];
  const lines: string[] = [];
  for (const gauge of [...own, ...house.spool.gauges(), ...parts.flatMap((part) => part.gauges ?? [])]) {
    lines.push(`# HELP ${gauge.name} ${gauge.help}`, `# TYPE ${gauge.name} ${gauge.kind}`);
    const value = gauge.read();
    if (typeof value === 'number') lines.push(`${gauge.name} ${value}`);
    else for (const sample of value) lines.push(`${gauge.name}{${labelText(sample.labels)}} ${sample.value}`);
  }
  return `${lines.join('\n')}\n`;
}

function labelText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`)
    .join(',');
}

function sendText(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
