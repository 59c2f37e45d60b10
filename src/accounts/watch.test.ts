import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../test/stores.ts';
import { stillClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { openAudit } from '../trust/audit/index.ts';
import { listDrafts } from '../trust/incidents/drafts.ts';
import { ringOf } from '../trust/keys/index.ts';
import { createOrganisation } from './set_up.ts';
import { openWatch } from './watch.ts';

let store: TestPostgres;
const clock = stillClock(Date.UTC(2026, 10, 28, 9));
const keys = ringOf(Buffer.alloc(32, 7));

beforeAll(async () => {
  store = await openTestPostgres();
});
afterAll(() => store.close());

it('tells the owners once a day and kind what looks suspicious, writes it down and opens a draft of an incident (OPS-01)', async () => {
  const { postgres } = store;
  const vault = openTestVault({ keys, clock, postgres });
  const made = [];
  for (const name of ['Shop', 'Rival'])
    made.push(
      await postgres.system((sql) =>
        createOrganisation(
          sql,
          { clock, vault, keys },
          { email: `owner@${name.toLowerCase()}.example`, organisation: name, hash: 'x' },
        ),
      ),
    );
  const organisation = made[0]?.organisationId as number;
  const audit = openAudit({ vault, clock, random: systemRandom });
  const act = (action: string, times: number) =>
    postgres.tenant(organisation, (sql) =>
      audit.recordMany(
        sql,
        organisation,
        Array.from({ length: times }, () => ({ action, actor: { type: 'visitor' as const } })),
      ),
    );
  const sent: string[] = [];
  const noticed: string[] = [];
  const open = () =>
    openWatch({
      notices: {
        tell: async (_sql, _person, { name }) => {
          noticed.push(name);
        },
      },
      ...{ postgres, clock, log: silentLog, keys, vault, audit },
      mail: {
        link: (path) => `https://desk.example${path}`,
        send: async (_sql, { to, template, values }) => {
          sent.push(`${to} ${JSON.stringify(template.write(values).blocks)}`);
        },
      },
    });
  const [watch, second] = [open(), open()] as const;
  const told = async () => {
    sent.length = 0;
    await watch.look();
    await second.look();
    return sent.map((line) => line.slice(0, line.indexOf('.', line.indexOf('text":"'))));
  };
  expect(await told()).toEqual([]);
  await act('session.refused', 19);
  await act('export.started', 19);
  expect(await told(), 'an ordinary day').toEqual([]);
  await act('session.refused', 1);
  await act('session.reused', 1);
  const kinds = await told();
  expect(kinds).toHaveLength(2);
  for (const line of kinds) expect(line).toMatch(/^owner@shop\.example /);
  expect(kinds.join()).toMatch(/A session was copied.*Somebody tries many passwords/s);
  await act('session.reused', 5);
  expect(await told(), 'once a day').toEqual([]);
  await act('export.downloaded', 1);
  await postgres.tenant(organisation, (sql) =>
    sql.run(
      `INSERT INTO api_keys (organisation_id, name, digest, last4, scopes, created_at, last_used_day)
       VALUES ($1, 'Canary in the wiki', $2, 'abcd', '{stats:read}', $3, $4)`,
      [organisation, Buffer.alloc(32, 1), new Date(clock.now()), '2026-11-28'],
    ),
  );
  expect(await told()).toHaveLength(2);
  clock.travel(86_400_001);
  await act('session.reused', 1);
  expect(await told()).toHaveLength(1);
  expect([watch, second].flatMap((one) => one.gauges[0]?.read() as object[])).toContainEqual({
    labels: { kind: 'canary_key' },
    value: 1,
  });
  expect(noticed).toEqual(Array(5).fill('security_alert'));

  const drafts = await postgres.tenant(organisation, (sql) => listDrafts(sql, organisation, vault));
  const found = ['refresh_reuse', 'canary_key', 'mass_export', 'refresh_reuse', 'brute_force'];
  expect(drafts.map(({ kind }) => kind).sort()).toEqual([...found].sort());
  const raised = (chain: number) =>
    postgres.within(chain === 0 ? {} : { organisationId: chain }, (sql) =>
      sql.query("SELECT seq FROM audit.entries WHERE organisation_id = $1 AND action = 'alert.raised'", [chain]),
    );
  expect(await raised(organisation)).toHaveLength(5);
  expect(await raised(made[1]?.organisationId as number)).toEqual([]);

  // Names that nobody has: the desk's own trail, and so for those who run the desk alone.
  const operator = made[1]?.personId as number;
  await postgres.person(operator, (sql) => sql.run('UPDATE people SET is_operator = true WHERE id = $1', [operator]));
  const unknown = (times: number, network: (n: number) => string) =>
    postgres.system((sql) =>
      audit.recordMany(
        sql,
        'desk',
        Array.from({ length: times }, (_, n) => ({
          ...{ action: 'session.refused', actor: { type: 'visitor' as const }, reason: 'unknown_name' },
          ...{ outcome: 'refused' as const, request: { id: 'test', address: network(n) } },
        })),
      ),
    );
  await unknown(40, () => '192.0.2.9');
  expect(await told(), 'one network is slowed down by itself').toEqual([]);
  clock.travel(3_600_001);
  await unknown(29, (n) => `198.51.${n % 5}.9`);
  expect(await told(), 'less than thirty in an hour').toEqual([]);
  await unknown(1, () => '198.51.4.9');
  expect(await told()).toEqual([expect.stringMatching(/^owner@rival\.example .*many names that nobody here has/)]);
  expect(await raised(0)).toHaveLength(1);
  await unknown(30, (n) => `203.0.${n}.9`);
  expect(await told(), 'once a day').toEqual([]);
  watch.stop();
  second.stop();
});
