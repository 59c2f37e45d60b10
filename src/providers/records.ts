import type { Connection, ConnectionReason, ConnectionState, TroubleClass } from '../../contract/connections.ts';
import { RequestError } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import { providerOf } from './list.ts';

/** A connection as it is stored, and whether its tokens are there. */
export interface ConnectionRow {
  id: number;
  organisation_id: number;
  provider: Connection['provider'];
  kind: Connection['kind'];
  label: string;
  scopes: string[];
  accounts: Connection['accounts'];
  state: ConnectionState;
  reason: ConnectionReason | null;
  issued_at_hosts: string;
  token_expires_at: Date | null;
  refresh_at: Date | null;
  refreshing_until: Date | null;
  refreshed_at: Date | null;
  expires_at: Date | null;
  trouble_class: TroubleClass | null;
  trouble_answer: string | null;
  trouble_at: Date | null;
  created_by: number;
  created_at: Date;
  authorised_at: Date;
  access_token: Buffer | null;
  refresh_token: Buffer | null;
}

const columns = `c.id, c.organisation_id, c.provider, c.kind, c.label, c.scopes, c.accounts, c.state, c.reason,
  c.issued_at_hosts, c.token_expires_at, c.refresh_at, c.refreshing_until, c.refreshed_at, c.expires_at, c.trouble_class,
  c.trouble_answer, c.trouble_at, c.created_by, c.created_at, c.authorised_at, t.access_token, t.refresh_token`;
const source = 'connections c LEFT JOIN connection_tokens t ON t.connection_id = c.id';

/** Those in use first, the newest first among them. */
export function listConnections(sql: Sql, organisationId: number): Promise<ConnectionRow[]> {
  return sql.query<ConnectionRow>(
    `SELECT ${columns} FROM ${source} WHERE c.organisation_id = $1 ORDER BY c.state = 'disconnected', c.id DESC`,
    [organisationId],
  );
}

export function findConnection(sql: Sql, organisationId: number, id: number): Promise<ConnectionRow | undefined> {
  return sql.maybe<ConnectionRow>(`SELECT ${columns} FROM ${source} WHERE c.organisation_id = $1 AND c.id = $2`, [
    ...[organisationId, id],
  ]);
}

/** Locks the line: of two who change it the second one sees what the first did. @throws RequestError not_found */
export async function lockConnection(sql: Sql, organisationId: number, id: number): Promise<ConnectionRow> {
  const row = await sql.maybe<ConnectionRow>(
    `SELECT ${columns} FROM ${source} WHERE c.organisation_id = $1 AND c.id = $2 FOR UPDATE OF c`,
    [organisationId, id],
  );
  if (row === undefined) throw noConnection();
  return row;
}

export function noConnection(): RequestError {
  return new RequestError('not_found', 'There is no connection with this number here.');
}

/** What people see of it: no token, and no digest of one. */
export function shown(row: ConnectionRow): Connection {
  const { oauth } = providerOf(row.provider);
  return {
    ...{ id: row.id, provider: row.provider, kind: row.kind, label: row.label, state: row.state, reason: row.reason },
    ...{ scopes: row.scopes, accounts: row.accounts, created_by: row.created_by },
    created_at: row.created_at.toISOString(),
    authorised_at: row.authorised_at.toISOString(),
    refreshed_at: row.refreshed_at?.toISOString() ?? null,
    expires_at: row.expires_at?.toISOString() ?? null,
    trouble:
      row.trouble_class === null || row.trouble_at === null || row.state === 'disconnected'
        ? null
        : { class: row.trouble_class, answer: row.trouble_answer ?? '', at: row.trouble_at.toISOString() },
    renews: row.kind === 'oauth' && oauth?.renews({ hasRefreshToken: row.refresh_token !== null }) === true,
  };
}
