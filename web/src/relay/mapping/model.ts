import { canonicalFields } from '../../../../contract/canonical_fields.ts';
import type { ItemRules, Mapping, MappingFields, Rule, Rules } from '../../../../contract/mapping.ts';

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

/** The cases that make conversions, each with its place. */
export function casesOf(mapping: Mapping): { at: number; label: string }[] {
  if (!('cases' in mapping)) return [{ at: 0, label: 'Every request' }];
  return mapping.cases.flatMap((one, at) =>
    'fields' in one
      ? [{ at, label: one.when === undefined ? `Case ${at + 1}: any other` : `Case ${at + 1}: under a condition` }]
      : [],
  );
}

export function fieldsAt(mapping: Mapping, at: number): MappingFields {
  const one = 'cases' in mapping ? mapping.cases[at] : mapping;
  return one !== undefined && 'fields' in one ? one.fields : {};
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
  { name: 'as UTC', words: 'time without offset, in UTC' },
  { name: 'host', words: 'host of an address' },
] as const;

type Step = NonNullable<RuleObject['apply']>[number];

export function stepOf(name: string): Step {
  if (name === 'decimal comma') return { number: { decimal: ',' } };
  if (name === 'as UTC') return { date: { timezone: 'UTC' } };
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
    ...(rule.when === undefined ? [] : ['under a condition']),
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
  const addRules = (rules: Rules | undefined, prefix: string) => {
    for (const rule of rulesOf(rules)) {
      if (rule.path !== undefined) add(rule.path, prefix);
      for (const [, path] of (rule.template ?? '').matchAll(/\{\{([^{}]*)\}\}/g)) add((path as string).trim(), prefix);
    }
  };
  for (const one of 'cases' in mapping ? mapping.cases : [mapping]) {
    if (!('fields' in one)) continue;
    const prefix = one.each ?? '';
    for (const rules of Object.values(one.fields)) {
      if (!isItems(rules)) addRules(rules as Rules, prefix);
      else for (const inner of Object.values(rules.fields)) addRules(inner as Rules | undefined, rules.each);
    }
  }
  return found;
}

/** What differs between two mappings, field by field, for whoever saves. */
export function changedFields(
  before: Mapping,
  after: Mapping,
): { field: string; how: 'added' | 'removed' | 'changed' }[] {
  const all = (mapping: Mapping) => {
    const fields = new Map<string, string>();
    for (const { at } of casesOf(mapping))
      for (const [field, rules] of Object.entries(fieldsAt(mapping, at)))
        fields.set('cases' in mapping ? `${field} (case ${at + 1})` : field, JSON.stringify(rules));
    return fields;
  };
  const [old, next] = [all(before), all(after)];
  const changes: { field: string; how: 'added' | 'removed' | 'changed' }[] = [];
  for (const [field, rules] of next) {
    if (!old.has(field)) changes.push({ field, how: 'added' });
    else if (old.get(field) !== rules) changes.push({ field, how: 'changed' });
  }
  for (const field of old.keys()) if (!next.has(field)) changes.push({ field, how: 'removed' });
  return changes;
}

/** The value of a field in a conversion, by its name. */
export function valueAt(conversion: unknown, field: string): unknown {
  const [group, ...rest] = field.split('.');
  const inner = (conversion as Record<string, unknown> | undefined)?.[group as string];
  return rest.length === 0 ? inner : (inner as Record<string, unknown> | undefined)?.[rest.join('.')];
}
