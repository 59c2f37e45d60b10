import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { emptyAgain } from '../analytics/index.ts';
import { systemClock } from '../platform/clock.ts';
import { readConfig } from '../platform/config.ts';
import { lockHolder } from '../platform/data_dir.ts';
import { openLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { BackupError, restoreBackup } from '../trust/backup/index.ts';
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
  const restored = await restoreBackup(
    {
      ...{ config, clock: systemClock, random: systemRandom, log: { ...log, info() {} } },
      migrations: { postgres: postgresFolders, warehouse: warehouseFolders },
      forget: (sql, gone, pepper) => forgetGone(sql, gone, pepper, new Date(systemClock.now())),
      forgetRows: emptyAgain,
    },
    String(values.from),
    key,
    (line) => void process.stderr.write(`${line}\n`),
  );
  process.stderr.write(
    `The desk of ${restored.made_at} is restored. Start it with fairlead serve. It sends no mail until you have looked at what waits (fairlead backup waiting) and let it go (fairlead backup release).\n`,
  );
  process.stdout.write(`${JSON.stringify(restored)}\n`);
  return 0;
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new BackupError(`The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
