import { BlockList, isIPv6 } from 'node:net';
import type { DropReason } from '../../../contract/drops.ts';
import type { Shields, SiteRecord } from '../sites.ts';
import { matchesGlob } from './glob.ts';
import type { Page } from './page.ts';

/** Is an address on the site's list? Single addresses are kept as keyed digests only, ranges as they are. */
export function blocksAddress(site: SiteRecord, address: string, digestOf: AddressDigest): boolean {
  const { networks, addressDigests } = site.shields;
  if (networks.length > 0 && networksOf(site.shields).check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) return true;
  if (addressDigests.length === 0) return false;
  const spelt = spellAddress(address);
  if (addressDigests.includes(digestOf(site.id, spelt))) return true;
  const line = lineOf(spelt);
  return line !== undefined && addressDigests.includes(digestOf(site.id, line));
}

/** Hex of HMAC-SHA-256 over `shieldAddressText`, keyed outside the databases. */
export type AddressDigest = (siteId: number, address: string) => string;

/** What the digest of a blocked address is made of: the site is in it, so that lists of two sites cannot be compared. */
export function shieldAddressText(siteId: number, address: string): string {
  return `${siteId} ${address}`;
}

/** The one spelling of an address that digests are made of: an IPv6 address can be written in many ways. */
export function spellAddress(address: string): string {
  return isIPv6(address) ? (URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address) : address;
}

/**
 * The first half of an IPv6 address, which is one line's; devices change the other half day by day. IPv4 has none.
 * @example lineOf('2001:db8::1') // '2001:db8:0:0::/64'
 */
export function lineOf(address: string): string | undefined {
  return isIPv6(address) ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : undefined;
}

/** The eight groups of an IPv6 address that `spellAddress` has spelt. */
export function groupsOf(address: string): string[] {
  const [before = '', after] = address.split('::');
  const first = before === '' ? [] : before.split(':');
  const last = after === undefined || after === '' ? [] : after.split(':');
  // What `::` stands for.
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return [...first, ...zeros, ...last];
}

/** The shield that stops this page, if one does. */
export function blockedPage(site: SiteRecord, page: Page): DropReason | undefined {
  const { hostnames, blockedHostnames, pages } = site.shields;
  if (hostnames.length > 0 && !hostnames.some((glob) => matchesGlob(glob, page.hostname)))
    return 'site_hostname_allowlist';
  if (blockedHostnames.length > 0 && blockedHostnames.some((glob) => matchesGlob(glob, page.hostname)))
    return 'site_hostname_blocklist';
  if (pages.length > 0 && pages.some((glob) => matchesGlob(glob, page.pathname))) return 'site_page_blocklist';
  return undefined;
}

/** Is the referrer's host on the site's own list, or under one that is? */
export function blocksReferrer({ shields }: SiteRecord, host: string): boolean {
  return shields.referrers.some((listed) => host === listed || host.endsWith(`.${listed}`));
}

/** A directory that is replaced takes its shields along, so the lists built from them go with it. */
const builtNetworks = new WeakMap<Shields, BlockList>();

function networksOf(shields: Shields): BlockList {
  const built = builtNetworks.get(shields);
  if (built !== undefined) return built;
  const list = new BlockList();
  for (const network of shields.networks) {
    const [base = '', bits = ''] = network.split('/');
    list.addSubnet(base, Number(bits), isIPv6(base) ? 'ipv6' : 'ipv4');
  }
  builtNetworks.set(shields, list);
  return list;
}
