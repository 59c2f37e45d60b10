import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * One process that changes the keys of a site's mail and phone links over the stores of a data directory, and may die in the
 * middle: `contacts_child.ts <root> <data dir> <key file> fill|work|read`.
 */
const [root = '', dataDir = '', keyFile = '', what = ''] = process.argv.slice(2);
const load = <T>(path: string) => import(pathToFileURL(join(root, path)).href) as Promise<T>;
const folderOf = (path: string) => new URL(`${pathToFileURL(join(root, path)).href}/`);
const { openPostgres } = await load<typeof import('../../../src/platform/postgres/index.ts')>(
  'src/platform/postgres/index.ts',
);
const { openWarehouse, migrateWarehouse } = await load<typeof import('../../../src/platform/warehouse/index.ts')>(
  'src/platform/warehouse/index.ts',
);
const { systemClock: clock } = await load<typeof import('../../../src/platform/clock.ts')>('src/platform/clock.ts');
const { silentLog: log } = await load<typeof import('../../../src/platform/log.ts')>('src/platform/log.ts');
const { systemRandom: random } = await load<typeof import('../../../src/platform/random.ts')>('src/platform/random.ts');
const { openKeyRing, openSeal } =
  await load<typeof import('../../../src/trust/keys/index.ts')>('src/trust/keys/index.ts');
const { openVault, vaultMigrations } =
  await load<typeof import('../../../src/trust/vault/index.ts')>('src/trust/vault/index.ts');
const { openContactKeys } = await load<typeof import('../../../src/analytics/contact_keys.ts')>(
  'src/analytics/contact_keys.ts',
);
const { openContactUpkeep } = await load<typeof import('../../../src/analytics/contact_upkeep.ts')>(
  'src/analytics/contact_upkeep.ts',
);

mkdirSync(dataDir, { recursive: true });
const keys = openKeyRing({ keyFile, dataDir, random });
const config = { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir } as const;
const postgres = await openPostgres({
  config,
  migrations: [folderOf('src/accounts/migrations'), folderOf('src/trust/audit/migrations'), vaultMigrations],
  ...{ clock, random, log },
});
const warehouse = await openWarehouse({ config: { ...config, clickhouseUrl: undefined } as never, clock, log });
await migrateWarehouse(
  warehouse,
  [{ subject: 'analytics', directory: folderOf('src/analytics/migrations/warehouse') }],
  { clock, log },
);
const none = async () => {};
const audit = { record: none, recordMany: none, recordOfPerson: none, writeNow: none };
const vault = openVault({ keys, postgres, clock, random, audit: () => audit });
const house = { keys, random, vault, postgres, clock, log, warehouse, audit, config: config as never };
const contacts = openContactKeys(house);
/** More than are sealed anew at once. */
const count = 2_500;
const at = (i: number) => ({ siteId: 1, timeMs: Date.UTC(2026, 5, 1), visitId: String(i + 1) });

if (what === 'fill') {
  await postgres.tenant(1, async (sql) => {
    await sql.run(`INSERT INTO organisations (id, name, slug, created_at) VALUES (1, 'Shop', 'shop', now())`);
    await sql.run(
      `INSERT INTO sites (id, organisation_id, domain, timezone, currency, created_at) VALUES (1, 1, 'shop.example', 'UTC', 'EUR', now())`,
    );
  });
  const former = openSeal(keys.derive('contact-click'), random);
  const rows = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      ...{ site_id: 1, time: '2026-06-01 00:00:00.000', visit_id: at(i).visitId, name: 'Tel: Click' },
      contact: former.seal(`value ${i}`, 'contact-click 1'),
    }),
  );
  await warehouse.insert('events', Buffer.from(`${rows.join('\n')}\n`), 'former');
} else if (what === 'work') {
  const upkeep = openContactUpkeep({
    house: { ...house, spool: { drain: async () => true } as never },
    keys: contacts,
    refresh: none,
    begun: Promise.resolve(),
  });
  upkeep.wake();
  while ((await counted()).former > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await upkeep.stop();
} else {
  const rows = await warehouse.read<{ contact: string; visit: string }>(
    'SELECT contact, toString(visit_id) AS visit FROM events ORDER BY visit_id',
  );
  let opened = 0;
  for (const { contact, visit } of rows)
    if ((await contacts.open(at(Number(visit) - 1), contact)) === `value ${Number(visit) - 1}`) opened += 1;
  process.stdout.write(`${JSON.stringify({ rows: rows.length, opened, ...(await counted()) })}\n`);
}
contacts.close();
vault.close();
await warehouse.close();
await postgres.close();

async function counted(): Promise<{ former: number }> {
  const [found] = await warehouse.read<{ former: string }>(
    `SELECT countIf(contact != '' AND NOT startsWith(contact, 'v1.')) AS former FROM events`,
  );
  return { former: Number(found?.former ?? 0) };
}
