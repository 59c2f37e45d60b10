import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { drainPending, Session } from 'chdb';
import { type ChdbConnection, createChdbConnection } from 'chdb/connection';
import type { Log } from '../log.ts';
import { type Engine, identifier, tokenText } from './engine.ts';
import { WarehouseRefused, WarehouseUnavailable } from './errors.ts';
import { warehouseLimits as limits } from './limits.ts';
import { bindParams } from './params.ts';
import { forgetUnstored } from './remembered.ts';
import { backgroundSettings, readerSettings, type Settings, setStatement, writerSettings } from './settings.ts';

/**
 * ClickHouse in our own process, over a directory that only this process may use.
 *
 * The connection hook between `chdb` and `@clickhouse/client` is declared experimental on both sides: this file is the
 * only one that knows of it, and package.json pins both versions.
 *
 * @param directory Made if it is not there, 0700.
 * @throws WarehouseRefused when another process has the directory
 */
export async function openEmbedded(directory: string, log: Log): Promise<Engine> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const configFile = join(directory, 'engine.xml');
  writeFileSync(configFile, engineConfig(), { mode: 0o600 });
  // While another process has the directory its log says what is under way, and the engine refuses below.
  if (ownerOf(directory) === undefined) {
    const inserts = forgetUnstored(directory);
    // What a backup that was killed left: links that would hold rows which are deleted meanwhile.
    rmSync(join(directory, 'shadow'), { recursive: true, force: true });
    if (inserts > 0) log.warn('warehouse_unstored_forgotten', { inserts });
  }
  const anchor = openAnchor(directory, configFile);

  const open: ClickHouseClient[] = [];
  async function connect(settings: Settings, readonly: boolean) {
    const connection = createChdbConnection({ path: directory });
    const client = createClient({ connection: connection as never, log: { level: ClickHouseLogLevel.OFF } });
    open.push(client);
    await client.command({ query: setStatement(settings) });
    if (readonly) await client.command({ query: 'SET readonly = 1' });
    return { client, connection };
  }

  try {
    const writer = await connect(writerSettings, false);
    const background = await connect(backgroundSettings, false);
    // A disk that is full refuses it, and neither a start nor a stop may end with that: then a start forgets at once.
    const stopForgetting = () =>
      setForgetting(background.client, false).catch(() => log.warn('warehouse.forgetting_goes_on', {}));
    // What a process that was killed has left.
    await stopForgetting();
    const readers: ClickHouseClient[] = [];
    for (let n = 0; n < limits.readersAtOnce; n++) readers.push((await connect(readerSettings, true)).client);
    return {
      readers,
      writer: writer.client,
      background: background.client,
      abortable: false,
      bind: (sql, params) => ({ query: bindParams(params) + sql }),
      insert: (table, ndjson, token, columns) => insert(writer.connection, table, ndjson, token, columns),
      async writeFile(sql, params, file) {
        await background.client.command({
          query: `${bindParams({ ...params, file })}INSERT INTO FUNCTION file({file:String}, 'JSONEachRow') SETTINGS engine_file_truncate_on_insert = 1 ${sql}`,
        });
      },
      startForgetting: () => setForgetting(background.client, true),
      async trim() {
        await background.client.command({ query: 'SYSTEM JEMALLOC PURGE' });
      },
      async close() {
        await drainPending();
        await stopForgetting();
        for (const client of open) await client.close();
        anchor.close();
        await drainPending();
      },
    };
  } catch (error) {
    for (const client of open) await client.close();
    anchor.close();
    throw error;
  }
}

/** How many merges of a table may forget what columns and rows keep for a time only. None, unless the table says otherwise. */
const forgettingAtOnce = 'max_number_of_merges_with_ttl_in_pool';

/** The engine begins with such merges while it opens, before anybody could stop them: so it is the table that allows them, and only for as long as we say. */
async function setForgetting(client: ClickHouseClient, isAllowed: boolean): Promise<void> {
  const which = isAllowed ? "create_table_query LIKE '% TTL %'" : `engine_full LIKE '%${forgettingAtOnce}%'`;
  const answer = await client.query({
    query: `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND ${which}`,
    format: 'JSONEachRow',
  });
  const change = isAllowed ? `MODIFY SETTING ${forgettingAtOnce} = 1` : `RESET SETTING ${forgettingAtOnce}`;
  for (const { name } of await answer.json<{ name: string }>())
    await client.command({ query: `ALTER TABLE ${identifier(name)} ${change}` });
}

/**
 * The bytes go to the engine's parser as they are; the token is part of the statement's text and so ends with it.
 * (`@clickhouse/client` would make text of them first: 20,000 rows took 1.6 times as long that way.)
 */
async function insert(
  connection: ChdbConnection,
  table: string,
  ndjson: Buffer,
  token: string,
  columns: readonly string[] | undefined,
): Promise<void> {
  await connection.chdb.rawInsert({
    table: identifier(table),
    values: ndjson,
    ...(columns === undefined
      ? { format: 'JSONEachRow' }
      : { format: 'JSONCompactEachRow', columns: columns.map(identifier) }),
    settings: { insert_deduplication_token: tokenText(token) },
  });
}

/**
 * The first connection of a process starts the engine, and only it can hand over what is configuration rather than a
 * setting. It is kept open, unused, so that the engine lives as long as we do.
 */
function openAnchor(directory: string, configFile: string): Session {
  try {
    return new Session(directory, { connectionArgs: [`--config-file=${configFile}`] });
  } catch (error) {
    // The engine says why (code 76, another process holds the lock) on standard error only, and leaves a bare failure
    // here. Its lock file names the process that holds it.
    const owner = ownerOf(directory);
    if (owner !== undefined)
      throw new WarehouseRefused(
        `The warehouse in ${directory} is in use by process ${owner}: stop that process, or set FAIRLEAD_DATA_DIR to a directory of its own.`,
        { cause: error },
      );
    throw new WarehouseUnavailable('ENGINE_DID_NOT_START', { cause: error });
  }
}

function ownerOf(directory: string): number | undefined {
  let pid: number;
  try {
    pid = Number(/^PID: (\d+)/m.exec(readFileSync(join(directory, 'status'), 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
  if (!(pid > 0) || pid === process.pid) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    // A process of another user may not be signalled, but it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : undefined;
  }
}

/**
 * The engine is built for servers of its own: its caches may grow to 5 GB each and it keeps a thousand idle threads.
 * Here it shares a small machine, so everything that only makes sense elsewhere is small or off.
 */
function engineConfig(): string {
  const values: Record<string, string | number> = {
    timezone: 'UTC',
    max_server_memory_usage: limits.engineMemoryBytes,
    mark_cache_size: limits.markCacheBytes,
    index_mark_cache_size: 1 << 20,
    primary_index_cache_size: 32 << 20,
    uncompressed_cache_size: 0,
    index_uncompressed_cache_size: 0,
    query_condition_cache_size: 8 << 20,
    compiled_expression_cache_size: 8 << 20,
    mmap_cache_size: 64,
    max_thread_pool_free_size: 8,
    max_io_thread_pool_free_size: 0,
    background_pool_size: 2,
    // Places in the queue of these two threads. A mutation has a task for each part of its table, and when the places are
    // taken the engine sleeps 100 ms and more before it looks again: with 4 of them, 400 parts took 64 s, with 32 eight.
    background_merges_mutations_concurrency_ratio: 16,
    background_schedule_pool_size: 2,
    background_common_pool_size: 1,
    background_move_pool_size: 1,
    background_fetches_pool_size: 1,
    os_threads_nice_value_merge_mutate: 15,
  };
  const lines = Object.entries(values).map(([name, value]) => `  <${name}>${value}</${name}>`);
  lines.push(`  <merge_tree><${forgettingAtOnce}>0</${forgettingAtOnce}></merge_tree>`);
  return `<clickhouse>\n${lines.join('\n')}\n</clickhouse>\n`;
}
