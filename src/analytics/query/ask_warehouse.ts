import { QueryOverCeiling, WarehouseUnavailable } from '../../platform/warehouse/index.ts';
import { finishedRows } from './finish.ts';
import type { Problem, QueryProblem } from './parse.ts';
import { type Ask, type AskResult, askName, type Bundle, bundle, together } from './plan.ts';
import type { QueryHouse } from './run.ts';
import { buildStatement, buildSums, type SumsStatement } from './sql.ts';
import type { List, PartNote, Scope, Statement, StatementRow } from './statement.ts';
import { added, type ListSums, type Sums, sumsOf, tooLong } from './sums.ts';
import { insideOf } from './whole_days.ts';

/** The answer to one ask, and how it came to be. */
export interface Ran {
  result: AskResult;
  parts: PartNote[];
}

/** A list with more rows than this is ordered and cut by the engine, and nothing of it is kept. */
const sumRowsMax = 20_000;

/**
 * Asks the warehouse, sharing what can be shared; what fails, fails for the questions that need it and for no other.
 *
 * Lists over the same events are read together, closed days apart from the others: sums of closed days are kept
 * (kept_sums.ts), so that the next question reads only what is still open. The two are added up, ordered and cut here.
 * Lists that are too long for that, and those with a total behind each row, are left to the engine whole.
 */
export async function askWarehouse(asks: readonly Ask[], house: QueryHouse): Promise<Map<Ask, Ran | QueryProblem>> {
  const results = new Map<Ask, Ran | QueryProblem>();
  const whole = new Set(asks.filter(({ list }) => list.groupFilters !== undefined));
  await Promise.all(
    together(asks.filter((ask) => !whole.has(ask))).map(async ({ scope, lists }) => {
      const found = await readLists(
        scope,
        lists.map(({ list }) => list),
        house,
      );
      lists.forEach(({ asks: same }, at) => {
        const list = found[at];
        for (const ask of same)
          if (list === undefined || list === tooLong) whole.add(ask);
          else if ('problem' in list) results.set(ask, list);
          else
            results.set(ask, {
              result: { rows: finishedRows(list.sums, ask.list, ask.tail, scope) },
              parts: list.parts,
            });
      });
    }),
  );
  await Promise.all(bundle(asks.filter((ask) => whole.has(ask))).map((one) => readWhole(one, house, results)));
  return results;
}

type Found = { sums: Sums; parts: PartNote[] } | QueryProblem | typeof tooLong;

/** The sums of each list, from all statements that have a part of it. */
async function readLists(scope: Scope, lists: readonly List[], house: QueryHouse): Promise<Found[]> {
  const closed = closedDays(scope, house);
  const rowsMax = house.sumRowsMax ?? sumRowsMax;
  const sides = [
    ...(closed.size === 0 && lists.every((list) => list.daily === undefined) ? [] : ['closed' as const]),
    'open' as const,
  ];
  const statements = sides.flatMap((name) => buildSums(scope, lists, { name, closed }, rowsMax));
  const answers = await Promise.all(statements.map((statement) => sumsOrProblem(statement, lists, house, rowsMax)));
  return lists.map((_, at) => {
    const own = answers.filter((_answer, number) => statements[number]?.lists.has(at));
    const problem = own.find((answer) => 'problem' in answer);
    if (problem !== undefined) return problem as QueryProblem;
    const sound = own as StatementSums[];
    const sums = sound.map(({ lists: all }) => all[at] ?? tooLong);
    if (sums.includes(tooLong)) return tooLong;
    return { sums: added(sums as Sums[]), parts: sound.flatMap(({ parts }) => parts) };
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

interface StatementSums {
  lists: readonly ListSums[];
  parts: PartNote[];
}

async function sumsOrProblem(
  statement: SumsStatement,
  lists: readonly List[],
  house: QueryHouse,
  rowsMax: number,
): Promise<StatementSums | QueryProblem> {
  const { frozenDays, kept } = house;
  const keeps = statement.closedDays === undefined || frozenDays === undefined ? undefined : kept;
  const ofSite = frozenDays === undefined ? undefined : keeps?.of(house.site.id, frozenDays.revisions);
  const known = ofSite?.find(statement);
  if (known !== undefined) return { lists: known, parts: statement.parts.map((part) => ({ ...part, kept: true })) };
  try {
    const rows = Map.groupBy(await readRows(statement, 'sums', house), (row) => Number(row.s));
    const sums = lists.map((list, at): ListSums => {
      const own = rows.get(at) ?? [];
      return own.length > rowsMax ? tooLong : sumsOf(own, list.dimensions.length, list.atoms);
    });
    if (statement.closedDays !== undefined) ofSite?.keep(statement, statement.closedDays, sums);
    return { lists: sums, parts: statement.parts };
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

function readRows({ sql, params }: Statement, purpose: string, { warehouse, signal }: QueryHouse) {
  return warehouse.read<StatementRow>(sql, params, { purpose, ...(signal === undefined ? {} : { signal }) });
}

/** Limits that were met and stores that are away are answers; anything else is a fault of ours and is thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof QueryOverCeiling) return { code: 'query_over_ceiling', message: error.message };
  if (error instanceof WarehouseUnavailable) return { code: 'warehouse_unavailable', message: error.message };
  throw error;
}
