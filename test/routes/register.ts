import type { Examples } from './example.ts';

const statement = () => ({
  ...{ legal_name: 'Post of the desk', country: 'DE', basis: 'adequacy' },
  ...{ contract: 'Folder 3', contract_on: '2026-01-31', checked_on: '2026-11-01' },
  ...{ policy_url: 'https://mail.desk.example/privacy', terms_url: 'https://mail.desk.example/terms' },
});

/** The register of receivers; what is stated here is about a mail server, so there has to be one. */
export const examples: Examples = ({ organisation, people, call }) => ({
  'GET /api/organisations/:organisation/subprocessors': {
    path: () => `/api/organisations/${organisation()}/subprocessors`,
    status: 200,
    badParams: [['/api/organisations/x/subprocessors', 'organisation']],
  },
  'PUT /api/subprocessors/:receiver': {
    async path() {
      const server = { host: 'mail.desk.example', port: 587, tls: 'starttls', from: 'Fairlead <desk@desk.example>' };
      await call('PUT', '/api/mail/server', people.owner, server);
      return '/api/subprocessors/mail';
    },
    body: statement,
    status: 200,
    badValues: [
      ['legal_name', ' '],
      ['country', 'Germany'],
      ['basis', 'trust'],
      ['contract_on', 'yesterday'],
      ['policy_url', 'javascript:alert(1)'],
      ['terms_url', 'http://mail.desk.example/'],
    ],
  },
});
