import type { z } from 'zod';
import { profileLimits, type profilePage } from '../../../contract/profiles.ts';
import type { House } from '../../platform/subject.ts';
import { ofVisitors } from './store.ts';

type Page = z.infer<typeof profilePage>;
type Act = Omit<Page['timeline'][number], 'browser'> & { visitor: string };

/** The moment where a part of the timeline ended, and how many events of that moment were in it or before. */
export const timelineCursor = /^(\d{1,15})\.(\d{1,6})$/;

export const asIso = (time: string) => `${time.replace(' ', 'T')}Z`;

/**
 * What some visitors did, newest first, a part of it, and the visits that it belongs to, each as a whole. Events of one
 * moment come in the order of what is shown of them, so those that cannot be told apart may change places.
 */
export async function readTimeline(
  warehouse: Pick<House['warehouse'], 'read'>,
  { siteId, visitors, before }: { siteId: number; visitors: readonly string[]; before: string | undefined },
  signal: AbortSignal,
): Promise<Pick<Page, 'next' | 'visit_count' | 'visits'> & { timeline: Act[] }> {
  const [, ms, skipped] = timelineCursor.exec(before ?? '') ?? [];
  const theirs = `site_id = {site:UInt64} AND stored_id = 1 AND ${ofVisitors} AND name != 'engagement'`;
  const parts = { site: siteId, visitors };
  const asked = { purpose: 'profiles', signal } as const;
  const rows = await warehouse.read<Act & { ms: string }>(
    `SELECT toString(events.time) AS time, toUnixTimestamp64Milli(events.time) AS ms, toString(visit_id) AS visit,
       toString(visitor_id) AS visitor, name, hostname, pathname, source, country, device
     FROM events WHERE ${theirs}
       ${ms === undefined ? '' : 'AND toUnixTimestamp64Milli(events.time) <= {ms:Int64}'}
     ORDER BY events.time DESC, visit_id, name, hostname, pathname, source, country, device
     LIMIT ${profileLimits.listedMax + 1} OFFSET ${Number(skipped ?? 0)}`,
    { ...parts, ...(ms === undefined ? {} : { ms }) },
    asked,
  );
  const shown = rows.slice(0, profileLimits.listedMax);
  const last = shown.at(-1)?.ms;
  const ofLast = shown.filter((one) => one.ms === last).length + (last === ms ? Number(skipped) : 0);
  const visits = await warehouse.read<{ visit: string; started: string; ended: string; events: string; all: string }>(
    `SELECT toString(visit_id) AS visit, toString(min(events.time)) AS started, toString(max(events.time)) AS ended,
       count() AS events, count() OVER () AS all
     FROM events WHERE ${theirs} GROUP BY visit_id ORDER BY has({shown:Array(String)}, visit) DESC
     LIMIT ${profileLimits.listedMax}`,
    { ...parts, shown: [...new Set(shown.map(({ visit }) => visit))] },
    asked,
  );
  const ids = new Set(shown.map(({ visit }) => visit));
  return {
    timeline: shown.map(({ ms: _, ...one }) => ({ ...one, time: asIso(one.time) })),
    next: rows.length > shown.length ? `${last}.${ofLast}` : null,
    visit_count: Number(visits[0]?.all ?? 0),
    visits: visits
      .filter(({ visit }) => ids.has(visit))
      .map(({ visit, started, ended, events }) => ({
        ...{ visit, started: asIso(started), ended: asIso(ended), events: Number(events) },
      })),
  };
}
