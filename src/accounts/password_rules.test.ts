import { expect, it } from 'vitest';
import { checkPassword } from './password_rules.ts';

const context = ['ada.lovelace@yardarm.example', 'Ada Lovelace', 'Yardarm Shipping'];
const isRefused = (password: string) => {
  try {
    checkPassword(password, context);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_field', field: 'password' });
    return true;
  }
};

it.each([
  ['few characters', 'ababababababab'],
  ['the address', 'ada.lovelace@yardarm.example'],
  ['the name and a year', 'Lovelace-2026!'],
  ['the organisation', 'yardarm shipping'],
  ['a common word and a year', 'Sunshine20262026'],
  ['a common long one', 'q1w2e3r4t5y6'],
  ['a common pattern', 'password12345'],
])('refuses %s', (_what, password) => {
  expect(isRefused(password)).toBe(true);
});

it.each([
  ['unrelated words', 'a harbour of quiet rope'],
  ['a name among other words', 'lovelace keeps quiet harbours'],
  ['letters alone', 'wovenlanternquay'],
  ['two hundred characters', `quay ${'lantern woven '.repeat(14)}`],
  ['no letters of ours', 'тихая гавань и канат'],
])('takes %s', (_what, password) => {
  expect(isRefused(password)).toBe(false);
});
