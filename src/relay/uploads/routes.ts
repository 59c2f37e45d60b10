import { z } from 'zod';
import { textCell } from '../../../contract/cells.ts';
import type { Mapping } from '../../../contract/mapping.ts';
import { relayUploadLimits as limits } from '../../../contract/relay.ts';
import {
  newRelayUpload,
  type RelayUpload,
  relayUpload,
  relayUploads,
  type UploadFormat,
  uploadCheckAsk,
  uploadPreview,
  uploadPreviewAsk,
} from '../../../contract/relay_uploads.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import { endOfPart } from '../../platform/files/part.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { readMapping } from '../mapping/plan.ts';
import { note, ofSource, organisationFor } from '../settings/parts.ts';
import { presetOf } from '../sources/presets/index.ts';
import type { UploadFiles } from './files.ts';
import { previewOf } from './preview.ts';
import type { UploadRunner } from './runner.ts';
import type { UploadStore, Whose } from './store.ts';
import { detectFormat } from './table.ts';

const number = z.coerce
  .number()
  .int()
  .positive()
  .max(2 ** 53 - 1);
const ofUpload = ofSource.extend({ upload: number });
const ofPart = ofUpload.extend({ part: z.coerce.number().int().nonnegative().max(1_000_000) });
const path = '/api/organisations/:organisation/relay/sources/:source/uploads';

/** A file of offline conversions is sent in parts, looked at, checked, taken in the background, and its errors fetched. */
export function uploadRoutes(
  house: Pick<House, 'postgres' | 'audit' | 'clock'>,
  { store, files, runner }: { store: UploadStore; files: UploadFiles; runner: UploadRunner },
): Route[] {
  const { postgres, clock } = house;
  type Asked = Parameters<typeof note>[2] & { params: { organisation: number; source: number } };

  /** The source that a call is for, where the asker may do what the call needs. @throws RequestError not_found */
  async function whose(request: Asked): Promise<Whose> {
    const organisation = organisationFor(request);
    const { source } = request.params;
    const kind = await postgres.tenant(organisation, (sql) =>
      sql.maybe<{ kind: string }>('SELECT kind FROM relay_sources WHERE id = $1', [source]),
    );
    if (kind?.kind !== 'upload') throw new RequestError('not_found', 'There is no source of files with this number.');
    return { organisation, source };
  }
  async function known(of: Whose, id: number): Promise<RelayUpload> {
    const found = await store.find(of, id);
    if (found === undefined) throw new RequestError('not_found', 'There is no upload with this number in this source.');
    return found;
  }
  function noted(action: string, request: Asked, { id, file_name }: RelayUpload) {
    return (sql: Sql) => note(house, sql, request, action, { type: 'relay_upload', id, label: file_name });
  }

  async function settle(of: Whose, { id, size }: RelayUpload): Promise<RelayUpload> {
    await runner.settle({ id, size, organisation_id: of.organisation, source_id: of.source });
    return known(of, id);
  }
  /** One whose file is here. @throws RequestError conflict */
  async function wholeOne(of: Whose, id: number): Promise<RelayUpload & { format: UploadFormat }> {
    const found = await known(of, id);
    if (found.next_part !== null)
      throw new RequestError('conflict', `The file is not whole: part ${found.next_part} is to come next.`);
    const settled = found.state === 'uploading' ? await settle(of, found) : found;
    const { format, state } = settled;
    if (format === null || ['done', 'cancelled', 'failed', 'cancelling'].includes(state))
      throw new RequestError(
        'conflict',
        settled.failure ?? 'This upload has ended, and its file is gone. Send the file again.',
      );
    return { ...settled, format };
  }
  async function mappingInForce(of: Whose): Promise<Mapping | undefined> {
    const row = await postgres.tenant(of.organisation, (sql) =>
      sql.maybe<{ mapping: unknown; preset: string | null }>(
        `SELECT m.mapping, s.preset FROM relay_sources s LEFT JOIN relay_mappings m
           ON m.source_id = s.id AND m.version = s.mapping_version WHERE s.id = $1`,
        [of.source],
      ),
    );
    if (row?.mapping == null) return row?.preset == null ? undefined : presetOf(row.preset)?.mapping;
    const read = readMapping(row.mapping);
    return 'mapping' in read ? read.mapping : undefined;
  }

  return [
    defineRoute({
      method: 'GET',
      path,
      access: 'relay.read',
      summary: `Files that were sent to this source within ${limits.days} days, newest first, each with how far it is.`,
      params: ofSource,
      answer: relayUploads,
      async handle(request) {
        return { body: { uploads: await store.list(await whose(request)) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path,
      access: 'relay.manage',
      summary: `Names a file of conversions, CSV or XLSX. It is sent in parts of ${limits.partBytes} bytes; nothing is taken before it is started.`,
      params: ofSource,
      body: newRelayUpload,
      answer: relayUpload,
      async handle(request) {
        const of = await whose(request);
        files.checkRoom(request.body.size);
        const by = request.principal?.kind === 'person' ? request.principal.id : null;
        return { status: 201, body: await store.begin(of, request.body, by) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/:upload`,
      access: 'relay.read',
      summary: 'One upload: how far it is, what would come of it, what came of it.',
      params: ofUpload,
      answer: relayUpload,
      async handle(request) {
        return { body: await known(await whose(request), request.params.upload) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: `${path}/:upload/parts/:part`,
      access: 'relay.manage',
      summary:
        'Takes one part of the file, from 0, as bytes. A part may be sent again; next_part says which is to come.',
      params: ofPart,
      rawBodyBytesMax: limits.partBytes,
      answer: relayUpload,
      async handle(request) {
        const of = await whose(request);
        const found = await known(of, request.params.upload);
        const { part } = request.params;
        const bytes = request.body as unknown as Buffer;
        if (found.state !== 'uploading')
          throw new RequestError('conflict', 'This upload takes no more parts. Remove it to send another file.');
        const to = endOfPart(found, {
          part,
          bytes: bytes.length,
          partBytes: limits.partBytes,
          isWhole: 'The file is whole already.',
        });
        files.checkRoom(bytes.length);
        await files.write(found.id, part, bytes);
        const now = await store.received(of, found.id, to);
        if (now === undefined) {
          // Removed meanwhile: its file was taken away before this part was written.
          await files.remove(found.id);
          throw new RequestError('conflict', 'This upload was removed. Begin a new one to send the file.');
        }
        if (now.next_part !== null) return { body: now };
        crashPoint('upload.whole');
        return { body: await settle(of, now) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/:upload/preview`,
      access: 'relay.manage',
      summary:
        'The first rows of the file, and what a mapping makes of them. What is a person’s is hidden. Nothing is kept.',
      params: ofUpload,
      body: uploadPreviewAsk,
      answer: uploadPreview,
      async handle(request) {
        const of = await whose(request);
        const upload = await wholeOne(of, request.params.upload);
        const given = request.body.mapping === undefined ? undefined : readMapping(request.body.mapping);
        const problem = given !== undefined && 'problem' in given ? given.problem : null;
        const mapping = given === undefined ? await mappingInForce(of) : 'mapping' in given ? given.mapping : undefined;
        const format = request.body.format ?? upload.format;
        const file = await files.open(upload.id, upload.size);
        try {
          const { sheets } = format.kind === 'xlsx' ? await detectFormat(file, upload.size) : { sheets: [] };
          const seen = await previewOf(file, upload.size, format, mapping, clock.now());
          return { body: { format, sheets, mapping_problem: problem, ...seen } };
        } finally {
          await file.close();
        }
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/:upload/check`,
      access: 'relay.manage',
      summary:
        'A dry run: reads the whole file by the mapping in force and says what would come of it. Nothing is taken.',
      params: ofUpload,
      body: uploadCheckAsk,
      answer: relayUpload,
      async handle(request) {
        const of = await whose(request);
        const upload = await wholeOne(of, request.params.upload);
        if (upload.state === 'checking') return { status: 202, body: upload };
        if ((await mappingInForce(of)) === undefined)
          throw new RequestError('conflict', 'This source has no mapping yet. Say first which column is what.');
        const moved = await store.check(of, upload.id, request.body.format ?? upload.format);
        if (moved === undefined) throw new RequestError('conflict', 'This upload is at work already. Look again.');
        runner.wake();
        return { status: 202, body: moved };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/:upload/start`,
      access: 'relay.manage',
      summary: 'Takes the conversions of a file that was checked, in the background. They go on to every destination.',
      params: ofUpload,
      answer: relayUpload,
      async handle(request) {
        const of = await whose(request);
        const found = await known(of, request.params.upload);
        if (found.state === 'running') return { status: 202, body: found };
        const moved =
          found.state === 'checked' &&
          !found.is_mapping_old &&
          (found.report?.fresh ?? 0) + (found.report?.known ?? 0) > 0
            ? await store.start(of, found.id, noted('relay.upload_started', request, found))
            : undefined;
        if (moved?.state !== 'running') throw notStarted(moved ?? found);
        runner.wake();
        return { status: 202, body: moved };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/:upload/errors.csv`,
      access: 'relay.read',
      summary:
        'What is the matter with single rows: row, field, reason, and whether it was taken without. No value of a row.',
      params: ofUpload,
      async handle(request) {
        const of = await whose(request);
        const found = await known(of, request.params.upload);
        const lines = (await store.problems(of, found.id)).map(({ row, field, reason, is_taken }) =>
          [row, textCell(field), reason, is_taken ? 'taken without it' : 'not taken'].join(','),
        );
        const head = 'row,field,reason,what became of it\r\n';
        async function* pieces() {
          yield `${head}${lines.map((line) => `${line}\r\n`).join('')}`;
        }
        return {
          stream: { pieces: pieces(), type: 'text/csv; charset=utf-8', name: `errors-of-upload-${found.id}.csv` },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: `${path}/:upload`,
      access: 'relay.manage',
      summary: 'Removes an upload with its file; ends one that runs (202). Conversions that were taken stay.',
      params: ofUpload,
      answer: relayUpload,
      async handle(request) {
        const of = await whose(request);
        const found = await known(of, request.params.upload);
        if (found.state === 'cancelling') return { status: 202, body: found };
        if (await store.remove(of, found.id, noted('relay.upload_removed', request, found))) {
          runner.cancel(found.id);
          await files.remove(found.id);
          return { status: 204 };
        }
        const moved = await store.cancel(of, found.id, noted('relay.upload_cancelled', request, found));
        if (moved === undefined) throw new RequestError('conflict', 'This upload just changed. Look again.');
        runner.cancel(found.id);
        return { status: 202, body: moved };
      },
    }),
  ];
}

function notStarted({ state, is_mapping_old: isOld }: RelayUpload): RequestError {
  if (isOld)
    return new RequestError('conflict', 'The mapping was changed since this file was checked. Check it again first.');
  return new RequestError(
    'conflict',
    state === 'checked'
      ? 'No row of this file is a conversion, so there is nothing to take.'
      : 'Only a file that was checked can be started. Send it and check it first.',
  );
}
