import type { Gauge } from '../subject.ts';
import type { SpoolLimits } from './limits.ts';
import type { Quarantine } from './quarantine.ts';
import type { RunningLane, Spool } from './spool.ts';

/** What `/metrics` says of the spool. */
export function gaugesOf({
  spool,
  lanes,
  quarantine,
  limits,
}: {
  spool: Spool;
  lanes: readonly RunningLane[];
  quarantine: Quarantine;
  limits: SpoolLimits;
}): Gauge[] {
  const perLane = (read: (lane: RunningLane) => number) => () =>
    lanes.map((lane) => ({ labels: { lane: lane.name }, value: read(lane) }));
  const perSink = (read: (courier: RunningLane['couriers'][number]) => number) => () =>
    lanes.flatMap((lane) =>
      lane.couriers.map((courier) => ({
        labels: { lane: lane.name, sink: courier.sink.name },
        value: read(courier),
      })),
    );
  const gauge = (name: string, help: string, read: Gauge['read']): Gauge => ({ name, help, kind: 'gauge', read });
  const counter = (name: string, help: string, read: Gauge['read']): Gauge => ({ name, help, kind: 'counter', read });
  return [
    gauge('fairlead_spool_bytes', 'Bytes on disk, quarantine included.', () => spool.bytes()),
    gauge('fairlead_spool_bytes_max', 'Bytes at which appends are refused.', () => limits.spoolBytesMax),
    gauge('fairlead_spool_lag_seconds', 'Age of the oldest row that is not in every sink.', () => spool.lagMs() / 1000),
    gauge(
      'fairlead_spool_segments',
      'Closed segments that not every sink has.',
      perLane((lane) => lane.closed.length),
    ),
    counter(
      'fairlead_spool_appends_total',
      'Appends taken.',
      perLane((lane) => lane.writer.counts.appends),
    ),
    counter(
      'fairlead_spool_groups_total',
      'Writes with a sync; each carries many appends.',
      perLane((lane) => lane.writer.counts.groups),
    ),
    counter(
      'fairlead_spool_refused_total',
      'Appends refused.',
      perLane((lane) => lane.writer.counts.refused),
    ),
    counter(
      'fairlead_spool_disk_failures_total',
      'Writes, syncs or new files that the disk refused.',
      perLane((lane) => lane.writer.counts.failures),
    ),
    counter(
      'fairlead_spool_delivered_segments_total',
      'Segments confirmed.',
      perSink((courier) => courier.counts.segments),
    ),
    counter(
      'fairlead_spool_sink_retries_total',
      'Deliveries that a sink could not take.',
      perSink((courier) => courier.counts.retries),
    ),
    counter(
      'fairlead_spool_sink_refusals_total',
      'Deliveries in which a sink refused a row.',
      perSink((courier) => courier.counts.refusals),
    ),
    gauge(
      'fairlead_spool_sink_held',
      '1 while a sink is away or refuses everything.',
      perSink((courier) => (courier.trouble() === undefined ? 0 : 1)),
    ),
    gauge(
      'fairlead_quarantine_rows',
      'Rows in quarantine.',
      perLane((lane) => spool.quarantined()[lane.name] ?? 0),
    ),
    counter(
      'fairlead_quarantine_added_rows_total',
      'Rows that went to quarantine.',
      perLane((lane) => quarantine.counts.added.get(lane.name) ?? 0),
    ),
    counter(
      'fairlead_quarantine_dropped_rows_total',
      'Rows that left quarantine before their time, for space.',
      () => quarantine.counts.droppedForSpace,
    ),
  ];
}
