import { expect, it } from 'vitest';
import { openGround, repository } from './kit.ts';

// The whole desk dies a few times on every test run; `npm run proof` takes the time for all of it.
process.env.PROOF_KILLS ??= '4';
const { proofs } = await import('./delivery.ts');
const badDays = (await import('./delivery_bad_days.ts')).proofs;
const quick = ['delivery-full-disk'];

it.each([...proofs, ...badDays].filter(({ id }) => quick.includes(id)))(
  '$id',
  async (proof) => {
    const ground = openGround(repository, () => {});
    expect(await ground.prove(proof)).toMatchObject({ kind: 'held' });
    await ground.close();
  },
  20 * 60_000,
);
