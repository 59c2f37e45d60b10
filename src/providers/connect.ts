import {
  type Connection,
  type ConnectionProvider,
  connectionLimits,
  type SignedInProvider,
} from '../../contract/connections.ts';
import { type Act, actOf } from '../platform/audit.ts';
import { noConnections } from '../platform/connection_config.ts';
import { type Principal, RequestError } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { converse } from './converse.ts';
import { goOnWith } from './disconnect.ts';
import { hostsOf, providerOf } from './list.ts';
import type { Grant, OAuth, Provider } from './provider.ts';
import { type ConnectionRow, findConnection, lockConnection, shown } from './records.ts';
import { refusalOf } from './refusals.ts';
import type { SealedTokens } from './sealed.ts';
import type { Connecting, Steps } from './steps.ts';
import { timesOf } from './tokens.ts';

/** Who asks for it, as an act says it. */
type Asker = Parameters<typeof actOf>[0] & { principal: Principal | undefined };

/** A person in a browser: a key has no session that a state could belong to. @throws RequestError forbidden */
export function connecting(organisationId: number, { principal }: Asker): Connecting {
  if (principal?.kind !== 'person' || principal.session === undefined)
    throw new RequestError('forbidden', 'An API key connects nothing: somebody has to sign in at the platform.');
  return { organisationId, personId: principal.id, session: principal.session };
}

/** Makes connections: by signing in at a platform, and by a pasted secret. */
export function openConnect(
  house: Pick<House, 'postgres' | 'clock' | 'config' | 'outbound' | 'audit' | 'log'>,
  parts: { steps: Steps; sealed: SealedTokens },
) {
  const { postgres, clock, config, outbound, audit, log } = house;
  const { steps, sealed } = parts;
  const settings = config.connections ?? noConnections;
  // An address for each platform: an answer that was meant for one cannot be taken for another's (RFC 9700 §4.4.2.2).
  const redirectUri = (id: SignedInProvider) => new URL(`/connect/${id}`, config.publicUrl).href;

  /** @throws RequestError for a platform that the operator has not set up */
  function oauthOf(id: SignedInProvider) {
    const provider = providerOf(id);
    const oauth = provider.oauth as OAuth;
    const client = oauth.client(settings);
    if (client !== undefined) return { provider, oauth, client };
    throw new RequestError(
      'provider_refused',
      `${provider.label} is not set up here. Whoever runs this desk sets ${oauth.variables.join(' and ')}: docs/guides/connections.md.`,
    );
  }

  /** @throws RequestError conflict, at the most connections */
  async function refuseTooMany(sql: Sql, organisationId: number): Promise<void> {
    const { count } = await sql.one<{ count: number }>(
      "SELECT count(*)::int AS count FROM connections WHERE organisation_id = $1 AND state <> 'disconnected'",
      [organisationId],
    );
    if (count >= connectionLimits.connectionsMax)
      throw new RequestError(
        'conflict',
        `An organisation has ${connectionLimits.connectionsMax} connections at most. Disconnect one first.`,
      );
  }

  /** @throws RequestError not_found, and conflict for one of another platform or kind, or one that is disconnected */
  async function refuseOther(
    sql: Sql,
    organisationId: number,
    id: number,
    wanted: { provider: ConnectionProvider; kind: Connection['kind'] },
  ): Promise<ConnectionRow> {
    const row = await lockConnection(sql, organisationId, id);
    if (row.provider !== wanted.provider || row.kind !== wanted.kind || row.state === 'disconnected')
      throw new RequestError(
        'conflict',
        'This connection is of another platform or kind, or was disconnected. Make a new one.',
      );
    return row;
  }

  async function authorise(
    organisationId: number,
    asker: Asker,
    wish: { provider: SignedInProvider; scopes: readonly string[]; connection?: number | undefined },
  ): Promise<{ url: string }> {
    const by = connecting(organisationId, asker);
    const { oauth, client } = oauthOf(wish.provider);
    const unknown = wish.scopes.find((id) => !oauth.scopes.some((one) => one.id === id));
    if (unknown !== undefined)
      throw new RequestError(
        'invalid_field',
        `"scopes" names ${JSON.stringify(unknown)}; there are ${oauth.scopes.map(({ id }) => id).join(', ')}.`,
        { field: 'scopes' },
      );
    const asked = oauth.scopes.filter(({ id, first }) => (wish.scopes.length === 0 ? first : wish.scopes.includes(id)));
    const { state, challenge, scopes } = await postgres.tenant(organisationId, async (sql) => {
      // What was granted before is asked for again: a platform that knows no increments would take it back.
      const before =
        wish.connection === undefined
          ? undefined
          : await refuseOther(sql, organisationId, wish.connection, { provider: wish.provider, kind: 'oauth' });
      if (before === undefined) await refuseTooMany(sql, organisationId);
      const known = oauth.scopes.map(({ scope }) => scope);
      const kept = (before?.scopes ?? []).filter((one) => known.includes(one));
      const all = [...new Set([...kept, ...asked.map(({ scope }) => scope)])];
      const step = await steps.begin(sql, by, {
        ...{ provider: wish.provider, scopes: all, connectionId: wish.connection },
      });
      return { ...step, scopes: all };
    });
    const redirect = redirectUri(wish.provider);
    return { url: oauth.authorise({ client, settings, redirectUri: redirect, state, challenge, scopes }) };
  }

  async function answer(
    organisationId: number,
    asker: Asker,
    given: {
      provider: SignedInProvider;
      state: string;
      code?: string | undefined;
      iss?: string | undefined;
      error?: string | undefined;
    },
  ): Promise<Connection> {
    const by = connecting(organisationId, asker);
    const { provider, oauth, client } = oauthOf(given.provider);
    const step = await postgres.tenant(organisationId, (sql) => steps.take(sql, by, given));
    // An answer that names an issuer was given by that one (RFC 9207 §2.4).
    const issuers = oauth.issuers(settings);
    if (given.iss !== undefined && issuers.length > 0 && !issuers.includes(given.iss))
      throw new RequestError(
        'forbidden',
        `The answer names another issuer than ${provider.label}. Nothing was connected.`,
      );
    if (given.error !== undefined || given.code === undefined)
      throw new RequestError(
        'provider_refused',
        given.error === undefined || given.error === 'access_denied' || given.error === 'user_cancelled_login'
          ? `${provider.label} says that it was cancelled. Nothing was connected.`
          : `${provider.label} refused. Nothing was connected. Begin again; if it stays so, the app or its redirect address is wrong.`,
      );
    const talk = oauth.exchange({
      ...{ client, settings, redirectUri: redirectUri(given.provider), nowMs: clock.now() },
      ...{ code: given.code, verifier: step.verifier },
    });
    const grant = await converse(outbound, talk, { purpose: 'provider.token', receiver: oauth.receiver }).catch(
      (error: unknown) => {
        const refusal = refusalOf(error, provider, 'Nothing was connected. Begin again.');
        log.warn('connections.refused', {
          ...{ organisation: organisationId, provider: provider.id, reason: refusal.why ?? refusal.code },
        });
        throw refusal;
      },
    );
    // What was unticked at the platform was not granted, and none of it is nothing.
    const granted = grant.scopes ?? step.scopes;
    if (!step.scopes.some((scope) => granted.includes(scope)) && grant.scopes !== undefined)
      throw new RequestError(
        'provider_refused',
        `${provider.label} granted nothing of what was asked for. Begin again, and leave the boxes ticked.`,
      );
    return store(organisationId, asker, {
      ...{ provider, kind: 'oauth', grant: { ...grant, scopes: granted }, connection: step.connectionId },
    });
  }

  function paste(
    organisationId: number,
    asker: Asker,
    given: {
      provider: ConnectionProvider;
      secret: string;
      label?: string | undefined;
      connection?: number | undefined;
    },
  ): Promise<Connection> {
    const provider = providerOf(given.provider);
    if (provider.pasted === undefined)
      throw new RequestError(
        'invalid_field',
        `${provider.label} takes no pasted token: somebody signs in there. Choose "Connect".`,
        { field: 'provider' },
      );
    return store(organisationId, asker, {
      ...{ provider, kind: 'pasted', grant: { accessToken: given.secret, scopes: [] } },
      ...{ label: given.label, connection: given.connection },
    });
  }

  /** Seals and stores what was granted, in one transaction with its act. */
  async function store(
    organisationId: number,
    asker: Asker,
    made: {
      provider: Provider;
      kind: Connection['kind'];
      grant: Grant;
      label?: string | undefined;
      connection?: number | undefined;
    },
  ): Promise<Connection> {
    const { provider, kind, grant } = made;
    const now = new Date(clock.now());
    const renews =
      kind === 'oauth' && provider.oauth?.renews({ hasRefreshToken: grant.refreshToken !== undefined }) === true;
    const times = timesOf(grant, now.getTime());
    // What cannot be renewed ends with its token.
    const endsAt = times.endsAt ?? (renews ? null : times.tokenEndsAt);
    // Sealed for its row, so the row has its number first.
    const id = made.connection ?? (await nextNumber());
    const { access, refresh } = await sealed.seal({ organisationId, id }, grant);
    return postgres.tenant(organisationId, async (sql) => {
      const before =
        made.connection === undefined
          ? undefined
          : await refuseOther(sql, organisationId, id, { provider: provider.id, kind });
      if (before === undefined) await refuseTooMany(sql, organisationId);
      const label = made.label ?? before?.label ?? provider.label;
      const fields = [
        ...[organisationId, id, label, [...(grant.scopes ?? [])], hostsOf(provider, config)],
        ...[times.tokenEndsAt, renews ? times.renewAt : null, endsAt, now],
      ];
      if (before === undefined)
        await sql.run(
          `INSERT INTO connections (organisation_id, id, label, scopes, issued_at_hosts, token_expires_at, refresh_at, expires_at,
             authorised_at, created_at, provider, kind, created_by, state)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, 'connected')`,
          [...fields, provider.id, kind, asker.principal?.id ?? 0],
        );
      else
        await sql.run(
          `UPDATE connections SET label = $3, scopes = $4, issued_at_hosts = $5, token_expires_at = $6, refresh_at = $7,
             expires_at = $8, authorised_at = $9, state = 'connected', reason = NULL, refreshing_until = NULL, refreshed_at = NULL,
             told_days = NULL, trouble_class = NULL, trouble_answer = NULL, trouble_at = NULL
           WHERE organisation_id = $1 AND id = $2`,
          fields,
        );
      // A refresh token that is not given again goes on; a row that was emptied meanwhile gets what there is.
      await sql.run(
        `INSERT INTO connection_tokens AS t (organisation_id, connection_id, access_token, refresh_token) VALUES ($1, $2, $3, $4)
         ON CONFLICT (connection_id) DO UPDATE SET access_token = excluded.access_token,
           refresh_token = coalesce(excluded.refresh_token, t.refresh_token)`,
        [organisationId, id, access, refresh],
      );
      if (before !== undefined) await goOnWith(sql, organisationId, id);
      const act: Act = {
        action: before === undefined ? 'connection.made' : 'connection.authorised',
        ...actOf(asker),
        targets: [{ type: 'connection', id, label }],
        details: { provider: provider.id, kind, scopes: (grant.scopes ?? []).join(' ').slice(0, 500) },
      };
      await audit.record(sql, organisationId, act);
      return shown((await findConnection(sql, organisationId, id)) as ConnectionRow);
    });
  }

  async function nextNumber(): Promise<number> {
    const { id } = await postgres.system((sql) =>
      sql.one<{ id: number }>("SELECT nextval('connections_id_seq') AS id"),
    );
    return id;
  }

  return { authorise, answer, paste };
}
