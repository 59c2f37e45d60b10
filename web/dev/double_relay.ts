import type { Mapping } from '../../contract/mapping.ts';
import type {
  DestinationKind,
  MappingVersion,
  RelayDestination,
  RelayRoute,
  RelaySource,
} from '../../contract/relay_settings.ts';
import { destinations as platforms } from '../../src/relay/destinations/index.ts';
import { readMapping } from '../../src/relay/mapping/plan.ts';
import { isClean, tryRequest } from '../../src/relay/settings/trial.ts';
import { presetOf, presets } from '../../src/relay/sources/presets/index.ts';
import type { CapturedRequest } from '../../src/relay/sources/request.ts';

/**
 * The relay of the double: three sources, two destinations, three routes, and requests that were kept. What a trial says is
 * made by the desk's own code, so that the editor is seen with what really comes of a mapping.
 */
const minuteMs = 60_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * minuteMs).toISOString();

const order = (id: number, minutes: number, more: object = {}) => ({
  ...{ id, number: String(id), status: 'processing', currency: 'EUR', date_created_gmt: ago(minutes).slice(0, 19) },
  ...{ total: '129.90', total_tax: '20.74', customer_id: 8841, payment_method: 'card' },
  customer_ip_address: '203.0.113.7',
  customer_user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  billing: {
    ...{ first_name: 'Ada', last_name: 'Byron', email: 'ada@mail.example', phone: '+49 30 901820' },
    ...{ city: 'Berlin', postcode: '10115', country: 'DE', company: '', address_1: 'Hafenplatz 3' },
  },
  line_items: [
    { product_id: 77, sku: 'throw-wool', name: 'Wool throw', quantity: 1, price: 89.9 },
    { product_id: 81, sku: 'cover-linen', name: 'Linen cover', quantity: 2, price: 20 },
  ],
  meta_data: [
    { key: '_wc_order_attribution_utm_source', value: 'newsletter' },
    { key: '_fairlead_gclid', value: 'Cj0KCQiA1' },
  ],
  ...more,
});
const mapping: Mapping = {
  fields: {
    ...{ event_name: { default: 'purchase' }, order_id: 'id', value: 'total', currency: 'currency' },
    occurred_at: { path: 'date_created_gmt', apply: [{ date: { timezone: 'UTC' } }] },
    action_source: { default: 'website' },
    page_url: { default: 'https://shop.example/checkout/done' },
    'consent.ad_user_data': { default: 'granted' },
    'consent.ad_personalization': { default: 'granted' },
    'click_ids.gclid': 'meta_data[key="_fairlead_gclid"].value',
    'user.email': { path: 'billing.email', apply: ['trim', 'lower'] },
    'user.phone': 'billing.phone',
    'user.first_name': 'billing.first_name',
    'user.last_name': 'billing.last_name',
    'user.country': 'billing.country',
    'user.external_id': 'customer_id',
    'user.ip': 'customer_ip_address',
    'user.user_agent': 'customer_user_agent',
    items: { each: 'line_items[*]', fields: { id: 'sku', quantity: 'quantity', price: 'price' } },
  },
};

const json = (body: unknown): CapturedRequest => ({
  ...{ method: 'POST', url: '/in/', headers: { 'content-type': 'application/json', 'user-agent': 'WooCommerce/9.4' } },
  body: JSON.stringify(body),
});

export function relayOf(isNew: boolean) {
  let nextId = 40;
  const source = (some: Partial<RelaySource>): RelaySource => ({
    ...{ id: nextId++, name: 'Source', kind: 'http', preset: null, site: { id: 1, domain: 'shop.example' } },
    ...{ state: 'active', address: { former_until: null }, signature: null, mapping_version: 0, unmapped_status: 202 },
    ...{ doubles_minutes: 10, raw_days: 7, intake_days: 90, created_at: ago(60_000), last_request_at: null },
    ...{ click_ids: false, ip_and_agent: false, browser_ids: false, pixel_calls: false },
    ...{ requests_per_minute: null, rate_refused_today: 0 },
    ...{ requests_today: 0, conversions_today: 0, unmapped: 0, routes: 0 },
    ...some,
  });
  const sources: RelaySource[] = isNew
    ? []
    : [
        source({
          ...{ id: 1, name: 'Orders of our own shop', mapping_version: 8, last_request_at: ago(2), routes: 2 },
          ...{ requests_today: 412, conversions_today: 409, unmapped: 2 },
          signature: { scheme: 'hmac', header: 'x-shop-signature', former_until: null },
        }),
        source({
          ...{ id: 2, name: 'Leads by phone', preset: 'canonical', mapping_version: 1, last_request_at: ago(190) },
          ...{ requests_today: 18, conversions_today: 18, routes: 1, site: null },
        }),
        source({
          id: 3,
          name: 'Voluum',
          preset: 'voluum',
          mapping_version: 1,
          state: 'paused',
          last_request_at: ago(9_000),
        }),
        source({
          ...{ id: 9, name: 'Goals of the shop', kind: 'goals', address: null, click_ids: true, browser_ids: true },
          conversions_today: 37,
        }),
      ];
  const kinds: DestinationKind[] = platforms.map((one) => {
    const fields = Object.entries(one.fields);
    const code = fields.find(([, field]) => field.isTestCode === true)?.[1];
    return {
      ...{ id: one.id, label: one.label, purposes: [...one.purposes], batch_max: one.batchMax },
      secret: one.secret === undefined ? null : { label: one.secret.label, what: one.secret.what },
      fields: fields
        .filter(([, field]) => field.isTestCode !== true)
        .map(([name, { label, what, required = false, choices }]) => ({
          ...{ name, label, what, required, choices: choices === undefined ? null : [...choices] },
        })),
      test: one.asTest === undefined ? null : code === undefined ? 'switch' : 'code',
      test_code: code === undefined ? null : { label: code.label, what: code.what },
      has_dry_run: one.asDryRun !== undefined,
      provider: one.id.startsWith('google-') ? 'google' : one.id === 'meta-capi' ? 'meta' : one.id,
      picks:
        one.picks === undefined
          ? null
          : {
              ...{ target: one.picks.target, account: one.picks.account ?? null },
              ...{ through: one.picks.through ?? null, counting: one.picks.counting ?? null },
            },
    };
  });
  const destination = (some: Partial<RelayDestination>): RelayDestination => ({
    ...{ id: nextId++, kind: 'webhook', name: 'Webhook', settings: {}, connection_id: null, has_secret: true },
    ...{ state: 'active', state_reason: null, state_since: ago(20_000), unknown_consent: 'block_in_consent_regions' },
    ...{ test_code: null, is_dry_run: false, created_at: ago(50_000), routes: 1, waiting: 0 },
    ...some,
  });
  const destinations: RelayDestination[] = isNew
    ? []
    : [
        destination({
          id: 11,
          kind: 'meta-capi',
          ...{ connection_id: 4, has_secret: false },
          name: 'Meta, shop pixel',
          settings: { dataset_id: '1234567890' },
          routes: 2,
        }),
        destination({
          ...{
            id: 12,
            kind: 'google-data-manager',
            name: 'Google Ads',
            state: 'reconnect',
            state_reason: 'UNAUTHENTICATED',
          },
          ...{ settings: { customer_id: '1234567890', conversion_action_id: '42' }, state_since: ago(38), waiting: 38 },
        }),
      ];
  const route = (some: Partial<RelayRoute>): RelayRoute => ({
    ...{
      id: nextId++,
      source_id: 1,
      destination_id: 11,
      state: 'active',
      rules: {},
      version: 1,
      created_at: ago(9_000),
    },
    ...some,
  });
  const routes: RelayRoute[] = isNew
    ? []
    : [
        route({ rules: { events: [{ name: 'purchase', as: 'Purchase' }], value: { factor: '0.7' } } }),
        route({ destination_id: 12, rules: { when: { path: 'value', compare: '>=', to: 20 }, first_only: true } }),
        route({ source_id: 2, rules: { events: [{ name: 'lead', as: 'Lead' }], hold: true } }),
      ];
  const captured = isNew
    ? []
    : [
        { id: '0194f0a2-0000-7000-8000-000000000001', at: 2, request: json(order(20_397, 2)), is_unmapped: false },
        {
          id: '0194f0a2-0000-7000-8000-000000000002',
          at: 41,
          request: json(order(20_396, 41, { total: '129,90' })),
          is_unmapped: true,
        },
        { id: '0194f0a2-0000-7000-8000-000000000003', at: 77, request: json(order(20_395, 77)), is_unmapped: false },
      ];
  const versions: (MappingVersion & { mapping: Mapping })[] = [8, 7, 6].map((version) => ({
    ...{ version, note: version === 8 ? 'Items with their price' : null, created_at: ago((9 - version) * 3_000) },
    ...{ created_by: 'owner@shop.example', fields: 16, in_force: version === 8, mapping },
  }));
  const mappingOf = (of: RelaySource): Mapping =>
    of.id === 1 ? (versions[0]?.mapping ?? mapping) : (presetOf(of.preset ?? '')?.mapping ?? { fields: {} });
  const judging = {
    region: () => 'eea' as const,
    id: ({ order_id }: { order_id?: string | undefined }) => order_id ?? 'cv_41xr7pcz',
  };
  const triedRoutes = (sourceId: number) =>
    routes.flatMap(({ id, source_id, destination_id, rules, state }) => {
      const to = destinations.find((one) => one.id === destination_id);
      return source_id === sourceId && state === 'active' && to !== undefined ? [{ id, rules, destination: to }] : [];
    });

  return function answer(method: string, path: string, body: unknown): { status: number; body?: unknown } | undefined {
    const [, part, id, rest, more, last] =
      /^\/api\/organisations\/\d+\/relay\/([a-z-]+)(?:\/(\d+))?(?:\/([a-z]+))?(?:\/(\d+))?(?:\/([a-z]+))?$/.exec(
        path,
      ) ?? [];
    if (part === undefined) return undefined;
    const missing = {
      status: 404,
      body: { error: { code: 'not_found', message: 'There is nothing with this number here.' } },
    };
    const asked = (body ?? {}) as Record<string, unknown>;
    if (part === 'routes') {
      const found = routes.find((one) => one.id === Number(id));
      if (method === 'GET') return { status: 200, body: { routes, limits: { routes: 1_000 } } };
      if (method === 'POST') routes.push(route(asked));
      if (method === 'PATCH' && found !== undefined) Object.assign(found, asked, { version: found.version + 1 });
      if (method === 'DELETE') routes.splice(routes.indexOf(found as RelayRoute), 1);
      return method === 'DELETE' ? { status: 204 } : { status: 200, body: found ?? routes.at(-1) };
    }
    if (part === 'route-tests')
      return { status: 200, body: { captures: 3, conversions: 3, outcomes: [{ outcome: 'sent', count: 3 }] } };
    if (part === 'destinations') {
      const found = destinations.find((one) => one.id === Number(id));
      if (method === 'GET' && id === undefined)
        return { status: 200, body: { destinations, kinds, limits: { destinations: 200 } } };
      if (method === 'POST') destinations.push(destination({ ...asked, routes: 0 }));
      if (method === 'PATCH' && found !== undefined)
        Object.assign(found, asked, { state_reason: null, state_since: ago(0) });
      if (method === 'DELETE') destinations.splice(destinations.indexOf(found as RelayDestination), 1);
      return method === 'DELETE' ? { status: 204 } : { status: 200, body: found ?? destinations.at(-1) };
    }
    const address = 'https://desk.example/in/q7Jd0kQm8sW2nXc7rB4uYh1eT6oP9aL3vTzK5mN2xGc';
    if (id === undefined) {
      if (method === 'GET')
        return {
          status: 200,
          body: {
            sources,
            presets: presets.map((one) => ({
              ...{
                id: one.id,
                label: one.label,
                kind: one.kind ?? 'http',
                signature: one.signature ?? null,
                template: one.template ?? null,
              },
            })),
            limits: { sources: 200 },
          },
        };
      const made = source({
        ...asked,
        site: { id: 1, domain: 'shop.example' },
        mapping_version: asked.preset ? 1 : 0,
      } as never);
      sources.push(made);
      return { status: 201, body: { source: made, address } };
    }
    const of = sources.find((one) => one.id === Number(id));
    if (of === undefined) return missing;
    if (rest === undefined) {
      if (method === 'PATCH') Object.assign(of, asked, { signature: of.signature, site: of.site });
      if (method === 'DELETE') sources.splice(sources.indexOf(of), 1);
      return method === 'DELETE' ? { status: 204 } : { status: 200, body: of };
    }
    if (rest === 'addresses') {
      of.address = { former_until: ago(-1_440) };
      return { status: 201, body: { source: of, address } };
    }
    if (rest === 'secrets') return { status: 201, body: { source: of, secret: 'Yh1eT6oP9aL3vTzK5mN2xGcq7Jd0kQm8' } };
    if (rest === 'contents')
      return { status: 200, body: { mappings: 8, routes: 2, captures: 3, waiting: 38, conversions: 12_408 } };
    const own = of.id === 1 ? captured : [];
    if (rest === 'captures')
      return {
        status: 200,
        body: { captures: own.map(({ id: one, at, is_unmapped }) => ({ id: one, received_at: ago(at), is_unmapped })) },
      };
    if (rest === 'mappings' && method === 'GET') {
      const shown = of.id === 1 ? versions : [];
      if (more === undefined) return { status: 200, body: { versions: shown } };
      const found = shown.find((one) => one.version === Number(more));
      const given = found?.mapping ?? mappingOf(of);
      return { status: 200, body: last === 'file' ? given : { ...(found ?? { version: 1 }), mapping: given } };
    }
    if (rest === 'mappings') {
      of.mapping_version += 1;
      for (const one of versions) one.in_force = false;
      versions.unshift({
        ...{ version: of.mapping_version, note: (asked.note as string) ?? null, created_at: ago(0), fields: 16 },
        ...{ created_by: 'owner@shop.example', in_force: true, mapping: (asked.mapping as Mapping) ?? mapping },
      });
      return { status: 201, body: versions[0] };
    }
    const read = readMapping(asked.mapping ?? mappingOf(of));
    const ready = { mapping: 'problem' in read ? mappingOf(of) : read.mapping, judging };
    const wrong = 'problem' in read ? read.problem : null;
    if (rest === 'tests') {
      const failures = own.flatMap(({ id: capture_id, request }) => {
        const tried = tryRequest(request, { ...ready, routes: [] }, Date.now());
        return isClean(tried) ? [] : [{ capture_id, reason: tried.reason, field: tried.field }];
      });
      return {
        status: 200,
        body: { captures: own.length, clean: own.length - failures.length, mapping_problem: wrong, failures },
      };
    }
    const pasted = asked.request as
      | { body?: string; query?: string; headers?: Record<string, string>; method?: string }
      | undefined;
    const request: CapturedRequest | undefined =
      pasted === undefined
        ? own.find((one) => one.id === asked.capture_id)?.request
        : {
            ...{ method: pasted.method ?? 'POST', headers: pasted.headers ?? {}, body: pasted.body ?? null },
            url: pasted.query === undefined ? '/in/' : `/in/?${pasted.query.replace(/^[^?]*\?/, '')}`,
          };
    if (request === undefined) return missing;
    const tried = tryRequest(request, { ...ready, routes: triedRoutes(of.id) }, Date.now());
    return {
      status: 200,
      body: {
        ...tried,
        mapping_problem: wrong,
        ...(wrong === null ? {} : { reason: 'mapping', conversions: [], found: 0 }),
      },
    };
  };
}
