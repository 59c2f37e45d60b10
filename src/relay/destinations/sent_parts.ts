import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { clickIds } from '../../../contract/conversion.ts';
import { plainAddress } from '../../platform/http/address.ts';
import { isPublicAddress } from '../../platform/outbound/index.ts';

/** Addresses of documents: nobody has one, and whoever tries a mapping out writes one. */
const documentation = new BlockList();
documentation.addSubnet('192.0.2.0', 24, 'ipv4');
documentation.addSubnet('198.51.100.0', 24, 'ipv4');
documentation.addSubnet('203.0.113.0', 24, 'ipv4');
documentation.addSubnet('2001:db8::', 32, 'ipv6');

/** The address of a client as a platform may have it: a public one. A private one is somebody's proxy and matches nobody. */
export function sentAddress(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const address = plainAddress(given);
  if (address === undefined) return undefined;
  if (isPublicAddress(address)) return address;
  const isExample =
    (isIPv4(address) && documentation.check(address, 'ipv4')) ||
    (isIPv6(address) && !address.includes('%') && documentation.check(address, 'ipv6'));
  return isExample ? address : undefined;
}

const sentParameters: ReadonlySet<string> = new Set([
  ...clickIds,
  ...(['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', 'utm_id'] as const),
]);

/**
 * The address of a page as a platform may have it: its parameters are campaigns and click ids alone, since shops write
 * mail addresses and tokens into the others, and nothing behind `#`.
 * @returns undefined for what is no address of a page
 */
export function sentPageUrl(given: string): string | undefined {
  const parts = /^(https?:\/\/)(?:[^/?#\s]*@)?([^/?#\s@]+)([^?#]*)(?:\?([^#]*))?/i.exec(given);
  if (parts === null) return undefined;
  const [, scheme = '', host = '', path = '', query] = parts;
  const plain = `${scheme}${host}${path}`;
  if (query === undefined) return plain;
  const kept = query.split('&').filter((pair) => sentParameters.has(pair.split('=', 1)[0] ?? ''));
  return kept.length === 0 ? plain : `${plain}?${kept.join('&')}`;
}
