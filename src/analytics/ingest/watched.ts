import type { PixelPlatform } from '../../../contract/pixels.ts';
import type { SpoolUnavailable } from '../../platform/spool/index.ts';
import { readSnapshot } from '../../trust/consent/index.ts';
import type { EventRow } from '../event_row.ts';
import type { SiteRecord } from '../sites.ts';
import type { Arrival, Hit } from './arrival.ts';
import type { BrowserIds } from './browser_ids.ts';
import { type ClickMemory, clicksIn, type LandedClicks } from './landed_clicks.ts';
import type { PixelCalls } from './pixel_calls.ts';
import type { Revenue } from './revenue.ts';
import { readEventLine } from './row.ts';

/** A site whose events somebody else here makes something of, too, and what of its visitors is asked for. */
export type WatchedSite = {
  readonly organisationId: number;
  /** Events by name; others are passed over. */
  readonly names: ReadonlySet<string>;
  /** Are the click ids of its visits asked for? */
  readonly clickIds: boolean;
  /** Are the address and the agent of a request asked for? */
  readonly network: boolean;
  /** Platforms whose ids of a browser are asked for. */
  readonly browserIds: ReadonlySet<PixelPlatform>;
  /** Are calls of pixels asked for? */
  readonly pixelCalls: boolean;
};

/**
 * An event that is about to be stored, for who watches its site. Beside what its row has there is what the row may not have, and
 * that only where the site's watcher asked for it and the visitor lets ad platforms be told.
 */
export type WatchedEvent = {
  readonly siteId: number;
  readonly organisationId: number;
  /** The sender's own id of the event; '' = none. */
  readonly id: string;
  readonly timeMs: number;
  readonly receivedMs: number;
  readonly row: EventRow;
  /** What the row says of consent. */
  readonly consent: string;
  /** What it earned, by what its sender says, where the site keeps revenue: in the row a repeated order has earned nothing. */
  readonly revenue: Revenue | undefined;
  readonly clicks: LandedClicks | undefined;
  /** Of the visitor's browser; undefined where it was not asked for, may not be told, or is not known. */
  readonly network: { readonly address: string; readonly userAgent: string } | undefined;
  /** Ids of ad platforms that the tracker read in the browser; undefined where its visitor has not said yes to it. */
  readonly browserIds: BrowserIds | undefined;
};

export type Watcher = {
  /** @param done when it is on disk; the event's own row goes there afterwards, and not at all after a refusal */
  keep(events: readonly WatchedEvent[], done: (refusal?: SpoolUnavailable) => void): void;
  /** @param done when it is on disk, or refused */
  keepCalls(calls: PixelCalls, done: (refusal?: SpoolUnavailable) => void): void;
};

/** Where ingest asks, and whoever watches says what. */
export type WatchDesk = {
  /** Sites by number, replaced as a whole. Empty = nobody watches, and an event costs one look at its size. */
  readonly sites: ReadonlyMap<number, WatchedSite>;
  readonly watcher: Watcher | undefined;
  readonly clicks: ClickMemory;
  /** What is taken over when sites or their settings change. Click ids that are not asked for any more go at once. */
  watch(sites: ReadonlyMap<number, WatchedSite>, watcher: Watcher): void;
};

export function openWatchDesk(clicks: ClickMemory): WatchDesk {
  let sites: ReadonlyMap<number, WatchedSite> = new Map();
  let watcher: Watcher | undefined;
  return {
    get sites() {
      return sites;
    },
    get watcher() {
      return watcher;
    },
    clicks,
    watch(next, by) {
      sites = next;
      watcher = by;
      clicks.forgetSites((siteId) => next.get(siteId)?.clickIds !== true);
    },
  };
}

/**
 * Looks at an event of a site that may be watched, while its request is here: keeps the click ids of its visit in memory, and gives
 * what its watcher gets.
 * @returns undefined where nobody waits for it
 */
export function watchedEvent(desk: WatchDesk, arrival: Arrival, hit: Hit): WatchedEvent | undefined {
  const { site, input } = arrival;
  const watched = desk.sites.get(site.id);
  // A site that moved belongs to others now, until the watcher has heard of it.
  if (watched === undefined || watched.organisationId !== site.organisationId) return undefined;
  const isWanted = watched.names.has(input.name);
  if (!watched.clickIds && !isWanted) return undefined;
  const mayTell = mayTellPlatforms(site, hit.consent);
  const clicks = watched.clickIds ? clicksOf(desk.clicks, arrival, hit, mayTell) : undefined;
  if (!isWanted) return undefined;
  return {
    ...{ siteId: site.id, organisationId: site.organisationId, id: input.id },
    ...{ timeMs: arrival.timeMs, receivedMs: arrival.nowMs },
    row: readEventLine(hit.line),
    consent: hit.consent,
    revenue:
      arrival.revenueCurrency === '' || input.revenue === undefined
        ? undefined
        : { amount: input.revenue.amount, currency: arrival.revenueCurrency },
    clicks,
    network: watched.network && mayTell ? networkOf(arrival) : undefined,
    browserIds: watched.browserIds.size > 0 && mayReadBrowser(site, hit.consent) ? input.browserIds : undefined,
  };
}

/**
 * May a page read what pixels of ad platforms keep in this browser, and count what they are called with? Only of a visitor whose
 * yes to both purposes of ads has been said, wherever they are: silence is none, even where it lets a click be told.
 */
export function mayReadBrowser(site: SiteRecord, consent: string): boolean {
  const answers = readSnapshot(consent)?.answers;
  const isAgreed = answers?.ad_storage.state === 'granted' && answers.ad_user_data.state === 'granted';
  return isAgreed && mayTellPlatforms(site, consent);
}

/**
 * May ad platforms be told of this visitor? By the organisation's purposes and what the visitor said: silence is a no wherever a
 * yes is needed, and so is a signal of the browser (CON-05, COL-20). Whoever lets nothing be stored for ads lets no click be told.
 */
function mayTellPlatforms(site: SiteRecord, consent: string): boolean {
  return (
    site.purposes.of(consent).ad_measurement === undefined &&
    readSnapshot(consent)?.answers.ad_storage.state !== 'denied'
  );
}

/** An event that stands alone has no visit: what is in its own address is all there is. */
function clicksOf(clicks: ClickMemory, arrival: Arrival, { slot }: Hit, mayTell: boolean): LandedClicks | undefined {
  if (!mayTell) {
    if (slot >= 0) clicks.forget(slot);
    return undefined;
  }
  const here = clicksIn(arrival.page.search, arrival.timeMs);
  if (slot < 0) return here;
  const before = clicks.of(slot);
  // Each event on a landing page has the ids in its address: the click was before the first of them.
  if (here === undefined || (before !== undefined && isSame(before, here))) return before;
  clicks.keep(slot, arrival.site.id, here);
  return here;
}

function isSame(one: LandedClicks, other: LandedClicks): boolean {
  const names = Object.keys(other.ids) as (keyof LandedClicks['ids'])[];
  return names.every((name) => one.ids[name] === other.ids[name]);
}

/** Of who sends for another, only what they say of the visitor: their own address is nobody's who bought. */
function networkOf({ headers, input, address, userAgent }: Arrival): WatchedEvent['network'] {
  const isBrowser = headers !== undefined;
  const own = { address: isBrowser || input.address !== undefined ? address : '' };
  return { ...own, userAgent: isBrowser || input.userAgent !== undefined ? userAgent : '' };
}
