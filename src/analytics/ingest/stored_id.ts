import type { IncomingHttpHeaders } from 'node:http';
import type { Id64 } from '../visits/live_visits.ts';
import { siteKey } from '../visits/visitor.ts';

/** What the tracker's storage mode makes: 128 random bits, in hex. */
const storedIdPattern = /^[\da-f]{32}$/;

/** '' for everything that storage mode does not make; an event is never refused for it. */
export function readStoredId(value: unknown): string {
  return typeof value === 'string' && storedIdPattern.test(value) ? value : '';
}

/** Whoever sends Global Privacy Control or Do Not Track is not recognised, whatever the page has sent along (COL-20). */
export function asksForPrivacy(headers: IncomingHttpHeaders): boolean {
  return headers['sec-gpc'] === '1' || headers.dnt === '1';
}

/** The id that is stored: of this site alone, and from it nobody gets back to what the browser keeps. */
export function storedVisitor(siteId: number, id: string): Id64 {
  return siteKey('visitor', siteId, id);
}

/** No two visitors share a visit, whatever they say. */
export function storedVisit(siteId: number, id: string, visit: string): Id64 {
  return siteKey('visit', siteId, `${id} ${visit}`);
}

/** The 27 of the Union with what belongs to its territory, Iceland, Liechtenstein, Norway; the United Kingdom with the islands of the Crown and Gibraltar; Switzerland. */
const consentCountries = new Set(
  (
    'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO ' +
    'AX GF GP MF MQ RE YT GB GG GI IM JE CH'
  ).split(' '),
);

/** An unknown place counts as one of them (CON-01). @param country ISO 3166-1 alpha-2, '' = unknown */
export function needsConsent(country: string): boolean {
  return !/^[A-Z]{2}$/.test(country) || consentCountries.has(country);
}
