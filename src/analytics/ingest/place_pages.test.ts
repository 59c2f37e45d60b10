import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openPagedFile } from './place_pages.ts';

const directory = mkdtempSync(join(tmpdir(), 'fairlead-pages-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Three pages and a rest, no byte of them 0. */
const content = Buffer.from(Array.from({ length: 3 * 4_096 + 100 }, (_, at) => 1 + ((at * 7) % 255)));

function fileWith(name: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

test.each([
  ['a byte', 5_000, 5_001, 4_096, 8_192],
  ['the last byte of a page', 4_095, 4_096, 0, 4_096],
  ['a stretch over the end of a page', 4_095, 4_097, 0, 8_192],
  ['a stretch of the last page, which is shorter', 12_300, 12_301, 12_288, content.length],
  ['all of it', 0, content.length, 0, content.length],
])('what is read for %s are the pages that it lies in', (_, from, to, readFrom, readTo) => {
  const file = openPagedFile(fileWith('file'));
  const { bytes, need } = file.pages();
  expect(file.size).toBe(content.length);
  need(from, to);
  need(from, to);
  const expected = Buffer.alloc(content.length);
  content.copy(expected, readFrom, readFrom, readTo);
  expect(expected.equals(bytes)).toBe(true);
  file.close();
});

test('it is the file that was opened, whatever takes its name, and pages that were ended hold nothing', () => {
  const path = fileWith('renamed');
  const file = openPagedFile(path);
  const first = file.pages();
  first.need(0, 10);
  writeFileSync(join(directory, 'other'), Buffer.alloc(content.length));
  renameSync(join(directory, 'other'), path);
  first.end();
  expect(first.bytes).toHaveLength(0);
  const again = file.pages();
  again.need(4_000, 9_000);
  expect(content.subarray(4_000, 9_000).equals(again.bytes.subarray(4_000, 9_000))).toBe(true);
  file.close();
});

test('a file that became shorter is a fault where its end is needed, and not bytes of nothing', () => {
  const path = fileWith('short');
  const file = openPagedFile(path);
  const { need } = file.pages();
  truncateSync(path, 5_000);
  need(0, 4_096);
  expect(() => need(4_096, 4_097)).toThrow('became shorter');
  file.close();
});
