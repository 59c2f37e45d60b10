import type { Examples } from './example.ts';

/** Connections of ad platforms. What a platform answers is looked at where emulators are (src/providers). */
export const examples: Examples = ({ organisation, next, people, call }) => {
  const all = () => `/api/organisations/${organisation()}/connections`;
  const secret = () => ({ provider: 'snap', secret: `secret-of-route-${next()}` });
  async function made(): Promise<string> {
    const { body } = await call('POST', all(), people.owner, secret());
    return `${all()}/${body.id}`;
  }
  const badParams: [string, string][] = [['/api/organisations/1/connections/0', 'connection']];
  return {
    'GET /api/organisations/:organisation/connections': {
      path: all,
      status: 200,
      badParams: [['/api/organisations/x/connections', 'organisation']],
    },
    'POST /api/organisations/:organisation/connections': {
      path: all,
      body: secret,
      status: 201,
      badParams: [['/api/organisations/x/connections', 'organisation']],
      badValues: [
        ['provider', 'nobody'],
        ['secret', 'short'],
        ['secret', 'with a blank in it'],
        ['label', ' '],
        ['connection', 0],
      ],
    },
    // Nobody has set up a platform on this desk, and nobody began what the answer is to.
    'POST /api/organisations/:organisation/connection-authorisations': {
      path: () => `/api/organisations/${organisation()}/connection-authorisations`,
      body: () => ({ provider: 'linkedin', scopes: ['r_ads'] }),
      status: 409,
      badParams: [['/api/organisations/x/connection-authorisations', 'organisation']],
      badValues: [
        ['provider', 'snap'],
        ['scopes', 'r_ads'],
        ['connection', 1.5],
      ],
    },
    'POST /api/organisations/:organisation/connection-answers': {
      path: () => `/api/organisations/${organisation()}/connection-answers`,
      body: () => ({ provider: 'linkedin', state: `${organisation()}.${'A'.repeat(43)}`, code: 'code' }),
      status: 409,
      badParams: [['/api/organisations/x/connection-answers', 'organisation']],
      badValues: [
        ['provider', 'snap'],
        ['state', ''],
        ['code', 7],
      ],
    },
    'PATCH /api/organisations/:organisation/connections/:connection': {
      path: made,
      body: () => ({ label: `Shop ${next()}` }),
      status: 200,
      badParams,
      badValues: [
        ['label', ' '],
        ['label', 'x'.repeat(81)],
      ],
    },
    // Of a pasted secret nothing is listed.
    'GET /api/organisations/:organisation/connections/:connection/accounts': {
      path: async () => `${await made()}/accounts`,
      status: 409,
      badParams: [['/api/organisations/1/connections/0/accounts', 'connection']],
    },
    'GET /api/organisations/:organisation/connections/:connection/targets': {
      path: async () => `${await made()}/targets?account=1`,
      status: 409,
      badParams: [
        ['/api/organisations/1/connections/0/targets?account=1', 'connection'],
        ['/api/organisations/1/connections/1/targets', 'account'],
        ['/api/organisations/1/connections/1/targets?account=../x', 'account'],
        ['/api/organisations/1/connections/1/targets?account=1&through=/', 'through'],
      ],
    },
    'GET /api/organisations/:organisation/connections/:connection/disconnection': {
      path: async () => `${await made()}/disconnection`,
      status: 200,
      badParams: [['/api/organisations/1/connections/0/disconnection', 'connection']],
    },
    'DELETE /api/organisations/:organisation/connections/:connection': { path: made, status: 200, badParams },
  };
};
