import { createHash } from 'node:crypto';
import type { Gauge } from '../../platform/subject.ts';
import { bytesOf, type Folded, fold, unfold } from './folded.ts';
import type { SumsStatement } from './sql.ts';
import { type ListSums, tooLong } from './sums.ts';

/**
 * Sums of closed days, kept in memory so that a second look reads only what can have changed.
 *
 * The key is the statement itself, with its values and how its rows are read; it is good as long as each of its days has the revision that it had
 * when the statement was begun. A day that is marked, counted again or erased has another one, or none, so that what
 * was kept of it is forgotten the next time the site is asked about. Nothing here can be wrong, only missing.
 */
export interface KeptSums {
  of(siteId: number, revisions: ReadonlyMap<number, number>): SiteSums;
  /** Drops everything of a site. */
  forget(siteId: number): void;
  /** What is kept takes of the heap. */
  bytes(): number;
  readonly bytesMax: number;
}

export interface SiteSums {
  find(statement: Asked): readonly ListSums[] | undefined;
  /** @param days the days of identity that the statement read */
  keep(statement: Asked, days: readonly number[], lists: readonly ListSums[]): void;
}

type Asked = Pick<SumsStatement, 'sql' | 'params' | 'shape'>;

interface Entry {
  siteId: number;
  days: readonly number[];
  revisions: readonly (number | undefined)[];
  lists: readonly (Folded | typeof tooLong)[];
  /** The rows, for as long as the runtime has not collected its garbage: who looks on finds them as they were. */
  opened: WeakRef<readonly ListSums[]>;
  bytes: number;
}

/** @param bytesMax the entry that was used least recently goes first; one larger than a quarter of it is not kept */
export function openKeptSums(bytesMax: number = 8 * 1024 * 1024): KeptSums {
  /** In the order of their last use. */
  const entries = new Map<string, Entry>();
  const seen = new Map<number, ReadonlyMap<number, number>>();
  let bytes = 0;

  function drop(key: string, entry: Entry): void {
    entries.delete(key);
    bytes -= entry.bytes;
  }

  function forgetChanged(siteId: number, revisions: ReadonlyMap<number, number>): void {
    if (seen.get(siteId) === revisions) return;
    seen.set(siteId, revisions);
    for (const [key, entry] of entries)
      if (entry.siteId === siteId && entry.days.some((day, at) => revisions.get(day) !== entry.revisions[at]))
        drop(key, entry);
  }

  return {
    of(siteId, revisions) {
      forgetChanged(siteId, revisions);
      return {
        find(statement) {
          const key = keyOf(siteId, statement);
          const entry = entries.get(key);
          if (entry === undefined) return undefined;
          if (entry.days.some((day, at) => revisions.get(day) !== entry.revisions[at])) return undefined;
          entries.delete(key);
          entries.set(key, entry);
          return opened(entry);
        },
        keep(statement, days, lists) {
          const key = keyOf(siteId, statement);
          const known = entries.get(key);
          if (known !== undefined) drop(key, known);
          const folded = lists.map((list) => (list === tooLong ? tooLong : fold(list)));
          if (!folded.every((list) => list !== undefined)) return;
          const entry = {
            siteId,
            days,
            revisions: days.map((day) => revisions.get(day)),
            lists: folded,
            opened: new WeakRef(lists),
            bytes: entryBytes(folded, days.length),
          };
          if (entry.bytes > bytesMax / 4) return;
          entries.set(key, entry);
          bytes += entry.bytes;
          for (const [oldest, old] of entries) {
            if (bytes <= bytesMax) break;
            drop(oldest, old);
          }
        },
      };
    },
    forget(siteId) {
      seen.delete(siteId);
      for (const [key, entry] of entries) if (entry.siteId === siteId) drop(key, entry);
    },
    bytes: () => bytes,
    bytesMax,
  };
}

function opened(entry: Entry): readonly ListSums[] {
  const known = entry.opened.deref();
  if (known !== undefined) return known;
  const lists = entry.lists.map((list) => (list === tooLong ? tooLong : unfold(list)));
  entry.opened = new WeakRef(lists);
  return lists;
}

function keyOf(siteId: number, { sql, params, shape }: Asked): string {
  return createHash('sha256')
    .update(JSON.stringify([siteId, sql, params, shape]))
    .digest('base64');
}

/** For `/metrics`. */
export function keptGauge(kept: KeptSums): Gauge {
  return {
    name: 'fairlead_query_kept_bytes',
    help: 'Memory that the sums of closed days take.',
    kind: 'gauge',
    read: kept.bytes,
  };
}

/** The key's digest, the entry of the map and its object; and of each day its number and revision. */
function entryBytes(lists: Entry['lists'], days: number): number {
  let bytes = 400 + 16 * days;
  for (const list of lists) if (list !== tooLong) bytes += bytesOf(list);
  return bytes;
}
