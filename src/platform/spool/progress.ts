import { dirname } from 'node:path';
import type { SpoolFiles } from './files.ts';
import { forEachRow } from './rows.ts';

/** Rows `from` (included) to `to` (excluded) of a segment. */
export type Range = readonly [from: number, to: number];

type Line =
  | { sink: string; confirmed: true }
  | { sink: string; split: Range; parts: readonly Range[] }
  | { sink: string; stored: Range }
  | { sink: string; quarantined: readonly number[] };

/**
 * What each sink has done with a segment, in a file beside it, one JSON line a step.
 *
 * That a range was split is written and synced before any of its parts is delivered, with the parts themselves:
 * after a crash the same parts get the same tokens, and the range is never again delivered whole over parts that
 * are stored already. The other lines only save questions, since asking again under the same token is harmless.
 */
export class Progress {
  readonly path: string;
  readonly #files: SpoolFiles;
  /** Where the next line goes. By position and not by appending, so that a failed write is overwritten. */
  #length = 0;
  #exists = false;
  readonly #confirmed = new Set<string>();
  readonly #parts = new Map<string, readonly Range[]>();
  readonly #stored = new Set<string>();
  readonly #quarantined = new Set<string>();

  constructor(path: string, files: SpoolFiles) {
    this.path = path;
    this.#files = files;
  }

  /** Reads what an earlier process wrote. A torn last line is a step that did not happen. */
  async load(): Promise<void> {
    const bytes = await this.#files.readFile(this.path);
    this.#exists = true;
    this.#length = bytes.lastIndexOf(10) + 1;
    forEachRow(bytes.subarray(0, this.#length), (start, end) => {
      const line = readLine(bytes.subarray(start, end));
      if (line !== undefined) this.#take(line);
    });
  }

  exists(): boolean {
    return this.#exists;
  }

  confirmed(sink: string): boolean {
    return this.#confirmed.has(sink);
  }
  partsOf(sink: string, range: Range): readonly Range[] | undefined {
    return this.#parts.get(key(sink, range));
  }
  stored(sink: string, range: Range): boolean {
    return this.#stored.has(key(sink, range));
  }
  storedAny(sink: string): boolean {
    return [...this.#stored].some((stored) => stored.startsWith(`${sink} `));
  }
  quarantined(sink: string, row: number): boolean {
    return this.#quarantined.has(`${sink} ${row}`);
  }

  confirm(sink: string): Promise<void> {
    return this.#add({ sink, confirmed: true });
  }
  split(sink: string, range: Range, parts: readonly Range[]): Promise<void> {
    return this.#add({ sink, split: range, parts });
  }
  store(sink: string, range: Range): Promise<void> {
    return this.#add({ sink, stored: range });
  }
  quarantine(sink: string, rows: readonly number[]): Promise<void> {
    return this.#add({ sink, quarantined: rows });
  }

  async #add(line: Line): Promise<void> {
    const files = this.#files;
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    const descriptor = await files.open(this.path, this.#exists ? 'r+' : 'w', 0o600);
    try {
      for (let written = 0; written < bytes.length; )
        written += await files.write(descriptor, bytes, written, bytes.length - written, this.#length + written);
      await files.fdatasync(descriptor);
    } finally {
      await files.close(descriptor);
    }
    if (!this.#exists) await files.syncDirectory(dirname(this.path));
    this.#exists = true;
    this.#length += bytes.length;
    this.#take(line);
  }

  #take(line: Line): void {
    if ('confirmed' in line) this.#confirmed.add(line.sink);
    else if ('split' in line) this.#parts.set(key(line.sink, line.split), line.parts);
    else if ('stored' in line) this.#stored.add(key(line.sink, line.stored));
    else for (const row of line.quarantined) this.#quarantined.add(`${line.sink} ${row}`);
  }
}

function key(sink: string, [from, to]: Range): string {
  return `${sink} ${from}-${to}`;
}

/** Our own file: a line either is what `#add` wrote, or the rest of one whose write failed. */
function readLine(bytes: Buffer): Line | undefined {
  try {
    const line = JSON.parse(bytes.toString('utf8')) as Line;
    return typeof line === 'object' && line !== null && typeof line.sink === 'string' ? line : undefined;
  } catch {
    return undefined;
  }
}
