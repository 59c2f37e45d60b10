import type { z } from 'zod';

/** One thing that is wrong with the shape of a value, as zod says it to an error map. */
type Issue = Parameters<z.core.$ZodErrorMap>[0];

const kinds: Readonly<Record<string, string>> = {
  ...{ string: 'a text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list' },
  ...{ object: 'an object', record: 'an object', null: 'null' },
};
const counted: Readonly<Record<string, string>> = {
  string: 'characters',
  array: 'entries',
  set: 'entries',
  map: 'entries',
};

/**
 * What is wrong, in plain words after "cannot be read:", for `safeParse(value, { error: wordsOfShape })`. A schema that has words of its
 * own for a rule keeps them. Never has the value in it, which may be somebody's secret.
 * @returns undefined where zod's own words say it as well: formats, and rules of the schema
 */
export function wordsOfShape(issue: Issue): string | undefined {
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'it is missing' : `it has to be ${kinds[issue.expected] ?? issue.expected}`;
  if (issue.code === 'too_small') {
    const { origin, minimum } = issue;
    if (minimum === 1 && origin in counted) return 'it is empty';
    const least = number(minimum);
    if (origin in counted) return `it needs at least ${least} ${counted[origin]}`;
    return `it has to be ${issue.inclusive === false ? `more than ${least}` : `at least ${least}`}`;
  }
  if (issue.code === 'too_big') {
    const most = number(issue.maximum);
    if (issue.origin in counted) return `it may have at most ${most} ${counted[issue.origin]}`;
    return `it has to be ${issue.inclusive === false ? `less than ${most}` : `at most ${most}`}`;
  }
  if (issue.code === 'unrecognized_keys') return 'there is no such field';
  if (issue.code === 'invalid_value') {
    const values = issue.values.map((value) => JSON.stringify(value));
    return values.length === 1 ? `it has to be ${values[0]}` : `it has to be one of ${values.join(', ')}`;
  }
  return issue.code === 'invalid_union' ? 'it has none of the shapes that it may have' : undefined;
}

function number(limit: number | bigint | Date): string {
  return limit instanceof Date ? limit.toISOString() : limit.toLocaleString('en');
}
