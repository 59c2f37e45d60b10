import type { Examples } from './example.ts';

/** Reports by mail: what each person chose for themselves. */
export const examples: Examples = ({ site }) => {
  const path = (part: string) => `/api/sites/${site}/${part}`;
  return {
    'GET /api/sites/:domain/report-subscription': { path: () => path('report-subscription'), status: 200 },
    'PUT /api/sites/:domain/report-subscription': {
      path: () => path('report-subscription'),
      body: () => ({ weekly: true, monthly: false }),
      status: 200,
    },
    'GET /api/sites/:domain/report-preview': {
      path: () => path('report-preview?kind=weekly'),
      status: 200,
      badParams: [
        [path('report-preview'), 'kind'],
        [path('report-preview?kind=daily'), 'kind'],
        [path('report-preview?kind=weekly&site=other'), 'site'],
      ],
    },
    'POST /api/sites/:domain/report-sendings': {
      path: () => path('report-sendings'),
      body: () => ({ kind: 'monthly' }),
      status: 202,
      badValues: [['kind', 'daily']],
    },
  };
};
