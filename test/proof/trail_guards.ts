import type { Config } from '../../src/platform/config.ts';
import type { House } from '../../src/platform/subject.ts';
import { until } from './drivers/desk.ts';
import { sealedStore } from './drivers/sealed_store.ts';
import { load, must, type Proof } from './kit.ts';

/** Promises about how the desk looks after itself. */
export const proofs: readonly Proof[] = [
  {
    id: 'OPS-03',
    title: 'The desk looks at its own guards soon after its start and every day, and what it found is stored.',
    async run(context) {
      const store = await sealedStore(context, 'guarded store');
      const { openProver, scheduleProof } = await load<typeof import('../../src/app/prove.ts')>(
        context,
        'src/app/prove.ts',
      );
      const { readConfig } = await load<typeof import('../../src/platform/config.ts')>(
        context,
        'src/platform/config.ts',
      );
      const config: Config = readConfig({ FAIRLEAD_DATA_DIR: store.dataDir, FAIRLEAD_KEY_FILE: store.keyFile });
      const { keys, vault, audit } = store.process();
      const { postgres } = store;
      const clock = store.modules.clock.stillClock(store.clock.now());
      const house = {
        ...{ config, postgres, clock, keys, vault, audit, log: store.modules.log.silentLog },
        // Nobody is there to be told, and nobody was called.
        ...{ outbound: { hosts: () => [] }, mail: {} },
      } as unknown as House;
      const prover = openProver(house, [], { tell: async () => {} });
      const stop = scheduleProof(house, prover);
      const stored = async (count: number, when: string) => {
        const audits = await until(10, async () => {
          const found = await prover.runs.read(10);
          return found.length >= count ? found : undefined;
        }).catch(() => undefined);
        must(audits !== undefined, `${when} fewer than ${count} looks are stored.`);
        return audits;
      };
      try {
        clock.travel(15 * 60_000);
        await stored(1, 'A quarter of an hour after the start');
        clock.travel(86_400_000);
        const [sound] = await stored(2, 'A day later');
        const of = (findings: { what: string; state: string }[] = []) =>
          findings.find(({ what }) => what === 'row security')?.state;
        must(of(sound?.findings) === 'ok', 'It finds fault with a sound database.');
        await store.asOwner((sql) => sql.run('ALTER TABLE goals NO FORCE ROW LEVEL SECURITY'));
        clock.travel(86_400_000);
        const [open] = await stored(3, 'Two days later');
        must(open?.worst === 'wrong' && of(open.findings) === 'wrong', 'A table that lost its guard is not seen.');
        return `3 looks in 2 days stored; a table without row security found on the third`;
      } finally {
        stop();
        await store.asOwner((sql) => sql.run('ALTER TABLE goals FORCE ROW LEVEL SECURITY'));
      }
    },
    sabotage: {
      name: 'what was found is not stored',
      file: 'src/trust/proof/runs.ts',
      find: '`INSERT INTO self_audits (made_at, worst, findings, kind, previous, signature, told_at)\n         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`',
      replace: '`SELECT 1 AS id, $1::timestamptz, $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz`',
    },
  },
];
