import type { Sql } from '../../platform/postgres/index.ts';
import { VaultError } from '../../platform/vault.ts';
import { type Credential, SettingsProblem } from '../destinations/destination.ts';
import { destinationOf } from '../destinations/index.ts';
import { destinationSecretPlace } from '../settings/secrets.ts';
import type { Account, LaneOf, NotReady, Senders, Target } from './parts.ts';

interface Row {
  kind: string;
  settings: Record<string, unknown>;
  connection_id: number | null;
  secret_sealed: Buffer | null;
  test_code: string | null;
  is_dry_run: boolean;
}

/** The account with its token, or why nothing can be sent to it. Nothing is sent live that was to be a trial. */
export async function openAccount(senders: Senders, lane: LaneOf): Promise<Account | NotReady> {
  const row = await senders.postgres.tenant(lane.organisationId, (sql) =>
    sql.maybe<Row>(
      `SELECT kind, settings, connection_id, secret_sealed, test_code, is_dry_run
       FROM relay_destinations WHERE id = $1 AND state = 'active'`,
      [lane.destinationId],
    ),
  );
  if (row === undefined) return { state: 'none' };
  const target = targetOf(lane, row);
  if ('state' in target) return target;
  const { destination } = target;
  const opened =
    destination.credential.kind === 'none' ? { secret: '', connection: undefined } : await secretOf(senders, lane, row);
  if ('state' in opened) return opened;
  const { secret, connection } = opened;
  if (isOneWord(destination.credential) && !/^[!-~]{1,8192}$/.test(secret))
    return { state: 'reconnect', reason: 'token_unreadable' };
  return { ...target, secret, connection, isDryRun: row.is_dry_run };
}

/** An account whether or not anything is sent to it at present; undefined where it cannot be read, and everything for it waits. */
export async function readTarget(sql: Sql, lane: LaneOf): Promise<Target | undefined> {
  const row = await sql.maybe<Row>(
    `SELECT kind, settings, connection_id, secret_sealed, test_code, is_dry_run FROM relay_destinations
     WHERE organisation_id = $1 AND id = $2`,
    [lane.organisationId, lane.destinationId],
  );
  const target = row && targetOf(lane, row);
  return target === undefined || 'state' in target ? undefined : target;
}

function targetOf({ organisationId, destinationId }: LaneOf, row: Row): Target | NotReady {
  const destination = destinationOf(row.kind);
  if (destination === undefined) return wrong('unknown_kind');
  if (row.test_code !== null && destination.asTest === undefined) return wrong('no_test_mode');
  if (row.is_dry_run && destination.asDryRun === undefined) return wrong('no_dry_run');
  try {
    destination.settings(row.settings);
  } catch (error) {
    if (error instanceof SettingsProblem) return wrong(error.field === '' ? 'settings' : `settings.${error.field}`);
    throw error;
  }
  const { settings } = row;
  return { organisationId, destinationId, destination, settings, testCode: row.test_code ?? undefined };
}

function isOneWord({ kind }: Credential): boolean {
  return kind !== 'signature' && kind !== 'none';
}

function wrong(reason: string): NotReady {
  return { state: 'misconfigured', reason };
}

/** A token of a connection, else the destination's own. */
async function secretOf(
  { vault, connections }: Senders,
  { organisationId, destinationId }: LaneOf,
  { kind, connection_id, secret_sealed }: Row,
): Promise<(Pick<Account, 'connection'> & { secret: string }) | NotReady> {
  if (connection_id !== null) {
    if (connections === undefined) return { state: 'reconnect', reason: 'no_connection' };
    const fresh = await connections.freshToken(organisationId, connection_id);
    if ('token' in fresh) return { secret: fresh.token, connection: { id: connection_id, version: fresh.version } };
    if ('later' in fresh) return { state: 'away', reason: fresh.later, afterMs: fresh.afterMs };
    return { state: 'reconnect', reason: fresh.reconnect };
  }
  if (secret_sealed === null) return { state: 'reconnect', reason: 'no_token' };
  try {
    const place = destinationSecretPlace(organisationId, destinationId);
    const secret = await vault.open(place, secret_sealed, { purpose: `relay.${kind}` });
    return { secret: secret.toString('utf8'), connection: undefined };
  } catch (error) {
    if (error instanceof VaultError) return { state: 'reconnect', reason: `token_${error.code}` };
    throw error;
  }
}

/** Somebody has to do something: the queue is kept until then. @returns whether it was not so before */
export async function stopDestination(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  { state, reason }: { state: 'reconnect' | 'misconfigured'; reason: string },
  now: number,
): Promise<boolean> {
  const stopped = await sql.run(
    `UPDATE relay_destinations SET state = $3, state_reason = $4, state_since = $5
     WHERE organisation_id = $1 AND id = $2 AND state = 'active'`,
    [organisationId, destinationId, state, reason.slice(0, 120), new Date(now)],
  );
  return stopped > 0;
}
