import type { Examples } from './example.ts';

/** What the relay says of its conversions, and their deletion. */
export const examples: Examples = ({ organisation, asOwner, next, call, people, server }) => {
  const base = () => `/api/organisations/${organisation()}/relay`;
  /** What cannot be read is refused before anybody asks whose it is. */
  const any = '/api/organisations/1/relay';
  const id = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

  /** A conversion as the loader writes one; requests to sources would need a sender. */
  async function conversion(): Promise<string> {
    const made = id(next());
    await asOwner(async (sql) => {
      await sql.query(
        `INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent,
           region, mapping_version, raw_days, settled_at)
         VALUES ($1, $2, 1, 'purchase', now(), now(), '{"event_name":"purchase"}', '{}', '{}', 'eea', 1, 7, now())`,
        [organisation(), made],
      );
    });
    return made;
  }
  let kept: Promise<string> | undefined;
  const keptConversion = () => {
    kept ??= conversion();
    return kept;
  };
  /** A request that a source could make nothing of: it is in the intake log, and kept whole. */
  async function request(): Promise<string> {
    const added = await call('POST', `${base()}/sources`, people.owner, {
      ...{ name: `asked ${next()}`, kind: 'http', preset: 'canonical' },
    });
    const { pathname } = new URL(String(added.body.address));
    const answer = await call('POST', pathname, {}, { event_name: 'purchase' });
    await server().desk.house.spool.drain(20_000);
    return String(answer.body.request);
  }
  let once: Promise<string> | undefined;
  const keptRequest = () => {
    once ??= request();
    return once;
  };
  const prefix = '/api/organisations/:organisation/relay';
  const badFilters: [string, unknown][] = [
    ['ids', []],
    ['ids', ['first']],
    ['filter', {}],
    ['filter', { state: 'lost' }],
    ['everything', false],
  ];
  return {
    [`GET ${prefix}/overview`]: {
      path: () => `${base()}/overview?period=7d`,
      status: 200,
      badParams: [[`${any}/overview?period=year`, 'period']],
    },
    [`GET ${prefix}/conversions`]: {
      path: () => `${base()}/conversions?state=dead&reason=too_old&event=purchase&limit=5`,
      status: 200,
      badParams: [
        [`${any}/conversions?limit=101`, 'limit'],
        [`${any}/conversions?state=lost`, 'state'],
        [`${any}/conversions?cursor=first`, 'cursor'],
        [`${any}/conversions?from=yesterday`, 'from'],
        [`${any}/conversions?source=0`, 'source'],
      ],
    },
    [`GET ${prefix}/conversions/:conversion`]: {
      path: async () => `${base()}/conversions/${await keptConversion()}`,
      status: 200,
      badParams: [[`${any}/conversions/first`, 'conversion']],
    },
    [`GET ${prefix}/captures/:capture`]: {
      path: async () => `${base()}/captures/${await keptRequest()}`,
      status: 200,
      badParams: [[`${any}/captures/first`, 'capture']],
    },
    [`POST ${prefix}/captures/:capture/reveals`]: {
      path: async () => `${base()}/captures/${await keptRequest()}/reveals`,
      body: () => ({ reason: 'A sender asks what it sent' }),
      status: 201,
      badValues: [['reason', ' ']],
      badParams: [[`${any}/captures/first/reveals`, 'capture']],
    },
    [`GET ${prefix}/requests`]: {
      path: () => `${base()}/requests?outcome=refused&status=400&way=request&limit=5`,
      status: 200,
      badParams: [
        [`${any}/requests?limit=0`, 'limit'],
        [`${any}/requests?outcome=lost`, 'outcome'],
        [`${any}/requests?way=pigeon`, 'way'],
        [`${any}/requests?status=99`, 'status'],
      ],
    },
    [`GET ${prefix}/requests/:request`]: {
      path: async () => `${base()}/requests/${await keptRequest()}`,
      status: 200,
      badParams: [[`${any}/requests/first`, 'request']],
    },
    [`GET ${prefix}/match-quality`]: {
      path: () => `${base()}/match-quality?period=30d`,
      status: 200,
      badParams: [[`${any}/match-quality?period=1y`, 'period']],
    },
    [`GET ${prefix}/browser-share`]: {
      path: () => `${base()}/browser-share?period=30d`,
      status: 200,
      badParams: [[`${any}/browser-share?period=1y`, 'period']],
    },
    [`POST ${prefix}/deletion-previews`]: {
      path: () => `${base()}/deletion-previews`,
      body: () => ({ filter: { state: 'dead' } }),
      status: 200,
      badValues: badFilters,
    },
    [`POST ${prefix}/deletions`]: {
      path: () => `${base()}/deletions`,
      body: () => ({ ids: [id(next())] }),
      status: 201,
      badValues: badFilters,
    },
    [`GET ${prefix}/deletions`]: { path: () => `${base()}/deletions`, status: 200 },
  };
};
