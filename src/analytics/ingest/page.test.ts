import { describe, expect, it } from 'vitest';
import { readPage } from './page.ts';

describe('the page of an address: host and path, and nothing that could be a secret (COL-19)', () => {
  const rows: [address: string, hostname: string, pathname: string][] = [
    ['https://shop.example/', 'shop.example', '/'],
    ['https://shop.example', 'shop.example', '/'],
    ['https://WWW.Shop.Example:8443/A/b', 'shop.example', '/A/b'],
    ['http://shop.example./a', 'shop.example', '/a'],
    ['https://shop.example/a?token=secret&email=a%40b.example', 'shop.example', '/a'],
    ['https://shop.example/a#access_token=secret', 'shop.example', '/a'],
    ['https://user:secret@shop.example/a', 'shop.example', '/a'],
    ['https://shop.example/a%3Ftoken=1', 'shop.example', '/a'],
    ['https://shop.example/what%3F', 'shop.example', '/what%3F'],
    ['https://shop.example/caf%C3%A9', 'shop.example', '/café'],
    ['https://shop.example/café', 'shop.example', '/café'],
    ['https://shop.example/a%20b%20', 'shop.example', '/a b'],
    ['https://shop.example/%E0%A4%A', 'shop.example', '/%E0%A4%A'],
    ['https://shop.example/a%00b%0Ac', 'shop.example', '/abc'],
    ['https://shop.example/\ud800x', 'shop.example', '/\ufffdx'],
    ['https://bücher.example/x', 'xn--bcher-kva.example', '/x'],
    ['https://[2001:db8::1]/x', '[2001:db8::1]', '/x'],
    ['/pricing?x=1', '(none)', '/pricing'],
    ['file:///C:/index.html', '(none)', '/C:/index.html'],
    ['app://Reader/article/7', 'reader', '/article/7'],
    ['  https://shop.example/a  ', 'shop.example', '/a'],
  ];
  it.each(rows)('%s', (address, hostname, pathname) => {
    expect(readPage(address, false)).toMatchObject({ hostname, pathname });
  });
});

describe('hash mode makes the fragment part of the page, without its query', () => {
  it.each([
    ['https://shop.example/#/cart', '/#/cart'],
    ['https://shop.example/app#/cart?token=secret', '/app#/cart'],
    ['https://shop.example/app', '/app'],
    ['https://shop.example/app#', '/app'],
    ['https://shop.example/#/orders/12', '/#/orders/12'],
    ['https://shop.example/#!/orders/12', '/#!/orders/12'],
    ['https://shop.example/cb#access_token=secret&state=1', '/cb#access_token'],
    ['https://shop.example/#/cart&token=secret', '/#/cart'],
    ['https://shop.example/#/cart%3Ftoken%3Dsecret', '/#/cart'],
    ['https://shop.example/#/people/jane@mail.example', '/#/people/(email)'],
    ['https://shop.example/#/caf%C3%A9', '/#/café'],
  ])('%s', (address, pathname) => {
    expect(readPage(address, true)).toMatchObject({ hostname: 'shop.example', pathname });
  });
});

describe('what names no page is refused', () => {
  it.each([
    ['data:text/html,<script>alert(1)</script>', 'invalid'],
    ['DATA:text/plain;base64,AAAA', 'invalid'],
    ['javascript:alert(1)', 'invalid'],
    ['about:blank', 'invalid'],
    ['mailto:a@b.example', 'invalid'],
    ['http://', 'invalid'],
    ['https://exa mple.org/', 'invalid'],
    ['https://[::1/', 'invalid'],
    ['http://999.1.1.1.1.1:99999/', 'invalid'],
    ['not a url', 'invalid'],
    ['//shop.example/a', 'invalid'],
    ['', 'invalid'],
    [`https://shop.example/${'x'.repeat(10_000)}`, 'too_large'],
    [`https://shop.example/${'x'.repeat(2_000)}`, 'too_large'],
    [`app://${'x'.repeat(300)}/`, 'too_large'],
  ])('%.40s', (address, reason) => {
    expect(readPage(address, false)).toMatchObject({ refused: true, reason, field: 'url' });
  });

  it('a path of exactly the limit is taken', () => {
    expect(readPage(`https://shop.example/${'x'.repeat(1_999)}`, false)).toMatchObject({ hostname: 'shop.example' });
  });
});
