import type { SignatureScheme } from '../../../contract/mapping.ts';
import type { RelaySource, SourceKind } from '../../../contract/relay_settings.ts';
import { RequestError, whyOf } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { SealedSecrets } from './secrets.ts';

export interface SourceRow extends SealedSecrets {
  readonly name: string;
  readonly kind: SourceKind;
  readonly preset: string | null;
  readonly state: 'active' | 'paused';
  readonly site_id: number | null;
  readonly domain: string | null;
  readonly has_address: boolean;
  readonly former_until: Date | null;
  readonly signature_scheme: SignatureScheme | null;
  readonly signature_header: string | null;
  readonly mapping_version: number;
  readonly unmapped_status: number;
  readonly doubles_minutes: number;
  readonly raw_days: number;
  readonly intake_days: number;
  readonly click_ids: boolean;
  readonly requests_per_minute: number | null;
  readonly ip_and_agent: boolean;
  readonly browser_ids: boolean;
  readonly pixel_calls: boolean;
  readonly created_at: Date;
  readonly last_request_at: Date | null;
  readonly conversions_today: number;
  readonly unmapped: number;
  readonly routes: number;
}

const columns = `s.id, s.organisation_id, s.name, s.kind, s.preset, s.state, s.site_id, w.domain,
  s.address_digest IS NOT NULL AS has_address, s.former_until, s.signature_scheme, s.signature_header,
  s.secret_sealed, s.former_secret_sealed, s.former_secret_until, s.mapping_version, s.unmapped_status,
  s.doubles_minutes, s.raw_days, s.intake_days, s.requests_per_minute, s.click_ids, s.ip_and_agent, s.browser_ids, s.pixel_calls, s.created_at, p.last_request_at, coalesce(p.unmapped, 0) AS unmapped,
  coalesce(t.count, 0) AS conversions_today,
  (SELECT count(*)::int FROM relay_routes r WHERE r.source_id = s.id AND r.state = 'active') AS routes`;
/** Figures of all sources in one reading each, since a list has two hundred of them. */
const from = `relay_sources s LEFT JOIN sites w ON w.id = s.site_id
  LEFT JOIN (
    SELECT source_id, max(received_at) AS last_request_at, (count(*) FILTER (WHERE is_unmapped))::int AS unmapped
    FROM relay_captures GROUP BY source_id
  ) p ON p.source_id = s.id
  LEFT JOIN (
    SELECT about AS source_id, sum(rows)::int AS count FROM relay_summed
    WHERE organisation_id = current_organisation() AND what = 'told' AND begins_at >= $1 GROUP BY about
  ) t ON t.source_id = s.id`;

const dayMs = 86_400_000;
const midnight = (now: number) => new Date(now - (now % dayMs));

export function sourceRows(sql: Sql, now: number): Promise<SourceRow[]> {
  return sql.query<SourceRow>(`SELECT ${columns} FROM ${from} ORDER BY s.name, s.id`, [midnight(now)]);
}

/** @throws RequestError not_found */
export async function sourceRow(sql: Sql, id: number, now: number): Promise<SourceRow> {
  const row = await sql.maybe<SourceRow>(`SELECT ${columns} FROM ${from} WHERE s.id = $2`, [midnight(now), id]);
  if (row === undefined) throw new RequestError('not_found', 'There is no source with this number here.');
  return row;
}

/** Requests of a source since midnight UTC, and when the last one came. */
interface Came {
  readonly today: number;
  readonly refusedToday: number;
  readonly lastMs: number;
}

/** How far back the last request of a source is looked for: as long as the intake log is kept. */
const lookedDays = 90;

/**
 * What the intake log says of the sources of an organisation, by their numbers.
 * @returns undefined where it cannot be read now: the settings do not wait for a warehouse
 */
export async function cameOf(
  { warehouse, clock, log }: Pick<House, 'warehouse' | 'clock' | 'log'>,
  organisationId: number,
): Promise<ReadonlyMap<number, Came> | undefined> {
  const now = clock.now();
  try {
    const rows = await warehouse.read<{ source: string; today: string; refused: string; last: string }>(
      `SELECT toString(source_id) AS source, toString(sumIf(requests, at >= fromUnixTimestamp64Milli({midnight:Int64}, 'UTC'))) AS today,
         toString(sumIf(requests, reason = 'rate' AND at >= fromUnixTimestamp64Milli({midnight:Int64}, 'UTC'))) AS refused,
         toString(toUnixTimestamp64Milli(max(at))) AS last
       FROM relay_intake
       WHERE organisation_id = {organisation:UInt64} AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') GROUP BY source_id`,
      { organisation: organisationId, midnight: midnight(now).getTime(), from: now - lookedDays * dayMs },
      { purpose: 'relay_sources' },
    );
    return new Map(
      rows.map(({ source, today, refused, last }) => [
        Number(source),
        { today: Number(today), refusedToday: Number(refused), lastMs: Number(last) },
      ]),
    );
  } catch (error) {
    log.warn('relay.figures_not_read', { why: whyOf(error) });
    return undefined;
  }
}

/** @param came undefined where nobody could say */
export function shownSource(row: SourceRow, now: number, came: ReadonlyMap<number, Came> | undefined): RelaySource {
  const own = came?.get(row.id);
  const last = Math.max(own?.lastMs ?? 0, row.last_request_at?.getTime() ?? 0);
  const living = (until: Date | null) => (until !== null && until.getTime() > now ? until.toISOString() : null);
  return {
    ...{ id: row.id, name: row.name, kind: row.kind, preset: row.preset, state: row.state },
    site: row.site_id === null ? null : { id: row.site_id, domain: row.domain ?? '' },
    address: row.has_address ? { former_until: living(row.former_until) } : null,
    signature:
      row.signature_scheme === null
        ? null
        : {
            ...{ scheme: row.signature_scheme, header: row.signature_header },
            former_until: living(row.former_secret_until),
          },
    mapping_version: row.mapping_version,
    unmapped_status: row.unmapped_status === 422 ? 422 : 202,
    ...{ doubles_minutes: row.doubles_minutes, raw_days: row.raw_days, intake_days: row.intake_days },
    requests_per_minute: row.requests_per_minute,
    ...{ click_ids: row.click_ids, ip_and_agent: row.ip_and_agent },
    ...{ browser_ids: row.browser_ids, pixel_calls: row.pixel_calls },
    created_at: row.created_at.toISOString(),
    last_request_at: last === 0 ? null : new Date(last).toISOString(),
    requests_today: came === undefined ? null : (own?.today ?? 0),
    rate_refused_today: came === undefined ? null : (own?.refusedToday ?? 0),
    ...{ conversions_today: row.conversions_today, unmapped: row.unmapped, routes: row.routes },
  };
}
