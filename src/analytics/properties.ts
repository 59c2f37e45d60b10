import { z } from 'zod';
import { seenProperties } from '../../contract/api.ts';
import { ingestLimits as limits } from '../../contract/limits.ts';
import { siteOfPath } from '../accounts/index.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';

/** A name that nobody sent for so long is no choice that a reader looks for. */
const seenDays = 90;
/** More names than this are no list to choose from; the question itself takes any name. */
const namesMax = 200;

/** Which custom properties do events of a site carry? A question about a property has to name it. */
export function propertyRoutes({
  postgres,
  warehouse,
  clock,
}: Pick<House, 'postgres' | 'warehouse' | 'clock'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/properties',
      access: 'stats.read',
      summary: `The names of the custom properties that events of the last ${seenDays} days carried, most used first; of one event, where it is named.`,
      params: z.object({ domain: z.string() }),
      query: z.strictObject({ event: z.string().min(1).max(limits.nameCharsMax).optional() }),
      answer: seenProperties,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { event } = request.query;
        const rows = await warehouse.read<{ property: string; events: string }>(
          `SELECT property, toString(count()) AS events FROM events ARRAY JOIN mapKeys(props) AS property
          WHERE site_id = {site:UInt64} AND time >= fromUnixTimestamp64Milli({since:Int64})${event === undefined ? '' : ' AND name = {event:String}'}
          GROUP BY property ORDER BY count() DESC, property LIMIT ${namesMax}`,
          { site: site.id, since: clock.now() - seenDays * 86_400_000, ...(event === undefined ? {} : { event }) },
          { purpose: 'seen_properties', signal: request.signal },
        );
        return {
          body: { properties: rows.map(({ property, events }) => ({ name: property, events: Number(events) })) },
        };
      },
    }),
  ];
}
