import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccessReviewAnswer } from '../../contract/access_review.ts';
import { sharedPageStorage } from '../../contract/browser_storage.ts';
import type { MetricName, QueryAnswer, QueryRequest } from '../../contract/query.ts';
import type { MadeShare, ShareList } from '../../contract/shares.ts';
import { type ReportedSite, readReport } from '../../src/analytics/reports/content.ts';
import { duesOf } from '../../src/analytics/reports/due.ts';
import { instantOf, offsetAt } from '../../src/platform/zone.ts';
import { readView } from '../../web/src/address/view.ts';
import { frameOf, overviewQuestions } from '../../web/src/questions/overview.ts';
import { openTestDesk, type RawAnswer, type TestDesk } from './desk.ts';

/** A share shows what it names to whoever has its link, and opens nothing else (AUT-13). */
let desk: TestDesk;
let session = '';
const site = 'shop.example';
/** Its clocks are changed twice a year. */
const berlin = 'berlin.example';
const path = `/api/sites/${site}/shares`;
const everything = [
  ...['totals', 'revenue', 'series', 'channels', 'sources', 'campaigns', 'pages', 'entry_pages', 'exit_pages', 'goals'],
  ...['countries', 'cities', 'devices', 'browsers', 'systems'],
];
const periods = ['7d', '28d', 'today'];

beforeAll(async () => {
  desk = await openTestDesk([site, berlin], { FAIRLEAD_TRUSTED_PROXIES: '1' });
  const signedIn = await desk.raw({
    path: '/api/sessions',
    headers: { 'content-type': 'application/json', 'x-forwarded-proto': 'https' },
    body: JSON.stringify({ email: 'owner@shop.example', password: 'a harbour of quiet rope' }),
  });
  expect(signedIn.status, signedIn.text).toBe(201);
  session = (signedIn.headers['set-cookie'] ?? []).map((one) => one.split(';')[0]).join('; ');
  await desk.call('POST', `/api/sites/${site}/goals`, { kind: 'page', match: '/thanks**', name: 'Thanks' });
  await sendVisits();
});
afterAll(() => desk.close());

/** Visits of the last ten days and of now, as a server that keeps its own log would send them. */
async function sendVisits(): Promise<void> {
  const events = [0, 1, 1, 2, 3, 3, 3, 5, 8, 9, 10].flatMap((daysAgo, visitor) => {
    const at = { ip: `203.0.113.${visitor + 1}`, user_agent: agents[visitor % 2] as string };
    const time = (minutes: number) => new Date(Date.now() - daysAgo * 86_400_000 - minutes * 60_000).toISOString();
    const view = (pathname: string, minutes: number, more: object = {}) => ({
      ...{ name: 'pageview', url: `https://${site}${pathname}`, domain: site, time: time(minutes), ...at, ...more },
    });
    const from = visitor % 3 === 0 ? { referrer: 'https://www.google.com/' } : {};
    return visitor % 2 === 0
      ? [view(`/?utm_campaign=c${visitor}`, 4, from), view(`/p/${visitor}`, 3), view('/thanks<b>&', 2)]
      : [view('/', 4, from)];
  });
  const paid = { revenue: { currency: 'EUR', amount: '19.99', order_id: 'o1' } };
  const order = { ...events[0], name: 'purchase', ...paid };
  const stored = await desk.call('POST', '/api/event', [...events, order]);
  expect([stored.status, stored.body.stored], JSON.stringify(stored.body)).toEqual([202, events.length + 1]);
  await desk.rows('SELECT 1');
}
const agents = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
];

async function asOwner(method: string, to: string, body?: object): Promise<RawAnswer> {
  return desk.raw({
    method,
    path: to,
    headers: { cookie: session, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
async function share(more: object = {}): Promise<{ id: number; path: string; token: string }> {
  const body = { name: 'For the board', kind: 'public', panels: everything, periods, ...more };
  const answer = await asOwner('POST', path, body);
  expect(answer.status, answer.text).toBe(201);
  const { share, link } = JSON.parse(answer.text) as MadeShare;
  const { pathname } = new URL(link);
  return { id: share.id, path: pathname, token: pathname.split('/')[2] as string };
}
const open = (to: string, headers: Record<string, string> = {}) => desk.raw({ method: 'GET', path: to, headers });
const give = (to: string, password: string, headers: Record<string, string> = {}) =>
  desk.raw({
    path: to,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin', ...headers },
    body: new URLSearchParams({ password }).toString(),
  });
const listed = async () => (JSON.parse((await asOwner('GET', path)).text) as ShareList).shares;

const plainText = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .trim();
/** The rows of a panel: name, then numbers. */
function rowsOf(html: string, panel: string): string[][] {
  const [, section = ''] = new RegExp(`<section[^>]*aria-label="${panel}">([\\s\\S]*?)</section>`).exec(html) ?? [];
  const [, body = ''] = /<tbody>([\s\S]*?)<\/tbody>/.exec(section) ?? [];
  return [...body.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g)].map(([, cell = '']) => plainText(cell)),
  );
}

describe('a public share', () => {
  it('says the numbers that the overview asks for, in every panel and period', async () => {
    const made = await share();
    for (const period of periods) {
      const page = await open(`${made.path}?period=${period}`);
      expect(page.status).toBe(200);
      const view = { ...readView(''), period: { kind: 'preset' as const, preset: period as '7d' } };
      const now = new Date();
      const frame = frameOf(view, now.toISOString().slice(0, 10), '2020-01-01');
      const asked = { site, frame, filters: [], time: now.toISOString().slice(11, 16) };
      const questions = overviewQuestions(asked, view, true);
      const names = Object.keys(questions);
      const { body } = await desk.call('POST', '/api/v2/query/batch', { queries: Object.values(questions) });
      type Result = { dimensions: (string | null)[]; metrics: (number | { value: number } | null)[] };
      const answers = (body.results as { results: Result[] }[]).map(({ results }) => results);
      const of = (name: string) => answers[names.indexOf(name)] ?? [];
      const totals = of('totals')[0]?.metrics as number[];
      const ofTotals = (metric: MetricName) => totals[questions.totals?.metrics.indexOf(metric) ?? -1] ?? Number.NaN;
      const shown = [...page.text.matchAll(/<dd class="kv">([^<]*)<\/dd>/g)].map(([, value = '']) => value);
      expect(shown.slice(0, 4), period).toEqual([
        ...(['visitors', 'visits', 'pageviews'] as const).map((metric) => ofTotals(metric).toLocaleString('en')),
        ofTotals('visits') === 0 ? '–' : `${ofTotals('bounce_rate').toFixed(1)}%`,
      ]);
      const money = (of('total_revenue')[0]?.metrics[0] ?? { value: Number.NaN }) as { value: number };
      expect(shown.slice(5)).toEqual([String(of('events')[0]?.metrics[0]), `€${money.value.toFixed(2)}`]);
      const counts = (rows: string[][]) => rows.map(([name = '', value]) => [name, Number(value?.replace(',', ''))]);
      const theirs = (name: string, empty = '') =>
        of(name).map(({ dimensions, metrics }) => [
          dimensions[0] === '(not set)' || dimensions[0] === '' ? empty : dimensions[0],
          metrics[0],
        ]);
      expect(counts(rowsOf(page.text, 'Channels'))).toEqual(theirs('sources channel'));
      expect(counts(rowsOf(page.text, 'Pages'))).toEqual(theirs('pages page'));
      expect(counts(rowsOf(page.text, 'Goals'))).toEqual(theirs('goals goal'));
      expect(counts(rowsOf(page.text, 'Devices'))).toEqual(theirs('devices device'));
      const course = [
        ...page.text.matchAll(
          /<tr><th scope="row">([^<]*)(?:<span[^>]*>[^<]*<\/span>)?<\/th><td class="num">([\d,]+)<\/td>/g,
        ),
      ];
      const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);
      expect(sum(course.map(([, , value]) => Number(value)))).toBe(
        sum(of('series').map(({ metrics }) => Number(metrics[0]))),
      );
      if (period === '28d') expect([totals[0], rowsOf(page.text, 'Pages').length]).toEqual([11, 8]);
    }
  });

  it('is a page without scripts, cookies and requests elsewhere, in no frame and no index (COK-03)', async () => {
    const { path: to } = await share();
    const { headers, text } = await open(to);
    expect(headers['set-cookie']).toBeUndefined();
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers).toMatchObject({
      'x-robots-tag': 'noindex, nofollow',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(text).toContain('<meta name="robots" content="noindex, nofollow">');
    expect(text).not.toMatch(/<script|\son\w+=|style="|https?:/);
    expect([...text.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, one]) => one)).toEqual([
      '/share/assets/style.css',
      ...['today', '7d', '28d'].map((period) => `?period=${period}`),
    ]);
    // What a visitor wrote into an address is text.
    expect(text).toContain('/thanks&lt;b&gt;&amp;');
  });

  it('shows its panels and nothing that anybody asks beside them', async () => {
    const { path: to } = await share({ panels: ['pages'] });
    const { text } = await open(to);
    expect(text).toContain('aria-label="Pages"');
    expect(text).not.toMatch(/Visit duration|aria-label="Channels"|Google|<svg class="plot"/);
    const more = new URLSearchParams({
      ...{ period: '90d', panels: 'sources', metrics: 'total_revenue', dimensions: 'visit:country' },
      ...{ filters: '[["is","event:page",["/thanks"]]]', site_id: site, date_range: 'all', limit: '1000' },
    });
    expect((await open(`${to}?${more}`)).text).toBe(text);
  });

  it('its token opens no call of the API, wherever it is put (AUT-13)', async () => {
    const { token, path: to } = await share();
    const calls = desk.server.routes.filter(({ access }) => access !== 'public');
    expect(calls.length).toBeGreaterThan(20);
    const question = JSON.stringify({ site_id: site, metrics: ['visitors'], date_range: 'day' });
    for (const { method, path: pattern } of calls) {
      const named = pattern.replace(':domain', site).replaceAll(/:\w+/g, '1');
      for (const headers of [
        { authorization: `Bearer ${token}` },
        { cookie: `__Host-fairlead_access=${token}; __Host-fairlead_share_1=${token}` },
      ] as Record<string, string>[]) {
        const body = ['GET', 'DELETE'].includes(method) ? {} : { body: question };
        const answer = await desk.raw({
          method,
          path: `${named}?token=${token}&auth=${token}&share=${token}`,
          headers,
          ...body,
        });
        expect(answer.status, `${method} ${named}`).toBe(401);
      }
    }
    for (const method of ['POST', 'PUT', 'DELETE'])
      expect((await desk.raw({ method, path: `${to}/api/v2/query`, body: question })).status).toBe(404);
    // And the right asker gets an answer.
    expect((await desk.call('POST', '/api/v2/query', JSON.parse(question))).status).toBe(200);
  });

  it('counts its views by day', async () => {
    const made = await share({ name: 'counted' });
    expect((await listed()).find(({ id }) => id === made.id)).toMatchObject({ views_30_days: 0, last_opened_on: null });
    for (let view = 0; view < 3; view++) await open(made.path);
    const today = new Date().toISOString().slice(0, 10);
    expect((await listed()).find(({ id }) => id === made.id)).toMatchObject({
      views_30_days: 3,
      last_opened_on: today,
    });
  });
});

describe('a link that opens nothing', () => {
  it('answers alike when it is unknown, revoked, replaced, expired, or of another kind', async () => {
    const unknown = await open(`/share/${'A'.repeat(32)}`);
    expect(unknown.status).toBe(404);
    const alike = async (to: string, what: string) => {
      const { status, text, headers } = await open(to);
      expect([status, text, headers['content-security-policy']], what).toEqual([
        404,
        unknown.text,
        unknown.headers['content-security-policy'],
      ]);
    };
    const revoked = await share();
    expect((await open(revoked.path)).status).toBe(200);
    expect((await asOwner('DELETE', `${path}/${revoked.id}`)).status).toBe(204);
    await alike(revoked.path, 'revoked');
    // The review of access lists it with the page of its site, and takes it away in the same way.
    const reviewed = await share();
    const reviews = '/api/organisations/1/access-reviews';
    await asOwner('POST', reviews, {});
    const [{ id: review }] = JSON.parse((await asOwner('GET', reviews)).text).reviews as [{ id: number }];
    const { lines } = JSON.parse((await asOwner('GET', `${reviews}/${review}`)).text) as AccessReviewAnswer;
    const line = lines.find(({ kind, id }) => kind === 'share' && id === reviewed.id);
    expect(line?.gives).toMatch(/^whoever has the link, /);
    const removal = { kind: 'share', id: reviewed.id, gives: line?.gives, decision: 'removed' };
    expect((await asOwner('POST', `${reviews}/${review}/decisions`, { decisions: [removal] })).status).toBe(201);
    await alike(reviewed.path, 'removed by a review');
    const replaced = await share();
    const again = JSON.parse((await asOwner('POST', `${path}/${replaced.id}/links`)).text) as MadeShare;
    await alike(replaced.path, 'replaced');
    expect((await open(new URL(again.link).pathname)).status).toBe(200);
    const expired = await share({ expires_on: new Date(Date.now() + 86_400_000).toISOString().slice(0, 10) });
    expect((await open(expired.path)).status).toBe(200);
    const organisation = await desk.rows<{ id: number }>('SELECT 1 AS id');
    await desk.server.desk.house.postgres.tenant(organisation[0]?.id ?? 1, (sql) =>
      sql.run(`UPDATE shares SET expires_on = current_date - 1 WHERE id = $1`, [expired.id]),
    );
    await alike(expired.path, 'expired');
    expect((await listed()).find(({ id }) => id === expired.id)?.expired).toBe(true);
    const widget = await share({ kind: 'widget', panels: ['totals'], hosts: ['blog.example'] });
    await alike(widget.path.replace('/widget', ''), 'a widget as a page');
    // A frame says so inside the page around it, whichever that is, and says no more than of a link that never was.
    expect((await asOwner('DELETE', `${path}/${widget.id}`)).status).toBe(204);
    for (const to of [widget.path, `${new URL(again.link).pathname}/widget`, `/share/${'A'.repeat(32)}/widget`]) {
      const { status, text, headers } = await open(`${to}?theme=dark`);
      expect([status, headers['content-security-policy']]).toEqual([404, expect.stringMatching(/frame-ancestors \*$/)]);
      expect(text).toBe((await open(`/share/${'B'.repeat(32)}/widget?theme=dark`)).text);
      expect(text).toContain('data-theme="dark"');
    }
    for (const odd of ['x', '..', '%00', `${'A'.repeat(200)}`, "'%20OR%201=1"]) await alike(`/share/${odd}`, odd);
  });

  it('is stored as a digest: no row has it', async () => {
    const { token, id } = await share();
    const [row] = await desk.server.desk.house.postgres.tenant(1, (sql) =>
      sql.query<Record<string, unknown>>('SELECT * FROM shares WHERE id = $1', [id]),
    );
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(JSON.stringify(row)).not.toContain(token);
    expect(Object.keys(row ?? {})).toContain('digest');
    expect((await asOwner('GET', path)).text).not.toMatch(new RegExp(`${token}|digest|password_hash`));
  });
});

describe('a share with a password', () => {
  it('asks for it, opens for twelve hours in that browser, and for no other share', async () => {
    const made = await share({ kind: 'password', password: 'quiet harbour' });
    const other = await share({ kind: 'password', password: 'quiet harbour' });
    const asked = await open(made.path);
    expect([asked.status, asked.headers['set-cookie']]).toEqual([200, undefined]);
    expect(asked.text).toContain('type="password"');
    expect(asked.text).not.toMatch(/Visit duration|shop\.example|For the board/);
    const wrong = await give(made.path, 'loud harbour');
    expect([wrong.status, wrong.headers['set-cookie']]).toEqual([403, undefined]);
    const right = await give(made.path, 'quiet harbour');
    expect([right.status, right.headers.location]).toEqual([303, made.path]);
    const [cookie = ''] = right.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(
      /^__Host-fairlead_share_\d+=\d+\.[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const guide = readFileSync(new URL('../../docs/guides/cookies.md', import.meta.url), 'utf8');
    const [{ kind, name, purpose, until }] = sharedPageStorage;
    expect(cookie.startsWith(`${name}${made.id}=`)).toBe(true);
    expect(guide, 'COK-04').toContain(`| ${kind} | \`${name}\` | ${purpose} | ${until} |`);
    const value = cookie.split(';')[0] as string;
    expect((await open(made.path, { cookie: value })).text).toContain('Visit duration');
    const moved = value.replace(`share_${made.id}=`, `share_${other.id}=`);
    const later = value.replace(/=(\d+)/, (_, until) => `=${Number(until) + 1}`);
    for (const forged of [moved, later, `__Host-fairlead_share_${made.id}=1.x`])
      expect((await open((forged === moved ? other : made).path, { cookie: forged })).text).toContain(
        'type="password"',
      );
    // A new password ends what the old one opened, and so does a new link.
    expect((await asOwner('PATCH', `${path}/${made.id}`, { password: 'another harbour' })).status).toBe(200);
    expect((await open(made.path, { cookie: value })).text).toContain('type="password"');
    expect((await give(made.path, 'another harbour', { origin: 'https://evil.example' })).status).toBe(403);
  });

  it('can be given one later, and lose it: the link stays, and what was opened by the old one ends', async () => {
    const made = await share({ name: 'Changing', panels: ['totals'] });
    const change = (body: object) => asOwner('PATCH', `${path}/${made.id}`, body);
    expect((await open(made.path)).text).toContain('Visit duration');
    expect(JSON.parse((await change({ password: 'quiet harbour' })).text)).toMatchObject({ kind: 'password' });
    expect((await open(made.path)).text).toContain('type="password"');
    const cookie = (await give(made.path, 'quiet harbour')).headers['set-cookie']?.[0]?.split(';')[0] as string;
    expect((await open(made.path, { cookie })).text).toContain('Visit duration');
    expect(JSON.parse((await change({ password: null })).text)).toMatchObject({ kind: 'public', panels: ['totals'] });
    expect((await open(made.path)).text).toContain('Visit duration');
    expect((await change({ password: 'quiet harbour', name: 'Changed', expires_on: null })).status).toBe(200);
    expect((await open(made.path, { cookie })).text).toContain('type="password"');
    const { entries } = JSON.parse((await asOwner('GET', '/api/organisations/1/audit?action=share.changed')).text) as {
      entries: { details: Record<string, string> | null }[];
    };
    expect(entries.slice(0, 3).map(({ details }) => details)).toEqual([
      { members: 'expires_on name password', kind: 'password' },
      { members: 'password', kind: 'public' },
      { members: 'password', kind: 'password' },
    ]);
    // A widget asks nobody, and stays one.
    const widget = await share({ kind: 'widget', panels: ['totals'], hosts: ['blog.example'] });
    for (const [password, status] of [
      ['quiet harbour', 400],
      [null, 200],
    ])
      expect((await asOwner('PATCH', `${path}/${widget.id}`, { password })).status).toBe(status);
    expect((await open(widget.path)).status).toBe(200);
  });

  it('makes a guesser wait, whichever share knows that address, and nobody else', async () => {
    const made = await share({ kind: 'password', password: 'quiet harbour' });
    const guesser = { 'x-forwarded-for': '198.51.100.7' };
    for (let guess = 0; guess < 5; guess++) expect((await give(made.path, `guess ${guess}`, guesser)).status).toBe(403);
    const refused = await give(made.path, 'quiet harbour', guesser);
    expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    expect((await give(made.path, 'quiet harbour', { 'x-forwarded-for': '192.0.2.8' })).status).toBe(303);
  });
});

describe('a widget', () => {
  it('stands in frames of its hosts alone, in the theme that the page asks for', async () => {
    const hosts = ['https://WWW.Shop.example/page', '*.blog.example', 'localhost:3000'];
    const made = await share({ kind: 'widget', panels: ['totals', 'series'], hosts });
    expect(made.path).toMatch(/\/widget$/);
    const { status, headers, text } = await open(`${made.path}?theme=dark`);
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toMatch(
      / frame-ancestors www\.shop\.example \*\.blog\.example localhost:3000$/,
    );
    expect(headers['cross-origin-resource-policy']).toBe('cross-origin');
    expect([headers['x-frame-options'], (await open('/sign-in')).headers['x-frame-options']]).toEqual([
      undefined,
      'DENY',
    ]);
    expect(headers['set-cookie']).toBeUndefined();
    expect(text).toContain('data-theme="dark"');
    expect((await open(`${made.path}?theme="><script>`)).text).not.toMatch(/data-theme|<script/);
    for (const host of ["'none'; script-src *", '*', '*.example', 'a b', 'shop.example;x', 'user@shop.example', ''])
      expect(
        (await asOwner('POST', path, { ...{ name: 'w', kind: 'widget', panels: ['totals'], periods }, hosts: [host] }))
          .status,
        host,
      ).toBe(400);
    for (const body of [
      { panels: ['pages'], hosts: ['shop.example'] },
      { panels: ['totals'], hosts: [] },
      { panels: ['totals'] },
    ])
      expect((await asOwner('POST', path, { name: 'w', kind: 'widget', periods, ...body })).status).toBe(400);
  });
});

describe('a report by mail', () => {
  it('says the numbers that the query API says of the same days, and goes to who asks', async () => {
    // The report of a week is there at seven in the morning after it; until then it is that of the week before.
    const monday = new Date(Date.now() - 7 * 3_600_000);
    monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
    const day = (before: number) => new Date(monday.getTime() - before * 86_400_000).toISOString().slice(0, 10);
    const asked = { site_id: site, date_range: [day(7), day(1)] };
    const metrics = ['visitors', 'visits', 'pageviews', 'bounce_rate'];
    const list = (dimension: string, metric: string) => ({
      ...{
        ...asked,
        metrics: [metric],
        dimensions: [dimension],
        order_by: [[metric, 'desc']],
        pagination: { limit: 5 },
      },
    });
    const { body } = await desk.call('POST', '/api/v2/query/batch', {
      queries: [
        { ...asked, metrics, include: { decimals: true } },
        list('event:page', 'pageviews'),
        list('event:goal', 'visitors'),
      ],
    });
    type Result = { dimensions: string[]; metrics: number[] };
    const [totals = [], pages = [], goals = []] = (body.results as { results: Result[] }[]).map(
      ({ results }) => results,
    );
    const page = await open(`/api/sites/${site}/report-preview?kind=weekly`, { cookie: session });
    expect(page.status, page.text).toBe(200);
    const rows = [...page.text.matchAll(/<tr><th scope="row"[^>]*>([^<]*)<\/th><td[^>]*>([^<]*)<\/td>/g)].map(
      ([, name = '', value = '']) => [plainText(name), value],
    );
    const [visitors, visits, views, bounces] = totals[0]?.metrics ?? [];
    expect(visitors).toBeGreaterThan(0);
    expect(rows.slice(0, 4)).toEqual([
      ...[
        ['Visitors', String(visitors)],
        ['Visits', String(visits)],
        ['Page views', String(views)],
      ],
      ['Bounce rate', visits === 0 ? '–' : `${bounces?.toFixed(1)}%`],
    ]);
    for (const {
      dimensions,
      metrics: [value],
    } of [...pages, ...goals])
      expect(rows).toContainEqual([dimensions[0], String(value)]);
    expect(page.text).toMatch(/<img src="data:image\/png;base64,/);
    expect(page.text).not.toMatch(/<script|https?:\/\/(?!127|localhost)/);

    const { postgres } = desk.server.desk.house;
    const { person } = JSON.parse((await asOwner('GET', '/api/session')).text) as { person: { id: number } };
    const mails = () =>
      postgres.person(person.id, (sql) => sql.query('SELECT 1 FROM mail.messages WHERE template = $1', ['report']));
    const before = (await mails()).length;
    expect((await asOwner('POST', `/api/sites/${site}/report-sendings`, { kind: 'weekly' })).status).toBe(202);
    expect((await mails()).length).toBe(before + 1);
    const chosen = await asOwner('PUT', `/api/sites/${site}/report-subscription`, { weekly: true, monthly: false });
    expect(JSON.parse(chosen.text)).toMatchObject({ weekly: true, monthly: false });
  });

  it('says what the overview says, of a week in which clocks are changed too', async () => {
    const timezone = 'Europe/Berlin';
    expect((await asOwner('PATCH', `/api/sites/${berlin}`, { timezone })).status).toBe(200);
    // The last Sunday on which a day of Berlin had 23 or 25 hours, and the Tuesday after it.
    const dayMs = 86_400_000;
    let sunday = Math.floor(Date.now() / dayMs) * dayMs - 2 * dayMs;
    while (offsetAt(sunday, timezone) === offsetAt(sunday + dayMs, timezone)) sunday -= dayMs;
    const [due] = duesOf('weekly', sunday + 2.5 * dayMs, timezone, 1);
    if (due === undefined) return expect.fail('No week is due.');
    const monday = instantOf(sunday + dayMs, timezone);
    const first = instantOf(sunday - 6 * dayMs, timezone);
    expect((monday - first) / 3_600_000 - 168).toBe(offsetAt(first, timezone) > offsetAt(monday, timezone) ? 1 : -1);
    const views = [first - 60_000, first, sunday, monday - 60_000, monday].map((at, visitor) => ({
      ...{ name: 'pageview', url: `https://${berlin}/p${visitor}`, domain: berlin, time: new Date(at).toISOString() },
      ...{ ip: `198.51.100.${visitor + 1}`, user_agent: agents[0] },
    }));
    expect((await desk.call('POST', '/api/event', views)).body.stored).toBe(views.length);
    await desk.rows('SELECT 1');

    const ask = async (queries: QueryRequest[]) =>
      (await desk.call('POST', '/api/v2/query/batch', { queries })).body.results as QueryAnswer[];
    const reported: ReportedSite = {
      id: 2,
      organisation_id: 1,
      domain: berlin,
      timezone,
      currency: 'EUR',
      revenue: true,
      createdAt: 0,
    };
    const report = await readReport((_site, requests) => ask([...requests]), reported, due, undefined);
    const { from, to } = due.range;
    const view = { ...readView(''), period: { kind: 'days' as const, from, to } };
    const frame = frameOf(view, new Date().toISOString().slice(0, 10), '2020-01-01');
    expect([frame.range, frame.before]).toEqual([due.range, due.before]);
    const questions = overviewQuestions({ site: berlin, frame, filters: [], time: '12:00' }, view, true);
    const answers = await ask(Object.values(questions) as QueryRequest[]);
    const of = (name: string) => answers[Object.keys(questions).indexOf(name)]?.results ?? [];
    const [visitors, visits, pageviews] = of('totals')[0]?.metrics ?? [];
    expect(visitors).toBe(3);
    expect(report.figures.slice(0, 3).map(({ text }) => text)).toEqual([visitors, visits, pageviews].map(String));
    expect(report.days).toEqual([1, 0, 0, 0, 0, 0, 2]);
    expect(report.lists.find(({ title }) => title === 'Pages')?.rows).toEqual(
      of('pages page').map(({ dimensions, metrics }) => ({ name: dimensions[0], text: String(metrics[0]) })),
    );
  });
});

it('every page of a share names who answers for it, escaped; before the password the operator alone, and a widget in one line (OPS-04)', async () => {
  const said = { address: '2 Pier\nPort', contact: 'data@shop.example', jurisdiction: 'Ireland', officer: 'Nora Quay' };
  const rest = { registration: '', representative: '', authority: 'Authority of the port', measuring_basis: '' };
  const of = (name: string) => ({ legal_name: name, ...said, ...rest });
  const { measuring_basis: _, ...ofOperator } = of('Harbour Works');
  const [open1, locked] = [await share(), await share({ kind: 'password', password: 'quiet harbour' })];
  const framed = await share({ kind: 'widget', panels: ['totals'], hosts: ['blog.example'] });
  const before = (await open(open1.path)).text;
  expect(before.match(/<footer class="foot">.*<\/footer>/)?.[0].match(/<p>/g)).toHaveLength(1);
  expect((await asOwner('PUT', '/api/organisations/1/identity', of('<b>Shop</b> & Sons'))).status).toBe(200);
  expect((await asOwner('PUT', '/api/desk/identity', ofOperator)).status).toBe(200);
  const shop = '<p>Shop · &lt;b&gt;Shop&lt;/b&gt; &amp; Sons · 2 Pier, Port · Law: Ireland · ';
  const operator = '<p>Operator of this desk · Harbour Works · 2 Pier, Port · Law: Ireland · ';
  const cookie = (await give(locked.path, 'quiet harbour')).headers['set-cookie']?.[0]?.split(';')[0] as string;
  const preview = await asOwner('GET', `/api/sites/${site}/share-preview?kind=public&panels=totals&periods=7d`);
  for (const { text } of [await open(open1.path), await open(locked.path, { cookie }), preview])
    expect([text.includes(shop), text.includes(operator)], text).toEqual([true, true]);
  // Whoever has a link without its password learns who runs the desk, and not whose numbers are behind it.
  for (const { text } of [
    await open(locked.path),
    await give(locked.path, 'loud harbour'),
    await open(`/share/${'A'.repeat(32)}`),
  ])
    expect([text.includes('Sons'), text.includes(operator)], text).toEqual([false, true]);
  const widget = (await open(framed.path)).text;
  expect(widget).toContain('<footer>&lt;b&gt;Shop&lt;/b&gt; &amp; Sons · Counted without cookies by Fairlead</footer>');
  expect(widget).not.toContain('Harbour Works');
});
