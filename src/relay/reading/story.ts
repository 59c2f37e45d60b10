import type { Conversion } from '../../../contract/conversion.ts';
import type { BrowserState } from '../../../contract/pixels.ts';
import type { ConversionRegion, DeliveryState } from '../../../contract/relay.ts';
import {
  type ConversionStory,
  conversionStory,
  relayReadingLimits,
  type StoryDelivery,
} from '../../../contract/relay_reading.ts';
import { defineRoute, RequestError, type Route, whyOf } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { dayMs } from '../../platform/zone.ts';
import { identifiersFor, openPeople, type People } from '../conversions/people.ts';
import { destinationOf, type Versions, versionOf } from '../destinations/index.ts';
import { hideRequest } from '../settings/hidden.ts';
import { organisationFor } from '../settings/parts.ts';
import { settingsOf } from '../settings/trial.ts';
import { labelOf, ofConversion, type ReadingHouse, reading } from './parts.ts';
import { linesOf } from './requests.ts';

interface ConversionRow {
  id: string;
  source_id: number;
  source: string | null;
  preset: string | null;
  site_id: number | null;
  domain: string | null;
  event_name: string;
  occurred_at: Date;
  received_at: Date;
  order_id: string | null;
  value: string | null;
  currency: string | null;
  doubles: number;
  settled_at: Date | null;
  facts: Conversion;
  mapping_version: number;
  present: string[];
  raw_days: number;
  consent: Record<string, unknown>;
  region: ConversionRegion;
  has_raw: boolean;
  is_restricted: boolean;
}
interface TellingRow {
  id: string;
  source_id: number;
  source: string | null;
  request_id: string;
  received_at: Date;
  present: string[];
  has_capture: boolean;
}
interface DeliveryRow {
  id: number;
  destination_id: number;
  route_id: number;
  state: DeliveryState;
  reason: string | null;
  field: string | null;
  platform_id: string;
  platform_event: string | null;
  browser: BrowserState | null;
  browser_event: string | null;
  value: string | null;
  waits_for: string | null;
  next_at: Date;
  first_sent_at: Date | null;
  gives_up_at: Date | null;
  attempts: number;
  replays: number;
  is_test: boolean;
  attempt_ids: number[];
  platform_result: string | null;
  created_at: Date;
  settled_at: Date | null;
}
interface DestinationRow {
  id: number;
  kind: string;
  name: string;
  settings: Record<string, string>;
  unknown_consent: 'block' | 'block_in_consent_regions';
  test_code: string | null;
  is_dry_run: boolean;
}
interface AttemptRow {
  id: number;
  sent_at: Date;
  items: number;
  ms: number | null;
  status: number;
  class: string | null;
  reason: string | null;
  answer: string | null;
  platform_request: string | null;
  result: string | null;
}

/** A request is logged a moment before its conversion is kept, or after. */
const aroundMs = 60_000;
/** As `anyOfTheOrder` of the loader: which purchase it waits for is not known. */
const anyOfTheOrder = '00000000-0000-0000-0000-000000000000';

export function storyRoutes(house: ReadingHouse): Route[] {
  const { log, clock, vault, config } = house;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/conversions/:conversion',
      access: 'relay.read',
      summary:
        'The story of one conversion: each telling of it, what was understood, and what became of each delivery, with its attempts and the redacted request.',
      params: ofConversion,
      answer: conversionStory,
      async handle(request) {
        const organisation = organisationFor(request);
        const { conversion: id } = request.params;
        const read = await reading(house, organisation, async (sql) => {
          const row = await conversionRow(sql, organisation, id);
          const deliveries = await deliveryRows(sql, organisation, id);
          return {
            ...{ row, deliveries },
            tellings: await tellingRows(sql, organisation, id),
            destinations: await destinationRows(sql, deliveries),
            attempts: await attemptRows(sql, deliveries),
            // Of whom data is kept and not used, nothing is opened (DSR-05).
            people: row.is_restricted
              ? undefined
              : ((await openPeople(sql, vault, organisation, [id])).get(id) ?? { hashes: {} }),
          };
        });
        const lines = await intakeLines(organisation, read.tellings);
        const now = clock.now();
        return {
          body: {
            ...shownConversion(read.row),
            tellings: read.tellings.map(({ source_id, source, received_at, ...rest }) => ({
              ...rest,
              ...{ source: { id: source_id, name: source }, received_at: received_at.toISOString() },
              request: lines.get(rest.request_id) ?? null,
            })),
            deliveries: read.deliveries.map((row) =>
              shownDelivery(row, {
                ...{ conversion: read.row, people: read.people, now, versions: config.versions },
                destination: read.destinations.get(row.destination_id),
                attempts: row.attempt_ids.flatMap((attempt) => read.attempts.get(attempt) ?? []),
              }),
            ),
          },
        };
      },
    }),
  ];

  /** The story is told without the intake log, where that cannot be read now. */
  async function intakeLines(organisation: number, tellings: readonly TellingRow[]) {
    const times = tellings.map(({ received_at }) => received_at.getTime());
    if (times.length === 0) return new Map<string, never>();
    try {
      return await linesOf(house, organisation, {
        ids: tellings.map(({ request_id }) => request_id),
        ...{ from: Math.min(...times) - aroundMs, to: Math.max(...times) + aroundMs },
      });
    } catch (error) {
      log.warn('relay.requests_not_read', { why: whyOf(error) });
      return new Map<string, never>();
    }
  }
}

async function conversionRow(sql: Sql, organisation: number, id: string): Promise<ConversionRow> {
  const row = await sql.maybe<ConversionRow>(
    `SELECT c.id, c.source_id, s.name AS source, s.preset, c.site_id, w.domain, c.event_name, c.occurred_at, c.received_at, c.order_id,
       c.value::text AS value, c.currency, c.doubles, c.settled_at, c.facts, c.mapping_version, c.present, c.raw_days, c.consent, c.region,
       EXISTS (SELECT FROM relay_tellings t WHERE t.organisation_id = c.organisation_id AND t.conversion_id = c.id
         AND t.raw_sealed IS NOT NULL) AS has_raw,
       EXISTS (SELECT FROM relay_tellings t JOIN relay_subjects x ON x.organisation_id = t.organisation_id AND x.telling_id = t.id
         JOIN restricted_identifiers r ON r.digest = x.digest
         WHERE t.organisation_id = c.organisation_id AND t.conversion_id = c.id) AS is_restricted
     FROM relay_conversions c LEFT JOIN relay_sources s ON s.id = c.source_id LEFT JOIN sites w ON w.id = c.site_id
     WHERE c.organisation_id = $1 AND c.id = $2`,
    [organisation, id],
  );
  if (row === undefined)
    throw new RequestError(
      'not_found',
      'There is no conversion with this id here. It may belong to another organisation, or was deleted.',
    );
  return row;
}

/** The first and the newest: of ten thousand tellings of one conversion nobody reads each. */
function tellingRows(sql: Sql, organisation: number, id: string): Promise<TellingRow[]> {
  return sql
    .query<TellingRow>(
      `SELECT * FROM (
       SELECT t.id, t.source_id, s.name AS source, t.request_id, t.received_at, t.present,
         EXISTS (SELECT FROM relay_captures x WHERE x.organisation_id = t.organisation_id AND x.id = t.request_id) AS has_capture,
         row_number() OVER (ORDER BY t.received_at DESC, t.id) AS place
       FROM relay_tellings t LEFT JOIN relay_sources s ON s.id = t.source_id
       WHERE t.organisation_id = $1 AND t.conversion_id = $2) AS told
     WHERE place < $3 OR id = $2 ORDER BY received_at, id`,
      [organisation, id, relayReadingLimits.tellingsMax],
    )
    .then((rows) => rows.map(({ place: _, ...row }: TellingRow & { place?: number }) => row));
}

function deliveryRows(sql: Sql, organisation: number, id: string): Promise<DeliveryRow[]> {
  return sql.query<DeliveryRow>(
    `SELECT d.id, d.destination_id, d.route_id, d.state, d.reason, d.field, d.platform_id, d.platform_event, d.value::text AS value,
       d.browser, d.browser_event, d.waits_for, d.next_at, d.first_sent_at, d.tries_until AS gives_up_at, d.attempts, d.replays, d.is_test, d.attempt_ids,
       d.platform_result, d.created_at, d.settled_at
     FROM relay_deliveries d WHERE d.organisation_id = $1 AND d.conversion_id = $2 ORDER BY d.id`,
    [organisation, id],
  );
}

async function destinationRows(sql: Sql, deliveries: readonly DeliveryRow[]): Promise<Map<number, DestinationRow>> {
  const rows = await sql.query<DestinationRow>(
    'SELECT id, kind, name, settings, unknown_consent, test_code, is_dry_run FROM relay_destinations WHERE id = ANY ($1)',
    [deliveries.map(({ destination_id }) => destination_id)],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

async function attemptRows(sql: Sql, deliveries: readonly DeliveryRow[]): Promise<Map<number, AttemptRow>> {
  const rows = await sql.query<AttemptRow>(
    `SELECT id, sent_at, items, ms, status, class, reason, answer, platform_request, result FROM relay_attempts
     WHERE id = ANY ($1) ORDER BY id DESC LIMIT $2`,
    [deliveries.flatMap(({ attempt_ids }) => attempt_ids), relayReadingLimits.attemptsMax],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

function shownConversion(row: ConversionRow): Omit<ConversionStory, 'tellings' | 'deliveries'> {
  const { source_id, source, preset, site_id, domain, raw_days, has_raw, settled_at, ...rest } = row;
  const until = settled_at === null ? null : new Date(settled_at.getTime() + raw_days * dayMs).toISOString();
  return {
    ...rest,
    source: { id: source_id, name: source, preset },
    site: site_id === null || domain === null ? null : { id: site_id, domain },
    ...{ occurred_at: row.occurred_at.toISOString(), received_at: row.received_at.toISOString() },
    settled_at: settled_at?.toISOString() ?? null,
    raw: { is_kept: has_raw, days: raw_days, until: has_raw ? until : null },
  };
}

interface Around {
  readonly conversion: ConversionRow;
  /** Undefined where nothing of the person may be opened. */
  readonly people: People | undefined;
  readonly destination: DestinationRow | undefined;
  readonly attempts: readonly AttemptRow[];
  readonly now: number;
  readonly versions: Versions | undefined;
}

function shownDelivery(row: DeliveryRow, around: Around): StoryDelivery {
  const { destination_id, attempts, attempt_ids: _, ...rest } = row;
  const { destination, conversion } = around;
  const isWaiting = row.state === 'waiting';
  return {
    ...rest,
    destination: {
      ...{ id: destination_id, name: destination?.name ?? null, kind: destination?.kind ?? null },
      label: destination === undefined ? null : labelOf(destination.kind),
    },
    purposes: (destinationOf(destination?.kind ?? '')?.purposes ?? []).map((purpose) => ({
      ...{ purpose, said: (conversion.facts.consent?.[purpose] ?? 'unknown') as 'granted' | 'denied' | 'unknown' },
    })),
    waits_for: row.waits_for === anyOfTheOrder ? 'any of the order' : row.waits_for,
    next_at: isWaiting ? row.next_at.toISOString() : null,
    gives_up_at: isWaiting ? (row.gives_up_at?.toISOString() ?? null) : null,
    attempt_count: attempts,
    attempts: around.attempts.map(({ sent_at, ...one }) => ({ ...one, sent_at: sent_at.toISOString() })),
    created_at: row.created_at.toISOString(),
    first_sent_at: row.first_sent_at?.toISOString() ?? null,
    settled_at: row.settled_at?.toISOString() ?? null,
    ...rebuilt(row, around),
  };
}

/**
 * The request as it goes out, made anew by the same function from the same facts, since what was sent is kept nowhere: what
 * is gone by now (raw identifiers, a destination) is not in it.
 */
function rebuilt(
  { value, platform_event, platform_id }: DeliveryRow,
  { conversion, people, destination: to, now, versions }: Around,
): Pick<StoryDelivery, 'request' | 'no_request'> {
  const none = (reason: string, field: string) => ({ request: null, no_request: { reason, field } });
  const destination = destinationOf(to?.kind ?? '');
  if (to === undefined || destination === undefined) return none('gone', 'destination');
  if (people === undefined) return none('restricted', 'user');
  const settings = settingsOf(destination, to, platform_event);
  if ('missing' in settings) return none('settings', settings.missing);
  const { value: _own, user: _user, ...facts } = conversion.facts;
  const sent: Conversion = {
    ...facts,
    ...(value !== null && { value }),
    ...(platform_event !== null && destination.eventSetting === undefined && { event_name: platform_event }),
  };
  const item = { conversion: sent, identifiers: identifiersFor(destination, sent, people), id: platform_id };
  // How old it may be counts when it is sent, and not when it is looked at; what was still to happen when it came was sent later.
  const sentAt = Math.max(conversion.received_at.getTime(), conversion.occurred_at.getTime());
  const refusal = destination.refuse(item, settings.read, Math.min(now, sentAt));
  if (refusal !== undefined) return none(refusal.reason, refusal.field);
  const built = destination.build([item], settings.read, now, versionOf(destination, versions));
  const request = to.is_dry_run ? (destination.asDryRun?.(built) ?? built) : built;
  const person = people.raw === undefined ? {} : { user: people.raw };
  const { method, url, headers, body } = hideRequest(request, { ...sent, ...person });
  return { request: { method, url, headers: { ...headers }, body }, no_request: null };
}
