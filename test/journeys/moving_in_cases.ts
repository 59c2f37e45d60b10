import { expect } from 'vitest';

/** What trackers of Umami, Rybbit and OpenPanel send, as their reference and their packages write it. */
export const website = '7f8c1a2e-4b5d-4c6e-8f90-1a2b3c4d5e6f';
const otherWebsite = '00000000-0000-4000-8000-000000000000';
export const siteId = 'a1b2c3d4e5f6';
export const clientId = '0b5f3c1e-98ab-4cde-8123-456789abcdef';
export const secret = 'sec_5e4d3c2b1a0f9e8d7c6b';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const browser = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  accept: '*/*',
  'accept-language': 'en',
  origin: 'https://shop.example',
  'content-type': 'application/json',
};
const robot = { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' };
export const client = {
  'openpanel-client-id': clientId,
  'openpanel-sdk-name': 'web',
  'openpanel-sdk-version': '1.4.1',
};

export type Row = {
  name: string;
  hostname: string;
  pathname: string;
  title: string;
  screen: string;
  referrer: string;
  utm_source: string;
  click_id: string;
  props: Record<string, string>;
  revenue: string;
  currency: string;
  interactive: number;
  country: string;
  browser: string;
  day: string;
};
export interface Case {
  title: string;
  path: string;
  body: unknown;
  headers?: Record<string, string>;
  status?: number;
  /** The reason in `x-fairlead-dropped`. */
  dropped?: string;
  answer?: unknown;
  /** Refused before its events were looked at. */
  isWhole?: true;
  rows?: Partial<Row>[];
}

export const umamiIds = {
  cache: expect.any(String),
  sessionId: expect.stringMatching(uuid),
  visitId: expect.stringMatching(uuid),
};
const event = (payload: object, type = 'event') => ({
  type,
  payload: { website, hostname: 'shop.example', ...payload },
});
export const view = event({
  screen: '1920x1080',
  language: 'de-DE',
  title: 'Prices – Shop',
  url: 'https://www.shop.example/prices?utm_source=letter&token=abc&gclid=xyz#plans',
  referrer: 'https://www.example.org/list?q=private',
});

/** So many properties, `k0` and so on. */
const numbered = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, String(at)]));

export function umamiCases(): Case[] {
  const path = '/api/send';
  return [
    {
      title: 'a page view of the script of version 3',
      path,
      headers: { 'x-umami-cache': 'eyJhbGciOiJIUzI1NiJ9.e30.x' },
      body: view,
      rows: [
        {
          name: 'pageview',
          hostname: 'shop.example',
          pathname: '/prices#plans',
          title: 'Prices – Shop',
          screen: '1920x1080',
          referrer: 'example.org/list',
          utm_source: 'letter',
          click_id: 'gclid',
          props: {},
          interactive: 1,
          browser: 'Firefox',
        },
      ],
    },
    {
      title: 'a page view of the script of version 2: a path, everything encoded once more',
      path,
      body: event({ url: '/caf%25C3%25A9?ref=x', referrer: '/before', title: 'Caf%C3%A9%20%26%20more' }),
      rows: [{ pathname: '/café', title: 'Café & more' }],
    },
    {
      title: 'a title that only looks encoded',
      path,
      body: event({ url: '/sale', title: '100% off' }),
      rows: [{ pathname: '/sale', title: '100% off' }],
    },
    {
      title: 'a custom event with nested data and a tag',
      path,
      body: event({
        url: '/cart',
        name: 'add-to-cart',
        tag: 'variant-b',
        data: { plan: 'team', seats: 3, yearly: true, nothing: null, item: { id: 7, sizes: ['s', 'm'] } },
      }),
      rows: [
        {
          name: 'add-to-cart',
          pathname: '/cart',
          props: {
            plan: 'team',
            seats: '3',
            yearly: 'true',
            'item.id': '7',
            'item.sizes': '["s","m"]',
            tag: 'variant-b',
          },
        },
      ],
    },
    {
      title: 'more data than an event keeps: the first thirty stay, revenue is found behind them',
      path,
      body: event({
        url: '/thanks',
        name: 'checkout',
        data: { ...numbered(35), empty: '', revenue: 5, currency: 'EUR' },
      }),
      rows: [{ name: 'checkout', revenue: '5', currency: 'EUR', props: numbered(30) }],
    },
    {
      title: 'a value that is too long is cut, and the event stays',
      path,
      body: event({ url: '/form', name: 'note', data: { text: 'x'.repeat(5_000), kept: 'yes' } }),
      rows: [{ name: 'note', props: { text: 'x'.repeat(2_000), kept: 'yes' } }],
    },
    {
      title: 'data that is a list',
      path,
      body: event({ url: '/form', name: 'note', data: [1, 2] }),
      status: 400,
      dropped: 'invalid',
      answer: { error: expect.objectContaining({ field: 'data' }) },
    },
    {
      title: 'revenue as two properties',
      path,
      body: event({ url: '/thanks', name: 'checkout', data: { revenue: 19.99, currency: 'usd', plan: 'team' } }),
      rows: [{ name: 'checkout', revenue: '19.99', currency: 'USD', props: { plan: 'team' } }],
    },
    {
      title: 'revenue from data attributes, which are text',
      path,
      body: event({ url: '/thanks', name: 'checkout', data: { 'total-revenue': '5.5', currency: 'EUR' } }),
      rows: [{ revenue: '5.5', currency: 'EUR', props: {} }],
    },
    {
      title: 'a revenue without a currency is a property',
      path,
      body: event({ url: '/thanks', name: 'checkout', data: { revenue: 19.99 } }),
      rows: [{ revenue: '0', currency: '', props: { revenue: '19.99' } }],
    },
    {
      title: 'a distinct id is left out and the event stays',
      path,
      body: event({ url: '/account', id: 'user-4711@shop.example', vid: '5b0f7e0e-7a51-4d5e-9d0f-6a3c1d2e3f40' }),
      rows: [{ pathname: '/account', props: {} }],
    },
    {
      title: 'a server that sends a name and nothing else',
      path,
      body: { type: 'event', payload: { website, name: 'job done', data: { queue: 'mail' } } },
      rows: [{ name: 'job done', hostname: '(none)', pathname: '/', props: { queue: 'mail' } }],
    },
    {
      title: 'text/plain, as beacons are',
      path,
      headers: { 'content-type': 'text/plain;charset=UTF-8' },
      body: event({ url: '/plain' }),
      rows: [{ pathname: '/plain' }],
    },
    {
      title: 'an address, an agent and a time in the payload count for nothing',
      path,
      body: event({
        url: '/claims',
        ip: '203.0.113.7',
        userAgent: 'Mozilla/5.0 Chrome/140.0.0.0',
        timestamp: 1_700_000_000,
      }),
      rows: [{ pathname: '/claims', browser: 'Firefox', day: new Date().toISOString().slice(0, 10) }],
    },
    {
      title: 'identify says who somebody is',
      path,
      body: event({ id: 'user-1', data: { email: 'a@b.example' } }, 'identify'),
      dropped: 'identity',
    },
    {
      title: 'performance',
      path,
      body: event({ url: '/', lcp: 1200, cls: 0.1 }, 'performance'),
      dropped: 'unsupported',
    },
    { title: 'a robot', path, headers: robot, body: view, dropped: 'bot', answer: { beep: 'boop' } },
    {
      title: 'a website that nobody has here',
      path,
      body: { type: 'event', payload: { ...view.payload, website: otherWebsite } },
      status: 400,
      dropped: 'not_found',
      answer: { error: { code: 'bad_request', status: 400, field: 'website', message: expect.any(String) } },
    },
    {
      title: 'an identify call for a website that nobody has here',
      path,
      body: { type: 'identify', payload: { website: otherWebsite, data: {} } },
      status: 400,
      dropped: 'not_found',
      answer: { error: expect.objectContaining({ field: 'website' }) },
    },
    ...(
      [
        ['a website that is no UUID', event({ website: 'shop' }), 'website', 'invalid'],
        ['a link', { type: 'event', payload: { link: website } }, 'link', 'invalid'],
        ['a pixel', { type: 'event', payload: { pixel: website } }, 'pixel', 'invalid'],
        ['a type that does not exist', event({ url: '/' }, 'dance'), 'type', 'invalid'],
        ['no payload', { type: 'event' }, 'payload', 'invalid'],
        ['a name of 51 characters', event({ url: '/', name: 'x'.repeat(51) }), 'name', 'too_large'],
        ['a hostname of 101 characters', event({ url: '/', hostname: 'x'.repeat(101) }), 'hostname', 'too_large'],
        ['a screen that is a number', event({ url: '/', screen: 800 }), 'screen', 'invalid'],
        [
          'revenue that is no amount',
          event({ url: '/', name: 'buy', data: { revenue: 'much', currency: 'EUR' } }),
          'data',
          'invalid',
        ],
      ] as const
    ).map(([title, body, field, dropped]) => ({
      title,
      path,
      body,
      status: 400,
      dropped,
      answer: { error: expect.objectContaining({ field }) },
    })),
    {
      title: 'a list, which is for /api/batch',
      isWhole: true,
      path,
      body: [view],
      status: 400,
      answer: { error: expect.anything() },
      dropped: 'invalid',
    },
    {
      title: 'a batch: what is good is stored, the rest is named',
      path: '/api/batch',
      body: [
        event({ url: '/b1' }),
        event({ url: '/b2', name: 'x'.repeat(51) }),
        event({ url: '/b3', name: 'third' }),
        event({ data: {} }, 'identify'),
      ],
      dropped: 'too_large, identity',
      answer: {
        size: 4,
        processed: 3,
        errors: 1,
        details: [{ index: 1, response: { error: expect.objectContaining({ field: 'name' }) } }],
        cache: expect.any(String),
      },
      rows: [{ pathname: '/b1' }, { pathname: '/b3', name: 'third' }],
    },
    {
      title: 'one event at /api/batch',
      isWhole: true,
      path: '/api/batch',
      body: view,
      status: 400,
      dropped: 'invalid',
      answer: { error: expect.anything() },
    },
    {
      title: 'a batch of 1,001',
      isWhole: true,
      path: '/api/batch',
      body: Array.from({ length: 1_001 }, () => view),
      status: 413,
      dropped: 'too_large',
      answer: { error: expect.objectContaining({ code: 'too_large' }) },
    },
    {
      title: 'no JSON',
      isWhole: true,
      path,
      body: '{"type":',
      status: 400,
      dropped: 'invalid',
      answer: { error: expect.objectContaining({ code: 'invalid_json' }) },
    },
  ];
}

export const rybbit = (more: object) => ({
  site_id: siteId,
  hostname: 'shop.example',
  pathname: '/prices',
  querystring: '?utm_source=letter&token=abc',
  screenWidth: 1920,
  screenHeight: 1080,
  language: 'de-DE',
  page_title: 'Prices',
  referrer: 'https://www.example.org/list?q=private',
  type: 'pageview',
  ...more,
});
const automatic = (type: string, properties: object, more: object = {}) =>
  rybbit({ type, properties: JSON.stringify(properties), ...more });

export function rybbitCases(): Case[] {
  const path = '/api/track';
  const refused = (title: string, body: unknown, field: string, dropped = 'invalid'): Case => ({
    title,
    path,
    body,
    status: 400,
    dropped,
    answer: { success: false, code: 'invalid_field', error: expect.any(String), field },
  });
  return [
    {
      title: 'a page view',
      path,
      body: rybbit({}),
      rows: [
        {
          name: 'pageview',
          hostname: 'shop.example',
          pathname: '/prices',
          title: 'Prices',
          screen: '1920x1080',
          props: {},
          interactive: 1,
        },
      ],
    },
    {
      title: 'a page view with a routed fragment, of a newer script with all its members',
      path,
      body: rybbit({
        pathname: '/app#/orders',
        tag: 'beta',
        feature_flags: { checkout: 'new' },
        anonymous_id: 'anon-1',
        user_id: 'user-1',
        app_version: '2.1',
        device_model: 'Pixel 9',
        _bs: 1,
        _bsm: 4,
        ip_address: '203.0.113.7',
        user_agent: 'Mozilla/5.0 Chrome/140.0.0.0',
      }),
      rows: [
        {
          pathname: '/app#/orders',
          props: { tag: 'beta', app_version: '2.1', 'flag.checkout': 'new' },
          browser: 'Firefox',
        },
      ],
    },
    {
      title: 'a custom event',
      path,
      body: rybbit({ type: 'custom_event', event_name: 'Sign up', properties: '{"plan":"team","seats":3}' }),
      rows: [{ name: 'Sign up', props: { plan: 'team', seats: '3' } }],
    },
    {
      title: 'the longest name and path that Rybbit takes, and the longest properties',
      path,
      body: rybbit({
        type: 'custom_event',
        event_name: 'n'.repeat(256),
        pathname: `/${'p'.repeat(2_047)}`,
        properties: JSON.stringify({ a: 'x'.repeat(2_040) }),
      }),
      rows: [{ name: 'n'.repeat(256), pathname: `/${'p'.repeat(2_047)}`, props: { a: 'x'.repeat(2_000) } }],
    },
    {
      title: 'an error with a message of 3,000 characters',
      path,
      body: automatic('error', { message: 'm'.repeat(3_000) }),
      rows: [{ name: 'Error', props: { message: 'm'.repeat(2_000) } }],
    },
    {
      title: 'an outbound link, without its text',
      path,
      body: automatic('outbound', {
        url: 'https://partner.example/x?token=abc',
        text: 'Anna Schmidt',
        target: '_blank',
      }),
      rows: [{ name: 'Outbound Link: Click', props: { url: 'https://partner.example/x', target: '_blank' } }],
    },
    {
      title: 'a button, without its text',
      path,
      body: automatic('button_click', { text: 'Delete anna@shop.example', area: 'list' }),
      rows: [{ name: 'Button: Click', props: { area: 'list' } }],
    },
    {
      title: 'a copy, without what was copied',
      path,
      body: automatic('copy', { text: 'my secret', textLength: 900, sourceElement: 'p' }),
      rows: [{ name: 'Copy', props: { textLength: '900', sourceElement: 'p' } }],
    },
    {
      title: 'a form',
      path,
      body: automatic('form_submit', {
        formId: 'f',
        formName: 'Contact',
        formAction: '/send?token=abc',
        method: 'POST',
        fieldCount: 4,
      }),
      rows: [
        {
          name: 'Form: Submission',
          props: { formId: 'f', formName: 'Contact', formAction: '/send', method: 'POST', fieldCount: '4' },
        },
      ],
    },
    {
      title: 'a field that changed, by its name',
      path,
      body: automatic('input_change', { element: 'input', inputName: 'email' }),
      rows: [{ name: 'Input: Change', props: { element: 'input', inputName: 'email' } }],
    },
    {
      title: 'an error, without its trace',
      path,
      body: automatic(
        'error',
        {
          message: 'x is undefined',
          stack: 'at /home/anna/a.js',
          fileName: 'https://shop.example/a.js?v=1',
          lineNumber: 3,
          columnNumber: 7,
        },
        { event_name: 'TypeError' },
      ),
      rows: [
        {
          name: 'Error',
          interactive: 0,
          props: {
            message: 'x is undefined',
            fileName: 'https://shop.example/a.js',
            lineNumber: '3',
            columnNumber: '7',
            event_name: 'TypeError',
          },
        },
      ],
    },
    {
      title: 'performance',
      path,
      body: rybbit({ type: 'performance', lcp: 1200, cls: null, event_name: 'web-vitals' }),
      dropped: 'unsupported',
    },
    {
      title: 'identify says who somebody is',
      path: '/api/identify',
      body: { site_id: siteId, user_id: 'user-1', traits: { email: 'a@b.example' }, is_new_identify: true },
      dropped: 'identity',
    },
    { title: 'a robot', path, headers: robot, body: rybbit({}), dropped: 'bot' },
    {
      title: 'a site that nobody has here',
      path,
      body: rybbit({ site_id: 'ffffffffffff' }),
      status: 404,
      dropped: 'not_found',
      answer: { success: false, error: expect.any(String) },
    },
    refused('a member that Rybbit does not know', rybbit({ surprise: 1 }), 'surprise'),
    refused('a speed on a page view', rybbit({ lcp: 1 }), 'lcp'),
    refused('a type that does not exist', rybbit({ type: 'constructor' }), 'type'),
    refused('a hostname of 254 characters', rybbit({ hostname: 'x'.repeat(254) }), 'hostname', 'too_large'),
    refused(
      'a name of 257 characters',
      rybbit({ type: 'custom_event', event_name: 'n'.repeat(257) }),
      'event_name',
      'too_large',
    ),
    refused('a path of 2,049 characters', rybbit({ pathname: `/${'p'.repeat(2_048)}` }), 'pathname', 'too_large'),
    refused('a custom event without a name', rybbit({ type: 'custom_event' }), 'event_name'),
    refused(
      'properties that are an object',
      rybbit({ type: 'custom_event', event_name: 'x', properties: {} }),
      'properties',
    ),
    refused(
      'properties that are no JSON',
      rybbit({ type: 'custom_event', event_name: 'x', properties: '{' }),
      'properties',
    ),
    refused(
      '2,049 characters of properties',
      rybbit({ type: 'custom_event', event_name: 'x', properties: JSON.stringify({ a: 'x'.repeat(2_041) }) }),
      'properties',
      'too_large',
    ),
    refused('an outbound link without an address', automatic('outbound', { text: 'x' }), 'properties'),
    refused(
      'an error without a message',
      automatic('error', { stack: 'x' }, { event_name: 'TypeError' }),
      'properties',
    ),
  ];
}

export const panelIds = { deviceId: expect.stringMatching(/^[0-9a-f]{32}$/), sessionId: expect.stringMatching(uuid) };
export const track = (name: string, properties?: object, more: object = {}) => ({
  type: 'track',
  payload: { name, properties, ...more },
});

export function openPanelCases(): Case[] {
  const path = '/track';
  const page = {
    __path: 'https://www.shop.example/prices?utm_source=letter&token=abc#top',
    __title: 'Prices',
    __referrer: 'https://www.example.org/list?q=private',
  };
  const node = { 'user-agent': 'node', 'openpanel-client-secret': secret, 'openpanel-sdk-name': 'node' };
  return [
    {
      title: 'a screen view',
      path,
      body: track('screen_view', page),
      rows: [{ name: 'pageview', hostname: 'shop.example', pathname: '/prices', title: 'Prices', props: {} }],
    },
    {
      title: 'the same at the path that one’s own server has',
      path: '/api/track',
      body: track('screen_view', { ...page, __path: 'https://shop.example/own' }),
      rows: [{ name: 'pageview', pathname: '/own' }],
    },
    {
      title: 'an event with nested properties',
      path,
      body: track('sign_up', { ...page, plan: 'team', cart: { items: 3 }, tags: ['a'] }),
      rows: [{ name: 'sign_up', pathname: '/prices', props: { plan: 'team', 'cart.items': '3', tags: '["a"]' } }],
    },
    {
      title: 'forty properties and a long name: the first thirty stay',
      path,
      body: track('n'.repeat(200), { ...page, ...numbered(40) }),
      rows: [{ name: 'n'.repeat(200), pathname: '/prices', props: numbered(30) }],
    },
    {
      title: 'an event before any screen view: the origin of the request names the host',
      path,
      body: track('sign_up', { __path: '' }),
      rows: [{ name: 'sign_up', hostname: 'shop.example', pathname: '/' }],
    },
    {
      title: 'an outgoing link',
      path,
      body: track('link_out', { ...page, href: 'https://partner.example/?a=1', text: 'Anna Schmidt' }),
      rows: [{ name: 'Outbound Link: Click', props: { url: 'https://partner.example/' } }],
    },
    {
      title: 'revenue in the smallest unit of the site’s currency',
      path,
      body: track('revenue', { ...page, __revenue: 1999, plan: 'team' }),
      rows: [{ name: 'revenue', revenue: '19.99', currency: 'EUR', props: { plan: 'team' } }],
    },
    {
      title: 'revenue in a currency without smaller units',
      path,
      body: track('revenue', { ...page, __revenue: 500, currency: 'JPY' }),
      rows: [{ revenue: '500', currency: 'JPY', props: {} }],
    },
    {
      title: 'ids of a profile, a device and groups are left out and the event stays',
      path,
      body: track(
        'sign_up',
        { ...page, __deviceId: 'd', __identify: { profileId: 'p', email: 'a@b.example' } },
        { profileId: 'user-1', groups: ['acme'] },
      ),
      rows: [{ name: 'sign_up', props: {} }],
    },
    {
      title: 'a server with the secret says address, agent and time',
      path,
      headers: {
        ...client,
        ...node,
        'user-agent':
          'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
        'x-client-ip': '81.2.69.142',
      },
      body: track('renewed', {
        __path: 'https://shop.example/billing',
        __timestamp: new Date(Date.now() - 2 * 86_400_000).toISOString(),
      }),
      rows: [
        {
          name: 'renewed',
          pathname: '/billing',
          browser: 'Chrome',
          country: 'GB',
          day: new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10),
        },
      ],
    },
    {
      title: 'a server with the secret and an agent of its own is no robot',
      path,
      headers: node,
      body: track('revenue', { __revenue: 4_900, currency: 'EUR' }),
      rows: [{ name: 'revenue', revenue: '49', currency: 'EUR', browser: '' }],
    },
    {
      title: 'without the secret it is one',
      path,
      headers: { 'user-agent': 'node' },
      body: track('renewed'),
      status: 202,
      dropped: 'bot',
      answer: { bot: true },
    },
    {
      title: 'without the secret an address and a time count for nothing',
      path,
      headers: { 'x-client-ip': '81.2.69.142' },
      body: track('claims', { ...page, __ip: '81.2.69.142', __timestamp: '2020-01-01T00:00:00Z' }),
      rows: [{ name: 'claims', country: '', day: new Date().toISOString().slice(0, 10) }],
    },
    ...['identify', 'alias', 'increment', 'decrement', 'group', 'assign_group'].map(
      (type): Case => ({
        title: type,
        path,
        body: { type, payload: { profileId: 'p', email: 'a@b.example' } },
        dropped: 'identity',
      }),
    ),
    {
      title: 'replay',
      path,
      body: { type: 'replay', payload: { chunk_index: 0, payload: '[]' } },
      dropped: 'unsupported',
    },
    {
      title: 'a robot',
      path,
      headers: robot,
      body: track('screen_view', page),
      status: 202,
      dropped: 'bot',
      answer: { bot: true },
    },
    ...(
      [
        ['a client that nobody has here', { 'openpanel-client-id': '11111111-98ab-4cde-8123-456789abcdef' }],
        ['no client', { 'openpanel-client-id': '' }],
        ['a client that is no id', { 'openpanel-client-id': 'a,b' }],
        ['another secret', { 'openpanel-client-secret': 'sec_00000000000000000000' }],
      ] as [string, Record<string, string>][]
    ).map(
      ([title, headers]): Case => ({
        title,
        path,
        headers,
        body: track('screen_view', page),
        status: 401,
        dropped: 'not_found',
        answer: expect.objectContaining({ status: 401 }),
      }),
    ),
    ...(
      [
        ['a type that does not exist', { type: 'dance', payload: {} }, 'type'],
        ['no payload', { type: 'track' }, 'payload'],
        ['no name', { type: 'track', payload: {} }, 'name'],
        ['properties that are a list', { type: 'track', payload: { name: 'x', properties: [] } }, 'properties'],
        ['revenue with a fraction', track('revenue', { __revenue: 19.99 }), 'properties.__revenue'],
        ['revenue in no currency', track('revenue', { __revenue: 19, currency: 'gold' }), 'properties.currency'],
      ] as [string, unknown, string][]
    ).map(
      ([title, body, field]): Case => ({
        title,
        path,
        body,
        status: 400,
        dropped: 'invalid',
        answer: expect.objectContaining({ field, status: 400 }),
      }),
    ),
  ].map((one: Case) => ({ ...one, headers: { ...client, ...one.headers } }));
}
