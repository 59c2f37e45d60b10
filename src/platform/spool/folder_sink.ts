import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RowRefused } from './refusals.ts';
import { forEachRow } from './rows.ts';
import type { Sink } from './spool.ts';

export interface FolderSink extends Sink {
  /** Every token that was asked for, in order, again and again ones included. */
  asked: string[];
  /** Rows that the store has, in the order of their arrival. */
  rows(): string[];
  /** While set, the store is away: deliveries fail with this code. */
  away: string | undefined;
  /** Which rows the store refuses. */
  refuses: (row: string) => boolean;
}

/**
 * A store in a folder, a file for each token, that keeps the promise of a sink: the same token twice changes
 * nothing, and a delivery is stored whole (renamed into place) or not at all. It outlives its process like a
 * database does. For tests of the spool and for the proof kit.
 */
export function folderSink(folder: string, { name = 'folder', lane = 'events' } = {}): FolderSink {
  mkdirSync(folder, { recursive: true });
  const sink: FolderSink = {
    name,
    lane,
    asked: [],
    away: undefined,
    refuses: () => false,
    async deliver(_segment, bytes, token) {
      sink.asked.push(token);
      if (sink.away !== undefined) throw Object.assign(new Error('The store is away.'), { code: sink.away });
      forEachRow(bytes, (start, end) => {
        if (sink.refuses(bytes.toString('utf8', start, end))) throw new RowRefused('BAD_ROW', 'pathname');
      });
      const held = readdirSync(folder);
      if (held.some((file) => file.endsWith(` ${token}.part`))) return;
      const path = join(folder, `${String(held.length).padStart(8, '0')} ${token}`);
      writeFileSync(`${path}.new`, bytes);
      renameSync(`${path}.new`, `${path}.part`);
    },
    rows() {
      const rows: string[] = [];
      if (!existsSync(folder)) return rows;
      for (const file of readdirSync(folder).sort()) {
        if (!file.endsWith('.part')) continue;
        const bytes = readFileSync(join(folder, file));
        forEachRow(bytes, (start, end) => rows.push(bytes.toString('utf8', start, end)));
      }
      return rows;
    },
  };
  return sink;
}
