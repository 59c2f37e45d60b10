import { availableParallelism, totalmem } from 'node:os';
import { queryLimits } from '../../../contract/limits.ts';
import { questionsNice } from '../priority.ts';

const mebibyte = 1024 * 1024;
const cores = availableParallelism();

/**
 * What the warehouse may cost. Three calls into the embedded engine at once is the most that left `fdatasync` at
 * 9 ms (four held it for 600 ms, design.md §3): one belongs to the writer, two to questions and background work.
 */
export const warehouseLimits = {
  readersAtOnce: 2,
  /** Questions that may wait for a reader; the next one is told so at once. */
  readersQueueMax: 200,
  /** Waiting and running together. */
  readSeconds: queryLimits.seconds,
  readMemoryBytes: Math.min(queryLimits.memoryBytes, Math.floor(totalmem() / 2)),
  readRowsMax: 5_000_000_000,
  resultRowsMax: 1_000_000,
  resultBytesMax: 256 * mebibyte,
  /** Bound parameters are text of the statement on the embedded engine: 1,000 filter values of 2,000 characters fit. */
  statementBytesMax: 16 * mebibyte,
  readThreads: Math.max(1, Math.min(cores, 8)),
  /**
   * Nice values of the engine's threads, so that the event loop and the loader get the processor first. The engine can
   * set them only with CAP_SYS_NICE and goes on without.
   */
  readNice: questionsNice,
  backgroundNice: 10,
  backgroundMemoryBytes: Math.min(4096 * mebibyte, Math.floor(totalmem() / 3)),
  /** How long a server may take to take in a segment before the loader tries again. */
  insertMs: 60_000,
  /** Statements such as migrations and merges of a whole day. */
  commandMs: 10 * 60_000,
  markCacheBytes: 64 * mebibyte,
  engineMemoryBytes: Math.max(1024 * mebibyte, Math.floor(totalmem() / 2)),
} as const;
