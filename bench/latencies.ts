/**
 * Latencies as counts in buckets that are each 1 % wide: those of several runs can be put together, and what is read out of
 * them is off by half a per cent at most. A percentile of percentiles would say nothing of the whole.
 */
export type Latencies = Readonly<Record<string, number>>;

const width = Math.log(1.01);
/** A thousandth of a millisecond is the least that is told apart. */
const leastMs = 0.001;

export function latenciesOf(measuredMs: Iterable<number>): Latencies {
  const counts: Record<string, number> = {};
  for (const ms of measuredMs) {
    const bucket = Math.floor(Math.log(Math.max(ms, leastMs) / leastMs) / width);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

export function together(runs: readonly Latencies[]): Latencies {
  const counts: Record<string, number> = {};
  for (const run of runs)
    for (const [bucket, count] of Object.entries(run)) counts[bucket] = (counts[bucket] ?? 0) + count;
  return counts;
}

/** What this share of them does not exceed, in ms; 0 without any. */
export function latencyAt(latencies: Latencies, share: number): number {
  const buckets = Object.entries(latencies).map(([bucket, count]) => ({ bucket: Number(bucket), count }));
  buckets.sort((a, b) => a.bucket - b.bucket);
  let left = Math.ceil(share * buckets.reduce((sum, { count }) => sum + count, 0));
  for (const { bucket, count } of buckets) {
    left -= count;
    if (left <= 0) return leastMs * Math.exp((bucket + 0.5) * width);
  }
  return 0;
}
