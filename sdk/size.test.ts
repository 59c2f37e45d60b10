import { describe, expect, it } from 'vitest';
import { ingestLimits } from '../contract/limits.ts';
import { buildTracker } from './build.ts';

const brotliBytesMax = 2_000;

describe('the tracker', async () => {
  const { code, bytes } = await buildTracker();

  it(`is at most ${brotliBytesMax} bytes in brotli`, () => {
    expect(bytes.brotli).toBeLessThanOrEqual(brotliBytesMax);
  });

  it('says nothing of device storage, of eval or of inline code, even in its text', () => {
    for (const word of ['cookie', 'torage', 'indexedDB', 'caches', 'window.name', 'eval', 'Function', 'innerHTML'])
      expect(code).not.toContain(word);
  });

  it('declares nothing beside the one global', () => {
    expect(code).toMatch(/^"use strict";\(\(\)=>\{[\s\S]*\}\)\(\);$/);
  });

  it('cuts a title where the server would', () => {
    expect(code).toContain(`.slice(0,${ingestLimits.titleCharsMax})`);
  });
});
