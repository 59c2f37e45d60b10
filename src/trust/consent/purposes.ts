import {
  type BasisRegion,
  basisRegions,
  type LawfulBasis,
  type OwnPurpose,
  type ProcessingPurpose,
} from '../../../contract/consent_records.ts';

/**
 * Each purpose with its lawful basis in each region, as shipped. A purpose without one, or a region without one, does not
 * compile; two are not possible (CON-02). They are a place to begin, and no legal advice: an organisation may be stricter.
 */
export interface Purpose {
  readonly about: 'visitors' | 'accounts';
  /** For the page. */
  readonly words: string;
  readonly shipped: Readonly<Record<BasisRegion, LawfulBasis>>;
  /** Without it there is no account, no safety or no proof: nobody may set another basis. */
  readonly isFixed?: true;
}

function everywhere(basis: LawfulBasis, elsewhere: Partial<Record<BasisRegion, LawfulBasis>> = {}) {
  const all = Object.fromEntries(basisRegions.map((region) => [region, basis])) as Record<BasisRegion, LawfulBasis>;
  return { ...all, ...elsewhere };
}
/** Asked before in the regions of consent; elsewhere told, with a way to say no. An organisation may ask there, too. */
const askedInEurope = everywhere('consent', { us: 'notice', sg: 'notice', other: 'notice' });

export const purposes: Readonly<Record<ProcessingPurpose, Purpose>> = {
  measurement: {
    about: 'visitors',
    words: 'Counting visits without storing anything on a device',
    shipped: everywhere('legitimate_interest', { us: 'notice', sg: 'notice' }),
  },
  storage_measurement: {
    about: 'visitors',
    words: 'Knowing a visitor again by an id on the device (storage mode)',
    shipped: askedInEurope,
  },
  identity: { about: 'visitors', words: 'Joining visits to a customer whom the site names', shipped: askedInEurope },
  contact_clicks: {
    about: 'visitors',
    words: 'Keeping the addresses of clicked mail and phone links',
    shipped: askedInEurope,
  },
  ad_measurement: {
    about: 'visitors',
    words: 'Telling ad platforms which click became a purchase',
    shipped: askedInEurope,
  },
  ad_personalization: { about: 'visitors', words: 'Letting ad platforms choose ads by it', shipped: askedInEurope },
  account: { about: 'accounts', words: 'Running an account', shipped: everywhere('contract'), isFixed: true },
  security: {
    about: 'accounts',
    words: 'Keeping accounts safe: audit log, limits on sign-in, notices',
    shipped: everywhere('legitimate_interest', { us: 'notice' }),
    isFixed: true,
  },
  service_mail: {
    about: 'accounts',
    words: 'Mail about one’s own account and sites',
    shipped: everywhere('contract'),
    isFixed: true,
  },
  legal_records: {
    about: 'accounts',
    words: 'Records that the law asks for: consents, requests, incidents, bills',
    shipped: everywhere('legal_obligation'),
    isFixed: true,
  },
  marketing_mail: { about: 'accounts', words: 'Mail with news and offers', shipped: everywhere('consent') },
  optional_ai: { about: 'accounts', words: 'Optional AI features', shipped: everywhere('consent') },
  optional_analytics: {
    about: 'accounts',
    words: 'Counting how the dashboard is used, beyond what it needs',
    shipped: everywhere('consent'),
  },
};

/** From the loosest on; what is not in it is fixed. */
const stricter: readonly LawfulBasis[] = ['notice', 'legitimate_interest', 'consent', 'off'];

/** What an organisation may choose: as shipped, or stricter. */
export function choicesOf(purpose: ProcessingPurpose, region: BasisRegion): LawfulBasis[] {
  const { shipped, isFixed } = purposes[purpose];
  if (isFixed) return [shipped[region]];
  return stricter.slice(stricter.indexOf(shipped[region]));
}

/** What people with an account are asked, word for word. Other words are another version. */
export const ownTexts: Readonly<Record<OwnPurpose, { readonly version: string; readonly text: string }>> = {
  marketing_mail: {
    version: '2026-11',
    text: 'Whoever runs this desk may write to me about news and offers. I can take this back here at any time.',
  },
  optional_ai: {
    version: '2026-11',
    text: 'Optional AI features may work on figures that I can see. No data of visitors leaves the desk for it. I can take this back here at any time.',
  },
  optional_analytics: {
    version: '2026-11-30',
    text: 'Whoever runs this desk may count which pages of the dashboard I open and which of its features I use. I can take this back here at any time.',
  },
};
