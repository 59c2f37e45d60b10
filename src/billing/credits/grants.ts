import { type CreditChange, creditMicro } from '../../../contract/credits.ts';
import type { Act } from '../../platform/audit.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';
import { lockAccount, post } from './ledger.ts';

export type By = Pick<Act, 'actor' | 'request'>;
/** @property isNew false where this key was there, and nothing moved @property available of the account, in millionths */
export interface Changed {
  readonly isNew: boolean;
  readonly available: number;
}

type Parts = Pick<House, 'postgres' | 'audit' | 'clock' | 'random'>;

/**
 * Adds credits to an organisation, or takes back what is left of them: an act of whoever runs the desk.
 * @throws RequestError conflict where less is left than is to be taken back, or the account would hold more than a number can
 */
export async function changeCredits(
  { postgres, audit, clock, random }: Parts,
  organisationId: number,
  change: CreditChange,
  by: By,
): Promise<Changed> {
  const now = clock.now();
  const key = `by-hand:${change.key ?? random.bytes(12).toString('hex')}`;
  return postgres.tenant(organisationId, async (sql) => {
    const { available } = await lockAccount(sql, organisationId);
    const known = await sql.maybe('SELECT 1 FROM credit_transfers WHERE organisation_id = $1 AND key = $2', [
      organisationId,
      key,
    ]);
    if (known !== undefined) return { isNew: false, available };
    const amount = change.credits * creditMicro;
    if (amount > 0) await add(sql, organisationId, { change, amount, key, now });
    else await takeBack(sql, organisationId, { change, amount: -amount, key, now, available });
    const { name } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [organisationId]);
    await audit.record(sql, organisationId, {
      action: amount > 0 ? 'credits.added' : 'credits.taken_back',
      ...by,
      targets: [{ type: 'organisation', id: organisationId, label: name }],
      details: {
        credits: Math.abs(change.credits),
        ...(change.expires_on === undefined ? {} : { expires_on: change.expires_on }),
        ...(change.reference === undefined ? {} : { reference: change.reference }),
      },
    });
    return { isNew: true, available: available + amount };
  });
}

interface Move {
  readonly change: CreditChange;
  /** Above nothing, in millionths. */
  readonly amount: number;
  readonly key: string;
  readonly now: number;
}

async function add(sql: Sql, organisationId: number, { change, amount, key, now }: Move): Promise<void> {
  const expiresAt =
    change.expires_on === undefined ? null : new Date(Date.parse(`${change.expires_on}T00:00:00Z`) + dayMs);
  if (expiresAt !== null && expiresAt.getTime() <= now)
    throw new RequestError('invalid_field', 'This day is over: credits that end then could not be used.', {
      field: 'expires_on',
    });
  await post(sql, organisationId, {
    ...{ kind: 'grant', key, at: new Date(now), reference: change.reference },
    lines: { granted: -amount, available: amount },
  }).catch((error) => {
    if ((error as { code?: string }).code !== '23514') throw error;
    throw new RequestError('conflict', 'An organisation can have nine billion credits in all.');
  });
  await sql.run(
    'INSERT INTO credit_lots (organisation_id, added_at, expires_at, amount, remaining) VALUES ($1, $2, $3, $4, $4)',
    [organisationId, new Date(now), expiresAt, amount],
  );
}

/** Out of what was added last, so that what runs out first is still there to be used first. */
async function takeBack(
  sql: Sql,
  organisationId: number,
  { change, amount, key, now, available }: Move & { readonly available: number },
): Promise<void> {
  if (change.expires_on !== undefined)
    throw new RequestError('invalid_field', 'What is taken back does not expire.', { field: 'expires_on' });
  if (available < amount)
    throw new RequestError(
      'conflict',
      `No more than ${Math.floor(available / creditMicro)} can be taken back: the other credits were used, or are held for deliveries that are being sent.`,
    );
  await post(sql, organisationId, {
    ...{ kind: 'withdrawal', key, at: new Date(now), reference: change.reference },
    lines: { available: -amount, granted: amount },
  });
  await sql.run(
    `WITH line AS (
       SELECT id, remaining, sum(remaining) OVER (ORDER BY id DESC) - remaining AS before
       FROM credit_lots WHERE organisation_id = $1 AND remaining > 0
     )
     UPDATE credit_lots l SET remaining = l.remaining - least(line.remaining, $2 - line.before)
     FROM line WHERE l.organisation_id = $1 AND l.id = line.id AND line.before < $2`,
    [organisationId, amount],
  );
}
