import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, test } from 'vitest';

/** Budgets of the whole dashboard, every page of it, in bytes after gzip. */
const scriptBytesMax = 130_000;
const styleBytesMax = 15_000;

test('the dashboard fits its budget and asks for no inline script', async () => {
  const built = await build({
    configFile: join(import.meta.dirname, 'vite.config.ts'),
    logLevel: 'silent',
    build: { write: false },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const size = (extension: string) =>
    outputs
      .filter((file) => file.fileName.endsWith(extension))
      .reduce((sum, file) => sum + gzipSync(file.type === 'chunk' ? file.code : file.source, { level: 9 }).length, 0);
  expect(size('.js')).toBeGreaterThan(0);
  expect(size('.js')).toBeLessThanOrEqual(scriptBytesMax);
  expect(size('.css')).toBeLessThanOrEqual(styleBytesMax);
  const page = readFileSync(join(import.meta.dirname, 'index.html'), 'utf8');
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)/);
  expect(page).not.toMatch(/\bstyle=/);
}, 60_000);
