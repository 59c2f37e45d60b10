import { describe, expect, test } from 'vitest';
import { type Channel, channelOf, channels } from './channel.ts';
import { readSource } from './source.ts';

/** The channel of a landing with this query, from this referrer. */
function channel(search: string, referrer = ''): Channel {
  const page = { hostname: 'example.com', search };
  return channelOf(readSource({ page, referrer, siteHostnames: ['example.com'] }));
}

const google = 'https://www.google.com/';
const bing = 'https://www.bing.com/';
const facebook = 'https://www.facebook.com/';
const youtube = 'https://www.youtube.com/watch?v=1';
const partner = 'https://partner.example.net/a';

test('The channels are these nineteen, in this order', () => {
  expect(channels.join(', ')).toBe(
    'Cross-network, Paid Shopping, Paid Search, Paid Social, Paid Video, Display, Paid Other, Organic Shopping, Organic Social, Organic Video, AI Assistants, Organic Search, Email, Affiliates, Audio, SMS, Mobile Push, Referral, Direct',
  );
});

describe('The published order', () => {
  const rows: readonly (readonly [search: string, referrer: string, expected: Channel])[] = [
    // Direct and Referral.
    ['', '', 'Direct'],
    ['?page=2', '', 'Direct'],
    ['', 'https://example.com/pricing', 'Direct'],
    ['', partner, 'Referral'],
    ['', 'https://en.wikipedia.org/wiki/Web_analytics', 'Referral'],
    ['', 'https://notwikipedia.org/', 'Referral'],
    ['', 'https://google.example.net/', 'Referral'],
    ['', 'https://docs.google.com/document/d/1', 'Referral'],
    ['', 'android-app://org.example.reader/', 'Referral'],
    ['?utm_source=partner', '', 'Referral'],
    ['?utm_medium=referral', '', 'Referral'],
    ['?utm_medium=app', '', 'Referral'],
    ['?utm_medium=link', '', 'Referral'],
    ['?utm_medium=whatever', '', 'Direct'],
    ['?utm_campaign=spring', '', 'Direct'],
    ['?fbclid=x', '', 'Direct'],
    // Cross-network beats everything.
    ['?utm_campaign=cross-network', '', 'Cross-network'],
    ['?utm_campaign=2026-Cross-Network-de', google, 'Cross-network'],
    ['?utm_source=google&utm_medium=cpc&utm_campaign=cross-network', '', 'Cross-network'],
    ['?utm_medium=display&utm_campaign=cross-network', '', 'Cross-network'],
    // Paid Shopping.
    ['?utm_source=amazon&utm_medium=cpc', '', 'Paid Shopping'],
    ['?utm_source=ebay&utm_medium=ppc', '', 'Paid Shopping'],
    ['?utm_source=google+shopping&utm_medium=cpc', '', 'Paid Shopping'],
    ['?utm_source=google&utm_medium=cpc&utm_campaign=shopping_de', '', 'Paid Shopping'],
    ['?utm_source=facebook&utm_medium=paid&utm_campaign=summer-shop', '', 'Paid Shopping'],
    ['?utm_source=x&utm_medium=retargeting&utm_campaign=eshop', '', 'Paid Shopping'],
    ['?utm_medium=cpc', 'https://www.idealo.de/preis', 'Paid Shopping'],
    // Paid Search.
    ['?utm_source=google&utm_medium=cpc', '', 'Paid Search'],
    ['?utm_source=Google&utm_medium=CPC', '', 'Paid Search'],
    ['?utm_source=google&utm_medium=ppc', '', 'Paid Search'],
    ['?utm_source=google&utm_medium=paidsearch', '', 'Paid Search'],
    ['?utm_source=google&utm_medium=paid', '', 'Paid Search'],
    ['?utm_source=google&utm_medium=cpm', '', 'Paid Search'],
    ['?utm_source=bing&utm_medium=cpc', '', 'Paid Search'],
    ['?utm_source=duckduckgo&utm_medium=cpc', '', 'Paid Search'],
    ['?utm_source=yandex&utm_medium=cpc', '', 'Paid Search'],
    ['?utm_source=baidu&utm_medium=retargeting', '', 'Paid Search'],
    ['?utm_medium=cpc', google, 'Paid Search'],
    ['?utm_source=google&utm_medium=cpc&utm_campaign=workshop', '', 'Paid Search'],
    ['?gclid=x', google, 'Paid Search'],
    ['?gclid=x', 'https://www.google.de/', 'Paid Search'],
    ['?msclkid=x', bing, 'Paid Search'],
    ['?utm_source=google&gclid=x', '', 'Paid Search'],
    ['?utm_source=google&utm_medium=organic&gclid=x', '', 'Paid Search'],
    ['?utm_source=adwords', '', 'Paid Search'],
    ['?utm_source=google-ads&utm_campaign=spring', '', 'Paid Search'],
    // Paid Social.
    ['?utm_source=facebook&utm_medium=cpc', '', 'Paid Social'],
    ['?utm_source=fb&utm_medium=paid_social', '', 'Paid Social'],
    ['?utm_source=ig&utm_medium=paid', '', 'Paid Social'],
    ['?utm_source=linkedin&utm_medium=cpc', '', 'Paid Social'],
    ['?utm_source=tiktok&utm_medium=paid', '', 'Paid Social'],
    ['?utm_source=reddit&utm_medium=cpc', '', 'Paid Social'],
    ['?utm_source=pinterest&utm_medium=ppc', '', 'Paid Social'],
    ['?utm_source=twitter&utm_medium=cpm', '', 'Paid Social'],
    ['?utm_medium=paid', facebook, 'Paid Social'],
    ['?utm_source=fb-ads', '', 'Paid Social'],
    ['?utm_source=facebook_ads', '', 'Paid Social'],
    ['?utm_source=facebook&utm_medium=cpc&gclid=x', '', 'Paid Social'],
    // Paid Video.
    ['?utm_source=youtube&utm_medium=cpc', '', 'Paid Video'],
    ['?utm_source=yt&utm_medium=paid', '', 'Paid Video'],
    ['?utm_source=vimeo&utm_medium=cpv-cpc', '', 'Paid Video'],
    ['?utm_source=twitch&utm_medium=ppc', '', 'Paid Video'],
    ['?utm_source=youtube-ads', '', 'Paid Video'],
    // Display.
    ['?utm_source=partner&utm_medium=display', '', 'Display'],
    ['?utm_medium=banner', '', 'Display'],
    ['?utm_medium=expandable', '', 'Display'],
    ['?utm_medium=interstitial', '', 'Display'],
    ['?utm_medium=cpm', '', 'Display'],
    ['?utm_source=google&utm_medium=display', '', 'Display'],
    ['?utm_source=facebook&utm_medium=banner', '', 'Display'],
    // Paid Other.
    ['?utm_source=partner&utm_medium=cpc', '', 'Paid Other'],
    ['?utm_medium=ppc', '', 'Paid Other'],
    ['?utm_medium=retargeting', '', 'Paid Other'],
    ['?utm_medium=paid-something', '', 'Paid Other'],
    ['?utm_medium=cpa', partner, 'Paid Other'],
    ['?utm_source=chatgpt.com&utm_medium=cpc', '', 'Paid Other'],
    ['?utm_source=mailchimp&utm_medium=paid-email', '', 'Paid Other'],
    // Organic Shopping.
    ['', 'https://www.amazon.de/dp/1', 'Organic Shopping'],
    ['', 'https://www.ebay.co.uk/itm/1', 'Organic Shopping'],
    ['', 'https://www.etsy.com/listing/1', 'Organic Shopping'],
    ['', 'https://articulo.mercadolibre.com.mx/x', 'Organic Shopping'],
    ['?utm_source=shopify', '', 'Organic Shopping'],
    ['?utm_campaign=spring-shop', '', 'Organic Shopping'],
    ['?utm_medium=email&utm_campaign=shopping-letter', '', 'Organic Shopping'],
    ['?utm_medium=email&utm_campaign=workshop', '', 'Email'],
    // Organic Social.
    ['', facebook, 'Organic Social'],
    ['', 'https://l.instagram.com/?u=x', 'Organic Social'],
    ['', 'https://t.co/x', 'Organic Social'],
    ['', 'https://www.linkedin.com/feed', 'Organic Social'],
    ['', 'https://www.reddit.com/r/x', 'Organic Social'],
    ['', 'https://news.ycombinator.com/', 'Organic Social'],
    ['', 'https://bsky.app/profile/x', 'Organic Social'],
    ['', 'https://www.pinterest.co.uk/pin/1', 'Organic Social'],
    ['', 'https://away.vk.com/away.php', 'Organic Social'],
    ['', 'android-app://com.linkedin.android/', 'Organic Social'],
    ['?utm_source=instagram', '', 'Organic Social'],
    ['?utm_source=partner&utm_medium=social', '', 'Organic Social'],
    ['?utm_medium=social-network', '', 'Organic Social'],
    ['?utm_medium=social-media', '', 'Organic Social'],
    ['?utm_medium=sm', '', 'Organic Social'],
    ['?utm_medium=social+network', '', 'Organic Social'],
    ['?utm_medium=Social%20Media', '', 'Organic Social'],
    ['?fbclid=x', facebook, 'Organic Social'],
    ['?fbclid=x&utm_source=facebook', '', 'Organic Social'],
    ['?gclid=x', facebook, 'Organic Social'],
    // Organic Video.
    ['', youtube, 'Organic Video'],
    ['', 'https://vimeo.com/1', 'Organic Video'],
    ['', 'https://www.twitch.tv/x', 'Organic Video'],
    ['?utm_source=youtube', '', 'Organic Video'],
    ['?utm_source=partner&utm_medium=video', '', 'Organic Video'],
    ['?utm_medium=instream-video', '', 'Organic Video'],
    // AI Assistants.
    ['', 'https://chatgpt.com/', 'AI Assistants'],
    ['', 'https://chat.openai.com/', 'AI Assistants'],
    ['?utm_source=chatgpt.com', '', 'AI Assistants'],
    ['', 'https://www.perplexity.ai/search/x', 'AI Assistants'],
    ['', 'https://claude.ai/chat/1', 'AI Assistants'],
    ['', 'https://gemini.google.com/', 'AI Assistants'],
    ['', 'https://copilot.microsoft.com/', 'AI Assistants'],
    ['', 'https://edgeservices.bing.com/', 'AI Assistants'],
    ['', 'https://chat.deepseek.com/', 'AI Assistants'],
    ['?utm_source=perplexity', '', 'AI Assistants'],
    // Organic Search.
    ['', google, 'Organic Search'],
    ['', 'https://www.google.com.br/', 'Organic Search'],
    ['', bing, 'Organic Search'],
    ['', 'https://duckduckgo.com/', 'Organic Search'],
    ['', 'https://yandex.ru/search', 'Organic Search'],
    ['', 'https://search.yahoo.com/', 'Organic Search'],
    ['', 'https://www.baidu.com/link', 'Organic Search'],
    ['', 'https://www.ecosia.org/', 'Organic Search'],
    ['', 'https://search.brave.com/', 'Organic Search'],
    ['', 'https://search.naver.com/', 'Organic Search'],
    ['', 'https://www.qwant.com/', 'Organic Search'],
    ['', 'https://kagi.com/', 'Organic Search'],
    ['', 'android-app://com.google.android.googlequicksearchbox/', 'Organic Search'],
    ['?utm_source=google', '', 'Organic Search'],
    ['?utm_source=partner&utm_medium=organic', '', 'Organic Search'],
    ['?utm_medium=email', google, 'Organic Search'],
    // Email.
    ['?utm_medium=email', '', 'Email'],
    ['?utm_medium=e-mail', '', 'Email'],
    ['?utm_medium=e_mail', '', 'Email'],
    ['?utm_medium=e%20mail', '', 'Email'],
    ['?utm_source=email', '', 'Email'],
    ['?utm_source=newsletter', '', 'Email'],
    ['?utm_source=spring&utm_medium=Newsletter', '', 'Email'],
    ['', 'https://mail.google.com/mail/u/0', 'Email'],
    ['', 'https://outlook.live.com/', 'Email'],
    ['', 'https://mail.yahoo.com/', 'Email'],
    ['', 'android-app://com.google.android.gm/', 'Email'],
    ['?utm_source=mailchimp', '', 'Email'],
    ['?utm_medium=email&gclid=x', '', 'Email'],
    // The rest.
    ['?utm_source=partner&utm_medium=affiliate', '', 'Affiliates'],
    ['?utm_medium=affiliate', '', 'Affiliates'],
    ['?utm_source=show&utm_medium=audio', '', 'Audio'],
    ['?utm_medium=sms', '', 'SMS'],
    ['?utm_source=sms', '', 'SMS'],
    ['?utm_medium=push', '', 'Mobile Push'],
    ['?utm_medium=web-push', '', 'Mobile Push'],
    ['?utm_medium=mobile', '', 'Mobile Push'],
    ['?utm_medium=app-notification', '', 'Mobile Push'],
    ['?utm_source=firebase', '', 'Mobile Push'],
  ];
  for (const [search, referrer, expected] of rows) {
    test(`${search} ${referrer} is ${expected}`, () => {
      expect(channel(search, referrer)).toBe(expected);
    });
  }
});

describe('Additions for clicks on advertisements that the published order misses', () => {
  test.each([
    ['?gclid=x', '', 'Paid Search'],
    ['?gclid=x', partner, 'Paid Search'],
    ['?gclid=x', 'https://www.ecosia.org/', 'Paid Search'],
    ['?gad_source=1', '', 'Paid Search'],
    ['?gad_source=1', google, 'Paid Search'],
    ['?gad_source=1', partner, 'Paid Search'],
    ['?gbraid=x', '', 'Paid Search'],
    ['?wbraid=x', google, 'Paid Search'],
    ['?msclkid=x', '', 'Paid Search'],
    ['?msclkid=x', 'https://duckduckgo.com/', 'Paid Search'],
    ['?yclid=x', 'https://ya.ru/', 'Paid Search'],
    ['?ttclid=x', '', 'Paid Social'],
    ['?li_fat_id=x', '', 'Paid Social'],
    ['?twclid=x', '', 'Paid Social'],
    ['?dclid=x', '', 'Display'],
    ['?dclid=x', partner, 'Display'],
    ['?utm_campaign=pmax-de&gclid=x', '', 'Cross-network'],
    ['?utm_source=google&utm_campaign=PMax_Spring', '', 'Cross-network'],
    ['?utm_source=google&utm_medium=pmax', '', 'Cross-network'],
    ['?utm_campaign=performance-max', '', 'Cross-network'],
    ['?utm_campaign=demand-gen&gclid=x', '', 'Cross-network'],
    ['?utm_campaign=display_spring&gclid=x', '', 'Display'],
    ['?utm_source=google&utm_medium=gdn', '', 'Display'],
    ['?utm_source=partner&utm_medium=display-ads', '', 'Display'],
    ['?utm_source=partner&utm_medium=programmatic', '', 'Display'],
    ['?utm_source=spotify-ads', '', 'Paid Other'],
  ] as const)('%s %s is %s', (search, referrer, expected) => {
    expect(channel(search, referrer)).toBe(expected);
  });

  test.each([
    ['?utm_source=google&utm_medium=cpc&utm_campaign=pmax', '', 'Paid Search'],
    ['?utm_medium=referral&gclid=x', '', 'Referral'],
    ['?utm_source=partner&utm_medium=organic&gclid=x', '', 'Organic Search'],
    ['?utm_source=facebook&utm_campaign=pmax', '', 'Organic Social'],
    ['?utm_medium=email&utm_campaign=display', '', 'Email'],
    ['?utm_campaign=display', '', 'Direct'],
    ['?utm_campaign=pmaximum', '', 'Direct'],
    ['?epik=x', '', 'Direct'],
    ['?fbclid=x', partner, 'Referral'],
  ] as const)('%s %s stays %s', (search, referrer, expected) => {
    expect(channel(search, referrer)).toBe(expected);
  });
});

test('A stored or imported source that was never mapped is grouped like the mapped one', () => {
  const stored = { utm_source: '', utm_medium: '', utm_campaign: '', click_id: '' } as const;
  expect(channelOf({ ...stored, source: 'google' })).toBe('Organic Search');
  expect(channelOf({ ...stored, source: 'm.facebook.com' })).toBe('Organic Social');
  expect(channelOf({ ...stored, source: 'Facebook' })).toBe('Organic Social');
});
