import { expect, it } from 'vitest';
import type { Conversion } from '../../../contract/conversion.ts';
import { hideConversion, hideData, hideRequest, maskText, personalPaths } from './hidden.ts';

it.each([
  ['ada@mail.example', '•••@••••.example'],
  ['ada.byron+news@a.long-domain.example', '••••••••@••••••••.example'],
  ['+49 30 901820', '+•• •• ••••••'],
  ['Ada Byron', '••• •••••'],
  ['Łódź', '••••'],
  ['x'.repeat(100), '•'.repeat(24)],
  ['', ''],
])('hides %s by the shape of it: %s', (text, shown) => expect(maskText(text)).toBe(shown));

const nobody = new Set<string>();
it.each([
  [
    { total: '129,90', status: 'paid', sku: 'A-1', n: 3 },
    { total: '129,90', status: 'paid', sku: 'A-1', n: 3 },
  ],
  [{ billing: { email: 'ada@mail.example' } }, { billing: { email: '•••@••••.example' } }],
  [
    { customer: { name: 'Ada' }, product: { name: 'Rope' } },
    { customer: { name: '•••' }, product: { name: 'Rope' } },
  ],
  [
    { firstName: 'Ada', 'last-name': 'Byron' },
    { firstName: '•••', 'last-name': '•••••' },
  ],
  [{ remark: 'call ada@mail.example now' }, { remark: 'call •••@••••.example now' }],
  [{ url: 'https://shop.example/?m=ada@mail.example' }, { url: 'https://shop.example/?m=•••@••••.example' }],
  [
    { client_ip: '203.0.113.7', seen_from: '2001:db8::1' },
    { client_ip: '•••.•.•••.•', seen_from: '••••:•••::•' },
  ],
  [{ call_me: '+4930901820' }, { call_me: '+••••••••••' }],
  [{ phones: [{ mobile: 15112345678 }] }, { phones: [{ mobile: '•••••••••••' }] }],
  [
    { created: '2026-11-30T09:15:00Z', ok: true, none: null },
    { created: '2026-11-30T09:15:00Z', ok: true, none: null },
  ],
])('what a sender said: %j is shown as %j', (data, shown) => expect(hideData(data, nobody)).toEqual(shown));

it('hides what the mapping reads a person from, whatever the sender calls it', () => {
  const paths = personalPaths({
    cases: [
      { when: { path: 'x', exists: true }, ignore: true },
      {
        fields: {
          'user.external_id': 'ref.member',
          'user.first_name': [{ template: '{{who.given}} {{ who.second }}' }, { path: 'list[0].word' }],
          order_id: 'ref.order',
        },
      },
    ],
  });
  expect(
    hideData(
      { ref: { member: 'm-77', order: 'o-1' }, who: { given: 'Ada', second: 'K' }, list: [{ word: 'Ada' }] },
      paths,
    ),
  ).toEqual({
    ...{ ref: { member: '•-••', order: 'o-1' }, who: { given: '•••', second: '•' }, list: [{ word: '•••' }] },
  });
});

const conversion: Conversion = {
  ...{
    event_name: 'purchase',
    occurred_at: '2026-11-30T09:15:00+01:00',
    order_id: 'A-1',
    value: '12.50',
    currency: 'EUR',
  },
  page_url: 'https://shop.example/thanks?mail=ada@mail.example&gclid=Cj0',
  user: { email: ['ada@mail.example'], ip: '203.0.113.7', user_agent: 'Mozilla/5.0', country: 'DE', zip: '10115' },
  custom: { note: 'ada@mail.example' },
};

it('shows a conversion with what it knows of a person, and nothing of who that is', () => {
  const shown = hideConversion(conversion);
  expect(shown).toMatchObject({ order_id: 'A-1', value: '12.50', user: { country: 'DE', zip: '•••••' } });
  expect(JSON.stringify(shown)).not.toMatch(/ada@|Mozilla|203\.0|10115/);
});

it('shows a request with its hashes shortened and what goes along raw hidden', () => {
  const hash = `${'a'.repeat(60)}beef`;
  const raw = (JSON as unknown as { rawJSON(text: string): object }).rawJSON('12345678901234567.25');
  const { url, body } = hideRequest(
    {
      ...{ method: 'POST' as const, url: `https://platform.example/${hash}`, headers: {} },
      body: { em: [hash], ip: '203.0.113.7', ua: 'mozilla/5.0', zip: '10115', value: raw, n: 1, country: 'DE' },
    },
    conversion,
  );
  expect(url).toBe('https://platform.example/aaaa…beef');
  expect(body).toEqual({
    ...{ em: ['aaaa…beef'], ip: '•••.•.•••.•', ua: '•••••••/•.•', zip: '•••••', value: raw, n: 1, country: 'DE' },
  });
  expect(JSON.stringify(body)).toContain('12345678901234567.25');
});
