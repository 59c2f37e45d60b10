import { z } from 'zod';
import {
  begunAuthorisation,
  type ConnectionOffer,
  connection,
  connectionAccounts,
  connectionAnswer,
  connectionChange,
  connectionsAnswer,
  connectionTargets,
  disconnection,
  disconnectionPreview,
  newAuthorisation,
  pastedSecret,
  targetsQuery,
} from '../../contract/connections.ts';
import { actOf } from '../platform/audit.ts';
import { type ConnectionSettings, noConnections } from '../platform/connection_config.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import type { openConnect } from './connect.ts';
import type { openDisconnect } from './disconnect.ts';
import { providers } from './list.ts';
import type { openPickers } from './pickers.ts';
import { listConnections, lockConnection, noConnection, shown } from './records.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofConnection = ofOrganisation.extend({ connection: z.coerce.number().int().positive() });

/** Accounts and secrets of platforms: connected, shown, disconnected. */
export function connectionRoutes(
  { postgres, config, audit }: Pick<House, 'postgres' | 'config' | 'audit'>,
  parts: {
    connect: ReturnType<typeof openConnect>;
    pickers: ReturnType<typeof openPickers>;
    disconnect: ReturnType<typeof openDisconnect>;
  },
): Route[] {
  const { connect, pickers, disconnect } = parts;
  const offers = offersOf(config.connections ?? noConnections);
  const all = '/api/organisations/:organisation/connections';
  const one = `${all}/:connection`;
  return [
    defineRoute({
      method: 'GET',
      path: all,
      access: 'connection.read',
      summary: 'The connections of an organisation, without their tokens, and what can be connected here.',
      params: ofOrganisation,
      answer: connectionsAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const rows = await postgres.tenant(organisation, (sql) => listConnections(sql, organisation));
        return { body: { connections: rows.map(shown), offers } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/connection-authorisations',
      access: 'connection.manage',
      summary:
        'Begins to sign in at a platform, for a new connection or one that is to be allowed more: where to send the browser.',
      params: ofOrganisation,
      body: newAuthorisation,
      answer: begunAuthorisation,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return { status: 201, body: await connect.authorise(organisation, request, request.body) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/connection-answers',
      access: 'connection.manage',
      summary:
        'Takes what a platform sent the browser back with, once, in the sign-in that began: stores the connection.',
      params: ofOrganisation,
      body: connectionAnswer,
      answer: connection,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return { status: 201, body: await connect.answer(organisation, request, request.body) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: all,
      access: 'connection.manage',
      summary:
        'Connects by a secret that was copied from a platform, or replaces one. It is sealed and never shown again.',
      params: ofOrganisation,
      body: pastedSecret,
      answer: connection,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return { status: 201, body: await connect.paste(organisation, request, request.body) };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: one,
      access: 'connection.manage',
      summary: 'Gives a connection another name.',
      params: ofConnection,
      body: connectionChange,
      answer: connection,
      async handle(request) {
        const { organisation, connection: id } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => {
          const row = await lockConnection(sql, organisation, id);
          if (row.state === 'disconnected') throw noConnection();
          const { label } = request.body;
          await sql.run('UPDATE connections SET label = $3 WHERE organisation_id = $1 AND id = $2', [
            ...[organisation, id, label],
          ]);
          await audit.record(sql, organisation, {
            ...{ action: 'connection.changed', ...actOf(request) },
            targets: [{ type: 'connection', id, label }],
            details: { before: row.label },
          });
          return shown({ ...row, label });
        });
        return { body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${one}/accounts`,
      access: 'connection.manage',
      summary:
        'The ad accounts that a connection reaches, read from the platform now, with what is in the way of each.',
      params: ofConnection,
      answer: connectionAccounts,
      async handle(request) {
        const { organisation, connection: id } = request.params;
        request.allow(organisation);
        return { body: await pickers.accounts(organisation, id) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${one}/targets`,
      access: 'connection.manage',
      summary:
        'What conversions of an account can be sent to (actions, pixels, rules), each looked at before the first send.',
      params: ofConnection,
      query: targetsQuery,
      answer: connectionTargets,
      async handle(request) {
        const { organisation, connection: id } = request.params;
        request.allow(organisation);
        return { body: await pickers.targets(organisation, id, request.query) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${one}/disconnection`,
      access: 'connection.manage',
      summary: 'What disconnecting would end: whether the platform is told, and what is cancelled.',
      params: ofConnection,
      answer: disconnectionPreview,
      async handle(request) {
        const { organisation, connection: id } = request.params;
        request.allow(organisation);
        return { body: await disconnect.preview(organisation, id) };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: one,
      access: 'connection.manage',
      summary: 'Disconnects: revoked at the platform where it has a way, tokens destroyed, queued sends cancelled.',
      params: ofConnection,
      answer: disconnection,
      async handle(request) {
        const { organisation, connection: id } = request.params;
        request.allow(organisation);
        return { body: await disconnect.disconnect(organisation, id, request) };
      },
    }),
  ];
}

/** What can be connected with these settings, in the order of the page. */
function offersOf(settings: ConnectionSettings): ConnectionOffer[] {
  return providers.map(({ id, label, oauth, pasted }) => ({
    ...{ provider: id, label },
    oauth:
      oauth === undefined
        ? null
        : {
            is_set_up: oauth.client(settings) !== undefined,
            variables: [...oauth.variables],
            scopes: oauth.scopes.map(({ id: scope, label: name, why, first }) => ({
              id: scope,
              label: name,
              why,
              first,
            })),
            lists_accounts: oauth.accounts !== undefined,
          },
    pasted: pasted === undefined ? null : { ...pasted },
  }));
}
