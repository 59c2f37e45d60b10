import { describe, expect, it } from 'vitest';
import { barePath, bareRelative, bareText, withoutEmails } from './bare.ts';

describe('a path', () => {
  it.each([
    ['/orders/12', '/orders/12'],
    ['/shop;jsessionid=5A3/cart', '/shop/cart'],
    ['/landing&gclid=abc&token=x', '/landing'],
    ['/search%3Fq%3Dsecret', '/search'],
    ['/search%253Fq%253Dsecret', '/search'],
    ['/what%3F', '/what%3F'],
    ['/rock&roll', '/rock&roll'],
    ['/a;b', '/a;b'],
    ['/unsubscribe/jane.doe+x@mail.example/now', '/unsubscribe/(email)/now'],
    ['/unsubscribe/jane%40mail.example', '/unsubscribe/(email)'],
    ['/unsubscribe/jane%2540mail.example', '/unsubscribe/(email)'],
    ['/u/jane@bücher.example', '/u/(email)'],
    ['/@jane@social.example/5', '/@(email)/5'],
    ['/@scope/react@18.2.0/umd', '/@scope/react@18.2.0/umd'],
    ['/logo@2x.png', '/logo@2x.png'],
    ['/404', '/404'],
    ['/@jane', '/@jane'],
  ])('%s is kept as %s', (path, kept) => {
    expect(barePath(path)).toBe(kept);
  });
});

describe('text', () => {
  it.each([
    ['https://u:p@shop.example:81/a?token=s#t', 'https://shop.example:81/a'],
    ['Failed to fetch "https://api.example/x?token=s" (500)', 'Failed to fetch "https://api.example/x" (500)'],
    ['http://a.example?x=1 then http://b.example#y', 'http://a.example then http://b.example'],
    ['ftp://u@files.example\\x?y', 'ftp://files.example\\x'],
    ['no address: 50 % off?', 'no address: 50 % off?'],
    ['://?x=1', '://'],
    ['', ''],
  ])('%s is kept as %s', (text, kept) => {
    expect(bareText(text)).toBe(kept);
  });
  it('a relative address ends at its query or fragment', () => {
    expect(bareRelative('/search?q=secret#x')).toBe('/search');
    expect(bareRelative('/cb#access_token=secret')).toBe('/cb');
  });
  it('of mail addresses a mark stays', () => {
    expect(withoutEmails('Inbox (3) – jane@mail.example – Mail')).toBe('Inbox (3) – (email) – Mail');
    expect(withoutEmails('a@b.example,c@d.example')).toBe('(email),(email)');
  });
});

it('takes time in proportion to the text, whatever is in it', () => {
  // Each of these is the worst case of one loop: a second look at every character would take minutes.
  for (const piece of ['@', 'a@', '%3f', '%40', ';a', '&', '://', 'a://', 'x'.repeat(100), 'a@b.'])
    for (const read of [barePath, bareText, bareRelative, withoutEmails])
      expect(read(piece.repeat(100_000)).length).toBeGreaterThan(0);
});
