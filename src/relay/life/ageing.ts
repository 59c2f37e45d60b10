import { pixelHours } from '../../../contract/pixels.ts';
import { type Clock, repeat } from '../../platform/clock.ts';
import { type Ended, type Executor, endedInPieces } from '../../platform/executor.ts';
import type { Log } from '../../platform/log.ts';
import { everywhere, type Postgres, type Sql } from '../../platform/postgres/index.ts';
import { removeNoted } from '../../platform/removed.ts';
import type { Vault } from '../../platform/vault.ts';
import { heldIn } from '../../trust/windows/index.ts';
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

/** Tellings whose raw identifiers are over: the conversion has ended everywhere, and the days of its source after that too. */
const rawIsOver = `t.raw_sealed IS NOT NULL AND c.organisation_id = t.organisation_id AND c.id = t.conversion_id
  AND c.settled_at IS NOT NULL AND c.settled_at < $1::timestamptz - make_interval(days => c.raw_days)`;

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
      async due({ organisationId, nowMs, holds: { everything: isHeld } }) {
        if (organisationId === null) return [];
        const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
          sql.one<{ rows: number; oldest: Date | null }>(
            'SELECT count(*)::int AS rows, min(called_at) AS oldest FROM relay_pixel_calls WHERE called_at < $1',
            [new Date(nowMs - pixelHours * 3_600_000 - graceMs)],
          ),
        );
        return rows === 0 ? [] : [{ table: 'relay_pixel_calls', rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
      },
    },
    {
      ...{ line: 'conversion-identifiers', of: 'organisations', works: 'by itself' },
      async due({ organisationId, nowMs, holds: { everything: isHeld } }) {
        if (organisationId === null) return [];
        const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
          sql.one<{ rows: number; oldest: Date | null }>(
            `SELECT count(*)::int AS rows, min(t.received_at) AS oldest FROM relay_tellings t, relay_conversions c WHERE ${rawIsOver}`,
            [new Date(nowMs - graceMs)],
          ),
        );
        return rows === 0 ? [] : [{ table: 'relay_tellings', rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
      },
    },
    {
      ...{ line: 'relay-captures', of: 'organisations', works: 'by itself' },
      async due({ organisationId, nowMs, holds: { everything: isHeld } }) {
        if (organisationId === null) return [];
        const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
          sql.one<{ rows: number; oldest: Date | null }>(
            'SELECT count(*)::int AS rows, min(received_at) AS oldest FROM relay_captures WHERE received_at < $1',
            [new Date(nowMs - captureDays * dayMs - graceMs)],
          ),
        );
        return rows === 0 ? [] : [{ table: 'relay_captures', rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
      },
    },
  ];
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

/** Ends raw identifiers and captures whose time is over, every hour, an organisation at a time. Held ones stay. @returns how many rows */
export async function endIdentifiers({ postgres, vault, clock }: Omit<Parts, 'log'>): Promise<number> {
  const now = clock.now();
  const gone = await everywhere(postgres, async (sql, organisationId) => {
    let rows = 0;
    const noted = (line: string, from: string) => ({ line, from, organisationId, nowMs: now });
    if (!(await heldIn(sql, organisationId, 'conversion-identifiers')).everything)
      rows += await removeNoted(
        sql,
        noted('conversion-identifiers', 'relay_tellings'),
        `UPDATE relay_tellings t SET raw_sealed = NULL FROM relay_conversions c WHERE ${rawIsOver}
         RETURNING t.id::text AS key, t.received_at AS since`,
        [new Date(now)],
      );
    rows += await endPixelCalls(sql, organisationId, now);
    if ((await heldIn(sql, organisationId, 'relay-captures')).everything) return [rows];
    const over = new Date(now - captureDays * dayMs);
    const captures = await sql.query<{ subject: Buffer }>(
      'SELECT subject FROM relay_captures WHERE received_at < $1 FOR UPDATE',
      [over],
    );
    for (const { subject } of captures) await vault.shred(organisationId, subject);
    rows += await removeNoted(
      sql,
      noted('relay-captures', 'relay_captures'),
      'DELETE FROM relay_captures WHERE received_at < $1 RETURNING id::text AS key, received_at AS since',
      [over],
    );
    return [rows];
  });
  return gone.reduce((sum, rows) => sum + rows, 0);
}

/** @returns what ends the sweep */
export function sweepIdentifiers(parts: Parts): () => void {
  return repeat(parts.clock, sweepMs, () => endIdentifiers(parts), {
    onError: (error) => parts.log.error('relay.ageing_failed', {}, error),
  });
}
