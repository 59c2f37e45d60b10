import { peopleUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/**
 * `fairlead people`: lets a locked-out person in, for whoever can read the data directory. `reset` prints a link for a new
 * password, which works once and for an hour; `second-factor-off` takes authenticator and passkeys away and ends all
 * sessions. Both are written into the audit log as done by the operator on the machine.
 */
export async function runPeople(args: string[]): Promise<number> {
  const { positionals } = readArgs(args, {}, peopleUsage);
  const [verb, email, ...more] = positionals;
  if ((verb !== 'reset' && verb !== 'second-factor-off') || email === undefined || more.length > 0)
    throw new UsageError(`Usage: ${peopleUsage}`);
  const answer = await onDesk({ command: `people-${verb}`, args: { email } });
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  return 0;
}
