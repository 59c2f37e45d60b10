import { z } from 'zod';
import { profileLimits, profileList, profilePage } from '../../../contract/profiles.ts';
import { siteOfPath } from '../../accounts/index.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import { siteTarget } from '../act_target.ts';
import { restrictedVisitors } from './restricted.ts';
import { ofVisitors, type Profiles } from './store.ts';

type Listed = z.infer<typeof profileList>['profiles'][number];
interface Seen {
  visitor: string;
  first: string;
  last: string;
  events: string;
  country: string;
  browser: string;
  os: string;
  device: string;
}
interface Row {
  id: string;
  traits_sealed: Buffer | null;
  visitors: string[];
}

const listedDays = 30;
const asIso = (time: string) => `${time.replace(' ', 'T')}Z`;
const profilesSql = `SELECT p.id, p.traits_sealed, array_agg(v.visitor_id::text) AS visitors
  FROM profiles p JOIN profile_visitors v ON v.profile_id = p.id`;

/** Visitors of storage mode, and what the site has called them. Nobody of memory mode can be in it: their id lasts a day. */
export function profileRoutes(
  { postgres, warehouse, audit }: Pick<House, 'postgres' | 'warehouse' | 'audit'>,
  profiles: Pick<Profiles, 'digestsOf' | 'open'>,
): Route[] {
  const params = z.object({ domain: z.string() });

  /** @param visitors all of the site where it is undefined, but for those that are restricted */
  async function seen(
    siteId: number,
    { visitors, restricted }: { visitors: readonly string[] | undefined; restricted: readonly string[] },
    signal?: AbortSignal,
  ): Promise<Seen[]> {
    if (visitors?.length === 0) return [];
    return warehouse.read<Seen>(
      `SELECT toString(visitor_id) AS visitor, toString(min(events.time)) AS first, toString(max(events.time)) AS last,
         toString(countIf(name != 'engagement')) AS events, argMax(country, events.time) AS country,
         argMax(browser, events.time) AS browser, argMax(os, events.time) AS os, argMax(device, events.time) AS device
       FROM events WHERE site_id = {site:UInt64} AND stored_id = 1
         AND ${visitors === undefined ? `id_day >= today() - ${listedDays}` : ofVisitors}
         AND NOT has({restricted:Array(String)}, toString(visitor_id))
       GROUP BY visitor_id ORDER BY max(events.time) DESC LIMIT ${profileLimits.listedMax}`,
      { site: siteId, restricted, ...(visitors === undefined ? {} : { visitors }) },
      { purpose: 'profiles', ...(signal === undefined ? {} : { signal }) },
    );
  }

  async function listed(organisationId: number, found: readonly Seen[], row: Row | undefined): Promise<Listed> {
    const times = [...found.flatMap(({ first, last }) => [first, last])].sort();
    return {
      id: row?.id ?? (found[0]?.visitor as string),
      is_known: row !== undefined,
      traits: row === undefined ? {} : await profiles.open(organisationId, row.id, row.traits_sealed),
      browsers: row?.visitors.length ?? 1,
      first_seen: asIso(times[0] ?? ''),
      last_seen: asIso(times.at(-1) ?? ''),
      events: found.reduce((sum, { events }) => sum + Number(events), 0),
      country: found[0]?.country ?? '',
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/profiles',
      access: 'site.manage',
      summary: 'Visitors of storage mode of the last 30 days, newest first, or the one with an address or user id.',
      params,
      query: z.object({ search: z.string().trim().max(profileLimits.charsMax.email).optional() }),
      answer: profileList,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { search = '' } = request.query;
        const digests =
          search === '' ? [] : await profiles.digestsOf(site.organisation_id, { id: search, email: search });
        const { rows, wanted, restricted } = await postgres.tenant(site.organisation_id, async (sql) => {
          await audit.record(sql, site.organisation_id, {
            action: 'profiles.viewed',
            ...actOf(request),
            targets: [siteTarget(site)],
          });
          const restricted = await restrictedVisitors(sql, site.id);
          if (search === '') return { rows: undefined, wanted: undefined, restricted };
          const found = await sql.query<Row>(
            `${profilesSql} WHERE p.site_id = $1 AND p.id IN (SELECT profile_id FROM profile_digests
               WHERE site_id = $1 AND digest = ANY($2)) GROUP BY p.id`,
            [site.id, digests.map(({ digest }) => digest)],
          );
          return { rows: found, wanted: found.flatMap(({ visitors }) => visitors), restricted };
        });
        const found = await seen(site.id, { visitors: wanted, restricted }, request.signal);
        const known =
          rows ??
          (await postgres.tenant(site.organisation_id, (sql) =>
            sql.query<Row>(
              `${profilesSql} WHERE p.site_id = $1 AND p.id IN (SELECT profile_id FROM profile_visitors
                 WHERE site_id = $1 AND visitor_id = ANY($2::numeric[])) GROUP BY p.id`,
              [site.id, found.map(({ visitor }) => visitor)],
            ),
          ));
        const profileOf = new Map(known.flatMap((row) => row.visitors.map((visitor) => [visitor, row])));
        const groups = Map.groupBy(found, ({ visitor }) => profileOf.get(visitor)?.id ?? visitor);
        return {
          body: {
            profiles: await Promise.all(
              [...groups.values()].map((some) =>
                listed(site.organisation_id, some, profileOf.get((some[0] as Seen).visitor)),
              ),
            ),
            is_cut: found.length === profileLimits.listedMax,
            restricted: restricted.length,
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/profiles/:profile',
      access: 'site.manage',
      summary: 'One visitor of storage mode: what the site has called them, and what they did, newest first.',
      params: z.object({ domain: z.string(), profile: z.string().regex(/^(?:[0-9a-f]{16}|[0-9]{1,20})$/) }),
      answer: profilePage,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { profile } = request.params;
        const { row, named, restricted } = await postgres.tenant(site.organisation_id, async (sql) => {
          const row = await sql.maybe<Row>(`${profilesSql} WHERE p.site_id = $1 AND p.id = $2 GROUP BY p.id`, [
            site.id,
            profile,
          ]);
          await audit.record(sql, site.organisation_id, {
            action: 'profiles.viewed',
            ...actOf(request),
            targets: [siteTarget(site)],
          });
          const linked =
            row === undefined
              ? []
              : await sql.query<{ visitor: string; linked_at: Date }>(
                  'SELECT visitor_id::text AS visitor, linked_at FROM profile_visitors WHERE profile_id = $1',
                  [row.id],
                );
          const restricted = await restrictedVisitors(sql, site.id);
          return { row, restricted, named: new Map(linked.map(({ visitor, linked_at }) => [visitor, linked_at])) };
        });
        const visitors = row?.visitors ?? (/^[0-9]+$/.test(profile) && BigInt(profile) < 1n << 64n ? [profile] : []);
        // One is enough: all browsers of a profile are restricted with it.
        const isRestricted = visitors.some((one) => restricted.includes(one));
        const found = isRestricted ? [] : await seen(site.id, { visitors, restricted }, request.signal);
        if (found.length === 0)
          return { body: { profile: null, is_restricted: isRestricted, browsers: [], timeline: [] } };
        const timeline = await warehouse.read<
          Omit<z.infer<typeof profilePage>['timeline'][number], 'browser'> & { visitor: string }
        >(
          `SELECT toString(events.time) AS time, toString(visit_id) AS visit, toString(visitor_id) AS visitor, name, hostname,
             pathname, source, country, device
           FROM events WHERE site_id = {site:UInt64} AND stored_id = 1 AND ${ofVisitors} AND name != 'engagement'
           ORDER BY events.time DESC LIMIT ${profileLimits.listedMax}`,
          { site: site.id, visitors },
          { purpose: 'profiles', signal: request.signal },
        );
        return {
          body: {
            profile: await listed(site.organisation_id, found, row),
            is_restricted: false,
            browsers: found.map(({ visitor, first, last, events, ...of }) => ({
              ...{ browser: of.browser, os: of.os, device: of.device, country: of.country },
              ...{ first_seen: asIso(first), last_seen: asIso(last), events: Number(events) },
              named_at: named.get(visitor)?.toISOString() ?? null,
            })),
            timeline: timeline.map(({ visitor, time, ...one }) => ({
              ...{ ...one, time: asIso(time) },
              browser: found.findIndex((of) => of.visitor === visitor),
            })),
          },
        };
      },
    }),
  ];
}
