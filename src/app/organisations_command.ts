import { organisationsUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/**
 * `fairlead organisations`: suspends an organisation or a person, or lets them go on, for whoever can read the data
 * directory. Written into the audit log as done by the operator on the machine.
 */
export async function runOrganisations(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { reason: { type: 'string' } }, organisationsUsage);
  const [verb, target, ...more] = positionals;
  const status = { suspend: 'suspended', resume: 'active' }[verb ?? ''];
  if (status === undefined || target === undefined || more.length > 0)
    throw new UsageError(`Usage: ${organisationsUsage}`);
  await onDesk({
    command: 'status-of',
    args: { target, status, ...(values.reason === undefined ? {} : { reason: String(values.reason) }) },
  });
  process.stdout.write(`${JSON.stringify({ [target.includes('@') ? 'person' : 'organisation']: target, status })}\n`);
  return 0;
}
