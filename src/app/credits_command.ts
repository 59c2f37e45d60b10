import { creditsUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/**
 * `fairlead credits`: what an organisation has left; adds credits or takes them back, for whoever can read the data directory.
 * Written into the audit log as done by the operator on the machine. With `--key` the same is never done twice.
 */
export async function runCredits(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = readArgs(args, { expires: text, reference: text, key: text }, creditsUsage);
  const [first = '', ...rest] = positionals;
  const sign = { add: 1, take: -1 }[first];
  const [organisation, amount, ...more] = sign === undefined ? positionals : rest;
  const isWhole = sign === undefined ? amount === undefined : /^[1-9]\d{0,9}$/.test(amount ?? '');
  if (organisation === undefined || !isWhole || more.length > 0) throw new UsageError(`Usage: ${creditsUsage}`);
  if (sign === undefined && Object.keys(values).length > 0)
    throw new UsageError(`Nothing is added by this.\nUsage: ${creditsUsage}`);
  const answer = await onDesk({
    command: 'credits',
    args: {
      organisation,
      ...(sign === undefined ? {} : { credits: String(sign * Number(amount)) }),
      ...(values.expires === undefined ? {} : { expires_on: String(values.expires) }),
      ...(values.reference === undefined ? {} : { reference: String(values.reference) }),
      ...(values.key === undefined ? {} : { key: String(values.key) }),
    },
  });
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  return 0;
}
