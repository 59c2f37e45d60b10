import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { Audit } from '../../../src/platform/audit.ts';

/**
 * One process that seals, opens or changes keys over the database of a data directory, and may die in the middle:
 * `rotation_child.ts <root> <data dir> <key file> seal|open|root|data`. Sealed values come and go as JSON.
 */
const [root = '', dataDir = '', keyFile = '', what = ''] = process.argv.slice(2);
const load = <T>(path: string) => import(pathToFileURL(join(root, path)).href) as Promise<T>;
const { openPostgres } = await load<typeof import('../../../src/platform/postgres/index.ts')>(
  'src/platform/postgres/index.ts',
);
const { systemClock } = await load<typeof import('../../../src/platform/clock.ts')>('src/platform/clock.ts');
const { silentLog } = await load<typeof import('../../../src/platform/log.ts')>('src/platform/log.ts');
const { systemRandom } = await load<typeof import('../../../src/platform/random.ts')>('src/platform/random.ts');
const { openKeyRing } = await load<typeof import('../../../src/trust/keys/index.ts')>('src/trust/keys/index.ts');
const { openVault, vaultMigrations } =
  await load<typeof import('../../../src/trust/vault/index.ts')>('src/trust/vault/index.ts');

const parts = { random: systemRandom, clock: systemClock };
const keys = openKeyRing({ keyFile, dataDir, random: systemRandom });
const postgres = await openPostgres({
  config: { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir },
  migrations: [new URL(`${pathToFileURL(join(root, 'src/accounts/migrations')).href}/`), vaultMigrations],
  ...parts,
  log: silentLog,
});
const vault = openVault({ keys, postgres, ...parts, audit: (): Audit => ({}) as Audit });
const keeper = vault.keeper(keys, false);

const owners = ['desk', 11, 12, 13] as const;
/** More subjects of one organisation than are wrapped anew in one transaction. */
const count = 1_000;
const placeOf = (i: number) => ({
  organisationId: owners[i % owners.length] as (typeof owners)[number],
  table: 'connections',
  column: 'token',
  row: i,
  class: 'D4' as const,
  ...(i % owners.length === 1 ? { subject: Buffer.alloc(32, `${i}`) } : {}),
});

if (what === 'seal') {
  const sealed: string[] = [];
  for (let i = 0; i < count; i++) sealed.push((await vault.seal(placeOf(i), `secret ${i}`)).toString('hex'));
  say(sealed);
} else if (what === 'open') {
  const sealed = JSON.parse(await text(process.stdin)) as string[];
  const wrong: string[] = [];
  for (const [i, one] of sealed.entries()) {
    const said = await vault.open(placeOf(i), Buffer.from(one, 'hex')).then(String, (error: Error) => error.message);
    if (said !== `secret ${i}`) wrong.push(said);
  }
  const fresh = await vault.seal(placeOf(0), 'fresh').then(
    () => true,
    () => false,
  );
  say({ opened: sealed.length - wrong.length, wrong: wrong[0], fresh, roots: await keeper.roots() });
} else if (what === 'root') {
  say(await keeper.rotateRoot(() => {}));
} else {
  for (const owner of owners) await keeper.rotateData(owner);
  say({});
}
vault.close();
await postgres.close();

function say(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
