import { z } from 'zod';
import { apiKey, createdApiKey, newApiKey } from '../../contract/api.ts';
import type { AccessKind } from '../platform/access.ts';
import { actOf } from '../platform/audit.ts';
import {
  defineRoute,
  type Principal,
  RequestError,
  type Route,
  type RouteRequest,
  sitesOfPrincipal,
} from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import type { ApiKeys } from './api_keys.ts';

// Strict: a mistyped name would otherwise act on another organisation than the one that was meant.
const organisationQuery = z.strictObject({ organisation_id: z.coerce.number().int().positive().optional() });

/** Making, listing and revoking API keys; the first and the last are acts. */
export function keyRoutes(parts: {
  house: Pick<House, 'postgres' | 'audit'>;
  apiKeys: ApiKeys;
  organisationOf(request: RouteRequest<unknown, { organisation_id?: number | undefined }, unknown>): Promise<number>;
}): Route[] {
  const { apiKeys, organisationOf } = parts;
  const { postgres, audit } = parts.house;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/keys',
      access: 'key.manage',
      summary: 'The living API keys of an organisation, without the keys themselves.',
      query: organisationQuery,
      answer: z.object({ keys: z.array(apiKey) }),
      async handle(request) {
        const organisationId = await organisationOf(request);
        return { body: { keys: await postgres.tenant(organisationId, apiKeys.list) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/keys',
      access: 'key.manage',
      summary: 'Makes an API key; this answer is the only one that carries it.',
      query: organisationQuery,
      body: newApiKey,
      answer: createdApiKey,
      async handle(request) {
        const organisationId = await organisationOf(request);
        const principal = request.principal as Principal;
        refuseBeyondMaker(principal, organisationId, request.body.site_ids ?? undefined);
        const made = await postgres.tenant(organisationId, async (sql) => {
          const key = await apiKeys.create(
            sql,
            organisationId,
            request.body,
            principal.kind === 'person' ? principal.id : undefined,
          );
          await audit.record(sql, organisationId, {
            action: 'key.created',
            ...actOf(request),
            targets: [{ type: 'key', id: key.id, label: key.name }],
            details: {
              scopes: key.scopes.join(' '),
              sites: key.site_ids === null ? 'all' : key.site_ids.join(' '),
              expires_at: key.expires_at,
            },
          });
          return key;
        });
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/keys/:id',
      access: 'key.manage',
      summary: 'Revokes an API key at once.',
      params: z.object({ id: z.coerce.number().int().positive() }),
      query: organisationQuery,
      async handle(request) {
        const organisationId = await organisationOf(request);
        const { id } = request.params;
        await postgres.tenant(organisationId, (sql) => revokeKey(parts, sql, organisationId, id, request));
        return { status: 204 };
      },
    }),
  ];
}

/** Ends a key at once, with the act. @throws RequestError not_found */
async function revokeKey(
  { house, apiKeys }: { house: Pick<House, 'audit'>; apiKeys: ApiKeys },
  sql: Sql,
  organisationId: number,
  id: number,
  request: Parameters<typeof actOf>[0],
): Promise<void> {
  const name = await apiKeys.revoke(sql, id);
  if (name === undefined) throw new RequestError('not_found', 'There is no living key with this number here.');
  await house.audit.record(sql, organisationId, {
    action: 'key.revoked',
    ...actOf(request),
    targets: [{ type: 'key', id, label: name }],
  });
}

/** The keys that open something, for the review of access. */
export function keyAccess(parts: { house: Pick<House, 'audit' | 'clock'>; apiKeys: ApiKeys }): AccessKind {
  return {
    ...{ kind: 'key', permission: 'key.manage', isOfPerson: false },
    async list(sql) {
      const now = new Date(parts.house.clock.now()).toISOString();
      const keys = await parts.apiKeys.list(sql);
      return keys
        .filter(({ expires_at }) => expires_at === null || expires_at > now)
        .map((one) => ({
          id: one.id,
          label: `${one.name} (…${one.last4})`,
          gives: [
            one.scopes.join(' '),
            one.site_ids === null
              ? 'every site'
              : one.site_ids.length === 1
                ? 'one site'
                : `${one.site_ids.length} sites`,
            one.expires_at === null ? 'without an end' : `until ${one.expires_at.slice(0, 10)}`,
          ].join(', '),
          since: one.created_at.slice(0, 10),
          last_used: one.last_used_day,
        }));
    },
    remove: (sql, organisationId, id, request) => revokeKey(parts, sql, organisationId, id, request),
  };
}

/** Who sees some sites only makes keys for those only: a key would otherwise see more than its maker. */
function refuseBeyondMaker(principal: Principal, organisationId: number, siteIds: readonly number[] | undefined): void {
  const own = sitesOfPrincipal(principal, organisationId);
  if (own === undefined || siteIds?.every((id) => own.includes(id)) === true) return;
  throw new RequestError('invalid_field', 'You see some sites of this organisation: limit the key to those.', {
    field: 'site_ids',
  });
}
