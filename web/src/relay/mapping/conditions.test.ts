import { expect, it } from 'vitest';
import {
  type Condition,
  condition as conditionSchema,
  type Mapping,
  mappingLimits,
} from '../../../../contract/mapping.ts';
import { readMapping } from '../../../../src/relay/mapping/plan.ts';
import { addCase, caseList, casesMax, mainCase, moveCase, neverTried, removeCase } from './cases.ts';
import { conditionOf, conditionText, depthMax, editedOf, lackOf, partsMax, pathsOf } from './condition_text.ts';
import { unfinished } from './unfinished.ts';

const of = (path: string): Condition => ({ path, equals: 'x' });

it.each<[Condition, string]>([
  [of('a'), 'a is exactly x'],
  [{ path: 'a', exists: false }, 'a is not there'],
  [{ path: 'a', in: ['one', 'two, three', ' four '] }, 'a is one of one, "two, three", " four "'],
  [{ path: 'a', compare: '>=', to: '20.00' }, 'a is at least 20.00'],
  [{ all: [of('a'), { any: [of('b'), of('c')] }] }, 'a is exactly x and (b is exactly x or c is exactly x)'],
  [{ any: [of('a'), { not: of('b') }] }, 'a is exactly x or not (b is exactly x)'],
  [{ not: { any: [of('a'), of('b')] } }, 'not (a is exactly x or b is exactly x)'],
  [{ not: { all: [of('a'), of('b')] } }, 'not (a is exactly x and b is exactly x)'],
])('a condition is edited and written as it was: %j reads %s', (given, text) => {
  expect(conditionOf(editedOf(given))).toEqual(given);
  expect(conditionSchema.safeParse(conditionOf(editedOf(given))).success).toBe(true);
  expect(conditionText(given)).toBe(text);
});

it('values that were no text are written as text, which the mapping compares alike', () => {
  expect(conditionOf(editedOf({ path: 'a', in: [1, true, 'b'] }))).toEqual({ path: 'a', in: ['1', 'true', 'b'] });
  expect(conditionOf(editedOf({ path: 'a', equals: 5 }))).toEqual({ path: 'a', equals: '5' });
});

it('limits of the editor are those of the contract', () => {
  expect({ conditionDepthMax: depthMax, conditionsMax: partsMax, casesMax }).toEqual({
    conditionDepthMax: mappingLimits.conditionDepthMax,
    conditionsMax: mappingLimits.conditionsMax,
    casesMax: mappingLimits.casesMax,
  });
});

it.each<[Condition, string | undefined]>([
  [{ path: '', equals: '' }, 'does not say what it looks at'],
  [{ path: 'a', in: [] }, 'has no value'],
  [{ path: 'a', compare: '<', to: 'ten' }, 'is no number'],
  [{ all: [] }, 'has nothing in it'],
  [{ all: [of('a'), { any: [{ path: ' ', exists: true }] }] }, 'does not say what it looks at'],
  [{ path: 'a', equals: '' }, undefined],
])('what a condition lacks is said: %j', (given, lack) => {
  if (lack === undefined) expect(lackOf(given)).toBeUndefined();
  else expect(lackOf(given)).toContain(lack);
});

const plain: Mapping = { fields: { event_name: { default: 'purchase' }, occurred_at: 'at' } };

it('a further case comes before the one that takes whatever comes, and is not finished before its condition is', () => {
  const { mapping, at } = addCase(plain, 'ignores', {});
  expect(at).toBe(0);
  expect(unfinished(mapping)).toBe('Case 1: a condition does not say what it looks at.');
  const done: Mapping = { cases: [{ when: of('type'), ignore: true }, plain] };
  expect(unfinished(done)).toBeUndefined();
  expect('problem' in readMapping(done)).toBe(false);
  const third = addCase(done, 'makes', plain.fields);
  expect(third.at).toBe(1);
  expect(caseList(third.mapping)).toEqual([
    done.cases[0],
    { when: { path: '', equals: '' }, fields: plain.fields },
    plain,
  ]);
  expect(mainCase(third.mapping)).toBe(2);
  expect(removeCase(removeCase(third.mapping, 0), 0)).toEqual(plain);
});

it('cases change places, and one that is never tried is named', () => {
  const two: Mapping = { cases: [{ when: of('type'), ignore: true }, plain] };
  expect(neverTried(two)).toBeUndefined();
  expect(neverTried(moveCase(two, 0, 1))).toBe(1);
  expect(moveCase(moveCase(two, 0, 1), 1, 0)).toEqual(two);
  expect(moveCase(two, 0, 2)).toBe(two);
});

it('a table without a row and a condition of a rule are looked at too', () => {
  const fields = { ...plain.fields, value: { path: 'v', when: { any: [] } } };
  expect(unfinished({ fields })).toBe('value: a group of conditions has nothing in it.');
  expect(unfinished({ fields: { ...plain.fields, event_name: { path: 'e', lookup: {} } } })).toBe(
    'event_name: its table has no row.',
  );
  expect(pathsOf({ not: { any: [of('a'), { all: [of('b')] }] } })).toEqual(['a', 'b']);
});
