import { browserStorage, sharedPageStorage, visitorStorage } from '../../../contract/browser_storage.ts';
import type { BasesAnswer, ProcessingPurpose } from '../../../contract/consent_records.ts';
import type { ReceiverRole } from '../../../contract/register.ts';
import type { PolicyProfile } from '../../../contract/windows.ts';
import { type ClassId, classes, type DataClass } from '../classes/index.ts';
import { ledger } from '../proof/index.ts';
import { classesBeside, type Line, lines, type Policy, spanWords, windowOf } from '../windows/index.ts';

/** Who somebody is, as it was entered once; null is not entered. */
export interface Party {
  legalName: string | null;
  address: string | null;
  jurisdiction: string | null;
  registration: string | null;
  contact: string | null;
  officer: string | null;
  representative: string | null;
  authority: string | null;
}

/** Somebody who receives something, as the register has it. */
export interface Receiving {
  label: string;
  role: ReceiverRole;
  why: string;
  sent: string;
  classes: readonly string[];
  legalName: string | null;
  country: string | null;
  basis: string | null;
  contract: string | null;
  policyUrl: string | null;
  termsUrl: string | null;
  checkedOn: string | null;
  /** Only where the operator has set it up; of documents about the product alone. */
  onlyIf?: string;
}

/** One purpose for which something is processed, and of which classes. Every stored class stands in exactly one. */
export interface Activity {
  name: string;
  purpose: string;
  /** Whose data it is. */
  subjects: string;
  classes: readonly ClassId[];
  /** Of the table of purposes, from which its basis comes. */
  purposes: readonly ProcessingPurpose[];
}

/** Everything that a document says is one of these: nothing is written into a document by hand. */
export interface Facts {
  /** Undefined for the documents of the product itself, which speak of every desk. */
  organisation:
    | { name: string; slug: string; profile: PolicyProfile; party: Party; measuringInterest: string | null }
    | undefined;
  operator: Party;
  activities: readonly Activity[];
  /** What each purpose rests on, where: the table that ingest works by. */
  bases: BasesAnswer;
  classes: readonly DataClass[];
  lines: readonly { line: Line; kept: string }[];
  receivers: readonly Receiving[];
  /** Columns of an event, with what they mean. */
  visitorFields: readonly { column: string; class: string; means: string }[];
  storage: readonly { kind: string; name: string; purpose: string; until: string }[];
  /** What storage mode keeps on the device of a visitor. */
  visitorStorage: Facts['storage'];
  /** What protects the data: promises of the ledger that are kept. */
  measures: readonly string[];
}

export const activities: readonly Activity[] = [
  {
    name: 'Measuring visits',
    purpose: 'to count visits of the sites, where they come from, what is looked at and what it earns',
    subjects: 'visitors of the sites',
    classes: ['D2', 'D3', 'D4'],
    purposes: ['measurement', 'storage_measurement', 'identity', 'contact_clicks'],
  },
  {
    name: 'Telling ad platforms of conversions',
    purpose:
      'to tell the ad platforms that an organisation has connected which click became a purchase, within consent',
    subjects: 'customers of the organisation',
    classes: ['D5', 'D6'],
    purposes: ['ad_measurement', 'ad_personalization'],
  },
  {
    name: 'Accounts',
    purpose: 'to let people sign in, to give each the access of their role, and to keep what they have set',
    subjects: 'people with an account, and those who are invited',
    classes: ['D7', 'D8'],
    purposes: ['account'],
  },
  {
    name: 'Connected services',
    purpose: 'to reach a service that the operator or the organisation has connected, and to show what is connected',
    subjects: 'none, or who a secret or an account names',
    classes: ['D9', 'D10'],
    purposes: ['account'],
  },
  {
    name: 'Credits',
    purpose: 'to count what deliveries of an organisation cost, and to show what is left and what each was used for',
    subjects: 'none',
    classes: ['D19'],
    purposes: ['account'],
  },
  {
    name: 'Running the desk',
    purpose: 'to find faults and misuse, to deliver mail, and to show what was done',
    subjects: 'people with an account',
    classes: ['D15', 'D16'],
    purposes: ['security', 'service_mail'],
  },
  {
    name: 'Proof of what was done',
    purpose: 'to show who did what, in a log that cannot be altered unseen',
    subjects: 'people with an account',
    classes: ['D17'],
    purposes: ['security'],
  },
  {
    name: 'Consent',
    purpose: 'to show who agreed to what, and to honour it',
    subjects: 'visitors of the sites, and people with an account',
    classes: ['D23'],
    purposes: ['legal_records'],
  },
  {
    name: 'Requests of data subjects',
    purpose: 'to answer requests in time and to show that they were answered',
    subjects: 'who asks',
    classes: ['D24'],
    purposes: ['legal_records'],
  },
  {
    name: 'Objections to mail',
    purpose: 'to send no mail to who does not want it',
    subjects: 'who objected, or whose mailbox does not exist',
    classes: ['D25'],
    purposes: ['legal_records'],
  },
  {
    name: 'Sums without a person',
    purpose: 'to show numbers of the past and what the desk itself has done',
    subjects: 'none',
    classes: ['D22'],
    purposes: ['optional_analytics'],
  },
];

/** Promises that say how data is protected; one that is not kept is not said. */
const protecting = [
  ...['PSE-01', 'PSE-02', 'PSE-03', 'PSE-04', 'PSE-06'],
  ...['AUT-01', 'AUT-10', 'AUT-12', 'AUT-13', 'AUT-17', 'COK-01'],
  ...['CRY-01', 'CRY-05', 'CRY-07', 'CRY-08', 'CRY-12', 'AUD-01', 'AUD-02', 'RET-12', 'SHR-02', 'OPS-01', 'OPS-03'],
];

export function measures(): string[] {
  return protecting.flatMap((id) =>
    ledger.filter((one) => one.id === id && one.standing === 'kept').map((one) => one.promise),
  );
}

/** The classes of which something is stored: a document speaks of no other. */
export function storedClasses(): DataClass[] {
  const isStored = (id: ClassId) => lines.some((line) => line.class === id);
  return classes.filter(({ id }) => isStored(id) || (classesBeside[id] ?? []).some(isStored));
}

/** How long each line is kept under a policy. */
export function linesUnder(policy: Policy): Facts['lines'] {
  return lines.map((line) => {
    const window = windowOf(line, policy);
    if (window !== undefined) return { line, kept: spanWords(window.kept) };
    return { line, kept: line.until === line.erasure ? 'without end' : `until ${line.until ?? ''}` };
  });
}

export { visitorStorage };
export const storage: Facts['storage'] = [...browserStorage, ...sharedPageStorage];

export const nobody: Party = {
  ...{ legalName: null, address: null, jurisdiction: null, registration: null },
  ...{ contact: null, officer: null, representative: null, authority: null },
};
