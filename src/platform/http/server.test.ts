import { expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { systemRandom } from '../random.ts';
import { openHttp } from './server.ts';

it('names HOST and what to write when no address is known for it', async () => {
  const opened = openHttp({
    host: 'nobody.invalid',
    port: 0,
    publicUrl: 'http://localhost',
    trustedProxies: 0,
    tls: undefined,
    routes: [],
    fast: {},
    files: undefined,
    authenticate: async () => undefined,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  await expect(opened).rejects.toThrow(/^HOST: no address is known for "nobody\.invalid"\. Write one/);
});
