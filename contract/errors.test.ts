import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { errorStatus } from './errors.ts';

it('every error code stands in the guide with its status, and the guide names no other', () => {
  const guide = readFileSync(new URL('../docs/guides/errors.md', import.meta.url), 'utf8');
  const rows = Object.fromEntries(
    [...guide.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)].map((row) => [row[1], Number(row[2])]),
  );
  expect(rows).toEqual(errorStatus);
});
