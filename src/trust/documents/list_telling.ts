import { everywhere, type Postgres } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { changesOf, readLists } from './lists.ts';
import { type Teller, tellMembers } from './telling.ts';

/**
 * Tells the members of every organisation of lists of receivers that nobody there was told of: those that were announced
 * since the organisation is here. One transaction for each organisation, so that what a kill cuts short goes on with the next call.
 */
export async function tellOfLists(
  { postgres, clock }: Pick<House, 'clock'> & { postgres: Pick<Postgres, 'system' | 'tenant'> },
  notices: Teller,
): Promise<void> {
  const lists = await postgres.system(readLists);
  if (lists.length === 0) return;
  await everywhere(postgres, async (sql, organisationId) => {
    // Two processes that tell at once follow each other, and the second finds the receipts of the first.
    await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('told of lists ' || $1, 0))", [
      String(organisationId),
    ]);
    const organisation = await sql.one<{ name: string; slug: string; created_at: Date; told: number }>(
      `SELECT name, slug, created_at, coalesce((SELECT max(version) FROM document_receipts
         WHERE organisation_id = $1 AND kind = 'subprocessors'), 0) AS told FROM organisations WHERE id = $1`,
      [organisationId],
    );
    for (const list of lists.toReversed()) {
      // Of the first list nobody has to be told: it says what was so before.
      if (list.version === 1 || list.version <= organisation.told || list.published_at < organisation.created_at)
        continue;
      const before = lists.find(({ version }) => version === list.version - 1);
      const { added } = changesOf(before?.receivers ?? [], list.receivers);
      await tellMembers(
        sql,
        notices,
        { organisationId, kind: 'subprocessors', version: list.version, nowMs: clock.now() },
        {
          ...(list.has_addition
            ? { name: 'subprocessor_coming' as const }
            : { name: 'subprocessors_changed' as const }),
          facts: {
            ...{ organisation: organisation.name, version: list.version, day: list.effective_on },
            who: added
              .map((one) => one.legalName ?? one.label)
              .join(', ')
              .slice(0, 300),
          },
          link: `/legal/${organisation.slug}/subprocessors/${list.version}`,
        },
      );
    }
    return [];
  });
}
