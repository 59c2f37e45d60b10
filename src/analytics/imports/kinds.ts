import type { Atom } from '../facts.ts';

/**
 * The tables of days that other products export, in the columns of `imported_days`. Each holds one thing's numbers per
 * day; two things are never joined in them, so a question about two of them has no answer there.
 */
export interface DayKind {
  /** Columns that say what the row is about; those of `dimensionFacts` by the same names. */
  readonly columns: readonly DayColumn[];
  /** Numbers that a row of this kind can have. */
  readonly atoms: readonly Atom[];
}

export type DayColumn =
  | 'hostname'
  | 'pathname'
  | 'entry_page'
  | 'exit_page'
  | 'source'
  | 'referrer'
  | 'channel'
  | 'utm_source'
  | 'utm_medium'
  | 'utm_campaign'
  | 'utm_term'
  | 'utm_content'
  | 'country'
  | 'region'
  | 'city'
  | 'device'
  | 'browser'
  | 'browser_version'
  | 'os'
  | 'os_version'
  | 'name'
  | 'link_url'
  | 'link_path';

/** What a visit says and what it adds up to. Events are page views there: exports of days count no others with them. */
const ofVisits = ['visitors', 'visits', 'bounces', 'duration', 'pageviews', 'events'] as const;

export const dayKinds = {
  visitors: { columns: [], atoms: ofVisits },
  sources: {
    columns: ['source', 'referrer', 'channel', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'],
    atoms: ofVisits,
  },
  pages: {
    columns: ['hostname', 'pathname'],
    atoms: ['visitors', 'visits', 'pageviews', 'events', 'scroll', 'scroll_visits', 'engagement', 'engaged_visits'],
  },
  entry_pages: { columns: ['entry_page'], atoms: ofVisits },
  exit_pages: { columns: ['exit_page'], atoms: ofVisits },
  custom_events: { columns: ['name', 'link_url', 'link_path'], atoms: ['visitors', 'events'] },
  locations: { columns: ['country', 'region', 'city'], atoms: ofVisits },
  devices: { columns: ['device'], atoms: ofVisits },
  browsers: { columns: ['browser', 'browser_version'], atoms: ofVisits },
  operating_systems: { columns: ['os', 'os_version'], atoms: ofVisits },
} as const satisfies { [name: string]: DayKind };

export type DayKindName = keyof typeof dayKinds;

/** One thing on one day. */
export interface DayRow {
  kind: DayKindName;
  /** 'YYYY-MM-DD', a day of the site's zone. */
  day: string;
  columns: { readonly [Column in DayColumn]?: string };
  /** Duration in seconds, engagement in milliseconds, scroll in per cent; the rest are counts. */
  numbers: { readonly [Name in Atom]?: number };
}
