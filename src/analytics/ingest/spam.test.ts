import { describe, expect, test } from 'vitest';
import { spamHosts } from './data/spam_hosts.ts';
import { knownByHost } from './known_sources.ts';
import { isSpamReferrer } from './spam.ts';

describe('A referrer spammer is known with and without what stands around its name', () => {
  test.each([
    'semalt.com',
    'semalt.semalt.com',
    'buttons-for-website.com/page',
    'cookie-law-enforcement-qq.xyz',
    '7-best-seo.com',
    'compliance-xavier.top',
    'social-traffic-9.xyz',
    'www.free-share-buttons.com',
    'www7.free-share-buttons.net',
  ])('%s', (host) => {
    expect(isSpamReferrer(host)).toBe(true);
  });
});

describe('Nobody else is taken for one', () => {
  test.each([
    '',
    'google.com',
    'notsemalt.com',
    'semalt.com.example.net',
    'seo.example.net',
    'xyz',
    'x'.repeat(10_000),
  ])('%j', (host) => {
    expect(isSpamReferrer(host)).toBe(false);
  });

  test('no spam host is a known source', () => {
    expect(spamHosts.filter((host) => knownByHost(host) !== undefined)).toEqual([]);
  });
});

test('The list is clean', () => {
  expect(spamHosts.length).toBeGreaterThan(500);
  expect(new Set(spamHosts).size).toBe(spamHosts.length);
  for (const host of spamHosts) expect(host).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/);
});
