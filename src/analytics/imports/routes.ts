import { z } from 'zod';
import type { Site } from '../../../contract/api.ts';
import { newImport, type SiteImport, siteImport, siteImports } from '../../../contract/imports.ts';
import { uploadLimits } from '../../../contract/limits.ts';
import { siteOfPath } from '../../accounts/index.ts';
import { actOf } from '../../platform/audit.ts';
import { endOfPart } from '../../platform/files/part.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { refuseWhileHeld } from '../../trust/windows/index.ts';
import { siteTarget } from '../act_target.ts';
import type { ImportRunner } from './runner.ts';
import type { UploadRecords } from './upload_records.ts';
import type { Uploads } from './uploads.ts';

const ofSite = z.object({ domain: z.string() });
const ofImport = ofSite.extend({ id: z.coerce.number().int().positive().max(4_294_967_295) });
const ofPart = ofImport.extend({ part: z.coerce.number().int().nonnegative().max(1_000_000) });

/** Stored nothing, and nothing is at work that could: the line goes with its file. */
const removable: readonly SiteImport['state'][] = ['uploading', 'checking', 'ready', 'failed'];

/** A file is sent in parts, looked through, imported in the background, and taken out again: by who may change the site. */
export function importRoutes(
  { postgres, audit }: Pick<House, 'postgres' | 'audit'>,
  { records, uploads, runner }: { records: UploadRecords; uploads: Uploads; runner: ImportRunner },
): Route[] {
  async function known(site: Site, id: number): Promise<SiteImport> {
    const found = await records.find(site, id);
    if (found === undefined) throw new RequestError('not_found', 'There is no import with this number on this site.');
    return found;
  }

  function noted(
    action: string,
    site: Site,
    { id, kind, file_name: file }: SiteImport,
    request: Parameters<typeof actOf>[0],
  ) {
    return (sql: Sql) =>
      audit.record(sql, site.organisation_id, {
        action,
        ...actOf(request),
        targets: [siteTarget(site), { type: 'import', id, label: file }],
        details: { kind },
      });
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/imports',
      access: 'site.read',
      summary: 'The imports of a site, newest first, those of the command line too, each with how far it is.',
      params: ofSite,
      answer: siteImports,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        return { body: { imports: await records.list(site) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/imports',
      access: 'site.manage',
      summary: `Names a file to import. It is sent in parts of ${uploadLimits.partBytes} bytes; nothing is stored before it is started.`,
      params: ofSite,
      body: newImport,
      answer: siteImport,
      async handle({ principal, ...request }) {
        const site = await siteOfPath(postgres, request);
        uploads.checkRoom(request.body.size);
        const made = await records.begin(site, request.body, principal?.kind === 'person' ? principal.id : undefined);
        if (made === undefined)
          throw new RequestError(
            'conflict',
            'Another import of this site is not finished. Go on with it, cancel it, or wait for its end.',
          );
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/sites/:domain/imports/:id/parts/:part',
      access: 'site.manage',
      summary:
        'Takes one part of the file, from 0, as bytes. A part may be sent again; next_part says which is to come.',
      params: ofPart,
      rawBodyBytesMax: uploadLimits.partBytes,
      answer: siteImport,
      async handle({ principal: _, ...request }) {
        const site = await siteOfPath(postgres, request);
        const found = await known(site, request.params.id);
        const { part } = request.params;
        const bytes = request.body as unknown as Buffer;
        if (found.state !== 'uploading' || found.size === null)
          throw new RequestError('conflict', 'This import takes no more parts. Cancel it to send another file.');
        const to = endOfPart(
          { ...found, size: found.size },
          {
            part,
            bytes: bytes.length,
            partBytes: uploadLimits.partBytes,
            isWhole: 'The file is whole already. Check it, or cancel the import to send another one.',
          },
        );
        uploads.checkRoom(bytes.length);
        await uploads.write(found.id, part, bytes);
        const now = await records.receive(site, found.id, to);
        if (now === undefined) {
          // Cancelled meanwhile: its file was taken away before this part was written.
          await uploads.remove(found.id);
          throw new RequestError('conflict', 'This import was cancelled. Begin a new one to send the file.');
        }
        return { body: now };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/imports/:id/check',
      access: 'site.manage',
      summary: 'Reads the whole file and says what would come of it. Nothing is stored.',
      params: ofImport,
      answer: siteImport,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const found = await known(site, request.params.id);
        if (found.state === 'checking') return { status: 202, body: found };
        if (found.next_part !== null)
          throw new RequestError('conflict', `The file is not whole: part ${found.next_part} is to come next.`);
        const moved = await records.move(site, found.id, ['uploading', 'ready'], 'checking');
        if (moved === undefined)
          throw new RequestError('conflict', 'This import has no file to check. Begin a new one.');
        runner.wake();
        return { status: 202, body: moved };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/imports/:id/start',
      access: 'site.manage',
      summary: 'Imports a file that was checked, in the background.',
      params: ofImport,
      answer: siteImport,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const found = await known(site, request.params.id);
        if (found.report?.stored === 0 && found.state === 'ready')
          throw new RequestError('conflict', 'No row of this file would be stored, so there is nothing to import.');
        const moved = await records.move(
          site,
          found.id,
          ['ready'],
          'running',
          noted('import.started', site, found, request),
        );
        if (moved === undefined)
          throw new RequestError(
            'conflict',
            'Only a file that was checked can be imported. Send it and check it first.',
          );
        runner.wake();
        return { status: 202, body: moved };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/imports/:id',
      access: 'site.manage',
      summary: 'Cancels an import, or takes everything of a finished one out again (202, in the background).',
      params: ofImport,
      answer: siteImport,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const found = await known(site, request.params.id);
        if (found.state === 'undoing') return { status: 202, body: found };
        if (found.state === 'undone')
          throw new RequestError('conflict', 'This import was undone already. Nothing of it is left.');
        if (found.state === 'running' && found.size === null)
          throw new RequestError(
            'conflict',
            'This import runs on the command line of the desk. End it there, or wait.',
          );
        // A failed one of the command line may have left rows behind: they are taken out, and its line stays.
        const hasLeft = found.state === 'failed' && found.size === null;
        if (
          !hasLeft &&
          (await records.remove(site, found.id, removable, noted('import.cancelled', site, found, request)))
        ) {
          runner.cancel(found.id);
          await uploads.remove(found.id);
          return { status: 204 };
        }
        await postgres.tenant(site.organisation_id, (sql) => refuseWhileHeld(sql, site.organisation_id, site.id));
        const moved = await records.move(
          site,
          found.id,
          ['running', 'done', 'failed'],
          'undoing',
          noted('import.undone', site, found, request),
        );
        if (moved === undefined) throw new RequestError('conflict', 'This import just changed. Look again.');
        runner.cancel(found.id);
        return { status: 202, body: moved };
      },
    }),
  ];
}
