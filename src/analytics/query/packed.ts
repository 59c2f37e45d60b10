import { noProperty, storedValues } from '../facts.ts';
import {
  type Key,
  type PackedAtom,
  type PackedDays,
  type PackedList,
  type PackedQuestion,
  type PackedRows,
  packedAtoms,
  type Test,
  type VisitColumn,
  visitColumns,
} from '../packed/index.ts';
import { asksEvents, filterActions, isOfActions } from './condition.ts';
import { pagePattern } from './page_pattern.ts';
import type { Dimension, Filter, Goal } from './parse.ts';
import type { List, Scope } from './statement.ts';
import { added, keySeparator, type ListSums, type SumRow, type Sums, tooLong } from './sums.ts';
import { stepOfDays } from './whole_days.ts';

/**
 * What packed days answer of a question: closed days under a filter, which no frozen count is for. The definitions are
 * those of parts.ts; what a packed day cannot tell (scroll goals, patterns, letters of either case, columns that it has not)
 * stays the engine's.
 *
 * @param days closed days of identity, which lie in the range whole
 * @returns the question and the places of its lists among those given; undefined when there are none
 */
export function packedQuestion(
  scope: Scope,
  lists: readonly List[],
  days: readonly number[],
): { question: PackedQuestion; places: readonly number[] } | undefined {
  const { filters, goals } = scope;
  const tests = filters.map(testOf);
  if (filters.length === 0 || !tests.every((test) => test !== undefined)) return undefined;
  const goalTests = goals.map(goalTest);
  const places: number[] = [];
  const packed: PackedList[] = [];
  for (const [place, list] of lists.entries()) {
    const one = packedList(list, scope, days);
    if (one === undefined || (one.keys.some(({ kind }) => kind === 'goal') && goalTests.includes(undefined))) continue;
    places.push(place);
    packed.push(one);
  }
  if (packed.length === 0) return undefined;
  return {
    places,
    question: {
      tests,
      asksEvents: filters.some(asksEvents),
      actionsOnly: filterActions(filters),
      goals: goalTests.flatMap((test, at) =>
        test === undefined ? [] : [{ test, currency: goals[at]?.currency ?? '-' }],
      ),
      currency: scope.currency,
      lists: packed,
    },
  };
}

function packedList(list: List, { range, goals }: Scope, days: readonly number[]): PackedList | undefined {
  if (list.daily !== undefined || list.groupFilters !== undefined) return undefined;
  const atoms = list.atoms.filter((atom): atom is PackedAtom => packedAtoms.some((each) => each === atom));
  const keys = list.dimensions.map(keyOf);
  if (atoms.length < list.atoms.length || !keys.every((key) => key !== undefined)) return undefined;
  if (keys.some(({ kind }) => kind === 'goal') && keys.some(({ kind }) => kind !== 'goal' && kind !== 'step'))
    return undefined;
  if (keys.some(({ kind }) => kind === 'currency') && (keys.length > 1 || !atoms.every(isOfRevenue))) return undefined;
  const { buckets = [] } = list;
  const isCutAtQuarters = buckets.every(({ from }) => from === range.from || from % quarterMs === 0);
  const isOneStepADay = buckets.length === 0 || stepOfDays(days, range, buckets) !== undefined;
  if (!isCutAtQuarters || (keys.length > 1 && !isOneStepADay)) return undefined;
  return {
    ...{ keys, atoms },
    actionsOnly: list.dimensions.some((dimension) => isOfActions(dimension, goals)),
    starts: buckets.map(({ from }) => Math.floor(from / 1000)),
  };
}

/** Zones differ from UTC by whole ones, so that their days and hours begin at one. */
const quarterMs = 900_000;

function isOfRevenue(atom: PackedAtom): boolean {
  return atom === 'revenue' || atom === 'revenue_events' || atom === 'revenue_elsewhere';
}

function keyOf(dimension: Dimension): Key | undefined {
  switch (dimension.kind) {
    case 'time':
      return { kind: 'step' };
    case 'goal':
      return { kind: 'goal' };
    case 'property':
      return { kind: 'property', property: dimension.property };
    case 'column':
      return dimension.fact.column === 'revenue_currency' ? { kind: 'currency' } : columnOf(dimension.fact.column);
  }
}

function columnOf(column: string): Extract<Key, { column: string }> | undefined {
  if (column === 'name' || column === 'pathname') return { kind: 'event', column };
  const ofVisit = visitColumns.find((each): each is VisitColumn => each === column);
  return ofVisit === undefined ? undefined : { kind: 'visit', column: ofVisit };
}

function testOf(filter: Filter): Test | undefined {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return joined(filter.kind, filter.nodes.map(testOf));
    case 'not':
      return not(testOf(filter.node));
    case 'goal':
      return joined('or', filter.goals.map(goalTest));
    case 'test': {
      const check = checkOf(filter);
      if (check === undefined) return undefined;
      const test = subjectTest(filter.subject, check);
      return filter.negated ? not(test) : test;
    }
  }
}

function joined(kind: 'and' | 'or', nodes: readonly (Test | undefined)[]): Test | undefined {
  return nodes.every((node) => node !== undefined) ? { kind, nodes } : undefined;
}

function not(node: Test | undefined): Test | undefined {
  return node === undefined ? undefined : { kind: 'not', node };
}

type Check = Extract<Test, { check: unknown }>['check'];

/** Letters of either case are the engine's to compare where they are none of ASCII, and so are patterns. */
function checkOf({ subject, operator, caseSensitive, values }: Extract<Filter, { kind: 'test' }>): Check | undefined {
  const empty = subject.kind === 'property' ? noProperty : subject.fact.empty;
  const anyCase = !caseSensitive;
  switch (operator) {
    case 'is':
    case 'contains':
      if (anyCase && !values.every(isAscii)) return undefined;
      return {
        operator,
        anyCase,
        values: operator === 'is' ? storedValues(values, empty) : values,
      };
    case 'matches':
      return undefined;
    case 'matches_wildcard': {
      const [only, ...more] = values;
      return only === undefined || more.length > 0 ? undefined : globCheck(only);
    }
  }
}

function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

function globCheck(glob: string): Check | undefined {
  const { kind, text } = pagePattern(glob);
  if (kind === 'pattern') return undefined;
  return { operator: kind === 'exact' ? 'is' : 'starts', anyCase: false, values: [text] };
}

function subjectTest(subject: Extract<Filter, { kind: 'test' }>['subject'], check: Check): Test | undefined {
  if (subject.kind === 'property') return { kind: 'property', property: subject.property, check };
  const key = columnOf(subject.fact.column);
  if (key === undefined) return undefined;
  return key.kind === 'event'
    ? { kind: 'event', column: key.column, check }
    : { kind: 'visit', column: key.column, isName: subject.fact.names === 'country', check };
}

/** As `goalCondition`. Scroll goals stay the engine's: no test here asks how deep. */
function goalTest(goal: Goal): Test | undefined {
  const named = (name: string): Test => ({
    kind: 'event',
    column: 'name',
    check: { operator: 'is', anyCase: false, values: [name] },
  });
  switch (goal.kind) {
    case 'event': {
      if (goal.match === 'engagement') return { kind: 'or', nodes: [] };
      if (goal.property == null) return named(goal.match);
      const { name, value } = goal.property;
      const has: Test = {
        kind: 'property',
        property: name,
        check: { operator: 'is', anyCase: false, values: [value] },
      };
      return { kind: 'and', nodes: [named(goal.match), has] };
    }
    case 'page': {
      const check = globCheck(goal.match);
      return check === undefined
        ? undefined
        : { kind: 'and', nodes: [named('pageview'), { kind: 'event', column: 'pathname', check }] };
    }
    case 'scroll':
      return undefined;
  }
}

/** @returns the sums of each list of the question, in its order */
export async function countPacked(
  packed: Pick<PackedDays, 'count'>,
  siteId: number,
  days: readonly number[],
  { question, rowsMax }: { question: PackedQuestion; rowsMax: number },
): Promise<ListSums[]> {
  const answers = await packed.count(siteId, days, question);
  return question.lists.map(({ atoms }, at) => {
    const ofThreads = answers.flatMap((lists) => lists[at] ?? []);
    const sums = added(
      ofThreads.map((rows) => sumsOfRows(rows, atoms)),
      atoms,
    );
    return sums.size > rowsMax ? tooLong : sums;
  });
}

function sumsOfRows({ keys, counts, revenue }: PackedRows, atoms: readonly PackedAtom[]): Sums {
  const rows = keys.map((own, at): [string, SumRow] => {
    const numbers: SumRow['counts'] = {};
    for (const [place, atom] of atoms.entries()) if (atom !== 'revenue') numbers[atom] = counts[at]?.[place] ?? 0;
    return [own.join(keySeparator), { keys: own, counts: numbers, revenue: revenue[at] ?? 0n }];
  });
  return new Map(rows);
}
