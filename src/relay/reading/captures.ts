import type { Mapping } from '../../../contract/mapping.ts';
import { type CapturedRequestShown, capturedRequest, newReveal } from '../../../contract/relay_reading.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { VaultError } from '../../platform/vault.ts';
import { openCapture } from '../intake/captures.ts';
import { mappingInForce } from '../settings/mapping_rows.ts';
import { note, organisationFor } from '../settings/parts.ts';
import { shownRequest } from '../settings/trial.ts';
import type { CapturedRequest } from '../sources/request.ts';
import { ofCapture, type ReadingHouse, reading } from './parts.ts';

interface Opened {
  readonly request: CapturedRequest;
  readonly receivedAt: Date;
  readonly isUnmapped: boolean;
  readonly source: { id: number; name: string; mapping_version: number };
  readonly mapping: Mapping;
}

/** The captured request of a line of the intake log, while it is kept: what is a person's is hidden unless somebody reveals it. */
export function captureRoutes(house: ReadingHouse): Route[] {
  const { vault, postgres } = house;

  async function open(sql: Sql, organisation: number, id: string): Promise<Opened> {
    const row = await sql.maybe<{ id: number; name: string; mapping_version: number; is_unmapped: boolean }>(
      `SELECT s.id, s.name, s.mapping_version, c.is_unmapped FROM relay_captures c JOIN relay_sources s ON s.id = c.source_id
       WHERE c.organisation_id = $1 AND c.id = $2`,
      [organisation, id],
    );
    const found = row && (await openOrGone(sql, organisation, row.id, id));
    if (row === undefined || found === undefined)
      throw new RequestError(
        'not_found',
        'This request is not kept any more: the last 50 of a source are, for seven days at most.',
      );
    const { is_unmapped: isUnmapped, ...source } = row;
    return { ...found, isUnmapped, source, mapping: await mappingInForce(sql, source) };
  }

  async function openOrGone(sql: Sql, organisation: number, source: number, id: string) {
    try {
      return await openCapture(sql, vault, organisation, source, id);
    } catch (error) {
      if (error instanceof VaultError && error.code === 'destroyed') return undefined;
      throw error;
    }
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/captures/:capture',
      access: 'relay.read',
      summary: 'A captured request while it is kept, with what may be a person’s hidden.',
      params: ofCapture,
      answer: capturedRequest,
      async handle(request) {
        const organisation = organisationFor(request);
        const { capture } = request.params;
        const opened = await reading(house, organisation, (sql) => open(sql, organisation, capture));
        return { body: hidden(capture, opened) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/captures/:capture/reveals',
      access: 'relay.manage',
      summary: 'Shows a captured request as it came. Who did it and why stands in the audit log.',
      params: ofCapture,
      body: newReveal,
      answer: capturedRequest,
      async handle(request) {
        const organisation = organisationFor(request);
        const { capture } = request.params;
        const opened = await postgres.tenant(organisation, async (sql) => {
          const found = await open(sql, organisation, capture);
          await note(
            house,
            sql,
            request,
            'relay.capture_revealed',
            { type: 'relay_source', id: found.source.id, label: found.source.name },
            { capture, why: request.body.reason },
          );
          return found;
        });
        return { status: 201, body: revealed(capture, opened) };
      },
    }),
  ];
}

function hidden(id: string, { request, receivedAt, isUnmapped, mapping }: Opened): CapturedRequestShown {
  const read = shownRequest(request, mapping, receivedAt.getTime());
  const query = new URLSearchParams(Object.entries(read?.query ?? {}).map(([name, value]) => [name, String(value)]));
  const [path = ''] = request.url.split('?', 1);
  return {
    ...{ id, received_at: receivedAt.toISOString(), is_unmapped: isUnmapped, is_revealed: false },
    ...{ method: request.method, url: query.size === 0 ? path : `${path}?${decodeURIComponent(query.toString())}` },
    headers: textsOf(read?.headers ?? {}),
    ...{ data: read?.body ?? null, body: null },
  };
}

function revealed(id: string, { request, receivedAt, isUnmapped }: Opened): CapturedRequestShown {
  const { method, url, headers, body } = request;
  const text = body === null ? '' : typeof body === 'string' ? body : undefined;
  return {
    ...{ id, received_at: receivedAt.toISOString(), is_unmapped: isUnmapped, is_revealed: true },
    ...{ method, url, headers: textsOf(headers), data: null, body: text ?? null },
  };
}

function textsOf(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
  );
}
