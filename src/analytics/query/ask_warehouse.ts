import { QueryOverCeiling, WarehouseUnavailable } from '../../platform/warehouse/index.ts';
import type { PackedDays, PackedQuestion } from '../packed/index.ts';
import { readDaily } from './ask_frozen.ts';
import { type DailyPlan, isFrozenAtom } from './daily.ts';
import { finishedRows } from './finish.ts';
import { isOfDaily, type ListOfDaily } from './frozen_source.ts';
import { countPacked, packedQuestion } from './packed.ts';
import type { Problem, QueryProblem } from './parse.ts';
import type { Numbered } from './pass.ts';
import { type Ask, type AskResult, askName, type Bundle, bundle, together } from './plan.ts';
import type { QueryHouse } from './run.ts';
import { buildStatement, buildSums, type Group, type SumsStatement } from './sql.ts';
import { type List, listedBy, type PartNote, type Scope, type Statement, type StatementRow } from './statement.ts';
import { added, type ListSums, type Sums, sumRowsMax, sumsOf, tooLong } from './sums.ts';
import { daysTouched, insideOf } from './whole_days.ts';

/** The answer to one ask, and how it came to be. */
export interface Ran {
  result: AskResult;
  parts: PartNote[];
}

/**
 * Groups with no more open days than this are asked about them in one statement per table: reading a day takes less
 * time than planning to read it.
 */
const fewDays = 3;

/**
 * Asks the warehouse, sharing what can be shared; what fails, fails for the questions that need it.
 *
 * Lists over the same events are read together, closed days apart from the others: sums of closed days are kept
 * (kept_sums.ts), so that the next question reads only what is still open. The two are added up, ordered and cut here.
 * Lists that are too long for that, and those with a total behind each row, are left to the engine whole.
 */
export async function askWarehouse(asks: readonly Ask[], house: QueryHouse): Promise<Map<Ask, Ran | QueryProblem>> {
  const results = new Map<Ask, Ran | QueryProblem>();
  const whole = new Set(asks.filter(({ list }) => list.groupFilters !== undefined));
  const bundles = together(asks.filter((ask) => !whole.has(ask)));
  const lists = bundles.flatMap((bundled) => bundled.lists.map(({ list }) => list));
  const found = await readLists(groupsOf(bundles, house), lists, house);
  let at = 0;
  for (const { scope, lists: own } of bundles)
    for (const { asks: same } of own) {
      const answer = found[at++] ?? tooLong;
      for (const ask of same)
        if (answer === tooLong) whole.add(ask);
        else if ('problem' in answer) results.set(ask, answer);
        else
          results.set(ask, {
            result: { rows: finishedRows(answer.sums, ask.list, ask.tail, scope) },
            parts: answer.parts,
          });
    }
  await Promise.all(bundle(asks.filter((ask) => whole.has(ask))).map((one) => readWhole(one, house, results)));
  return results;
}

/** Numbers the lists through, and sets the days apart that are closed. */
function groupsOf(bundles: readonly Pick<Bundle, 'scope' | 'lists'>[], house: QueryHouse): Group[] {
  let at = 0;
  const groups = bundles.map(({ scope, lists }) => ({
    scope,
    lists: lists.map(({ list }) => ({ at: at++, list })),
    closed: closedDays(scope, house),
    still: stillDays(scope, house),
  }));
  return leftToPacked(groups, house);
}

/** Dimensions with thousands of values a day: to find the rows of one in `daily`, those of all of them are read. */
const longDimensions = ['event:page', 'visit:entry_page', 'visit:exit_page'];

/**
 * Lists under a filter by such a value are counted with others of the batch, where those open the packed days anyway: that is
 * quicker than to read their rows in `daily`.
 */
function leftToPacked(groups: Group[], house: QueryHouse): Group[] {
  const isLong = ({ daily }: List) =>
    daily !== undefined && daily.filters.length > 0 && longDimensions.includes(daily.dimension);
  // Most questions have none.
  if (!groups.some(({ lists }) => lists.some(({ list }) => isLong(list)))) return groups;
  const isAsked = ({ scope, closed }: Group, lists: readonly List[]) =>
    packedQuestion(scope, lists, [...closed]) !== undefined;
  const packed = groups.filter((group) => packedDaysOf(group, house) !== undefined);
  const opened = packed.filter((group) =>
    isAsked(
      group,
      group.lists.map(({ list }) => list),
    ),
  );
  const days = new Set(opened.flatMap(({ closed }) => [...closed]));
  return groups.map((group) => {
    if (group.closed.size === 0 || !packed.includes(group) || ![...group.closed].every((day) => days.has(day)))
      return group;
    const without = ({ at, list }: Numbered): Numbered => {
      const { daily: _, ...counted } = list;
      return isLong(list) && isAsked(group, [counted]) ? { at, list: counted } : { at, list };
    };
    return { ...group, lists: group.lists.map(without) };
  });
}

/** Days of identity that lie in the range whole and are frozen: nothing about them changes without a new revision. */
function closedDays({ range }: Scope, { frozenDays }: QueryHouse): ReadonlySet<number> {
  const inside = insideOf(range);
  const days = new Set<number>();
  if (inside !== undefined && frozenDays !== undefined)
    for (const day of frozenDays.days.keys()) if (day >= inside.first && day <= inside.last) days.add(day);
  return days;
}

function stillDays({ range }: Scope, house: QueryHouse): readonly number[] | undefined {
  const began = firstDayOf(house);
  const days = daysTouched(range);
  return days.every((day) => day < began || house.frozenDays?.days.has(day)) ? days : undefined;
}

/** Before the first day that was ever frozen there is little to be read, and mostly nothing: it does not make a question a large one. */
function firstDayOf({ frozenDays }: QueryHouse): number {
  let first = Number.POSITIVE_INFINITY;
  for (const days of [frozenDays?.days.keys(), frozenDays?.rebuilding])
    for (const day of days ?? []) first = Math.min(first, day);
  return first === Number.POSITIVE_INFINITY ? 0 : first;
}

type Found = { sums: Sums; parts: PartNote[] } | QueryProblem | typeof tooLong;

/** The sums of each list, from all statements that have a part of it. */
async function readLists(groups: readonly Group[], lists: readonly List[], house: QueryHouse): Promise<Found[]> {
  const rowsMax = house.sumRowsMax ?? sumRowsMax;
  const began = firstDayOf(house);
  const openDays = ({ scope, closed }: Group) =>
    daysTouched(scope.range).filter((day) => day >= began && !closed.has(day)).length;
  const small = groups.filter((group) => openDays(group) <= fewDays);
  const open = [small, ...groups.filter((group) => !small.includes(group)).map((group) => [group])];
  const everyPlace = lists.map((_, at) => at);
  const sides = groups.map((group) => closedSide(group, house));
  const answers = await Promise.all([
    readFrozen(
      sides.flatMap(({ frozen }) => frozen),
      house,
      rowsMax,
    ),
    ...sides.map((side) => readClosed(side, house, rowsMax)),
    ...open
      .flatMap((some) => buildSums(some, 'open', rowsMax))
      .map(async (statement) => [await answered(statement, { lists, places: everyPlace }, house, rowsMax)]),
  ]);
  return lists.map((list, at): Found => {
    const sums: Sums[] = [];
    const parts: PartNote[] = [];
    for (const { asked, places, answer } of answers.flat()) {
      const place = places.indexOf(at);
      const own = place < 0 ? [] : asked.parts.filter((part) => part.lists.includes(place));
      if (own.length === 0) continue;
      if ('problem' in answer) return answer;
      const some = answer.lists[place] ?? tooLong;
      if (some === tooLong) return tooLong;
      sums.push(some);
      parts.push(...own.map(({ note }) => (answer.kept ? { ...note, kept: true } : note)));
    }
    return { sums: added(sums, list.atoms), parts };
  });
}

/** A statement or a question to packed days with its answer: `places` are those of its lists among all. */
interface Answered {
  asked: Pick<SumsStatement, 'parts'>;
  places: readonly number[];
  answer: { lists: readonly ListSums[]; kept: boolean } | QueryProblem;
}

async function answered(
  statement: SumsStatement,
  { lists, places }: { lists: readonly List[]; places: readonly number[] },
  house: QueryHouse,
  rowsMax: number,
): Promise<Answered> {
  const readRowsOf = async () => {
    const rows = Map.groupBy(await readRows(statement, 'sums', house), (row) => Number(row.s));
    return lists.map((list, at): ListSums => {
      const own = rows.get(at) ?? [];
      return own.length > rowsMax ? tooLong : sumsOf(own, list.dimensions.length, list.atoms);
    });
  };
  return { asked: statement, places, answer: await keptOr(statement, house, readRowsOf) };
}

/** Who answers what of the closed days of a group. */
interface ClosedSide {
  /** What `daily` has. */
  frozen: FrozenList[];
  packed: PackedPart | undefined;
  /** What the engine counts. */
  left: Group;
}

type FrozenList = { at: number; list: ListOfDaily; currency: string };

function closedSide(group: Group, house: QueryHouse): ClosedSide {
  const none = { frozen: [], packed: undefined, left: { ...group, lists: [] } };
  if (!hasClosedSide(group)) return none;
  const packed = packedPart(group, house);
  const lists = group.lists.flatMap(({ at, list }) => {
    if (packed?.lists.some((one) => one.at === at) !== true) return [{ at, list }];
    return list.daily === undefined ? [] : [{ at, list: frozenOf(list, list.daily) }];
  });
  // Without a place to keep them, rows for every range would only be more rows.
  const keeps = house.kept !== undefined && house.frozenDays !== undefined;
  const frozen = lists.flatMap(({ at, list }) =>
    keeps && isOfDaily(list, group.closed) ? [{ at, list, currency: group.scope.currency }] : [],
  );
  const left = lists.filter(({ at }) => !frozen.some((one) => one.at === at));
  return { frozen, packed, left: { ...group, lists: left } };
}

/** What packed days can count, and beside it the rest by statements. */
async function readClosed({ packed, left }: ClosedSide, house: QueryHouse, rowsMax: number): Promise<Answered[]> {
  const byStatements = (lists: readonly Numbered[]) => readStatements({ ...left, lists }, house, rowsMax);
  const [counted, read] = await Promise.all([
    packed === undefined ? [] : readPacked(packed, house, rowsMax).catch(() => byStatements(packed.lists)),
    byStatements(left.lists),
  ]);
  return [...counted, ...read];
}

async function readStatements(group: Group, house: QueryHouse, rowsMax: number): Promise<Answered[]> {
  const places = group.lists.map(({ at }) => at);
  const lists = group.lists.map(({ list }) => list);
  // Numbered by themselves, so that a statement has the same text whatever else is asked beside it.
  const alone = { ...group, lists: lists.map((list, at) => ({ at, list })) };
  const statements = lists.length === 0 ? [] : buildSums([alone], 'closed', rowsMax);
  return Promise.all(statements.map((statement) => answered(statement, { lists, places }, house, rowsMax)));
}

/** Each list is an answer of its own, because of some a part is kept. */
async function readFrozen(lists: readonly FrozenList[], house: QueryHouse, rowsMax: number): Promise<Answered[]> {
  const { frozenDays, kept, site } = house;
  if (lists.length === 0 || frozenDays === undefined || kept === undefined) return [];
  // Taken before anything is read: what is kept is of the days as they were then.
  const ofSite = kept.of(site.id, frozenDays.revisions);
  try {
    const found = await readDaily(lists, {
      siteId: site.id,
      ...{ ofSite, rowsMax, frozen: frozenDays.days },
      read: (statement) => readRows(statement, 'sums', house),
    });
    return lists.flatMap(({ at }, place) => {
      const one = found[place];
      if (one === undefined) return [];
      const parts = one.parts.map((note) => ({ lists: [0], note }));
      return [{ asked: { parts }, places: [at], answer: { lists: [one.sums], kept: false } }];
    });
  } catch (error) {
    const problem = problemOf(error);
    const note = { table: 'daily' as const, dimensions: [], numbers: [] };
    return lists.map(({ at }) => ({ asked: { parts: [{ lists: [0], note }] }, places: [at], answer: { problem } }));
  }
}

/** What packed days answer of a group. */
interface PackedPart {
  packed: Pick<PackedDays, 'count'>;
  days: readonly number[];
  question: PackedQuestion;
  /** Those of the question, in its order. */
  lists: readonly Numbered[];
}

/** Undefined unless each closed day has its file. */
function packedDaysOf({ closed }: Group, { packed, frozenDays, site }: QueryHouse) {
  return frozenDays !== undefined && packed?.has(site.id, closed, frozenDays.revisions) ? packed : undefined;
}

/** Undefined when packed days have nothing to say: the engine knows the same. */
function packedPart(group: Group, house: QueryHouse): PackedPart | undefined {
  const { scope, lists, closed } = group;
  const packed = packedDaysOf(group, house);
  if (packed === undefined) return undefined;
  const days = [...closed].sort((one, other) => one - other);
  const counted = lists.flatMap(({ at, list }) => {
    const live = list.daily === undefined ? list : liveOf(list, list.daily);
    return live.atoms.length === 0 ? [] : [{ at, list: live }];
  });
  const asked = packedQuestion(
    scope,
    counted.map(({ list }) => list),
    days,
  );
  if (asked === undefined) return undefined;
  const { question, places } = asked;
  return { packed, days, question, lists: places.flatMap((place) => counted[place] ?? []) };
}

/** @throws what the packed days do; the engine can answer the same */
async function readPacked(
  { packed, days, question, lists }: PackedPart,
  house: QueryHouse,
  rowsMax: number,
): Promise<Answered[]> {
  const parts = lists.map(({ list }, at) => ({
    lists: [at],
    note: {
      table: 'packed' as const,
      dimensions: [listedBy(list)],
      numbers: [...list.atoms],
      days: days.length,
    },
  }));
  const key = { sql: 'packed', params: { ...question, days }, shape: '', closedDays: days };
  const answer = await keptOr(key, house, () => countPacked(packed, house.site.id, days, { question, rowsMax }));
  return [{ asked: { parts }, places: lists.map(({ at }) => at), answer }];
}

/** The numbers of a list that `daily` has: reading its rows takes less than opening the packed days. */
function frozenOf(list: List, daily: DailyPlan): List {
  return { ...list, atoms: list.atoms.filter((atom) => isFrozenAtom(atom, daily)) };
}

/** And those that it has not. */
function liveOf({ daily: _, ...list }: List, daily: DailyPlan): List {
  return { ...list, atoms: list.atoms.filter((atom) => !isFrozenAtom(atom, daily)) };
}

function hasClosedSide({ closed, lists }: Group): boolean {
  return closed.size > 0 || lists.some(({ list }) => list.daily !== undefined);
}

/**
 * The sums of every list, by its number; those of lists that the statement has no part of are empty.
 * @param read asked when they are not kept; what it throws and is an answer becomes one
 */
async function keptOr(
  asked: Pick<SumsStatement, 'sql' | 'params' | 'shape' | 'closedDays'>,
  { frozenDays, kept, site }: QueryHouse,
  read: () => Promise<ListSums[]>,
): Promise<Answered['answer']> {
  const { closedDays: days } = asked;
  const ofSite = days === undefined || frozenDays === undefined ? undefined : kept?.of(site.id, frozenDays.revisions);
  const known = ofSite?.find(asked);
  if (known !== undefined) return { lists: known, kept: true };
  try {
    const sums = await read();
    if (days !== undefined) ofSite?.keep(asked, days, sums);
    return { lists: sums, kept: false };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/** One statement that names, orders and cuts its lists in the engine. */
async function readWhole({ scope, lists, tail }: Bundle, house: QueryHouse, results: Map<Ask, Ran | QueryProblem>) {
  try {
    const statement = buildStatement(
      scope,
      lists.map(({ list }) => list),
      tail,
    );
    const rows = await readRows(statement, lists.length === 1 ? askName(lists[0]?.list) : 'batch', house);
    lists.forEach(({ asks: same }, at) => {
      const own = rows.filter((row) => Number(row.s) === at);
      for (const ask of same) results.set(ask, { result: { rows: own }, parts: statement.parts });
    });
  } catch (error) {
    const problem = problemOf(error);
    for (const { asks: same } of lists) for (const ask of same) results.set(ask, { problem });
  }
}

function readRows<Row = StatementRow>(
  { sql, params }: Pick<Statement, 'sql' | 'params'>,
  purpose: string,
  { warehouse, signal }: QueryHouse,
) {
  return warehouse.read<Row>(sql, params, { purpose, ...(signal === undefined ? {} : { signal }) });
}

/** Limits that were met and stores that are away are answers; anything else is a fault of ours and is thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof QueryOverCeiling || error instanceof WarehouseUnavailable)
    return { code: error.code, message: error.message };
  throw error;
}
