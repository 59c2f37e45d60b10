import type { z } from 'zod';
import type { apiKey, createdApiKey, newApiKey } from '../../contract/api.ts';
import { keyLifeYearsMax, keysMax } from '../../contract/limits.ts';
import type { Act } from '../platform/audit.ts';
import { shownName } from '../platform/email.ts';
import { type Principal, RequestError } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import type { Vault } from '../platform/vault.ts';
import { dayMs } from '../platform/zone.ts';
import { keyPrincipal } from './roles.ts';

/**
 * API keys: `fl_`, the key's number, `_`, and 240 random bits. The number says which line of the list a leaked key is,
 * without the secret. Keys from before have no number and go on. Stored as a keyed digest of the whole (AUT-11), shown
 * once. A key that was just used is remembered for a moment, so that a sender of 1,000 events a second does not ask the
 * database 1,000 times.
 *
 * A key is the organisation's, not its maker's: it outlives the membership of who made it, and the list says so.
 */
export interface ApiKeys {
  /** @throws RequestError invalid_field or conflict */
  create(
    sql: Sql,
    organisationId: number,
    input: z.infer<typeof newApiKey>,
    createdBy: number | undefined,
  ): Promise<z.infer<typeof createdApiKey>>;
  list(sql: Sql): Promise<z.infer<typeof apiKey>[]>;
  /** @returns its name; undefined when there is no living one of this number */
  revoke(sql: Sql, id: number): Promise<string | undefined>;
  /**
   * The principal of an `Authorization: Bearer` value; undefined when it is no key of ours.
   * @throws RequestError unauthenticated, to whoever holds a key that has expired or was revoked
   */
  authenticate(key: string): Promise<Principal | undefined>;
}

const rememberedMs = 1_000;
const rememberedMax = 1_000;
const keyPattern = /^fl_(?:[1-9]\d{0,15}_)?[A-Za-z0-9_-]{40}$/;

interface KeyRow {
  id: number;
  name: string;
  last4: string;
  scopes: string[];
  site_ids: number[] | null;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_day: string | null;
}
const columns = `k.id, k.name, k.last4, k.scopes, k.site_ids, k.created_at, k.expires_at, k.revoked_at,
  to_char(k.last_used_day, 'YYYY-MM-DD') AS last_used_day`;

/** Colleagues alone are seen by the organisation: of who has left, the number remains. */
interface MadeBy {
  created_by: number | null;
  maker_name: string | null;
  maker_email: Buffer | null;
}

export function openApiKeys(house: Pick<House, 'postgres' | 'clock' | 'random' | 'keys' | 'vault'>): ApiKeys {
  const { postgres, clock, random, keys, vault } = house;
  const remembered = new Map<string, { principal: Principal; until: number; expiresAt: number }>();

  function list(sql: Sql, id?: number): Promise<(KeyRow & MadeBy)[]> {
    return sql.query(
      `SELECT ${columns}, k.created_by, p.name AS maker_name, p.email_sealed AS maker_email
       FROM api_keys k
       LEFT JOIN memberships m ON m.organisation_id = k.organisation_id AND m.person_id = k.created_by
       LEFT JOIN people p ON p.id = m.person_id
       WHERE k.revoked_at IS NULL AND ($1::bigint IS NULL OR k.id = $1) ORDER BY k.created_at, k.id`,
      [id ?? null],
    );
  }

  return {
    async create(sql, organisationId, input, createdBy) {
      const now = clock.now();
      const expiresAt = input.expires_at == null ? undefined : new Date(input.expires_at);
      if (expiresAt !== undefined) refuseUnfitExpiry(expiresAt.getTime(), now);
      const siteIds = input.site_ids == null ? null : [...new Set(input.site_ids)].sort((a, b) => a - b);
      if (siteIds !== null) await refuseForeignSites(sql, siteIds);
      const { living, id } = await sql.one<{ living: number; id: number }>(
        `SELECT (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL) AS living, nextval('api_keys_id_seq') AS id`,
      );
      if (living >= keysMax)
        throw new RequestError(
          'conflict',
          `This organisation has ${keysMax} keys, which is the most that is kept. Revoke one that is not used any more.`,
        );
      const key = `fl_${id}_${random.bytes(30).toString('base64url')}`;
      await sql.run(
        `INSERT INTO api_keys
           (id, organisation_id, name, digest, last4, scopes, site_ids, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [
          id,
          organisationId,
          input.name,
          keys.digest('api-key', key),
          key.slice(-4),
          input.scopes,
          siteIds,
          createdBy ?? null,
          new Date(now),
          expiresAt ?? null,
        ],
      );
      const [row] = await list(sql, id);
      return { ...(await shown(vault, row as KeyRow & MadeBy)), key };
    },
    list: async (sql) => Promise.all((await list(sql)).map((row) => shown(vault, row))),
    async revoke(sql, id) {
      const row = await sql.maybe<{ name: string }>(
        'UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING name',
        [id, new Date(clock.now())],
      );
      remembered.clear();
      return row?.name;
    },
    async authenticate(key) {
      if (!keyPattern.test(key)) return undefined;
      const digest = keys.digest('api-key', key);
      const name = digest.toString('base64');
      const known = remembered.get(name);
      if (known !== undefined && known.until > clock.monotonic() && known.expiresAt > clock.now())
        return known.principal;
      const ids = await postgres.system((sql) =>
        sql.maybe<{ api_key_id: number; organisation_id: number }>('SELECT * FROM lookup.api_key_by_digest($1)', [
          digest,
        ]),
      );
      if (ids === undefined) return undefined;
      const now = new Date(clock.now());
      const row = await postgres.tenant(ids.organisation_id, async (sql) => {
        const found = await sql.one<KeyRow>(`SELECT ${columns} FROM api_keys k WHERE k.id = $1`, [ids.api_key_id]);
        refuseEnded(found, now);
        const today = now.toISOString().slice(0, 10);
        if (found.last_used_day !== today)
          await sql.query('UPDATE api_keys SET last_used_day = $2 WHERE id = $1', [ids.api_key_id, today]);
        return found;
      });
      const principal = keyPrincipal({
        id: row.id,
        organisationId: ids.organisation_id,
        scopes: row.scopes,
        siteIds: row.site_ids ?? undefined,
      });
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(name, {
        principal,
        until: clock.monotonic() + rememberedMs,
        expiresAt: row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY,
      });
      return principal;
    },
  };
}

function refuseUnfitExpiry(expiresAt: number, now: number): void {
  if (expiresAt <= now)
    throw new RequestError('invalid_field', 'A key cannot end before it begins: give a time to come.', {
      field: 'expires_at',
    });
  if (expiresAt > now + keyLifeYearsMax * 366 * dayMs)
    throw new RequestError(
      'invalid_field',
      `A key ends within ${keyLifeYearsMax} years, or never: give an earlier time, or leave it out.`,
      { field: 'expires_at' },
    );
}

async function refuseForeignSites(sql: Sql, siteIds: readonly number[]): Promise<void> {
  const { found } = await sql.one<{ found: number }>('SELECT count(*) AS found FROM sites WHERE id = ANY($1)', [
    siteIds,
  ]);
  if (found !== siteIds.length)
    throw new RequestError('invalid_field', 'One of these numbers is no site of this organisation.', {
      field: 'site_ids',
    });
}

/** Whoever brings the whole key may hear what became of it; a wrong one hears nothing. */
function refuseEnded({ id, revoked_at, expires_at }: KeyRow, now: Date): void {
  const end = (fact: string) =>
    new RequestError('unauthenticated', `The API key ${id} ${fact}. Make a new one in the organisation's API keys.`);
  if (revoked_at !== null) throw end('was revoked');
  if (expires_at !== null && expires_at <= now) throw end(`expired at ${expires_at.toISOString()}`);
}

async function shown(vault: Vault, row: KeyRow & MadeBy): Promise<z.infer<typeof apiKey>> {
  const maker = { id: row.created_by, name: row.maker_name, email_sealed: row.maker_email };
  return {
    id: row.id,
    name: row.name,
    last4: row.last4,
    scopes: row.scopes,
    site_ids: row.site_ids,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_day: row.last_used_day,
    made_by: row.created_by === null ? null : { id: row.created_by, name: (await shownName(vault, maker)) ?? null },
  };
}

/**
 * Ends the keys that a person made in the organisation which this transaction sees, with an act for each.
 * @returns how many there were
 */
export async function revokeKeysOf(
  { audit, clock }: Pick<House, 'audit' | 'clock'>,
  sql: Sql,
  { organisationId, personId, by }: { organisationId: number; personId: number; by: Omit<Act, 'action'> },
): Promise<number> {
  const keys = await sql.query<{ id: number; name: string }>(
    'UPDATE api_keys SET revoked_at = $2 WHERE created_by = $1 AND revoked_at IS NULL RETURNING id, name',
    [personId, new Date(clock.now())],
  );
  for (const { id, name } of keys)
    await audit.record(sql, organisationId, {
      ...by,
      action: 'key.revoked',
      targets: [{ type: 'api_key', id, label: name }],
    });
  return keys.length;
}
