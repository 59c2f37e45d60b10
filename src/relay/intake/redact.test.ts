import { expect, it } from 'vitest';
import { clockText } from './line.ts';
import { redactedBody, redactedCharsMax } from './redact.ts';

const shape = (body: unknown) => redactedBody(JSON.stringify(body), 'application/json');

it('keeps names and kinds and no value (REL-09)', () => {
  const body = {
    event: 'Purchase',
    total: 12.5,
    paid: true,
    none: null,
    user: { email: 'ada@shop.example' },
    items: [1, 'a', {}, 4],
  };
  expect(shape(body)).toBe(
    '{"event":"text (8)","total":"number","paid":true,"none":null,"user":{"email":"text (16)"},"items":["number","text (1)",{},"and 1 more"]}',
  );
  expect(redactedBody(Buffer.from(` ${JSON.stringify(body)}`).subarray(1), '')).toBe(shape(body));
});

it('keeps no name that may be somebody, once for all of them', () => {
  expect(shape({ a: 1, 'ada@shop.example': 'x', '4915112345678': null, b: 2 })).toBe(
    '{"a":"number","(name)":null,"b":"number"}',
  );
  expect(shape({ a: { 'ada@shop.example': { 'eve@shop.example': 1 } } })).toBe('{"a":{"(name)":{"(name)":"number"}}}');
});

it('says how much is not shown', () => {
  const wide = Object.fromEntries(Array.from({ length: 63 }, (_, at) => [`n${at}`, at]));
  expect(shape(wide)).toMatch(/"n59":"number","…":"and 3 more"}$/);
  expect(shape({ ...wide, 'ada@shop.example': 1 })).toMatch(/"n59":"number","…":"and 4 more"}$/);
  expect(shape('x'.repeat(300))).toBe('text of 302 characters');
  expect(shape({ a: 'x'.repeat(300) })).toBe('{"a":"text (300)"}');
  const nine = JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`) as unknown;
  expect(shape(nine)).toBe(`${'{"a":'.repeat(8)}"object"${'}'.repeat(8)}`);
  const long = shape(Array.from({ length: 3 }, () => wide));
  expect(long.length).toBeLessThanOrEqual(redactedCharsMax);
  expect(redactedBody('{"a":', '')).toBe('text of 5 characters that is no JSON');
});

it('writes moments as the warehouse reads them', () => {
  for (const at of [
    0,
    7,
    999,
    1_000,
    Date.UTC(2026, 10, 30, 23, 59, 59, 999),
    Date.UTC(2026, 10, 30, 23, 59, 59, 1),
    -1,
  ])
    expect(clockText(at)).toBe(new Date(at).toISOString().replace('T', ' ').slice(0, -1));
});
