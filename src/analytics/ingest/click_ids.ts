/**
 * The click ids that ad platforms append to a landing page's address. Only the *kind* is ever kept (COL-10, COL-19):
 * the value identifies one click of one person, and nothing we promise needs it.
 */
export const clickIdKinds = [
  'gclid',
  'gbraid',
  'wbraid',
  'dclid',
  'gad_source',
  'msclkid',
  'fbclid',
  'ttclid',
  'twclid',
  'li_fat_id',
  'epik',
  'ScCid',
  'rdt_cid',
  'yclid',
] as const;

export type ClickIdKind = (typeof clickIdKinds)[number];
