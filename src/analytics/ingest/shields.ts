import { BlockList, isIPv6 } from 'node:net';
import type { DropReason } from '../../../contract/drops.ts';
import type { Shields, SiteRecord } from '../sites.ts';
import { matchesGlob } from './glob.ts';
import type { Page } from './page.ts';

/** Is an address on the site's list? Single addresses are kept as keyed digests only, ranges as they are. */
export function blocksAddress(site: SiteRecord, address: string, digestOf: AddressDigest): boolean {
  const { networks, addressDigests } = site.shields;
  if (networks.length > 0 && networksOf(site.shields).check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) return true;
  return addressDigests.length > 0 && addressDigests.includes(digestOf(site.id, address));
}

/** Hex of HMAC-SHA-256 over `shieldAddressText`, keyed outside the databases. */
export type AddressDigest = (siteId: number, address: string) => string;

/** What the digest of a blocked address is made of: the site is in it, so that lists of two sites cannot be compared. */
export function shieldAddressText(siteId: number, address: string): string {
  return `${siteId} ${address}`;
}

/** The shield that stops this page, if one does. */
export function blockedPage(site: SiteRecord, page: Page): DropReason | undefined {
  const { hostnames, pages } = site.shields;
  if (hostnames.length > 0 && !hostnames.some((glob) => matchesGlob(glob, page.hostname)))
    return 'site_hostname_allowlist';
  if (pages.length > 0 && pages.some((glob) => matchesGlob(glob, page.pathname))) return 'site_page_blocklist';
  return undefined;
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
