import type { Condition } from '../../../../contract/mapping.ts';

/**
 * A condition as it is edited: one line, or a group of them. `none` is written as `not`, which is the only thing that the
 * list of a mapping has for it.
 */
export type Group = 'all' | 'any' | 'none';
export type Comparison = 'equals' | 'in' | 'exists' | 'absent' | '>=' | '>' | '<=' | '<';
export type Edited =
  | { kind: 'one'; path: string; is: Comparison; to: string }
  | { kind: 'group'; of: Group; parts: readonly Edited[] };

/** As `mappingLimits` says. */
export const depthMax = 4;
export const partsMax = 50;

export const groupWords: Readonly<Record<Group, string>> = {
  all: 'all of these',
  any: 'any of these',
  none: 'none of these',
};
export const comparisonWords: Readonly<Record<Comparison, string>> = {
  equals: 'is exactly',
  in: 'is one of',
  exists: 'is there',
  absent: 'is not there',
  '>=': 'is at least',
  '>': 'is more than',
  '<=': 'is at most',
  '<': 'is less than',
};

export const emptyOne: Edited = { kind: 'one', path: '', is: 'equals', to: '' };

export function editedOf(given: Condition): Edited {
  if ('all' in given) return { kind: 'group', of: 'all', parts: given.all.map(editedOf) };
  if ('any' in given) return { kind: 'group', of: 'any', parts: given.any.map(editedOf) };
  if ('not' in given)
    return {
      ...{ kind: 'group', of: 'none' },
      parts: ('any' in given.not ? given.not.any : [given.not]).map(editedOf),
    };
  const { path } = given;
  if ('exists' in given) return { kind: 'one', path, is: given.exists ? 'exists' : 'absent', to: '' };
  if ('in' in given) return { kind: 'one', path, is: 'in', to: given.in.map(quotedWhereNeeded).join(', ') };
  if ('compare' in given) return { kind: 'one', path, is: given.compare, to: String(given.to) };
  return { kind: 'one', path, is: 'equals', to: String(given.equals) };
}

export function conditionOf(edited: Edited): Condition {
  if (edited.kind === 'group') {
    const parts = edited.parts.map(conditionOf);
    const [first] = parts;
    if (edited.of === 'all') return { all: parts };
    if (edited.of === 'any') return { any: parts };
    return { not: parts.length === 1 && first !== undefined ? first : { any: parts } };
  }
  const { path, is, to } = edited;
  switch (is) {
    case 'equals':
      return { path, equals: to };
    case 'in':
      return { path, in: listed(to) };
    case 'exists':
    case 'absent':
      return { path, exists: is === 'exists' };
    default:
      return { path, compare: is, to };
  }
}

const quotedWhereNeeded = (value: string | number | boolean) =>
  typeof value === 'string' && /,|^\s|\s$/.test(value) ? `"${value}"` : String(value);

/** Values with a comma between; one that has a comma itself stands in quotes. */
function listed(text: string): string[] {
  return [...text.matchAll(/\s*(?:"([^"]*)"|([^,]+))\s*(?:,|$)/g)].flatMap(([, quoted, plain]) => {
    const value = quoted ?? plain?.trim() ?? '';
    return value === '' ? [] : [value];
  });
}

/** A condition in a line, for a list and a tag. */
export function conditionText(given: Condition): string {
  return textOf(editedOf(given), true);
}

function textOf(edited: Edited, isOutermost = false): string {
  if (edited.kind === 'one') {
    const what = edited.path === '' ? '…' : edited.path;
    const to = edited.is === 'exists' || edited.is === 'absent' ? '' : ` ${edited.to === '' ? '…' : edited.to}`;
    return `${what} ${comparisonWords[edited.is]}${to}`;
  }
  if (edited.parts.length === 0) return `${groupWords[edited.of]}: nothing`;
  const between = edited.of === 'all' ? ' and ' : ' or ';
  const isDenied = edited.of === 'none' && edited.parts.length === 1;
  const text = edited.parts.map((part) => textOf(part, isDenied)).join(between);
  if (edited.of === 'none') return `not (${text})`;
  return isOutermost || edited.parts.length === 1 ? text : `(${text})`;
}

const isAmount = /^-?\d{1,20}(\.\d{1,20})?$/;

/** What a condition lacks before it can be used, in a sentence; undefined where it lacks nothing. */
export function lackOf(given: Condition): string | undefined {
  return lackIn(editedOf(given));
}

function lackIn(edited: Edited): string | undefined {
  if (edited.kind === 'group') {
    if (edited.parts.length === 0) return 'a group of conditions has nothing in it';
    return edited.parts.map(lackIn).find((lack) => lack !== undefined);
  }
  if (edited.path.trim() === '') return 'a condition does not say what it looks at';
  if (edited.is === 'in' && listed(edited.to).length === 0) return 'a condition has no value to compare with';
  if (/^[<>]/.test(edited.is) && !isAmount.test(edited.to))
    return 'a condition compares with something that is no number';
  return undefined;
}

/** Every path that a condition looks at. */
export function pathsOf(given: Condition): string[] {
  if ('all' in given) return given.all.flatMap(pathsOf);
  if ('any' in given) return given.any.flatMap(pathsOf);
  return 'not' in given ? pathsOf(given.not) : [given.path];
}
