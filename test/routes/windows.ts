import type { Examples } from './example.ts';

/** Windows, policy and holds of the organisation. */
export const examples: Examples = ({ organisation, call, people }) => {
  const of = () => `/api/organisations/${organisation()}`;
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  // Of a class that no other example removes anything of: a hold keeps from being deleted what it matches.
  const hold = () => ({ scope: 'class', of: 'D23', reason: 'Claim 12', owner: 'Legal', review_on: inDays(30) });
  const placed = async () => String((await call('POST', `${of()}/holds`, people.owner, hold())).body.id);
  let version = 0;
  return {
    'GET /api/organisations/:organisation/windows': {
      path: () => `${of()}/windows`,
      status: 200,
      badParams: [['/api/organisations/x/windows', 'organisation']],
    },
    'GET /api/organisations/:organisation/windows/tonight': { path: () => `${of()}/windows/tonight`, status: 200 },
    'GET /api/organisations/:organisation/windows/receipts': {
      path: () => `${of()}/windows/receipts?line=mail`,
      status: 200,
      badParams: [['/api/organisations/1/windows/receipts?before=first', 'before']],
    },
    'PUT /api/organisations/:organisation/policy': {
      async path() {
        version = Number((await call('GET', `${of()}/windows`, people.owner)).body.version);
        return `${of()}/policy`;
      },
      body: () => ({ profile: 'eu', windows: { robots: 30 }, from_version: version }),
      bodyOfPath: true,
      status: 200,
      badValues: [
        ['profile', 'fr'],
        ['windows', { robots: 0 }],
        ['windows', { robots: 91 }],
        ['windows', { 'access-log': 10 }],
        ['windows', { nothing: 10 }],
        ['from_version', -1],
      ],
    },
    'GET /api/organisations/:organisation/holds': { path: () => `${of()}/holds`, status: 200 },
    'POST /api/organisations/:organisation/holds': {
      path: () => `${of()}/holds`,
      body: hold,
      status: 201,
      badValues: [
        ['scope', 'all'],
        ['of', 'nowhere.example'],
        ['reason', ' '],
        ['owner', ''],
        ['review_on', 'soon'],
        ['review_on', inDays(91)],
      ],
    },
    'PUT /api/organisations/:organisation/holds/:hold/review': {
      path: async () => `${of()}/holds/${await placed()}/review`,
      body: () => ({ review_on: inDays(60) }),
      status: 200,
      badValues: [['review_on', inDays(0)]],
      badParams: [['/api/organisations/1/holds/x/review', 'hold']],
    },
    'PUT /api/organisations/:organisation/holds/:hold/release': {
      path: async () => `${of()}/holds/${await placed()}/release`,
      body: () => ({ reason: 'settled' }),
      status: 200,
      badValues: [['reason', ' ']],
    },
  };
};
