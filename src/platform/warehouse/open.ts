import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { giveBackHeap } from '../heap.ts';
import type { Log } from '../log.ts';
import { type Engine, parquetSettings } from './engine.ts';
import { insertError, QueryOverCeiling, readError, WarehouseUnavailable } from './errors.ts';
import { warehouseLimits as limits } from './limits.ts';
import { checkParams } from './params.ts';
import { openServer } from './server.ts';
import { openTurns, type Turns, type Wait } from './turns.ts';
import type { CommandOptions, DiskBytes, ReadOptions, Warehouse } from './warehouse.ts';

/** After so long without a write or a question the engine, and the process, give back what only the burst needed. */
const trimAfterMs = 10_000;
/** After so long the engine forgets what is kept for a time only: readers come right after a start, and a rewritten month takes their processor. */
const forgetAfterMs = 60 * 60_000;

/**
 * Opens the warehouse that the configuration names: embedded in `<data directory>/warehouse`, a server
 * (CLICKHOUSE_URL), or a cluster (CLICKHOUSE_CLUSTER too).
 * @throws WarehouseRefused when another process has the directory
 */
export async function openWarehouse(house: {
  config: Pick<Config, 'dataDir' | 'clickhouseUrl' | 'clickhouseCluster'>;
  clock: Clock;
  log: Log;
}): Promise<Warehouse> {
  const { config, clock, log } = house;
  const cluster = config.clickhouseCluster;
  const mode = config.clickhouseUrl === undefined ? 'embedded' : cluster === undefined ? 'server' : 'cluster';
  const engine: Engine =
    config.clickhouseUrl === undefined
      ? // Loaded only here: the library is half a gigabyte, and a desk with a server of its own has no need of it.
        await (await import('./embedded.ts')).openEmbedded(join(config.dataDir, 'warehouse'), log)
      : openServer(config.clickhouseUrl, cluster !== undefined);

  const queueFull = () => new QueryOverCeiling('queue');
  // Background work takes one of the readers' places, so that with the writer no more than three calls run at once.
  const reading = openTurns(limits.readersAtOnce, limits.readersQueueMax, queueFull);
  const inBackground = openTurns(1, limits.readersQueueMax, queueFull);
  const writing = openTurns(1, limits.readersQueueMax, queueFull);
  const free = [...engine.readers];
  let closing: Promise<void> | undefined;

  let callOffTrim: (() => void) | undefined;
  function busy() {
    callOffTrim?.();
    callOffTrim = clock.after(trimAfterMs, () => {
      callOffTrim = undefined;
      if (closing !== undefined) return;
      background('trim', () => engine.trim()).catch(() => {});
      giveBackHeap(clock);
    });
  }

  const callOffForgetting = clock.after(forgetAfterMs, () => {
    background('forgetting', () => engine.startForgetting()).catch((error) =>
      log.error('warehouse.forgetting_failed', {}, error),
    );
  });

  function background<T>(purpose: string, work: () => Promise<T>, wait: Wait = {}): Promise<T> {
    const alone = () =>
      reading.run(async () => {
        const began = clock.monotonic();
        const result = await work();
        const ms = Math.round(clock.monotonic() - began);
        if (ms > 5_000) log.info('warehouse.long_work', { purpose, ms });
        return result;
      });
    return inBackground.run(alone, wait);
  }

  function open() {
    if (closing !== undefined) throw new WarehouseUnavailable('CLOSED');
  }

  async function read<Row>(
    sql: string,
    params: Record<string, unknown> = {},
    options: ReadOptions = {},
  ): Promise<Row[]> {
    open();
    checkParams(sql, params);
    busy();
    const seconds = options.seconds ?? limits.readSeconds;
    const { signal } = options;
    const giveUp = engine.abortable ? new AbortController() : undefined;
    const ask = async (client: ClickHouseClient) => {
      const result = await client.query({
        ...engine.bind(sql, params),
        format: 'JSONEachRow',
        ...(giveUp === undefined ? {} : { abort_signal: giveUp.signal }),
      });
      return await result.json<Row>();
    };
    const ends = {
      ...(signal === undefined ? {} : { signal }),
      deadline: { ms: seconds * 1000, after: clock.after, error: () => new QueryOverCeiling('seconds') },
    };
    try {
      // A reader's own ceiling is final (settings.ts), so what may take longer is asked where there is none, behind everybody.
      if (seconds > limits.readSeconds)
        return await background(options.purpose ?? 'read', () => ask(engine.background), ends);
      return await reading.run(async () => {
        const client = free.pop() as ClickHouseClient;
        try {
          return await ask(client);
        } finally {
          free.push(client);
        }
      }, ends);
    } catch (error) {
      const met = readError(error);
      if (met instanceof QueryOverCeiling)
        log.warn('warehouse.over_ceiling', { ceiling: met.ceiling, purpose: options.purpose ?? 'read' });
      throw met;
    } finally {
      // Whoever asked has an answer or has stopped waiting; in the second case a server can be told to stop.
      giveUp?.abort();
    }
  }

  async function command(
    sql: string,
    params: Record<string, unknown> = {},
    options: CommandOptions = {},
  ): Promise<void> {
    open();
    checkParams(sql, params);
    busy();
    const statement = engine.bind(sql, params);
    try {
      if (options.background)
        await background(options.purpose ?? 'command', () => engine.background.command(statement));
      else await writing.run(() => engine.writer.command(statement));
    } catch (error) {
      throw readError(error);
    }
  }

  async function insert(table: string, ndjson: Buffer, token: string, columns?: readonly string[]): Promise<void> {
    open();
    if (ndjson.length === 0) return;
    busy();
    try {
      await writing.run(() => engine.insert(table, ndjson, token, columns));
    } catch (error) {
      if (error instanceof TypeError) throw error;
      throw insertError(error);
    }
  }

  async function writeFile(sql: string, params: Record<string, unknown>, file: string): Promise<void> {
    open();
    checkParams(sql, params);
    busy();
    // The engine would make it readable for everybody.
    await (await openFile(file, 'w', 0o600)).close();
    try {
      await background('file', () => engine.writeFile(sql, params, file));
    } catch (error) {
      throw readError(error);
    }
  }

  async function parquet(sql: string, params: Record<string, unknown>): Promise<Buffer> {
    open();
    checkParams(sql, params);
    busy();
    try {
      return await background('parquet', async () => {
        const asked = engine.bind(`${sql} SETTINGS ${parquetSettings} FORMAT Parquet`, params);
        const { stream } = await engine.background.exec(asked);
        const pieces: Buffer[] = [];
        for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece);
        const whole = Buffer.concat(pieces);
        // What fails in the middle comes as text behind what was sent with a good status.
        if (whole.toString('latin1', whole.length - 4) !== 'PAR1') throw new WarehouseUnavailable('CUT_OFF');
        return whole;
      });
    } catch (error) {
      throw readError(error);
    }
  }

  async function standStill<T>(work: (command: (sql: string) => Promise<void>) => Promise<T>): Promise<T> {
    open();
    busy();
    const run = (sql: string) =>
      engine.writer.command(engine.bind(sql, {})).then(
        () => undefined,
        (error: unknown) => {
          throw readError(error);
        },
      );
    return inBackground.run(() => writing.run(() => work(run)));
  }

  async function health(): Promise<{ ok: boolean }> {
    try {
      await read('SELECT 1 AS one', {}, { seconds: 5, purpose: 'health' });
      return { ok: true };
    } catch (error) {
      // A queue full of questions is a busy warehouse, not a dead one.
      return { ok: error instanceof QueryOverCeiling && error.ceiling === 'queue' };
    }
  }

  async function diskBytes(): Promise<DiskBytes> {
    const parts = cluster === undefined ? 'system.parts' : `clusterAllReplicas('${cluster}', system.parts)`;
    const rows = await read<{ table: string; bytes: string }>(
      `SELECT table, sum(bytes_on_disk) AS bytes FROM ${parts} WHERE database = currentDatabase() AND active GROUP BY table`,
      {},
      { purpose: 'disk' },
    );
    const tables = Object.fromEntries(rows.map((row) => [row.table, Number(row.bytes)]));
    return { total: Object.values(tables).reduce((sum, bytes) => sum + bytes, 0), tables };
  }

  async function close(): Promise<void> {
    closing ??= (async () => {
      callOffTrim?.();
      callOffForgetting();
      await settled([writing, inBackground, reading]);
      await engine.close();
    })();
    await closing;
  }

  return { mode, cluster, read, command, insert, writeFile, parquet, standStill, health, diskBytes, close };
}

async function settled(turns: Turns[]): Promise<void> {
  for (const one of turns) await one.idle();
}
