import type { Site } from '../../../contract/api.ts';
import { findSite } from '../../accounts/index.ts';
import { pause, repeat } from '../../platform/clock.ts';
import { readArchive } from '../../platform/files/archive.ts';
import type { UploadedFile } from '../../platform/files/sealed_parts.ts';
import { RequestError, whyOf } from '../../platform/http/route.ts';
import { PostgresAway } from '../../platform/postgres/index.ts';
import { SpoolUnavailable } from '../../platform/spool/index.ts';
import type { House } from '../../platform/subject.ts';
import { WarehouseUnavailable } from '../../platform/warehouse/index.ts';
import type { SiteDirectory } from '../sites.ts';
import { drainMs, type Importer, type ImportSource } from './importer.ts';
import type { PendingImport, UploadRecords } from './upload_records.ts';
import type { Uploads } from './uploads.ts';

/** How often files are looked through for those whose time is over, and what had to wait begins. */
const lookMs = 60_000;
/** How often it is said how far an import is. */
const signMs = 500;
/** After so much work comes as long a pause: events and questions have the machine for half of the time. */
const workMs = 25;
const pauseMsMax = 1_000;
/** An import that the desk ended in the middle of so often has probably ended it. */
const triesMax = 5;

/** The import is no longer wanted, or the desk stops. */
class CalledOff extends Error {}

export interface ImportRunner {
  /** Something waits. */
  wake(): void;
  /** Ends the work on an import that is no longer wanted. */
  cancel(id: number): void;
  stop(): Promise<void>;
}

/**
 * Checks, imports and undoes what was asked for over HTTP, one after another. A kill in the middle loses nothing: a
 * check and an undoing begin again, and so does an import, after everything that it had stored was taken out.
 */
export function openImportRunner(parts: {
  house: Pick<House, 'config' | 'clock' | 'log' | 'postgres' | 'spool'>;
  importer: Importer;
  sites: Pick<SiteDirectory, 'byId'>;
  records: UploadRecords;
  uploads: Uploads;
}): ImportRunner {
  const { house, importer, records, uploads } = parts;
  const { config, clock, log, postgres, spool } = house;
  const stopping = new AbortController();
  let current: { id: number; cancel: AbortController } | undefined;
  let working: Promise<void> | undefined;
  let isWoken = false;
  /** Imports that were found begun although this process did not begin them: their desk ended in the middle. */
  const begunHere = new Set<number>();

  /** Everything that waits, one after another; what another import of its site keeps waiting is left for later. */
  async function work() {
    do {
      isWoken = false;
      for (const pending of await records.pending()) {
        if (stopping.signal.aborted) return;
        if (!isHere(pending)) continue;
        await importer.alone(pending.site_id, async (held) => {
          const now = await records.again(pending);
          if (now !== undefined) await workOn(now, held);
          return true;
        });
      }
    } while (isWoken && !stopping.signal.aborted);
  }

  /**
   * A file lies with the process that took it, which reads it: where several share the stores, another one would find
   * none and give the import up. What is taken out needs no file.
   */
  function isHere({ id, state }: PendingImport): boolean {
    return config.role === 'all' || state === 'undoing' || uploads.has(id);
  }

  async function workOn(pending: PendingImport, held: () => boolean) {
    const cancel = new AbortController();
    current = { id: pending.id, cancel };
    const began = clock.monotonic();
    try {
      if (pending.state === 'undoing') await undo(pending);
      if (pending.state === 'checking' || pending.state === 'running') await read(pending, cancel.signal, held);
      log.info('import.step', {
        ...{ import: pending.id, organisation: pending.organisation_id, state: pending.state },
        ms: Math.round(clock.monotonic() - began),
      });
    } catch (error) {
      if (error instanceof CalledOff) {
        // Cancelled: its row is gone, or says that what it stored is to be taken out.
        isWoken = true;
        return;
      }
      if (stopping.signal.aborted || isPassing(error)) throw error;
      await giveUp(pending, error);
    } finally {
      current = undefined;
    }
  }

  async function undo(pending: PendingImport) {
    await importer.takeOut({ id: pending.site_id }, pending);
    await records.undone(pending);
    await uploads.remove(pending.id);
  }

  /** A dry run, or the import itself. */
  async function read(pending: PendingImport, cancelled: AbortSignal, held: () => boolean) {
    const site = await findSite(postgres, pending.domain);
    const record = parts.sites.byId(pending.site_id);
    if (site === undefined || record === undefined || pending.size === null) throw new CalledOff();
    const isDry = pending.state === 'checking';
    if (!isDry) await beginAnew(pending, site);
    const file = await uploads.open(pending.id, pending.size);
    try {
      const outcome = await importer.take({
        ...{ kind: pending.kind, site, record, isDry, importId: isDry ? 0 : pending.id, attempt: pending.tries },
        source: sourceOf(file, pending.size),
        onProgress: signs(pending, pending.size, file, cancelled, held),
      });
      // Rows that the warehouse does not have yet are safe on disk, and appear by themselves.
      if (!isDry) await orStopped(spool.drain(drainMs));
      if (!(await records.end(pending, isDry ? 'ready' : 'done', outcome))) throw new CalledOff();
    } finally {
      await file.close();
    }
    if (!isDry) await uploads.remove(pending.id);
  }

  /** What an earlier run of it stored goes first, so that each row is there once. */
  async function beginAnew(pending: PendingImport, site: Site) {
    if (pending.tries > 0) {
      if (!begunHere.has(pending.id) && pending.tries >= triesMax)
        throw new RequestError(
          'conflict',
          `The desk ended ${pending.tries} times in the middle of it, so it was given up. Nothing of it is left. Send the file again in smaller pieces, or import it on the command line.`,
        );
      await orStopped(importer.takeOut(site, pending));
    }
    begunHere.add(pending.id);
    await records.countTry(pending);
  }

  function signs(
    pending: PendingImport,
    size: number,
    file: UploadedFile,
    cancelled: AbortSignal,
    held: () => boolean,
  ) {
    let saidAt = clock.monotonic();
    let restedAt = saidAt;
    return async (rows: number) => {
      if (cancelled.aborted || stopping.signal.aborted) throw new CalledOff();
      const now = clock.monotonic();
      if (now - saidAt >= signMs) {
        saidAt = now;
        const share =
          pending.checked === null || pending.checked === 0 ? file.bytesRead / size : rows / pending.checked;
        if (!(await records.progress(pending, rows, share))) throw new CalledOff();
        if (!held()) throw new PostgresAway('LOCK_LOST', { cause: undefined });
        uploads.checkRoom(0);
      }
      if (clock.monotonic() - restedAt < workMs) return;
      await pause(clock, Math.min(clock.monotonic() - restedAt, pauseMsMax), stopping.signal);
      restedAt = clock.monotonic();
    };
  }

  async function giveUp(pending: PendingImport, error: unknown) {
    const isExpected = error instanceof RequestError;
    if (!isExpected) log.error('import.failed', { import: pending.id, organisation: pending.organisation_id }, error);
    if (pending.state === 'undoing') throw error;
    if (pending.state === 'running') await importer.takeOut({ id: pending.site_id }, pending);
    await records.fail(pending, isExpected ? error.message : sentenceFor(pending, error));
    await uploads.remove(pending.id);
  }

  /** What a stop must not wait for: it is gone on with at the next start. */
  async function orStopped<T>(promise: Promise<T>): Promise<T> {
    if (stopping.signal.aborted) throw new CalledOff();
    let onStop = () => {};
    const stopped = new Promise<never>((_, reject) => {
      onStop = () => reject(new CalledOff());
      stopping.signal.addEventListener('abort', onStop, { once: true });
    });
    try {
      return await Promise.race([promise, stopped]);
    } finally {
      stopping.signal.removeEventListener('abort', onStop);
    }
  }

  function wake() {
    isWoken = true;
    working ??= work()
      .catch((error) => log.warn('import.waits', { why: whyOf(error) }))
      .finally(() => {
        working = undefined;
        if (isWoken && !stopping.signal.aborted) wake();
      });
  }

  /** Gives up what nobody went on with, and takes files away whose import needs them no more. */
  async function sweep() {
    const there = uploads.ids();
    const left = await records.sweep();
    for (const id of there) if (!left.has(id) && current?.id !== id) await uploads.remove(id);
    if ([...left.values()].some(({ isPending }) => isPending)) wake();
  }

  const stopLooking = repeat(clock, lookMs, sweep, {
    firstMs: 500,
    onError: (error) => log.error('import.sweep_failed', {}, error),
  });

  return {
    wake,
    cancel(id) {
      if (current?.id === id) current.cancel.abort();
      wake();
    },
    async stop() {
      stopLooking();
      stopping.abort();
      await working;
    },
  };
}

function sourceOf(file: UploadedFile, size: number): ImportSource {
  return { stream: () => file.stream(), archive: async (work) => work(await readArchive(file, size)) };
}

/** The stores come back: it is gone on with at the next look. */
function isPassing(error: unknown): boolean {
  if (error instanceof SpoolUnavailable) return error.reason === 'busy' || error.reason === 'closed';
  return (
    error instanceof WarehouseUnavailable ||
    error instanceof PostgresAway ||
    (error instanceof RequestError && error.code === 'warehouse_unavailable')
  );
}

function sentenceFor({ id }: PendingImport, error: unknown): string {
  if (error instanceof SpoolUnavailable)
    return 'The disk of the desk took no more rows, so everything of this import was taken out again. Make room on the desk, and send the file again.';
  return `The import met a fault of ours, and nothing of it is left. It is in the log of the desk, as import.failed of import ${id}.`;
}
