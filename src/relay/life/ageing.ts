import { pixelHours } from '../../../contract/pixels.ts';
import { type Clock, repeat } from '../../platform/clock.ts';
import { type Due, type Ended, type Executor, endedInPieces, type WindowAsk } from '../../platform/executor.ts';
import type { Log } from '../../platform/log.ts';
import { everyOrganisation, type Postgres, PostgresAway, type Sql } from '../../platform/postgres/index.ts';
import { removeNoted } from '../../platform/removed.ts';
import type { Vault } from '../../platform/vault.ts';
import { heldIn } from '../../trust/windows/index.ts';
import { isKept, siteOfCapture } from './kept.ts';
import { endPixelCalls } from './pixels.ts';

const dayMs = 86_400_000;
/** Captured requests, and those that nothing could be made of, are for whoever maps them now. */
export const captureDays = 7;
/** Raw identifiers and captures go by the hour, so that "seven days" is not eight. */
const sweepMs = 3_600_000;
/** Until the hour's sweep has been, what is over may still be there; the night does not call that past due. */
const graceMs = 2 * sweepMs;
/** Rows that go in one statement, so that none holds its locks for long. */
const pieceRows = 10_000;
/** Captured requests of one transaction, each with a key that is destroyed by itself: a second or so. */
const capturesOfPiece = 500;

/** Tellings whose raw identifiers are over: the conversion has ended everywhere, and the days of its source after that too. */
const rawIsOver = `t.raw_sealed IS NOT NULL AND c.organisation_id = t.organisation_id AND c.id = t.conversion_id
  AND c.settled_at IS NOT NULL AND c.settled_at < $1::timestamptz - make_interval(days => c.raw_days)`;
/** Before and after every number of a telling. */
const [firstOfAll, lastOfAll] = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];

/** What of the relay goes by age, for the nightly run. */
export function relayExecutors(postgres: Pick<Postgres, 'tenant'>): Executor[] {
  return [
    {
      ...{ line: 'relay-attempts', of: 'organisations', works: 'in the transaction' },
      async due({ organisationId, cutMs, holds: { everything: isHeld } }) {
        if (organisationId === null) return [];
        const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
          sql.one<{ rows: number; oldest: Date | null }>(
            'SELECT count(*)::int AS rows, min(sent_at) AS oldest FROM relay_attempts WHERE sent_at < $1',
            [new Date(cutMs)],
          ),
        );
        return rows === 0 ? [] : [{ table: 'relay_attempts', rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
      },
      async end({ cutMs, holds }, sql) {
        return holds.everything ? [] : endAttempts(sql, new Date(cutMs));
      },
    },
    {
      ...{ line: 'relay-pixel-days', of: 'organisations', works: 'in the transaction' },
      async due({ organisationId, cutMs, holds: { everything: isHeld } }) {
        if (organisationId === null) return [];
        const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
          sql.one<{ rows: number; oldest: Date | null }>(
            'SELECT count(*)::int AS rows, min(day)::timestamptz AS oldest FROM relay_pixel_days WHERE day < $1::date',
            [new Date(cutMs)],
          ),
        );
        return rows === 0 ? [] : [{ table: 'relay_pixel_days', rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
      },
      async end({ cutMs, holds }, sql) {
        return holds.everything ? [] : endDays(sql, new Date(cutMs));
      },
    },
    {
      ...{ line: 'relay-pixel-calls', of: 'organisations', works: 'by itself' },
      due: (ask) =>
        dueBesideHolds(postgres, ask, {
          ...{ table: 'relay_pixel_calls', at: 'c.called_at', site: 'c.site_id' },
          ...{
            from: 'relay_pixel_calls c WHERE c.called_at < $1',
            before: ask.nowMs - pixelHours * 3_600_000 - graceMs,
          },
        }),
    },
    {
      ...{ line: 'conversion-identifiers', of: 'organisations', works: 'by itself' },
      due: (ask) =>
        dueBesideHolds(postgres, ask, {
          ...{ table: 'relay_tellings', at: 't.received_at', site: 'c.site_id' },
          ...{ from: `relay_tellings t, relay_conversions c WHERE ${rawIsOver}`, before: ask.nowMs - graceMs },
        }),
    },
    {
      ...{ line: 'relay-captures', of: 'organisations', works: 'by itself' },
      due: (ask) =>
        dueBesideHolds(postgres, ask, {
          ...{ table: 'relay_captures', at: 'k.received_at', site: siteOfCapture },
          ...{ from: 'relay_captures k WHERE k.received_at < $1', before: ask.nowMs - captureDays * dayMs - graceMs },
        }),
    },
  ];
}

/** What is over of a table, and what of that a hold keeps: of everything, of the class, or of the site that it belongs to. */
export async function dueBesideHolds(
  postgres: Pick<Postgres, 'tenant'>,
  { organisationId, holds }: WindowAsk,
  { table, at, site, from, before }: { table: string; at: string; site: string; from: string; before: number },
): Promise<Due[]> {
  if (organisationId === null) return [];
  const counted = await postgres.tenant(organisationId, (sql) =>
    sql.query<{ is_held: boolean; rows: number; oldest: Date }>(
      `SELECT ${isKept(site, 2)} AS is_held, count(*)::int AS rows, min(${at}) AS oldest FROM ${from} GROUP BY 1`,
      [new Date(before), holds.everything, [...holds.siteIds]],
    ),
  );
  return counted.map(({ is_held, rows, oldest }) => ({ table, rows, oldestMs: oldest.getTime(), isHeld: is_held }));
}

function endAttempts(sql: Sql, before: Date): Promise<Ended[]> {
  return endedInPieces('relay_attempts', pieceRows, () =>
    sql.query(
      `DELETE FROM relay_attempts WHERE id IN (SELECT id FROM relay_attempts WHERE sent_at < $1 ORDER BY id LIMIT $2)
       RETURNING id, sent_at AS at`,
      [before, pieceRows],
    ),
  );
}

function endDays(sql: Sql, before: Date): Promise<Ended[]> {
  return endedInPieces('relay_pixel_days', pieceRows, () =>
    sql.query(
      `DELETE FROM relay_pixel_days WHERE id IN (SELECT id FROM relay_pixel_days WHERE day < $1::date ORDER BY id LIMIT $2)
       RETURNING id, day::timestamptz AS at`,
      [before, pieceRows],
    ),
  );
}

interface Parts {
  readonly postgres: Pick<Postgres, 'system' | 'tenant'>;
  readonly vault: Pick<Vault, 'shred'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Part of a line's sweep, in a transaction of its own. */
interface Piece {
  readonly rows: number;
  readonly isLast: boolean;
}

/**
 * Ends raw identifiers and captures whose time is over, every hour, an organisation at a time. Held ones stay. What fails in one keeps
 * nothing of the others, and goes with the next sweep.
 * @returns how many rows
 * @throws Error after all of them, where one was left
 */
export async function endIdentifiers({ postgres, vault, clock, log }: Parts): Promise<number> {
  const now = clock.now();
  const failed: unknown[] = [];
  let rows = 0;
  for (const organisationId of await everyOrganisation(postgres)) {
    let after = firstOfAll;
    const lines: Record<string, (sql: Sql) => Promise<Piece>> = {
      async 'conversion-identifiers'(sql) {
        const { last, ...piece } = await endRaw(sql, organisationId, { now, after });
        after = last;
        return piece;
      },
      'relay-pixel-calls': (sql) => endPixelCalls(sql, organisationId, now),
      'relay-captures': (sql) => endCaptures(sql, vault, organisationId, now),
    };
    for (const [line, end] of Object.entries(lines))
      try {
        for (let isLast = false; !isLast; ) {
          const piece = await postgres.tenant(organisationId, end);
          rows += piece.rows;
          isLast = piece.isLast;
        }
      } catch (error) {
        // Without the server each of the others would wait for it as well.
        if (error instanceof PostgresAway) throw error;
        log.error('relay.ageing_failed', { organisation: organisationId, line }, error);
        failed.push(error);
      }
  }
  if (failed.length > 0)
    throw new Error(`What is over was left ${failed.length} times; the next sweep takes it.`, { cause: failed[0] });
  return rows;
}

/** @param from.after those up to this number have been looked at @returns the last that is now */
async function endRaw(
  sql: Sql,
  organisationId: number,
  { now, after }: { now: number; after: string },
): Promise<Piece & { last: string }> {
  const { everything, siteIds } = await heldIn(sql, organisationId, 'conversion-identifiers');
  if (everything) return { rows: 0, isLast: true, last: lastOfAll };
  const full = await sql.maybe<{ id: string }>(
    `SELECT id FROM relay_tellings WHERE organisation_id = current_organisation() AND raw_sealed IS NOT NULL AND id > $1
     ORDER BY id LIMIT 1 OFFSET $2`,
    [after, pieceRows - 1],
  );
  const last = full?.id ?? lastOfAll;
  // OFFSET 0: one look at each conversion, whatever the planner thinks of how many there are.
  const rows = await removeNoted(
    sql,
    { line: 'conversion-identifiers', from: 'relay_tellings', organisationId, nowMs: now },
    `UPDATE relay_tellings SET raw_sealed = NULL
     WHERE organisation_id = current_organisation() AND raw_sealed IS NOT NULL AND id = ANY (ARRAY(
       SELECT t.id FROM (SELECT * FROM relay_tellings x WHERE x.organisation_id = current_organisation() AND x.raw_sealed IS NOT NULL
         AND x.id > $4 AND x.id <= $5 ORDER BY x.id LIMIT $6) AS t
       CROSS JOIN LATERAL (SELECT FROM relay_conversions c WHERE ${rawIsOver} AND NOT ${isKept('c.site_id', 2)} OFFSET 0) AS over))
     RETURNING id::text AS key, received_at AS since`,
    [new Date(now), everything, [...siteIds], after, last, pieceRows],
  );
  return { rows, isLast: full === undefined, last };
}

async function endCaptures(sql: Sql, vault: Pick<Vault, 'shred'>, organisationId: number, now: number): Promise<Piece> {
  const { everything, siteIds } = await heldIn(sql, organisationId, 'relay-captures');
  const captures = await sql.query<{ id: string; subject: Buffer }>(
    `SELECT k.id, k.subject FROM relay_captures k WHERE k.received_at < $1 AND NOT ${isKept(siteOfCapture, 2)}
     ORDER BY k.id LIMIT $4 FOR UPDATE OF k`,
    [new Date(now - captureDays * dayMs), everything, [...siteIds], capturesOfPiece],
  );
  for (const { subject } of captures) await vault.shred(organisationId, subject);
  const rows = await removeNoted(
    sql,
    { line: 'relay-captures', from: 'relay_captures', organisationId, nowMs: now },
    'DELETE FROM relay_captures WHERE id = ANY ($1::uuid[]) RETURNING id::text AS key, received_at AS since',
    [captures.map(({ id }) => id)],
  );
  return { rows, isLast: captures.length < capturesOfPiece };
}

/** @returns what ends the sweep */
export function sweepIdentifiers(parts: Parts): () => void {
  return repeat(parts.clock, sweepMs, () => endIdentifiers(parts), {
    onError: (error) => parts.log.error('relay.ageing_failed', {}, error),
  });
}
