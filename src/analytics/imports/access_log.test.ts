import { expect, it } from 'vitest';
import { accessLogReader } from './access_log.ts';

const read = accessLogReader('shop.example');
const rest = '"GET /a HTTP/1.1" 200 5 "-" "Mozilla/5.0"';
const at = '203.0.113.7 - - [10/Oct/2025:13:55:36 +0200]';
const instant = Date.UTC(2025, 9, 10, 11, 55, 36);

const views: [string, string, object][] = [
  [
    'the combined format',
    `${at} ${rest}`,
    {
      name: 'pageview',
      url: 'https://shop.example/a',
      referrer: '',
      ip: '203.0.113.7',
      user_agent: 'Mozilla/5.0',
      time: instant,
    },
  ],
  ['an IPv6 address', `2001:db8::1 - - [10/Oct/2025:13:55:36 +0200] ${rest}`, { ip: '2001:db8::1' }],
  [
    'a host and port in front',
    `www.blog.example:443 ${at} ${rest}`,
    { url: 'https://www.blog.example/a', ip: '203.0.113.7' },
  ],
  [
    'a user with blanks',
    `203.0.113.7 - Jo Doe [10/Oct/2025:11:55:36 -0000] ${rest}`,
    { ip: '203.0.113.7', time: instant },
  ],
  ['a zone west of Greenwich', `203.0.113.7 - - [10/Oct/2025:04:25:36 -0730] ${rest}`, { time: instant }],
  [
    'quotes and backslashes in the agent',
    `${at} "GET /a HTTP/1.1" 304 - "-" "a \\"b\\" \\\\ \\x22c"`,
    { user_agent: 'a "b" \\ "c' },
  ],
  [
    'a query and a referrer',
    `${at} "GET /a?utm_source=x HTTP/2.0" 200 5 "https://www.google.com/" "M"`,
    { url: 'https://shop.example/a?utm_source=x', referrer: 'https://www.google.com/' },
  ],
  ['fields behind the agent', `${at} ${rest} "203.0.113.9" rt=0.1`, { user_agent: 'Mozilla/5.0' }],
  [
    'a dot in a folder',
    `${at} "GET /v1.css/about HTTP/1.1" 200 5 "-" "M"`,
    { url: 'https://shop.example/v1.css/about' },
  ],
];

it.each(views)('a page view: %s', (_what, line, event) => {
  expect(read(line)).toMatchObject({ event });
});

const others: [string, string, string][] = [
  ['a file', `${at} "GET /logo.PNG?v=2 HTTP/1.1" 200 5 "-" "M"`, 'not_a_page_view'],
  ['another method', `${at} "HEAD /a HTTP/1.1" 200 5 "-" "M"`, 'not_a_page_view'],
  ['an error', `${at} "GET /a HTTP/1.1" 500 5 "-" "M"`, 'not_a_page_view'],
  ['a redirect', `${at} "GET /a HTTP/1.1" 301 5 "-" "M"`, 'not_a_page_view'],
  ['a hidden file', `${at} "GET /.env HTTP/1.1" 200 5 "-" "M"`, 'not_a_page_view'],
  ['a sign-in that robots try', `${at} "GET /wp-login.php HTTP/1.1" 200 5 "-" "M"`, 'not_a_page_view'],
  ['bytes that are no request', `${at} "\\x16\\x03\\x01" 200 5 "-" "M"`, 'not_a_page_view'],
  ['a proxy that is tried', `${at} "GET http://other.example/ HTTP/1.1" 200 5 "-" "M"`, 'not_a_page_view'],
  ['another host in the path', `${at} "GET //other.example/ HTTP/1.1" 200 5 "-" "M"`, 'not_a_page_view'],
  ['no agent', `${at} "GET /a HTTP/1.1" 200 5 "-" "-"`, 'no_agent'],
  ['the common format', `${at} "GET /a HTTP/1.1" 200 5`, 'not_a_log_line'],
  ['no address', `localhost - - [10/Oct/2025:13:55:36 +0200] ${rest}`, 'not_a_log_line'],
  ['no such day', `203.0.113.7 - - [31/Feb/2025:13:55:36 +0200] ${rest}`, 'not_a_log_line'],
  ['an open quote', `${at} "GET /a HTTP/1.1" 200 5 "-" "M`, 'not_a_log_line'],
  ['text', 'hello', 'not_a_log_line'],
  ['a quote alone', '[] ""', 'not_a_log_line'],
  ['a line without an end', `${at} ${rest}${'x'.repeat(70_000)}`, 'line_too_long'],
];

it.each(others)('no page view: %s', (_what, line, stopped) => {
  expect(read(line)).toEqual({ stopped });
});
