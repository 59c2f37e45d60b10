import type { Examples } from './example.ts';

/** The register of incidents of the organisation. */
export const examples: Examples = ({ site, organisation, asOwner, call, people }) => {
  const of = () => `/api/organisations/${organisation()}/incidents`;
  const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const incident = () => ({
    ...{ title: 'A lost laptop', what: 'It was signed in.', severity: 'high', classes: ['D3', 'D7'], sites: [site] },
    // With an offset, as well as in UTC.
    ...{ began_at: ago(5).replace('Z', '+00:00'), known_at: ago(2) },
  });
  const opened = async () => `${of()}/${(await call('POST', of(), people.owner, incident())).body.id}`;
  return {
    'GET /concern/:organisation': { path: () => '/concern/nobody-of-this-name', status: 404 },
    'POST /concern/:organisation': { path: () => '/concern/nobody-of-this-name', status: 404 },
    'GET /api/organisations/:organisation/incidents': {
      path: of,
      status: 200,
      badParams: [['/api/organisations/1/incidents?before=first', 'before']],
    },
    'POST /api/organisations/:organisation/incidents': {
      path: of,
      body: incident,
      status: 201,
      badValues: [
        ['title', ' '],
        ['severity', 'none'],
        ['classes', ['D99']],
        ['sites', ['nowhere.example']],
        ['began_at', ago(1)],
        ['known_at', ago(-1)],
        ['draft', 0],
      ],
    },
    'GET /api/organisations/:organisation/incidents/:incident': { path: opened, status: 200 },
    'GET /api/organisations/:organisation/incidents/:incident/affected': {
      path: async () => `${await opened()}/affected`,
      status: 200,
    },
    'POST /api/organisations/:organisation/incidents/:incident/entries': {
      path: async () => `${await opened()}/entries`,
      body: () => ({ kind: 'measure', said: 'Its sessions were ended.' }),
      status: 201,
      badValues: [['kind', 'told']],
    },
    'PUT /api/organisations/:organisation/incidents/:incident/report': {
      path: async () => `${await opened()}/report`,
      body: () => ({ authority: 'CNPD', told_at: ago(1) }),
      status: 200,
      badValues: [
        ['told_at', ago(9)],
        ['told_at', ago(-1)],
        ['untold_reason', 'Its disk is encrypted.'],
      ],
    },
    'GET /api/organisations/:organisation/incident-drafts': {
      path: () => `/api/organisations/${organisation()}/incident-drafts`,
      status: 200,
    },
    'PUT /api/organisations/:organisation/incident-drafts/:draft': {
      async path() {
        const { rows } = await asOwner((sql) =>
          sql.query<{ id: string }>(
            `INSERT INTO incident_drafts (organisation_id, kind, what, raised_at) VALUES ($1, 'mass_export', 'x', now()) RETURNING id`,
            [organisation()],
          ),
        );
        return `/api/organisations/${organisation()}/incident-drafts/${rows[0]?.id}`;
      },
      body: () => ({ dismissed_because: 'It was the test of a colleague.' }),
      status: 200,
      badValues: [['dismissed_because', ' ']],
    },
    'PUT /api/organisations/:organisation/incidents/:incident/closing': {
      async path() {
        const one = await opened();
        await call('PUT', `${one}/report`, people.owner, { authority: 'CNPD', told_at: ago(1) });
        return `${one}/closing`;
      },
      body: () => ({ said: 'It was found again.' }),
      status: 200,
      badValues: [['said', ' ']],
    },
  };
};
