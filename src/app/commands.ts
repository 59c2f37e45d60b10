import type { ControlCommand } from '../platform/control.ts';
import type { Desk } from './desk.ts';
import { readiness } from './health.ts';
import { setUpDesk } from './set_up_desk.ts';

/** What the command line may ask of a running desk. Each is also run on a desk opened for the occasion. */
export function controlCommands(desk: Desk): Record<string, ControlCommand> {
  return {
    ...Object.assign({}, ...desk.parts.map((part) => part.commands ?? {})),
    setup: async (_args, body) => setUpDesk(desk, JSON.parse(await readText(body))),
    status: () => readiness(desk.house),
  };
}

/** A request of the socket and a plain stream alike: a command that runs without a server has no headers. */
async function readText(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
