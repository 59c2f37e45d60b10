import { type ClickId, clickIds } from '../../../contract/conversion.ts';
import type { Slot } from '../visits/live_visits.ts';

/** The click ids that a visit came with, and when. */
export type LandedClicks = {
  readonly ids: Readonly<Partial<Record<ClickId, string>>>;
  /** Of the event that had them in its address. */
  readonly atMs: number;
};

/**
 * Click ids of visits that are running, for sites that send conversions to ad platforms and asked for them: in this memory and
 * nowhere else. They go with their visit; a restart loses them.
 */
export type ClickMemory = {
  keep(slot: Slot, siteId: number, clicks: LandedClicks): void;
  of(slot: Slot): LandedClicks | undefined;
  /** The visit is over, or its visitor has said no. */
  forget(slot: Slot): void;
  /** Those of every site that the test refuses. */
  forgetSites(isRefused: (siteId: number) => boolean): void;
  count(): number;
  bytes(): number;
  /** Visits whose click ids went before the visit, to stay within the limits. */
  pushedOut(): number;
};

export const landedClicksLimits = {
  visitsMax: 100_000,
  bytesMax: 32 * 1024 * 1024,
  /** A longer one is none that a platform made (the canonical conversion takes as much). */
  valueCharsMax: 512,
};

/** What an entry costs beside its values. Measured at 100,000 visits with one id of 90 characters: 304 bytes each, with it. */
const entryBytes = 250;

export function openClickMemory(
  limits: Pick<typeof landedClicksLimits, 'visitsMax' | 'bytesMax'> = landedClicksLimits,
): ClickMemory {
  // In the order they came: the first is the oldest.
  const kept = new Map<Slot, LandedClicks & { readonly siteId: number; readonly bytes: number }>();
  let bytes = 0;
  let pushedOut = 0;

  function forget(slot: Slot): void {
    const one = kept.get(slot);
    if (one === undefined) return;
    bytes -= one.bytes;
    kept.delete(slot);
  }

  return {
    keep(slot, siteId, clicks) {
      forget(slot);
      let own = entryBytes;
      for (const value of Object.values(clicks.ids)) own += value.length * 2;
      kept.set(slot, { ...clicks, siteId, bytes: own });
      bytes += own;
      for (const [oldest] of kept) {
        if (kept.size <= limits.visitsMax && bytes <= limits.bytesMax) break;
        forget(oldest);
        pushedOut++;
      }
    },
    of: (slot) => kept.get(slot),
    forget,
    forgetSites(isRefused) {
      for (const [slot, { siteId }] of kept) if (isRefused(siteId)) forget(slot);
    },
    count: () => kept.size,
    bytes: () => bytes,
    pushedOut: () => pushedOut,
  };
}

/** Not what is told of a browser instead of a click, nor a tracker's own. */
const noClicks: readonly ClickId[] = ['fbc', 'fbp', 'ttp', 'tracker'];
const byParameter: ReadonlyMap<string, ClickId> = new Map<string, ClickId>([
  ...clickIds.filter((name) => !noClicks.includes(name)).map((name): [string, ClickId] => [name, name]),
  ['sccid', 'sc_click_id'],
]);

/**
 * The click ids in the query of a page's address, each by its name among conversions; of several of one name the first counts.
 * @returns undefined where there is none
 */
export function clicksIn(search: string, atMs: number): LandedClicks | undefined {
  if (search.length < 2) return undefined;
  let ids: Partial<Record<ClickId, string>> | undefined;
  for (const [name, value] of new URLSearchParams(search)) {
    const id = byParameter.get(name.toLowerCase());
    if (id === undefined || value === '' || value.length > landedClicksLimits.valueCharsMax) continue;
    ids ??= {};
    // A copy: a piece of the address would keep all of it in memory.
    ids[id] ??= Buffer.from(value).toString();
  }
  return ids === undefined ? undefined : { ids, atMs };
}
