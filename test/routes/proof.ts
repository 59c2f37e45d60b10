import type { Examples } from './example.ts';

/** What the desk promises and how it stands, and the live checks. */
export const examples: Examples = ({ organisation }) => {
  const proof = () => `/api/organisations/${organisation()}/proof`;
  return {
    'GET /api/organisations/:organisation/proof': {
      path: proof,
      status: 200,
      badParams: [['/api/organisations/x/proof', 'organisation']],
    },
    'GET /api/organisations/:organisation/proof/export': {
      path: () => `${proof()}/export?state=proved&subject=Pseudonymity`,
      status: 200,
      badParams: [['/api/organisations/1/proof/export?state=green', 'state']],
    },
    'GET /api/proof/runs': { path: () => '/api/proof/runs', status: 200 },
    'POST /api/proof/runs': { path: () => '/api/proof/runs', status: 200 },
  };
};
