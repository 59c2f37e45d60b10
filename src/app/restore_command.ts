import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { emptyAgain } from '../analytics/index.ts';
import { awakeClock, systemClock } from '../platform/clock.ts';
import { type Config, readConfig } from '../platform/config.ts';
import { lockHolder } from '../platform/data_dir.ts';
import { openLog } from '../platform/log.ts';
import { openOutbound } from '../platform/outbound/index.ts';
import { systemRandom } from '../platform/random.ts';
import { BackupError, fetchNewest, openObjectStore, restoreBackup } from '../trust/backup/index.ts';
import { receiversOf, rowOf } from '../trust/register/index.ts';
import { postgresFolders, warehouseFolders } from './desk.ts';
import { forgetGone } from './gone.ts';
import { readArgs, restoreUsage, UsageError } from './usage.ts';

/** `fairlead restore`: prints one line of JSON; what it is at goes to standard error. */
export async function runRestore(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(
    args,
    { from: { type: 'string' }, 'key-file': { type: 'string' } },
    restoreUsage,
  );
  if (positionals.length > 0 || values.from === undefined) throw new UsageError(`Usage: ${restoreUsage}`);
  const config = readConfig();
  if (lockHolder(config.dataDir) !== undefined)
    throw new BackupError(
      `A desk runs in ${config.dataDir}. A restore needs an empty data directory: name one in FAIRLEAD_DATA_DIR. Nothing was changed.`,
    );
  if (values['key-file'] === undefined && process.stdin.isTTY)
    process.stderr.write('Type the recovery key, then Enter and Ctrl-D:\n');
  const key = values['key-file'] === undefined ? await text(process.stdin) : readKey(String(values['key-file']));
  const log = openLog(systemClock);
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const fetched = values.from === fromStore ? await fetchStored(config, say) : undefined;
  const restored = await restoreBackup(
    {
      ...{ config, clock: systemClock, random: systemRandom, log: { ...log, info() {} } },
      migrations: { postgres: postgresFolders, warehouse: warehouseFolders },
      forget: (sql, gone, pepper) => forgetGone(sql, gone, pepper, new Date(systemClock.now())),
      forgetRows: emptyAgain,
    },
    fetched ?? String(values.from),
    key,
    say,
  );
  // It was fetched for this; the store keeps it for its days.
  if (fetched !== undefined) rmSync(dirname(fetched), { recursive: true, force: true });
  process.stderr.write(
    `The desk of ${restored.made_at} is restored. Start it with fairlead serve. It sends no mail until you have looked at what waits (fairlead backup waiting) and let it go (fairlead backup release).\n`,
  );
  process.stdout.write(`${JSON.stringify(restored)}\n`);
  return 0;
}

/** Said for `--from` where the backup lies in the object store of the settings. */
const fromStore = 's3';

/** Into a folder of its own beside what lies here, so that neither is taken for the other. */
async function fetchStored(config: Config, say: (line: string) => void): Promise<string> {
  if (config.backup?.store === undefined)
    throw new BackupError(
      'FAIRLEAD_BACKUP_S3_URL is not set: there is no object store to restore from. Set it, FAIRLEAD_BACKUP_S3_KEY and FAIRLEAD_BACKUP_S3_SECRET. Nothing was changed.',
    );
  const clock = awakeClock(systemClock);
  const receivers = receiversOf(config, undefined);
  const outbound = openOutbound({
    ...{ config, clock, log: { ...openLog(systemClock), warn() {} } },
    gate: async (call) => (rowOf(receivers, call) === undefined ? 'not_registered' : undefined),
  });
  try {
    const store = openObjectStore(config.backup.store, { clock, outbound });
    return await fetchNewest(store, join(config.backup.folder, 'fetched'), say);
  } finally {
    await outbound.close();
  }
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new BackupError(`The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
