import { type DropReason, dropReasons, type LeftOutReason } from '../../../contract/drops.ts';
import type { DropRow } from '../event_row.ts';
import { readEventLine, timeText } from './row.ts';

/**
 * Counts what was not stored, or stored without a part of it, per minute, site and reason. Counting in memory keeps a flood of refused events from
 * becoming a flood of rows; the counts go to the spool once a second, so a kill -9 loses at most the last second of
 * them. It loses counts of drops, never an event: a dropped one is not promised to anybody.
 */
export type DropCounts = {
  add(siteId: number, reason: DropReason | LeftOutReason, nowMs: number, events?: number): void;
  /** The rows since the last call; empty when nothing was dropped. */
  take(): string[];
  /** Puts rows back that could not be kept. */
  giveBack(rows: readonly string[]): void;
  /** All drops since the start, by reason: for a counter on `/metrics`. */
  totals(): { labels: { reason: string }; value: number }[];
  /** Stored events that were kept without something, by reason. */
  leftOut(): { labels: { reason: string }; value: number }[];
};

/** A site and a reason make one entry a minute; strangers' domains all count under site 0, so this is never reached by them. */
const entriesMax = 100_000;

export function openDropCounts(): DropCounts {
  let counts = new Map<string, DropRow>();
  const totals = new Map<string, number>();
  function count(row: DropRow) {
    const key = `${row.site_id} ${row.minute} ${row.reason}`;
    const known = counts.get(key);
    if (known !== undefined) known.events += row.events;
    else if (counts.size < entriesMax) counts.set(key, row);
  }
  const counted = (isWanted: (reason: string) => boolean) =>
    [...totals].filter(([reason]) => isWanted(reason)).map(([reason, value]) => ({ labels: { reason }, value }));
  return {
    add(siteId, reason, nowMs, events = 1) {
      totals.set(reason, (totals.get(reason) ?? 0) + events);
      count({ site_id: siteId, minute: minuteText(nowMs), reason, events });
    },
    take() {
      if (counts.size === 0) return [];
      const rows = [...counts.values()].map((row) => JSON.stringify(row));
      counts = new Map();
      return rows;
    },
    giveBack(rows) {
      for (const row of rows) count(JSON.parse(row) as DropRow);
    },
    totals: () => counted((reason) => reason in dropReasons),
    leftOut: () => counted((reason) => !(reason in dropReasons)),
  };
}

/** Counts a row of the lane `events` that the warehouse refused for good; under site 0 when it does not say whose it is. */
export function countQuarantined(drops: Pick<DropCounts, 'add'>, row: Buffer, nowMs: number): void {
  let siteId: unknown;
  try {
    siteId = readEventLine(row.toString('utf8')).site_id;
  } catch {}
  drops.add(Number.isSafeInteger(siteId) && Number(siteId) > 0 ? Number(siteId) : 0, 'quarantined', nowMs);
}

function minuteText(ms: number): string {
  return `${timeText(ms).slice(0, 17)}00`;
}
