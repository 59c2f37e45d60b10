import { countryDomains, type KnownSource, knownSources, type SourceKind } from './data/sources.ts';

/** A source that has a name and a category. */
export type Known = { readonly name: string; readonly kind: SourceKind };

const byHost = new Map<string, Known>();
const byWord = new Map<string, Known>();
const byAdWord = new Map<string, Known>();

for (const source of knownSources) index(source);

function index([name, kind, hosts, words, adWords]: KnownSource): void {
  const known: Known = { name, kind };
  for (const host of hosts.split(' ')) {
    if (!host.endsWith('.*')) byHost.set(host.toLowerCase(), known);
    else {
      const stem = host.slice(0, -2);
      for (const domain of (countryDomains[stem] ?? '').split(' ')) byHost.set(`${stem}.${domain}`, known);
    }
  }
  byWord.set(name.toLowerCase(), known);
  for (const word of listOf(words)) byWord.set(word, known);
  for (const word of listOf(adWords)) {
    byWord.set(word, known);
    byAdWord.set(word, known);
  }
}

function listOf(words: string | undefined): string[] {
  return words ? words.split(',') : [];
}

/** How many hosts are known, country domains counted one by one. */
export const knownHostCount = byHost.size;

/** The known source that a host belongs to: the host itself or the nearest domain above it that is listed. */
export function knownByHost(host: string): Known | undefined {
  let name = host;
  for (;;) {
    const known = byHost.get(name);
    if (known !== undefined) return known;
    const dot = name.indexOf('.');
    if (dot < 0) return undefined;
    name = name.slice(dot + 1);
  }
}

/** The known source that a word of `utm_source` means: a name, an alias, or a host. */
export function knownByWord(word: string): Known | undefined {
  const lower = word.toLowerCase();
  return (
    byWord.get(lower) ??
    (lower.includes('.') ? knownByHost(lower.startsWith('www.') ? lower.slice(4) : lower) : undefined)
  );
}

/** Is this `utm_source` a name of a source's advertisements ("fb-ads", "adwords")? */
export function isAdWord(word: string): boolean {
  return byAdWord.has(word.toLowerCase());
}
