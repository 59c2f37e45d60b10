import { createHash, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import type { newSite, Site } from '../../contract/api.ts';
import { documentKinds } from '../../contract/sign_up.ts';
import type { Act, Audit } from '../platform/audit.ts';
import { RequestError } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { sitesChanged } from './changes.ts';
import { checkPassword } from './password_rules.ts';
import type { Passwords } from './passwords.ts';
import { addPerson, type NewPerson } from './people/person.ts';
import { addSite, readNewSite } from './sites.ts';

/**
 * The first owner. There is no default account (AUT-15): whoever holds the one-time code that the start printed
 * may create the owner, once. The code is 128 bits and only its digest is stored; each start without an owner
 * prints a new one and kills the last. Of a desk of several processes those that start within an hour print the same
 * one: it is made of the moment of the first of them under the desk's key, which all of them have.
 */
export interface SetUp {
  /** True until the first owner exists. */
  waiting(): Promise<boolean>;
  /**
   * A fresh code, or with `isShared` the one that another process has printed within the hour; undefined when an owner
   * exists.
   */
  newCode(options?: { isShared: boolean }): Promise<string | undefined>;
  /** @throws RequestError already_set_up, wrong_setup_code, invalid_field */
  createOwner(
    input: OwnerInput & { code: string; site: z.infer<typeof newSite> },
    request?: Act['request'],
  ): Promise<{ personId: number; organisationId: number; site: Site }>;
}
export interface OwnerInput {
  email: string;
  password: string;
  organisation: string;
}

/** 128 bits. */
const codeBytes = 16;
/** So long after the first one processes of a desk print its code. */
const sharedMs = 3_600_000;
/** Others that start at the same moment are at it too. */
const triesMax = 5;

export function openSetUp(
  house: Pick<House, 'postgres' | 'clock' | 'random' | 'audit' | 'vault' | 'keys'> & { passwords: Passwords },
): SetUp {
  const { postgres, clock, random, passwords, audit, keys } = house;
  const waiting = () => postgres.system(isWaiting);
  const sharedCode = (ms: number) =>
    keys.digest('set-up', `code of ${ms}`).subarray(0, codeBytes).toString('base64url');
  return {
    waiting,
    async newCode({ isShared } = { isShared: false }) {
      for (let tries = 0; tries < triesMax && (await waiting()); tries++) {
        const now = clock.now();
        const last = await postgres.system((sql) =>
          sql.maybe<{ digest: Buffer; created_at: Date }>(
            'SELECT digest, created_at FROM set_up WHERE used_at IS NULL',
          ),
        );
        const lastMs = last?.created_at.getTime() ?? 0;
        if (isShared && last !== undefined && Math.abs(now - lastMs) < sharedMs) {
          const code = sharedCode(lastMs);
          if (digestOf(code).equals(last.digest)) return code;
        }
        const code = isShared ? sharedCode(now) : random.bytes(codeBytes).toString('base64url');
        const written = await postgres.system((sql) =>
          sql.run(
            `INSERT INTO set_up (id, digest, created_at) VALUES (1, $1, $2)
             ON CONFLICT (id) DO UPDATE SET digest = $1, created_at = $2 WHERE set_up.used_at IS NULL AND set_up.digest = $3`,
            [digestOf(code), new Date(now), last?.digest ?? null],
          ),
        );
        // Where another process was first, its code is the one.
        if (written > 0) return code;
      }
      return undefined;
    },
    async createOwner(input, request) {
      const site = readNewSite(input.site, 'site.');
      if (!(await waiting())) throw alreadySetUp();
      const stored = await postgres.system((sql) =>
        sql.query<{ digest: Buffer }>('SELECT digest FROM set_up WHERE used_at IS NULL'),
      );
      if (stored[0] === undefined || !timingSafeEqual(stored[0].digest, digestOf(input.code)))
        throw new RequestError(
          'wrong_setup_code',
          'This set-up code is not the current one. Use the address that the last start printed.',
          { field: 'code' },
        );
      checkPassword(input.password, [input.email, input.organisation, site.domain]);
      const hash = await passwords.hash(input.password);
      const made = await postgres.system(async (sql) => {
        // Two browsers with the same code: the row lock lets one of them through.
        const used = await sql.query(
          'UPDATE set_up SET used_at = $1 WHERE used_at IS NULL AND digest = $2 RETURNING id',
          [new Date(clock.now()), digestOf(input.code)],
        );
        if (used.length === 0) throw alreadySetUp();
        const { organisationId, personId } = await createOrganisation(sql, house, { ...input, hash, site });
        await sql.run('UPDATE people SET is_operator = true WHERE id = $1', [personId]);
        const added = await addSite(sql, clock, organisationId, site);
        await noteFirstOwner(sql, audit, {
          ...{ organisationId, organisation: input.organisation, site: added },
          ...{ actor: { type: 'person', id: personId }, request },
        });
        return { organisationId, personId, site: added };
      });
      await sitesChanged();
      return made;
    },
  };
}

/** The first owner is the desk's own affair; the organisation and its site are the beginning of its trail. */
export async function noteFirstOwner(
  sql: Sql,
  audit: Audit,
  made: { organisationId: number; organisation: string; site?: Site; actor: Act['actor']; request?: Act['request'] },
): Promise<void> {
  const by = { actor: made.actor, ...(made.request === undefined ? {} : { request: made.request }) };
  const organisation = { type: 'organisation', id: made.organisationId, label: made.organisation };
  await audit.record(sql, 'desk', { action: 'operator.set_up', ...by, targets: [organisation] });
  await audit.record(sql, made.organisationId, { action: 'organisation.created', ...by, targets: [organisation] });
  if (made.site !== undefined)
    await audit.record(sql, made.organisationId, {
      action: 'site.created',
      ...by,
      targets: [{ type: 'site', id: made.site.id, label: made.site.domain }],
    });
}

/**
 * An organisation with its owner, inside the caller's transaction: of the first run, of `fairlead setup`, of who signs up.
 * Its new sites begin with the timezone and currency of its first, where that is made with it.
 */
export async function createOrganisation(
  sql: Sql,
  house: Pick<House, 'clock' | 'vault' | 'keys'>,
  { organisation, site, ...person }: NewPerson & { organisation: string; site?: Pick<Site, 'timezone' | 'currency'> },
): Promise<{ organisationId: number; personId: number; slug: string }> {
  const now = new Date(house.clock.now());
  const { id: organisationId } = await sql.one<{ id: number }>("SELECT nextval('organisations_id_seq') AS id");
  await sql.query("SELECT set_config('fairlead.organisation', $1, true)", [String(organisationId)]);
  const slug = slugOf(organisation, organisationId);
  await sql.query(
    `INSERT INTO organisations (id, name, slug, created_at, timezone, currency)
     VALUES ($1, $2, $3, $4, coalesce($5, 'UTC'), coalesce($6, 'EUR'))`,
    [organisationId, organisation, slug, now, site?.timezone ?? null, site?.currency ?? null],
  );
  const personId = await addPerson(sql, house, person);
  await sql.query(
    "INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'owner', $3)",
    [organisationId, personId, now],
  );
  return { organisationId, personId, slug };
}

async function isWaiting(sql: Sql): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM lookup.every_organisation() LIMIT 1')).length === 0;
}

/** Pages of the desk stand under `/legal/` beside those of organisations, which are to come. */
export const reservedSlugs: readonly string[] = documentKinds;

/** The name in addresses; the organisation's number makes it unique when the words alone might not be. */
export function slugOf(name: string, id: number): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48)
    .replace(/-+$/, '');
  if (words === '') return `organisation-${id}`;
  return id === 1 && !reservedSlugs.includes(words) ? words : `${words}-${id}`;
}

function digestOf(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}

function alreadySetUp(): RequestError {
  return new RequestError('already_set_up', 'This desk already has an owner. Sign in instead.');
}
