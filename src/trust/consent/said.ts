import { consentLimits, signalledPurposes } from '../../../contract/consent.ts';

/**
 * What a sender says of consent, in one text: four letters for the signals of Consent Mode and one for a mistake among
 * them, then GPC and DNT, then the TC, GPP, gcs and gcd texts as they came, a line each. One text, because an event's
 * answer is remembered by it; '' where nothing was said. It holds what strangers wrote and lives as long as the request.
 */
export type Said = string & { readonly __kind?: 'Said' };

const otherSignals = ['functionality_storage', 'personalization_storage', 'security_storage'] as const;
const texts = ['tc', 'gpp', 'gcs', 'gcd'] as const;
const textCharsMax = {
  tc: consentLimits.tcCharsMax,
  gpp: consentLimits.gppCharsMax,
  gcs: consentLimits.gcCharsMax,
  gcd: consentLimits.gcCharsMax,
} as const;

/** Stands for a text that is none, or too long: it was there, and cannot be read. */
export const notReadable = '!';

const unreadableWhole = `----!\n00\n\n\n\n`;

/** Reads the member `consent` of an event. Nothing in it can refuse the event; what cannot be read is said to be so. */
export function saidOf(raw: unknown): Said {
  if (raw === undefined || raw === null) return '';
  if (typeof raw !== 'object' || Array.isArray(raw)) return unreadableWhole;
  const sent = raw as Record<string, unknown>;
  let isWrong = false;
  const letter = (name: string): string => {
    const answer = sent[name];
    if (answer === 'granted') return 'g';
    if (answer === 'denied') return 'd';
    isWrong ||= answer !== undefined && answer !== null;
    return '-';
  };
  let mode = '';
  for (const purpose of signalledPurposes) mode += letter(purpose);
  for (const name of otherSignals) letter(name);
  let said = `${mode}${isWrong ? notReadable : ''}\n${isOn(sent.gpc) ? 1 : 0}${isOn(sent.dnt) ? 1 : 0}`;
  for (const name of texts) said += `\n${textOf(sent[name], textCharsMax[name])}`;
  return said === nothing ? '' : said;
}

const nothing = '----\n00\n\n\n\n';

function textOf(value: unknown, charsMax: number): string {
  if (value === undefined || value === null || value === '') return '';
  return typeof value === 'string' && value.length <= charsMax && !value.includes('\n') ? value : notReadable;
}

function isOn(value: unknown): boolean {
  return value === true || value === 1 || value === '1' || value === 'true' || value === 'yes';
}
