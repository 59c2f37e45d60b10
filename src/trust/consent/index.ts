import type { House, RunningSubject } from '../../platform/subject.ts';
import { consentExecutor } from './ageing.ts';
import { consentHolder } from './holder.ts';
import { consentRoutes } from './routes.ts';

export { isDone, readBases, shippedBases } from './bases.ts';
export { onBasesChanged, onRefused, type Refusal } from './changes.ts';
export { endConsents, hasAgreed, hasRefused } from './records.ts';
export { regionOf } from './region.ts';
export { type PurposeRefusal, readVisitorRule, shippedRule, type Verdicts, type VisitorRule } from './rule.ts';
export { type Said, saidOf } from './said.ts';
export { readSnapshot, snapshotOf, snapshotText } from './snapshot.ts';
export { basisLine, purposesDone, restsOn } from './words.ts';

export const consentMigrations = new URL('./migrations/', import.meta.url);

/** Purposes and their lawful bases, and the records of who agreed to what. */
export function openConsent(house: Pick<House, 'postgres' | 'clock' | 'vault' | 'audit'>): RunningSubject {
  return {
    routes: consentRoutes(house),
    executors: [consentExecutor(house.postgres)],
    holders: [consentHolder(house)],
  };
}
