/** What a question may cost and who asks it. */
export interface ReadOptions {
  /** Ends the wait. The engine may go on for a moment; its place in the pool stays taken until it has stopped. */
  signal?: AbortSignal;
  /** Deadline for waiting in the queue and running together; default `warehouseLimits.readSeconds`. What may take longer is asked behind everybody. */
  seconds?: number;
  /** A word for logs and metrics ('overview', 'freeze'). Never text from outside. */
  purpose?: string;
}

export interface CommandOptions {
  /** Long work on a connection of its own, so that no insert waits for it. It takes one of the readers' places. */
  background?: boolean;
  /** A word for logs. */
  purpose?: string;
}

/** Bytes of the warehouse's active parts on disk, by table. */
export interface DiskBytes {
  total: number;
  tables: Record<string, number>;
}

/**
 * The one door to the warehouse, the same over the embedded engine, a server and a cluster.
 * Every value reaches SQL as a bound parameter `{name:Type}`; identifiers come from declared lists.
 */
export interface Warehouse {
  readonly mode: 'embedded' | 'server' | 'cluster';
  /** Name of the cluster in cluster mode. */
  readonly cluster: string | undefined;
  /**
   * Runs one SELECT on a connection that is read-only for life and gives its rows. UInt64 (so every count and
   * sum of integers too) and Decimal arrive as text, smaller integers and floats as numbers.
   * @throws QueryOverCeiling when a limit of memory, rows or time was met, or the queue was too long
   * @throws WarehouseUnavailable when the engine cannot be reached
   */
  read<Row>(sql: string, params?: Record<string, unknown>, options?: ReadOptions): Promise<Row[]>;
  /**
   * Runs one statement that changes something. Statements and inserts run one after another, except those in the
   * background, which run one after another among themselves.
   */
  command(sql: string, params?: Record<string, unknown>, options?: CommandOptions): Promise<void>;
  /**
   * Appends newline-delimited JSON rows to a table, once per token: the same token again changes nothing, neither
   * in the table nor in what is derived from it.
   * @param columns Each row is an array of these columns' values; one that ends early gets the defaults of what is
   *   missing. Without, each row is an object.
   * @throws RowRefused the data is at fault: the same bytes will never go in, and none of them went in
   * @throws WarehouseUnavailable try again later with the same token
   */
  insert(table: string, ndjson: Buffer, token: string, columns?: readonly string[]): Promise<void>;
  /**
   * Writes the rows of one SELECT into a file of this machine (made 0600, or emptied first), one JSON object a line, however many
   * they are: the engine hands them over in pieces. It is background work. After an error the file holds anything.
   * @throws QueryOverCeiling when a limit of memory or time was met
   * @throws WarehouseUnavailable when the engine cannot be reached
   */
  writeFile(sql: string, params: Record<string, unknown>, file: string): Promise<void>;
  /**
   * The rows of one SELECT as a file of Apache Parquet, which is held in memory: for some hundred thousand rows. It is
   * background work.
   * @throws QueryOverCeiling when a limit of memory or time was met
   * @throws WarehouseUnavailable when the engine cannot be reached
   */
  parquet(sql: string, params: Record<string, unknown>): Promise<Buffer>;
  /**
   * Holds inserts and changes back while `work` runs, once those under way have ended: what it reads of the files stands
   * still. Reading goes on. `command` runs a statement meanwhile.
   */
  standStill<T>(work: (command: (sql: string) => Promise<void>) => Promise<T>): Promise<T>;
  health(): Promise<{ ok: boolean }>;
  diskBytes(): Promise<DiskBytes>;
  /** Waits for what is running (the engine cannot be interrupted), then lets go of the data directory. */
  close(): Promise<void>;
}
