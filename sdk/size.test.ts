import { describe, expect, it } from 'vitest';
import { destinationClickIds } from '../contract/destinations.ts';
import { ingestLimits } from '../contract/limits.ts';
import { buildPixels, buildStorage, buildTracker } from './build.ts';

const brotliBytesMax = 2_000;

describe('the tracker', async () => {
  const { code, bytes } = await buildTracker();

  it(`is at most ${brotliBytesMax} bytes in brotli`, () => {
    expect(bytes.brotli).toBeLessThanOrEqual(brotliBytesMax);
  });

  it('says nothing of device storage, of eval or of inline code, even in its text', () => {
    // The value that loads the other file, and is in its name.
    expect(code.match(/\w*torage[\w.]*/g)).toEqual(['storage']);
    for (const word of [
      'cookie',
      'ocalStorage',
      'essionStorage',
      'indexedDB',
      'caches',
      'window.name',
      'eval',
      'Function',
      'innerHTML',
    ])
      expect(code).not.toContain(word);
  });

  it(`has a part for storage of at most ${brotliBytesMax} bytes, which only storage mode loads`, async () => {
    const part = await buildStorage();
    expect(part.bytes.brotli).toBeLessThanOrEqual(brotliBytesMax);
    for (const word of ['cookie', 'indexedDB', 'caches', 'window.name', 'eval', 'Function', 'innerHTML'])
      expect(part.code).not.toContain(word);
  });

  it(`has a part for pixels of at most ${brotliBytesMax} bytes, which reads cookies and writes nothing`, async () => {
    const part = await buildPixels();
    expect(part.bytes.brotli).toBeLessThanOrEqual(brotliBytesMax);
    expect(part.code.match(/\w+\.cookie\b.?/g)).toEqual(['document.cookie:']);
    // The part that it loads where the tag asks for both.
    expect(part.code.match(/\w*torage[\w.]*/g)?.filter((word) => !/^(ad|analytics)_/.test(word))).toEqual(
      expect.arrayContaining(['storage', 'storage.js']),
    );
    for (const word of [
      'ocalStorage',
      'essionStorage',
      'indexedDB',
      'caches',
      'window.name',
      'eval',
      'Function',
      'innerHTML',
    ])
      expect(part.code).not.toContain(word);
  });

  it('declares nothing beside the one global', () => {
    expect(code).toMatch(/^"use strict";\(\(\)=>\{[\s\S]*\}\)\(\);$/);
  });

  it('leaves the click ids of every destination in an address', () => {
    const [, kept = ''] = /\[\?&\]\(\?!\((\S+?)\)=\)/.exec(code) ?? [];
    for (const name of [...destinationClickIds, 'gclid', 'rdt_cid'])
      expect(`?${name}=`).toMatch(new RegExp(`^\\?(${kept})=`));
    expect('?__CLICK_IDS__=').not.toMatch(new RegExp(`^\\?(${kept})=`));
  });

  it('cuts a title where the server would', () => {
    expect(code).toContain(`.slice(0,${ingestLimits.titleCharsMax})`);
  });
});
