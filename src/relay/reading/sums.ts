import { type Clock, repeat } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { everywhere, type Postgres, type Sql } from '../../platform/postgres/index.ts';
import { localDay, startOfDay, zoneOrUtc } from '../../platform/zone.ts';

/**
 * Sums of what the pages count. Triggers write what comes to them into `relay_sum_changes`, in the transaction that changes
 * something (migration v5-01); here they are added up, and the quarters of days that are over are put together. At every
 * moment `relay_summed` is what a count of the rows themselves would be.
 */
export const sumLimits = {
  /** How often changes are added up: some hundred rows a second come while much is sent. */
  addMs: 15_000,
  /** Changes of one transaction. */
  changesMax: 50_000,
  /** How often it is looked whether days are over, and days of one transaction. */
  closeMs: 3_600_000,
  daysOpen: 1,
  daysMax: 400,
} as const;

/** Sums that are counted together. */
const key = 'organisation_id, what, begins_at, ends_at, about, state, reason, was_sent, step, present';

/**
 * Adds up what has come to the sums of an organisation. Of two processes one does it.
 * @returns how many changes
 */
export async function addUp(sql: Sql, organisationId: number): Promise<number> {
  if (!(await isMine(sql, organisationId))) return 0;
  const { changes } = await sql.one<{ changes: number }>(
    `WITH gone AS (
       DELETE FROM relay_sum_changes WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM relay_sum_changes WHERE organisation_id = $1 LIMIT $2)) RETURNING *
     ), added AS (
       INSERT INTO relay_sums (${key}, rows, doubles, routed)
       SELECT organisation_id, what, begins_at, begins_at + interval '15 minutes', about, state, reason, was_sent, step, present,
         sum(rows), sum(doubles), sum(routed)
       FROM gone GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
       HAVING sum(rows) <> 0 OR sum(doubles) <> 0 OR sum(routed) <> 0
       ON CONFLICT (${key}) DO UPDATE SET rows = relay_sums.rows + excluded.rows,
         doubles = relay_sums.doubles + excluded.doubles, routed = relay_sums.routed + excluded.routed
     )
     SELECT count(*)::int AS changes FROM gone`,
    [organisationId, sumLimits.changesMax],
  );
  await dropNothing(sql, organisationId);
  return changes;
}

/**
 * Puts the quarters of days that are over into one row each, in the organisation's zone: those before yesterday, since alerts
 * look at the last 24 hours. Where it has moved to another zone, days that were put together are none any more, and the sums are made anew out of the rows.
 * @param now milliseconds since 1970
 * @returns how many days
 */
export async function closeDays(sql: Sql, organisationId: number, now: number): Promise<number> {
  if (!(await isMine(sql, organisationId))) return 0;
  const zone = await zoneOf(sql, organisationId);
  // A million rows take longer than an answer may.
  await sql.query('SET LOCAL statement_timeout = 0');
  if ((await cutDays(sql, organisationId, zone)) > 0) {
    await sql.query('SELECT relay_sums_anew($1)', [organisationId]);
    return 0;
  }
  const { oldest } = await sql.one<{ oldest: Date | null }>(
    'SELECT min(begins_at) AS oldest FROM relay_sums WHERE organisation_id = $1 AND NOT is_day',
    [organisationId],
  );
  const open = localDay(now, zone) - sumLimits.daysOpen;
  const first = oldest === null ? open : localDay(oldest.getTime(), zone);
  const count = Math.min(Math.max(0, open - first), sumLimits.daysMax);
  if (count === 0) return 0;
  const starts = Array.from({ length: count + 1 }, (_, at) => new Date(startOfDay(first + at, zone)));
  await sql.run(
    `WITH gone AS (
       DELETE FROM relay_sums s USING unnest($2::timestamptz[], $3::timestamptz[]) AS day (begins, ends)
       WHERE s.organisation_id = $1 AND NOT s.is_day AND s.begins_at >= day.begins AND s.begins_at < day.ends
       RETURNING s.*, day.begins, day.ends
     )
     INSERT INTO relay_sums (${key}, rows, doubles, routed, is_day)
     SELECT organisation_id, what, begins, ends, about, state, reason, was_sent, step, present, sum(rows), sum(doubles), sum(routed), true
     FROM gone GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
     ON CONFLICT (${key}) DO UPDATE SET rows = relay_sums.rows + excluded.rows,
       doubles = relay_sums.doubles + excluded.doubles, routed = relay_sums.routed + excluded.routed`,
    [organisationId, starts.slice(0, -1), starts.slice(1)],
  );
  await dropNothing(sql, organisationId);
  return count;
}

/** Whether days that were put together are days of this zone; where not, the sums say nothing of days. */
export async function hasWholeDays(sql: Sql, organisationId: number, zone: string): Promise<boolean> {
  return (await cutDays(sql, organisationId, zone)) === 0;
}

/** Days that were put together and are none in this zone. One look into the index for each day that there is. */
async function cutDays(sql: Sql, organisationId: number, zone: string): Promise<number> {
  const days = await sql.query<{ begins_at: Date; ends_at: Date }>(
    'SELECT DISTINCT begins_at, ends_at FROM relay_sums WHERE organisation_id = $1 AND is_day',
    [organisationId],
  );
  return days.filter(({ begins_at, ends_at }) => {
    const day = localDay(begins_at.getTime(), zone);
    return startOfDay(day, zone) !== begins_at.getTime() || startOfDay(day + 1, zone) !== ends_at.getTime();
  }).length;
}

async function zoneOf(sql: Sql, organisationId: number): Promise<string> {
  const { timezone } = await sql.one<{ timezone: string }>('SELECT timezone FROM organisations WHERE id = $1', [
    organisationId,
  ]);
  return zoneOrUtc(timezone);
}

/** One at a time: what is added up, put together and made anew meanwhile would be counted twice. */
async function isMine(sql: Sql, organisationId: number): Promise<boolean> {
  const { mine } = await sql.one<{ mine: boolean }>(
    "SELECT pg_try_advisory_xact_lock(hashtextextended('relay.sums', $1)) AS mine",
    [organisationId],
  );
  return mine;
}

async function dropNothing(sql: Sql, organisationId: number): Promise<void> {
  await sql.run('DELETE FROM relay_sums WHERE organisation_id = $1 AND rows = 0 AND doubles = 0 AND routed = 0', [
    organisationId,
  ]);
}

interface Parts {
  readonly postgres: Pick<Postgres, 'system' | 'tenant'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'error'>;
}

/** Of every organisation to whose sums something came. @returns how many changes */
export async function addUpEverywhere({ postgres }: Pick<Parts, 'postgres'>): Promise<number> {
  const waiting = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.relay_sums_to_add()'),
  );
  let all = 0;
  for (const { organisation_id: organisation } of waiting)
    for (let piece: number = sumLimits.changesMax; piece === sumLimits.changesMax; all += piece)
      piece = await postgres.tenant(organisation, (sql) => addUp(sql, organisation));
  return all;
}

/** @returns what ends it */
export function watchSums({ postgres, clock, log }: Parts): () => void {
  const onError = (error: unknown) => log.error('relay.sums_failed', {}, error);
  const stops = [
    repeat(clock, sumLimits.addMs, () => addUpEverywhere({ postgres }), { onError }),
    repeat(
      clock,
      sumLimits.closeMs,
      () => everywhere(postgres, async (sql, organisation) => [await closeDays(sql, organisation, clock.now())]),
      { firstMs: 5 * 60_000, onError },
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
