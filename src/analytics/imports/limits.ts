/** What a file that is imported may cost. Files of strangers are read, so everything about them has an end. */
export const importLimits = {
  /** Of an archive as it is sent; it lies on disk while it is read. */
  archiveBytesMax: 4 * 1024 ** 3,
  membersMax: 1_000,
  /** Of all members that are read together, and of a compressed log. */
  expandedBytesMax: 64 * 1024 ** 3,
  /** Bytes out per byte in. Tables with many zeros reach 40; a bomb of zeros has 1,030. */
  ratioMax: 200,
  /** Below this a ratio says nothing: a file of a few equal lines may have any. */
  ratioFromBytes: 4 * 1024 ** 2,
  /** A record of a CSV table or a line of a log, with everything in quotes. */
  lineCharsMax: 64 * 1024,
  columnsMax: 200,
  rowsMax: 200_000_000,
} as const;
