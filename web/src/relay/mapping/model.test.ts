import { expect, it } from 'vitest';
import type { Mapping } from '../../../../contract/mapping.ts';
import { changedFields, pathWithin, rulesOf, setField, shapeOfPath, usedPaths, writtenRules } from './model.ts';
import { childPath, pathInItems } from './tree_rows.ts';

const mapping: Mapping = {
  cases: [
    { when: { path: 'test', equals: true }, ignore: true },
    {
      fields: {
        value: 'total',
        items: { each: 'lines[*]', fields: { id: 'sku' } },
        'user.email': [{ path: 'a' }, { template: '{{b}}@{{ c.d }}' }],
      },
    },
  ],
};

it('changes one field of one case and nothing else, and takes it away', () => {
  const next = setField(mapping, 1, 'currency', { default: 'EUR' });
  expect(changedFields(mapping, next)).toEqual([{ field: 'currency (case 2)', how: 'added' }]);
  expect(setField(next, 1, 'currency', undefined)).toEqual(mapping);
  expect(changedFields(next, setField(mapping, 1, 'value', 'sum'))).toEqual([
    { field: 'value (case 2)', how: 'changed' },
    { field: 'currency (case 2)', how: 'removed' },
  ]);
});

it.each([
  [[{ path: 'a' }], 'a'],
  [[{ path: 'a', apply: [] }], 'a'],
  [[{ path: 'a', apply: ['trim' as const] }], { path: 'a', apply: ['trim'] }],
  [[{ path: '' }], undefined],
  [[{ default: 'EUR' }], { default: 'EUR' }],
  [
    [{ path: 'a' }, { path: 'b', default: 0 }],
    ['a', { path: 'b', default: 0 }],
  ],
])('writes rules as short as they can be: %j is %j', (rules, written) => {
  expect(writtenRules(rules)).toEqual(written);
  if (written !== undefined) expect(writtenRules(rulesOf(written as never))).toEqual(written);
});

it('knows which values of a request are used, through lists and templates', () => {
  expect([...usedPaths(mapping)].sort()).toEqual(['a', 'b', 'c.d', 'lines[].sku', 'test', 'total']);
  expect(shapeOfPath('notes[name="gclid"].value')).toBe('notes[].value');
});

it.each([
  ['', 'total', 'total'],
  ['billing', 'e-mail', 'billing.e-mail'],
  ['billing', 'e.mail', 'billing["e.mail"]'],
  ['', 'two words', 'two words'],
  ['', '', '[""]'],
  ['$query', 'cid', '$query.cid'],
  ['list[0]', 'sku', 'list[0].sku'],
])('the path of a value under %j by the name %j is %s', (parent, name, path) =>
  expect(childPath(parent, name)).toBe(path),
);

it.each([
  ['lines[1].product.sku', { each: 'lines[*]', path: 'product.sku' }],
  ['order.lines[0].price', { each: 'order.lines[*]', path: 'price' }],
  ['total', undefined],
])('a value of a list is its list and the way in it: %s', (path, found) => expect(pathInItems(path)).toEqual(found));

it('changes of cases are told as such: added, moved, taken away, under another condition', () => {
  const [ignored, made] = 'cases' in mapping ? mapping.cases : [];
  if (ignored === undefined || made === undefined) throw new Error('There are two cases.');
  const third = { when: { path: 'kind', equals: 'lead' }, fields: { value: 'sum' } } as const;
  expect(changedFields(mapping, { cases: [ignored, third, made] })).toEqual([{ field: 'case 2', how: 'added' }]);
  expect(changedFields(mapping, { cases: [made, ignored] })).toEqual([{ field: 'case 2', how: 'moved' }]);
  expect(changedFields(mapping, made)).toEqual([{ field: 'case 1 of before', how: 'removed' }]);
  const other = { ...ignored, when: { path: 'test', exists: true } };
  expect(changedFields(mapping, { cases: [other, made] })).toEqual([{ field: 'condition (case 1)', how: 'changed' }]);
});

it.each([
  [undefined, 'orders[0].total', 'orders[0].total'],
  ['orders[*]', 'orders[3].total', 'total'],
  ['orders[*]', 'currency', '$body.currency'],
  ['orders[*]', '$query.cid', '$query.cid'],
])('for a case over %s the value at %s is read at %s', (each, path, within) =>
  expect(pathWithin(each, path)).toBe(within),
);
