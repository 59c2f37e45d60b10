import type { Source } from './source.ts';

/** The channels in the order in which they are tried (reference/web-analytics.md, "Channel order"). */
export const channels = [
  'Cross-network',
  'Paid Shopping',
  'Paid Search',
  'Paid Social',
  'Paid Video',
  'Display',
  'Paid Other',
  'Organic Shopping',
  'Organic Social',
  'Organic Video',
  'AI Assistants',
  'Organic Search',
  'Email',
  'Affiliates',
  'Audio',
  'SMS',
  'Mobile Push',
  'Referral',
  'Direct',
] as const;

export type Channel = (typeof channels)[number];

/** The channel of a visit, from stored columns only, so that history can be grouped again without the raw hit. */
export function channelOf(
  _source: Pick<Source, 'referrer' | 'source' | 'utm_source' | 'utm_medium' | 'utm_campaign' | 'click_id'>,
): Channel {
  throw new Error('not written yet');
}
