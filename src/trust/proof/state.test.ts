import { expect, test } from 'vitest';
import type { StandingCheck } from '../../../contract/proof.ts';
import { keyOf, ledger, type Named, type Proved } from './index.ts';
import { countsOf, requirementsOf } from './state.ts';

const here = 'tree of here';
const named: Named[] = [
  { id: 'PSE-03', kind: 'test', file: 'a.test.ts', title: 'one' },
  { id: 'PSE-03', kind: 'proof', file: 'privacy.ts', title: 'two' },
  { id: 'CON-03', kind: 'test', file: 'b.test.ts', title: 'three' },
  { id: 'AUT-13', kind: 'test', file: 'c.test.ts', title: 'four' },
];
const ran = (one: Named, ok: boolean, tree = here): [string, Proved] => [
  keyOf(one),
  { ...one, ok, tests: 1, at: '2026-11-28T10:00:00Z', commit: 'abc', tree },
];
const check = (state: StandingCheck['state'], proves: string[]): StandingCheck => ({
  ...{ check: 'x', what: 'x', state, fact: 'f', todo: null, at: '2026-11-28T11:00:00Z', proves },
});
const stateOf = (id: string, proved: [string, Proved][], checks: StandingCheck[] = []) =>
  requirementsOf({ named, proved: new Map(proved), tree: here, checks }).find((one) => one.id === id)?.state;
const [test1, proof1, partly, isolation] = named as [Named, Named, Named, Named];

test('what has not run here is not green: neither where nothing ran, nor where it ran for other sources', () => {
  expect(stateOf('PSE-03', [])).toBe('not_run');
  expect(stateOf('PSE-03', [ran(test1, true, 'another tree')])).toBe('not_run');
  expect(stateOf('PSE-03', [ran(test1, true)])).toBe('proved');
  expect(stateOf('PSE-03', [], [check('ok', ['PSE-03'])])).toBe('proved');
  expect(stateOf('PSE-03', [], [check('not_run', ['PSE-03'])])).toBe('not_run');
});

test('what failed is red, whatever else passed; a failure of other sources is none of these', () => {
  expect(stateOf('PSE-03', [ran(test1, true), ran(proof1, false)])).toBe('red');
  expect(stateOf('PSE-03', [ran(test1, true)], [check('wrong', ['PSE-03'])])).toBe('red');
  expect(stateOf('PSE-03', [ran(test1, false, 'another tree')])).toBe('not_run');
});

test('what an earlier version proved says which and when; it counts as proved for none, and a failure there is no proof', () => {
  const of = (proved: [string, Proved][], checks: StandingCheck[] = []) =>
    requirementsOf({ named, proved: new Map(proved), tree: here, checks }).find(({ id }) => id === 'PSE-03');
  expect(of([ran(test1, true, 'another tree')])).toMatchObject({
    state: 'not_run',
    earlier: { at: '2026-11-28T10:00:00Z', commit: 'abc' },
  });
  expect(of([])?.earlier).toBe(null);
  expect(of([ran(test1, true, 'another tree'), ran(proof1, false, 'another tree')])?.earlier).toBe(null);
  expect(of([ran(test1, true, 'another tree')], [check('ok', ['PSE-03'])])).toMatchObject({
    state: 'proved',
    earlier: null,
  });
});

test('what is built in part or belongs to later is never green, and red when its part fails', () => {
  expect(stateOf('CON-03', [ran(partly, true)])).toBe('partly');
  expect(stateOf('CON-03', [ran(partly, false)])).toBe('red');
  for (const { id } of ledger.filter(({ standing }) => standing === 'open')) expect(stateOf(id, [])).toBe('open');
  expect(stateOf('AI-01', [])).toBe('later');
});

test('a requirement may be shown by what shows another', () => {
  expect(stateOf('SHR-09', [ran(isolation, true)])).toBe('proved');
});

test('every requirement is counted once', () => {
  const counts = countsOf(requirementsOf({ named, proved: new Map(), tree: here, checks: [] }));
  const { total, ...states } = counts;
  expect(total).toBe(179);
  expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(179);
  expect(counts.proved).toBe(0);
});
