import type { IncomingHttpHeaders } from 'node:http';
import { regionOf, type Said, snapshotOf, snapshotText } from '../../trust/consent/index.ts';
import { remembering } from './memo.ts';

/**
 * What an event's row says of consent. Most events come with no signal at all, and then the country alone decides: one
 * look-up in a map of some hundred texts. A TC string is the visitor's own, so it is remembered by its digest for the next
 * event of the visit and never kept.
 * @param country '' = unknown
 */
export function consentText(said: Said, headers: IncomingHttpHeaders | undefined, country: string): string {
  const signs = headers === undefined ? 0 : (headers['sec-gpc'] === '1' ? 1 : 0) + (headers.dnt === '1' ? 2 : 0);
  if (said !== '') return read(`${signs}${country}\n${said}`);
  const key = `${signs}${country}`;
  let text = silent.get(key);
  if (text === undefined) {
    text = textOf(key, '');
    silent.set(key, text);
  }
  return text;
}

/** @param placeText of a row: its first value is the country, in quotation marks */
export function countryIn(placeText: string): string {
  return placeText.charCodeAt(1) === quotationMark ? '' : placeText.slice(1, 3);
}

const quotationMark = 34;
/** Bounded by the countries that the table of places knows, times four. */
const silent = new Map<string, string>();

const read = remembering({
  keysMax: 4_096,
  keyCharsMax: 4_096,
  answer: (key) => {
    const end = key.indexOf('\n');
    return textOf(key.slice(0, end), key.slice(end + 1));
  },
});

function textOf(key: string, said: Said): string {
  const signs = Number(key[0]);
  const headers = { gpc: (signs & 1) === 1, dnt: (signs & 2) === 2 };
  return snapshotText(snapshotOf(said, headers, regionOf(key.slice(1))));
}
