import { openDesk } from '../../../src/app/desk.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { readConfig } from '../../../src/platform/config.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { systemRandom } from '../../../src/platform/random.ts';

/** A desk whose jobs look every three seconds, to be killed at a crash point: `ending_child.ts <data> <key file> <milliseconds ahead>`. */
const [FAIRLEAD_DATA_DIR, FAIRLEAD_KEY_FILE, ahead] = process.argv.slice(2) as [string, string, string];
const config = readConfig({ FAIRLEAD_DATA_DIR, FAIRLEAD_KEY_FILE });
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + Number(ahead),
  // What jobs wait for; not how long a question may take, which would end this desk before it is killed.
  after: (ms, work) => systemClock.after(ms >= 60_000 ? 3_000 : ms, work),
};
const desk = await openDesk({ config, clock, random: systemRandom, log: silentLog });
await desk.begin();
// Its jobs are what ends it.
setTimeout(() => process.exit(3), 40_000);
