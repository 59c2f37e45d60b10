import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { awakeClock, systemClock } from '../../../src/platform/clock.ts';
import { crashPoint } from '../../../src/platform/crash_point.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { openSpool } from '../../../src/platform/spool/index.ts';
import { openWarehouse } from '../../../src/platform/warehouse/index.ts';

/**
 * A process with a spool and the real embedded warehouse, to be killed: `warehouse_child.ts <dir> <first id> <count>`.
 * The table has a view behind it, as `events` has `visits`. Row ids that end in 7 and stand in a multiple of 400 hold
 * what the engine refuses. Says `ack <id>` for each row that was kept, and in the end what both tables hold.
 */
const [dir = '', first = '0', count = '0'] = process.argv.slice(2);
const surroundings = { clock: awakeClock(systemClock), log: silentLog };
const warehouse = await openWarehouse({
  config: { dataDir: dir, clickhouseUrl: undefined, clickhouseCluster: undefined },
  ...surroundings,
});
const settings =
  'SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1';
for (const statement of [
  `CREATE TABLE IF NOT EXISTS kill_rows (id UInt64, tens UInt64, text String) ENGINE MergeTree ORDER BY id ${settings}`,
  `CREATE TABLE IF NOT EXISTS kill_sums (tens UInt64, rows UInt64) ENGINE SummingMergeTree ORDER BY tens ${settings}`,
  'CREATE MATERIALIZED VIEW IF NOT EXISTS kill_view TO kill_sums AS SELECT tens, count() AS rows FROM kill_rows GROUP BY tens',
])
  await warehouse.command(statement);

const spool = await openSpool({
  ...{ dir, lanes: ['rows'], random: systemRandom, ...surroundings },
  limits: { segmentMs: 30, sinkRetryMsFirst: 20, sinkRetryMsMax: 200 },
});
spool.startLoading([
  {
    name: 'warehouse',
    lane: 'rows',
    async deliver(_segment, bytes, token) {
      await warehouse.insert('kill_rows', bytes, token);
      crashPoint('warehouse.insert');
    },
  },
]);

const say = (text: string) => writeSync(1, `${text}\n`);
const lane = spool.lane('rows');
const last = Number(first) + Number(count);
for (let id = Number(first); id < last; ) {
  const portion: Promise<void>[] = [];
  for (let i = 0; i < 100 && id < last; i++, id++) {
    const mine = id;
    const text = id % 400 === 7 ? { not: 'text' } : 'é'.repeat(id % 50);
    const tens = id % 400 === 7 ? 'refused' : Math.floor(id / 10);
    portion.push(lane.append(JSON.stringify({ id, tens, text })).then(() => void say(`ack ${mine}`)));
  }
  await Promise.all(portion);
}
// A drain gives up when the store refuses for the moment; what is looked at is what has come in the end.
for (let tries = 0; tries < 100 && !(await spool.drain(30_000)); tries++) await pause(200);
const ids = await warehouse.read<{ id: string }>('SELECT id FROM kill_rows ORDER BY id');
const [sum] = await warehouse.read<{ rows: string }>('SELECT sum(rows) AS rows FROM kill_sums');
const { rows: quarantined = 0 } = spool.quarantined();
await spool.close();
await warehouse.close();
say(`stored ${JSON.stringify({ ids: ids.map(({ id }) => id), summed: Number(sum?.rows ?? 0), quarantined })}`);
