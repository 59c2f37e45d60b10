import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { type ShieldKind, shieldLimits } from '../../contract/shields.ts';
import { plainAddress } from '../platform/http/address.ts';
import { RequestError } from '../platform/http/route.ts';
import { groupsOf, lineOf, spellAddress } from './ingest/shields.ts';

/** What a shield is kept as. An address leaves the request in no other form. */
export type ShieldValue =
  | { readonly kind: Exclude<ShieldKind, 'address'>; readonly pattern: string }
  | { readonly kind: 'address'; readonly network: string; readonly isWide: boolean }
  /** One address, or the first half of an IPv6 address: to be digested and forgotten. */
  | { readonly kind: 'address'; readonly address: string };

/**
 * Reads a value as a person writes it, into the form that events are compared with.
 * @param site a referrer of the site itself is refused: it would drop every step from page to page
 * @param deskRate events a second that the operator gives each site; a site cannot have more
 * @throws RequestError invalid_field, without the value where that is an address
 */
export function readShieldValue(
  kind: ShieldKind,
  text: string,
  site: { domain: string },
  deskRate: number | undefined,
): ShieldValue {
  switch (kind) {
    case 'hostname':
    case 'blocked_hostname':
      return { kind, pattern: readHostnameGlob(text) };
    case 'path':
      return { kind, pattern: readPathGlob(text) };
    case 'country':
      return { kind, pattern: readCountry(text) };
    case 'referrer':
      return { kind, pattern: readReferrerHost(text, site.domain) };
    case 'rate':
      return { kind, pattern: readRate(text, deskRate) };
    case 'address':
      return readAddress(text);
  }
}

function refuse(message: string): never {
  throw new RequestError('invalid_field', message, { field: 'value' });
}

/** As pages are stored: lower case, in ASCII form, without `www.` */
function readHostnameGlob(text: string): string {
  const host = domainToASCII(
    text
      .trim()
      .replace(/\.$/, '')
      .replace(/^www\./i, ''),
  );
  if (!/^[a-z0-9._*-]+$/.test(host))
    refuse(
      `"${text}" is not a hostname. Write it as it stands in the address bar, such as shop.example or *.shop.example.`,
    );
  return host;
}

function readPathGlob(text: string): string {
  const path = text.trim();
  if (!path.startsWith('/') && !path.startsWith('*'))
    refuse(`"${text}" is not a page pattern. Begin it with a slash, such as /admin/**.`);
  if (path.includes('?')) refuse('Paths are kept without what follows a question mark. Leave it out.');
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** Regions that Intl names and nobody comes from: unions, tests, the unknown. */
const noCountries = new Set(['EU', 'EZ', 'QO', 'UN', 'XA', 'XB', 'ZZ']);
const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** False for the code that a country had once, such as DD. */
function isNow(code: string): boolean {
  return new Intl.Locale(`und-${code}`).region === code;
}

function readCountry(text: string): string {
  const code = text.trim().toUpperCase();
  // A1 is what the place step writes for known anonymous exits.
  if (code === 'A1') return code;
  if (!/^[A-Z]{2}$/.test(code) || noCountries.has(code) || !isNow(code) || regions.of(code) === undefined)
    refuse(`"${text}" is not a country. Write an ISO 3166-1 code of two letters such as DE.`);
  return code;
}

function readReferrerHost(text: string, own: string): string {
  const host = URL.parse(/^https?:\/\//i.test(text.trim()) ? text.trim() : `http://${text.trim()}`)?.hostname ?? '';
  const name = host.replace(/\.$/, '').replace(/^www\./, '');
  if (!name.includes('.') || !/^[a-z0-9._-]+$/.test(name) || isIP(name) !== 0)
    refuse(`"${text}" is not a host. Write it as it stands in the address bar, such as spam.example.`);
  if (name === own || own.endsWith(`.${name}`))
    refuse(`${name} is this site itself: every step from one of its pages to another would be dropped.`);
  return name;
}

function readRate(text: string, deskRate: number | undefined): string {
  const rate = Number(text.trim());
  if (!Number.isInteger(rate) || rate < 1 || rate > 1_000_000)
    refuse('A rate is a whole number of events a second, from 1 to 1,000,000.');
  if (deskRate !== undefined && rate > deskRate)
    refuse(
      `The operator of this desk gives each site ${deskRate} events a second. A site's own limit can only be lower.`,
    );
  return String(rate);
}

function readAddress(text: string): ShieldValue {
  const [base = '', length, ...rest] = text.trim().split('/');
  const address = plainAddress(base);
  if (address === undefined || rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)))
    refuse('This is neither an address nor a network. Write one such as 203.0.113.7 or 203.0.113.0/24.');
  const { ipv4Bits, ipv6Bits, wideBits } = shieldLimits;
  const isV4 = isIPv4(address);
  const bits = length === undefined ? (isV4 ? 32 : 128) : Number(length);
  if (bits === (isV4 ? 32 : 128)) return { kind: 'address', address: spellAddress(address) };
  const line = bits === 64 ? lineOf(spellAddress(address)) : undefined;
  if (line !== undefined) return { kind: 'address', address: line };
  const { min, max } = isV4 ? ipv4Bits : ipv6Bits;
  if (bits < min)
    refuse(
      `A network of ${isV4 ? 'IPv4' : 'IPv6'} has at least /${min}: a shorter prefix is a large part of the internet.`,
    );
  if (bits > max)
    refuse(
      isV4
        ? `A network of IPv4 has at most /${max}. Add fewer addresses one by one: they are kept as digests.`
        : `A network of IPv6 has at most /${max}, or /64 for one line, which is kept as a digest.`,
    );
  return {
    kind: 'address',
    network: networkOf(spellAddress(address), bits),
    isWide: bits < (isV4 ? wideBits.ipv4 : wideBits.ipv6),
  };
}

/** The network that an address lies in; nothing of the address behind the prefix is left. */
function networkOf(address: string, bits: number): string {
  const isV4 = isIPv4(address);
  const size = isV4 ? 8 : 16;
  const parts = isV4 ? address.split('.').map(Number) : groupsOf(address).map((group) => Number.parseInt(group, 16));
  const kept = parts.map((part, at) => {
    const behind = size - Math.max(0, Math.min(size, bits - at * size));
    return (part >> behind) << behind;
  });
  return `${kept.map((part) => (isV4 ? part : part.toString(16))).join(isV4 ? '.' : ':')}/${bits}`;
}

/** The address of whoever calls, as their own traffic is known by: over IPv6 the first half, which stays for days. */
export function ownAddress(address: string): { kind: 'address'; address: string } | undefined {
  if (isIP(address) === 0) return undefined;
  const spelt = spellAddress(address);
  return { kind: 'address', address: lineOf(spelt) ?? spelt };
}

const ofNobody = new BlockList();
for (const [base, bits] of [
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  ofNobody.addSubnet(base, bits, 'ipv4');
for (const [base, bits] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  ofNobody.addSubnet(base, bits, 'ipv6');

/**
 * Does this address belong to a proxy that the desk was not told of? Everybody who comes through it has that address,
 * so a shield against it would drop all visitors. It shows when the address is a private one and the call names another.
 */
export function isUnknownProxy(address: string, forwardedFor: string | string[] | undefined): boolean {
  if (!ofNobody.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) return false;
  return String(forwardedFor ?? '')
    .split(',')
    .some((part) => {
      const named = plainAddress(part);
      return named !== undefined && named !== address;
    });
}

/** Notes are shown to everyone who sees the site, so no address may stand in one. */
export function namesAddress(note: string): boolean {
  return note.split(/[\s,;()[\]<>"']+/).some((part) => isIP(part.split('/')[0] ?? '') !== 0);
}
