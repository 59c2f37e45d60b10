import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountsMigrations } from '../src/accounts/index.ts';
import type { Act, Audit } from '../src/platform/audit.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { openPostgres } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { auditMigrations, openAudit, openKeeper } from '../src/trust/audit/index.ts';
import { ringOf } from '../src/trust/keys/index.ts';
import { openVault, vaultMigrations } from '../src/trust/vault/index.ts';

/** What the accounts issue asks of the trail of one organisation, with every commit on disk. */
const targets = { actsPerSecond: 1_000, rowsPerSecond: 10_000, verifyRows: 1_000_000, verifySeconds: 20 };
const organisation = 1;
const acts = 4_000;
const batch = 100;

export async function measureAudit(say: (line: string) => void) {
  const dataDir = await mkdtemp(join(tmpdir(), 'fairlead-bench-audit-'));
  const keys = ringOf(Buffer.alloc(32, 7));
  const postgres = await openPostgres({
    config: { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir },
    migrations: [accountsMigrations, auditMigrations, vaultMigrations],
    random: systemRandom,
    clock: systemClock,
    log: silentLog,
  });
  const vault = openVault({ keys, postgres, clock: systemClock, random: systemRandom, audit: (): Audit => audit });
  const audit = openAudit({ vault, clock: systemClock, random: systemRandom });
  try {
    await postgres.within({ organisationId: organisation, personId: 1 }, async (sql) => {
      await sql.run("INSERT INTO organisations (id, name, slug, created_at) VALUES (1, 'North', 'north', now())");
      await sql.run(
        "INSERT INTO people (id, email_digest, email_sealed, name, created_at) VALUES (1, sha256('ada'), 'sealed', 'Ada', now())",
      );
      await sql.run(
        "INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES (1, 1, 'owner', now())",
      );
    });
    const act: Act = {
      action: 'goal.added',
      actor: { type: 'person', id: 1 },
      targets: [
        { type: 'goal', id: 7, label: 'Newsletter sign-up' },
        { type: 'site', id: 3, label: 'north.example' },
      ],
      details: { kind: 'event' },
      request: { id: 'a1b2c3d4e5f6', address: '203.0.113.77' },
    };
    const one = () => postgres.tenant(organisation, (sql) => audit.record(sql, organisation, act));
    const many = () =>
      postgres.tenant(organisation, (sql) => audit.recordMany(sql, organisation, Array<Act>(batch).fill(act)));
    await one();
    say(`Writing ${acts} acts, each in a transaction of its own, by eight at once …`);
    const singly = await perSecond(acts, 8, one);
    say('Writing 60,000 in transactions of 100 …');
    const inBatches = (await perSecond(600, 4, many)) * batch;
    const written = acts + 1 + 60_000;
    say(`Filling the trail to ${targets.verifyRows} entries …`);
    const full = () =>
      postgres.tenant(organisation, (sql) => audit.recordMany(sql, organisation, Array<Act>(1_000).fill(act)));
    for (let i = written; i < targets.verifyRows; i += 1_000) await full();
    const keeper = openKeeper({ postgres, keys, clock: systemClock, log: silentLog, dataDir });
    await keeper.checkpoint();
    say('Verifying it …');
    const begun = systemClock.monotonic();
    const seen = await keeper.verify();
    const seconds = (systemClock.monotonic() - begun) / 1000;
    if (seen.findings.length > 0) throw new Error(seen.findings[0]?.sentence);
    const entries = seen.entries.toLocaleString('en');
    return [
      line('audit: acts of one organisation, one a transaction', targets.actsPerSecond, singly),
      line('audit: rows of one organisation, 100 a transaction', targets.rowsPerSecond, inBatches),
      {
        what: `audit: verify ${entries} entries`,
        target: `${targets.verifySeconds} s`,
        measured: `${seconds.toFixed(1)} s`,
        holds: seconds <= targets.verifySeconds,
      },
    ];
  } finally {
    vault.close();
    await postgres.close();
    for (const directory of postgres.directories) await rm(directory, { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function perSecond(times: number, atOnce: number, work: () => Promise<void>): Promise<number> {
  const begun = systemClock.monotonic();
  let left = times;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await work();
    }),
  );
  return times / ((systemClock.monotonic() - begun) / 1000);
}

function line(what: string, target: number, measured: number) {
  const shown = Math.round(measured).toLocaleString('en');
  return {
    what,
    target: `${target.toLocaleString('en')} a second`,
    measured: `${shown} a second`,
    holds: measured >= target,
  };
}
