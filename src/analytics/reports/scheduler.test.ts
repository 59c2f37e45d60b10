import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueryAnswer, QueryRequest } from '../../../contract/query.ts';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../../test/stores.ts';
import { createOrganisation } from '../../accounts/index.ts';
import { stillClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import type { Message } from '../../platform/mail/index.ts';
import { ringOf } from '../../trust/keys/index.ts';
import { type ReportLetter, reportMail } from './letter.ts';
import { drawCourse, pictureSize } from './picture.ts';
import { openScheduler } from './scheduler.ts';

/** Each report leaves once, to whoever may see the site when it leaves. */
let store: TestPostgres;
let vault: ReturnType<typeof openTestVault>;
const keys = ringOf(Buffer.alloc(32, 7));
let organisation = 0;
const clock = stillClock(Date.parse('2026-10-23T12:00:00Z'));
const sent: string[] = [];
const letters: ReportLetter[] = [];
let mailFails = false;
let isOn = true;

/** A desk of its own: two of them share the database, as two processes do. */
const open = () =>
  openScheduler({
    ...{ postgres: store.postgres, clock, log: silentLog, vault },
    mail: {
      async send(_sql, message) {
        if (mailFails) throw new Error('the outbox does not answer');
        const { to, values } = message as unknown as Message<ReportLetter>;
        letters.unshift(values);
        sent.push(`${to} ${values.content.domain} ${values.content.due.kind} ${values.content.due.range.from}`);
      },
      isOn: async () => isOn,
      link: (path) => `https://desk.example${path}`,
      inbox: undefined,
    },
    asking: async (_site, requests) => requests.map(answerTo),
  });

/** The same numbers whatever the days are. */
function answerTo({ metrics, dimensions = [] }: QueryRequest): QueryAnswer {
  const money = { currency: 'EUR', value: 1_234.5, short: '', long: '' };
  const value = (metric: string) => ({ bounce_rate: 41.26, visit_duration: 75, total_revenue: money })[metric] ?? 1_234;
  const row = { metrics: metrics.map(value), dimensions: dimensions.map(() => 'DE'), comparison: undefined };
  return { results: [row], meta: { time_labels: ['DE'] }, query: {} } as unknown as QueryAnswer;
}

beforeAll(async () => {
  store = await openTestPostgres();
  const { postgres } = store;
  vault = openTestVault({ keys, clock, postgres });
  await postgres.system((sql) =>
    createOrganisation(sql, { clock, keys, vault }, { email: 'owner@shop.example', organisation: 'Shop', hash: 'x' }),
  );
  organisation = await postgres.system(
    async (sql) => (await sql.one<{ id: number }>('SELECT organisation_id AS id FROM lookup.every_organisation()')).id,
  );
  await postgres.tenant(organisation, async (sql) => {
    // The clock of these tests leaps over the time that an owner has for a second factor.
    await sql.run("UPDATE organisations SET second_factor = 'off'");
    for (const [domain, zone] of [
      ['berlin.example', 'Europe/Berlin'],
      ['kathmandu.example', 'Asia/Kathmandu'],
    ])
      await sql.run(
        `INSERT INTO sites (organisation_id, domain, timezone, currency, created_at) VALUES ($1, $2, $3, 'EUR', $4)`,
        [organisation, domain, zone, new Date(clock.now())],
      );
    await sql.run(
      `INSERT INTO report_subscriptions (organisation_id, site_id, person_id, weekly_since, monthly_since)
       SELECT $1, s.id, m.person_id, $2, $2 FROM sites s, memberships m`,
      [organisation, new Date(clock.now())],
    );
  });
});
afterAll(() => store.close());

const go = (iso: string) => clock.set(Date.parse(iso));
const rows = () =>
  store.postgres.tenant(organisation, (sql) =>
    sql.query<{ outcome: string }>('SELECT outcome, count(*)::int AS count FROM report_sendings GROUP BY 1 ORDER BY 1'),
  );
const owner = 'owner@shop.example';

describe('reports', () => {
  it('of the time before somebody wanted them are not sent, and of the first week after it are, once under two', async () => {
    const [one, other] = [open(), open()];
    await one.look();
    expect(sent).toEqual([]);
    // Clocks went back in between: 07:00 in Berlin is 06:00 UTC now.
    go('2026-10-26T05:59:59Z');
    await one.look();
    expect(sent.splice(0)).toEqual([`${owner} kathmandu.example weekly 2026-10-19`]);
    go('2026-10-26T06:00:00Z');
    await Promise.all([one.look(), other.look(), one.look(), other.look()]);
    expect(sent.splice(0)).toEqual([`${owner} berlin.example weekly 2026-10-19`]);
    expect(one.counts.sent + other.counts.sent).toBe(2);
  });

  it('come once, whatever the clock and restarts do', async () => {
    go('2026-10-25T00:00:00Z');
    await open().look();
    go('2026-10-27T00:00:00Z');
    await open().look();
    await open().look();
    expect(sent).toEqual([]);
  });

  it('leave with the mail or not at all: what failed is tried again', async () => {
    go('2026-11-01T06:00:00Z');
    mailFails = true;
    const scheduler = open();
    await scheduler.look();
    expect([sent, scheduler.counts.failed]).toEqual([[], 2]);
    mailFails = false;
    await scheduler.look();
    expect(sent.splice(0).sort()).toEqual([
      `${owner} berlin.example monthly 2026-10-01`,
      `${owner} kathmandu.example monthly 2026-10-01`,
    ]);
  });

  it('wait for a mail server for three days and are then left out and counted', async () => {
    isOn = false;
    go('2026-11-02T12:00:00Z');
    await open().look();
    expect(sent).toEqual([]);
    isOn = true;
    // Two days and some hours late.
    go('2026-11-05T01:00:00Z');
    await open().look();
    expect(sent.splice(0).sort()).toEqual([
      `${owner} berlin.example weekly 2026-10-26`,
      `${owner} kathmandu.example weekly 2026-10-26`,
    ]);
    // Away for three weeks: one is new enough, two are not.
    go('2026-11-23T12:00:00Z');
    const scheduler = open();
    await scheduler.look();
    expect(sent.splice(0)).toHaveLength(2);
    expect(scheduler.counts).toEqual({ sent: 2, too_late: 4, no_access: 0, failed: 0 });
    expect(await rows()).toContainEqual({ outcome: 'too_late', count: 4 });
  });

  it('pause while the site or its organisation is suspended, and go on with the next one', async () => {
    const set = (what: string) => store.postgres.tenant(organisation, (sql) => sql.run(what));
    await set(`UPDATE sites SET state = 'suspended' WHERE domain = 'berlin.example'`);
    go('2026-12-01T12:00:00Z');
    await open().look();
    expect(sent.splice(0).sort()).toEqual([
      `${owner} kathmandu.example monthly 2026-11-01`,
      `${owner} kathmandu.example weekly 2026-11-23`,
    ]);
    await set(`UPDATE sites SET state = 'active'`);
    await set(`UPDATE organisations SET status = 'suspended', status_reason = 'unpaid'`);
    go('2026-12-01T13:00:00Z');
    await open().look();
    expect(sent).toEqual([]);
    await set(`UPDATE organisations SET status = 'active', status_reason = NULL`);
    await open().look();
    // The month is new enough; so is the week.
    expect(sent.splice(0).sort()).toEqual([
      `${owner} berlin.example monthly 2026-11-01`,
      `${owner} berlin.example weekly 2026-11-23`,
    ]);
  });

  it.each([
    ['to the west', 'Pacific/Auckland', 'America/Los_Angeles'],
    ['to the east', 'America/Los_Angeles', 'Pacific/Auckland'],
  ])('leave no day out and say none twice when the site moves %s between two', async (_way, from, to) => {
    const move = (zone: string) =>
      store.postgres.tenant(organisation, (sql) =>
        sql.run(`UPDATE sites SET timezone = $1 WHERE domain = 'berlin.example'`, [zone]),
      );
    await move(from);
    const first = clock.now();
    const half = 12 * 3_600_000;
    // It moves in the very hours in which one zone has its report behind it and the other before it.
    for (let at = first; at < first + 22 * 86_400_000; at += half) {
      clock.set(at);
      if (at === first + 13 * 86_400_000) await move(to);
      await open().look();
    }
    const weeks = sent.splice(0).filter((one) => one.includes('berlin.example weekly'));
    const days = weeks.map((one) => Date.parse(one.slice(-10)) / 86_400_000);
    expect(days.length).toBeGreaterThanOrEqual(3);
    expect(days).toEqual(days.map((_, at) => (days[0] as number) + at * 7));
  });

  it('write numbers and dates as their reader does', async () => {
    await store.postgres.tenant(organisation, async (sql) => {
      const { id } = await sql.one<{ id: number }>('SELECT person_id AS id FROM memberships');
      await sql.query("SELECT set_config('fairlead.person', $1, true)", [String(id)]);
      await sql.run(`UPDATE people SET locale = 'de' WHERE id = $1`, [id]);
    });
    go('2027-01-19T12:00:00Z');
    await open().look();
    expect(sent.splice(0)).toHaveLength(2);
    const { subject, blocks } = reportMail.write(letters[0] as ReportLetter);
    const words = JSON.stringify(blocks);
    expect(letters[0]?.content.locale).toBe('de');
    expect(subject).toContain('1.234 visitors in the ');
    for (const part of ['1.234,50', '41,3%', 'Deutschland']) expect(words).toContain(part);
    expect(words).toContain('11. Jan. – 17. Jan. 2027, against 4. Jan. – 10. Jan. 2027.');
  });

  it('do not reach whoever owes the organisation a second factor', async () => {
    const rule = (second: string) =>
      store.postgres.tenant(organisation, async (sql) => {
        await sql.run('UPDATE organisations SET second_factor = $1, second_factor_since = $2', [
          second,
          new Date('2026-12-01T00:00:00Z'),
        ]);
        await sql.run('UPDATE memberships SET role_since = $1', [new Date('2026-12-01T00:00:00Z')]);
      });
    await rule('all');
    go('2027-01-25T20:00:00Z');
    const scheduler = open();
    await scheduler.look();
    expect([sent, scheduler.counts.no_access]).toEqual([[], 2]);
    await rule('off');
    go('2027-02-01T20:00:00Z');
    await scheduler.look();
    expect(sent.splice(0)).not.toEqual([]);
  });

  it('do not reach whoever may not see the site any more (AUT-13)', async () => {
    await store.postgres.tenant(organisation, (sql) => sql.run(`UPDATE memberships SET role = 'billing'`));
    go('2027-02-09T20:00:00Z');
    const scheduler = open();
    await scheduler.look();
    expect([sent, scheduler.counts.no_access]).toEqual([[], 2]);
    await store.postgres.tenant(organisation, (sql) => sql.run(`DELETE FROM memberships`));
    go('2027-03-01T20:00:00Z');
    await scheduler.look();
    expect([sent, scheduler.counts.no_access]).toEqual([[], 6]);
  });
});

it('the picture is a PNG on no ground, with a line from zero up to the greatest day', () => {
  const png = drawCourse([0, 5, 10, 2]);
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([pictureSize.width, pictureSize.height]);
  expect(png.length).toBeLessThan(40_000);
  const start = png.indexOf('IDAT') + 4;
  const pixels = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
  const at = (x: number, y: number) => [...pixels.subarray(y * (1120 * 4 + 1) + 1 + x * 4).subarray(0, 4)];
  // The third of four points, at its greatest height; far above the first one is nothing.
  expect(at(14 + Math.round((1092 * 2) / 3), 14)).toEqual([47, 128, 205, 255]);
  expect(at(20, 30)).toEqual([0, 0, 0, 0]);
  for (const values of [[0], [7], [0, 0, 0]]) expect(drawCourse(values).length).toBeGreaterThan(100);
});
