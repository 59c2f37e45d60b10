import { expect, it } from 'vitest';
import type { Mapping } from '../../../../contract/mapping.ts';
import {
  assign,
  fieldOfColumn,
  fieldsOf,
  fixedOf,
  guessed,
  inManner,
  type Manner,
  mannerOf,
  withFixed,
} from './draft.ts';

const manner: Manner = { timezone: 'Europe/Berlin', order: 'dmy', decimal: ',' };
const column = (name: string) => ({ name, path: /^\w+$/.test(name) ? name : `["${name}"]` });

it('guesses what columns are by the names that platforms and people give them', () => {
  expect(
    guessed(['Google Click ID', 'Conversion Name', 'Conversion Time', 'Betrag', 'E-Mail', 'Notiz'].map(column), manner),
  ).toEqual({
    'click_ids.gclid': '["Google Click ID"]',
    event_name: '["Conversion Name"]',
    occurred_at: { path: '["Conversion Time"]', apply: [{ date: { timezone: 'Europe/Berlin', order: 'dmy' } }] },
    value: { path: 'Betrag', apply: [{ number: { decimal: ',' } }] },
    'user.email': '["E-Mail"]',
  });
});

it('a column fills one field, and a field is filled by one column; what is fixed is fixed', () => {
  let fields = guessed([column('value'), column('order')], manner);
  expect([fieldOfColumn(fields, 'value'), fieldOfColumn(fields, 'order'), fieldOfColumn(fields, 'x')]).toEqual([
    'value',
    'order_id',
    undefined,
  ]);
  fields = assign(fields, column('value'), 'cost', manner);
  expect(fields).toEqual({ order_id: 'order', cost: { path: 'value', apply: [{ number: { decimal: ',' } }] } });
  fields = assign(fields, column('order'), undefined, manner);
  fields = assign(fields, column('zweiter'), 'cost', manner);
  expect(fieldOfColumn(fields, 'value')).toBeUndefined();
  fields = withFixed(fields, 'event_name', 'purchase');
  expect([fixedOf(fields, 'event_name'), fixedOf(fields, 'currency'), fixedOf(fields, 'cost')]).toEqual([
    'purchase',
    '',
    undefined,
  ]);
  expect(withFixed(fields, 'event_name', '')).not.toHaveProperty('event_name');
});

it('keeps rules that say more, and writes all values in another manner', () => {
  const mapping: Mapping = {
    fields: {
      order_id: [{ path: 'Order ID' }, { path: 'Transaction ID' }],
      occurred_at: [
        { path: 'event_time', when: { path: 'event_time', compare: '>=', to: 1 }, apply: ['unix_seconds'] },
        { path: 'event_time', apply: [{ date: { timezone: 'UTC' } }] },
      ],
      value: { path: 'value', apply: [{ number: { decimal: '.' } }] },
      'user.first_name': { template: '{{["Vor.name"]}}' },
    },
  };
  const fields = fieldsOf(mapping) ?? {};
  expect(fieldOfColumn(fields, 'Transaction ID')).toBe('order_id');
  expect(fieldOfColumn(fields, 'Vor.name')).toBe('user.first_name');
  expect(mannerOf(fields, manner)).toEqual({ timezone: 'UTC', order: 'ymd', decimal: '.' });
  const other = inManner(fields, manner);
  expect(other.occurred_at).toEqual([
    (mapping.fields.occurred_at as object[])[0],
    { path: 'event_time', apply: [{ date: { timezone: 'Europe/Berlin', order: 'dmy' } }] },
  ]);
  expect(other.value).toEqual({ path: 'value', apply: [{ number: { decimal: ',' } }] });
  expect(fieldsOf({ cases: [mapping] })).toBeUndefined();
  expect(fieldsOf(undefined)).toEqual({});
  expect(mannerOf(inManner(fields, { ...manner, order: 'seconds' }), manner).order).toBe('seconds');
});
