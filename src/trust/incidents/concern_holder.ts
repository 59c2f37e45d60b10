import {
  type DataSubject,
  type FoundRows,
  identifiersOf,
  type PersonalDataHolder,
} from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { concernColumns, openConcern, type SealedConcern } from './concerns.ts';

const table = 'postgres incident_drafts';
const counted = (rows: number): FoundRows[] => (rows === 0 ? [] : [{ table, class: 'D4', rows }]);

/**
 * Concerns that somebody reported with their address, as long as that is kept. Each lies sealed for its row, and there are few,
 * so they are opened one after another and compared.
 */
export function concernHolder({ postgres, vault }: Pick<House, 'postgres' | 'vault'>): PersonalDataHolder {
  async function reportedBy(sql: Sql, who: DataSubject) {
    const wanted = new Set(identifiersOf(who, 'email').map(({ digest }) => digest.toString('hex')));
    if (wanted.size === 0) return [];
    const rows = await sql.query<SealedConcern & { raised_at: Date }>(
      `SELECT id, raised_at, ${concernColumns} FROM incident_drafts WHERE organisation_id = $1 AND reach_sealed IS NOT NULL ORDER BY id`,
      [who.organisationId],
    );
    const found = [];
    for (const row of rows) {
      const concern = await openConcern(vault, who.organisationId, row);
      if (concern?.reach == null) continue;
      const digest = await vault.subject(who.organisationId, 'email', concern.reach);
      if (wanted.has(digest.toString('hex'))) found.push({ ...row, concern });
    }
    return found;
  }
  const count = (who: DataSubject) =>
    postgres.tenant(who.organisationId, async (sql) => counted((await reportedBy(sql, who)).length));

  return {
    name: 'concerns',
    what: 'their address on a concern that they reported',
    tables: { [table]: 'D4' },
    find: async (who) => ({ rows: await count(who) }),
    left: count,
    whileRestricted: 'what they reported stays to be judged',
    copy: (who) =>
      postgres.tenant(who.organisationId, async (sql) =>
        (await reportedBy(sql, who)).map(({ raised_at, concern }) => ({
          ...{ table, class: 'D4' as const },
          record: {
            ...{ reported_at: raised_at.toISOString(), address: concern.reach, said: concern.said },
            happened_on: concern.happened_on,
          },
        })),
      ),
    async erase(sql, who) {
      const ids = (await reportedBy(sql, who)).map(({ id }) => id);
      await sql.run('UPDATE incident_drafts SET reach_sealed = NULL WHERE id = ANY ($1)', [ids]);
      return { gone: counted(ids.length).map((one) => ({ ...one, how: 'blanked' })), kept: [] };
    },
  };
}
