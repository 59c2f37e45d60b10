import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLog } from '../../../src/platform/log.ts';

/**
 * Looks into the embedded warehouse of a data directory that no process uses: `rows_child.ts <root> <data dir>`.
 * Takes `{name: statement}` on standard input and gives `{name: rows}`; a statement that is no question
 * changes the warehouse. The engine is one to a process, and what it
 * holds after a crash must be seen by a process that has nothing in memory, so this is a process of its own.
 */
const [root = '', dataDir = ''] = process.argv.slice(2);
const { openWarehouse } = (await import(
  pathToFileURL(join(root, 'src/platform/warehouse/index.ts')).href
)) as typeof import('../../../src/platform/warehouse/index.ts');
const warehouse = await openWarehouse({
  config: { dataDir, clickhouseUrl: undefined, clickhouseCluster: undefined },
  clock: systemClock,
  log: silentLog,
});
const statements = JSON.parse(await text(process.stdin)) as Record<string, string>;
const answers: Record<string, unknown[]> = {};
for (const [name, sql] of Object.entries(statements))
  if (/^\s*SELECT/.test(sql)) answers[name] = await warehouse.read(sql, {}, { seconds: 60 });
  else await warehouse.command(sql);
await warehouse.close();
const bytes = Buffer.from(JSON.stringify(answers));
for (let written = 0; written < bytes.length; ) written += writeSync(1, bytes, written);
process.exit(0);
