import UAParser from 'my-ua-parser';
import { browserNames, browserRules, hintedBrands, systemNames } from './data/agent_names.ts';
import { remembering } from './memo.ts';

/**
 * What is kept of a User-Agent (COL-13): names from closed lists, versions and a class of device. '' is unknown.
 *
 * A version is major and minor, the minor left out when it is zero: "131", "17.4". An iPad is `iOS`, like an iPhone:
 * the numbers are the same and most iPads say they are Macs, so a line of their own would count a part of them.
 * `macOS` 10.15 means "10.15 or later" and `Windows` 10 "10 or 11", since browsers froze those; `Android` 10 likewise
 * in Chromium browsers.
 */
export type Agent = {
  readonly browser: string;
  readonly browser_version: string;
  readonly os: string;
  readonly os_version: string;
  /** '' for televisions, consoles, glasses and what cannot be told. */
  readonly device: 'Desktop' | 'Mobile' | 'Tablet' | '';
};

/** Lower-case request header names to values, as Node gives them. Only the ones named here are read. */
export type AgentHeaders = {
  readonly 'sec-ch-ua'?: string | string[] | undefined;
  readonly 'sec-ch-ua-platform'?: string | string[] | undefined;
  readonly 'sec-ch-ua-mobile'?: string | string[] | undefined;
};

/** Longer User-Agents are read up to here; the longest real ones, of apps by Meta, have about 450 characters. */
export const userAgentCharsMax = 500;

/** What was read from User-Agents, never these themselves; at most twice this many (about 3 MB), see memo.ts. */
export const rememberedAgentsMax = 10_000;

/** A list of brands has about 100 characters; a longer header is not one that a browser sent. */
const hintCharsMax = 300;

/**
 * Reads browser, system and device from a raw User-Agent and, where sent, the low-entropy client hints.
 * An agent read before costs 0.3 µs; a new one about 15 µs.
 */
export function readAgent(userAgent: string, headers?: AgentHeaders): Agent {
  const agent = readUserAgent(userAgent.length > userAgentCharsMax ? userAgent.slice(0, userAgentCharsMax) : userAgent);
  const brands = headers?.['sec-ch-ua'];
  if (typeof brands !== 'string') return agent;
  return withHints(agent, brands, headers?.['sec-ch-ua-platform'], headers?.['sec-ch-ua-mobile']);
}

const readUserAgent = remembering({
  keysMax: rememberedAgentsMax,
  keyCharsMax: userAgentCharsMax,
  answer: parseUserAgent,
});

/** Distinct lists of brands are few (one per browser and release). */
const brandOf = remembering({ keysMax: 500, keyCharsMax: hintCharsMax, answer: parseBrands });

const unknownAgent: Agent = Object.freeze({ browser: '', browser_version: '', os: '', os_version: '', device: '' });

function parseUserAgent(userAgent: string): Agent {
  if (userAgent === '') return unknownAgent;
  const parser = new UAParser(userAgent);
  const system = readSystem(userAgent, parser.getOS());
  const browser = readBrowser(userAgent, parser.getBrowser(), system);
  const device = readDevice(parser.getDevice().type, browser.name, system.name);
  return Object.freeze({
    browser: browser.name,
    browser_version: browser.version,
    os: system.name,
    os_version: system.version,
    device,
  });
}

type Named = { name: string; version: string };
type Parsed = { name?: string | undefined; version?: string | undefined };

function readSystem(userAgent: string, parsed: Parsed): Named {
  // A headset says "X11; Linux", and runs Android.
  if (/\bOculusBrowser\//.test(userAgent)) return { name: 'Android', version: '' };
  const name = nameFrom(systemNames, parsed.name);
  switch (name) {
    case 'iOS': {
      // From release 26 on Safari tells 18.6 or 18.7 for every system, and its own version is the system's.
      const safari = /\bVersion\/((?:2[6-9]|[3-9]\d)[.\d]*)/.exec(userAgent);
      return { name, version: shortVersion(safari?.[1] ?? parsed.version) };
    }
    case 'Windows':
      return { name, version: windowsVersion(parsed.version) };
    case 'Linux':
      // A number here is a kernel's or a distribution's; most agents have none.
      return { name, version: '' };
    default:
      return { name, version: shortVersion(parsed.version) };
  }
}

function readBrowser(userAgent: string, parsed: Parsed, system: Named): Named {
  for (const [name, pattern] of browserRules) {
    const found = pattern.exec(userAgent);
    if (found !== null) return { name, version: shortVersion(found[1]) };
  }
  // An app that shows a page through the system's engine and does not say who it is.
  if (parsed.name === 'WebKit' && system.name === 'iOS') return { name: 'iOS WebView', version: system.version };
  return { name: nameFrom(browserNames, parsed.name), version: shortVersion(parsed.version) };
}

function readDevice(type: string | undefined, browser: string, system: string): Agent['device'] {
  if (type === 'mobile') return 'Mobile';
  if (type === 'tablet') return 'Tablet';
  if (type !== undefined) return '';
  // The library leaves the type open for desktops and for what it does not know.
  if (browser === 'Opera Mini') return 'Mobile';
  if (browser === 'Oculus Browser') return '';
  return desktopSystems.has(system) ? 'Desktop' : '';
}

const desktopSystems = new Set([
  'Windows',
  'macOS',
  'Linux',
  'Chrome OS',
  'FreeBSD',
  'NetBSD',
  'OpenBSD',
  'DragonFly BSD',
  'Haiku',
  'Solaris',
]);

function withHints(agent: Agent, brands: string, platform: unknown, mobile: unknown): Agent {
  let { browser, browser_version, os, os_version, device } = agent;
  const brand = brandOf(brands);
  if (browser === 'Chrome' && brand.name !== '') {
    browser = brand.name;
    browser_version = brand.version;
  }
  // "Request desktop site" makes a phone say it is Linux; the platform hint still tells.
  if (platform === '"Android"' && os === 'Linux') {
    os = 'Android';
    os_version = '';
    device = 'Tablet';
  }
  if (os === 'Android' && device !== '') {
    if (mobile === '?1') device = 'Mobile';
    else if (mobile === '?0' && device === 'Desktop') device = 'Tablet';
  }
  const isSame = browser === agent.browser && os === agent.os && device === agent.device;
  return isSame ? agent : { browser, browser_version, os, os_version, device };
}

/** Reads `"Brave";v="131", "Chromium";v="131", "Not_A Brand";v="24"`. */
function parseBrands(header: string): Named {
  for (const found of header.slice(0, hintCharsMax).matchAll(/"([^"]{1,40})";\s?v="([\d.]{1,20})"/g)) {
    const name = hintedBrands[found[1] ?? ''];
    if (name !== undefined) return { name, version: shortVersion(found[2]) };
  }
  return { name: '', version: '' };
}

function nameFrom(names: Readonly<Record<string, string>>, name: string | undefined): string {
  const key = name?.toLowerCase() ?? '';
  return Object.hasOwn(names, key) ? (names[key] as string) : '';
}

/** Major and minor, digits only, the minor left out when zero. */
function shortVersion(version: string | undefined): string {
  const found = /^(\d{1,6})(?:[._](\d{1,5}))?/.exec(version ?? '');
  if (found === null) return '';
  const minor = Number(found[2] ?? 0);
  return minor === 0 ? String(Number(found[1])) : `${Number(found[1])}.${minor}`;
}

const namedWindows = new Set(['XP', 'Vista', 'ME', '2000', 'NT 3.11', 'NT 4.0', 'RT']);

function windowsVersion(version: string | undefined): string {
  if (version !== undefined && namedWindows.has(version)) return version;
  return shortVersion(version);
}
