import { readArgs, signUpUsage, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/**
 * `fairlead sign-up`: says who may sign up by themselves, or sets it, for whoever can read the data directory. A change is
 * written into the audit log as done by the operator on the machine.
 */
export async function runSignUp(args: string[]): Promise<number> {
  const { positionals } = readArgs(args, {}, signUpUsage);
  const [mode, domains, ...more] = positionals;
  const isKnown = mode === undefined || ['off', 'open', 'invitation', 'domains'].includes(mode);
  if (!isKnown || (mode === 'domains') !== (domains !== undefined) || more.length > 0)
    throw new UsageError(`Usage: ${signUpUsage}`);
  const answer = await onDesk({
    command: 'sign-up',
    args: { ...(mode === undefined ? {} : { mode }), ...(domains === undefined ? {} : { domains }) },
  });
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  return 0;
}
