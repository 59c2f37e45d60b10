import { QueryOverCeiling } from '../../platform/warehouse/index.ts';
import { openBinder } from './binder.ts';
import { type Countable, countableRows, countablesOf, stepsWithEvent } from './parts.ts';
import type { QueryHouse } from './run.ts';
import type { Group } from './sql.ts';
import type { PartNote } from './statement.ts';
import { type ListSums, type Sums, tooLong } from './sums.ts';
import { type Counted, NotCountable, openVisitCounter } from './visit_count.ts';

/** The numbers of one list that the server has counted by itself from rows of visits. */
export interface CountedList {
  /** Number of the list. */
  at: number;
  sums: ListSums;
  note: PartNote;
}

/** Events of the days that are read at once: no visit without an event, so no more rows than the engine hands over. */
const eventsAtOnce = 1_500_000;
/** Longer questions are left to the engine, as one statement of each kind. */
const piecesMax = 60;

interface Job extends Countable {
  group: Group;
}

/**
 * Counts what can be counted from rows of visits, for all groups: lists over the same days under the same filters are one
 * reading, whatever their ranges are.
 * @returns undefined for groups that have to be asked as statements instead
 */
export async function readVisits(
  groups: readonly Group[],
  house: QueryHouse,
  rowsMax: number,
): Promise<Map<Group, CountedList[] | undefined>> {
  const jobs = groups.flatMap((group) =>
    countablesOf(group.scope, group.lists, group.closed).map((countable): Job => ({ ...countable, group })),
  );
  const found = new Map<Group, CountedList[] | undefined>(groups.map((group) => [group, []]));
  const readings = Map.groupBy(jobs, ({ kind, days, group }) =>
    JSON.stringify([kind, days, group.scope.filters, group.scope.goals]),
  );
  await Promise.all(
    [...readings.values()].map(async (same) => {
      const sums = await countTogether(same, house, rowsMax);
      same.forEach(({ group, member, note }, at) => {
        const own = sums?.[at];
        if (own === undefined) found.set(group, undefined);
        else found.get(group)?.push({ at: member.at, sums: own.sums, note: own.kept ? { ...note, kept: true } : note });
      });
    }),
  );
  return found;
}

async function countTogether(
  jobs: readonly Job[],
  house: QueryHouse,
  rowsMax: number,
): Promise<{ sums: ListSums; kept: boolean }[] | undefined> {
  const [first] = jobs;
  const pieces = piecesOf(first?.days ?? [], house);
  if (first === undefined || pieces.length > piecesMax) return undefined;
  const { frozenDays, kept } = house;
  const ofSite = frozenDays === undefined ? undefined : kept?.of(house.site.id, frozenDays.revisions);
  const known = jobs.map((job) => {
    const binder = openBinder();
    const { sql } = countableRows(job.group.scope, [job], job.days, binder);
    const { range, list, stepOfDay } = { ...job.group.scope, ...job.member };
    const steps = list.buckets === undefined ? [...(stepOfDay ?? [])] : [range.from, range.to, list.buckets];
    const statement = { sql, params: binder.paramsOf(sql), shape: JSON.stringify([job.atoms, list.atoms, steps]) };
    return { statement, found: ofSite?.find(statement)?.[0] };
  });
  const missing = jobs.filter((_, at) => known[at]?.found === undefined);
  const counted = missing.length === 0 ? [] : await count(missing, pieces, house);
  if (counted === undefined) return undefined;
  return jobs.map((job, at) => {
    const { statement, found } = known[at] ?? {};
    if (found !== undefined) return { sums: found, kept: true };
    const own = counted[missing.indexOf(job)];
    const sums = own === undefined || own.size > rowsMax ? tooLong : own;
    if (statement !== undefined) ofSite?.keep(statement, job.days, [sums]);
    return { sums, kept: false };
  });
}

/** All pieces are asked for at once, so that the limit of time is that of the whole; they are counted one by one. */
async function count(
  jobs: readonly Job[],
  pieces: readonly (readonly number[])[],
  { warehouse, signal }: QueryHouse,
): Promise<Sums[] | undefined> {
  const [first] = jobs;
  if (first === undefined || warehouse.readBlocks === undefined) return undefined;
  const { scope } = first.group;
  const options = { purpose: 'visits', ...(signal === undefined ? {} : { signal }) };
  const whole = countableRows(scope, jobs, pieces[0] ?? [], openBinder());
  let turn: Promise<void> = Promise.resolve();
  try {
    // Begun first, because every piece waits for it.
    const asked = Promise.all(
      jobs.map(async ({ kind, member, atoms, group, days }): Promise<Counted> => {
        const counted = { member, atoms, range: group.scope.range };
        const { buckets } = member.list;
        if (kind !== 'visits-with-event' || buckets === undefined) return counted;
        const binder = openBinder();
        const sql = stepsWithEvent(group.scope, buckets, days, binder);
        const rows = await warehouse.read<{ visit: string; step: number }>(sql, binder.paramsOf(sql), options);
        const countsIn = new Map<string, Set<number>>();
        for (const { visit, step } of rows) countsIn.set(visit, (countsIn.get(visit) ?? new Set()).add(step));
        return { ...counted, countsIn };
      }),
    );
    const opened = asked.then((lists) => openVisitCounter(lists, whole.layout));
    await Promise.all(
      pieces.map(async (days) => {
        const binder = openBinder();
        const { sql } = countableRows(scope, jobs, days, binder);
        const blocks = await warehouse.readBlocks?.(sql, binder.paramsOf(sql), options);
        const counter = await opened;
        turn = turn.then(() => counter.add(blocks ?? []));
        await turn;
      }),
    );
    return (await opened).sums();
  } catch (error) {
    if (error instanceof NotCountable || (error instanceof QueryOverCeiling && error.ceiling === 'rows'))
      return undefined;
    throw error;
  }
}

/** Runs of days with no more events than are read at once. */
function piecesOf(days: readonly number[], { frozenDays }: QueryHouse): number[][] {
  const pieces: number[][] = [];
  let events = 0;
  for (const day of [...days].sort((a, b) => a - b)) {
    const own = frozenDays?.days.get(day)?.events ?? 0;
    const piece = pieces.at(-1);
    if (piece !== undefined && events + own <= eventsAtOnce) {
      piece.push(day);
      events += own;
    } else {
      pieces.push([day]);
      events = own;
    }
  }
  return pieces;
}
