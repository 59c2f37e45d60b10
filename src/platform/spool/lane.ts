import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import type { SpoolFiles } from './files.ts';
import type { SpoolLimits } from './limits.ts';
import type { Progress } from './progress.ts';
import type { Segment } from './spool.ts';

/** What every part of the spool works with. */
export interface Surroundings {
  files: SpoolFiles;
  clock: Clock;
  random: Random;
  log: Log;
  limits: SpoolLimits;
  /** One sum over all lanes and the quarantine, compared with `spoolBytesMax` at each append. */
  usage: { bytes: number };
}

/** A closed segment with what only this process knows about it. */
export interface ClosedSegment extends Segment {
  /** Monotonic time of its first row: in the past, possibly before the process began, for a recovered one. */
  bornAt: number;
  closedAt: number;
  /** Bytes behind `bytes` in the file were refused to their senders and could not be cut off: never read them. */
  uncut: boolean;
  confirmedBy: Set<string>;
  progress: Progress;
}

export function segmentName(lane: string, sequence: number, random: Random): string {
  return `${lane}-${String(sequence).padStart(12, '0')}-${random.bytes(8).toString('hex')}`;
}

const segmentFile = /^(?<name>[a-z_]+-(?<sequence>\d{12})-[0-9a-f]{16})\.(?<state>open|closed|progress)$/;

/** Reads a file name of a lane's directory; undefined for what the spool has not written. */
export function readSegmentFile(
  file: string,
): { name: string; sequence: number; state: 'open' | 'closed' | 'progress' } | undefined {
  const groups = segmentFile.exec(file)?.groups;
  if (groups === undefined) return undefined;
  return {
    name: groups.name as string,
    sequence: Number(groups.sequence),
    state: groups.state as 'open' | 'closed' | 'progress',
  };
}

/** What went wrong in one word: that of the store, where a refusal carries it. */
export function codeOf(error: unknown): string {
  const { why, code } = (error ?? {}) as { why?: unknown; code?: unknown };
  const word = why ?? code;
  return typeof word === 'string' ? word : error instanceof Error ? error.name : typeof error;
}
