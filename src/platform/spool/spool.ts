import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import type { Gauge } from '../subject.ts';
import type { SpoolFiles } from './files.ts';
import type { SpoolLimits } from './limits.ts';

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
}

export interface Lane {
  name: string;
  /**
   * Keeps one JSON row (no line break; or several rows with a line break between each two, which stay together).
   * Settles only after `fdatasync` of the file that holds the bytes.
   * The callback form costs no promise and is meant for the hot path.
   * @throws SpoolUnavailable (or gives it to the callback): nothing was kept, answer 503 with Retry-After.
   */
  append(rows: string | Buffer): Promise<void>;
  append(rows: string | Buffer, done: (refusal?: SpoolUnavailableLike) => void): void;
}
type SpoolUnavailableLike = import('./refusals.ts').SpoolUnavailable;

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
   */
  drain(deadlineMs?: number): Promise<boolean>;
  /** Refuses appends, ends the loader after what it has in hand, closes files. What is not delivered stays on disk. */
  close(): Promise<void>;
  /** Age of the oldest row that is not in every sink yet; 0 when there is none. */
  lagMs(): number;
  /** Bytes on disk: segments of all lanes and the quarantine. */
  bytes(): number;
  /** Segments with rows that are not in every sink, open ones included. */
  segments(): number;
  /** Rows in quarantine by lane. */
  quarantined(): Record<string, number>;
  /** Why appends are refused at the moment, if they are; what a lane is held by, if it is. For `/readyz`. */
  trouble(): { lane: string; what: 'disk_failing' | 'spool_full' | 'sink_unavailable' | 'refused_as_one' }[];
  gauges(): Gauge[];
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
}

/** Opens the spool and recovers what a crash left: see docs in `recovery.ts`. */
export async function openSpool(_settings: SpoolSettings): Promise<Spool> {
  throw new Error('Being written.');
}
