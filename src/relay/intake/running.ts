import { countryOf } from '../../accounts/index.ts';
import { watchStored } from '../../analytics/index.ts';
import type { FastHandler } from '../../platform/http/server.ts';
import type { Sink } from '../../platform/spool/index.ts';
import type { Gauge, House } from '../../platform/subject.ts';
import { regionOf } from '../../trust/consent/index.ts';
import { openCaptureKeeper } from './captures.ts';
import { openSourceDirectory, type SourceDirectory } from './directory.ts';
import { intakePath, openIntake } from './door.ts';
import { openGoals } from './goals.ts';
import { conversionSink } from './loader.ts';
import { openLoaderThread } from './loader_thread.ts';
import { openRates } from './rate.ts';
import type { Sealing } from './record.ts';

/** Intake at work: what it mounts, and what other parts of the relay share with it. */
export interface RunningIntake {
  readonly fastUnder: Record<string, FastHandler>;
  readonly gauges: Gauge[];
  readonly directory: SourceDirectory;
  /** Writes requests that are to be kept: they are otherwise for up to a second. */
  keepCaptures(): Promise<void>;
  stop(): Promise<void>;
}

/** What the identifiers of a conversion are sealed and placed with. */
export function sealingOf({ keys, vault, random }: Pick<House, 'keys' | 'vault' | 'random'>): Sealing {
  return {
    ...{ keys, vault, random },
    countryOf,
    regionOf,
  };
}

/** Where conversions go from the spool. */
export function intakeSinks(
  house: Pick<House, 'postgres' | 'vault' | 'keys' | 'log' | 'warehouse' | 'clock'>,
  onWaiting: (destinationIds: ReadonlySet<number>) => void,
): { sinks: Sink[]; stop(): Promise<void> } {
  const { postgres, vault, keys, log, warehouse } = house;
  const thread = openLoaderThread(house);
  return {
    sinks: [
      conversionSink({ postgres, vault, keys, log, onWaiting }, thread),
      {
        ...{ name: 'relay_intake', lane: 'relay_intake' },
        deliver: (_segment, bytes, token) => warehouse.insert('relay_intake', bytes, token),
      },
    ],
    stop: thread.stop,
  };
}

/** Takes requests to sources in. */
export async function startIntake(house: House): Promise<RunningIntake> {
  const { postgres, vault, clock, log, keys, spool, random } = house;
  const conversions = spool.lane('conversions');
  const sealing = sealingOf(house);
  const lane = spool.lane('relay_intake');
  const rates = openRates({ clock, random, lane, log });
  const goals = openGoals({ conversions, sealing, keys, random, lane, log, directory: () => directory });
  const directory: SourceDirectory = await openSourceDirectory({
    ...{ postgres, vault, clock, log },
    onRead: (sources) => watchStored(house, goals.take(sources), goals),
  });
  const captures = openCaptureKeeper({ postgres, vault, clock, log });
  const { handler, counts } = openIntake({
    ...{ directory, keys, captures, rates, clock, random, house: log, sealing, conversions },
    log: lane,
  });
  return {
    fastUnder: { [intakePath]: handler },
    directory,
    keepCaptures: captures.flush,
    gauges: [
      {
        ...{
          name: 'fairlead_relay_requests_total',
          kind: 'counter',
          help: 'Requests to sources of the relay, by answer',
        },
        read: () => [...counts.requests].map(([answer, value]) => ({ labels: { answer }, value })),
      },
      {
        ...{ name: 'fairlead_relay_conversions_total', kind: 'counter', help: 'Conversions that were taken in' },
        read: () => counts.conversions.count,
      },
      {
        ...{ name: 'fairlead_relay_goals_total', kind: 'counter', help: 'Conversions that were made of goals' },
        read: () => goals.counts.conversions,
      },
      {
        ...{ name: 'fairlead_relay_goals_without_user_total', kind: 'counter' },
        help: 'Conversions of goals that were kept without address and agent, since no key was at hand to seal them',
        read: () => goals.counts.withoutUser,
      },
      {
        ...{ name: 'fairlead_relay_pixel_calls_total', kind: 'counter', help: 'Calls of pixels that pages told of' },
        read: () => goals.counts.calls,
      },
    ],
    async stop() {
      watchStored(house, new Map(), goals);
      directory.stop();
      await captures.stop();
      await rates.stop();
    },
  };
}
