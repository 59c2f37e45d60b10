import type { Act } from '../../platform/audit.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { MailTemplate } from '../../platform/mail/index.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { personIn } from '../people/person.ts';

/** How many ways in a person has. Providers that are off now open nothing. */
export async function countWays(
  sql: Sql,
  personId: number,
  providersOn: readonly string[],
): Promise<{ passwords: number; passkeys: number; identities: number }> {
  // The row of the person is held, so that two removals at once cannot each leave the other's way as the last.
  await sql.query('SELECT 1 FROM people WHERE id = $1 FOR UPDATE', [personId]);
  return sql.one(
    `SELECT (SELECT count(*) FROM passwords WHERE person_id = $1) AS passwords,
       (SELECT count(*) FROM passkeys WHERE person_id = $1) AS passkeys,
       (SELECT count(*) FROM identities WHERE person_id = $1 AND provider = ANY ($2)) AS identities`,
    [personId, providersOn],
  );
}

/** @throws RequestError conflict when nothing would be left to sign in with. */
export function refuseLastWay(left: { passwords: number; passkeys: number; identities: number }): void {
  if (left.passwords + left.passkeys + left.identities > 0) return;
  throw new RequestError(
    'conflict',
    'This is your last way to sign in. Set a password or add a passkey first, then remove it.',
  );
}

/**
 * Asked after a second factor was removed, in the same transaction.
 * @throws RequestError conflict when none is left and an organisation of the person asks for one
 */
export async function refuseLastFactor(sql: Sql, personId: number): Promise<void> {
  const asking = await sql.query<{ name: string }>(
    `SELECT o.name FROM memberships m JOIN organisations o ON o.id = m.organisation_id
     WHERE m.person_id = $1 AND NOT has_second_factor(m.person_id)
       AND (o.second_factor = 'all' OR (o.second_factor = 'managers' AND m.role IN ('owner', 'admin')))
     ORDER BY o.name LIMIT 1`,
    [personId],
  );
  if (asking[0] === undefined) return;
  throw new RequestError(
    'conflict',
    `This is your last second factor, and ${asking[0].name} asks for one. Add another passkey or an authenticator first, then remove it.`,
  );
}

/** Writes the act down and tells the person by mail, both in the transaction of the change. */
export async function tell(
  parts: Pick<House, 'audit' | 'mail' | 'vault'>,
  sql: Sql,
  personId: number,
  told: { act: Act; template: MailTemplate<{ way: string; link: string }>; way: string },
): Promise<void> {
  await parts.audit.recordOfPerson(sql, personId, told.act);
  const { email } = await personIn(parts, sql, personId);
  await parts.mail.send(sql, {
    template: told.template,
    to: email,
    values: { way: told.way, link: parts.mail.link('/account/security') },
    personId,
  });
}
