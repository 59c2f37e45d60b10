import { describe, expect, it } from 'vitest';
import { explainHit, explainLine, hitsAnswer } from './explain.ts';
import { berlin, chrome } from './rig.ts';

const places = { lookup: (address: string) => (address === '203.0.113.7' ? berlin : undefined) };
const hit = { url: 'https://www.shop.example/a?utm_source=news&utm_medium=email', user_agent: chrome };

describe('what becomes of a hit', () => {
  it('is told in the words of the row', () => {
    expect(
      explainHit(
        {
          ...hit,
          referrer: 'https://www.google.com/',
          ip: '203.0.113.7',
          name: 'Signup',
          props: { plan: 'pro' },
          headers: { 'Accept-Language': 'de' },
          time: '2026-06-01T12:00:00Z',
        },
        { places },
      ),
    ).toEqual({
      event: {
        name: 'Signup',
        hostname: 'shop.example',
        pathname: '/a',
        title: null,
        referrer: expect.stringMatching(/^google\.com/),
        source: 'news',
        medium: 'email',
        campaign: null,
        utm_source: 'news',
        utm_medium: 'email',
        utm_campaign: null,
        utm_term: null,
        utm_content: null,
        click_id: null,
        channel: 'Email',
        browser: 'Chrome',
        browser_version: '140',
        os: 'Windows',
        os_version: expect.anything(),
        device: 'Desktop',
        screen: null,
        country: 'DE',
        region: 'Berlin',
        city: 'Berlin',
        latitude: 52.5,
        longitude: 13.4,
        props: { plan: 'pro' },
        revenue: null,
        interactive: true,
        scroll_depth: null,
        engagement_ms: null,
        time: '2026-06-01T12:00:00.000Z',
      },
    });
  });
  it('a direct source is null, and a hit without a name is a page view', () => {
    expect(explainHit({ url: 'https://shop.example/', user_agent: chrome }, { places: undefined })).toMatchObject({
      event: { name: 'pageview', source: null, referrer: null, channel: 'Direct', country: null },
    });
  });
  it('its own pages are no source', () => {
    expect(
      explainHit({ ...hit, url: 'https://shop.example/', referrer: 'https://shop.example/b' }, { places }),
    ).toMatchObject({ event: { source: null } });
  });
  it.each([
    ['a robot', { ...hit, user_agent: 'Googlebot/2.1' }, 'bot'],
    ['a robot by its headers alone', { url: hit.url, headers: { 'User-Agent': 'Googlebot/2.1' } }, 'bot'],
    ['spam', { ...hit, referrer: 'https://semalt.com/' }, 'spam_referrer'],
    ['no url', { user_agent: chrome }, 'invalid'],
    ['a data: url', { ...hit, url: 'data:text/html,x' }, 'invalid'],
    ['a long path', { ...hit, url: `https://shop.example/${'x'.repeat(3_000)}` }, 'too_large'],
    ['no object', 5, 'invalid'],
    ['nothing', null, 'invalid'],
  ])('%s is stopped', (_title, given, stopped) => {
    expect(explainHit(given, { places })).toMatchObject({ stopped });
  });
  it('a line that is no JSON is invalid, and nothing more', () => {
    expect(explainLine('{"url":', { places })).toEqual({ stopped: 'invalid' });
  });
});

it('a line that is none is answered like any other', () => {
  const answer = hitsAnswer({ places });
  const lines = [JSON.stringify(hit), 'no json', JSON.stringify({ ...hit, url: 'x' })];
  expect(lines.map((line) => answer(line))).toMatchObject([
    { event: { pathname: '/a' } },
    { stopped: 'invalid' },
    { stopped: 'invalid' },
  ]);
});
