import { isUtf8 } from 'node:buffer';
import { relayLimits } from '../../../contract/relay.ts';
import type { Clock } from '../../platform/clock.ts';
import { repeat } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { FreshKey, Place, Vault } from '../../platform/vault.ts';
import { withoutDeletedCaptures } from '../life/everything.ts';
import type { CapturedRequest } from '../sources/request.ts';
import { lockCaptures } from './loads.ts';

/** Those of the last second are written together. A kill takes them along: what has to stay goes by the spool. */
const flushMs = 1_000;

/** Where a captured request belongs. */
export function capturePlace(organisationId: number, row: string) {
  return {
    organisationId,
    table: 'relay_captures',
    column: 'request_sealed',
    row,
    class: 'D5',
  } as const satisfies Place;
}

/** Sealed and in base64, as a request that does not map is, this much goes into one append of the spool. */
const captureBytesMax = 3_000_000;

/**
 * A captured request as it is sealed. A body that is no text is base64, and so is one that JSON would make too long: of a tab or a
 * quote it makes two characters, of other signs six, where base64 makes a third more of anything.
 */
export function captureText({ method, url, headers, body }: CapturedRequest): string {
  const isText = typeof body === 'string' || body === null;
  const text = isText ? body : Buffer.from(body).toString('utf8');
  const isWhole = isText || Buffer.from(text as string, 'utf8').equals(Buffer.from(body));
  const plain = isWhole ? JSON.stringify({ method, url, headers, body: text }) : undefined;
  if (plain !== undefined && Buffer.byteLength(plain) <= captureBytesMax) return plain;
  return JSON.stringify({ method, url, headers, base64: Buffer.from(body as string | Uint8Array).toString('base64') });
}

export function captureOfText(text: string): CapturedRequest {
  const { base64, ...rest } = JSON.parse(text) as CapturedRequest & { base64?: string };
  if (base64 === undefined) return rest;
  const body = Buffer.from(base64, 'base64');
  return { ...rest, body: isUtf8(body) ? body.toString('utf8') : body };
}

export interface Capture {
  readonly organisationId: number;
  readonly sourceId: number;
  readonly id: string;
  readonly at: number;
  readonly key: FreshKey;
  readonly sealed: Buffer;
}

export interface CaptureKeeper {
  /** Would one more be kept? At a thousand a second only the last fifty of each are, and sealing the others is for nothing. */
  wants(sourceId: number): boolean;
  keep(capture: Capture): void;
  /** Writes what there is. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Keeps the last requests of each source, fifty in all, so that whoever maps it sees what really comes. */
export function openCaptureKeeper(parts: {
  postgres: Pick<Postgres, 'tenant'>;
  vault: Pick<Vault, 'adopt' | 'forget'>;
  clock: Clock;
  log: Log;
}): CaptureKeeper {
  const { postgres, vault, clock, log } = parts;
  let waiting = new Map<number, Capture[]>();
  /** One at a time: whoever stops waits for the one that is under way. */
  let flushing: Promise<void> = Promise.resolve();
  function flush(): Promise<void> {
    flushing = flushing.then(write);
    return flushing;
  }
  async function write() {
    const taken = waiting;
    waiting = new Map();
    for (const [sourceId, captures] of taken) {
      const { organisationId } = captures[0] as Capture;
      try {
        await vault.adopt(
          organisationId,
          captures.map(({ key }) => key),
        );
        const gone = await postgres.tenant(organisationId, (sql) => store(sql, { organisationId, sourceId }, captures));
        await vault.forget(organisationId, gone);
      } catch (error) {
        log.warn('relay.captures_not_kept', { source: sourceId, captures: captures.length });
        log.error('relay.captures_failed', { source: sourceId }, error);
      }
    }
  }
  const stop = repeat(clock, flushMs, flush, { onError: () => {} });
  return {
    wants: (sourceId) => (waiting.get(sourceId)?.length ?? 0) < relayLimits.capturesMax,
    keep(capture) {
      const list = waiting.get(capture.sourceId);
      if (list === undefined) waiting.set(capture.sourceId, [capture]);
      else if (list.length < relayLimits.capturesMax) list.push(capture);
    },
    flush,
    async stop() {
      stop();
      await flush();
    },
  };
}

/** @returns those that had to go, or came before somebody had everything deleted; their keys are nobody else's */
async function store(
  sql: Sql,
  { organisationId, sourceId }: Pick<Capture, 'organisationId' | 'sourceId'>,
  captures: readonly Capture[],
): Promise<{ subject: Buffer; value: Buffer }[]> {
  await lockCaptures(sql, organisationId);
  const kept = await withoutDeletedCaptures(sql, organisationId, sourceId, captures);
  await sql.run(
    `INSERT INTO relay_captures (organisation_id, id, source_id, received_at, is_unmapped, subject, request_sealed)
     SELECT current_organisation(), c.id, $1, c.at, false, c.subject, c.sealed
     FROM unnest($2::uuid[], $3::timestamptz[], $4::bytea[], $5::bytea[]) AS c(id, at, subject, sealed)
     WHERE EXISTS (SELECT FROM relay_sources WHERE id = $1)
     ON CONFLICT DO NOTHING`,
    [
      sourceId,
      kept.map(({ id }) => id),
      kept.map(({ at }) => new Date(at)),
      kept.map(({ key }) => key.subject),
      kept.map(({ sealed }) => sealed),
    ],
  );
  const rotated = await sql.query<{ subject: Buffer; value: Buffer }>(
    `DELETE FROM relay_captures WHERE source_id = $1 AND NOT is_unmapped AND id NOT IN (
       SELECT id FROM relay_captures WHERE source_id = $1 AND NOT is_unmapped ORDER BY received_at DESC, id LIMIT $2)
     RETURNING subject, request_sealed AS value`,
    [sourceId, relayLimits.capturesMax],
  );
  const dropped = captures.filter((one) => !kept.includes(one));
  return [...rotated, ...dropped.map(({ key, sealed }) => ({ subject: key.subject, value: sealed }))];
}

export interface ListedCapture {
  readonly id: string;
  readonly received_at: Date;
  readonly is_unmapped: boolean;
}

/** The captured requests of a source, newest first. */
export function listCaptures(sql: Sql, sourceId: number): Promise<ListedCapture[]> {
  return sql.query<ListedCapture>(
    `SELECT id, received_at, is_unmapped FROM relay_captures WHERE source_id = $1 ORDER BY received_at DESC, id LIMIT 500`,
    [sourceId],
  );
}

/** A captured request as it came; undefined where there is none, or it is not of this source. @throws VaultError */
export async function openCapture(
  sql: Sql,
  vault: Pick<Vault, 'open'>,
  organisationId: number,
  sourceId: number,
  id: string,
): Promise<{ request: CapturedRequest; receivedAt: Date } | undefined> {
  const row = await sql.maybe<{ received_at: Date; subject: Buffer; request_sealed: Buffer }>(
    'SELECT received_at, subject, request_sealed FROM relay_captures WHERE id = $1 AND source_id = $2',
    [id, sourceId],
  );
  if (row === undefined) return undefined;
  const place = { ...capturePlace(organisationId, id), subject: row.subject };
  const plain = await vault.open(place, row.request_sealed);
  return { request: captureOfText(plain.toString('utf8')), receivedAt: row.received_at };
}
