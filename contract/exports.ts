import { z } from 'zod';

export const exportFormats = ['plausible', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** POST /api/sites/:domain/exports: writes everything of a site, up to yesterday, into a file on the desk. */
export const newExport = z.strictObject({
  format: z.enum(exportFormats),
  /** Its first and last day, 'YYYY-MM-DD' in the site's zone; absent: the first with numbers, and yesterday. */
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
});

/** A full export of a site. Its file can be fetched while the state is `done`, until `expires_at`. */
export const siteExport = z.object({
  id: z.number().int(),
  format: z.enum(exportFormats),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  /** Days of the site's zone, both included: 'YYYY-MM-DD'. */
  first_day: z.string(),
  last_day: z.string(),
  days: z.number().int(),
  days_done: z.number().int(),
  rows: z.number().int(),
  /** Size of the file; while it is written, of what is there so far. */
  bytes: z.number().int(),
  file_name: z.string(),
  /** Why it failed, in a sentence; null unless it did. */
  failure: z.string().nullable(),
  /** Number of the person who started it; null when an API key did. */
  started_by: z.number().int().nullable(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  /** When the file and this line of it are deleted; null while it is not finished. */
  expires_at: z.string().nullable(),
  /** Somebody whose data was restricted since may be in it: it is kept for a legal hold, and nobody is given it. */
  withheld: z.boolean(),
});
export type SiteExport = z.infer<typeof siteExport>;

/** GET /api/sites/:domain/exports, newest first. */
export const siteExports = z.object({
  exports: z.array(siteExport),
  /** The days that an export begun now would hold; null while no day with numbers is over. */
  span: z.object({ first_day: z.string(), last_day: z.string() }).nullable(),
  /** The warehouse does not answer, so the span is not known; finished files can be fetched all the same. */
  warehouse_away: z.boolean(),
});
export type SiteExports = z.infer<typeof siteExports>;
