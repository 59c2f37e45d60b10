import { type ClickId, type Conversion, clickIds } from '../../../contract/conversion.ts';
import { sentPageUrl } from '../destinations/sent_parts.ts';
import { macroIn } from '../mapping/macros.ts';
import { readQuery } from '../mapping/query.ts';

const utmFields = ['source', 'medium', 'campaign', 'term', 'content'] as const;

/**
 * What of a conversion is kept in the clear: all but its user. Of addresses and queries stay the parameters that say where
 * somebody came from (campaigns and click ids), since shops write mail addresses and tokens into the others; campaigns and
 * click ids that stand only there are taken out of them.
 */
export function factsOf(conversion: Conversion): Conversion {
  const { user: _user, page_url, query, ...rest } = conversion;
  const facts: Conversion = rest;
  const page = page_url === undefined ? undefined : sentPageUrl(page_url);
  if (page !== undefined) {
    facts.page_url = page;
    const host = /^https?:\/\/([^/?#:]+)/i.exec(page)?.[1]?.toLowerCase();
    if (facts.domain === undefined && host !== undefined) facts.domain = host;
  }
  const said = page?.split('?')[1];
  // Nearly all have no parameters, and what they say of a click and a campaign is as it was sent.
  if (said === undefined && query === undefined) return facts;
  const asked = parametersOf(said ?? '', query ?? '');
  const kept = query === undefined ? undefined : keptQuery(query);
  if (kept !== undefined) facts.query = kept;
  const ids: Partial<Record<ClickId, string>> = { ...facts.click_ids };
  for (const name of clickIds) if (asked[name] !== undefined) ids[name] ??= asked[name];
  if (Object.keys(ids).length > 0) facts.click_ids = ids;
  const utm = { ...facts.utm };
  for (const name of utmFields) {
    const one = asked[`utm_${name}`];
    if (one !== undefined) utm[name] ??= one;
  }
  if (Object.keys(utm).length > 0) facts.utm = utm;
  return facts;
}

function parametersOf(...queries: string[]): Record<string, string | undefined> {
  const all: Record<string, string> = {};
  for (const query of queries)
    for (const [name, value] of Object.entries(readQuery(query.replace(/^\?/, '')) ?? {}))
      if (typeof value === 'string' && value !== '' && value.length <= 512 && isMeant(name, value)) all[name] ??= value;
  return all;
}

/**
 * Is it a value for this parameter of an address? No database takes a NUL (`%00`), and a macro that nobody filled in is the same of
 * everybody: as in a mapping, that is none.
 */
export function isMeant(name: string, value: string): boolean {
  return !value.includes('\0') && macroIn(value, name.startsWith('utm_') ? 'words' : 'code') === undefined;
}

function keptQuery(query: string): string | undefined {
  return sentPageUrl(`https://x/?${query.replace(/^\?/, '')}`)?.split('?')[1];
}

/** Which identifiers a conversion came with, by their names in the canonical conversion: what reports may say of a person. */
export function presentIn({ user = {}, click_ids = {} }: Conversion): string[] {
  const names = Object.keys(user).filter(
    (name) => name !== 'phone_country' && user[name as keyof typeof user] !== undefined,
  );
  for (const name of Object.keys(click_ids) as ClickId[]) if (click_ids[name] !== undefined) names.push(name);
  return names.sort();
}
