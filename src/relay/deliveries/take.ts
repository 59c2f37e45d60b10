import type { Conversion } from '../../../contract/conversion.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { isNegative } from '../conversions/amount.ts';
import { identifiersFor, openPeople, type People } from '../conversions/people.ts';
import { type Item, type Refusal, SettingsProblem } from '../destinations/destination.ts';
import { type SaidSince, saidSince, withDenied } from '../routing/on_record.ts';
import { isCorrection, type Order, readOrders, restated, waitOf } from './corrections.ts';
import { holdCredits } from './credits.ts';
import { deliveryLimits } from './limits.ts';
import type { Account, Senders } from './parts.ts';
import { settingsFor } from './request.ts';
import type { Batch, Ended, Outcome, Ready, TakenRow } from './rows.ts';
import { settle } from './settle.ts';

/** What a turn has to send. @property isFull more may be due @property leaseAt until when it has time, as it stands in the rows */
export interface Turn {
  readonly batches: readonly Batch[];
  readonly leaseAt: Date;
  readonly isFull: boolean;
  /** Under which credits are held for it, where sending costs any. */
  readonly reservation?: number | undefined;
  /** Set aside before anything was sent. */
  readonly dead: number;
  readonly withheld: number;
}

/** What is due of an account, by organisation, destination, moment and how many. */
export const dueRows = `SELECT d.id, d.conversion_id, d.platform_id, d.platform_event, d.value::text AS value, d.waits_for, d.created_at,
  d.tries_until, d.attempts, c.source_id, c.site_id, c.occurred_at, c.currency, c.facts,
  EXISTS (SELECT FROM relay_routes r WHERE r.id = d.route_id) AS has_route
  FROM relay_deliveries d JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
  WHERE d.organisation_id = $1 AND d.destination_id = $2 AND d.state IN ('waiting', 'sending') AND d.next_at <= $3
  AND EXISTS (SELECT FROM relay_destinations o WHERE o.id = $2 AND o.state = 'active')
  ORDER BY d.next_at, d.id LIMIT $4 FOR UPDATE OF d SKIP LOCKED`;

/** Rows of one turn: one request's, or of several where each takes few. */
export function rowsOf(batchMax: number): number {
  return Math.min(deliveryLimits.turnRowsMax, Math.max(batchMax, deliveryLimits.turnRequestsMax));
}

/**
 * Takes what is due of an account and marks it as being sent, in one transaction that ends before anything goes out: rows
 * that another process holds are passed over, and those that a dead process had are taken once their lease is over.
 * What cannot go is set aside here with its reason, also what somebody has said no to since, or whose route was removed while it was
 * being sent: each way to be sent, the first time or again, leads through here. A refund whose purchase is not there yet waits.
 * @param max rows, and requests that the account's bucket lets through; rows beyond them stay as they are
 */
export async function take(senders: Senders, account: Account, max: { rows: number; requests: number }): Promise<Turn> {
  const { postgres, vault, clock } = senders;
  const { organisationId, destinationId } = account;
  return postgres.tenant(organisationId, async (sql) => {
    const now = clock.now();
    const rows = await sql.query<TakenRow>(dueRows, [organisationId, destinationId, new Date(now), max.rows]);
    const leaseAt = new Date(now + deliveryLimits.leaseMs);
    if (rows.length === 0) return { batches: [], leaseAt, isFull: false, dead: 0, withheld: 0 };
    const conversions = [...new Set(rows.map((row) => row.conversion_id))];
    const since = await saidSince(sql, conversions);
    // Of whom data is kept and not used, nothing is opened (DSR-05).
    const opened = conversions.filter((id) => since.get(id)?.isRestricted !== true);
    const people = await openPeople(sql, vault, organisationId, opened, account.destination);
    const corrections = rows.filter(({ facts }) => isCorrection(facts));
    const orders = corrections.length === 0 ? new Map<number, Order>() : await readOrders(sql, account, corrections);
    const set = new Map<string | null, unknown>();
    for (const { platform_event } of rows)
      if (!set.has(platform_event)) set.set(platform_event, readSettings(account, platform_event));

    const aside: Ended[] = [];
    const ready: Ready[] = [];
    for (const taken of rows) {
      const no = since.get(taken.conversion_id);
      const row = no === undefined ? taken : { ...taken, facts: withDenied(taken.facts, no) };
      const said =
        (row.has_route ? undefined : removed) ??
        refusedSince(account, no) ??
        judge(account, row, {
          people: people.get(row.conversion_id),
          order: orders.get(row.id),
          now,
          settings: set.get(row.platform_event),
        });
      if ('state' in said) aside.push({ row, outcome: said });
      else ready.push({ row, item: said });
    }
    await keepIds(sql, organisationId, ready);
    const groups = grouped(account, ready).slice(0, max.requests);
    if (aside.length > 0) await settle(sql, account, aside, { now, isTest: false });
    // After what locks conversions, as at the end of a turn: two that lock in two orders would wait for each other.
    const held = await holdCredits(senders, sql, account, { groups, now });
    if (held.aside.length > 0) await settle(sql, account, held.aside, { now, isTest: false });
    const batches = await begin(sql, account, held.groups, { now, leaseAt, settings: (event) => set.get(event) });
    const count = (state: Outcome['state']) => aside.filter(({ outcome }) => outcome.state === state).length;
    const isFull = rows.length === max.rows;
    const { reservation } = held;
    return { batches, leaseAt, isFull, reservation, dead: count('dead'), withheld: count('withheld') };
  });
}

const noPeople: People = { hashes: {} };
const removed: Outcome = { state: 'cancelled', reason: 'removed' };

function readSettings(account: Account, platformEvent: string | null): unknown {
  try {
    return settingsFor(account, platformEvent);
  } catch (error) {
    // The account's own settings were read before: what is wrong is the event of the route.
    if (error instanceof SettingsProblem) return undefined;
    throw error;
  }
}

/** What people have said no to since is withheld, as if it came now; by the same words as what waited when they said so. */
function refusedSince({ destination }: Account, no: SaidSince | undefined): Outcome | undefined {
  if (no === undefined) return undefined;
  if (no.isRestricted) return { state: 'withheld', reason: 'restricted', field: 'user' };
  const purpose = destination.purposes.find((one) => no.denied.includes(one));
  return purpose && { state: 'withheld', reason: 'consent_denied', field: `consent.${purpose}` };
}

/** The item that goes, or what becomes of the delivery without anything being sent. */
function judge(
  { destination }: Account,
  row: TakenRow,
  {
    people = noPeople,
    order,
    now,
    settings,
  }: { people: People | undefined; order: Order | undefined; now: number; settings: unknown },
): Item | Outcome {
  if (settings === undefined) return { state: 'dead', reason: 'invalid', field: 'platform_event' };
  const ageMsMax = destination.ageMsMax?.(row.facts);
  if (ageMsMax !== undefined && now >= row.occurred_at.getTime() + ageMsMax - deliveryLimits.ageMarginMs)
    return { state: row.facts.consent?.ad_user_data === 'denied' ? 'withheld' : 'dead', ...tooOld(row) };
  const conversion = sentConversion(row, destination.eventSetting !== undefined);
  const identifiers = identifiersFor(destination, conversion, people);
  const refusal = (given: Conversion): Refusal | undefined =>
    destination.refuse({ conversion: given, identifiers, id: row.platform_id }, settings, now);
  if (order === undefined || !isCorrection(conversion)) {
    const refused = refusal(conversion);
    return refused === undefined ? { conversion, identifiers, id: row.platform_id } : asideFor(refused);
  }
  // Of a part: what would be refused of a refund of the whole is refused of it, too, and now.
  const { value: part, ...whole } = conversion;
  const isPart = destination.asksForRest === true && whole.refund === true && part !== undefined && !isNegative(part);
  const early = refusal(isPart ? whole : conversion);
  if (early !== undefined) return asideFor(early);
  const wait = waitOf(row, order, now);
  if (wait !== undefined) return wait;
  // Under the purchase's own: by another id a platform finds nothing that it could correct, or counts one more sale.
  const id = order.purchase?.platformId ?? row.platform_id;
  if (destination.asksForRest !== true) return { conversion, identifiers, id };
  const sent = restated(row, conversion, order);
  if ('field' in sent) return { state: 'dead', reason: 'invalid', field: sent.field };
  const refused = refusal(sent);
  return refused === undefined ? { conversion: sent, identifiers, id } : asideFor(refused);
}

/** The row says under which id it goes: that of its purchase was not known when a correction came. */
async function keepIds(sql: Sql, organisationId: number, ready: readonly Ready[]): Promise<void> {
  const other = ready.filter(({ row, item }) => item.id !== row.platform_id);
  if (other.length === 0) return;
  await sql.run(
    `UPDATE relay_deliveries d SET platform_id = u.platform_id FROM unnest($2::bigint[], $3::text[]) AS u (id, platform_id)
     WHERE d.organisation_id = $1 AND d.id = u.id`,
    [organisationId, other.map(({ row }) => row.id), other.map(({ item }) => item.id)],
  );
}

/** Of what is too old and was never to go, the second is the reason. */
function tooOld({ facts }: TakenRow): { reason: string; field: string } {
  return facts.consent?.ad_user_data === 'denied'
    ? { reason: 'consent_denied', field: 'consent.ad_user_data' }
    : { reason: 'too_old', field: 'occurred_at' };
}

/** The conversion with the value and the event of its route. */
function sentConversion({ facts, value, platform_event }: TakenRow, eventIsSetting: boolean): Conversion {
  const { value: _own, user: _user, ...rest } = facts;
  const conversion: Conversion = value === null ? rest : { ...rest, value };
  return platform_event === null || eventIsSetting ? conversion : { ...conversion, event_name: platform_event };
}

/** REL-08: what somebody said no to is withheld, which is no fault of the conversion. */
function asideFor({ reason, field }: Refusal): Outcome {
  return { state: reason === 'consent_denied' ? 'withheld' : 'dead', reason, field };
}

/** Rows of one request each: of the same event of the platform, and of what goes together. In the order in which they are due. */
function grouped({ destination }: Account, ready: readonly Ready[]): Ready[][] {
  const open = new Map<string, Ready[]>();
  const all: Ready[][] = [];
  for (const one of ready) {
    const key = JSON.stringify([one.row.platform_event, destination.together?.(one.item) ?? '']);
    let group = open.get(key);
    if (group === undefined || group.length >= destination.batchMax) {
      group = [];
      open.set(key, group);
      all.push(group);
    }
    group.push(one);
  }
  return all;
}

/**
 * Writes a row for each request before it goes out, and marks what is in it.
 * @param more.isHeld they are being sent already under this lease, and this is a part of that attempt: looking for the row that a
 *   platform refuses must not make the others wait as long as what failed a dozen times. Those that are not any more are left out
 */
export async function begin(
  sql: Sql,
  { organisationId, destinationId }: Pick<Account, 'organisationId' | 'destinationId'>,
  groups: readonly (readonly Ready[])[],
  {
    now,
    leaseAt,
    settings,
    isHeld = false,
  }: { now: number; leaseAt: Date; settings: (platformEvent: string | null) => unknown; isHeld?: boolean },
): Promise<Batch[]> {
  if (groups.length === 0) return [];
  const at = new Date(now);
  const attempts = await sql.query<{ id: number }>(
    `INSERT INTO relay_attempts (organisation_id, destination_id, sent_at, items)
     SELECT $1, $2, $3, items FROM unnest($4::int[]) WITH ORDINALITY AS g (items, place) ORDER BY place RETURNING id`,
    [organisationId, destinationId, at, groups.map((group) => group.length)],
  );
  const batches = groups.map((ready, place) => ({
    ready,
    attemptId: attempts[place]?.id as number,
    settings: settings(ready[0]?.row.platform_event ?? null),
  }));
  const each = batches.flatMap(({ ready, attemptId }) => ready.map(({ row }) => ({ id: row.id, attemptId })));
  const marked = await sql.query<{ id: number }>(
    `UPDATE relay_deliveries d SET state = 'sending', next_at = $2,
       attempts = CASE WHEN $8 THEN d.attempts ELSE least(d.attempts + 1, 32000) END,
       first_sent_at = coalesce(d.first_sent_at, $3), tries_until = coalesce(d.tries_until, $4),
       attempt_ids = (d.attempt_ids || u.attempt)[greatest(1, cardinality(d.attempt_ids) + 2 - $7):]
     FROM unnest($5::bigint[], $6::bigint[]) AS u (id, attempt) WHERE d.organisation_id = $1 AND d.id = u.id
       AND (NOT $8 OR (d.state = 'sending' AND d.next_at = $2)) RETURNING d.id`,
    [
      ...[organisationId, leaseAt, at, new Date(now + deliveryLimits.triesMs)],
      ...[each.map(({ id }) => id), each.map(({ attemptId }) => attemptId), deliveryLimits.attemptIdsMax, isHeld],
    ],
  );
  if (marked.length === each.length) return batches;
  const still = new Set(marked.map(({ id }) => id));
  return batches
    .map((batch) => ({ ...batch, ready: batch.ready.filter(({ row }) => still.has(row.id)) }))
    .filter(({ ready }) => ready.length > 0);
}
