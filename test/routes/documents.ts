import type { Examples } from './example.ts';

/** Who the organisation is, its documents and the public list of who receives something. */
export const examples: Examples = ({ organisation, people, call }) => {
  const of = () => `/api/organisations/${organisation()}`;
  const today = () => new Date().toISOString().slice(0, 10);
  const party = {
    ...{ legal_name: 'Shop and Sons', address: '1 Quay\nHarbour', jurisdiction: 'Germany', registration: '' },
    ...{
      contact: 'data@shop.example',
      officer: 'None has to be appointed',
      representative: '',
      authority: 'The authority',
    },
  };
  let digest = '';
  let accepted = 0;
  /** The digest of the document as it is now, with everything that it needs and read by somebody where that is wanted. */
  async function ready(kind: string, isRead: boolean): Promise<string> {
    await call('PUT', `${of()}/identity`, people.owner, { ...party, measuring_basis: 'Legitimate interests' });
    await call('PUT', '/api/desk/identity', people.owner, party);
    digest = String((await call('GET', `${of()}/documents/${kind}`, people.owner)).body.digest);
    if (isRead) await call('POST', `${of()}/documents/${kind}/reviews`, people.owner, { digest });
    return `${of()}/documents/${kind}`;
  }
  const tooLong: [string, unknown][] = [
    ['legal_name', 'x'.repeat(201)],
    ['contact', 'a\u0000b'],
  ];
  return {
    'GET /api/organisations/:organisation/identity': {
      path: () => `${of()}/identity`,
      status: 200,
      badParams: [['/api/organisations/x/identity', 'organisation']],
    },
    'PUT /api/organisations/:organisation/identity': {
      path: () => `${of()}/identity`,
      body: () => ({ ...party, measuring_basis: 'Legitimate interests: to know what is read' }),
      status: 200,
      badValues: tooLong,
    },
    'GET /api/desk/identity': { own: true, path: () => '/api/desk/identity', status: 200 },
    'PUT /api/desk/identity': {
      own: true,
      path: () => '/api/desk/identity',
      body: () => party,
      status: 200,
      badValues: tooLong,
    },
    'GET /opt-out/:organisation': { path: () => '/opt-out/nobody-of-this-name', status: 404 },
    'GET /api/organisations/:organisation/documents': { path: () => `${of()}/documents`, status: 200 },
    'GET /api/organisations/:organisation/documents/:kind': {
      path: () => `${of()}/documents/cookies`,
      status: 200,
      badParams: [['/api/organisations/1/documents/imprint', 'kind']],
    },
    'POST /api/organisations/:organisation/documents/:kind/reviews': {
      path: async () => `${await ready('retention', false)}/reviews`,
      body: () => ({ digest }),
      status: 201,
      badValues: [['digest', 'short']],
    },
    'POST /api/organisations/:organisation/documents/:kind/versions': {
      async path() {
        // Each time with other words, since the same are published once.
        party.legal_name = `Shop and Sons ${Math.random()}`;
        return `${await ready('privacy-notice', true)}/versions`;
      },
      body: () => ({ digest, effective_on: today() }),
      status: 201,
      badValues: [
        ['digest', 'short'],
        ['effective_on', 'soon'],
        ['effective_on', '2020-01-01'],
      ],
    },
    'POST /api/organisations/:organisation/agreement-acceptances': {
      async path() {
        const path = await ready('processing-agreement', true);
        await call('POST', `${path}/versions`, people.owner, { digest, effective_on: today() });
        const { versions } = (await call('GET', path, people.owner)).body as unknown as {
          versions: { version: number }[];
        };
        accepted = versions[0]?.version ?? 0;
        return `${of()}/agreement-acceptances`;
      },
      body: () => ({ version: accepted }),
      status: 201,
      badValues: [['version', 0]],
    },
    'GET /api/organisations/:organisation/subprocessor-lists': {
      path: () => `${of()}/subprocessor-lists`,
      status: 200,
    },
    'POST /api/subprocessor-lists': {
      async path() {
        const server = { host: 'mail.desk.example', port: 587, tls: 'starttls', from: 'Fairlead <desk@desk.example>' };
        await call('PUT', '/api/mail/server', people.owner, server);
        const statement = { legal_name: `Post ${Math.random()}`, country: 'DE' };
        await call('PUT', '/api/subprocessors/mail', people.owner, statement);
        return '/api/subprocessor-lists';
      },
      body: () => ({ effective_on: new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10) }),
      bodyOfPath: true,
      status: 201,
      badValues: [
        ['effective_on', 'soon'],
        ['effective_on', '2020-01-01'],
      ],
    },
    'GET /legal/:organisation': { path: () => '/legal/nobody-here', status: 404 },
    'GET /legal/:organisation/:document': { path: () => '/legal/nobody-here/retention', status: 404 },
    'GET /legal/:organisation/:document/:version': { path: () => '/legal/nobody-here/retention/1', status: 404 },
  };
};
