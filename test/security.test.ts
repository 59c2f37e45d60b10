import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** docs/security.md against the list of OWASP ASVS 5.0 requirements that this product tracks, and against the files that it names. */
const tracked = `
2.2.1-2.2.3 2.3.1-2.3.4 2.4.1
3.2.1 3.2.2 3.3.1-3.3.4 3.4.1-3.4.8 3.5.1-3.5.5 3.6.1 3.7.2
4.1.1-4.1.5 4.2.1 4.4.1 4.4.2
6.1.1 6.2.1-6.2.12 6.3.1-6.3.5 6.3.7 6.3.8 6.4.1-6.4.4 6.5.1-6.5.5 6.6.2 6.6.3 6.7.2 6.8.1 6.8.2
7.1.1 7.1.2 7.2.1-7.2.4 7.3.1 7.3.2 7.4.1-7.4.5 7.5.1 7.5.2 7.6.2
8.1.1 8.1.2 8.2.1-8.2.3 8.3.1-8.3.3 8.4.1
9.1.1-9.1.3 9.2.1-9.2.4 10.1.1 10.1.2 10.2.1-10.2.3 10.4.5 10.4.8 10.4.9 10.5.1-10.5.4
11.1.1 11.1.2 11.2.1 11.2.2 11.2.4 11.3.1-11.3.4 11.4.1 11.4.2 11.5.1 12.1.1 12.2.1 12.3.1 12.3.2
13.1.1 13.1.4 13.2.1-13.2.6 13.3.1 13.3.2 13.4.1 13.4.2 13.4.4 13.4.5 15.3.2
14.1.1 14.1.2 14.2.1-14.2.4 14.2.6 14.2.7 14.3.1-14.3.3
15.1.2 15.2.2 15.3.1 15.3.3-15.3.7 15.4.2
16.1.1 16.2.1-16.2.5 16.3.1-16.3.4 16.4.1-16.4.3 16.5.1-16.5.4`;
const api = Array.from({ length: 10 }, (_, at) => `API${at + 1}`);

const root = new URL('../', import.meta.url);
const rows = readFileSync(new URL('docs/security.md', root), 'utf8')
  .split('\n')
  .filter((line) => /^\| (\d|API)/.test(line))
  .map((line) => {
    const [id = '', , state = '', where = ''] = line.slice(2, -2).split(' | ');
    return {
      id,
      state,
      where,
      files: [...where.matchAll(/`([\w./-]+\.(?:tsx?|md|json))`/g)].map((found) => found[1] ?? ''),
    };
  });

it('every tracked requirement has one row', () => {
  const ids = tracked.trim().split(/\s+/).flatMap(spread);
  expect(rows.map((row) => row.id).toSorted()).toEqual([...ids, ...api].toSorted());
});

it.each(rows)('$id says whether it is met, and names files that are there', ({ state, where, files }) => {
  expect(['met', 'not met', 'not applicable']).toContain(state);
  expect(where).not.toBe('');
  if (state === 'met') expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(existsSync(new URL(file.replace(/^\//, ''), root)), file).toBe(true);
});

/** `2.2.1-2.2.3` is three. */
function spread(range: string): string[] {
  const [first = '', last = first] = range.split('-');
  const prefix = first.slice(0, first.lastIndexOf('.') + 1);
  const number = (id: string) => Number(id.slice(id.lastIndexOf('.') + 1));
  return Array.from({ length: number(last) - number(first) + 1 }, (_, at) => `${prefix}${number(first) + at}`);
}
