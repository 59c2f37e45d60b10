import type { Examples } from './example.ts';

/** Purposes and bases, records of consent, one's own, and the count of opened pages. */
export const examples: Examples = ({ organisation, next }) => {
  const of = (rest: string) => `/api/organisations/${organisation()}/${rest}`;
  const wish = () => ({
    ...{ subject: { kind: 'email', value: `agrees-${next()}@visitor.example` }, purpose: 'marketing_mail' },
    ...{ state: 'given', text_version: '2026-11', text: 'Write to me about offers.', how: 'form' },
  });
  return {
    'GET /api/organisations/:organisation/lawful-bases': { path: () => of('lawful-bases'), status: 200 },
    'PUT /api/organisations/:organisation/lawful-bases/:purpose/:region': {
      path: () => of('lawful-bases/ad_measurement/us'),
      body: () => ({ basis: 'consent' }),
      status: 200,
      badValues: [
        ['basis', 'because'],
        ['basis', 'contract'],
        ['version', -1],
      ],
      badParams: [
        ['/api/organisations/1/lawful-bases/gossip/us', 'purpose'],
        ['/api/organisations/1/lawful-bases/identity/mars', 'region'],
      ],
    },
    'GET /api/organisations/:organisation/consents': {
      path: () => of('consents'),
      status: 200,
      badParams: [['/api/organisations/1/consents?before=first', 'before']],
    },
    'POST /api/organisations/:organisation/consents': {
      path: () => of('consents'),
      body: wish,
      status: 201,
      badValues: [
        ['purpose', 'gossip'],
        ['state', 'perhaps'],
        ['how', 'telepathy'],
        ['text', ''],
        ['region', 'mars'],
      ],
    },
    'POST /api/organisations/:organisation/consents/search': {
      path: () => of('consents/search'),
      body: () => ({ subject: { kind: 'email', value: 'nobody@visitor.example' } }),
      status: 200,
    },
    'POST /api/usage/pages': {
      path: () => '/api/usage/pages',
      body: () => ({ organisation: organisation(), page: 'trust' }),
      status: 204,
      badValues: [
        ['page', 'somebody'],
        ['features', ['ada']],
      ],
    },
    'GET /api/usage': { path: () => '/api/usage', status: 200 },
    'PUT /api/usage': {
      path: () => '/api/usage',
      body: () => ({ is_on: true }),
      status: 200,
      badValues: [['is_on', 'perhaps']],
    },
    'GET /api/account/consents': { path: () => '/api/account/consents', status: 200, own: true },
    'PUT /api/account/consents/:purpose': {
      path: () => '/api/account/consents/marketing_mail',
      body: () => ({ is_given: true, text_version: '2026-11' }),
      status: 200,
      own: true,
      badValues: [['is_given', 'perhaps']],
      badParams: [['/api/account/consents/gossip', 'purpose']],
    },
  };
};
