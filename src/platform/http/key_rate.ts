import type { Clock } from '../clock.ts';
import { RequestError } from './route.ts';

/**
 * How often an API key may call (OWASP API4): a bucket of so many calls that fills again over a minute. The collection
 * plane has limits per site instead. Each process counts for itself.
 */
export interface KeyRate {
  /**
   * Takes one call of this key.
   * @returns headers that say what is left (draft-ietf-httpapi-ratelimit-headers)
   * @throws RequestError rate_limited, with the same headers and Retry-After
   */
  take(keyId: number): Record<string, string>;
}

const windowSeconds = 60;
/** Buckets in memory: only keys that live get one, so this is a bound and no rule. Full ones are forgotten first. */
const bucketsMax = 10_000;

export function openKeyRate({ clock, perMinute }: { clock: Clock; perMinute: number }): KeyRate {
  const buckets = new Map<number, { calls: number; at: number }>();
  const perMs = perMinute / (windowSeconds * 1000);

  function filled(keyId: number): number {
    const now = clock.monotonic();
    const found = buckets.get(keyId);
    const calls = found === undefined ? perMinute : Math.min(perMinute, found.calls + (now - found.at) * perMs);
    buckets.delete(keyId);
    buckets.set(keyId, { calls, at: now });
    // The key that has been silent for longest has had most time to fill.
    if (buckets.size > bucketsMax) buckets.delete(buckets.keys().next().value as number);
    return calls;
  }

  return {
    take(keyId) {
      const calls = filled(keyId);
      const left = Math.max(0, calls - 1);
      const headers = {
        'ratelimit-policy': `"key";q=${perMinute};w=${windowSeconds}`,
        ratelimit: `"key";r=${Math.floor(left)};t=${Math.ceil((perMinute - left) / (perMs * 1000))}`,
      };
      if (calls < 1) {
        const seconds = Math.max(1, Math.ceil((1 - calls) / (perMs * 1000)));
        throw new RequestError(
          'rate_limited',
          `This key has made its ${perMinute} calls of a minute. Try again in ${seconds} s, or ask for more in each call.`,
          { headers: { ...headers, 'retry-after': String(seconds) } },
        );
      }
      (buckets.get(keyId) as { calls: number }).calls = left;
      return headers;
    },
  };
}
