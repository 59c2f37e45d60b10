import { basename } from 'node:path';
import type { Site } from '../../../contract/api.ts';
import { findSite } from '../../accounts/index.ts';
import type { ControlCommand } from '../../platform/control.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import { readLines } from '../ingest/lines.ts';
import type { Places } from '../ingest/place.ts';
import type { RunningIngest } from '../ingest/running.ts';
import type { SiteDirectory } from '../sites.ts';
import { type ImportReport, importEvents, undoImport } from './events.ts';

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

/** `import events` and `undo-import`, as the control socket knows them. */
export function importCommands(parts: ImportCommandParts): Record<string, ControlCommand> {
  const { house } = parts;
  const { config, postgres, clock, spool, warehouse } = house;
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

  async function runImport(
    domain: string,
    fileName: string,
    lines: AsyncIterable<string>,
    say: (progress: unknown) => void,
  ) {
    const { site, record } = await siteNamed(domain);
    const tenant = <T>(work: Parameters<typeof postgres.tenant<T>>[1]) => postgres.tenant(site.organisation_id, work);
    await takeBrokenOffOut(site, basename(fileName), say);
    const { id } = await tenant((sql) =>
      sql.one<{ id: number }>(
        "INSERT INTO imports (organisation_id, site_id, kind, file_name, state, created_at) VALUES ($1, $2, 'events', $3, 'running', $4) RETURNING id",
        [site.organisation_id, site.id, basename(fileName).slice(0, 255), new Date(clock.now())],
      ),
    );
    const finish = (state: 'done' | 'failed', report: ImportReport | undefined) =>
      tenant((sql) =>
        sql.run(
          'UPDATE imports SET state = $2, rows_read = $3, rows_stored = $4, rows_dropped = $5, first_day = $6, last_day = $7, finished_at = $8 WHERE id = $1',
          [
            id,
            state,
            report?.lines ?? 0,
            report?.stored ?? 0,
            droppedIn(report),
            report?.days?.first ?? null,
            report?.days?.last ?? null,
            new Date(clock.now()),
          ],
        ),
      );
    let report: ImportReport | undefined;
    atWork.add(id);
    try {
      report = await importEvents({
        lines,
        site: record,
        importId: id,
        nowMs: clock.now(),
        places: parts.places,
        salts: parts.ingest.salts,
        orderKeys: parts.ingest.orderKeys,
        addressDigest: parts.ingest.addressDigest,
        sealContact: parts.ingest.sealContact,
        random: house.random,
        append: (rows) => spool.lane('events').append(rows),
        markDirty: parts.markDirty,
        onProgress: (read) => say({ lines: read }),
      });
      const isDrained = await spool.drain(drainMs);
      await finish('done', report);
      if (!isDrained)
        throw new RequestError(
          'warehouse_unavailable',
          `All ${report.stored} rows are safe on disk, but the warehouse did not take them within ${drainMs / 60_000} minutes. They will appear by themselves.`,
        );
    } catch (error) {
      if (report === undefined) await finish('failed', report);
      throw error;
    } finally {
      atWork.delete(id);
    }
    return { import: id, site: site.domain, ...report };
  }

  /**
   * An import that was cut off has stored a part of its file, and the same file comes again whole: the part goes first,
   * so that each row is there once.
   */
  async function takeBrokenOffOut(site: Site, fileName: string, say: (progress: unknown) => void) {
    const earlier = await postgres.tenant(site.organisation_id, (sql) =>
      sql.query<EarlierImport>(
        "SELECT id, state, created_at FROM imports WHERE site_id = $1 AND file_name = $2 AND state IN ('running', 'failed', 'undoing') ORDER BY id",
        [site.id, fileName.slice(0, 255)],
      ),
    );
    for (const one of earlier.filter(isBrokenOff)) {
      // What comes through a pipe has no name to be known by.
      if (fileName === pipeName)
        say({ note: `Import ${one.id} was cut off. To take out what it stored: undo-import ${one.id}` });
      else {
        say({ note: `Import ${one.id} of this file was cut off: what it stored is taken out first.` });
        await takeOut(site, one.id);
      }
    }
  }

  function isBrokenOff({ id, state, created_at }: EarlierImport): boolean {
    if (state !== 'running') return true;
    if (atWork.has(id)) return false;
    return config.databaseUrl === undefined || clock.now() - created_at.getTime() > runningMsMax;
  }

  async function runUndo(domain: string, importId: number) {
    const { site } = await siteNamed(domain);
    const known = Number.isSafeInteger(importId)
      ? await postgres.tenant(site.organisation_id, (sql) =>
          sql.maybe<EarlierImport>('SELECT id, state, created_at FROM imports WHERE id = $1 AND site_id = $2', [
            importId,
            site.id,
          ]),
        )
      : undefined;
    if (known === undefined) throw new RequestError('not_found', `${site.domain} has no import number ${importId}.`);
    if (known.state === 'running' && !isBrokenOff(known))
      throw new RequestError('conflict', `Import ${importId} is still running. Wait for its end, then undo it.`);
    return takeOut(site, importId);
  }

  async function takeOut(site: Site, importId: number) {
    const setState = (state: 'undoing' | 'undone', at: Date | null) =>
      postgres.tenant(site.organisation_id, (sql) =>
        sql.run('UPDATE imports SET state = $2, undone_at = $3 WHERE id = $1', [importId, state, at]),
      );
    await setState('undoing', null);
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
    await setState('undone', new Date(clock.now()));
    return { import: importId, site: site.domain, rows };
  }

  return {
    import: (args, body, say) => runImport(args.get('site') ?? '', args.get('file') ?? '', readLines(body), say),
    'undo-import': (args) => runUndo(args.get('site') ?? '', Number(args.get('import'))),
  };
}

/** How the command line calls a file that has no name. */
const pipeName = 'standard input';

interface EarlierImport {
  id: number;
  state: string;
  created_at: Date;
}

function droppedIn(report: ImportReport | undefined): number {
  return Object.values(report?.stopped ?? {}).reduce((sum, { rows }) => sum + rows, 0);
}
