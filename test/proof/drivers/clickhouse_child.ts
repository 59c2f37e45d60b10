import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { startClickHouseHttp } from '../../fixtures/clickhouse_http.ts';

/**
 * ClickHouse over HTTP in a process of its own, since the engine is one to a process: `clickhouse_child.ts <directory>`.
 * Says its address, then takes a command a line: `cut <count> before|after`, `fail <code> <type> <status>`, `well`.
 */
const [directory = ''] = process.argv.slice(2);
const store = await startClickHouseHttp({ directory });
const say = (text: string) => writeSync(1, `${text}\n`);
say(`url ${store.url}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [command = '', first = '', second = '', third = ''] = line.split(' ');
  if (command === 'cut') store.cut(Number(first), second === 'before' ? 'before' : 'after');
  else if (command === 'fail') store.fail({ code: Number(first), type: second, status: Number(third) });
  else store.fail(undefined);
  say(`done ${line}`);
}
await store.close();
process.exit(0);
