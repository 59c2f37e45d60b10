/**
 * An address as one unsigned 64-bit key in two halves: an IPv4 address is `{hi: 0, lo: its number}`, an IPv6 address
 * the upper 64 bits, which is where a place is decided (the lower half names one device and is never looked at).
 * The two cannot meet: `::/32` is not routed, and IPv4-mapped addresses in it are turned into IPv4 first.
 */
export type AddressKey = { hi: number; lo: number };

/** Text is never longer: eight groups of four, or six with a dotted tail; a zone (`%eth0`) is not an address. */
const addressCharsMax = 45;

/**
 * Writes the key of a public address into `key` and says whether there is one; text that is no address and addresses
 * that belong to no place (private, loopback, link-local, shared, documentation, multicast) have none.
 * The key is passed in because the hot path asks for one per event.
 */
export function readAddressKey(text: string, key: AddressKey): boolean {
  if (text.length > addressCharsMax || text.length < 2) return false;
  if (text.includes(':')) return readIpv6Key(text, key);
  const number = readIpv4(text, 0);
  key.hi = 0;
  key.lo = number;
  return isPublicIpv4(number);
}

/** The number of a dotted IPv4 address that starts at `from`, or -1. No octal, no short forms: those are a guess. */
function readIpv4(text: string, from: number): number {
  let value = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (digits === 0 || ++dots > 3) return -1;
      value = value * 256 + part;
      part = 0;
      digits = 0;
    } else if (code >= 48 && code <= 57) {
      if (digits > 0 && part === 0) return -1;
      part = part * 10 + code - 48;
      if (++digits > 3 || part > 255) return -1;
    } else return -1;
  }
  return dots === 3 && digits > 0 ? value * 256 + part : -1;
}

/** https://www.iana.org/assignments/iana-ipv4-special-registry */
function isPublicIpv4(number: number): boolean {
  if (number < 0x01000000 || number >= 0xe0000000) return false; // none, 0/8, multicast and reserved
  const top = Math.floor(number / 0x1000000);
  if (top === 10 || top === 127) return false;
  const top16 = Math.floor(number / 0x10000);
  if (top16 === 0xa9fe || top16 === 0xc0a8) return false; // 169.254/16, 192.168/16
  if (top16 >= 0xac10 && top16 <= 0xac1f) return false; // 172.16/12
  if (top16 >= 0x6440 && top16 <= 0x647f) return false; // 100.64/10, carrier-grade NAT
  if (top16 === 0xc612 || top16 === 0xc613) return false; // 198.18/15, benchmarks
  const top24 = Math.floor(number / 0x100);
  return top24 !== 0xc00002 && top24 !== 0xc63364 && top24 !== 0xcb0071; // documentation
}

/** Eight groups of one address being read. One is enough: reading never yields to other code. */
const groups = new Uint16Array(8);

function readIpv6Key(text: string, key: AddressKey): boolean {
  if (!readGroups(text)) return false;
  const g0 = groups[0] as number;
  const g1 = groups[1] as number;
  if (g0 === 0) {
    const isMapped = g1 === 0 && groups[2] === 0 && groups[3] === 0 && groups[4] === 0 && groups[5] === 0xffff;
    if (!isMapped) return false; // ::/16 holds loopback and forms long withdrawn
    key.hi = 0;
    key.lo = (groups[6] as number) * 0x10000 + (groups[7] as number);
    return isPublicIpv4(key.lo);
  }
  if (g0 < 0x2000 || g0 > 0x3fff) return false; // global unicast is 2000::/3: no fc00::/7, fe80::/10, ff00::/8
  if (g0 === 0x2001 && g1 === 0x0db8) return false; // documentation
  key.hi = g0 * 0x10000 + g1;
  key.lo = (groups[2] as number) * 0x10000 + (groups[3] as number);
  return true;
}

/** Reads the text into `groups`. */
function readGroups(text: string): boolean {
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === 58) {
    if (text.charCodeAt(1) !== 58) return false;
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count === 8) return false;
    const start = at;
    let value = 0;
    let code = -1;
    for (; at < text.length; at++) {
      code = text.charCodeAt(at);
      const digit = hexDigit(code);
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (code === 46 && at < text.length) {
      const number = readIpv4(text, start);
      if (number < 0 || count > 6) return false;
      groups[count++] = Math.floor(number / 0x10000);
      groups[count++] = number % 0x10000;
      break;
    }
    if (at === start || at - start > 4) return false;
    groups[count++] = value;
    if (at === text.length) break;
    if (code !== 58) return false;
    at++;
    if (at === text.length) return false;
    if (text.charCodeAt(at) === 58) {
      if (gap >= 0) return false;
      gap = count;
      at++;
    }
  }
  if (gap < 0) return count === 8;
  if (count > 7) return false;
  groups.copyWithin(8 - (count - gap), gap, count);
  groups.fill(0, gap, 8 - (count - gap));
  return true;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}
