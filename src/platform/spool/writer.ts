import { join } from 'node:path';
import { crashPoint } from '../crash_point.ts';
import { type ClosedSegment, codeOf, type Surroundings, segmentName } from './lane.ts';
import { Progress } from './progress.ts';
import { SpoolUnavailable } from './refusals.ts';

export type Done = (refusal?: SpoolUnavailable) => void;

/** Rows that share one write and one fdatasync. */
interface Group {
  bytes: Buffer;
  used: number;
  dones: Done[];
  /** Monotonic time of the first append; 0 while it is empty. */
  bornAt: number;
}

interface OpenSegment {
  name: string;
  path: string;
  descriptor: number;
  /** What is on disk for certain, and all that was ever acknowledged. */
  synced: number;
  /** Length of the file: rows up to `synced`, zeros behind them. */
  room: number;
  bornAt: number;
}

const diskIsFull = new Set(['ENOSPC', 'EDQUOT']);

/** A segment starts with at least this much room … */
const roomBytesMin = 64 * 1024;
/** … written in pieces of this size, so that a sync of the running segment never waits behind more. */
const zeros = Buffer.alloc(256 * 1024);

/**
 * The writing half of a lane: group commit into append-only segments.
 *
 * One write and one fdatasync are under way at a time; whatever arrives meanwhile is the next group. So a slow
 * disk makes larger groups, not a longer queue, and nobody is told "kept" before the sync that covers his bytes.
 * A quick disk makes no more groups than one every `groupMs`, unless many wait; the first after a pause begins at once.
 *
 * When a write or a sync fails, nobody of that group is told "kept", and the segment is abandoned at the end of
 * its last good sync. A failed fdatasync is not tried again: the kernel reports the error once and then calls the
 * lost pages clean, so a second try would succeed over missing bytes (PostgreSQL's "fsyncgate", 2018). The bytes
 * behind the last good sync are cut off, because their senders were refused and will send them again. The next
 * append gets a new segment; if that fails too, the disk is left alone for a moment and appends are refused.
 *
 * A segment begins as zeros that are on disk before it is used, about as many as its predecessor had rows: a sync of
 * rows that overwrite blocks needs no commit of the file system's journal (0.2 ms instead of 1.4 ms at the median,
 * 1 ms instead of 10 ms at the 99th percentile, `docs/decisions/2026-11-27-spool.md`). What is left of them is cut off
 * when the segment closes. Rows hold no zero byte, so after a crash the rows end where the zeros begin.
 */
export class LaneWriter {
  readonly #lane: string;
  readonly #directory: string;
  readonly #around: Surroundings;
  readonly #onClosed: (segment: ClosedSegment) => void;
  readonly #backlog: () => number;
  #sequence: number;

  #filling: Group;
  #ready: Group[] = [];
  #underWay: Group | undefined;
  #free: Group[] = [];
  #waitingBytes = 0;
  #running = false;
  #scheduled = false;

  #current: OpenSegment | undefined;
  /** Bytes of zeros that the next segment starts with. */
  #roomAhead = roomBytesMin;
  #rolledAt = Number.NEGATIVE_INFINITY;
  #spare: Promise<OpenSegment | undefined> | undefined;
  /** Segments that are being closed, one after the other, so that the loader sees them in their order. */
  #ending: OpenSegment[] = [];
  #closing: Promise<void> = Promise.resolve();
  #due = false;
  #wake = () => {};
  #calledOff: (() => void) | undefined;
  #afterGroup: (() => void)[] = [];

  #failures = 0;
  #refusal: SpoolUnavailable | undefined;
  #refusedUntil = 0;
  #closed = false;

  /** For `/metrics`; they only grow. */
  readonly counts = { appends: 0, groups: 0, refused: 0, failures: 0 };

  constructor(settings: {
    lane: string;
    directory: string;
    around: Surroundings;
    sequence: number;
    onClosed: (segment: ClosedSegment) => void;
    backlog: () => number;
  }) {
    this.#lane = settings.lane;
    this.#directory = settings.directory;
    this.#around = settings.around;
    this.#sequence = settings.sequence;
    this.#onClosed = settings.onClosed;
    this.#backlog = settings.backlog;
    this.#filling = this.#newGroup();
  }

  append(rows: string | Buffer, done: Done): void {
    const refusal = this.#refuses();
    if (refusal !== undefined) {
      this.counts.refused++;
      done(refusal);
      return;
    }
    const group = this.#groupFor(rows);
    if (group.used === 0) group.bornAt = this.#around.clock.monotonic();
    const length = typeof rows === 'string' ? group.bytes.write(rows, group.used) : rows.copy(group.bytes, group.used);
    group.used += length;
    group.bytes[group.used++] = 10;
    group.dones.push(done);
    this.#waitingBytes += length + 1;
    this.counts.appends++;
    if (group.dones.length === this.#around.limits.groupAppends) this.#wake();
    if (this.#running || this.#scheduled) return;
    // Not at once: every request that the event loop reads in this turn then shares the first sync.
    this.#scheduled = true;
    setImmediate(this.#start);
  }

  /** Settles when everything appended before the call lies in closed segments (or was refused). */
  async closeSegment(): Promise<void> {
    this.#wake();
    const last = this.#filling.used > 0 ? this.#filling : (this.#ready.at(-1) ?? this.#underWay);
    if (last !== undefined) await new Promise<void>((resolve) => last.dones.push(() => resolve()));
    if (this.#running) {
      const between = new Promise<void>((resolve) => this.#afterGroup.push(resolve));
      this.#closeSoon();
      await between;
    } else this.#roll();
    await this.#closing;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.closeSegment();
    const spare = await this.#spare;
    if (spare !== undefined) await this.#discard(spare);
  }

  /** Monotonic time of the oldest row that no closed segment holds yet. */
  oldestAt(): number | undefined {
    const group = this.#underWay ?? this.#ready[0] ?? (this.#filling.used > 0 ? this.#filling : undefined);
    return (this.#ending[0] ?? this.#current ?? group)?.bornAt;
  }

  /** Segments with rows that the loader has not been given yet. */
  segments(): number {
    return this.#ending.length + (this.#current !== undefined || this.#waitingBytes > 0 ? 1 : 0);
  }

  /** Why appends are refused at this moment. */
  trouble(): SpoolUnavailable['reason'] | undefined {
    return this.#refuses()?.reason;
  }

  #refuses(): SpoolUnavailable | undefined {
    const { clock, limits, usage } = this.#around;
    if (this.#closed) return new SpoolUnavailable('closed', 5);
    if (this.#refusal !== undefined && clock.monotonic() < this.#refusedUntil) return this.#refusal;
    if (usage.bytes + this.#waitingBytes >= limits.spoolBytesMax) return spoolFull;
    if (this.#waitingBytes >= limits.waitingBytesMax) return spoolBusy;
    return undefined;
  }

  /** The group that has room for the rows; a full one joins the queue for the disk. */
  #groupFor(rows: string | Buffer): Group {
    const { appendBytesMax } = this.#around.limits;
    const group = this.#filling;
    // A UTF-16 unit is at most 3 bytes of UTF-8, so the exact length is needed only near the end of a group.
    if (typeof rows === 'string' && group.used + rows.length * 3 < group.bytes.length) return group;
    const length = typeof rows === 'string' ? Buffer.byteLength(rows) : rows.length;
    if (length > appendBytesMax)
      throw new RangeError(
        `An append of ${length} bytes is above the limit of ${appendBytesMax}: append its rows in several calls.`,
      );
    if (group.used + length < group.bytes.length) return group;
    this.#ready.push(group);
    this.#filling = this.#free.pop() ?? this.#newGroup();
    return this.#filling;
  }

  #newGroup(): Group {
    // Memory that the thread of the disk has too (disk_thread.ts), touched by the kernel only as far as it is used.
    const bytes = Buffer.from(new SharedArrayBuffer(this.#around.limits.appendBytesMax + 1));
    return { bytes, used: 0, dones: [], bornAt: 0 };
  }

  #start = () => {
    this.#scheduled = false;
    void this.#run();
  };

  async #run(): Promise<void> {
    this.#running = true;
    for (let group = this.#next(); group !== undefined; group = this.#next()) {
      const beganAt = this.#around.clock.monotonic();
      this.#underWay = group;
      const refusal = await this.#commit(group);
      this.#underWay = undefined;
      this.#answer(group, refusal);
      this.#betweenGroups();
      if (refusal !== undefined) continue;
      await this.#rest(beganAt);
      this.#betweenGroups();
    }
    this.#running = false;
  }

  #betweenGroups(): void {
    if (this.#due) this.#roll();
    for (const resume of this.#afterGroup.splice(0)) resume();
  }

  /** Until the next group may begin. Whoever wants a segment closed wakes it. */
  async #rest(beganAt: number): Promise<void> {
    const { clock, limits } = this.#around;
    const restMs = limits.groupMs - (clock.monotonic() - beganAt);
    if (restMs <= 0 || this.#ready.length > 0 || this.#due || this.#closed) return;
    if (this.#filling.dones.length >= limits.groupAppends) return;
    let callOff = () => {};
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      callOff = clock.after(restMs, resolve);
    });
    callOff();
    this.#wake = () => {};
  }

  /** The running segment is closed as soon as no group is under way. */
  #closeSoon(): void {
    this.#due = true;
    this.#wake();
  }

  #next(): Group | undefined {
    const filled = this.#ready.shift();
    if (filled !== undefined) return filled;
    if (this.#filling.used === 0) return undefined;
    const group = this.#filling;
    this.#filling = this.#free.pop() ?? this.#newGroup();
    return group;
  }

  /** Brings a group onto the disk. Gives the refusal when that cannot be promised. */
  async #commit(group: Group): Promise<SpoolUnavailable | undefined> {
    const { files, clock, limits, usage } = this.#around;
    if (this.#refusal !== undefined && clock.monotonic() < this.#refusedUntil) return this.#refusal;
    let segment: OpenSegment | undefined;
    try {
      if (this.#current !== undefined && this.#current.synced + group.used > limits.segmentBytesMax) this.#roll();
      segment = this.#current ?? (await this.#begin(group.bornAt));
      crashPoint('spool.take');
      await files.commit(segment.descriptor, group.bytes, group.used, segment.synced);
      crashPoint('spool.sync');
    } catch (error) {
      if (segment !== undefined) await this.#abandon(segment);
      return this.#fail(error);
    }
    segment.synced += group.used;
    usage.bytes += group.used;
    this.counts.groups++;
    this.#recover();
    return undefined;
  }

  #answer(group: Group, refusal: SpoolUnavailable | undefined): void {
    const { dones } = group;
    if (refusal !== undefined) this.counts.refused += dones.length;
    this.#waitingBytes -= group.used;
    for (const done of dones) {
      try {
        done(refusal);
      } catch (error) {
        this.#around.log.error('spool_answer_failed', { lane: this.#lane }, error);
      }
      crashPoint('spool.ack');
    }
    group.dones = [];
    group.used = 0;
    // Two of them alternate; a third is only needed behind a slow disk and need not be kept for the next one.
    if (this.#free.length < 2) this.#free.push(group);
  }

  // ── Segments ──

  async #begin(bornAt: number): Promise<OpenSegment> {
    const segment = (await this.#spare) ?? (await this.#create());
    segment.bornAt = bornAt;
    this.#current = segment;
    // The next file is made ahead, so that closing a segment costs the hot path no directory sync.
    this.#spare = this.#create().catch(() => undefined);
    this.#arm(segment, this.#lifeMs());
    return segment;
  }

  async #create(room = this.#roomAhead): Promise<OpenSegment> {
    const { files, random } = this.#around;
    const name = segmentName(this.#lane, this.#sequence++, random);
    const path = join(this.#directory, `${name}.open`);
    const descriptor = await files.open(path, 'wx', 0o600);
    const segment = { name, path, descriptor, synced: 0, room: 0, bornAt: 0 };
    let isSound: boolean;
    try {
      isSound = await this.#makeRoom(segment, room);
      // A file whose name is lost in a power cut is lost with everything that was synced into it.
      if (isSound) await files.syncDirectory(this.#directory);
    } catch (error) {
      await this.#discard(segment);
      throw error;
    }
    if (isSound) return segment;
    await this.#discard(segment);
    return this.#create(0);
  }

  /**
   * Fills a new file with zeros. Where the disk refuses them the segment grows row by row instead: no acknowledged row
   * lies in what is cut off here. False when a sync has failed: nothing may be written to that file any more.
   */
  async #makeRoom(segment: OpenSegment, room: number): Promise<boolean> {
    const { files } = this.#around;
    while (segment.room < room) {
      const length = Math.min(zeros.length, room - segment.room);
      try {
        segment.room += await files.write(segment.descriptor, zeros, 0, length, segment.room);
      } catch {
        await files.ftruncate(segment.descriptor, 0);
        segment.room = 0;
        return true;
      }
      try {
        await files.fdatasync(segment.descriptor);
      } catch {
        return false;
      }
    }
    return true;
  }

  /** Monotonic timers only: a wall clock that jumps must neither hold a segment open nor close it early. */
  #arm(segment: OpenSegment, waitMs: number): void {
    const { clock, limits } = this.#around;
    this.#calledOff = clock.after(waitMs, () => {
      if (this.#current !== segment) return;
      const age = clock.monotonic() - segment.bornAt;
      if (this.#backlog() > limits.backlogSegments && age < limits.backlogSegmentMs)
        this.#arm(segment, limits.segmentMs);
      else if (this.#running) this.#closeSoon();
      else this.#roll();
    });
  }

  #lifeMs(): number {
    const { clock, limits } = this.#around;
    const pauseMs = clock.monotonic() - this.#rolledAt;
    return Math.max(limits.segmentMs / 5, limits.segmentMs - pauseMs);
  }

  /** Ends the current segment. Only between two groups: the one under way writes to it. */
  #roll(): void {
    const segment = this.#current;
    this.#due = false;
    if (segment === undefined) return;
    this.#current = undefined;
    this.#rolledAt = this.#around.clock.monotonic();
    this.#calledOff?.();
    const { segmentBytesMax } = this.#around.limits;
    this.#roomAhead = Math.min(Math.max(roomBytesMin, Math.ceil(segment.synced * 1.25)), segmentBytesMax);
    this.#end(segment);
  }

  #end(segment: OpenSegment): void {
    this.#ending.push(segment);
    this.#closing = this.#closing.then(() => this.#publish(segment));
  }

  async #abandon(segment: OpenSegment): Promise<void> {
    this.#current = undefined;
    this.#due = false;
    this.#calledOff?.();
    if (segment.synced === 0) {
      await this.#discard(segment);
      return;
    }
    segment.room = Number.POSITIVE_INFINITY;
    await this.#cut(segment);
    this.#end(segment);
  }

  /** Cuts off what lies behind the last acknowledged row. False when a crash could bring it back. */
  async #cut(segment: OpenSegment): Promise<boolean> {
    const { files, log } = this.#around;
    if (segment.room <= segment.synced) return true;
    try {
      await files.ftruncate(segment.descriptor, segment.synced);
      await files.fdatasync(segment.descriptor);
      segment.room = segment.synced;
      return true;
    } catch (error) {
      log.warn('spool_cut_failed', { lane: this.#lane, code: codeOf(error) });
      return false;
    }
  }

  /**
   * Hands a finished segment to the loader. When the renaming fails the loader takes the file under its old name:
   * it holds the same rows, and after a crash it would be found as an open one. A segment that could not be cut
   * keeps its old name on purpose: after a crash its tail is looked at again.
   */
  async #publish(segment: OpenSegment): Promise<void> {
    const { files, clock, log } = this.#around;
    const cut = await this.#cut(segment);
    const closedPath = join(this.#directory, `${segment.name}.closed`);
    let path = segment.path;
    try {
      await files.close(segment.descriptor);
      if (cut) {
        await files.rename(segment.path, closedPath);
        path = closedPath;
      }
      crashPoint('spool.close');
    } catch (error) {
      log.warn('spool_close_failed', { lane: this.#lane, code: codeOf(error) });
    }
    this.#ending.shift();
    this.#onClosed({
      lane: this.#lane,
      name: segment.name,
      path,
      bytes: segment.synced,
      bornAt: segment.bornAt,
      closedAt: clock.monotonic(),
      uncut: !cut,
      confirmedBy: new Set(),
      progress: new Progress(join(this.#directory, `${segment.name}.progress`), files),
    });
    if (path !== closedPath) return;
    await files
      .syncDirectory(this.#directory)
      .catch((error: unknown) => log.warn('spool_directory_sync_failed', { lane: this.#lane, code: codeOf(error) }));
  }

  /** Removes a file in which nothing was acknowledged. */
  async #discard(segment: OpenSegment): Promise<void> {
    const { files, log } = this.#around;
    try {
      await files.unlink(segment.path);
    } catch (error) {
      log.warn('spool_discard_failed', { lane: this.#lane, code: codeOf(error) });
      // At least empty it, so that the next start does not find rows whose senders were refused.
      await files.ftruncate(segment.descriptor, 0).catch(() => {});
    }
    await files.close(segment.descriptor).catch(() => {});
  }

  // ── A disk that refuses ──

  #fail(error: unknown): SpoolUnavailable {
    const { clock, limits, log } = this.#around;
    const code = codeOf(error);
    this.#failures++;
    this.counts.failures++;
    // The first failure may be the segment's alone, so the next append tries a new one at once.
    const waitMs =
      this.#failures === 1
        ? 0
        : Math.min(limits.diskRetryMsFirst * 2 ** Math.min(this.#failures - 2, 20), limits.diskRetryMsMax);
    this.#refusal = new SpoolUnavailable(
      diskIsFull.has(code) ? 'full' : 'failing',
      Math.max(1, Math.ceil(waitMs / 1000)),
    );
    this.#refusedUntil = clock.monotonic() + waitMs;
    if (this.#failures <= 2) log.error('spool_disk_refused', { lane: this.#lane, code, reason: this.#refusal.reason });
    return this.#refusal;
  }

  #recover(): void {
    if (this.#failures === 0) return;
    this.#around.log.info('spool_disk_recovered', { lane: this.#lane, failures: this.#failures });
    this.#failures = 0;
    this.#refusal = undefined;
  }
}

const spoolFull = new SpoolUnavailable('full', 5);
const spoolBusy = new SpoolUnavailable('busy', 1);
