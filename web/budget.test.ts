import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Budgets of the whole dashboard, every page of it, in bytes after gzip. */
const scriptBytesMax = 130_000;
const styleBytesMax = 15_000;

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

test.each([
  ['.js', scriptBytesMax],
  ['.css', styleBytesMax],
])('all of %s weighs at most %i bytes after gzip', (extension, bytesMax) => {
  const files = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith(extension));
  const bytes = files.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(folder, 'assets', name)), { level: 9 }).length,
    0,
  );
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThanOrEqual(bytesMax);
});

test('the page has no inline script and no inline style', () => {
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  expect(page).toContain('type="module"');
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|\bstyle=|<style/);
});
