import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ringOf } from '../../src/trust/keys/index.ts';
import { openCommandLine } from './cli.ts';

/** `fairlead doctor` on a machine where something is wrong: each fault is there, and the doctor says what to do. */
vi.setConfig({ testTimeout: 300_000 });
const cli = openCommandLine();
afterAll(() => cli.close());
const doctor = async (env: Record<string, string> = {}) => {
  const { code, out, err } = await cli.run(['doctor'], { env });
  expect(err).not.toMatch(/\n {4}at /);
  return { code, out };
};

it('looks at a machine where nothing was started yet, and makes nothing', async () => {
  const { code, out } = await doctor();
  expect(code).toBe(0);
  expect(out).toMatch(/^ok +settings: /);
  expect(out).toMatch(/\nok +disk: \d+ % used|\nlook +disk: \d+ % used/);
  expect(out).toMatch(/\nlook +key file: there is none at .*\n +→ The first start makes it/);
  expect(out).toMatch(/\nlook +stores: nothing is stored in .* yet/);
  expect(out).toMatch(/\nok +port: 0 is free/);
  expect(out).toMatch(/\nok +clock: /);
});

describe('names what is wrong and what to do', () => {
  it('a setting', async () => {
    const { code, out } = await doctor({ PORT: 'seven' });
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/^WRONG +PORT: "seven" is not a whole number.*\n +→ Write a number/),
    ]);
  });

  it('a port that another program has, a clock that is off, a proxy that is not trusted', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const port = (other.address() as { port: number }).port;
    const { code, out } = await doctor({
      PORT: String(port),
      FAIRLEAD_PUBLIC_URL: 'https://desk.example',
      FAIRLEAD_CLOCK_OFFSET_MS: String(-20 * 366 * 86_400_000),
    });
    other.close();
    expect(code).toBe(1);
    expect(out).toMatch(
      new RegExp(`WRONG +port: ${port} cannot be used \\(EADDRINUSE\\)\\n +→ Stop the other program`),
    );
    expect(out).toMatch(/WRONG +clock: it says the year 20\d\d\n +→ Set the clock/);
    expect(out).toMatch(/WRONG +proxy: .*all visitors would share one address\n +→ Set FAIRLEAD_TRUSTED_PROXIES=1/);
  });

  it('a proxy that anybody can pass by', async () => {
    const { out } = await doctor({ HOST: '0.0.0.0', FAIRLEAD_TRUSTED_PROXIES: '2' });
    expect(out).toMatch(
      /look +proxy: 2 proxy hop\(s\) are trusted while HOST is 0\.0\.0\.0.*\n +→ Set HOST=127\.0\.0\.1/,
    );
  });

  it('a key file that others may read, one that is another, a data directory that is open', async () => {
    mkdirSync(cli.dataDir, { recursive: true });
    chmodSync(cli.dataDir, 0o755);
    mkdirSync(dirname(cli.keyFile), { recursive: true });
    writeFileSync(cli.keyFile, `fairlead-key-1\n${Buffer.alloc(32, 1).toString('base64')}\n`);
    chmodSync(cli.keyFile, 0o644);
    writeFileSync(join(cli.dataDir, 'key.fingerprint'), '0011223344556677\n');
    const { code, out } = await doctor();
    expect(code).toBe(1);
    expect(out).toMatch(/WRONG +key file: others may read it \(mode 644\)\n +→ chmod 600 /);
    expect(out).toMatch(/look +data directory: others may look into it \(mode 755\)\n +→ chmod 700 /);
    expect(out).toMatch(/WRONG +stores: The key file .* holds the key .* was written under 0011223344556677/);
  });

  it('a key file that was lost', async () => {
    rmSync(cli.keyFile, { force: true });
    const { code, out } = await doctor();
    expect(code).toBe(1);
    expect(out).toMatch(/(ok|look) +encryption at rest: D4, D5, D9 are sealed field by field; .*(volume|dm-crypt)/);
    expect(out).toMatch(/WRONG +key file: there is none at .*\n +→ .*put it back before starting/);
  });

  it('stores of others that do not answer', async () => {
    writeFileSync(join(cli.dataDir, 'key.fingerprint'), `${ringOf(Buffer.alloc(32, 1)).fingerprint}\n`);
    writeFileSync(cli.keyFile, `fairlead-key-1\n${Buffer.alloc(32, 1).toString('base64')}\n`, { mode: 0o600 });
    const gone = 'postgres://fairlead_login@127.0.0.1:9/fairlead';
    const env = { DATABASE_URL: gone, DATABASE_MIGRATION_URL: gone, CLICKHOUSE_URL: 'http://127.0.0.1:9' };
    const { code, out } = await doctor(env);
    expect(code).toBe(1);
    expect(out).toMatch(/WRONG +stores: PostgreSQL cannot be reached as fairlead_login \(ECONNREFUSED/);
  });
});
