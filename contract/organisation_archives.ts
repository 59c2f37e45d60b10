import { z } from 'zod';

/** How long the file of an archive can be fetched; then it is deleted, and another one can be made. */
export const archiveKeptDays = 7;

/** Everything that belongs to an organisation, as one file. It can be fetched while the state is `done`, until `expires_at`. */
export const organisationArchive = z.object({
  id: z.number().int(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  sites: z.number().int(),
  /** Sites whose events are written. */
  sites_done: z.number().int(),
  /** Rows and events that are in it so far. */
  rows: z.number().int(),
  /** Size of the file; 0 until it is whole. */
  bytes: z.number().int(),
  /** Why it failed, in a sentence; null unless it did. */
  failure: z.string().nullable(),
  started_by: z.number().int().nullable(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  expires_at: z.string().nullable(),
  /** Somebody whose data was restricted or erased since may be in it: it is kept for a legal hold, and nobody is given it. */
  withheld: z.boolean(),
  /** A legal hold keeps it, also beyond its days. */
  held: z.boolean(),
});
export type OrganisationArchive = z.infer<typeof organisationArchive>;
/** GET /api/organisations/:organisation/archives, newest first. */
export const organisationArchives = z.object({ archives: z.array(organisationArchive) });
export type OrganisationArchives = z.infer<typeof organisationArchives>;

/** `manifest.json` in the file. */
export interface ArchiveManifest {
  archive: 'fairlead organisation 1';
  organisation: { id: number; name: string; slug: string };
  /** When it was begun: events until then are in it. */
  made_at: string;
  files: readonly { name: string; what: string; rows: number; bytes: number; sha256: string }[];
  /** Every table that was read, with how many rows there were; one without any has no file. */
  tables: Readonly<Record<string, number>>;
  /** Tables of the organisation that are in no file, each with the reason. */
  left_out: readonly { table: string; why: string }[];
  /** Columns that are in no file: secrets, and keyed digests that say nothing outside of this desk. */
  columns_left_out: Readonly<Record<string, readonly string[]>>;
  /** Sealed values that could not be opened any more, because their key was destroyed; null stands in their place. */
  unopened: number;
}
