import { namedTest } from './drivers/named_test.ts';
import type { Proof } from './kit.ts';

/** Promises about the trail that tests of `npm test` show; here each runs alone, and against a copy without its guard. */
export const proofs: readonly Proof[] = [
  namedTest({
    id: 'AUD-01',
    title: 'Whatever a call changes leaves its act in the trail, in the transaction that changes it.',
    file: 'test/routes.test.ts',
    minutes: 4,
    sabotage: {
      name: 'a note is removed without a word',
      file: 'src/analytics/annotations.ts',
      find: 'if (gone === undefined) throw noSuchAnnotation();\n          await audit.record(sql,',
      replace:
        'if (gone === undefined) throw noSuchAnnotation();\n          await (async (..._left: unknown[]) => {})(sql,',
    },
  }),
  namedTest({
    id: 'OPS-01',
    title: 'Owners hear of a copied session, of many wrong passwords, of a mass export and of a used canary key.',
    file: 'src/accounts/watch.test.ts',
    minutes: 1,
    sabotage: {
      name: 'nobody counts wrong passwords',
      file: 'src/accounts/watch.ts',
      find: "least: 20 },\n  { kind: 'mass_export'",
      replace: "least: 20_000 },\n  { kind: 'mass_export'",
    },
  }),
];
