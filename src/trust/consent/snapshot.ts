import {
  type ConsentAnswer,
  type ConsentSignal,
  type ConsentSnapshot,
  type ConsentSource,
  type ConsentState,
  consentSignals,
  type Region,
  regions,
  type SignalledPurpose,
  signalledPurposes,
} from '../../../contract/consent.ts';
import { type ConsentModeAnswers, nothingAnswered, readGcd, readGcs, together } from './consent_mode.ts';
import { type Gpp, readGpp } from './gpp.ts';
import { isConsentRegion } from './region.ts';
import { notReadable, type Said } from './said.ts';
import { readTcString, type TcString } from './tc_string.ts';

/** The signals that a browser puts into the head of a request. */
export type HeaderSignals = { readonly gpc: boolean; readonly dnt: boolean };

type Reading = { readonly signal: ConsentSignal; readonly answers: ConsentModeAnswers | 'unreadable' };

/**
 * Brings every signal of an event into one snapshot. A no of any signal counts before a yes of another. Where a region
 * asks for a yes first, silence is a no, and so is a signal that cannot be read, whatever the others say (CON-05);
 * elsewhere silence stays silence. Never throws.
 */
export function snapshotOf(said: Said, headers: HeaderSignals, region: Region): ConsentSnapshot {
  const readings = readAll(said, headers);
  const asksFirst = isConsentRegion(region);
  const answers = {} as Record<SignalledPurpose, ConsentAnswer>;
  for (const purpose of signalledPurposes) answers[purpose] = answerOf(purpose, readings, asksFirst);
  const signals: Partial<Record<ConsentSignal, 'read' | 'unreadable'>> = {};
  for (const { signal, answers: read } of readings)
    if (signals[signal] !== 'unreadable') signals[signal] = read === 'unreadable' ? 'unreadable' : 'read';
  return { region, isConsentRegion: asksFirst, answers, signals };
}

function answerOf(purpose: SignalledPurpose, readings: readonly Reading[], asksFirst: boolean): ConsentAnswer {
  let granted: ConsentSignal | undefined;
  for (const { signal, answers } of readings) {
    const state = answers === 'unreadable' ? (asksFirst ? 'denied' : 'not_asked') : answers[purpose];
    if (state === 'denied') return { state, source: signal };
    if (state === 'granted') granted ??= signal;
  }
  if (granted !== undefined) return { state: 'granted', source: granted };
  return asksFirst ? { state: 'denied', source: 'region' } : { state: 'not_asked', source: 'none' };
}

/** What says no to everything comes first, so that it is named as the reason. */
function readAll(said: Said, headers: HeaderSignals): Reading[] {
  const [mode = '', signs = '', tc = '', gpp = '', gcs = '', gcd = ''] = said.split('\n', 6);
  const readings: Reading[] = [];
  if (headers.gpc || signs[0] === '1') readings.push({ signal: 'gpc', answers: noToAll });
  if (headers.dnt || signs[1] === '1') readings.push({ signal: 'dnt', answers: noToAll });
  if (tc !== '')
    readings.push({ signal: 'tcf', answers: tcAnswers(tc === notReadable ? undefined : readTcString(tc)) });
  if (gpp !== '') readings.push(...gppReadings(gpp === notReadable ? undefined : readGpp(gpp)));
  readings.push(...modeReadings(mode, gcs, gcd));
  return readings;
}

const noToAll: ConsentModeAnswers = {
  analytics_storage: 'denied',
  ad_storage: 'denied',
  ad_user_data: 'denied',
  ad_personalization: 'denied',
};

/**
 * Which purposes of the framework stand behind a signal; all of them must be consented to. The three of advertising as
 * Google reads a TC string; storage for analytics is 1 (store) and 8 (measure content).
 */
export const tcfPurposes: Readonly<Record<SignalledPurpose, readonly number[]>> = {
  analytics_storage: [1, 8],
  ad_storage: [1],
  ad_user_data: [1, 7],
  ad_personalization: [3, 4],
};

function tcAnswers(tc: TcString | undefined): ConsentModeAnswers | 'unreadable' {
  if (tc === undefined) return 'unreadable';
  const answers = {} as Record<SignalledPurpose, ConsentState>;
  for (const purpose of signalledPurposes)
    answers[purpose] = tcfPurposes[purpose].every(tc.hasPurpose) ? 'granted' : 'denied';
  return answers;
}

/** Not to have opted out is no yes: the sections of the United States can only say no. */
function gppReadings(gpp: Gpp | undefined): Reading[] {
  if (gpp === undefined) return [{ signal: 'gpp', answers: 'unreadable' }];
  const ofUs: ConsentModeAnswers = gpp.gpc
    ? noToAll
    : gpp.hasOptedOut
      ? { ...nothingAnswered, ad_user_data: 'denied', ad_personalization: 'denied' }
      : nothingAnswered;
  const readings: Reading[] = [{ signal: 'gpp', answers: ofUs }];
  if (gpp.eu !== undefined)
    readings.push({ signal: 'gpp', answers: gpp.eu === 'unreadable' ? gpp.eu : tcAnswers(gpp.eu) });
  if (gpp.isPartlyUnreadable) readings.push({ signal: 'gpp', answers: 'unreadable' });
  return readings;
}

const byLetter: Readonly<Record<string, ConsentState>> = { g: 'granted', d: 'denied', n: 'not_asked' };

function modeReadings(mode: string, gcs: string, gcd: string): Reading[] {
  const parts: (ConsentModeAnswers | undefined)[] = [];
  if (mode !== '' && mode !== '----') {
    const answers = {} as Record<SignalledPurpose, ConsentState>;
    for (const [at, purpose] of signalledPurposes.entries())
      answers[purpose] = byLetter[mode[at] as string] ?? 'not_asked';
    parts.push(answers);
    if (mode.endsWith(notReadable)) parts.push(undefined);
  }
  if (gcs !== '') parts.push(readGcs(gcs));
  if (gcd !== '') parts.push(readGcd(gcd));
  if (parts.length === 0) return [];
  const read = parts.filter((part) => part !== undefined);
  const readings: Reading[] = read.length === 0 ? [] : [{ signal: 'consent_mode', answers: together(read) }];
  if (read.length < parts.length) readings.push({ signal: 'consent_mode', answers: 'unreadable' });
  return readings;
}

const stateLetters: Readonly<Record<ConsentState, string>> = { granted: 'g', denied: 'd', not_asked: 'n' };
const sourceLetters: Readonly<Record<ConsentSource, string>> = {
  ...{ tcf: 't', gpp: 'p', consent_mode: 'm', gpc: 's', dnt: 'x' },
  ...{ region: 'r', none: '-' },
};

/**
 * The snapshot as an event's row carries it: four letters of states and four of sources in the order of the purposes, the
 * region, and the signals there were, in capitals those that could not be read: `gddd tttt eea t`. There are some hundred
 * of them in use, so the column costs next to nothing. No text that a sender wrote is in it.
 */
export function snapshotText({ answers, region, signals }: ConsentSnapshot): string {
  let states = '';
  let sources = '';
  for (const purpose of signalledPurposes) {
    states += stateLetters[answers[purpose].state];
    sources += sourceLetters[answers[purpose].source];
  }
  let seen = '';
  for (const signal of consentSignals) {
    const how = signals[signal];
    if (how !== undefined) seen += how === 'read' ? sourceLetters[signal] : sourceLetters[signal].toUpperCase();
  }
  return `${states} ${sources} ${region}${seen === '' ? '' : ` ${seen}`}`;
}

/** The same, read back from a row; undefined for '' (an event from before there were snapshots, or of a file). */
export function readSnapshot(text: string): ConsentSnapshot | undefined {
  const [states = '', sources = '', name = '', seen = ''] = text.split(' ');
  const region = regions.find((one) => one === name);
  if (region === undefined) return undefined;
  const answers = {} as Record<SignalledPurpose, ConsentAnswer>;
  for (const [at, purpose] of signalledPurposes.entries()) {
    const state = keyOf(stateLetters, states[at]);
    const source = keyOf(sourceLetters, sources[at]);
    if (state === undefined || source === undefined) return undefined;
    answers[purpose] = { state, source };
  }
  const signals: Partial<Record<ConsentSignal, 'read' | 'unreadable'>> = {};
  for (const signal of consentSignals) {
    const letter = sourceLetters[signal];
    if (seen.includes(letter)) signals[signal] = 'read';
    else if (seen.includes(letter.toUpperCase())) signals[signal] = 'unreadable';
  }
  return { region, isConsentRegion: isConsentRegion(region), answers, signals };
}

function keyOf<Key extends string>(letters: Readonly<Record<Key, string>>, letter: string | undefined) {
  return (Object.keys(letters) as Key[]).find((key) => letters[key] === letter);
}
