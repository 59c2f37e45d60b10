import { creditMicro } from '../../../contract/credits.ts';
import type { Clock } from '../../platform/clock.ts';
import type { DeliveryCredits, LaterRefused, Reserved, TurnAsk, TurnOver } from '../../platform/credits.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { drawFromLots, lockAccount, post } from './ledger.ts';

/**
 * For so long what is held for a turn stays held: longer than a turn may take with its slowest requests (two minutes) and
 * than its lease (five), so that only what a dead process held is let go by the clock.
 */
export const reservationMs = 15 * 60_000;

/** What deliveries cost: one credit for each that its platform accepted (conversion-relay.md, decision 9). */
export function sendingCosts({ clock }: { clock: Pick<Clock, 'now'> }): Omit<DeliveryCredits, 'onAdded'> {
  return {
    reserve: (sql, ask) => reserve(sql, ask, clock.now()),
    settle: (sql, over) => settle(sql, over, clock.now()),
    giveBack: (sql, refused) => giveBack(sql, refused, clock.now()),
  };
}

async function reserve(
  sql: Sql,
  { organisationId, destinationId, deliveries }: TurnAsk,
  now: number,
): Promise<Reserved> {
  const { available } = await lockAccount(sql, organisationId);
  const charged = await chargedOf(sql, organisationId, deliveries);
  const costing = deliveries.filter((id) => !charged.has(id));
  const paid = costing.slice(0, Math.floor(available / creditMicro));
  const covered = new Set([...charged, ...paid]);
  if (paid.length === 0) return { covered, reservation: undefined };
  const amount = paid.length * creditMicro;
  const { id } = await sql.one<{ id: number }>(
    `INSERT INTO credit_reservations (organisation_id, destination_id, amount, lease_until) VALUES ($1, $2, $3, $4) RETURNING id`,
    [organisationId, destinationId, amount, new Date(now + reservationMs)],
  );
  await post(sql, organisationId, {
    ...{ kind: 'reserve', key: `reserve:${id}`, at: new Date(now), destinationId, deliveries: paid.length },
    lines: { available: -amount, reserved: amount },
  });
  return { covered, reservation: id };
}

/** Those of them that have cost something already, or were let through when nothing was left to pay with. */
async function chargedOf(sql: Sql, organisationId: number, deliveries: readonly number[]): Promise<Set<number>> {
  if (deliveries.length === 0) return new Set();
  const rows = await sql.query<{ delivery_id: number }>(
    `SELECT delivery_id FROM credit_charges
     WHERE organisation_id = $1 AND delivery_id = ANY ($2::bigint[]) AND refund_id IS NULL`,
    [organisationId, deliveries],
  );
  return new Set(rows.map(({ delivery_id }) => delivery_id));
}

async function settle(
  sql: Sql,
  { organisationId, destinationId, reservation, accepted }: TurnOver,
  now: number,
): Promise<void> {
  if (reservation === undefined && accepted.length === 0) return;
  const { available } = await lockAccount(sql, organisationId);
  const held = await unhold(sql, organisationId, reservation);
  const charged = await chargedOf(
    sql,
    organisationId,
    accepted.map(({ id }) => id),
  );
  const fresh = accepted.filter(({ id }) => !charged.has(id));
  // A reservation that was let go meanwhile is made up for out of what is left; what is not there is the operator's loss,
  // since the platform has taken the conversion.
  const paid = Math.min(fresh.length, Math.floor((held + available) / creditMicro));
  const amount = paid * creditMicro;
  let transfer: number | undefined;
  if (held > 0 || amount > 0)
    transfer = await post(sql, organisationId, {
      kind: paid === 0 ? 'release' : 'charge',
      key: held > 0 ? `settle:${reservation}` : `late:${fresh[0]?.id}:${now}`,
      ...{ at: new Date(now), destinationId, deliveries: paid === 0 ? held / creditMicro : paid },
      lines: { reserved: -held, consumed: amount, available: held - amount },
    });
  if (fresh.length === 0) return;
  const at = new Date(now);
  await sql.run(
    `INSERT INTO credit_charges (organisation_id, delivery_id, conversion_id, transfer_id, amount, charged_at)
     SELECT $1, delivery, conversion, CASE WHEN place <= $4 THEN $5::bigint END, CASE WHEN place <= $4 THEN $6::bigint ELSE 0 END, $7
     FROM unnest($2::bigint[], $3::uuid[]) WITH ORDINALITY AS u (delivery, conversion, place)`,
    [
      ...[organisationId, fresh.map(({ id }) => id), fresh.map(({ conversionId }) => conversionId)],
      ...[paid, transfer ?? null, creditMicro, at],
    ],
  );
  await drawFromLots(sql, organisationId, amount);
}

/** @returns what was held under it; nothing where its lease was over */
async function unhold(sql: Sql, organisationId: number, reservation: number | undefined): Promise<number> {
  if (reservation === undefined) return 0;
  const row = await sql.maybe<{ amount: number }>(
    'DELETE FROM credit_reservations WHERE organisation_id = $1 AND id = $2 RETURNING amount',
    [organisationId, reservation],
  );
  return row?.amount ?? 0;
}

/**
 * Platforms that look at a request later say counts and never which row. Where all of its rows were refused, each charge is
 * given back, and a delivery that goes again costs again; of some, so many credits are, and each delivery counts as paid.
 */
async function giveBack(
  sql: Sql,
  { organisationId, destinationId, request, sentAt, deliveries, refused, isSentAgain }: LaterRefused,
  now: number,
): Promise<void> {
  if (refused <= 0 || deliveries.length === 0) return;
  await lockAccount(sql, organisationId);
  // One that was charged before is sent again here: what it cost then was for a request that was taken.
  const charges = await sql.query<{ id: number }>(
    `SELECT id FROM credit_charges WHERE organisation_id = $1 AND delivery_id = ANY ($2::bigint[]) AND refund_id IS NULL
       AND amount > 0 AND charged_at >= $3 ORDER BY id`,
    [organisationId, deliveries, sentAt],
  );
  const count = Math.min(refused, charges.length);
  if (count === 0) return;
  const amount = count * creditMicro;
  const at = new Date(now);
  const transfer = await post(sql, organisationId, {
    ...{
      kind: 'refund',
      key: `${isSentAgain === true ? 'again' : 'refused'}:${request}`,
      at,
      destinationId,
      deliveries: count,
    },
    lines: { refunded: -amount, available: amount },
  });
  if (transfer === undefined) return;
  await sql.run(
    `INSERT INTO credit_lots (organisation_id, added_at, is_refund, amount, remaining) VALUES ($1, $2, true, $3, $3)
     ON CONFLICT (organisation_id) WHERE is_refund DO UPDATE SET amount = credit_lots.amount + EXCLUDED.amount,
       remaining = credit_lots.remaining + EXCLUDED.amount, added_at = EXCLUDED.added_at`,
    [organisationId, at, amount],
  );
  if (count === charges.length && refused >= deliveries.length)
    await sql.run('UPDATE credit_charges SET refund_id = $3 WHERE organisation_id = $1 AND id = ANY ($2::bigint[])', [
      ...[organisationId, charges.map(({ id }) => id), transfer],
    ]);
}
