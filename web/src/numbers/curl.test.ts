import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { curlText } from './curl.ts';

/** What a shell makes of the text, one argument a line. */
const argumentsOf = (text: string) =>
  execFileSync('/bin/sh', ['-c', `curl() { printf '%s\\0' "$@"; }; ${text}`], {
    env: { FAIRLEAD_KEY: 'the key' },
    encoding: 'utf8',
  })
    .split('\0')
    .slice(0, -1);

it('reads in a shell as it was meant, whatever a filter holds', () => {
  const body = { filters: [['is', 'visit:source', ['O\'Hara $(id) `id` \\ "x"\n!']]] };
  const text = curlText('https://stats.example', { method: 'POST', path: '/api/v2/query', body });
  const [, , address, , key, , type, , sent = ''] = argumentsOf(text);
  expect([address, key, type]).toEqual([
    'https://stats.example/api/v2/query',
    'Authorization: Bearer the key',
    'Content-Type: application/json',
  ]);
  expect(JSON.parse(sent)).toEqual(body);
});

it('asks a page with the method that curl has by itself', () => {
  const text = curlText('https://stats.example', { method: 'GET', path: "/api/sites/a.example/missing?period=7d&x='" });
  expect(argumentsOf(text)).toEqual([
    "https://stats.example/api/sites/a.example/missing?period=7d&x='",
    '-H',
    'Authorization: Bearer the key',
  ]);
});
