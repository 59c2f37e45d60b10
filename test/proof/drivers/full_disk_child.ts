import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { awakeClock, systemClock } from '../../../src/platform/clock.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { faultyFiles } from '../../../src/platform/spool/faulty_files.ts';
import { folderSink } from '../../../src/platform/spool/folder_sink.ts';
import { diskFiles, openSpool } from '../../../src/platform/spool/index.ts';

/**
 * Fills a small disk to its last byte with acknowledged rows while the store is away, then lets the store come back:
 * `full_disk_child.ts <spool dir> <store dir> disk|injected`. Says what happened as one line of JSON.
 */
const [dir = '', storeDir = '', kind = 'disk'] = process.argv.slice(2);
const files = faultyFiles();
// Where no disk can be mounted: a write stops in its middle and says ENOSPC, as a full one does.
if (kind === 'injected') files.inject({ operation: 'write', code: 'ENOSPC', after: 200, partBytes: 100 });
const spool = await openSpool({
  ...{ dir, lanes: ['events'], clock: awakeClock(systemClock), random: systemRandom, log: silentLog },
  fs: { ...files, freeBytes: async () => Number.MAX_SAFE_INTEGER, readFile: diskFiles.readFile },
  limits: {
    segmentMs: 20,
    segmentBytesMax: 200_000,
    sinkRetryMsFirst: 5,
    sinkRetryMsMax: 20,
    diskRetryMsFirst: 50,
    diskRetryMsMax: 100,
  },
});
const store = folderSink(join(storeDir, 'store'));
store.away = 'ECONNREFUSED';
spool.startLoading([store]);

const acknowledged: string[] = [];
const reasons = new Set<string>();
let id = 0;
/** Appends of growing size, so that the disk fills up in the middle of one. */
async function append(): Promise<boolean> {
  const row = JSON.stringify({ id: id++, text: 'x'.repeat(500 + (id % 977)) });
  try {
    await spool.lane('events').append(row);
    acknowledged.push(row);
    return true;
  } catch (error) {
    reasons.add((error as { reason: string }).reason);
    return false;
  }
}
let refusedInARow = 0;
while (refusedInARow < 20) refusedInARow = (await append()) ? 0 : refusedInARow + 1;
const beforeRecovery = acknowledged.length;
const trouble = spool.trouble().map(({ what }) => what);

store.away = undefined;
files.heal();
const end = performance.now() + 20_000;
while (!(await append()) && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
const drained = await spool.drain(20_000);
await spool.close();
const stored = store.rows();
writeSync(
  1,
  `${JSON.stringify({
    ...{ beforeRecovery, trouble, reasons: [...reasons], drained, acknowledged: acknowledged.length },
    isSame: stored.length === acknowledged.length && stored.every((row, i) => row === acknowledged[i]),
  })}\n`,
);
