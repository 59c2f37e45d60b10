import { randomUUID } from 'node:crypto';
import type { Examples } from './example.ts';

/** Deliveries of the conversion relay. */
export const examples: Examples = ({ organisation, asOwner, next }) => {
  const of = () => `/api/organisations/${organisation()}/relay`;
  const at = '2026-11-30T09:00:00Z';
  async function destination(): Promise<number> {
    const { rows } = await asOwner((sql) =>
      sql.query<{ id: number }>(
        `INSERT INTO relay_destinations (organisation_id, kind, name, settings, state, state_since, created_at)
         VALUES ($1, 'meta-capi', $2, '{"dataset_id":"1"}', 'reconnect', $3, $3) RETURNING id`,
        [organisation(), `Dataset ${next()}`, at],
      ),
    );
    return Number(rows[0]?.id);
  }
  /** One of a conversion of now, at a destination that nothing is sent to. */
  async function delivery(state: string): Promise<number> {
    const to = await destination();
    const conversion = randomUUID();
    const { rows } = await asOwner(async (sql) => {
      await sql.query(
        `INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent, region,
           mapping_version, raw_days) VALUES ($1, $2, 1, 'purchase', now(), now(), jsonb_build_object('event_name', 'purchase', 'occurred_at', to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
           '{}', '{}', 'other', 1, 7)`,
        [organisation(), conversion],
      );
      return sql.query<{ id: number }>(
        `INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, state, next_at, created_at, settled_at)
         VALUES ($1, $2, 1, $3, $4, $5, now(), now(), CASE WHEN $5 IN ('accepted', 'dead', 'withheld', 'cancelled') THEN now() END) RETURNING id`,
        [organisation(), conversion, to, conversion, state],
      );
    });
    return Number(rows[0]?.id);
  }
  let id = 0;
  const choice = (state: string, status: number) => ({
    bodyOfPath: true as const,
    body: () => ({ ids: [id] }),
    status,
    badValues: [
      ['ids', []],
      ['ids', ['x']],
      ['destination', 0],
      ['from', 'yesterday'],
      ['reason', ''],
    ] as [string, unknown][],
    state,
  });
  const changing = (path: string, state: string, status: number) => {
    const { state: _state, ...rest } = choice(state, status);
    return {
      ...rest,
      async path() {
        id = await delivery(state);
        return `${of()}/${path}`;
      },
    };
  };
  return {
    'GET /api/organisations/:organisation/relay/deliveries': {
      path: () => `${of()}/deliveries?state=dead&limit=10`,
      status: 200,
      badParams: [
        ['/api/organisations/1/relay/deliveries?state=lost', 'state'],
        ['/api/organisations/1/relay/deliveries?limit=1000', 'limit'],
      ],
    },
    'GET /api/organisations/:organisation/relay/deliveries/:delivery': {
      path: async () => `${of()}/deliveries/${await delivery('dead')}`,
      status: 200,
      badParams: [['/api/organisations/1/relay/deliveries/x', 'delivery']],
    },
    'GET /api/organisations/:organisation/relay/dead-letters': {
      async path() {
        await delivery('dead');
        return `${of()}/dead-letters?from=2026-11-01T00:00:00Z`;
      },
      status: 200,
      badParams: [['/api/organisations/1/relay/dead-letters?from=yesterday', 'from']],
    },
    'POST /api/organisations/:organisation/relay/replays/preview': changing('replays/preview', 'dead', 200),
    'POST /api/organisations/:organisation/relay/replays': changing('replays', 'dead', 202),
    'POST /api/organisations/:organisation/relay/approvals': changing('approvals', 'held', 202),
    'POST /api/organisations/:organisation/relay/cancellations': changing('cancellations', 'held', 200),
  };
};
