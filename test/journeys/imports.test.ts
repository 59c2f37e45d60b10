import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { onDesk } from '../../src/app/with_desk.ts';
import { readConfig } from '../../src/platform/config.ts';
import { zipOf } from '../../src/platform/files/zip_rig.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk([
    'shop.example',
    'blog.example',
    'log.example',
    'old.example',
    'umami.example',
    'ga.example',
  ]);
});
afterAll(() => desk.close());

interface Report {
  import: number;
  lines: number;
  stored: number;
  stopped: Record<string, { rows: number; lines: (number | string)[] }>;
  days?: { first: string; last: string };
  [more: string]: unknown;
}

async function importFile(kind: string, site: string, body: Buffer | string, more: Record<string, string> = {}) {
  const pieces = Buffer.from(body as string);
  return (await onDesk(
    {
      command: 'import',
      args: { kind, site, file: `${kind}-${site}`, ...more },
      body: Readable.from([pieces.subarray(0, 1_000), pieces.subarray(1_000)]),
    },
    readConfig({ FAIRLEAD_DATA_DIR: desk.dataDir }),
  )) as Report;
}

async function undo(site: string, number: number) {
  return onDesk(
    { command: 'undo-import', args: { site, import: String(number) } },
    readConfig({ FAIRLEAD_DATA_DIR: desk.dataDir }),
  );
}

/** Rows of an answer as `label…: metric…`. */
async function ask(site: string, metrics: string[], dimensions: string[] = [], more: object = {}) {
  const { status, body } = await desk.call('POST', '/api/v2/query', {
    site_id: site,
    metrics,
    dimensions,
    date_range: ['2026-01-01', '2026-01-31'],
    include: { imports: true },
    ...more,
  });
  expect([status, body]).toEqual([200, expect.anything()]);
  const { results, meta } = body as { results: { dimensions: string[]; metrics: unknown[] }[]; meta: object };
  return { rows: results.map((row) => [...row.dimensions, ...row.metrics]), meta };
}

/** The ten tables as Plausible writes them, two days each. */
function plausibleArchive(extra: { name: string; text: string }[] = []): Buffer {
  const span = '20260110_20260111';
  const visits = 'visitors,visits,visit_duration,bounces,pageviews';
  const texts: Record<string, string> = {
    visitors:
      'date,visitors,pageviews,bounces,visits,visit_duration\n2026-01-10,10,40,3,12,600\n2026-01-11,20,60,5,25,1000\n',
    sources:
      'date,source,referrer,utm_source,utm_campaign,utm_medium,utm_content,utm_term,pageviews,visitors,visits,visit_duration,bounces\n' +
      '2026-01-10,Google,google.com,,,,,,30,7,8,400,2\n2026-01-10,,,,,,,,10,3,4,200,1\n2026-01-11,"\'=cmd, ""x""",,newsletter,,email,,,60,20,25,1000,5\n',
    pages:
      'date,hostname,page,visits,visitors,pageviews,total_scroll_depth,total_scroll_depth_visits,total_time_on_page,total_time_on_page_visits\n' +
      '2026-01-10,shop.example,/,12,10,25,500,10,300,10\n2026-01-11,shop.example,/a?token=1,25,20,75,900,15,900,18\n',
    entry_pages:
      'date,entry_page,visitors,entrances,visit_duration,bounces,pageviews\n2026-01-10,/,10,12,600,3,40\n2026-01-11,/a,20,25,1000,5,60\n',
    exit_pages:
      'date,exit_page,visitors,visit_duration,exits,bounces,pageviews\n2026-01-10,/,10,600,12,3,40\n2026-01-11,/b,20,1000,25,5,60\n',
    custom_events:
      'date,name,link_url,path,visitors,events\n2026-01-10,Signup,,,4,5\n2026-01-11,Outbound Link: Click,https://x.example/?k=1,,2,2\n',
    locations: `date,country,region,city,${visits}\n2026-01-10,DE,DE-NW,2886242,8,10,600,3,30\n2026-01-10,DE,DE-NW,0,2,2,0,0,10\n2026-01-11,FR,,0,20,25,1000,5,60\n`,
    devices: `date,device,${visits}\n2026-01-10,Desktop,10,12,600,3,40\n2026-01-11,Mobile,20,25,1000,5,60\n`,
    browsers: `date,browser,browser_version,${visits}\n2026-01-10,Firefox,130.0,10,12,600,3,40\n2026-01-11,Chrome,120.0,20,25,1000,5,60\n`,
    operating_systems: `date,operating_system,operating_system_version,${visits}\n2026-01-10,Mac,10.15,10,12,600,3,40\n2026-01-11,Windows,10,20,25,1000,5,60\n`,
  };
  const members = Object.entries(texts).map(([name, text]) => ({
    name: `imported_${name}_${span}.csv`,
    text: `\ufeff${text.replaceAll('\n', '\r\n')}`,
  }));
  return zipOf([...members, ...extra]);
}

it('a dry run of a Plausible archive says what would come and stores nothing', async () => {
  const report = await importFile('plausible', 'shop.example', plausibleArchive([{ name: 'notes.txt', text: 'x' }]), {
    dry_run: '1',
  });
  expect(report).toMatchObject({
    dry_run: true,
    lines: 22,
    stored: 22,
    stopped: {},
    days: { first: '2026-01-10', last: '2026-01-11' },
    tables: { visitors: { rows: 2, days: 2, visitors: 30, visits: 37, pageviews: 100 } },
    notUnderstood: ['notes.txt'],
  });
  expect(await desk.rows('SELECT count() AS n FROM imported_days')).toEqual([{ n: '0' }]);
});

it('a Plausible archive answers questions that its tables can answer, beside nothing measured', async () => {
  const report = await importFile('plausible', 'shop.example', plausibleArchive());
  expect(report).toMatchObject({ stored: 22, import: expect.any(Number) });
  const total = await ask('shop.example', [
    'visitors',
    'visits',
    'pageviews',
    'bounce_rate',
    'visit_duration',
    'views_per_visit',
  ]);
  expect(total.rows).toEqual([[30, 37, 100, 22, 43, 2.7]]);
  expect(total.meta).toEqual({ imports_included: true, imported_days: [['2026-01-10', '2026-01-11']] });
  const byDay = await ask('shop.example', ['visitors'], ['time:day'], { date_range: ['2026-01-09', '2026-01-12'] });
  expect(byDay.rows).toEqual([
    ['2026-01-10', 10],
    ['2026-01-11', 20],
  ]);
  const byWeek = await ask('shop.example', ['visitors'], ['time:week'], { date_range: ['2026-01-05', '2026-01-18'] });
  expect(byWeek.rows).toEqual([['2026-01-05', 30]]);
  const lists: [string[], string[], unknown[][]][] = [
    [
      ['visitors', 'percentage'],
      ['visit:source'],
      [
        ['=cmd, "x"', 20, 66.67],
        ['Google', 7, 23.33],
        ['Direct / None', 3, 10],
      ],
    ],
    [
      ['visitors'],
      ['visit:channel'],
      [
        ['Email', 20],
        ['Organic Search', 7],
        ['Direct', 3],
      ],
    ],
    [
      ['visitors', 'visits'],
      ['visit:utm_source', 'visit:utm_medium'],
      [
        ['newsletter', 'email', 20, 25],
        ['(not set)', '(not set)', 10, 12],
      ],
    ],
    [
      ['pageviews', 'visitors', 'scroll_depth', 'time_on_page'],
      ['event:page'],
      [
        ['/a', 75, 20, 60, 50],
        ['/', 25, 10, 50, 30],
      ],
    ],
    [
      ['visits', 'bounce_rate'],
      ['visit:entry_page'],
      [
        ['/a', 25, 20],
        ['/', 12, 25],
      ],
    ],
    [
      ['visitors'],
      ['visit:exit_page'],
      [
        ['/b', 20],
        ['/', 10],
      ],
    ],
    [
      ['events', 'visitors'],
      ['event:name'],
      [
        ['Signup', 5, 4],
        ['Outbound Link: Click', 2, 2],
      ],
    ],
    [
      ['visitors'],
      ['visit:country_name'],
      [
        ['France', 20],
        ['Germany', 10],
      ],
    ],
    [
      ['visitors'],
      ['visit:region', 'visit:city'],
      [
        ['(not set)', '(not set)', 20],
        ['North Rhine-Westphalia', 'Cologne', 8],
        ['North Rhine-Westphalia', '(not set)', 2],
      ],
    ],
    [
      ['visitors'],
      ['visit:device'],
      [
        ['Mobile', 20],
        ['Desktop', 10],
      ],
    ],
    [
      ['visitors'],
      ['visit:browser', 'visit:browser_version'],
      [
        ['Chrome', '120', 20],
        ['Firefox', '130', 10],
      ],
    ],
    [
      ['visitors'],
      ['visit:os'],
      [
        ['Windows', 20],
        ['macOS', 10],
      ],
    ],
  ];
  for (const [metrics, dimensions, rows] of lists)
    expect([dimensions, (await ask('shop.example', metrics, dimensions)).rows]).toEqual([dimensions, rows]);
});

it('filters of the same table are answered, others say why not', async () => {
  const google = await ask('shop.example', ['visitors'], ['visit:referrer'], {
    filters: [['is', 'visit:source', ['Google']]],
  });
  expect(google).toEqual({
    rows: [['google.com', 7]],
    meta: { imports_included: true, imported_days: expect.anything() },
  });
  const page = await ask('shop.example', ['pageviews'], [], { filters: [['contains', 'event:page', ['a']]] });
  expect(page.rows).toEqual([[75]]);
  const two = await ask('shop.example', ['visitors'], ['visit:source'], {
    filters: [['is', 'visit:device', ['Mobile']]],
  });
  expect(two).toMatchObject({
    rows: [],
    meta: { imports_included: false, imports_skip_reason: 'unsupported_query', imports_warning: expect.any(String) },
  });
  const hours = await ask('shop.example', ['visitors'], ['time:hour'], { date_range: ['2026-01-10', '2026-01-10'] });
  expect(hours).toMatchObject({ rows: [], meta: { imports_skip_reason: 'unsupported_interval' } });
  const elsewhen = await ask('shop.example', ['visitors'], [], { date_range: ['2026-02-01', '2026-02-03'] });
  expect(elsewhen).toEqual({ rows: [[0]], meta: { imports_included: false, imports_skip_reason: 'out_of_range' } });
  const bounces = await ask('shop.example', ['visitors', 'bounce_rate', 'visits'], ['event:page']);
  // A count stays what was imported; the rate that it goes into has no other half.
  expect(bounces.rows).toEqual([
    ['/a', 20, null, 25],
    ['/', 10, null, 12],
  ]);
  expect(bounces.meta).toMatchObject({
    imports_included: true,
    metric_warnings: { bounce_rate: { code: 'not_in_imported_days', warning: expect.stringContaining('bounce_rate') } },
  });
  const rate = await ask('shop.example', ['visitors', 'bounce_rate'], ['event:page']);
  expect([rate.rows, rate.meta]).toEqual([
    [
      ['/a', 20, 0],
      ['/', 10, 0],
    ],
    expect.objectContaining({ imports_warning: expect.stringContaining('bounce_rate') }),
  ]);
  const without = await ask('shop.example', ['visitors'], [], { include: {} });
  expect(without).toEqual({ rows: [[0]], meta: { imported_days: [['2026-01-10', '2026-01-11']] } });
  const all = await ask('shop.example', ['visitors'], [], { date_range: 'all' });
  expect(all.rows).toEqual([[30]]);
  const compared = await ask('shop.example', ['visitors'], [], {
    date_range: ['2026-01-11', '2026-01-11'],
    include: { imports: true, comparisons: { mode: 'previous_period' } },
  });
  expect(compared.rows).toEqual([[20]]);
});

it('the same archive again changes nothing, and undone it is gone whole', async () => {
  const again = await importFile('plausible', 'shop.example', plausibleArchive(), { file: 'other.zip' });
  expect(again).toMatchObject({ stored: 0, stopped: { imported_already: { rows: 22 } }, overlap: { days: 2 } });
  const list = (await onDesk(
    { command: 'imports', args: { site: 'shop.example' } },
    readConfig({ FAIRLEAD_DATA_DIR: desk.dataDir }),
  )) as {
    imports: { id: number; state: string; rows_stored: number }[];
  };
  expect(list.imports.map(({ state, rows_stored }) => [state, rows_stored])).toEqual([
    ['done', 0],
    ['done', 22],
  ]);
  expect(await undo('shop.example', list.imports[1]?.id ?? 0)).toMatchObject({ rows: 22 });
  expect((await ask('shop.example', ['visitors'])).rows).toEqual([[0]]);
  expect(await desk.rows('SELECT count() AS n FROM imported_days')).toEqual([{ n: '0' }]);
});

it('days that were measured here are left out of an archive', async () => {
  const events = ['2026-01-10T12:00:00Z', '2026-01-10T12:01:00Z'].map((time, n) => ({
    n: 'pageview',
    u: `https://blog.example/${n}`,
    d: 'blog.example',
    time,
    ip: '203.0.113.9',
  }));
  await desk.collect(events, { authorization: `Bearer ${desk.key}` });
  await desk.rows('SELECT 1');
  const report = await importFile('plausible', 'blog.example', plausibleArchive());
  expect(report).toMatchObject({
    stopped: { measured_already: { rows: 12 } },
    overlap: { days: 1, first: '2026-01-10', last: '2026-01-10' },
    days: { first: '2026-01-11', last: '2026-01-11' },
  });
  const { rows, meta } = await ask('blog.example', ['visitors', 'pageviews'], ['time:day']);
  expect(rows).toEqual([
    ['2026-01-10', expect.any(Number), 2],
    ['2026-01-11', 20, 60],
  ]);
  expect(meta).toMatchObject({ imported_days: [['2026-01-11', '2026-01-11']] });
});

it('archives that are none are refused, and nothing of them stays', async () => {
  const whole = plausibleArchive();
  const cases: [Buffer, RegExp][] = [
    [whole.subarray(0, whole.length - 500), /no whole ZIP/],
    [zipOf([{ name: 'other.csv', text: 'a' }]), /none of the ten tables/],
    [
      zipOf([{ name: '../imported_visitors_20260101_20260102.csv', text: 'date,visitors\n' }]),
      /none of the ten tables/,
    ],
    [zipOf([{ name: 'imported_visitors_20260101_20260102.csv', text: 'day,people\n2026-01-01,1\n' }]), /other columns/],
    [
      zipOf([{ name: 'imported_visitors_20260101_20260102.csv', text: 'date,visitors\n', says: { crc: 7 } }]),
      /damaged/,
    ],
  ];
  for (const [archive, sentence] of cases)
    await expect(importFile('plausible', 'old.example', archive)).rejects.toThrow(sentence);
  const odd = zipOf([
    {
      name: 'imported_visitors_20260101_20260102.csv',
      text: `date,visitors\n2026-01-01,x\n1.1.2026,2\n2026-01-02\n2026-01-03,"4"\n${'9'.repeat(100_000)}\n2090-01-01,1\n`,
    },
  ]);
  expect(await importFile('plausible', 'old.example', odd, { dry_run: '1' })).toMatchObject({
    stored: 1,
    stopped: {
      no_number: { rows: 1, lines: ['imported_visitors:2'] },
      no_day: { rows: 1, lines: ['imported_visitors:3'] },
      wrong_columns: { rows: 1 },
      line_too_long: { rows: 1 },
      in_future: { rows: 1 },
    },
  });
  expect(await desk.rows('SELECT count() AS n FROM imported_days WHERE site_id = 4')).toEqual([{ n: '0' }]);
});

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';

it('an access log becomes page views and visits of its own days', async () => {
  const line = (address: string, time: string, request: string, status = 200, referrer = '-', agent = browser) =>
    `${address} - - [${time}] "${request}" ${status} 512 "${referrer}" "${agent}"`;
  const log = [
    line('203.0.113.7', '05/Jan/2026:10:00:00 +0100', 'GET /a?utm_source=newsletter&utm_medium=email HTTP/1.1'),
    line('203.0.113.7', '05/Jan/2026:10:01:00 +0100', 'GET /style.css HTTP/1.1'),
    line('203.0.113.7', '05/Jan/2026:10:05:00 +0100', 'GET /b HTTP/2.0', 304, 'https://log.example/a'),
    line('2001:db8::1', '05/Jan/2026:10:05:00 +0100', 'GET / HTTP/1.1', 200, 'https://www.google.com/'),
    `log.example:443 ${line('203.0.113.8', '06/Jan/2026:10:00:00 +0000', 'GET / HTTP/1.1', 200, '-', `${browser} \\"quoted\\"`)}`,
    line(
      '203.0.113.9',
      '06/Jan/2026:10:00:00 +0000',
      'GET / HTTP/1.1',
      200,
      '-',
      'Googlebot/2.1 (+http://www.google.com/bot.html)',
    ),
    line('203.0.113.9', '06/Jan/2026:10:00:00 +0000', 'POST /form HTTP/1.1'),
    line('203.0.113.9', '06/Jan/2026:10:00:00 +0000', 'GET /missing HTTP/1.1', 404),
    line('203.0.113.9', '06/Jan/2026:10:00:00 +0000', 'GET / HTTP/1.1', 200, '-', '-'),
    '203.0.113.9 - - [06/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 512',
    '203.0.113.9 - - [31/Feb/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 512 "-" "x"',
    'x'.repeat(100_000),
    '',
  ].join('\r\n');
  const report = await importFile('access-log', 'log.example', log);
  expect(report).toMatchObject({
    stored: 4,
    visits: 3,
    visitors: 3,
    pageviews: 4,
    days: { first: '2026-01-05', last: '2026-01-06' },
    stopped: {
      not_a_page_view: { rows: 3, lines: [2, 7, 8] },
      bot: { rows: 1, lines: [6] },
      no_agent: { rows: 1, lines: [9] },
      not_a_log_line: { rows: 2, lines: [10, 11] },
      line_too_long: { rows: 1, lines: [12] },
    },
  });
  const sources = await ask('log.example', ['visits', 'pageviews'], ['visit:source']);
  expect(sources.rows.sort()).toEqual([
    ['Direct / None', 1, 1],
    ['Google', 1, 1],
    ['newsletter', 1, 2],
  ]);
  expect(sources.meta).toMatchObject({ imported_days: [['2026-01-05', '2026-01-06']] });
  expect(await undo('log.example', report.import)).toMatchObject({ rows: 4 });
  expect((await ask('log.example', ['visits', 'pageviews'])).rows).toEqual([[0, 0]]);
  const zip = zipOf([{ name: 'access.log', text: 'x' }]);
  await expect(importFile('access-log', 'log.example', zip)).rejects.toThrow('The file is packed by ZIP');
});

const umamiEvents = (rows: string[]) =>
  `"event_id","website_id","session_id","created_at","url_path","url_query","referrer_domain","referrer_path","page_title","event_type","event_name","hostname","tag","distinct_id","utm_campaign"\n${rows.map((row) => (row.split(',').length < 13 ? `${row},,,` : row)).join('\n')}\n`;

it('tables of Umami become visits with what their sessions say, and their ids are kept nowhere', async () => {
  const site = 'umami.example';
  const [one, two] = ['0b5b9d4e-1d5f-4c1a-9f53-0d3e4c5b6a70', '1b5b9d4e-1d5f-4c1a-9f53-0d3e4c5b6a71'];
  const archive = zipOf([
    {
      name: 'umami/website_event.csv',
      text: umamiEvents([
        `e1,w1,${one},2026-01-05 10:00:00.123+00,/a,utm_source=news,google.com,/,"A ""title""",1,,umami.example`,
        `e2,w1,${one},2026-01-05 10:01:00+00,/b,,,,B,1,,umami.example`,
        `e3,w1,${one},2026-01-05 10:02:00+00,/b,,,,B,2,Signup,umami.example,blue,jane,`,
        `e3,w1,${one},2026-01-05 10:02:00+00,/b,,,,B,2,Signup,umami.example,blue,jane,`,
        `e4,w1,${two},2026-01-06T10:00:00Z,/a,,www.google.com,/,A,1,,umami.example,,,spring`,
        `e5,w1,${two},yesterday,/a,,,,A,1,,umami.example`,
      ]),
    },
    {
      name: 'umami/session.csv',
      text: `session_id,website_id,browser,os,device,screen,language,country,region,city\n${one},w1,edge-chromium,Windows 10,laptop,1920x1080,de,DE,DE-BE,Berlin\n${two},w1,ios,iOS,mobile,390x844,fr,FR,NULL,\\N\nx,w1,short\n`,
    },
    {
      name: 'umami/event_data.csv',
      text: `website_event_id,data_key,string_value,number_value,data_type\ne3,plan,Pro,,1\ne3,seats,5.0000,5.0000,2\ne3,revenue,19.9000,19.9000,2\ne3,currency,EUR,,1\n${'x'.repeat(70_000)},plan,Pro,,1\n`,
    },
    { name: 'umami/team.csv', text: 'x' },
  ]);
  const goal = { kind: 'event', match: 'Signup', name: 'Signup', currency: 'EUR' };
  expect(await desk.call('POST', `/api/sites/${site}/goals`, goal)).toMatchObject({ status: 201 });
  const dry = await importFile('umami', site, archive, { dry_run: '1' });
  const report = await importFile('umami', site, archive);
  const told = {
    stored: 4,
    visits: 2,
    visitors: 2,
    pageviews: 3,
    stopped: {
      no_day: { rows: 1, lines: ['website_event:7'] },
      duplicate: { rows: 1, lines: ['website_event:5'] },
      wrong_columns: { rows: 1, lines: ['session:4'] },
      line_too_long: { rows: 1, lines: ['event_data:6'] },
    },
    leftOut: { identity_off: 1 },
    notUnderstood: ['umami/team.csv'],
    days: { first: '2026-01-05', last: '2026-01-06' },
  };
  expect(dry).toMatchObject({ dry_run: true, ...told });
  expect(report).toMatchObject(told);
  expect(
    (await ask(site, ['visits'], ['visit:browser', 'visit:os', 'visit:device', 'visit:country'])).rows.sort(),
  ).toEqual([
    ['Microsoft Edge', 'Windows', 'Desktop', 'DE', 1],
    ['Safari', 'iOS', 'Mobile', 'FR', 1],
  ]);
  expect(
    (
      await ask(site, ['events'], ['event:props:plan', 'event:props:seats', 'event:props:tag'], {
        filters: [['is', 'event:name', ['Signup']]],
      })
    ).rows,
  ).toEqual([['Pro', '5', 'blue', 1]]);
  const earned = await ask(site, ['total_revenue'], [], { filters: [['is', 'event:goal', ['Signup']]] });
  expect(earned.rows).toMatchObject([[{ value: 19.9, currency: 'EUR' }]]);
  expect((await ask(site, ['visits'], ['visit:utm_campaign'])).rows).toContainEqual(['spring', 1]);
  expect((await ask(site, ['visits'], ['visit:source'])).rows.sort()).toEqual([
    ['Google', 1],
    ['news', 1],
  ]);
  const stored = JSON.stringify(await desk.rows("SELECT * FROM events WHERE hostname = 'umami.example'"));
  expect(stored).not.toMatch(/[01]b5b9d4e/);
  const twoSites = umamiEvents([
    `e1,w1,${one},2026-01-08 10:00:00,/a,,,,A,1,,umami.example`,
    `e2,w2,${one},2026-01-08 10:00:00,/a,,,,A,1,,umami.example`,
  ]);
  await expect(importFile('umami', site, twoSites, { file: 'two.csv' })).rejects.toThrow('several websites');
  expect(await undo(site, report.import)).toMatchObject({ rows: 4 });
  expect((await ask(site, ['visits', 'events'])).rows).toEqual([[0, 0]]);
});

it('explorations of GA4 become tables of days', async () => {
  const site = 'ga.example';
  const head =
    '# ----------------------------------------\n# Free form 1\n# 20260101-20260131\n# ----------------------------------------\n\n';
  const sources = `${head}Date,Session source / medium,Active users,Sessions,Engaged sessions,Views,Average session duration,Key events\n,,30,40,30,100,12.5,1,Grand total\n20260110,google / organic,20,25,20,60,10.4,0\n20260110,(direct) / (none),5,5,5,20,0,0\n20260111,newsletter / email,5,10,5,20,30,1\n`;
  const report = await importFile('ga4', site, sources, { file: 'sources.csv' });
  expect(report).toMatchObject({
    stored: 3,
    stopped: { totals: { rows: 1 } },
    notUnderstood: ['Key events'],
    tables: { sources: { rows: 3, days: 2, visitors: 30, visits: 40, pageviews: 100 } },
  });
  expect(
    (await ask(site, ['visitors', 'visits', 'bounce_rate', 'pageviews', 'visit_duration'], ['visit:source'])).rows,
  ).toEqual([
    ['Google', 20, 25, 20, 60, 10],
    ['Direct / None', 5, 5, 0, 20, 0],
    ['newsletter', 5, 10, 50, 20, 30],
  ]);
  expect((await ask(site, ['visitors'], ['visit:channel'])).rows.sort()).toEqual([
    ['Direct', 5],
    ['Email', 5],
    ['Organic Search', 20],
  ]);
  // Without a table of totals there is nothing to add to a total, and the answer says so.
  expect((await ask(site, ['visitors'])).meta).toMatchObject({
    imports_included: false,
    imports_skip_reason: 'no_imported_data',
  });
  const pages = await importFile(
    'ga4',
    site,
    `${head}Page path and screen class,Date,Views,Active users\n/a?x=1,20260110,7,3\n/b,20260111,4,2\n`,
    { file: 'pages.csv' },
  );
  expect(pages).toMatchObject({ stored: 2, stopped: {} });
  expect((await ask(site, ['pageviews'], ['event:page'])).rows).toEqual([
    ['/a', 7],
    ['/b', 4],
  ]);
  const named = 'Germany France Russia Serbia Hong_Kong United_Kingdom Atlantis'
    .split(' ')
    .map((name, at) => [name, at]);
  const places = await importFile(
    'ga4',
    site,
    `${head}Date,Country,Active users\n${named.map(([name, at]) => `20260110,${String(name).replace('_', ' ')},${9 - Number(at)}\n`).join('')}`,
    { file: 'places.csv' },
  );
  expect(places).toMatchObject({ stored: 7 });
  expect((await ask(site, ['visitors'], ['visit:country'])).rows.map(([code]) => code)).toEqual([
    'DE',
    'FR',
    'RU',
    'RS',
    'HK',
    'GB',
    'Atlantis',
  ]);
  // As a sheet writes it in which it was opened; a campaign may begin with the sign of a remark.
  const sheet = await importFile(
    'ga4',
    site,
    `${head}Session campaign,Date,Active users,Sessions,Engagement rate\n#sale,"Jan 20, 2026","1,234","2,500",80 %\n(other),21.1.2026,1.000,2.000,"0,25"\n(organic),2026/1/22,1,4,0.5\n#x,1/2/2026,1,1,1\n#y,20260120,1,1,1.5\n#z,19700101,1,1,1\n,,9,9,1,Grand total\n# a remark\n`,
    { file: 'sheet.csv', ...{ site: 'blog.example' } },
  );
  expect(sheet).toMatchObject({
    stored: 3,
    stopped: { totals: { rows: 1 }, no_day: { lines: ['10', '12'] }, no_number: { lines: ['11'] } },
  });
  expect(
    (
      await ask('blog.example', ['visitors', 'visits', 'bounce_rate'], ['visit:utm_campaign'], {
        date_range: ['2026-01-20', '2026-01-22'],
      })
    ).rows,
  ).toEqual([
    ['#sale', 1234, 2500, 20],
    ['(other)', 1000, 2000, 75],
    ['(not set)', 1, 4, 50],
  ]);
  const wrong: [string, RegExp][] = [
    [`${head}Country,Active users\nGermany,3\n`, /no column "Date"/],
    [`${head}Date,Country,Browser,Active users\n20260110,Germany,Chrome,3\n`, /joins two things/],
    [`${head}Date,Country,Sessions\n20260110,Germany,3\n`, /no column "Active users"/],
    [`${head}Date,Hour,Active users\n20260110,13,3\n`, /counted more than once/],
    [`${head}Date;Active users\n20260110;3\n`, /not separated by commas/],
    [head, /no line of headers/],
  ];
  for (const [text, sentence] of wrong)
    await expect(importFile('ga4', site, text, { file: 'wrong.csv', dry_run: '1' })).rejects.toThrow(sentence);
});
