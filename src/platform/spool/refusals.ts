/**
 * The spool cannot promise to keep what it was given, so nothing was promised: answer 503 with Retry-After.
 * `full`: its size limit or the disk is reached. `failing`: the disk refused a write or a sync. `busy`: more is
 * waiting for the disk than may wait. `closed`: the process is stopping.
 */
export class SpoolUnavailable extends Error {
  override readonly name = 'SpoolUnavailable';
  readonly reason: 'full' | 'failing' | 'busy' | 'closed';
  readonly retryAfterSeconds: number;
  constructor(reason: SpoolUnavailable['reason'], retryAfterSeconds: number) {
    super(`The spool takes nothing now (${reason}): send it again in ${retryAfterSeconds} s.`);
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * A sink throws this when the store is well and refuses what a row says, for good: asking again will not help.
 * Everything else that a sink throws means "not now". A refusal must have had no effect: no row of the part
 * may be stored.
 */
export class RowRefused extends Error {
  override readonly name = 'RowRefused';
  /** The store's word for it, such as `CANNOT_PARSE_INPUT_ASSERTION_FAILED`: never text that quotes the row. */
  readonly code: string;
  readonly column: string | undefined;
  constructor(code: string, column?: string) {
    super(`The store refused a row (${code}${column === undefined ? '' : `, column ${column}`}).`);
    this.code = code;
    this.column = column;
  }
}
