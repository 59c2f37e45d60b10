import { RequestError } from '../http/route.ts';
import { RowRefused } from '../spool/index.ts';

export { RowRefused };

/**
 * The engine cannot be reached or cannot work now. Nothing is known to have happened: ask again, with the same token.
 * A request that met it is answered 503 with the time to come back.
 */
export class WarehouseUnavailable extends RequestError {
  /** @param why the engine's or the system's word for it ('ECONNREFUSED', 'TOO_MANY_PARTS'); never text that quotes data */
  constructor(why: string, { cause }: { cause?: unknown } = {}) {
    super('warehouse_unavailable', `The warehouse does not answer now (${why}): try again in a moment.`, {
      headers: { 'retry-after': '1' },
      why,
    });
    this.cause = cause;
  }
}

/** A question met one of its limits. The limit is the fact to show; asking for less is the next step. */
export class QueryOverCeiling extends RequestError {
  readonly ceiling: 'seconds' | 'memory' | 'rows' | 'queue';
  constructor(ceiling: QueryOverCeiling['ceiling'], { cause }: { cause?: unknown } = {}) {
    super('query_over_ceiling', sentences[ceiling]);
    this.ceiling = ceiling;
    this.cause = cause;
  }
}

const sentences: Record<QueryOverCeiling['ceiling'], string> = {
  seconds: 'The question took longer than it may: choose a shorter period or fewer dimensions.',
  memory: 'The question needed more memory than it may: choose a shorter period or fewer dimensions.',
  rows: 'The question met more rows than it may: choose a shorter period, or filter.',
  queue: 'Too many questions are waiting: ask again in a few seconds.',
};

/** The warehouse must not be opened as it is: somebody else has it, or it belongs to a newer version. */
export class WarehouseRefused extends Error {
  override readonly name = 'WarehouseRefused';
}

/**
 * Codes with which the engine says that the bytes are at fault, so that the same bytes can never go in.
 * From ClickHouse's src/Common/ErrorCodes.cpp. Anything not listed is taken for "not now": a retry too many costs a
 * second, a row given up on by mistake is lost.
 */
const dataCodes = new Set([
  6, // CANNOT_PARSE_TEXT
  9, // SIZES_OF_COLUMNS_DOESNT_MATCH
  25, // CANNOT_PARSE_ESCAPE_SEQUENCE
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  53, // TYPE_MISMATCH
  69, // ARGUMENT_OUT_OF_BOUND
  70, // CANNOT_CONVERT_TYPE
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  128, // TOO_LARGE_ARRAY_SIZE
  130, // CANNOT_READ_ARRAY_FROM_TEXT
  131, // TOO_LARGE_STRING_SIZE
  321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  407, // DECIMAL_OVERFLOW
  467, // CANNOT_PARSE_BOOL
  469, // VIOLATED_CONSTRAINT
]);

const ceilings: Record<number, QueryOverCeiling['ceiling']> = {
  158: 'rows', // TOO_MANY_ROWS
  159: 'seconds', // TIMEOUT_EXCEEDED
  160: 'seconds', // TOO_SLOW
  191: 'rows', // SET_SIZE_LIMIT_EXCEEDED
  241: 'memory', // MEMORY_LIMIT_EXCEEDED
  307: 'rows', // TOO_MANY_BYTES
  396: 'rows', // TOO_MANY_ROWS_OR_BYTES
};

/** Codes of a server that is busy, starting, stopping or cut off. Network errors carry no number and count too. */
const awayCodes = new Set([
  3, // UNEXPECTED_END_OF_FILE
  159, // TIMEOUT_EXCEEDED (for an insert)
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  236, // ABORTED
  241, // MEMORY_LIMIT_EXCEEDED (for an insert)
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  252, // TOO_MANY_PARTS
  279, // ALL_CONNECTION_TRIES_FAILED
  285, // TOO_FEW_LIVE_REPLICAS
  286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  319, // UNKNOWN_STATUS_OF_INSERT
  394, // QUERY_WAS_CANCELLED
  999, // KEEPER_EXCEPTION
]);

/**
 * The engine's error number and word; undefined for errors of the network. Both are read from the first message of the
 * chain of causes that the engine itself wrote: the client's own reading takes a quoted word for the engine's.
 */
export function engineCode(error: unknown): { code: number; type: string } | undefined {
  let clients: { code: number; type: string } | undefined;
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = /Code: (\d+)\. DB::Exception/.exec(at.message)?.[1];
    if (code !== undefined) {
      const words = [...at.message.matchAll(/\(([A-Z][A-Z0-9_]{2,60})\)/g)];
      return { code: Number(code), type: words.at(-1)?.[1] ?? `CODE_${code}` };
    }
    const { code: given, type } = at as { code?: unknown; type?: unknown };
    if (clients === undefined && typeof given === 'string' && /^\d+$/.test(given))
      clients = { code: Number(given), type: typeof type === 'string' ? type : `CODE_${given}` };
  }
  return clients;
}

/** What an error during a read means for whoever asked. Errors of our own SQL are passed on as they are: bugs. */
export function readError(error: unknown): unknown {
  const known = engineCode(error);
  if (known === undefined)
    return isNetwork(error) ? new WarehouseUnavailable(networkCode(error), { cause: error }) : error;
  const ceiling = ceilings[known.code];
  if (ceiling !== undefined) return new QueryOverCeiling(ceiling, { cause: error });
  if (awayCodes.has(known.code)) return new WarehouseUnavailable(known.type, { cause: error });
  return error;
}

/**
 * What an error during an insert means for the loader: RowRefused (never again), or WarehouseUnavailable (same bytes
 * and token, later). The engine's message quotes the row, so it goes no further than the `cause`, which nobody logs.
 */
export function insertError(error: unknown): RowRefused | WarehouseUnavailable {
  const known = engineCode(error);
  if (known === undefined) return new WarehouseUnavailable(networkCode(error), { cause: error });
  if (!dataCodes.has(known.code)) return new WarehouseUnavailable(known.type, { cause: error });
  const column = /(?:while reading (?:the )?(?:value of )?key|column:?) [`"']?([a-z_]{1,40})\b/i.exec(
    String((error as Error).message),
  )?.[1];
  return new RowRefused(known.type, column);
}

function isNetwork(error: unknown): boolean {
  const code = (error as { code?: unknown })?.code;
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return true;
  return /timeout|socket hang up|network|aborted/i.test(String((error as Error)?.message ?? ''));
}

function networkCode(error: unknown): string {
  const code = (error as { code?: unknown })?.code;
  return typeof code === 'string' && /^[A-Z_]{2,40}$/.test(code) ? code : 'UNREACHABLE';
}
