import { basename } from 'node:path';
import type { Site } from '../../../contract/api.ts';
import { importKinds } from '../../../contract/imports.ts';
import { findSite } from '../../accounts/index.ts';
import type { ControlCommand } from '../../platform/control.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { refuseWhileHeld } from '../../trust/windows/index.ts';
import { siteTarget } from '../act_target.ts';
import type { SiteDirectory } from '../sites.ts';
import { drainMs, type Importer, type ImportOutcome } from './importer.ts';
import { type ImportRecord, openRecords } from './records.ts';

/** Where several processes share the stores, a running import of another one is taken for dead after so long. */
const runningMsMax = 24 * 3_600_000;

type Say = (progress: unknown) => void;

/** `import`, `imports` and `undo-import`, as the control socket knows them. */
export function importCommands(
  house: Pick<House, 'config' | 'postgres' | 'spool' | 'clock' | 'audit'>,
  importer: Importer,
  sites: Pick<SiteDirectory, 'byId'>,
): Record<string, ControlCommand> {
  const { config, postgres, clock, spool, audit } = house;
  const records = openRecords(postgres, clock);
  /** Imports that this process is at. A 'running' one that is not among them was cut off with its process. */
  const atWork = new Set<number>();

  async function siteNamed(domain: string) {
    const site = await findSite(postgres, domain);
    const record = site === undefined ? undefined : sites.byId(site.id);
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
    const job = {
      ...{ kind, site, record, isDry, source: { stream: () => body } },
      onProgress: (rows: number) => say({ lines: rows }),
    };
    if (isDry) {
      const { report } = await importer.take({ ...job, importId: 0 });
      return { dry_run: true, kind, site: site.domain, ...report };
    }
    const fileName = basename(args.get('file') ?? '').slice(0, 255);
    return alone(site, async () => {
      await takeBrokenOffOut(site, fileName, say);
      const id = await records.begin(site, kind, fileName, (sql, made) => note(sql, 'import.started', site, made));
      let outcome: ImportOutcome | undefined;
      atWork.add(id);
      try {
        outcome = await importer.take({ ...job, importId: id });
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
    });
  }

  async function alone<T extends object>(site: Site, work: () => Promise<T>): Promise<T> {
    const done = await importer.alone(site.id, work);
    if (done !== undefined) return done;
    throw new RequestError(
      'conflict',
      `Another import of ${site.domain} is running. Wait for its end (fairlead imports --site ${site.domain}), or cancel it.`,
    );
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
    if (known.state === 'uploading' || known.state === 'checking' || known.state === 'ready')
      throw new RequestError(
        'conflict',
        `Import ${importId} has stored nothing yet. Cancel it on the page of imports, or by DELETE /api/sites/${site.domain}/imports/${importId}.`,
      );
    if (known.state === 'running' && (known.size !== null || !isBrokenOff(known)))
      throw new RequestError('conflict', `Import ${importId} is still running. Wait for its end, then undo it.`);
    return alone(site, () => takeOut(site, known));
  }

  function note(sql: Sql, action: string, site: Site, id: number) {
    return audit.record(sql, site.organisation_id, {
      action,
      actor: { type: 'operator' },
      targets: [siteTarget(site), { type: 'import', id }],
    });
  }

  async function takeOut(site: Site, known: ImportRecord) {
    await records.setState(site, known.id, 'undoing', async (sql) => {
      await refuseWhileHeld(sql, site.organisation_id, site.id);
      await note(sql, 'import.undone', site, known.id);
    });
    const rows = await importer.takeOut(site, known);
    await records.setState(site, known.id, 'undone');
    return { import: known.id, site: site.domain, rows };
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
