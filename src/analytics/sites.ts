import type { ForeignProduct } from '../../contract/api.ts';
import type { VisitorRule } from '../trust/consent/index.ts';

/**
 * The sites as ingest needs them, in memory: the hot path asks no database. `app` fills the directory from accounts at
 * start and again whenever a site, shield or goal changes, so a setting takes effect with the next request.
 */
export type SiteRecord = {
  readonly id: number;
  readonly organisationId: number;
  /** Bare host: lower case, without `www.` */
  readonly domain: string;
  /** Other domains that count for this site. */
  readonly aliases: readonly string[];
  readonly timezone: string;
  /** ISO 4217: the currency of amounts that come without one. */
  readonly currency: string;
  /** Are page titles kept? */
  readonly titles: boolean;
  /** Is revenue kept (COL-16)? True with the site's switch on, or with a goal that earns. */
  readonly revenue: boolean;
  /** Are the values of mail and phone links kept, sealed (R12)? */
  readonly contactClicks: boolean;
  /** What its organisation does with visitors, by region and by what they said. */
  readonly purposes: VisitorRule;
  /** What Sec-GPC and DNT do: nothing beyond what memory mode promises anyway, or drop the event (COL-20). */
  readonly privacySignals: 'ignore' | 'drop';
  /** Why nothing is collected; undefined = it is. */
  readonly stopped: 'site_suspended' | 'organisation_suspended' | undefined;
  /** Visitors of storage mode whose data is restricted, as decimal text: they are counted like those of memory mode. Undefined = none. */
  readonly restricted?: ReadonlySet<string>;
  /** What was collected before this moment is removed: a visit that began then does not go on. Undefined = never. */
  readonly emptiedAtMs?: number;
  readonly shields: Shields;
  /** What trackers of other products call the site. */
  readonly foreignIds: readonly ForeignId[];
};

export type ForeignId = {
  readonly product: ForeignProduct;
  readonly id: string;
  /** Hex of the keyed digest of the client secret; undefined = there is none. */
  readonly secretDigest: string | undefined;
};

/** A foreign id in the place of a domain. The colon keeps the two apart: no domain has one. */
export function foreignName(product: ForeignProduct, id: string): string {
  return `${product}:${id}`;
}

export type Shields = {
  /** Globs; empty = every hostname may send. */
  readonly hostnames: readonly string[];
  /** Globs of hostnames that may not. */
  readonly blockedHostnames: readonly string[];
  /** Globs of pages that are not counted. */
  readonly pages: readonly string[];
  /** ISO 3166-1 alpha-2, upper case. */
  readonly countries: readonly string[];
  /** CIDR text of ranges larger than one address, such as `198.51.100.0/24`. */
  readonly networks: readonly string[];
  /** Hex of `addressDigest`: a single address is a person's, so it is known by its keyed digest only. */
  readonly addressDigests: readonly string[];
  /** Hosts whose links are not counted, those under them too; lower case, without `www.` */
  readonly referrers: readonly string[];
  /** Events a second; undefined = as many as the desk takes. */
  readonly rate: number | undefined;
};

export const noShields: Shields = {
  hostnames: [],
  blockedHostnames: [],
  pages: [],
  countries: [],
  networks: [],
  addressDigests: [],
  referrers: [],
  rate: undefined,
};

export type SiteDirectory = {
  /** The site of a domain as senders write it: any case, with or without `www.`, or an alias; or of a foreign name. */
  find(domain: string): SiteRecord | undefined;
  byId(id: number): SiteRecord | undefined;
  all(): Iterable<SiteRecord>;
  /** Takes over a whole new list at once: a reader sees the old one or the new one. */
  replaceAll(sites: Iterable<SiteRecord>): void;
};

export function openSiteDirectory(sites: Iterable<SiteRecord> = []): SiteDirectory {
  let byDomain = new Map<string, SiteRecord>();
  let byId = new Map<number, SiteRecord>();
  function replaceAll(next: Iterable<SiteRecord>) {
    const domains = new Map<string, SiteRecord>();
    const ids = new Map<number, SiteRecord>();
    for (const site of next) {
      ids.set(site.id, site);
      for (const alias of site.aliases) if (!domains.has(bareDomain(alias))) domains.set(bareDomain(alias), site);
    }
    for (const site of ids.values())
      for (const { product, id } of site.foreignIds) domains.set(foreignName(product, id), site);
    // A domain of its own wins over somebody's alias.
    for (const site of ids.values()) domains.set(bareDomain(site.domain), site);
    byDomain = domains;
    byId = ids;
  }
  replaceAll(sites);
  return {
    // Nearly every sender writes the domain as we keep it, so that spelling is tried first.
    find: (domain) => byDomain.get(domain) ?? byDomain.get(bareDomain(domain)),
    byId: (id) => byId.get(id),
    all: () => byId.values(),
    replaceAll,
  };
}

/** Lower case, without blanks around, `www.` and the root's dot. */
export function bareDomain(text: string): string {
  const host = text.trim().toLowerCase();
  const from = host.startsWith('www.') ? 4 : 0;
  return host.slice(from, host.endsWith('.') ? -1 : undefined);
}
