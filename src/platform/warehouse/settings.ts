import { warehouseLimits as limits } from './limits.ts';

/** A setting of a connection, in the order in which it is given. */
export type Settings = Record<string, string | number>;

/**
 * Settings of every connection. They are given once, when it is opened: on the embedded engine a setting that comes
 * with a call stays on the connection, and a token left behind that way silently threw later inserts away.
 */
const common: Settings = {
  session_timezone: 'UTC',
  max_query_size: limits.statementBytesMax,
  // UInt64 and Decimal as text: a JSON number would lose the last bits of an id.
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  // A replay must be thrown away by the views' targets too, by the same token (0 counted a retry twice).
  deduplicate_blocks_in_dependent_materialized_views: 1,
};

/** Limits first; `readonly = 1` comes last and makes all of them final. */
export const readerSettings: Settings = {
  ...common,
  max_memory_usage: limits.readMemoryBytes,
  max_execution_time: limits.readSeconds,
  timeout_overflow_mode: 'throw',
  max_rows_to_read: limits.readRowsMax,
  read_overflow_mode: 'throw',
  max_result_rows: limits.resultRowsMax,
  max_result_bytes: limits.resultBytesMax,
  result_overflow_mode: 'throw',
  max_threads: limits.readThreads,
  os_threads_nice_value_query: limits.readNice,
  // A closed day of `visits` is one part, which FINAL then reads as it is, without looking for equal keys.
  do_not_merge_across_partitions_select_final: 1,
  // Ids of visits are last in the key: sorting a set of them to look for it in the index finds nothing to skip.
  use_index_for_in_with_subqueries: 0,
};

export const writerSettings: Settings = {
  ...common,
  // One segment is one block, so it goes in whole or not at all.
  input_format_parallel_parsing: 0,
  max_insert_block_size: 10_000_000,
  min_insert_block_size_rows: 10_000_000,
  min_insert_block_size_bytes: 1024 * 1024 * 1024,
  // What we did not declare is a mistake of ours, not a reason to guess.
  input_format_skip_unknown_fields: 0,
  input_format_null_as_default: 0,
  // Rows of a segment that was written before a column came end before it.
  input_format_json_compact_allow_variable_number_of_columns: 1,
  input_format_json_read_bools_as_numbers: 0,
  input_format_json_read_numbers_as_strings: 0,
  input_format_json_read_arrays_as_strings: 0,
  input_format_json_read_objects_as_strings: 0,
  // An import's segment may touch many days, and `visits` has a partition for each.
  max_partitions_per_insert_block: 1000,
  // A lightweight DELETE or a mutation has happened when the statement returns.
  mutations_sync: 2,
  lightweight_deletes_sync: 2,
};

export const backgroundSettings: Settings = {
  ...common,
  max_memory_usage: limits.backgroundMemoryBytes,
  max_threads: Math.max(1, limits.readThreads - 1),
  os_threads_nice_value_query: limits.backgroundNice,
  max_partitions_per_insert_block: 1000,
  mutations_sync: 2,
  lightweight_deletes_sync: 2,
  do_not_merge_across_partitions_select_final: 1,
};

/** As `SET a = 1, b = 'x'`, for a connection of the embedded engine. */
export function setStatement(settings: Settings): string {
  const parts = Object.entries(settings).map(
    ([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value}'`}`,
  );
  return `SET ${parts.join(', ')}`;
}
