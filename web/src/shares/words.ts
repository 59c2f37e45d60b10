import type { ShareKind, SharePanel, SharePeriod } from '../../../contract/shares.ts';

/** Zod stays on the server, so the closed lists of contract/shares.ts are said again here; the types hold them together. */
export const kindWords: Record<ShareKind, { label: string; means: string }> = {
  public: { label: 'Public page', means: 'Whoever has the link sees it.' },
  password: { label: 'Page with a password', means: 'Whoever has the link and the password sees it.' },
  widget: { label: 'Widget', means: 'A small frame inside pages of the hosts that you name.' },
};
export const kinds = Object.keys(kindWords) as ShareKind[];

export const panelWords: Record<SharePanel, string> = {
  totals: 'Totals',
  revenue: 'Orders and revenue',
  series: 'Course of visitors',
  channels: 'Channels',
  sources: 'Sources',
  campaigns: 'Campaigns',
  pages: 'Pages',
  entry_pages: 'Entry pages',
  exit_pages: 'Exit pages',
  goals: 'Goals',
  countries: 'Countries',
  cities: 'Cities',
  devices: 'Devices',
  browsers: 'Browsers',
  systems: 'Systems',
};
export const panels = Object.keys(panelWords) as SharePanel[];
const small: readonly SharePanel[] = ['totals', 'series'];

/** What a share of this kind has room for. */
export function panelsOf(kind: ShareKind): readonly SharePanel[] {
  return kind === 'widget' ? small : panels;
}

export const periodWords: Record<SharePeriod, string> = {
  today: 'Today',
  '7d': '7 days',
  '28d': '28 days',
  '90d': '90 days',
  mtd: 'Month to date',
  '12mo': '12 months',
};
export const periods = Object.keys(periodWords) as SharePeriod[];

export const nameCharsMax = 80;
export const passwordCharsMin = 8;

/**
 * What a page needs to show the widget. It is a frame alone: nothing of ours runs in the page around it.
 * @param panels totals alone need half of the height
 */
export function widgetSnippet(link: string, domain: string, panels: readonly SharePanel[]): string {
  const height = panels.includes('series') ? 280 : 140;
  return `<iframe src="${link}" title="Visitors of ${domain}" width="480" height="${height}" loading="lazy" style="border:0;max-width:100%"></iframe>`;
}

/** Where the desk draws what a share of these panels would show. */
export function previewPath(
  domain: string,
  share: { kind: ShareKind; panels: readonly SharePanel[]; periods: readonly SharePeriod[] },
): string {
  const query = new URLSearchParams({
    kind: share.kind,
    panels: share.panels.join(','),
    periods: share.periods.join(','),
  });
  return `/api/sites/${encodeURIComponent(domain)}/share-preview?${query}`;
}
