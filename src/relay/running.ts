import { onOrganisationRemoved, onSitesChanged, openNotices } from '../accounts/index.ts';
import type { Spool } from '../platform/spool/index.ts';
import type { House, RunningSubject } from '../platform/subject.ts';
import { connectionProblem, onConnection } from '../providers/index.ts';
import { onRefused } from '../trust/consent/index.ts';
import { watchRelay } from './alerts/watch.ts';
import { onRelayChanged } from './changes.ts';
import { deliveriesOfConnections, deliveryRoutes, goOnWithCredits, startDeliveries } from './deliveries/index.ts';
import { watchUnmapped } from './intake/again.ts';
import { intakeSinks, type RunningIntake, sealingOf, startIntake } from './intake/running.ts';
import { relayExecutors, sweepIdentifiers } from './life/ageing.ts';
import { followClock } from './life/clock_set.ts';
import { removeAllConversions } from './life/ending.ts';
import { conversionHolder } from './life/holder.ts';
import { intakeExecutor } from './life/intake.ts';
import { continueDeletions, relayReadingRoutes, watchSums } from './reading/index.ts';
import { withholdRefused } from './routing/withdrawn.ts';
import { relaySettingsRoutes, type SettingsDoors, sourceAccess } from './settings/index.ts';
import { startUploads, uploadExecutor } from './uploads/index.ts';

/** How long a removal waits for what was acknowledged just before. */
const settleMs = 5_000;

/** Starts what of the relay belongs to this process by its role. */
export async function startRelay(house: House): Promise<RunningSubject> {
  const { role } = house.config;
  const works = role === 'all' || role === 'work';
  const collects = role === 'all' || role === 'collect';
  const answers = role === 'all' || role === 'app';
  const intake = collects ? await startIntake(house) : undefined;
  const settle = settling(house.spool, intake);
  const stops: (() => void)[] = works
    ? [sweepIdentifiers(house), continueDeletions({ ...house, settle }), watchSums(house)]
    : [];
  if (works) {
    const unmapped = watchUnmapped({ ...house, sealing: sealingOf(house) });
    stops.push(
      watchRelay({ ...house, notices: openNotices(house) }),
      unmapped.stop,
      onRelayChanged(() => void unmapped.look().catch((error) => house.log.error('relay.again_failed', {}, error))),
    );
  }
  stops.push(
    onRefused(withholdRefused),
    onOrganisationRemoved((organisationId) => removeAllConversions(house, organisationId)),
  );
  const deliveries = works ? startDeliveries(house) : undefined;
  // Goals are settings of their site.
  if (intake !== undefined)
    stops.push(onRelayChanged(intake.directory.refresh), onSitesChanged(intake.directory.refresh));
  const wake = () => deliveries?.wake();
  if (house.credits !== undefined)
    stops.push(
      house.credits.onAdded(async (organisation, deliveries) => {
        await goOnWithCredits(house.postgres, organisation, { deliveries, now: house.clock.now() });
        wake();
      }),
    );
  const uploads = answers ? startUploads(house, wake) : undefined;
  if (works) stops.push(followClock(house, wake));
  stops.push(onRelayChanged(wake), onConnection(deliveriesOfConnections(() => house.clock.now())));
  const loading = intakeSinks(house, wake);
  return {
    routes: answers
      ? [
          ...[...relaySettingsRoutes(house, doors), ...deliveryRoutes(house, wake)],
          ...[...relayReadingRoutes({ ...house, settle }), ...(uploads?.routes ?? [])],
        ]
      : [],
    fastUnder: intake?.fastUnder ?? {},
    sinks: loading.sinks,
    gauges: [...(intake?.gauges ?? []), ...(deliveries?.gauges ?? [])],
    access: [sourceAccess(house)],
    holders: [conversionHolder({ ...house, settle })],
    executors: [...relayExecutors(house.postgres), intakeExecutor(house), uploadExecutor(house)],
    sealed: uploads === undefined ? [] : [uploads.sealed],
    async stop() {
      for (const stop of stops) stop();
      await uploads?.stop();
      await deliveries?.stop();
      await intake?.stop();
      await loading.stop();
    },
  };
}

/**
 * Stores what this process has acknowledged up to now and has not stored yet, so that whoever removes conversions finds it. The
 * requests are kept after the conversions that were made of them. @returns whether all is stored, within some seconds
 */
function settling(spool: Pick<Spool, 'drain'>, intake: Pick<RunningIntake, 'keepCaptures'> | undefined) {
  return async (): Promise<boolean> => {
    const isStored = await spool.drain(settleMs, ['conversions']);
    await intake?.keepCaptures();
    return isStored;
  };
}

const doors: SettingsDoors = {
  connectionProblem: (sql, organisationId, id, kind) =>
    connectionProblem(sql, organisationId, id, providerOfKind(kind)),
  providerOf: providerOfKind,
};

/** Most platforms are one destination and are called alike; Google and Meta are more than one. */
function providerOfKind(kind: string): string {
  return kind.startsWith('google-') ? 'google' : kind === 'meta-capi' ? 'meta' : kind;
}
