import type { Examples } from './example.ts';

/** Requests of data subjects, in the register of the organisation. */
export const examples: Examples = ({ organisation, call, people, next }) => {
  const of = () => `/api/organisations/${organisation()}/requests`;
  const today = () => new Date().toISOString().slice(0, 10);
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  const wish = () => ({ kind: 'access', received_on: today(), email: `asks-${next()}@visitor.example` });
  const entered = async () => String((await call('POST', of(), people.owner, wish())).body.id);
  return {
    'GET /api/organisations/:organisation/requests': {
      path: of,
      status: 200,
      badParams: [['/api/organisations/1/requests?after=first', 'after']],
    },
    'POST /api/organisations/:organisation/requests': {
      path: of,
      body: wish,
      status: 201,
      badValues: [
        ['kind', 'gossip'],
        ['email', 'nobody'],
        ['received_on', inDays(3)],
        ['received_on', inDays(-61)],
        ['phone', 'call me'],
        ['external_id', ' '],
      ],
    },
    'GET /api/organisations/:organisation/requests/:request': {
      path: async () => `${of()}/${await entered()}`,
      status: 200,
      badParams: [['/api/organisations/1/requests/x', 'request']],
    },
    'PUT /api/organisations/:organisation/requests/:request/state': {
      path: async () => `${of()}/${await entered()}/state`,
      body: () => ({ to: 'checked', check: 'mailbox' }),
      status: 200,
      badValues: [
        ['to', 'gone'],
        ['check', 'a hunch'],
      ],
      badParams: [['/api/organisations/1/requests/x/state', 'request']],
    },
    'PUT /api/organisations/:organisation/requests/:request/extension': {
      path: async () => `${of()}/${await entered()}/extension`,
      body: () => ({ until: inDays(50), reason: 'Three archives have to be searched.' }),
      status: 200,
      badValues: [
        ['until', 'later'],
        ['until', inDays(10)],
        ['until', inDays(120)],
        ['reason', ' '],
      ],
    },
  };
};
