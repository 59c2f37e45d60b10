import type { Conversion } from '../../../contract/conversion.ts';
import {
  type BrowserState,
  browserStates,
  kindOfPixel,
  type PixelPlatform,
  pixelHours,
  pixelPlatforms,
} from '../../../contract/pixels.ts';
import type { PixelCalls } from '../../analytics/index.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { type Random, uuidOf } from '../../platform/random.ts';
import type { KeyRing } from '../../platform/subject.ts';
import { actionSourceOf } from '../destinations/conversion_rules.ts';
import { destinationOf } from '../destinations/index.ts';

/**
 * Calls of pixels as the spool has them: a line of JSON. Ids are keyed digests from the first moment on, since a page may call a
 * pixel with anything.
 */
export interface CallsRecord {
  readonly kind: 'calls';
  readonly organisation: number;
  readonly site: number;
  /** Milliseconds since 1970: when it came. */
  readonly at: number;
  readonly calls: readonly {
    readonly id: string;
    readonly platform: PixelPlatform;
    readonly name: string;
    /** Hex; null = it was called with no id. */
    readonly digest: string | null;
    /** Of the tracker's events in the same view of the page. */
    readonly near: readonly string[];
  }[];
}

/** What a delivery has for its pixel to be found: nothing where its site counts no calls, or its platform has no pixel. */
export interface PixelMarks {
  readonly browser: 'unseen' | null;
  readonly event: string | null;
  readonly digest: Buffer | null;
  readonly near: Buffer | null;
}

type Keys = Pick<KeyRing, 'digest'>;

export function callsRecord(
  { siteId, organisationId, atMs, calls, near }: PixelCalls,
  keys: Keys,
  random: Random,
): CallsRecord {
  return {
    ...{ kind: 'calls', organisation: organisationId, site: siteId, at: atMs },
    calls: calls.map(({ platform, name, id }) => ({
      ...{ id: uuidOf(random), platform, name },
      digest: id === undefined ? null : digestOf(keys, organisationId, platform, 'id', id).toString('hex'),
      near: near.map((one) => digestOf(keys, organisationId, platform, 'near', one).toString('hex')),
    })),
  };
}

function digestOf(
  keys: Keys,
  organisationId: number,
  platform: PixelPlatform,
  what: 'id' | 'near',
  id: string,
): Buffer {
  return keys.digest('relay-pixel', JSON.stringify([organisationId, platform, what, id]));
}

/** Of these sites, those that count calls of pixels. */
export async function sitesWithPixels(sql: Sql, sites: ReadonlySet<number>): Promise<ReadonlySet<number>> {
  if (sites.size === 0) return sites;
  const rows = await sql.query<{ site_id: number }>(
    `SELECT DISTINCT site_id FROM relay_sources
     WHERE kind = 'goals' AND state = 'active' AND pixel_calls AND site_id = ANY ($1::bigint[])`,
    [[...sites]],
  );
  return new Set(rows.map(({ site_id }) => site_id));
}

const noMarks: PixelMarks = { browser: null, event: null, digest: null, near: null };

/** @param as the event that its route sends it as @param platformId the id that the platform is told */
export function pixelMarks(
  keys: Keys,
  organisationId: number,
  { facts, kind, as, platformId }: { facts: Conversion; kind: string; as: string | null; platformId: string },
): PixelMarks {
  const platform = pixelPlatforms.find((one) => kindOfPixel[one] === kind);
  // What is no event of a page has none in a browser, and neither has what takes an order back.
  if (platform === undefined || facts.original !== undefined || actionSourceOf(facts) !== 'website') return noMarks;
  const name = as ?? facts.event_name;
  return {
    browser: 'unseen',
    event: destinationOf(kind)?.pixelEvent?.(name) ?? name,
    digest: digestOf(keys, organisationId, platform, 'id', platformId),
    near: facts.event_id === undefined ? null : digestOf(keys, organisationId, platform, 'near', facts.event_id),
  };
}

interface Call {
  readonly id: string;
  readonly name: string;
  readonly at: number;
  readonly digest: string | null;
  readonly near: readonly string[];
}
interface Delivery {
  readonly id: number;
  readonly browser: BrowserState;
  readonly name: string;
  readonly at: number;
  readonly digest: string;
  readonly near: string | null;
}

/**
 * SQL: the relay sends such an event to the platform of the call `c` from pages that count calls. What it never sends is told of by
 * the browser alone, and that is meant.
 */
export const isSentToo = `EXISTS (SELECT FROM relay_deliveries d JOIN relay_destinations o ON o.id = d.destination_id
  WHERE d.organisation_id = c.organisation_id AND d.browser IS NOT NULL AND d.browser_event = c.event_name
    AND o.kind = CASE c.platform ${pixelPlatforms.map((one) => `WHEN '${one}' THEN '${kindOfPixel[one]}'`).join(' ')} END)`;

/** How a call belongs to a delivery. A platform takes two events for one by id and name together, within its window. */
export function meetingOf(call: Omit<Call, 'id'>, delivery: Omit<Delivery, 'id' | 'browser'>): BrowserState {
  if (Math.abs(call.at - delivery.at) > pixelHours * 3_600_000) return 'unseen';
  if (call.digest === delivery.digest) return call.name === delivery.name ? 'same' : 'other_name';
  // Of one view of the page the same event was told twice: that is meant to be one.
  const isNear = delivery.near !== null && call.near.includes(delivery.near) && call.name === delivery.name;
  return isNear ? (call.digest === null ? 'no_id' : 'other_id') : 'unseen';
}

/** Takes calls in, and tells the deliveries that are there already. What comes a second time changes nothing. */
export async function storeCalls(sql: Sql, records: readonly CallsRecord[]): Promise<void> {
  const all = records.flatMap(({ site, at, calls }) => calls.map((call) => ({ ...call, site, at })));
  if (all.length === 0) return;
  const deliveries = await deliveriesWhere(
    sql,
    'd.pixel_digest = ANY ($1::bytea[]) OR d.near_digest = ANY ($2::bytea[])',
    [bytesOf(all.map(({ digest }) => digest)), bytesOf(all.flatMap(({ near }) => near))],
  );
  await sql.run(
    `INSERT INTO relay_pixel_calls (organisation_id, id, site_id, platform, event_name, called_at, id_digest, near)
     SELECT current_organisation(), c.id, c.site, c.platform, c.name, c.at, c.digest,
       ARRAY(SELECT decode(n, 'hex') FROM jsonb_array_elements_text(c.near) AS n)
     FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::jsonb[])
       AS c(id, site, platform, name, at, digest, near) ON CONFLICT DO NOTHING`,
    [
      ...[all.map(({ id }) => id), all.map(({ site }) => site), all.map(({ platform }) => platform)],
      ...[all.map(({ name }) => name), all.map(({ at }) => new Date(at))],
      all.map(({ digest }) => (digest === null ? null : Buffer.from(digest, 'hex'))),
      all.map(({ near }) => JSON.stringify(near)),
    ],
  );
  await meet(sql, all, deliveries);
}

/** Tells deliveries that were made just now of the calls that came before them. */
export async function meetCalls(sql: Sql, conversions: readonly string[], marks: readonly PixelMarks[]): Promise<void> {
  const digests = marks.flatMap(({ digest }) => digest ?? []);
  if (digests.length === 0) return;
  const rows = await sql.query<Omit<Call, 'at'> & { at: Date }>(
    `SELECT id, event_name AS name, called_at AS at, encode(id_digest, 'hex') AS digest,
       ARRAY(SELECT encode(n, 'hex') FROM unnest(near) AS n) AS near
     FROM relay_pixel_calls
     WHERE organisation_id = current_organisation() AND (id_digest = ANY ($1::bytea[]) OR near && $2::bytea[])`,
    [digests, marks.flatMap(({ near }) => near ?? [])],
  );
  if (rows.length === 0) return;
  const deliveries = await deliveriesWhere(sql, 'd.conversion_id = ANY ($1::uuid[])', [conversions]);
  await meet(
    sql,
    rows.map((row) => ({ ...row, at: row.at.getTime() })),
    deliveries,
  );
}

async function deliveriesWhere(sql: Sql, where: string, values: readonly unknown[]): Promise<Delivery[]> {
  const rows = await sql.query<Omit<Delivery, 'at'> & { at: Date }>(
    `SELECT d.id, d.browser, d.browser_event AS name, d.created_at AS at, encode(d.pixel_digest, 'hex') AS digest,
       encode(d.near_digest, 'hex') AS near
     FROM relay_deliveries d WHERE d.organisation_id = current_organisation() AND d.browser IS NOT NULL AND (${where})`,
    values,
  );
  return rows.map((row) => ({ ...row, at: row.at.getTime() }));
}

const rankOf = (state: BrowserState) => browserStates.indexOf(state);

async function meet(sql: Sql, calls: readonly Call[], deliveries: readonly Delivery[]): Promise<void> {
  const met = new Map<string, BrowserState>();
  const told: { id: number; browser: BrowserState }[] = [];
  for (const delivery of deliveries) {
    let best: BrowserState = delivery.browser;
    for (const call of calls) {
      const state = meetingOf(call, delivery);
      if (rankOf(state) < rankOf(best)) best = state;
      if (rankOf(state) < rankOf(met.get(call.id) ?? 'unseen')) met.set(call.id, state);
    }
    if (best !== delivery.browser) told.push({ id: delivery.id, browser: best });
  }
  if (told.length > 0)
    await sql.run(
      `UPDATE relay_deliveries d SET browser = t.browser FROM unnest($1::bigint[], $2::text[]) AS t(id, browser)
       WHERE d.organisation_id = current_organisation() AND d.id = t.id`,
      [told.map(({ id }) => id), told.map(({ browser }) => browser)],
    );
  if (met.size > 0)
    await sql.run(
      `UPDATE relay_pixel_calls c SET met = m.met FROM unnest($1::uuid[], $2::text[]) AS m(id, met)
       WHERE c.organisation_id = current_organisation() AND c.id = m.id
         AND (c.met IS NULL OR array_position($3::text[], m.met) < array_position($3::text[], c.met))`,
      [[...met.keys()], [...met.values()], browserStates],
    );
}

function bytesOf(hexes: readonly (string | null)[]): Buffer[] {
  return [...new Set(hexes)].flatMap((hex) => (hex === null ? [] : Buffer.from(hex, 'hex')));
}
