import { z } from 'zod';
import { uploadLimits } from './limits.ts';

export const importKinds = ['events', 'access-log', 'umami', 'plausible', 'ga4'] as const;
export type ImportKind = (typeof importKinds)[number];

/** POST /api/sites/:domain/imports: names a file whose parts follow. */
export const newImport = z.strictObject({
  kind: z.enum(importKinds),
  /** Without its folder. */
  name: z
    .string()
    .trim()
    .min(1)
    .max(255)
    .regex(/^[^\p{Cc}]*$/u, 'A name has no control characters'),
  size: z
    .number()
    .int()
    .positive('the file is empty')
    .max(
      uploadLimits.fileBytesMax,
      'a file may have 4 GiB here; a larger one is imported on the command line of the desk',
    ),
});
export type NewImport = z.infer<typeof newImport>;

const span = z.object({ days: z.number().int(), first_day: z.string(), last_day: z.string() });

/** What would come of a file (`ready`), or what came of it (`done`). */
export const importReport = z.object({
  rows: z.number().int(),
  /** Rows that become numbers. */
  stored: z.number().int(),
  visitors: z.number().int(),
  visits: z.number().int(),
  pageviews: z.number().int(),
  /** 'YYYY-MM-DD', both included: days of the site for tables of days, UTC days for events. */
  days: span.nullable(),
  /** Days that have numbers already. They are left out, so that nothing counts twice. */
  overlap: span.nullable(),
  /** Tables of days that are in the file. */
  tables: z.array(z.object({ name: z.string(), rows: z.number().int(), days: z.number().int() })),
  /** Rows that are not taken, with the first twenty places of each reason: line numbers, or `table:line`. */
  refused: z.array(
    z.object({
      reason: z.string(),
      rows: z.number().int(),
      lines: z.array(z.union([z.number().int(), z.string()])),
    }),
  ),
  /** Rows that are kept without something, for a setting of the site. */
  left_out: z.array(z.object({ reason: z.string(), rows: z.number().int() })),
  /** Columns and files of an archive that are not read. */
  not_understood: z.array(z.string()),
});
export type ImportReportBody = z.infer<typeof importReport>;

export const siteImport = z.object({
  id: z.number().int(),
  kind: z.enum(importKinds),
  file_name: z.string(),
  state: z.enum(['uploading', 'checking', 'ready', 'running', 'done', 'failed', 'undoing', 'undone']),
  /** Bytes of the file; null when the command line read it. */
  size: z.number().int().nullable(),
  received: z.number().int(),
  /** The part that is to come, from 0; null when the file is whole or gone. */
  next_part: z.number().int().nullable(),
  /** How much of the present step is done, 0 to 1; null while it waits for its turn. */
  progress: z.number().nullable(),
  rows_read: z.number().int(),
  rows_stored: z.number().int(),
  rows_dropped: z.number().int(),
  first_day: z.string().nullable(),
  last_day: z.string().nullable(),
  report: importReport.nullable(),
  /** Why it failed, in a sentence; null unless it did. */
  failure: z.string().nullable(),
  /** Number of the person who started it; null when an API key or the command line did. */
  started_by: z.number().int().nullable(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  undone_at: z.string().nullable(),
  /** When its file is deleted if nobody goes on; null when it has none. */
  expires_at: z.string().nullable(),
});
export type SiteImport = z.infer<typeof siteImport>;

/** GET /api/sites/:domain/imports, newest first. */
export const siteImports = z.object({ imports: z.array(siteImport) });
export type SiteImports = z.infer<typeof siteImports>;
