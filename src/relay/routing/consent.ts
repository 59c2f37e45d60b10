import type { Conversion } from '../../../contract/conversion.ts';
import type { ConversionRegion, WithheldReason } from '../../../contract/relay.ts';
import type { Destination } from '../destinations/destination.ts';

/** Where consent has to be asked for; a region that nobody knows counts as one. */
const consentRegions: ReadonlySet<ConversionRegion> = new Set(['eea', 'uk', 'ch', 'unknown'] as const);

export type UnknownConsent = 'block' | 'block_in_consent_regions';

/**
 * May a conversion go to a destination, by what was said of consent? For each purpose that the destination has: a denial
 * withholds; nothing said is never turned into a yes, and withholds where consent is asked for (reference, decision 8).
 * @returns undefined where it may
 */
export function consentProblem(
  consent: Conversion['consent'],
  region: ConversionRegion,
  { purposes }: Pick<Destination, 'purposes'>,
  unknown: UnknownConsent,
): { readonly reason: WithheldReason; readonly field: string } | undefined {
  for (const purpose of purposes) {
    const said = consent?.[purpose];
    if (said === 'denied') return { reason: 'consent_denied', field: `consent.${purpose}` };
    if (said === undefined && (unknown === 'block' || consentRegions.has(region)))
      return { reason: 'consent_unknown', field: `consent.${purpose}` };
  }
  return undefined;
}
