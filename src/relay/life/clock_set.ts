import { type Clock, type ClockSet, onClockSet } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { everyOrganisation, type Postgres, type Sql } from '../../platform/postgres/index.ts';
import { deliveryLimits } from '../deliveries/limits.ts';
import { lockLoads } from '../intake/loads.ts';

/** How soon it is seen: what comes in between is told apart by two clocks. */
const lookMs = 500;
/** A smaller step makes nobody wait for long, and no two tellings anything else. */
const leastMs = 30_000;
/** Rows of one statement, and of one look at what many rows hold. */
const changedRows = 5_000;
const lookedAtRows = 20_000;

interface Parts {
  readonly postgres: Pick<Postgres, 'system' | 'tenant'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn' | 'error'>;
}

/** How many rows were moved. */
export interface Moved {
  deliveries: number;
  results: number;
  identities: number;
}

/**
 * Moments that are written down are of the clock of then. Where that was set back by two hours, what is due in ten seconds would
 * wait for two hours more; and the same words, told twice within a minute, would be two conversions whichever way it was set.
 * @param wake something may be due
 * @returns what ends it
 */
export function followClock(parts: Parts, wake: () => void): () => void {
  const { clock, log } = parts;
  return onClockSet(
    clock,
    async (set) => {
      const moved = await moveWithClock(parts, set);
      log.warn('relay.clock_was_set', { by_ms: set.nowMs - set.wasMs, ...moved });
      wake();
    },
    {
      ...{ ms: lookMs, leastMs },
      // Until a lease is over by the steady clock, whoever took the row before may still be sending it.
      onceBack: { ms: deliveryLimits.leaseMs, work: (set) => moveLate(parts, set).then(wake) },
      onError: (error) => log.error('relay.clock_not_followed', {}, error),
    },
  );
}

/** Moves what is written down by the clock before, in every organisation. */
export async function moveWithClock({ postgres }: Pick<Parts, 'postgres'>, set: ClockSet): Promise<Moved> {
  const moved: Moved = { deliveries: 0, results: 0, identities: 0 };
  for (const organisationId of await everyOrganisation(postgres)) {
    const inside = <T>(work: (sql: Sql) => Promise<T>) => postgres.tenant(organisationId, work);
    if (set.nowMs < set.wasMs) {
      moved.deliveries += await inPieces((after) => inside((sql) => moveWaiting(sql, set, after)));
      moved.results += await inside((sql) => moveResults(sql, set));
    }
    moved.identities += await moveIdentities(inside, organisationId, set);
  }
  return moved;
}

/**
 * A lease later: rows that a process took before the clock was set back, and died with, and what was loaded from the spool only
 * after that. No lease of the new clock ends so late.
 */
async function moveLate({ postgres, clock }: Parts, { nowMs, wasMs }: ClockSet): Promise<void> {
  const now = clock.now();
  for (const organisationId of await everyOrganisation(postgres)) {
    const inside = <T>(work: (sql: Sql) => Promise<T>) => postgres.tenant(organisationId, work);
    await inside((sql) =>
      sql.run(
        `UPDATE relay_deliveries SET next_at = $1
         WHERE organisation_id = current_organisation() AND state = 'sending' AND next_at > $2`,
        [new Date(now), new Date(now + deliveryLimits.leaseMs)],
      ),
    );
    await moveIdentities(inside, organisationId, { nowMs: now, wasMs: now + wasMs - nowMs });
  }
}

type Inside = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;

async function inPieces(piece: (after: number) => Promise<readonly { id: number }[]>): Promise<number> {
  let moved = 0;
  for (let after = 0; ; ) {
    const rows = await piece(after);
    moved += rows.length;
    if (rows.length < changedRows) return moved;
    after = rows.reduce((last, { id }) => Math.max(last, id), after);
  }
}

/** What was due by the clock before is due; pauses are as long as they were. A row that somebody has now gets its own moment. */
function moveWaiting(sql: Sql, { nowMs, wasMs }: ClockSet, after: number): Promise<{ id: number }[]> {
  return sql.query<{ id: number }>(
    `UPDATE relay_deliveries d SET next_at = greatest($1, d.next_at - $2::float8 * interval '1 millisecond')
     FROM (SELECT id FROM relay_deliveries WHERE organisation_id = current_organisation() AND state = 'waiting' AND next_at > $1
       AND id > $3 ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED) AS ahead
     WHERE d.organisation_id = current_organisation() AND d.id = ahead.id RETURNING d.id`,
    [new Date(nowMs), wasMs - nowMs, after, changedRows],
  );
}

function moveResults(sql: Sql, { nowMs, wasMs }: ClockSet): Promise<number> {
  return sql.run(
    `UPDATE relay_attempts SET result_at = greatest($1, result_at - $2::float8 * interval '1 millisecond')
     WHERE organisation_id = current_organisation() AND result_at > $1`,
    [new Date(nowMs), wasMs - nowMs],
  );
}

/**
 * When words were told last. Back: what is to come by the new clock. Forward: what the same words could still be told apart from, by
 * the widest window of a source. Between two loads of the organisation, as whoever tells apart.
 */
async function moveIdentities(inside: Inside, organisationId: number, { nowMs, wasMs }: ClockSet): Promise<number> {
  let moved = 0;
  for (let after: readonly [Buffer, string] = [Buffer.alloc(0), '00000000-0000-0000-0000-000000000000']; ; ) {
    const piece = await inside(async (sql) => {
      await lockLoads(sql, organisationId);
      return sql.one<{ looked: number; moved: number; identity: Buffer | null; conversion: string | null }>(
        `WITH looked AS (
           SELECT identity, conversion_id, last_at FROM relay_identities WHERE organisation_id = current_organisation()
             AND (identity, conversion_id) > ($1::bytea, $2::uuid) ORDER BY identity, conversion_id LIMIT $3
         ), moved AS (
           UPDATE relay_identities i SET last_at = i.last_at + $4::float8 * interval '1 millisecond' FROM looked l
           WHERE i.organisation_id = current_organisation() AND i.identity = l.identity AND i.conversion_id = l.conversion_id
             AND CASE WHEN $4::float8 < 0 THEN l.last_at > $5
               ELSE l.last_at <= $6 AND l.last_at > $6 - (SELECT coalesce(max(doubles_minutes), 0) FROM relay_sources) * interval '1 minute' END
           RETURNING 1
         ), last AS (SELECT identity, conversion_id FROM looked ORDER BY identity DESC, conversion_id DESC LIMIT 1)
         SELECT (SELECT count(*)::int FROM looked) AS looked, (SELECT count(*)::int FROM moved) AS moved,
           (SELECT identity FROM last) AS identity, (SELECT conversion_id FROM last) AS conversion`,
        [after[0], after[1], lookedAtRows, nowMs - wasMs, new Date(nowMs), new Date(wasMs)],
      );
    });
    moved += piece.moved;
    if (piece.looked < lookedAtRows || piece.identity === null || piece.conversion === null) return moved;
    after = [piece.identity, piece.conversion];
  }
}
