import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type Engine, identifier, tokenText } from './engine.ts';
import { WarehouseUnavailable } from './errors.ts';
import { warehouseLimits as limits } from './limits.ts';
import { backgroundSettings, readerSettings, type Settings, writerSettings } from './settings.ts';

/** Settings that only the process's own engine may be told: a server has an operator of its own. */
const embeddedOnly = ['os_threads_nice_value_query', 'max_threads'];

/**
 * A ClickHouse server, or one node of a cluster, over HTTP. There a request carries its settings and takes them along,
 * so nothing stays behind, and each client below is the counterpart of one embedded connection.
 *
 * @param url With user and password in it if the server wants them, and the database as its path.
 */
export function openServer(url: string, cluster: boolean): Engine {
  const place = new URL(url);
  const database = decodeURIComponent(place.pathname.slice(1)) || 'default';
  place.pathname = '';
  const connect = (settings: Settings, requestMs: number, connections: number) =>
    createClient({
      url: place.origin,
      ...(place.username === '' ? {} : { username: decodeURIComponent(place.username) }),
      ...(place.password === '' ? {} : { password: decodeURIComponent(place.password) }),
      database,
      application: 'fairlead',
      // The client's log quotes statements; what is worth saying is said by whoever asked.
      log: { level: ClickHouseLogLevel.OFF },
      request_timeout: requestMs,
      max_open_connections: connections,
      compression: { request: false, response: true },
      // Parameters go into the address, and into a form where they are too long for one.
      use_multipart_params_auto: true,
      clickhouse_settings: serverSettings(settings, cluster),
    });

  const reader = connect(
    { ...readerSettings, cancel_http_readonly_queries_on_client_close: 1, readonly: 1 },
    (limits.readSeconds + 5) * 1000,
    limits.readersAtOnce,
  );
  const writer = connect(writerSettings, limits.insertMs, 2);
  const background = connect(backgroundSettings, limits.commandMs, 1);
  return {
    readers: Array.from({ length: limits.readersAtOnce }, () => reader),
    writer,
    background,
    abortable: true,
    bind: (sql, params) => ({ query: sql, query_params: params }),
    async insert(table, ndjson, token, columns) {
      const into = columns === undefined ? '' : ` (${columns.map(identifier).join(', ')})`;
      const format = columns === undefined ? 'JSONEachRow' : 'JSONCompactEachRow';
      const result = await writer.exec({
        query: `INSERT INTO ${identifier(table)}${into} SETTINGS insert_deduplication_token = '${tokenText(token)}' FORMAT ${format}`,
        values: Readable.from([ndjson], { objectMode: false }),
      });
      for await (const _ of result.stream) {
        // The answer is empty; it has to be read for the connection to be used again.
      }
    },
    async writeFile(sql, params, file) {
      const result = await background.exec({ query: `${sql} FORMAT JSONEachRow`, query_params: params });
      let end = '';
      async function* watched(pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          end = (end + piece.toString('latin1', Math.max(0, piece.length - 4))).slice(-4);
          yield piece;
        }
      }
      await pipeline(result.stream, watched, createWriteStream(file, { flags: 'r+' }));
      // What fails in the middle comes as text behind rows that were sent with a good status.
      if (end !== '' && !end.endsWith('}\n')) throw new WarehouseUnavailable('CUT_OFF');
    },
    // A server goes on for months and forgets by itself.
    async startForgetting() {},
    async trim() {},
    async close() {
      for (const client of [reader, writer, background]) await client.close();
    },
  };
}

function serverSettings(settings: Settings, cluster: boolean): Record<string, string | number> {
  const kept = Object.fromEntries(Object.entries(settings).filter(([name]) => !embeddedOnly.includes(name)));
  // Through a Distributed table an insert has happened only when every shard has it.
  return cluster ? { ...kept, distributed_foreground_insert: 1, insert_quorum: 'auto' } : kept;
}
