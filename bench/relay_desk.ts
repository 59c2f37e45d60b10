/**
 * A desk with a source and destinations of the relay, in a process of its own: prints `{port, path, pid}` as a line of JSON
 * when it listens, and ends with its standard input.
 *
 *     node bench/relay_desk.ts '{"folder":"/tmp/relay","kinds":["meta-capi"]}'
 *
 * Destinations are paused unless `active` says otherwise: what is measured then is taking in and storing.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startServer } from '../src/app/serve.ts';
import { onDesk } from '../src/app/with_desk.ts';
import { readConfig } from '../src/platform/config.ts';
import { letEventLoopGoFirst } from '../src/platform/priority.ts';
import { relayChanged } from '../src/relay/changes.ts';
import { settingsOfKind } from './relay_settings.ts';

export interface RelayDeskPlan {
  readonly folder: string;
  readonly kinds: readonly string[];
  readonly active?: boolean;
}

const plan = JSON.parse(process.argv[2] ?? '{}') as RelayDeskPlan;
const config = readConfig({ ...process.env, FAIRLEAD_DATA_DIR: join(plan.folder, 'data'), PORT: '0' });
const server = await startServer(config, { isQuiet: true });
await onDesk(
  {
    command: 'setup',
    body: JSON.stringify({
      ...{ email: 'bench@example.com', organisation: 'Bench', sites: ['shop.example'] },
      password: 'bench owner: a long password',
    }),
  },
  config,
);
const { postgres, keys } = server.desk.house;
const [first] = await postgres.system((sql) =>
  sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
);
const organisation = first?.organisation_id ?? 0;
const secret = randomBytes(32).toString('base64url');
await postgres.tenant(organisation, async (sql) => {
  const now = new Date();
  const source = await sql.one<{ id: number }>(
    `INSERT INTO relay_sources (organisation_id, name, kind, preset, address_digest, created_at)
     VALUES ($1, 'Shop', 'http', 'canonical', $2, $3) RETURNING id`,
    [organisation, keys.digest('relay-source', secret), now],
  );
  for (const kind of plan.kinds) {
    const destination = await sql.one<{ id: number }>(
      `INSERT INTO relay_destinations (organisation_id, kind, name, settings, state, state_since, created_at)
       VALUES ($1, $2, $2, $3, $4, $5, $5) RETURNING id`,
      [organisation, kind, JSON.stringify(settingsOfKind(kind)), plan.active === true ? 'active' : 'paused', now],
    );
    await sql.run(
      `INSERT INTO relay_routes (organisation_id, source_id, destination_id, rules, created_at) VALUES ($1, $2, $3, '{}', $4)`,
      [organisation, source.id, destination.id, now],
    );
  }
});
await relayChanged();
letEventLoopGoFirst();
process.stdout.write(
  `${JSON.stringify({ port: server.http.address.port, path: `/in/${secret}`, pid: process.pid, organisation })}\n`,
);
process.stdin.resume().once('end', () => void server.stop().then(() => process.exit(0)));
process.stdin.on('data', (text) => {
  // A question on standard input: how much is stored.
  if (!String(text).includes('count')) return;
  void postgres
    .tenant(organisation, (sql) =>
      sql.one<{ conversions: number; deliveries: number }>(
        'SELECT (SELECT count(*) FROM relay_conversions)::int AS conversions, (SELECT count(*) FROM relay_deliveries)::int AS deliveries',
      ),
    )
    .then((counted) => {
      const { user, system } = process.cpuUsage();
      process.stdout.write(`${JSON.stringify({ ...counted, cpuMs: (user + system) / 1000 })}\n`);
    });
});
