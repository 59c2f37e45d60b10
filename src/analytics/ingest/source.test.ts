import { describe, expect, test } from 'vitest';
import { ingestLimits } from '../../../contract/limits.ts';
import { clickIdKinds } from './click_ids.ts';
import { countryDomains, knownSources } from './data/sources.ts';
import { knownHostCount } from './known_sources.ts';
import { readSource, type Source } from './source.ts';

const siteHostnames = ['example.com'];

function read(search: string, referrer = ''): Source {
  return readSource({ page: { hostname: 'www.example.com', search }, referrer, siteHostnames });
}

describe('A referrer keeps its host and path, and gives the source a name', () => {
  test.each([
    ['https://www.google.com/', 'google.com', 'Google'],
    ['https://www.google.co.uk/search?q=my+illness', 'google.co.uk/search', 'Google'],
    ['https://WWW.Google.DE', 'google.de', 'Google'],
    ['https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.com&h=AT0secret', 'l.facebook.com/l.php', 'Facebook'],
    ['https://news.ycombinator.com/item?id=1', 'news.ycombinator.com/item', 'Hacker News'],
    ['https://t.co/aBcDeF', 't.co/aBcDeF', 'X'],
    ['https://mail.google.com/mail/u/0/', 'mail.google.com/mail/u/0', 'Gmail'],
    ['https://gemini.google.com/app', 'gemini.google.com/app', 'Gemini'],
    ['https://news.google.com/', 'news.google.com', 'Google News'],
    ['https://chatgpt.com/', 'chatgpt.com', 'ChatGPT'],
    ['https://de.wikipedia.org/wiki/Berlin#Geschichte', 'de.wikipedia.org/wiki/Berlin', 'Wikipedia'],
    ['https://www.bing.com/search?q=x', 'bing.com/search', 'Bing'],
    ['https://search.yahoo.co.jp/', 'search.yahoo.co.jp', 'Yahoo!'],
    ['https://old.reddit.com/r/analytics/comments/1/', 'old.reddit.com/r/analytics/comments/1', 'Reddit'],
    ['https://blog.unknown.example.net/a/b/', 'blog.unknown.example.net/a/b', 'blog.unknown.example.net'],
    ['https://unknown.example.net:8443/a', 'unknown.example.net/a', 'unknown.example.net'],
    ['http://unknown.example.net//', 'unknown.example.net', 'unknown.example.net'],
    ['https://unknown.example.net./a', 'unknown.example.net/a', 'unknown.example.net'],
    ['https://www.uk/', 'www.uk', 'www.uk'],
    ['https://bücher.example.net/seite', 'xn--bcher-kva.example.net/seite', 'xn--bcher-kva.example.net'],
    ['android-app://com.google.android.gm/', 'com.google.android.gm', 'Gmail'],
    [
      'android-app://com.google.android.googlequicksearchbox/https/www.google.com',
      'com.google.android.googlequicksearchbox',
      'Google',
    ],
    ['android-app://com.Slack', 'com.slack', 'Slack'],
    ['android-app://org.example.reader', 'org.example.reader', 'org.example.reader'],
  ])('%s', (referrer, stored, source) => {
    expect(read('', referrer)).toMatchObject({ referrer: stored, source });
  });
});

describe('A referrer that names nobody is direct', () => {
  test.each([
    [''],
    ['https://example.com/pricing'],
    ['https://www.example.com/'],
    ['https://blog.example.com/x?y=1'],
    ['http://EXAMPLE.com:8080/'],
    ['http://localhost:3000/'],
    ['http://127.0.0.1/admin'],
    ['http://10.1.2.3/'],
    ['https://203.0.113.7/x'],
    ['https://[2001:db8::1]/x'],
    ['http://0x7f000001/'],
    ['http://intranet/wiki'],
    ['http://printer.local/'],
    ['http://desk.corp/'],
    ['http://nas.lan/'],
    ['about:blank'],
    ['data:text/html,hello'],
    ['javascript:alert(1)'],
    ['file:///C:/Users/jane/page.html'],
    ['chrome-extension://abcdefghijklmnop/page.html'],
    ['blob:https://other.example.net/uuid'],
    ['//other.example.net/'],
    ['other.example.net'],
    ['https://'],
    ['https:///path'],
    ['https://-/x'],
    ['https://a..b.example.net:x@/'],
    ['https://user:secret@/x'],
    ['android-app://'],
    ['android-app://not a package/'],
    ['\u0000\ud800'],
  ])('%j', (referrer) => {
    expect(read('', referrer)).toMatchObject({ referrer: '', source: '' });
  });
});

describe('A host that only looks like a known one stays itself', () => {
  test.each([
    ['https://notwikipedia.org/x', 'notwikipedia.org'],
    ['https://google.com.example.net/', 'google.com.example.net'],
    ['https://google.example.net/', 'google.example.net'],
    ['https://google.evil/', 'google.evil'],
    ['https://myfacebook.com/', 'myfacebook.com'],
    ['https://facebook.com.co.example.net/', 'facebook.com.co.example.net'],
    ['https://x-t.co/', 'x-t.co'],
    ['https://bing.company/', 'bing.company'],
    ['https://notexample.com/', 'notexample.com'],
    ['https://example.com.evil.net/', 'example.com.evil.net'],
  ])('%s', (referrer, source) => {
    expect(read('', referrer).source).toBe(source);
  });
});

describe('A tag wins over the referrer, and words for a known source mean it', () => {
  test.each([
    ['?utm_source=fb', 'Facebook'],
    ['?utm_source=IG', 'Instagram'],
    ['?utm_source=google', 'Google'],
    ['?utm_source=adwords', 'Google'],
    ['?utm_source=Google%20Ads', 'Google'],
    ['?utm_source=facebook.com', 'Facebook'],
    ['?utm_source=https%3A%2F%2Fwww.linkedin.com%2Ffeed', 'LinkedIn'],
    ['?utm_source=m.facebook.com', 'Facebook'],
    ['?utm_source=twitter', 'X'],
    ['?utm_source=chatgpt.com', 'ChatGPT'],
    ['?utm_source=hn', 'Hacker News'],
    ['?utm_source=Spring+Letter', 'Spring Letter'],
    ['?utm_source=caf%C3%A9', 'café'],
    ['?utm_source=www.partner.example.net', 'partner.example.net'],
    ['?source=producthunt', 'Product Hunt'],
    ['?ref=producthunt', 'Product Hunt'],
    ['?ref=partner.example.net', 'partner.example.net'],
    ['?ref=partner-site', 'partner-site'],
    ['?ref=a&source=b&utm_source=c', 'c'],
    ['?ref=a&source=b', 'b'],
    ['?utm_source=&source=b', 'b'],
    ['?utm_source=first&utm_source=second', 'first'],
    ['?UTM_SOURCE=fb', 'Facebook'],
    ['?utm%5Fsource=fb', 'Facebook'],
    ['?a=1&amp;utm_source=fb', 'Facebook'],
    ['?utm_source=(direct)', 'duckduckgo.com'],
    ['?utm_source=null', 'duckduckgo.com'],
  ])('%s', (search, source) => {
    const expected = source === 'duckduckgo.com' ? 'DuckDuckGo' : source;
    expect(read(search, 'https://duckduckgo.com/').source).toBe(expected);
  });

  test('the referrer is stored beside the tag', () => {
    expect(read('?utm_source=fb', 'https://duckduckgo.com/')).toMatchObject({
      referrer: 'duckduckgo.com',
      source: 'Facebook',
      utm_source: 'fb',
    });
  });

  test('a tag counts on a visit that comes from the site itself', () => {
    expect(read('?utm_source=fb', 'https://example.com/')).toMatchObject({ referrer: '', source: 'Facebook' });
  });
});

test('The five UTM parameters are decoded, and medium and campaign are as tagged', () => {
  expect(
    read('?utm_source=a+b&utm_medium=c%2Fd&utm_campaign=Sommer%20%2725&utm_term=%E9%9E%8B&utm_content=x%2By'),
  ).toEqual({
    referrer: '',
    source: 'a b',
    medium: 'c/d',
    campaign: "Sommer '25",
    utm_source: 'a b',
    utm_medium: 'c/d',
    utm_campaign: "Sommer '25",
    utm_term: '鞋',
    utm_content: 'x+y',
    click_id: '',
  });
});

describe('Of a click id only the kind is kept', () => {
  test.each(clickIdKinds.map((kind) => [kind]))('%s', (kind) => {
    const source = read(`?x=1&${kind}=Canary123`);
    expect(source.click_id).toBe(kind);
    expect(JSON.stringify(source)).not.toContain('Canary');
  });
  test.each([
    ['?fbclid=1&gclid=2', 'gclid'],
    ['?gad_source=1&gclid=2', 'gclid'],
    ['?gclid=', ''],
    ['?gclid', ''],
    ['?xgclid=1', ''],
    ['?GCLID=1', 'gclid'],
    ['?sccid=1', 'ScCid'],
  ])('%s is %j', (search, kind) => {
    expect(read(search).click_id).toBe(kind);
  });
});

describe('Nothing else of a query, and no token or address of a referrer, is kept (COL-19)', () => {
  const canary = 'c4n4ry';
  test.each([
    [`?token=${canary}&session=${canary}`, ''],
    [`?email=jane.${canary}%40example.org&utm_source=news`, ''],
    [`?utm_source=jane.${canary}@example.org`, ''],
    [`?utm_content=jane.${canary}%40example.org&utm_medium=email`, ''],
    [`?utm_term=to%3Ajane+${canary}@mail.example.org`, ''],
    [`?ref=jane.${canary}@example.org`, ''],
    [`?ref=8f3${canary}9921&source=9${canary}1234`, ''],
    [`?ref=eyJhbGciOiJIUzI1NiJ9.${canary}1234.sig`, ''],
    [`?source=${canary}%2F..%2F%00`, ''],
    [`?gclid=${canary}&fbclid=${canary}&code=${canary}&state=${canary}`, ''],
    [`?utm_id=${canary}&utm_source_platform=${canary}&utm_nooverride=${canary}`, ''],
    [`?q=${canary}#access_token=${canary}`, ''],
    ['', `https://other.example.net/reset?token=${canary}`],
    ['', `https://other.example.net/#access_token=${canary}`],
    ['', `https://other.example.net/cart;jsessionid=${canary}?x=1`],
    ['', `https://jane:${canary}@other.example.net/`],
    ['', `https://other.example.net/u/jane.${canary}@example.org/inbox`],
    ['', `https://other.example.net/u/jane.${canary}%40example.org`],
    ['', `https://other.example.net?q=${canary}`],
    ['', `https://www.example.com/account?token=${canary}`],
    ['', `https://other.example.net\\@${canary}.example.org/`.replace(canary, `?${canary}`)],
  ])('%s %s', (search, referrer) => {
    expect(JSON.stringify(read(search, referrer))).not.toContain(canary);
  });

  test('a handle in a path is not an address', () => {
    expect(read('', 'https://mastodon.social/@fairlead/1').referrer).toBe('mastodon.social/@fairlead/1');
  });
});

describe('Whatever the strings hold, the answer is clean, well-formed and within its limits', () => {
  const hostile = [
    '\u0000',
    '\ud800',
    '\udfff\ud800',
    '%',
    '%zz',
    '%E0%A4',
    '%C3%28',
    '%00%0a%0d%1b',
    '%ED%A0%80',
    '%F0%9F%98%80'.repeat(500),
    '😀'.repeat(500),
    'x'.repeat(100_000),
    ' '.repeat(5_000),
    '&'.repeat(5_000),
    '='.repeat(5_000),
    '\u2028\u0085',
    '__proto__',
    'constructor',
    "'; DROP TABLE events; --",
  ];
  test.each(hostile.map((text) => [text]))('%j', (text) => {
    const pages = [`?utm_source=${text}&utm_campaign=${text}&ref=${text}&${text}=${text}`, `?${text}`, text];
    const referrers = [
      text,
      `https://${text}/`,
      `https://other.example.net/${text}`,
      `https://${text}@other.example.net/${text}`,
      `android-app://${text}`,
    ];
    for (const search of pages) {
      for (const referrer of referrers) {
        const source = read(search, referrer);
        for (const [name, value] of Object.entries(source)) {
          expect(value.isWellFormed(), name).toBe(true);
          expect(value, name).not.toMatch(/\p{Cc}/u);
          expect(value.length, name).toBeLessThanOrEqual(
            name === 'referrer' ? ingestLimits.referrerCharsMax : ingestLimits.utmCharsMax,
          );
          expect(value.trim(), name).toBe(value);
        }
      }
    }
  });

  test('none of them costs more than its length', () => {
    // A reading whose cost grew with the square would take seconds, and there are 760: they would not end in time.
    let ended = 0;
    for (const text of hostile)
      for (let i = 0; i < 20; i++) {
        read(`?${text.repeat(20)}`.slice(0, 100_000), `https://${text.repeat(20)}`);
        read('', `https://other.example.net/${text.repeat(20)}`);
        ended += 2;
      }
    expect(ended).toBe(hostile.length * 40);
  });

  test('a long value is cut between characters', () => {
    expect(read(`?utm_campaign=x${'😀'.repeat(200)}`).utm_campaign).toBe(`x${'😀'.repeat(127)}`);
    expect(read('', `https://other.example.net/${'a'.repeat(5_000)}`).referrer).toHaveLength(
      ingestLimits.referrerCharsMax,
    );
  });
});

describe('The list of sources', () => {
  test('has several hundred hosts', () => {
    expect(knownSources.length).toBeGreaterThan(450);
    expect(knownHostCount).toBeGreaterThan(1_000);
  });

  test('says each name, host and word once, so that none hides another', () => {
    const seen = new Map<string, string>();
    const twice: string[] = [];
    const add = (key: string, name: string): void => {
      const other = seen.get(key);
      if (other !== undefined && other !== name) twice.push(`${key}: ${other}, ${name}`);
      seen.set(key, name);
    };
    for (const [name, , hosts, words, adWords] of knownSources) {
      add(`word ${name.toLowerCase()}`, name);
      for (const host of hosts.split(' ')) add(`host ${host}`, name);
      for (const word of [words, adWords]) for (const one of word ? word.split(',') : []) add(`word ${one}`, name);
    }
    expect(twice).toEqual([]);
    expect(new Set(knownSources.map(([name]) => name)).size).toBe(knownSources.length);
  });

  test('writes out every country of a host with a star', () => {
    for (const [name, , hosts] of knownSources) {
      for (const host of hosts.split(' ')) {
        if (host.includes('*')) expect(countryDomains[host.slice(0, -2)], `${name}: ${host}`).toBeDefined();
        else expect(host).toMatch(/^[a-z0-9-]+(\.[A-Za-z0-9_-]+)+$/);
      }
    }
  });
});
