import type { Sql } from '../../platform/postgres/index.ts';
import type { Listed } from './desk_facts.ts';

/** A version of the public list of receivers. */
export interface ListRow {
  version: number;
  receivers: Listed[];
  effective_on: string;
  has_addition: boolean;
  published_at: Date;
}

/** The newest first. */
export function readLists(sql: Sql): Promise<ListRow[]> {
  return sql.query<ListRow>(
    `SELECT version, receivers, effective_on::text, has_addition, published_at FROM receiver_lists
     ORDER BY version DESC LIMIT 200`,
  );
}

/** Who gets something: one's own machine and the organisation's own sites are nobody else. */
export const listable = (receivers: readonly Listed[]): Listed[] => receivers.filter(({ role }) => role !== 'own');

/** Another company under the same word is another receiver. */
const keyOf = (one: Listed) => `${one.id} ${one.legalName ?? ''}`;

export function changesOf(
  before: readonly Listed[],
  after: readonly Listed[],
): { added: Listed[]; removed: Listed[]; changed: Listed[] } {
  const old = new Map(before.map((one) => [keyOf(one), one]));
  const now = new Set(after.map(keyOf));
  return {
    added: after.filter((one) => !old.has(keyOf(one))),
    removed: before.filter((one) => !now.has(keyOf(one))),
    changed: after.filter((one) => old.has(keyOf(one)) && sorted(old.get(keyOf(one)) as Listed) !== sorted(one)),
  };
}

/** The database gives members back in an order of its own. */
const sorted = (one: Listed) => JSON.stringify(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));

export async function addList(
  sql: Sql,
  list: { receivers: readonly Listed[]; effectiveOn: string; hasAddition: boolean },
  by: { personId: number; nowMs: number },
): Promise<number> {
  const { version } = await sql.one<{ version: number }>(
    `INSERT INTO receiver_lists (version, receivers, effective_on, has_addition, published_at, published_by)
     SELECT coalesce(max(version), 0) + 1, $1, $2, $3, $4, $5 FROM receiver_lists RETURNING version`,
    [JSON.stringify(list.receivers), list.effectiveOn, list.hasAddition, new Date(by.nowMs), by.personId],
  );
  return version;
}
