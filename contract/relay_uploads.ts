import { z } from 'zod';
import type { Conversion } from './conversion.ts';
import { relayFileMost, relayUploadLimits } from './limits.ts';
import { captureReasons } from './mapping.ts';

/** Files of offline conversions, sent to a source of the kind `upload`: CSV, or a sheet of a workbook (XLSX). */

export const uploadEncodings = ['utf-8', 'utf-16le', 'utf-16be', 'latin-1'] as const;
export type UploadEncoding = (typeof uploadEncodings)[number];

/** How a file is to be read. It is seen in its bytes, and whoever knows better says so. */
export const uploadFormat = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('csv'),
    encoding: z.enum(uploadEncodings).describe('latin-1 is read as Windows-1252, which has the same letters and more.'),
    separator: z.enum([',', ';', '\t']),
  }),
  z.strictObject({ kind: z.literal('xlsx'), sheet: z.string().min(1).max(120) }),
]);
export type UploadFormat = z.infer<typeof uploadFormat>;

/** POST: names a file whose parts follow. */
export const newRelayUpload = z.strictObject({
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
    .max(relayUploadLimits.fileBytesMax, `a file may have ${relayFileMost}: send it in parts`),
});
export type NewRelayUpload = z.infer<typeof newRelayUpload>;

/**
 * What can be the matter with a row: the reasons of a mapping; `in_file` and `formula` are of files alone.
 */
export const uploadReasons = [...captureReasons, 'formula'] as const;

export const uploadStates = [
  ...(['uploading', 'uploaded', 'checking', 'checked', 'running', 'cancelling'] as const),
  ...(['done', 'cancelled', 'failed'] as const),
] as const;
export type UploadState = (typeof uploadStates)[number];

const count = z.number().int();

/** What would come of a file, of every row of it. */
export const uploadReport = z.object({
  rows: count,
  /** Rows that become a conversion which is not there yet. */
  fresh: count,
  /** Rows whose conversion is there already, from this source or another one. */
  known: count,
  /** Rows that tell again what a row above them tells. */
  repeated: count,
  /** Rows of which no conversion can be made. */
  wrong: count,
  /** Rows that the mapping says are no conversions. */
  ignored: count,
  /** Rows that are taken without a field of theirs. */
  incomplete: count,
  /** By what a conversion is told apart: its order, an event id, or all its words where it has neither. */
  identities: z.object({ order: count, event: count, words: count }),
  /** At most twenty, the most frequent first. */
  events: z.array(z.object({ name: z.string(), count })),
  /** ISO 8601 in UTC; null where no row is a conversion. */
  first_at: z.string().nullable(),
  last_at: z.string().nullable(),
  /** With the first rows of each, at most twenty reasons. */
  problems: z.array(
    z.object({ field: z.string(), reason: z.enum(uploadReasons), rows: count, first_rows: z.array(count) }),
  ),
  /** Columns of the file that the mapping does not read, and those that it reads and the file has not. */
  unused_columns: z.array(z.string()),
  missing_columns: z.array(z.string()),
});
export type UploadReport = z.infer<typeof uploadReport>;

export const relayUpload = z.object({
  id: count,
  source_id: count,
  file_name: z.string(),
  size: count,
  received: count,
  /** The part that is to come, from 0; null when the file is whole or gone. */
  next_part: count.nullable(),
  state: z.enum(uploadStates),
  /** Null until the file is whole. */
  format: uploadFormat.nullable(),
  /** The mapping by which it was checked; null before. */
  mapping_version: count.nullable(),
  /** Another one is in force since: it has to be checked again. */
  is_mapping_old: z.boolean(),
  /** How much of the present step is done, 0 to 1; null while it waits for its turn. */
  progress: z.number().nullable(),
  report: uploadReport.nullable(),
  /** What came of it so far, in rows. All are final once it is done, cancelled or failed. */
  rows: z.object({ read: count, fresh: count, doubles: count, wrong: count, ignored: count }),
  /** Problems that errors.csv has. Those beyond `relayUploadLimits.problemsMax` are counted and not listed. */
  problems: z.object({ listed: count, beyond: count }),
  /** An earlier upload of this source was the very same file. */
  same_file_as: z.object({ id: count, file_name: z.string(), mapping_version: count.nullable() }).nullable(),
  /** Why it failed, in a sentence; null unless it did. */
  failure: z.string().nullable(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  /** When its line goes, and its file if that is still there. */
  expires_at: z.string(),
});
export type RelayUpload = z.infer<typeof relayUpload>;

/** GET, newest first. */
export const relayUploads = z.object({ uploads: z.array(relayUpload) });

/** Looks at the first rows of a file, by a format and a mapping that may be no more than tried. */
export const uploadPreviewAsk = z.strictObject({
  format: uploadFormat.optional().describe('Absent: as it was seen, or said last.'),
  mapping: z.record(z.string(), z.unknown()).optional().describe('Absent: the one in force.'),
});
export type UploadPreviewAsk = z.input<typeof uploadPreviewAsk>;
export const previewRowsMax = 20;

export const uploadProblem = z.object({
  /** The canonical field, or the column; empty where it is about the whole row. */
  field: z.string(),
  reason: z.enum(uploadReasons),
});
export type UploadProblem = z.infer<typeof uploadProblem>;

export const uploadPreview = z.object({
  format: uploadFormat,
  sheets: z.array(z.string()),
  columns: z.array(
    z.object({
      name: z.string(),
      /** As a mapping says it. */
      path: z.string(),
      /** Of the first rows, what stands in it; what is a person's is hidden. */
      samples: z.array(z.string()),
    }),
  ),
  /** That the file itself says, as Google's template does. */
  timezone: z.string().nullable(),
  mapping_problem: z.object({ at: z.string(), sentence: z.string() }).nullable(),
  rows: z.array(
    z.object({
      row: count,
      /** In the order of the columns; what is a person's is hidden. */
      cells: z.array(z.string()),
      /** Null where none can be made of it. */
      conversion: z.custom<Conversion>().meta({ type: 'object' }).nullable(),
      is_ignored: z.boolean(),
      problems: z.array(uploadProblem),
    }),
  ),
});
export type UploadPreview = z.infer<typeof uploadPreview>;

export const uploadCheckAsk = z.strictObject({ format: uploadFormat.optional() });
