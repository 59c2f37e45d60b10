import { mkdirSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { listSites, type Notices } from '../../accounts/index.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { openFileRunner } from '../exports/runner.ts';
import { openedFile, sealedForm } from '../exports/sealed_file.ts';
import { openArchiveRecords } from './records.ts';
import { archiveRoutes } from './routes.ts';
import { writeArchive } from './write.ts';

/**
 * Archives of organisations: everything that belongs to one, as one file, written in the background and sealed.
 * @param auditLines the whole audit log of an organisation, as its export
 */
export function openOrganisationArchives(
  house: House,
  notices: Pick<Notices, 'tell'>,
  auditLines: (organisationId: number) => AsyncIterable<string>,
): RunningSubject {
  const { config, postgres, random, log } = house;
  // A file lies where it was written, so it is written where it is asked for.
  if (config.role !== 'all' && config.role !== 'app') return {};
  const records = openArchiveRecords({ ...house, notices });
  const runner = openFileRunner(house, {
    ...{ name: 'archive', folder: 'archives', records },
    async write(pending, { out, signal, onDay }) {
      const { id, organisation_id: organisationId, name, slug, created_at: madeAt } = pending;
      const folder = `${out}.part`;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      // Says to the runner that what lies here can be gone on with.
      writeFileSync(join(folder, 'note.json'), '{}', { mode: 0o600 });
      const sites = await postgres.tenant(organisationId, listSites);
      const form = sealedForm({ of: 'organisation archive', id, key: await records.keyOf(organisationId, id) }, random);
      let sitesDone = 0;
      let rowsBefore = 0;
      let rowsOfSite = 0;
      const { file, rows } = await writeArchive(
        house,
        { organisation: { id: organisationId, name, slug }, sites, madeAt },
        {
          ...{ folder, form, signal, auditLines },
          async onDay(progress) {
            rowsOfSite = progress.rows;
            await onDay({ ...progress, done: sitesDone, rows: rowsBefore + rowsOfSite });
          },
          onSite(done) {
            sitesDone = done;
            rowsBefore += rowsOfSite;
            rowsOfSite = 0;
          },
        },
      );
      await records.progress(pending, { done: sites.length, rows });
      await rename(file, out);
      log.info('archive.written', { archive: id, organisation: organisationId, sites: sites.length, rows });
    },
  });
  return {
    routes: archiveRoutes(house, { records, runner }),
    sealed: [
      {
        folder: 'archives',
        async open(name, organisationId) {
          const key = /^\d+$/.test(name) ? await records.keyForScan(Number(name), organisationId) : undefined;
          return key === undefined
            ? undefined
            : openedFile(runner.fileOf(Number(name)), { of: 'organisation archive', id: Number(name), key });
        },
        held: (organisationId) => records.heldFiles(organisationId),
      },
    ],
    stop: () => runner.stop(),
  };
}
