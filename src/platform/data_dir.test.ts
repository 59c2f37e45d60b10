import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlSocketPath, DataDirRefused, DataDirTaken, lockHolder, takeDataDir } from './data_dir.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Another process that takes the directory and then ends, by itself or killed, without releasing. */
function takeElsewhere(ending: string): void {
  const script = `import { takeDataDir } from ${JSON.stringify(new URL('./data_dir.ts', import.meta.url).href)}; takeDataDir(${JSON.stringify(join(folder, 'data'))}); ${ending}`;
  spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
}

describe('a data directory belongs to one process', () => {
  it('is refused with a sentence where it cannot be made', () => {
    writeFileSync(join(folder, 'file'), '');
    const inside = () => takeDataDir(join(folder, 'file', 'data'));
    expect(inside).toThrow(DataDirRefused);
    expect(inside).toThrow(
      /cannot be used by this user \(ENOTDIR\)\. Give it to .* or name another in FAIRLEAD_DATA_DIR/,
    );
  });

  it('is refused where nobody can make a folder, and Linux calls every folder absent', () => {
    expect(() => takeDataDir('/proc/fairlead/data')).toThrow(/cannot be used by this user/);
  });

  it('is private and refuses a second holder with a sentence that names the first', () => {
    const held = takeDataDir(join(folder, 'data'));
    expect(statSync(held.path).mode & 0o777).toBe(0o700);
    expect(() => takeDataDir(held.path)).toThrow(DataDirTaken);
    expect(() => takeDataDir(held.path)).toThrow(`process ${process.pid}`);
    held.release();
    takeDataDir(held.path).release();
    expect(readdirSync(held.path)).toEqual([]);
  });

  it.each(['process.exit(0)', "process.kill(process.pid, 'SIGKILL')"])(
    'is free again after its holder ended by %s',
    (ending) => {
      takeElsewhere(ending);
      expect(lockHolder(join(folder, 'data'))).toBeUndefined();
      takeDataDir(join(folder, 'data')).release();
    },
  );

  it('is not held by a process that only got the same number', () => {
    const held = takeDataDir(join(folder, 'data'));
    held.release();
    writeFileSync(join(held.path, 'lock'), `${process.pid} 1\n`);
    expect(lockHolder(held.path)).toBeUndefined();
    takeDataDir(held.path).release();
  });

  it('survives a lock file with nonsense in it', () => {
    const path = join(folder, 'data');
    takeDataDir(path).release();
    for (const text of ['', 'x y', '-1 5', '99999999999 3']) {
      writeFileSync(join(path, 'lock'), text);
      takeDataDir(path).release();
    }
  });
});

it('the control socket finds a short path for a deep data directory', () => {
  expect(controlSocketPath('/srv/data')).toBe('/srv/data/control.sock');
  const deep = controlSocketPath(`/${'deep/'.repeat(40)}data`);
  expect(Buffer.byteLength(deep)).toBeLessThanOrEqual(107);
  rmSync(join(deep, '..'), { recursive: true, force: true });
});
