import { readArgs, UsageError, vaultUsage } from './usage.ts';
import { onDesk } from './with_desk.ts';

/** `fairlead vault …`: prints one line of JSON; what it is at, and what to do next, goes to standard error. */
export async function runVault(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(
    args,
    { root: { type: 'boolean' }, prepare: { type: 'boolean' }, organisation: { type: 'string' } },
    vaultUsage,
  );
  const [what, id, ...more] = positionals;
  const isUnderstood =
    more.length === 0 &&
    (what === 'rotate'
      ? id === undefined &&
        !(values.prepare === true && values.root !== true) &&
        !(values.root === true && values.organisation !== undefined)
      : Object.keys(values).length === 0 &&
        (what === 'status' ? id === undefined : (what === 'forget-root' || what === 'destroy') && id !== undefined));
  if (what === undefined || !isUnderstood) throw new UsageError(`Usage: ${vaultUsage}`);
  const { notes, ...result } = (await onDesk({
    command: 'vault',
    args: {
      what: values.root === true ? (values.prepare === true ? 'prepare-root' : 'rotate-root') : what,
      ...(id === undefined ? {} : { [what === 'destroy' ? 'organisation' : 'id']: id }),
      ...(values.organisation === undefined ? {} : { organisation: String(values.organisation) }),
    },
    onProgress: (line) => void process.stderr.write(`${String(line)}\n`),
  })) as { notes?: string[] };
  for (const note of notes ?? []) process.stderr.write(`${note}\n`);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}
