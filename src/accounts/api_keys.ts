import type { z } from 'zod';
import type { apiKey, createdApiKey, newApiKey } from '../../contract/api.ts';
import type { Clock } from '../platform/clock.ts';
import type { Principal } from '../platform/http/route.ts';
import type { Postgres, Sql } from '../platform/postgres/index.ts';
import type { Random } from '../platform/random.ts';
import type { KeyRing } from '../platform/subject.ts';
import { keyPrincipal } from './roles.ts';

/**
 * API keys: `fl_` and 240 random bits. Stored as a keyed digest (AUT-11), shown once. A key that was just used is
 * remembered for a moment, so that a sender of 1,000 events a second does not ask the database 1,000 times.
 */
export interface ApiKeys {
  create(
    sql: Sql,
    organisationId: number,
    input: z.infer<typeof newApiKey>,
    createdBy: number | undefined,
  ): Promise<z.infer<typeof createdApiKey>>;
  list(sql: Sql): Promise<z.infer<typeof apiKey>[]>;
  revoke(sql: Sql, id: number): Promise<boolean>;
  /** The principal of an `Authorization: Bearer` value; undefined when it is no living key of ours. */
  authenticate(key: string): Promise<Principal | undefined>;
}

const rememberedMs = 10_000;
const rememberedMax = 1_000;
const keyPattern = /^fl_[A-Za-z0-9_-]{40}$/;

interface KeyRow {
  id: number;
  name: string;
  last4: string;
  scopes: string[];
  site_ids: number[] | null;
  created_at: Date;
  last_used_day: string | null;
}
const columns = "id, name, last4, scopes, site_ids, created_at, to_char(last_used_day, 'YYYY-MM-DD') AS last_used_day";

export function openApiKeys(house: { postgres: Postgres; clock: Clock; random: Random; keys: KeyRing }): ApiKeys {
  const { postgres, clock, random, keys } = house;
  const remembered = new Map<string, { principal: Principal; until: number }>();

  return {
    async create(sql, organisationId, input, createdBy) {
      const key = `fl_${random.bytes(30).toString('base64url')}`;
      const rows = await sql.query<KeyRow>(
        `INSERT INTO api_keys (organisation_id, name, digest, last4, scopes, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${columns}`,
        [
          organisationId,
          input.name,
          keys.digest('api-key', key),
          key.slice(-4),
          input.scopes,
          createdBy ?? null,
          new Date(clock.now()),
        ],
      );
      return { ...shown(rows[0] as KeyRow), key };
    },
    async list(sql) {
      return (
        await sql.query<KeyRow>(`SELECT ${columns} FROM api_keys WHERE revoked_at IS NULL ORDER BY created_at, id`)
      ).map(shown);
    },
    async revoke(sql, id) {
      const rows = await sql.query(
        'UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id',
        [id, new Date(clock.now())],
      );
      remembered.clear();
      return rows.length > 0;
    },
    async authenticate(key) {
      if (!keyPattern.test(key)) return undefined;
      const digest = keys.digest('api-key', key);
      const name = digest.toString('base64');
      const known = remembered.get(name);
      if (known !== undefined && known.until > clock.monotonic()) return known.principal;
      const found = await postgres.system((sql) =>
        sql.query<{ api_key_id: number; organisation_id: number }>('SELECT * FROM lookup.api_key_by_digest($1)', [
          digest,
        ]),
      );
      const ids = found[0];
      if (ids === undefined) return undefined;
      const now = new Date(clock.now());
      const rows = await postgres.tenant(ids.organisation_id, async (sql) => {
        const living = await sql.query<KeyRow>(
          `SELECT ${columns} FROM api_keys WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`,
          [ids.api_key_id, now],
        );
        const today = now.toISOString().slice(0, 10);
        if (living[0] !== undefined && living[0].last_used_day !== today)
          await sql.query('UPDATE api_keys SET last_used_day = $2 WHERE id = $1', [ids.api_key_id, today]);
        return living;
      });
      const row = rows[0];
      if (row === undefined) return undefined;
      const principal = keyPrincipal({
        id: row.id,
        organisationId: ids.organisation_id,
        scopes: row.scopes,
        siteIds: row.site_ids ?? undefined,
      });
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(name, { principal, until: clock.monotonic() + rememberedMs });
      return principal;
    },
  };
}

function shown(row: KeyRow): z.infer<typeof apiKey> {
  return {
    id: row.id,
    name: row.name,
    last4: row.last4,
    scopes: row.scopes,
    created_at: row.created_at.toISOString(),
    last_used_day: row.last_used_day,
  };
}
