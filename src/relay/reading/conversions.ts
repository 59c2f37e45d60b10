import type { z } from 'zod';
import type { DeliveryState } from '../../../contract/relay.ts';
import type { AskedState } from '../../../contract/relay_asked.ts';
import { conversionsPage, conversionsQuestion, type ListedConversion } from '../../../contract/relay_reading.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { ofOrganisation, organisationFor } from '../settings/parts.ts';
import {
  Bound,
  hasDelivery,
  isOfDeliveries,
  type Narrowing,
  ofConversions,
  ofDeliveries,
  statesOf,
} from './narrowed.ts';
import {
  type Cursor,
  cursorOf,
  destinationIds,
  destinationNames,
  type ReadingHouse,
  reading,
  resolved,
  sourceNames,
} from './parts.ts';

interface Row {
  id: string;
  event_name: string;
  received_at: Date;
  occurred_at: Date;
  order_id: string | null;
  value: string | null;
  currency: string | null;
  is_refund: boolean;
  source_id: number;
  doubles: number;
  deliveries: { destination_id: number; state: DeliveryState; reason: string | null }[];
}

export function conversionRoutes(house: ReadingHouse): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/conversions',
      access: 'relay.read',
      summary: 'Conversions, newest first, each with how its deliveries stand. Narrowed by all that is asked for.',
      params: ofOrganisation,
      query: conversionsQuestion,
      answer: conversionsPage,
      async handle(request) {
        const organisation = organisationFor(request);
        return {
          body: await reading(house, organisation, (sql) => page(sql, organisation, request.query, house.clock.now())),
        };
      },
    }),
  ];
}

async function page(sql: Sql, organisation: number, asked: z.output<typeof conversionsQuestion>, now: number) {
  const { limit, cursor: given, ...narrowing } = await resolved(sql, organisation, asked, now);
  const { search, ...filters } = narrowing;
  const ids = search === undefined ? undefined : await found(sql, organisation, search);
  const rows = await rowsOf(sql, organisation, { ...filters, ids }, { cursor: cursorOf(given), most: limit + 1 });
  const sources = await sourceNames(sql);
  const names = new Map(sources.map(({ id, name }) => [id, name]));
  const last = rows[limit - 1];
  return {
    conversions: rows.slice(0, limit).map((row) => shown(row, names)),
    next: rows.length > limit && last !== undefined ? `${last.received_at.getTime()}.${last.id}` : null,
    sources,
    destinations: await destinationNames(sql),
  };
}

function rowsOf(
  sql: Sql,
  organisation: number,
  narrowing: Narrowing,
  page_: { cursor: Cursor; most: number },
): Promise<Row[]> {
  return isFoundByDeliveries(narrowing)
    ? byDeliveries(sql, organisation, narrowing, page_)
    : byTime(sql, organisation, narrowing, page_);
}

const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Of one order there may be several events, and a batch of a request may be some hundred. */
const foundMax = 1_000;

/** Conversions by an id of theirs. Looked up before the page is read: as part of it, every conversion would be. */
async function found(sql: Sql, organisation: number, search: string): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `(SELECT id FROM relay_conversions WHERE organisation_id = $1 AND order_id = $2 LIMIT ${foundMax})
     UNION (SELECT id FROM relay_conversions WHERE organisation_id = $1 AND event_id = $2 LIMIT ${foundMax})`,
    [organisation, search],
  );
  if (!isUuid.test(search)) return rows.map(({ id }) => id);
  const told = await sql.query<{ id: string }>(
    `SELECT conversion_id AS id FROM relay_tellings WHERE organisation_id = $1 AND request_id = $2 LIMIT ${foundMax}`,
    [organisation, search],
  );
  return [search, ...[...rows, ...told].map(({ id }) => id)];
}

/** States in which few deliveries are; of the others most conversions have one. */
const fewAreIn: readonly (AskedState | undefined)[] = ['dead', 'held', 'waiting', 'sending', 'cancelled', 'open'];

/** Whether there is less to look through among deliveries than among conversions. */
function isFoundByDeliveries(narrowing: Narrowing): boolean {
  const { ids, source, event, state } = narrowing;
  if (ids !== undefined || !isOfDeliveries(narrowing)) return false;
  return (source === undefined && event === undefined) || fewAreIn.includes(state);
}

const columns = `c.id, c.event_name, c.received_at, c.occurred_at, c.order_id, c.value::text AS value, c.currency,
  coalesce((c.facts->>'refund')::boolean, false) AS is_refund, c.source_id, c.doubles,
  coalesce((SELECT json_agg(json_build_object('destination_id', x.destination_id, 'state', x.state, 'reason', x.reason) ORDER BY x.id)
    FROM relay_deliveries x WHERE x.organisation_id = c.organisation_id AND x.conversion_id = c.id), '[]') AS deliveries`;

/** After the last of the page before, in the order of the index: newest first, and by id within one moment. */
function after(cursor: Cursor, bound: Bound, { at, id }: { at: string; id: string }): string[] {
  if (cursor === undefined) return [];
  const [time, last] = [bound.add(new Date(cursor.at)), bound.add(cursor.id)];
  return [`${at} <= ${time} AND (${at} < ${time} OR ${id} > ${last}::uuid)`];
}

function byTime(
  sql: Sql,
  organisation: number,
  narrowing: Narrowing,
  { cursor, most }: { cursor: Cursor; most: number },
): Promise<Row[]> {
  const bound = new Bound();
  const where = [
    ...ofConversions(narrowing, bound.add(organisation), bound),
    ...(isOfDeliveries(narrowing) ? [hasDelivery(narrowing, bound)] : []),
    ...after(cursor, bound, { at: 'c.received_at', id: 'c.id' }),
  ];
  return sql.query<Row>(
    `SELECT ${columns} FROM relay_conversions c WHERE ${where.join(' AND ')} ORDER BY c.received_at DESC, c.id LIMIT ${bound.add(most)}`,
    bound.params,
  );
}

/**
 * By how deliveries stand: a few of each destination and state out of the index, newest first, and of those the newest. So a
 * state that is rare is found as fast as one that is not. A delivery is made in the moment in which its conversion came.
 */
async function byDeliveries(
  sql: Sql,
  organisation: number,
  narrowing: Narrowing,
  { cursor, most }: { cursor: Cursor; most: number },
): Promise<Row[]> {
  const bound = new Bound();
  const own = bound.add(organisation);
  const { destination, source, event, from, to } = narrowing;
  const where = [
    `d.organisation_id = ${own} AND d.destination_id = o.id AND d.state = s.state`,
    ...ofDeliveries(narrowing, bound),
    ...(from === undefined ? [] : [`d.created_at >= ${bound.add(new Date(from))}`]),
    ...(to === undefined ? [] : [`d.created_at < ${bound.add(new Date(to))}`]),
    ...after(cursor, bound, { at: 'd.created_at', id: 'd.conversion_id' }),
    ...(source === undefined && event === undefined
      ? []
      : [
          `EXISTS (SELECT FROM relay_conversions c WHERE c.id = d.conversion_id AND ${ofConversions({ source, event }, own, bound).join(' AND ')})`,
        ]),
  ];
  const destinations = bound.add(destination === undefined ? await destinationIds(sql, organisation) : [destination]);
  const count = bound.add(most);
  return sql.query<Row>(
    `WITH found AS (
       SELECT l.created_at, l.conversion_id
       FROM unnest(${destinations}::bigint[]) AS o(id) CROSS JOIN unnest(${bound.add(statesOf(narrowing.state))}::text[]) AS s(state)
       CROSS JOIN LATERAL (
         SELECT d.created_at, d.conversion_id FROM relay_deliveries d WHERE ${where.join(' AND ')}
         GROUP BY d.created_at, d.conversion_id ORDER BY d.created_at DESC, d.conversion_id LIMIT ${count}) AS l
       GROUP BY l.created_at, l.conversion_id ORDER BY l.created_at DESC, l.conversion_id LIMIT ${count}
     )
     SELECT ${columns} FROM found JOIN relay_conversions c ON c.organisation_id = ${own} AND c.id = found.conversion_id
     ORDER BY found.created_at DESC, c.id`,
    bound.params,
  );
}

function shown(row: Row, names: ReadonlyMap<number, string>): ListedConversion {
  const { source_id, received_at, occurred_at, ...rest } = row;
  return {
    ...rest,
    ...{ received_at: received_at.toISOString(), occurred_at: occurred_at.toISOString() },
    source: { id: source_id, name: names.get(source_id) ?? null },
  };
}
