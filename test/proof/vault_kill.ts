import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CrashPoint } from '../../src/platform/crash_point.ts';
import type { RootState } from '../../src/trust/vault/index.ts';
import { startChild } from './drivers/child.ts';
import { CannotProve, must, type Proof } from './kit.ts';

const script = fileURLToPath(new URL('./drivers/rotation_child.ts', import.meta.url));
/** Where a change of keys dies; each is finished by the next run, so the next death comes in the middle of a fresh one. */
const places: readonly { what: 'root' | 'data'; point: CrashPoint; nth?: number }[] = [
  { what: 'root', point: 'vault.prepared' },
  { what: 'root', point: 'vault.current' },
  { what: 'root', point: 'vault.wrapped', nth: 2 },
  { what: 'data', point: 'vault.replaced', nth: 2 },
  { what: 'data', point: 'vault.subjects' },
];

export const proofs: readonly Proof[] = [
  {
    id: 'vault-kill',
    title: `Killed at ${places.length} places in the middle of a change of keys, every sealed value still opens and the change can be finished.`,
    minutes: 3,
    async run(context) {
      const folder = await context.folder();
      const dataDir = join(folder, 'data');
      mkdirSync(dataDir);
      const keyFile = join(folder, 'keys', 'fairlead.keys');
      async function life(what: string, options: { input?: string; death?: string } = {}) {
        const child = startChild(script, {
          args: [context.root, dataDir, keyFile, what],
          env: options.death === undefined ? {} : { FAIRLEAD_CRASH_POINT: options.death },
        });
        child.write(options.input ?? '');
        child.endInput();
        const end = await child.ended;
        return { end, said: child.lines.at(-1) ?? '' };
      }
      async function peaceful(what: string, input?: string) {
        const { end, said } = await life(what, input === undefined ? {} : { input });
        if (end !== 0) throw new CannotProve(`The process that was to ${what} ended with ${end}.`);
        return said;
      }
      const sealed = await peaceful('seal');
      const values = (JSON.parse(sealed) as string[]).length;
      for (const { what, point, nth = 1 } of places) {
        const { end } = await life(what, { death: `${point}:${nth}` });
        if (end !== 'SIGKILL') throw new CannotProve(`It did not come to ${point}: it ended with ${end}.`);
        for (const when of ['after the death', 'after the run that finished it'] as const) {
          if (when !== 'after the death') {
            const finished = await life(what);
            must(finished.end === 0, `The change that died at ${point} cannot be finished.`);
          }
          const { opened, wrong, fresh, roots } = JSON.parse(await peaceful('open', sealed)) as {
            opened: number;
            wrong?: string;
            fresh: boolean;
            roots: RootState[];
          };
          must(opened === values, `${values - opened} of ${values} values do not open at ${point}, ${when}: ${wrong}`);
          must(fresh, `Nothing can be sealed at ${point}, ${when}.`);
          if (when === 'after the death') continue;
          const wrapping = roots.filter(({ owners }) => owners > 0);
          must(
            wrapping.length === 1 && wrapping[0]?.uses.includes('current') === true,
            `After ${point} and the run that finished it, ${wrapping.length} roots wrap keys.`,
          );
        }
      }
      return `killed at ${places.map(({ point }) => point).join(', ')}: ${values} values of 4 owners and 250 subjects opened after each death and after each finished change`;
    },
    sabotage: {
      name: 'a new root is used before it lies in the key file',
      file: 'src/trust/keys/index.ts',
      find: 'const next = [...readRoots(file), added];\n      writeRoots(file, next, carried);',
      replace: 'const next = [...readRoots(file), added];',
    },
  },
];
