import { expect, test } from 'vitest';
import { readRoute } from '../address/route.ts';
import { readView } from '../address/view.ts';
import { goalAddress, goalsAddress, readSort, readStart } from './address.ts';

test.each([
  '/s/shop.example/goals',
  '/s/shop.example/goals?period=7d&f=is:country:DE&sort=conversion_rate',
  '/s/shop.example/goals?sort=name:desc&new=page&match=/blog/**',
  '/s/shop.example/goals?sort=visitors:asc&new=event&match=purchase&currency=EUR',
  '/s/shop.example/goals?new=scroll',
])('the list says what it shows and comes back the same: %s', (address) => {
  const [path = '', search = ''] = address.split(/(?=\?)/);
  const query = new URLSearchParams(search);
  expect(readRoute(path)).toEqual({ page: 'goals', site: 'shop.example' });
  expect(goalsAddress('shop.example', readView(search), { sort: readSort(query), start: readStart(query) })).toBe(
    address,
  );
});

test('what cannot be read is the usual list', () => {
  const query = new URLSearchParams('sort=secrets:up&new=wish');
  expect(readSort(query)).toEqual({ by: 'visitors', direction: 'desc' });
  expect(readStart(query)).toBeUndefined();
});

test('a goal is found by its number, with the view and its form', () => {
  const address = goalAddress('shop.example', 7, readView('?period=today&goals=prop.plan'), true);
  expect(address).toBe('/s/shop.example/goals/7?period=today&goals=prop.plan&edit=on');
  expect(readRoute('/s/shop.example/goals/7')).toEqual({ page: 'goal', site: 'shop.example', goal: '7' });
  expect(readRoute('/s/shop.example/goals/7/more')).toEqual({ page: 'nowhere' });
});
