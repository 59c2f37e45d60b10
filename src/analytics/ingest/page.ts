import { ingestLimits } from '../../../contract/limits.ts';
import { barePath } from './bare.ts';
import type { Refusal } from './payload.ts';

/** Where an event happened, in the words of the `events` table. */
export type Page = {
  /** Lower case, in ASCII form, without `www.`; `(none)` when the address has no host, as Plausible writes it. */
  readonly hostname: string;
  /** Decoded where that loses nothing; with the fragment in hash mode. Never a query string or its like (COL-19). */
  readonly pathname: string;
  /** The query string as it came, for sources alone: it is never stored. */
  readonly search: string;
};

const noHost = '(none)';
const hostCharsMax = 253;

/**
 * Reads the address of a page. User name, password, port, query and (outside hash mode) fragment are left behind here.
 * Refused are: what no URL parser can read, schemes that name no place (`data:`, `javascript:`, `about:`), and paths
 * over 2,000 characters (or `pathCharsMax`); cutting those would make one page of many.
 */
export function readPage(
  address: string,
  hashMode: boolean,
  pathCharsMax: number = ingestLimits.pathCharsMax,
): Page | Refusal {
  const url = parseAddress(address);
  if (url === undefined)
    return refuse('invalid', 'The address of the page cannot be read. Send it whole, as location.href gives it.');
  const hostname = readHostname(url.hostname);
  if (hostname.length > hostCharsMax) return refuse('too_large', `A hostname has at most ${hostCharsMax} characters.`);
  const pathname = readPathname(url, hashMode);
  if (pathname.length > pathCharsMax) return refuse('too_large', `The path is longer than ${pathCharsMax} characters.`);
  return { hostname, pathname, search: url.search };
}

function refuse(reason: Refusal['reason'], message: string): Refusal {
  return { refused: true, reason, field: 'url', message };
}

/** Apps without a host send a path alone. Anything else without a scheme is a mistake of the sender's. */
function parseAddress(address: string): URL | undefined {
  const text = address.trim();
  const url = text.startsWith('/') && !text.startsWith('//') ? URL.parse(text, 'path:///') : URL.parse(text);
  // An opaque path (`data:text/html,…`) is one that names no place.
  return url === null || (url.host === '' && !url.pathname.startsWith('/')) ? undefined : url;
}

function readHostname(hostname: string): string {
  if (hostname === '') return noHost;
  const from = hostname.startsWith('www.') ? 4 : 0;
  return hostname.slice(from, hostname.endsWith('.') ? -1 : undefined).toLowerCase();
}

function readPathname(url: URL, hashMode: boolean): string {
  const path = barePath(decode(url.pathname === '' ? '/' : url.pathname));
  if (!hashMode || url.hash === '') return path;
  const mark = url.hash.search(fragmentQuery);
  return path + barePath(decode(mark < 0 ? url.hash : url.hash.slice(0, mark)));
}

/**
 * A router's fragment is a path (`#/orders/12`) and may bring a query of its own; one with `&` or `=` is a list of
 * parameters, such as the `#access_token=…` that a sign-in returns with.
 */
const fragmentQuery = /[?&=]/;

/**
 * `/caf%C3%A9` becomes `/café`, while `%2F`, `%3F` and `%23` stay: a decoded question mark would look like a query.
 * What is not UTF-8 stays as it came.
 */
function decode(path: string): string {
  if (!path.includes('%')) return path;
  let text: string;
  try {
    text = decodeURI(path);
  } catch {
    return path;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out here.
  return text.replace(/[\0-\x1f\x7f]/g, '').trimEnd();
}
