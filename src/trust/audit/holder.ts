import { type DataSubject, identifiersOf, type PersonalDataHolder } from '../../platform/personal_data.ts';
import type { House } from '../../platform/subject.ts';

const table = 'postgres audit.entries';

/**
 * Names and addresses in the trail of an organisation are sealed under keys of whom they name (R10): once these are
 * destroyed nobody reads them, in no copy, and the chain still verifies. A name in the trail of who is still a member stays
 * readable until the membership is over.
 */
export function auditHolder({ postgres, vault }: Pick<House, 'postgres' | 'vault'>): PersonalDataHolder {
  const named = (who: DataSubject) =>
    who.identifiers.filter(({ kind }) => kind === 'person' || kind === 'email').map(({ digest }) => digest);
  const keysOf = (who: DataSubject) =>
    postgres.vault(who.organisationId, async (sql) => {
      const { rows } = await sql.one<{ rows: number }>(
        'SELECT count(*)::int AS rows FROM vault.subject_keys WHERE organisation_id = $1 AND subject = ANY ($2)',
        [who.organisationId, named(who)],
      );
      return rows === 0 ? [] : [{ table, class: 'D17' as const, rows }];
    });
  /** Numbers of those who are members still: their name is needed for what they do next. */
  const members = (who: DataSubject) =>
    postgres.tenant(who.organisationId, (sql) =>
      sql.query<{ person_id: number }>('SELECT person_id FROM memberships WHERE person_id = ANY ($1)', [
        identifiersOf(who, 'person').flatMap(({ value }) => (value === undefined ? [] : [Number(value)])),
      ]),
    );
  return {
    name: 'audit-names',
    what: 'their name and address in the audit log',
    tables: { [table]: 'D17' },
    after: ['membership', 'invitations', 'notifications'],
    find: async (who) => ({ rows: await keysOf(who) }),
    // Entries say who did what under a pseudonym; whoever wants their own acts reads them in the audit log of the account.
    copy: async () => [],
    whileRestricted: 'entries stay, under a pseudonym',
    async eraseBefore(who) {
      const found = await keysOf(who);
      const still = await members(who);
      if (still.length > 0)
        return { gone: [], kept: found.map((one) => ({ ...one, why: 'they are a member of the organisation still' })) };
      for (const digest of named(who)) await vault.shred(who.organisationId, digest);
      return { gone: found.map((one) => ({ ...one, how: 'key destroyed' as const })), kept: [] };
    },
    left: async (who) => ((await members(who)).length > 0 ? [] : keysOf(who)),
  };
}
