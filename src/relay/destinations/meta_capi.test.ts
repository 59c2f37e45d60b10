import { describe, expect, it } from 'vitest';
import { explainAnswer, explainConversion } from '../explain.ts';
import { metaCapi } from './meta_capi.ts';

const now = Date.UTC(2026, 10, 30, 12);
const settings = { dataset_id: '1234567890' };
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const least = {
  event_id: 'e-1',
  event_name: 'Purchase',
  occurred_at: '2026-11-30T09:15:00.900+01:00',
  action_source: 'website',
  page_url: 'https://shop.example/thanks',
  user: { email: 'alexz@example.com', user_agent: agent },
};
const alex = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';
const phone = '92cfdc5fbcd4a20fbe5d3857af6c1aba31762105bba7f21a17155e920653046c';

function explain(change: object = {}, set: object = settings, at: unknown = now): ReturnType<typeof explainConversion> {
  return explainConversion({ now: at, settings: set, conversion: { ...least, ...change } }, metaCapi, 0);
}
type Event = Record<string, unknown> & { user_data: Record<string, unknown>; custom_data?: Record<string, unknown> };
function eventOf(change: object = {}): Event {
  const said = explain(change);
  if (!('request' in said)) throw new Error(JSON.stringify(said));
  return (said.request.body as { data: Event[] }).data[0] as Event;
}

describe('what goes to Meta for a conversion', () => {
  it('is one POST with the event as the reference has it', () => {
    expect(explain()).toEqual({
      request: {
        method: 'POST',
        url: 'https://graph.facebook.com/v25.0/1234567890/events',
        headers: { 'content-type': 'application/json' },
        body: {
          data: [
            {
              event_name: 'Purchase',
              event_time: 1796026500,
              event_id: 'e-1',
              action_source: 'website',
              event_source_url: 'https://shop.example/thanks',
              user_data: { em: [alex], client_user_agent: agent },
            },
          ],
        },
      },
    });
  });
  it('hashes what is hashed, as lists, and sends the rest as it is (REL-04)', () => {
    const user = {
      ...least.user,
      phone: '+1 800 555 0100',
      first_name: 'Ada',
      last_name: 'Byron',
      city: 'Menlo Park',
      state: 'CA',
      zip: '94025',
      country: 'US',
      external_id: ['u-1', 'u-2'],
      date_of_birth: '1990-01-31',
      gender: 'f',
      ip: '8.8.8.8',
      fingerprint: 'never',
    };
    const data = eventOf({ user, click_ids: { fbp: 'fb.1.1596403881668.1116446470' } }).user_data;
    for (const field of ['em', 'ph', 'fn', 'ln', 'ct', 'st', 'zp', 'country', 'db', 'ge', 'external_id'])
      expect(data[field], field).toEqual(expect.arrayContaining([expect.stringMatching(/^[0-9a-f]{64}$/)]));
    expect([data.em, data.ph]).toEqual([[alex], [phone]]);
    expect(data.external_id).toHaveLength(2);
    expect(data).toMatchObject({ client_ip_address: '8.8.8.8', fbp: 'fb.1.1596403881668.1116446470' });
    expect(JSON.stringify(explain({ user }))).not.toMatch(/"Ada|Byron|Menlo|"u-1|alexz|example.com"|1990-|never/);
  });
  it('takes the order for the id of the event, so that each attempt and each source has the same', () => {
    expect(eventOf({ order_id: 'A-1' })).toMatchObject({ event_id: 'A-1', custom_data: { order_id: 'A-1' } });
    const [one, again] = [eventOf({ event_id: undefined }), eventOf({ event_id: undefined })];
    expect(one.event_id).toMatch(/^[0-9a-f]{64}$/);
    expect(one.event_id).toBe(again.event_id);
    expect(eventOf({ event_id: undefined, event_name: 'Lead' }).event_id).not.toBe(one.event_id);
  });
  it('has amounts as exact numbers, and items as contents', () => {
    const items = [{ id: 'a', quantity: 2, price: '5.25' }, { id: 'b', price: 19.99 }, { id: 'c' }];
    expect(eventOf({ value: '12.50', currency: 'eur', items }).custom_data).toEqual({
      value: 12.5,
      currency: 'EUR',
      content_type: 'product',
      contents: [
        { id: 'a', quantity: 2, item_price: 5.25 },
        { id: 'b', quantity: 1, item_price: 19.99 },
        { id: 'c', quantity: 1 },
      ],
    });
    expect(JSON.stringify(explain({ value: '90071992547409931.07', currency: 'JPY' }))).toContain(
      '"value":90071992547409931.07,',
    );
  });

  const click = '2026-11-29T10:00:00+01:00';
  const clickMs = 1795942800000;
  const fbcs: [what: string, ids: object, fbc: string | undefined][] = [
    ['made of the click', { fbclid: 'IwAR_Ab' }, `fb.1.${clickMs}.IwAR_Ab`],
    ['the cookie of the same click', { fbclid: 'IwAR_Ab', fbc: 'fb.2.17.IwAR_Ab' }, 'fb.2.17.IwAR_Ab'],
    ['the cookie with an appendix of two', { fbclid: 'IwAR_Ab', fbc: 'fb.1.17.IwAR_Ab.AQ' }, 'fb.1.17.IwAR_Ab.AQ'],
    ['the cookie with an appendix of eight', { fbc: 'fb.1.17.IwAR_Ab.AQICAQAB' }, 'fb.1.17.IwAR_Ab.AQICAQAB'],
    ['of a newer click', { fbclid: 'Newer', fbc: 'fb.1.17.IwAR_Ab' }, `fb.1.${clickMs}.Newer`],
    ['of a click that differs in case', { fbclid: 'iwar_ab', fbc: 'fb.1.17.IwAR_Ab' }, `fb.1.${clickMs}.iwar_ab`],
    ['none of what is no cookie', { fbc: 'IwAR_Ab' }, undefined],
    ['none with an appendix of three', { fbc: 'fb.1.17.IwAR_Ab.AQI' }, undefined],
  ];
  it.each(fbcs)('fbc is %s', (_, click_ids, fbc) => {
    expect(eventOf({ click_ids, clicked_at: click }).user_data.fbc).toBe(fbc);
  });
  it('fbc has the time of the event where nobody knows the time of the click', () => {
    expect(eventOf({ click_ids: { fbclid: 'Ab' } }).user_data.fbc).toBe('fb.1.1796026500900.Ab');
  });
  it.each([{ fbclid: 'IwAR_Ab' }, { fbclid: 'IwAR_Ab', fbc: 'fb.2.17.IwAR_Ab' }, { fbc: 'fb.2.17.IwAR_Ab' }])(
    'fbc is none of a click of more than 90 days before: %j',
    (click_ids) => {
      // The event is of 2026-11-30T08:15:00.9Z.
      expect(eventOf({ click_ids, clicked_at: '2026-09-01T08:15:00.9Z' }).user_data).toHaveProperty('fbc');
      expect(eventOf({ click_ids, clicked_at: '2026-09-01T08:15:00.8Z' }).user_data).not.toHaveProperty('fbc');
    },
  );
  it('invents no fbp, and passes none that is wrong', () => {
    expect(eventOf({ click_ids: { fbclid: 'Ab' } }).user_data).not.toHaveProperty('fbp');
    expect(eventOf({ click_ids: { fbp: '1116446470' } }).user_data).not.toHaveProperty('fbp');
  });
  it.each([
    '10.0.0.1',
    '192.168.1.4',
    '127.0.0.1',
    '100.64.0.1',
    'fd00::1',
    'fe80::1%eth0',
    '::1',
    'unknown',
    '0.0.0.0',
  ])('sends no address that is not public: %s', (ip) => {
    expect(eventOf({ user: { ...least.user, ip } }).user_data).not.toHaveProperty('client_ip_address');
  });
  it.each([
    ['8.8.8.8', '8.8.8.8'],
    ['203.0.113.7:4711', '203.0.113.7'],
    ['::ffff:8.8.4.4', '8.8.4.4'],
    ['2A00:1450:4001::5', '2a00:1450:4001::5'],
  ])('sends %s', (ip, sent) => {
    expect(eventOf({ user: { ...least.user, ip } }).user_data.client_ip_address).toBe(sent);
  });
  it('says limited data use and no to personal advertisements in its own words', () => {
    expect(eventOf({ consent: { ad_user_data: 'granted', limited_data_use: true } })).toMatchObject({
      data_processing_options: ['LDU'],
      data_processing_options_country: 0,
      data_processing_options_state: 0,
    });
    expect(eventOf({ consent: { ad_personalization: 'denied' } })).toMatchObject({ opt_out: true });
    expect(eventOf({ consent: { ad_personalization: 'granted' } })).not.toHaveProperty('opt_out');
    expect(eventOf()).not.toHaveProperty('data_processing_options');
  });
  it('keeps of the page what says where somebody came from', () => {
    const page_url =
      'https://me:secret@shop.example/thanks?email=a%40example.com&utm_source=news&fbclid=Ab&token=1#top';
    expect(eventOf({ page_url }).event_source_url).toBe('https://shop.example/thanks?utm_source=news&fbclid=Ab');
  });
  it('puts a test code beside the events', () => {
    const said = explain({}, { ...settings, test_event_code: 'TEST12345', access_token: 'EAAB', other: 1 });
    expect(said).toMatchObject({ request: { body: { test_event_code: 'TEST12345' } } });
    expect(JSON.stringify(said)).not.toContain('EAAB');
  });
  it('takes a thousand events in one request', () => {
    const read = { ...least, event_name: 'a', action_source: 'website' as const };
    const items = Array.from({ length: 1_000 }, (_, at) => ({ conversion: read, identifiers: {}, id: `e-${at}` }));
    const { body } = metaCapi.build(items, settings, now);
    expect(metaCapi.batchMax).toBe(1_000);
    expect((body as { data: Event[] }).data.map((event) => event.event_id)).toEqual(items.map(({ id }) => id));
  });

  const day = 86_400_000;
  const agoText = (ms: number) => new Date(now - ms).toISOString();
  const rejected: [what: string, change: object, reason: string, field: string][] = [
    ['eight days ago', { occurred_at: agoText(8 * day) }, 'too_old', 'occurred_at'],
    ['a millisecond over seven days', { occurred_at: agoText(7 * day + 1) }, 'too_old', 'occurred_at'],
    [
      '63 days ago in a shop',
      { action_source: 'physical_store', occurred_at: agoText(63 * day) },
      'too_old',
      'occurred_at',
    ],
    ['tomorrow', { occurred_at: agoText(-day) }, 'in_the_future', 'occurred_at'],
    ['no time zone', { occurred_at: '2026-11-30T09:15:00' }, 'no_offset', 'occurred_at'],
    ['nowhere', { action_source: undefined, page_url: undefined }, 'missing', 'action_source'],
    [
      'a page that nobody called a website, without a browser',
      { action_source: undefined, user: { email: 'a@example.com' } },
      'missing',
      'user.user_agent',
    ],
    ['a website without a page', { page_url: undefined }, 'missing', 'page_url'],
    ['a website with a page that is none', { page_url: 'thanks.html' }, 'invalid', 'page_url'],
    ['a website without a browser', { user: { email: 'a@example.com' } }, 'missing', 'user.user_agent'],
    ['nobody', { user: { user_agent: agent } }, 'no_identifier', 'user'],
    ['a first name alone', { user: { user_agent: agent, first_name: 'Ada' } }, 'no_identifier', 'user'],
    ['a mail address that is none', { user: { user_agent: agent, email: 'ada at home' } }, 'no_identifier', 'user'],
    ['a private address', { user: { user_agent: agent, ip: '10.0.0.1' } }, 'no_identifier', 'user'],
    [
      'the click of another platform',
      { user: { user_agent: agent }, click_ids: { gclid: 'x' } },
      'no_identifier',
      'user',
    ],
    ['somebody who said no', { consent: { ad_user_data: 'denied' } }, 'consent_denied', 'consent.ad_user_data'],
    ['a value alone', { value: 5 }, 'value_without_currency', 'currency'],
    ['a value below nothing', { value: -5, currency: 'EUR' }, 'invalid', 'value'],
    ['a price below nothing', { items: [{ id: 'a', price: '-1' }] }, 'invalid', 'items[0].price'],
    ['a refund', { refund: true, value: 5, currency: 'EUR' }, 'not_supported', 'refund'],
  ];
  it.each(rejected)('is nothing for %s', (_, change, reason, field) => {
    expect(explain(change)).toEqual({ rejected: { reason, field } });
  });
  const taken: [what: string, change: object][] = [
    ['seven days ago', { occurred_at: agoText(7 * day) }],
    ['61 days ago in a shop', { action_source: 'physical_store', occurred_at: agoText(61 * day) }],
    [
      'a call without page and browser',
      { action_source: 'phone_call', page_url: undefined, user: { phone: '+18005550100' } },
    ],
    ['a click alone', { user: { user_agent: agent }, click_ids: { fbclid: 'Ab' } }],
    ['a browser alone', { user: { user_agent: agent, ip: '8.8.8.8' } }],
    ['a whole name', { user: { user_agent: agent, first_name: 'Ada', last_name: 'Byron' } }],
    ['consent that nobody asked for', { consent: {} }],
  ];
  it.each(taken)('is a request for %s', (_, change) => {
    expect(explain(change)).toHaveProperty('request');
  });

  it.each([
    [{}, 'settings.dataset_id'],
    [{ dataset_id: '../act' }, 'settings.dataset_id'],
    [{ dataset_id: '1', test_event_code: 'a b' }, 'settings.test_event_code'],
    [null, 'settings'],
  ])('is nothing with the settings %j', (set, field) => {
    expect(explain({}, set as object)).toEqual({ rejected: { reason: 'invalid', field } });
  });
  it('is told at the time that is given', () => {
    expect(explain({}, settings, '2026-11-30T12:00:00Z')).toEqual(explain());
    expect(explain({}, settings, '2026-12-30T12:00:00+01:00')).toMatchObject({ rejected: { reason: 'too_old' } });
    for (const at of ['yesterday', '2026-11-30', {}, 1e300])
      expect(explain({}, settings, at)).toEqual({ rejected: { reason: 'invalid', field: 'now' } });
  });
});

describe('what an answer of Meta means', () => {
  const error = (code: unknown, error_subcode?: unknown, more: object = {}) => ({
    error: { message: 'Invalid parameter for a@example.com', type: 'OAuthException', code, error_subcode, ...more },
  });
  const answers: [status: number, body: unknown, meaning: string, reason: string][] = [
    [200, { events_received: 1, messages: [], fbtrace_id: 'x' }, 'accepted', 'events_received'],
    [0, undefined, 'retry', 'no_answer'],
    [200, '<html>captive portal</html>', 'retry', 'html'],
    [200, undefined, 'retry', 'http_200'],
    [200, { events_received: 0 }, 'retry', 'events_received'],
    [502, '<html>Bad Gateway</html>', 'retry', 'html'],
    [400, '<html>who knows</html>', 'retry', 'html'],
    [503, undefined, 'retry', 'http_503'],
    ...[1, 2, 341, 5000].map((code): [number, unknown, string, string] => [400, error(code), 'retry', `${code}`]),
    [500, error(100, 2804003), 'retry', '100/2804003'],
    [400, error(100, 2804003, { is_transient: true }), 'retry', '100/2804003'],
    [400, error(190, 460, { is_transient: true }), 'retry', '190/460'],
    ...[4, 17, 32, 613, 80000, 80004, 80014].map((code): [number, unknown, string, string] => [
      400,
      error(code, undefined, { is_transient: true }),
      'rate_limited',
      `${code}`,
    ]),
    [429, undefined, 'rate_limited', 'http_429'],
    [429, '<html>slow down</html>', 'rate_limited', 'http_429'],
    [429, error(1), 'rate_limited', '1'],
    [400, error(190), 'auth', '190'],
    ...[458, 460, 463, 467].map((sub): [number, unknown, string, string] => [
      401,
      error(190, sub),
      'auth',
      `190/${sub}`,
    ]),
    [400, error(102), 'auth', '102'],
    ...[10, 200, 250, 299, 803].map((code): [number, unknown, string, string] => [
      403,
      error(code),
      'config',
      `${code}`,
    ]),
    [400, error(100, 33), 'config', '100/33'],
    ...[2804001, 2804003, 2804007, 2804016, 2804017, 2804019, 2804048].map((sub): [number, unknown, string, string] => [
      400,
      error(100, sub),
      'permanent',
      `100/${sub}`,
    ]),
    [400, error(100), 'retry', '100'],
    [400, error(100, 2804999), 'retry', '100/2804999'],
    [400, error(80015), 'retry', '80015'],
    [400, error(424242, 7), 'retry', '424242/7'],
    [400, error('a@example.com'), 'retry', 'http_400'],
    [400, { error: 'nothing of use' }, 'retry', 'http_400'],
    [418, undefined, 'retry', 'http_418'],
  ];
  it.each(answers)('%i %j is %s', (status, body, meaning, reason) => {
    expect(explainAnswer({ status, headers: {}, body }, metaCapi, now)).toEqual({
      class: meaning,
      reason,
      retry_after_ms: null,
    });
  });
  it('reads JSON that lies there as text', () => {
    expect(explainAnswer({ status: 400, body: JSON.stringify(error(190, 463)) }, metaCapi, now)).toMatchObject({
      class: 'auth',
      reason: '190/463',
    });
  });

  const usage = JSON.stringify({ 123: [{ type: 'ads_management', estimated_time_to_regain_access: 7 }] });
  const pauses: [what: string, status: number, headers: object, body: unknown, ms: number | null][] = [
    ['an hour at least after a block', 400, {}, error(368), 3_600_000],
    ['longer where it is said', 400, { 'Retry-After': '7200' }, error(368), 7_200_000],
    ['seconds', 503, { 'retry-after': '30' }, undefined, 30_000],
    [
      'a date, by its own clock',
      503,
      { 'retry-after': 'Mon, 30 Nov 2026 10:01:00 GMT', date: 'Mon, 30 Nov 2026 10:00:00 GMT' },
      undefined,
      60_000,
    ],
    ['a date, by ours', 503, { 'RETRY-AFTER': 'Mon, 30 Nov 2026 12:02:00 GMT' }, undefined, 120_000],
    ['a date that is over', 503, { 'retry-after': 'Mon, 30 Nov 2026 11:00:00 GMT' }, undefined, 0],
    ['a day at most', 503, { 'retry-after': '99999999999' }, undefined, 86_400_000],
    ['minutes of the usage header', 400, { 'x-business-use-case-usage': usage }, error(80004), 420_000],
    [
      'nothing out of a header that is none',
      400,
      { 'x-business-use-case-usage': '{"a":[null,{}],"b":7' },
      error(4),
      null,
    ],
    ['nothing out of nonsense', 503, { 'retry-after': 'soon' }, undefined, null],
  ];
  it.each(pauses)('waits %s', (_, status, headers, body, ms) => {
    expect(explainAnswer({ status, headers, body }, metaCapi, now)).toMatchObject({ retry_after_ms: ms });
  });
  it('holds what was received against what was sent', () => {
    const answer = { status: 200, headers: {}, body: { events_received: 2 } };
    expect(metaCapi.read(answer, { sent: 2 }).class).toBe('accepted');
    expect(metaCapi.read(answer, { sent: 3 }).class).toBe('retry');
  });
  it.each([null, [], 'x', {}, { status: '200' }, { status: 1.5 }])('is an error for the line %j', (line) => {
    expect(explainAnswer(line, metaCapi, now)).toHaveProperty('error');
  });
});
