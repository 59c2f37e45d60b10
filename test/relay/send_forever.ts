import { sendingCosts } from '../../src/billing/credits/sending.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { openLog } from '../../src/platform/log.ts';
import { openOutbound } from '../../src/platform/outbound/index.ts';
import { openDoor } from '../../src/platform/postgres/door.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { openLanes } from '../../src/relay/deliveries/lanes.ts';
import { ringOf } from '../../src/trust/keys/index.ts';
import { openTestVault } from '../stores.ts';
import { fastClock } from './fast_clock.ts';

/** A process that sends what is due until it is killed, and charges for it; its log goes to standard output. */
const { login, root, baseUrls, startMs, speed } = JSON.parse(process.argv[2] as string);
const clock = fastClock(startMs, speed);
const log = openLog(clock, (line) => process.stdout.write(line));
const postgres = openDoor({ login, clock: systemClock, log });
const vault = openTestVault({ keys: ringOf(Buffer.from(root, 'hex')), postgres });
const outbound = openOutbound({
  ...{ config: { outboundAllow: ['127.0.0.1'] }, clock: systemClock, log, gate: async () => undefined },
});
const credits = { ...sendingCosts({ clock }), onAdded: () => () => {} };
openLanes({ postgres, vault, clock, random: systemRandom, log, outbound, baseUrls, credits });
// The timers of the product do not keep a process alive.
setInterval(() => {}, 60_000);
