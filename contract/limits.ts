/** Every size that the collection endpoints enforce. One page, so that documents and tests can read it. */
export const ingestLimits = {
  bodyBytesMax: 1024 * 1024,
  batchEventsMax: 1_000,
  nameCharsMax: 120,
  urlCharsMax: 8_000,
  pathCharsMax: 2_000,
  referrerCharsMax: 2_000,
  titleCharsMax: 512,
  screenCharsMax: 11,
  idCharsMax: 64,
  orderIdCharsMax: 128,
  utmCharsMax: 255,
  propsMax: 30,
  propKeyCharsMax: 300,
  propValueCharsMax: 2_000,
  domainsPerEventMax: 10,
  /** Requests, and bytes of their bodies, that wait while a starting desk reads back its running visits. */
  waitingRequestsMax: 10_000,
  waitingBytesMax: 32 * 1024 * 1024,
} as const;

/** Names and paths of other products' trackers, which allow longer ones (reference of Rybbit: 256 and 2,048). */
export const dropInLimits = { nameCharsMax: 256, pathCharsMax: 2_048 } as const;

/** What one question to the query engine may cost. */
export const queryLimits = {
  seconds: 10,
  memoryBytes: 2 * 1024 * 1024 * 1024,
  rowsMax: 10_000,
  batchQueriesMax: 20,
  filterValuesMax: 1_000,
  filterDepthMax: 8,
  patternCharsMax: 500,
  metricsMax: 20,
  dimensionsMax: 8,
} as const;

/** A picture of a person or an organisation may be so wide and so high: a small file can unfold into gigabytes. */
export const pictureSideMax = 2_048;

export const passwordCharsMin = 12;
export const passwordCharsMax = 256;
export const retentionMonthsMax = 25;

/** What a file that is sent over HTTP to be imported may cost. Larger ones are imported on the command line. */
export const uploadLimits = {
  /** Each part of a file but the last has exactly so many bytes: 30 s are enough for one at 300 kbit/s. */
  partBytes: 1024 * 1024,
  fileBytesMax: 4 * 1024 ** 3,
  /** A file that nobody goes on with stays so long. */
  keptDays: 7,
} as const;

/** What a file of conversions may be. Whatever is beyond is refused with the name of the limit, never cut. */
export const relayUploadLimits = {
  fileBytesMax: 100 * 1024 ** 2,
  /** Each part of a file but the last has exactly so many bytes: 30 s are enough for one at 300 kbit/s. */
  partBytes: 1024 * 1024,
  /** Rows below the names of the columns. A file of the size above has fewer. */
  rowsMax: 500_000,
  columnsMax: 200,
  /** Of one name of a column: a path to it has to fit into a mapping. */
  columnCharsMax: 200,
  cellCharsMax: 16_384,
  /** A row of a CSV file with everything in quotes. */
  rowCharsMax: 64 * 1024,
  /** A workbook is packed; so much may come out of it, and so many characters of its table of texts. */
  expandedBytesMax: 1024 ** 3,
  textCharsMax: 64 * 1024 ** 2,
  /** Rows with a problem that are kept one by one; those beyond are counted. */
  problemsMax: 100_000,
  /** Uploads of an organisation that are in its lists at once. */
  uploadsMax: 1_000,
  /** A file goes once it is taken, and after so many days in any case; so does its line in the list. */
  days: 7,
} as const;
/** How large a file of conversions may be, as pages and refusals say it. */
export const relayFileMost = `${relayUploadLimits.fileBytesMax / 1024 ** 2} MiB`;

/** Living API keys of one organisation, sites that one may be limited to, and how far ahead its end may lie. */
export const keysMax = 200;
export const keySitesMax = 1_000;
export const keyLifeYearsMax = 10;

/** Sizes and times of what belongs to a person. */
export const peopleLimits = {
  avatarBytesMax: 256 * 1024,
  usernameCharsMin: 3,
  usernameCharsMax: 32,
  recoveryCodes: 10,
  /** A link in a mail works for so long (AUT-08). */
  linkMinutes: 60,
  /** Whoever has no password has to have signed in so lately to change how they sign in. */
  proofMinutes: 10,
  /** Between the password and the code. */
  secondStepMinutes: 10,
  /** Mails of one kind that one address is sent in an hour. */
  mailsPerHour: 3,
  /** Who must have a second factor gets so long to set one up. */
  graceDays: 7,
} as const;
