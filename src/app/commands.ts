import { resolve } from 'node:path';
import { type ControlCommand, readWhole } from '../platform/control.ts';
import { bounceBytesMax } from '../platform/mail/index.ts';
import { readAccessLog } from './access_log.ts';
import { byOperator } from './backup_desk.ts';
import type { Desk } from './desk.ts';
import { readiness } from './health.ts';
import { openProver, type Prover } from './prove.ts';
import { setUpDesk } from './set_up_desk.ts';
import { changeKeys } from './vault_desk.ts';

const setUpBytesMax = 1024 * 1024;

/** What the command line may ask of a running desk. Each is also run on a desk opened for the occasion. */
export function controlCommands(
  desk: Desk,
  prover: Prover = openProver(desk.house, desk.parts, desk.accounts.notices),
): Record<string, ControlCommand> {
  const own: [string, ControlCommand][] = desk.parts.flatMap((part) => Object.entries(part.commands ?? {}));
  const whenBegun = own.map(([name, command]): [string, ControlCommand] => [
    name,
    async (...asked) => {
      await desk.begin();
      return command(...asked);
    },
  ]);
  return {
    ...Object.fromEntries(whenBegun),
    setup: async (_args, body) => setUpDesk(desk, JSON.parse(await readWhole(body, setUpBytesMax))),
    'mail-bounce': async (_args, body) => desk.house.mail.bounced(await readWhole(body, bounceBytesMax)),
    status: async () => ({
      ...(await readiness(desk)),
      disk_bytes: await desk.diskUse.read(),
      last_checks: (await prover.runs.read(1).catch(() => []))[0],
    }),
    'access-log': (args) => readAccessLog(desk.house, args),
    prove: async () => {
      await desk.begin();
      return prover.prove('asked', { actor: { type: 'operator' } });
    },
    backup: (args, _body, say) => backupCommand(desk, args, say),
    vault: (args, _body, say) => changeKeys(desk, args, say),
  };
}

async function backupCommand(
  { backups, releaseMail }: Pick<Desk, 'backups' | 'releaseMail'>,
  args: URLSearchParams,
  say: (line: unknown) => void,
): Promise<unknown> {
  const to = args.get('to') === null ? undefined : resolve(args.get('to') as string);
  switch (args.get('what')) {
    case 'new-key': {
      const { key, ...made } = await backups.newKey(byOperator);
      return {
        ...made,
        notes: [
          `The recovery key, shown this once:\n\n  ${key}\n`,
          'Write it down and keep it away from this machine. Whoever has it and a backup has all of the desk; without it no backup opens. Backups that were made before open with the former key.',
        ],
      };
    }
    case 'list':
      return backups.list(to);
    case 'keys':
      return backups.copyKeys(byOperator);
    case 'waiting':
      return backups.waiting();
    case 'release':
      return { released: await releaseMail(byOperator) };
    default:
      say('Copying both databases and the key store, then reading the copy back …');
      return backups.make(byOperator, to);
  }
}
