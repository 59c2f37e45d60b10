import type { Conversion } from '../../../contract/conversion.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { isNegative } from '../conversions/amount.ts';
import { identifiersFor, openPeople, type People } from '../conversions/people.ts';
import { type Item, type Refusal, SettingsProblem } from '../destinations/destination.ts';
import { type SaidSince, saidSince, withDenied } from '../routing/on_record.ts';
import { isCorrection, type Order, readOrders, restated, waitOf } from './corrections.ts';
import { deliveryLimits } from './limits.ts';
import type { Senders, Target } from './parts.ts';
import { settingsFor } from './request.ts';
import type { Outcome, Ready, TakenRow } from './rows.ts';

/** What is read of deliveries `d` of conversions `c` to be decided on: a `TakenRow`. */
export const takenColumns = `d.id, d.conversion_id, d.platform_id, d.platform_event, d.value::text AS value, d.waits_for, d.created_at,
  d.tries_until, d.attempts, c.source_id, c.site_id, c.occurred_at, c.currency, c.facts,
  EXISTS (SELECT FROM relay_routes r WHERE r.id = d.route_id) AS has_route`;

export interface Decided {
  readonly ready: Ready[];
  /** What is not sent now. */
  readonly aside: { readonly row: TakenRow; readonly outcome: Outcome }[];
  /** By the platform event of a row, as `build` takes them; undefined where they cannot be read. */
  settings(platformEvent: string | null): unknown;
  /** Of corrections, by delivery. */
  readonly orders: ReadonlyMap<number, Order>;
}

/**
 * What becomes of deliveries that are to go: the item of a request, or an outcome without anything being sent, also of what somebody has
 * said no to since, or whose route was removed while it was being sent. A refund whose purchase is not there yet waits. Writes nothing:
 * a turn goes by it, and so does what is said before a replay.
 * @param given.now milliseconds since 1970
 */
export async function decide(
  sql: Sql,
  vault: Senders['vault'],
  target: Target,
  { rows, now }: { rows: readonly TakenRow[]; now: number },
): Promise<Decided> {
  const conversions = [...new Set(rows.map((row) => row.conversion_id))];
  const since = await saidSince(sql, conversions);
  // Of whom data is kept and not used, nothing is opened (DSR-05).
  const opened = conversions.filter((id) => since.get(id)?.isRestricted !== true);
  const people = await openPeople(sql, vault, target.organisationId, opened, target.destination);
  const corrections = rows.filter(({ facts }) => isCorrection(facts));
  const orders = corrections.length === 0 ? new Map<number, Order>() : await readOrders(sql, target, corrections);
  const set = new Map<string | null, unknown>();
  for (const { platform_event } of rows)
    if (!set.has(platform_event)) set.set(platform_event, readSettings(target, platform_event));

  const aside: Decided['aside'] = [];
  const ready: Ready[] = [];
  for (const taken of rows) {
    const no = since.get(taken.conversion_id);
    const row = no === undefined ? taken : { ...taken, facts: withDenied(taken.facts, no) };
    const said =
      (row.has_route ? undefined : removed) ??
      refusedSince(target, no) ??
      judge(target, row, {
        people: people.get(row.conversion_id),
        order: orders.get(row.id),
        now,
        settings: set.get(row.platform_event),
      });
    if ('state' in said) aside.push({ row, outcome: said });
    else ready.push({ row, item: said });
  }
  return { ready, aside, settings: (event) => set.get(event), orders };
}

const noPeople: People = { hashes: {} };
const removed: Outcome = { state: 'cancelled', reason: 'removed' };

function readSettings(account: Target, platformEvent: string | null): unknown {
  try {
    return settingsFor(account, platformEvent);
  } catch (error) {
    // The account's own settings were read before: what is wrong is the event of the route.
    if (error instanceof SettingsProblem) return undefined;
    throw error;
  }
}

/** What people have said no to since is withheld, as if it came now; by the same words as what waited when they said so. */
function refusedSince({ destination }: Target, no: SaidSince | undefined): Outcome | undefined {
  if (no === undefined) return undefined;
  if (no.isRestricted) return { state: 'withheld', reason: 'restricted', field: 'user' };
  const purpose = destination.purposes.find((one) => no.denied.includes(one));
  return purpose && { state: 'withheld', reason: 'consent_denied', field: `consent.${purpose}` };
}

/** The item that goes, or what becomes of the delivery without anything being sent. */
function judge(
  { destination }: Target,
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
