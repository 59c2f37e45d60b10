import type { CheckRun } from '../../contract/proof.ts';
import { proveUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/** `fairlead prove`: runs every live check on this desk. Exit code 1 when one of them is red. */
export async function runProve(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { json: { type: 'boolean' } }, proveUsage);
  if (positionals.length > 0) throw new UsageError(`Usage: ${proveUsage}`);
  const run = (await onDesk({ command: 'prove' })) as CheckRun;
  if (values.json === true) process.stdout.write(`${JSON.stringify(run)}\n`);
  else process.stdout.write(tableOf(run));
  return run.worst === 'wrong' ? 1 : 0;
}

const words = { ok: 'ok     ', look: 'look   ', wrong: 'WRONG  ', not_run: 'not run' } as const;

function tableOf({ findings, turned_red, turned_well }: CheckRun): string {
  const lines = findings.map(
    ({ what, state, fact, todo }) =>
      `${words[state]}  ${what}: ${fact}${todo === undefined ? '' : `\n         → ${todo}`}`,
  );
  const of = (state: string) => findings.filter((one) => one.state === state).length;
  const changes = [
    ...turned_red.map((what) => `${what} was well in the run before, and owners are told.`),
    ...turned_well.map((what) => `${what} is well again.`),
  ];
  return `${[...lines, ...changes, `${of('ok')} ok, ${of('look')} to look at, ${of('wrong')} wrong, ${of('not_run')} not run`].join('\n')}\n`;
}
