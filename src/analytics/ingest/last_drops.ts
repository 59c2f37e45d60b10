import type { DropReason } from '../../../contract/drops.ts';

/** An event that was not stored, without anything of who sent it. */
interface LastDrop {
  readonly atMs: number;
  readonly reason: DropReason;
  /** Of its page and name as a stored event has them; '' where it could not be read that far. */
  readonly name: string;
  readonly hostname: string;
  readonly pathname: string;
  /** Host alone. */
  readonly referrer: string;
  /** ISO 3166-1, where a rule had to look it up; '' elsewhere. */
  readonly country: string;
  /** The member of the payload that could not be read; '' elsewhere. */
  readonly field: string;
}

/**
 * The last drops of each site and reason, so that "why is it missing" has a page to point at. They stay in memory: what
 * was not to be stored is written nowhere, and a restart forgets it.
 */
export interface LastDrops {
  add(siteId: number, drop: LastDrop): void;
  /** Newest first. */
  of(siteId: number): LastDrop[];
  forget(siteId: number): void;
}

/** Robots have rows of their own; whoever asked not to be counted, or whose address is shielded, leaves nothing at all. */
const untold: ReadonlySet<DropReason> = new Set([
  'bot',
  'privacy_signal',
  'measuring_off',
  'measuring_no_consent',
  'site_ip_blocklist',
  'site_suspended',
  'organisation_suspended',
]);
const perReasonMax = 4;
/** A flood says the same in all of its events, and is taken as fast as it comes. */
const apartMs = 250;
const sitesMax = 500;

export function openLastDrops(): LastDrops {
  const bySite = new Map<number, Map<DropReason, (LastDrop & { readonly order: number })[]>>();
  /** Several come within one millisecond. */
  let order = 0;
  return {
    add(siteId, drop) {
      if (untold.has(drop.reason)) return;
      let byReason = bySite.get(siteId);
      if (byReason === undefined) {
        const [oldest] = bySite.keys();
        if (bySite.size >= sitesMax && oldest !== undefined) bySite.delete(oldest);
        byReason = new Map();
        bySite.set(siteId, byReason);
      }
      const drops = byReason.get(drop.reason) ?? [];
      byReason.set(drop.reason, drops);
      const [newest] = drops;
      if (newest !== undefined && drops.length === perReasonMax && drop.atMs - newest.atMs < apartMs) return;
      drops.unshift({ ...alone(drop), order: ++order });
      if (drops.length > perReasonMax) drops.pop();
    },
    forget: (siteId) => void bySite.delete(siteId),
    of: (siteId) =>
      [...(bySite.get(siteId)?.values() ?? [])]
        .flat()
        .sort((one, other) => other.atMs - one.atMs || other.order - one.order)
        .map(({ order: _order, ...drop }) => drop),
  };
}

/** A part of a text keeps the whole of it in memory: the query of an address behind its path, for example. */
function alone(drop: LastDrop): LastDrop {
  const copy = (text: string) => Buffer.from(text).toString();
  const { name, hostname, pathname, referrer, field } = drop;
  return {
    ...drop,
    name: copy(name),
    hostname: copy(hostname),
    pathname: copy(pathname),
    referrer: copy(referrer),
    field: copy(field),
  };
}
