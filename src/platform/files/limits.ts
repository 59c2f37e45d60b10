/** What an archive that somebody sent may cost. Files of strangers are read, so everything about them has an end. */
export const archiveLimits = {
  /** Of an archive as it is sent; it lies on disk while it is read. */
  archiveBytesMax: 4 * 1024 ** 3,
  membersMax: 1_000,
  /** Of all members that are read together, and of a compressed log. */
  expandedBytesMax: 64 * 1024 ** 3,
  /** Bytes out per byte in. Tables with many zeros reach 40; a bomb of zeros has 1,030. */
  ratioMax: 200,
  /** Below this a ratio says nothing: a file of a few equal lines may have any. */
  ratioFromBytes: 4 * 1024 ** 2,
} as const;
export type ArchiveLimits = { readonly [Name in keyof typeof archiveLimits]: number };
