import type { Examples } from './example.ts';

/** Credits of an organisation: what is left, the ledger, and what whoever runs the desk adds. */
export const examples: Examples = ({ organisation, call, people, next }) => {
  const of = () => `/api/organisations/${organisation()}/relay/credits`;
  const toAdd = () => `/api/desk/organisations/${organisation()}/credits`;
  return {
    'GET /api/organisations/:organisation/relay/credits': {
      path: () => `${of()}?period=30d`,
      status: 200,
      badParams: [
        ['/api/organisations/x/relay/credits', 'organisation'],
        ['/api/organisations/1/relay/credits?period=1y', 'period'],
      ],
    },
    'GET /api/organisations/:organisation/relay/credits/transfers': {
      path: () => `${of()}/transfers?holds=yes`,
      status: 200,
      badParams: [
        ['/api/organisations/1/relay/credits/transfers?kind=gift', 'kind'],
        ['/api/organisations/1/relay/credits/transfers?limit=1000', 'limit'],
        ['/api/organisations/1/relay/credits/transfers?cursor=x', 'cursor'],
      ],
    },
    'GET /api/organisations/:organisation/relay/credits/transfers/:transfer': {
      async path() {
        for (const credits of [2, -1]) await call('POST', toAdd(), people.owner, { credits });
        const page = await call('GET', `${of()}/transfers`, people.owner);
        return `${of()}/transfers/${(page.body.transfers as { id: number }[])[0]?.id}`;
      },
      status: 200,
      badParams: [['/api/organisations/1/relay/credits/transfers/x', 'transfer']],
    },
    'POST /api/desk/organisations/:organisation/credits': {
      path: toAdd,
      body: () => ({ credits: 5, reference: `Invoice ${next()}` }),
      status: 201,
      badValues: [
        ['credits', 0],
        ['credits', 1.5],
        ['credits', 1_000_000_001],
        ['expires_on', 'tomorrow'],
        ['expires_on', '2020-01-01'],
        ['reference', ' '],
        ['key', 'two words'],
      ],
    },
  };
};
