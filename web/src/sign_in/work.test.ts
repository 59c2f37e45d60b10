import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { hasherAfter, solve } from './work.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest();

it('hashes as everybody does, whatever the length of the beginning and the end', () => {
  for (let length = 0; length < 200; length += 7)
    for (const end of ['', '0', '1234567', '9'.repeat(30)]) {
      const beginning = 'k'.repeat(length);
      expect(hasherAfter(Buffer.from(beginning))(end), `${length} ${end}`).toBe(
        sha256(beginning + end).readUInt32BE(0),
      );
    }
});

it('finds an answer whose hash begins with so many zero bits', async () => {
  const answer = await solve({ token: 'a.b', bits: 12 });
  expect(sha256(`a.b.${answer}`).readUInt32BE(0) >>> 20).toBe(0);
});
