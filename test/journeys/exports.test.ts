import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { openCommandLine, type ServedDesk } from './cli.ts';

/** What a site exports is what it shows: taken in by a second site, it answers the same to the last digit. */
const cli = openCommandLine();
vi.setConfig({ testTimeout: 300_000 });
let server: ServedDesk | undefined;
beforeAll(() => layPreparedDesk(cli.dataDir));
afterAll(async () => {
  await server?.stop('SIGKILL');
  await cli.close();
});

const days = 10;
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const iphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
const campaigns = ['', '?utm_source=news&utm_campaign=%3D1%2B1', '?utm_source=%40list&utm_medium=email', ''];
const referrers = ['', 'https://www.google.com/', '', 'https://blog.example/post'];

/** Visits at all hours, so that some go over midnight of the site's zone, across the change of its clocks. */
function events(): string {
  const lines: string[] = [];
  for (let day = 8; day < 8 + days; day++)
    for (let visitor = 0; visitor < 6 + (day % 5); visitor++) {
      const at = Date.UTC(2026, 2, 15 + day, (visitor * 5 + day) % 24, 50);
      const base = { ip: `192.0.2.${visitor + 1}`, user_agent: visitor % 3 === 0 ? iphone : firefox };
      const line = (minutes: number, more: object) =>
        lines.push(JSON.stringify({ time: new Date(at + minutes * 60_000).toISOString(), ...base, ...more }));
      const url = 'https://shop.example/';
      const arrival = { name: 'pageview', url: `${url}${campaigns[visitor % 4]}`, referrer: referrers[visitor % 4] };
      line(0, arrival);
      // Some come twice: more visits than visitors.
      if (visitor % 3 === 1) line(120, arrival);
      if (visitor % 2 === 0) continue;
      line(1, { name: 'engagement', url, engagement_ms: 12_000 + day * 1_000, scroll_depth: 40 + (day % 60) });
      line(17, { name: 'pageview', url: `${url}-a,"b"/${visitor % 3}` });
      line(18, {
        props: { plan: '=pro' },
        name: visitor % 3 === 0 ? '=SUM(A1)' : 'Signup',
        url: `${url}-a,"b"/${visitor % 3}`,
      });
    }
  // A file of past events is read in its order.
  return `${lines.sort((one, other) => JSON.parse(one).time.localeCompare(JSON.parse(other).time)).join('\n')}\n`;
}

const out = join(cli.folder, 'killed.zip');

it('an export that is killed goes on behind its last whole day', async () => {
  const filling = await cli.serve();
  const sites = ['--site', 'shop.example', '--site', 'copy.example', '--timezone', 'Europe/Berlin'];
  const setUp = await cli.run(['setup', '--email', 'owner@shop.example', '--organisation', 'Shop', ...sites], {
    input: 'a harbour of quiet rope',
  });
  expect(setUp.code, setUp.err).toBe(0);
  const made = JSON.parse(setUp.out) as { organisation_id: number; api_key: string };
  const organisation = await fetch(`${filling.base}/api/organisations/${made.organisation_id}`, {
    headers: { authorization: `Bearer ${made.api_key}` },
  });
  expect(await organisation.json(), 'as its sites').toMatchObject({ timezone: 'Europe/Berlin', currency: 'EUR' });
  key = (JSON.parse(setUp.out) as { api_key: string }).api_key;
  const taken = await cli.run(['import', 'events', cli.write('events.ndjson', events()), '--site', 'shop.example']);
  expect(JSON.parse(taken.out)).toMatchObject({ stopped: {} });
  await filling.stop();

  const span = ['--from', '2026-03-23', '--to', '2026-04-01', '--out', out];
  const child = cli.start(['export', 'shop.example', ...span]);
  child.stdin?.end();
  const note = () => JSON.parse(readFileSync(`${out}.part/note.json`, 'utf8')) as { done: string };
  await vi.waitFor(() => expect(note().done >= '2026-03-25').toBe(true), { timeout: 60_000, interval: 3 });
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  const { done } = note();
  expect([existsSync(out), done < '2026-04-01']).toEqual([false, true]);

  // What a day that was not finished leaves behind.
  appendFileSync(`${out}.part/imported_visitors.csv`, '2026-04-02,1,1');
  const again = await cli.run(['export', 'shop.example', ...span]);
  expect([again.code, again.err]).toEqual([0, expect.stringContaining(`is gone on with behind ${done}.`)]);
  expect(JSON.parse(again.out)).toMatchObject({ from: '2026-03-23', to: '2026-04-01', days, file: out });
  expect([statSync(out).mode & 0o777, existsSync(`${out}.part`)]).toEqual([0o600, false]);
});

let key = '';
type Rows = { dimensions: unknown[]; metrics: unknown[] }[];
async function ask(site: string, metrics: string[], dimensions: string[], range: string[], filters?: unknown[]) {
  const answer = await fetch(`${server?.base}/api/v2/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ site_id: site, metrics, dimensions, date_range: range, include: { imports: true } },
      ...(filters === undefined ? {} : { filters }),
    }),
  });
  const body = (await answer.json()) as { results: Rows };
  expect([answer.status, body]).toEqual([200, expect.anything()]);
  return body.results.map((row) => JSON.stringify([row.dimensions, row.metrics])).sort();
}

it('beside a running server it writes the same bytes, and a second site that imports them shows the same numbers', async () => {
  server = await cli.serve();
  const beside = join(cli.folder, 'beside.zip');
  const whole = await cli.run(['export', 'shop.example', '--to', '2026-04-01', '--out', beside]);
  expect([whole.code, whole.err]).toEqual([0, '']);
  expect(readFileSync(beside).equals(readFileSync(out))).toBe(true);
  const taken = await cli.run(['import', 'plausible', out, '--site', 'copy.example']);
  expect(JSON.parse(taken.out)).toMatchObject({ stopped: {}, notUnderstood: [] });

  const ofVisits = ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration', 'views_per_visit'];
  const both = async (...asked: [string[], string[], string[], unknown[]?]) => {
    const [own, copied] = [await ask('shop.example', ...asked), await ask('copy.example', ...asked)];
    expect(copied, JSON.stringify(asked)).toEqual(own);
    return own;
  };
  expect(await both(ofVisits, ['time:day'], ['2026-03-23', '2026-04-01'])).toHaveLength(days);
  const lists = ['source', 'channel', 'referrer', 'utm_source', 'utm_medium', 'utm_campaign', 'device', 'browser', 'os']
    .map((name) => `visit:${name}`)
    .concat(['visit:browser_version', 'visit:os_version', 'visit:country', 'visit:entry_page', 'visit:exit_page']);
  // The clocks change on 29 March.
  for (const day of ['2026-03-24', '2026-03-29', '2026-04-01']) {
    for (const list of lists) expect((await both(ofVisits, [list], [day, day])).length).toBeGreaterThan(0);
    const reading = ['visitors', 'visits', 'pageviews', 'scroll_depth', 'time_on_page'];
    expect((await both(reading, ['event:page'], [day, day])).length).toBeGreaterThan(1);
    const own = ['is_not', 'event:name', ['pageview']];
    expect((await both(['visitors', 'events'], ['event:name'], [day, day], [own])).length).toBeGreaterThan(1);
  }
});

it('events are written one a line, without anything that says who made them', async () => {
  const file = join(cli.folder, 'events.out');
  const span = ['--from', '2026-03-29', '--to', '2026-03-30', '--out', file];
  const written = await cli.run(['export', 'shop.example', '--format', 'ndjson', ...span]);
  expect([written.code, written.err]).toEqual([0, '']);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(JSON.parse(written.out)).toMatchObject({ rows: lines.length, days: 2 });
  const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  // Two days of Berlin, the first of them 23 hours long.
  const sent = events()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const inside = sent.filter(
    ({ time }) => String(time) >= '2026-03-28T23:00:00.000Z' && String(time) < '2026-03-30T22:00:00.000Z',
  );
  const said = (row: Record<string, unknown>) =>
    [row.time, row.name, row.engagement_ms, row.scroll_depth].map((value) => value ?? null);
  expect(rows.map(said).sort()).toEqual(inside.map(said).sort());
  expect(inside.length).toBeGreaterThan(20);
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  // Of a click's id the kind is kept, never the id.
  names.delete('click_id');
  expect([...names].filter((name) => /id$|^ip$|user_agent|contact|latitude|longitude/.test(name))).toEqual([]);
  expect(rows.find((row) => row.name === 'Signup')).toMatchObject({ props: { plan: '=pro' } });
  expect(rows.find((row) => row.utm_source === 'news' && row.browser === 'Firefox')).toMatchObject({
    ...{ url: expect.stringMatching(/^https:\/\/shop\.example\//), utm_campaign: '=1+1' },
  });
});

it('an export of the page that is killed with its server goes on behind its last whole day', async () => {
  type Line = { id: number; state: string; days: number; days_done: number; rows: number };
  const call = async (method: string, path = '', body?: object) => {
    const answer = await fetch(`${server?.base}/api/sites/shop.example/exports${path}`, {
      ...{ method, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' } },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.ok).toBe(true);
    return answer;
  };
  const { id } = (await (await call('POST', '', { format: 'ndjson' })).json()) as Line;
  const look = async () =>
    ((await (await call('GET')).json()) as { exports: Line[] }).exports.find((one) => one.id === id) as Line;
  await vi.waitFor(async () => expect((await look()).days_done).toBeGreaterThan(5), { timeout: 60_000, interval: 10 });
  await server?.stop('SIGKILL');
  // A day that was not finished.
  appendFileSync(join(cli.dataDir, 'exports', `${id}.part`, 'events.ndjson'), '{"time":"half a');
  server = await cli.serve();
  expect((await look()).days_done).toBeGreaterThan(5);
  await vi.waitFor(async () => expect((await look()).state).toBe('done'), { timeout: 120_000, interval: 100 });
  const [, behind = ''] =
    new RegExp(`"event":"export.resumed","export":${id},"behind":"([^"]+)"`).exec(server.said()) ?? [];
  expect([behind > '2026-03', behind < '2026-11-01']).toEqual([true, true]);
  const file = await (await call('GET', `/${id}/file`)).text();
  const whole = join(cli.folder, 'whole.out');
  expect((await cli.run(['export', 'shop.example', '--format', 'ndjson', '--out', whole])).code).toBe(0);
  expect(file).toBe(readFileSync(whole, 'utf8'));
});

it('refuses what it cannot write, in a sentence', async () => {
  const wrong: [string[], number, RegExp][] = [
    [['export', 'shop.example'], 2, /^Usage: /],
    [['export', 'none.example', '--out', join(cli.folder, 'a.zip')], 1, /No site here is called "none\.example"/],
    [['export', 'shop.example', '--out', out], 1, /is there already, and nothing is written over/],
    [['export', 'shop.example', '--out', `${out}x`, '--format', 'xlsx'], 1, /no export of that format/],
    [['export', 'shop.example', '--out', `${out}x`, '--to', '2999-01-01'], 1, /Days that are over/],
    [['export', 'shop.example', '--out', `${out}x`, '--from', "2026-02-30' OR 1"], 1, /--from is a day such as/],
  ];
  for (const [args, code, sentence] of wrong) {
    const answer = await cli.run(args);
    expect([answer.code, answer.out, answer.err], args.join(' ')).toEqual([code, '', expect.stringMatching(sentence)]);
  }
  expect(existsSync(`${out}x.part`)).toBe(false);
});
