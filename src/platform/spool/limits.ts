/** Every limit of the spool. `openSpool` takes a part of them, so that tests can be small. */
export interface SpoolLimits {
  /**
   * A group of appends begins no sooner than this after the one before it began, so that few events a moment share a write and a sync too,
   * and a tenth of a processor is not spent on waking up for each of them.
   */
  groupMs: number;
  /** … unless so many wait already: then the disk is what everybody waits for. */
  groupAppends: number;
  /**
   * A segment closes this long after its first byte, or after the one before closed where that was less than this ago: after
   * a pause it closes after a fifth of it, so that a lone row is stored soon and no more segments come a second …
   */
  segmentMs: number;
  /** … or before it would grow beyond this. */
  segmentBytesMax: number;
  /** While more closed segments than this wait for a sink, freshness is lost anyway: segments may live longer. */
  backlogSegments: number;
  /** How long a segment may live during a backlog, so that an outage leaves few large files instead of many small ones. */
  backlogSegmentMs: number;
  /** One append, which may hold several rows. */
  appendBytesMax: number;
  /** Bytes of one lane that may wait for the disk; beyond it appends are refused as `busy`. */
  waitingBytesMax: number;
  /** All lanes, progress and quarantine together. */
  spoolBytesMax: number;
  /** The spool never plans with more than this share of what was free when it opened. */
  spoolDiskShare: number;
  /** How long a failing disk is left alone before the next append tries it again: first and longest. */
  diskRetryMsFirst: number;
  diskRetryMsMax: number;
  /** How long a sink that failed is left alone: first and longest. */
  sinkRetryMsFirst: number;
  sinkRetryMsMax: number;
  /** Rows cut out of a refused segment, evenly spaced, to learn whether all of it is refused. */
  probeRows: number;
  /** Refused rows in a row, without one accepted since, from which the store's structure is suspected. */
  refusedRowsMax: number;
  /** How many later segments are asked while a refused one waits for proof that the store takes rows at all. */
  lookAheadSegments: number;
  quarantineDays: number;
  quarantineBytesMax: number;
}

export const spoolLimits: SpoolLimits = {
  groupMs: 3,
  groupAppends: 32,
  segmentMs: 1_000,
  segmentBytesMax: 8 * 1024 * 1024,
  backlogSegments: 16,
  backlogSegmentMs: 60_000,
  appendBytesMax: 4 * 1024 * 1024,
  waitingBytesMax: 64 * 1024 * 1024,
  spoolBytesMax: 4 * 1024 * 1024 * 1024,
  spoolDiskShare: 0.5,
  diskRetryMsFirst: 1_000,
  diskRetryMsMax: 5_000,
  sinkRetryMsFirst: 250,
  sinkRetryMsMax: 10_000,
  probeRows: 16,
  refusedRowsMax: 16,
  lookAheadSegments: 8,
  quarantineDays: 7,
  quarantineBytesMax: 256 * 1024 * 1024,
};
