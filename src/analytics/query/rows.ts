import { dayMs, isoDay } from '../../platform/zone.ts';
import type { Binder } from './binder.ts';
import { conditionOf, filterActions } from './condition.ts';
import type { Scope } from './statement.ts';
import { firstAndLast, graceMs, insideOf, stretchesOf } from './whole_days.ts';

/** Conditions of one part of the range's rows; `inside`: all of them are, whatever their times. */
export interface RowScope {
  where: readonly string[];
  inside: boolean;
}

/** Which rows of `visits` and `events` a statement is about: its site, its range, its filters. */
export type Rows = ReturnType<typeof openRows>;

export function openRows(scope: Scope, binder: Binder) {
  const site = binder.bind('UInt64', scope.siteId);
  const { range } = scope;
  const date = (day: number) => binder.bind('Date', isoDay(day));
  const instant = (ms: number) => `fromUnixTimestamp64Milli(${binder.bind('Int64', ms)}, 'UTC')`;

  /** Days of identity that lie in the range with everything that can have their ids: nobody has to look at a time there. */
  const inside = insideOf(range);

  /**
   * Conditions that together take each visit of the range once. Most days lie inside it, and reading two times a row
   * to find that out took as long as counting the visitors; so the days inside are read by their date, and only those
   * that the range cuts by the times of the visit. `days` limits the part to some days of identity.
   */
  function visitScopes(days: readonly number[] | undefined, when: 'present' | 'started'): RowScope[] {
    const { first, last } = firstAndLast(range);
    const timed = [
      `v.started < ${instant(range.to)}`,
      when === 'present' ? `v.ended >= ${instant(range.from)}` : `v.started >= ${instant(range.from)}`,
    ];
    const bySite = `v.site_id = ${site}`;
    if (days !== undefined) {
      const { whole, cut } = apart(days);
      return [
        ...(whole.length === 0 ? [] : [{ where: [bySite, isOneOf('v.day', whole)], inside: true }]),
        ...(cut.length === 0 ? [] : [{ where: [bySite, isOneOf('v.day', cut), ...timed], inside: false }]),
      ];
    }
    if (inside === undefined)
      return [{ where: [bySite, `v.day >= ${date(first)}`, `v.day <= ${date(last)}`, ...timed], inside: false }];
    const before = `(v.day >= ${date(first)} AND v.day < ${date(inside.first)})`;
    const after = `(v.day > ${date(inside.last)} AND v.day <= ${date(last)})`;
    return [
      { where: [bySite, `v.day >= ${date(inside.first)}`, `v.day <= ${date(inside.last)}`], inside: true },
      { where: [bySite, `(${before} OR ${after})`, ...timed], inside: false },
    ];
  }

  /** The same for events, which are found by their time: `indexHint` lets the engine skip by it without reading it. */
  function eventScopes(days: readonly number[] | undefined, actionsOnly: boolean): RowScope[] {
    const times = (from: number, to: number) => `e.time >= ${instant(from)} AND e.time < ${instant(to)}`;
    const rest = eventTests(days, actionsOnly);
    const bySite = `e.site_id = ${site}`;
    if (days !== undefined) {
      const { whole, cut } = apart(days);
      return [
        ...(whole.length === 0
          ? []
          : [{ where: [bySite, `indexHint(${timesOf(whole)})`, isOneOf('e.id_day', whole), ...rest], inside: true }]),
        ...(cut.length === 0
          ? []
          : [
              {
                where: [bySite, times(range.from, range.to), isOneOf('e.id_day', cut), timesOf(cut), ...rest],
                inside: false,
              },
            ]),
      ];
    }
    if (inside === undefined) return [{ where: [bySite, times(range.from, range.to), ...rest], inside: false }];
    const [first, last] = [inside.first * dayMs, (inside.last + 1) * dayMs];
    const ofDays = `e.id_day >= ${date(inside.first)} AND e.id_day <= ${date(inside.last)}`;
    const edges = [times(range.from, Math.min(first + graceMs, range.to)), times(Math.max(last, range.from), range.to)];
    return [
      { where: [bySite, `indexHint(${times(first, last + graceMs)})`, ofDays, ...rest], inside: true },
      {
        where: [bySite, `(${edges.map((edge) => `(${edge})`).join(' OR ')})`, `NOT (${ofDays})`, ...rest],
        inside: false,
      },
    ];
  }

  /** The filters, as tests of an event. */
  function eventTests(days: readonly number[] | undefined, actionsOnly: boolean): string[] {
    const { filters } = scope;
    const actions = actionsOnly || filterActions(filters);
    const context = {
      binder,
      table: 'events' as const,
      visitsWhere: (test: string) =>
        visitScopes(days, 'present')
          .map(({ where }) => `SELECT v.visit_id FROM visits AS v FINAL WHERE ${[...where, test].join(' AND ')}`)
          .join(' UNION ALL '),
    };
    return [...(actions ? [`e.name != 'engagement'`] : []), ...filters.map((filter) => conditionOf(filter, context))];
  }

  /** The id's day alone would read every event of the range; the times it can have let the engine skip. */
  function timesOf(days: readonly number[]): string {
    const stretches = stretchesOf(days).map(
      ({ first, last }) => `(e.time >= ${instant((first - 1) * dayMs)} AND e.time < ${instant((last + 2) * dayMs)})`,
    );
    return `(${stretches.join(' OR ')})`;
  }

  function isOneOf(column: string, days: readonly number[]): string {
    const [run, ...more] = stretchesOf(days);
    if (run !== undefined && more.length === 0)
      return `${column} >= ${date(run.first)} AND ${column} <= ${date(run.last)}`;
    return `${column} IN (${binder.bind('Array(Date)', days.map(isoDay))})`;
  }

  /** Days whose rows are all in the range, whatever their times, and days that the range cuts. */
  function apart(days: readonly number[]): { whole: number[]; cut: number[] } {
    const isWhole = (day: number) => inside !== undefined && day >= inside.first && day <= inside.last;
    return { whole: days.filter(isWhole), cut: days.filter((day) => !isWhole(day)) };
  }

  return { site, instant, visitScopes, eventScopes };
}

/** For tests of a table whose rows hold everything that they look at. */
export function never(): string {
  throw new Error('A test that needs no look-up in visits asked for one.');
}
