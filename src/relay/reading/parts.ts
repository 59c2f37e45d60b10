import { z } from 'zod';
import type { RelayPeriod } from '../../../contract/relay_asked.ts';
import { relayReadingLimits } from '../../../contract/relay_reading.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { localDay, startOfDay, zoneOrUtc } from '../../platform/zone.ts';
import { destinationOf } from '../destinations/index.ts';
import { ofOrganisation } from '../settings/parts.ts';

export type ReadingHouse = Pick<
  House,
  'postgres' | 'warehouse' | 'clock' | 'random' | 'keys' | 'vault' | 'audit' | 'log' | 'config'
>;

export const ofConversion = ofOrganisation.extend({ conversion: z.uuid() });
export const ofCapture = ofOrganisation.extend({ capture: z.uuid() });
export const ofRequest = ofOrganisation.extend({ request: z.uuid() });

/** What a question may sort and join in memory, in place of the server's 4 MB; two at once are what the limit of readers lets. */
const workMb = 64;

/**
 * Work that only reads, with an end: a question about millions of rows does not hold a connection for long.
 * @throws RequestError query_over_ceiling
 */
export async function reading<T>(
  { postgres }: { postgres: Pick<Postgres, 'tenant'> },
  organisationId: number,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  try {
    return await postgres.tenant(organisationId, async (sql) => {
      await sql.query(`SET LOCAL statement_timeout = ${relayReadingLimits.statementMs}`);
      // A million conversions beside their deliveries are some 100 MB, and on disk they take three times as long.
      await sql.query(`SET LOCAL work_mem = '${workMb}MB'`);
      return work(sql);
    });
  } catch (error) {
    if ((error as { code?: string }).code !== '57014') throw error;
    throw new RequestError(
      'query_over_ceiling',
      `This took longer than ${relayReadingLimits.statementMs / 1000} s. Fewer days or one filter more will answer.`,
    );
  }
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly timezone: string;
  /** First moment of each day, the oldest first. */
  readonly days: readonly number[];
}

const daysOf: Record<RelayPeriod, number> = { today: 1, '7d': 7, '30d': 30, '90d': 90 };

/** A period up to now, cut into days of the organisation's zone. @param now milliseconds since 1970 */
export async function spanOf(sql: Sql, organisationId: number, period: RelayPeriod, now: number): Promise<Span> {
  const { timezone } = await sql.one<{ timezone: string }>('SELECT timezone FROM organisations WHERE id = $1', [
    organisationId,
  ]);
  const zone = zoneOrUtc(timezone);
  const today = localDay(now, zone);
  const first = today - daysOf[period] + 1;
  const days = Array.from({ length: daysOf[period] }, (_, at) => startOfDay(first + at, zone));
  return { from: days[0] as number, to: startOfDay(today + 1, zone), timezone: zone, days };
}

export function shownSpan({ from, to, timezone }: Span) {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), timezone };
}

/** A question with moments in the place of its period. */
export async function resolved<
  Asked extends { period?: RelayPeriod | undefined; from?: string | undefined; to?: string | undefined },
>(sql: Sql, organisationId: number, { period, ...asked }: Asked, now: number): Promise<Omit<Asked, 'period'>> {
  if (period === undefined) return asked;
  const { from, to } = shownSpan(await spanOf(sql, organisationId, period, now));
  return { ...asked, from, to };
}

/** Destinations that deliveries name, those that were removed since too: one look into an index for each. */
export async function destinationIds(sql: Sql, organisationId: number): Promise<number[]> {
  const rows = await sql.query<{ id: number }>(
    `WITH RECURSIVE ids AS (
       (SELECT min(destination_id) AS id FROM relay_deliveries WHERE organisation_id = $1)
       UNION ALL
       SELECT (SELECT min(d.destination_id) FROM relay_deliveries d WHERE d.organisation_id = $1 AND d.destination_id > ids.id)
       FROM ids WHERE ids.id IS NOT NULL
     ) SELECT id FROM ids WHERE id IS NOT NULL`,
    [organisationId],
  );
  return rows.map(({ id }) => id);
}

export interface NamedDestination {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
}

export function destinationNames(sql: Sql): Promise<NamedDestination[]> {
  return sql.query<NamedDestination>('SELECT id, name, kind FROM relay_destinations ORDER BY name, id');
}

export function sourceNames(sql: Sql): Promise<{ id: number; name: string }[]> {
  return sql.query('SELECT id, name FROM relay_sources ORDER BY name, id');
}

/** What a platform is called, by the word of its kind. */
export function labelOf(kind: string): string {
  return destinationOf(kind)?.label ?? kind;
}

/** Times from being taken in until a platform had accepted, in steps of a twentieth of e: 5 % apart. */
export const latencyStep = `CASE WHEN d.state = 'accepted' AND d.settled_at IS NOT NULL
  THEN floor(20 * ln(1 + greatest(0, date_part('epoch', d.settled_at - d.created_at) * 1000)))::int END`;

/** @param steps how many deliveries took how long, by `latencyStep` */
export function percentiles(steps: ReadonlyMap<number, number>): { p50_ms: number; p95_ms: number } | null {
  const sorted = [...steps].sort(([a], [b]) => a - b);
  const all = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (all === 0) return null;
  const at = (share: number) => {
    let seen = 0;
    for (const [step, count] of sorted) {
      seen += count;
      if (seen >= all * share) return Math.max(0, Math.round(Math.exp((step + 0.5) / 20) - 1));
    }
    return 0;
  };
  return { p50_ms: at(0.5), p95_ms: at(0.95) };
}

export type Cursor = { readonly at: number; readonly id: string } | undefined;

/** Where a page ended: milliseconds and an id, so that rows of the same moment are neither lost nor shown twice. */
export function cursorOf(given: string | undefined): Cursor {
  if (given === undefined) return undefined;
  const dot = given.indexOf('.');
  return { at: Number(given.slice(0, dot)), id: given.slice(dot + 1) };
}
