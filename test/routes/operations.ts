import type { Examples } from './example.ts';

/** The operations log of the organisation, and the desk's own. */
export const examples: Examples = ({ organisation }) => {
  const of = () => `/api/organisations/${organisation()}/operations`;
  return {
    'GET /api/organisations/:organisation/operations': {
      path: () => `${of()}?limit=5&kind=request&outcome=done&object=site&from=2026-01-01`,
      status: 200,
      badParams: [
        ['/api/organisations/x/operations', 'organisation'],
        ['/api/organisations/1/operations?limit=201', 'limit'],
        ['/api/organisations/1/operations?actor=person:ada', 'actor'],
        ['/api/organisations/1/operations?kind=thought', 'kind'],
      ],
    },
    'GET /api/organisations/:organisation/operations/export': {
      path: () => `${of()}/export?format=csv&kind=request`,
      status: 200,
      badParams: [['/api/organisations/1/operations/export?format=pdf', 'format']],
    },
    'GET /api/operations': {
      path: () => '/api/operations?limit=5&kind=job',
      status: 200,
      badParams: [['/api/operations?limit=201', 'limit']],
    },
    'GET /api/operations/export': {
      path: () => '/api/operations/export?format=csv&kind=call',
      status: 200,
      badParams: [['/api/operations/export?format=pdf', 'format']],
    },
  };
};
