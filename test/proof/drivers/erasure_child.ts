import { openDesk } from '../../../src/app/desk.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { readConfig } from '../../../src/platform/config.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { systemRandom } from '../../../src/platform/random.ts';

/** A desk that does nothing but go on with its erasures, to be killed at a crash point: `erasure_child.ts <data> <key file>`. */
const [FAIRLEAD_DATA_DIR, FAIRLEAD_KEY_FILE] = process.argv.slice(2) as [string, string];
const config = readConfig({ FAIRLEAD_DATA_DIR, FAIRLEAD_KEY_FILE });
const desk = await openDesk({ config, clock: systemClock, random: systemRandom, log: silentLog });
await desk.requests.erase();
await desk.close();
