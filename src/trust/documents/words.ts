import { basisLine, purposesDone, restsOn } from '../consent/index.ts';
import type { Activity, Facts, Party, Receiving } from './facts.ts';

/** What a document needs and does not have, noted while it is written: "the address of the organisation". */
export interface Pen {
  gaps: string[];
  /** The fact, or a mark in its place. */
  need(value: string | null, what: string): string;
}

type Purpose = ReturnType<typeof purposesDone>[number];

export function openPen(): Pen {
  const gaps: string[] = [];
  return {
    gaps,
    need(value, what) {
      if (value !== null && value.trim() !== '') return value;
      if (!gaps.includes(what)) gaps.push(what);
      return `[missing: ${what}]`;
    },
  };
}

/** Somebody's identity as rows; what few have (a number of a register, a representative) is left out where it is not given. */
export function partyRows(pen: Pen, party: Party, of: string): string[][] {
  const given = (label: string, value: string | null) => (value === null ? [] : [[label, value]]);
  return [
    ['Name', pen.need(party.legalName, `the legal name of ${of}`)],
    ['Address', pen.need(party.address, `the address of ${of}`)],
    ['Law', pen.need(party.jurisdiction, `the country whose law holds for ${of}`)],
    ...given('Register', party.registration),
    ['Questions about data', pen.need(party.contact, `the contact for questions about data of ${of}`)],
    ['Data protection officer', pen.need(party.officer, `the data protection officer of ${of}, or that there is none`)],
    ...given('Representative', party.representative),
    ['Supervisory authority', pen.need(party.authority, `the supervisory authority of ${of}`)],
  ];
}

export const receiverHead = ['who', 'what for', 'what it gets', 'country', 'transfer rests on'];
const bases: Readonly<Record<string, string>> = {
  not_needed: 'nothing: no person is in it',
  adequacy: 'a decision on adequacy',
  clauses: 'standard contractual clauses',
};

export function receiverRows(receivers: readonly Receiving[]): string[][] {
  return receivers.map((one) => [
    one.legalName === null || one.legalName === one.label ? one.label : `${one.label} (${one.legalName})`,
    one.onlyIf === undefined ? one.why : `${one.why} ${one.onlyIf}`,
    one.classes.length === 0 ? one.sent : `${one.sent} (${one.classes.join(', ')})`,
    one.country ?? 'not stated',
    one.basis === null ? 'not stated' : (bases[one.basis] ?? one.basis),
  ]);
}

/** Everybody else who gets something: one's own machine is nobody else. */
export const others = (facts: Facts): Receiving[] => facts.receivers.filter(({ role }) => role !== 'own');

/**
 * Does somebody get something of these classes? A processor whose row names none holds whatever is stored: a database
 * server, a store of backups.
 */
export function gets(one: Receiving, ids: readonly string[]): boolean {
  if (one.classes.length === 0) return one.role === 'processor';
  return one.classes.some((id) => ids.includes(id));
}

/** What is done of this, each with its basis. */
export const basisHead = ['what for', 'basis'];

export function basisRows(facts: Facts, isWanted: (one: Purpose) => boolean): string[][] {
  return purposesDone(facts.bases)
    .filter(isWanted)
    .map((one) => [one.words, basisLine(one)]);
}

/** An activity's basis in one cell; each purpose is named where there are several. */
export function basesOf(facts: Facts, { purposes }: Activity): string {
  const found = purposesDone(facts.bases).filter(({ purpose }) => purposes.includes(purpose));
  if (found.length === 1) return basisLine(found[0] as Purpose);
  return found.map((one) => `${one.words}: ${basisLine(one)}`).join('. ');
}

/** Which interest it is has to be said where measuring rests on one (GDPR 13(1)d); where it does not, there is none to say. */
export function interestOf(pen: Pen, facts: Facts): string[] {
  const measuring = facts.bases.purposes.find(({ purpose }) => purpose === 'measurement');
  if (facts.organisation === undefined || measuring === undefined || !restsOn(measuring, 'legitimate_interest'))
    return [];
  return [pen.need(facts.organisation.measuringInterest, 'the interest for which visits are measured')];
}

export function linesOfClasses(facts: Facts, ids: readonly string[]): Facts['lines'] {
  return facts.lines.filter(({ line }) => ids.includes(line.class));
}

/** Activities of which something is stored. */
export const carriedOut = (facts: Facts): Activity[] =>
  facts.activities.filter((one) => one.classes.some((id) => facts.classes.some((stored) => stored.id === id)));

/** How long what belongs to an activity is kept: the span, or what it lasts until, each once. */
export function spansOf(facts: Facts, activity: Activity): string {
  const spans = linesOfClasses(facts, activity.classes).map(({ kept }) => kept);
  return [...new Set(spans)].join('; ') || 'not stored';
}

export function categoriesOf(facts: Facts, activity: Activity): string {
  return facts.classes
    .filter(({ id }) => activity.classes.includes(id))
    .map(({ id, contents }) => `${contents} (${id})`)
    .join('; ');
}
