import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * In bytes after gzip: what an overview loads before it is there, and all that the dashboard has (with the map's outlines).
 * Pages of accounts, organisations, mail and shares come when they are opened; the second number only says that no page
 * drags a library along.
 */
const firstScriptBytesMax = 130_000;
const firstStyleBytesMax = 15_000;
/**
 * 4,000 more than before for timelines that go on (0.5 KB), what an earlier version proved (0.4 KB), words for calls to others and
 * the line that is there with the next answer (0.4 KB), and what other pages add beside it. 23,000 more for the four pages that read
 * the relay, and 3,000 of styles. 16,000 and 1,500 more for conditions, cases and tables of a mapping that are made without JSON, for
 * what is chosen from a connected account, and for dead letters. 4,000 more for credits, addresses for alerts and what pixels told.
 * 1,000 more for what a replay would not send.
 */
const scriptBytesMax = 457_000;
const styleBytesMax = 38_500;

const folder = mkdtempSync(join(tmpdir(), 'fairlead-web-'));
// A process of its own: the test runner's NODE_ENV would bring React's development build.
beforeAll(() => {
  const vite = join(import.meta.dirname, '../node_modules/vite/bin/vite.js');
  execFileSync(
    process.execPath,
    [vite, 'build', '-c', join(import.meta.dirname, 'vite.config.ts'), '--outDir', folder],
    {
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: 'pipe',
    },
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const weight = (names: readonly string[]) =>
  names.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, 'assets', name)), { level: 9 }).length, 0);

test.each([
  ['.js', firstScriptBytesMax, scriptBytesMax],
  ['.css', firstStyleBytesMax, styleBytesMax],
])('%s: at most %i bytes after gzip before an overview is there, %i in all', (extension, firstMax, allMax) => {
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const all = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith(extension));
  // The overview is part of the entry; what the entry imports is named in the page too, so that it comes at once.
  const first = all.filter((name) => page.includes(`/assets/${name}"`));
  expect(weight(first)).toBeGreaterThan(1_000);
  expect(weight(first)).toBeLessThanOrEqual(firstMax);
  expect(weight(all)).toBeLessThanOrEqual(allMax);
});

test('the schemas of the server stay there: they are large, and make functions of text, which the policy stops', () => {
  const all = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'));
  expect(all.filter((name) => readFileSync(join(folder, 'assets', name), 'utf8').includes('ZodError'))).toEqual([]);
});

test('the page has no inline script and no inline style', () => {
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  expect(page).toContain('type="module"');
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|\bstyle=|<style/);
});
