import { crashPoint } from '../crash_point.ts';
import type { SpoolFiles } from './files.ts';
import { type ClosedSegment, codeOf, type Surroundings } from './lane.ts';
import type { Range } from './progress.ts';
import type { Quarantine, RefusedRow } from './quarantine.ts';
import { RowRefused } from './refusals.ts';
import { rowStarts } from './rows.ts';
import type { Sink } from './spool.ts';

/**
 * Takes the closed segments of a lane to one sink, oldest first, one at a time.
 *
 * What a sink throws decides: anything but RowRefused means "not now", and the same bytes come again under the
 * same token after a growing pause. RowRefused means that a row is bad, and the segment is split: first a few
 * single rows evenly spread (the probe) and what lies between them, then halves, until each bad row is alone.
 *
 * A refusal can also mean that the store does not fit us at all (a column is missing), and then quarantine would
 * swallow everything. So a refused row goes to quarantine only on evidence that this store takes such rows:
 *  - another row of its segment was accepted, or
 *  - a later segment was accepted while this one was held back, or
 *  - rows were accepted since the start, and fewer than `refusedRowsMax` were refused since the last accepted one.
 * Without evidence the segment is held as in an outage, and asked again every `sinkRetryMsMax`; meanwhile the
 * newest segment is tried as it comes, and the first row accepted anywhere ends the hold. So neither a wrong
 * schema empties the spool into quarantine, nor does a segment of bad rows stand in the way of good ones.
 */
export class Courier {
  readonly sink: Sink;
  readonly #queue: { closed: ClosedSegment[] };
  readonly #around: Surroundings;
  readonly #quarantine: Quarantine;
  readonly #onConfirmed: (segment: ClosedSegment) => Promise<void>;
  readonly #onTrouble: () => void;

  #stopped = false;
  #wake: () => void = () => {};
  #failures = 0;
  #acceptedRows = false;
  #refusedInARow = 0;
  readonly #heldUntil = new Map<string, number>();
  /** Refused rows of a segment that is being split, over the pauses of a store that comes and goes. */
  readonly #refused = new Map<string, Map<number, RefusedRow>>();
  #provenAt = Number.NEGATIVE_INFINITY;

  /** For `/metrics`; they only grow. */
  readonly counts = { segments: 0, retries: 0, refusals: 0 };

  constructor(settings: {
    sink: Sink;
    queue: { closed: ClosedSegment[] };
    around: Surroundings;
    quarantine: Quarantine;
    onConfirmed: (segment: ClosedSegment) => Promise<void>;
    onTrouble: () => void;
  }) {
    this.sink = settings.sink;
    this.#queue = settings.queue;
    this.#around = settings.around;
    this.#quarantine = settings.quarantine;
    this.#onConfirmed = settings.onConfirmed;
    this.#onTrouble = settings.onTrouble;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const segment = this.#next();
      if (segment === undefined) {
        await this.#rest(this.#heldUntil.size > 0 ? this.#around.limits.sinkRetryMsMax : undefined, 'wakes');
        continue;
      }
      try {
        const outcome = await this.#deliver(segment);
        this.#failures = 0;
        if (outcome === 'held') this.#hold(segment);
        else await this.#confirm(segment);
      } catch (error) {
        await this.#pause(error);
      }
    }
  }

  /** There is a new segment. */
  wake(): void {
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  trouble(): 'sink_unavailable' | 'refused_as_one' | undefined {
    if (this.#failures > 0) return 'sink_unavailable';
    return this.#heldUntil.size > 0 ? 'refused_as_one' : undefined;
  }

  /** The oldest segment; while that is held, the newest, as a question whether the store takes rows at all. */
  #next(): ClosedSegment | undefined {
    const { closed } = this.#queue;
    const now = this.#around.clock.monotonic();
    const isWaiting = ({ confirmedBy }: ClosedSegment) => !confirmedBy.has(this.sink.name);
    const isHeld = ({ name }: ClosedSegment) => (this.#heldUntil.get(name) ?? now) > now;
    const oldest = closed.find(isWaiting);
    if (oldest === undefined || !isHeld(oldest)) return oldest;
    const newest = closed.findLast(isWaiting) as ClosedSegment;
    return isHeld(newest) ? undefined : newest;
  }

  async #deliver(segment: ClosedSegment): Promise<'stored' | 'held'> {
    const { sink } = this;
    const { progress } = segment;
    if (progress.confirmed(sink.name)) return 'stored';
    const bytes = await this.#read(segment);
    if (bytes === undefined) return 'stored';
    // Rows are counted only when they must be told apart; the ordinary segment passes through unread.
    let starts: number[] | undefined;
    const refused = this.#refused.get(segment.name) ?? new Map<number, RefusedRow>();
    this.#refused.set(segment.name, refused);
    const sliceOf = ([from, to]: Range) => {
      starts ??= rowStarts(bytes);
      return bytes.subarray(starts[from], starts[to]);
    };

    const offer = async (rows: Buffer, token: string): Promise<RowRefused | undefined> => {
      try {
        await sink.deliver(segment, rows, token);
      } catch (error) {
        if (!(error instanceof RowRefused)) throw error;
        this.counts.refusals++;
        return error;
      }
      this.#accepted();
      return undefined;
    };

    const deliverPart = async (range: Range): Promise<void> => {
      const [from, to] = range;
      const isRow = to - from === 1;
      if (progress.stored(sink.name, range)) return;
      if (isRow && (refused.has(from) || progress.quarantined(sink.name, from))) return;
      let parts = progress.partsOf(sink.name, range);
      if (parts === undefined) {
        const refusal = await offer(sliceOf(range), `${segment.name}:${from}-${to}`);
        if (refusal === undefined) {
          crashPoint('spool.part');
          return progress.store(sink.name, range);
        }
        if (isRow) {
          this.#refusedInARow++;
          refused.set(from, { row: from, bytes: withoutLineBreak(sliceOf(range)), refusal });
          return;
        }
        parts = halvesOf(range);
        await progress.split(sink.name, range, parts);
      }
      for (const part of parts) await deliverPart(part);
    };

    const whole = wholeRange;
    let parts = progress.partsOf(sink.name, whole);
    if (parts === undefined) {
      const refusal = await offer(bytes, segment.name);
      if (refusal === undefined) return 'stored';
      starts = rowStarts(bytes);
      parts = probesOf(starts.length - 1, this.#around.limits.probeRows);
      await progress.split(sink.name, whole, parts);
      crashPoint('spool.split');
    }
    const mayQuarantine = () =>
      progress.storedAny(sink.name) ||
      segment.closedAt < this.#provenAt ||
      (this.#acceptedRows && this.#refusedInARow < this.#around.limits.refusedRowsMax);
    for (const part of parts.filter(isSingle)) await deliverPart(part);
    if (refused.size > 0 && !mayQuarantine()) return 'held';
    for (const part of parts.filter((part) => !isSingle(part))) await deliverPart(part);
    if (refused.size === 0) return 'stored';
    for (const { bytes } of await this.#quarantine.add(segment, sink.name, [...refused.values()]))
      sink.quarantined?.(bytes);
    crashPoint('spool.quarantine');
    await progress.quarantine(sink.name, [...refused.keys()]);
    return 'stored';
  }

  /** Whatever was held back and closed before this moment may now be judged row by row. */
  #accepted(): void {
    this.#acceptedRows = true;
    this.#refusedInARow = 0;
    if (this.#heldUntil.size === 0) return;
    this.#provenAt = this.#around.clock.monotonic();
    this.#heldUntil.clear();
  }

  /** Gives undefined when somebody removed the file: holding the lane for it would lose the others too. */
  async #read(segment: ClosedSegment): Promise<Buffer | undefined> {
    const { files, log } = this.#around;
    if (segment.uncut) await this.#cut(segment);
    let bytes = await readIfThere(files, segment.path);
    if (bytes === undefined) {
      // A renaming may have been done although it was reported as failed.
      segment.path = segment.path.replace(/open$|closed$/, (state) => (state === 'open' ? 'closed' : 'open'));
      bytes = await readIfThere(files, segment.path);
    }
    if (bytes === undefined) {
      log.error('spool_segment_missing', { lane: segment.lane, bytes: segment.bytes });
      return undefined;
    }
    if (bytes.length < segment.bytes)
      log.error('spool_segment_shortened', { lane: segment.lane, bytes: bytes.length, expected: segment.bytes });
    return bytes.subarray(0, segment.bytes);
  }

  /** The disk may be well again; then a crash from here on finds only what was acknowledged. */
  async #cut(segment: ClosedSegment): Promise<void> {
    const { files, log } = this.#around;
    try {
      const descriptor = await files.open(segment.path, 'r+', 0o600);
      try {
        await files.ftruncate(descriptor, segment.bytes);
      } finally {
        await files.close(descriptor);
      }
      segment.uncut = false;
    } catch (error) {
      log.warn('spool_cut_failed', { lane: segment.lane, code: codeOf(error) });
    }
  }

  async #confirm(segment: ClosedSegment): Promise<void> {
    crashPoint('spool.confirm');
    this.counts.segments++;
    this.#heldUntil.delete(segment.name);
    this.#refused.delete(segment.name);
    segment.confirmedBy.add(this.sink.name);
    await this.#onConfirmed(segment);
  }

  #hold(segment: ClosedSegment): void {
    const { clock, limits, log } = this.#around;
    if (this.#heldUntil.size === 0)
      log.error('spool_refused_as_one', { lane: segment.lane, sink: this.sink.name, bytes: segment.bytes });
    // Asked again from the beginning: by then the store may have been mended.
    this.#refused.delete(segment.name);
    this.#heldUntil.set(segment.name, clock.monotonic() + limits.sinkRetryMsMax);
    this.#onTrouble();
  }

  /** A pause that grows, with up to half of it left to chance so that collectors do not return in step. */
  async #pause(error: unknown): Promise<void> {
    const { limits, log, random } = this.#around;
    this.#failures++;
    this.counts.retries++;
    const longest = Math.min(limits.sinkRetryMsFirst * 2 ** Math.min(this.#failures - 1, 20), limits.sinkRetryMsMax);
    if (this.#failures === 1 || this.#failures % 30 === 0)
      log.warn('spool_sink_unavailable', { lane: this.sink.lane, sink: this.sink.name, code: codeOf(error) });
    this.#onTrouble();
    await this.#rest(longest * (1 - (random.bytes(1)[0] ?? 0) / 512), 'sleeps');
  }

  async #rest(ms: number | undefined, how: 'wakes' | 'sleeps'): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const callOff = ms === undefined ? () => {} : this.#around.clock.after(ms, resolve);
      this.#wake = () => {
        if (how === 'sleeps' && !this.#stopped) return;
        callOff();
        resolve();
      };
    });
    this.#wake = () => {};
  }
}

/** Stands for "the segment as it is", whose rows nobody has counted; no part is empty, so no part looks like it. */
const wholeRange: Range = [0, 0];

function isSingle([from, to]: Range): boolean {
  return to - from === 1;
}

function halvesOf([from, to]: Range): Range[] {
  const middle = (from + to) >>> 1;
  return [
    [from, middle],
    [middle, to],
  ];
}

/** Cuts `probes` single rows, first and last among them, out of `rows`; what lies between stays in one piece. */
export function probesOf(rows: number, probes: number): Range[] {
  const singles = new Set<number>();
  for (let i = 0; i < probes; i++) singles.add(Math.round((i * (rows - 1)) / Math.max(1, probes - 1)));
  const parts: Range[] = [];
  let next = 0;
  for (const row of singles) {
    if (row > next) parts.push([next, row]);
    parts.push([row, row + 1]);
    next = row + 1;
  }
  return parts;
}

async function readIfThere(files: SpoolFiles, path: string): Promise<Buffer | undefined> {
  try {
    return await files.readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function withoutLineBreak(row: Buffer): Buffer {
  return row.at(-1) === 10 ? row.subarray(0, -1) : row;
}
