import {
  type BasesAnswer,
  type BasisRegion,
  basisRegions,
  type LawfulBasis,
  type ProcessingPurpose,
} from '../../../contract/consent_records.ts';

type Row = BasesAnswer['purposes'][number];

const regionWords: Readonly<Record<BasisRegion, string>> = {
  ...{ eea: 'the EEA', uk: 'the United Kingdom', ch: 'Switzerland' },
  ...{ us: 'the USA', sg: 'Singapore', other: 'elsewhere' },
};
const basisWords: Readonly<Record<LawfulBasis, string>> = {
  contract: 'the contract',
  legal_obligation: 'a duty by law',
  notice: 'notice, with a way to say no',
  legitimate_interest: 'legitimate interest',
  consent: 'consent',
  off: 'not done',
};

/** What nothing of this desk does yet: it stands in the table of purposes, so that a basis is chosen before it begins. */
const waiting: readonly ProcessingPurpose[] = ['marketing_mail', 'optional_ai'];

/** The purposes that something is done for, of the table of an organisation or the shipped one. */
export function purposesDone({ purposes }: BasesAnswer): Row[] {
  return purposes.filter(({ purpose }) => !waiting.includes(purpose));
}

/** On what a purpose rests, in one line: "consent in the EEA and Switzerland; notice, with a way to say no, in the USA". */
export function basisLine({ bases }: Row): string {
  const regions = new Map<LawfulBasis, string[]>();
  for (const { basis, region } of bases) regions.set(basis, [...(regions.get(basis) ?? []), regionWords[region]]);
  if (regions.size === 1) return basisWords[[...regions.keys()][0] as LawfulBasis];
  return [...regions].map(([basis, where]) => `${basisWords[basis]} (${where.join(', ')})`).join('; ');
}

/** Does it rest on this somewhere? */
export function restsOn({ bases }: Row, basis: LawfulBasis): boolean {
  return bases.some((one) => one.basis === basis && basisRegions.includes(one.region));
}
