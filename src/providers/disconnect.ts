import type { Disconnection, DisconnectionPreview } from '../../contract/connections.ts';
import type { AccessKind } from '../platform/access.ts';
import { type Act, actOf } from '../platform/audit.ts';
import { noConnections } from '../platform/connection_config.ts';
import type { Principal } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { converse } from './converse.ts';
import { hostsOf, providerOf } from './list.ts';
import { Trouble } from './provider.ts';
import { type ConnectionRow, findConnection, listConnections, lockConnection, noConnection } from './records.ts';
import type { SealedTokens } from './sealed.ts';

/** Something that uses connections, such as the deliveries of the relay. */
export interface ConnectionUser {
  /** What would end, in words and numbers: `{what: 'queued sends', count: 12}`. */
  preview(sql: Sql, organisationId: number, connectionId: number): Promise<{ what: string; count: number }[]>;
  /** Nothing goes out with it any more: in the transaction in which the tokens are destroyed (REL-05). */
  stop(sql: Sql, organisationId: number, connectionId: number): Promise<void>;
  /**
   * Ends what was queued, after that and in transactions of its own, since a queue may be long; what is left by a desk that is
   * killed meanwhile it ends later by itself.
   * @param connectionId of this one; of all that have ended without
   * @returns what ended
   */
  cancel(
    postgres: Pick<House['postgres'], 'tenant'>,
    organisationId: number,
    connectionId?: number,
  ): Promise<{ what: string; count: number }[]>;
  /** What waited for it goes on: in the transaction in which somebody authorised it again, or pasted another secret. */
  goOn(sql: Sql, organisationId: number, connectionId: number): Promise<void>;
}

const users = new Set<ConnectionUser>();

/** Whoever uses connections says so once. @returns the way to take it back */
export function onConnection(user: ConnectionUser): () => void {
  users.add(user);
  return () => users.delete(user);
}

/** What uses it goes on with its new tokens. */
export async function goOnWith(sql: Sql, organisationId: number, connectionId: number): Promise<void> {
  for (const user of users) await user.goOn(sql, organisationId, connectionId);
}

/** Ends connections: revoked at the platform as far as it goes, tokens destroyed, what was queued cancelled (REL-05, RET-07). */
export function openDisconnect(
  house: Pick<House, 'postgres' | 'clock' | 'config' | 'outbound' | 'audit' | 'log'>,
  sealed: SealedTokens,
) {
  const { postgres, clock, config, outbound, audit, log } = house;
  const settings = config.connections ?? noConnections;

  async function preview(organisationId: number, id: number): Promise<DisconnectionPreview> {
    return postgres.tenant(organisationId, async (sql) => {
      const row = await findConnection(sql, organisationId, id);
      if (row === undefined) throw noConnection();
      const cancels = [];
      for (const user of users) cancels.push(...(await user.preview(sql, organisationId, id)));
      return { revokes: canRevoke(row), cancels };
    });
  }

  function canRevoke(row: ConnectionRow): boolean {
    const { oauth } = providerOf(row.provider);
    return row.kind === 'oauth' && oauth?.revoke !== undefined;
  }

  /** Best effort: what is destroyed here must not wait for a platform that is away. */
  async function revoke(row: ConnectionRow): Promise<Disconnection['revoked']> {
    const provider = providerOf(row.provider);
    const { oauth } = provider;
    const client = oauth?.client(settings);
    if (!canRevoke(row) || oauth?.revoke === undefined) return 'not_possible';
    // A token goes to nobody but whom it was issued by.
    if (client === undefined || row.access_token === null || row.issued_at_hosts !== hostsOf(provider, config))
      return 'failed';
    const owner = { organisationId: row.organisation_id, id: row.id };
    try {
      const talk = oauth.revoke({
        ...{ client, settings, nowMs: clock.now() },
        accessToken: await sealed.access(owner, row.access_token, 'connection.revoke'),
        refreshToken:
          row.refresh_token === null ? undefined : await sealed.refresh(owner, row.refresh_token, 'connection.revoke'),
      });
      await converse(outbound, talk, { purpose: 'provider.token', receiver: oauth.receiver });
      return 'revoked';
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      log.warn('connections.not_revoked', {
        ...{ organisation: row.organisation_id, connection: row.id, provider: row.provider },
        ...{ class: error.class, answer: error.answer },
      });
      // One that the platform does not know any more is what was wanted.
      return error.isOver ? 'revoked' : 'failed';
    }
  }

  async function disconnect(organisationId: number, id: number, asker: Asker): Promise<Disconnection> {
    const revoked = await revokeFirst(organisationId, id);
    await postgres.tenant(organisationId, (sql) => end(sql, organisationId, id, actOf(asker), revoked));
    return { revoked, cancelled: await cancelQueued(organisationId, id) };
  }

  async function cancelQueued(organisationId: number, id?: number): Promise<Disconnection['cancelled']> {
    const cancelled = [];
    for (const user of users) cancelled.push(...(await user.cancel(postgres, organisationId, id)));
    return cancelled;
  }

  /** At the platform, while the tokens are still here. @throws RequestError not_found */
  async function revokeFirst(organisationId: number, id: number): Promise<Disconnection['revoked']> {
    const row = await postgres.tenant(organisationId, (sql) => findConnection(sql, organisationId, id));
    if (row === undefined || row.state === 'disconnected') throw noConnection();
    return revoke(row);
  }

  /** Destroys the tokens, stops what goes out with them, and writes it down. @throws RequestError not_found */
  async function end(
    sql: Sql,
    organisationId: number,
    id: number,
    by: Pick<Act, 'actor' | 'request'>,
    revoked: Disconnection['revoked'],
  ): Promise<void> {
    const now = await lockConnection(sql, organisationId, id);
    // Somebody else was faster: there is nothing left to end.
    if (now.state === 'disconnected') throw noConnection();
    await sql.run('DELETE FROM connection_tokens WHERE organisation_id = $1 AND connection_id = $2', [
      ...[organisationId, id],
    ]);
    await sql.run(
      `UPDATE connections SET state = 'disconnected', reason = 'by_hand', disconnected_at = $3, accounts = '[]', scopes = '{}',
         token_expires_at = NULL, refresh_at = NULL, refreshing_until = NULL, expires_at = NULL,
         trouble_class = NULL, trouble_answer = NULL, trouble_at = NULL
       WHERE organisation_id = $1 AND id = $2`,
      [organisationId, id, new Date(clock.now())],
    );
    const queued = [];
    for (const user of users) {
      queued.push(...(await user.preview(sql, organisationId, id)));
      await user.stop(sql, organisationId, id);
    }
    await audit.record(sql, organisationId, {
      ...{ action: 'connection.disconnected', ...by },
      targets: [{ type: 'connection', id, label: now.label }],
      details: {
        ...{ provider: now.provider, kind: now.kind, revoked },
        cancelled: queued.map(({ what, count }) => `${count} ${what}`).join(', '),
      },
    });
  }

  /**
   * Of an organisation that is over: each connection is revoked at its platform before its tokens are destroyed with all else.
   * @param isLast nothing is waited for any more
   * @returns whether a platform that was away is to be asked once more, and where nothing could be revoked
   */
  async function endAll(organisationId: number, isLast: boolean): Promise<{ again: boolean; left: string[] }> {
    const rows = await postgres.tenant(organisationId, (sql) => listConnections(sql, organisationId));
    const left: string[] = [];
    for (const row of rows.filter(({ state, access_token }) => state !== 'disconnected' && access_token !== null)) {
      const revoked = await revoke(row);
      if (revoked === 'failed') left.push(row.provider);
      if (revoked === 'failed' && !isLast) continue;
      await postgres.tenant(organisationId, (sql) =>
        end(sql, organisationId, row.id, { actor: { type: 'system' } }, revoked),
      );
      await cancelQueued(organisationId, row.id);
    }
    return { again: left.length > 0 && !isLast, left };
  }

  /** Connections, for the review of access: with each this desk acts in an account elsewhere. */
  const access: AccessKind = {
    ...{ kind: 'connection', permission: 'connection.manage', isOfPerson: false },
    async list(sql, organisationId) {
      const rows = await listConnections(sql, organisationId);
      return rows
        .filter(({ state }) => state !== 'disconnected')
        .map((row) => ({
          ...{
            id: row.id,
            label: `${row.label} (${row.provider})`,
            since: row.authorised_at.toISOString().slice(0, 10),
          },
          gives: row.kind === 'oauth' ? `an account there, ${row.scopes.join(' ')}` : 'a secret of its own',
        }));
    },
    before: revokeFirst,
    async remove(sql, organisationId, id, request, before) {
      await end(sql, organisationId, id, actOf(request), (before ?? 'failed') as Disconnection['revoked']);
    },
    async after(organisationId) {
      await cancelQueued(organisationId);
    },
  };

  return { preview, disconnect, endAll, access };
}

type Asker = Parameters<typeof actOf>[0] & { principal: Principal | undefined };
