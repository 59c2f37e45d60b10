import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askControl, type ControlServer, openControl, readWhole } from './control.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-control-'));
const socketPath = join(folder, 'control.sock');
let server: ControlServer;
beforeAll(async () => {
  server = await openControl(socketPath, {
    count: async (args, body, say) => {
      let bytes = 0;
      for await (const part of body) {
        bytes += (part as Buffer).length;
        say({ bytes });
      }
      return { bytes, unit: args.get('unit') };
    },
    quiet: async () => undefined,
    fail: async () => {
      throw new Error('The fact. The next step.');
    },
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

it('carries a stream in, progress and a result out', async () => {
  const seen: unknown[] = [];
  const result = await askControl({
    socketPath,
    command: 'count',
    args: { unit: 'bytes' },
    body: Readable.from([Buffer.alloc(70_000), Buffer.alloc(30_000)]),
    onProgress: (progress) => seen.push(progress),
  });
  expect(result).toEqual({ bytes: 100_000, unit: 'bytes' });
  expect(seen.at(-1)).toEqual({ bytes: 100_000 });
});

it('a command that has nothing to say has been done, and its end is no fault', async () => {
  expect(await askControl({ socketPath, command: 'quiet' })).toBeNull();
});

it('passes on the sentence of a failed command, and says when a command is unknown', async () => {
  await expect(askControl({ socketPath, command: 'fail' })).rejects.toThrow('The fact. The next step.');
  await expect(askControl({ socketPath, command: 'nothing' })).rejects.toThrow('no command nothing');
});

it('is open to its user only', () => {
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
});

it('reads a small body whole, and refuses one that is larger than it may be', async () => {
  expect(await readWhole(Readable.from([Buffer.from('ab'), Buffer.from('c')]), 3)).toBe('abc');
  await expect(readWhole(Readable.from([Buffer.from('ab'), Buffer.from('cd')]), 3)).rejects.toThrow('3 bytes');
});
