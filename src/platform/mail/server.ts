import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { asMail, type Postgres, type Sql } from '../postgres/index.ts';
import type { Vault } from '../vault.ts';
import { endTrouble, type MailTroubles } from './trouble.ts';

/** A mail server and who writes through it. */
export interface MailServer {
  host: string;
  port: number;
  /** `starttls` begins in clear and must become TLS before anything is said; `implicit` is TLS from the first byte. */
  tls: 'starttls' | 'implicit';
  userName: string | undefined;
  password: string | undefined;
  /** `Fairlead <desk@desk.example>` or the bare address. */
  from: string;
  dkim: { domain: string; selector: string; key: string } | undefined;
}

export type ServerSource = 'environment' | 'app' | 'none';

/** Who changes the server, and what is written down of it in the same transaction. */
export interface ServerChange {
  personId: number;
  note(sql: Sql): Promise<void>;
}

export interface MailServers {
  /** What counts now. The environment wins over what was set in the app. */
  current(): Promise<{ source: ServerSource; server: MailServer | undefined }>;
  /** What was set in the app, whether it counts or not. Its password and key are there or not, and not told. */
  saved(): Promise<SavedServer | undefined>;
  /** Takes the place of what was set before. An undefined secret keeps the one that is there. */
  save(server: Omit<MailServer, 'dkim'> & { dkim: SavedDkim | undefined }, change: ServerChange): Promise<void>;
  /** Nothing is noted where none was set. */
  forget(change: ServerChange): Promise<void>;
  /** Sends one message to this address at once, past the outbox. @returns what the server said, in its words */
  test(to: string): Promise<{ ok: boolean; answer: string }>;
  /** Why mail does not leave at present. */
  trouble: MailTroubles;
}

export interface SavedDkim {
  domain: string;
  selector: string;
  /** Undefined keeps the one that is there. */
  key: string | undefined;
}

export interface SavedServer extends Omit<MailServer, 'password' | 'dkim'> {
  hasPassword: boolean;
  dkim: { domain: string; selector: string } | undefined;
  changedAtMs: number;
}

interface Row {
  version: number;
  host: string;
  port: number;
  tls: MailServer['tls'];
  user_name: string | null;
  password: Buffer | null;
  from_address: string;
  dkim_domain: string | null;
  dkim_selector: string | null;
  dkim_key: Buffer | null;
  changed_at: Date;
}

/** How long a process may go on with a server that another one has changed. */
const knownMs = 5_000;

export function openServerSettings(parts: {
  config: Pick<Config, 'smtp'>;
  clock: Clock;
  postgres: Postgres;
  vault: Vault;
}): Pick<MailServers, 'current' | 'saved' | 'save' | 'forget'> & { version(): string } {
  const { config, clock, postgres, vault } = parts;
  let known: { atMs: number; version: number; server: MailServer | undefined } | undefined;

  const place = (column: string) =>
    ({ organisationId: 'desk', table: 'mail.server', column, row: 1, class: 'D9' }) as const;
  const seal = async (column: string, secret: string | undefined) =>
    secret === undefined ? null : vault.seal(place(column), secret);
  const open = async (column: string, sealed: Buffer | null) =>
    sealed === null ? undefined : (await vault.open(place(column), sealed, { purpose: 'mail.send' })).toString('utf8');
  const read = () => postgres.mail((sql) => sql.maybe<Row>('SELECT * FROM mail.server'));

  async function refreshed() {
    const row = await read();
    const version = row?.version ?? 0;
    const server =
      row === undefined
        ? undefined
        : known?.version === version && known.server !== undefined
          ? known.server
          : await serverOf(row);
    known = { atMs: clock.monotonic(), version, server };
    return known;
  }

  async function serverOf(row: Row): Promise<MailServer> {
    const key = await open('dkim_key', row.dkim_key);
    return {
      host: row.host,
      port: row.port,
      tls: row.tls,
      userName: row.user_name ?? undefined,
      password: await open('password', row.password),
      from: row.from_address,
      dkim:
        key === undefined || row.dkim_domain === null || row.dkim_selector === null
          ? undefined
          : { domain: row.dkim_domain, selector: row.dkim_selector, key },
    };
  }

  return {
    version: () => (config.smtp === undefined ? String(known?.version ?? 0) : 'environment'),
    async current() {
      if (config.smtp !== undefined) return { source: 'environment', server: config.smtp };
      const { server } = known !== undefined && clock.monotonic() - known.atMs < knownMs ? known : await refreshed();
      return { source: server === undefined ? 'none' : 'app', server };
    },
    async saved() {
      const row = await read();
      if (row === undefined) return undefined;
      return {
        host: row.host,
        port: row.port,
        tls: row.tls,
        userName: row.user_name ?? undefined,
        from: row.from_address,
        hasPassword: row.password !== null,
        dkim:
          row.dkim_domain === null || row.dkim_selector === null
            ? undefined
            : { domain: row.dkim_domain, selector: row.dkim_selector },
        changedAtMs: row.changed_at.getTime(),
      };
    },
    async save(server, { personId, note }) {
      const password = await seal('password', server.password);
      const key = await seal('dkim_key', server.dkim?.key);
      const put = async (sql: Sql) => {
        const before = await sql.maybe<Row>('SELECT * FROM mail.server FOR UPDATE');
        // A password belongs to one account of one server: sent to another, it would be given away.
        const isSameAccount = before?.host === server.host && before.user_name === (server.userName ?? null);
        const kept = {
          password: password ?? (isSameAccount ? (before?.password ?? null) : null),
          key: server.dkim === undefined ? null : (key ?? before?.dkim_key ?? null),
        };
        await sql.run(
          `INSERT INTO mail.server (host, port, tls, user_name, password, from_address, dkim_domain, dkim_selector, dkim_key, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           ON CONFLICT (id) DO UPDATE SET version = server.version + 1, host = EXCLUDED.host, port = EXCLUDED.port,
             tls = EXCLUDED.tls, user_name = EXCLUDED.user_name, password = EXCLUDED.password,
             from_address = EXCLUDED.from_address, dkim_domain = EXCLUDED.dkim_domain,
             dkim_selector = EXCLUDED.dkim_selector, dkim_key = EXCLUDED.dkim_key, changed_at = EXCLUDED.changed_at`,
          [
            server.host,
            server.port,
            server.tls,
            server.userName ?? null,
            kept.password,
            server.from,
            server.dkim?.domain ?? null,
            server.dkim?.selector ?? null,
            kept.key,
            new Date(clock.now()),
          ],
        );
        await endTrouble(sql);
      };
      await postgres.person(personId, async (sql) => {
        await asMail(sql, () => put(sql));
        await note(sql);
      });
      known = undefined;
    },
    async forget({ personId, note }) {
      await postgres.person(personId, async (sql) => {
        const gone = await asMail(sql, async () => {
          await endTrouble(sql);
          return sql.run('DELETE FROM mail.server');
        });
        if (gone > 0) await note(sql);
      });
      known = undefined;
    },
  };
}
