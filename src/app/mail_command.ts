import { readWhole } from '../platform/control.ts';
import { bounceBytesMax } from '../platform/mail/index.ts';
import { mailUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/** `fairlead mail bounce < report.eml`: prints one line of JSON `{readers, suppressed, unknown}`, which are counts. */
export async function runMail(args: string[]): Promise<number> {
  const { positionals } = readArgs(args, {}, mailUsage);
  if (positionals.length !== 1 || positionals[0] !== 'bounce')
    throw new UsageError(`Say what to do with mail.\nUsage: ${mailUsage}`);
  const body = await readWhole(process.stdin, bounceBytesMax);
  process.stdout.write(`${JSON.stringify(await onDesk({ command: 'mail-bounce', body }))}\n`);
  return 0;
}
