import type { Condition } from '../../../contract/mapping.ts';
import { type Path, parsePath } from '../../../contract/mapping_path.ts';
import { compareDecimals } from './decimal.ts';
import { type Scope, textOf, walk } from './walk.ts';

export type Test = (scope: Scope) => boolean;

/** A condition on a path with several values holds where one of them does. Empty text and null are nothing. */
export function planCondition(given: Condition): Test {
  if ('all' in given) {
    const all = given.all.map(planCondition);
    return (scope) => all.every((one) => one(scope));
  }
  if ('any' in given) {
    const any = given.any.map(planCondition);
    return (scope) => any.some((one) => one(scope));
  }
  if ('not' in given) {
    const inner = planCondition(given.not);
    return (scope) => !inner(scope);
  }
  const path = parsePath(given.path) as Path;
  if ('exists' in given) return (scope) => walk(path, scope).some((one) => one !== '') === given.exists;
  const holds = planComparison(given);
  return (scope) => walk(path, scope).some((one) => holds(textOf(one)));
}

/** The paths that a condition asks of. */
export function pathsOf(given: Condition): Path[] {
  if ('all' in given) return given.all.flatMap(pathsOf);
  if ('any' in given) return given.any.flatMap(pathsOf);
  return 'not' in given ? pathsOf(given.not) : [parsePath(given.path) as Path];
}

function planComparison(given: Extract<Condition, { path: string }>): (text: string | undefined) => boolean {
  if ('equals' in given) {
    const wanted = String(given.equals);
    return (text) => text === wanted;
  }
  if ('in' in given) {
    const wanted = new Set(given.in.map(String));
    return (text) => text !== undefined && wanted.has(text);
  }
  if (!('compare' in given)) return () => false;
  const to = String(given.to);
  return (text) => {
    const order = text === undefined ? undefined : compareDecimals(text.trim(), to);
    if (order === undefined) return false;
    if (order === 0) return given.compare.endsWith('=');
    return given.compare.startsWith('<') ? order < 0 : order > 0;
  };
}
