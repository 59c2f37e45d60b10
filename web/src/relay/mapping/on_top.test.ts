import { expect, it } from 'vitest';
import type { Mapping } from '../../../../contract/mapping.ts';
import { onTop } from './on_top.ts';

const base: Mapping = { fields: { event_name: { default: 'purchase' }, value: 'total', currency: 'currency' } };

it.each<[string, Mapping, Mapping, Mapping | undefined]>([
  [
    'what each changed, added and took away stands beside what the other did',
    { fields: { event_name: { default: 'purchase' }, value: 'sum', order_id: 'id' } },
    {
      only: { path: 'paid', equals: true },
      fields: { event_name: 'type', value: 'total', currency: 'currency', 'user.email': 'mail' },
    },
    {
      only: { path: 'paid', equals: true },
      fields: { event_name: 'type', value: 'sum', 'user.email': 'mail', order_id: 'id' },
    },
  ],
  [
    'of a field that both changed, the draft says',
    { fields: { ...base.fields, value: 'sum' } },
    { fields: { ...base.fields, value: 'gross' } },
    { fields: { ...base.fields, value: 'sum' } },
  ],
  [
    'a condition that the draft took away is gone, fields that it left alone are theirs',
    base,
    { when: { path: 'a', equals: 1 }, fields: { ...base.fields, value: 'gross' } },
    { when: { path: 'a', equals: 1 }, fields: { ...base.fields, value: 'gross' } },
  ],
  [
    'nothing is mixed where a case came or went',
    base,
    { cases: [{ when: { path: 'test', equals: true }, ignore: true }, base] },
    undefined,
  ],
])('a draft on top of a version that came between: %s', (_, draft, current, mixed) => {
  expect(onTop({ base, draft, current })).toEqual(mixed);
});

it('of several cases each is put on the one in its place', () => {
  const test = { when: { path: 'test', equals: true }, ignore: true } as const;
  expect(
    onTop({
      base: { cases: [test, base] },
      draft: { cases: [test, { fields: { ...base.fields, value: 'sum' } }] },
      current: { cases: [{ ...test, when: { path: 'is_test', equals: true } }, base] },
    }),
  ).toEqual({
    cases: [{ ...test, when: { path: 'is_test', equals: true } }, { fields: { ...base.fields, value: 'sum' } }],
  });
});
