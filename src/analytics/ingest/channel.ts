import type { ClickIdKind } from './click_ids.ts';
import type { SourceKind } from './data/sources.ts';
import { isAdWord, knownByWord } from './known_sources.ts';
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

/**
 * The channel of a visit, from stored columns only, so that history can be grouped again without the raw hit.
 *
 * First the published order, then additions for clicks on advertisements that it misses. An addition is tried only
 * where the published order ends with an unpaid visit that names no kind (Organic Search, Referral, Direct) and the
 * medium does not say so, hence no result of the published order for an untagged or tagged visit changes.
 */
export function channelOf(
  source: Pick<Source, 'source' | 'utm_source' | 'utm_medium' | 'utm_campaign' | 'click_id'>,
): Channel {
  const known = source.source === '' ? undefined : knownByWord(source.source);
  const visit: Visit = {
    source: known?.name ?? source.source,
    kind: known?.kind ?? 'other',
    word: source.utm_source.toLowerCase(),
    medium: source.utm_medium.toLowerCase(),
    campaign: source.utm_campaign.toLowerCase(),
    clickId: source.click_id,
  };
  const channel = publishedChannel(visit);
  const isOpen = channel === 'Direct' || channel === 'Referral' || channel === 'Organic Search';
  return isOpen && !mediaOfUnpaid.has(visit.medium) ? (missedAdChannel(visit) ?? channel) : channel;
}

type Visit = {
  source: string;
  kind: SourceKind;
  word: string;
  medium: string;
  campaign: string;
  clickId: ClickIdKind | '';
};

/**
 * Google's default channel group (https://support.google.com/analytics/answer/9756891) in the order that Plausible
 * publishes, with AI assistants before search and everything unknown a referral.
 */
function publishedChannel({ source, kind, word, medium, campaign, clickId }: Visit): Channel {
  const isPaid = isPaidMedium(medium);
  const isAd = isPaid || isAdWord(word);
  const isShopCampaign = campaign.includes('shop') && shopCampaign.test(campaign);

  if (campaign.includes('cross-network')) return 'Cross-network';
  if ((isPaid && isShopCampaign) || (isAd && kind === 'shopping')) return 'Paid Shopping';
  if (isAd && kind === 'search') return 'Paid Search';
  if (source === 'Google' && clickId === 'gclid') return 'Paid Search';
  if (source === 'Bing' && clickId === 'msclkid') return 'Paid Search';
  if (isAd && kind === 'social') return 'Paid Social';
  if (isAd && kind === 'video') return 'Paid Video';
  if (mediaOfDisplay.has(medium)) return 'Display';
  if (isPaid) return 'Paid Other';
  if (kind === 'shopping' || isShopCampaign) return 'Organic Shopping';
  if (kind === 'social' || mediaOfSocial.has(medium)) return 'Organic Social';
  if (kind === 'video' || medium.includes('video')) return 'Organic Video';
  if (kind === 'ai') return 'AI Assistants';
  if (kind === 'search' || medium === 'organic') return 'Organic Search';
  if (kind === 'email' || emailWord.test(medium) || emailWord.test(word)) return 'Email';
  if (medium === 'affiliate') return 'Affiliates';
  if (medium === 'audio') return 'Audio';
  if (medium === 'sms' || word === 'sms') return 'SMS';
  if (medium.endsWith('push') || medium.includes('mobile') || medium.includes('notification')) return 'Mobile Push';
  if (source.toLowerCase() === 'firebase') return 'Mobile Push';
  return source !== '' || mediaOfReferral.has(medium) ? 'Referral' : 'Direct';
}

/** `^(.*cp.*|ppc|retargeting|paid.*)$` as published. */
function isPaidMedium(medium: string): boolean {
  return (
    medium !== '' &&
    (medium.includes('cp') || medium === 'ppc' || medium === 'retargeting' || medium.startsWith('paid'))
  );
}

/** As published: "shop" at the start or after anything but a letter, save the e of "eshop"; or "shopping" anywhere. */
const shopCampaign = /(?:[^a-df-z]|^)shop|shopping/;
const mediaOfDisplay = new Set(['display', 'banner', 'expandable', 'interstitial', 'cpm']);
const mediaOfSocial = new Set(['social', 'social-network', 'social-media', 'sm', 'social network', 'social media']);
const mediaOfReferral = new Set(['referral', 'app', 'link']);
const emailWord = /e[-_ ]?mail|newsletter/;

/** These say that nobody paid, whatever else the address carries. */
const mediaOfUnpaid = new Set(['organic', 'referral', 'app', 'link']);

/** Clicks on advertisements that the published order takes for unpaid visits. */
function missedAdChannel({ kind, word, medium, campaign, clickId }: Visit): Channel | undefined {
  const isAd = clickId !== '' && adClickIds.has(clickId);
  if (performanceMax.test(campaign) || performanceMax.test(medium)) return 'Cross-network';
  if (isAd && demandGen.test(campaign)) return 'Cross-network';
  if (clickId === 'dclid' || displayMedium.test(medium)) return 'Display';
  if ((isAd || isAdWord(word)) && displayCampaign.test(campaign)) return 'Display';
  if (searchClickIds.has(clickId)) return 'Paid Search';
  if (socialClickIds.has(clickId) && kind !== 'search') return 'Paid Social';
  return isAdWord(word) ? 'Paid Other' : undefined;
}

/** Google and Microsoft sell places on other engines too, so a search click counts without their own referrer. */
const searchClickIds: ReadonlySet<string> = new Set(['gclid', 'gbraid', 'wbraid', 'gad_source', 'msclkid', 'yclid']);
/** Appended to advertisements only. `fbclid` and `epik` are not here: they are appended to every link. */
const socialClickIds: ReadonlySet<string> = new Set(['ttclid', 'twclid', 'li_fat_id', 'rdt_cid', 'ScCid']);
const adClickIds: ReadonlySet<string> = new Set([...searchClickIds, ...socialClickIds, 'dclid']);

const performanceMax = /(?:^|[^a-z])(?:p-?max|performance[ _-]?max)(?:[^a-z]|$)/;
const demandGen = /(?:^|[^a-z])(?:demand[ _-]?gen|discovery|smart[ _-]?shopping)(?:[^a-z]|$)/;
const displayMedium = /^(?:display|banner|gdn|programmatic|native|dv360)(?:[^a-z]|$)|^displayads?$|^remarketing$/;
const displayCampaign = /(?:^|[^a-z])(?:display|gdn|dv360|banner|remarketing|programmatic)(?:[^a-z]|$)/;
