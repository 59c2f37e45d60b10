import type { PackedList, PackedQuestion, Test } from './question.ts';

/** Numbers and lists as an overview asks for them, so that what counts them is compiled before a reader waits for it. */
const lists: readonly PackedList[] = [
  {
    keys: [],
    atoms: ['visitors', 'visits', 'bounces', 'duration', 'pageviews', 'scroll', 'engagement', 'revenue'],
    actionsOnly: false,
    starts: [],
  },
  { keys: [{ kind: 'step' }], atoms: ['visitors', 'pageviews'], actionsOnly: false, starts: [0] },
  { keys: [{ kind: 'visit', column: 'source' }], atoms: ['visitors', 'revenue'], actionsOnly: false, starts: [] },
  { keys: [{ kind: 'event', column: 'pathname' }], atoms: ['visitors', 'pageviews'], actionsOnly: false, starts: [] },
  { keys: [{ kind: 'visit', column: 'country' }], atoms: ['visitors'], actionsOnly: false, starts: [] },
];

const question = (test: Test, asksEvents: boolean): PackedQuestion => ({
  ...{ tests: [test], asksEvents, actionsOnly: false, goals: [], currency: '-', lists },
});

/** Nobody hears the answers: a filter on what visits say, and one on what events say. */
export const rehearsal: readonly PackedQuestion[] = [
  question(
    {
      kind: 'not',
      node: {
        kind: 'visit',
        column: 'country',
        isName: false,
        check: { operator: 'is', anyCase: false, values: ['-'] },
      },
    },
    false,
  ),
  question({ kind: 'event', column: 'pathname', check: { operator: 'contains', anyCase: false, values: ['/'] } }, true),
];
