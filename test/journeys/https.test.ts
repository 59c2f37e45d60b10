import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AcmeEmulator, openAcmeEmulator } from '../../emulators/acme.ts';
import { bareEnvironment } from '../proof/drivers/child.ts';

/** A whole desk, started by its command line as an operator does, that fetches its certificate from an emulated authority. */
const cli = join(import.meta.dirname, '..', '..', 'src', 'app', 'cli.ts');
const folder = mkdtempSync(join(tmpdir(), 'fairlead-https-'));
const dayMs = 86_400_000;
const started: ChildProcess[] = [];
let authority: AcmeEmulator;
let env: Record<string, string>;
let port = 0;

beforeAll(async () => {
  authority = await openAcmeEmulator();
  port = await freePort();
  const httpPort = await freePort();
  authority.set({ hosts: { 'desk.test': { https: port, http: httpPort } } });
  env = {
    ...bareEnvironment(),
    PORT: String(port),
    FAIRLEAD_DATA_DIR: join(folder, 'data'),
    FAIRLEAD_ACME_DOMAINS: 'desk.test',
    FAIRLEAD_ACME_DIRECTORY: authority.url,
    FAIRLEAD_ACME_HTTP_PORT: String(httpPort),
    FAIRLEAD_OUTBOUND_ALLOW: new URL(authority.url).host,
  };
});
afterAll(async () => {
  for (const child of started) await stop(child);
  await authority.close();
  const note = join(folder, 'data', 'postgres', 'server');
  // For root the database lies outside of the data directory.
  if (existsSync(note)) rmSync(readFileSync(note, 'utf8').trim(), { recursive: true, force: true });
  rmSync(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** @param at how far the desk's clock and the authority's stand from the present, in which the clients of this test live */
function start(at: number): { child: ChildProcess; says(pattern: RegExp): Promise<void> } {
  authority.set({ aheadMs: at });
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', cli, 'serve'], {
    env: { ...env, FAIRLEAD_CLOCK_OFFSET_MS: String(at) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  return {
    child,
    async says(pattern) {
      while (!pattern.test(said)) {
        if (child.exitCode !== null) throw new Error(`It ended: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}

function stop(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  return ended;
}

/** Over HTTPS, trusting the authority's root and nothing else. */
function get(
  path: string,
): Promise<{ status: number; text: string; serial: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, servername: 'desk.test', ca: authority.root, agent: false },
      async (answer) => {
        const serial = (answer.socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? '';
        let text = '';
        for await (const part of answer) text += String(part);
        resolve({ status: answer.statusCode ?? 0, text, serial, headers: answer.headers });
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

function doctor(at: number): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', cli, 'doctor'],
      { env: { ...env, FAIRLEAD_CLOCK_OFFSET_MS: String(at) } },
      (_error, stdout) => resolve(stdout),
    );
  });
}
const lines = (text: string, about: RegExp) => text.split('\n').filter((line) => about.test(line));

it('a desk fetches its certificate at the first start, renews it in time, and keeps it when the authority is away', async () => {
  const first = start(-62 * dayMs);
  await first.says(/The certificate is there and ends on \d{4}-\d\d-\d\d/);
  await first.says(/https:\/\/desk\.test:\d+\/setup#code=/);
  const health = await get('/healthz');
  expect([health.status, health.text]).toEqual([200, 'ok\n']);
  expect((await get('/setup')).headers['strict-transport-security']).toMatch(/max-age=31536000/);
  expect(JSON.parse((await get('/readyz')).text)).toMatchObject({ ready: true, warnings: [] });
  const figures = (await get('/metrics')).text;
  expect(figures).toMatch(/^fairlead_acme_attempts_total\{end="ok"\} 1$/m);
  expect(Number(/^fairlead_certificate_ends_timestamp_seconds (\d+)$/m.exec(figures)?.[1])).toBeGreaterThan(1.7e9);
  expect(lines(await doctor(-62 * dayMs), /: answers|proxy|certificate/)).toEqual([
    expect.stringMatching(/^ok {5}port \d+: answers$/),
    'ok     postgres: answers',
    'ok     warehouse: answers',
    expect.stringMatching(/^ok {5}proxy: none/),
    expect.stringMatching(/^ok {5}certificate: 89 days left, renewed from .* UTC on$/),
  ]);
  await stop(first.child);

  const second = start(0);
  await second.says(/The certificate is there and ends on/);
  const renewed = await get('/healthz');
  expect([renewed.status, authority.seen.orders, authority.seen.accounts]).toEqual([200, 2, 1]);
  expect(renewed.serial).not.toBe(health.serial);

  // The authority goes away: the desk says so in time, and goes on with what it has.
  await stop(second.child);
  authority.set({ failNext: { directory: { status: 503, times: 99, plain: true } } });
  const third = start(80 * dayMs);
  await third.says(/There is no new certificate: 127\.0\.0\.1:\d+ has a fault of its own/);
  expect((await get('/healthz')).serial).toBe(renewed.serial);
  expect(JSON.parse((await get('/readyz')).text).warnings).toEqual([
    'The certificate of the HTTPS listener ends in 9 days, and its renewal fails.',
  ]);
  expect((await get('/metrics')).text).toMatch(/^fairlead_acme_failures_in_a_row 1$/m);
  const [look, todo] = lines(await doctor(80 * dayMs), /certificate|attempt/);
  expect(look).toBe('look   certificate: 9 days left');
  expect(todo).toMatch(/→ 1 attempt\(s\) failed, the last on .*: 127\.0\.0\.1:\d+ has a fault of its own/);
  expect(lines(await doctor(95 * dayMs), /certificate:/)[0]).toMatch(/^WRONG {2}certificate: it ended 6 day\(s\) ago$/);
}, 600_000);
