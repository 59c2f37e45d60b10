import type { Conversion } from '../../../contract/conversion.ts';
import { type RouteRules, routeRules, type WithheldReason } from '../../../contract/relay.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import type { Log } from '../../platform/log.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import { RowRefused, type Sink } from '../../platform/spool/index.ts';
import type { KeyRing } from '../../platform/subject.ts';
import { type Vault, VaultError } from '../../platform/vault.ts';
import { readBases } from '../../trust/consent/index.ts';
import { readMoment } from '../conversions/moment.ts';
import { lockConversions } from '../deliveries/settle.ts';
import { actionSourceOf } from '../destinations/conversion_rules.ts';
import { destinationOf } from '../destinations/index.ts';
import { type EverythingDeleted, lastOfEverything, withoutDeleted } from '../life/everything.ts';
import { type AdBases, adBasesOf, consentProblem, consentTo, type UnknownConsent } from '../routing/consent.ts';
import { consentsOf, restrictedOf, withConsent } from '../routing/on_record.ts';
import { type PlannedRoute, planRoute, routed } from '../routing/route.ts';
import { withholdDenied, withholdRestricted } from '../routing/withdrawn.ts';
import { type Told, tellApart, writeIdentities } from './apart.ts';
import { lockLoads } from './loads.ts';
import { meetCalls, pixelMarks, sitesWithPixels, storeCalls } from './pixels.ts';
import {
  type ConversionRecord,
  type IntakeRecord,
  keyOfText,
  subjectOfKey,
  type UnmappedRecord,
  whoOf,
} from './record.ts';

/** Conversions of one statement: a segment may hold some ten thousand, and no statement should hold its locks for long. */
const pieceRows = 500;
/** Purchases for which nobody knows yet whether they come: until then their refund waits for "any of this order". */
export const anyOfTheOrder = '00000000-0000-0000-0000-000000000000';

export interface LoaderParts {
  readonly postgres: Pick<Postgres, 'tenant'>;
  readonly vault: Pick<Vault, 'adopt' | 'disown'>;
  readonly keys: Pick<KeyRing, 'digest'>;
  readonly log: Pick<Log, 'warn' | 'error'>;
  /** Told which destinations have something to send. */
  readonly onWaiting?: (destinationIds: ReadonlySet<number>) => void;
}

/**
 * Takes conversions from the spool into PostgreSQL: each with its deliveries in one transaction, so that none is there
 * without the other. What comes a second time under the same number changes nothing, whether a line or a whole segment.
 */
export function conversionSink(parts: LoaderParts, thread?: LoaderThread): Sink {
  return {
    name: 'relay',
    lane: 'conversions',
    async deliver(_segment, bytes) {
      try {
        if (thread?.takes(bytes) === true) {
          const waiting = await thread.load(bytes);
          if (waiting.size > 0) parts.onWaiting?.(waiting);
        } else await loadSegment(parts, bytes);
      } catch (error) {
        const { code = '' } = error as { code?: string };
        // What the values of a row are to blame for comes again however often it is tried.
        throw /^2[23]/.test(code) ? new RowRefused(code, 'relay') : error;
      }
    },
  };
}

/** Another thread that does the same, for segments that would hold up whoever is answered on this one. */
export interface LoaderThread {
  /** Is it for this thread? What is small is loaded sooner here than a thread has started. */
  takes(bytes: Buffer): boolean;
  /** @returns destinations with something to send */
  load(bytes: Buffer): Promise<ReadonlySet<number>>;
}

/**
 * Loads the lines of a segment, up to five hundred of an organisation in each transaction. Lines are read as they are loaded: all
 * of a segment at once are a hundred megabytes of objects, and what collects them shares its processor with whoever answers.
 */
export async function loadSegment(parts: LoaderParts, bytes: Buffer): Promise<void> {
  const byOrganisation = new Map<number, IntakeRecord[]>();
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end;
    if (to > from) {
      const record = JSON.parse(bytes.toString('utf8', from, to)) as IntakeRecord;
      const list = byOrganisation.get(record.organisation) ?? [];
      if (list.push(record) === 1) byOrganisation.set(record.organisation, list);
      if (list.length === pieceRows) {
        byOrganisation.delete(record.organisation);
        await load(parts, record.organisation, list);
      }
    }
    from = to + 1;
  }
  for (const [organisationId, records] of byOrganisation) await load(parts, organisationId, records);
}

/**
 * What is of an organisation that ended meanwhile goes nowhere: its keys are destroyed, and nobody could open it. Nor does what came
 * before somebody had everything deleted: the receipt counts it.
 */
export async function load(
  parts: LoaderParts,
  organisationId: number,
  records: readonly IntakeRecord[],
): Promise<void> {
  const { postgres, vault, log } = parts;
  const ended = () => log.warn('relay.organisation_ended', { organisation: organisationId, records: records.length });
  try {
    await vault.adopt(
      organisationId,
      records.flatMap((record) => (record.kind === 'calls' || record.key === null ? [] : [keyOfText(record.key)])),
    );
  } catch (error) {
    if (!(error instanceof VaultError && error.code === 'destroyed')) throw error;
    return ended();
  }
  crashPoint('relay.adopted');
  const waiting = await postgres.tenant(organisationId, async (sql) => {
    await lockLoads(sql, organisationId);
    // Held until these rows are there, so that the end of an organisation waits for them and takes them too. Once for all of
    // them, where a key of each row would have held it for each.
    const isThere = await sql.maybe<EverythingDeleted>(
      `SELECT d.id, d.asked_at FROM organisations o LEFT JOIN LATERAL (${lastOfEverything}) AS d ON true
       WHERE o.id = current_organisation() AND o.emptied_at IS NULL FOR KEY SHARE OF o`,
    );
    if (isThere === undefined) return undefined;
    const kept = await withoutDeleted(sql, vault, organisationId, isThere, records);
    const unmapped = kept.filter((record) => record.kind === 'unmapped');
    if (unmapped.length > 0) await keepUnmapped(sql, unmapped);
    const conversions = kept.filter((record) => record.kind === 'conversion');
    const to =
      conversions.length === 0
        ? new Set<number>()
        : await storeConversions(sql, parts.keys, organisationId, conversions);
    await storeCalls(
      sql,
      kept.filter((record) => record.kind === 'calls'),
    );
    return to;
  });
  if (waiting === undefined) return ended();
  crashPoint('relay.loaded');
  if (waiting.size > 0) parts.onWaiting?.(waiting);
}

async function keepUnmapped(sql: Sql, records: readonly UnmappedRecord[]): Promise<void> {
  await sql.run(
    `INSERT INTO relay_captures (organisation_id, id, source_id, received_at, is_unmapped, tried_version, subject, request_sealed, again_at)
     SELECT current_organisation(), c.id, c.source, c.at, true, c.version, c.subject, c.sealed, c.again
     FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::int[], $5::bytea[], $6::bytea[], $7::timestamptz[])
       AS c(id, source, at, version, subject, sealed, again)
     WHERE EXISTS (SELECT FROM relay_sources s WHERE s.id = c.source)
     ON CONFLICT (organisation_id, id) DO NOTHING`,
    [
      records.map(({ id }) => id),
      records.map(({ source }) => source),
      records.map(({ at }) => new Date(at)),
      records.map(({ mapping }) => mapping),
      records.map(({ key }) => subjectOfKey(key)),
      records.map(({ sealed }) => Buffer.from(sealed, 'base64')),
      records.map(({ again }) => (again === undefined ? null : new Date(again))),
    ],
  );
}

/** Which of these are stored. One look into the index for each: without statistics the planner reads all tellings of the organisation. */
export async function knownTellings(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  const known = await sql.query<{ id: string }>(
    `SELECT known.id FROM unnest($1::uuid[]) AS given(id) CROSS JOIN LATERAL (
       SELECT t.id FROM relay_tellings t WHERE t.organisation_id = current_organisation() AND t.id = given.id LIMIT 1) AS known`,
    [ids],
  );
  return new Set(known.map(({ id }) => id));
}

/** @returns destinations with something to send */
async function storeConversions(
  sql: Sql,
  keys: Pick<KeyRing, 'digest'>,
  organisationId: number,
  records: readonly ConversionRecord[],
): Promise<Set<number>> {
  const done = await knownTellings(
    sql,
    records.map(({ id }) => id),
  );
  const fresh = records.filter(({ id }) => !done.has(id));
  if (fresh.length === 0) return new Set();
  const told = await tellApart(sql, fresh);
  const first = told.filter(({ isNew }) => isNew).map(({ record }) => record);
  const said = await consentsOf(sql, first);
  const made = first.map((record) => withConsent(record, said));
  if (made.length > 0) await insertConversions(sql, made);
  await writeIdentities(sql, told);
  await insertTellings(sql, told);
  const waiting = made.length === 0 ? new Set<number>() : await insertDeliveries(sql, keys, organisationId, made);
  // After the deliveries of conversions of which both tellings are here: a later one may be the one that says no.
  const doubles = told.filter(({ isNew }) => !isNew);
  if (doubles.length > 0) await addTo(sql, organisationId, doubles);
  return waiting;
}

async function insertConversions(sql: Sql, records: readonly ConversionRecord[]): Promise<void> {
  const of = <Value>(value: (record: ConversionRecord) => Value) => records.map(value);
  await sql.run(
    `INSERT INTO relay_conversions (organisation_id, id, source_id, site_id, event_name, occurred_at, received_at, order_id,
       value, currency, cost, facts, present, consent, region, mapping_version, raw_days, original_order_id, original_event_id)
     SELECT current_organisation(), c.id, c.source, c.site, c.event, c.occurred, c.received, c.order_id, c.value::numeric, c.currency,
       c.cost::numeric, c.facts, c.present::text[], c.consent, c.region, c.mapping, c.raw_days,
       c.facts -> 'original' ->> 'order_id', c.facts -> 'original' ->> 'event_id'
     FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[],
       $9::text[], $10::text[], $11::jsonb[], $12::text[], $13::jsonb[], $14::text[], $15::int[], $16::smallint[])
       AS c(id, source, site, event, occurred, received, order_id, value, currency, cost, facts, present, consent, region, mapping, raw_days)`,
    [
      ...[of(({ id }) => id), of(({ source }) => source), of(({ site }) => site)],
      ...[of(({ facts }) => facts.event_name), of(occurredAt), of(({ at }) => new Date(at))],
      ...[of(({ facts }) => facts.order_id ?? null), of(({ facts }) => textOf(facts.value))],
      ...[of(({ facts }) => facts.currency ?? null), of(({ facts }) => textOf(facts.cost))],
      ...[of(({ facts }) => JSON.stringify(facts)), of(({ present }) => arrayText(present))],
      ...[of(({ facts }) => JSON.stringify(facts.consent ?? {})), of(({ region }) => region)],
      ...[of(({ mapping }) => mapping), of(({ rawDays }) => rawDays)],
    ],
  );
}

function occurredAt({ facts }: ConversionRecord): Date {
  const read = readMoment(facts.occurred_at);
  if (typeof read === 'string') throw new Error('A conversion was taken whose time cannot be read.');
  return new Date(read.ms);
}

/** Words as PostgreSQL reads a list of them: `{"email","phone"}`. */
function arrayText(words: readonly string[]): string {
  return `{${words.map((word) => `"${word.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

function textOf(amount: number | string | undefined): string | null {
  return amount === undefined ? null : String(amount);
}

async function insertTellings(sql: Sql, told: readonly Told[]): Promise<void> {
  const of = <Value>(value: (one: Told) => Value) => told.map(value);
  await sql.run(
    `INSERT INTO relay_tellings (organisation_id, id, conversion_id, source_id, request_id, received_at, present, subject,
       hashes_sealed, raw_sealed)
     SELECT current_organisation(), t.id, t.conversion, t.source, t.request, t.at, t.present::text[],
       decode(t.subject, 'base64'), decode(t.hashes, 'base64'), decode(t.raw, 'base64')
     FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
       $9::text[]) AS t(id, conversion, source, request, at, present, subject, hashes, raw)`,
    [
      ...[of(({ record }) => record.id), of(({ conversion }) => conversion), of(({ record }) => record.source)],
      ...[of(({ record }) => record.request), of(({ record }) => new Date(record.at))],
      of(({ record }) => arrayText(record.present)),
      // Bytes stay as the line has them: PostgreSQL reads base64 itself, and it is two thirds of the hex that a buffer would become.
      of(({ record: { key } }) => (key === null ? null : key[1])),
      ...[of(({ record }) => record.hashes), of(({ record }) => record.raw)],
    ],
  );
  const pairs = told.flatMap(({ record }) => record.subjects.map((digest) => ({ digest, telling: record.id })));
  if (pairs.length > 0)
    await sql.run(
      `INSERT INTO relay_subjects (organisation_id, digest, telling_id)
       SELECT current_organisation(), s.digest, s.telling FROM unnest($1::bytea[], $2::uuid[]) AS s(digest, telling)`,
      [pairs.map(({ digest }) => Buffer.from(digest, 'hex')), pairs.map(({ telling }) => telling)],
    );
}

/**
 * The first telling wins; those after it add what it did not have: identifiers, and click ids. What they add is somebody's, whose
 * word counts for the whole conversion then: a denial, of the telling or on record, and a restriction withhold what waits.
 */
async function addTo(sql: Sql, organisationId: number, told: readonly Told[]): Promise<void> {
  const said = await consentsOf(
    sql,
    told.map(({ record }) => record),
  );
  const doubles = told.map((one) => ({ ...one, denied: deniedBy(withConsent(one.record, said)) }));
  const clicks = (record: ConversionRecord) => JSON.stringify(record.facts.click_ids ?? {});
  const denials = (denied: readonly Purpose[]) =>
    JSON.stringify(Object.fromEntries(denied.map((purpose) => [purpose, 'denied'])));
  // Locked first and in the order in which senders lock them: neither waits for what the other holds.
  await lockConversions(sql, organisationId, idsOf(doubles));
  for (const round of inRounds(doubles))
    await sql.run(
      `UPDATE relay_conversions c SET doubles = c.doubles + 1, consent = c.consent || d.denied,
         present = ARRAY(SELECT DISTINCT p FROM unnest(c.present || ARRAY(SELECT jsonb_array_elements_text(d.present))) AS p ORDER BY p),
         facts = CASE WHEN d.clicks = '{}' THEN c.facts
           ELSE jsonb_set(c.facts, '{click_ids}', d.clicks || coalesce(c.facts->'click_ids', '{}')) END
           || CASE WHEN d.denied = '{}' THEN '{}' ELSE jsonb_build_object('consent', coalesce(c.facts->'consent', '{}') || d.denied) END
       FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::jsonb[]) AS d(id, present, clicks, denied)
       WHERE c.organisation_id = current_organisation() AND c.id = d.id`,
      [
        round.map(({ conversion }) => conversion),
        round.map(({ record }) => JSON.stringify(record.present)),
        round.map(({ record }) => clicks(record)),
        round.map(({ denied }) => denials(denied)),
      ],
    );
  const restricted = await restrictedOf(
    sql,
    doubles.map(({ record }) => record),
  );
  const ofRestricted = doubles.filter(({ record }) => record.subjects.some((digest) => restricted.has(digest)));
  if (ofRestricted.length > 0) await withholdRestricted(sql, { organisationId, ids: idsOf(ofRestricted) });
  for (const purpose of purposes) {
    const ofDenied = doubles.filter(({ denied }) => denied.includes(purpose));
    if (ofDenied.length > 0) await withholdDenied(sql, purpose, { organisationId, ids: idsOf(ofDenied) });
  }
}

const purposes = Object.values(consentTo);
type Purpose = (typeof purposes)[number];

function deniedBy({ facts: { consent } }: ConversionRecord): Purpose[] {
  return purposes.filter((purpose) => consent?.[purpose] === 'denied');
}

function idsOf(doubles: readonly Told[]): string[] {
  return [...new Set(doubles.map(({ conversion }) => conversion))];
}

/** An UPDATE changes a row once, however often it is joined: several tellings of one conversion go one after the other. */
function inRounds<One extends Told>(doubles: readonly One[]): One[][] {
  const rounds: One[][] = [];
  const counts = new Map<string, number>();
  for (const one of doubles) {
    const at = counts.get(one.conversion) ?? 0;
    counts.set(one.conversion, at + 1);
    const round = rounds[at];
    if (round === undefined) rounds.push([one]);
    else round.push(one);
  }
  return rounds;
}

interface RouteRow {
  id: number;
  source_id: number;
  destination_id: number;
  rules: unknown;
  kind: string;
  unknown_consent: UnknownConsent;
  is_test: boolean;
}
interface RunningRoute extends Omit<RouteRow, 'rules'> {
  readonly planned: PlannedRoute;
}

interface NewDelivery {
  readonly record: ConversionRecord;
  readonly route: RunningRoute;
  readonly as: string | null;
  readonly value: string | null;
  readonly state: 'held' | 'waiting' | 'withheld';
  readonly reason: WithheldReason | null;
  readonly field: string | null;
}

/** @returns destinations with something to send */
async function insertDeliveries(
  sql: Sql,
  keys: Pick<KeyRing, 'digest'>,
  organisationId: number,
  records: readonly ConversionRecord[],
): Promise<Set<number>> {
  const routes = await routesOf(sql, new Set(records.map(({ source }) => source)));
  const restricted = await restrictedOf(sql, records);
  const bases = adBasesOf(await readBases(sql, organisationId));
  const made: NewDelivery[] = [];
  for (const record of records)
    for (const route of routes.get(record.source) ?? []) {
      const goes = routed(route.planned, record.facts);
      if (!goes.goes) continue;
      made.push(judged(record, route, goes, { restricted, bases }));
    }
  const first = await onlyFirst(sql, keys, organisationId, made);
  await settleWithout(sql, records, first);
  if (first.length === 0) return new Set();
  const purchases = await purchasesOf(sql, first);
  const withPixels = await sitesWithPixels(sql, new Set(first.flatMap(({ record }) => record.site ?? [])));
  const all = first.map((one) => {
    const { record, route, as } = one;
    const id = platformId(keys, organisationId, record, { id: route.destination_id, kind: route.kind });
    const about = { facts: record.facts, kind: route.kind, as, platformId: id };
    const marks =
      record.site !== null && withPixels.has(record.site) ? pixelMarks(keys, organisationId, about) : undefined;
    return { ...one, id, marks };
  });
  const of = <Value>(value: (one: (typeof all)[number]) => Value) => all.map(value);
  await sql.run(
    `INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, platform_event, value,
       state, reason, field, waits_for, next_at, is_test, created_at, settled_at, browser, browser_event, pixel_digest, near_digest)
     SELECT current_organisation(), d.conversion, d.route, d.destination, d.platform_id, d.event, d.value::numeric, d.state, d.reason,
       d.field, d.waits_for, d.at, d.is_test, d.at, CASE WHEN d.state = 'withheld' THEN d.at END, d.browser, d.browser_event,
       d.pixel, d.near
     FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::uuid[], $11::timestamptz[], $12::boolean[], $13::text[], $14::text[], $15::bytea[], $16::bytea[])
       AS d(conversion, route, destination, platform_id, event, value, state, reason, field, waits_for, at, is_test, browser,
         browser_event, pixel, near)
     ON CONFLICT (organisation_id, conversion_id, route_id) DO NOTHING`,
    [
      ...[of(({ record }) => record.id), of(({ route }) => route.id), of(({ route }) => route.destination_id)],
      of(({ id }) => id),
      ...[of(({ as }) => as), of(({ value }) => value), of(({ state }) => state), of(({ reason }) => reason)],
      ...[of(({ field }) => field), of(({ record }) => waitsFor(record, purchases))],
      ...[of(({ record }) => new Date(record.at)), of(({ route }) => route.is_test)],
      ...[of(({ marks }) => marks?.browser ?? null), of(({ marks }) => marks?.event ?? null)],
      ...[of(({ marks }) => marks?.digest ?? null), of(({ marks }) => marks?.near ?? null)],
    ],
  );
  await meetCalls(
    sql,
    of(({ record }) => record.id),
    all.flatMap(({ marks }) => marks ?? []),
  );
  return new Set(first.filter(({ state }) => state === 'waiting').map(({ route }) => route.destination_id));
}

async function routesOf(sql: Sql, sources: ReadonlySet<number>): Promise<Map<number, RunningRoute[]>> {
  const rows = await sql.query<RouteRow>(
    `SELECT r.id, r.source_id, r.destination_id, r.rules, d.kind, d.unknown_consent, d.test_code IS NOT NULL OR d.is_dry_run AS is_test
     FROM relay_routes r JOIN relay_destinations d ON d.id = r.destination_id
     WHERE r.source_id = ANY ($1) AND r.state = 'active' ORDER BY r.id`,
    [[...sources]],
  );
  return Map.groupBy(
    rows.map(
      ({ rules, ...row }): RunningRoute => ({ ...row, planned: planRoute(routeRules.parse(rules) as RouteRules) }),
    ),
    ({ source_id }) => source_id,
  );
}

function judged(
  record: ConversionRecord,
  route: RunningRoute,
  { as, value }: { as: string | null; value: string | null },
  { restricted, bases }: { restricted: ReadonlySet<string>; bases: AdBases },
): NewDelivery {
  const destination = destinationOf(route.kind);
  const isRestricted = record.subjects.some((digest) => restricted.has(digest));
  const problem = isRestricted
    ? ({ reason: 'restricted', field: 'user' } as const)
    : destination === undefined
      ? undefined
      : consentProblem(record.facts.consent, record.region, destination, route.unknown_consent, bases);
  const withheld = problem ?? { reason: null, field: null };
  const state = problem !== undefined ? 'withheld' : route.planned.rules.hold === true ? 'held' : 'waiting';
  return { record, route, as, value, state, ...withheld };
}

/** Of a route that takes only the first: whoever's event was there before, on this route, goes no second time. */
async function onlyFirst(
  sql: Sql,
  keys: Pick<KeyRing, 'digest'>,
  organisationId: number,
  made: readonly NewDelivery[],
): Promise<NewDelivery[]> {
  /** By what asks: whose first one it may be, on which route. */
  const asking = new Map<NewDelivery, string>();
  for (const one of made) {
    const { record, route, state } = one;
    if (!isFirstOnly(route) || state === 'withheld') continue;
    const who = whoOf(record.facts, record.subjects, organisationId, keys);
    if (who !== null) asking.set(one, `first ${route.id} ${record.facts.event_name} ${who}`);
  }
  if (asking.size === 0) return [...made];
  const firsts = new Map<string, NewDelivery>();
  for (const [one, name] of asking) if (!firsts.has(name)) firsts.set(name, one);
  const rows = await sql.query<{ name: string; conversion: string }>(
    `WITH given AS (SELECT f.name, sha256(convert_to(f.name, 'UTF8')) AS identity, f.conversion, f.at
       FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) AS f(name, conversion, at)),
     first AS MATERIALIZED (
       SELECT g.name, g.identity, g.at, coalesce(known.conversion_id, g.conversion) AS conversion, known.conversion_id IS NULL AS is_new
       FROM given g LEFT JOIN LATERAL (SELECT i.conversion_id FROM relay_identities i
         WHERE i.organisation_id = current_organisation() AND i.identity = g.identity LIMIT 1) AS known ON true),
     kept AS (
       INSERT INTO relay_identities (organisation_id, identity, conversion_id, last_at)
       SELECT current_organisation(), f.identity, f.conversion, f.at FROM first f WHERE f.is_new)
     SELECT name, conversion FROM first`,
    [
      [...firsts.keys()],
      [...firsts.values()].map(({ record }) => record.id),
      [...firsts.values()].map(({ record }) => new Date(record.at)),
    ],
  );
  // By name, and so by route: the first on one way may be the second on another.
  const winners = new Map(rows.map(({ name, conversion }) => [name, conversion]));
  const isFirst = (one: NewDelivery) => winners.get(asking.get(one) ?? '') === one.record.id;
  return made.map((one) =>
    asking.has(one) && !isFirst(one) ? { ...one, state: 'withheld', reason: 'not_first', field: null } : one,
  );
}

function isFirstOnly({ planned }: RunningRoute): boolean {
  return planned.rules.first_only === true;
}

/** A conversion that nothing is sent of has ended when it came. */
async function settleWithout(
  sql: Sql,
  records: readonly ConversionRecord[],
  made: readonly NewDelivery[],
): Promise<void> {
  const open = new Set(made.filter(({ state }) => state !== 'withheld').map(({ record }) => record.id));
  const ended = records.filter(({ id }) => !open.has(id)).map(({ id }) => id);
  if (ended.length > 0)
    await sql.run(
      'UPDATE relay_conversions SET settled_at = received_at WHERE organisation_id = current_organisation() AND id = ANY ($1::uuid[])',
      [ended],
    );
}

/** By order: the conversion that a refund takes back. */
async function purchasesOf(sql: Sql, made: readonly NewDelivery[]): Promise<Map<string, string>> {
  const orders = new Set(made.flatMap(({ record }) => orderTakenBack(record.facts) ?? []));
  if (orders.size === 0) return new Map();
  const rows = await sql.query<{ order_id: string; id: string }>(
    `SELECT DISTINCT ON (order_id) order_id, id FROM relay_conversions
     WHERE organisation_id = current_organisation() AND order_id = ANY ($1) ORDER BY order_id, received_at`,
    [[...orders]],
  );
  return new Map(rows.map(({ order_id, id }) => [order_id, id]));
}

function orderTakenBack({ original }: Conversion): string | undefined {
  return original?.order_id;
}

function waitsFor({ facts }: ConversionRecord, purchases: ReadonlyMap<string, string>): string | null {
  const order = orderTakenBack(facts);
  if (order !== undefined) return purchases.get(order) ?? anyOfTheOrder;
  // Which one has that event is looked for when it is to go.
  return facts.original?.event_id === undefined ? null : anyOfTheOrder;
}

/**
 * The id under which a platform knows a conversion, made once and kept with the delivery: its order, whatever its source; else, for what
 * happened on a page, the id that the page gave it, where the platform's pixel there tells it that one too; else a keyed digest of
 * its identity (source and event; of an event of a page the goal, too, of which it may reach several) and the destination: two sources
 * may both count from one, and two platforms that were told of one event cannot say so to each other. For a refund or a restatement it is that of its order, or of its event as far as that is known here: it is sent under the id
 * of its purchase, which it is given once that is found.
 */
export function platformId(
  keys: Pick<KeyRing, 'digest'>,
  organisationId: number,
  { id, facts, source, identity }: Pick<ConversionRecord, 'id' | 'facts' | 'source' | 'identity'>,
  destination: { readonly id: number; readonly kind: string },
): string {
  const { original, order_id, event_id } = facts;
  const order = original?.order_id ?? order_id;
  if (order !== undefined) return order;
  const event = original?.event_id ?? event_id;
  const isShared = destinationOf(destination.kind)?.sharesPageId === true;
  if (event !== undefined && isShared && actionSourceOf(facts) === 'website') return event;
  const own = identity.kind === 'event' && original?.event_id === undefined ? identity.digest : (event ?? id);
  const text = JSON.stringify([organisationId, source, own, destination.id]);
  return keys.digest('relay-event-id', text).toString('hex').slice(0, 32);
}
