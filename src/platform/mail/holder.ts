import { type CopiedRecord, type DataSubject, identifiersOf, type PersonalDataHolder } from '../personal_data.ts';
import { asMail, type Postgres } from '../postgres/index.ts';
import type { Mail } from './message.ts';

const table = 'postgres mail.messages';

/**
 * The list of what was sent to somebody on behalf of an organisation, and what waits to be. That they want no mail
 * (mail.suppressions) stays, or it could not be honoured.
 */
export function mailHolder({ postgres, mail }: { postgres: Pick<Postgres, 'mail'>; mail: Mail }): PersonalDataHolder {
  const digests = (who: DataSubject) =>
    identifiersOf(who, 'email').flatMap(({ others, value }) =>
      others !== undefined ? [others.mail] : value !== undefined ? [mail.suppressions.digest(value)] : [],
    );
  const of = (who: DataSubject) => [who.organisationId, digests(who)];
  const where = 'organisation_id = $1 AND address_digest = ANY ($2)';
  const count = (who: DataSubject) =>
    postgres.mail(async (sql) => {
      const { rows } = await sql.one<{ rows: number }>(
        `SELECT count(*)::int AS rows FROM mail.messages WHERE ${where}`,
        of(who),
      );
      return rows === 0 ? [] : [{ table, class: 'D16' as const, rows }];
    });
  return {
    name: 'mail',
    what: 'the list of mail to them, and what waits to be sent',
    tables: { [table]: 'D16' },
    find: async (who) => ({ rows: await count(who) }),
    left: count,
    whileRestricted: 'of this organisation they get answers to their requests, and what is about their own access',
    copy: (who) =>
      postgres.mail(async (sql) => {
        const rows = await sql.query<{ template: string; state: string; created_at: Date }>(
          `SELECT template, state, created_at FROM mail.messages WHERE ${where} ORDER BY id`,
          of(who),
        );
        return rows.map(
          ({ template, state, created_at }): CopiedRecord => ({
            ...{ table, class: 'D16' },
            record: { about: template, state, written_at: created_at.toISOString() },
          }),
        );
      }),
    erase: (sql, who) =>
      asMail(sql, async () => {
        const rows = await sql.run(`DELETE FROM mail.messages WHERE ${where}`, of(who));
        return { gone: rows === 0 ? [] : [{ table, class: 'D16', rows, how: 'deleted' }], kept: [] };
      }),
  };
}
