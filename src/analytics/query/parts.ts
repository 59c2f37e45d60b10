import type { Atom } from '../facts.ts';
import type { Binder } from './binder.ts';
import { asksEvents, isOfActions } from './condition.ts';
import { type DailyPlan, dailySql, isFrozenAtom } from './daily.ts';
import { eventParts } from './events_parts.ts';
import { numbered, type Wanted, zeroOf } from './grouping.ts';
import { importedSql } from './imported.ts';
import { openKeys } from './keys.ts';
import type { Dimension, Filter } from './parse.ts';
import type { Numbered } from './pass.ts';
import type { Range } from './range.ts';
import { openRows } from './rows.ts';
import { type List, listedBy, type PartNote, type Scope } from './statement.ts';
import { visitParts } from './visits_parts.ts';
import { daysTouched, insideOf, stepOfDays } from './whole_days.ts';

/**
 * No visit is silent for 31 minutes, so one that overlaps a stretch of at least that length has an event in it:
 * `started < to AND ended >= from` then counts exactly the visitors that have one. Shorter stretches ask events.
 */
const visitGapMaxMs = 31 * 60_000;

export interface Part {
  sql: string;
  note: PartNote;
  /** Numbers of the lists that it has rows of. */
  lists: readonly number[];
}

/**
 * One side of a question: days that cannot change any more without the register of frozen days saying so, and what
 * `daily` has; or everything else. Numbers of the two add up, because days of identity share no visitor and no visit.
 */
export interface Side {
  name: 'closed' | 'open';
  /** Days of identity on the closed side; they lie in the range whole. */
  closed: ReadonlySet<number>;
}

type PartKind = 'visits' | 'visits-with-event' | 'events' | 'reading' | 'visits-by-event';

/** Which table answers which number of a list. This is the whole decision; the builders below only write it down. */
function kindOf(atom: Atom, list: List, scope: Scope): PartKind {
  const byEvent = list.dimensions.some(isOfEvents);
  const throughEvents = byEvent || scope.filters.some(asksEvents);
  switch (atom) {
    case 'visitors':
      if (byEvent) return 'events';
      // What a visit says is the same on all of its events, so a visit with one event that passes is enough: there are
      // three times fewer visits than events. A step needs the event within the step, which visits do not know.
      if (throughEvents) return list.buckets === undefined ? 'visits-with-event' : 'events';
      return hasShortStep(list, scope.range) ? 'events' : 'visits';
    case 'visits':
      // Events know which visit they are of and when it began; only its bounce and length need the visit itself.
      if (byEvent && list.buckets === undefined && !list.atoms.includes('bounces') && !list.atoms.includes('duration'))
        return 'events';
      return byEvent ? 'visits-by-event' : throughEvents ? 'visits-with-event' : 'visits';
    case 'bounces':
    case 'duration':
      return byEvent ? 'visits-by-event' : throughEvents ? 'visits-with-event' : 'visits';
    case 'scroll':
    case 'scroll_visits':
    case 'engagement':
    case 'engaged_visits':
      return 'reading';
    case 'pageviews':
    case 'events':
      // A visit on a day inside the range has all of its events in it, and knows how many.
      return !throughEvents &&
        list.buckets === undefined &&
        list.daily === undefined &&
        insideOf(scope.range) !== undefined
        ? 'visits'
        : 'events';
    case 'revenue':
    case 'revenue_events':
    case 'revenue_elsewhere':
      return 'events';
  }
}

function isOfEvents(dimension: Dimension): boolean {
  return (
    dimension.kind === 'goal' ||
    dimension.kind === 'property' ||
    (dimension.kind === 'column' && dimension.fact.level === 'event')
  );
}

function hasShortStep(list: List, range: Range): boolean {
  const steps = list.buckets ?? [range];
  return steps.some((step) => step.to - step.from < visitGapMaxMs);
}

/** Rows of totals, steps and goals, by currency and under a filter are told apart by other means than their dimension. */
function isAlone({ dimension, timeAt, currencyAt, filters, goals }: DailyPlan): boolean {
  return timeAt >= 0 || dimension === '' || currencyAt >= 0 || filters.length > 0 || goals.length > 0;
}

/** A pass over one table: the same numbers, over the same days, for one or several lists. */
interface Pass {
  kind: PartKind;
  atoms: Atom[];
  /** Days of identity it is limited to; undefined = every one. */
  days: readonly number[] | undefined;
  members: Numbered[];
}

/** A pass while lists are still put into it. */
interface Reading extends Pass {
  /** Does nothing that engagement events say count? */
  actions: boolean;
  /** Holds one list only. */
  single: boolean;
  /** Numbers that one of the lists has from another pass: here they would be counted twice. */
  elsewhere: Atom[];
}

/**
 * Every part of a statement: what frozen days answer, what is read live, and the totals behind shares of a row.
 * @param side limits it to one side; the totals behind shares of a row do not split and are on none
 */
export function partsOf(scope: Scope, lists: readonly Numbered[], binder: Binder, wanted: Wanted, side?: Side): Part[] {
  const builder = partBuilder(scope, binder);
  const live = readingsOf(scope, lists, side).flatMap((reading) => builder.live(reading, wanted));
  const frozen = side?.name === 'open' ? [] : builder.frozen(lists, wanted);
  if (side?.name === 'closed') return [...frozen, ...live];
  const totals = lists.flatMap((numbered) => {
    const { groupFilters } = numbered.list;
    return groupFilters === undefined ? [] : builder.groupTotal(numbered, groupFilters, wanted);
  });
  const again = scope.stored ? againReadings(scope, lists, side) : [];
  return [
    ...frozen,
    ...live,
    ...totals,
    ...builder.imported(lists, wanted),
    ...again.flatMap((reading) => builder.again(reading, wanted, side !== undefined)),
  ];
}

/** What is read to take away the visitors that were counted on several days. */
function againReadings(scope: Scope, lists: readonly Numbered[], side: Side | undefined): Reading[] {
  const readings: Reading[] = [];
  for (const member of lists) {
    if (!member.list.atoms.includes('visitors')) continue;
    const reading = readingOf(scope, member, 'events', ['visitors'], undefined);
    const shared = readings.find((each) => canShare(each, reading, side));
    if (shared === undefined) readings.push(reading);
    else shared.members.push(member);
  }
  return readings;
}

/** What has to be read live, in as few passes as it takes. */
function readingsOf(scope: Scope, lists: readonly Numbered[], side: Side | undefined): Reading[] {
  const daysOf = (days: readonly number[] | undefined) => {
    if (side === undefined || (side.name === 'open' && side.closed.size === 0)) return days;
    return (days ?? daysTouched(scope.range)).filter((day) => side.closed.has(day) === (side.name === 'closed'));
  };
  const readings: Reading[] = [];
  for (const { at, list: whole } of lists) {
    // Numbers that `daily` has are read live for the other days only; the rest of them for all days.
    const isOver = (atom: Atom) => (whole.daily !== undefined && isFrozenAtom(atom, whole.daily) ? 'live' : 'all');
    for (const [over, atomsOver] of Map.groupBy(whole.atoms, isOver)) {
      const days = daysOf(over === 'live' ? whole.daily?.live : undefined);
      const member = byDay({ at, list: whole }, days, scope.range);
      for (const [kind, atoms] of Map.groupBy(atomsOver, (atom) => kindOf(atom, member.list, scope))) {
        const reading = readingOf(scope, member, kind, atoms, days);
        const shared = readings.find((each) => canShare(each, reading, side));
        if (shared === undefined) {
          readings.push(reading);
          continue;
        }
        shared.members.push(member);
        shared.atoms = [...new Set([...shared.atoms, ...atoms])];
        shared.elsewhere = [...new Set([...shared.elsewhere, ...reading.elsewhere])];
      }
    }
  }
  return readings;
}

function readingOf(
  { goals }: Scope,
  member: Numbered,
  kind: PartKind,
  atoms: readonly Atom[],
  days: readonly number[] | undefined,
): Reading {
  const { dimensions, buckets } = member.list;
  return {
    ...{ kind, days, members: [member] },
    atoms: [...atoms],
    actions: dimensions.some((dimension) => isOfActions(dimension, goals)),
    // Each event must count once in each list of a pass.
    single:
      kind === 'reading' ||
      kind === 'visits-by-event' ||
      buckets !== undefined ||
      dimensions.some((dimension) => dimension.kind === 'goal'),
    elsewhere: member.list.atoms.filter((atom) => !atoms.includes(atom)),
  };
}

/**
 * Lists share a pass when it counts the same ids over the same days; further sums cost next to nothing. Where the
 * engine orders and cuts (no `side`) it leaves out rows without a number, so there a list of events may not get more
 * numbers than it asked for.
 */
function canShare(one: Reading, other: Reading, side: Side | undefined): boolean {
  const { kind, days, actions } = one;
  const isAlike = kind === other.kind && actions === other.actions && days?.join() === other.days?.join();
  if (!isAlike || one.single || other.single || distinctOf(one) !== distinctOf(other)) return false;
  if (side === undefined && kind === 'events' && one.atoms.join() !== other.atoms.join()) return false;
  if (one.atoms.some((atom) => other.elsewhere.includes(atom))) return false;
  if (other.atoms.some((atom) => one.elsewhere.includes(atom))) return false;
  // Two lists by the same columns could not be told apart within one pass.
  const signatures = other.members.map(signatureOf);
  return !one.members.some((member) => signatures.includes(signatureOf(member)));
}

/** Of visits it is the visitors alone that are counted as distinct ids. */
function distinctOf({ kind, atoms }: Reading): string {
  return atoms.filter((atom) => atom === 'visitors' || (atom === 'visits' && kind === 'events')).join();
}

/** A series whose days each lie in one step is a list like any other. */
function byDay(member: Numbered, days: readonly number[] | undefined, range: Range): Numbered {
  const { buckets, ...list } = member.list;
  const stepOfDay = buckets === undefined || days === undefined ? undefined : stepOfDays(days, range, buckets);
  return stepOfDay === undefined ? member : { at: member.at, list, stepOfDay };
}

/** Two series are alike whatever their steps: a day may be in the same one of both. */
function signatureOf({ list }: Numbered): string {
  const columns = list.dimensions.map((dimension) => {
    if (dimension.kind === 'time') return 'time';
    return dimension.kind === 'column' ? `${dimension.fact.level} ${dimension.fact.column}` : dimension.name;
  });
  return columns.sort().join();
}

function partBuilder(scope: Scope, binder: Binder) {
  const rows = openRows(scope, binder);
  const tools = { scope, binder, rows, keys: openKeys(scope, binder) };
  const { visitsPart, visitsWithEvent, visitsByEvent } = visitParts(tools);
  const { eventsPart, readingPart, againPart } = eventParts(tools);
  const { site, eventScopes } = rows;

  function live({ kind, atoms, days, members }: Pass, wanted: Wanted): Part[] {
    if (days?.length === 0) return [];
    const part = (table: PartNote['table'], sql: string): Part => ({
      ...{ sql, note: { ...noteOf(members, atoms, days), table } },
      lists: members.map(({ at }) => at),
    });
    switch (kind) {
      case 'visits':
        return [
          part('visits', visitsPart(atoms, members, wanted, days)),
          ...viewsOfCutDays(atoms, members, wanted, days).map((sql) => part('events', sql)),
        ];
      case 'visits-with-event':
        return [part('events+visits', visitsWithEvent(atoms, members, wanted, days))];
      case 'events':
        return [part('events', eventsPart(atoms, members, wanted, days))];
      case 'reading':
        return members.map((member) => part('events', readingPart(member, wanted, days)));
      case 'visits-by-event':
        return members.map((member) => part('events+visits', visitsByEvent(member, wanted, days)));
    }
  }

  /** Takes from the visitors of each row those that other days have counted too; `signed` where it is a statement of its own. */
  function again({ members }: Pass, wanted: Wanted, signed: boolean): Part[] {
    const note = { ...noteOf(members, ['visitors'], undefined), table: 'stored_ids' as const };
    return [{ sql: againPart(members, wanted, signed), note, lists: members.map(({ at }) => at) }];
  }

  function noteOf(members: readonly Numbered[], atoms: readonly Atom[], days: readonly number[] | undefined): PartNote {
    const dimensions = members.map(({ list }) => listedBy(list));
    return { table: 'events', dimensions, numbers: [...atoms], ...(days === undefined ? {} : { days: days.length }) };
  }

  /** Page views and events of the days that `visitsPart` cannot answer for. */
  function viewsOfCutDays(
    atoms: readonly Atom[],
    members: readonly Numbered[],
    wanted: Wanted,
    days: readonly number[] | undefined,
  ): string[] {
    const counted = atoms.filter((atom) => atom === 'pageviews' || atom === 'events');
    const asking = members.filter(({ list }) => counted.some((atom) => list.atoms.includes(atom)));
    if (asking.length === 0 || !eventScopes(days, false).some((each) => !each.inside)) return [];
    return [eventsPart(counted, asking, wanted, days, (each) => !each.inside)];
  }

  /** Visitors of each row without the filters that make it a conversion. Every goal's row has the same total. */
  function groupTotal({ at, list }: Numbered, filters: readonly Filter[], wanted: Wanted): Part[] {
    const goalAt = list.dimensions.findIndex((dimension) => dimension.kind === 'goal');
    const kept = list.dimensions.filter((_, number) => number !== goalAt);
    const base = { ...scope, filters };
    const { daily: _, imported: __, ...withoutDaily } = list;
    const plain: List = { ...withoutDaily, dimensions: kept, atoms: ['visitors'] };
    const kind = kindOf('visitors', plain, base);
    const builder = partBuilder(base, binder);
    const own: Pass = { kind, atoms: ['visitors'], days: undefined, members: [{ at, list: plain }] };
    const columns: Wanted = { atoms: ['visitors'], keyCount: kept.length, grouped: false };
    const parts = [...builder.live(own, columns), ...(scope.stored ? builder.again(own, columns, false) : [])];
    const keys = numbered(wanted.keyCount, 'k').map((key, number) => {
      if (number === goalAt) return `toString(arrayJoin(range(1, ${scope.goals.length + 1}))) AS ${key}`;
      const from = goalAt >= 0 && number > goalAt ? number - 1 : number;
      return from < kept.length && number < list.dimensions.length ? `t.k${from} AS ${key}` : `'' AS ${key}`;
    });
    const zeros = wanted.atoms.map((atom) => `${zeroOf(atom)} AS ${atom}`);
    return parts.map(({ sql, ...part }) => ({
      ...part,
      sql: `SELECT ${[`${at} AS s`, ...keys, ...zeros, 't.visitors AS group_visitors'].join(', ')}\nFROM (${sql}) AS t`,
    }));
  }

  /** Lists of the same numbers from the same rows of `daily` are one pass over it. */
  function frozen(lists: readonly Numbered[], wanted: Wanted): Part[] {
    const asking = lists.flatMap(({ at, list }) => {
      const plan = list.daily;
      const own = plan === undefined ? [] : list.atoms.filter((atom) => isFrozenAtom(atom, plan));
      return plan === undefined || own.length === 0 ? [] : [{ at, list, plan, own }];
    });
    // A row of `daily` can be given to one list only; countries by code and by name are two.
    const isTwin = (at: number, dimension: string) =>
      asking.some((other) => other.at < at && other.plan.dimension === dimension);
    const groups = Map.groupBy(asking, ({ at, plan, own }) =>
      isAlone(plan) || isTwin(at, plan.dimension) ? at : `${own.join()} ${JSON.stringify(plan.rows)}`,
    );
    return [...groups.values()].flatMap((unordered) => {
      // The first one's keys are those of all: the longest have a place for each.
      const members = unordered.sort((one, other) => other.plan.valuesAt.length - one.plan.valuesAt.length);
      const [first] = members;
      if (first === undefined) return [];
      const isOwn = (atom: Atom) => members.some(({ own }) => own.includes(atom));
      const atoms = wanted.atoms.map((atom) => ({ atom, own: isOwn(atom), zero: zeroOf(atom) }));
      const sql = dailySql(members, {
        site,
        binder,
        keys: numbered(wanted.keyCount, 'k'),
        atoms,
        currency: scope.currency,
        grouped: wanted.grouped,
      });
      const days = [...new Set(first.plan.rows.map((row) => row.day))];
      const note = { ...noteOf(members, first.own, days), table: 'daily' as const };
      return [{ sql, note, lists: members.map(({ at }) => at) }];
    });
  }

  /** Numbers that no event stands behind, as other products exported them. */
  function imported(lists: readonly Numbered[], wanted: Wanted): Part[] {
    return lists.flatMap(({ at, list }) => {
      const plan = list.imported;
      if (plan === undefined) return [];
      const keys = numbered(wanted.keyCount, 'k');
      const sql = importedSql(at, plan, { site, binder, keys, atoms: wanted.atoms, grouped: wanted.grouped });
      const note = noteOf([{ at, list }], plan.atoms, undefined);
      return [{ sql, note: { ...note, table: 'imported_days' as const, days: plan.days.length }, lists: [at] }];
    });
  }

  return { live, frozen, groupTotal, imported, again };
}
