import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../platform/random.ts';
import { KeyFileError, openKeyRing, ringOf } from './index.ts';

let folder: string;
let place: { keyFile: string; dataDir: string; random: typeof systemRandom };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-keys-'));
  place = { keyFile: join(folder, 'keys', 'root'), dataDir: join(folder, 'data'), random: systemRandom };
  mkdirSync(place.dataDir);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the key file', () => {
  it('is made once, private, and stays the same', () => {
    const first = openKeyRing(place);
    expect(statSync(place.keyFile).mode & 0o777).toBe(0o600);
    expect(openKeyRing(place).derive('password')).toEqual(first.derive('password'));
  });

  it('is never made anew for data that was written under another', () => {
    const { fingerprint } = openKeyRing(place);
    unlinkSync(place.keyFile);
    expect(() => openKeyRing(place)).toThrow(KeyFileError);
    expect(() => openKeyRing(place)).toThrow(fingerprint);
    const stranger = openKeyRing({ ...place, dataDir: folder });
    expect(() => openKeyRing(place)).toThrow(stranger.fingerprint);
  });

  it.each(['', 'fairlead-key-1\n', 'fairlead-key-1\nc2hvcnQ=\n', 'something else\n'])(
    'is refused when it is damaged (%j), and left as it is',
    (text) => {
      mkdirSync(join(folder, 'keys'));
      writeFileSync(place.keyFile, text);
      expect(() => openKeyRing(place)).toThrow(KeyFileError);
      expect(readFileSync(place.keyFile, 'utf8')).toBe(text);
    },
  );
});

it('each purpose has a key of its own, and the fingerprint is none of them', () => {
  const ring = ringOf(Buffer.alloc(32, 1));
  const values = [
    ring.derive('password'),
    ring.derive('access-token'),
    ring.derive('refresh-token'),
    ring.derive('api-key'),
    ring.derive('shield-address'),
    ring.derive('goal-undo'),
    ring.derive('shield-undo'),
  ].map((key) => key.toString('hex'));
  expect(new Set(values).size).toBe(values.length);
  expect(values.some((value) => value.startsWith(ring.fingerprint))).toBe(false);
});
