import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { lookAtRelay, noteFindings } from '../../src/relay/alerts/watch.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** What is not as usual is noticed by numbers of real rows, told once, and again only after it had been well. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

let desk: TestDesk;
let organisation: number;
let source: number;
let destination: number;
const dayMs = 86_400_000;
let now: number;

beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
  const { postgres, clock } = desk.server.desk.house;
  now = clock.now();
  const [row] = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  organisation = Number(row?.organisation_id);
  await postgres.tenant(organisation, async (sql) => {
    const old = new Date(now - 30 * dayMs);
    source = (
      await sql.one<{ id: number }>(
        "INSERT INTO relay_sources (organisation_id, name, kind, created_at) VALUES ($1, 'Shop orders', 'http', $2) RETURNING id",
        [organisation, old],
      )
    ).id;
    destination = (
      await sql.one<{ id: number }>(
        `INSERT INTO relay_destinations (organisation_id, kind, name, settings, state_since, created_at)
         VALUES ($1, 'meta-capi', 'Meta', '{"dataset_id": "1"}', $2, $2) RETURNING id`,
        [organisation, old],
      )
    ).id;
  });
});
afterAll(() => desk?.close());

const noon = (daysAgo: number) => (Math.floor(now / dayMs) - daysAgo) * dayMs + dayMs / 2;
/** So many conversions an hour ago, or at noon of the day so many days ago, each with a delivery in this state. */
async function fill(daysAgo: number, count: number, { state = 'accepted', present = '{email}' } = {}) {
  await desk.server.desk.house.postgres.tenant(organisation, (sql) =>
    sql.run(
      `WITH made AS (
         INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent,
           region, mapping_version, raw_days)
         SELECT $1, gen_random_uuid(), $2, 'purchase', $3, $3, '{}', $4, '{}', 'eea', 0, 7 FROM generate_series(1, $5) RETURNING id)
       INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, state, next_at, created_at)
       SELECT $1, id, 1, $6, id::text, $7, $3, $3 FROM made`,
      [
        organisation,
        source,
        new Date(daysAgo === 0 ? now - 3_600_000 : noon(daysAgo)),
        present,
        count,
        destination,
        state,
      ],
    ),
  );
}
const look = () => desk.server.desk.house.postgres.tenant(organisation, (sql) => lookAtRelay(sql, now));
const note = async () => {
  const findings = await look();
  const fresh = await desk.server.desk.house.postgres.tenant(organisation, (sql) => noteFindings(sql, findings, now));
  return fresh.map(({ kind }) => kind);
};

it('says nothing where nothing is, and of a source that has been there for a few days', async () => {
  expect(await look()).toEqual([]);
});

it('notices silence beside usual days, once, and is well again when it is over', async () => {
  for (let day = 2; day <= 8; day++) await fill(day, 40);
  expect(await look()).toEqual([
    { kind: 'silence', about: source, facts: { name: 'Shop orders', today: 0, usual: 40 } },
  ]);
  expect(await note()).toEqual(['silence']);
  expect(await note()).toEqual([]);
  await fill(0, 60);
  expect(await look()).toEqual([]);
  expect(await note()).toEqual([]);
  const rows = await desk.server.desk.house.postgres.tenant(organisation, (sql) =>
    sql.query('SELECT kind, ended_at IS NOT NULL AS is_over FROM relay_alerts'),
  );
  expect(rows).toEqual([{ kind: 'silence', is_over: true }]);
});

it('notices refusals, withholding and missing identifiers by their share, and what waits too long', async () => {
  await fill(0, 30, { state: 'dead', present: '{}' });
  await fill(0, 120, { state: 'withheld', present: '{}' });
  await fill(4, 1, { state: 'waiting' });
  const hours = Math.round((now - noon(4)) / 3_600_000);
  expect(await look()).toEqual([
    { kind: 'match', about: source, facts: { name: 'Shop orders', today: 29, usual: 100 } },
    { kind: 'dead', about: destination, facts: { name: 'Meta', count: 30, all: 210 } },
    { kind: 'withheld', about: destination, facts: { name: 'Meta', count: 120, all: 210 } },
    { kind: 'late', about: destination, facts: { name: 'Meta', hours, limit: 168 } },
  ]);
});

it('tells the owner in the app and by mail, in words', async () => {
  const { postgres } = desk.server.desk.house;
  await postgres.tenant(organisation, (sql) =>
    sql.run("UPDATE relay_destinations SET state = 'reconnect', state_reason = '190/463' WHERE id = $1", [destination]),
  );
  const { remindOfRelay } = await import('../../src/relay/alerts/watch.ts');
  const { notices } = desk.server.desk.accounts;
  await remindOfRelay({ clock: desk.server.desk.house.clock, log: desk.server.desk.house.log, notices });
  const [owner] = await postgres.tenant(organisation, (sql) =>
    sql.query<{ person_id: number }>("SELECT person_id FROM memberships WHERE role = 'owner'"),
  );
  const told = await postgres.person(owner?.person_id ?? 0, (sql) =>
    sql.query<{ notice: string }>("SELECT notice FROM notifications WHERE kind = 'relay' ORDER BY notice"),
  );
  expect(told.map(({ notice }) => notice)).toEqual([
    'relay_dead',
    'relay_late',
    'relay_match',
    'relay_stopped',
    'relay_withheld',
  ]);
});
