import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../../test/stores.ts';
import { systemClock } from '../../platform/clock.ts';
import { systemRandom } from '../../platform/random.ts';
import { type KeptKeyRing, openKeyRing } from '../keys/index.ts';
import { refuseMissingRoots } from './index.ts';

let store: TestPostgres;
let folder: string;
let keyFile: string;
const owners = [11, 12, 13, 14, 'desk'] as const;

beforeAll(async () => {
  store = await openTestPostgres();
  folder = mkdtempSync(join(tmpdir(), 'fairlead-rotation-'));
  keyFile = join(folder, 'keys', 'root');
  mkdirSync(join(folder, 'data'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await store.close();
});

/** One process of the desk: a ring and a vault of its own over the same file and database. */
function openProcess(file = keyFile) {
  const keys: KeptKeyRing = openKeyRing({ keyFile: file, dataDir: join(folder, 'data'), random: systemRandom });
  const vault = openTestVault({ postgres: store.postgres, keys, clock: systemClock });
  return { keys, vault, keeper: vault.keeper(keys, false) };
}
type Process = ReturnType<typeof openProcess>;

const placeOf = (i: number) => ({
  organisationId: owners[i % owners.length] as (typeof owners)[number],
  table: 'connections',
  column: 'token',
  row: i,
  class: 'D4' as const,
  ...(i % 2 === 0 ? { subject: Buffer.alloc(32, i % 7) } : {}),
});
async function sealMany({ vault }: Process, count: number): Promise<Buffer[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => vault.seal(placeOf(i), `secret ${i}`)));
}
async function openAll({ vault }: Process, sealed: readonly Buffer[]): Promise<void> {
  for (const [i, bytes] of sealed.entries())
    expect((await vault.open(placeOf(i), bytes)).toString()).toBe(`secret ${i}`);
}

it('changes root and data keys under load without one failed read (CRY-07)', async () => {
  const busy = [openProcess(), openProcess()];
  const operator = openProcess();
  const before = await sealMany(operator, 60);
  let done = false;
  let rounds = 0;
  const errors: unknown[] = [];
  const load = busy.map(async (process) => {
    while (!done) {
      const i = rounds++;
      const place = placeOf(i);
      try {
        const fresh = await process.vault.seal(place, 'fresh');
        await (busy[i % 2] as Process).vault.open(place, fresh);
        // A process that has just been started asks the key store for everything.
        if (i % 10 === 0) await openProcess().vault.open(placeOf(i % 60), before[i % 60] as Buffer);
      } catch (error) {
        errors.push(error);
      }
    }
  });
  const first = operator.keys.fingerprint;
  const { root, keys } = await operator.keeper.rotateRoot(() => {});
  for (const owner of owners) await operator.keeper.rotateData(owner);
  const second = await operator.keeper.rotateRoot(() => {});
  while (rounds < 200) await new Promise((resolve) => setTimeout(resolve, 10));
  done = true;
  await Promise.all(load);

  expect(errors).toEqual([]);
  expect(keys).toBe(owners.length);
  // The data keys from before the change of data keys are kept, and wrapped anew as well.
  expect(second.keys).toBe(2 * owners.length);
  await openAll(openProcess(), before);
  expect(await operator.vault.isOld(placeOf(1), before[1] as Buffer)).toBe(true);
  expect(await operator.keeper.roots()).toEqual([
    { id: first, uses: ['first'], owners: 0 },
    { id: root, uses: [], owners: 0 },
    { id: second.root, uses: ['current'], owners: owners.length },
  ]);

  // What is in use stays, what wraps nothing may go.
  await expect(operator.keeper.forgetRoot(first)).rejects.toThrow(/derived from it/);
  await expect(operator.keeper.forgetRoot(second.root)).rejects.toThrow(/wraps keys/);
  await operator.keeper.forgetRoot(root);
  expect(readFileSync(keyFile, 'utf8')).not.toContain(root);
  await openAll(openProcess(), before);
});

it('that is ended in the middle leaves everything readable, and the next run takes it up (CRY-07)', async () => {
  const operator = openProcess();
  const before = await sealMany(operator, 20);
  const roots = operator.keys.roots.ids().length;
  const ended = operator.keeper.rotateRoot((count) => {
    if (count >= 3) throw new Error('killed');
  });
  await expect(ended).rejects.toThrow('killed');

  const next = openProcess();
  await openAll(next, before);
  const half = await next.keeper.roots();
  expect(half.filter((root) => root.owners > 0)).toHaveLength(2);
  const added = next.keys.roots.ids().at(-1) as string;
  await expect(next.keeper.forgetRoot(half.find((root) => root.owners > 0)?.id as string)).rejects.toThrow();
  expect(await next.keeper.rotateRoot(() => {})).toMatchObject({ root: added });
  expect(next.keys.roots.ids(), 'no further root was made').toHaveLength(roots + 1);
  await openAll(openProcess(), before);
});

it('waits for the copies of the key file where several processes share the database, and refuses an older one', async () => {
  const operator = openProcess();
  const shared = operator.vault.keeper(operator.keys, true);
  await expect(shared.rotateRoot(() => {})).rejects.toThrow(/--prepare.*Nothing was changed/s);
  const older = join(folder, 'keys', 'older');
  copyFileSync(keyFile, older);
  const prepared = await shared.prepareRoot();
  expect((await shared.roots()).at(-1)).toEqual({ id: prepared, uses: ['prepared'], owners: 0 });
  const sealed = await sealMany(openProcess(older), 5);
  expect((await shared.rotateRoot(() => {})).root).toBe(prepared);
  await openAll(openProcess(), sealed);

  const left = openProcess(older);
  const text = readFileSync(older, 'utf8');
  const check = () =>
    refuseMissingRoots({ postgres: store.postgres, keys: left.keys, keyName: `the key file ${older}` });
  await expect(check()).rejects.toThrow(new RegExp(`${prepared}.*older copy.*Nothing was changed`));
  await expect(left.vault.open(placeOf(0), sealed[0] as Buffer)).rejects.toMatchObject({ code: 'no-root' });
  expect(readFileSync(older, 'utf8')).toBe(text);
  // The newest copy is read as soon as it is there.
  writeFileSync(older, readFileSync(keyFile));
  await check();
  await openAll(left, sealed);
});
