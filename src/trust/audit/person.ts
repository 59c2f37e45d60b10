import type { House } from '../../platform/subject.ts';
import { type Filters, findEntries, openReader, shownEntry } from './read.ts';
import { seeChain } from './stored.ts';

/** The newest of a person in one chain: what they did in two years is rarely more. */
export const actsOfPersonMax = 20_000;
const pageRows = 500;
/** Whose label names somebody else. */
const named = new Set(['person', 'invitation']);

export interface ActOfPerson {
  at: string;
  action: string;
  what: string;
  outcome: string;
  /** Was it done by them, or to them? */
  by: 'you' | 'somebody else';
  target: string | null;
}

/**
 * What a person did in a chain and what was done to their account, for themselves: newest first, and without the names of
 * others. `desk` is the desk's own chain.
 */
export async function actsOfPerson(
  { postgres, vault }: Pick<House, 'postgres' | 'vault'>,
  chain: number | 'desk',
  personId: number,
): Promise<ActOfPerson[]> {
  const number = chain === 'desk' ? 0 : chain;
  const whom = `person:${(await vault.subject(chain, 'person', String(personId))).subarray(0, 16).toString('hex')}`;
  const open = openReader(vault);
  const found = new Map<number, ActOfPerson>();
  for (const [by, asked] of [
    ['you', { actor: whom }],
    ['somebody else', { target: whom }],
  ] as const)
    for (let cursor: number | undefined; found.size < actsOfPersonMax; ) {
      const filters = { ...asked, ...(cursor === undefined ? {} : { cursor }), limit: pageRows } as Filters & {
        cursor?: number;
        limit: number;
      };
      const rows = await seeChain(postgres, number, (sql) => findEntries(sql, number, filters));
      for (const row of rows) {
        const { at, action, sentence, outcome, targets } = shownEntry(row, await open(row));
        const target = targets.find(({ type }) => !named.has(type));
        const what = sentence.replace('{target}', target?.label ?? 'it');
        if (!found.has(row.seq))
          found.set(row.seq, { at, action, what, outcome, by, target: target?.label ?? target?.id ?? null });
      }
      cursor = rows.at(-1)?.seq;
      if (rows.length < pageRows) break;
    }
  return [...found.values()].sort((a, b) => (a.at < b.at ? 1 : -1));
}
