import { z } from 'zod';
import { organisationArchive, organisationArchives } from '../../../contract/organisation_archives.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { FileRunner } from '../exports/runner.ts';
import { openedFile } from '../exports/sealed_file.ts';
import { refuseWithheld } from '../exports/withheld.ts';
import { type ArchiveRecords, archivesMax } from './records.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofArchive = ofOrganisation.extend({ archive: z.coerce.number().int().positive() });

/** Everything of an organisation as one file, for its owners: before it is closed, or whenever they want a copy. */
export function archiveRoutes(
  { postgres, warehouse, audit }: Pick<House, 'postgres' | 'warehouse' | 'audit'>,
  { records, runner }: { records: ArchiveRecords; runner: FileRunner },
): Route[] {
  const noted =
    (action: string, organisation: number, request: Parameters<typeof actOf>[0]) => async (sql: Sql, id: number) =>
      audit.record(sql, organisation, {
        ...{ action, ...actOf(request) },
        targets: [{ type: 'archive', id, label: `archive ${id}` }],
      });
  const noSuch = () => new RequestError('not_found', 'There is no archive with this number here.');

  async function eventsOf(organisation: number): Promise<number> {
    const sites = await postgres.tenant(organisation, (sql) =>
      sql.query<{ id: number }>('SELECT id FROM sites WHERE organisation_id = $1', [organisation]),
    );
    const [row] = await warehouse.read<{ events: string }>(
      'SELECT count() AS events FROM events WHERE has({sites:Array(UInt64)}, site_id)',
      { sites: sites.map(({ id }) => id) },
      { purpose: 'export' },
    );
    return Number(row?.events ?? 0);
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/archives',
      access: 'organisation.take',
      summary: 'Archives of everything that belongs to the organisation, newest first, each with how far it is.',
      params: ofOrganisation,
      answer: organisationArchives,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return { body: { archives: await records.list(organisation) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/archives',
      access: 'organisation.take',
      summary:
        'Begins to write everything that belongs to the organisation into one file, in the background: settings, registers and every event. Without secrets.',
      params: ofOrganisation,
      answer: organisationArchive,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        runner.checkRoom(2 * (await eventsOf(organisation)));
        const made = await records.begin(
          organisation,
          (request.principal as Principal).id,
          noted('archive.started', organisation, request),
        );
        if (made === 'running')
          throw new RequestError('conflict', 'An archive is being made already. Wait for it, or cancel it.');
        if (made === 'full')
          throw new RequestError(
            'conflict',
            `An organisation has at most ${archivesMax} archives at once. Delete one that is no longer needed.`,
          );
        runner.begin(made.id);
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/archives/:archive/file',
      access: 'organisation.take',
      summary: 'The file of a finished archive: one ZIP, opened while it is sent.',
      params: ofArchive,
      answersFile: true,
      async handle(request) {
        const { organisation, archive } = request.params;
        request.allow(organisation);
        const found = await records.find(organisation, archive);
        if (found === undefined) throw noSuch();
        if (found.state !== 'done')
          throw new RequestError('conflict', 'This archive has no file: it is not finished, or it failed.');
        refuseWithheld('archive', found.withheld);
        const key = await records.keyOf(organisation, archive);
        const { slug } = await postgres.tenant(organisation, async (sql) => {
          await noted('archive.fetched', organisation, request)(sql, archive);
          return sql.one<{ slug: string }>('SELECT slug FROM organisations WHERE id = $1', [organisation]);
        });
        return {
          stream: {
            pieces: openedFile(runner.fileOf(archive), { of: 'organisation archive', id: archive, key }),
            type: 'application/zip',
            name: `${slug}-${found.created_at.slice(0, 10)}.zip`,
          },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/archives/:archive',
      access: 'organisation.take',
      summary: 'Cancels an archive, or deletes a finished one and its file.',
      params: ofArchive,
      async handle(request) {
        const { organisation, archive } = request.params;
        request.allow(organisation);
        if (!(await records.remove(organisation, archive, noted('archive.deleted', organisation, request))))
          throw noSuch();
        await runner.forget(archive);
        return { status: 204 };
      },
    }),
  ];
}
