import { ingestLimits } from '../../../contract/limits.ts';
import { bareText, withoutParameters } from './bare.ts';
import { type ClickIdKind, clickIdKinds, clickIdRank } from './click_ids.ts';
import { knownByHost, knownByWord } from './known_sources.ts';

/** The part of a page address that says where a visit came from. A `URL` fits as it is. */
export type LandingPage = { readonly hostname: string; readonly search: string };

/** Where a visit came from, in the words of the `events` table. Every member is a clean, well-formed string. */
export type Source = {
  /**
   * Host and path, without scheme, `www.`, port, query, fragment and a slash at the end; '' when there is none, or when
   * it is the site itself, an address, or a name that exists in private networks only.
   */
  readonly referrer: string;
  /** A name people know ("Google"), else the word of the tag, else the host without `www.`; '' is direct. */
  readonly source: string;
  /** As tagged (`utm_medium`); '' when untagged. */
  readonly medium: string;
  /** As tagged (`utm_campaign`); '' when untagged. */
  readonly campaign: string;
  readonly utm_source: string;
  readonly utm_medium: string;
  readonly utm_campaign: string;
  readonly utm_term: string;
  readonly utm_content: string;
  /** The kind of the ad click id in the address, never its value. */
  readonly click_id: ClickIdKind | '';
};

/**
 * Reads where a visit came from. Of the page's query only the five UTM parameters, the presence of a click id, and
 * `source` or `ref` where they name a source are read; everything else in it is dropped (COL-19). A tag wins over the
 * referrer. Pure; never throws, whatever the strings hold.
 *
 * @example
 * readSource({
 *   page: new URL('https://example.com/?utm_source=fb&token=secret'),
 *   referrer: 'https://l.facebook.com/l.php?u=secret',
 *   siteHostnames: ['example.com'],
 * })
 * // { referrer: 'l.facebook.com/l.php', source: 'Facebook', utm_source: 'fb', … }
 */
export function readSource(hit: {
  readonly page: LandingPage;
  readonly referrer: string;
  /** The site's domain and further hostnames; each stands for everything below it. */
  readonly siteHostnames: readonly string[];
}): Source {
  const tags = hit.page.search.length > 1 ? readTags(hit.page.search) : noTags;
  const origin = hit.referrer === '' ? nowhere : readReferrer(hit.referrer);
  const isOwn = origin.host !== '' && isOwnHost(origin.host, hit.page.hostname, hit.siteHostnames);
  const referrer = isOwn ? '' : origin.referrer;
  let source = tags.name;
  if (source === '' && referrer !== '') source = knownByHost(origin.host)?.name ?? origin.host;
  return {
    referrer,
    source,
    medium: tags.utm_medium,
    campaign: tags.utm_campaign,
    utm_source: tags.utm_source,
    utm_medium: tags.utm_medium,
    utm_campaign: tags.utm_campaign,
    utm_term: tags.utm_term,
    utm_content: tags.utm_content,
    click_id: tags.clickIdRank < 0 ? '' : (clickIdKinds[tags.clickIdRank] ?? ''),
  };
}

type Tags = {
  utm_source: string;
  utm_medium: string;
  utm_campaign: string;
  utm_term: string;
  utm_content: string;
  /** The source that the tags name, '' when they name none. */
  name: string;
  /** In `clickIdKinds`; -1 when there is none. */
  clickIdRank: number;
};

const noTags: Readonly<Tags> = {
  utm_source: '',
  utm_medium: '',
  utm_campaign: '',
  utm_term: '',
  utm_content: '',
  name: '',
  clickIdRank: -1,
};

/** The longest name that is read; "utm_campaign" has twelve characters, and mail programs put "amp;" before some. */
const keyCharsMax = 16;

/** `URLSearchParams` decodes everything and costs 2 µs for a usual query; this looks at names first. */
function readTags(search: string): Tags {
  const tags = { ...noTags };
  let sourceParam = '';
  let refParam = '';
  let from = search.charCodeAt(0) === 63 ? 1 : 0;
  let equals = search.indexOf('=', from);
  while (equals >= 0) {
    let to = search.indexOf('&', from);
    if (to < 0) to = search.length;
    const hasValue = equals < to - 1;
    if (hasValue && equals - from <= keyCharsMax) {
      const key = keyOf(search.slice(from, equals));
      switch (key) {
        case 'utm_source':
        case 'utm_medium':
        case 'utm_campaign':
        case 'utm_term':
        case 'utm_content':
          if (tags[key] === '') tags[key] = tagValue(search.slice(equals + 1, to));
          break;
        case 'source':
          if (sourceParam === '') sourceParam = tagValue(search.slice(equals + 1, to));
          break;
        case 'ref':
          if (refParam === '') refParam = tagValue(search.slice(equals + 1, to));
          break;
        default: {
          const rank = clickIdRank(key);
          if (rank !== undefined && (tags.clickIdRank < 0 || rank < tags.clickIdRank)) tags.clickIdRank = rank;
        }
      }
    }
    from = to + 1;
    // Looked for once per "=", not once per "&", or a query of nothing but "&" would cost the square of its length.
    if (equals < from) equals = search.indexOf('=', from);
  }
  tags.name = namedBy(tags.utm_source) || namedByStranger(sourceParam) || namedByStranger(refParam);
  return tags;
}

function keyOf(raw: string): string {
  const key = (raw.includes('%') ? decodeLeniently(raw) : raw).toLowerCase();
  return key.startsWith('amp;') ? key.slice(4) : key;
}

/** The value of a tag: decoded, cleaned, cut. An e-mail address is a person, so a value that holds one is dropped. */
function tagValue(raw: string): string {
  const { utmCharsMax } = ingestLimits;
  // One character takes twelve at most when encoded, so no more than this can matter.
  const value = clean(decodeLeniently(raw.slice(0, utmCharsMax * 12).replaceAll('+', ' ')), utmCharsMax);
  return emailAddress.test(value) ? '' : bareText(value);
}

const emailAddress = /[^\s@](?:@|%(?:25)?40)[^\s@]+\.[^\s@]/;

/** What some systems write when they mean "nothing". */
const wordsForNothing = new Set(['(direct)', 'direct', '(none)', 'none', '(not set)', 'null', 'undefined', '-']);

function namedBy(word: string): string {
  if (word === '') return '';
  const known = knownByWord(word);
  if (known !== undefined) return known.name;
  if (wordsForNothing.has(word.toLowerCase())) return '';
  const isAddress = word.includes('://');
  if (!isAddress && !hostShape.test(word)) return word;
  const { host } = readReferrer(isAddress ? word : `https://${word}`);
  return host === '' ? word : (knownByHost(host)?.name ?? host);
}

/**
 * `source` and `ref` name a source in the field, but other software uses the same names for accounts, tokens and
 * invitations. They count when they name a known source, a host, or read like a word or a few.
 */
function namedByStranger(word: string): string {
  if (word === '') return '';
  const isName = (hostShape.test(word) || wordShape.test(word)) && !tokenShape.test(word);
  return isName || knownByWord(word) !== undefined ? namedBy(word) : '';
}

const hostShape = /^(?:https?:\/\/)?(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,18}\/?$/i;
const wordShape = /^[a-z][a-z0-9]{0,23}(?:[ ._-][a-z0-9]{1,24}){0,4}$/i;
/** Four digits in a row, or digits between letters: an identifier rather than a word. */
const tokenShape = /\d{4}|[a-z]\d+[a-z]/i;

type Origin = { readonly host: string; readonly referrer: string };

const nowhere: Origin = { host: '', referrer: '' };

/**
 * Splits a referrer into its host without `www.` and what is stored of it. A `URL` object would cost 1 µs more and
 * keep what must go.
 */
function readReferrer(raw: string): Origin {
  const isWeb = startsWithScheme(raw, 'https://') || startsWithScheme(raw, 'http://');
  if (!isWeb && !startsWithScheme(raw, 'android-app://')) return nowhere;
  const from = raw.indexOf('://') + 3;
  const limit = from + ingestLimits.referrerCharsMax;
  let to = from;
  let slash = -1;
  for (; to < raw.length && to < limit; to++) {
    const code = raw.charCodeAt(to);
    if (code === 63 || code === 35 || code === 59) break; // ? # ; end what is kept: a `;jsessionid=` is a token
    if (slash < 0 && (code === 47 || code === 92)) slash = to;
  }
  const host = isWeb
    ? hostOf(raw.slice(from, slash < 0 ? to : slash))
    : packageOf(raw.slice(from, slash < 0 ? to : slash));
  if (host === '') return nowhere;
  const path = slash < 0 || !isWeb ? '' : pathOf(raw.slice(slash, to));
  return { host, referrer: clean(host + path, ingestLimits.referrerCharsMax) };
}

function startsWithScheme(raw: string, scheme: string): boolean {
  return raw.startsWith(scheme) || (raw.length > scheme.length && raw.slice(0, scheme.length).toLowerCase() === scheme);
}

/** The host of an authority, '' when it is no public name. Credentials and port are dropped. */
function hostOf(authority: string): string {
  const at = authority.lastIndexOf('@');
  let host = at < 0 ? authority : authority.slice(at + 1);
  const colon = host.indexOf(':');
  if (colon >= 0) host = host.slice(0, colon);
  if (host.length > hostCharsMax) return '';
  host = host.toLowerCase();
  if (host.endsWith('.')) host = host.slice(0, -1);
  if (!plainHost.test(host)) {
    host = asciiHost(host);
    if (!plainHost.test(host)) return '';
  }
  if (host.length > hostCharsMax || privateHost.test(host)) return '';
  return host.startsWith('www.') && host.indexOf('.', 4) > 0 ? host.slice(4) : host;
}

/** RFC 1035. */
const hostCharsMax = 253;
/** At least one dot, and a last label that no address has: a bare number there makes the whole an IPv4 address. */
const plainHost = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.(?:[a-z][a-z0-9-]*[a-z0-9])$/;
/** Names that no public DNS answers (RFC 6761, RFC 8375, and what routers hand out). */
const privateHost = /\.(?:local|localhost|localdomain|internal|intranet|lan|home|corp|test|invalid|arpa)$/;

/** Names in other scripts are stored in their ASCII form, as browsers send them. */
function asciiHost(host: string): string {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return '';
  }
}

function packageOf(authority: string): string {
  return /^[A-Za-z][\w]*(?:\.[A-Za-z][\w]*)+$/.test(authority) && authority.length <= hostCharsMax
    ? authority.toLowerCase()
    : '';
}

/** The path without slashes at its end, up to the first part that is an e-mail address. */
function pathOf(path: string): string {
  const bare = withoutParameters(path);
  let end = bare.length;
  if (bare.includes('@') || bare.includes('40')) {
    const address = /\/[^/]*[^/@](?:@|%(?:25)?40)[^/]*/.exec(bare);
    if (address !== null) end = address.index;
  }
  while (end > 0 && bare.charCodeAt(end - 1) === 47) end--;
  return bare.slice(0, end);
}

function isOwnHost(host: string, pageHostname: string, siteHostnames: readonly string[]): boolean {
  if (isAtOrBelow(host, pageHostname)) return true;
  for (const hostname of siteHostnames) if (isAtOrBelow(host, hostname)) return true;
  return false;
}

function isAtOrBelow(host: string, hostname: string): boolean {
  const own = hostname.startsWith('www.') ? hostname.slice(4) : hostname;
  if (own === '' || !host.endsWith(own)) return false;
  return host.length === own.length || host.charCodeAt(host.length - own.length - 1) === 46;
}

/** Percent-decodes what can be decoded; a sequence that is no UTF-8 is left out. */
function decodeLeniently(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
      try {
        return decodeURIComponent(run);
      } catch {
        return '';
      }
    });
  }
}

const printableAscii = /^[\x20-\x7e]*$/;

/** No control characters, no halves of surrogate pairs, no space around, at most `charsMax` UTF-16 units. */
function clean(text: string, charsMax: number): string {
  let clear = text;
  if (!printableAscii.test(clear)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    clear = clear.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/g, '');
  }
  if (clear.length > charsMax) {
    const isCutInPair = (clear.charCodeAt(charsMax - 1) & 0xfc00) === 0xd800;
    clear = clear.slice(0, isCutInPair ? charsMax - 1 : charsMax);
  }
  return clear.trim();
}
