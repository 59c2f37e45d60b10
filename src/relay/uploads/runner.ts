import { errorStatus } from '../../../contract/errors.ts';
import type { Mapping } from '../../../contract/mapping.ts';
import { type Clock, pause, repeat } from '../../platform/clock.ts';
import type { UploadedFile } from '../../platform/files/sealed_parts.ts';
import { RequestError, whyOf } from '../../platform/http/route.ts';
import type { Log } from '../../platform/log.ts';
import { PostgresAway } from '../../platform/postgres/index.ts';
import type { KeyRing } from '../../platform/subject.ts';
import type { FreshKeys, Vault } from '../../platform/vault.ts';
import { type Warehouse, WarehouseUnavailable } from '../../platform/warehouse/index.ts';
import { type RunningSource, readSources } from '../intake/directory.ts';
import { intakeLine } from '../intake/line.ts';
import { type LoaderParts, load } from '../intake/loader.ts';
import { type ConversionRecord, identityOf, makeRecord, type Sealing } from '../intake/record.ts';
import { readMapping } from '../mapping/plan.ts';
import { digestOf, type UploadFiles } from './files.ts';
import { columnsReadBy, type ReadRow, readRow, tellingId } from './rows.ts';
import type { PendingUpload, Unsettled, UploadStore } from './store.ts';
import { detectFormat, openTable, type Table } from './table.ts';
import { openTally } from './tally.ts';

/** How often it is looked for what is over, and for what had to wait. */
const lookMs = 60_000;
/** Rows that are read before anybody is asked whether to go on, and that are stored together. */
const pieceRows = 1_000;
/** After work comes half as long a pause: requests and deliveries have the machine meanwhile. */
const pauseMsMax = 500;
/** An upload that the desk ended in the middle of so often, without having got on in between, has probably ended it. */
const triesMax = 5;
/** Where no key is at hand it is waited for one. */
const keyWaitMs = 100;
const keyWaits = 300;

/** The upload is no longer wanted, or the desk stops. */
class CalledOff extends Error {}
/** It is gone on with at the next look. */
class ComesLater extends Error {}

export interface UploadRunner {
  /** Something waits. */
  wake(): void;
  /** Looks what a file is whose every part is here: CSV or a workbook, or nothing that is read here. */
  settle(upload: Unsettled): Promise<void>;
  /** Ends the work on an upload that is no longer wanted. */
  cancel(id: number): void;
  stop(): Promise<void>;
}

export interface UploadRunnerParts {
  readonly postgres: LoaderParts['postgres'];
  readonly vault: Pick<Vault, 'adopt' | 'disown' | 'open' | 'fresh'>;
  readonly keys: Pick<KeyRing, 'digest'>;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly store: UploadStore;
  readonly files: UploadFiles;
  /** Where the intake log is. */
  readonly warehouse: Pick<Warehouse, 'insert'>;
  /** No other process of the desk can have its files. */
  readonly isAlone: boolean;
  /** Told which destinations have something to send. */
  readonly onWaiting?: (destinationIds: ReadonlySet<number>) => void;
}

/**
 * Looks files through and takes their conversions, one file after another. A kill in the middle loses nothing and stores
 * nothing twice: each row has a number that is made of its upload and its place, so what was stored and not yet noted is known
 * when it comes again, and what was noted is passed over.
 */
export function openUploadRunner(parts: UploadRunnerParts): UploadRunner {
  const { store, files, clock, log } = parts;
  const stopping = new AbortController();
  let current: { id: number; cancel: AbortController } | undefined;
  let working: Promise<void> | undefined;
  let isWoken = false;
  /** Uploads of which this process has begun a step. One that is found begun has seen its desk end. */
  const begunHere = { checking: new Set<number>(), running: new Set<number>() };

  async function work() {
    do {
      isWoken = false;
      for (const pending of await store.pending()) {
        if (stopping.signal.aborted) return;
        const now = await store.again(pending);
        // A file lies with the process that took it; to end one needs none.
        if (now !== undefined && (now.state === 'cancelling' || files.has(now.id) || isBegunHere(now)))
          await workOn(now);
        else if (now !== undefined && parts.isAlone) await giveUp(now, gone);
      }
    } while (isWoken && !stopping.signal.aborted);
  }

  async function workOn(pending: PendingUpload) {
    const cancel = new AbortController();
    current = { id: pending.id, cancel };
    const began = clock.monotonic();
    const isEnded = () => cancel.signal.aborted || stopping.signal.aborted;
    try {
      if (pending.state === 'cancelling') {
        await writeLine(pending, 202, 'cancelled');
        await store.end(pending, 'cancelled');
        await files.remove(pending.id);
      } else
        await withTable(pending, (opened) => (pending.state === 'checking' ? check : take)(pending, opened, isEnded));
      log.info('relay.upload_step', {
        ...{ upload: pending.id, organisation: pending.organisation_id, state: pending.state },
        ms: Math.round(clock.monotonic() - began),
      });
    } catch (error) {
      if (error instanceof CalledOff) {
        isWoken = true;
        return;
      }
      if (stopping.signal.aborted || error instanceof ComesLater || error instanceof PostgresAway) throw error;
      await giveUp(pending, error);
    } finally {
      current = undefined;
    }
  }

  async function withTable(pending: PendingUpload, what: (opened: Opened) => Promise<void>) {
    const source = (await readSources(parts.postgres, parts.vault, pending.organisation_id, clock.now())).find(
      ({ id }) => id === pending.source_id,
    );
    // Its source was deleted, and its line with it.
    if (source === undefined) throw new CalledOff();
    const mapping = await mappingOf(pending, source);
    const file = await files.open(pending.id, pending.size);
    try {
      const table = await openTable(file, pending.size, pending.format);
      try {
        // The same words are the same conversion however much later they come: a file is sent again after days.
        const own = {
          ...source,
          mapping,
          mappingVersion: pending.mapping_version,
          doublesMinutes: Number.POSITIVE_INFINITY,
        };
        await what({ source: own, mapping, table, file, used: columnsReadBy(mapping) });
      } finally {
        await table.rows.return(undefined);
      }
    } finally {
      await file.close();
    }
  }

  async function mappingOf(pending: PendingUpload, source: RunningSource): Promise<Mapping> {
    if (pending.mapping_version === source.mappingVersion && source.mapping !== undefined) return source.mapping;
    const row = await parts.postgres.tenant(pending.organisation_id, (sql) =>
      sql.maybe<{ mapping: unknown }>('SELECT mapping FROM relay_mappings WHERE source_id = $1 AND version = $2', [
        ...[pending.source_id, pending.mapping_version],
      ]),
    );
    const read = row === undefined ? undefined : readMapping(row.mapping);
    if (read !== undefined && 'mapping' in read) return read.mapping;
    throw new RequestError(
      'conflict',
      'This source has no mapping yet. Say which column is what, and check the file again.',
    );
  }

  /** The dry run: what would come of every row. Nothing is stored of it but counts. */
  async function check(pending: PendingUpload, { source, mapping, table, file, used }: Opened, isEnded: () => boolean) {
    await countTry(pending, 'looked through it, so it was given up. Nothing was taken; send it in smaller pieces.');
    const tally = openTally(table.columns, used);
    const nowMs = clock.now();
    for await (const rows of pieces(table.rows, ({ row }) => row > 0)) {
      const began = clock.monotonic();
      const identities: ConversionRecord['identity'][] = [];
      for (const one of rows) {
        const read = readRow(one, mapping, used, nowMs);
        tally.addRow(read);
        for (const conversion of read.conversions) identities.push(identityOf(conversion, source, parts.keys));
      }
      tally.addIdentities(
        identities,
        await store.known(
          pending,
          identities.map(({ digest }) => digest),
        ),
      );
      if (isEnded() || !(await store.progress(pending, file.bytesRead / pending.size))) throw new CalledOff();
      await rest(clock.monotonic() - began);
    }
    const isWanted = await store.checked(pending, tally.report());
    begunHere.checking.delete(pending.id);
    if (!isWanted) throw new CalledOff();
  }

  function isBegunHere({ id, state }: PendingUpload): boolean {
    return state !== 'cancelling' && begunHere[state].has(id);
  }

  /** @throws RequestError where the desk has ended in it too often */
  async function countTry(pending: PendingUpload, whatEnded: string): Promise<void> {
    if (isBegunHere(pending) || pending.state === 'cancelling') return;
    if (pending.tries >= triesMax)
      throw new RequestError('conflict', `The desk ended ${pending.tries} times while it ${whatEnded}`);
    begunHere[pending.state].add(pending.id);
    await store.countTry(pending);
  }

  async function take(pending: PendingUpload, { source, mapping, table, used }: Opened, isEnded: () => boolean) {
    if (source.state !== 'active')
      throw new RequestError(
        'conflict',
        'This source is paused, so nothing more was taken. Start it again, and send the file again.',
      );
    const next = pending.last_row === 0 ? 'its first rows' : `what comes after row ${pending.last_row}`;
    await countTry(pending, `took ${next}, so it was given up. What was taken stays; send the rest in smaller pieces.`);
    const at = pending.started_at?.getTime() ?? clock.now();
    const freshKeys = await parts.vault.fresh(pending.organisation_id);
    let done = pending.rows_read;
    try {
      for await (const some of pieces(table.rows, ({ row }) => row > pending.last_row)) {
        if (isEnded()) throw new CalledOff();
        const began = clock.monotonic();
        const rows = some.map((one) => readRow(one, mapping, used, at));
        const { tellings, refused } = await store_(pending, rows, { source, at, freshKeys });
        done += rows.length;
        const isWanted = await store.advance(
          pending,
          {
            lastRow: rows.at(-1)?.row ?? 0,
            tellings,
            rows: rows.map((read) => (refused.has(read.row) ? refusedRow(read) : read)),
          },
          pending.checked ? done / pending.checked : 0,
        );
        if (!isWanted) throw new CalledOff();
        await rest(clock.monotonic() - began);
      }
    } finally {
      freshKeys.close();
    }
    await writeLine(pending, 202);
    await store.end(pending, 'done');
    await files.remove(pending.id);
    begunHere.running.delete(pending.id);
  }

  /** Stores what rows tell. @returns the numbers of their tellings, and rows that the database refuses for what is in them */
  async function store_(
    pending: PendingUpload,
    rows: readonly ReadRow[],
    { source, at, freshKeys }: { source: RunningSource; at: number; freshKeys: FreshKeys },
  ): Promise<{ tellings: string[]; refused: ReadonlySet<number> }> {
    const records: { row: number; record: ConversionRecord }[] = [];
    for (const { row, conversions } of rows)
      for (const [place, conversion] of conversions.entries()) {
        const id = tellingId(pending.request_id, row, place);
        const came = { request: pending.request_id, at, freshKeys, id };
        records.push({ row, record: await keyed(() => makeRecord(conversion, source, came, parts.sealing)) });
      }
    const refused = new Set<number>();
    const all = records.map(({ record }) => record);
    try {
      if (all.length > 0) await load(parts, pending.organisation_id, all);
    } catch (error) {
      if (!isOfRow(error)) throw error;
      for (const { row, record } of records)
        await load(parts, pending.organisation_id, [record]).catch((one) => {
          if (!isOfRow(one)) throw one;
          refused.add(row);
        });
    }
    return { tellings: all.map(({ id }) => id), refused };
  }

  /**
   * The line of an upload in the intake log, with its end: how many conversions it told of, and how many rows had a problem. The
   * upload's number is the token of the insert, so a kill in between writes no second one.
   */
  async function writeLine(pending: PendingUpload, status: number, reason?: string): Promise<void> {
    const taken = await store.taken(pending);
    const at = clock.now();
    const line = intakeLine({
      ...{ organisationId: pending.organisation_id, sourceId: pending.source_id, at, id: pending.request_id },
      ...{ way: 'upload', status, ...(reason !== undefined && { reason }), bytes: pending.size },
      ...{ ms: at - (pending.started_at?.getTime() ?? at), ...taken },
    });
    try {
      await parts.warehouse.insert('relay_intake', Buffer.from(line), `relay_upload:${pending.request_id}`);
    } catch (error) {
      if (error instanceof WarehouseUnavailable) throw new ComesLater(whyOf(error));
      log.error('relay.upload_not_logged', { upload: pending.id, organisation: pending.organisation_id }, error);
    }
  }

  /** A key is at hand nearly always; where the stock is used up the next ones come within moments. */
  async function keyed(make: () => ConversionRecord | undefined): Promise<ConversionRecord> {
    for (let waits = 0; waits < keyWaits; waits++) {
      const record = make();
      if (record !== undefined) return record;
      await pause(clock, keyWaitMs, stopping.signal);
      if (stopping.signal.aborted) throw new CalledOff();
    }
    throw new ComesLater('no key is at hand');
  }

  function rest(workedMs: number): Promise<void> {
    return pause(clock, Math.min(workedMs / 2, pauseMsMax), stopping.signal);
  }

  async function giveUp(pending: PendingUpload, error: unknown) {
    const isExpected = error instanceof RequestError;
    if (!isExpected)
      log.error('relay.upload_failed', { upload: pending.id, organisation: pending.organisation_id }, error);
    const fault = `The upload met a fault of ours. What was taken stays, and nothing is taken twice: send the file again. It is in the log of the desk, as relay.upload_failed of upload ${pending.id}.`;
    await writeLine(pending, isExpected ? errorStatus[error.code] : 500, 'failed');
    await store.fail(pending, isExpected ? error.message : fault);
    await files.remove(pending.id);
  }

  async function settle({ id, size, organisation_id: organisation, source_id: source }: Unsettled): Promise<void> {
    const file = await files.open(id, size);
    try {
      const { format } = await detectFormat(file, size);
      const digest = parts.keys.digest('relay-upload', await digestOf(file));
      await store.whole({ organisation, source }, id, format, digest);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      await store.fail({ id, organisation_id: organisation }, error.message);
      await files.remove(id);
    } finally {
      await file.close();
    }
  }

  function wake() {
    isWoken = true;
    working ??= work()
      .catch((error) => log.warn('relay.upload_waits', { why: whyOf(error) }))
      .finally(() => {
        working = undefined;
        if (isWoken && !stopping.signal.aborted) wake();
      });
  }

  /** Takes lines away whose time is over, and files that no line needs. */
  async function sweep() {
    const there = files.ids();
    const left = await store.sweep();
    for (const id of there) if (!left.has(id) && current?.id !== id) await files.remove(id);
    if (left.size > 0) wake();
    for (const one of await store.unsettled())
      if (files.has(one.id)) await settle(one);
      else if (parts.isAlone) await store.fail(one, gone.message);
  }

  const stopLooking = repeat(clock, lookMs, sweep, {
    firstMs: 500,
    onError: (error) => log.error('relay.upload_sweep_failed', {}, error),
  });

  return {
    wake,
    settle,
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

interface Opened {
  readonly source: RunningSource;
  readonly mapping: Mapping;
  readonly table: Table;
  readonly file: UploadedFile;
  readonly used: ReadonlySet<string>;
}

const gone = new RequestError(
  'conflict',
  'The file is not on the desk any more. What was taken of it stays, and nothing is taken twice: send it again.',
);

async function* pieces<One>(all: AsyncIterable<One>, takes: (one: One) => boolean): AsyncGenerator<One[]> {
  let piece: One[] = [];
  for await (const one of all) {
    if (!takes(one)) continue;
    piece.push(one);
    if (piece.length < pieceRows) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}

/** What the values of a row are to blame for comes again however often it is tried. */
function isOfRow(error: unknown): boolean {
  return /^2[23]/.test((error as { code?: string }).code ?? '');
}

function refusedRow({ row }: ReadRow): ReadRow {
  return { row, conversions: [], problems: [{ field: '', reason: 'invalid' }], isIgnored: false };
}
