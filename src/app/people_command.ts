import { peopleUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/**
 * `fairlead people`: lets a locked-out person in, or keeps one out, for whoever can read the data directory. `reset` prints
 * a link for a new password, which works once and for an hour; `second-factor-off` takes authenticator and passkeys away
 * and ends all sessions; `suspend` and `resume` change the status of the account, and `status` says it. All that changes something is written into the audit log
 * as done by the operator on the machine.
 */
export async function runPeople(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { reason: { type: 'string' } }, peopleUsage);
  const [verb, email, ...more] = positionals;
  const status = { suspend: 'suspended', resume: 'active' }[verb ?? ''];
  const isKnown = verb === 'reset' || verb === 'second-factor-off' || verb === 'status' || status !== undefined;
  // A name without @ would be that of an organisation.
  if (!isKnown || email === undefined || more.length > 0 || (status !== undefined && !email.includes('@')))
    throw new UsageError(`Usage: ${peopleUsage}`);
  const reason = values.reason === undefined ? {} : { reason: String(values.reason) };
  const answer =
    status === undefined
      ? await onDesk({ command: `people-${verb}`, args: { email } })
      : await onDesk({ command: 'status-of', args: { target: email, status, ...reason } }).then(() => ({
          person: email,
          status,
        }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  return 0;
}
