import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { expect, it } from 'vitest';
import { postgresMigrations } from '../../../test/prepared_cluster.ts';
import { textCanary } from '../../../test/proof/scan/canaries.ts';
import { leaked, scan } from '../../../test/proof/scan/scan.ts';
import {
  dumpedRows,
  eraseStores,
  openTestPostgres,
  openTestVault,
  ownerLogin,
  standsIn,
} from '../../../test/stores.ts';
import { systemClock } from '../../platform/clock.ts';
import { emailDigest, openEmail, sealEmail } from '../../platform/email.ts';
import { migrate } from '../../platform/postgres/migrations.ts';
import { systemRandom } from '../../platform/random.ts';
import { openKeyRing } from '../../trust/keys/index.ts';
import { findPerson } from './person.ts';
import { sealAddresses } from './seal_addresses.ts';

/** The migrations of a version before addresses were sealed, in a folder of their own. */
function olderMigrations(folder: string): URL {
  for (const directory of postgresMigrations)
    for (const name of readdirSync(fileURLToPath(directory)))
      if (name < '2026-11-28-30') copyFileSync(new URL(name, directory), join(folder, name));
  return pathToFileURL(`${folder}/`);
}

it('seals the addresses that an older version wrote in clear, also when it was killed in the middle; neither a dump nor a table’s file has one (AUT-11)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-older-'));
  const store = await openTestPostgres([olderMigrations(folder)]);
  const { postgres } = store;
  mkdirSync(join(folder, 'data'));
  const keys = openKeyRing({
    keyFile: join(folder, 'keys', 'root'),
    dataDir: join(folder, 'data'),
    random: systemRandom,
  });
  const vault = openTestVault({ postgres, keys });
  const house = { postgres, vault, keys, clock: systemClock };
  // More than one batch.
  const people = Array.from({ length: 53 }, (_, i) => `Person.${i + 1}@canary-mail.example`);
  const identity = Buffer.alloc(32, 9);
  try {
    for (const [i, email] of people.entries())
      await postgres.person(i + 1, (sql) =>
        sql.run('INSERT INTO people (id, email, email_normalised, created_at) VALUES ($1, $2, $3, now())', [
          i + 1,
          email,
          email.toLowerCase(),
        ]),
      );
    await postgres.within({ organisationId: 1, personId: 1 }, async (sql) => {
      await sql.run("INSERT INTO organisations (id, name, slug, created_at) VALUES (1, 'Shop', 'shop', now())");
      await sql.run(
        `INSERT INTO invitations (id, organisation_id, email, email_normalised, role, digest, created_at, expires_at)
         VALUES (7, 1, 'Guest@canary-mail.example', 'guest@canary-mail.example', 'viewer', $1, now(), now())`,
        [identity],
      );
      await sql.run(
        `INSERT INTO identities (id, person_id, provider, digest, label, linked_at)
         VALUES (5, 1, 'google', $1, 'elsewhere@canary-mail.example', now())`,
        [identity],
      );
    });
    expect(standsIn(await dumpedRows(store), '@canary-mail.example').length, 'the older version wrote it').toBe(55);

    const owner = new pg.Client(await ownerLogin(postgres));
    await owner.connect();
    const all = [new URL('../../platform/postgres/migrations/', import.meta.url), ...postgresMigrations];
    expect(await migrate(owner, all)).toContain('2026-11-28-30-sealed-addresses.sql');
    await owner.end();
    // A start that was killed had sealed one of them.
    await postgres.system(async (sql) =>
      sql.query("SELECT upgrade.seal_address('people', 2, $1, $2)", [
        emailDigest(keys, people[1] as string),
        await sealEmail(vault, { person: 2 }, people[1] as string),
      ]),
    );
    // Two processes that start at once.
    const counts = await Promise.all([sealAddresses(house), sealAddresses(house)]);
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(54);
    expect(await sealAddresses(house), 'nothing is left at the next start').toBe(0);

    const rows = await dumpedRows(store);
    expect(rows.length).toBeGreaterThan(55);
    expect(standsIn(rows, '@canary-mail.example')).toEqual([]);
    const columns = await store.asOwner((sql) =>
      sql.query(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name IN ('email', 'email_normalised', 'label') AND table_name <> 'connections'",
      ),
    );
    expect(columns).toEqual([]);

    // A new data key and a new root: what was sealed before opens as before (CRY-07).
    const keeper = vault.keeper(keys, false);
    await keeper.rotateData('desk');
    await keeper.rotateRoot(() => {});
    for (const [i, email] of people.slice(0, 5).entries()) {
      expect(await findPerson(house, ` ${email.toUpperCase()} `)).toBe(i + 1);
      const { sealed } = await postgres.person(i + 1, (sql) =>
        sql.one<{ sealed: Buffer }>('SELECT email_sealed AS sealed FROM people WHERE id = $1', [i + 1]),
      );
      expect(await openEmail(vault, { person: i + 1 }, sealed)).toBe(email);
      await expect(openEmail(vault, { person: 50 }, sealed), 'it opens for its own person alone').rejects.toThrow();
    }
    const guest = await postgres.tenant(1, (sql) =>
      sql.one<{ sealed: Buffer }>('SELECT email_sealed AS sealed FROM invitations'),
    );
    expect(await openEmail(vault, { invitation: 7, organisationId: 1 }, guest.sealed)).toBe(
      'Guest@canary-mail.example',
    );
    const linked = await postgres.person(1, (sql) =>
      sql.one<{ sealed: Buffer }>('SELECT label_sealed AS sealed FROM identities'),
    );
    expect(await openEmail(vault, { identity, person: 1 }, linked.sealed)).toBe('elsewhere@canary-mail.example');

    // Nor in a dead row, a dropped column or an index: the files are looked into. The log of changes has them until it is overwritten.
    await postgres.close();
    const places = [...postgres.directories, store.dataDir];
    const { certain } = leaked(scan(places, [textCanary('address', 'canary-mail.example')]).finds);
    const inLog = (where: string) => where.includes('pg_wal/');
    expect(certain.filter(({ file }) => !inLog(file))).toEqual([]);
    expect(
      certain.some(({ file }) => inLog(file)),
      'the search finds what is there',
    ).toBe(true);
  } finally {
    vault.close();
    rmSync(folder, { recursive: true });
    await postgres.close().catch(() => {});
    await eraseStores(postgres, store.dataDir);
  }
}, 120_000);
