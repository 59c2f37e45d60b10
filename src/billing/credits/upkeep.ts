import { creditLimits, creditMicro } from '../../../contract/credits.ts';
import { repeat } from '../../platform/clock.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { Remind, Reminded } from '../../platform/reminder.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';
import { lockAccount, post } from './ledger.ts';

/** What runs out does so within this; what a dead process held is let go with it. */
const lookMs = 15 * 60_000;

export type CreditNotice = 'credits_low' | 'credits_out';
type Parts = Pick<House, 'postgres' | 'clock' | 'log'>;

/**
 * Lets go what dead processes held, and ends lots whose day is over, an organisation at a time.
 * @returns how many transfers that made
 */
export async function keepUp({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): Promise<number> {
  const made = await everywhere(postgres, async (sql, organisationId) => {
    const now = new Date(clock.now());
    const due = await sql.query(
      `SELECT 1 FROM credit_reservations WHERE organisation_id = $1 AND lease_until < $2
       UNION ALL SELECT 1 FROM credit_lots WHERE organisation_id = $1 AND remaining > 0 AND expires_at <= $2 LIMIT 1`,
      [organisationId, now],
    );
    if (due.length === 0) return [];
    const { reserved } = await lockAccount(sql, organisationId);
    const released = await endLeases(sql, organisationId, now);
    const expired = await endLots(sql, organisationId, { reserved: reserved - released.amount, now });
    return [released.transfers + expired];
  });
  return made.reduce((sum, count) => sum + count, 0);
}

async function endLeases(sql: Sql, organisationId: number, now: Date): Promise<{ amount: number; transfers: number }> {
  const over = await sql.query<{ id: number; destination_id: number; amount: number }>(
    'DELETE FROM credit_reservations WHERE organisation_id = $1 AND lease_until < $2 RETURNING id, destination_id, amount',
    [organisationId, now],
  );
  for (const { id, destination_id, amount } of over)
    await post(sql, organisationId, {
      ...{ kind: 'release', key: `lease:${id}`, at: now, destinationId: destination_id },
      ...{ deliveries: amount / creditMicro, lines: { reserved: -amount, available: amount } },
    });
  return { amount: over.reduce((sum, { amount }) => sum + amount, 0), transfers: over.length };
}

/** What is held for deliveries is of the lots that run out first, and stays until these have ended. */
async function endLots(
  sql: Sql,
  organisationId: number,
  { reserved, now }: { reserved: number; now: Date },
): Promise<number> {
  const lots = await sql.query<{ id: number; remaining: number; expires_at: Date | null }>(
    `SELECT id, remaining, expires_at FROM credit_lots WHERE organisation_id = $1 AND remaining > 0
     ORDER BY expires_at NULLS LAST, id`,
    [organisationId],
  );
  let held = reserved;
  let made = 0;
  for (const { id, remaining, expires_at } of lots) {
    if (expires_at === null || expires_at > now) break;
    const kept = Math.min(held, remaining);
    held -= kept;
    const amount = remaining - kept;
    if (amount === 0) continue;
    await post(sql, organisationId, {
      ...{ kind: 'expiry', key: `lot:${id}:${remaining}`, at: now },
      lines: { available: -amount, expired: amount },
    });
    await sql.run('UPDATE credit_lots SET remaining = $3 WHERE organisation_id = $1 AND id = $2', [
      ...[organisationId, id, kept],
    ]);
    made++;
  }
  return made;
}

export interface Standing {
  readonly state: 'well' | 'low' | 'out';
  /** Of the last seven days, in millionths. */
  readonly used: number;
}

/** How what is there stands beside what the last days have used. @param now milliseconds since 1970 */
export async function standingOf(
  sql: Sql,
  organisationId: number,
  { available, reserved }: { available: number; reserved: number },
  now: number,
): Promise<Standing> {
  const { used } = await sql.one<{ used: number }>(
    `SELECT coalesce(sum(e.amount), 0)::bigint AS used FROM credit_transfers t
     JOIN credit_entries e ON e.organisation_id = t.organisation_id AND e.transfer_id = t.id AND e.account = 'consumed'
     WHERE t.organisation_id = $1 AND t.at >= $2 AND t.kind = 'charge'`,
    [organisationId, new Date(now - creditLimits.lowDays * dayMs)],
  );
  const left = available + reserved;
  return { state: left < creditMicro ? 'out' : left < used ? 'low' : 'well', used };
}

/**
 * What an organisation is to be told now, marked as told. Once, and again only after it had been well: when there is twice as
 * much as a week uses, so that a balance that lies near what a week uses is not told of every day.
 */
export async function noticesDue(sql: Sql, organisationId: number, now: number): Promise<CreditNotice | undefined> {
  const account = await sql.maybe<{
    available: number;
    reserved: number;
    low_told_at: Date | null;
    out_told_at: Date | null;
  }>(
    'SELECT available, reserved, low_told_at, out_told_at FROM credit_accounts WHERE organisation_id = $1 FOR UPDATE',
    [organisationId],
  );
  if (account === undefined) return undefined;
  const { state, used } = await standingOf(sql, organisationId, account, now);
  const isLowOver = state === 'well' && account.available + account.reserved >= 2 * used;
  const told = {
    low: isLowOver ? null : state === 'well' ? account.low_told_at : (account.low_told_at ?? new Date(now)),
    out: state === 'out' ? (account.out_told_at ?? new Date(now)) : null,
  };
  if (told.low !== account.low_told_at || told.out !== account.out_told_at)
    await sql.run('UPDATE credit_accounts SET low_told_at = $2, out_told_at = $3 WHERE organisation_id = $1', [
      ...[organisationId, told.low, told.out],
    ]);
  if (told.out !== null && account.out_told_at === null) return 'credits_out';
  // What is out has been low: nobody is told of that afterwards.
  return state === 'low' && account.low_told_at === null ? 'credits_low' : undefined;
}

/** Tells owners and administrators that little or nothing is left, in the transaction that marks it as told. */
export function remindOfCredits({ clock, log }: Pick<Parts, 'clock' | 'log'>, remind: Remind<CreditNotice>) {
  return remind({
    roles: ['owner', 'admin'],
    async due(sql, organisation) {
      const due = await noticesDue(sql, organisation.id, clock.now());
      if (due === undefined) return [];
      const { available } = await lockAccount(sql, organisation.id);
      const site = await sql.maybe<{ domain: string }>(
        "SELECT domain FROM sites WHERE state = 'active' ORDER BY id LIMIT 1",
      );
      const told: Reminded<CreditNotice> = {
        name: due === 'credits_out' ? 'credits_out' : 'credits_low',
        facts: { organisation: organisation.name, left: Math.floor(available / creditMicro) },
        link:
          site === undefined
            ? `/o/${organisation.slug}/settings`
            : `/s/${encodeURIComponent(site.domain)}/relay/credits`,
      };
      return [told];
    },
    onFailed: (organisation, error) => log.error('credits.notices_failed', { organisation }, error),
  });
}

/** By the clock: ends what is over, then tells. @returns what ends it */
export function watchCredits(parts: Parts, remind: Remind<CreditNotice>): () => void {
  return repeat(
    parts.clock,
    lookMs,
    async () => {
      await keepUp(parts);
      await remindOfCredits(parts, remind);
    },
    { onError: (error) => parts.log.error('credits.upkeep_failed', {}, error) },
  );
}
