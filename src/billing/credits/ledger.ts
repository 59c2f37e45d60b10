import type { CreditAccount, CreditKind } from '../../../contract/credits.ts';
import type { Sql } from '../../platform/postgres/index.ts';

/** Balances of an organisation in millionths of a credit; `granted` and `refunded` stand below nothing, so that all sum to it. */
export type Balances = Readonly<Record<CreditAccount, number>>;

export interface Transfer {
  readonly kind: CreditKind;
  /** What it is for; of each key there is one. */
  readonly key: string;
  readonly at: Date;
  readonly lines: Readonly<Partial<Record<CreditAccount, number>>>;
  readonly destinationId?: number | undefined;
  readonly deliveries?: number | undefined;
  readonly reference?: string | undefined;
}

const columns = 'available, reserved, consumed, expired, granted, refunded';

/**
 * The account of an organisation, held until the transaction ends: whoever moves its credits takes turns. It is made with
 * nothing in it when it is first asked for.
 */
export async function lockAccount(sql: Sql, organisationId: number): Promise<Balances> {
  const ask = () =>
    sql.maybe<Balances>(`SELECT ${columns} FROM credit_accounts WHERE organisation_id = $1 FOR UPDATE`, [
      organisationId,
    ]);
  const known = await ask();
  if (known !== undefined) return known;
  await sql.run('INSERT INTO credit_accounts (organisation_id) VALUES ($1) ON CONFLICT DO NOTHING', [organisationId]);
  return (await ask()) as Balances;
}

/**
 * Writes a transfer with its lines, in one statement; the database adds them to the account, and refuses what does not sum
 * to nothing. Lines of nothing are left out.
 * @returns its number, or undefined where there is one with this key
 */
export async function post(sql: Sql, organisationId: number, transfer: Transfer): Promise<number | undefined> {
  const lines = Object.entries(transfer.lines).filter(([, amount]) => amount !== 0);
  const [row] = await sql.query<{ transfer_id: number }>(
    `WITH made AS (
       INSERT INTO credit_transfers (organisation_id, kind, key, at, destination_id, deliveries, reference)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (organisation_id, key) DO NOTHING RETURNING id
     )
     INSERT INTO credit_entries (organisation_id, transfer_id, account, amount)
     SELECT $1, made.id, u.account, u.amount FROM made, unnest($8::text[], $9::bigint[]) AS u (account, amount)
     RETURNING transfer_id`,
    [
      ...[organisationId, transfer.kind, transfer.key, transfer.at, transfer.destinationId ?? null],
      ...[transfer.deliveries ?? null, transfer.reference ?? null],
      ...[lines.map(([account]) => account), lines.map(([, amount]) => amount)],
    ],
  );
  return row?.transfer_id;
}

/** Takes so much out of what runs out first. The account is locked, and has it. */
export async function drawFromLots(sql: Sql, organisationId: number, amount: number): Promise<void> {
  if (amount === 0) return;
  await sql.run(
    `WITH line AS (
       SELECT id, remaining, sum(remaining) OVER (ORDER BY expires_at NULLS LAST, id) - remaining AS before
       FROM credit_lots WHERE organisation_id = $1 AND remaining > 0
     )
     UPDATE credit_lots l SET remaining = l.remaining - least(line.remaining, $2 - line.before)
     FROM line WHERE l.organisation_id = $1 AND l.id = line.id AND line.before < $2`,
    [organisationId, amount],
  );
}
