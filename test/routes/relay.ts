import type { Examples } from './example.ts';

/** Settings of the conversion relay: sources, mappings, destinations and routes. */
export const examples: Examples = ({ organisation, people, next, call }) => {
  const base = () => `/api/organisations/${organisation()}/relay`;
  const newSource = () => ({ name: `source ${next()}`, kind: 'http', preset: 'canonical' });
  const newDestination = () => ({
    ...{ kind: 'meta-capi', name: `destination ${next()}`, settings: { dataset_id: '1234567890' } },
  });
  const mapping = {
    fields: {
      event_name: { default: 'purchase' },
      order_id: 'id',
      occurred_at: 'at',
      value: 'total',
      currency: 'currency',
    },
  };
  async function made(path: string, body: unknown): Promise<number> {
    const answer = await call('POST', `${base()}${path}`, people.owner, body);
    if (answer.status !== 201) throw new Error(answer.text);
    return ((answer.body.source as { id: number } | undefined)?.id ?? answer.body.id) as number;
  }
  const source = (more: object = {}) => made('/sources', { ...newSource(), ...more });
  const destination = () => made('/destinations', newDestination());
  /** Those of which nothing is changed for good are made once: an organisation has two hundred at most. */
  const kept = new Map<string, Promise<number>>();
  function keep(name: string, make: () => Promise<number>): Promise<number> {
    const known = kept.get(name) ?? make();
    kept.set(name, known);
    return known;
  }
  const keptSource = () => keep('source', () => source());
  const keptDestination = () => keep('destination', destination);
  const signed = () =>
    keep('signed', () => source({ signature: { scheme: 'hmac', header: 'x-signature', secret: 'a-long-secret' } }));
  const ends = { source_id: 0, destination_id: 0 };
  async function findEnds(): Promise<void> {
    ends.source_id = await keptSource();
    ends.destination_id = await keptDestination();
  }
  const route = async () => {
    await findEnds();
    return made('/routes', ends);
  };
  const ofSource = (rest = '') => ({ path: async () => `${base()}/sources/${await keptSource()}${rest}` });
  /** What cannot be read is refused before anybody asks whose it is. */
  const any = '/api/organisations/1/relay';
  const noSource = (rest = ''): [string, string][] => [
    [`${any}/sources/first${rest}`, 'source'],
    [`${any}/sources/0${rest}`, 'source'],
  ];
  const sources = '/api/organisations/:organisation/relay/sources';
  const destinations = '/api/organisations/:organisation/relay/destinations';
  const routes = '/api/organisations/:organisation/relay/routes';
  return {
    [`GET ${sources}`]: {
      path: async () => {
        // It comes first in the table: what is kept is there before anybody compares rows.
        await Promise.all([findEnds(), signed()]);
        return `${base()}/sources`;
      },
      status: 200,
    },
    [`POST ${sources}`]: {
      path: () => `${base()}/sources`,
      body: newSource,
      status: 201,
      badValues: [
        ['name', ' '],
        ['name', 'a\u0000b'],
        ['name', 'x'.repeat(81)],
        ['kind', 'mail'],
        ['preset', 'nothing'],
        ['site_id', 2_000_000_000],
        ['signature', { scheme: 'hmac', secret: 'a-long-secret' }],
        ['signature', { scheme: 'shopify', secret: 'a-long-secret', header: 'x-other' }],
        ['signature', { scheme: 'shopify', secret: 'short' }],
        // What only goals have.
        ['click_ids', true],
        ['ip_and_agent', true],
        ['browser_ids', true],
        ['pixel_calls', true],
      ],
    },
    [`GET ${sources}/:source`]: { ...ofSource(), status: 200, badParams: noSource() },
    [`PATCH ${sources}/:source`]: {
      ...ofSource(),
      body: () => ({ name: `source ${next()}`, doubles_minutes: 20, unmapped_status: 422, requests_per_minute: 600 }),
      status: 200,
      badValues: [
        ['name', ''],
        ['unmapped_status', 500],
        ['doubles_minutes', 0],
        ['raw_days', 31],
        ['intake_days', 91],
        ['requests_per_minute', 0],
        ['state', 'off'],
        ['site_id', 2_000_000_000],
        ['click_ids', true],
        ['ip_and_agent', 'yes'],
        ['browser_ids', true],
        ['pixel_calls', 'yes'],
      ],
      badParams: noSource(),
    },
    [`POST ${sources}/:source/addresses`]: {
      ...ofSource('/addresses'),
      status: 201,
      badParams: noSource('/addresses'),
    },
    [`POST ${sources}/:source/secrets`]: {
      path: async () => `${base()}/sources/${await signed()}/secrets`,
      body: () => ({ secret: `secret-number-${next()}` }),
      status: 201,
      badValues: [
        ['secret', 'short'],
        ['secret', 'two words of it'],
      ],
      badParams: noSource('/secrets'),
    },
    [`GET ${sources}/:source/contents`]: {
      ...ofSource('/contents'),
      status: 200,
      badParams: noSource('/contents'),
    },
    [`DELETE ${sources}/:source`]: {
      path: async () => `${base()}/sources/${await source()}`,
      status: 204,
      badParams: noSource(),
    },
    [`GET ${sources}/:source/captures`]: {
      ...ofSource('/captures'),
      status: 200,
      badParams: noSource('/captures'),
    },
    [`GET ${sources}/:source/mappings`]: {
      ...ofSource('/mappings'),
      status: 200,
      badParams: noSource('/mappings'),
    },
    [`POST ${sources}/:source/mappings`]: {
      path: async () => `${base()}/sources/${await source()}/mappings`,
      body: () => ({ mapping, note: 'the shop', after: 1 }),
      status: 201,
      badValues: [
        ['mapping', { fields: { surname: 'a' } }],
        ['mapping', { fields: { value: { path: 'a[' } } }],
        ['note', 'x'.repeat(201)],
        ['after', -1],
      ],
      badParams: noSource('/mappings'),
    },
    [`GET ${sources}/:source/mappings/:version`]: {
      ...ofSource('/mappings/1'),
      status: 200,
      badParams: [[`${any}/sources/1/mappings/0`, 'version']],
    },
    [`GET ${sources}/:source/mappings/:version/file`]: {
      ...ofSource('/mappings/1/file'),
      status: 200,
      badParams: [[`${any}/sources/1/mappings/new/file`, 'version']],
    },
    [`POST ${sources}/:source/mappings/:version/restoration`]: {
      path: async () => `${base()}/sources/${await source()}/mappings/1/restoration`,
      body: () => ({ after: 1, note: 'back again' }),
      status: 201,
      badValues: [['note', ' ']],
      badParams: [[`${any}/sources/1/mappings/0/restoration`, 'version']],
    },
    [`POST ${sources}/:source/try`]: {
      ...ofSource('/try'),
      body: () => ({ request: { body: '{"event_name":"purchase"}', headers: { 'content-type': 'application/json' } } }),
      status: 200,
      badValues: [
        ['request', { method: 'PUT', body: '{}' }],
        ['capture_id', 'first'],
        ['mapping', 'all of it'],
      ],
      badParams: noSource('/try'),
    },
    [`POST ${sources}/:source/tests`]: {
      ...ofSource('/tests'),
      body: () => ({}),
      status: 200,
      badValues: [['mapping', []]],
      badParams: noSource('/tests'),
    },
    [`GET ${destinations}`]: { path: () => `${base()}/destinations`, status: 200 },
    [`POST ${destinations}`]: {
      path: () => `${base()}/destinations`,
      body: newDestination,
      status: 201,
      badValues: [
        ['kind', 'carrier-pigeon'],
        ['name', ' '],
        ['settings', {}],
        ['settings', { dataset_id: 'mine' }],
        ['settings', { dataset_id: '1', test_event_code: 'TEST1' }],
        ['secret', 'abc'],
        ['connection_id', 2_000_000_000],
        ['unknown_consent', 'send'],
        ['test_code', 'two words'],
        ['is_dry_run', true],
      ],
    },
    [`GET ${destinations}/:destination`]: {
      path: async () => `${base()}/destinations/${await keptDestination()}`,
      status: 200,
      badParams: [[`${any}/destinations/0`, 'destination']],
    },
    [`PATCH ${destinations}/:destination`]: {
      path: async () => `${base()}/destinations/${await keptDestination()}`,
      body: () => ({ name: `destination ${next()}`, settings: { dataset_id: '987' }, state: 'active' }),
      status: 200,
      badValues: [
        ['state', 'reconnect'],
        ['settings', { pixel: '1' }],
        ['is_dry_run', true],
      ],
      badParams: [[`${any}/destinations/one`, 'destination']],
    },
    [`DELETE ${destinations}/:destination`]: {
      path: async () => `${base()}/destinations/${await destination()}`,
      status: 204,
      badParams: [[`${any}/destinations/0`, 'destination']],
    },
    [`GET ${routes}`]: { path: () => `${base()}/routes`, status: 200 },
    [`POST ${routes}`]: {
      path: async () => {
        await findEnds();
        return `${base()}/routes`;
      },
      body: () => ({ ...ends, rules: { events: [{ name: 'purchase', as: 'Purchase' }] } }),
      status: 201,
      badValues: [
        ['source_id', 2_000_000_000],
        ['destination_id', 2_000_000_000],
        ['rules', { value: { factor: 'half' } }],
        ['rules', { when: { path: 'a[', exists: true } }],
      ],
    },
    [`PATCH ${routes}/:route`]: {
      path: async () => `${base()}/routes/${await route()}`,
      body: () => ({ version: 1, state: 'paused', rules: { hold: true } }),
      status: 200,
      badValues: [
        ['state', 'off'],
        ['version', 0],
      ],
      badParams: [[`${any}/routes/0`, 'route']],
    },
    [`DELETE ${routes}/:route`]: {
      path: async () => `${base()}/routes/${await route()}`,
      status: 204,
      badParams: [[`${any}/routes/first`, 'route']],
    },
    'POST /api/organisations/:organisation/relay/route-tests': {
      path: async () => {
        await findEnds();
        return `${base()}/route-tests`;
      },
      body: () => ({ ...ends, rules: {} }),
      status: 200,
      badValues: [
        ['source_id', 2_000_000_000],
        ['destination_id', 2_000_000_000],
      ],
    },
  };
};
