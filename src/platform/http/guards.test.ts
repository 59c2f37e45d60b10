import { describe, expect, it } from 'vitest';
import { stillClock } from '../clock.ts';
import { openHostCheck } from './hosts.ts';
import { openKeyRate } from './key_rate.ts';
import { openPolicyReports } from './policy_reports.ts';
import type { Principal, RequestError, RouteRequest } from './route.ts';
import { refuseCrossSite, refuseOtherContent } from './same_site.ts';

describe('the account plane goes by the names of the desk', () => {
  const check = openHostCheck('https://desk.example', ['inside.example']);
  const refusal = (host: string | undefined) => {
    try {
      check(host);
      return undefined;
    } catch (error) {
      return (error as RequestError).code;
    }
  };
  it.each([
    'desk.example',
    'DESK.example:8443',
    'desk.example.',
    'inside.example',
    'localhost:7070',
    'shop.localhost',
    '127.0.0.1:7070',
    '[::1]:7070',
    '192.168.1.20:7070',
    '[2001:db8::5]',
  ])('%s is let in', (host) => expect(refusal(host)).toBeUndefined());
  it.each([
    'evil.example',
    'desk.example.evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'desk.example@evil.example',
    'desk.example/x',
    '[evil]',
    '',
    undefined,
  ])('%s is not', (host) => expect(refusal(host)).toBe('misdirected'));
});

it('an API key makes so many calls a minute, told by headers, and each key has its own', () => {
  const clock = stillClock(0);
  const rate = openKeyRate({ clock, perMinute: 60 });
  expect(rate.take(1)).toEqual({ 'ratelimit-policy': '"key";q=60;w=60', ratelimit: '"key";r=59;t=1' });
  for (let calls = 1; calls < 60; calls++) rate.take(1);
  expect(() => rate.take(1)).toThrow(
    expect.objectContaining({ code: 'rate_limited', headers: expect.objectContaining({ 'retry-after': '1' }) }),
  );
  expect(rate.take(2).ratelimit).toBe('"key";r=59;t=1');
  clock.travel(1_000);
  rate.take(1);
  expect(() => rate.take(1)).toThrow();
  clock.travel(3_600_000);
  expect(rate.take(1).ratelimit, 'never more than a minute of them').toBe('"key";r=59;t=1');
});

describe('what a foreign page can make a browser send', () => {
  const person = { kind: 'person', id: 1, can: () => true } as Principal;
  const key = { ...person, kind: 'key' } as Principal;
  const withBody = { body: {} as never };
  const content: [string, string | undefined, object, Principal | undefined, boolean][] = [
    ['JSON', 'application/json', withBody, person, true],
    ['JSON with a charset', 'application/json; charset=utf-8', withBody, person, true],
    ['a form', 'application/x-www-form-urlencoded', withBody, person, false],
    ['a form to a call without a body', 'application/x-www-form-urlencoded', {}, person, false],
    ['plain text with JSON in it', 'text/plain', withBody, person, false],
    ['something that begins like JSON', 'application/jsonp', withBody, undefined, false],
    ['a body that says nothing', undefined, withBody, undefined, false],
    ['no body at all', undefined, {}, person, true],
    ['plain text with a key', 'text/plain', withBody, key, true],
  ];
  it.each(content)('%s', (_title, type, route, principal, taken) => {
    const request = { method: 'POST', headers: type === undefined ? {} : { 'content-type': type } };
    const ask = () => refuseOtherContent(request, route, principal);
    if (taken) ask();
    else expect(ask).toThrow(expect.objectContaining({ code: 'unsupported_media_type' }));
  });

  it('an unnamed origin is ours only where the browser says so', () => {
    const ask = (site?: string) =>
      refuseCrossSite(
        'https://desk.example',
        { method: 'POST', headers: { origin: 'null', ...(site === undefined ? {} : { 'sec-fetch-site': site }) } },
        undefined,
      );
    ask('same-origin');
    for (const site of [undefined, 'none', 'cross-site']) expect(() => ask(site), site).toThrow();
  });
});

it('of a report about the page policy two words are kept', async () => {
  const clock = stillClock(0);
  const reports = openPolicyReports({ clock, publicUrl: 'https://desk.example' });
  const send = (value: unknown) =>
    reports.routes[0]?.handle({ body: Buffer.from(JSON.stringify(value)) } as RouteRequest<unknown, unknown, unknown>);
  const old = (directive: string, blocked: string) =>
    send({
      'csp-report': {
        'document-uri': 'https://desk.example/o/secret-name',
        'effective-directive': directive,
        'blocked-uri': blocked,
        'script-sample': 'secret-sample',
      },
    });
  await old('script-src-elem', 'inline');
  await old('script-src-elem', 'https://evil.example/x.js?who=secret');
  await old('made-up', 'chrome-extension://abcdef');
  await send([
    { type: 'csp-violation', body: { effectiveDirective: 'img-src', blockedURL: 'https://desk.example/a' } },
  ]);
  expect(reports.gauges[0]?.read()).toEqual([
    { labels: { directive: 'script-src-elem', blocked: 'inline' }, value: 1 },
    { labels: { directive: 'script-src-elem', blocked: 'elsewhere' }, value: 1 },
    { labels: { directive: 'other', blocked: 'extension' }, value: 1 },
    { labels: { directive: 'img-src', blocked: 'own' }, value: 1 },
  ]);
  await expect(send({ other: 1 })).rejects.toMatchObject({ code: 'invalid_field' });
  for (let sent = 5; sent < 60; sent++) await old('img-src', 'data:image/png');
  await expect(old('img-src', 'data')).rejects.toMatchObject({ code: 'rate_limited' });
  clock.travel(60_000);
  await old('img-src', 'data');
});
