import type { Atom } from '../facts.ts';
import { isOfActions, visitColumn } from './condition.ts';
import { groupBy, selectOf, type Wanted } from './grouping.ts';
import { type Numbered, type PartTools, pass, stepsOf } from './pass.ts';
import type { RowScope } from './rows.ts';

/** Parts whose numbers are said by each event. */
export function eventParts({ scope, binder, rows, keys }: PartTools) {
  const { range } = scope;
  const { instant, visitScopes, eventScopes } = rows;
  const { keyOf, goalTest } = keys;

  function eventsPart(
    atoms: readonly Atom[],
    members: readonly Numbered[],
    wanted: Wanted,
    days: readonly number[] | undefined,
    which: (scope: RowScope) => boolean = () => true,
  ): string {
    const actions = members.some(({ list }) =>
      list.dimensions.some((dimension) => isOfActions(dimension, scope.goals)),
    );
    const goalAt = members[0]?.list.dimensions.findIndex((dimension) => dimension.kind === 'goal') ?? -1;
    const earns = atoms.some((atom) => atom === 'revenue' || atom === 'revenue_events' || atom === 'revenue_elsewhere');
    const columnsOf = (whole: boolean) => [
      ...(atoms.includes('visitors') ? ['e.visitor_id AS visitor'] : []),
      ...(atoms.includes('visits')
        ? [
            'e.visit_id AS visit',
            `(e.detached = 0${whole ? '' : ` AND e.visit_start >= ${instant(range.from)}`}) AS own`,
          ]
        : []),
      ...(atoms.includes('pageviews') || atoms.includes('events') ? ['e.name AS name'] : []),
      ...(earns
        ? ['e.revenue_amount AS amount', 'e.revenue_currency AS currency', `${currencySql(goalAt)} AS wanted`]
        : []),
    ];
    return pass(keys, members, wanted, {
      table: 'events',
      ...{ day: 'e.id_day', days },
      time: 'e.time',
      sources: eventScopes(days, actions)
        .filter(which)
        .map(({ where, inside: whole }) => ({
          from: `${eventsFrom(members, days)} WHERE ${[...where, ...goalTest(goalAt)].join(' AND ')}`,
          columns: columnsOf(whole),
        })),
      atoms,
      sums: {
        visitors: 'uniqExact(visitor)',
        visits: 'uniqExactIf(visit, own)',
        pageviews: `countIf(name = 'pageview')`,
        events: `countIf(name != 'engagement')`,
        revenue: 'sumIf(amount, currency = wanted)',
        revenue_events: 'countIf(currency = wanted AND amount != 0)',
        revenue_elsewhere: 'countIf(currency != wanted AND amount != 0)',
      },
    });
  }

  /**
   * Visitors are counted day by day and added up, which is right for ids that live for one day. Of ids that browsers keep
   * (storage mode) this takes away what was counted on further days: of each row days less ids, as a negative number.
   * @param signed a statement of its own; beside numbers without a sign it is one that makes the sum come round
   */
  function againPart(members: readonly Numbered[], wanted: Wanted, signed: boolean): string {
    const actions = members.some(({ list }) =>
      list.dimensions.some((dimension) => isOfActions(dimension, scope.goals)),
    );
    const goalAt = members[0]?.list.dimensions.findIndex((dimension) => dimension.kind === 'goal') ?? -1;
    const sql = pass(keys, members, wanted, {
      table: 'events',
      ...{ day: 'e.id_day', days: undefined },
      time: 'e.time',
      sources: eventScopes(undefined, actions).map(({ where }) => ({
        from: `${eventsFrom(members, undefined)} WHERE ${['e.stored_id = 1', ...where, ...goalTest(goalAt)].join(' AND ')}`,
        columns: ['e.visitor_id AS visitor', 'e.id_day AS on_day'],
      })),
      atoms: ['visitors'],
      sums: { visitors: `to${signed ? '' : 'U'}Int64(uniqExact(visitor) - uniqExact((visitor, on_day)))` },
    });
    return `${sql} HAVING visitors != 0`;
  }

  /** Pages of entry and exit are known to visits alone, so a list by them joins the two. */
  function eventsFrom(members: readonly Numbered[], days: readonly number[] | undefined): string {
    const ends = members.flatMap(({ list }) =>
      list.dimensions.flatMap((dimension) =>
        dimension.kind === 'column' && dimension.fact.level === 'visit-end'
          ? [`${visitColumn(dimension.fact.column)} AS ${dimension.fact.column}`]
          : [],
      ),
    );
    if (ends.length === 0) return 'events AS e';
    const columns = [...new Set(ends), 'v.visit_id AS visit_id'].join(', ');
    const visits = visitScopes(days, 'present')
      .map(({ where }) => `SELECT ${columns} FROM visits AS v FINAL WHERE ${where.join(' AND ')}`)
      .join(' UNION ALL ');
    return `events AS e INNER JOIN (${visits}) AS v ON v.visit_id = e.visit_id`;
  }

  /** The currency that counts in a row: the goal's own, or the one the question is asked in. */
  function currencySql(goalAt: number): string {
    if (goalAt < 0) return binder.bind('String', scope.currency);
    const numbers = binder.bind(
      'Array(UInt32)',
      scope.goals.map((_, at) => at + 1),
    );
    const currencies = binder.bind(
      'Array(String)',
      scope.goals.map((goal) => goal.currency ?? '-'),
    );
    return `transform(toUInt32(c${goalAt}), ${numbers}, ${currencies}, '-')`;
  }

  /** Depth and attention of a page in a visit come in several beacons: the deepest counts, the milliseconds add up. */
  function readingPart(member: Numbered, wanted: Wanted, days: readonly number[] | undefined): string {
    const { at, list } = member;
    const keys = list.dimensions.map((dimension) => keyOf(dimension, 'events', 'e.time', stepsOf(member)));
    const names = keys.map((_, number) => `c${number}`);
    const columns = [
      ...keys.map((key, number) => `${key} AS c${number}`),
      'maxIf(e.scroll_depth, e.scroll_depth <= 100) AS depth',
      'countIf(e.scroll_depth <= 100) > 0 AS scrolled',
      'sum(e.engagement_ms) AS attention',
    ].join(', ');
    const perVisit = eventScopes(days, false)
      .map(
        ({ where }) =>
          `SELECT ${columns} FROM ${eventsFrom([{ at, list }], days)} WHERE ${where.join(' AND ')} AND e.name = 'engagement' GROUP BY ${[...names, 'e.visit_id'].join(', ')}`,
      )
      .join(' UNION ALL ');
    const sets = [{ at, columns: keys.map((_, number) => number) }];
    return `${selectOf(sets, keys.length, wanted, {
      scroll: 'sumIf(depth, scrolled)',
      scroll_visits: 'countIf(scrolled)',
      engagement: 'sum(attention)',
      engaged_visits: 'count()',
    })}\nFROM (${perVisit})${groupBy(sets, keys.length)}`;
  }

  return { eventsPart, readingPart, againPart };
}
