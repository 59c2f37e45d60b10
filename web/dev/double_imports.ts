import type { ImportReportBody, SiteImport, SiteImports } from '../../contract/imports.ts';

const day = 86_400_000;
const isoDay = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Imports in every state for a busy site, one that waits for a decision for another; none for a quiet one. */
export function importsOf(domain: string, days: number): SiteImports {
  if (days === 0) return { imports: [] };
  const now = Date.now();
  const span = { first_day: isoDay(now - (days + 400) * day), last_day: isoDay(now - (days + 1) * day) };
  const report: ImportReportBody = {
    ...{ rows: 48_211, stored: 47_903, visitors: 210_442, visits: 288_120, pageviews: 802_411 },
    days: { days: 400, ...span },
    overlap: { days: 12, first_day: isoDay(now - days * day), last_day: isoDay(now - (days - 11) * day) },
    tables: [
      { name: 'visitors', rows: 400, days: 400 },
      { name: 'pages', rows: 21_340, days: 400 },
      { name: 'locations', rows: 26_163, days: 400 },
    ],
    refused: [
      { reason: 'measured_already', rows: 290, lines: ['visitors 2026-01-02', 'pages 2026-01-02', 'pages 2026-01-03'] },
      { reason: 'wrong_columns', rows: 18, lines: Array.from({ length: 18 }, (_, n) => `imported_pages:${1_200 + n}`) },
    ],
    left_out: [],
    not_understood: ['notes.txt', 'imported_pages.exits_before'],
  };
  const one = (id: number, more: Partial<SiteImport>): SiteImport => ({
    ...{
      id,
      kind: 'plausible',
      file_name: `${domain}-export.zip`,
      state: 'done',
      size: 3_811_402,
      received: 3_811_402,
    },
    ...{ next_part: null, progress: null, rows_read: 48_211, rows_stored: 47_903, rows_dropped: 308, ...span, report },
    ...{ failure: null, started_by: 1, undone_at: null, expires_at: null },
    created_at: new Date(now - id * day).toISOString(),
    finished_at: new Date(now - id * day + 90_000).toISOString(),
    ...more,
  });
  const nothing = { rows_read: 0, rows_stored: 0, rows_dropped: 0, first_day: null, last_day: null, report: null };
  const open = { finished_at: null, expires_at: new Date(now + 6 * day).toISOString() };
  if (days < 300) return { imports: [one(1, { state: 'ready', rows_stored: 0, ...open })] };
  return {
    imports: [
      one(5, { kind: 'access-log', file_name: 'access.log.gz', state: 'running', progress: 0.42, ...open }),
      one(4, {
        ...{
          kind: 'ga4',
          file_name: 'a-free-form-exploration-with-a-very-long-name-of-its-own (3).csv',
          state: 'failed',
        },
        ...nothing,
        failure: 'The table has no column "Date": add it as a dimension of the exploration and download it again.',
      }),
      one(3, {
        kind: 'umami',
        file_name: 'umami.zip',
        state: 'undone',
        started_by: 2,
        undone_at: new Date(now).toISOString(),
      }),
      one(2, {}),
      one(1, { kind: 'events', file_name: 'old.ndjson', size: null, started_by: null, report: null }),
    ],
  };
}
