import { expect, it } from 'vitest';
import type { Mapping } from '../../../../contract/mapping.ts';
import { changedFields, rulesOf, setField, shapeOfPath, usedPaths, writtenRules } from './model.ts';
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
  expect([...usedPaths(mapping)].sort()).toEqual(['a', 'b', 'c.d', 'lines[].sku', 'total']);
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
