/**
 * A desk with a source and destinations of the relay, in a process of its own that may be killed: prints `{port, path}` as a
 * line of JSON when it listens, answers questions on standard input, and ends with it. A second start in the same folder
 * goes on with what is there.
 *
 *     node test/proof/drivers/relay_desk.ts '{"folder":"/tmp/relay","kinds":["meta-capi"]}'
 *
 * Destinations are paused unless `active` says otherwise: then taking in and storing is all that happens.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { addGoal } from '../../../src/analytics/index.ts';
import { startServer } from '../../../src/app/serve.ts';
import { onDesk } from '../../../src/app/with_desk.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { readConfig } from '../../../src/platform/config.ts';
import { letEventLoopGoFirst, letSessionGoFirst } from '../../../src/platform/priority.ts';
import { relayChanged } from '../../../src/relay/changes.ts';
import { settingsOfKind } from './relay_settings.ts';

export interface RelayDeskPlan {
  readonly folder: string;
  readonly kinds: readonly string[];
  readonly active?: boolean;
  /** The goal `Sale` of the site, by the event of that name, is a source too. */
  readonly goals?: boolean;
}

const plan = JSON.parse(process.argv[2] ?? '{}') as RelayDeskPlan;
const config = readConfig({ ...process.env, FAIRLEAD_DATA_DIR: join(plan.folder, 'data'), PORT: '0' });
const server = await startServer(config, { isQuiet: true });
const { postgres, keys } = server.desk.house;
const record = join(plan.folder, 'relay.json');
if (!existsSync(record)) writeFileSync(record, JSON.stringify(await setUp()));
const { organisation, secret } = JSON.parse(readFileSync(record, 'utf8')) as { organisation: number; secret: string };
await relayChanged();
letEventLoopGoFirst();
letSessionGoFirst(systemClock);
say({ port: server.http.address.port, path: `/in/${secret}` });

const questions = createInterface({ input: process.stdin });
questions.on('line', (line) => void answer(line));
questions.once('close', () => void server.stop().then(() => process.exit(0)));

async function setUp(): Promise<{ organisation: number; secret: string }> {
  const input = {
    email: 'relay@example.com',
    organisation: 'Relay',
    sites: ['shop.example'],
    password: 'a long password here',
  };
  await onDesk({ command: 'setup', body: JSON.stringify(input) }, config);
  const [first] = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  const made = { organisation: first?.organisation_id ?? 0, secret: randomBytes(32).toString('base64url') };
  await postgres.tenant(made.organisation, async (sql) => {
    const now = new Date();
    const source = await sql.one<{ id: number }>(
      `INSERT INTO relay_sources (organisation_id, name, kind, preset, address_digest, created_at)
       VALUES ($1, 'Shop', 'http', 'canonical', $2, $3) RETURNING id`,
      [made.organisation, keys.digest('relay-source', made.secret), now],
    );
    if (plan.goals === true) {
      const site = await sql.one<{ id: number; organisation_id: number }>('SELECT id, organisation_id FROM sites');
      await addGoal(sql, server.desk.house.clock, site, { name: 'Sale', kind: 'event', match: 'Sale' });
      await sql.run(
        `INSERT INTO relay_sources (organisation_id, site_id, name, kind, created_at) VALUES ($1, $2, 'Goals', 'goals', $3)`,
        [made.organisation, site.id, now],
      );
    }
    for (const kind of plan.kinds) {
      const destination = await sql.one<{ id: number }>(
        `INSERT INTO relay_destinations (organisation_id, kind, name, settings, state, state_since, created_at)
         VALUES ($1, $2, $2, $3, $4, $5, $5) RETURNING id`,
        [
          made.organisation,
          kind,
          JSON.stringify(settingsOfKind(kind)),
          plan.active === true ? 'active' : 'paused',
          now,
        ],
      );
      await sql.run(
        `INSERT INTO relay_routes (organisation_id, source_id, destination_id, rules, created_at) VALUES ($1, $2, $3, '{}', $4)`,
        [made.organisation, source.id, destination.id, now],
      );
    }
  });
  return made;
}

async function answer(question: string): Promise<void> {
  if (question === 'count') {
    const { user, system } = process.cpuUsage();
    const [counted] = await ask<{ conversions: number; deliveries: number }>(
      'SELECT (SELECT count(*) FROM relay_conversions)::int AS conversions, (SELECT count(*) FROM relay_deliveries)::int AS deliveries',
    );
    say({ ...counted, cpuMs: (user + system) / 1000 });
  }
  if (question === 'sales') {
    const { spool, warehouse } = server.desk.house;
    await spool.drain(30_000);
    const [events] = await warehouse.read<{ count: string }>(
      "SELECT toString(count()) AS count FROM events WHERE name = 'Sale'",
    );
    say({
      conversions: await ask(
        "SELECT facts->>'event_id' AS id, doubles FROM relay_conversions WHERE event_name = 'Sale'",
      ),
      events: Number(events?.count),
    });
  }
  if (question === 'orders') {
    await server.desk.house.spool.drain(30_000);
    say(
      await ask(
        `SELECT c.order_id, c.doubles, (SELECT count(*) FROM relay_deliveries d WHERE d.conversion_id = c.id)::int AS deliveries,
           (SELECT count(*) FROM relay_tellings t WHERE t.conversion_id = c.id)::int AS tellings FROM relay_conversions c`,
      ),
    );
  }
}

function ask<Row extends object>(text: string): Promise<Row[]> {
  return postgres.tenant(organisation, (sql) => sql.query<Row>(text));
}

function say(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
