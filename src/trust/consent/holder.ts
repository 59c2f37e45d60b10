import type { DataSubject, PersonalDataHolder } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { recordColumns, shownRecord } from './records.ts';

const table = 'postgres consent_records';

/** Consents that somebody gave an organisation. They know the person by a keyed digest and nothing else (class D23). */
export function consentHolder({ postgres }: Pick<House, 'postgres'>): PersonalDataHolder {
  const rowsOf = (sql: Sql, who: DataSubject) =>
    sql.query<Parameters<typeof shownRecord>[0]>(
      `SELECT ${recordColumns} FROM consent_records WHERE organisation_id = $1 AND subject_digest = ANY ($2) ORDER BY id`,
      [who.organisationId, who.identifiers.map(({ digest }) => digest)],
    );
  return {
    name: 'consents',
    what: 'what they agreed to and took back',
    tables: { [table]: 'D23' },
    async find(who) {
      const rows = await postgres.tenant(who.organisationId, (sql) => rowsOf(sql, who));
      return { rows: rows.length === 0 ? [] : [{ table, class: 'D23', rows: rows.length }] };
    },
    whileRestricted: 'the proof of what they agreed to, which is used for nothing else',
    async copy(who) {
      const rows = await postgres.tenant(who.organisationId, (sql) => rowsOf(sql, who));
      return rows.map((row) => ({ table, class: 'D23', record: { ...shownRecord(row) } }));
    },
    async erase(sql, who) {
      const rows = (await rowsOf(sql, who)).length;
      const why =
        'the proof of what was agreed; it is a pseudonym already, and goes three years after the consent ended';
      return { gone: [], kept: rows === 0 ? [] : [{ table, class: 'D23', rows, why }] };
    },
    left: async () => [],
  };
}
