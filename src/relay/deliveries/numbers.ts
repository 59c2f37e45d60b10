import { repeat } from '../../platform/clock.ts';
import type { Gauge } from '../../platform/subject.ts';
import { destinations } from '../destinations/index.ts';
import type { LaneCounts, Lanes } from './lanes.ts';
import { deliveryLimits } from './limits.ts';
import type { Senders } from './parts.ts';

interface Queued {
  readonly deliveries: number;
  readonly overdueMs: number;
}

/** Numbers of deliveries by kind of destination; what is queued is counted once a minute, over all organisations. */
export function openNumbers(
  senders: Senders,
  lanes: Pick<Lanes, 'counts' | 'openBreakers'>,
): { gauges: Gauge[]; stop(): void } {
  const { postgres, clock, log } = senders;
  const queued = new Map<string, Queued>();
  async function count(): Promise<void> {
    for (const { id } of destinations) {
      const { deliveries, overdue } = await postgres.system((sql) =>
        sql.one<{ deliveries: number; overdue: number }>(
          'SELECT lookup.deliveries_queued($1) AS deliveries, lookup.delivery_overdue_ms($1, $2) AS overdue',
          [id, new Date(clock.now())],
        ),
      );
      queued.set(id, { deliveries, overdueMs: overdue });
    }
  }
  const stop = repeat(clock, deliveryLimits.countMs, count, {
    onError: (error) => log.error('relay.count_failed', {}, error),
  });
  const ofQueued = (value: (one: Queued) => number) =>
    [...queued].map(([destination, one]) => ({ labels: { destination }, value: value(one) }));
  const ofCounts = (name: keyof LaneCounts) =>
    [...lanes.counts()].map(([destination, one]) => ({ labels: { destination }, value: one[name] }));
  const ended = (name: keyof LaneCounts, help: string): Gauge => ({
    ...{ name: `fairlead_relay_deliveries_${name}_total`, help, kind: 'counter', read: () => ofCounts(name) },
  });
  return {
    gauges: [
      {
        ...{ name: 'fairlead_relay_deliveries_queued', kind: 'gauge', read: () => ofQueued((one) => one.deliveries) },
        help: 'Deliveries that wait or are being sent, counted once a minute.',
      },
      {
        ...{ name: 'fairlead_relay_deliveries_overdue_seconds', kind: 'gauge' },
        help: 'How long the oldest delivery that is due has waited for its turn.',
        read: () => ofQueued((one) => one.overdueMs / 1_000),
      },
      ended('accepted', 'Deliveries that the platform accepted, since the start of this process.'),
      ended('retried', 'Deliveries that are tried again.'),
      ended('dead', 'Deliveries that were set aside with a reason.'),
      ended('withheld', 'Deliveries that were withheld when they were to be sent.'),
      {
        ...{ name: 'fairlead_relay_breakers_open', kind: 'gauge' },
        help: 'Accounts that do not answer, and are left alone for a while.',
        read: () => [...lanes.openBreakers()].map(([destination, value]) => ({ labels: { destination }, value })),
      },
    ],
    stop,
  };
}
