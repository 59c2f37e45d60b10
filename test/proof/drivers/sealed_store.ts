import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { type Sql, sqlOn } from '../../../src/platform/postgres/sql.ts';
import type { VaultProblem } from '../../../src/platform/vault.ts';
import type { KeptKeyRing } from '../../../src/trust/keys/index.ts';
import type { OpenVault } from '../../../src/trust/vault/index.ts';
import { ownerLogin } from '../../stores.ts';
import { load, type ProofContext } from '../kit.ts';

type Modules = Awaited<ReturnType<typeof modulesOf>>;

/** A real database server with the whole schema, and the product's own vault, trail and mail over it. */
export interface SealedStore {
  readonly modules: Modules;
  readonly postgres: Awaited<ReturnType<Modules['postgres']['openPostgres']>>;
  readonly dataDir: string;
  readonly keyFile: string;
  readonly clock: ReturnType<Modules['clock']['stillClock']>;
  /** One process of the desk: a key ring, a vault and a trail of its own. */
  process(): { keys: KeptKeyRing; vault: OpenVault; audit: ReturnType<Modules['audit']['openAudit']> };
  /** An organisation with a key for programs, whose name entries show. */
  organisation(): Promise<{ id: number; keyId: number }>;
  /** Work with the whole power over the database, row security excepted. */
  asOwner<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

/** @param name whose store it is: proofs that may not see what others have made give a name of their own */
export const sealedStore = (context: ProofContext, name = 'sealed store'): Promise<SealedStore> =>
  context.share(name, open, ({ postgres }) => postgres.close());

async function modulesOf(context: ProofContext) {
  const [postgres, clock, log, random, keys, vault, audit, keeper, verify, stored, exports, bundle, mail] =
    await Promise.all([
      load<typeof import('../../../src/platform/postgres/index.ts')>(context, 'src/platform/postgres/index.ts'),
      load<typeof import('../../../src/platform/clock.ts')>(context, 'src/platform/clock.ts'),
      load<typeof import('../../../src/platform/log.ts')>(context, 'src/platform/log.ts'),
      load<typeof import('../../../src/platform/random.ts')>(context, 'src/platform/random.ts'),
      load<typeof import('../../../src/trust/keys/index.ts')>(context, 'src/trust/keys/index.ts'),
      load<typeof import('../../../src/trust/vault/index.ts')>(context, 'src/trust/vault/index.ts'),
      load<typeof import('../../../src/trust/audit/index.ts')>(context, 'src/trust/audit/index.ts'),
      load<typeof import('../../../src/trust/audit/keeper.ts')>(context, 'src/trust/audit/keeper.ts'),
      load<typeof import('../../../src/trust/audit/verify.ts')>(context, 'src/trust/audit/verify.ts'),
      load<typeof import('../../../src/trust/audit/stored.ts')>(context, 'src/trust/audit/stored.ts'),
      load<typeof import('../../../src/trust/audit/export.ts')>(context, 'src/trust/audit/export.ts'),
      load<typeof import('../../../src/trust/audit/bundle.ts')>(context, 'src/trust/audit/bundle.ts'),
      load<typeof import('../../../src/platform/mail/index.ts')>(context, 'src/platform/mail/index.ts'),
    ]);
  return { postgres, clock, log, random, keys, vault, audit, keeper, verify, stored, exports, bundle, mail };
}

async function open(context: ProofContext): Promise<SealedStore> {
  const folder = await context.folder();
  const modules = await modulesOf(context);
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  const keyFile = join(folder, 'keys', 'fairlead.keys');
  const { systemClock, stillClock } = modules.clock;
  const { systemRandom } = modules.random;
  const postgres = await modules.postgres.openPostgres({
    config: { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir },
    migrations: [
      'src/accounts/migrations/',
      'src/trust/audit/migrations/',
      'src/trust/vault/migrations/',
      'src/platform/mail/migrations/',
      // Whoever sends mail asks whether an address is restricted.
      'src/trust/requests/migrations/',
    ].map((path) => new URL(`${pathToFileURL(join(context.root, path)).href}/`)),
    random: systemRandom,
    clock: systemClock,
    log: modules.log.silentLog,
  });
  const clock = stillClock(Date.now());
  const asOwner: SealedStore['asOwner'] = async (work) => {
    const client = new pg.Client(await ownerLogin(postgres));
    await client.connect();
    try {
      return await work(sqlOn(client));
    } finally {
      await client.end();
    }
  };
  let organisations = 0;
  return {
    ...{ modules, postgres, dataDir, keyFile, clock, asOwner },
    process() {
      const keys = modules.keys.openKeyRing({ keyFile, dataDir, random: systemRandom });
      const vault: OpenVault = modules.vault.openVault({
        ...{ keys, postgres, clock, random: systemRandom },
        audit: () => audit,
      });
      const audit = modules.audit.openAudit({ vault, clock, random: systemRandom });
      return { keys, vault, audit };
    },
    async organisation() {
      const id = 1_000 + organisations++;
      const keyId = 5_000 + id;
      await postgres.tenant(id, async (sql) => {
        await sql.run('INSERT INTO organisations (id, name, slug, created_at) VALUES ($1, $2, $2, now())', [
          id,
          `proof-${id}`,
        ]);
        await sql.run(
          `INSERT INTO api_keys (id, organisation_id, name, digest, last4, scopes, created_at)
           VALUES ($1, $2, 'Shop', $3, 'abcd', '{stats:read}', now())`,
          [keyId, id, systemRandom.bytes(32)],
        );
      });
      return { id, keyId };
    },
  };
}

/** What became of an opening: the text, or the vault's word for why not. Anything else is passed on. */
export async function opened(work: Promise<Buffer>): Promise<{ text: string } | { refused: VaultProblem }> {
  try {
    return { text: (await work).toString() };
  } catch (error) {
    if (error instanceof Error && error.name === 'VaultError')
      return { refused: (error as Error & { code: VaultProblem }).code };
    throw error;
  }
}
