import type { Examples } from './example.ts';

/** The trail of the organisation; the tests before these have filled it. */
export const examples: Examples = ({ organisation }) => {
  const trail = () => `/api/organisations/${organisation()}/audit`;
  return {
    'GET /api/organisations/:organisation/audit': {
      path: () => `${trail()}?limit=5&group=key&outcome=done&from=2026-01-01&q=key`,
      status: 200,
      badParams: [
        ['/api/organisations/x/audit', 'organisation'],
        [`/api/organisations/1/audit?limit=201`, 'limit'],
        [`/api/organisations/1/audit?from=yesterday`, 'from'],
      ],
    },
    'GET /api/organisations/:organisation/audit/chain': { path: () => `${trail()}/chain`, status: 200 },
    'GET /api/organisations/:organisation/audit/export': {
      path: () => `${trail()}/export?format=csv&group=key`,
      status: 200,
      badParams: [[`/api/organisations/1/audit/export?format=pdf`, 'format']],
    },
    'GET /api/audit': {
      path: () => '/api/audit?limit=5&group=operator',
      status: 200,
      badParams: [['/api/audit?limit=201', 'limit']],
    },
    'GET /api/audit/chain': { path: () => '/api/audit/chain', status: 200 },
    'GET /api/audit/export': {
      path: () => '/api/audit/export?format=csv&group=session',
      status: 200,
      badParams: [['/api/audit/export?format=pdf', 'format']],
    },
  };
};
