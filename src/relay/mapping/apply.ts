import { type Conversion, conversionLimits } from '../../../contract/conversion.ts';
import { captureLimits, type Mapping } from '../../../contract/mapping.ts';
import type { Path } from '../../../contract/mapping_path.ts';
import { isRefused, readConversion } from '../conversions/read.ts';
import { type Data, isList } from './data.ts';
import { macroIn, mayHoldMacro } from './macros.ts';
import { type PlannedCase, type PlannedField, type PlannedRule, planMapping } from './plan.ts';
import { FieldProblem, type Problem, TooMuchWork } from './problem.ts';
import { behindNames, blockedAfter, eachOf, fillIn, type Scope, walk } from './walk.ts';

/**
 * What became of a record: a conversion, with notes on what was left out of it; or none, and why; or one that the mapping
 * says is no conversion.
 */
export type Mapped =
  | { readonly conversion: Conversion; readonly notes: readonly Problem[] }
  | { readonly problems: readonly Problem[] }
  | { readonly ignored: true };

/**
 * The conversions in one record: one, or as many as `each` finds. Fields that no rule names are dropped (REL-01).
 * @param mapping one that `readMapping` has taken
 * @param now milliseconds since 1970, against which times in the future are seen
 */
export function applyMapping(scope: Scope, mapping: Mapping, now: number): Mapped[] {
  try {
    const fitting = planMapping(mapping).cases.find(({ when }) => when === undefined || when(scope));
    if (fitting === undefined) return [{ problems: [{ field: '', reason: 'no_case' }] }];
    if (fitting.ignore) return [{ ignored: true }];
    const { only, fields } = fitting;
    return recordsOf(fitting, scope).map((record) => {
      if ('reason' in record) return { problems: [record] };
      return only === undefined || only(record) ? mapRecord(fields, record, now) : { ignored: true };
    });
  } catch (error) {
    if (error instanceof TooMuchWork) return [{ problems: [{ field: '', reason: 'too_much_work' }] }];
    throw error;
  }
}

/** What `each` finds; where a list of it is not there, or is none, a problem stands in its place: somebody has to know that nothing came of it. */
function recordsOf({ each, shownEach }: PlannedCase, scope: Scope): (Scope | Problem)[] {
  if (each === undefined) return [scope];
  const problem = { field: 'mapping.each', ...(shownEach !== undefined && { path: shownEach }) };
  return eachOf(each, scope).map((one) =>
    one === 'missing' || one === 'invalid' ? { ...problem, reason: one } : { ...scope, record: one.record },
  );
}

/** As far as it was made: groups are there once a field of theirs is. */
type Draft = Record<string, unknown>;

function mapRecord(fields: readonly PlannedField[], scope: Scope, now: number): Mapped {
  const draft: Draft = {};
  const problems: Problem[] = [];
  const notes: Problem[] = [];
  for (const field of fields) {
    const value = field.items ? itemsOf(field.items, scope, problems, notes) : firstOf(field, scope, problems, notes);
    if (value !== undefined) place(draft, field, value);
  }
  if (problems.length > 0) return { problems: [...problems, ...notes] };
  const conversion = readConversion(draft, now);
  if (!isRefused(conversion)) {
    if (hasBothBraids(conversion)) notes.push({ field: 'click_ids', reason: 'click_ids_conflict' });
    return { conversion, notes };
  }
  // Of a field that is missing because its macro was not expanded, the macro is what there is to say.
  const reason = conversion.reason as Problem['reason'];
  const isSaid = notes.some(({ field }) => field === conversion.field);
  return { problems: isSaid ? notes : [{ field: conversion.field, reason }, ...notes] };
}

/** One click has one of them. Google refuses the pair, so whoever sends both is told when they do; other platforms take it. */
function hasBothBraids({ click_ids }: Conversion): boolean {
  return click_ids?.gbraid !== undefined && click_ids.wbraid !== undefined;
}

function place(draft: Draft, { group, name }: PlannedField, value: unknown): void {
  if (group === undefined) draft[name] = value;
  else {
    draft[group] ??= {};
    (draft[group] as Draft)[name] = value;
  }
}

function itemsOf(
  { each, fields }: NonNullable<PlannedField['items']>,
  scope: Scope,
  problems: Problem[],
  notes: Problem[],
): unknown {
  const found = walk(each, scope);
  if (found.length > conversionLimits.itemsMax) {
    problems.push({ field: 'items', reason: 'too_many' });
    return undefined;
  }
  if (found.length === 0) return undefined;
  return found.map((record, at) => {
    const item: Draft = {};
    const inside = { ...scope, record };
    for (const field of fields) {
      const value = firstOf(field, inside, problems, notes, at);
      if (value !== undefined) item[field.name] = field.name === 'quantity' ? quantityOf(value) : value;
    }
    return item;
  });
}

/** A quantity is a number: its text is read where it is one, and anything else is left for the reader to refuse. */
function quantityOf(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,15}(\.\d{1,6})?$/.test(value) ? Number(value) : value;
}

/** It is there, and is no mere text: that goes the long way. */
const itself = Symbol();

/**
 * What lies at a place, as `firstOf` would give it, where it is nothing or a text of its own: of sixty fields of a record forty are
 * not there, and nearly all others are that.
 */
function plainAt(place: Path, { kind }: PlannedField, scope: Scope): unknown {
  const one = behindNames(place, place.steps.length, scope);
  if (one === undefined || one === null) return undefined;
  if (typeof one === 'string' && one.length <= captureLimits.valueCharsMax && kind !== 'yes_no' && kind !== 'granted') {
    const text = one.trim();
    if (!mayHoldMacro(text) && !text.includes('\0')) return text === '' ? undefined : text;
  }
  // The long way goes the same steps, which count once.
  scope.work.left += place.steps.length;
  return itself;
}

/**
 * The first rule that gives something. A problem of one ends the field: the next is for what is not there.
 * @param item which of the items it is a field of, for its name to people
 */
function firstOf(planned: PlannedField, scope: Scope, problems: Problem[], notes: Problem[], item?: number): unknown {
  if (planned.place !== undefined) {
    const plain = plainAt(planned.place, planned, scope);
    if (plain === undefined && isConsentUnread(planned, scope)) return unreadConsent(planned, problems);
    if (plain !== itself) return plain;
  }
  const field = item === undefined ? planned : { ...planned, field: `items[${item}].${planned.name}` };
  for (const rule of field.rules) {
    if (rule.when !== undefined && !rule.when(scope)) continue;
    try {
      const found = read(rule, field, scope, notes);
      if (found.length > 0) return found.length === 1 ? found[0] : found;
    } catch (error) {
      if (!(error instanceof FieldProblem)) throw error;
      problems.push({ field: field.field, reason: error.reason, ...(rule.shownPath && { path: rule.shownPath }) });
      return undefined;
    }
  }
  return isConsentUnread(planned, scope) ? unreadConsent(planned, problems) : undefined;
}

/**
 * Something was said of consent, and not in the way in which this mapping reads it: `"consent": "denied"` where it looks for
 * `consent.ad_user_data`, or asks of it in a condition. As though nothing had been said it would go wherever nobody has to be asked.
 */
function isConsentUnread({ group, rules, asks }: PlannedField, scope: Scope): boolean {
  if (group !== 'consent') return false;
  const read = rules
    .filter(({ when }) => when?.(scope) !== false)
    .flatMap(({ path, template = [] }) => (path === undefined ? template : [path]))
    .filter((part) => typeof part !== 'string');
  return [...read, ...asks].some((path) => {
    const after = blockedAfter(path, scope);
    // What a condition looks at as it lies there is no other shape.
    return after !== undefined && !asks.some((one) => isStart(one, path, after));
  });
}

/** Is the one path the first so many steps of the other? */
function isStart({ root, steps }: Path, whole: Path, count: number): boolean {
  return (
    root === whole.root &&
    steps.length === count &&
    steps.every((step, at) => JSON.stringify(step) === JSON.stringify(whole.steps[at]))
  );
}

function unreadConsent({ rules: [rule] }: PlannedField, problems: Problem[]): undefined {
  const path = rule?.shownPath;
  if (!problems.some(({ field }) => field === 'consent'))
    problems.push({ field: 'consent', reason: 'invalid', ...(path !== undefined && { path }) });
  return undefined;
}

function read(rule: PlannedRule, field: PlannedField, scope: Scope, notes: Problem[]): readonly unknown[] {
  const given = sourceOf(rule, scope);
  // A path with nothing at its end, of which a mapping has dozens for each record.
  if (given?.length === 0 && rule.otherwiseIs === undefined) return given;
  let hasMacro = false;
  const seen = (text: string): boolean => {
    const macro = macroIn(text, field.writtenAs);
    if (macro === undefined) return false;
    hasMacro = true;
    notes.push({
      field: field.field,
      reason: 'unexpanded_macro',
      ...(rule.shownPath && { path: rule.shownPath }),
      macro,
    });
    return true;
  };
  const found: unknown[] = [];
  for (const data of given ?? filledIn(rule, scope, (text) => (seen(text) ? undefined : text))) {
    const value = typeof data === 'string' && seen(data) ? undefined : finish(rule, field, data, scope);
    if (value === undefined || found.includes(value)) continue;
    found.push(value);
    if (field.kind !== 'texts' || found.length > conversionLimits.identifiersMax) break;
  }
  if (found.length > conversionLimits.identifiersMax) throw new FieldProblem('too_many');
  // A default is for what was not sent. What was meant to be sent and was not filled in is not known.
  if (found.length > 0 || hasMacro || rule.otherwiseIs === undefined) return found;
  if (isConsentUnread(field, scope)) return found;
  return [typed(field, rule.otherwiseIs)];
}

function filledIn({ template = [] }: PlannedRule, scope: Scope, takes: (text: string) => string | undefined): Data[] {
  const text = fillIn(template, scope, takes);
  return text === undefined ? [] : [text];
}

/** What lies at the rule's path; undefined where it is a template. */
function sourceOf(rule: PlannedRule, scope: Scope): readonly Data[] | undefined {
  if (rule.template !== undefined) return undefined;
  if (rule.path === undefined) return [];
  const found = walk(rule.path, scope);
  if (found.length === 1) return isList(found[0]) ? found[0] : found;
  return found.some(isList) ? found.flatMap((one) => (isList(one) ? one : [one])) : found;
}

function finish(rule: PlannedRule, field: PlannedField, data: Data, scope: Scope): unknown {
  if (data === null || data === '') return undefined;
  if (typeof data === 'object' || (typeof data === 'string' && data.length > captureLimits.valueCharsMax)) invalid();
  let value: string | number | boolean = data;
  if (rule.apply.length > 0) {
    let text: string | undefined = String(data);
    for (const apply of rule.apply) {
      text = apply(text, scope);
      if (text === undefined || text === '') return undefined;
    }
    value = text;
  }
  if (rule.lookup !== undefined) {
    const text = String(value).trim();
    const found = rule.lookup.get(text);
    if (found !== undefined) value = found;
    else if (rule.otherwise === 'leave_out') return undefined;
    else if (rule.otherwise === undefined) throw new FieldProblem('not_in_table');
  }
  return typed(field, value);
}

const yes = ['true', '1', 'yes'];
const no = ['false', '0', 'no'];

/** In the type of its field. Empty text is nothing; what the field cannot be is left as it is, for the reader to refuse. */
function typed({ kind }: PlannedField, value: string | number | boolean): unknown {
  const text = String(value).trim();
  if (text === '') return undefined;
  // No store takes it and no platform means it.
  if (text.includes('\0')) throw new FieldProblem('invalid');
  if (kind === 'amount') return typeof value === 'number' ? value : text;
  if (kind === 'custom') return typeof value === 'string' ? text : value;
  if (kind !== 'yes_no' && kind !== 'granted') return text;
  const word = text.toLowerCase();
  if (kind === 'yes_no') return yes.includes(word) ? true : no.includes(word) ? false : invalid();
  return typeof value === 'boolean' ? (value ? 'granted' : 'denied') : word;
}

function invalid(): never {
  throw new FieldProblem('invalid');
}
