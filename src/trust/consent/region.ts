import { consentRegions, type Region } from '../../../contract/consent.ts';

/** The 27 of the Union with what belongs to its territory, and Iceland, Liechtenstein and Norway. */
const eea =
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO AX GF GP MF MQ RE YT';
/** With the islands of the Crown and Gibraltar, whose law follows it. */
const uk = 'GB GG GI IM JE';

const byCountry: ReadonlyMap<string, Region> = new Map<string, Region>([
  ...eea.split(' ').map((code): [string, Region] => [code, 'eea']),
  ...uk.split(' ').map((code): [string, Region] => [code, 'uk']),
  ['CH', 'ch'],
  ['SG', 'sg'],
  ...'US AS GU MP PR UM VI'.split(' ').map((code): [string, Region] => [code, 'us']),
]);

/** @param country ISO 3166-1 alpha-2, or '' where the place is not known */
export function regionOf(country: string): Region {
  return byCountry.get(country) ?? (/^[A-Z]{2}$/.test(country) ? 'other' : 'unknown');
}

export function isConsentRegion(region: Region): boolean {
  return consentRegions.includes(region);
}
