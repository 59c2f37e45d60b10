import { namedTest } from './drivers/named_test.ts';
import type { Proof } from './kit.ts';

/** What the drill of a backup and its restore shows (test/journeys/backup.test.ts): its tests stand on each other, so all of them run. */
export const proofs: readonly Proof[] = [
  namedTest({
    id: 'RET-18',
    title: 'No backup outlives its days, and a restore takes out what was deleted after it before it serves anybody.',
    file: 'test/journeys/backup.test.ts',
    minutes: 2,
    sabotage: {
      name: 'a restore forgets nothing',
      file: 'src/trust/backup/restore.ts',
      find: "sites = await parts.forget(loader, others.get('gone') as Gone[], pepper);",
      replace: 'sites = [];',
    },
  }),
];
