import { expect, it } from 'vitest';
import { shippedRule } from '../trust/consent/index.ts';
import { noShields, openSiteDirectory, type SiteRecord } from './sites.ts';

const shop: SiteRecord = {
  id: 1,
  organisationId: 1,
  domain: 'shop.example',
  aliases: ['shop-old.example', 'blog.example'],
  timezone: 'Etc/UTC',
  currency: 'EUR',
  titles: true,
  revenue: false,
  contactClicks: false,
  purposes: shippedRule,
  privacySignals: 'ignore',
  stopped: undefined,
  shields: noShields,
  foreignIds: [],
};
const blog: SiteRecord = { ...shop, id: 2, domain: 'blog.example', aliases: [] };

it.each([
  ['shop.example', 1],
  ['SHOP.Example', 1],
  ['www.shop.example', 1],
  [' shop.example. ', 1],
  ['shop-old.example', 1],
  ['blog.example', 2],
  ['other.example', undefined],
  ['__proto__', undefined],
  ['', undefined],
])('a site is found by its domain, however it is spelt: %s', (domain, id) => {
  expect(openSiteDirectory([shop, blog]).find(domain)?.id).toBe(id);
});

it('a new list takes the place of the old one whole', () => {
  const directory = openSiteDirectory([shop]);
  directory.replaceAll([blog]);
  expect(directory.find('shop.example')).toBeUndefined();
  expect(directory.byId(2)?.domain).toBe('blog.example');
});
