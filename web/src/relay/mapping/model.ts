import { canonicalFields } from '../../../../contract/canonical_fields.ts';
import type {
  Condition,
  ItemRules,
  Mapping,
  MappingCase,
  MappingFields,
  Rule,
  Rules,
} from '../../../../contract/mapping.ts';
import { caseList, isIgnored } from './cases.ts';
import { conditionText, pathsOf } from './condition_text.ts';

/** A mapping while it is edited: plain data, and each change a new one. */

export const fieldGroups: readonly { name: string; of: (field: string) => boolean }[] = [
  { name: 'Conversion', of: (field) => !field.includes('.') && field !== 'items' },
  { name: 'Consent', of: (field) => field.startsWith('consent.') },
  { name: 'Click ids', of: (field) => field.startsWith('click_ids.') },
  { name: 'Person', of: (field) => field.startsWith('user.') },
  { name: 'Items', of: (field) => field === 'items' },
  { name: 'Campaign', of: (field) => field.startsWith('utm.') || field.startsWith('campaign.') },
  { name: 'Order that is taken back or restated', of: (field) => field.startsWith('original.') },
  { name: 'Merchant', of: (field) => field.startsWith('merchant.') },
  { name: 'Custom', of: (field) => field.startsWith('custom.') },
];

const first = ['event_name', 'occurred_at', 'value', 'currency', 'order_id', 'event_id', 'page_url', 'action_source'];
/** Every field, the ones that nearly every mapping has before the others. */
export const allFields: readonly string[] = [
  ...first,
  ...[...canonicalFields.keys()].filter((field) => !first.includes(field)),
];

export function fieldsAt(mapping: Mapping, at: number): MappingFields {
  const one = caseList(mapping)[at];
  return one === undefined || isIgnored(one) ? {} : one.fields;
}

export function withFields(mapping: Mapping, at: number, fields: MappingFields): Mapping {
  if (!('cases' in mapping)) return { ...mapping, fields } as Mapping;
  return {
    ...mapping,
    cases: mapping.cases.map((one, place) => (place === at && 'fields' in one ? { ...one, fields } : one)),
  };
}

export function setField(mapping: Mapping, at: number, field: string, rules: Rules | ItemRules | undefined): Mapping {
  const { [field]: _, ...rest } = fieldsAt(mapping, at);
  return withFields(mapping, at, rules === undefined ? rest : { ...rest, [field]: rules });
}

export type RuleObject = Exclude<Rule, string>;
export const isItems = (rules: Rules | ItemRules | undefined): rules is ItemRules =>
  typeof rules === 'object' && !Array.isArray(rules) && 'each' in rules;

/** Rules as a list of objects, however short they were written. */
export function rulesOf(rules: Rules | undefined): RuleObject[] {
  if (rules === undefined) return [];
  return (Array.isArray(rules) ? rules : [rules]).map((rule) => (typeof rule === 'string' ? { path: rule } : rule));
}

/** As short as it can be written: a path alone is its text; nothing at all is no rule. */
export function writtenRules(rules: readonly RuleObject[]): Rules | undefined {
  const short = rules
    .map((rule) => {
      const kept = Object.fromEntries(
        Object.entries(rule).filter(
          ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
        ),
      ) as RuleObject;
      return Object.keys(kept).join() === 'path' ? (kept.path as string) : kept;
    })
    .filter(
      (rule) =>
        typeof rule === 'string' ||
        rule.path !== undefined ||
        rule.template !== undefined ||
        rule.default !== undefined,
    );
  if (short.length === 0) return undefined;
  return short.length === 1 ? (short[0] as Rule) : (short as Rules);
}

/** The steps that are set by a click, in the words of a tag. */
export const simpleSteps = [
  { name: 'trim', words: 'trimmed' },
  { name: 'lower', words: 'lower case' },
  { name: 'upper', words: 'upper case' },
  { name: 'decimal comma', words: 'decimal comma' },
  { name: 'cents', words: 'cents as units' },
  { name: 'absolute', words: 'without its sign' },
  { name: 'unix_seconds', words: 'seconds since 1970' },
  { name: 'unix_milliseconds', words: 'milliseconds since 1970' },
  { name: 'date', words: 'time without offset, in a timezone' },
  { name: 'host', words: 'host of an address' },
  { name: 'query_parameter', words: 'parameter of an address' },
  { name: 'minor_units', words: 'minor units of its currency' },
] as const;

export type Step = NonNullable<RuleObject['apply']>[number];

export function stepOf(name: string): Step {
  if (name === 'decimal comma') return { number: { decimal: ',' } };
  if (name === 'date') return { date: { timezone: 'UTC' } };
  if (name === 'query_parameter') return { query_parameter: 'gclid' };
  if (name === 'minor_units') return { minor_units: { currency: 'currency', digits: { JPY: 0, KWD: 3 } } };
  return name as Step;
}

export function stepText(step: Step): string {
  if (typeof step === 'string') return simpleSteps.find(({ name }) => name === step)?.words ?? step;
  if ('number' in step) return step.number.decimal === ',' ? 'decimal comma' : 'decimal point';
  if ('date' in step) return `time in ${step.date.timezone}`;
  if ('query_parameter' in step) return `parameter ${step.query_parameter}`;
  return 'minor units of its currency';
}

/** What a rule does beside its path, as tags. */
export function tagsOf(rule: RuleObject): string[] {
  return [
    ...(rule.when === undefined ? [] : [`when ${conditionText(rule.when)}`]),
    ...(rule.apply ?? []).map(stepText),
    ...(rule.lookup === undefined ? [] : [`table of ${Object.keys(rule.lookup).length}`]),
    ...(rule.default !== undefined && (rule.path !== undefined || rule.template !== undefined)
      ? [`else ${rule.default}`]
      : []),
  ];
}

/** A path without its positions, to compare what is used with what there is. */
export const shapeOfPath = (path: string) =>
  path.replace(/^\$body\.?/, '').replaceAll(/\[(?:\d+|\*|\w+=(?:"[^"]*"|'[^']*'))\]/g, '[]');

/** Shapes of all paths that a mapping reads, so that what is used can be marked in the request. */
export function usedPaths(mapping: Mapping): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (path: string, prefix = '') =>
    found.add(shapeOfPath(prefix === '' || path.startsWith('$') ? path : `${prefix}.${path}`));
  const addCondition = (given: Condition | undefined, prefix = '') => {
    for (const path of given === undefined ? [] : pathsOf(given)) add(path, prefix);
  };
  const addRules = (rules: Rules | undefined, prefix: string) => {
    for (const rule of rulesOf(rules)) {
      addCondition(rule.when, prefix);
      if (rule.path !== undefined) add(rule.path, prefix);
      for (const [, path] of (rule.template ?? '').matchAll(/\{\{([^{}]*)\}\}/g)) add((path as string).trim(), prefix);
    }
  };
  for (const one of caseList(mapping)) {
    addCondition(one.when);
    if (isIgnored(one)) continue;
    const prefix = one.each ?? '';
    addCondition(one.only, prefix);
    for (const rules of Object.values(one.fields)) {
      if (!isItems(rules)) addRules(rules as Rules, prefix);
      else for (const inner of Object.values(rules.fields)) addRules(inner as Rules | undefined, rules.each);
    }
  }
  return found;
}

/** A path of the request as a rule of a case writes it: of an item of the list that the case goes over, it begins there. */
export function pathWithin(each: string | undefined, path: string): string {
  if (each === undefined || each === '' || path.startsWith('$')) return path;
  const start = each.replace(/\[\*\]$/, '');
  const rest = path.startsWith(start) ? /^\[\d+\]\.(.+)$/.exec(path.slice(start.length))?.[1] : undefined;
  return rest ?? `$body.${path}`;
}

export interface MappingChange {
  readonly field: string;
  readonly how: 'added' | 'removed' | 'changed' | 'moved';
}

/** What differs between two mappings, case by case and field by field, for whoever saves. */
export function changedFields(before: Mapping, after: Mapping): MappingChange[] {
  const [old, next] = [caseList(before), caseList(after)];
  const isOne = old.length === 1 && next.length === 1;
  const taken = pairsOf(old, next);
  const changes: MappingChange[] = [];
  let last = -1;
  for (const [at, one] of next.entries()) {
    const name = (what: string) => (isOne ? what : `${what} (case ${at + 1})`);
    const from = taken.get(at);
    const known = from === undefined ? undefined : old[from];
    if (from === undefined || known === undefined) {
      changes.push({ field: `case ${at + 1}`, how: 'added' });
      continue;
    }
    if (from < last) changes.push({ field: `case ${at + 1}`, how: 'moved' });
    last = Math.max(last, from);
    for (const part of ['when', 'each', 'only', 'ignore'] as const) {
      const [was, is] = [known, one].map((each) => JSON.stringify((each as Record<string, unknown>)[part]));
      if (was === is) continue;
      const how = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
      changes.push({ field: name(partWords[part]), how });
    }
    changes.push(
      ...fieldChanges(fieldsOf(known), fieldsOf(one)).map(({ field, how }) => ({ field: name(field), how })),
    );
  }
  const kept = new Set(taken.values());
  for (const at of old.keys()) if (!kept.has(at)) changes.push({ field: `case ${at + 1} of before`, how: 'removed' });
  return changes;
}

const partWords = { when: 'condition', each: 'one for each of', only: 'only where', ignore: 'no conversion' } as const;

/** Which case each was before: the same one, else one under the same condition, else the one in its place. */
function pairsOf(old: readonly MappingCase[], next: readonly MappingCase[]): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>();
  const free = new Set(old.keys());
  const pair = (isSame: (a: MappingCase, b: MappingCase, at: number, from: number) => boolean) => {
    for (const [at, one] of next.entries()) {
      if (pairs.has(at)) continue;
      const from = [...free].find((place) => isSame(old[place] as MappingCase, one, place, at));
      if (from === undefined) continue;
      pairs.set(at, from);
      free.delete(from);
    }
  };
  pair((a, b) => JSON.stringify(a) === JSON.stringify(b));
  pair((a, b) => isIgnored(a) === isIgnored(b) && JSON.stringify(a.when) === JSON.stringify(b.when));
  if (old.length === next.length) pair((_a, _b, from, at) => from === at);
  return pairs;
}

const fieldsOf = (one: MappingCase): MappingFields => (isIgnored(one) ? {} : one.fields);

function fieldChanges(before: MappingFields, after: MappingFields): MappingChange[] {
  const same = (field: string) => JSON.stringify(before[field]) === JSON.stringify(after[field]);
  return [
    ...Object.keys(after)
      .filter((field) => !same(field))
      .map((field): MappingChange => ({ field, how: before[field] === undefined ? 'added' : 'changed' })),
    ...Object.keys(before)
      .filter((field) => after[field] === undefined)
      .map((field): MappingChange => ({ field, how: 'removed' })),
  ];
}

/** The value of a field in a conversion, by its name. */
export function valueAt(conversion: unknown, field: string): unknown {
  const [group, ...rest] = field.split('.');
  const inner = (conversion as Record<string, unknown> | undefined)?.[group as string];
  return rest.length === 0 ? inner : (inner as Record<string, unknown> | undefined)?.[rest.join('.')];
}
