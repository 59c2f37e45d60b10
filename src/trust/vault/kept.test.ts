import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bytesCanary, textCanary } from '../../../test/proof/scan/canaries.ts';
import { leaked, scan, sentenceOf } from '../../../test/proof/scan/scan.ts';
import { eraseStores, openTestPostgres, openTestVault } from '../../../test/stores.ts';
import { systemClock } from '../../platform/clock.ts';
import { openLog } from '../../platform/log.ts';
import { openServerSettings } from '../../platform/mail/server.ts';
import { systemRandom } from '../../platform/random.ts';
import { openKeyRing } from '../keys/index.ts';

/** Letters and digits of one case, which nothing else on a disk holds. */
const word = (name: string) => `canary${name}${systemRandom.bytes(12).toString('hex')}`;

it('no secret and no key lies in the files of a desk or in its log, and none comes back with older rows (CRY-02, CRY-03, CRY-04, CRY-08, CRY-12)', async () => {
  const store = await openTestPostgres();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-kept-'));
  mkdirSync(join(folder, 'ring'));
  const keyFile = join(folder, 'keys');
  const keys = openKeyRing({ keyFile, dataDir: join(folder, 'ring'), random: systemRandom });
  const lines: string[] = [];
  const log = openLog(systemClock, (line) => lines.push(line));
  const secrets = {
    oauth: word('oauth'),
    apikey: word('apikey'),
    smtp: word('smtp'),
    dkim: word('dkim'),
    contact: word('contact'),
  };
  const planted = word('planted');
  try {
    const vault = openTestVault({ postgres: store.postgres, keys });
    const place = { organisationId: 5, table: 'kept_tokens', column: 'token', row: 1, class: 'D9' } as const;
    const subject = await vault.subject(5, 'email', 'ada@shop.example');
    const ofAda = { ...place, column: 'contact', class: 'D5', subject } as const;
    await store.asOwner(async (sql) => {
      await sql.run('CREATE TABLE kept_tokens (token bytea, key bytea, contact bytea, planted text)');
      await sql.run('INSERT INTO kept_tokens VALUES ($1, $2, $3, $4)', [
        await vault.seal(place, secrets.oauth),
        await vault.seal({ ...place, column: 'key' }, secrets.apikey),
        await vault.seal(ofAda, secrets.contact),
        planted,
      ]);
      await sql.run('CREATE TABLE backup AS SELECT * FROM kept_tokens');
    });
    const mail = openServerSettings({
      config: { smtp: undefined },
      clock: systemClock,
      postgres: store.postgres,
      vault,
    });
    await mail.save(
      {
        host: 'mail.shop.example',
        port: 587,
        tls: 'starttls',
        userName: 'desk',
        password: secrets.smtp,
        from: 'desk@shop.example',
        dkim: { domain: 'shop.example', selector: 's1', key: secrets.dkim },
      },
      { personId: 1, note: async () => {} },
    );
    expect((await mail.current()).server?.password).toBe(secrets.smtp);

    // What goes wrong says where, and never with what.
    const sealed = await vault.seal(place, secrets.oauth);
    for (const wrong of [sealed.subarray(0, 20), sealed, Buffer.from(secrets.oauth)])
      await vault
        .open({ ...place, row: 2 }, wrong, { purpose: 'test.read' })
        .catch((error) => log.error('secret_failed', { table: 'kept_tokens' }, error));
    expect(lines).toHaveLength(3);

    // A subject is destroyed, and a backup of the data from before is put back: the bytes are there, and say nothing.
    await vault.shred(5, subject);
    const rows = await store.asOwner(async (sql) => {
      await sql.run('DELETE FROM kept_tokens');
      await sql.run('INSERT INTO kept_tokens SELECT * FROM backup');
      return sql.query<{ token: Buffer; contact: Buffer }>('SELECT token, contact FROM kept_tokens');
    });
    const row = rows[0] as { token: Buffer; contact: Buffer };
    const later = openTestVault({ postgres: store.postgres, keys });
    await expect(later.open(ofAda, row.contact)).rejects.toMatchObject({ code: 'destroyed' });
    expect((await later.open(place, row.token, { purpose: 'test.read' })).toString()).toBe(secrets.oauth);

    await store.postgres.close();
    writeFileSync(join(folder, 'log'), lines.join(''));
    const canaries = [
      ...Object.entries(secrets).map(([name, text]) => textCanary(name, text)),
      bytesCanary('root', keys.roots.wrapping(keys.fingerprint) as Buffer),
    ];
    const places = [...store.postgres.directories, store.dataDir, join(folder, 'log')];
    const { certain } = leaked(scan(places, [...canaries, textCanary('planted', planted)]).finds);
    const secret = certain.filter(({ canary }) => canary !== 'planted');
    expect(secret, sentenceOf(secret)).toEqual([]);
    expect(certain.length, 'what is in clear is found').toBeGreaterThan(0);
  } finally {
    await store.postgres.close().catch(() => {});
    await eraseStores(store.postgres, store.dataDir);
    rmSync(folder, { recursive: true });
  }
}, 120_000);
