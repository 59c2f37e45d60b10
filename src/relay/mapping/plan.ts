import {
  type Condition,
  canonicalFields,
  type FieldKind,
  type ItemRules,
  type Mapping,
  type MappingCase,
  mappingCase,
  mappingCases,
  type Rule,
  type Rules,
} from '../../../contract/mapping.ts';
import { type Path, parsePath, parseTemplate, type TemplatePart } from '../../../contract/mapping_path.ts';
import { wordsOfShape } from '../../platform/shape.ts';
import { pathsOf, planCondition, type Test } from './conditions.ts';
import { planFunction, type TextFunction } from './functions.ts';
import { namesOf } from './walk.ts';

/** A mapping made ready to be used many times: paths read, fields in their groups. */
export interface Plan {
  readonly cases: readonly PlannedCase[];
}
export interface PlannedCase {
  readonly when: Test | undefined;
  readonly ignore: boolean;
  readonly each: Path | undefined;
  readonly shownEach?: string | undefined;
  readonly only: Test | undefined;
  readonly fields: readonly PlannedField[];
}
export interface PlannedField {
  /** As it is said to people: `user.email`. */
  readonly field: string;
  /** `user`; undefined for a field of the conversion itself. */
  readonly group: string | undefined;
  readonly name: string;
  readonly kind: FieldKind | 'custom';
  /** Who writes what stands in it, which decides what is a macro there (macros.ts). */
  readonly writtenAs: 'words' | 'text' | 'code';
  readonly rules: readonly PlannedRule[];
  /** What the conditions of its rules ask of. */
  readonly asks: readonly Path[];
  /** The one path it lies at, name behind name, where nothing but that is said of it. */
  readonly place: Path | undefined;
  readonly items?: { readonly each: Path; readonly fields: readonly PlannedField[] };
}
export interface PlannedRule {
  readonly shownPath: string | undefined;
  readonly path: Path | undefined;
  readonly template: readonly TemplatePart[] | undefined;
  readonly when: Test | undefined;
  readonly apply: readonly TextFunction[];
  readonly lookup: ReadonlyMap<string, string> | undefined;
  readonly otherwise: 'keep' | 'leave_out' | undefined;
  readonly otherwiseIs: string | number | boolean | undefined;
}

/** What is wrong with a mapping, and where in it. */
export interface MappingProblem {
  /** Such as `fields.value.path`. */
  readonly at: string;
  readonly sentence: string;
}

/** Somebody's mapping, checked. @returns the mapping with its plan, or the first thing that is wrong with it */
export function readMapping(given: unknown): { mapping: Mapping; plan: Plan } | { problem: MappingProblem } {
  // Of the two forms the one that was meant is read, so that the problem is said of that one.
  const hasCases = typeof given === 'object' && given !== null && 'cases' in given;
  const read = (hasCases ? mappingCases : mappingCase).safeParse(given, { error: wordsOfShape });
  if (!read.success) return { problem: deepest(read.error.issues) };
  try {
    return { mapping: read.data, plan: planMapping(read.data) };
  } catch (error) {
    if (error instanceof RangeError) return { problem: { at: '', sentence: `${error.message}.` } };
    throw error;
  }
}

interface Issue {
  readonly code?: string;
  readonly path: PropertyKey[];
  readonly message: string;
  readonly errors?: readonly (readonly Issue[])[];
}

/** Of a choice that fits nowhere, the branch that came furthest says what was meant. */
function deepest(issues: readonly Issue[], before: readonly PropertyKey[] = []): MappingProblem {
  const all = issues.map((issue): { at: PropertyKey[]; sentence: string } => {
    const at = [...before, ...issue.path];
    if (issue.code !== 'invalid_union' || !issue.errors?.length) return { at, sentence: issue.message };
    const found = issue.errors.map((branch) => deepest(branch, at));
    const best = found.reduce((a, b) => (b.at.split('.').length > a.at.split('.').length ? b : a));
    return { at: best.at.split('.'), sentence: best.sentence };
  });
  const first = all.reduce((a, b) => (b.at.length > a.at.length ? b : a));
  return { at: first.at.map(String).join('.'), sentence: first.sentence };
}

const plans = new WeakMap<Mapping, Plan>();

/** @param mapping one that `readMapping` has taken. @throws RangeError where a timezone is none */
export function planMapping(mapping: Mapping): Plan {
  const known = plans.get(mapping);
  if (known !== undefined) return known;
  const plan = { cases: ('cases' in mapping ? mapping.cases : [mapping]).map(planCase) };
  plans.set(mapping, plan);
  return plan;
}

function planCase(given: MappingCase): PlannedCase {
  const when = given.when && planCondition(given.when);
  if ('ignore' in given) return { when, ignore: true, each: undefined, only: undefined, fields: [] };
  const fields = Object.entries(given.fields).map(([field, rules]) => planField(field, rules));
  const each = given.each === undefined ? undefined : pathOf(given.each);
  const only = given.only && planCondition(given.only);
  return { when, ignore: false, each, shownEach: given.each, only, fields };
}

function planField(field: string, given: Rules | ItemRules): PlannedField {
  const cut = field.indexOf('.');
  const group = cut < 0 ? undefined : field.slice(0, cut);
  const common = { field, group, name: field.slice(cut + 1) };
  if (typeof given === 'object' && 'each' in given) {
    const fields = Object.entries(given.fields).map(([name, rules]) => planItemField(name, rules as Rules));
    const items = { each: pathOf(given.each), fields };
    return { ...common, kind: 'items', writtenAs: 'text', rules: [], asks: [], place: undefined, items };
  }
  const kind = canonicalFields.get(field) ?? 'custom';
  const rules = planRules(given);
  return {
    ...common,
    kind,
    writtenAs: writtenAs({ ...common, kind }),
    rules,
    asks: asksOf(given),
    place: placeOf(rules),
  };
}

function placeOf([rule, other]: readonly PlannedRule[]): Path | undefined {
  if (rule?.path === undefined || other !== undefined || rule.template !== undefined || rule.when !== undefined)
    return undefined;
  if (rule.apply.length > 0 || rule.lookup !== undefined || rule.otherwiseIs !== undefined) return undefined;
  return namesOf(rule.path) === rule.path.steps.length ? rule.path : undefined;
}

const codes = ['event_id', 'event_name', 'order_id', 'currency', 'occurred_at', 'clicked_at'];

function writtenAs({ kind, group, name }: Pick<PlannedField, 'kind' | 'group' | 'name'>): PlannedField['writtenAs'] {
  if (kind === 'amount' || group === 'click_ids' || codes.includes(name)) return 'code';
  return group === 'utm' || group === 'custom' ? 'words' : 'text';
}

function planItemField(name: string, rules: Rules): PlannedField {
  const kind = name === 'id' ? 'text' : 'amount';
  const common = { field: name, group: undefined, name, kind } as const;
  const planned = planRules(rules);
  return { ...common, writtenAs: writtenAs(common), rules: planned, asks: asksOf(rules), place: placeOf(planned) };
}

function planRules(given: Rules): PlannedRule[] {
  return listOf(given).map(planRule);
}

function asksOf(given: Rules): Path[] {
  return listOf(given).flatMap((rule) =>
    typeof rule === 'string' || rule.when === undefined ? [] : pathsOf(rule.when as Condition),
  );
}

function listOf(given: Rules): readonly Rule[] {
  return Array.isArray(given) ? given : [given];
}

function planRule(given: Rule): PlannedRule {
  const rule = typeof given === 'string' ? { path: given } : given;
  return {
    shownPath: rule.path ?? rule.template,
    path: rule.path === undefined ? undefined : pathOf(rule.path),
    template: rule.template === undefined ? undefined : parseTemplate(rule.template),
    when: rule.when && planCondition(rule.when as Condition),
    apply: (rule.apply ?? []).map(planFunction),
    lookup: rule.lookup && new Map(Object.entries(rule.lookup)),
    otherwise: rule.otherwise,
    otherwiseIs: rule.default,
  };
}

function pathOf(text: string): Path {
  return parsePath(text) as Path;
}
