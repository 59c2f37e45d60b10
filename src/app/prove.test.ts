import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../test/stores.ts';
import { createOrganisation } from '../accounts/set_up.ts';
import type { CheckResult, LiveCheck } from '../platform/checks.ts';
import { stillClock } from '../platform/clock.ts';
import { readConfig } from '../platform/config.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { House } from '../platform/subject.ts';
import { openAudit } from '../trust/audit/index.ts';
import { ringOf } from '../trust/keys/index.ts';
import { canaryOf, scanFolders } from '../trust/proof/index.ts';
import { openProver } from './prove.ts';

let store: TestPostgres;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-prove-'));
beforeAll(async () => {
  store = await openTestPostgres();
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

it('looks at the guards, signs and stores what it found for a year, and tells once of a guard that was taken away (OPS-03)', async () => {
  const clock = stillClock(Date.UTC(2026, 10, 28));
  const { postgres } = store;
  const keys = ringOf(Buffer.alloc(32, 7));
  const vault = openTestVault({ keys, clock, postgres });
  const audit = openAudit({ vault, clock, random: systemRandom });
  const config = readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k') });
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  mkdirSync(join(folder, 'keys'));
  writeFileSync(config.keyFile, 'x', { mode: 0o600 });
  const people: Record<string, number> = {};
  for (const name of ['shop', 'runner'])
    await postgres.system(async (sql) => {
      const { personId } = await createOrganisation(
        ...([sql, { clock, vault, keys }, { email: `${name}@desk.example`, organisation: name, hash: 'x' }] as const),
      );
      people[name] = personId;
    });
  await postgres.person(people.runner as number, (sql) =>
    sql.run('UPDATE people SET is_operator = true WHERE id = $1', [people.runner]),
  );
  const told: string[] = [];
  const house = {
    ...{ config, clock, postgres, keys, vault, audit, random: systemRandom, log: silentLog },
    outbound: { hosts: () => [] },
    mail: {
      link: (path: string) => `https://desk.example${path}`,
      send: async (
        _sql: unknown,
        { to, values }: { to: string; values: { checks: { what: string; todo: string }[] } },
      ) =>
        void told.push(`${to}: ${values.checks.map(({ what, todo }) => `${what}, ${todo.split(';')[0]}`).join('; ')}`),
    },
  } as unknown as House;
  const notices: string[] = [];
  let weekly: CheckResult = { state: 'ok', fact: 'well' };
  const slow: LiveCheck = {
    id: 'slow',
    what: 'slow',
    proves: [],
    every: 'week',
    audience: 'everyone',
    run: async () => weekly,
  };
  const { prove, runs } = openProver(house, [{ checks: [slow] }], {
    tell: async (_sql, personId, { name }) => void notices.push(`${personId} ${name}`),
  });

  const sound = await prove('daily');
  expect(sound.findings.filter(({ state }) => state === 'wrong')).toEqual([]);
  expect(sound.findings.some(({ check }) => check === 'slow')).toBe(false);
  expect(told).toEqual([]);

  await store.asOwner((sql) => sql.run('ALTER TABLE goals NO FORCE ROW LEVEL SECURITY'));
  writeFileSync(config.keyFile, 'x');
  rmSync(config.keyFile);
  writeFileSync(config.keyFile, 'x', { mode: 0o644 });
  const open = await prove('asked', { actor: { type: 'operator' } });
  expect([open.worst, open.turned_red]).toEqual(['wrong', ['row security', 'key file']]);
  expect(await runs.lastWholeMs()).toBe(clock.now());
  const step = 'Run fairlead migrate.';
  expect(told).toEqual([
    `runner@desk.example: row security, ${step}; key file, chmod 600 ${config.keyFile}`,
    `shop@desk.example: row security, ${step}`,
  ]);
  expect(notices).toEqual([`${people.runner} check_red`, `${people.shop} check_red`]);

  // Still red: nobody is told again. Well in between, and red again: once more.
  weekly = { state: 'not_run', fact: 'away' };
  expect((await prove('weekly')).turned_red).toEqual([]);
  await store.asOwner((sql) => sql.run('ALTER TABLE goals FORCE ROW LEVEL SECURITY'));
  expect((await prove('daily')).turned_well).toEqual(['row security']);
  expect(told).toHaveLength(2);

  const trail = await postgres.system((sql) =>
    sql.query<{ action: string; actor_type: string }>(
      "SELECT action, actor_type FROM audit.entries WHERE organisation_id = 0 AND action = 'proof.run' ORDER BY seq",
    ),
  );
  expect(trail.map((one) => one.actor_type)).toEqual(['system', 'operator', 'system', 'system']);
  expect((await runs.read(10)).map(({ signature }) => signature)).toEqual(['holds', 'holds', 'holds', 'holds']);
  await store.asOwner((sql) =>
    sql.run(`UPDATE self_audits SET findings = jsonb_set(findings, '{0,state}', '"look"') WHERE kind = 'asked'`),
  );
  expect((await runs.read(10)).map(({ signature }) => signature)).toEqual(['holds', 'holds', 'broken', 'holds']);
  await store.asOwner((sql) => sql.run(`DELETE FROM self_audits WHERE kind = 'asked'`));
  expect(
    (await runs.read(10)).map(({ signature }) => signature),
    'one was taken out',
  ).toEqual(['holds', 'broken', 'holds']);

  clock.travel(367 * 86_400_000);
  await prove('daily');
  expect(await runs.read(10)).toHaveLength(1);
});

it('a canary is found in every form that a store might keep it in, over the edge of a piece, and only where it was written', async () => {
  const place = join(folder, 'scanned');
  mkdirSync(place);
  const packed = Buffer.from('20010db8a1b2c3d4e5f60718293a4b5c', 'hex');
  const canary = canaryOf('it', '2001:db8:a1b2:c3d4:e5f6:718:293a:4b5c', packed);
  const noise = Buffer.alloc(64 * 1024 - 7, 46);
  const [text] = canary.forms as [Buffer];
  const forms: Record<string, Buffer> = {
    text,
    packed,
    hex: Buffer.from(packed.toString('hex')),
    utf16: Buffer.from(text.toString(), 'utf16le'),
    base64: Buffer.from(Buffer.concat([Buffer.from('x'), text]).toString('base64')),
    'packed.gz': gzipSync(Buffer.concat([noise, packed])),
  };
  writeFileSync(join(place, 'nothing'), Buffer.concat([noise, Buffer.from('2001:db8::1')]));
  for (const [name, bytes] of Object.entries(forms))
    writeFileSync(join(place, name), name.endsWith('.gz') ? bytes : Buffer.concat([noise, bytes, noise]));
  const seen = await scanFolders([place], 0, [canary]);
  expect(seen.found.map(({ file }) => file).sort()).toEqual(Object.keys(forms).sort());
  expect(await scanFolders([place], Number.MAX_SAFE_INTEGER, [canary])).toMatchObject({ files: 0, found: [] });
});
