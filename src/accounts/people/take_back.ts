import { type Act, actOf } from '../../platform/audit.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { revokeKeysOf } from '../api_keys.ts';

type Asked = Parameters<typeof actOf>[0];

/**
 * Nobody had proved the mailbox of this account, and now its reader sets the password. Whoever made the account may have
 * been somebody else, by the forwarded link of an invitation: what lets anybody in, and was set up before, goes. Of an
 * account whose address was proved before, nothing does.
 * To be called in the transaction of the new password, before the address is noted as proved.
 */
export async function takeBack(
  { audit, clock }: Pick<House, 'audit' | 'clock'>,
  sql: Sql,
  personId: number,
  request: Asked,
): Promise<void> {
  const unproved = await sql.query(
    "SELECT 1 FROM people WHERE id = $1 AND email_verified_at IS NULL AND 'unverified' IN (status, status_before)",
    [personId],
  );
  if (unproved.length === 0) return;
  const gone: Record<string, number> = {};
  for (const table of ['authenticators', 'recovery_codes', 'passkeys', 'identities', 'one_time_tokens'] as const)
    gone[table] = await sql.run(`DELETE FROM ${table} WHERE person_id = $1`, [personId]);
  const by = { ...actOf(request), actor: { type: 'person' as const, id: personId } };
  const keys = await revokeEverywhere({ audit, clock }, sql, personId, by);
  const details: Act['details'] = {
    passkeys: gone.passkeys ?? 0,
    identities: gone.identities ?? 0,
    authenticator: (gone.authenticators ?? 0) > 0,
    keys,
  };
  await audit.recordOfPerson(sql, personId, {
    action: 'person.taken_back',
    ...by,
    targets: [{ type: 'person', id: personId }],
    details,
  });
}

/** The API keys that this person made, in every organisation they belong to. @returns how many */
async function revokeEverywhere(
  house: Pick<House, 'audit' | 'clock'>,
  sql: Sql,
  personId: number,
  by: Omit<Act, 'action'>,
): Promise<number> {
  const organisations = await sql.query<{ organisation_id: number }>(
    'SELECT organisation_id FROM memberships WHERE person_id = $1 ORDER BY organisation_id',
    [personId],
  );
  const through = (id: number | '') => sql.query("SELECT set_config('fairlead.organisation', $1, true)", [String(id)]);
  let count = 0;
  for (const { organisation_id } of organisations) {
    await through(organisation_id);
    const revoked = await revokeKeysOf(house, sql, { organisationId: organisation_id, personId, by });
    // Through the door of this organisation, which is left again below.
    if (revoked > 0) await house.audit.writeNow(sql);
    count += revoked;
  }
  // What follows in this transaction is the person's alone again.
  await through('');
  return count;
}
