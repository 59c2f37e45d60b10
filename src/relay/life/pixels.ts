import { pixelHours } from '../../../contract/pixels.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { removeNoted } from '../../platform/removed.ts';
import { heldIn } from '../../trust/windows/index.ts';
import { isSentToo } from '../intake/pixels.ts';
import { isKept } from './kept.ts';

/** Calls that go in one transaction. */
const pieceRows = 10_000;

/**
 * Ends calls of pixels that no delivery can belong to any more: those that met none are counted, by day, where the relay sends
 * such an event to the platform at all, and their digests go. What no delivery was ever of is the browser's alone and no gap.
 *
 * A piece of them at a time, of the oldest.
 *
 * @param now milliseconds since 1970 @returns how many calls went, and whether that was all
 */
export async function endPixelCalls(
  sql: Sql,
  organisationId: number,
  now: number,
): Promise<{ rows: number; isLast: boolean }> {
  const { everything, siteIds } = await heldIn(sql, organisationId, 'relay-pixel-calls');
  if (everything) return { rows: 0, isLast: true };
  const free = `c.organisation_id = current_organisation() AND NOT ${isKept('c.site_id', 2)}`;
  const before = new Date(now - pixelHours * 3_600_000);
  const held = [everything, [...siteIds]];
  const full = await sql.maybe<{ called_at: Date }>(
    `SELECT date_trunc('milliseconds', c.called_at) AS called_at FROM relay_pixel_calls c WHERE c.called_at < $1 AND ${free}
     ORDER BY c.called_at LIMIT 1 OFFSET $4`,
    [before, ...held, pieceRows - 1],
  );
  // All of the same millisecond go together.
  const over = `c.called_at < $1 AND ${free}`;
  const params = [
    full === undefined ? before : new Date(Math.min(full.called_at.getTime() + 1, before.getTime())),
    ...held,
  ];
  await sql.run(
    `INSERT INTO relay_pixel_days AS p (organisation_id, day, platform, event_name, with_id, without_id)
     SELECT c.organisation_id, (c.called_at AT TIME ZONE o.timezone)::date, c.platform, c.event_name, count(c.id_digest),
       count(*) - count(c.id_digest)
     FROM relay_pixel_calls c JOIN organisations o ON o.id = c.organisation_id
     WHERE ${over} AND c.met IS NULL
       AND ${isSentToo}
     GROUP BY 1, 2, 3, 4
     ON CONFLICT (organisation_id, day, platform, event_name) DO UPDATE
       SET with_id = p.with_id + excluded.with_id, without_id = p.without_id + excluded.without_id`,
    params,
  );
  const rows = await removeNoted(
    sql,
    { line: 'relay-pixel-calls', from: 'relay_pixel_calls', organisationId, nowMs: now },
    `DELETE FROM relay_pixel_calls c WHERE ${over} RETURNING c.id::text AS key, c.called_at AS since`,
    params,
  );
  return { rows, isLast: full === undefined };
}
