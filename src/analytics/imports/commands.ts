import { basename } from 'node:path';
import type { Site } from '../../../contract/api.ts';
import { findSite } from '../../accounts/index.ts';
import type { ControlCommand } from '../../platform/control.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import { readLines } from '../ingest/lines.ts';
import type { Places } from '../ingest/place.ts';
import type { RunningIngest } from '../ingest/running.ts';
import type { SiteDirectory, SiteRecord } from '../sites.ts';
import { openAgedKeys } from '../visits/aged_keys.ts';
import { accessLogReader } from './access_log.ts';
import { peekZip, withArchive } from './archive.ts';
import { type DayReading, importDays, undoDays } from './day_import.ts';
import { type ImportParts, importEvents, undoImport } from './events.ts';
import { expanded } from './expand.ts';
import { readGa4 } from './ga4.ts';
import { importLimits } from './limits.ts';
import { occupiedByDay, occupiedByKind, today } from './occupied.ts';
import { readPlausible } from './plausible.ts';
import { type ImportKind, type ImportRecord, importKinds, openRecords } from './records.ts';
import type { ImportReport } from './report.ts';
import { readUmamiEvents, type UmamiTables, umamiTablesIn } from './umami.ts';

export interface ImportCommandParts {
  house: Pick<House, 'config' | 'postgres' | 'warehouse' | 'spool' | 'clock' | 'random'>;
  ingest: Pick<RunningIngest, 'salts' | 'orderKeys' | 'addressDigest' | 'sealContact'>;
  sites: SiteDirectory;
  places: Pick<Places, 'lookup'>;
  markDirty(siteId: number, days: readonly string[]): Promise<void>;
}

/** An import ends when its rows can be queried; this is how long it waits for a warehouse that is away. */
const drainMs = 10 * 60_000;
/** Where several processes share the stores, a running import of another one is taken for dead after so long. */
const runningMsMax = 24 * 3_600_000;

type Say = (progress: unknown) => void;

/** What is imported, from where to where. */
interface Job {
  kind: ImportKind;
  site: Site;
  record: SiteRecord;
  /** 0 in a dry run. */
  importId: number;
  isDry: boolean;
  body: AsyncIterable<Buffer>;
  say: Say;
}
interface Outcome {
  report: ImportReport;
  /** Days that hold imported numbers now. */
  days: readonly string[];
  holds?: object;
}

/** `import`, `imports` and `undo-import`, as the control socket knows them. */
export function importCommands(parts: ImportCommandParts): Record<string, ControlCommand> {
  const { house } = parts;
  const { config, postgres, clock, spool, warehouse } = house;
  const records = openRecords(postgres, clock);
  /** Imports that this process is at. A 'running' one that is not among them was cut off with its process. */
  const atWork = new Set<number>();

  async function siteNamed(domain: string) {
    const site = await findSite(postgres, domain);
    const record = site === undefined ? undefined : parts.sites.byId(site.id);
    if (site === undefined || record === undefined)
      throw new RequestError(
        'not_found',
        `No site here is called "${domain}". Add it first: fairlead setup --site ${domain} …`,
      );
    return { site, record };
  }

  async function runImport(args: URLSearchParams, body: AsyncIterable<Buffer>, say: Say) {
    const kind = importKinds.find((known) => known === (args.get('kind') ?? 'events'));
    if (kind === undefined)
      throw new RequestError('bad_request', `There is no import of that kind. Name one of: ${importKinds.join(', ')}.`);
    const { site, record } = await siteNamed(args.get('site') ?? '');
    const isDry = args.get('dry_run') === '1';
    const job = { kind, site, record, isDry, body, say };
    if (isDry) {
      const { report } = await take({ ...job, importId: 0 });
      return { dry_run: true, kind, site: site.domain, ...report };
    }
    const fileName = basename(args.get('file') ?? '').slice(0, 255);
    await takeBrokenOffOut(site, fileName, say);
    const id = await records.begin(site, kind, fileName);
    let outcome: Outcome | undefined;
    atWork.add(id);
    try {
      outcome = await take({ ...job, importId: id });
      const isDrained = await spool.drain(drainMs);
      await records.finish(site, id, 'done', outcome);
      if (!isDrained)
        throw new RequestError(
          'warehouse_unavailable',
          `All ${outcome.report.stored} rows are safe on disk, but the warehouse did not take them within ${drainMs / 60_000} minutes. They will appear by themselves.`,
        );
    } catch (error) {
      if (outcome === undefined) {
        await records.finish(site, id, 'failed', undefined);
        // A file that is refused in its middle has no second half to wait for.
        const failed = await records.find(site, id);
        if (error instanceof RequestError && error.code === 'bad_request' && failed !== undefined)
          await takeOut(site, failed);
      }
      throw error;
    } finally {
      atWork.delete(id);
    }
    return { import: id, kind, site: site.domain, ...outcome.report };
  }

  async function take(job: Job): Promise<Outcome> {
    const { body, record } = job;
    switch (job.kind) {
      case 'events':
        return takeEvents(job, { lines: readLines(body) });
      case 'access-log':
        return takeEvents(job, {
          lines: readLines(expanded(body), importLimits.lineCharsMax),
          read: accessLogReader(record.domain),
          occupied: await occupiedByDay(house, job.site),
        });
      case 'plausible':
        return withArchive(body, (archive) => takeDays(job, readPlausible(archive, record.domain)));
      case 'ga4':
        return takeDays(job, readGa4(body, record.domain));
      case 'umami':
        return takeUmami(job);
    }
  }

  /** A ZIP with the tables, or the one table of events. */
  async function takeUmami(job: Job): Promise<Outcome> {
    const occupied = await occupiedByDay(house, job.site);
    const take = (tables: UmamiTables) => takeEvents(job, { lines: readUmamiEvents(tables, job.record), occupied });
    const { isZip, all } = await peekZip(job.body);
    if (!isZip) return take({ events: all });
    const notUnderstood: string[] = [];
    return withArchive(all, async (archive) => {
      const outcome = await take(umamiTablesIn(archive, (name) => notUnderstood.push(name)));
      return { ...outcome, report: { ...outcome.report, notUnderstood } };
    });
  }

  async function takeEvents(job: Job, from: Pick<ImportParts, 'lines' | 'read' | 'occupied'>): Promise<Outcome> {
    const { record, importId, isDry, say } = job;
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
      onProgress: (read) => say({ lines: read }),
    });
    return { report, days };
  }

  async function takeDays(job: Job, readings: AsyncIterable<DayReading>): Promise<Outcome> {
    const { report, held } = await importDays({
      readings,
      siteId: job.site.id,
      importId: job.importId,
      today: today(clock.now(), job.record.timezone),
      occupied: await occupiedByKind(house, job.site),
      warehouse: job.isDry ? undefined : warehouse,
      onProgress: (rows) => job.say({ lines: rows }),
    });
    return { report, days: held.days, holds: held.holds };
  }

  /**
   * An import that was cut off has stored a part of its file, and the same file comes again whole: the part goes first,
   * so that each row is there once.
   */
  async function takeBrokenOffOut(site: Site, fileName: string, say: Say) {
    const earlier = await records.unfinished(site, fileName);
    for (const one of earlier.filter(isBrokenOff)) {
      // What comes through a pipe has no name to be known by.
      if (fileName === pipeName)
        say({ note: `Import ${one.id} was cut off. To take out what it stored: undo-import ${one.id}` });
      else {
        say({ note: `Import ${one.id} of this file was cut off: what it stored is taken out first.` });
        await takeOut(site, one);
      }
    }
  }

  function isBrokenOff({ id, state, created_at }: ImportRecord): boolean {
    if (state !== 'running') return true;
    if (atWork.has(id)) return false;
    return config.databaseUrl === undefined || clock.now() - created_at.getTime() > runningMsMax;
  }

  async function runUndo(domain: string, importId: number) {
    const { site } = await siteNamed(domain);
    const known = Number.isSafeInteger(importId) ? await records.find(site, importId) : undefined;
    if (known === undefined) throw new RequestError('not_found', `${site.domain} has no import number ${importId}.`);
    if (known.state === 'running' && !isBrokenOff(known))
      throw new RequestError('conflict', `Import ${importId} is still running. Wait for its end, then undo it.`);
    return takeOut(site, known);
  }

  async function takeOut(site: Site, { id, kind }: ImportRecord) {
    await records.setState(site, id, 'undoing');
    const rows = kind === 'plausible' || kind === 'ga4' ? await takeDaysOut(site, id) : await takeEventsOut(site, id);
    await records.setState(site, id, 'undone');
    return { import: id, site: site.domain, rows };
  }

  async function takeDaysOut(site: Site, importId: number): Promise<number> {
    return (await undoDays({ warehouse, siteId: site.id, importId })).rows;
  }

  async function takeEventsOut(site: Site, importId: number): Promise<number> {
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
      importId,
      markDirty: parts.markDirty,
    });
    return rows;
  }

  return {
    import: runImport,
    imports: async (args) => {
      const { site } = await siteNamed(args.get('site') ?? '');
      return { site: site.domain, imports: await records.list(site) };
    },
    'undo-import': (args) => runUndo(args.get('site') ?? '', Number(args.get('import'))),
  };
}

/** How the command line calls a file that has no name. */
const pipeName = 'standard input';
