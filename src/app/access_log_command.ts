import type { AccessPage } from '../../contract/access_log.ts';
import { accessLogUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/** `fairlead access-log [<day>]`: a line of JSON per request, the newest first, until the day is over. */
export async function runAccessLog(args: string[]): Promise<number> {
  const { positionals } = readArgs(args, {}, accessLogUsage);
  const [day, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`Usage: ${accessLogUsage}`);
  let cursor: string | null | undefined;
  do {
    const page = (await onDesk({
      command: 'access-log',
      args: { ...(day === undefined ? {} : { day }), ...(typeof cursor === 'string' ? { cursor } : {}) },
    })) as AccessPage;
    for (const entry of page.entries) process.stdout.write(`${JSON.stringify(entry)}\n`);
    if (cursor === undefined && page.entries.length === 0)
      process.stderr.write(
        page.days.length === 0
          ? `There is no access log yet${page.on ? '' : ': FAIRLEAD_ACCESS_LOG is off'}.\n`
          : `There is nothing of ${page.day}. Days with lines: ${page.days.slice(0, 10).join(', ')}.\n`,
      );
    cursor = page.next;
  } while (cursor !== null);
  return 0;
}
