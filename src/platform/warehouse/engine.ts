import type { ClickHouseClient } from '@clickhouse/client';

/** What the two ways of running ClickHouse differ in. Everything above this line is the same code. */
export interface Engine {
  /** Connections for questions, read-only for life; as many as may run at once. */
  readers: ClickHouseClient[];
  /** The one connection that inserts and changes. */
  writer: ClickHouseClient;
  /** For long work (freezing, merging), so that it never stands before an insert. */
  background: ClickHouseClient;
  /** A statement with its parameters, in the form the engine binds them. */
  bind(sql: string, params: Record<string, unknown>): { query: string; query_params?: Record<string, unknown> };
  /** True when giving up on a call stops it; the embedded engine goes on to the end. */
  abortable: boolean;
  insert(table: string, ndjson: Buffer, token: string, columns: readonly string[] | undefined): Promise<void>;
  /** Writes the answer of a SELECT into a file of this machine, one JSON object a line, in place of what was in it. */
  writeFile(sql: string, params: Record<string, unknown>, file: string): Promise<void>;
  /**
   * Forgets what columns and tables keep for a time only, from now on and once a day. Until it is called the embedded engine forgets
   * nothing: it knows in memory alone when it did so last, and each start would rewrite the newest month (docs/decisions/2026-11-30-forgetting-after-a-start.md).
   */
  startForgetting(): Promise<void>;
  /** Gives memory back that only a burst needed. */
  trim(): Promise<void>;
  close(): Promise<void>;
}

/** Names come from our own code and migrations; this keeps it so. */
export function identifier(name: string): string {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name))
    throw new TypeError('A name of a table or column is lower case letters, digits and _.');
  return name;
}

/** Tokens are segment names and row ranges. */
export function tokenText(token: string): string {
  if (!/^[A-Za-z0-9_.:@+-]{1,200}$/.test(token))
    throw new TypeError('An insert token is up to 200 letters, digits and the marks _ . : @ + -');
  return token;
}

/**
 * Settings with which Parquet is written: a row group, which is what the writer holds in memory, is a hundredth of the
 * engine's own. They are part of the statement's text and so end with it.
 */
export const parquetSettings =
  "output_format_parquet_row_group_size = 100000, output_format_parquet_compression_method = 'zstd'";
