import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pause, repeat } from '../../platform/clock.ts';
import { diskOf, gigabytes, keptFreeBytes } from '../../platform/disk.ts';
import { RequestError, whyOf } from '../../platform/http/route.ts';
import { PostgresAway } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { WarehouseUnavailable } from '../../platform/warehouse/index.ts';
import { aloneIn } from '../history/index.ts';
import { plainForm } from './form.ts';
import type { ExportRecords, PendingExport } from './records.ts';
import { openedBytes, sealedForm } from './sealed_file.ts';
import { type ExportProgress, writeExport } from './write_export.ts';

type Parts = Pick<House, 'config' | 'clock' | 'log' | 'postgres' | 'warehouse' | 'spool' | 'random'>;

/** How often finished files are looked through for those whose time is over, and an export that had to wait begins. */
const lookMs = 60_000;
/** What was acknowledged before an export belongs into it; the loader takes a second or two for that. */
const drainMs = 60_000;
/** A pause as long as the work before it leaves the machine to others for half of the time; at most so long. */
const pauseMsMax = 2_000;

/** In full, so that whoever looks for one of the operations log finds where it is said. */
const said = {
  export: { done: 'export.done', failed: 'export.failed' },
  archive: { done: 'archive.done', failed: 'archive.failed' },
} as const;

/** The export is no longer wanted. */
class Cancelled extends Error {}

export interface FileRunner {
  /** One was asked for here: its file is to lie with this process, which begins when nothing is before it. */
  begin(id: number): void;
  /** Where the file of one lies. */
  fileOf(id: number): string;
  /** Takes the files of one away, written or half-written. */
  forget(id: number): Promise<void>;
  /** Refuses, in a sentence, what would leave no room for events. `events` is how many go into it. */
  checkRoom(events: number): void;
  stop(): Promise<void>;
}

interface Pending {
  id: number;
  organisation_id: number;
}
type Progress = Pick<ExportProgress, 'done' | 'rows' | 'bytes'>;

/** What is asked for and what became of it, as PostgreSQL has it. Each says whether it is still wanted. */
interface FileRecords<One extends Pending> {
  next(among?: readonly number[]): Promise<One | undefined>;
  progress(pending: One, at: Progress | undefined): Promise<boolean>;
  finish(pending: One, end: { bytes: number } | { failure: string }): Promise<boolean>;
  sweep(): Promise<ReadonlyMap<number, { isPending: boolean }>>;
}

/** While one is written: notes how far it is, leaves the machine to others, and throws when it is not to go on. */
type OnDay = (progress: ExportProgress) => Promise<void>;

/**
 * Writes the exports that were asked for over HTTP, one after another, into the data directory. A stop or a kill loses
 * at most the day that was being written; the next start goes on behind it.
 */
export function openExportRunner(parts: Parts, records: ExportRecords): FileRunner {
  const { postgres, warehouse, log, random } = parts;
  return openFileRunner(parts, {
    ...{ name: 'export', folder: 'exports', records },
    bytesOf: async ({ id, organisation_id: organisationId }: PendingExport, stored) =>
      (await records.fileOf(organisationId, id)) === undefined ? stored : openedBytes(stored),
    async write(pending: PendingExport, { out, signal, onDay }) {
      const file = await records.fileOf(pending.organisation_id, pending.id);
      await writeExport(
        { postgres, warehouse },
        { id: pending.site_id, organisation_id: pending.organisation_id },
        {
          ...{ site: pending.domain, timezone: pending.timezone, format: pending.format },
          ...{ from: pending.first_day, to: pending.last_day },
        },
        {
          ...{ out, signal, onDay, isPlaced: true, form: file === undefined ? plainForm : sealedForm(file, random) },
          onResume: (behind) => log.info('export.resumed', { export: pending.id, behind }),
        },
      );
    },
  });
}

/**
 * Files that are asked for and written in the background, one after another, each into a folder of the data directory
 * under its number. `write` may be killed and called again: it goes on with what lies in the folder `<number>.part`.
 */
export function openFileRunner<One extends Pending>(
  { config, clock, log, postgres, spool }: Omit<Parts, 'warehouse' | 'random'>,
  {
    name,
    folder: folderName,
    records,
    bytesOf = async (_, stored) => stored,
    write: writeFileOf,
  }: {
    /** In the log, and in the sentence of a failure. */
    name: 'export' | 'archive';
    folder: string;
    records: FileRecords<One>;
    /** How large it is said to be, of the bytes that lie on the disk: those unless given. */
    bytesOf?(pending: One, stored: number): Promise<number>;
    write(pending: One, to: { out: string; signal: AbortSignal; onDay: OnDay }): Promise<void>;
  },
): FileRunner {
  const folder = join(config.dataDir, folderName);
  const alone = aloneIn(postgres, clock);
  const stopping = new AbortController();
  /** The export at work, and what calls it off. */
  let current: { id: number; cancel: AbortController } | undefined;
  let working: Promise<void> | undefined;
  let isWoken = false;

  const fileOf = (id: number) => join(folder, String(id));

  async function forget(id: number) {
    if (current?.id === id) current.cancel.abort(new Cancelled());
    else await rmFiles(id);
  }
  async function rmFiles(id: number) {
    for (const path of [fileOf(id), `${fileOf(id)}.part`, `${fileOf(id)}.asked`])
      await rm(path, { recursive: true, force: true });
  }

  function checkRoom(events: number) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { freeBytes } = diskOf(folder);
    const needed = bytesFor(events);
    if (freeBytes - needed < keptFreeBytes)
      throw new RequestError(
        'conflict',
        `The disk of the desk has ${gigabytes(freeBytes)} free. This ${name} may need ${gigabytes(needed)}, and ${gigabytes(keptFreeBytes)} stays free for events. Delete files that are no longer needed, or give the desk a larger disk.`,
      );
  }

  /**
   * The numbers of the exports that this process was asked for: where several share the stores, each writes its own, or
   * a file would lie where nobody asks for it. Absent where there is only this one.
   */
  function ownIds(): number[] | undefined {
    if (config.role === 'all') return undefined;
    return (existsSync(folder) ? readdirSync(folder) : [])
      .filter((name) => name.endsWith('.asked'))
      .map((name) => Number.parseInt(name, 10));
  }

  /** Everything that waits, one after another; several processes of a desk take turns. */
  async function work() {
    while (!stopping.signal.aborted) {
      isWoken = false;
      const pending = await records.next(ownIds());
      if (pending === undefined) {
        if (isWoken) continue;
        return;
      }
      const isMine = await alone(folderName, async (held) => {
        await writeOne(pending, held);
        return true;
      });
      if (isMine !== true) return;
    }
  }

  async function writeOne(pending: One, held: () => boolean) {
    const cancel = new AbortController();
    current = { id: pending.id, cancel };
    const out = fileOf(pending.id);
    const began = clock.monotonic();
    try {
      if (!(await records.progress(pending, undefined))) throw new Cancelled();
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      // The folder of a run that was killed before its first note says nothing.
      if (!existsSync(join(`${out}.part`, 'note.json'))) await rm(`${out}.part`, { recursive: true, force: true });
      // It was whole, and only the row did not get to know that.
      if (!existsSync(out)) await write(pending, out, AbortSignal.any([cancel.signal, stopping.signal]), held);
      // Of one that was killed between its last steps.
      await rm(`${out}.part`, { recursive: true, force: true });
      const size = await bytesOf(pending, statSync(out).size);
      if (!(await records.finish(pending, { bytes: size }))) throw new Cancelled();
      await rm(`${out}.asked`, { force: true });
      log.info(said[name].done, {
        ...{ [name]: pending.id, organisation: pending.organisation_id, bytes: size },
        ms: Math.round(clock.monotonic() - began),
      });
    } catch (error) {
      if (stopping.signal.aborted) return;
      if (error instanceof Cancelled) {
        await rmFiles(pending.id);
        return;
      }
      // The stores come back: it is gone on with at the next look.
      if (error instanceof WarehouseUnavailable || error instanceof PostgresAway) throw error;
      log.error(said[name].failed, { [name]: pending.id, organisation: pending.organisation_id }, error);
      await records.finish(pending, {
        failure:
          error instanceof RequestError
            ? error.message
            : `The ${name} met a fault of ours. It is in the log of the desk, as ${name}.failed of ${name} ${pending.id}.`,
      });
      await rmFiles(pending.id);
    } finally {
      current = undefined;
    }
  }

  async function write(pending: One, out: string, signal: AbortSignal, held: () => boolean) {
    if (!(await spool.drain(drainMs))) throw new WarehouseUnavailable('SPOOL_WAITS');
    let dayBegan = clock.monotonic();
    await writeFileOf(pending, {
      out,
      signal,
      async onDay(progress) {
        if (!(await records.progress(pending, progress))) throw new Cancelled();
        if (!held()) throw new PostgresAway('LOCK_LOST', { cause: undefined });
        if (diskOf(folder).freeBytes < keptFreeBytes / 2)
          throw new RequestError(
            'conflict',
            `The disk of the desk became full behind ${progress.day}, and the ${name} was given up so that events can still be taken. Make room, and start it again.`,
          );
        await pause(clock, Math.min(clock.monotonic() - dayBegan, pauseMsMax), stopping.signal);
        dayBegan = clock.monotonic();
      },
    });
  }

  function start(): Promise<void> {
    working ??= work().finally(() => {
      working = undefined;
    });
    return working;
  }

  function wake() {
    isWoken = true;
    start().catch((error) => log.warn(`${name}.waits`, { why: whyOf(error) }));
  }

  function begin(id: number) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (config.role !== 'all') writeFileSync(`${fileOf(id)}.asked`, '', { mode: 0o600 });
    wake();
  }

  /** Takes away what is over, and files whose row is gone (with its site, or while nobody ran). */
  async function sweep() {
    const there = existsSync(folder) ? readdirSync(folder) : [];
    const left = await records.sweep();
    for (const name of there) {
      const id = Number.parseInt(name, 10);
      if (!left.has(id) && current?.id !== id) await rm(join(folder, name), { recursive: true, force: true });
    }
    if ([...left.values()].some(({ isPending }) => isPending)) wake();
  }

  const stopLooking = repeat(clock, lookMs, sweep, {
    firstMs: 500,
    onError: (error) => log.error(`${name}.sweep_failed`, {}, error),
  });

  return {
    begin,
    fileOf,
    forget,
    checkRoom,
    async stop() {
      stopLooking();
      stopping.abort(new Cancelled());
      await working?.catch(() => {});
    },
  };
}

/** What an export needs at its largest: its tables or lines, and the archive that is made of them. */
function bytesFor(events: number): number {
  return events * 600;
}
