import { noProperty, storedValues } from '../facts.ts';
import { type GoalRule, scrollDepthMax } from '../history/index.ts';
import type { Binder } from './binder.ts';
import { countryCodes, countryNames } from './countries.ts';
import { pagePattern } from './page_pattern.ts';
import { anyFilter, type Dimension, type Filter } from './parse.ts';

/** Where a condition or a key is evaluated: on events (alias `e`), visits (`v`), the value of a frozen row or a row of an imported day (`t`). */
export type Table = 'events' | 'visits' | 'daily' | 'imported';

/** What of the outside a condition may need: the visits that pass a test of their ends. */
export interface ConditionContext {
  binder: Binder;
  table: Table;
  /** SQL of the ids of visits that pass a test on `v`; for pages of entry and exit, which events do not know. */
  visitsWhere: (test: string) => string;
}

/**
 * A filter as SQL. Nothing of the question is in the text: names of columns come from the declared facts, and
 * values, property names and patterns are bound.
 */
export function conditionOf(filter: Filter, context: ConditionContext): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${filter.nodes.map((node) => conditionOf(node, context)).join(filter.kind === 'and' ? ' AND ' : ' OR ')})`;
    case 'not':
      return `NOT ${conditionOf(filter.node, context)}`;
    case 'goal':
      return anyOf(filter.goals.map((goal) => goalCondition(goal, context.binder)));
    case 'test':
      return testOf(filter, context);
  }
}

function testOf(test: Extract<Filter, { kind: 'test' }>, context: ConditionContext): string {
  const { subject } = test;
  if (subject.kind === 'column' && subject.fact.level === 'visit-end' && context.table === 'events') {
    const inVisits = testOf({ ...test, negated: false }, { ...context, table: 'visits' });
    const ids = context.visitsWhere(inVisits);
    return `e.visit_id ${test.negated ? 'NOT IN' : 'IN'} (${ids})`;
  }
  const value = valueSql(subject, context);
  const passes = passOf(test, value, context.binder);
  return test.negated ? `NOT ${passes}` : passes;
}

function passOf(test: Extract<Filter, { kind: 'test' }>, value: string, binder: Binder): string {
  const { subject, operator, caseSensitive } = test;
  const empty = subject.kind === 'property' ? noProperty : subject.fact.empty;
  switch (operator) {
    case 'is': {
      const list = binder.bind('Array(String)', storedValues(test.values, empty));
      return caseSensitive ? `(${value} IN ${list})` : `has(arrayMap(x -> lowerUTF8(x), ${list}), lowerUTF8(${value}))`;
    }
    case 'contains': {
      const found = caseSensitive ? 'position' : 'positionCaseInsensitiveUTF8';
      return anyOf(test.values.map((text) => `${found}(${value}, ${binder.bind('String', text)}) > 0`));
    }
    case 'matches':
      return anyOf(test.values.map((pattern) => `match(${value}, ${binder.bind('String', pattern)})`));
    case 'matches_wildcard':
      return anyOf(test.values.map((glob) => globCondition(value, glob, binder)));
  }
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '0' : `(${conditions.join(' OR ')})`;
}

/** The value of a dimension in one row, '' where absent. Names of countries are what filters and answers see. */
export function valueSql(
  subject: Extract<Dimension, { kind: 'property' | 'column' }>,
  { binder, table }: { binder: Binder; table: Table },
): string {
  if (subject.kind === 'property') return `e.props[${binder.bind('String', subject.property)}]`;
  const { level, column: name } = subject.fact;
  const own = level === 'visit-end' ? `v.${name}` : `e.${name}`;
  const column = { events: own, visits: visitColumn(name), daily: 't.value', imported: `t.${name}` }[table];
  return subject.fact.names === 'country' ? countryName(column, binder) : column;
}

/**
 * A column of visits (alias `v`, FINAL). The last page is an element of the tuple that FINAL takes the greatest of.
 * Asked for by itself the engine reads that element as a column of its own, before rows of one visit are merged, and
 * gives any of them: `materialize` keeps it from doing so.
 */
export function visitColumn(name: string): string {
  if (name === 'exit_page') return `tupleElement(materialize(v.exit), 'pathname')`;
  if (name === 'exit_hostname') return `tupleElement(materialize(v.exit), 'hostname')`;
  return `v.${name}`;
}

export function countryName(code: string, binder: Binder): string {
  const codes = binder.bind('Array(String)', countryCodes);
  const names = binder.bind('Array(String)', countryNames);
  return `transform(toString(${code}), ${codes}, ${names}, toString(${code}))`;
}

/**
 * Is the event a conversion of the goal? A page goal takes page views. Attention is never one, but for scroll goals,
 * which are reached by it; a depth of 255 is one that was not measured.
 */
export function goalCondition(goal: GoalRule, binder: Binder): string {
  switch (goal.kind) {
    case 'event': {
      if (goal.match === 'engagement') return '0';
      const name = `e.name = ${binder.bind('String', goal.match)}`;
      if (goal.property == null) return name;
      const value = `e.props[${binder.bind('String', goal.property.name)}]`;
      return `(${name} AND ${value} = ${binder.bind('String', goal.property.value)})`;
    }
    case 'page':
      return `(e.name = 'pageview' AND ${globCondition('e.pathname', goal.match, binder)})`;
    case 'scroll': {
      const depth = `e.scroll_depth >= ${binder.bind('UInt32', goal.scroll_depth ?? scrollDepthMax)} AND e.scroll_depth <= ${scrollDepthMax}`;
      return `(e.name = 'engagement' AND ${depth} AND ${globCondition('e.pathname', goal.match, binder)})`;
    }
  }
}

function globCondition(value: string, glob: string, binder: Binder): string {
  const pattern = pagePattern(glob);
  switch (pattern.kind) {
    case 'exact':
      return `${value} = ${binder.bind('String', pattern.text)}`;
    case 'prefix':
      return `startsWith(${value}, ${binder.bind('String', pattern.text)})`;
    case 'pattern':
      return `match(${value}, ${binder.bind('String', pattern.text)})`;
  }
}

/** Does the filter ask about something that differs from event to event? Then a visit passes with an event that does. */
export function asksEvents(filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.nodes.some(asksEvents);
    case 'not':
      return asksEvents(filter.node);
    case 'goal':
      return true;
    case 'test':
      return filter.subject.kind === 'property' || filter.subject.fact.level === 'event';
  }
}

/**
 * Dimensions under which engagement events are nobody's: see `actionsOnly` in facts.ts. Goals are among them, unless one
 * is reached by scrolling.
 */
export function isOfActions(dimension: Dimension, goals: readonly GoalRule[]): boolean {
  if (dimension.kind === 'goal') return !goals.some(isReached);
  return dimension.kind === 'column' && dimension.fact.actionsOnly === true;
}

/** The same of filters. One that names a scroll goal asks about engagement events, whatever stands beside it. */
export function filterActions(filters: readonly Filter[]): boolean {
  const has = (wanted: (filter: Filter) => boolean) => filters.some((filter) => anyFilter(filter, wanted));
  const asksActions = has(
    (filter) => filter.kind === 'goal' || (filter.kind === 'test' && isOfActions(filter.subject, [])),
  );
  return asksActions && !has((filter) => filter.kind === 'goal' && filter.goals.some(isReached));
}

const isReached = ({ kind }: GoalRule) => kind === 'scroll';
