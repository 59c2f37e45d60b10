import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestPostgres, type TestPostgres } from '../../test/stores.ts';
import { stillClock } from '../platform/clock.ts';
import { readConfig } from '../platform/config.ts';
import { auditSelf, readSelfAudits } from './self_audit.ts';

let store: TestPostgres;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-audit-'));
beforeAll(async () => {
  store = await openTestPostgres();
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

it('looks at the guards, stores what it found for a year, and sees a guard that was taken away (OPS-03)', async () => {
  const clock = stillClock(Date.UTC(2026, 10, 28));
  const config = readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k') });
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  mkdirSync(join(folder, 'keys'));
  writeFileSync(config.keyFile, 'x', { mode: 0o600 });
  const parts = { config, clock, postgres: store.postgres };
  expect((await auditSelf(parts)).findings.filter(({ state }) => state === 'wrong')).toEqual([]);
  writeFileSync(join(folder, 'keys', 'open'), 'x');
  await store.asOwner((sql) => sql.run('ALTER TABLE goals NO FORCE ROW LEVEL SECURITY'));
  const found = await auditSelf({ ...parts, config: { ...config, keyFile: join(folder, 'keys', 'open') } });
  expect(found.worst).toBe('wrong');
  expect(found.findings.filter(({ state }) => state === 'wrong').map(({ what }) => what)).toEqual([
    'key file',
    'row security',
  ]);
  expect(await readSelfAudits(parts)).toHaveLength(2);
  clock.travel(367 * 86_400_000);
  await auditSelf(parts);
  expect(await readSelfAudits(parts)).toHaveLength(1);
});
