import {
  type CreditAccount,
  type Credits,
  type CreditTransfer,
  type CreditTransferStory,
  type CreditTransfersPage,
  creditAccounts,
  creditLimits,
} from '../../../contract/credits.ts';
import type { RelayPeriod } from '../../../contract/relay_asked.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { isoDay, localDay, startOfDay, zoneOrUtc } from '../../platform/zone.ts';
import type { Balances } from './ledger.ts';
import { standingOf } from './upkeep.ts';

const daysOf: Record<RelayPeriod, number> = { today: 1, '7d': 7, '30d': 30, '90d': 90 };
const nothing: Balances = { available: 0, reserved: 0, consumed: 0, expired: 0, granted: 0, refunded: 0 };

/** What is left, what was used by destination and day of a period, and what runs out when. @param now milliseconds since 1970 */
export async function readCredits(
  sql: Sql,
  organisationId: number,
  { period, isOn, now }: { period: RelayPeriod; isOn: boolean; now: number },
): Promise<Credits> {
  const { timezone } = await sql.one<{ timezone: string }>('SELECT timezone FROM organisations WHERE id = $1', [
    organisationId,
  ]);
  const zone = zoneOrUtc(timezone);
  const today = localDay(now, zone);
  const first = today - daysOf[period] + 1;
  const days = Array.from({ length: daysOf[period] }, (_, at) => first + at);
  const begins = days.map((day) => new Date(startOfDay(day, zone)));
  const end = new Date(startOfDay(today + 1, zone));
  const balances =
    (await sql.maybe<Balances>(
      'SELECT available, reserved, consumed, expired, granted, refunded FROM credit_accounts WHERE organisation_id = $1',
      [organisationId],
    )) ?? nothing;
  const { state, used } = await standingOf(sql, organisationId, balances, now);
  const lots = await sql.query<{
    id: number;
    amount: number;
    remaining: number;
    added_at: Date;
    expires_at: Date | null;
  }>(
    `SELECT id, amount, remaining, added_at, expires_at FROM credit_lots WHERE organisation_id = $1 AND remaining > 0
     ORDER BY expires_at NULLS LAST, id LIMIT $2`,
    [organisationId, creditLimits.lotsMax],
  );
  const { granted, refunded, ...others } = balances;
  return {
    ...{ is_on: isOn, state, used_last_days: used },
    balance: { ...others, granted: Math.abs(granted), refunded: Math.abs(refunded) },
    lots: lots.map(({ added_at, expires_at, ...lot }) => ({
      ...lot,
      ...{ added_at: added_at.toISOString(), expires_at: expires_at?.toISOString() ?? null },
    })),
    span: { from: (begins[0] as Date).toISOString(), to: end.toISOString(), timezone: zone },
    days: days.map(isoDay),
    destinations: await usedBy(sql, organisationId, begins, end),
  };
}

async function usedBy(
  sql: Sql,
  organisationId: number,
  begins: readonly Date[],
  end: Date,
): Promise<Credits['destinations']> {
  const rows = await sql.query<{
    destination_id: number;
    step: number;
    consumed: number;
    deliveries: number;
    refunded: number;
  }>(
    `SELECT t.destination_id, width_bucket(t.at, $2::timestamptz[])::int - 1 AS step,
       coalesce(sum(e.amount) FILTER (WHERE t.kind = 'charge'), 0)::bigint AS consumed,
       coalesce(sum(t.deliveries) FILTER (WHERE t.kind = 'charge'), 0)::bigint AS deliveries,
       coalesce(-sum(e.amount) FILTER (WHERE t.kind = 'refund'), 0)::bigint AS refunded
     FROM credit_transfers t JOIN credit_entries e ON e.organisation_id = t.organisation_id AND e.transfer_id = t.id
       AND e.account = CASE t.kind WHEN 'charge' THEN 'consumed' ELSE 'refunded' END
     WHERE t.organisation_id = $1 AND t.at >= $3 AND t.at < $4 AND t.kind IN ('charge', 'refund') AND t.destination_id IS NOT NULL
     GROUP BY 1, 2`,
    [organisationId, begins, begins[0], end],
  );
  return [...Map.groupBy(rows, ({ destination_id }) => destination_id)]
    .map(([destination_id, some]) => {
      const by_day = begins.map(() => 0);
      for (const { step, consumed } of some) by_day[step] = consumed;
      const sum = (of: (row: (typeof rows)[number]) => number) => some.reduce((all, row) => all + of(row), 0);
      return {
        ...{ destination_id, by_day, consumed: sum(({ consumed }) => consumed) },
        ...{ deliveries: sum(({ deliveries }) => deliveries), refunded: sum(({ refunded }) => refunded) },
      };
    })
    .sort((a, b) => b.consumed - a.consumed || a.destination_id - b.destination_id);
}

interface TransferRow extends Omit<CreditTransfer, 'at' | 'lines' | 'change'> {
  at: Date;
  lines: { account: CreditAccount; amount: number }[];
}
const columns = `t.id, t.kind, t.at, t.destination_id, t.deliveries, t.reference,
  (SELECT json_agg(json_build_object('account', e.account, 'amount', e.amount)) FROM credit_entries e
   WHERE e.organisation_id = t.organisation_id AND e.transfer_id = t.id) AS lines`;

function shown({ at, lines, ...row }: TransferRow): CreditTransfer {
  const change = lines.reduce(
    (sum, { account, amount }) => (account === 'available' || account === 'reserved' ? sum + amount : sum),
    0,
  );
  const place = ({ account }: { account: CreditAccount }) => creditAccounts.indexOf(account);
  return { ...row, at: at.toISOString(), change, lines: [...lines].sort((a, b) => place(a) - place(b)) };
}

/** Lines of the ledger, the newest first. */
export async function listTransfers(
  sql: Sql,
  organisationId: number,
  {
    kind,
    holds,
    cursor,
    limit,
  }: { kind?: string | undefined; holds: 'yes' | 'no'; cursor?: number | undefined; limit: number },
): Promise<CreditTransfersPage> {
  const rows = await sql.query<TransferRow>(
    `SELECT ${columns} FROM credit_transfers t WHERE t.organisation_id = $1 AND ($2::text IS NULL OR t.kind = $2)
       AND ($3 OR $2 IS NOT NULL OR t.kind NOT IN ('reserve', 'release')) AND ($4::bigint IS NULL OR t.id < $4)
     ORDER BY t.id DESC LIMIT $5`,
    [organisationId, kind ?? null, holds === 'yes', cursor ?? null, limit + 1],
  );
  const transfers = rows.slice(0, limit).map(shown);
  return { transfers, next: rows.length > limit ? (transfers.at(-1)?.id ?? null) : null };
}

/** One transfer, and the deliveries that it is for: those that it paid, or whose charge it gave back. */
export async function transferOf(
  sql: Sql,
  organisationId: number,
  { id, cursor, limit }: { id: number; cursor?: number | undefined; limit: number },
): Promise<CreditTransferStory | undefined> {
  const row = await sql.maybe<TransferRow>(
    `SELECT ${columns} FROM credit_transfers t WHERE t.organisation_id = $1 AND t.id = $2`,
    [organisationId, id],
  );
  if (row === undefined) return undefined;
  const charges = await sql.query<{
    id: number;
    delivery_id: number;
    conversion_id: string;
    amount: number;
    charged_at: Date;
    is_refunded: boolean;
  }>(
    `SELECT id, delivery_id, conversion_id, amount, charged_at, refund_id IS NOT NULL AS is_refunded FROM credit_charges
     WHERE organisation_id = $1 AND ${row.kind === 'refund' ? 'refund_id' : 'transfer_id'} = $2 AND ($3::bigint IS NULL OR id > $3)
     ORDER BY id LIMIT $4`,
    [organisationId, id, cursor ?? null, limit + 1],
  );
  const page = charges.slice(0, limit);
  return {
    transfer: shown(row),
    charges: page.map(({ id: _id, charged_at, ...charge }) => ({ ...charge, charged_at: charged_at.toISOString() })),
    next: charges.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}
