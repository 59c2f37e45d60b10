import { expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { readConfig } from '../../platform/config.ts';
import { silentLog } from '../../platform/log.ts';
import { relayVariables } from '../../platform/relay_config.ts';
import { openGate } from '../../trust/register/index.ts';
import { outwardOf } from './request.ts';

/** What the register lets out is what is sent: the real gate, asked as `outbound` asks it. */
const gateOf = (env: Record<string, string>) =>
  openGate({
    config: readConfig({ FAIRLEAD_DATA_DIR: '/tmp/nothing-is-kept-there', ...env }),
    ...{ clock: systemClock, log: silentLog, postgres: {} as never },
  }).gate;

test('requests leave under a row of the register, also to the address that an operator has put in the platform’s place', async () => {
  for (const [id, variable] of Object.entries(relayVariables)) {
    const gate = gateOf({ [variable]: 'http://127.0.0.1:4701' });
    expect([id, await gate({ ...outwardOf({ id }), host: '127.0.0.1' })]).toEqual([id, undefined]);
  }
});
