import type { ConnectionReason } from '../../contract/connections.ts';
import { pause } from '../platform/clock.ts';
import { noConnections } from '../platform/connection_config.ts';
import type { House } from '../platform/subject.ts';
import { converse } from './converse.ts';
import { hostsOf, providerOf } from './list.ts';
import { type Grant, Trouble } from './provider.ts';
import { type ConnectionRow, findConnection } from './records.ts';
import { openSealedTokens } from './sealed.ts';
import { type Teller, tellOf } from './telling.ts';

/** A token that ends within this time is renewed before it is used. */
const marginMs = 60_000;
/** One process renews for so long; then another one may, since the first was killed. Longer than two requests may take. */
export const leaseMs = 45_000;
/** How often whoever waits for another one's renewal looks, and for how long. */
const lookMs = 200;
const waitMs = 40_000;
/** A connection that is another one each time that it is looked at is left alone for now. */
const triesMax = 5;
/** When a renewal that failed is tried again: the platform's own failure, and one that the operator has to look at. */
const againMs = { retry: 5 * 60_000, rate_limited: 15 * 60_000, auth: 3_600_000, config: 3_600_000 } as const;
/** A grant without a named renewal is renewed at half of its life (reference, "Refresh"). */
const shareOfLife = 0.5;

/**
 * `token`: send it now, and keep it nowhere; `version` tells it from others of its connection. `reconnect`: nothing goes out until somebody authorises again; what waits, waits.
 * `later`: the token is over and the platform does not give another one at the moment: try again after that time.
 */
export type FreshToken =
  | { token: string; version: string; scopes: readonly string[] }
  | { reconnect: ConnectionReason | 'unknown' }
  | { later: string; afterMs: number };

type Parts = Pick<House, 'postgres' | 'clock' | 'config' | 'outbound' | 'vault' | 'audit' | 'log'>;

export function openTokens(house: Parts, notices: Pick<Teller, 'tellRoles'>) {
  const { postgres, clock, outbound, audit, log } = house;
  const settings = house.config.connections ?? noConnections;
  const sealed = openSealedTokens(house);
  /** Renewals of this process that are under way: whoever comes meanwhile gets the same. */
  const underWay = new Map<string, Promise<void>>();

  const read = (organisationId: number, id: number) =>
    postgres.tenant(organisationId, (sql) => findConnection(sql, organisationId, id));

  /** @param given `refused`: the version of a token that the platform did not take; `isExpired`: it said that its time is over */
  async function freshToken(
    organisationId: number,
    connectionId: number,
    given: { purpose?: string; refused?: string | undefined; isExpired?: boolean | undefined } = {},
  ): Promise<FreshToken> {
    const { purpose = 'connection.send', refused } = given;
    let row = await read(organisationId, connectionId);
    for (let tries = 0; tries < triesMax; tries++) {
      if (row === undefined) return { reconnect: 'unknown' };
      if (row.state === 'connected' && row.issued_at_hosts !== hostsOf(providerOf(row.provider), house.config)) {
        if (await end(row, 'base_url_changed')) return { reconnect: 'base_url_changed' };
        row = await read(organisationId, connectionId);
        continue;
      }
      if (row.state !== 'connected' || row.access_token === null) return { reconnect: row.reason ?? 'unknown' };
      const { token_expires_at: endsAt } = row;
      const isOver = endsAt !== null && endsAt.getTime() - clock.now() <= marginMs;
      const version = versionOf(row);
      // What the platform refused may have been replaced since it was given out: that says nothing of this one.
      const isRefused = version === refused;
      if (!isOver && (!isRefused || tries > 0)) {
        const owner = { organisationId, id: connectionId };
        return { token: await sealed.access(owner, row.access_token, purpose), version, scopes: row.scopes };
      }
      if (!canRenew(row)) {
        const reason = isRefused ? reasonOf(row, given.isExpired) : 'expired';
        if (await end(row, reason)) return { reconnect: reason };
        row = await read(organisationId, connectionId);
        continue;
      }
      if (tries > 0) {
        const answer = row.trouble_answer ?? 'no_answer';
        const at = row.refresh_at?.getTime() ?? clock.now();
        return { later: answer, afterMs: Math.max(at - clock.now(), lookMs) };
      }
      await renew(organisationId, connectionId, row.refreshed_at);
      row = await read(organisationId, connectionId);
    }
    return { later: 'no_answer', afterMs: lookMs };
  }

  function canRenew(row: ConnectionRow): boolean {
    const { oauth } = providerOf(row.provider);
    // Without a client of the operator's it cannot either, but that passes: the token is not given up for it.
    if (row.kind !== 'oauth' || oauth?.refresh === undefined) return false;
    return oauth.renews({ hasRefreshToken: row.refresh_token !== null });
  }

  /** A grant whose named end has come has expired, whatever word the platform has for it. */
  function reasonOf({ expires_at }: ConnectionRow, isExpired = false): 'expired' | 'revoked' {
    return isExpired || (expires_at !== null && expires_at.getTime() <= clock.now()) ? 'expired' : 'revoked';
  }

  /** One renewal at a time of one connection, whoever asks and in whichever process. It is over when this resolves. */
  function renew(organisationId: number, id: number, seen: Date | null): Promise<void> {
    const key = `${organisationId}/${id}`;
    const running = underWay.get(key);
    if (running !== undefined) return running;
    const renewing = renewOnce(organisationId, id, seen).finally(() => underWay.delete(key));
    underWay.set(key, renewing);
    return renewing;
  }

  async function renewOnce(organisationId: number, id: number, seen: Date | null): Promise<void> {
    const taken = await takeLease(organisationId, id, seen);
    if (taken === undefined) return waitForOther(organisationId, id);
    try {
      await renewTaken(taken);
    } catch (error) {
      if (!(error instanceof Trouble)) {
        await letGo(taken);
        throw error;
      }
      if (error.isOver) await end(taken, reasonOf(taken, error.isExpired), error);
      else await noteTrouble(taken, error);
    }
  }

  /**
   * The lock is in the row and has an end, so that no transaction stays open while a platform thinks, and a process that
   * is killed meanwhile blocks nobody for long. What another one has renewed since it was read is not renewed again.
   */
  function takeLease(organisationId: number, id: number, seen: Date | null): Promise<ConnectionRow | undefined> {
    const now = clock.now();
    return postgres.tenant(organisationId, async (sql) => {
      const taken = await sql.run(
        `UPDATE connections SET refreshing_until = $3 WHERE organisation_id = $1 AND id = $2 AND state = 'connected'
         AND (refreshing_until IS NULL OR refreshing_until <= $4) AND refreshed_at IS NOT DISTINCT FROM $5`,
        [organisationId, id, new Date(now + leaseMs), new Date(now), seen],
      );
      return taken === 0 ? undefined : findConnection(sql, organisationId, id);
    });
  }

  async function letGo(row: ConnectionRow): Promise<void> {
    await postgres.tenant(row.organisation_id, (sql) =>
      sql.run(`UPDATE connections SET refreshing_until = NULL WHERE ${asItWas}`, wasOf(row)),
    );
  }

  async function waitForOther(organisationId: number, id: number): Promise<void> {
    const signal = new AbortController().signal;
    const until = clock.monotonic() + waitMs;
    while (clock.monotonic() < until) {
      const row = await read(organisationId, id);
      if (row?.state !== 'connected' || row.refreshing_until === null) return;
      if (row.refreshing_until.getTime() <= clock.now()) return;
      await pause(clock, lookMs, signal);
    }
  }

  async function renewTaken(row: ConnectionRow): Promise<void> {
    const { oauth } = providerOf(row.provider);
    const client = oauth?.client(settings);
    if (oauth?.refresh === undefined || client === undefined || row.access_token === null)
      throw new Trouble('config', 'no_client');
    if (row.issued_at_hosts !== hostsOf(providerOf(row.provider), house.config)) {
      await end(row, 'base_url_changed');
      return;
    }
    const owner = { organisationId: row.organisation_id, id: row.id };
    const ask = {
      ...{ client, settings, nowMs: clock.now() },
      accessToken: await sealed.access(owner, row.access_token, 'connection.renew'),
      refreshToken:
        row.refresh_token === null ? undefined : await sealed.refresh(owner, row.refresh_token, 'connection.renew'),
    };
    const grant = await converse(outbound, oauth.refresh(ask), {
      ...{ purpose: 'provider.token', receiver: oauth.receiver },
    });
    await keep(row, grant);
  }

  /** Stores what was renewed. What was disconnected or authorised again meanwhile stays so: this was got with the grant before. */
  async function keep(row: ConnectionRow, grant: Grant): Promise<void> {
    const { organisation_id: organisationId, id } = row;
    const { access, refresh } = await sealed.seal({ organisationId, id }, grant);
    const times = timesOf(grant, clock.now());
    const isKept = await postgres.tenant(organisationId, async (sql) => {
      const kept = await sql.run(
        `UPDATE connections SET refreshing_until = NULL, refreshed_at = $6, token_expires_at = $7, refresh_at = $8,
           told_days = CASE WHEN $9::timestamptz > expires_at THEN NULL ELSE told_days END,
           expires_at = coalesce($9, expires_at), scopes = coalesce($10, scopes),
           trouble_class = NULL, trouble_answer = NULL, trouble_at = NULL
         WHERE ${asItWas}`,
        [
          ...[...wasOf(row), new Date(clock.now()), times.tokenEndsAt, times.renewAt, times.endsAt],
          grant.scopes === undefined || grant.scopes.length === 0 ? null : [...grant.scopes],
        ],
      );
      if (kept === 0) return false;
      await sql.run(
        `UPDATE connection_tokens SET access_token = $3, refresh_token = coalesce($4, refresh_token)
         WHERE organisation_id = $1 AND connection_id = $2`,
        [organisationId, id, access, refresh],
      );
      return true;
    });
    log.info(isKept ? 'connections.renewed' : 'connections.renewed_late', {
      organisation: organisationId,
      connection: id,
      provider: row.provider,
    });
  }

  async function noteTrouble(row: ConnectionRow, trouble: Trouble): Promise<void> {
    const { organisation_id: organisationId, id } = row;
    const now = clock.now();
    await postgres.tenant(organisationId, (sql) =>
      sql.run(
        `UPDATE connections SET refreshing_until = NULL, refresh_at = $6, trouble_class = $7, trouble_answer = $8, trouble_at = $9
         WHERE ${asItWas}`,
        [
          ...[...wasOf(row), new Date(now + (trouble.retryAfterMs ?? againMs[trouble.class]))],
          ...[trouble.class, trouble.answer, new Date(now)],
        ],
      ),
    );
    log.warn('connections.not_renewed', {
      ...{ organisation: organisationId, connection: id, provider: row.provider },
      ...{ class: trouble.class, answer: trouble.answer },
    });
  }

  /**
   * Ends that a connection is used, once: what waits to be sent waits, and who can mend it is told. A token that the platform
   * has revoked is destroyed; one that rests on other addresses is kept sealed, and goes nowhere.
   *
   * @param row as it was when this was found out of it
   * @returns whether it has ended; not where it is another one by now
   */
  async function end(
    row: ConnectionRow,
    reason: Exclude<ConnectionReason, 'by_hand'>,
    trouble?: Trouble,
  ): Promise<boolean> {
    const { organisation_id: organisationId, id } = row;
    const isPause = reason === 'base_url_changed';
    const hasEnded = await postgres.tenant(organisationId, async (sql) => {
      const ended = await sql.run(
        `UPDATE connections SET state = $6, reason = $7, refreshing_until = NULL, refresh_at = NULL,
           trouble_class = $8, trouble_answer = $9, trouble_at = $10
         WHERE ${asItWas}`,
        [
          ...[...wasOf(row), isPause ? 'paused' : 'needs_attention', reason],
          ...[trouble?.class ?? null, trouble?.answer ?? null, trouble === undefined ? null : new Date(clock.now())],
        ],
      );
      if (ended === 0) return false;
      if (!isPause)
        await sql.run('DELETE FROM connection_tokens WHERE organisation_id = $1 AND connection_id = $2', [
          ...[organisationId, id],
        ]);
      await tellOf(sql, notices, row, reason);
      await audit.record(sql, organisationId, {
        action: isPause ? 'connection.paused' : 'connection.ended',
        actor: { type: 'system' },
        targets: [{ type: 'connection', id, label: row.label }],
        details: { provider: row.provider, reason, answer: trouble?.answer ?? null },
      });
      return true;
    });
    if (hasEnded)
      log.warn('connections.ended', {
        ...{ organisation: organisationId, connection: id, provider: row.provider, reason },
      });
    return hasEnded;
  }

  return { freshToken, renew, canRenew, end };
}
export type Tokens = ReturnType<typeof openTokens>;

/**
 * The connection, where nobody has authorised it again, renewed it or taken its lease since it was read: an answer about the
 * tokens of that time says nothing of others. Whoever holds the lease has it in the row that was read with it.
 */
const asItWas = `organisation_id = $1 AND id = $2 AND state = 'connected' AND authorised_at = $3
  AND refreshed_at IS NOT DISTINCT FROM $4 AND refreshing_until IS NOT DISTINCT FROM $5`;
const wasOf = (row: ConnectionRow) => [
  ...[row.organisation_id, row.id, row.authorised_at, row.refreshed_at, row.refreshing_until],
];

/** A token is another one after each authorisation and each renewal. */
function versionOf({ authorised_at, refreshed_at }: ConnectionRow): string {
  return `${authorised_at.getTime()}/${refreshed_at?.getTime() ?? ''}`;
}

/** When a grant ends, when it is renewed, and when a person has to authorise again; null where nothing is named. */
export function timesOf(
  grant: Grant,
  nowMs: number,
): { tokenEndsAt: Date | null; renewAt: Date | null; endsAt: Date | null } {
  const { lifeMs, authorisedMs, renewAfterMs } = grant;
  const after = renewAfterMs ?? (lifeMs === undefined ? undefined : lifeMs * shareOfLife);
  return {
    tokenEndsAt: lifeMs === undefined ? null : new Date(nowMs + lifeMs),
    renewAt: after === undefined ? null : new Date(nowMs + after),
    endsAt: authorisedMs === undefined ? null : new Date(nowMs + authorisedMs),
  };
}
