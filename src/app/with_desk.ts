import { Readable } from 'node:stream';
import { systemClock } from '../platform/clock.ts';
import { type Config, readConfig } from '../platform/config.ts';
import { askControl, type ControlCommand, ControlError } from '../platform/control.ts';
import { controlSocketPath, lockHolder } from '../platform/data_dir.ts';
import { openLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';

/**
 * Runs one command where the stores are open: in the running server through its control socket, or, when none
 * runs, on a desk opened here for the occasion. Both ways run the same code.
 */
export async function onDesk(
  ask: {
    command: string;
    args?: Record<string, string>;
    body?: Readable | string;
    onProgress?: (progress: unknown) => void;
  },
  config: Config = readConfig(),
): Promise<unknown> {
  const holder = lockHolder(config.dataDir);
  if (holder !== undefined)
    return askControl({ socketPath: controlSocketPath(config.dataDir), ...ask }).catch((error: Error) => {
      const code = String((error as NodeJS.ErrnoException).code);
      if (['ECONNRESET', 'EPIPE'].includes(code))
        throw new ControlError('The server ended before it had answered. Look at its log, then run the command again.');
      if (!['ENOENT', 'ECONNREFUSED'].includes(code)) throw error;
      throw new ControlError(
        `Fairlead (process ${holder}) uses the data directory and takes no commands yet: it is starting or stopping. Try again in a moment.`,
      );
    });
  // Beside a running server the stores' libraries are not needed at all.
  const [{ openDesk }, { controlCommands }] = await Promise.all([import('./desk.ts'), import('./commands.ts')]);
  const log = openLog(systemClock);
  const quiet = { ...log, info() {} };
  const desk = await openDesk({ config, clock: systemClock, random: systemRandom, log: quiet });
  try {
    await desk.begin();
    const command = controlCommands(desk)[ask.command] as ControlCommand;
    const body =
      typeof ask.body === 'string' || ask.body === undefined ? Readable.from([Buffer.from(ask.body ?? '')]) : ask.body;
    return await command(new URLSearchParams(ask.args), body, ask.onProgress ?? (() => {}));
  } finally {
    await desk.close();
  }
}
