import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../platform/random.ts';
import { KeyFileError, openKeyRing, ringOf, writeRestoredKeyFile } from './index.ts';

let folder: string;
let place: { keyFile: string; dataDir: string; random: typeof systemRandom };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-keys-'));
  place = { keyFile: join(folder, 'keys', 'root'), dataDir: join(folder, 'data'), random: systemRandom };
  mkdirSync(place.dataDir);
});
afterEach(() => rmSync(folder, { recursive: true }));

const twoRoots = [1, 2].map((fill) => {
  const bytes = Buffer.alloc(32, fill);
  return `${ringOf(bytes).fingerprint} ${bytes.toString('base64')}`;
});

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

  it.each([
    '',
    'fairlead-key-1\n',
    'fairlead-key-1\nc2hvcnQ=\n',
    'something else\n',
    'fairlead-key-2\n',
    `fairlead-key-2\n0011223344556677 ${Buffer.alloc(32, 1).toString('base64')}\n`,
    `fairlead-key-2\n${twoRoots.map((line) => line.slice(0, -2)).join('\n')}\n`,
    `fairlead-key-2\n${twoRoots[0]}\n${twoRoots[0]}\n`,
    `fairlead-key-3\n${twoRoots[0]}\ncarried password short\n`,
  ])('is refused when it is damaged (%j), and left as it is', (text) => {
    mkdirSync(join(folder, 'keys'));
    writeFileSync(place.keyFile, text);
    expect(() => openKeyRing(place)).toThrow(KeyFileError);
    expect(readFileSync(place.keyFile, 'utf8')).toBe(text);
  });
});

describe('the ring of roots', () => {
  it('gives the same keys to every purpose after a root was added, and goes back to the first form without it', () => {
    const ring = openKeyRing(place);
    const text = readFileSync(place.keyFile, 'utf8');
    const added = ring.addRoot(systemRandom);
    const again = openKeyRing(place);
    expect(again.roots.ids()).toEqual([ring.fingerprint, added]);
    expect(again.fingerprint).toBe(ring.fingerprint);
    expect(again.derive('password')).toEqual(ring.derive('password'));
    expect(again.roots.wrapping(added)).toEqual(ring.roots.wrapping(added));
    expect(again.roots.wrapping(added)).not.toEqual(again.roots.wrapping(ring.fingerprint));
    expect(statSync(place.keyFile).mode & 0o777).toBe(0o600);
    expect(() => ring.dropRoot(ring.fingerprint)).toThrow(/derived from it/);
    ring.dropRoot(added);
    expect(readFileSync(place.keyFile, 'utf8')).toBe(text);
  });

  it('of a restored desk gives what its backup carried, after a change of root too', () => {
    const former = Buffer.alloc(32, 7);
    const root = writeRestoredKeyFile(place.keyFile, systemRandom, new Map([['password', former]]));
    const ring = openKeyRing(place);
    expect([ring.fingerprint, ring.derive('password')]).toEqual([root.id, former]);
    expect(ring.derive('access-token')).not.toEqual(former);
    ring.addRoot(systemRandom);
    expect(openKeyRing(place).derive('password')).toEqual(former);
  });

  it('of a newer version is refused by its number', () => {
    mkdirSync(join(folder, 'keys'));
    writeFileSync(place.keyFile, 'fairlead-key-4\nwhatever\n');
    expect(() => openKeyRing(place)).toThrow(/version 4.*Nothing was changed/);
  });

  it('is read from the environment or a command in place of the file, and neither is changed', () => {
    const bytes = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const;
    const value = bytes.map((root) => root.toString('base64')).join(',');
    const expected = ringOf(...bytes);
    const fromVariable = openKeyRing({ ...place, source: { variable: 'FAIRLEAD_KEY', value } });
    const command = `printf '%s\\n' '${value}'`;
    const fromCommand = openKeyRing({ ...place, source: { variable: 'FAIRLEAD_KEY_COMMAND', command } });
    for (const ring of [fromVariable, fromCommand]) {
      expect(ring.roots.ids()).toEqual(expected.roots.ids());
      expect(ring.derive('api-key')).toEqual(expected.derive('api-key'));
      expect(() => ring.addRoot(systemRandom)).toThrow(/cannot change/);
    }
    expect(existsSync(place.keyFile)).toBe(false);
    for (const wrong of ['short', `${value},`.replace('=', '!'), '', `${value},${value}`])
      expect(() => openKeyRing({ ...place, source: { variable: 'FAIRLEAD_KEY', value: wrong } })).toThrow(
        /no key that can be read/,
      );
    const failing = { variable: 'FAIRLEAD_KEY_COMMAND', command: 'echo a secret; exit 3' } as const;
    expect(() => openKeyRing({ ...place, source: failing })).toThrow(/ended with code 3/);
    expect(() => openKeyRing({ ...place, source: failing })).not.toThrow(/a secret/);
    const other = { variable: 'FAIRLEAD_KEY', value: Buffer.alloc(32, 9).toString('base64') } as const;
    expect(() => openKeyRing({ ...place, source: other })).toThrow(/was written under/);
  });
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
