import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { onSmallDisk } from './drivers/small_disk.ts';

const script = fileURLToPath(new URL('./drivers/full_disk_child.ts', import.meta.url));
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairlead-full-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('a full disk: refused as full, nothing acknowledged is lost or torn, and appends go on by themselves', () => {
  const spoolDir = join(dir, 'small');
  mkdirSync(spoolDir);
  const command = (kind: string) => [process.execPath, script, spoolDir, dir, kind];
  const [program = '', ...args] = onSmallDisk(spoolDir, 2 * 1024 * 1024, command('disk')) ?? command('injected');
  const said = JSON.parse(execFileSync(program, args, { encoding: 'utf8', timeout: 60_000 }));
  expect(said).toMatchObject({
    trouble: ['spool_full', 'sink_unavailable'],
    reasons: ['full'],
    drained: true,
    isSame: true,
  });
  expect(said.beforeRecovery).toBeGreaterThan(100);
  expect(said.acknowledged).toBeGreaterThan(said.beforeRecovery);
});
