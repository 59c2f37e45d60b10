import { type Chance, weighted } from './chance.ts';
import type { DemoSite } from './site.ts';
import type { MadeRequest } from './walk.ts';

/** What a site is sent that no visitor sent: robots, and visits made up to appear in its statistics. */

const robots = weighted<string>([
  [34, 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
  [
    18,
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36',
  ],
  [12, 'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.3; +https://openai.com/gptbot)'],
  [
    9,
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)',
  ],
  [9, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/146.0.0.0 Safari/537.36'],
  [8, 'Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)'],
  [5, 'python-requests/2.32.3'],
  [5, 'curl/8.11.0'],
]);
/** On the list of spam hosts (analytics/ingest/data/spam_hosts.ts). */
const spammers = [
  'https://4webmasters.org/',
  'https://best-seo-offer.com/',
  'https://100dollars-seo.com/',
  'https://autoseo-service.org/',
];
const spamAgent =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36';

/** @param hourMs begin of the hour */
export function strayRequests(site: DemoSite, hourMs: number, spamWave: number, chance: Chance): MadeRequest[] {
  const perHour = site.visitsPerDay / 24;
  const requests: MadeRequest[] = [];
  const send = (userAgent: string, more: Record<string, unknown>) => {
    const atMs = hourMs + chance.below(3_600_000);
    requests.push({
      atMs,
      visitMs: atMs,
      address: `57.66.${144 + chance.below(16)}.${1 + chance.below(254)}`,
      headers: { host: 'localhost', 'user-agent': userAgent, accept: '*/*', 'accept-language': 'en' },
      event: {
        n: 'pageview',
        d: site.domain,
        v: 1,
        u: `https://${site.domain}${chance.one(site.robotPaths)}`,
        ...more,
      },
    });
  };
  for (let left = chance.times(perHour * 0.16); left > 0; left--) send(robots(chance), { sc: '1280x720' });
  for (let left = chance.times(perHour * 0.008 * spamWave); left > 0; left--)
    send(spamAgent, { u: `https://${site.domain}/`, r: chance.one(spammers), sc: '1366x768' });
  return requests;
}
