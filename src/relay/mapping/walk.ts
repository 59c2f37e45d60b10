import { captureLimits } from '../../../contract/mapping.ts';
import type { Path, PathStep, TemplatePart } from '../../../contract/mapping_path.ts';
import { type Data, isList, isNames, type Names } from './data.ts';
import { FieldProblem, TooMuchWork } from './problem.ts';

/** One record of a request, with what may be asked of the request itself. */
export interface Scope {
  readonly record: Data;
  /** What `each` took the record out of; the record itself where it did not. */
  readonly body: Data;
  readonly query: Names;
  /** By names in lower case, without those that prove who the sender is. */
  readonly headers: Names;
  /** ISO 8601. A row of a file came at no time of its own. */
  readonly received_at?: string | undefined;
  readonly endpoint?: string | undefined;
  /** Steps that are left for this request. */
  readonly work: { left: number };
}

/** How many steps from the beginning of a path on are names. */
export function namesOf({ steps }: Path): number {
  let count = 0;
  while (steps[count]?.kind === 'name') count++;
  return count;
}

/** What lies behind so many names of a path, as nearly all paths are: one thing at a time, without a list for it. Undefined for nothing. */
export function behindNames({ root, steps }: Path, count: number, scope: Scope): Data | undefined {
  let one = scope[root] as Data | undefined;
  for (let at = 0; at < count; at++) {
    if (one === undefined) return undefined;
    if (--scope.work.left < 0) throw new TooMuchWork();
    const { name } = steps[at] as PathStep & { kind: 'name' };
    if (!isNames(one) || !Object.hasOwn(one, name)) return undefined;
    one = one[name];
  }
  return one;
}

/**
 * After how many steps of a path, up to its first list, there lies something that it cannot go through; undefined where there is nothing in
 * its way. An empty list is what some write for no names.
 */
export function blockedAfter({ root, steps }: Path, scope: Scope): number | undefined {
  let one = scope[root] as Data | undefined;
  for (const [at, step] of steps.entries()) {
    if (one === undefined || one === null || one === '') return undefined;
    if (--scope.work.left < 0) throw new TooMuchWork();
    if (step.kind !== 'name') return isList(one) ? undefined : at;
    if (isList(one)) return one.length === 0 ? undefined : at;
    if (!isNames(one)) return at;
    one = Object.hasOwn(one, step.name) ? one[step.name] : undefined;
  }
  return undefined;
}

/** All that lies at a path: none, one, or several where it goes through a list. Null is nothing. */
export function walk(path: Path, scope: Scope): readonly Data[] {
  const { steps } = path;
  let at = namesOf(path);
  const one = behindNames(path, at, scope);
  if (one === undefined) return nothing;
  let found: readonly Data[] = [one];
  for (; at < steps.length; at++) {
    scope.work.left -= found.length;
    if (scope.work.left < 0) throw new TooMuchWork();
    found = stepFrom(found, steps[at] as PathStep, scope);
    if (found.length === 0) return found;
  }
  return found.length === 1 ? (found[0] === null ? [] : found) : found.filter((one) => one !== null);
}

/** One that lies there; or what is wrong with the way to it. */
type Found = { readonly record: Data } | 'missing' | 'invalid';

/**
 * Each thing of a list, by the path of that: `orders[*]`, or `orders`, which is what people write who mean each of them. An empty list and
 * null are nothing; a name that is not there, in one of several too, is missing, and what is no list where one has to be is invalid.
 */
export function eachOf({ root, steps }: Path, scope: Scope): readonly Found[] {
  let found: readonly Found[] = [{ record: scope[root] as Data }];
  for (const step of steps) {
    scope.work.left -= found.length;
    if (scope.work.left < 0) throw new TooMuchWork();
    found = found.flatMap((one) =>
      typeof one === 'string' || one.record === null ? [one] : foundFrom(one.record, step, scope),
    );
  }
  const isOpen = steps.at(-1)?.kind === 'name';
  const all = found.flatMap((one) =>
    isOpen && typeof one !== 'string' && isList(one.record) ? listed(one.record) : [one],
  );
  const things = all.filter((one) => typeof one === 'string' || one.record !== null);
  scope.work.left -= things.length;
  if (scope.work.left < 0) throw new TooMuchWork();
  return things;
}

function foundFrom(one: Data, step: PathStep, scope: Scope): readonly Found[] {
  if (step.kind === 'name') {
    if (!isNames(one) || !Object.hasOwn(one, step.name)) return ['missing'];
    return [{ record: one[step.name] as Data }];
  }
  return isList(one) ? listed(stepFrom([one], step, scope)) : ['invalid'];
}

function listed(list: readonly Data[]): readonly Found[] {
  return list.map((record) => ({ record }));
}

const nothing: readonly Data[] = [];

function stepFrom(found: readonly Data[], step: PathStep, scope: Scope): readonly Data[] {
  const next: Data[] = [];
  for (const one of found) {
    if (step.kind === 'name') {
      if (isNames(one) && Object.hasOwn(one, step.name)) next.push(one[step.name] as Data);
    } else if (isList(one)) {
      if (step.kind === 'at') {
        const item = one[step.at];
        if (item !== undefined) next.push(item);
        continue;
      }
      scope.work.left -= one.length;
      if (scope.work.left < 0) throw new TooMuchWork();
      for (const item of one) if (step.kind === 'each' || says(item, step)) next.push(item);
    }
  }
  return next;
}

function says(item: Data, { name, equals }: { name: string; equals: string }): boolean {
  return isNames(item) && Object.hasOwn(item, name) && textOf(item[name] as Data) === equals;
}

/** The text of what is no list and no object; undefined where it is one, or nothing. */
export function textOf(data: Data | undefined): string | undefined {
  if (data === null || data === undefined || typeof data === 'object') return undefined;
  return String(data);
}

/** The text of what lies first at a path, without spaces around it; undefined where there is none. */
export function firstText(path: Path, scope: Scope): string | undefined {
  for (const one of walk(path, scope)) {
    const text = textOf(one)?.trim();
    if (text) return text;
  }
  return undefined;
}

/** @throws FieldProblem where it becomes too long. @returns undefined where a part of it is missing. @param takes what is done with the text of a part */
export function fillIn(
  parts: readonly TemplatePart[],
  scope: Scope,
  takes: (text: string) => string | undefined,
): string | undefined {
  let filled = '';
  for (const part of parts) {
    const text = typeof part === 'string' ? part : firstText(part, scope);
    const taken = text === undefined || typeof part === 'string' ? text : takes(text);
    if (taken === undefined) return undefined;
    if (filled.length + taken.length > captureLimits.valueCharsMax) throw new FieldProblem('invalid');
    filled += taken;
  }
  return filled;
}
