import type { Examples } from './example.ts';

export const examples: Examples = () => ({
  'GET /api/self-audits': { path: () => '/api/self-audits', status: 200 },
  'GET /api/access-log': {
    path: () => '/api/access-log?day=2026-11-28',
    status: 200,
    badParams: [
      ['/api/access-log?day=yesterday', 'day'],
      ['/api/access-log?cursor=-1', 'cursor'],
      ['/api/access-log?address=203.0.113.7', 'address'],
    ],
  },
  // It comes without a byte; what it takes is in src/platform/http/guards.test.ts.
  'POST /api/csp-reports': { path: () => '/api/csp-reports', status: 400 },
});
