import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  allProofs,
  applySabotage,
  CannotProve,
  load,
  must,
  openGround,
  type Proof,
  repository,
  sabotagedCopy,
} from './kit.ts';

const proofs = await allProofs();

describe('the proofs', () => {
  it('have one id each', () => {
    expect(proofs.length).toBeGreaterThan(20);
    expect(new Set(proofs.map(({ id }) => id)).size).toBe(proofs.length);
  });

  it.each(proofs.map(({ id, sabotage }) => ({ id, sabotage })))(
    '$id: its sabotage "$sabotage.name" finds its place in $sabotage.file once, and changes something',
    ({ sabotage }) => {
      const text = readFileSync(join(repository, sabotage.file), 'utf8');
      expect(applySabotage(sabotage, text)).not.toBe(text);
    },
  );
});

describe('the kit', () => {
  const sabotage = {
    name: 'none',
    file: 'src/platform/random.ts',
    find: 'randomBytes(count)',
    replace: 'Buffer.alloc(count)',
  };
  const proof = (run: Proof['run']): Proof => ({ id: 'x', title: 'It is so.', run, sabotage });
  const attemptOf = async (run: Proof['run'], root = repository) => {
    const ground = openGround(root, () => {});
    try {
      return await ground.prove(proof(run));
    } finally {
      await ground.close();
    }
  };
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-kit-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each<[string, Proof['run'], string]>([
    ['a promise that holds', async () => 'seen', 'held'],
    ['a promise that does not', async () => String(must(false, 'It is not so.')), 'broken'],
    ['a rig that does not start', () => Promise.reject(new CannotProve('It did not start.')), 'not proved'],
    ['a missing module', (context) => load(context, 'src/nothing.ts'), 'not proved'],
    [
      'a server that went away from a browser',
      () => Promise.reject(new Error('page.goto: net::ERR_CONNECTION_REFUSED')),
      'not proved',
    ],
    ['a misspelt name', async () => JSON.parse('{}').nothing.more, 'not proved'],
    ['a missing file', async () => readFileSync('nothing', 'utf8'), 'not proved'],
  ])('tells %s from the others', async (_what, run, kind) => {
    expect((await attemptOf(run)).kind).toBe(kind);
  });

  it('runs a proof against a copy of the product in which one guard is gone', async () => {
    const root = sabotagedCopy(sabotage, folder);
    const bytes: Proof['run'] = async (context) => {
      const { systemRandom } = await load<typeof import('../../src/platform/random.ts')>(
        context,
        'src/platform/random.ts',
      );
      must(!systemRandom.bytes(64).equals(Buffer.alloc(64)), 'Chance gives zeros.');
      return 'no zeros';
    };
    expect(await attemptOf(bytes)).toMatchObject({ kind: 'held', seen: 'no zeros' });
    expect(await attemptOf(bytes, root)).toMatchObject({ kind: 'broken', why: 'Chance gives zeros.' });
  });

  it.each([
    ['nowhere', 'no such text'],
    ['twice', 'Buffer'],
  ])('refuses a sabotage that finds its place %s', (_where, find) => {
    expect(() => applySabotage({ ...sabotage, find }, 'Buffer Buffer randomBytes(count)')).toThrow(CannotProve);
  });

  it('makes what proofs share once', async () => {
    const ground = openGround(repository, () => {});
    let made = 0;
    const share: Proof['run'] = (context) => context.share('thing', async () => `thing ${++made}`);
    expect(await ground.prove(proof(share))).toMatchObject({ seen: 'thing 1' });
    expect(await ground.prove(proof(share))).toMatchObject({ seen: 'thing 1' });
    await ground.close();
  });
});
