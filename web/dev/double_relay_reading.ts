import type { DeadLetters } from '../../contract/deliveries.ts';
import type { DeliveryState } from '../../contract/relay.ts';
import type {
  BrowserShare,
  ConversionStory,
  DeletionReceipt,
  IntakeLine,
  ListedConversion,
  MatchQuality,
  RelayFlow,
  RelayOverview,
  StoryDelivery,
} from '../../contract/relay_reading.ts';

/** Conversions of a small shop, in every state that there is; an organisation that is new has none. */
export function relayReadingOf(
  method: string,
  path: string,
  search: URLSearchParams,
  isNew: boolean,
): { status: number; body: unknown } | undefined {
  const rest = /^\/api\/organisations\/\d+\/relay\/(.+)$/.exec(path)?.[1];
  if (rest === undefined) return undefined;
  const ok = (body: unknown, status = 200) => ({ status, body });
  const gone = { status: 404, body: { error: { code: 'not_found', message: 'It is not kept any more.' } } };
  if (rest === 'overview') return ok(isNew || search.get('period') === '90d' ? nothing : overview);
  if (rest === 'match-quality') return ok(isNew ? { ...quality, kinds: [], sources: [], conversions: 0 } : quality);
  if (rest === 'browser-share') return ok(isNew ? { ...browserShare, ...noShare } : browserShare);
  if (rest === 'conversions') return ok(conversionsOf(search, isNew));
  if (rest.startsWith('conversions/')) return rest.endsWith(idOf(99)) ? gone : ok(story);
  if (rest === 'requests') return ok(requestsOf(search, isNew));
  if (rest.startsWith('requests/')) return ok(requestStory);
  if (/^captures\/[^/]+$/.test(rest)) return ok(capture);
  if (rest.endsWith('/reveals')) return ok({ ...capture, is_revealed: true, body: '{"order":{"email":"…"}}' }, 201);
  if (rest === 'dead-letters') return ok(deadOf(search, isNew));
  if (rest === 'replays/preview')
    return ok({
      ...{ deliveries: 9, too_old: 2 },
      by_destination: [
        { destination_id: 1, deliveries: 9, too_old: 1 },
        { destination_id: 3, deliveries: 0, too_old: 1 },
      ],
      looked_at: 9,
      aside: [
        {
          destination_id: 1,
          state: 'withheld',
          reason: 'consent_denied',
          field: 'consent.ad_user_data',
          deliveries: 2,
        },
        { destination_id: 1, state: 'dead', reason: 'missing', field: 'user.user_agent', deliveries: 1 },
      ],
    });
  if (rest === 'replays') return ok({ deliveries: 9, too_old: 2, is_all: true }, 202);
  if (rest === 'deletion-previews') return ok(preview);
  if (rest === 'deletions') return method === 'GET' ? ok({ deletions: isNew ? [] : [receipt] }) : ok(receipt, 201);
  return undefined;
}

const minuteMs = 60_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * minuteMs).toISOString();
const idOf = (number: number) => `0b5d7c1e-4a2f-4c38-9e1d-${String(number).padStart(12, '0')}`;
const sources = [
  { id: 1, name: 'WooCommerce orders' },
  { id: 2, name: 'Swatch request form' },
  { id: 3, name: 'Stripe' },
];
const destinations = [
  { id: 1, name: 'Meta, shop pixel', kind: 'meta-capi' },
  { id: 2, name: 'Google Data Manager', kind: 'google-data-manager' },
  { id: 3, name: 'TikTok', kind: 'tiktok' },
  { id: 4, name: 'GA4', kind: 'ga4' },
];

const deadGroups: DeadLetters['groups'] = [
  { destination_id: 1, reason: '100/2804003', field: null, deliveries: 9, too_old: 0 },
  { destination_id: 3, reason: 'no_identifier', field: 'user', deliveries: 2, too_old: 0 },
  { destination_id: 2, reason: 'no_identifier', field: 'user', deliveries: 1, too_old: 1 },
  { destination_id: 9, reason: 'too_old', field: 'occurred_at', deliveries: 4, too_old: 4 },
].map((one) => ({ ...one, first_at: ago(4_000), last_at: ago(30), oldest_occurred_at: ago(9_000) }));
function deadOf(search: URLSearchParams, isNew: boolean): DeadLetters {
  const groups = isNew
    ? []
    : deadGroups.filter(
        ({ destination_id, reason }) =>
          [null, String(destination_id)].includes(search.get('destination')) &&
          [null, reason].includes(search.get('reason')),
      );
  const sum = (name: 'deliveries' | 'too_old') => groups.reduce((total, one) => total + one[name], 0);
  return {
    ...{ deliveries: sum('deliveries'), too_old: sum('too_old'), groups, left_off: 0 },
    destinations: destinations.map(({ id, name }) => ({ id, name, label: name, age_days_max: id === 1 ? 7 : 90 })),
  };
}

const span = { from: ago(7 * 24 * 60), to: ago(-600), timezone: 'Europe/Berlin' };
const noFlow: RelayFlow = {
  ...{ deliveries: 0, withheld: 0, withheld_reasons: [], sent: 0, accepted: 0, dead: 0, dead_reasons: [] },
  ...{ cancelled: 0, open: 0, latency: null },
};
const nothing: RelayOverview = {
  ...{ span, set_up: { sources: 0, destinations: 0, routes: 0 }, conversions: 0, doubles: 0, routed_nowhere: 0 },
  ...{ all: noFlow, destinations: [], requests: { all: 0, taken: 0, unmapped: 0, refused: 0, reasons: [] } },
};
const flow = (deliveries: number, withheld: number, dead: number, open: number): RelayFlow => ({
  ...{ deliveries, withheld, dead, open, cancelled: 0, sent: deliveries - withheld - open + Math.min(open, 9) },
  accepted: deliveries - withheld - dead - open,
  withheld_reasons:
    withheld === 0
      ? []
      : [
          { reason: 'consent_denied', count: withheld - 41 },
          { reason: 'consent_unknown', count: 41 },
        ],
  dead_reasons: dead === 0 ? [] : [{ reason: '100/2804003', count: dead }],
  latency: { p50_ms: 640, p95_ms: 2_310 },
});
const overview: RelayOverview = {
  ...{ span, set_up: { sources: 3, destinations: 4, routes: 7 }, conversions: 2_088, doubles: 143, routed_nowhere: 12 },
  all: { ...flow(6_932, 702, 3, 47), withheld_reasons: [] },
  destinations: destinations.map(({ id, name, kind }) => ({
    ...(id === 4 ? flow(1_900, 0, 0, 38) : id === 1 ? flow(1_801, 160, 3, 0) : flow(1_615, 271, 0, id === 3 ? 9 : 0)),
    ...{ id, name, kind, label: name },
    state: id === 4 ? ('reconnect' as const) : ('active' as const),
    state_reason: id === 4 ? '190/463' : null,
    state_since: ago(320),
    queue:
      id === 4
        ? { waiting: 38, held: 0, oldest_at: ago(320) }
        : { waiting: 0, held: id === 3 ? 9 : 0, oldest_at: null },
  })),
  requests: {
    ...{ all: 2_204, taken: 2_171, unmapped: 21, refused: 12 },
    reasons: [
      { status: 202, reason: 'unknown_currency', count: 21 },
      { status: 401, reason: 'signature_wrong', count: 9 },
      { status: 400, reason: 'not_json', count: 3 },
    ],
  },
};

const states: DeliveryState[][] = [
  ['waiting', 'waiting', 'held', 'waiting'],
  ['accepted', 'accepted', 'accepted'],
  ['accepted', 'accepted', 'withheld', 'accepted'],
  ['accepted', 'dead', 'accepted', 'waiting'],
  ['withheld', 'withheld', 'withheld', 'withheld'],
  [],
];
const events = ['purchase', 'lead', 'purchase', 'purchase', 'refund', 'add_to_cart'];

function conversionsOf(search: URLSearchParams, isNew: boolean) {
  const isNone = isNew || search.get('search') === 'nothing';
  const all = Array.from({ length: isNone ? 0 : 24 }, (_, at): ListedConversion => {
    const source = sources[at % 3] as (typeof sources)[number];
    return {
      ...{ id: idOf(at), event_name: events[at % 6] as string, received_at: ago(at * 7), occurred_at: ago(at * 7 + 1) },
      ...{ order_id: `wc-${20_418 - at}`, value: at % 6 === 1 ? null : `${19 + at * 12}.90`, currency: 'EUR' },
      ...{ is_refund: at % 6 === 4, source, doubles: at === 3 ? 2 : 0 },
      deliveries: (states[at % 6] as DeliveryState[]).map((state, index) => ({
        ...{ destination_id: index + 1, state },
        reason: state === 'withheld' ? 'consent_denied' : state === 'dead' ? '100/2804003' : null,
      })),
    };
  });
  return { conversions: all, next: isNone ? null : `1.${idOf(24)}`, sources, destinations };
}

const delivery = (id: number, state: DeliveryState, more: Partial<StoryDelivery> = {}): StoryDelivery => {
  const { name, kind } = destinations[id - 1] as (typeof destinations)[number];
  return {
    ...{ id, destination: { id, name, kind, label: name }, route_id: id, state, reason: null, field: null },
    purposes: [{ purpose: 'ad_user_data', said: 'granted' }],
    ...{ browser: id === 1 ? 'same' : id === 3 ? 'unseen' : null, browser_event: 'Purchase' },
    ...{ platform_id: 'wc-20418', platform_event: 'Purchase', value: '129.90', waits_for: null, next_at: null },
    ...{ gives_up_at: null, attempt_count: 0, attempts: [], replays: 0, is_test: false, platform_result: null },
    ...{ created_at: ago(31), first_sent_at: null, settled_at: null, request: null },
    no_request: null,
    ...more,
  };
};
const attempt = { items: 14, platform_request: null, result: null, class: 'accepted', reason: null };
const story: ConversionStory = {
  ...{ id: idOf(3), source: { id: 1, name: 'WooCommerce orders', preset: 'woocommerce' } },
  ...{ site: { id: 1, domain: 'shop.example' }, event_name: 'purchase', occurred_at: ago(32), received_at: ago(31) },
  ...{ order_id: 'wc-20418', value: '129.90', currency: 'EUR', doubles: 1, settled_at: null },
  facts: {
    ...{ event_name: 'purchase', occurred_at: ago(32), order_id: 'wc-20418', value: '129.90', currency: 'EUR' },
    ...{ page_url: 'https://shop.example/checkout/thanks', click_ids: { gclid: 'Cj0KCQiA7oyNBhDiARIsADtGRZY' } },
    ...{
      utm: { source: 'google', medium: 'Paid search' },
      items: [{ id: 'linen-natural', quantity: 2, price: '64.95' }],
    },
  },
  ...{ mapping_version: 7, present: ['email', 'first_name', 'last_name', 'phone', 'zip'] },
  raw: { is_kept: true, days: 7, until: null },
  consent: { ad_user_data: 'granted', ad_personalization: 'denied' },
  ...{ region: 'eea', is_restricted: false },
  tellings: [0, 1].map((at) => ({
    ...{ id: idOf(60 + at), source: { id: at === 0 ? 1 : 3, name: at === 0 ? 'WooCommerce orders' : 'Stripe' } },
    ...{ request_id: idOf(80 + at), received_at: ago(31 - at * 2), present: at === 0 ? ['email', 'phone'] : ['email'] },
    ...{ request: lineOf(at), has_capture: at === 0 },
  })),
  deliveries: [
    delivery(1, 'accepted', {
      ...{ attempt_count: 2, first_sent_at: ago(31), settled_at: ago(30.8) },
      attempts: [
        {
          ...attempt,
          id: 11,
          sent_at: ago(31),
          ms: 1_204,
          status: 503,
          class: 'retry',
          answer: '{"error":{"status":"UNAVAILABLE"}}',
        },
        { ...attempt, id: 12, sent_at: ago(30.8), ms: 388, status: 200, answer: '{"events_received":14}' },
      ],
      request: {
        ...{ method: 'POST', url: 'https://graph.facebook.com/v25.0/1234567890/events' },
        headers: { 'content-type': 'application/json' },
        body: {
          data: [
            {
              event_name: 'Purchase',
              event_id: 'wc-20418',
              user_data: { em: ['a1b2…c3d4'], ph: ['9f8e…7d6c'] },
              custom_data: { value: 129.9, currency: 'EUR' },
            },
          ],
        },
      },
    }),
    delivery(2, 'dead', {
      ...{ reason: 'too_old', field: 'occurred_at', settled_at: ago(30) },
      no_request: { reason: 'too_old', field: 'occurred_at' },
    }),
    delivery(3, 'withheld', {
      ...{ reason: 'consent_denied', field: 'consent.ad_personalization', settled_at: ago(31) },
      purposes: [
        { purpose: 'ad_user_data', said: 'granted' },
        { purpose: 'ad_personalization', said: 'denied' },
      ],
      no_request: { reason: 'settings', field: 'pixel_code' },
    }),
    delivery(4, 'waiting', {
      ...{ reason: 'no answer', attempt_count: 3, next_at: ago(-1), gives_up_at: ago(-4_200), purposes: [] },
      no_request: { reason: 'missing', field: 'user.client_id' },
    }),
  ],
};

function lineOf(at: number): IntakeLine {
  const [status, reason, field, conversions, problems] = (
    [
      [202, null, null, 1, 0],
      [202, null, null, 1, 0],
      [202, 'unknown_currency', 'currency', 0, 1],
      [401, 'signature_wrong', null, 0, 1],
      [400, 'not_json', null, 0, 1],
      [413, 'too_large', 'body', 0, 1],
      [429, 'rate', 'requests_per_minute', 0, 0],
      [202, null, null, 2_411, 12],
    ] as const
  )[at % 8] as [number, string | null, string | null, number, number];
  const way = at % 8 === 7 ? 'upload' : at % 8 === 1 ? 'goal' : 'request';
  return {
    ...{ way, requests: status === 429 ? 318 : 1 },
    ...{ id: idOf(80 + at), source_id: 1 + (at % 3), at: ago(at * 9), status, reason, field, method: 'POST' },
    ...{ content_type: 'application/json', bytes: 1_412 + at * 71, ms: 3, conversions, problems },
  };
}

function requestsOf(search: URLSearchParams, isNew: boolean) {
  const isNone = isNew || search.get('outcome') === 'taken';
  const requests = Array.from({ length: isNone ? 0 : 18 }, (_, at) => ({
    ...lineOf(at),
    source_name: sources[at % 3]?.name ?? null,
  }));
  return { requests, next: isNone ? null : `1.${idOf(99)}`, sources, reasons: overview.requests?.reasons ?? [] };
}
const requestStory = {
  ...{ ...lineOf(2), source_name: 'Stripe', has_capture: true, upload: null, told_all: 1 },
  shape: '{"id":"text (8)","currency":"text (4)","total":"number","billing":{"email":"text (21)"}}',
  told: [
    {
      ...{ conversion_id: idOf(3), event_name: 'purchase', order_id: 'wc-20418', is_first: true },
      deliveries: [{ destination_id: 1, state: 'accepted' as const }],
    },
  ],
};
const capture = {
  ...{ id: idOf(80), received_at: ago(31), is_unmapped: false, is_revealed: false, method: 'POST' },
  ...{ url: '/in/(address)', headers: { 'content-type': 'application/json' }, body: null },
  data: {
    id: 20_418,
    currency: 'EUR',
    total: '129.90',
    billing: { email: '•••@•••••.example', phone: '+•• •• ••••••' },
  },
};

const preview = {
  ...{ conversions: 128, tellings: 141, deliveries: 402, unsent: 9, delivered: 311, captures: 12, held: 4 },
  delivered_to: [
    { destination_id: 1, name: 'Meta, shop pixel', count: 204 },
    { destination_id: 2, name: 'Google Data Manager', count: 107 },
  ],
};
const receipt: DeletionReceipt = {
  ...{ id: 3, state: 'done', asked_at: ago(900), asked_by: { type: 'person', id: 1 }, ended_at: ago(900) },
  ...{ what: 'filter', filter: { state: 'dead', source: 2 }, conversions: 128, tellings: 141, deliveries: 402 },
  ...{ unsent: 9, delivered: 311, captures: 12, held: 4, on_the_way: 0 },
};

const steps = Array.from({ length: 7 }, (_, at) => ago((6 - at) * 24 * 60).slice(0, 10));
const quality: MatchQuality = {
  ...{ span, steps, conversions: 2_088, doubles: 143 },
  kinds: [
    [
      'meta-capi',
      'Meta Conversions API',
      ['email', 'phone', 'name_address', 'external_id', 'ip_agent', 'fbc', 'fbp'],
    ] as const,
    [
      'google-data-manager',
      'Google Data Manager',
      ['email', 'phone', 'name_address', 'gclid', 'gbraid', 'wbraid'],
    ] as const,
  ].map(([kind, label, keys]) => ({
    ...{ kind, label, conversions: 1_801, matchable: 1_744, latency: { p50_ms: 640, p95_ms: 2_310 } },
    by_step: [240, 261, 250, 270, 255, 268, 257],
    keys: keys.map((key, at) => {
      const by_step = [240, 261, 250, 270, 255, 268, 257].map((all, day) =>
        Math.round((all * (92 - at * 13 + day)) / 100),
      );
      return { key, by_step, count: by_step.reduce((sum, one) => sum + one, 0) };
    }),
  })),
  sources: sources.map((source, at) => ({
    source,
    conversions: 900 - at * 212,
    with_identifier: 850 - at * 260,
    doubles: 40 - at * 9,
  })),
};

const noShare = { counting_sources: 0, server: [], browser: [] };
const browserShare: BrowserShare = {
  ...{ span, steps, counting_sources: 1, is_cut: false },
  server: (
    [
      [1, 'purchase', 'Purchase', { same: 1_046, other_name: 0, other_id: 214, no_id: 31, unseen: 187 }],
      [1, 'lead', 'Lead', { same: 71, other_name: 212, other_id: 0, no_id: 0, unseen: 40 }],
      [3, 'purchase', 'CompletePayment', { same: 0, other_name: 0, other_id: 0, no_id: 812, unseen: 407 }],
    ] as const
  ).map(([to, event, sent_as, states]) => {
    const { id, name, kind } = destinations[to - 1] as (typeof destinations)[number];
    const count = Object.values(states).reduce((sum: number, one) => sum + one, 0);
    const by_step = steps.map((_, at) => Math.round((count * (12 + at)) / 100));
    return {
      ...{ destination: { id, name, kind, label: name }, event, sent_as, count, states, by_step },
      same_by_step: by_step.map((all, at) => Math.round((all * states.same * (88 + at * 4)) / count / 100)),
    };
  }),
  browser: [
    { platform: 'meta', label: 'Meta Conversions API', event: 'Purchase', with_id: 214, without_id: 31, by_step: [] },
    {
      platform: 'tiktok',
      label: 'TikTok Events API',
      event: 'CompletePayment',
      with_id: 3,
      without_id: 812,
      by_step: [],
    },
  ],
};
