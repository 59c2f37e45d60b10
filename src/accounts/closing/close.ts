import { closingLimits } from '../../../contract/account_closing.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import { emailDigest } from '../../platform/email.ts';
import { everyOrganisation } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';
import { endConsents } from '../../trust/consent/index.ts';
import { isMemberHeld, isPersonHeld } from '../../trust/windows/index.ts';
import { revokeKeysOf } from '../api_keys.ts';
import { lockOrganisation } from '../organisations/found.ts';
import { effectiveStatus } from '../organisations/index.ts';
import { emailIn, personIn } from '../people/person.ts';
import { accountClosedMail, mailClosing } from './mails.ts';
import { isLastOwner } from './preview.ts';

/** When an organisation would be left without an owner after all, its person is asked again after so long. */
const waitDays = 7;

/** What a person has and nobody else needs. A row of their own each, so the order does not matter. */
export const ownTables = [
  ...['passwords', 'avatars', 'one_time_tokens', 'authenticators', 'recovery_codes', 'seen_devices', 'identities'],
  ...['passkeys', 'notifications', 'notification_choices', 'quiet_hours'],
] as const;

type Parts = { house: Omit<House, 'authenticate'> };

/**
 * Closes the accounts whose day has come, and those that never proved an address and belong to nothing. Each step may be
 * cut short and done again: what is done is found done, and only the last one says that there is nothing left.
 * @returns how many were closed
 */
export async function closeWhatIsDue(parts: Parts): Promise<number> {
  const { postgres, clock, log } = parts.house;
  const due = await postgres.system((sql) =>
    sql.query<{ person_id: number }>('SELECT person_id FROM lookup.people_to_close($1, $2)', [
      new Date(clock.now()),
      new Date(clock.now() - closingLimits.unverifiedDays * dayMs),
    ]),
  );
  let closed = 0;
  for (const { person_id: id } of due)
    if (await closePerson(parts, id)) closed += 1;
    else log.warn('people.closing_waits', { person: id });
  if (closed > 0) log.info('people.closed', { people: closed });
  return closed;
}

async function closePerson({ house }: Parts, id: number): Promise<boolean> {
  const { postgres, vault } = house;
  const organisations = await postgres.person(id, (sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM memberships WHERE person_id = $1', [id]),
  );
  // Decided before anything is taken: what a hold keeps would else be half of what there was.
  if (await postgres.person(id, (sql) => isPersonHeld(sql, id))) return false;
  for (const { organisation_id } of organisations)
    if (await postgres.tenant(organisation_id, (sql) => isMemberHeld(sql, organisation_id))) return false;
  for (const { organisation_id } of organisations) {
    const left = await leave(house, organisation_id, id);
    if (left !== 'left') {
      await wait(house, id, left.lastOwnerOf);
      return false;
    }
  }
  const email = await postgres.person(id, (sql) => emailIn(house, sql, id));
  // Past organisations too: their trails hold the name, and the address where somebody was invited by it.
  const every = await everyOrganisation(postgres);
  const shred = async (kind: 'person' | 'email', value: string) => {
    for (const owner of ['desk' as const, ...every]) await vault.shred(owner, await vault.subject(owner, kind, value));
  };
  if (
    email !== undefined &&
    !(await empty(house, id, { email, shredAddress: () => shred('email', email.toLowerCase()) }))
  )
    return true;
  crashPoint('closing.emptied');
  // Last, because until then the address is read with them.
  await shred('person', String(id));
  await postgres.person(id, (sql) =>
    sql.run("UPDATE people SET status_until = NULL WHERE id = $1 AND status = 'closed'", [id]),
  );
  return true;
}

/** Membership, reports and the keys that they made; nothing when nobody else owns the organisation, which is named then. */
async function leave(
  { postgres, audit, clock }: Parts['house'],
  organisationId: number,
  personId: number,
): Promise<'left' | { lastOwnerOf: string }> {
  return postgres.within({ organisationId, personId }, async (sql) => {
    const { name } = await lockOrganisation(sql, organisationId);
    const { role } = await sql.one<{ role: string }>(
      'SELECT role FROM memberships WHERE organisation_id = $1 AND person_id = $2',
      [organisationId, personId],
    );
    const organisation = await sql.one<{ status: 'active'; until: Date | null }>(
      'SELECT status, status_until AS until FROM organisations WHERE id = $1',
      [organisationId],
    );
    const isOver = effectiveStatus(organisation, clock.now()) === 'closed';
    if (role === 'owner' && !isOver && (await isLastOwner(sql, personId))) return { lastOwnerOf: name };
    await revokeKeysOf({ audit, clock }, sql, { organisationId, personId, by: { actor: { type: 'system' } } });
    await sql.run('DELETE FROM report_subscriptions WHERE person_id = $1', [personId]);
    await sql.run('DELETE FROM memberships WHERE organisation_id = $1 AND person_id = $2', [organisationId, personId]);
    await audit.record(sql, organisationId, {
      action: 'member.left',
      actor: { type: 'system' },
      targets: [{ type: 'person', id: personId }],
      details: { role, because: 'account closed' },
    });
    return 'left';
  });
}

/** Put off, so that its person, who is told of it, can sign in and hand the organisation on. */
async function wait(house: Parts['house'], id: number, organisation: string): Promise<void> {
  const { postgres, clock, audit } = house;
  const until = new Date(clock.now() + waitDays * dayMs);
  await postgres.person(id, async (sql) => {
    const waits = await sql.run("UPDATE people SET status_until = $2 WHERE id = $1 AND status = 'closing'", [
      id,
      until,
    ]);
    if (waits === 0) return;
    const { email, locale } = await personIn(house, sql, id);
    await audit.recordOfPerson(sql, id, {
      action: 'person.closing',
      actor: { type: 'system' },
      targets: [{ type: 'person', id }],
      details: { until: until.toISOString(), because: `the only owner of ${organisation}` },
    });
    const reason = `You are the only owner of ${organisation}, so it waits a week more. Sign in and hand the organisation on, or close it.`;
    await mailClosing(house, sql, { id, email, locale, until, reason });
  });
}

/**
 * @param shredAddress destroys the keys that are found by the address: before the address goes, or whoever comes after a
 * kill would not know them any more
 * @returns false when it is not due any more: an address was proved meanwhile
 */
async function empty(
  { postgres, clock, audit, mail, keys }: Parts['house'],
  id: number,
  { email, shredAddress }: { email: string; shredAddress(): Promise<void> },
): Promise<boolean> {
  const now = new Date(clock.now());
  return postgres.person(id, async (sql) => {
    const row = await sql.maybe<{ status: string }>(
      `SELECT status FROM people WHERE id = $1
         AND (status = 'unverified' OR (status = 'closing' AND status_until <= $2)) FOR UPDATE`,
      [id, now],
    );
    if (row === undefined) return false;
    await shredAddress();
    await mail.suppressions.suppress(sql, email, 'erasure');
    await mail.send(sql, { template: accountClosedMail, to: email, values: { asked: row.status === 'closing' } });
    await audit.recordOfPerson(sql, id, {
      action: 'person.closed',
      actor: { type: 'system' },
      targets: [{ type: 'person', id }],
    });
    await endConsents(sql, id, clock.now());
    for (const table of ownTables) await sql.run(`DELETE FROM ${table} WHERE person_id = $1`, [id]);
    // The rows of sessions go by their age; what they say of devices goes now.
    await sql.run(
      `UPDATE sessions SET device = '', place = '', methods = '', revoked_at = coalesce(revoked_at, $2) WHERE person_id = $1`,
      [id, now],
    );
    await sql.run(
      `UPDATE people SET email_digest = NULL, email_sealed = NULL, name = '', username = NULL, timezone = NULL, locale = NULL,
         email_verified_at = NULL, last_seen_day = NULL, is_operator = false, status = 'closed', status_reason = NULL,
         status_until = $2, status_since = $2
       WHERE id = $1 AND email_digest = $3`,
      [id, now, emailDigest(keys, email)],
    );
    return true;
  });
}
