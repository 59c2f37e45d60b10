import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { openOneByOne } from './one_by_one.ts';
import { PostgresAway } from './refusal.ts';
import { asked, readers, type Sql, sqlOn } from './sql.ts';

/** Transactions at once. Short ones by design: twelve carry thousands a second, and each costs the server about 5 MB. */
export const connectionsMax = 12;
/**
 * Connections of their own for keys: whoever seals mostly holds a transaction already, and twelve that each waited for
 * a second connection of the same pool would wait for each other.
 */
const keyConnectionsMax = 2;
/** A statement, a wait for a lock, and a transaction that says nothing: each ends with an error after so long. */
const statementMs = 15_000;
const lockMs = 5_000;
const silentMs = 30_000;
/**
 * How long a caller waits for a free or a returning connection before it hears that there is none; `first` until the
 * server has answered once, since a start on a busy machine takes longer.
 */
const waitsMs = { first: 60_000, later: 10_000 };
/** A connection that nobody has used for so long is closed: it costs 6 MB, and another one 15 to 30 ms of a processor. */
const idleMs = 30_000;
/** Pauses between two tries: each costs a server that is starting a process. */
const againMsFirst = 25;
const againMsMax = 400;

/** Who the app is to the server, as plain values: it may be handed to another thread. */
export type Login = Pick<pg.ClientConfig, 'host' | 'port' | 'user' | 'password' | 'database' | 'connectionString'>;

/** Whose rows a transaction sees. Neither set: no row that belongs to anybody. */
export interface Scope {
  organisationId?: number;
  personId?: number;
}

export interface Door {
  /** Work for one organisation: its rows, and no others, whatever the query forgets to say. */
  tenant<T>(organisationId: number, work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Work for one person: profile, password, sessions, memberships. */
  person<T>(personId: number, work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Work for a person inside an organisation, such as creating both. */
  within<T>(scope: Scope, work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Work for nobody: look-ups, and tables that belong to no one. It sees zero rows of any organisation or person. */
  system<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Calls the functions of the schema `retention`; sees no table. */
  retention<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Inserts into the schema `audit`; reads nothing, changes nothing. */
  audit<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * The key store (schema `vault`): the wrapped keys of one organisation, or of the desk itself, and no other table. On
   * connections of its own, so it may be called within any other work, and commits without it.
   */
  vault<T>(owner: number | 'desk', work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Sees the schema `mail` whole, and nothing else: for who sends. */
  mail<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  ping(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * The one way to the app's rows. Each piece of work is a transaction that commits when its function resolves and rolls
 * back when it throws.
 * A connection that turns out dead before the work began is replaced silently, for as long as a restart of the server
 * takes; one that dies during the work is the caller's error, because part of it may have happened.
 */
export function openDoor(parts: { login: Login; clock: Clock; log: Log; waits?: typeof waitsMs; idle?: number }): Door {
  const { clock, log, waits = waitsMs, idle = idleMs } = parts;
  const pool = poolOf(connectionsMax);
  const keyPool = poolOf(keyConnectionsMax);
  let closing = false;

  function poolOf(max: number) {
    const made = new pg.Pool({
      ...parts.login,
      types: readers,
      max,
      // Statements are sent as they are asked and not one answer later; what matters is the last ones and their COMMIT.
      pipeline: true,
      idleTimeoutMillis: idle,
      connectionTimeoutMillis: waits.later,
      statement_timeout: statementMs,
      lock_timeout: lockMs,
      idle_in_transaction_session_timeout: silentMs,
      application_name: 'fairlead',
      options: '-c TimeZone=UTC',
    });
    // A connection whose server goes away says so as an event, and without a listener Node would exit: the pool listens
    // to idle ones only, so those at work between two of their queries need a listener of their own.
    made.on('connect', (client) => {
      // One that is still being let go of when the built-in server stops was not lost.
      client.on('error', (error) => {
        if (!closing) log.warn('postgres.connection_lost', { code: codeOf(error) });
      });
    });
    // The pool passes on what its idle connections say, which is said already.
    made.on('error', () => {});
    return { ...openOneByOne(made, clock, waits.later), end: () => made.end() };
  }

  let hasAnswered = false;

  async function begin(from: typeof pool, opening: string, withinMs: number): Promise<pg.PoolClient> {
    const deadline = clock.monotonic() + (hasAnswered ? withinMs : waits.first);
    for (let againMs = againMsFirst; ; againMs = Math.min(againMs * 2, againMsMax)) {
      let client: pg.PoolClient | undefined;
      try {
        client = await from.connect();
        await client.query(opening);
        hasAnswered = true;
        return client;
      } catch (error) {
        client?.release(true);
        if (!isAway(error)) throw error;
        if (clock.monotonic() > deadline) throw awayFor(error);
        await pause(againMs);
      }
    }
  }

  async function transaction<T>(
    opening: string,
    work: (sql: Sql) => Promise<T>,
    { withinMs = waits.later, from = pool } = {},
  ): Promise<T> {
    const client = await begin(from, opening, withinMs);
    const sql = sqlOn(client);
    let broken: Error | undefined;
    try {
      const result = await work(sql);
      sql.end();
      const sent = sql.last().map(({ text, params }) => client.query(asked(text), [...params]));
      const commit = client.query('COMMIT');
      // After a failed statement COMMIT answers too: both are waited for, and the statement's error is the one that counts.
      const [ended] = await Promise.allSettled([commit, ...sent]);
      await Promise.all(sent);
      if (ended.status === 'rejected') throw ended.reason;
      const { command } = ended.value;
      // A statement failed, the work swallowed its error, and PostgreSQL answers COMMIT with ROLLBACK.
      if (command !== 'COMMIT') throw new Error('The transaction was rolled back: a failed statement was ignored.');
      return result;
    } catch (error) {
      sql.end();
      await client.query('ROLLBACK').catch((second: Error) => {
        broken = second;
      });
      // What the connection has prepared is gone, or gives other columns since a newer desk changed a table.
      if (isStale(error)) broken ??= error as Error;
      throw broken !== undefined && isAway(error) ? awayFor(error) : error;
    } finally {
      client.release(broken);
    }
  }

  async function within<T>(scope: Scope, work: (sql: Sql) => Promise<T>): Promise<T> {
    return transaction(
      `BEGIN${setting('organisation', scope.organisationId)}${setting('person', scope.personId)}`,
      work,
    );
  }

  return {
    within,
    tenant: (organisationId, work) => within({ organisationId }, work),
    person: (personId, work) => within({ personId }, work),
    system: (work) => within({}, work),
    retention: (work) => transaction('BEGIN; SET LOCAL ROLE fairlead_retention', work),
    audit: (work) => transaction('BEGIN; SET LOCAL ROLE fairlead_audit', work),
    vault: (owner, work) =>
      transaction(
        `BEGIN; SET LOCAL ROLE fairlead_vault${setting('organisation', owner === 'desk' ? undefined : owner)}`,
        work,
        { from: keyPool },
      ),
    mail: (work) => transaction('BEGIN; SET LOCAL ROLE fairlead_mail', work),
    ping: (withinMs) => transaction('BEGIN READ ONLY', async () => undefined, { withinMs }),
    async close() {
      closing = true;
      await Promise.all([pool.end(), keyPool.end()]);
    },
  };
}

/**
 * A part of a transaction of the app that only who sends mail may do: so that a change of how or to whom mail is sent
 * stands in the transaction of its act, whose trail that role cannot write. Nothing else may run on the same `sql` meanwhile.
 */
export function asMail<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  return asRole(sql, 'fairlead_mail', work);
}

/** The same for the functions of the schema `retention`: what goes by age goes with its receipt and its act, or stays. */
export function asRetention<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  return asRole(sql, 'fairlead_retention', work);
}

async function asRole<T>(sql: Sql, role: 'fairlead_mail' | 'fairlead_retention', work: () => Promise<T>): Promise<T> {
  await sql.run(`SET LOCAL ROLE ${role}`);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // Of a statement that failed, the transaction is over anyway, and this one fails as well.
    await sql.run('SET LOCAL ROLE NONE').catch(() => {});
    throw error;
  }
  await sql.run('SET LOCAL ROLE NONE');
  return result;
}

function awayFor(error: unknown): PostgresAway {
  const code = codeOf(error);
  return new PostgresAway(code === '' ? String((error as Error).message) : code, { cause: error });
}

/** Part of the opening message, so that it costs no round trip. The number is checked, since it is not a parameter. */
function setting(name: 'organisation' | 'person', id: number | undefined): string {
  if (id === undefined) return '';
  if (!Number.isSafeInteger(id) || id < 1)
    throw new TypeError(`${String(id)} is not the number of ${name === 'person' ? 'a' : 'an'} ${name}.`);
  return `; SELECT set_config('fairlead.${name}', '${id}', true)`;
}

/**
 * The server is not there, or not yet: no socket, nobody behind it, cut in the middle, starting or shutting down
 * (class 57P, and 53300 while the killed server's connections are still counted).
 */
export function isAway(error: unknown): boolean {
  const code = codeOf(error);
  if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03', '53300', '08006'].includes(code))
    return true;
  return error instanceof Error && awayWords.test(error.message);
}

/** The driver's words, which have no code: cut off, found dead when it was asked, closed by us as it was, or none opened in time. */
const awayWords =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect)/;

/** A connection that must not be used again: its prepared statements no longer fit the server. */
function isStale(error: unknown): boolean {
  const code = codeOf(error);
  return code === '26000' || (code === '0A000' && String((error as Error).message).includes('cached plan'));
}

export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code ?? '');
}
