import { type ConnectionAccount, type ConnectionTarget, connectionLimits } from '../../contract/connections.ts';
import { noConnections } from '../platform/connection_config.ts';
import { RequestError } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { converse } from './converse.ts';
import { providerOf } from './list.ts';
import { type OAuth, type ReadAsk, type Talk, type Targets, Trouble } from './provider.ts';
import { type ConnectionRow, findConnection, noConnection } from './records.ts';
import { refusalOf } from './refusals.ts';
import type { FreshToken, Tokens } from './tokens.ts';

/** What can be chosen with a connection, read from the platform when it is asked for, and looked at before the first send. */
export function openPickers(house: Pick<House, 'postgres' | 'config' | 'outbound'>, tokens: Tokens) {
  const { postgres, config, outbound } = house;
  const settings = config.connections ?? noConnections;

  async function readWith<Result>(
    row: ConnectionRow,
    begin: (oauth: OAuth, ask: ReadAsk) => Talk<Result> | undefined,
  ): Promise<Result> {
    const provider = providerOf(row.provider);
    const { oauth } = provider;
    const client = oauth?.client(settings);
    if (row.kind !== 'oauth' || oauth === undefined || client === undefined)
      throw new RequestError(
        'provider_refused',
        `Nothing can be listed with this connection: a pasted token is good for sending alone. Write the number of the account.`,
      );
    let version: string | undefined;
    const read = async (refused?: string, isExpired?: boolean) => {
      const fresh = usable(
        await tokens.freshToken(row.organisation_id, row.id, { purpose: 'connection.read', refused, isExpired }),
        row,
      );
      version = fresh.version;
      const talk = begin(oauth, { client, settings, accessToken: fresh.token, scopes: fresh.scopes });
      if (talk === undefined)
        throw new RequestError('provider_refused', `${provider.label} has no list of them. Write the number.`);
      return converse(outbound, talk, { purpose: 'provider.read', receiver: oauth.receiver });
    };
    try {
      // A token that is refused is over, or is not yet known everywhere: another one tells which.
      return await read().catch((error) => {
        if (error instanceof Trouble && error.isOver) return read(version, error.isExpired);
        throw error;
      });
    } catch (error) {
      if (error instanceof Trouble && error.answer === 'scope_missing')
        throw new RequestError(
          'provider_refused',
          `This connection may not list them: allow it to read accounts under Connections, "Allow more".`,
        );
      throw refusalOf(error, provider, 'Authorise the connection again under Connections.');
    }
  }

  /** @throws RequestError for what has no token */
  function usable(fresh: FreshToken, row: ConnectionRow): Extract<FreshToken, { token: string }> {
    if ('token' in fresh) return fresh;
    const { label } = providerOf(row.provider);
    if ('later' in fresh)
      throw new RequestError(
        'provider_unavailable',
        `${label} gives no token at the moment. Try again in some minutes.`,
        {
          why: fresh.later,
        },
      );
    throw new RequestError(
      'provider_refused',
      fresh.reconnect === 'expired'
        ? 'This connection has expired: authorise it again under Connections.'
        : 'This connection has to be authorised again under Connections.',
      { why: fresh.reconnect },
    );
  }

  async function rowOf(organisationId: number, id: number): Promise<ConnectionRow> {
    const row = await postgres.tenant(organisationId, (sql) => findConnection(sql, organisationId, id));
    if (row === undefined || row.state === 'disconnected') throw noConnection();
    return row;
  }

  return {
    /** Numbers and names are kept with the connection, so that its line says which accounts it reaches. */
    async accounts(organisationId: number, id: number): Promise<{ accounts: ConnectionAccount[]; left_off: number }> {
      const row = await rowOf(organisationId, id);
      const all = await readWith(row, (oauth, ask) => oauth.accounts?.(ask));
      const accounts = all.slice(0, connectionLimits.accountsMax);
      const named = accounts.slice(0, keptAccountsMax).map((one) => ({ id: one.id, name: one.name }));
      await postgres.tenant(organisationId, (sql) =>
        sql.run(
          "UPDATE connections SET accounts = $3 WHERE organisation_id = $1 AND id = $2 AND state <> 'disconnected'",
          [...[organisationId, id, JSON.stringify(named)]],
        ),
      );
      return { accounts, left_off: all.length - accounts.length };
    },

    async targets(
      organisationId: number,
      id: number,
      of: { account: string; through?: string | undefined },
    ): Promise<{ problems: Targets['problems']; targets: ConnectionTarget[]; left_off: number }> {
      const row = await rowOf(organisationId, id);
      const found = await readWith(row, (oauth, ask) =>
        oauth.targets?.({ ...ask, account: of.account, through: of.through }),
      );
      const targets = found.targets.slice(0, connectionLimits.targetsMax);
      return { problems: [...found.problems], targets, left_off: found.targets.length - targets.length };
    },
  };
}

/** Names that stay with a connection: more are in the list of accounts. */
const keptAccountsMax = 20;
