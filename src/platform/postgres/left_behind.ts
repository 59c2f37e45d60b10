// A Fairlead that gets no chance to stop its server: the test starts it, waits for its line, and kills it.
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { systemRandom } from '../random.ts';
import { openPostgres } from './index.ts';

const { directories } = await openPostgres({
  config: { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir: process.argv[2] as string },
  migrations: [new URL('../../accounts/migrations/', import.meta.url)],
  random: systemRandom,
  clock: systemClock,
  log: silentLog,
});
process.stdout.write(JSON.stringify({ directories }));
setInterval(() => undefined, 60_000);
