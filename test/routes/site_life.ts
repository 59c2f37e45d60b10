import type { Asker, Examples } from './example.ts';

/** Sites as a whole: renamed, emptied, deleted, moved. Each try has a site of its own, since it may be the last of it. */
export const examples: Examples = ({ site, organisation, people, next, call }) => {
  async function newSite(by: Asker | undefined, organisationId?: number): Promise<string> {
    const domain = `life-${next()}.${by === people.rival ? 'rival.example' : site}`;
    const query = organisationId === undefined ? '' : `?organisation_id=${organisationId}`;
    const made = await call('POST', `/api/sites${query}`, by, { domain, timezone: 'UTC', currency: 'EUR' });
    if (made.status !== 201) throw new Error(made.text);
    return domain;
  }
  const ownSite = () => newSite(people.owner, organisation());
  /** The body names the domain once more, so it is kept until the body is asked for. */
  let typed = '';
  async function typedSite(rest: string): Promise<string> {
    typed = await ownSite();
    return `/api/sites/${typed}${rest}`;
  }
  async function deleting(): Promise<string> {
    const path = await typedSite('/deletion');
    await call('PUT', path, people.owner, { domain: typed });
    return path;
  }
  async function former(): Promise<string> {
    const domain = await ownSite();
    const to = `life-${next()}.${site}`;
    await call('PUT', `/api/sites/${domain}/domain`, people.owner, { domain: to });
    return `/api/sites/${to}/former-domains/${domain}`;
  }
  const nobody = 'nobody@nowhere.example';
  /** Of the organisation, to nobody; the one before is taken back, since only so many may wait. */
  let given = '';
  async function offerOut(): Promise<string> {
    if (given !== '') await call('DELETE', given, people.owner);
    const domain = await ownSite();
    const made = await call('POST', `/api/sites/${domain}/moves`, people.owner, { to: nobody });
    given = `/api/sites/${domain}/moves/${String(made.body.id)}`;
    return given;
  }
  /** From the other organisation to this one. */
  let received = '';
  async function offerIn(rest: string): Promise<string> {
    if (received !== '') await call('DELETE', received, people.rival);
    const domain = await newSite(people.rival);
    const { body } = await call('GET', `/api/organisations/${organisation()}`, people.owner);
    const made = await call('POST', `/api/sites/${domain}/moves`, people.rival, { to: body.slug });
    if (made.status !== 201) throw new Error(made.text);
    received = `/api/sites/${domain}/moves/${String(made.body.id)}`;
    return `/api/organisations/${organisation()}/site-moves/${String(made.body.id)}${rest}`;
  }
  const offers = (rest = '') => `/api/organisations/${organisation()}/site-moves${rest}`;
  const badMoves = (rest: string): [string, string][] => [
    [`/api/organisations/1/site-moves/first${rest}`, 'id'],
    [`/api/organisations/1/site-moves/0${rest}`, 'id'],
  ];
  return {
    'GET /api/sites/:domain/life': { path: () => `/api/sites/${site}/life`, status: 200 },
    'GET /api/sites/:domain/contents': { path: () => `/api/sites/${site}/contents`, status: 200 },
    'PUT /api/sites/:domain/domain': {
      path: async () => `/api/sites/${await ownSite()}/domain`,
      body: () => ({ domain: `life-${next()}.${site}` }),
      status: 200,
      badValues: [
        ['domain', ''],
        ['domain', 'no domain'],
        ['domain', 'a\u0000b.example'],
        ['domain', 'x'.repeat(254)],
      ],
    },
    'DELETE /api/sites/:domain/former-domains/:former': { path: former, status: 204 },
    'POST /api/sites/:domain/emptyings': {
      path: () => typedSite('/emptyings'),
      body: () => ({ domain: typed }),
      status: 202,
      badValues: [
        ['domain', 'another.example'],
        ['domain', ''],
      ],
    },
    'PUT /api/sites/:domain/deletion': {
      path: () => typedSite('/deletion'),
      body: () => ({ domain: typed }),
      status: 202,
      badValues: [['domain', 'another.example']],
    },
    'DELETE /api/sites/:domain/deletion': { path: deleting, status: 200 },
    'POST /api/sites/:domain/moves': {
      path: async () => {
        await offerOut();
        return `/api/sites/${await ownSite()}/moves`;
      },
      body: () => ({ to: nobody }),
      status: 201,
      badValues: [
        ['to', ''],
        ['to', 'no-such-organisation'],
        ['to', 'a\u0000b'],
      ],
    },
    'DELETE /api/sites/:domain/moves/:id': {
      path: offerOut,
      status: 204,
      badParams: [[`/api/sites/${site}/moves/0`, 'id']],
    },
    'GET /api/organisations/:organisation/site-removals': {
      path: () => `/api/organisations/${organisation()}/site-removals`,
      status: 200,
    },
    'GET /api/organisations/:organisation/site-moves': { path: () => offers(), status: 200 },
    'GET /api/organisations/:organisation/site-moves/:id': {
      path: () => offerIn(''),
      status: 200,
      badParams: badMoves(''),
    },
    'PUT /api/organisations/:organisation/site-moves/:id/acceptance': {
      path: () => offerIn('/acceptance'),
      status: 204,
      badParams: badMoves('/acceptance'),
    },
    'PUT /api/organisations/:organisation/site-moves/:id/refusal': {
      path: () => offerIn('/refusal'),
      status: 204,
      badParams: badMoves('/refusal'),
    },
  };
};
