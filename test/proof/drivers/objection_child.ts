import { openDesk } from '../../../src/app/desk.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { readConfig } from '../../../src/platform/config.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { enterRequest, takeStep } from '../../../src/trust/requests/records.ts';

/** A desk that takes an objection and carries it out, to be killed at a crash point: `objection_child.ts <data> <address>`. */
const [FAIRLEAD_DATA_DIR, email] = process.argv.slice(2) as [string, string];
const config = readConfig({ FAIRLEAD_DATA_DIR });
const desk = await openDesk({ config, clock: systemClock, random: systemRandom, log: silentLog });
const { postgres, vault } = desk.house;
const parts = { vault, organisationId: 1, nowMs: systemClock.now(), personId: null };
const received_on = new Date(parts.nowMs).toISOString().slice(0, 10);
const id = await postgres.tenant(1, async (sql) => {
  const entered = await enterRequest(sql, { kind: 'objection', received_on, email }, parts);
  await takeStep(sql, entered, { to: 'checked', check: 'mailbox' }, parts);
  return entered;
});
process.stdout.write(`request ${id}\n`);
await desk.requests.measure();
await desk.close();
