import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { crashPoint } from '../crash_point.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import type { OnRemoved } from '../removed.ts';
import type { Gauge } from '../subject.ts';
import { diskFiles, type SpoolFiles } from './files.ts';
import { gaugesOf } from './gauges.ts';
import { type ClosedSegment, codeOf, type Surroundings } from './lane.ts';
import { type SpoolLimits, spoolLimits } from './limits.ts';
import { Courier } from './loader.ts';
import { Quarantine } from './quarantine.ts';
import { recoverLane } from './recovery.ts';
import { forEachRow } from './rows.ts';
import { type Done, LaneWriter } from './writer.ts';

/** A closed file of rows on its way to the sinks. */
export interface Segment {
  lane: string;
  /** Unique for all time and all collectors: `<lane>-<sequence>-<16 random hex digits>`. */
  name: string;
  path: string;
  bytes: number;
}

/** Where the rows of a lane go. */
export interface Sink {
  name: string;
  lane: string;
  /**
   * Stores `bytes` (whole NDJSON rows, unparsed) once: when the same `token` comes again, it must change nothing.
   * The token is the segment's name, or for a part of a split segment `<name>:<from>-<to>` (rows, `to` excluded).
   * Times out by itself. @throws RowRefused when the store refuses what a row says; anything else means "not now".
   */
  deliver(segment: Segment, bytes: Buffer, token: string): Promise<void>;
  /** Is told of each row that it refused for good, without line break, once it lies in quarantine; a kill may keep it from hearing. */
  quarantined?(row: Buffer): void;
}

export interface Lane {
  name: string;
  /**
   * Keeps one JSON row (no line break; or several rows with a line break between each two, which stay together).
   * Settles only after `fdatasync` of the file that holds the bytes.
   * The callback form costs no promise and is meant for the hot path; a refusal may come before the call returns.
   * @throws SpoolUnavailable (or gives it to the callback): nothing was kept, answer 503 with Retry-After.
   */
  append(rows: string | Buffer): Promise<void>;
  append(rows: string | Buffer, done: Done): void;
}

export interface Spool {
  /** @throws when the spool was not opened with this lane. */
  lane(name: string): Lane;
  /**
   * The rows that were on disk when the spool opened, oldest first, without their line breaks: to rebuild state
   * from before the loader starts. Some may be in a store already (a crash between its answer and the deletion).
   */
  pending(lane: string): AsyncIterable<Buffer>;
  /** Begins to hand closed segments to the sinks. Call once, after state has been rebuilt from `pending`. */
  startLoading(sinks: readonly Sink[]): void;
  /**
   * Closes the open segments and waits until all that was appended before is in every sink. Gives false when
   * `deadlineMs` passed or a sink failed first: the rest stays on disk and is delivered later. Appends go on.
   * @param lanes these alone, whatever becomes of the others
   */
  drain(deadlineMs?: number, lanes?: readonly string[]): Promise<boolean>;
  /** Refuses appends, ends the loader after what it has in hand, closes files. What is not delivered stays on disk. */
  close(): Promise<void>;
  /** Age of the oldest row that is not in every sink yet, in whole milliseconds; 0 when there is none. */
  lagMs(): number;
  /** Bytes on disk: segments of all lanes and the quarantine. */
  bytes(): number;
  /** Segments with rows that are not in every sink, open ones included. */
  segments(): number;
  /** Rows in quarantine by lane. */
  quarantined(): Record<string, number>;
  /** Rows in quarantine that match; each is given as its lane had it. */
  quarantinedOf(matches: (row: Buffer) => boolean): Promise<number>;
  /** Takes such rows off the disk, and says how many there were. */
  forgetQuarantined(matches: (row: Buffer) => boolean): Promise<number>;
  /** Why appends are refused at the moment, if they are; what a lane is held by, if it is. For `/readyz`. */
  trouble(): Trouble[];
  gauges(): Gauge[];
}

export interface Trouble {
  lane: string;
  what: 'disk_failing' | 'spool_full' | 'sink_unavailable' | 'refused_as_one';
}

export interface SpoolSettings {
  /** The data directory: `spool/` and `quarantine/` are made in it, 0700. */
  dir: string;
  lanes: readonly string[];
  clock: Clock;
  random: Random;
  log: Log;
  fs?: SpoolFiles;
  limits?: Partial<SpoolLimits>;
  /** Told of files of the quarantine whose time was over. */
  onRemoved?: OnRemoved;
}

/**
 * Opens the spool: recovers what a crash left (`recovery.ts`), empties what is due from the quarantine, and takes
 * appends. Nothing is delivered before `startLoading`.
 *
 * ```ts
 * const spool = await openSpool({ dir: config.dataDir, lanes: ['events'], clock, random, log });
 * for await (const row of spool.pending('events')) visits.remember(JSON.parse(row.toString()));
 * spool.startLoading([warehouseSink]);
 * await spool.lane('events').append(JSON.stringify(event)); // on disk
 * ```
 */
export async function openSpool(settings: SpoolSettings): Promise<Spool> {
  const { dir, lanes, clock, random, log } = settings;
  const files = settings.fs ?? diskFiles;
  const limits = { ...spoolLimits, ...settings.limits };
  const usage = { bytes: 0 };
  const around: Surroundings = { files, clock, random, log, limits, usage };
  for (const lane of lanes) if (!/^[a-z_]+$/.test(lane)) throw new RangeError(`"${lane}" is no name for a lane.`);

  const quarantine = new Quarantine(join(dir, 'quarantine'), around, settings.onRemoved);
  await quarantine.open(lanes);
  const running = new Map<string, RunningLane>();
  for (const lane of lanes) running.set(lane, await openLane(lane, join(dir, 'spool', lane), around));
  await warnOfOtherLanes(join(dir, 'spool'), lanes, around);
  const planned = (usage.bytes + (await files.freeBytes(dir))) * limits.spoolDiskShare;
  limits.spoolBytesMax = Math.floor(Math.min(limits.spoolBytesMax, planned));

  /** Resumed whenever a segment was delivered or a sink failed. */
  const watchers = new Set<() => void>();
  const tellWatchers = () => {
    for (const watcher of [...watchers]) watcher();
  };
  const removals = new Set<Promise<void>>();
  let loading: Promise<void>[] | undefined;
  let closed = false;

  function startLoading(sinks: readonly Sink[]): void {
    if (loading !== undefined) throw new Error('The spool is loading already: start it once, with every sink.');
    const stray = sinks.find(({ lane }) => !running.has(lane));
    if (stray !== undefined) throw new Error(`The sink ${stray.name} wants lane ${stray.lane}, which is not open.`);
    loading = [];
    for (const lane of running.values()) {
      for (const sink of sinks.filter((sink) => sink.lane === lane.name)) {
        const courier = new Courier({
          ...{ sink, queue: lane, around, quarantine, onTrouble: tellWatchers },
          onConfirmed: (segment) => confirmed(lane, segment, sink),
        });
        lane.couriers.push(courier);
        loading.push(courier.run());
      }
      if (lane.couriers.length === 0) log.warn('spool_lane_without_sink', { lane: lane.name });
    }
  }

  async function confirmed(lane: RunningLane, segment: ClosedSegment, sink: Sink): Promise<void> {
    if (!lane.couriers.every((courier) => segment.confirmedBy.has(courier.sink.name))) {
      // Only to save the question after a restart, so a disk that refuses is no reason to stop.
      if (!segment.progress.confirmed(sink.name)) await segment.progress.confirm(sink.name).catch(() => {});
      return;
    }
    lane.closed.splice(lane.closed.indexOf(segment), 1);
    const removal = removeSegment(segment, lane.directory, around, () => closed).finally(() => {
      removals.delete(removal);
    });
    removals.add(removal);
    tellWatchers();
  }

  async function drain(deadlineMs = 10_000, lanes: readonly string[] = settings.lanes): Promise<boolean> {
    let callOff = () => {};
    const inTime = new Promise<'late'>((resolve) => {
      callOff = clock.after(deadlineMs, () => resolve('late'));
    });
    // Left to itself the deadline would keep a command alive that has nothing else to wait for.
    return drained(inTime, lanes.map(laneNamed)).finally(callOff);
  }

  async function drained(inTime: Promise<'late'>, lanes: readonly RunningLane[]): Promise<boolean> {
    const closing = Promise.all(lanes.map((lane) => lane.writer.closeSegment()));
    if ((await Promise.race([closing, inTime])) === 'late') return false;
    const wanted = lanes.flatMap((lane) => lane.closed);
    const delivered = () => !wanted.some((segment) => running.get(segment.lane)?.closed.includes(segment));
    const failing = () => lanes.some(({ couriers }) => couriers.some((courier) => courier.trouble()));
    if (loading === undefined) return delivered();
    await new Promise<void>((resolve) => {
      const settle = () => {
        if (!delivered() && !failing()) return;
        watchers.delete(settle);
        resolve();
      };
      watchers.add(settle);
      void inTime.then(() => {
        watchers.delete(settle);
        resolve();
      });
      settle();
    });
    // Their files too: whoever stops after a drain leaves an empty directory.
    if (delivered()) await Promise.race([Promise.all(removals), inTime]);
    return delivered();
  }

  async function close(): Promise<void> {
    closed = true;
    await Promise.all([...running.values()].map((lane) => lane.writer.close()));
    for (const lane of running.values()) for (const courier of lane.couriers) courier.stop();
    await Promise.all(loading ?? []);
    await Promise.all(removals);
    quarantine.close();
    tellWatchers();
  }

  async function* pending(name: string): AsyncIterable<Buffer> {
    for (const segment of laneNamed(name).recovered) {
      const bytes = await files.readFile(segment.path);
      const rows: Buffer[] = [];
      forEachRow(bytes, (start, end) => rows.push(bytes.subarray(start, end)));
      yield* rows;
    }
  }

  function laneNamed(name: string): RunningLane {
    const lane = running.get(name);
    if (lane === undefined) throw new Error(`The spool was opened without a lane "${name}".`);
    return lane;
  }

  function lagMs(): number {
    const births = [...running.values()].flatMap(({ closed, writer }) => [closed[0]?.bornAt, writer.oldestAt()]);
    const oldest = Math.min(...births.filter((bornAt) => bornAt !== undefined));
    return oldest === Number.POSITIVE_INFINITY ? 0 : Math.max(0, Math.ceil(clock.monotonic() - oldest));
  }

  function trouble(): Trouble[] {
    const found: Trouble[] = [];
    for (const { name: lane, writer, couriers } of running.values()) {
      const reason = writer.trouble();
      if (reason === 'full') found.push({ lane, what: 'spool_full' });
      else if (reason !== undefined && reason !== 'closed') found.push({ lane, what: 'disk_failing' });
      for (const courier of couriers) {
        const what = courier.trouble();
        if (what !== undefined) found.push({ lane, what });
      }
    }
    return found;
  }

  const spool: Spool = {
    lane: (name) => laneNamed(name).door,
    pending,
    startLoading,
    drain,
    close,
    lagMs,
    bytes: () => usage.bytes,
    segments: () => [...running.values()].reduce((sum, lane) => sum + lane.closed.length + lane.writer.segments(), 0),
    quarantined: () => quarantine.rows(),
    quarantinedOf: (matches) => quarantine.count(matches),
    forgetQuarantined: (matches) => quarantine.forget(matches),
    trouble,
    gauges: () => gaugesOf({ spool, lanes: [...running.values()], quarantine, limits }),
  };
  return spool;
}

/** A lane while the process runs: who writes it, what waits in it, who carries it. */
export interface RunningLane {
  name: string;
  directory: string;
  writer: LaneWriter;
  /** Closed segments that not every sink has, oldest first. */
  closed: ClosedSegment[];
  /** Those of them that were there when the spool opened. */
  recovered: readonly ClosedSegment[];
  couriers: Courier[];
  door: Lane;
}

async function openLane(name: string, directory: string, around: Surroundings): Promise<RunningLane> {
  const { segments, nextSequence } = await recoverLane(name, directory, around);
  const couriers: Courier[] = [];
  const closed = [...segments];
  const writer = new LaneWriter({
    ...{ lane: name, directory, around, sequence: nextSequence },
    backlog: () => closed.length,
    onClosed(segment) {
      closed.push(segment);
      for (const courier of couriers) courier.wake();
    },
  });
  function append(rows: string | Buffer): Promise<void>;
  function append(rows: string | Buffer, done: Done): void;
  function append(rows: string | Buffer, done?: Done): Promise<void> | undefined {
    if (done !== undefined) {
      writer.append(rows, done);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      writer.append(rows, (refusal) => (refusal === undefined ? resolve() : reject(refusal)));
    });
  }
  return { name, directory, writer, closed, recovered: segments, couriers, door: { name, append } };
}

/**
 * The file goes first, and for good, before its progress: a segment that came back without knowing of its split
 * would be delivered whole over its parts. A disk that refuses is asked again until the process ends; then the
 * next one finds the segment and asks the sinks, which know its token.
 */
async function removeSegment(
  segment: ClosedSegment,
  directory: string,
  { files, clock, limits, log, usage }: Surroundings,
  isClosing: () => boolean,
): Promise<void> {
  crashPoint('spool.delete');
  for (let tries = 0; ; tries++) {
    try {
      await files.unlink(segment.path).catch(unlessMissing);
      await files.syncDirectory(directory);
      crashPoint('spool.deleted');
      if (segment.progress.exists()) await files.unlink(segment.progress.path).catch(unlessMissing);
      usage.bytes -= segment.bytes;
      return;
    } catch (error) {
      if (tries === 0) log.warn('spool_remove_failed', { lane: segment.lane, code: codeOf(error) });
      if (isClosing()) return;
      await new Promise<void>((resolve) => {
        clock.after(limits.diskRetryMsMax, resolve);
      });
    }
  }
}

function unlessMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

/** A lane that an older version wrote is kept and named, never guessed at. */
async function warnOfOtherLanes(directory: string, lanes: readonly string[], { files, log }: Surroundings) {
  for (const name of await files.readdir(directory))
    if (!lanes.includes(name)) log.warn('spool_unknown_lane', { known: lanes.length });
}
