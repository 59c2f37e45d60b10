import type { SiteExport, SiteExports } from '../../contract/exports.ts';

const day = 86_400_000;
const isoDay = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Exports in every state for a busy site; none for a quiet one. */
export function exportsOf(domain: string, days: number, isAway: boolean): SiteExports {
  if (days === 0) return { exports: [], span: null, warehouse_away: false };
  const now = Date.now();
  const span = { first_day: isoDay(now - days * day), last_day: isoDay(now - day) };
  const one = (id: number, more: Partial<SiteExport>): SiteExport => ({
    ...{ id, format: 'plausible', state: 'done', ...span, days, days_done: days, rows: 1_204_331, bytes: 48_212_007 },
    ...{ file_name: `${domain}-plausible.zip`, failure: null, started_by: 1, withheld: false },
    created_at: new Date(now - day).toISOString(),
    finished_at: new Date(now - day + 90_000).toISOString(),
    expires_at: new Date(now + 6 * day).toISOString(),
    ...more,
  });
  const open = { finished_at: null, expires_at: null };
  if (isAway) return { exports: [one(1, {})], span: null, warehouse_away: true };
  return {
    ...{ span, warehouse_away: false },
    exports:
      days < 300
        ? []
        : [
            one(4, { format: 'parquet', state: 'waiting', days_done: 0, rows: 0, bytes: 0, started_by: 2, ...open }),
            one(3, {
              ...{ format: 'ndjson', state: 'running', days_done: 212, rows: 1_990_212, bytes: 671_220_300, ...open },
              created_at: new Date(now - 240_000).toISOString(),
            }),
            one(2, {
              ...{ state: 'failed', days_done: 81, bytes: 0, started_by: null },
              failure:
                'The disk of the desk became full behind 2026-03-14, and the export was given up so that events can still be taken. Make room, and start it again.',
            }),
            one(1, { withheld: true }),
          ],
  };
}
