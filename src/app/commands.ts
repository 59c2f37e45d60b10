import type { ControlCommand } from '../platform/control.ts';
import { readBody } from '../platform/http/server.ts';
import type { Desk } from './desk.ts';
import { readiness } from './health.ts';
import { setUpDesk } from './set_up_desk.ts';

/** What the command line may ask of a running desk. Each is also run on a desk opened for the occasion. */
export function controlCommands(desk: Desk): Record<string, ControlCommand> {
  return {
    ...Object.assign({}, ...desk.parts.map((part) => part.commands ?? {})),
    setup: async (_args, body) => setUpDesk(desk, JSON.parse((await readBody(body, 1024 * 1024)).toString('utf8'))),
    status: () => readiness(desk.house),
  };
}
