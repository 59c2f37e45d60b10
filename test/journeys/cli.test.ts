import { execFileSync } from 'node:child_process';
import { chmodSync, createWriteStream, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { ownerLogin } from '../stores.ts';
import { openCommandLine, type ServedDesk } from './cli.ts';

/** The real command, in the order of somebody's first day: without a server, beside one, and after one was killed. */
const cli = openCommandLine();
// Each command is a process of its own, and most open both stores.
vi.setConfig({ testTimeout: 600_000 });
let server: ServedDesk | undefined;
let key = '';
const first = ['setup', '--email', 'owner@shop.example', '--organisation', 'Shop', '--site', 'shop.example'];

afterAll(async () => {
  await server?.stop('SIGKILL');
  await cli.close();
});

const row = (number: number, more: object = {}) =>
  `${JSON.stringify({
    time: `2026-03-0${1 + (number % 5)}T10:00:00Z`,
    name: 'pageview',
    url: `https://shop.example/page-${number}`,
    ip: '192.0.2.7',
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
    ...more,
  })}\n`;

async function pageviews(date_range: unknown = ['2026-03-01', '2026-03-31']): Promise<number> {
  const answer = await fetch(`${server?.base}/api/v2/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site_id: 'shop.example', metrics: ['pageviews'], date_range }),
  });
  return ((await answer.json()) as { results: { metrics: number[] }[] }).results[0]?.metrics[0] as number;
}

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('the command line itself', () => {
  it('says what there is, and refuses what there is not with exit code 2', async () => {
    const help = await cli.run(['help']);
    expect([help.code, help.err]).toEqual([0, '']);
    for (const name of ['serve', 'migrate', 'setup', 'import', 'undo-import', 'explain', 'doctor'])
      expect(help.out).toContain(`\n  ${name} `);
    const wrong: [args: string[], sentence: RegExp][] = [
      [['nonsense'], /^There is no command "nonsense"/],
      [['setup', '--colour', 'red'], /Unknown option '--colour'/],
      [[...first, '--retention-months', 'two'], /"two" is not a whole number/],
      [['import', 'events', '/nowhere.ndjson', '--site', 'shop.example'], /no file \/nowhere\.ndjson/],
      [['migrate', '--now'], /takes nothing, and was given "--now"/],
    ];
    for (const [args, sentence] of wrong) {
      const answer = await cli.run(args);
      expect([answer.code, answer.out], args.join(' ')).toEqual([2, '']);
      expect(answer.err).toMatch(sentence);
      expect(answer.err).not.toMatch(/\n {4}at /);
    }
    for (const args of [['setup', '--help']]) expect((await cli.run(args)).out).toContain(`Usage: fairlead ${args[0]}`);
    expect(existsSync(cli.dataDir), 'nothing of this made a data directory').toBe(false);
  });

  it('names each setting that is wrong', async () => {
    const answer = await cli.run(['migrate'], { env: { PORT: 'seven', FAIRLEAD_ROLL: 'app' } });
    expect([answer.code, answer.out]).toEqual([1, '']);
    expect(answer.err).toMatch(/^FAIRLEAD_ROLL: there is no such setting\..*\nPORT: "seven" is not a whole number/);
  });
});

describe('explain hits', () => {
  it('answers each line in order, without a store or a server', async () => {
    const lines = [
      JSON.stringify({
        url: 'https://www.shop.example/a/b?utm_source=news&utm_medium=email&utm_campaign=may&utm_term=t&utm_content=c&secret=1#x',
        referrer: 'https://www.google.com/search',
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
        ip: '8.8.8.8',
        headers: { Accept: '*/*', 'Accept-Language': 'en' },
        name: 'Signup',
        props: { plan: 'pro' },
        time: '2026-03-01T10:00:00Z',
      }),
      'not json',
      '',
      JSON.stringify({ url: 'data:text/html,x' }),
      JSON.stringify({ url: 'https://shop.example/', user_agent: 'Googlebot/2.1 (+http://www.google.com/bot.html)' }),
      JSON.stringify({ url: 'https://shop.example/' }),
    ];
    const answer = await cli.run(['explain', 'hits'], { input: lines.join('\n') });
    expect([answer.code, answer.err]).toEqual([0, '']);
    const said = answer.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event?: Record<string, unknown>; stopped?: string });
    expect(said).toHaveLength(5);
    expect(said[0]?.event).toMatchObject({
      name: 'Signup',
      hostname: 'shop.example',
      pathname: '/a/b',
      source: 'news',
      medium: 'email',
      campaign: 'may',
      utm_source: 'news',
      utm_medium: 'email',
      utm_campaign: 'may',
      utm_term: 't',
      utm_content: 'c',
      channel: 'Email',
      browser: 'Firefox',
      os: 'Linux',
      device: 'Desktop',
      country: 'US',
    });
    for (const field of ['referrer', 'browser_version', 'os_version', 'region', 'city'])
      expect(said[0]?.event).toHaveProperty(field);
    expect(said[1]).toEqual({ stopped: 'invalid' });
    expect(said.slice(2, 4).map((one) => one.stopped)).toEqual([expect.any(String), expect.any(String)]);
    expect(said[4]?.event).toMatchObject({ name: 'pageview', source: null, channel: 'Direct' });
    expect(existsSync(cli.dataDir)).toBe(false);
  });

  it('stops quietly when its reader does', async () => {
    const child = cli.start(['explain', 'hits']);
    const line = `${JSON.stringify({ url: 'https://shop.example/' })}\n`;
    child.stdout?.once('data', () => child.stdout?.destroy());
    child.stdin?.end(line.repeat(20_000));
    const { code, err } = await cli.ended(child);
    expect([code, err]).toEqual([0, '']);
  });
});

describe('explain captures', () => {
  const postback = { method: 'GET', url: '/in/x?cid=w1&payout=12.50&txid={txid}&currency=usd', headers: {} };
  const post = (body: string) => ({ method: 'POST', url: '/', headers: { 'Content-Type': 'application/json' }, body });
  const now = '2026-11-30T09:00:00Z';

  it('answers each line in order, without a store or a server', async () => {
    const lines = [
      JSON.stringify({ request: postback, mapping: 'voluum', now }),
      'not json',
      '',
      JSON.stringify({ request: post('{"a":'), mapping: 'canonical' }),
      // Quotes take two characters in a line: it is read whole, and the body in it is what is too large.
      JSON.stringify({ request: post(`["${'"'.repeat(2_000_000)}"]`), mapping: 'canonical' }),
      JSON.stringify({
        request: post('{"name":"lead","at":1764496800,"sum":1099}'),
        mapping: {
          fields: {
            event_name: 'name',
            occurred_at: { path: 'at', apply: ['unix_seconds'] },
            value: { path: 'sum', apply: ['cents'] },
          },
        },
      }),
    ];
    const answer = await cli.run(['explain', 'captures'], { input: lines.join('\n') });
    expect([answer.code, answer.err]).toEqual([0, '']);
    const conversion = { event_name: 'conversion', occurred_at: now, value: '12.50', currency: 'USD' };
    expect(linesOf(answer.out)).toEqual([
      {
        status: 202,
        conversions: [{ ...conversion, click_ids: { tracker: 'w1' } }],
        reason: 'unexpanded_macro',
        field: 'order_id',
        problems: [{ field: 'order_id', reason: 'unexpanded_macro', path: 'txid', macro: 'txid' }],
      },
      { status: 400, conversions: [], reason: 'invalid', field: 'request' },
      {
        ...{ status: 400, conversions: [], reason: 'not_json', field: 'body' },
        problems: [{ field: 'body', reason: 'not_json', at: 5 }],
      },
      expect.objectContaining({ status: 413, conversions: [], reason: 'too_large', field: 'body' }),
      {
        status: 202,
        conversions: [{ event_name: 'lead', occurred_at: '2025-11-30T10:00:00Z', value: '10.99' }],
        reason: null,
      },
    ]);
    expect(existsSync(cli.dataDir)).toBe(false);
  });

  it('has no options', async () => {
    const answer = await cli.run(['explain', 'captures', '--preset', 'voluum'], { input: '' });
    expect([answer.code, answer.out]).toEqual([2, '']);
  });
});

describe('explain identifiers', () => {
  const input = [
    JSON.stringify({ field: 'em', input: ' AlexZ@Example.com ' }),
    'not json',
    '',
    JSON.stringify({ field: 'ph', input: '(800) 555-0100', phone_country: 'US' }),
    JSON.stringify({ field: 'colour', input: 'red' }),
    JSON.stringify({ field: 'db', input: '1990-02-30' }),
    '[]',
  ].join('\n');

  it('answers each line in order, without a store or a server', async () => {
    const answer = await cli.run(['explain', 'identifiers', '--platform', 'meta'], { input });
    expect([answer.code, answer.err]).toEqual([0, '']);
    expect(linesOf(answer.out)).toEqual([
      {
        normalized: 'alexz@example.com',
        sha256: '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a',
      },
      { error: 'the line is no JSON' },
      { normalized: '18005550100', sha256: '92cfdc5fbcd4a20fbe5d3857af6c1aba31762105bba7f21a17155e920653046c' },
      { error: expect.stringMatching(/^field is none that meta takes: it takes em, ph, .*external_id$/) },
      { normalized: null, sha256: null },
      { error: 'the line is no JSON object' },
    ]);
    expect(existsSync(cli.dataDir)).toBe(false);
  });

  it('has clear text where the platform wants it', async () => {
    const lines = [
      { field: 'region_code', input: 'us' },
      { field: 'phone_with_country_code', input: '+18005550100' },
    ];
    const answer = await cli.run(['explain', 'identifiers', '--platform=google'], {
      input: lines.map((line) => JSON.stringify(line)).join('\n'),
    });
    expect(linesOf(answer.out)).toEqual([
      { normalized: 'US', sha256: null },
      { normalized: '+18005550100', sha256: 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30' },
    ]);
  });

  it('refuses a platform that there is not', async () => {
    for (const args of [[], ['--platform', 'telegraph'], ['--platform', 'meta', 'more'], ['--colour', 'red']]) {
      const answer = await cli.run(['explain', 'identifiers', ...args], { input });
      expect([answer.code, answer.out], args.join(' ')).toEqual([2, '']);
      expect(answer.err).toMatch(/platform|Unknown option/);
    }
  });
});

describe('without a server', () => {
  // What a first start makes is shown by start.test.ts and demo.test.ts.
  beforeAll(() => layPreparedDesk(cli.dataDir));

  it('setup asks the first run for a good password', async () => {
    const answer = await cli.run(first, { input: 'password12345' });
    expect([answer.code, answer.out]).toEqual([1, '']);
    expect(answer.err).toMatch(/This password is easy to guess/);
  });

  it('setup makes everything by `npm run -s fairlead`, and prints one line of JSON', async () => {
    const options = ['--timezone', 'Europe/Berlin', '--currency', 'EUR', '--retention-months', '12'];
    const goals = ['--goal', '/blog**', '--goal', 'Signup', '--goal', 'purchase:EUR'];
    const answer = await cli.run([...first, '--site', 'https://www.Second.example/x', ...options, ...goals], {
      input: 'a harbour of quiet rope\n',
      npm: true,
    });
    expect(answer.code, answer.err).toBe(0);
    expect(answer.out.trimEnd().split('\n')).toHaveLength(1);
    const made = JSON.parse(answer.out) as { organisation_id: number; api_key: string; sites: object[] };
    expect(made).toEqual({
      organisation_id: expect.any(Number),
      api_key: expect.stringMatching(/^fl_\d+_[\w-]{40}$/),
      sites: [
        { id: expect.any(Number), domain: 'shop.example' },
        { id: expect.any(Number), domain: 'second.example' },
      ],
    });
    key = made.api_key;
    expect(statSync(cli.dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(cli.keyFile).mode & 0o777).toBe(0o600);
  });

  it('import takes rows in, names the bad ones by line, and can be undone whole', async () => {
    const file = cli.write(
      'small.ndjson',
      [row(1), 'not json\n', row(2), row(3, { time: '2999-01-01T00:00:00Z' }), row(4, { time: undefined })].join(''),
    );
    const answer = await cli.run(['import', 'events', file, '--site', 'shop.example']);
    expect(answer.code, answer.err).toBe(0);
    const report = JSON.parse(answer.out) as { import: number };
    expect(report).toMatchObject({ site: 'shop.example', lines: 5, stored: 2 });
    expect(answer.err).toMatch(/rows were not stored: invalid \(lines 2, 4, 5\)/);
    const undone = await cli.run(['undo-import', String(report.import), '--site', 'shop.example']);
    expect(JSON.parse(undone.out)).toEqual({ import: report.import, site: 'shop.example', rows: 2 });
  });

  it('migrate and serve refuse a schema that a newer version wrote', async () => {
    const newer = "INSERT INTO schema_migrations (name, digest) VALUES ('2999-01-01-01-future.sql', 'x')";
    await onDatabase(newer);
    try {
      for (const command of ['serve', 'doctor']) {
        const answer = await cli.run([command]);
        expect(answer.code, command).toBe(1);
        expect(answer.out + answer.err).toMatch(/2999-01-01-01-future\.sql.*a newer version wrote it/);
      }
    } finally {
      await onDatabase("DELETE FROM schema_migrations WHERE name = '2999-01-01-01-future.sql'");
    }
    expect((await cli.run(['migrate'])).code).toBe(0);
  });
});

/** One statement as the schema's owner, on a built-in server that is started for it. */
async function onDatabase(statement: string): Promise<void> {
  const { openPostgres } = await import('../../src/platform/postgres/index.ts');
  const { systemClock } = await import('../../src/platform/clock.ts');
  const { systemRandom } = await import('../../src/platform/random.ts');
  const { silentLog } = await import('../../src/platform/log.ts');
  const { openCluster } = await import('../../src/platform/postgres/cluster.ts');
  const cluster = await openCluster({ dataDir: cli.dataDir, random: systemRandom, clock: systemClock, log: silentLog });
  try {
    const client = new pg.Client(
      await ownerLogin(cluster as Pick<Awaited<ReturnType<typeof openPostgres>>, 'directories'>),
    );
    await client.connect();
    await client.query(statement);
    await client.end();
  } finally {
    await cluster.close();
  }
}

describe('beside a running server', () => {
  it('commands talk to it through a socket that only its user may open', async () => {
    server = await cli.serve();
    expect(statSync(join(cli.dataDir, 'control.sock')).mode & 0o777).toBe(0o600);
    const again = JSON.parse((await cli.run(first)).out) as Record<string, unknown>;
    expect(again).toMatchObject({ api_key: null, sites: [{ domain: 'shop.example' }] });
    const second = await cli.run(['serve']);
    expect(second.code).toBe(1);
    expect(second.err).toMatch(/Another Fairlead \(process \d+\) is using the data directory/);
    expect((await cli.run(['migrate'])).err).toMatch(/Another Fairlead/);
    const doctor = await cli.run(['doctor'], { env: { PORT: new URL(server.base).port } });
    expect(doctor.out).toMatch(/ok +server: process \d+ listens/);
    expect(doctor.out).toMatch(
      /ok +disk by store: each less than 0.1 GB\nok +postgres: answers\nok +warehouse: answers\nok +spool: /,
    );
    expect(doctor.code, doctor.out).toBe(0);
  });

  it('prove runs every check, and ends with 1 while one of them is red (OPS-03)', async () => {
    chmodSync(cli.keyFile, 0o644);
    const red = await cli.run(['prove']);
    expect(red.out).toMatch(/^WRONG .*\n +→ .+/m);
    expect(red.out).toMatch(/\b1 wrong\b/);
    expect([red.code, red.err]).toEqual([1, '']);
    chmodSync(cli.keyFile, 0o600);
    const well = await cli.run(['prove', '--json']);
    const run = JSON.parse(well.out) as { worst: string; turned_well: string[] };
    expect([run.worst === 'wrong', run.turned_well.length, well.code]).toEqual([false, 1, 0]);
  });

  it('setup again changes nothing, adds what is missing, and makes a further key when asked', async () => {
    const again = JSON.parse((await cli.run([...first, '--goal', 'Signup'])).out) as Record<string, unknown>;
    expect(again).toMatchObject({ api_key: null, sites: [{ domain: 'shop.example' }] });
    const more = JSON.parse((await cli.run([...first, '--site', 'third.example', '--new-key'])).out) as {
      api_key: string;
      sites: { domain: string }[];
    };
    expect(more.sites.map((site) => site.domain)).toEqual(['shop.example', 'third.example']);
    expect(more.api_key).toMatch(/^fl_/);
    expect(more.api_key).not.toBe(key);
  });

  const refused: [args: string[], sentence: RegExp][] = [
    [['setup', '--email', 'other@shop.example', '--organisation', 'Shop', '--site', 'a.example'], /nobody here/],
    [['setup', '--email', 'owner@shop.example', '--organisation', 'Shed', '--site', 'a.example'], /owns: Shop/],
    [[...first, '--timezone', 'Mars/Olympus'], /"Mars\/Olympus" is not a timezone/],
    [[...first, '--retention-months', '26'], /^--retention-months: /],
    [[...first, '--site', 'no domain'], /"no domain" is not a domain/],
    [[...first, '--goal', '/a:EUR', '--goal', 'x:XQQ'], /"XQQ" is not a currency/],
    [['import', 'events', '-', '--site', 'nowhere.example'], /No site here is called "nowhere.example"/],
    [['undo-import', '99', '--site', 'shop.example'], /no import number 99/],
  ];
  it.each(refused)('refuses %j', async (args, sentence) => {
    const answer = await cli.run(args);
    expect([answer.code, answer.out], answer.err).toEqual([1, '']);
    expect(answer.err).toMatch(sentence);
    expect(answer.err).not.toMatch(/\n {4}at /);
  });

  it('an import is queryable when the command ends', async () => {
    const file = cli.write('beside.ndjson', [row(1), row(2), row(3)].join(''));
    const answer = await cli.run(['import', 'events', file, '--site', 'shop.example']);
    expect(answer.code, answer.err).toBe(0);
    expect(await pageviews()).toBe(3);
    const { import: id } = JSON.parse(answer.out) as { import: number };
    await cli.run(['undo-import', String(id), '--site', 'shop.example']);
    expect(await pageviews()).toBe(0);
  });

  it('an import that is killed, and run again, has each row once', async () => {
    const rows = 3_000;
    const { file, cut, child, whole } = await importHalf('big.ndjson', rows);
    child.kill('SIGKILL');
    await cut;
    whole();
    expect(await pageviews(), 'a part of it was stored').toBeLessThan(rows);
    const again = await cli.run(['import', 'events', file, '--site', 'shop.example']);
    expect(again.code, again.err).toBe(0);
    expect(again.err).toMatch(/Import \d+ of this file was cut off: what it stored is taken out first\./);
    expect(await pageviews()).toBe(rows);
    const { import: id } = JSON.parse(again.out) as { import: number };
    expect(JSON.parse((await cli.run(['undo-import', String(id), '--site', 'shop.example'])).out)).toMatchObject({
      rows,
    });
    expect(await pageviews()).toBe(0);
  });
});

describe('after a server was killed', () => {
  it('commands open the stores themselves, and an import that died with it is done again', async () => {
    const rows = 3_000;
    const { file, cut, whole } = await importHalf('dies.ndjson', rows);
    server?.process.kill('SIGKILL');
    whole();
    const told = await cut;
    expect(told.code).toBe(1);
    expect(told.err).toMatch(/^The server ended/);
    const again = await cli.run(['import', 'events', file, '--site', 'shop.example']);
    expect(again.code, again.err).toBe(0);
    expect(again.err).toMatch(/was cut off/);
    server = await cli.serve();
    expect(await pageviews()).toBe(rows);
  });

  it('a stop drains, says so, and leaves nothing behind', async () => {
    const end = await (server as ServedDesk).stop();
    expect(end.code).toBe(0);
    expect(end.out).toMatch(/Stopping: waiting for open requests/);
    expect(existsSync(join(cli.dataDir, 'control.sock'))).toBe(false);
    expect(existsSync(join(cli.dataDir, 'lock'))).toBe(false);
    for (const line of end.err.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('event');
  });
});

/** An import that has stored a part of its file and waits for the rest, which stands in a pipe of the file's name. */
async function importHalf(name: string, rows: number) {
  const lines = Array.from({ length: rows }, (_, at) => row(at));
  const file = join(cli.folder, name);
  execFileSync('mkfifo', [file]);
  const child = cli.start(['import', 'events', file, '--site', 'shop.example']);
  const pipe = createWriteStream(file).on('error', () => {});
  pipe.write(lines.slice(0, rows / 2).join(''));
  const cut = cli.ended(child);
  await until(async () => (await pageviews()) > 0);
  /** Puts the whole file in the pipe's place. */
  const whole = () => {
    pipe.destroy();
    rmSync(file);
    cli.write(name, lines.join(''));
  };
  return { file, child, cut, whole };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
