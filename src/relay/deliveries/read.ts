import type { z } from 'zod';
import type { Delivery, deliveriesQuestion, deliveryStory } from '../../../contract/deliveries.ts';
import type { Sql } from '../../platform/postgres/index.ts';

interface Row
  extends Omit<Delivery, 'occurred_at' | 'created_at' | 'first_sent_at' | 'settled_at' | 'next_at' | 'destination'> {
  occurred_at: Date;
  created_at: Date;
  first_sent_at: Date | null;
  settled_at: Date | null;
  next_at: Date;
  kind: string | null;
  name: string | null;
}

const columns = `d.id, d.conversion_id, c.event_name, c.occurred_at, c.order_id, d.destination_id, o.kind, o.name, d.route_id, d.platform_id,
  d.platform_event, d.value::text AS value, c.currency, d.state, d.reason, d.field, d.waits_for, d.next_at, d.attempts, d.replays, d.is_test,
  d.platform_result, d.created_at, d.first_sent_at, d.settled_at`;
const from = `FROM relay_deliveries d
  JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
  LEFT JOIN relay_destinations o ON o.id = d.destination_id`;

/** Deliveries that fit, the newest first. */
export async function listDeliveries(
  sql: Sql,
  organisationId: number,
  { cursor, limit, ...asked }: z.infer<typeof deliveriesQuestion>,
): Promise<{ deliveries: Delivery[]; next: number | null }> {
  const rows = await sql.query<Row>(
    `SELECT ${columns} ${from} WHERE d.organisation_id = $1
       AND ($2::bigint IS NULL OR d.destination_id = $2) AND ($3::text IS NULL OR d.state = $3)
       AND ($4::text IS NULL OR d.reason = $4) AND ($5::timestamptz IS NULL OR d.created_at >= $5)
       AND ($6::timestamptz IS NULL OR d.created_at < $6) AND ($7::uuid IS NULL OR d.conversion_id = $7)
       AND ($8::text IS NULL OR c.order_id = $8) AND ($9::bigint IS NULL OR d.id < $9)
     ORDER BY d.id DESC LIMIT $10`,
    [
      ...[organisationId, asked.destination ?? null, asked.state ?? null, asked.reason ?? null, asked.from ?? null],
      ...[asked.to ?? null, asked.conversion ?? null, asked.order ?? null, cursor ?? null, limit + 1],
    ],
  );
  const deliveries = rows.slice(0, limit).map(shown);
  return { deliveries, next: rows.length > limit ? (deliveries.at(-1)?.id ?? null) : null };
}

/** One delivery with the requests that it was in. */
export async function deliveryOf(
  sql: Sql,
  organisationId: number,
  id: number,
): Promise<z.infer<typeof deliveryStory> | undefined> {
  const row = await sql.maybe<Row>(`SELECT ${columns} ${from} WHERE d.organisation_id = $1 AND d.id = $2`, [
    ...[organisationId, id],
  ]);
  if (row === undefined) return undefined;
  const attempts = await sql.query<z.infer<typeof deliveryStory>['attempts'][number] & { sent_at: Date }>(
    `SELECT a.id, a.sent_at, a.items, a.ms, a.status, a.class, a.reason, a.answer, a.result FROM relay_attempts a
     WHERE a.organisation_id = $1 AND a.id IN (
       SELECT unnest(attempt_ids) FROM relay_deliveries WHERE organisation_id = $1 AND id = $2) ORDER BY a.id`,
    [organisationId, id],
  );
  return {
    delivery: shown(row),
    attempts: attempts.map((each) => ({ ...each, sent_at: (each.sent_at as Date).toISOString() })),
  };
}

function shown({ kind, name, occurred_at, created_at, first_sent_at, settled_at, next_at, ...row }: Row): Delivery {
  const isOver = settled_at !== null;
  return {
    ...row,
    destination: kind === null || name === null ? null : { kind, name },
    ...{ occurred_at: occurred_at.toISOString(), created_at: created_at.toISOString() },
    ...{ first_sent_at: first_sent_at?.toISOString() ?? null, settled_at: settled_at?.toISOString() ?? null },
    next_at: isOver ? null : next_at.toISOString(),
  };
}
