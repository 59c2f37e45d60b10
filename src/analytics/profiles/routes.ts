import { z } from 'zod';
import { profileLimits, profileList, profilePage } from '../../../contract/profiles.ts';
import { siteOfPath } from '../../accounts/index.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import { siteTarget } from '../act_target.ts';
import { restrictedVisitors } from './restricted.ts';
import { ofVisitors, type Profiles } from './store.ts';
import { asIso, readTimeline, timelineCursor } from './timeline.ts';

type Listed = z.infer<typeof profileList>['profiles'][number];
interface Seen {
  visitor: string;
  first: string;
  last: string;
  last_ms: string;
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
/** More browsers of the people of one page are not added up. */
const besideMax = 10_000;

/** The last browser of a page: when it was seen last, and its number, since two may be of one moment. */
interface Cursor {
  ms: string;
  visitor: string;
}
const cursorPattern = /^(\d{1,15})\.(\d{1,20})$/;
/** In the order of the list: does it come after the cursor? */
function isAfter({ last_ms, visitor }: Seen, { ms, visitor: from }: Cursor): boolean {
  const [own, other] = [BigInt(last_ms), BigInt(ms)];
  return own === other ? BigInt(visitor) < BigInt(from) : own < other;
}
function readCursor(text: string | undefined): Cursor | undefined {
  const [, ms, visitor] = cursorPattern.exec(text ?? '') ?? [];
  return ms === undefined || visitor === undefined ? undefined : { ms, visitor };
}
const profilesSql = `SELECT p.id, p.traits_sealed, array_agg(v.visitor_id::text) AS visitors
  FROM profiles p JOIN profile_visitors v ON v.profile_id = p.id`;

/** Visitors of storage mode, and what the site has called them. Nobody of memory mode can be in it: their id lasts a day. */
export function profileRoutes(
  { postgres, warehouse, audit }: Pick<House, 'postgres' | 'warehouse' | 'audit'>,
  profiles: Pick<Profiles, 'digestsOf' | 'open'>,
): Route[] {
  const params = z.object({ domain: z.string() });

  /** @param visitors all of the site of the last days where it is undefined, but for those that are restricted; then a page of them, from `before` on */
  async function seen(
    siteId: number,
    {
      visitors,
      restricted,
      before,
      limit = profileLimits.listedMax,
    }: {
      visitors: readonly string[] | undefined;
      restricted: readonly string[];
      before?: Cursor | undefined;
      limit?: number;
    },
    signal?: AbortSignal,
  ): Promise<Seen[]> {
    if (visitors?.length === 0) return [];
    return warehouse.read<Seen>(
      `SELECT toString(visitor_id) AS visitor, toString(min(events.time)) AS first, toString(max(events.time)) AS last,
         toUnixTimestamp64Milli(max(events.time)) AS last_ms,
         toString(countIf(name != 'engagement')) AS events, argMax(country, events.time) AS country,
         argMax(browser, events.time) AS browser, argMax(os, events.time) AS os, argMax(device, events.time) AS device
       FROM events WHERE site_id = {site:UInt64} AND stored_id = 1
         AND ${visitors === undefined ? `id_day >= today() - ${listedDays}` : ofVisitors}
         AND NOT has({restricted:Array(String)}, toString(visitor_id))
       GROUP BY visitor_id
       ${before === undefined ? '' : 'HAVING (last_ms, visitor_id) < ({ms:Int64}, {from:UInt64})'}
       ORDER BY last_ms DESC, visitor_id DESC LIMIT ${limit}`,
      {
        ...{ site: siteId, restricted },
        ...(visitors === undefined ? {} : { visitors }),
        ...(before === undefined ? {} : { ms: before.ms, from: before.visitor }),
      },
      { purpose: 'profiles', ...(signal === undefined ? {} : { signal }) },
    );
  }

  /** Whom a browser's own id knows again is one visitor, on however many days they came. */
  async function countVisitors(siteId: number, restricted: readonly string[], signal: AbortSignal): Promise<number> {
    const [row] = await warehouse.read<{ visitors: string }>(
      `SELECT uniqExact(visitor_id) AS visitors FROM events WHERE site_id = {site:UInt64} AND stored_id = 1
         AND id_day >= today() - ${listedDays} AND NOT has({restricted:Array(String)}, toString(visitor_id))`,
      { site: siteId, restricted },
      { purpose: 'profiles', signal },
    );
    return Number(row?.visitors ?? 0);
  }

  async function listed(organisationId: number, found: readonly Seen[], row: Row | undefined): Promise<Listed> {
    const times = [...found.flatMap(({ first, last }) => [first, last])].sort();
    return {
      id: row?.id ?? (found[0]?.visitor as string),
      is_known: row !== undefined,
      traits: row === undefined ? {} : await profiles.open(organisationId, row.id, row.traits_sealed),
      browsers: found.length,
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
      access: 'profile.read',
      summary:
        'Visitors of storage mode of the last 30 days, a page of them, newest first, or the one with an address or user id.',
      params,
      query: z.object({
        search: z.string().trim().max(profileLimits.charsMax.email).optional(),
        before: z.string().regex(cursorPattern).optional().describe('`next` of the page before'),
      }),
      answer: profileList,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { search = '' } = request.query;
        const before = readCursor(request.query.before);
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
        const found = await seen(site.id, { visitors: wanted, restricted, before }, request.signal);
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
        const onPage = new Set(found.map(({ visitor }) => visitor));
        const elsewhere = known.flatMap(({ visitors }) => visitors.filter((visitor) => !onPage.has(visitor)));
        const beside = await seen(site.id, { visitors: elsewhere, restricted, limit: besideMax }, request.signal);
        // Somebody stands once, on the page of the browser that was seen last, with what the others did.
        const isBefore = (of: Seen) => before !== undefined && !isAfter(of, before);
        const groups = Map.groupBy([...found, ...beside], ({ visitor }) => profileOf.get(visitor)?.id ?? visitor);
        const shown = [...groups.values()].filter((some) => !some.some(isBefore));
        const last = found.at(-1);
        return {
          body: {
            profiles: await Promise.all(
              shown.map((some) => listed(site.organisation_id, some, profileOf.get((some[0] as Seen).visitor))),
            ),
            next:
              search === '' && found.length === profileLimits.listedMax && last !== undefined
                ? `${last.last_ms}.${last.visitor}`
                : null,
            visitors: search === '' ? await countVisitors(site.id, restricted, request.signal) : null,
            restricted: restricted.length,
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/profiles/:profile',
      access: 'profile.read',
      summary:
        'One visitor of storage mode: what the site has called them, their visits, and what they did, a page of it, newest first.',
      params: z.object({ domain: z.string(), profile: z.string().regex(/^(?:[0-9a-f]{16}|[0-9]{1,20})$/) }),
      query: z.object({
        before: z.string().regex(timelineCursor).optional().describe('`next` of the part before'),
      }),
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
          return {
            body: {
              ...{ profile: null, is_restricted: isRestricted, browsers: [], timeline: [], next: null },
              ...{ visit_count: 0, visits: [] },
            },
          };
        const { timeline, ...visits } = await readTimeline(
          warehouse,
          { siteId: site.id, visitors, before: request.query.before },
          request.signal,
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
            ...visits,
            timeline: timeline.map(({ visitor, ...one }) => ({
              ...one,
              browser: found.findIndex((of) => of.visitor === visitor),
            })),
          },
        };
      },
    }),
  ];
}
