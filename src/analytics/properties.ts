import { z } from 'zod';
import { seenProperties } from '../../contract/api.ts';
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
      summary: `The names of the custom properties that events of the last ${seenDays} days carried, most used first.`,
      params: z.object({ domain: z.string() }),
      answer: seenProperties,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const rows = await warehouse.read<{ name: string; events: string }>(
          `SELECT name, toString(count()) AS events FROM events ARRAY JOIN mapKeys(props) AS name
          WHERE site_id = {site:UInt64} AND time >= fromUnixTimestamp64Milli({since:Int64})
          GROUP BY name ORDER BY count() DESC, name LIMIT ${namesMax}`,
          { site: site.id, since: clock.now() - seenDays * 86_400_000 },
          { purpose: 'seen_properties', signal: request.signal },
        );
        return { body: { properties: rows.map(({ name, events }) => ({ name, events: Number(events) })) } };
      },
    }),
  ];
}
