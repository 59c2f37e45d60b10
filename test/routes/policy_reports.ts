import type { Examples } from './example.ts';

export const examples: Examples = () => ({
  // It comes without a byte; what it takes is in src/platform/http/guards.test.ts.
  'POST /api/csp-reports': { path: () => '/api/csp-reports', status: 400 },
});
