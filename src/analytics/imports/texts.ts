import { ingestLimits } from '../../../contract/limits.ts';
import { bareText, withoutEmails, withoutParameters } from '../ingest/bare.ts';
import { readPage } from '../ingest/page.ts';
import { cleanText, cutText } from '../ingest/text.ts';
import { bareDomain } from '../sites.ts';

/** Texts of other products, as our own steps would have stored them: no query, no e-mail address, no half characters. */

/** A path; an address that no parser can read becomes ''. */
export function pageText(cell: string, domain: string): string {
  if (cell === '' || cell === '(not set)') return '';
  const page = readPage(cell.startsWith('/') ? `https://${domain}${cell}` : cell, false);
  return 'refused' in page ? cutText(plain(cell), ingestLimits.pathCharsMax) : page.pathname;
}

export function hostText(cell: string): string {
  return cutText(bareDomain(cleanText(cell)), 253);
}

/** Host and path, with or without its scheme. */
export function referrerText(cell: string): string {
  const bare = plain(cell)
    .replace(/^[a-z][a-z+.-]*:\/\/(?:www\.)?/i, '')
    .replace(/[?#].*$/s, '');
  return cutText(bare.replace(/\/+$/, ''), ingestLimits.referrerCharsMax);
}

/** A name of anything: a source, a campaign, a browser, an event. */
export function nameText(cell: string): string {
  return cell === '(not set)' ? '' : cutText(plain(cell).trim(), ingestLimits.utmCharsMax);
}

function plain(cell: string): string {
  return withoutEmails(withoutParameters(bareText(cleanText(cell))));
}
