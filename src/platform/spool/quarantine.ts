import { dirname, join, relative } from 'node:path';
import { crashPoint } from '../crash_point.ts';
import { type OnRemoved, type RemovedFile, tellOfRemoved } from '../removed.ts';
import { codeOf, type Surroundings } from './lane.ts';
import type { RowRefused } from './refusals.ts';
import { forEachRow } from './rows.ts';

export interface RefusedRow {
  /** Its place in the segment, from 0. */
  row: number;
  bytes: Buffer;
  refusal: RowRefused;
}

interface QuarantineFile {
  lane: string;
  path: string;
  rows: number;
  bytes: number;
  /** Wall time of its first row. */
  since: number;
}

const sweepMs = 60 * 60 * 1000;
const dayMs = 24 * sweepMs;

/**
 * Rows that a store refused for good, `quarantine/<lane>/<segment>.ndjson`: for each a line that says why
 * (`{"row", "sink", "code", "column", "time"}`), then the row, byte for byte. They are D2/D3 like the events they
 * were, so they are removed after `quarantineDays`; beyond `quarantineBytesMax` the oldest file goes first.
 */
export class Quarantine {
  readonly #directory: string;
  readonly #around: Surroundings;
  readonly #files = new Map<string, QuarantineFile>();
  #calledOff: (() => void) | undefined;
  /** The end of what is being written: a file is read, changed and written by one at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  /** For `/metrics`; they only grow. */
  readonly counts = { added: new Map<string, number>(), droppedForSpace: 0 };

  readonly #tell: OnRemoved;

  /** @param onRemoved told of the files that were old enough to go, until it took them */
  constructor(directory: string, around: Surroundings, onRemoved?: OnRemoved) {
    this.#directory = directory;
    this.#around = around;
    this.#tell = tellOfRemoved(onRemoved);
  }

  async open(lanes: readonly string[]): Promise<void> {
    const { files } = this.#around;
    for (const lane of lanes) {
      const directory = join(this.#directory, lane);
      await files.mkdir(directory, 0o700);
      for (const name of await files.readdir(directory)) {
        if (!name.endsWith('.ndjson')) continue;
        const path = join(directory, name);
        const { pairs, length } = readPairs(await files.readFile(path));
        const { mtimeMs } = await files.stat(path);
        this.#keep({ lane, path, rows: pairs.size, bytes: length, since: firstTime(pairs) ?? mtimeMs });
      }
    }
    await this.#sweep();
  }

  close(): void {
    this.#calledOff?.();
  }

  rows(): Record<string, number> {
    const rows: Record<string, number> = {};
    for (const file of this.#files.values()) rows[file.lane] = (rows[file.lane] ?? 0) + file.rows;
    return rows;
  }

  /**
   * Keeps refused rows; once, however often it is asked (the segment's name and the row's place are the key).
   * @returns those that were not there yet
   * @throws what the disk throws; nothing is lost then, since the segment is still there.
   */
  add(segment: { lane: string; name: string }, sink: string, refused: readonly RefusedRow[]): Promise<RefusedRow[]> {
    return this.#inTurn(() => this.#add(segment, sink, refused));
  }

  async #add(
    segment: { lane: string; name: string },
    sink: string,
    refused: readonly RefusedRow[],
  ): Promise<RefusedRow[]> {
    const { files, clock, log } = this.#around;
    const directory = join(this.#directory, segment.lane);
    const path = join(directory, `${segment.name}.ndjson`);
    const known = this.#files.get(path);
    const before = known === undefined ? { pairs: new Map(), length: 0 } : readPairs(await files.readFile(path));
    const added = refused.filter(({ row }) => !before.pairs.has(`${sink} ${row}`));
    if (added.length === 0) return added;
    const time = new Date(clock.now()).toISOString();
    const bytes = Buffer.concat(
      added.flatMap(({ row, bytes, refusal: { code, column } }) => [
        Buffer.from(`${JSON.stringify({ row, sink, code, column, time })}\n`),
        bytes,
        Buffer.from('\n'),
      ]),
    );
    await this.#makeRoom(bytes.length, path);
    const descriptor = await files.open(path, known === undefined ? 'w' : 'r+', 0o600);
    try {
      for (let written = 0; written < bytes.length; )
        written += await files.write(descriptor, bytes, written, bytes.length - written, before.length + written);
      crashPoint('quarantine.write');
      await files.fdatasync(descriptor);
    } finally {
      await files.close(descriptor);
    }
    if (known === undefined) await files.syncDirectory(directory);
    this.#keep({
      lane: segment.lane,
      path,
      rows: before.pairs.size + added.length,
      bytes: before.length + bytes.length,
      since: known?.since ?? clock.now(),
    });
    this.counts.added.set(segment.lane, (this.counts.added.get(segment.lane) ?? 0) + added.length);
    const [first] = added;
    log.error('spool_rows_quarantined', {
      lane: segment.lane,
      sink,
      rows: added.length,
      code: first?.refusal.code,
      column: first?.refusal.column,
    });
    return added;
  }

  /** How many rows match; each is given as its lane had it. */
  count(matches: (row: Buffer) => boolean): Promise<number> {
    return this.#inTurn(async () => {
      let found = 0;
      for (const file of this.#files.values())
        for (const { row } of pairsOf(await this.#around.files.readFile(file.path))) if (matches(row)) found++;
      return found;
    });
  }

  /** Takes the rows that match off the disk. @returns how many; @throws what the disk throws */
  forget(matches: (row: Buffer) => boolean): Promise<number> {
    return this.#inTurn(async () => {
      let gone = 0;
      for (const file of [...this.#files.values()]) gone += await this.#forgetIn(file, matches);
      return gone;
    });
  }

  async #forgetIn(file: QuarantineFile, matches: (row: Buffer) => boolean): Promise<number> {
    const { files } = this.#around;
    const all = pairsOf(await files.readFile(file.path));
    const kept = all.filter(({ row }) => !matches(row));
    if (kept.length === all.length) return 0;
    if (kept.length === 0) {
      if (!(await this.#remove(file))) throw new Error('A file of the quarantine could not be removed.');
      return all.length;
    }
    const bytes = Buffer.concat(kept.map(({ both }) => both));
    const written = `${file.path}.new`;
    const descriptor = await files.open(written, 'w', 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += await files.write(descriptor, bytes, at, bytes.length - at, at);
      await files.fdatasync(descriptor);
    } finally {
      await files.close(descriptor);
    }
    await files.rename(written, file.path);
    await files.syncDirectory(dirname(file.path));
    this.#keep({ ...file, rows: kept.length, bytes: bytes.length });
    return all.length - kept.length;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  #keep(file: QuarantineFile): void {
    const { usage } = this.#around;
    usage.bytes += file.bytes - (this.#files.get(file.path)?.bytes ?? 0);
    this.#files.set(file.path, file);
  }

  /** Looked at every hour, so an hour early: no row stays longer than promised. */
  async #sweep(): Promise<void> {
    const { clock, limits, log } = this.#around;
    const endOf = (file: QuarantineFile) => file.since + limits.quarantineDays * dayMs - sweepMs;
    const gone: RemovedFile[] = [];
    for (const file of [...this.#files.values()])
      if (endOf(file) <= clock.now() && (await this.#remove(file)))
        gone.push({ name: relative(this.#directory, file.path), sinceMs: file.since });
    // Not waited for: the desk opens the spool before it can note anything.
    void this.#tell(gone).catch((error) => log.warn('spool_quarantine_not_noted', { code: codeOf(error) }));
    this.#calledOff = clock.after(sweepMs, () => void this.#sweep());
  }

  async #makeRoom(bytes: number, keepPath: string): Promise<void> {
    const { limits, log } = this.#around;
    const oldestFirst = [...this.#files.values()].sort((a, b) => a.since - b.since);
    let total = bytes + oldestFirst.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of oldestFirst) {
      if (total <= limits.quarantineBytesMax) return;
      if (file.path === keepPath || !(await this.#remove(file))) continue;
      total -= file.bytes;
      this.counts.droppedForSpace += file.rows;
      log.error('spool_quarantine_full', { lane: file.lane, droppedRows: file.rows });
    }
  }

  async #remove(file: QuarantineFile): Promise<boolean> {
    const { files, usage, log } = this.#around;
    try {
      await files.unlink(file.path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        log.warn('spool_quarantine_remove_failed', { lane: file.lane, code: codeOf(error) });
        return false;
      }
    }
    usage.bytes -= file.bytes;
    this.#files.delete(file.path);
    return true;
  }
}

/** Reason and row alternate; `length` ends behind the last whole pair, so that a torn one is written over. */
function readPairs(bytes: Buffer): { pairs: Map<string, { time?: string }>; length: number } {
  const pairs = new Map<string, { time?: string }>();
  let length = 0;
  let reason: { row: number; sink: string; time?: string } | undefined;
  forEachRow(bytes.subarray(0, bytes.lastIndexOf(10) + 1), (start, end) => {
    if (reason === undefined) {
      try {
        reason = JSON.parse(bytes.toString('utf8', start, end));
      } catch {}
      return;
    }
    pairs.set(`${reason.sink} ${reason.row}`, reason);
    reason = undefined;
    length = end + 1;
  });
  return { pairs, length };
}

/** The rows of a file, each with its reason before it; a torn pair at the end is none. */
function pairsOf(bytes: Buffer): { row: Buffer; both: Buffer }[] {
  const pairs: { row: Buffer; both: Buffer }[] = [];
  let reasonAt: number | undefined;
  forEachRow(bytes.subarray(0, bytes.lastIndexOf(10) + 1), (start, end) => {
    if (reasonAt === undefined) {
      reasonAt = start;
      return;
    }
    pairs.push({ row: bytes.subarray(start, end), both: bytes.subarray(reasonAt, end + 1) });
    reasonAt = undefined;
  });
  return pairs;
}

function firstTime(pairs: Map<string, { time?: string }>): number | undefined {
  const [first] = pairs.values();
  const time = Date.parse(first?.time ?? '');
  return Number.isNaN(time) ? undefined : time;
}
