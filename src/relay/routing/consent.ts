import type { BasesAnswer, LawfulBasis } from '../../../contract/consent_records.ts';
import type { Conversion } from '../../../contract/conversion.ts';
import type { ConversionRegion, WithheldReason } from '../../../contract/relay.ts';
import { shippedBases } from '../../trust/consent/index.ts';
import type { Destination } from '../destinations/destination.ts';

export type UnknownConsent = 'block' | 'block_in_consent_regions';

/** What telling ad platforms rests on, by what they are told for and where: a part of the table of purposes. */
export type AdBases = Readonly<Record<Destination['purposes'][number], ReadonlyMap<string, LawfulBasis>>>;

/** Purposes of the table, and what platforms call the consent to each. */
export const consentTo = { ad_measurement: 'ad_user_data', ad_personalization: 'ad_personalization' } as const;

export function adBasesOf({ purposes }: BasesAnswer): AdBases {
  const of = (wanted: keyof typeof consentTo) =>
    new Map(
      purposes
        .find(({ purpose }) => purpose === wanted)
        ?.bases.map(({ region, basis }): [string, LawfulBasis] => [region, basis]) ?? [],
    );
  return { [consentTo.ad_measurement]: of('ad_measurement'), [consentTo.ad_personalization]: of('ad_personalization') };
}

const shipped = adBasesOf(shippedBases());

/**
 * May a conversion go to a destination, by what was said of consent? For each purpose that the destination has: a denial
 * withholds anywhere; nothing said is never turned into a yes, and withholds where the purpose rests on consent (as shipped in
 * the EEA, the United Kingdom and Switzerland; a region that nobody knows counts as one of them). What an organisation has
 * switched off goes nowhere.
 * @returns undefined where it may
 */
export function consentProblem(
  consent: Conversion['consent'],
  region: ConversionRegion,
  { purposes }: Pick<Destination, 'purposes'>,
  unknown: UnknownConsent,
  bases: AdBases = shipped,
): { readonly reason: WithheldReason; readonly field: string } | undefined {
  for (const purpose of purposes) {
    const field = `consent.${purpose}`;
    const basis = bases[purpose].get(region === 'unknown' ? 'eea' : region);
    if (basis === 'off') return { reason: 'purpose_off', field };
    const said = consent?.[purpose];
    if (said === 'denied') return { reason: 'consent_denied', field };
    if (said === undefined && (unknown === 'block' || basis === 'consent')) return { reason: 'consent_unknown', field };
  }
  return undefined;
}
