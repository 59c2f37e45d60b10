import type { Filter as ApiFilter } from '../../../contract/query.ts';
import type { Dimension } from './dimensions.ts';
import { dimensionOf, valueText } from './dimensions.ts';

export const operators = ['is', 'is_not', 'contains', 'contains_not'] as const;
export type Operator = (typeof operators)[number];

export const operatorWords: Record<Operator, { one: string; many: string }> = {
  is: { one: 'is', many: 'is any of' },
  is_not: { one: 'is not', many: 'is none of' },
  contains: { one: 'contains', many: 'contains any of' },
  contains_not: { one: 'does not contain', many: 'contains none of' },
};

/** One chip of the filter bar. */
export interface Filter {
  operator: Operator;
  /** A key of `dimensions.ts`, or `prop.<name>`. */
  dimension: string;
  values: string[];
}

/**
 * In the address a filter is `is:country:DE|AT`. `|` and `\` inside a value are escaped with `\`; percent encoding
 * is the address's own business. What cannot be read is left out: an old or hand-made link still opens.
 */
export function writeFilter(filter: Filter): string {
  const values = filter.values.map((value) => value.replace(/[\\|]/g, (sign) => `\\${sign}`)).join('|');
  return `${filter.operator}:${filter.dimension.replace(/[%:]/g, encodeURIComponent)}:${values}`;
}

/** A property's name may hold a colon; it is percent-encoded once more, so that the first two colons always separate. */
function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

export function readFilter(text: string): Filter | undefined {
  const [operator = '', ...rest] = text.split(':');
  if (!operators.includes(operator as Operator) || rest.length < 2) return undefined;
  const dimension = decodeName(rest[0] as string);
  if (dimensionOf(dimension) === undefined) return undefined;
  const values = splitValues(rest.slice(1).join(':'));
  return values.length === 0 ? undefined : { operator: operator as Operator, dimension, values };
}

function splitValues(text: string): string[] {
  const values: string[] = [];
  let current = '';
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] as string;
    if (sign === '\\' && at + 1 < text.length) current += text[++at];
    else if (sign === '|') {
      values.push(current);
      current = '';
    } else current += sign;
  }
  values.push(current);
  return [...new Set(values)];
}

/** The filter as the stats API takes it. Absent values have words of their own there, which answers carry too. */
export function toApiFilter(filter: Filter): ApiFilter {
  const dimension = dimensionOf(filter.dimension) as Dimension;
  if (filter.operator === 'is' || filter.operator === 'is_not') return [filter.operator, dimension.api, filter.values];
  // A part of a name is typed by hand: capitals do not matter, and where values are codes the name is meant.
  return [filter.operator, dimension.names ?? dimension.api, filter.values, { case_sensitive: false }];
}

/** The words of a chip: "Country", "is any of", "3". */
export function filterWords(filter: Filter, locale?: string): { label: string; operator: string; value: string } {
  const dimension = dimensionOf(filter.dimension);
  const words = operatorWords[filter.operator];
  const [first = ''] = filter.values;
  const many = filter.values.length > 1;
  return {
    label: dimension?.label ?? filter.dimension,
    operator: many ? words.many : words.one,
    value: many ? String(filter.values.length) : dimension === undefined ? first : valueText(dimension, first, locale),
  };
}

export function filterSentence(filter: Filter, locale?: string): string {
  const dimension = dimensionOf(filter.dimension);
  const values = filter.values.map((value) => (dimension === undefined ? value : valueText(dimension, value, locale)));
  const words = operatorWords[filter.operator];
  return `${dimension?.label ?? filter.dimension} ${values.length > 1 ? words.many : words.one} ${values.join(', ')}`;
}

/** Is the value one of those that alone pass? */
export function passesAlone(filters: readonly Filter[], dimension: string, value: string): boolean {
  return filters.some(
    (filter) => filter.dimension === dimension && filter.operator === 'is' && filter.values.includes(value),
  );
}

/**
 * A click on a row: adds `is` (or `is not`) to the filters. A second value of the same dimension joins the first;
 * a value that is there already is taken out, so that the same click undoes itself.
 */
export function toggleFilter(
  filters: readonly Filter[],
  dimension: string,
  value: string,
  operator: 'is' | 'is_not',
): Filter[] {
  const opposite = operator === 'is' ? 'is_not' : 'is';
  const without = filters.flatMap((filter) => {
    if (filter.dimension !== dimension || filter.operator !== opposite) return [filter];
    const values = filter.values.filter((one) => one !== value);
    return values.length === 0 ? [] : [{ ...filter, values }];
  });
  const there = without.find((filter) => filter.dimension === dimension && filter.operator === operator);
  if (there === undefined) return [...without, { operator, dimension, values: [value] }];
  const values = there.values.includes(value) ? there.values.filter((one) => one !== value) : [...there.values, value];
  return without.flatMap((filter) => (filter !== there ? [filter] : values.length === 0 ? [] : [{ ...there, values }]));
}

/** Several rows at once: only they pass, whatever passed before. */
export function onlyThese(filters: readonly Filter[], dimension: string, values: readonly string[]): Filter[] {
  const others = filters.filter((filter) => filter.dimension !== dimension || filter.operator !== 'is');
  return [...others, { operator: 'is', dimension, values: [...values] }];
}

/** Several rows at once join those that are left out already. */
export function leaveOut(filters: readonly Filter[], dimension: string, values: readonly string[]): Filter[] {
  const out = filters.find((filter) => filter.dimension === dimension && filter.operator === 'is_not');
  return values
    .filter((value) => out?.values.includes(value) !== true)
    .reduce<Filter[]>((all, value) => toggleFilter(all, dimension, value, 'is_not'), [...filters]);
}
