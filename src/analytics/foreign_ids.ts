import { z } from 'zod';
import {
  type ForeignId,
  type ForeignProduct,
  foreignId,
  foreignIdSetting,
  foreignProducts,
} from '../../contract/api.ts';
import { siteOfPath, sitesChanged } from '../accounts/index.ts';
import { actOf } from '../platform/audit.ts';
import type { Clock } from '../platform/clock.ts';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { siteTarget } from './act_target.ts';

/** What a product calls its id, and what one looks like. */
const shapes: Readonly<Record<ForeignProduct, { readonly says: string; readonly pattern: RegExp }>> = {
  umami: {
    says: 'a website id of Umami, which is a UUID such as 7f8c1a2e-4b5d-4c6e-8f90-1a2b3c4d5e6f',
    pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  },
  rybbit: {
    says: 'a site id of Rybbit, which has letters, digits, dashes and underscores',
    pattern: /^[A-Za-z0-9_-]{1,64}$/,
  },
  openpanel: {
    says: 'a client id of OpenPanel, which has letters, digits, dashes and underscores',
    pattern: /^[A-Za-z0-9_-]{1,64}$/,
  },
};

/** The id as senders' ids are compared with it: a UUID has no case. Undefined when it cannot be one of this product. */
export function readForeignId(product: ForeignProduct, text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const id = product === 'umami' ? text.trim().toLowerCase() : text.trim();
  return shapes[product].pattern.test(id) ? id : undefined;
}

/** What is compared of a client secret: a digest under a key that is not in the database. */
export type SecretDigest = (secret: string) => Buffer;
export function secretDigestOf({ keys }: Pick<House, 'keys'>): SecretDigest {
  return (secret) => keys.digest('foreign-secret', secret);
}

function listForeignIds(sql: Sql, siteId: number): Promise<ForeignId[]> {
  return sql.query<ForeignId>(
    `SELECT product, foreign_id AS id, secret_digest IS NOT NULL AS has_secret
     FROM foreign_ids WHERE site_id = $1 ORDER BY product`,
    [siteId],
  );
}

/**
 * Sets the id that a site has in a product; what was set before is gone.
 * @throws RequestError invalid_field, conflict when another site has it
 */
async function setForeignId(
  sql: Sql,
  parts: { clock: Clock; digest: SecretDigest },
  site: { id: number; organisation_id: number },
  product: ForeignProduct,
  input: z.infer<typeof foreignIdSetting>,
): Promise<ForeignId> {
  const id = readForeignId(product, input.id);
  if (id === undefined)
    throw new RequestError('invalid_field', `"${input.id}" is not ${shapes[product].says}.`, { field: 'id' });
  if (input.secret !== undefined && product !== 'openpanel')
    throw new RequestError('invalid_field', 'Only clients of OpenPanel have a secret. Leave it out.', {
      field: 'secret',
    });
  await removeForeignId(sql, site.id, product);
  const made = await sql.maybe<ForeignId>(
    `INSERT INTO foreign_ids (organisation_id, site_id, product, foreign_id, secret_digest, created_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
     RETURNING product, foreign_id AS id, secret_digest IS NOT NULL AS has_secret`,
    [
      site.organisation_id,
      site.id,
      product,
      id,
      input.secret === undefined ? null : parts.digest(input.secret),
      new Date(parts.clock.now()),
    ],
  );
  if (made === undefined)
    throw new RequestError('conflict', `The id ${id} already leads to another site of this desk. Take it away there.`, {
      field: 'id',
    });
  return made;
}

function removeForeignId(sql: Sql, siteId: number, product: ForeignProduct): Promise<number> {
  return sql.run('DELETE FROM foreign_ids WHERE site_id = $1 AND product = $2', [siteId, product]);
}

const ofProduct = z.object({ domain: z.string(), product: z.enum(foreignProducts) });

/** Which ids do trackers of other products know a site by? They stand in the source of its pages and are no secret. */
export function foreignIdRoutes(house: Pick<House, 'postgres' | 'clock' | 'keys' | 'audit'>): Route[] {
  const { postgres, clock, audit } = house;
  const parts = { clock, digest: secretDigestOf(house) };
  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/foreign-ids',
      access: 'site.read',
      summary: 'The ids that trackers of Umami, Rybbit and OpenPanel know the site by.',
      params: z.object({ domain: z.string() }),
      answer: z.object({ foreign_ids: z.array(foreignId) }),
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const ids = await postgres.tenant(site.organisation_id, (sql) => listForeignIds(sql, site.id));
        return { body: { foreign_ids: ids } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/sites/:domain/foreign-ids/:product',
      access: 'site.manage',
      summary: 'Sets the id that the site has in another product, and the client secret where there is one.',
      params: ofProduct,
      body: foreignIdSetting,
      answer: foreignId,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { product } = request.params;
        const made = await postgres.tenant(site.organisation_id, async (sql) => {
          const before = await listForeignIds(sql, site.id);
          const now = await setForeignId(sql, parts, site, product, request.body);
          await audit.record(sql, site.organisation_id, {
            action: before.some((one) => one.product === product) ? 'foreign_id.changed' : 'foreign_id.added',
            ...actOf(request),
            targets: [siteTarget(site)],
            details: { product },
          });
          return now;
        });
        await sitesChanged();
        return { body: made };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/foreign-ids/:product',
      access: 'site.manage',
      summary: 'Takes the id of another product away. Its events find no site here any more.',
      params: ofProduct,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { product } = request.params;
        await postgres.tenant(site.organisation_id, async (sql) => {
          const removed = await removeForeignId(sql, site.id, product);
          if (removed === 0) throw new RequestError('not_found', 'This site has no id of this product.');
          await audit.record(sql, site.organisation_id, {
            action: 'foreign_id.removed',
            ...actOf(request),
            targets: [siteTarget(site)],
            details: { product },
          });
        });
        await sitesChanged();
        return { status: 204 };
      },
    }),
  ];
}
