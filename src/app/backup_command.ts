import { backupUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/** `fairlead backup …`: prints one line of JSON; the recovery key, when one is made, goes to standard error, once. */
export async function runBackup(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { to: { type: 'string' } }, backupUsage);
  const [what = 'make', ...more] = positionals;
  if (more.length > 0 || !['make', 'list', 'new-key', 'keys', 'waiting', 'release'].includes(what))
    throw new UsageError(`Usage: ${backupUsage}`);
  const { notes, ...result } = (await onDesk({
    command: 'backup',
    args: { what, ...(values.to === undefined ? {} : { to: String(values.to) }) },
    onProgress: (line) => void process.stderr.write(`${String(line)}\n`),
  })) as { notes?: string[] };
  for (const note of notes ?? []) process.stderr.write(`${note}\n`);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}
