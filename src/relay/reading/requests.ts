import type { z } from 'zod';
import type { DeliveryState } from '../../../contract/relay.ts';
import {
  type IntakeLine,
  type RequestsPage,
  relayReadingLimits,
  requestStory,
  requestsPage,
  requestsQuestion,
} from '../../../contract/relay_reading.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import { dayMs } from '../../platform/zone.ts';
import { ofOrganisation, organisationFor } from '../settings/parts.ts';
import { cursorOf, ofRequest, type ReadingHouse, reading, resolved, sourceNames } from './parts.ts';

/**
 * What became of a request, in SQL: taken (also where it says nothing that is wanted), kept because nothing could be made of
 * it yet, or refused.
 */
export const outcomeOf = `multiIf(status IN (202, 422) AND conversions = 0 AND problems > 0, 'unmapped',
  status >= 400, 'refused', 'taken')`;

const columns = `toString(id) AS request_id, source_id, toString(toUnixTimestamp64Milli(at)) AS at_ms, way, requests, status, reason, field, method, content_type,
  bytes, ms, conversions, problems`;

interface IntakeRow {
  request_id: string;
  source_id: string;
  at_ms: string;
  way: IntakeLine['way'];
  requests: number;
  status: number;
  reason: string;
  field: string;
  method: string;
  content_type: string;
  bytes: number;
  ms: number;
  conversions: number;
  problems: number;
}

export function requestRoutes(house: ReadingHouse): Route[] {
  const { warehouse, clock } = house;

  async function page(organisation: number, question: z.output<typeof requestsQuestion>): Promise<RequestsPage> {
    const asked = await reading(house, organisation, (sql) => resolved(sql, organisation, question, clock.now()));
    const { source, way, status, outcome, reason, limit } = asked;
    const cursor = cursorOf(asked.cursor);
    const now = clock.now();
    const span = {
      from: asked.from === undefined ? now - relayReadingLimits.days * dayMs : Date.parse(asked.from),
      to: asked.to === undefined ? now + dayMs : Date.parse(asked.to),
    };
    const inSpan = `organisation_id = {organisation:UInt64} AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
      AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')${source === undefined ? '' : ' AND source_id = {source:UInt64}'}`;
    const where = [
      inSpan,
      ...(way === undefined ? [] : ['way = {way:String}']),
      ...(status === undefined ? [] : ['status = {status:UInt16}']),
      ...(outcome === undefined ? [] : [`${outcomeOf} = {outcome:String}`]),
      ...(reason === undefined ? [] : ['reason = {reason:String}']),
      ...(cursor === undefined ? [] : ["(at, id) < (fromUnixTimestamp64Milli({before:Int64}, 'UTC'), {id:UUID})"]),
    ].join(' AND ');
    const params = {
      organisation,
      ...span,
      source,
      way,
      status,
      outcome,
      reason,
      before: cursor?.at,
      id: cursor?.id,
    };
    const [rows, reasons, sources] = await Promise.all([
      warehouse.read<IntakeRow>(
        `SELECT ${columns} FROM relay_intake WHERE ${where} ORDER BY at DESC, id DESC LIMIT {most:UInt32}`,
        given({ ...params, most: limit + 1 }),
        { purpose: 'relay_requests' },
      ),
      warehouse.read<{ status: number; reason: string; count: string }>(
        `SELECT status, reason, sum(requests) AS count FROM relay_intake WHERE ${inSpan} GROUP BY status, reason ORDER BY count DESC LIMIT 50`,
        given({ organisation, ...span, source }),
        { purpose: 'relay_requests' },
      ),
      reading(house, organisation, sourceNames),
    ]);
    const names = new Map(sources.map(({ id, name }) => [id, name]));
    const shown = rows.slice(0, limit).map((row) => {
      const line = shownLine(row);
      return { ...line, source_name: names.get(line.source_id) ?? null };
    });
    const last = rows[limit - 1];
    return {
      requests: shown,
      next: rows.length > limit && last !== undefined ? `${last.at_ms}.${last.request_id}` : null,
      sources,
      reasons: reasons.map((one) => ({ ...one, count: Number(one.count) })),
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/requests',
      access: 'relay.read',
      summary:
        'The intake log: every request to a source, those that were refused too, files and events that reached a goal, newest first.',
      params: ofOrganisation,
      query: requestsQuestion,
      answer: requestsPage,
      async handle(request) {
        return { body: await page(organisationFor(request), request.query) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/requests/:request',
      access: 'relay.read',
      summary: 'One request to a source: its line with the shape of its body, and what became of it.',
      params: ofRequest,
      answer: requestStory,
      async handle(request) {
        const organisation = organisationFor(request);
        const { request: id } = request.params;
        const [row] = await warehouse.read<IntakeRow & { body: string }>(
          `SELECT ${columns}, body FROM relay_intake WHERE organisation_id = {organisation:UInt64} AND id = {id:UUID} LIMIT 1`,
          { organisation, id },
          { purpose: 'relay_request' },
        );
        if (row === undefined)
          throw new RequestError('not_found', 'There is no request with this id here, or its days are over.');
        const line = shownLine(row);
        const read = await reading(house, organisation, async (sql) => ({
          source: await sql.maybe<{ name: string }>('SELECT name FROM relay_sources WHERE id = $1', [line.source_id]),
          capture: await sql.maybe('SELECT 1 FROM relay_captures WHERE organisation_id = $1 AND id = $2', [
            organisation,
            id,
          ]),
          upload: await sql.maybe<{ id: number; file_name: string; state: string }>(
            'SELECT id, file_name, state FROM relay_uploads WHERE organisation_id = $1 AND request_id = $2',
            [organisation, id],
          ),
          all: await sql.one<{ count: number }>(
            `SELECT count(*)::int AS count FROM relay_tellings t
             JOIN relay_conversions c ON c.organisation_id = t.organisation_id AND c.id = t.conversion_id
             WHERE t.organisation_id = $1 AND t.request_id = $2`,
            [organisation, id],
          ),
          told: await sql.query<Told>(
            `SELECT t.conversion_id, c.event_name, c.order_id, t.id = c.id AS is_first,
               coalesce((SELECT json_agg(json_build_object('destination_id', d.destination_id, 'state', d.state) ORDER BY d.id)
                 FROM relay_deliveries d WHERE d.organisation_id = c.organisation_id AND d.conversion_id = c.id), '[]') AS deliveries
             FROM relay_tellings t JOIN relay_conversions c ON c.organisation_id = t.organisation_id AND c.id = t.conversion_id
             WHERE t.organisation_id = $1 AND t.request_id = $2 ORDER BY t.received_at, t.id LIMIT $3`,
            [organisation, id, relayReadingLimits.pageMax],
          ),
        }));
        return {
          body: {
            ...{ ...line, source_name: read.source?.name ?? null, shape: row.body },
            ...{ has_capture: read.capture !== undefined, told: read.told, told_all: read.all.count },
            upload: read.upload ?? null,
          },
        };
      },
    }),
  ];
}

interface Told {
  conversion_id: string;
  event_name: string;
  order_id: string | null;
  is_first: boolean;
  deliveries: { destination_id: number; state: DeliveryState }[];
}

/** Lines of some requests, by their ids. @param span milliseconds between which they came */
export async function linesOf(
  { warehouse }: Pick<ReadingHouse, 'warehouse'>,
  organisation: number,
  { ids, from, to }: { ids: readonly string[]; from: number; to: number },
): Promise<Map<string, IntakeLine>> {
  const rows = await warehouse.read<IntakeRow>(
    `SELECT ${columns} FROM relay_intake WHERE organisation_id = {organisation:UInt64}
       AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
       AND at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND id IN {ids:Array(UUID)}`,
    { organisation, from, to, ids },
    { purpose: 'relay_story' },
  );
  return new Map(rows.map((row) => [row.request_id, shownLine(row)]));
}

function shownLine(row: IntakeRow): IntakeLine {
  return {
    ...{ way: row.way, requests: row.requests },
    ...{ id: row.request_id, source_id: Number(row.source_id), at: new Date(Number(row.at_ms)).toISOString() },
    ...{
      status: row.status,
      reason: row.reason || null,
      field: row.field || null,
      method: row.method,
      content_type: row.content_type,
    },
    ...{ bytes: row.bytes, ms: row.ms, conversions: row.conversions, problems: row.problems },
  };
}

/** The engine takes no parameter that is not there. */
function given(params: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}
