import { type Chance, chanceOf, weighted } from './chance.ts';

/** Somebody who never was: what a request says about the one who sends it. */
export interface Person {
  address: string;
  userAgent: string;
  screen: string;
  language: string;
  isMobile: boolean;
  /** Sends Sec-GPC. */
  asksForPrivacy: boolean;
}

/** What a site's visitors are like. */
export interface Audience {
  /** ISO 3166-1 alpha-2 to weight. */
  countries: Readonly<Record<string, number>>;
  mobileShare: number;
  /** Of the desktop computers, how many run macOS and Linux; the rest runs Windows. */
  macShare: number;
  linuxShare: number;
  /** How many prefer Firefox on a computer. */
  firefoxShare: number;
}

/**
 * The beginnings of addresses that the bundled table of places knows as one city each. Addresses are made up below
 * them; the pipeline looks up their place and forgets them, as it does with everybody's.
 */
const cities: Readonly<Record<string, readonly (readonly [weight: number, prefixes: string])[]>> = {
  DE: [
    [30, '51.225.96 141.14.112'],
    [20, '95.116.0 141.34.80'],
    [18, '51.217.208 146.253.32'],
    [9, '57.66.144 99.206.160'],
    [8, '53.89.176 53.179.96'],
    [7, '85.238.224 159.25.144'],
    [6, '91.99.16 162.55.208'],
    [5, '149.225.208 149.231.240'],
    [4, '31.238.0 31.254.224'],
    [3, '164.22.64 164.28.80'],
  ],
  AT: [
    [60, '92.61.208 155.73.64'],
    [18, '143.50.160 143.224.96'],
    [12, '140.78.128 164.3.96'],
    [8, '141.201.112 141.201.224'],
    [6, '138.232.64 138.232.144'],
  ],
  CH: [
    [50, '129.132.96 163.161.240'],
    [16, '143.99.32 159.144.96'],
    [16, '146.216.96 160.219.224'],
    [12, '129.194.192 158.232.144'],
    [6, '128.179.0 130.223.192'],
  ],
  US: [
    [30, '107.79.0 169.19.32'],
    [20, '100.217.48 161.47.96'],
    [18, '56.58.192 72.41.160'],
    [12, '26.102.32 55.206.192'],
    [9, '48.140.208 72.122.208'],
    [7, '15.72.80 16.81.112'],
  ],
  GB: [
    [60, '25.138.112 136.18.64'],
    [14, '51.130.112 51.220.80'],
    [7, '129.11.240 163.160.96'],
    [6, '51.132.80 131.251.176'],
    [5, '129.169.144 131.111.240'],
    [4, '144.32.176 147.150.112'],
  ],
  FR: [
    [58, '57.186.144 92.183.112'],
    [12, '90.121.176 176.153.32'],
    [11, '134.212.160 140.94.96'],
    [8, '90.124.48 92.181.192'],
    [7, '130.79.16 145.226.96'],
  ],
  NL: [
    [45, '52.174.16 137.120.192'],
    [18, '145.143.208 145.181.16'],
    [14, '145.51.64 145.221.208'],
    [12, '145.7.96 145.116.96'],
    [8, '130.146.208 161.84.144'],
  ],
  CA: [
    [38, '99.210.192 142.108.160'],
    [24, '9.155.32 52.133.96'],
    [20, '137.82.208 142.178.80'],
    [10, '50.71.48 142.37.64'],
    [8, '142.96.80 167.34.64'],
  ],
  AU: [
    [40, '20.43.96 101.103.48'],
    [34, '56.96.32 134.18.144'],
    [14, '143.136.96 165.18.0'],
    [9, '106.69.16 161.152.48'],
  ],
  SE: [
    [60, '16.199.0 134.25.80'],
    [20, '129.16.224 148.138.176'],
    [12, '81.238.160 161.52.16'],
  ],
  PL: [
    [55, '46.205.16 94.158.224'],
    [22, '85.128.192 149.156.32'],
    [16, '90.156.16 156.17.16'],
  ],
  ES: [
    [50, '80.33.48 95.121.112'],
    [34, '83.62.112 147.83.48'],
    [8, '158.42.64 158.42.208'],
  ],
  IT: [
    [42, '51.100.0 88.52.48'],
    [30, '82.192.112 151.89.32'],
    [14, '146.100.0 151.94.144'],
    [10, '131.154.0 137.204.128'],
  ],
  IN: [
    [30, '115.255.192 124.125.208'],
    [26, '27.97.64 88.109.128'],
    [18, '115.185.128 171.54.112'],
    [14, '40.192.128 98.131.64'],
    [10, '4.247.128 40.80.80'],
  ],
  BR: [
    [54, '177.119.240 187.55.240'],
    [22, '177.3.16 187.48.64'],
    [10, '187.69.192 200.134.192'],
  ],
  JP: [
    [50, '20.78.80 52.195.32'],
    [26, '112.71.176 153.234.0'],
    [12, '118.105.96 150.42.32'],
  ],
  BE: [
    [56, '57.35.240 57.219.192'],
    [22, '143.129.224 146.175.0'],
    [12, '157.193.0 157.193.128'],
  ],
  DK: [
    [66, '85.80.128 149.212.128'],
    [18, '62.79.208 94.149.32'],
  ],
  IE: [
    [70, '51.138.224 56.55.160'],
    [16, '17.65.128 143.239.112'],
  ],
  FI: [
    [60, '88.192.224 157.124.32'],
    [16, '131.177.160 157.94.16'],
  ],
  NO: [
    [60, '129.240.32 151.157.224'],
    [16, '137.217.32 161.4.48'],
  ],
  CZ: [
    [60, '85.162.176 147.32.80'],
    [16, '89.29.64 158.196.96'],
  ],
  PT: [[60, '139.83.96 193.236.96']],
  NZ: [
    [60, '122.60.64 172.196.112'],
    [22, '165.205.64 166.65.144'],
  ],
  ZA: [
    [50, '41.117.208 155.236.176'],
    [34, '102.37.32 163.202.240'],
  ],
  SG: [[60, '47.84.0 146.174.128']],
  MX: [
    [60, '187.174.32 200.13.64'],
    [18, '177.246.224 189.192.0'],
  ],
};

const languages: Readonly<Record<string, string>> = {
  DE: 'de-DE,de;q=0.9,en;q=0.6',
  AT: 'de-AT,de;q=0.9,en;q=0.6',
  CH: 'de-CH,de;q=0.9,fr;q=0.6',
  FR: 'fr-FR,fr;q=0.9',
  NL: 'nl-NL,nl;q=0.9,en;q=0.8',
  ES: 'es-ES,es;q=0.9',
  IT: 'it-IT,it;q=0.9',
  BR: 'pt-BR,pt;q=0.9',
  JP: 'ja-JP,ja;q=0.9',
};

const chromeVersions = weighted<number>([
  [62, 149],
  [18, 148],
  [8, 147],
  [4, 146],
  [3, 144],
  [2, 139],
  [1, 131],
]);
const firefoxVersions = weighted<number>([
  [60, 152],
  [16, 151],
  [12, 140],
  [4, 149],
]);
const iosVersions = weighted<string>([
  [50, '26.4'],
  [16, '26.3'],
  [10, '26.1'],
  [10, '18.7'],
  [4, '17.7'],
]);
const phoneScreens = weighted<string>([
  [26, '390x844'],
  [22, '393x852'],
  [14, '430x932'],
  [8, '402x874'],
  [6, '375x812'],
  [5, '375x667'],
]);
const androidScreens = weighted<string>([
  [30, '412x915'],
  [22, '360x800'],
  [16, '384x832'],
  [12, '393x873'],
  [8, '360x780'],
]);
const desktopScreens = weighted<string>([
  [38, '1920x1080'],
  [14, '1536x864'],
  [12, '2560x1440'],
  [8, '1366x768'],
  [6, '1280x720'],
  [4, '3440x1440'],
  [3, '3840x2160'],
]);
const macScreens = weighted<string>([
  [34, '1512x982'],
  [26, '1440x900'],
  [16, '1728x1117'],
  [12, '2560x1440'],
  [6, '1470x956'],
]);

interface Device {
  userAgent: string;
  screen: string;
  isMobile: boolean;
}

/** Makes people of one audience; the same seed makes the same person. */
export function openAudience(audience: Audience): (seed: string) => Person {
  const country = weighted(Object.entries(audience.countries).map(([code, weight]) => [weight, code] as const));
  const prefixes = new Map(
    Object.entries(cities).map(([code, list]) => [
      code,
      weighted(list.map(([weight, text]) => [weight, text.split(' ')] as const)),
    ]),
  );
  return (seed) => {
    const chance = chanceOf(seed);
    const code = country(chance);
    const [a, b, c] = chance.one(prefixes.get(code)?.(chance) ?? ['']).split('.');
    return {
      address: `${a}.${b}.${Number(c) + chance.below(16)}.${1 + chance.below(254)}`,
      ...deviceOf(audience, chance),
      language: languages[code] ?? 'en;q=0.9',
      asksForPrivacy: chance.is(0.035),
    };
  };
}

function deviceOf(audience: Audience, chance: Chance): Device {
  if (chance.is(audience.mobileShare)) return chance.is(0.035) ? tablet(chance) : phone(chance);
  const chrome = chromeVersions(chance);
  const firefox = firefoxVersions(chance);
  const at = chance.next();
  const isFirefox = chance.is(audience.firefoxShare);
  if (at < audience.macShare) {
    const screen = macScreens(chance);
    const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
    if (isFirefox) return desktop(`${firefoxOn('Macintosh; Intel Mac OS X 10.15', firefox)}`, screen);
    if (chance.is(0.46))
      return desktop(
        `${mac} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${iosVersions(chance)} Safari/605.1.15`,
        screen,
      );
    return desktop(chromeOn('Macintosh; Intel Mac OS X 10_15_7', chrome), screen);
  }
  const screen = desktopScreens(chance);
  if (at < audience.macShare + audience.linuxShare)
    return desktop(
      chance.is(0.55) ? firefoxOn('X11; Linux x86_64', firefox) : chromeOn('X11; Linux x86_64', chrome),
      screen,
    );
  if (isFirefox) return desktop(firefoxOn('Windows NT 10.0; Win64; x64', firefox), screen);
  const windows = chromeOn('Windows NT 10.0; Win64; x64', chrome);
  if (chance.is(0.24)) return desktop(`${windows} Edg/${chrome}.0.0.0`, screen);
  if (chance.is(0.04)) return desktop(`${windows} OPR/${chrome - 16}.0.0.0`, screen);
  return desktop(windows, screen);
}

function phone(chance: Chance): Device {
  if (chance.is(0.54)) {
    const version = iosVersions(chance);
    const system = `Mozilla/5.0 (iPhone; CPU iPhone OS ${version.replace('.', '_')} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)`;
    const browser = chance.is(0.88)
      ? `Version/${version} Mobile/15E148 Safari/604.1`
      : `CriOS/${chromeVersions(chance)}.0.0.0 Mobile/15E148 Safari/604.1`;
    return { userAgent: `${system} ${browser}`, screen: phoneScreens(chance), isMobile: true };
  }
  const chrome = chromeVersions(chance);
  const android = `Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)`;
  const at = chance.next();
  const browser =
    at < 0.16
      ? `SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36`
      : at < 0.19
        ? undefined
        : `Chrome/${chrome}.0.0.0 Mobile Safari/537.36`;
  const firefox = firefoxVersions(chance);
  const userAgent =
    browser === undefined
      ? `Mozilla/5.0 (Android 15; Mobile; rv:${firefox}.0) Gecko/${firefox}.0 Firefox/${firefox}.0`
      : `${android} ${browser}`;
  return { userAgent, screen: androidScreens(chance), isMobile: true };
}

function tablet(chance: Chance): Device {
  const version = iosVersions(chance);
  return {
    userAgent: `Mozilla/5.0 (iPad; CPU OS ${version.replace('.', '_')} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${version} Mobile/15E148 Safari/604.1`,
    screen: chance.is(0.5) ? '820x1180' : '1024x1366',
    isMobile: true,
  };
}

const desktop = (userAgent: string, screen: string): Device => ({ userAgent, screen, isMobile: false });
const firefoxOn = (system: string, version: number) =>
  `Mozilla/5.0 (${system}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;
const chromeOn = (system: string, version: number) =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`;
