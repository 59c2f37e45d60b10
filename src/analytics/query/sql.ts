import { type Atom, atomNames, metricFacts, noProperty } from '../facts.ts';
import { type Binder, openBinder } from './binder.ts';
import {
  asksEvents,
  conditionOf,
  countryName,
  goalCondition,
  isOfActions,
  valueSql,
  visitColumn,
} from './condition.ts';
import { dailySql, isFrozenAtom } from './daily.ts';
import { groupBy, numbered, selectOf, type Wanted, zeroOf } from './grouping.ts';
import { anyFilter, type Dimension, type Filter, type Order } from './parse.ts';
import type { Bucket, Range } from './range.ts';
import type { List, PartNote, Scope, Statement, Tail } from './statement.ts';
import { graceMs, insideOf, stretchesOf } from './whole_days.ts';
import { dayMs, isoDay } from './zone.ts';

/**
 * No visit is silent for 31 minutes, so one that overlaps a stretch of at least that length has an event in it:
 * `started < to AND ended >= from` then counts exactly the visitors that have one. Shorter stretches ask events.
 */
export const visitGapMaxMs = 31 * 60_000;

/**
 * A statement answers one or several lists over the same events: same site, range and filters. Each list is a
 * GROUP BY of its own; lists that need the same numbers from the same table share one pass over it (GROUPING SETS).
 *
 *   SELECT list, labels, metrics FROM (
 *     SELECT list, keys, sum(atoms) FROM (part UNION ALL part UNION ALL …) GROUP BY list, keys
 *   ) ORDER BY … LIMIT …
 *
 * A part reads one table: `daily` for days that are frozen, `visits` or `events` for the others. Each part names all
 * atoms and leaves those it does not know at 0, so that adding up is all that is left to do.
 */
export function buildStatement(scope: Scope, lists: readonly List[], tail: Tail): Statement {
  const binder = openBinder();
  const builder = partBuilder(scope, binder);
  const atoms = atomNames.filter((atom) => lists.some((list) => list.atoms.includes(atom)));
  const grouped = lists.some((list) => list.groupFilters !== undefined);
  const keyCount = Math.max(0, ...lists.map((list) => list.dimensions.length));
  const parts = partsOf(scope, lists, builder, { atoms, grouped, keyCount });
  const keys = numbered(keyCount, 'k');
  const labels = numbered(keyCount, 'd');
  const sums = [...atoms, ...(grouped ? ['group_visitors'] : [])].map((atom) => `sum(${atom}) AS ${atom}`);
  const metrics = [...new Set(lists.flatMap((list) => list.metrics))];
  const inner = `SELECT ${['s', ...keys, ...sums].join(', ')}\nFROM (\n${parts.map((part) => part.sql).join('\nUNION ALL\n')}\n)\nGROUP BY ${['s', ...keys].join(', ')}`;
  const labelled = [
    's',
    ...labels.map((label, at) => `${labelSql(lists, at, binder, scope)} AS ${label}`),
    ...metrics.map((metric) => `${metricFacts[metric].sql} AS m_${metric}`),
    ...atoms,
  ];
  const conditions = [
    // A row without anything that was asked for is no row; the one row of a list without dimensions always is.
    `(s IN (${binder.bind('Array(UInt32)', [0xffff, ...lists.flatMap((list, at) => (list.dimensions.length === 0 ? [at] : []))])}) OR ${atoms.map((atom) => `${atom} != 0`).join(' OR ')})`,
  ];
  const middle = `SELECT ${labelled.join(', ')}\nFROM (\n${inner}\n)\nWHERE ${conditions.join(' AND ')}`;
  const columns = [
    's',
    ...labels,
    ...metrics.map((metric) => `m_${metric}`),
    ...atoms.map((atom) => `toString(${atom}) AS a_${atom}`),
    ...(tail.totalRows ? ['count() OVER (PARTITION BY s) AS total_rows'] : []),
  ];
  const where = tail.onlyRows === undefined ? '' : `\nWHERE ${rowsCondition(tail.onlyRows, lists, binder)}`;
  const limit = `LIMIT ${binder.bind('UInt64', tail.limit)} OFFSET ${binder.bind('UInt64', tail.offset)}${lists.length > 1 ? ' BY s' : ''}`;
  const sql = `SELECT ${columns.join(', ')}\nFROM (\n${middle}\n)${where}\nORDER BY ${orderSql(tail.order, labels)}\n${limit}`;
  return { sql, params: binder.paramsOf(sql), parts: parts.map((part) => part.note) };
}

/** Rows are ordered as asked, then by their labels, so that a page never depends on chance. */
function orderSql(order: readonly Order[], labels: readonly string[]): string {
  const asked = order.map(({ key, direction }) => {
    const column = key.kind === 'metric' ? `m_${key.metric}` : (labels[key.index] ?? 's');
    return `${column} ${direction === 'asc' ? 'ASC' : 'DESC'}`;
  });
  return ['s', ...asked, ...labels].join(', ');
}

/** Labels of one row never contain the separator: it is a control character that no step of ingest lets through. */
function rowsCondition(rows: readonly (readonly string[])[], lists: readonly List[], binder: Binder): string {
  const fixed = (lists[0]?.dimensions ?? []).flatMap((dimension, at) => (dimension.kind === 'time' ? [] : [`d${at}`]));
  const joined = rows.map((row) => row.join('\u001f'));
  return `concat(${[`''`, ...fixed.flatMap((column, at) => (at === 0 ? [column] : [`char(31)`, column]))].join(', ')}) IN (${binder.bind('Array(String)', joined)})`;
}

/** What a key is called in the answer. Times stay numbers until shape.ts names them. */
function labelSql(lists: readonly List[], at: number, binder: Binder, scope: Scope): string {
  const branches = lists.flatMap((list, number) => {
    const dimension = list.dimensions[at];
    return dimension === undefined ? [] : [[`s = ${number}`, labelOf(dimension, `k${at}`, binder, scope)]];
  });
  if (branches.length === 1 && lists.length === 1) return branches[0]?.[1] ?? `''`;
  return `multiIf(${branches.flat().join(', ')}, '')`;
}

function labelOf(dimension: Dimension, key: string, binder: Binder, scope: Scope): string {
  switch (dimension.kind) {
    case 'time':
      return key;
    case 'goal': {
      const numbers = binder.bind(
        'Array(String)',
        scope.goals.map((_, index) => String(index + 1)),
      );
      const names = binder.bind(
        'Array(String)',
        scope.goals.map((goal) => goal.name),
      );
      return scope.goals.length === 0 ? key : `transform(${key}, ${numbers}, ${names}, '')`;
    }
    case 'property':
      return `if(${key} = '', '${noProperty}', ${key})`;
    case 'column': {
      const name = dimension.fact.names === 'country' ? countryName(key, binder) : key;
      return `if(${key} = '', ${binder.bind('String', dimension.fact.empty)}, ${name})`;
    }
  }
}

interface Part {
  sql: string;
  note: PartNote;
}

/** A list together with its number in the statement. */
interface Numbered {
  at: number;
  list: List;
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

/** A pass over one table: the same numbers, over the same days, for one or several lists. */
interface Reading {
  kind: PartKind;
  atoms: readonly Atom[];
  /** Days of identity it is limited to; undefined = every one. */
  days: readonly number[] | undefined;
  members: readonly Numbered[];
}

function partsOf(
  scope: Scope,
  lists: readonly List[],
  builder: ReturnType<typeof partBuilder>,
  wanted: Wanted,
): Part[] {
  const groups = new Map<
    string,
    { kind: PartKind; atoms: Atom[]; days: readonly number[] | undefined; members: Numbered[] }
  >();
  lists.forEach((list, at) => {
    // Numbers that `daily` has are read live for the other days only; the rest of them for all days.
    const kinds = Map.groupBy(
      list.atoms,
      (atom) => `${list.daily !== undefined && isFrozenAtom(atom) ? 'live' : 'all'} ${kindOf(atom, list, scope)}`,
    );
    for (const [kindOverDays, atoms] of kinds) {
      const [over, kind] = kindOverDays.split(' ') as ['live' | 'all', PartKind];
      // Lists share a pass when it computes the same numbers over the same days, and each event counts once in each.
      const alone = kind === 'reading' || kind === 'visits-by-event' || list.buckets !== undefined;
      const single = alone || list.dimensions.some((dimension) => dimension.kind === 'goal');
      const live = over === 'live' ? list.daily?.live : undefined;
      const days = live === undefined ? 'all' : live.join();
      const actions = list.dimensions.some(isOfActions);
      // Of visits the numbers beside visitors cost next to nothing, so a list that did not ask for them may share.
      const ofVisits = kind === 'visits' || kind === 'visits-with-event';
      const numbers = ofVisits ? String(atoms.includes('visitors')) : atoms.join();
      const shared = [kind, numbers, days, actions].join(' ');
      // Two lists by the same columns could not be told apart within one pass.
      const twin = groups.get(shared)?.members.some((member) => signatureOf(member.list) === signatureOf(list));
      const name = single || twin === true ? `${shared} ${at}` : shared;
      const group = groups.get(name) ?? { kind, atoms: [...atoms], days: live, members: [] };
      group.members.push({ at, list });
      for (const atom of atoms) if (!group.atoms.includes(atom)) group.atoms.push(atom);
      groups.set(name, group);
    }
  });
  const live = [...groups.values()].flatMap((group) => builder.live(group, wanted));
  const frozen = builder.frozen(lists, wanted);
  const totals = lists.flatMap((list, at) =>
    list.groupFilters === undefined ? [] : builder.groupTotal({ at, list }, list.groupFilters, wanted),
  );
  return [...frozen, ...live, ...totals];
}

function signatureOf(list: List): string {
  const columns = list.dimensions.map((dimension) =>
    dimension.kind === 'column' ? `${dimension.fact.level} ${dimension.fact.column}` : dimension.name,
  );
  return columns.sort().join();
}

function partBuilder(scope: Scope, binder: Binder) {
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
    const first = Math.floor(range.from / dayMs) - 1;
    const last = Math.floor((range.to - 1) / dayMs);
    const timed = [
      `v.started < ${instant(range.to)}`,
      when === 'present' ? `v.ended >= ${instant(range.from)}` : `v.started >= ${instant(range.from)}`,
    ];
    const bySite = `v.site_id = ${site}`;
    if (days !== undefined) {
      const wanted = binder.bind('Array(Date)', days.map(isoDay));
      return [{ where: [bySite, `v.day IN (${wanted})`, ...timed], inside: false }];
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
    if (days !== undefined)
      return [{ where: [bySite, times(range.from, range.to), ...daysOfEvents(days), ...rest], inside: false }];
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
    const actions = actionsOnly || filters.some((filter) => anyFilter(filter, (test) => isActionTest(test)));
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
  function daysOfEvents(days: readonly number[]): string[] {
    if (days.length === 0) return ['0'];
    const list = `e.id_day IN (${binder.bind('Array(Date)', days.map(isoDay))})`;
    const stretches = stretchesOf(days).map(
      ({ first, last }) => `(e.time >= ${instant((first - 1) * dayMs)} AND e.time < ${instant((last + 2) * dayMs)})`,
    );
    return [list, `(${stretches.join(' OR ')})`];
  }

  const seconds = (column: string) => `toUInt32(intDiv(toUnixTimestamp64Milli(${column}), 1000))`;
  const starts = (buckets: readonly Bucket[]) =>
    binder.bind(
      'Array(UInt32)',
      buckets.map((bucket) => Math.floor(bucket.from / 1000)),
    );

  /** Each key of a list as an expression over the table; the same expression has the same column in a shared pass. */
  function keyOf(dimension: Dimension, table: 'events' | 'visits', time: string, buckets: readonly Bucket[]): string {
    switch (dimension.kind) {
      case 'time':
        return time === 'overlap' ? overlapSql(buckets) : `roundDown(${seconds(time)}, ${starts(buckets)})`;
      case 'goal':
        return goalKey();
      case 'property':
        return valueSql(dimension, { binder, table });
      case 'column':
        // Names are put on in the outermost SELECT, when there are few rows left.
        return valueSql({ ...dimension, fact: withoutNames(dimension.fact) }, { binder, table });
    }
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
    const tests = scope.goals.map((goal) => goalCondition(goal, binder));
    return [tests.length === 0 ? '0' : `(${tests.join(' OR ')})`];
  }

  function goalKey(): string {
    const hits = scope.goals.map((goal, at) => `if(${goalCondition(goal, binder)}, ${at + 1}, 0)`);
    return `arrayJoin(arrayFilter(g -> g != 0, [${hits.join(', ')}]::Array(UInt16)))`;
  }

  /** Statements read one pass into columns c0…cN, then group them as each list wants. */
  function pass(
    members: readonly Numbered[],
    wanted: Wanted,
    options: {
      table: 'events' | 'visits';
      time: string;
      sources: readonly { from: string; columns: readonly string[] }[];
      atoms: readonly Atom[];
      sums: Partial<Record<Atom, string>>;
    },
  ): string {
    const expressions: string[] = [];
    const sets = members.map(({ at, list }) => {
      const columns: number[] = [];
      for (const dimension of list.dimensions) {
        const expression = keyOf(dimension, options.table, options.time, list.buckets ?? []);
        const known = expressions.indexOf(expression);
        // Within one list every dimension has a column of its own, so that its place is its number.
        columns.push(known >= 0 && !columns.includes(known) ? known : expressions.push(expression) - 1);
      }
      return { at, columns };
    });
    const keys = expressions.map((expression, at) => `${expression} AS c${at}`);
    const source = options.sources
      .map(
        ({ from, columns }) =>
          `SELECT ${[...keys, ...columns, ...(keys.length + columns.length === 0 ? ['1'] : [])].join(', ')} FROM ${from}`,
      )
      .join('\nUNION ALL ');
    const sums = Object.fromEntries(options.atoms.map((atom) => [atom, options.sums[atom]]));
    return `${selectOf(sets, expressions.length, wanted, sums)}\nFROM (${source})${groupBy(sets, expressions.length)}`;
  }

  function live({ kind, atoms, days, members }: Reading, wanted: Wanted): Part[] {
    if (days?.length === 0) return [];
    const note = noteOf(members, atoms, days);
    switch (kind) {
      case 'visits':
        return [
          { sql: visitsPart(atoms, members, wanted, days), note: { ...note, table: 'visits' } },
          ...viewsOfCutDays(atoms, members, wanted).map((sql) => ({ sql, note })),
        ];
      case 'visits-with-event':
        return [{ sql: visitsWithEvent(atoms, members, wanted, days), note: { ...note, table: 'events+visits' } }];
      case 'events':
        return [{ sql: eventsPart(atoms, members, wanted, days), note }];
      case 'reading':
        return members.map((member) => ({ sql: readingPart(member, wanted, days), note }));
      case 'visits-by-event':
        return members.map((member) => ({
          sql: visitsByEvent(member, wanted, days),
          note: { ...note, table: 'events+visits' },
        }));
    }
  }

  function noteOf(members: readonly Numbered[], atoms: readonly Atom[], days: readonly number[] | undefined): PartNote {
    const dimensions = members.map(({ list }) => list.dimensions.map((dimension) => dimension.name).join(' × '));
    return { table: 'events', dimensions, numbers: [...atoms], ...(days === undefined ? {} : { days: days.length }) };
  }

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
    return pass(members, wanted, {
      table: 'visits',
      time: present ? 'overlap' : 'v.started',
      sources,
      atoms,
      sums: visitSums,
    });
  }

  /** Page views and events of the days that `visitsPart` cannot answer for. */
  function viewsOfCutDays(atoms: readonly Atom[], members: readonly Numbered[], wanted: Wanted): string[] {
    const counted = atoms.filter((atom) => atom === 'pageviews' || atom === 'events');
    const asking = members.filter(({ list }) => counted.some((atom) => list.atoms.includes(atom)));
    return asking.length === 0 ? [] : [eventsPart(counted, asking, wanted, undefined, (each) => !each.inside)];
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
    return pass(members, wanted, {
      table: 'visits',
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
  function visitsByEvent({ at, list }: Numbered, wanted: Wanted, days: readonly number[] | undefined): string {
    const actions = list.dimensions.some(isOfActions);
    const ofVisit = (dimension: Dimension) =>
      dimension.kind === 'time' || (dimension.kind === 'column' && dimension.fact.level === 'visit-end');
    const keys = list.dimensions.map((dimension, number) => {
      const name = `c${number}`;
      const fromVisit = ofVisit(dimension);
      const expression = keyOf(dimension, fromVisit ? 'visits' : 'events', 'v.started', list.buckets ?? []);
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

  function eventsPart(
    atoms: readonly Atom[],
    members: readonly Numbered[],
    wanted: Wanted,
    days: readonly number[] | undefined,
    which: (scope: RowScope) => boolean = () => true,
  ): string {
    const actions = members.some(({ list }) => list.dimensions.some(isOfActions));
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
    return pass(members, wanted, {
      table: 'events',
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
  function readingPart({ at, list }: Numbered, wanted: Wanted, days: readonly number[] | undefined): string {
    const keys = list.dimensions.map((dimension) => keyOf(dimension, 'events', 'e.time', list.buckets ?? []));
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

  /** Visitors of each row without the filters that make it a conversion. Every goal's row has the same total. */
  function groupTotal({ at, list }: Numbered, filters: readonly Filter[], wanted: Wanted): Part[] {
    const goalAt = list.dimensions.findIndex((dimension) => dimension.kind === 'goal');
    const kept = list.dimensions.filter((_, number) => number !== goalAt);
    const base = { ...scope, filters };
    const { daily: _, ...withoutDaily } = list;
    const plain: List = { ...withoutDaily, dimensions: kept, atoms: ['visitors'] };
    const kind = kindOf('visitors', plain, base);
    const parts = partBuilder(base, binder).live(
      { kind, atoms: ['visitors'], days: undefined, members: [{ at, list: plain }] },
      { atoms: ['visitors'], keyCount: kept.length, grouped: false },
    );
    const keys = numbered(wanted.keyCount, 'k').map((key, number) => {
      if (number === goalAt) return `toString(arrayJoin(range(1, ${scope.goals.length + 1}))) AS ${key}`;
      const from = goalAt >= 0 && number > goalAt ? number - 1 : number;
      return from < kept.length && number < list.dimensions.length ? `t.k${from} AS ${key}` : `'' AS ${key}`;
    });
    const zeros = wanted.atoms.map((atom) => `${zeroOf(atom)} AS ${atom}`);
    return parts.map(({ sql, note }) => ({
      sql: `SELECT ${[`${at} AS s`, ...keys, ...zeros, 't.visitors AS group_visitors'].join(', ')}\nFROM (${sql}) AS t`,
      note,
    }));
  }

  /** Lists of the same numbers from the same rows of `daily` are one pass over it. */
  function frozen(lists: readonly List[], wanted: Wanted): Part[] {
    const asking = lists.flatMap((list, at) => {
      const own = list.atoms.filter(isFrozenAtom);
      return list.daily === undefined || own.length === 0 ? [] : [{ at, list, plan: list.daily, own }];
    });
    // A row of `daily` can be given to one list only; countries by code and by name are two.
    const isTwin = (at: number, dimension: string) =>
      asking.some((other) => other.at < at && other.plan.dimension === dimension);
    const groups = Map.groupBy(asking, ({ at, plan, own }) =>
      plan.timeAt >= 0 || plan.dimension === '' || isTwin(at, plan.dimension)
        ? at
        : `${own.join()} ${JSON.stringify(plan.rows)}`,
    );
    return [...groups.values()].flatMap((members) => {
      const [first] = members;
      if (first === undefined) return [];
      const atoms = wanted.atoms.map((atom) => ({ atom, own: first.own.includes(atom), zero: zeroOf(atom) }));
      const sql = dailySql(members, {
        site,
        binder,
        keys: numbered(wanted.keyCount, 'k'),
        atoms,
        grouped: wanted.grouped,
      });
      const days = [...new Set(first.plan.rows.map((row) => row.day))];
      return [{ sql, note: { ...noteOf(members, first.own, days), table: 'daily' as const } }];
    });
  }

  return { live, frozen, groupTotal };
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

/** Conditions of one part of the range's rows; `inside`: all of them are, whatever their times. */
interface RowScope {
  where: readonly string[];
  inside: boolean;
}

function never(): string {
  throw new Error('A test on visits was asked for a look-up in visits.');
}

function isActionTest(filter: Filter): boolean {
  return (filter.kind === 'goal' || filter.kind === 'test') && isOfActions(filter);
}

function withoutNames<T extends { names?: 'country' }>(fact: T): T {
  const { names: _, ...rest } = fact;
  return rest as T;
}
