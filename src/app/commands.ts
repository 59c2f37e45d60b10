import { type ControlCommand, readWhole } from '../platform/control.ts';
import { bounceBytesMax } from '../platform/mail/index.ts';
import { readAccessLog } from './access_log.ts';
import type { Desk } from './desk.ts';
import { readiness } from './health.ts';
import { readSelfAudits } from './self_audit.ts';
import { setUpDesk } from './set_up_desk.ts';
import { changeKeys } from './vault_desk.ts';

const setUpBytesMax = 1024 * 1024;

/** What the command line may ask of a running desk. Each is also run on a desk opened for the occasion. */
export function controlCommands(desk: Desk): Record<string, ControlCommand> {
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
      self_audit: (await readSelfAudits(desk.house, 1).catch(() => []))[0],
    }),
    'access-log': (args) => readAccessLog(desk.house, args),
    vault: (args, _body, say) => changeKeys(desk, args, say),
  };
}
