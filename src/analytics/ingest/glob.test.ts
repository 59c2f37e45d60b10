import { expect, it } from 'vitest';
import { matchesGlob } from './glob.ts';

const rows: [pattern: string, text: string, fits: boolean][] = [
  ['/blog', '/blog', true],
  ['/blog', '/blog/', false],
  ['/blog/*', '/blog/june', true],
  ['/blog/*', '/blog/', true],
  ['/blog/*', '/blog/2026/june', false],
  ['/blog**', '/blog/2026/june', true],
  ['/blog**', '/blog', true],
  ['/blog/**/edit', '/blog/2026/june/edit', true],
  ['/blog/**/edit', '/blog/2026/june/view', false],
  ['/*/edit', '/a/edit', true],
  ['/*/edit', '/a/b/edit', false],
  ['/**/a*c/d', '/x/abc/y/aXXc/d', true],
  ['**', '', true],
  ['*', '', true],
  ['*', '/', false],
  ['*.example.org', 'shop.example.org', true],
  ['*.example.org', 'example.org', false],
  ['*.example.org', 'a.b.example.org', true],
  ['example.org', 'example.org.evil.net', false],
  ['a.c', 'abc', false],
  ['[a-z]', 'b', false],
  ['/a?b', '/a?b', true],
  ['', '', true],
  ['', 'x', false],
];
it.each(rows)('a glob is text, `*` within a segment and `**` across them: %s on %s', (pattern, text, fits) => {
  expect(matchesGlob(pattern, text)).toBe(fits);
});

it('a hostile pattern costs no more than pattern times text', () => {
  const pattern = `${'*a'.repeat(200)}b`;
  const started = performance.now();
  expect(matchesGlob(pattern, 'a'.repeat(2_000))).toBe(false);
  expect(matchesGlob(`${'**a'.repeat(200)}b`, 'a'.repeat(2_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(500);
});
