import { isIPv4, isIPv6 } from 'node:net';

/**
 * The client's address, by the number of reverse proxies the operator says stand in front (PSE-10).
 * Each proxy appends the address it saw to X-Forwarded-For, so with N trusted hops the N-th entry from the
 * right was written by a proxy we trust; everything left of it is the client's own claim and is never read.
 * With fewer entries than hops the request did not come through all proxies: the socket's address counts.
 *
 * @param socketAddress what the TCP connection says
 * @param forwardedFor the raw X-Forwarded-For value (Node joins repeated headers with ", ")
 * @param hops 0 = believe no header
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | string[] | undefined,
  hops: number,
): string {
  const direct = plainAddress(socketAddress ?? '') ?? '';
  if (hops === 0 || forwardedFor === undefined) return direct;
  const text = typeof forwardedFor === 'string' ? forwardedFor : forwardedFor.join(',');
  let end = text.length;
  for (let hop = 1; ; hop++) {
    const comma = text.lastIndexOf(',', end - 1);
    if (hop === hops) return plainAddress(text.slice(comma + 1, end)) ?? direct;
    if (comma < 0) return direct;
    end = comma;
    if (end === 0) return direct;
  }
}

/** Takes off ports, brackets, zones and the v4-mapped prefix; undefined when what is left is no address. */
export function plainAddress(text: string): string | undefined {
  let value = text.trim();
  if (value.startsWith('[')) {
    const close = value.indexOf(']');
    if (close < 0) return undefined;
    value = value.slice(1, close);
  } else {
    const colon = value.indexOf(':');
    if (colon >= 0 && colon === value.lastIndexOf(':')) value = value.slice(0, colon);
  }
  const zone = value.indexOf('%');
  if (zone >= 0) value = value.slice(0, zone);
  if (isIPv4(value)) return value;
  if (!isIPv6(value)) return undefined;
  const lower = value.toLowerCase();
  if (lower.startsWith('::ffff:') && isIPv4(lower.slice(7))) return lower.slice(7);
  return lower;
}
