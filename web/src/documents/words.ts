import type { PaperSummary } from './api.ts';

/** How a document stands, in words and a sign: a gap and a change that nobody has published are what needs somebody. */
export function stateOf(of: Pick<PaperSummary, 'state' | 'gaps' | 'newest' | 'changed'>): {
  state: 'ok' | 'idle' | 'bad';
  text: string;
} {
  const gaps = of.gaps.length;
  if (gaps > 0)
    return { state: 'idle', text: gaps === 1 ? 'Draft, one fact is missing' : `Draft, ${gaps} facts are missing` };
  if (of.state === 'published') return { state: 'ok', text: 'Published' };
  if (of.newest === null)
    return { state: 'idle', text: of.state === 'reviewed' ? 'Read, not published' : 'Draft, not read yet' };
  const { added, removed } = of.changed;
  const lines = Math.max(added, removed);
  const what = lines === 1 ? 'one line has changed' : `${lines} lines have changed`;
  return { state: 'bad', text: of.state === 'reviewed' ? `Read, ${what} since` : `Draft, ${what} since` };
}

export const fields = [
  ['legal_name', 'Full name', 'As in the register of companies.', 200],
  ['address', 'Postal address', undefined, 500],
  ['jurisdiction', 'Country whose law holds', undefined, 120],
  ['registration', 'Register and number', 'Left out of documents while it is empty.', 300],
  [
    'contact',
    'Questions about data',
    'A mail address, a telephone number or a form: what visitors and members use.',
    300,
  ],
  ['officer', 'Data protection officer', 'Name and contact. If there is none, say so here.', 300],
  ['representative', 'Representative in the Union', 'Left out of documents while it is empty.', 300],
  ['authority', 'Supervisory authority', 'Where people can complain.', 300],
] as const;
export type FieldName = (typeof fields)[number][0];

/** Those that no document can do without. */
export const needed: readonly FieldName[] = [
  'legal_name',
  'address',
  'jurisdiction',
  'contact',
  'officer',
  'authority',
];
