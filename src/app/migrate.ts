import { systemClock } from '../platform/clock.ts';
import { readConfig } from '../platform/config.ts';
import { openLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { openDesk } from './desk.ts';

/** `fairlead migrate`: opens the desk, which brings both schemas up to date, and closes it again. */
export async function migrate(): Promise<number> {
  const desk = await openDesk({
    config: readConfig(),
    clock: systemClock,
    random: systemRandom,
    log: openLog(systemClock),
  });
  await desk.close();
  process.stderr.write('Both schemas are up to date.\n');
  return 0;
}
