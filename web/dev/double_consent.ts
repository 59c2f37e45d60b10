import {
  type BasesAnswer,
  basisRegions,
  type ConsentsAnswer,
  type LawfulBasis,
} from '../../contract/consent_records.ts';

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const fromLoose: LawfulBasis[] = ['notice', 'legitimate_interest', 'consent', 'off'];

function row(
  purpose: BasesAnswer['purposes'][number]['purpose'],
  about: 'visitors' | 'accounts',
  words: string,
  basis: LawfulBasis,
  inUs = basis,
): BasesAnswer['purposes'][number] {
  return {
    ...{ purpose, about, words },
    bases: basisRegions.map((region) => {
      const shipped = region === 'us' ? inUs : basis;
      const at = fromLoose.indexOf(shipped);
      const isStricter = purpose === 'ad_measurement' && region === 'us';
      return {
        ...{ region, shipped, basis: isStricter ? ('consent' as const) : shipped },
        choices: about === 'accounts' && basis !== 'consent' ? [shipped] : fromLoose.slice(at),
        ...(isStricter ? { version: 1, changed_at: ago(50) } : { version: 0, changed_at: null }),
      };
    }),
  };
}

const purposes = [
  row(
    'measurement',
    'visitors',
    'Counting visits without storing anything on a device',
    'legitimate_interest',
    'notice',
  ),
  row(
    'storage_measurement',
    'visitors',
    'Knowing a visitor again by an id on the device (storage mode)',
    'consent',
    'notice',
  ),
  row('identity', 'visitors', 'Joining visits to a customer whom the site names', 'consent', 'notice'),
  row('contact_clicks', 'visitors', 'Keeping the addresses of clicked mail and phone links', 'consent', 'notice'),
  row('ad_measurement', 'visitors', 'Telling ad platforms which click became a purchase', 'consent', 'notice'),
  row('ad_personalization', 'visitors', 'Letting ad platforms choose ads by it', 'consent', 'notice'),
  row('account', 'accounts', 'Running an account', 'contract'),
  row(
    'security',
    'accounts',
    'Keeping accounts safe: audit log, limits on sign-in, notices',
    'legitimate_interest',
    'notice',
  ),
  row('service_mail', 'accounts', 'Mail about one’s own account and sites', 'contract'),
  row(
    'legal_records',
    'accounts',
    'Records that the law asks for: consents, requests, incidents, bills',
    'legal_obligation',
  ),
  row('marketing_mail', 'accounts', 'Mail with news and offers', 'consent'),
  row('optional_ai', 'accounts', 'Optional AI features', 'consent'),
  row('optional_analytics', 'accounts', 'Counting how the dashboard is used, beyond what it needs', 'consent'),
];

const one = { region: 'eea', text_version: '2026-11', how: 'banner', proof: 'c0ffee'.repeat(10) } as const;
const records: ConsentsAnswer['records'] = [
  { ...one, id: 5, subject: '9f2c41d07ab3', purpose: 'ad_measurement', state: 'withdrawn', at: ago(1) },
  { ...one, id: 4, subject: '51e0aa93c6d2', purpose: 'storage_measurement', state: 'given', at: ago(3), region: 'ch' },
  { ...one, id: 3, subject: '51e0aa93c6d2', purpose: 'ad_measurement', state: 'refused', at: ago(3), region: 'ch' },
  { ...one, id: 2, subject: '9f2c41d07ab3', purpose: 'ad_measurement', state: 'given', at: ago(70) },
  {
    ...one,
    id: 1,
    subject: 'b7710c2fe894',
    purpose: 'marketing_mail',
    state: 'given',
    at: ago(91),
    how: 'form',
    region: 'uk',
  },
];

/** Purposes, bases and records; a new organisation has them as shipped, and no record. */
export function consentOf(path: string, isEmpty: boolean): BasesAnswer | ConsentsAnswer | undefined {
  const [, part] = /^\/api\/organisations\/[^/]+\/(lawful-bases|consents)(?:\/|$)/.exec(path) ?? [];
  if (part === undefined) return undefined;
  if (part === 'consents') return { records: isEmpty ? [] : records, next: null };
  if (!isEmpty) return { purposes };
  return {
    purposes: purposes.map((purpose) => ({
      ...purpose,
      bases: purpose.bases.map((cell) => ({ ...cell, basis: cell.shipped, version: 0, changed_at: null })),
    })),
  };
}
