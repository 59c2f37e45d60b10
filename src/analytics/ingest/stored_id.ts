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
