import { appendFile, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type AccessEntry, type AccessFilters, accessEntry, accessPageMax } from '../../../contract/access_log.ts';
import { type Clock, repeat } from '../clock.ts';
import type { Log } from '../log.ts';
import { type OnRemoved, type RemovedFile, tellOfRemoved } from '../removed.ts';
import type { FileClass } from '../spool/index.ts';
import type { Gauge } from '../subject.ts';
import { dayMs } from '../zone.ts';
import type { Answered } from './server.ts';

/**
 * Who asked the account plane for what (class D15, rule R3): one file of NDJSON per UTC day in the data directory, gone
 * after 90 days. The collection plane has no way here (rule R5): the listener does not tell of it.
 */
export interface AccessLog {
  /** Never waits and never throws: what cannot be kept is counted. */
  write(answered: Omit<Answered, 'asked'> & { asked?: Pick<Answered['asked'], 'organisationId'> }): void;
  /** Resolves when everything so far is in its file, or was dropped. */
  flush(): Promise<void>;
  gauges: Gauge[];
  close(): Promise<void>;
}

export const accessLogFiles: readonly FileClass[] = [
  {
    path: 'access/*.ndjson',
    classes: ['D15'],
    window: '90 days',
    purpose:
      'who asked the account plane: time, address, method, route, status, duration, the organisation that was asked about; never the collection plane',
  },
];

const keptDays = 90;
const flushMs = 1_000;
const cleanMs = 3_600_000;
/** What waits for a disk: about 2 MB. */
const waitingMax = 10_000;
/** What is read at once, and what one page looks at before it says where to go on: about 2,500 and 80,000 lines. */
const pieceBytes = 512 * 1024;
const pageBytes = 32 * pieceBytes;
const fileName = /^(\d{4}-\d\d-\d\d)\.ndjson$/;

export function accessLogDir(dataDir: string): string {
  return join(dataDir, 'access');
}

type Narrowed = AccessFilters & { organisation?: number };

/** Old days are removed at the start and every hour, also where writing is switched off. */
export function openAccessLog(options: {
  dir: string;
  isOn: boolean;
  clock: Clock;
  log: Log;
  /** Told of each line that is written down. */
  onLine?: (line: string) => void;
  /** Told of the days that were removed, until it took them. */
  onRemoved?: OnRemoved;
}): AccessLog {
  const { dir, isOn, clock, log, onLine, onRemoved } = options;
  const tell = tellOfRemoved(onRemoved);
  let waiting: string[] = [];
  let written = 0;
  let dropped = 0;
  let isRefused = false;
  let flushing: Promise<void> = Promise.resolve();
  const onError = (error: unknown) => log.error('access_log.failed', {}, error);
  const stopCleaning = repeat(clock, cleanMs, async () => tell(await removeOldDays(dir, clock.now())), {
    firstMs: 0,
    onError,
  });
  const stopFlushing = repeat(clock, flushMs, flush, { onError });

  async function put(lines: string[]): Promise<void> {
    // A line names its day itself, so that a batch across midnight lands in two files.
    const byDay = Map.groupBy(lines, (line) => line.slice(9, 19));
    for (const [day, ofDay] of byDay) {
      try {
        await mkdir(dir, { recursive: true, mode: 0o700 });
        await appendFile(join(dir, `${day}.ndjson`), ofDay.join(''), { mode: 0o600 });
        written += ofDay.length;
        isRefused = false;
      } catch (error) {
        dropped += ofDay.length;
        if (!isRefused) log.warn('access_log.dropped', { why: String((error as NodeJS.ErrnoException).code) });
        isRefused = true;
      }
    }
  }

  function flush(): Promise<void> {
    flushing = flushing.then(async () => {
      const lines = waiting;
      waiting = [];
      if (lines.length > 0) await put(lines);
    });
    return flushing;
  }

  return {
    write(answered) {
      if (!isOn) return;
      if (waiting.length >= waitingMax) {
        dropped++;
        return;
      }
      const { address, method, route, status, ms, requestId, asked } = answered;
      const time = new Date(clock.now()).toISOString();
      const line = {
        time,
        address,
        method,
        route,
        status,
        ms,
        request_id: requestId,
        organisation: asked?.organisationId,
      };
      const written = `${JSON.stringify(line)}\n`;
      waiting.push(written);
      onLine?.(written);
    },
    flush,
    gauges: [
      {
        name: 'fairlead_access_log_lines_total',
        help: 'Lines of the access log of the account plane, by what became of them.',
        kind: 'counter',
        read: () => [
          { labels: { end: 'written' }, value: written },
          { labels: { end: 'dropped' }, value: dropped },
        ],
      },
    ],
    async close() {
      stopCleaning();
      stopFlushing();
      await flush();
    },
  };
}

/** Removes each file whose first line could be 90 days old, and whatever else in the folder is older than that by its date of change. */
export async function removeOldDays(dir: string, now: number): Promise<RemovedFile[]> {
  const removed: RemovedFile[] = [];
  for (const name of await namesIn(dir)) {
    const day = fileName.exec(name)?.[1];
    const since = day === undefined ? (await stat(join(dir, name))).mtimeMs : Date.parse(day);
    if (now - since < keptDays * dayMs) continue;
    await unlink(join(dir, name));
    removed.push({ name, sinceMs: since });
  }
  return removed;
}

/** The UTC days that have a file, the newest first. */
export async function accessDays(dir: string): Promise<string[]> {
  return (await namesIn(dir))
    .flatMap((name) => fileName.exec(name)?.[1] ?? [])
    .sort()
    .reverse();
}

/**
 * A page of a day, the newest line first. The file is read from its end, a piece at a time, and never as a whole.
 * @param asked.organisation only lines of calls about this organisation whose asker was let into it
 * @param asked.cursor where the last page ended, as it said; the day's end when absent
 * @param asked.limit lines, 1,000 at most
 */
export async function readAccessDay(
  dir: string,
  day: string,
  asked: Narrowed & { cursor?: string | undefined; limit: number },
): Promise<{ entries: AccessEntry[]; next: string | null }> {
  const entries: AccessEntry[] = [];
  const most = Math.min(asked.limit, accessPageMax);
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(join(dir, `${day}.ndjson`), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { entries: [], next: null };
    throw error;
  }
  try {
    const { size } = await handle.stat();
    let end = Math.min(asked.cursor === undefined ? size : Number(asked.cursor), size);
    const floor = Math.max(0, end - pageBytes);
    while (end > 0 && entries.length < most && end > floor) {
      const start = Math.max(0, end - pieceBytes);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
      const taken = takeLines(buffer.subarray(0, bytesRead), start > 0, asked, most - entries.length);
      entries.push(...taken.entries);
      // No line is longer than a piece; whatever else the file holds must not be looked at for ever.
      end = taken.from === bytesRead ? start : start + taken.from;
    }
    return { entries, next: end > 0 ? String(end) : null };
  } finally {
    await handle.close();
  }
}

/** Lines of a piece from its end. One that began before the piece belongs to the next one. */
function takeLines(piece: Buffer, isCutAhead: boolean, filters: Narrowed, most: number) {
  const text = piece.toString('latin1');
  const entries: AccessEntry[] = [];
  let from = text.length;
  while (from > 0 && entries.length < most) {
    const begin = from < 2 ? 0 : text.lastIndexOf('\n', from - 2) + 1;
    if (begin === 0 && isCutAhead) break;
    const entry = readLine(piece.toString('utf8', begin, from), filters);
    if (entry !== undefined) entries.push(entry);
    from = begin;
  }
  return { entries, from };
}

/** A full disk may have cut a line: it is passed over. */
function readLine(line: string, filters: Narrowed): AccessEntry | undefined {
  try {
    const found = JSON.parse(line) as AccessEntry & { organisation?: number };
    // Told apart first: the schema costs five times what the line does.
    return isAsked(found, filters) ? accessEntry.parse(found) : undefined;
  } catch {
    return undefined;
  }
}

function isAsked(line: AccessEntry & { organisation?: number }, asked: Narrowed): boolean {
  const { method, status, route } = line;
  if (asked.organisation !== undefined && line.organisation !== asked.organisation) return false;
  if (asked.method !== undefined && method !== asked.method) return false;
  if (asked.status?.endsWith('xx') === true && String(status)[0] !== asked.status[0]) return false;
  if (asked.status?.endsWith('xx') === false && String(status) !== asked.status) return false;
  return asked.route === undefined || route.toLowerCase().includes(asked.route.toLowerCase());
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
