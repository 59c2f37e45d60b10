import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from './drivers/child.ts';
import { CannotProve, must, type Proof } from './kit.ts';

const script = fileURLToPath(new URL('./drivers/contacts_child.ts', import.meta.url));

export const proofs: readonly Proof[] = [
  {
    id: 'contacts-kill',
    title:
      'Killed while values of mail and phone links are sealed anew, every one of them opens, and the rest is done by the next start.',
    minutes: 3,
    async run(context) {
      const folder = await context.folder();
      async function life(what: string, death?: string) {
        const child = startChild(script, {
          args: [context.root, join(folder, 'data'), join(folder, 'keys', 'fairlead.keys'), what],
          env: death === undefined ? {} : { FAIRLEAD_CRASH_POINT: death },
        });
        child.endInput();
        const end = await child.ended;
        return { end, said: child.lines.at(-1) ?? '' };
      }
      async function peaceful(what: string) {
        const { end, said } = await life(what);
        if (end !== 0) throw new CannotProve(`The process that was to ${what} ended with ${end}.`);
        return said;
      }
      const read = async () => JSON.parse(await peaceful('read')) as { rows: number; opened: number; former: number };
      await peaceful('fill');
      const before = await read();
      if (before.former !== before.rows) throw new CannotProve('The values are not sealed in the former way.');
      must(
        before.opened === before.rows,
        `${before.rows - before.opened} of ${before.rows} former values do not open.`,
      );
      const left: number[] = [];
      for (const nth of [1, 2]) {
        const { end } = await life('work', `contacts.sealed:${nth}`);
        if (end !== 'SIGKILL') throw new CannotProve(`It did not die: it ended with ${end}.`);
        const now = await read();
        must(now.rows === before.rows, `${before.rows - now.rows} rows are gone after a death.`);
        must(now.opened === now.rows, `${now.rows - now.opened} of ${now.rows} values do not open after a death.`);
        left.push(now.former);
      }
      if (!(Number(left[0]) < before.rows && Number(left[0]) > 0))
        throw new CannotProve('It did not die in the middle.');
      await peaceful('work');
      const after = await read();
      must(after.rows === before.rows && after.opened === after.rows, 'Not every value opens at the end.');
      must(after.former === 0, `${after.former} values were left as they were.`);
      return `killed twice, with ${left.join(' and ')} of ${before.rows} values left to do: all opened after each death and at the end`;
    },
    sabotage: {
      name: 'a value is sealed for the moment of its sealing, and not for that of its row',
      file: 'src/analytics/contact_upkeep.ts',
      find: 'to.push(await keys.sealAnew(key, row, value));',
      replace: 'to.push(await keys.sealAnew(key, { ...row, timeMs: clock.now() }, value));',
    },
  },
];
