import type { Region, SignalledPurpose } from '../../../contract/consent.ts';
import { type BasisRegion, basisRegions, type LawfulBasis } from '../../../contract/consent_records.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { readBases } from './bases.ts';
import { purposes } from './purposes.ts';
import { readSnapshot } from './snapshot.ts';

/** The purposes that an event is processed for, and which signal answers for each. */
const answering = {
  measurement: 'analytics_storage',
  storage_measurement: 'analytics_storage',
  identity: 'analytics_storage',
  contact_clicks: 'analytics_storage',
  ad_measurement: 'ad_user_data',
} as const satisfies Readonly<Record<string, SignalledPurpose>>;
export type VisitorPurpose = keyof typeof answering;
export const visitorPurposes = Object.keys(answering) as VisitorPurpose[];

export type VisitorBases = Readonly<Record<VisitorPurpose, Readonly<Record<BasisRegion, LawfulBasis>>>>;
/**
 * Why something may not be done: the organisation does not do it in the region; the browser asks for privacy; nobody agreed
 * where a yes is needed, or somebody said no where it is not.
 */
export type PurposeRefusal = 'off' | 'signal' | 'no_consent';
/** Undefined = it may be done. */
export type Verdicts = Readonly<Record<VisitorPurpose, PurposeRefusal | undefined>>;

/**
 * What may be done with an event, from the snapshot that it carries: the one rule of ingest, of identify calls and of the browser's
 * gate, which asks the desk (CON-01). A place that is not known has the bases of the first region.
 */
export interface VisitorRule {
  readonly bases: VisitorBases;
  /** Is a visit that nobody agreed to not counted somewhere? Nowhere as shipped, so that most events need not ask. */
  readonly limitsMeasuring: boolean;
  /** @param snapshot as `snapshotText` writes it */
  of(snapshot: string): Verdicts;
}

export function openVisitorRule(bases: VisitorBases): VisitorRule {
  // Some hundred texts are in use; what strangers can make of the signs is bounded, too.
  const known = new Map<string, Verdicts>();
  return {
    bases,
    limitsMeasuring: Object.values(bases.measurement).some((basis) => basis === 'consent' || basis === 'off'),
    of(snapshot) {
      let verdicts = known.get(snapshot);
      if (verdicts === undefined) {
        verdicts = verdictsOf(bases, snapshot);
        if (known.size >= textsMax) known.clear();
        known.set(snapshot, verdicts);
      }
      return verdicts;
    },
  };
}

const textsMax = 2_048;

export const shippedRule = openVisitorRule(
  Object.fromEntries(visitorPurposes.map((purpose) => [purpose, purposes[purpose].shipped])) as unknown as VisitorBases,
);

/** The rule of an organisation; where nothing was made stricter it is the shipped one itself. */
export async function readVisitorRule(sql: Sql, organisationId: number): Promise<VisitorRule> {
  const table = (await readBases(sql, organisationId)).purposes;
  let isShipped = true;
  const bases = Object.fromEntries(
    visitorPurposes.map((purpose) => {
      const row = table.find((one) => one.purpose === purpose)?.bases ?? [];
      isShipped &&= row.every(({ basis, shipped }) => basis === shipped);
      return [purpose, Object.fromEntries(row.map(({ region, basis }) => [region, basis]))];
    }),
  ) as unknown as VisitorBases;
  return isShipped ? shippedRule : openVisitorRule(bases);
}

/** The region whose row of the table counts. */
export function basisRegionOf(region: Region): BasisRegion {
  return region === 'unknown' ? basisRegions[0] : region;
}

function verdictsOf(bases: VisitorBases, text: string): Verdicts {
  const snapshot = readSnapshot(text);
  const verdicts = {} as Record<VisitorPurpose, PurposeRefusal | undefined>;
  for (const purpose of visitorPurposes) {
    // An event that says nothing, not even where it is from, is one that nobody agreed to.
    if (snapshot === undefined) verdicts[purpose] = 'no_consent';
    else {
      const { state, source } = snapshot.answers[answering[purpose]];
      const basis = bases[purpose][basisRegionOf(snapshot.region)];
      if (basis === 'off') verdicts[purpose] = 'off';
      // Memory mode keeps nothing on a device and needs no yes: silence in a region of consent is no objection to it, and what
      // privacy signals do to it is a setting of the site.
      else if (purpose === 'measurement' && basis !== 'consent') verdicts[purpose] = undefined;
      else if (state === 'denied') verdicts[purpose] = source === 'gpc' || source === 'dnt' ? 'signal' : 'no_consent';
      else verdicts[purpose] = basis === 'consent' && state !== 'granted' ? 'no_consent' : undefined;
    }
  }
  return verdicts;
}
