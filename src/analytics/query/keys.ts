import type { Binder } from './binder.ts';
import { goalCondition, valueSql } from './condition.ts';
import type { Dimension } from './parse.ts';
import type { Bucket } from './range.ts';
import type { Scope } from './statement.ts';

/** Steps of a series: stretches of time, or the start of the one step (ms) that a day of identity is in. */
export type Steps = readonly Bucket[] | ReadonlyMap<number, number>;

/** What the rows of a list are told apart by, as SQL. */
export type Keys = ReturnType<typeof openKeys>;

export function openKeys({ range, goals }: Scope, binder: Binder) {
  const seconds = (column: string) => `toUInt32(intDiv(toUnixTimestamp64Milli(${column}), 1000))`;
  const starts = (buckets: readonly Bucket[]) =>
    binder.bind(
      'Array(UInt32)',
      buckets.map((bucket) => Math.floor(bucket.from / 1000)),
    );

  /** Each key of a list as an expression over the table; the same expression has the same column in a shared pass. */
  function keyOf(dimension: Dimension, table: 'events' | 'visits', time: string, steps: Steps): string {
    switch (dimension.kind) {
      case 'time': {
        if ('get' in steps) return dayStep(table === 'events' ? 'e.id_day' : 'v.day', steps);
        const buckets = steps;
        return time === 'overlap' ? overlapSql(buckets) : `roundDown(${seconds(time)}, ${starts(buckets)})`;
      }
      case 'goal':
        return goalKey();
      case 'property':
        return valueSql(dimension, { binder, table });
      case 'column':
        // Names are put on in the outermost SELECT, when there are few rows left.
        return valueSql({ ...dimension, fact: withoutNames(dimension.fact) }, { binder, table });
    }
  }

  function dayStep(column: string, steps: ReadonlyMap<number, number>): string {
    const days = binder.bind('Array(UInt32)', [...steps.keys()]);
    const names = binder.bind(
      'Array(UInt32)',
      [...steps.values()].map((from) => Math.floor(from / 1000)),
    );
    return `transform(toUInt32(toUInt16(${column})), ${days}, ${names}, toUInt32(0))`;
  }

  /**
   * Every step that a visit overlaps. Points no further apart than the shortest step hit each of them, and nearly
   * every visit is within one, which is found first because it needs no list.
   */
  function overlapSql(buckets: readonly Bucket[]): string {
    const list = starts(buckets);
    const shortest = Math.floor(Math.min(...buckets.map((bucket) => bucket.to - bucket.from)) / 1000);
    const first = binder.bind('UInt32', Math.floor(range.from / 1000));
    const last = binder.bind('UInt32', Math.floor((range.to - 1) / 1000));
    const from = `greatest(${seconds('v.started')}, ${first})`;
    const to = `least(${seconds('v.ended')}, ${last})`;
    const point = `roundDown(least(toUInt32(${from} + n * ${binder.bind('UInt32', shortest)}), ${to}), ${list})`;
    const one = `roundDown(${from}, ${list})`;
    return `arrayJoin(if(${one} = roundDown(${to}, ${list}), [${one}], arrayDistinct(arrayMap(n -> ${point}, range(toUInt32(intDiv(${to} - ${from}, ${binder.bind('UInt32', shortest)}) + 2))))))`;
  }

  /** In a list of goals an event that is no conversion has no row; to know that early spares making an empty list of it. */
  function goalTest(goalAt: number): string[] {
    if (goalAt < 0) return [];
    const tests = goals.map((goal) => goalCondition(goal, binder));
    return [tests.length === 0 ? '0' : `(${tests.join(' OR ')})`];
  }

  function goalKey(): string {
    const hits = goals.map((goal, at) => `if(${goalCondition(goal, binder)}, ${at + 1}, 0)`);
    return `arrayJoin(arrayFilter(g -> g != 0, [${hits.join(', ')}]::Array(UInt16)))`;
  }

  return { keyOf, goalTest, seconds, starts };
}

function withoutNames<T extends { names?: 'country' }>(fact: T): T {
  const { names: _, ...rest } = fact;
  return rest as T;
}
