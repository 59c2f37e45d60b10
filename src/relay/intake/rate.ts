import { type Clock, repeat } from '../../platform/clock.ts';
import { whyOf } from '../../platform/http/route.ts';
import type { Log } from '../../platform/log.ts';
import { type Random, uuidOf } from '../../platform/random.ts';
import type { Lane } from '../../platform/spool/index.ts';
import { type Bucket, openBucket } from '../deliveries/bucket.ts';
import type { RunningSource } from './directory.ts';
import { intakeLine } from './line.ts';

/** What was refused is one line a minute in the intake log: a flood of refusals is no flood of lines. */
const flushMs = 60_000;

/** What of a source this asks for. */
type Limited = Pick<RunningSource, 'id' | 'organisationId' | 'requestsPerMinute'>;

export interface IntakeRates {
  /** Counts a request. @returns 0 where it may come in, else the seconds until the next one may */
  waitSeconds(source: Limited): number;
  /** Writes a line for each source of which requests were refused. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * How many requests a source takes in a minute, where somebody has said so; without, as many as the desk can. Never more than
 * that in any minute: a tenth of it at once. Each process that takes requests in counts by itself. What is refused is neither
 * read nor kept, and counted; a kill takes the count of its minute along.
 */
export function openRates(parts: {
  clock: Clock;
  random: Random;
  /** The lane of the intake log. */
  lane: Pick<Lane, 'append'>;
  log: Pick<Log, 'warn'>;
}): IntakeRates {
  const { clock, random, lane, log } = parts;
  const buckets = new Map<number, { perMinute: number; bucket: Bucket }>();
  let refused = new Map<number, { organisationId: number; requests: number; at: number }>();

  function bucketOf({ id }: Limited, perMinute: number): Bucket {
    const known = buckets.get(id);
    if (known?.perMinute === perMinute) return known.bucket;
    const bucket = openBucket(perMinute);
    buckets.set(id, { perMinute, bucket });
    return bucket;
  }

  async function flush() {
    const taken = refused;
    refused = new Map();
    for (const [sourceId, { organisationId, requests, at }] of taken)
      try {
        await lane.append(
          intakeLine({
            ...{ organisationId, sourceId, at, id: uuidOf(random), way: 'request' },
            ...{ status: 429, reason: 'rate', field: 'requests_per_minute', requests },
          }),
        );
      } catch (error) {
        // They are counted with those of the next minute.
        const later = refused.get(sourceId);
        refused.set(sourceId, { organisationId, at, requests: requests + (later?.requests ?? 0) });
        log.warn('relay.refusals_not_logged', { source: sourceId, requests, why: whyOf(error) });
      }
  }
  const stop = repeat(clock, flushMs, flush, { onError: () => {} });

  return {
    waitSeconds(source) {
      const perMinute = source.requestsPerMinute;
      if (perMinute === null) return 0;
      const bucket = bucketOf(source, perMinute);
      const nowMs = clock.monotonic();
      if (bucket.take(1, nowMs) === 1) return 0;
      const before = refused.get(source.id);
      refused.set(source.id, {
        organisationId: source.organisationId,
        requests: (before?.requests ?? 0) + 1,
        at: before?.at ?? clock.now(),
      });
      return Math.max(1, Math.ceil(bucket.waitMs(nowMs) / 1_000));
    },
    flush,
    async stop() {
      stop();
      await flush();
    },
  };
}
