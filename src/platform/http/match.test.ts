import { describe, expect, it } from 'vitest';
import { matchRoute, routeTable } from './match.ts';
import type { Route } from './route.ts';

const route = (method: Route['method'], path: string): Route => ({
  method,
  path,
  access: 'public',
  summary: '',
  handle: async () => ({}),
});
const table = routeTable([
  route('GET', '/api/sites/:domain'),
  route('PATCH', '/api/sites/:domain'),
  route('GET', '/api/sites/all'),
  route('DELETE', '/api/sites/:domain/goals/:id'),
]);

describe('a request finds its route by method and segments', () => {
  const rows: [method: string, path: string, found: string | null, params?: Record<string, string>][] = [
    ['GET', '/api/sites/shop.example', 'GET /api/sites/:domain', { domain: 'shop.example' }],
    ['HEAD', '/api/sites/shop.example', 'GET /api/sites/:domain', { domain: 'shop.example' }],
    ['GET', '/api/sites/all', 'GET /api/sites/all', {}],
    ['DELETE', '/api/sites/a%2Fb/goals/7', 'DELETE /api/sites/:domain/goals/:id', { domain: 'a/b', id: '7' }],
    ['GET', '/api/sites/', null],
    ['GET', '/api/sites/%E0%A4%A', null],
    ['GET', '/api/sites/x/y', null],
  ];
  it.each(rows)('%s %s', (method, path, found, params) => {
    const match = matchRoute(table, method, path);
    if (match.kind !== 'found') expect(found).toBeNull();
    else expect([`${match.route.method} ${match.route.path}`, match.params]).toEqual([found, params]);
  });

  it('names the methods that an address has when it lacks the one asked for', () => {
    expect(matchRoute(table, 'PUT', '/api/sites/shop.example')).toEqual({ kind: 'method', allowed: ['GET', 'PATCH'] });
  });

  it('refuses two routes for the same request at start', () => {
    expect(() => routeTable([route('GET', '/a/:x'), route('GET', '/a/:y')])).toThrow('Two routes');
  });
});
