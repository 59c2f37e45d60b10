import { accounts } from './ledger/accounts.ts';
import { keeping } from './ledger/keeping.ts';
import type { Requirement } from './ledger/requirement.ts';
import { running } from './ledger/running.ts';
import { visitors } from './ledger/visitors.ts';

export type { Capability, Requirement, Standing } from './ledger/requirement.ts';

/** The subjects of the ledger in its order, by the letters that its ids begin with. */
export const subjects: readonly {
  readonly name: string;
  readonly prefixes: readonly string[];
  /** What is promised there, in one sentence. */
  readonly promise: string;
}[] = [
  {
    name: 'Visitors’ devices',
    prefixes: ['COL'],
    promise: 'Nothing is written to a visitor’s device, and no field is read.',
  },
  {
    name: 'Pseudonymity',
    prefixes: ['PSE'],
    promise: 'A visitor is a number for one day on one site. Nobody can work back to a person.',
  },
  {
    name: 'Sign-in and access',
    prefixes: ['AUT'],
    promise: 'Each person sees what their role gives, and no other organisation.',
  },
  { name: 'Cookies', prefixes: ['COK'], promise: 'Two cookies hold a session. No page asks anybody else.' },
  {
    name: 'Encryption',
    prefixes: ['CRY'],
    promise: 'What is sensitive is sealed, and its keys can be changed and destroyed.',
  },
  { name: 'Retention', prefixes: ['RET'], promise: 'What is kept has an end, and what is due goes.' },
  {
    name: 'Subject rights',
    prefixes: ['DSR'],
    promise: 'People can see, correct, take and erase what is kept about them.',
  },
  {
    name: 'Consent and mail',
    prefixes: ['CON', 'MAI'],
    promise: 'Nothing optional begins without a yes, and one click ends it.',
  },
  { name: 'Sharing', prefixes: ['SHR'], promise: 'Data goes to nobody who is not named, and is never sold.' },
  {
    name: 'Audit and operations',
    prefixes: ['AUD', 'OPS', 'GOV'],
    promise: 'Who did what is written down, and cannot be altered unseen.',
  },
  {
    name: 'Conversion relay',
    prefixes: ['REL'],
    promise: 'Conversions go where they were sent to, with consent, and nowhere else.',
  },
  { name: 'AI', prefixes: ['AI'], promise: 'No model is told anything about a person.' },
  {
    name: 'Marketplace, plan, publishing',
    prefixes: ['MKT', 'BEN', 'TPL', 'PUB'],
    promise: 'Connected accounts are read, and written only when somebody approves.',
  },
  { name: 'Billing', prefixes: ['BIL'], promise: 'Card data never reaches this desk.' },
];

const placeOf = (id: string) => subjects.findIndex(({ prefixes }) => prefixes.includes(id.slice(0, id.indexOf('-'))));

/** Every requirement of the promise ledger, by subject, then by id. */
export const ledger: readonly Requirement[] = [...visitors, ...accounts, ...keeping, ...running].sort(
  (a, b) => placeOf(a.id) - placeOf(b.id) || (a.id < b.id ? -1 : 1),
);

/** @throws Error for an id that no subject has */
export function subjectOf(id: string): string {
  const subject = subjects[placeOf(id)];
  if (subject === undefined) throw new Error(`No subject has requirements like ${id}.`);
  return subject.name;
}
