import type { Atom } from '../facts.ts';
import { conditionOf, isOfActions } from './condition.ts';
import { groupBy, selectOf, type Wanted } from './grouping.ts';
import type { Dimension } from './parse.ts';
import { type Numbered, type PartTools, pass, stepsOf } from './pass.ts';
import { never } from './rows.ts';
import type { List } from './statement.ts';

/** Parts whose numbers are said by the visit itself. */
export function visitParts({ scope, binder, rows, keys }: PartTools) {
  const { range } = scope;
  const { instant, visitScopes, eventScopes } = rows;
  const { keyOf, seconds, starts } = keys;

  /** Visitors by presence, everything else by the start of the visit, in one pass over `visits`. */
  function visitsPart(
    atoms: readonly Atom[],
    members: readonly Numbered[],
    wanted: Wanted,
    days: readonly number[] | undefined,
  ): string {
    const present = atoms.includes('visitors');
    const buckets = members[0]?.list.buckets;
    const series = present && buckets !== undefined;
    const timeAt = members[0]?.list.dimensions.findIndex((dimension) => dimension.kind === 'time') ?? -1;
    const inStep = series ? ` AND c${timeAt} = roundDown(${seconds('v.started')}, ${starts(buckets)})` : '';
    const filters = scope.filters.map((filter) => conditionOf(filter, { binder, table: 'visits', visitsWhere: never }));
    // On the days that the range cuts, page views are counted from events (`viewsOfCutDays`).
    const count = (atom: 'pageviews' | 'events', whole: boolean) =>
      atoms.includes(atom) ? [`${whole ? `v.${atom}` : 'toUInt64(0)'} AS own_${atom}`] : [];
    const sources = visitScopes(days, present ? 'present' : 'started').map(({ where, inside: whole }) => ({
      from: `visits AS v FINAL WHERE ${[...where, ...filters].join(' AND ')}`,
      columns: [
        ...(present ? ['v.visitor_id AS visitor'] : []),
        ...visitNumbers(atoms, `v.counted = 1${whole ? '' : ` AND v.started >= ${instant(range.from)}`}${inStep}`),
        ...count('pageviews', whole),
        ...count('events', whole),
      ],
    }));
    return pass(keys, members, wanted, {
      table: 'visits',
      ...{ day: 'v.id_day', days },
      time: present ? 'overlap' : 'v.started',
      sources,
      atoms,
      sums: visitSums,
    });
  }

  /** `own` says whether the visit is one of the range (or step), and not only present in it. */
  function visitNumbers(atoms: readonly Atom[], own: string): string[] {
    return [
      ...(atoms.some((atom) => atom === 'visits' || atom === 'bounces' || atom === 'duration')
        ? [`${own} AS own`]
        : []),
      ...(atoms.includes('bounces') || atoms.includes('duration') ? ['v.counting <= 1 AS bounced'] : []),
      ...(atoms.includes('duration') ? [`${visitSeconds} AS seconds`] : []),
    ];
  }

  /** A step of a series is the total of that step: the visit began in it and has the event in it. */
  function inStepOfStart(list: List | undefined): string {
    if (list?.buckets === undefined) return '';
    const steps = starts(list.buckets);
    return ` AND roundDown(${seconds('e.time')}, ${steps}) = roundDown(${seconds('e.visit_start')}, ${steps})`;
  }

  /** Visits that have an event in the range that passes the filters; `own` those that began in it too. */
  function visitsWithEvent(
    atoms: readonly Atom[],
    members: readonly Numbered[],
    wanted: Wanted,
    days: readonly number[] | undefined,
  ): string {
    const inStep = inStepOfStart(members[0]?.list);
    // A visit's events are all inside or all not, as it is itself; so each part of the visits needs one part of the events.
    const events = eventScopes(days, false);
    const idsIn = (whole: boolean) =>
      events
        .filter((each) => each.inside === whole)
        .map(({ where }) => `SELECT e.visit_id FROM events AS e WHERE ${where.join(' AND ')}${inStep}`)
        .join(' UNION ALL ');
    const present = atoms.includes('visitors');
    return pass(keys, members, wanted, {
      table: 'visits',
      ...{ day: 'v.id_day', days },
      time: 'v.started',
      sources: visitScopes(days, present ? 'present' : 'started').map(({ where, inside: whole }) => ({
        from: `visits AS v FINAL WHERE ${where.join(' AND ')} AND v.visit_id IN (${idsIn(whole)})`,
        columns: [
          ...(present ? ['v.visitor_id AS visitor'] : []),
          ...visitNumbers(atoms, `v.counted = 1${whole ? '' : ` AND v.started >= ${instant(range.from)}`}`),
        ],
      })),
      atoms,
      sums: visitSums,
    });
  }

  /** The same for dimensions of events: a visit counts once for each value that its events had. */
  function visitsByEvent(member: Numbered, wanted: Wanted, days: readonly number[] | undefined): string {
    const { at, list } = member;
    const actions = list.dimensions.some((dimension) => isOfActions(dimension, scope.goals));
    const ofVisit = (dimension: Dimension) =>
      dimension.kind === 'time' || (dimension.kind === 'column' && dimension.fact.level === 'visit-end');
    const keys = list.dimensions.map((dimension, number) => {
      const name = `c${number}`;
      const fromVisit = ofVisit(dimension);
      const expression = keyOf(dimension, fromVisit ? 'visits' : 'events', 'v.started', stepsOf(member));
      return { name, fromVisit, expression };
    });
    const inEvents = keys.filter((key) => !key.fromVisit);
    const columns = [...inEvents.map((key) => `${key.expression} AS ${key.name}`), 'e.visit_id AS id'].join(', ');
    // A visit has one day of identity, so the two scopes have no pair in common.
    const pairs = eventScopes(days, actions)
      .map(
        ({ where }) =>
          `SELECT DISTINCT ${columns} FROM events AS e WHERE ${where.join(' AND ')} AND e.detached = 0${inStepOfStart(list)}`,
      )
      .join(' UNION ALL ');
    const inVisits = keys.filter((key) => key.fromVisit).map((key) => `${key.expression} AS ${key.name}`);
    const facts = [...inVisits, 'v.visit_id AS id', 'v.counting <= 1 AS bounced', `${visitSeconds} AS seconds`].join(
      ', ',
    );
    const visits = visitScopes(days, 'started')
      .map(({ where }) => `SELECT ${facts} FROM visits AS v FINAL WHERE ${where.join(' AND ')} AND v.counted = 1`)
      .join(' UNION ALL ');
    const sets = [{ at, columns: keys.map((_, number) => number) }];
    return `${selectOf(sets, keys.length, wanted, { visits: 'count()', bounces: 'countIf(bounced)', duration: 'sumIf(seconds, NOT bounced)' })}\nFROM (${pairs}) AS x INNER JOIN (${visits}) AS y ON x.id = y.id${groupBy(sets, keys.length)}`;
  }

  return { visitsPart, visitsWithEvent, visitsByEvent };
}

/** Whole seconds from the first to the last event. `dateDiff('second')` would count the ticks in between instead. */
const visitSeconds = `toUInt64(greatest(intDiv(toUnixTimestamp64Milli(v.ended) - toUnixTimestamp64Milli(v.started), 1000), 0))`;

/** Numbers of visits over the columns of `visitNumbers`. */
const visitSums: Partial<Record<Atom, string>> = {
  visitors: 'uniqExact(visitor)',
  visits: 'countIf(own)',
  bounces: 'countIf(own AND bounced)',
  duration: 'sumIf(seconds, own AND NOT bounced)',
  pageviews: 'sum(own_pageviews)',
  events: 'sum(own_events)',
};
