import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { awakeClock, systemClock } from '../../../src/platform/clock.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { folderSink } from '../../../src/platform/spool/folder_sink.ts';
import { openSpool, type Sink } from '../../../src/platform/spool/index.ts';

/**
 * A process with a spool and two stores, to be killed: `spool_child.ts <dir> <first id> <count> [sabotage]`.
 * Appends rows, says `ack <id>` for each that was kept, and `done` when all of them are in both stores.
 * Row ids that end in 7 and stand in a multiple of 40 are refused by the first store.
 */
const [dir = '', first = '0', count = '0', sabotage] = process.argv.slice(2);
const spool = await openSpool({
  ...{ dir, lanes: ['events'], clock: awakeClock(systemClock), random: systemRandom, log: silentLog },
  limits: { segmentMs: 10, segmentBytesMax: 4_000, appendBytesMax: 2_000, sinkRetryMsFirst: 5, sinkRetryMsMax: 20 },
});
const strict = folderSink(join(dir, 'strict'), { name: 'strict' });
strict.refuses = (row) => (JSON.parse(row) as { id: number }).id % 40 === 7;
const plain = folderSink(join(dir, 'plain'), { name: 'plain' });
const say = (text: string) => writeSync(1, `${text}\n`);

spool.startLoading([strict, sabotage === 'token' ? withAnotherTokenEachTime(plain) : plain]);
const lane = spool.lane('events');
const last = Number(first) + Number(count);
for (let id = Number(first); id < last; ) {
  const portion: Promise<void>[] = [];
  for (let i = 0; i < 20 && id < last; i++, id++) {
    const mine = id;
    // Sabotage of the promise itself: an answer that does not wait for the disk.
    if (sabotage === 'early') say(`ack ${mine}`);
    portion.push(
      lane
        .append(JSON.stringify({ id, text: 'é'.repeat(id % 50) }))
        .then(() => void (sabotage !== 'early' && say(`ack ${mine}`))),
    );
  }
  await Promise.all(portion);
}
for (let tries = 0; tries < 100 && !(await spool.drain(20_000)); tries++) await pause(50);
await spool.close();
say('done');

/** Sabotage of the guard against duplicates: the store cannot know that it has these bytes. */
function withAnotherTokenEachTime(sink: Sink): Sink {
  return {
    ...sink,
    deliver: (segment, bytes, token) => sink.deliver(segment, bytes, `${token}-${systemRandom.uint64()}`),
  };
}
