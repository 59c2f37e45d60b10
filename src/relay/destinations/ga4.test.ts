import { expect, test } from 'vitest';
import { ga4 } from './ga4.ts';
import { answer, hashes, itemOf, now, order, orderSeconds, sentBody } from './senders_fixture.ts';

const settings = ga4.settings({ measurement_id: 'G-ABC123' });
const custom = {
  ...{ client_id: '123456.7654321', session_id: '1785904180', plan: 'pro', seats: 3 },
  ...{ 'not a name': 'x', ga_secret: 'x', _x: 'x', note: 'n'.repeat(101) },
};

test('an order', () => {
  expect(ga4.build([itemOf(ga4, { ...order, custom })], settings, now)).toEqual({
    method: 'POST',
    url: 'https://www.google-analytics.com/mp/collect?measurement_id=G-ABC123',
    headers: { 'content-type': 'application/json' },
    body: {
      client_id: '123456.7654321',
      user_id: hashes.externalId,
      consent: { ad_user_data: 'GRANTED', ad_personalization: 'GRANTED' },
      events: [
        {
          name: 'purchase',
          params: {
            transaction_id: 'A-1001',
            value: 129.9,
            currency: 'EUR',
            items: [
              { item_id: 'sku-1', quantity: 2, price: 49.95 },
              { item_id: 'sku-2', price: 30 },
            ],
            page_location: 'https://shop.example/thanks',
            session_id: '1785904180',
            plan: 'pro',
            seats: 3,
          },
          timestamp_micros: orderSeconds * 1_000_000,
        },
      ],
    },
  });
});

test('a lead of somebody whose consent nobody knows', () => {
  const lead = { event_name: 'lead', occurred_at: '2026-11-30T08:15:00Z', custom: { ga_client_id: 'c.1' } };
  expect(sentBody(ga4.build([itemOf(ga4, lead)], settings, now).body)).toEqual({
    client_id: 'c.1',
    events: [
      {
        name: 'generate_lead',
        params: { transaction_id: 'order-1' },
        timestamp_micros: orderSeconds * 1_000_000,
      },
    ],
  });
});

test('a refund takes back the order that it is of', () => {
  const refund = { ...order, refund: true, order_id: 'R-1', original: { order_id: 'A-1001' }, items: [] };
  const { body } = ga4.build([itemOf(ga4, refund)], settings, now);
  expect((body as { events: object[] }).events).toMatchObject([
    { name: 'refund', params: { transaction_id: 'A-1001', value: 129.9, currency: 'EUR' } },
  ]);
  const ofNothing = itemOf(ga4, { ...order, refund: true, order_id: undefined });
  expect(ga4.refuse(ofNothing, settings, now)).toEqual({ reason: 'missing', field: 'original.order_id' });
});

test('limited use takes personalised ads away', () => {
  const limited = { ...order, consent: { ad_personalization: 'granted', limited_data_use: true } };
  expect(ga4.build([itemOf(ga4, limited)], settings, now).body).toMatchObject({
    consent: { ad_personalization: 'DENIED' },
  });
});

test('a request is of one client and one consent', () => {
  const of = (changes: object) => ga4.together?.(itemOf(ga4, { ...order, custom, ...changes }));
  expect(of({ value: '1' })).toBe(of({ value: '2' }));
  expect(of({ custom: { client_id: 'another' } })).not.toBe(of({}));
  expect(of({ consent: { ad_user_data: 'granted' } })).not.toBe(of({}));
  expect(of({ user: {} })).not.toBe(of({}));
  const others = [{ client_id: 'a' }, { client_id: 'b' }].map((custom) => itemOf(ga4, { ...order, custom }));
  expect(() => ga4.build(others, settings, now)).toThrow('go together');
});

test('without the id of a client, the hash of the external id is one; an address of mail is none', () => {
  expect(ga4.build([itemOf(ga4, order)], settings, now).body).toMatchObject({ client_id: hashes.externalId });
  const mail = itemOf(ga4, { ...order, user: { email: 'alexz@example.com' } });
  expect(ga4.refuse(mail, settings, now)).toEqual({ reason: 'no_identifier', field: 'custom.client_id' });
});

test.each([
  ['Order Completed', 'purchase'],
  ['quiz done', 'quiz_done'],
  ['quizDone', 'quizDone'],
  ['session_start', undefined],
  ['firebase_thing', undefined],
  ['n'.repeat(41), undefined],
  ['1st', undefined],
  ['£', undefined],
])('%s is sent as %s', (event_name, sent) => {
  const item = itemOf(ga4, { ...order, event_name });
  expect(ga4.refuse(item, settings, now)).toEqual(
    sent === undefined ? { reason: 'invalid', field: 'event_name' } : undefined,
  );
  if (sent !== undefined) expect(ga4.build([item], settings, now).body).toMatchObject({ events: [{ name: sent }] });
});

test('an event has 25 parameters at most', () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`p${at}`, at]));
  const { body } = ga4.build([itemOf(ga4, { ...order, custom: many })], settings, now);
  const [event] = (body as { events: { params: object }[] }).events;
  expect(Object.keys(event?.params ?? {})).toHaveLength(25);
});

/** "Always 2xx"; the validating address says what is wrong. */
test.each([
  ['taken', 204, '', 'accepted', 'http_204'],
  ['taken with a body', 200, {}, 'accepted', 'http_200'],
  ['valid', 200, { validationMessages: [] }, 'accepted', 'http_200'],
  [
    'not valid',
    200,
    { validationMessages: [{ fieldPath: 'events', description: 'alexz@example.com', validationCode: 'NAME_INVALID' }] },
    'permanent',
    'NAME_INVALID',
  ],
  ['a refusal, which it never gives', 400, '', 'retry', 'http_400'],
  ['a body too large', 413, '', 'permanent', 'http_413'],
])('reads %s', (_, status, body, verdict, reason) => {
  expect(ga4.read(answer(status, body))).toEqual({ class: verdict, reason });
});
