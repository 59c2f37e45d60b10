import { type Clock, repeat } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { everywhere, type Postgres } from '../../platform/postgres/index.ts';
import { type Vault, VaultError } from '../../platform/vault.ts';
import { isEarly, takeRequest } from '../sources/capture.ts';
import { openCapture } from './captures.ts';
import { readSources } from './directory.ts';
import { knownTellings, type LoaderParts, load } from './loader.ts';
import { type ConversionRecord, makeRecord, type Sealing, tellingIdOf } from './record.ts';

const lookMs = 30_000;
/** What was still to happen is tried again after that, and then whenever as long has passed again as since it came. */
const earlyMs = 10 * 60_000;
const earlyMsMax = 24 * 3_600_000;
/** Of one source at a time: each is opened, read and stored by itself. */
const requestsAtOnce = 200;

export interface AgainParts extends LoaderParts {
  readonly postgres: Pick<Postgres, 'system' | 'tenant'>;
  readonly vault: Pick<Vault, 'adopt' | 'disown' | 'open' | 'fresh' | 'shred'>;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/** What became of requests that had not mapped. */
export interface RunAgain {
  /** Requests of which everything is a conversion now. */
  requests: number;
  conversions: number;
  /** Requests that the new mapping makes nothing of either. */
  left: number;
}

/** When a request is tried again of which something was still to happen. @param at when it came, by the clock of then */
export function earlyAgainAt(at: number, now: number): number {
  return now + Math.min(Math.max(now - at, earlyMs), earlyMsMax);
}

/**
 * Takes requests once more that made no conversion, where their source has another mapping since, or where something was still to
 * happen by a clock that may have been wrong: the sender's, or the desk's own. As if they had come with that mapping:
 * at the time when they came, under the same numbers. What of a request was stored before, by an earlier mapping or before a
 * kill, is known by its number: it stays as it is, and is neither a second conversion nor told again.
 */
export async function runAgain(parts: AgainParts): Promise<RunAgain> {
  const { postgres } = parts;
  const all: RunAgain = { requests: 0, conversions: 0, left: 0 };
  const waiting = await everywhere(postgres, async (sql, organisationId) => {
    const rows = await sql.query<{ source_id: number; id: string }>(
      `SELECT c.source_id, c.id FROM relay_captures c JOIN relay_sources s ON s.id = c.source_id
       WHERE c.is_unmapped AND (c.tried_version <> s.mapping_version OR c.again_at <= $2) ORDER BY c.received_at LIMIT $1`,
      [requestsAtOnce, new Date(parts.clock.now())],
    );
    return rows.length === 0 ? [] : [{ organisationId, rows }];
  });
  for (const { organisationId, rows } of waiting)
    for (const [sourceId, some] of Map.groupBy(rows, (row) => row.source_id))
      await ofSource(
        parts,
        organisationId,
        sourceId,
        some.map(({ id }) => id),
        all,
      );
  return all;
}

async function ofSource(
  parts: AgainParts,
  organisationId: number,
  sourceId: number,
  ids: readonly string[],
  all: RunAgain,
): Promise<void> {
  const { postgres, vault, sealing, clock } = parts;
  const source = (await readSources(postgres, vault, organisationId, clock.now())).find(({ id }) => id === sourceId);
  if (source?.mapping === undefined) return;
  const freshKeys = await vault.fresh(organisationId);
  try {
    for (const id of ids) {
      const capture = await postgres
        .tenant(organisationId, (sql) => openCapture(sql, vault, organisationId, sourceId, id))
        .catch((error) => {
          if (error instanceof VaultError) return undefined;
          throw error;
        });
      const at = capture?.receivedAt.getTime() ?? 0;
      // Who sent it was asked when it came.
      const now = clock.now();
      const rules = { mapping: source.mapping, ping: source.ping };
      const taken = capture && takeRequest(capture.request, rules, at, Math.max(at, now));
      const records: ConversionRecord[] = [];
      const told = (taken?.conversions ?? []).map((conversion, number) => ({
        ...{ conversion, telling: tellingIdOf(id, taken?.places?.[number]) },
      }));
      const tellings = told.map(({ telling }) => telling);
      const known =
        tellings.length === 0
          ? new Set<string>()
          : await postgres.tenant(organisationId, (sql) => knownTellings(sql, tellings));
      for (const { conversion, telling } of told) {
        if (known.has(telling)) continue;
        const record = makeRecord(conversion, source, { request: id, at, freshKeys, id: telling }, sealing);
        if (record !== undefined) records.push(record);
      }
      if (records.length > 0) await load(parts, organisationId, records);
      const isDone = taken === undefined || taken.unmapped === undefined;
      const subject = await postgres.tenant(organisationId, async (sql) => {
        if (!isDone)
          await sql.run('UPDATE relay_captures SET tried_version = $2, again_at = $3 WHERE id = $1', [
            ...[id, source.mappingVersion, isEarly(taken) ? new Date(earlyAgainAt(at, now)) : null],
          ]);
        else
          return (
            await sql.maybe<{ subject: Buffer }>('DELETE FROM relay_captures WHERE id = $1 RETURNING subject', [id])
          )?.subject;
      });
      if (subject !== undefined) await vault.shred(organisationId, subject);
      all.conversions += records.length;
      if (isDone) all.requests += 1;
      else all.left += 1;
    }
  } finally {
    freshKeys.close();
  }
}

/** Looks again and again. @returns what ends it, and what makes it look at once */
export function watchUnmapped(parts: AgainParts): { stop(): void; look(): Promise<void> } {
  let running: Promise<void> | undefined;
  async function look() {
    running ??= (async () => {
      for (;;) {
        const { requests, conversions, left } = await runAgain(parts);
        if (requests + left === 0) return;
        parts.log.info('relay.taken_again', { requests, conversions, left });
      }
    })().finally(() => {
      running = undefined;
    });
    return running;
  }
  return {
    look,
    stop: repeat(parts.clock, lookMs, look, {
      onError: (error) => parts.log.error('relay.again_failed', {}, error),
    }),
  };
}
