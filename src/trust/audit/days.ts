import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { dayOf, isNamedZone, startOfDay, zoneOrUtc } from '../../platform/zone.ts';

/** From one instant to before another, in milliseconds. */
export interface Span {
  since?: number;
  before?: number;
}

/**
 * The instants that the days of a question stand for, both days included: days of the zone that is asked for, else of the
 * organisation, else (the desk's own trail) of UTC. A day has 23 or 25 hours where clocks change in it.
 * @throws RequestError `invalid_field` for a day that no calendar has and a zone that this runtime does not know
 */
export async function spanOf(
  sql: Sql,
  chain: number,
  asked: { from?: string | undefined; to?: string | undefined; timezone?: string | undefined },
): Promise<Span> {
  const { from, to, timezone } = asked;
  if (timezone !== undefined && !isNamedZone(timezone))
    throw new RequestError('invalid_field', 'Name a timezone as the IANA list does, as in Europe/Berlin.', {
      field: 'timezone',
    });
  if (from === undefined && to === undefined) return {};
  const zone = timezone ?? (await zoneOf(sql, chain));
  return {
    ...(from === undefined ? {} : { since: startOfDay(dayNamed('from', from), zone) }),
    ...(to === undefined ? {} : { before: startOfDay(dayNamed('to', to) + 1, zone) }),
  };
}

async function zoneOf(sql: Sql, chain: number): Promise<string> {
  const [own] = await sql.query<{ timezone: string }>('SELECT timezone FROM organisations WHERE id = $1', [chain]);
  return own === undefined ? 'UTC' : zoneOrUtc(own.timezone);
}

function dayNamed(field: 'from' | 'to', iso: string): number {
  const day = dayOf(iso);
  if (day === undefined) throw new RequestError('invalid_field', `There is no day ${iso} in the calendar.`, { field });
  return day;
}
