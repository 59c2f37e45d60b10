import { createHash, createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { openHmac, sha256Bytes } from './hmac.ts';
import { seededRandom } from './random.ts';

it('gives what RFC 4231 says', () => {
  const hex = (key: string, value: string) =>
    openHmac(Buffer.from(key, 'hex'))(Buffer.from(value, 'hex')).toString('hex');
  expect(hex('0b'.repeat(20), Buffer.from('Hi There').toString('hex'))).toBe(
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  );
  expect(openHmac(Buffer.from('Jefe'))('what do ya want for nothing?').toString('hex')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
  expect(hex('aa'.repeat(20), 'dd'.repeat(50))).toBe(
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  );
});

it('gives what the library gives, whatever the length, one after the other', () => {
  const random = seededRandom('hmac');
  const key = random.bytes(32);
  const digest = openHmac(key);
  for (const length of [0, 1, 55, 56, 64, 341, 342, 1_023, 1_024, 1_025, 5_000, 3]) {
    const bytes = random.bytes(length);
    expect(digest(bytes)).toEqual(createHmac('sha256', key).update(bytes).digest());
    const text = 'é€😀a'.repeat(length / 4);
    expect(digest(text)).toEqual(createHmac('sha256', key).update(text).digest());
    expect(sha256Bytes(text)).toEqual(createHash('sha256').update(text).digest());
  }
});

it('takes no key that would have to be hashed first', () => {
  expect(() => openHmac(Buffer.alloc(65))).toThrow('longer than a block');
});
