import type { Site } from '../../../contract/api.ts';
import type { ImportKind } from '../../../contract/imports.ts';
import { type Archive, peekZip, withArchive } from '../../platform/files/archive.ts';
import { expanded } from '../../platform/files/expand.ts';
import { RequestError } from '../../platform/http/route.ts';
import { readLines } from '../../platform/lines.ts';
import type { House } from '../../platform/subject.ts';
import { aloneIn } from '../history/index.ts';
import type { Places } from '../ingest/place.ts';
import type { RunningIngest } from '../ingest/running.ts';
import type { SiteDirectory, SiteRecord } from '../sites.ts';
import { openAgedKeys } from '../visits/aged_keys.ts';
import { accessLogReader } from './access_log.ts';
import { type DayReading, importDays, undoDays } from './day_import.ts';
import { type ImportParts, importEvents, undoImport } from './events.ts';
import { readGa4 } from './ga4.ts';
import { importLimits } from './limits.ts';
import { occupiedByDay, occupiedByKind, today } from './occupied.ts';
import { readPlausible } from './plausible.ts';
import type { ImportRecord } from './records.ts';
import type { AnyReport } from './report_body.ts';
import { readUmamiEvents, type UmamiTables, umamiTablesIn } from './umami.ts';

export interface ImporterParts {
  house: Pick<House, 'config' | 'postgres' | 'warehouse' | 'spool' | 'clock' | 'random'>;
  ingest: Pick<RunningIngest, 'salts' | 'orderKeys' | 'addressDigest' | 'sealContact' | 'begun'>;
  sites: SiteDirectory;
  places: Pick<Places, 'lookup'>;
  markDirty(siteId: number, days: readonly string[]): Promise<void>;
}

/** An import ends when its rows can be queried; this is how long it waits for a warehouse that is away. */
export const drainMs = 10 * 60_000;

/** A file as it comes: once from its beginning, or, where it lies on a disk, as an archive without a copy. */
export interface ImportSource {
  stream(): AsyncIterable<Buffer>;
  /** Absent: an archive is made of the stream. */
  archive?<T>(work: (archive: Archive) => Promise<T>): Promise<T>;
}

/** What is imported, from where to where. */
export interface ImportJob {
  kind: ImportKind;
  site: Site;
  record: SiteRecord;
  /** 0 in a dry run. */
  importId: number;
  /** How often this import was begun before. */
  attempt?: number;
  isDry: boolean;
  source: ImportSource;
  /** Rows read so far; awaited, and what it throws ends the import. */
  onProgress(rows: number): void | Promise<void>;
}
export interface ImportOutcome {
  report: AnyReport;
  /** Days that hold imported numbers now. */
  days: readonly string[];
  holds?: object;
}

export type Importer = ReturnType<typeof openImporter>;

/** Reads files into a site and takes imports out again; knows nothing of where a file comes from or who asks. */
export function openImporter(parts: ImporterParts) {
  const { house } = parts;
  const { clock, spool, warehouse } = house;
  const alone = aloneIn(house.postgres, clock);

  async function take(job: ImportJob): Promise<ImportOutcome> {
    const { source, record } = job;
    await parts.ingest.begun;
    switch (job.kind) {
      case 'events':
        return takeEvents(job, { lines: readLines(source.stream()) });
      case 'access-log':
        return takeEvents(job, {
          lines: readLines(expanded(source.stream()), importLimits.lineCharsMax),
          read: accessLogReader(record.domain),
          occupied: await occupiedByDay(house, job.site),
        });
      case 'plausible':
        return inArchive(source, (archive) => takeDays(job, readPlausible(archive, record.domain)));
      case 'ga4':
        return takeDays(job, readGa4(source.stream(), record.domain));
      case 'umami':
        return takeUmami(job);
    }
  }

  /** A ZIP with the tables, or the one table of events. */
  async function takeUmami(job: ImportJob): Promise<ImportOutcome> {
    const occupied = await occupiedByDay(house, job.site);
    const takeTables = (tables: UmamiTables) =>
      takeEvents(job, { lines: readUmamiEvents(tables, job.record), occupied });
    const { isZip, all } = await peekZip(job.source.stream());
    if (!isZip) return takeTables({ events: all });
    const notUnderstood: string[] = [];
    return inArchive({ ...job.source, stream: () => all }, async (archive) => {
      const outcome = await takeTables(umamiTablesIn(archive, (name) => notUnderstood.push(name)));
      return { ...outcome, report: { ...outcome.report, notUnderstood } };
    });
  }

  async function takeEvents(
    job: ImportJob,
    from: Pick<ImportParts, 'lines' | 'read' | 'occupied'>,
  ): Promise<ImportOutcome> {
    const { record, importId, isDry } = job;
    const { report, days } = await importEvents({
      ...from,
      site: record,
      importId,
      nowMs: clock.now(),
      places: parts.places,
      salts: parts.ingest.salts,
      // A dry run may not make the desk know an order that it has not stored.
      orderKeys: isDry ? openAgedKeys({ keysMax: 1_000_000, keepMs: drainMs }) : parts.ingest.orderKeys,
      addressDigest: parts.ingest.addressDigest,
      sealContact: parts.ingest.sealContact,
      random: house.random,
      append: isDry ? async () => {} : (rows) => spool.lane('events').append(rows),
      markDirty: isDry ? async () => {} : parts.markDirty,
      onProgress: job.onProgress,
    });
    return { report, days };
  }

  async function takeDays(job: ImportJob, readings: AsyncIterable<DayReading>): Promise<ImportOutcome> {
    const { report, held } = await importDays({
      readings,
      siteId: job.site.id,
      importId: job.importId,
      ...(job.attempt === undefined ? {} : { attempt: job.attempt }),
      today: today(clock.now(), job.record.timezone),
      occupied: await occupiedByKind(house, job.site),
      warehouse: job.isDry ? undefined : warehouse,
      onProgress: job.onProgress,
    });
    return { report, days: held.days, holds: held.holds };
  }

  /**
   * Takes every row of an import out again; its record is left as it is.
   * @throws RequestError (`warehouse_unavailable`) when rows are still on their way, and nothing was taken out
   */
  async function takeOut(site: Pick<Site, 'id'>, { id, kind }: Pick<ImportRecord, 'id' | 'kind'>): Promise<number> {
    if (kind === 'plausible' || kind === 'ga4')
      return (await undoDays({ warehouse, siteId: site.id, importId: id })).rows;
    await parts.ingest.begun;
    // Rows still in the spool would arrive after the deletion and stay.
    if (!(await spool.drain(drainMs)))
      throw new RequestError(
        'warehouse_unavailable',
        'The warehouse does not answer, so nothing was undone. Run the command again when it does.',
      );
    const { rows } = await undoImport({
      warehouse,
      orderKeys: parts.ingest.orderKeys,
      siteId: site.id,
      importId: id,
      markDirty: parts.markDirty,
    });
    return rows;
  }

  return {
    take,
    takeOut,
    /**
     * Two imports of one site at the same time would both find a day empty, and it would count twice.
     * @returns undefined when another import of the site runs, in this process or another
     */
    alone: <T>(siteId: number, work: (held: () => boolean) => Promise<T>) => alone(`import of site ${siteId}`, work),
  };
}

function inArchive<T>(source: ImportSource, work: (archive: Archive) => Promise<T>): Promise<T> {
  return source.archive === undefined ? withArchive(source.stream(), work) : source.archive(work);
}
