/**
 * The click ids that ad platforms append to a landing page's address, strongest first: an address that carries several
 * is counted under the first. Only the *kind* is ever kept (COL-10, COL-19): the value identifies one click of one
 * person, and nothing that is promised needs it.
 */
export const clickIdKinds = [
  'gclid',
  'gbraid',
  'wbraid',
  'dclid',
  'gad_source',
  'msclkid',
  'yclid',
  'ttclid',
  'twclid',
  'li_fat_id',
  'rdt_cid',
  'ScCid',
  'epik',
  'fbclid',
] as const;

export type ClickIdKind = (typeof clickIdKinds)[number];

const ranks = new Map<string, number>(clickIdKinds.map((kind, rank) => [kind.toLowerCase(), rank]));

/** The rank of a query parameter's name (lower case) among the click ids, or undefined when it is none. */
export function clickIdRank(name: string): number | undefined {
  return ranks.get(name);
}
