import { readWhole } from '../platform/control.ts';
import { readArgs, setUpUsage, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

const passwordBytesMax = 64 * 1024;
/** `fairlead setup`: prints one line of JSON `{organisation_id, api_key, sites: [{id, domain}]}`. */
export async function runSetUp(args: string[]): Promise<number> {
  const { values } = readArgs(
    args,
    {
      email: { type: 'string' },
      organisation: { type: 'string' },
      site: { type: 'string', multiple: true },
      timezone: { type: 'string' },
      currency: { type: 'string' },
      'retention-months': { type: 'string' },
      goal: { type: 'string', multiple: true },
      'new-key': { type: 'boolean' },
    },
    setUpUsage,
  );
  const months = values['retention-months'];
  if (months !== undefined && !/^\d+$/.test(months))
    throw new UsageError(`--retention-months: "${months}" is not a whole number.\nUsage: ${setUpUsage}`);
  for (const name of ['email', 'organisation', 'site'] as const)
    if (values[name] === undefined) throw new UsageError(`--${name} is missing.\nUsage: ${setUpUsage}`);
  if (process.stdin.isTTY) process.stderr.write('Password of the owner (only the first run needs it), then Ctrl-D: ');
  const password = (await readWhole(process.stdin, passwordBytesMax)).replace(/\r?\n$/, '');
  const result = await onDesk({
    command: 'setup',
    body: JSON.stringify({
      email: values.email,
      organisation: values.organisation,
      sites: values.site,
      timezone: values.timezone,
      currency: values.currency,
      retention_months: months === undefined ? undefined : Number(months),
      goals: values.goal,
      new_key: values['new-key'],
      password: password === '' ? undefined : password,
    }),
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}
