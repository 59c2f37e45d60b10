import { BlockList, isIP } from 'node:net';

/**
 * Why an address is not one that a stranger may send us to. From IANA's special-purpose registries
 * (https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry).
 */
const refusedV4: readonly [network: string, prefix: number][] = [
  ['0.0.0.0', 8], // "this network"; Linux connects it to itself
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // shared address space of carriers; also one cloud's metadata (100.100.100.200)
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // a public address that every machine of one cloud reaches its host under
  ['169.254.0.0', 16], // link-local, metadata of most clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24], // protocol assignments; one cloud's metadata (192.0.0.192)
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // former 6to4 relays
  ['192.168.0.0', 16],
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
];

/** Parts of 2000::/3 that are no one's public host. Everything outside 2000::/3 is refused anyway. */
const refusedV6: readonly [network: string, prefix: number][] = [
  ['2001::', 23], // protocol assignments: Teredo carries an IPv4 address of its own, ORCHID is no address
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: carries any IPv4 address
  ['3fff::', 20], // documentation
];

const blockedV4 = new BlockList();
for (const [network, prefix] of refusedV4) blockedV4.addSubnet(network, prefix, 'ipv4');
const blockedV6 = new BlockList();
for (const [network, prefix] of refusedV6) blockedV6.addSubnet(network, prefix, 'ipv6');

/**
 * Is this a public unicast address? False for whatever cannot be read, for names and for addresses with a zone.
 *
 * ```ts
 * isPublicAddress('8.8.8.8') // true
 * isPublicAddress('::ffff:127.0.0.1') // false
 * ```
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !blockedV4.check(address, 'ipv4');
  if (family !== 6 || address.includes('%')) return false;
  const groups = groupsOf(address);
  // NAT64's well-known prefix is how IPv6-only networks reach the IPv4 world: the address inside decides.
  if (groups.slice(0, 6).join(':') === '100:65435:0:0:0:0') return isPublicAddress(v4Of(groups));
  if (((groups[0] as number) & 0xe000) !== 0x2000) return false;
  // ISATAP hides an IPv4 address in the interface's half of any prefix.
  const isIsatap = ((groups[4] as number) & 0xfdff) === 0 && groups[5] === 0x5efe;
  return !isIsatap && !blockedV6.check(address, 'ipv6');
}

/** One text for every way to write an address, so that two can be compared. */
export function canonicalAddress(address: string): string {
  if (isIP(address) !== 6 || address.includes('%')) return address;
  const groups = groupsOf(address);
  // Sockets that speak both families report IPv4 peers as mapped ones.
  if (groups.slice(0, 6).join(':') === '0:0:0:0:0:65535') return v4Of(groups);
  return groups.map((group) => group.toString(16)).join(':');
}

/** The eight groups of an IPv6 address that `isIP` has accepted. */
function groupsOf(address: string): number[] {
  // The URL parser writes an embedded IPv4 address as two groups; what is left is hex and at most one "::".
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const read = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const before = read(head);
  if (tail === undefined) return before;
  const after = read(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function v4Of(groups: number[]): string {
  const [high, low] = [groups[6] as number, groups[7] as number];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
