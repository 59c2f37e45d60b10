import { describe, expect, test } from 'vitest';
import { type BotEvidence, detectBot } from './bots.ts';
import { deviceAgents } from './data/device_agents.ts';
import { labelledAgents } from './data/labelled_agents.ts';

const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
const browserHeaders = {
  host: 'stats.example.com',
  accept: '*/*',
  'accept-language': 'de-DE,de;q=0.9',
  'sec-ch-ua': '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
  'sec-ch-ua-platform': '"Windows"',
  'sec-ch-ua-mobile': '?0',
};

describe('A User-Agent that says so is enough', () => {
  test.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (Linux; Android 8.0; Pixel 2 Build/OPD3.170816.012; Storebot-Google/1.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/81.0.4044.138 Mobile Safari/537.36',
    'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)',
    'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)',
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'WhatsApp/2.23.20.0',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 Safari/537.36 GTmetrix',
    'Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)',
    'curl/8.5.0',
    'Wget/1.21.4',
    'python-requests/2.32.3',
    'Go-http-client/2.0',
    'Java/17.0.9',
    'okhttp/4.12.0',
    'axios/1.7.9',
    'node',
    'BlackBerry9000/4.6.0.167 Profile/MIDP-2.0 Configuration/CLDC-1.1 VendorID/102 ips-agent',
  ])('%s', (userAgent) => {
    expect(detectBot({ userAgent })).toEqual({ rule: 'ua_pattern' });
  });
});

describe('Nobody who holds a real device is taken for a robot', () => {
  test.each([...deviceAgents, ...labelledAgents.map((labelled) => labelled[5])])('%s', (userAgent) => {
    expect(detectBot({ userAgent, headers: { ...browserHeaders, 'sec-ch-ua': undefined } })).toBeUndefined();
  });
});

describe('One piece of evidence alone hides nobody; two kinds do, and the rule is named', () => {
  const rows: readonly (readonly [what: string, evidence: BotEvidence, rule: string | undefined])[] = [
    ['a browser', { userAgent: chrome, headers: browserHeaders, screen: '1440x900' }, undefined],
    ['no request of its own', { userAgent: chrome }, undefined],
    ['a row without an agent', { userAgent: '' }, undefined],
    ['a row with empty headers', { userAgent: '', headers: {} }, undefined],
    [
      'a server that forwards an agent',
      { userAgent: chrome, headers: { host: 'x', 'content-type': 'text/plain' } },
      undefined,
    ],
    ['a small screen', { userAgent: chrome, headers: browserHeaders, screen: '800x600' }, undefined],
    ["an old iPad's screen", { userAgent: chrome, headers: { host: 'x' }, screen: '1024x768' }, undefined],
    ['a request without an agent', { userAgent: '', headers: { host: 'x', accept: '*/*' } }, undefined],
    [
      'hints of another system',
      { userAgent: chrome, headers: { ...browserHeaders, 'sec-ch-ua-platform': '"Linux"' } },
      undefined,
    ],
    ['no agent and no headers', { userAgent: '', headers: { host: 'x' } }, 'ua_missing'],
    [
      'another release in the hints and no headers',
      { userAgent: chrome, headers: { host: 'x', 'sec-ch-ua': '"Chromium";v="119"' } },
      'header_heuristics',
    ],
    [
      'another system in the hints and a screen of 800x600',
      { userAgent: chrome, headers: { ...browserHeaders, 'sec-ch-ua-platform': '"Linux"' }, screen: '800x600' },
      'client_signals',
    ],
    ['no headers and no screen', { userAgent: chrome, headers: { host: 'x' }, screen: '0x0' }, 'client_signals'],
    [
      'a headless brand',
      { userAgent: chrome, headers: { ...browserHeaders, 'sec-ch-ua': '"HeadlessChrome";v="131"' } },
      'ua_pattern',
    ],
  ];
  for (const [what, evidence, rule] of rows) {
    test(`${what}: ${rule ?? 'a person'}`, () => {
      expect(detectBot(evidence)?.rule).toBe(rule);
    });
  }
});

test('A phone in "desktop site" mode does not contradict itself', () => {
  const userAgent =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
  const headers = { ...browserHeaders, 'sec-ch-ua-platform': '"Android"' };
  expect(detectBot({ userAgent, headers, screen: '800x600' })).toBeUndefined();
});

test('Hostile agents are judged in time that does not grow with them', () => {
  const started = performance.now();
  for (const filler of ['(', '(Linux; Android ;', 'News', 'Sogou,', ' ', 'Profile/MIDP-', '@', 'Android 1; (']) {
    detectBot({ userAgent: filler.repeat(20_000), headers: { 'sec-ch-ua': filler.repeat(20_000) } });
  }
  expect(performance.now() - started).toBeLessThan(500);
});
