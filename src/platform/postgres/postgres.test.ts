import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresMigrations } from '../../../test/prepared_cluster.ts';
import { eraseStores, openTestPostgres, ownerLogin, type TestPostgres } from '../../../test/stores.ts';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { systemRandom } from '../random.ts';
import { connectionsMax, isAway, openDoor } from './door.ts';
import {
  chaining,
  deletions,
  lookups,
  movings,
  openPostgres,
  type Postgres,
  PostgresRefused,
  prepared,
  type Sql,
} from './index.ts';
import { migrate } from './migrations.ts';

const at = new Date('2026-01-05T10:00:00Z');
let store: TestPostgres;
let db: Postgres;
/** Two organisations with a person and a site each, and a third person in neither. */
const north = { organisation: 0, person: 0, site: 0 };
const south = { organisation: 0, person: 0, site: 0 };
const stranger = { person: 0 };

beforeAll(async () => {
  // Made from nothing, as a first start does.
  store = await openTestPostgres(postgresMigrations);
  db = store.postgres;
  for (const [name, ids] of Object.entries({ north, south })) Object.assign(ids, await addOrganisation(name));
  stranger.person = await addPerson('stranger@north.example');
});
afterAll(() => store.close());

describe('one organisation never sees another', () => {
  test.each([
    ['organisations', 1],
    ['memberships', 1],
    ['people', 1],
    ['sites', 1],
    ['goals', 1],
    ['shields', 1],
    ['api_keys', 1],
    ['imports', 1],
    ['invitations', 1],
    ['site_days', 1],
    ['passwords', 0],
    ['sessions', 0],
  ])('a query on %s that forgets its WHERE gives the rows of the organisation in force: %i', async (table, rows) => {
    expect(await db.tenant(north.organisation, (sql) => count(sql, table))).toBe(rows);
    expect(await db.system((sql) => count(sql, table))).toBe(0);
    expect(await store.asOwner((sql) => count(sql, table))).toBe(0);
  });

  test('a person sees their own profile, password, sessions and memberships, and nobody else', async () => {
    const seen = await db.person(north.person, async (sql) => ({
      people: await sql.query('SELECT id FROM people'),
      passwords: await sql.query('SELECT person_id FROM passwords'),
      sessions: await count(sql, 'sessions'),
      organisations: await sql.query('SELECT id FROM organisations'),
      sites: await count(sql, 'sites'),
    }));
    expect(seen).toEqual({
      people: [{ id: north.person }],
      passwords: [{ person_id: north.person }],
      sessions: 1,
      organisations: [{ id: north.organisation }],
      sites: 0,
    });
  });

  test('the organisation ends with its transaction, on the same connection too', async () => {
    for (let i = 0; i < 30; i++) {
      await db.tenant(north.organisation, (sql) => count(sql, 'sites'));
      expect(await db.system((sql) => count(sql, 'sites'))).toBe(0);
    }
  });

  test('a plan that a connection keeps gives the rows of whoever asks now, and none to nobody', async () => {
    const text = prepared('SELECT organisation_id FROM sites WHERE id > $1');
    for (let i = 0; i < 12; i++) {
      for (const { organisation } of [north, south])
        expect(await db.tenant(organisation, (sql) => sql.query(text, [0]))).toEqual([
          { organisation_id: organisation },
        ]);
      expect(await db.system((sql) => sql.query(text, [0]))).toEqual([]);
      await expect(db.retention((sql) => sql.query(text, [0]))).rejects.toMatchObject({ code: '42501' });
    }
  });

  test.each<[string, (sql: Sql) => Promise<unknown>, string | number]>([
    ['insert a row for another', (sql) => insertGoal(sql, south.organisation, south.site), '42501'],
    ['tie a row to the site of another', (sql) => insertGoal(sql, north.organisation, south.site), '23503'],
    ['move a row to another', (sql) => sql.run('UPDATE sites SET organisation_id = $1', [south.organisation]), '42501'],
    ['update the rows of another', (sql) => sql.run('UPDATE sites SET titles = false WHERE id = $1', [south.site]), 0],
    ['delete the rows of another', (sql) => sql.run('DELETE FROM goals WHERE site_id = $1', [south.site]), 0],
    ['put itself into another', (sql) => joinOrganisation(sql, south.organisation, north.person, 'owner'), '42501'],
  ])('an organisation cannot %s', async (_what, work, outcome) => {
    const result = db.tenant(north.organisation, work);
    if (typeof outcome === 'number') expect(await result).toBe(outcome);
    else await expect(result).rejects.toMatchObject({ code: outcome });
  });

  test('the number of an organisation is checked, since it is not a bound parameter', async () => {
    for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 53, "1'; RESET ROLE; --" as unknown as number])
      await expect(db.tenant(wrong, (sql) => count(sql, 'sites'))).rejects.toThrow(TypeError);
  });
});

describe('the app has no power over the schema', () => {
  test.each([
    ['turn row security off', 'SET LOCAL row_security = off; SELECT * FROM sites', '42501'],
    ['disable row security', 'ALTER TABLE sites DISABLE ROW LEVEL SECURITY', '42501'],
    ['create a table', 'CREATE TABLE mine (id int)', '42501'],
    ['create a role', 'CREATE ROLE mine', '42501'],
    ['become the owner', 'SET LOCAL ROLE fairlead_owner', '42501'],
    ['become the look-up role', 'SET LOCAL ROLE fairlead_lookup', '42501'],
    ['become the purge role', 'SET LOCAL ROLE fairlead_purge', '42501'],
    ['delete a person', 'DELETE FROM people', '42501'],
    ['call a deletion as itself', 'SELECT retention.delete_ended_sessions(now())', '42501'],
    ['read the list of migrations', 'SELECT * FROM schema_migrations', '42501'],
    ['write into audit as itself', 'INSERT INTO audit.probe VALUES (1)', '42501'],
    ['read a file', `SELECT pg_read_file('PG_VERSION')`, '42501'],
    ['run a program', `COPY (SELECT 1) TO PROGRAM 'true'`, '42501'],
  ])('it cannot %s', async (_what, text, code) => {
    await store.asOwner((sql) => sql.run('CREATE TABLE IF NOT EXISTS audit.probe (id int)'));
    await expect(db.tenant(north.organisation, (sql) => sql.query(text))).rejects.toMatchObject({ code });
    await store.asOwner((sql) => sql.run('DROP TABLE audit.probe'));
  });

  test('audit inserts, and neither reads, changes nor deletes', async () => {
    await store.asOwner((sql) => sql.run('CREATE TABLE audit.probe (id int)'));
    expect(await db.audit((sql) => sql.run('INSERT INTO audit.probe VALUES (1)'))).toBe(1);
    for (const text of [
      'SELECT * FROM audit.probe',
      'UPDATE audit.probe SET id = 2',
      'DELETE FROM audit.probe',
      'TRUNCATE audit.probe',
    ])
      await expect(db.audit((sql) => sql.run(text))).rejects.toMatchObject({ code: '42501' });
    await store.asOwner((sql) => sql.run('DROP TABLE audit.probe'));
  });

  test('retention deletes through its functions, and sees no table', async () => {
    await expect(db.retention((sql) => count(sql, 'sessions'))).rejects.toMatchObject({ code: '42501' });
    await db.person(stranger.person, (sql) => insertSession(sql, stranger.person, digest('stranger', 3), '2 days'));
    const sessions = () => db.person(stranger.person, (sql) => count(sql, 'sessions'));
    const purge = (moment: string) =>
      db.retention((sql) => sql.one('SELECT retention.delete_ended_sessions($1) AS gone', [moment]));
    expect([await purge('2026-01-07T09:59:00Z'), await sessions()]).toEqual([{ gone: 0 }, 1]);
    expect([await purge('2026-01-07T10:01:00Z'), await sessions()]).toEqual([{ gone: 1 }, 0]);
  });

  test('look-ups and deletions are exactly those listed, and each gives numbers, or a yes or no', async () => {
    const found = await store.asOwner((sql) =>
      sql.query<{ line: string }>(
        `SELECT format('%s.%s(%s) -> %s', n.nspname, p.proname, pg_get_function_arguments(p.oid),
           regexp_replace(pg_get_function_result(p.oid), '^TABLE', '')) AS line
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND (p.prosecdef OR n.nspname IN ('lookup', 'retention')) ORDER BY 1`,
      ),
    );
    expect(found.map((row) => row.line)).toEqual([...chaining, ...lookups, ...movings, ...deletions]);
    for (const line of [...lookups, ...movings]) expect(line).toMatch(/-> (bigint|boolean|\((\w+_id bigint(, )?)+\))$/);
    for (const line of deletions)
      expect(line).toMatch(
        /-> (bigint|\((person_id bigint, )?rows bigint, (digest bytea|oldest timestamp with time zone)\))$/,
      );
  });

  test.each<[string, unknown, () => object[]]>([
    ['site_by_domain', 'north.example', () => [{ site_id: north.site, organisation_id: north.organisation }]],
    ['site_by_domain', 'nowhere.example', () => []],
    ['api_key_by_digest', digest('north', 1), () => [{ api_key_id: 1, organisation_id: north.organisation }]],
    ['invitation_by_digest', digest('south', 2), () => [{ invitation_id: 2, organisation_id: south.organisation }]],
    ['session_by_digest', digest('north', 3), () => [{ session_id: 1, person_id: north.person }]],
    ['person_by_email', addressDigest('south@south.example'), () => [{ person_id: south.person }]],
  ])('lookup.%s finds its row for whoever brings the right key', async (name, argument, expected) => {
    expect(await db.system((sql) => sql.query(`SELECT * FROM lookup.${name}($1)`, [argument]))).toEqual(expected());
  });
});

describe('a transaction', () => {
  test.each([
    ['is gone', '26000', (sql: Sql) => sql.run('DEALLOCATE ALL')],
    [
      'gives other columns since the schema changed',
      '0A000',
      () => store.asOwner((owner) => owner.run('ALTER TABLE changing ALTER COLUMN number TYPE text')),
    ],
  ])('a kept plan that %s costs one error, and no later one', async (_what, code, change) => {
    await store.asOwner(async (owner) => {
      await owner.run('CREATE TABLE changing (number int)');
      await owner.run('GRANT SELECT ON changing TO fairlead_app');
    });
    const ask = () => db.system((sql) => sql.query(prepared('SELECT number FROM changing')));
    expect(await ask()).toEqual([]);
    await db.system(async (sql) => change(sql));
    await expect(ask()).rejects.toMatchObject({ code });
    expect(await ask()).toEqual([]);
    await store.asOwner((owner) => owner.run('DROP TABLE changing'));
  });

  test('rolls back when its work throws', async () => {
    const failing = db.tenant(north.organisation, async (sql) => {
      await sql.run('UPDATE sites SET titles = false');
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect(await db.tenant(north.organisation, (sql) => sql.query('SELECT titles FROM sites'))).toEqual([
      { titles: true },
    ]);
  });

  test('does not pass for committed when a failed statement was ignored', async () => {
    const careless = db.system(async (sql) => {
      await sql.query('SELECT 1/0').catch(() => undefined);
    });
    await expect(careless).rejects.toThrow('rolled back');
  });

  test('gives an sql that is dead afterwards', async () => {
    let kept: Sql | undefined;
    await db.tenant(north.organisation, async (sql) => {
      kept = sql;
    });
    await expect(kept?.query('SELECT 1')).rejects.toThrow('has ended');
  });

  test.each([
    ['bigint', '9007199254740991::bigint', 9007199254740991],
    ['date', `'2026-03-29'::date`, '2026-03-29'],
    ['numeric', '1.10::numeric', '1.10'],
    ['bigint[]', 'ARRAY[1, 2]::bigint[]', [1, 2]],
    ['date[]', `ARRAY['2026-03-29']::date[]`, ['2026-03-29']],
    ['empty bigint[]', 'ARRAY[]::bigint[]', []],
    ['timestamptz', `'2026-03-29 10:00+02'::timestamptz`, new Date('2026-03-29T08:00:00Z')],
    ['null bigint', 'NULL::bigint', null],
  ])('reads %s', async (_type, text, value) => {
    expect(await db.system((sql) => sql.query(`SELECT ${text} AS value`))).toEqual([{ value }]);
  });

  test('refuses a number that JavaScript cannot hold', async () => {
    await expect(db.system((sql) => sql.query('SELECT 9007199254740992::bigint'))).rejects.toThrow('beyond 2^53');
  });
});

describe('connections', () => {
  test('open one after another: many short transactions at once share a few, and twelve long ones get twelve', async () => {
    const own = await openTestPostgres(postgresMigrations);
    try {
      const numberOf = async (sql: Sql) => {
        const [row] = await sql.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        return row?.pid ?? 0;
      };
      await own.postgres.system(numberOf);
      const short = await Promise.all(Array.from({ length: 60 }, () => own.postgres.system(numberOf)));
      expect(short).toHaveLength(60);
      expect(new Set(short).size, 'in place of all twelve').toBeLessThan(8);
      let inside = 0;
      const { promise: allInside, resolve } = Promise.withResolvers<void>();
      const long = await Promise.all(
        Array.from({ length: connectionsMax }, () =>
          own.postgres.system(async (sql) => {
            const pid = await numberOf(sql);
            inside++;
            if (inside === connectionsMax) resolve();
            await allInside;
            return pid;
          }),
        ),
      );
      expect(new Set(long).size).toBe(connectionsMax);
    } finally {
      await own.close();
    }
  });
});

describe('migrations', () => {
  const inOwner = <T>(work: (client: pg.Client) => Promise<T>) => withClient(ownerLogin(db), work);
  const folderWith = async (files: Record<string, string>) => {
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-migrations-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return pathToFileURL(folder);
  };
  const known = [new URL('./migrations/', import.meta.url), ...postgresMigrations];

  test('run once, also when two processes start at once', async () => {
    const extra = await folderWith({ '2026-12-01-01-probe.sql': 'CREATE TABLE probe (id int)' });
    const both = await Promise.all([1, 2].map(() => inOwner((client) => migrate(client, [...known, extra]))));
    expect(both.flat()).toEqual(['2026-12-01-01-probe.sql']);
    expect(await inOwner((client) => migrate(client, [...known, extra]))).toEqual([]);
  });

  test('refuse a schema that is newer than the code', async () => {
    await expect(inOwner((client) => migrate(client, known))).rejects.toThrow(
      /2026-12-01-01-probe\.sql, which this version of Fairlead does not know: a newer version wrote it/,
    );
  });

  test('refuse a file that was changed after it ran', async () => {
    const changed = await folderWith({ '2026-12-01-01-probe.sql': 'CREATE TABLE probe (id bigint)' });
    await expect(inOwner((client) => migrate(client, [...known, changed]))).rejects.toThrow('was changed after it ran');
  });

  test('leave nothing of a file that fails in the middle', async () => {
    const probe = await folderWith({
      '2026-12-01-01-probe.sql': 'CREATE TABLE probe (id int)',
      '2026-12-02-01-half.sql': 'CREATE TABLE half (id int); SELECT 1/0;',
    });
    await expect(inOwner((client) => migrate(client, [...known, probe]))).rejects.toThrow(
      '2026-12-02-01-half.sql failed',
    );
    const powerful = await folderWith({
      '2026-12-01-01-probe.sql': 'CREATE TABLE probe (id int)',
      '2026-12-02-01-more.sql': 'CREATE TABLE half (id int); CREATE ROLE god SUPERUSER',
    });
    await expect(inOwner((client) => migrate(client, [...known, powerful]))).rejects.toThrow(
      /needs a right that the role of DATABASE_MIGRATION_URL has not \(permission denied/,
    );
    const { rows } = await inOwner((client) => client.query(`SELECT to_regclass('half') AS half`));
    expect(rows).toEqual([{ half: null }]);
    await inOwner((client) =>
      client.query(`DROP TABLE probe; DELETE FROM schema_migrations WHERE name LIKE '2026-12-%'`),
    );
  });

  test('need a dated name', async () => {
    await expect(inOwner(async (client) => migrate(client, [await folderWith({ 'probe.sql': '' })]))).rejects.toThrow(
      'has no date',
    );
  });
});

describe('the built-in server', () => {
  test('listens on no port, and its socket lies in a folder of its own', async () => {
    const owner = await ownerLogin(db);
    const show = (name: string) =>
      store.asOwner((sql) => sql.one<{ value: string }>(`SELECT current_setting('${name}') AS value`));
    expect(await show('listen_addresses')).toEqual({ value: '' });
    expect(await show('max_wal_size')).toEqual({ value: '256MB' });
    expect(await show('backend_flush_after')).toEqual({ value: '512kB' });
    expect((await stat(owner.host as string)).mode & 0o777).toBe(0o700);
    expect((await stat(join(db.directories[0] as string, 'credentials.json'))).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['without the password', { password: 'guess' }, '28P01'],
    ['as the superuser', { user: 'fairlead_cluster' }, '28000'],
    ['to another database', { database: 'postgres' }, '28000'],
  ])('lets nobody in %s', async (_how, change, code) => {
    await expect(
      withClient(
        ownerLogin(db).then((owner) => ({ ...owner, ...change })),
        async () => undefined,
      ),
    ).rejects.toMatchObject({ code });
  });

  test('is started again when it is killed, and the next question is answered', async () => {
    const before = await serverPid(db);
    process.kill(before, 'SIGKILL');
    await eventually(async () => expect(await alive(before)).toBe(false));
    // A backend may outlive its postmaster by a moment, and answer a question or take it with it: then its caller hears of
    // it and asks again.
    await eventually(async () => {
      expect(await serverPid(db)).not.toBe(before);
      expect(await db.tenant(north.organisation, (sql) => count(sql, 'sites'))).toBe(1);
    });
    expect(await db.health()).toMatchObject({ ok: true });
  });

  test('is started again though a process of the killed one never ends and holds its memory', async () => {
    const before = await serverPid(db);
    const orphan = await db.system((sql) => sql.one<{ pid: number }>('SELECT pg_backend_pid() AS pid'));
    // Stopped, it does not see that its server is gone: as one that waits for a lock whose holder was killed.
    process.kill(orphan.pid, 'SIGSTOP');
    process.kill(before, 'SIGKILL');
    await eventually(async () => {
      expect(await serverPid(db)).not.toBe(before);
      expect(await db.health()).toMatchObject({ ok: true });
    });
    expect(await alive(orphan.pid)).toBe(false);
  });

  test('may die between two questions of one transaction: its caller hears of it, and nobody else does', async () => {
    const uncaught: Error[] = [];
    const listen = (error: Error) => uncaught.push(error);
    process.on('uncaughtException', listen);
    try {
      const work = db.system(async (sql) => {
        process.kill((await sql.one<{ pid: number }>('SELECT pg_backend_pid() AS pid')).pid, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 300));
        return sql.one('SELECT 1 AS one');
      });
      await expect(work).rejects.toThrow(/connection/i);
      await eventually(async () => expect(await db.health()).toMatchObject({ ok: true }));
      expect(uncaught).toEqual([]);
    } finally {
      process.off('uncaughtException', listen);
    }
  });

  test('that answers late is waited for at the start, and one that does not answer is named in a sentence', async () => {
    const pid = await serverPid(db);
    const app = JSON.parse(await readFile(join(db.directories[0] as string, 'credentials.json'), 'utf8')) as {
      app: string;
    };
    const login = { ...(await ownerLogin(db)), user: 'fairlead_login', password: app.app };
    const parts = { login, clock: systemClock, log: silentLog };
    const patient = openDoor({ ...parts, waits: { first: 60_000, later: 500 } });
    const impatient = openDoor({ ...parts, waits: { first: 600, later: 500 } });
    process.kill(pid, 'SIGSTOP');
    try {
      const answer = patient.system((sql) => sql.one<{ one: number }>('SELECT 1 AS one'));
      const refusal = await impatient.system(async () => undefined).catch((error: Error) => error);
      expect(refusal).toMatchObject({ name: 'RequestError', code: 'store_unavailable' });
      expect((refusal as Error).message).toMatch(/^PostgreSQL does not answer \(.+\)\. Look whether it runs/);
      process.kill(pid, 'SIGCONT');
      expect(await answer).toEqual({ one: 1 });
    } finally {
      process.kill(pid, 'SIGCONT');
      await Promise.all([patient.close(), impatient.close()]);
    }
  });

  test('whose connection is found dead when it is asked is away, by whatever words the driver says so', async () => {
    const client = new pg.Client(await ownerLogin(db));
    await client.connect();
    client.on('error', () => {});
    const asked = client.query('SELECT pg_sleep(10)').catch((error: unknown) => error);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    const [during, after] = [await asked, await client.query('SELECT 1').catch((error: unknown) => error)];
    expect([during, after].map(String)).toEqual([
      'Error: Connection terminated unexpectedly',
      'Error: Client has encountered a connection error and is not queryable',
    ]);
    expect([during, after].map(isAway)).toEqual([true, true]);
    await client.end().catch(() => {});
    expect(isAway(await client.query('SELECT 1').catch((error: unknown) => error))).toBe(true);
    expect(isAway(new Error('relation "x" does not exist'))).toBe(false);
  });

  test('has no connection that nobody has used for a while', async () => {
    const app = JSON.parse(await readFile(join(db.directories[0] as string, 'credentials.json'), 'utf8')) as {
      app: string;
    };
    const login = { ...(await ownerLogin(db)), user: 'fairlead_login', password: app.app };
    const door = openDoor({ login, clock: systemClock, log: silentLog, idle: 300 });
    try {
      const pids = await Promise.all(
        Array.from({ length: 3 }, () =>
          door.system(async (sql) => {
            await sql.query('SELECT pg_sleep(0.2)');
            return (await sql.one<{ pid: number }>('SELECT pg_backend_pid() AS pid')).pid;
          }),
        ),
      );
      expect(new Set(pids).size).toBeGreaterThan(1);
      await eventually(async () => expect(await Promise.all(pids.map(alive))).not.toContain(true));
      expect(await door.system((sql) => sql.one<{ one: number }>('SELECT 1 AS one'))).toEqual({ one: 1 });
    } finally {
      await door.close();
    }
  });

  test('that a killed Fairlead left running is taken over by the next one, and by one only', async () => {
    // Below a folder that nobody but its owner may enter, as a clone in root's home is.
    const home = await mkdtemp(join(tmpdir(), 'fairlead-home-'));
    await chmod(home, 0o700);
    const dataDir = join(home, 'data');
    await mkdir(dataDir, { mode: 0o700 });
    const first = spawn(process.execPath, [fileURLToPath(new URL('./left_behind.ts', import.meta.url)), dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(first, 'exit');
    const [said] = (await once(first.stdout, 'data')) as [Buffer];
    const { directories } = JSON.parse(String(said)) as { directories: string[] };
    const open = () =>
      openPostgres({
        config: { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir },
        migrations: postgresMigrations,
        random: systemRandom,
        clock: systemClock,
        log: silentLog,
      });
    await expect(open()).rejects.toThrow(PostgresRefused);
    const pid = await serverPid({ directories });
    first.kill('SIGKILL');
    await ended;
    const next = await open();
    try {
      expect(await serverPid({ directories })).toBe(pid);
      expect(await next.system((sql) => sql.query('SELECT * FROM lookup.every_organisation()'))).toEqual([]);
    } finally {
      await next.close();
      expect(await alive(pid)).toBe(false);
      await eraseStores(next, home);
    }
  });

  test('starts after a reboot that gave the number in its pid file to another program', async () => {
    const other = await openTestPostgres();
    const cluster = join(other.postgres.directories.at(-1) as string, 'cluster');
    await other.postgres.close();
    await writeFile(
      join(cluster, 'postmaster.pid'),
      `${process.pid}\n${cluster}\n1700000000\n5432\n\n\n 1234 5678\nready   \n`,
    );
    await chownLike(join(cluster, 'postmaster.pid'), join(cluster, 'PG_VERSION'));
    const again = await openPostgres({
      config: { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir: other.dataDir },
      migrations: postgresMigrations,
      random: systemRandom,
      clock: systemClock,
      log: silentLog,
    });
    expect(await again.health()).toMatchObject({ ok: true });
    await again.close();
    await eraseStores(again, other.dataDir);
  });
});

describe('a start with DATABASE_URL', () => {
  const startAs = async (login: string, { secret, database }: { secret?: string; database?: string } = {}) => {
    const { host, password } = await ownerLogin(db);
    const own = db.directories[0] as string;
    const passwords = JSON.parse(await readFile(join(own, 'credentials.json'), 'utf8')) as { app: string };
    const url = (user: string, secret: unknown, name = 'fairlead') =>
      `postgres://${user}:${secret}@/${name}?host=${encodeURIComponent(String(host))}`;
    return openPostgres({
      config: {
        databaseUrl: url(login, secret ?? (login === 'fairlead_owner' ? password : passwords.app), database),
        databaseMigrationUrl: url('fairlead_owner', password),
        dataDir: '/nowhere',
      },
      migrations: postgresMigrations,
      random: systemRandom,
      clock: systemClock,
      log: silentLog,
    });
  };

  // The built-in server lets no superuser in, so its door is opened for a moment to make the roles that must be refused.
  beforeAll(async () => {
    const cluster = join(db.directories.at(-1) as string, 'cluster');
    await appendFile(
      join(cluster, 'pg_hba.conf'),
      'local fairlead fairlead_cluster,probe_bypass,probe_heir trust\nlocal postgres fairlead_login trust\n',
    );
    process.kill(await serverPid(db), 'SIGHUP');
    const superuser = ownerLogin(db).then((owner) => ({ ...owner, user: 'fairlead_cluster' }));
    await eventually(() =>
      withClient(superuser, async (client) => {
        await client.query(
          `DROP ROLE IF EXISTS probe_heir, probe_bypass;
           CREATE ROLE probe_bypass LOGIN BYPASSRLS; CREATE ROLE probe_heir LOGIN IN ROLE probe_bypass;
           GRANT fairlead_app, fairlead_audit, fairlead_mail, fairlead_retention TO probe_bypass, probe_heir, fairlead_cluster`,
        );
      }),
    );
  });

  test.each([
    ['is a superuser', 'fairlead_cluster', /^The role fairlead_cluster of DATABASE_URL is a superuser: /],
    ['bypasses row security', 'probe_bypass', /can act as probe_bypass, which bypasses row security/],
    ['can become one that does', 'probe_heir', /can act as probe_bypass, which bypasses row security/],
    ['owns a table', 'fairlead_owner', /fairlead_owner of DATABASE_URL .*owns \w+\./],
  ])('is refused when its login %s', async (_what, login, message) => {
    await expect(startAs(login)).rejects.toThrow(message);
    await expect(startAs(login)).rejects.toThrow(PostgresRefused);
  });

  test.each([
    ['the password is wrong', { secret: 'wrong' }, /^PostgreSQL does not let fairlead_login into fairlead \(28P01: /],
    ['the database is closed to it', { database: 'template1' }, /into template1 \(28000: .*Correct DATABASE_URL/],
    ['it is not the one of the migrations', { database: 'postgres' }, /lead to different databases/],
  ])('is refused with a sentence when %s', async (_what, doubt, message) => {
    const start = startAs('fairlead_login', doubt);
    await expect(start).rejects.toThrow(message);
    await expect(start).rejects.toThrow(PostgresRefused);
  });

  test('works with a login that has no power', async () => {
    const opened = await startAs('fairlead_login');
    expect([opened.mode, (await opened.health()).ok, (await opened.diskBytes()) > 0]).toEqual(['external', true, true]);
    expect(await opened.tenant(north.organisation, (sql) => count(sql, 'sites'))).toBe(1);
    await opened.close();
  });
});

/** What the keyed digest of an address stands for here, where no key is. */
function addressDigest(email: string): Buffer {
  return createHash('sha256').update(email).digest();
}

async function addPerson(email: string): Promise<number> {
  const { id } = await db.system((sql) => sql.one<{ id: number }>(`SELECT nextval('people_id_seq') AS id`));
  await db.person(id, async (sql) => {
    await sql.run('INSERT INTO people (id, email_digest, email_sealed, created_at) VALUES ($1, $2, $2, $3)', [
      id,
      addressDigest(email),
      at,
    ]);
    await sql.run('INSERT INTO passwords VALUES ($1, $2, $3)', [id, 'not a hash', at]);
  });
  return id;
}

async function addOrganisation(name: string) {
  const person = await addPerson(`${name}@${name}.example`);
  const { id: organisation } = await db.system((sql) =>
    sql.one<{ id: number }>(`SELECT nextval('organisations_id_seq') AS id`),
  );
  const site = await db.within({ organisationId: organisation, personId: person }, async (sql) => {
    await sql.run('INSERT INTO organisations (id, name, slug, created_at) VALUES ($1, $2, $2, $3)', [
      organisation,
      name,
      at,
    ]);
    await joinOrganisation(sql, organisation, person, 'owner');
    const { id } = await sql.one<{ id: number }>(
      `INSERT INTO sites (organisation_id, domain, timezone, currency, created_at) VALUES ($1, $2, 'UTC', 'EUR', $3) RETURNING id`,
      [organisation, `${name}.example`, at],
    );
    await insertGoal(sql, organisation, id);
    await sql.run(
      `INSERT INTO shields (organisation_id, site_id, kind, pattern, created_at) VALUES ($1, $2, 'path', '/x', $3)`,
      [organisation, id, at],
    );
    await sql.run(
      `INSERT INTO api_keys (organisation_id, name, digest, last4, scopes, created_at) VALUES ($1, 'k', $2, 'abcd', '{a}', $3)`,
      [organisation, digest(name, 1), at],
    );
    await sql.run(
      `INSERT INTO invitations (organisation_id, email_digest, email_sealed, role, digest, created_at, expires_at) VALUES ($1, $2, $2, 'viewer', $2, $3, $3)`,
      [organisation, digest(name, 2), at],
    );
    await sql.run(
      `INSERT INTO imports (organisation_id, site_id, kind, file_name, state, created_at) VALUES ($1, $2, 'events', 'f', 'done', $3)`,
      [organisation, id, at],
    );
    await sql.run(
      `INSERT INTO site_days (organisation_id, site_id, day, state, timezone, changed_at) VALUES ($1, $2, '2026-01-04', 'frozen', 'UTC', $3)`,
      [organisation, id, at],
    );
    await insertSession(sql, person, digest(name, 3), '30 days');
    return id;
  });
  return { organisation, person, site };
}

function insertSession(sql: Sql, person: number, token: Buffer, life: string): Promise<number> {
  return sql.run(
    `INSERT INTO sessions (person_id, family, generation, digest, started_at, created_at, last_used_at, expires_at)
     VALUES ($1, gen_random_uuid(), 0, $2, $3, $3, $3, $3::timestamptz + $4::interval)`,
    [person, token, at, life],
  );
}

function digest(name: string, kind: number): Buffer {
  return Buffer.alloc(32, `${name}${kind}`);
}

function insertGoal(sql: Sql, organisation: number, site: number): Promise<number> {
  return sql.run(
    `INSERT INTO goals (organisation_id, site_id, kind, name, pattern, created_at) VALUES ($1, $2, 'event', 'g', 'g', $3)`,
    [organisation, site, at],
  );
}

function joinOrganisation(sql: Sql, organisation: number, person: number, role: string): Promise<number> {
  return sql.run('INSERT INTO memberships VALUES ($1, $2, $3, $4)', [organisation, person, role, at]);
}

async function count(sql: Sql, table: string): Promise<number> {
  return (await sql.one<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)).n;
}

async function withClient<T>(login: Promise<pg.ClientConfig>, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(await login);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

async function serverPid(postgres: Pick<Postgres, 'directories'>): Promise<number> {
  const file = join(postgres.directories.at(-1) as string, 'cluster', 'postmaster.pid');
  return Number((await readFile(file, 'utf8')).split('\n')[0]);
}

/** A killed process that nobody has waited for yet keeps its number, but runs no program any more. */
async function alive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'unknown')) !== '';
}

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let left = 200; ; left--) {
    try {
      return await check();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function chownLike(file: string, model: string): Promise<void> {
  const { uid, gid } = await stat(model);
  await chown(file, uid, gid);
}
