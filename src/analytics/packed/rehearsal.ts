import type { PackedList, PackedQuestion, Test } from './question.ts';

/** Numbers and lists as an overview asks for them. */
const lists: readonly PackedList[] = [
  {
    keys: [],
    atoms: ['visitors', 'visits', 'bounces', 'duration', 'pageviews', 'scroll', 'engagement', 'revenue'],
    actionsOnly: false,
    starts: [],
  },
  { keys: [{ kind: 'visit', column: 'channel' }], atoms: ['visitors', 'revenue'], actionsOnly: false, starts: [] },
  { keys: [{ kind: 'visit', column: 'source' }], atoms: ['visitors'], actionsOnly: false, starts: [] },
  { keys: [{ kind: 'event', column: 'pathname' }], atoms: ['visitors', 'pageviews'], actionsOnly: false, starts: [] },
  { keys: [{ kind: 'visit', column: 'country' }], atoms: ['visitors'], actionsOnly: false, starts: [] },
  { keys: [{ kind: 'visit', column: 'device' }], atoms: ['visitors'], actionsOnly: false, starts: [] },
];

/** Some filter on what visits say, and one on what events say. */
const filters: readonly { test: Test; asksEvents: boolean }[] = [
  {
    test: {
      kind: 'not',
      node: {
        kind: 'visit',
        column: 'country',
        isName: false,
        check: { operator: 'is', anyCase: false, values: ['-'] },
      },
    },
    asksEvents: false,
  },
  {
    test: { kind: 'event', column: 'pathname', check: { operator: 'contains', anyCase: false, values: ['/'] } },
    asksEvents: true,
  },
];

/**
 * Questions as an overview has them, so that what counts them is compiled, and what they ask about is unpacked, before a
 * reader waits for it. Nobody hears the answers.
 *
 * @param days whole UTC days since 1970
 */
export function rehearsalOf(days: Iterable<number>): PackedQuestion[] {
  // Local days begin within those of UTC.
  const starts = [...days].flatMap((day) => [day * daySeconds, day * daySeconds + daySeconds / 2]);
  const series: PackedList = {
    ...{ keys: [{ kind: 'step' }], atoms: ['visitors', 'visits', 'pageviews'], actionsOnly: false },
    starts: starts.sort((one, other) => one - other),
  };
  return filters.map(({ test, asksEvents }) => ({
    ...{ tests: [test], asksEvents, actionsOnly: false, goals: [], currency: '-' },
    lists: [...lists, series],
  }));
}

const daySeconds = 86_400;
