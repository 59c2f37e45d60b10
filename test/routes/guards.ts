import type { Examples } from './example.ts';

export const examples: Examples = ({ organisation }) => ({
  'GET /api/organisations/:organisation/access-log': {
    path: () => `/api/organisations/${organisation()}/access-log?limit=5&status=2xx`,
    status: 200,
    badParams: [
      ['/api/organisations/x/access-log', 'organisation'],
      ['/api/organisations/1/access-log?limit=1001', 'limit'],
    ],
  },
  'GET /api/organisations/:organisation/access-log/export': {
    path: () => `/api/organisations/${organisation()}/access-log/export?format=csv&status=4xx`,
    status: 200,
    badParams: [['/api/organisations/1/access-log/export?format=pdf', 'format']],
  },
  'GET /api/access-log': {
    path: () => '/api/access-log?day=2026-11-28',
    status: 200,
    badParams: [
      ['/api/access-log?day=yesterday', 'day'],
      ['/api/access-log?cursor=-1', 'cursor'],
      ['/api/access-log?address=203.0.113.7', 'address'],
      ['/api/access-log?status=6xx', 'status'],
      ['/api/access-log?method=STEAL', 'method'],
      ['/api/access-log?limit=1001', 'limit'],
    ],
  },
  'GET /api/access-log/export': {
    path: () => '/api/access-log/export?day=2026-11-28&status=4xx&format=csv',
    status: 200,
    badParams: [['/api/access-log/export?format=pdf', 'format']],
  },
  // It comes without a byte; what it takes is in src/platform/http/guards.test.ts.
  'POST /api/csp-reports': { path: () => '/api/csp-reports', status: 400 },
});
