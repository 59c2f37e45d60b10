import type { z } from 'zod';
import type { newSite, Site, siteChange } from '../../contract/api.ts';
import { isCurrency } from '../../contract/currency.ts';
import type { Clock } from '../platform/clock.ts';
import { RequestError, type RouteRequest } from '../platform/http/route.ts';
import { type Postgres, prepared, type Sql } from '../platform/postgres/index.ts';
import { isNamedZone } from '../platform/zone.ts';
import { sitesChanged } from './changes.ts';
import { readDomain } from './domain.ts';
import { holderOfDomain, leadsElsewhere } from './former_domains.ts';

export interface SiteRow {
  id: number;
  organisation_id: number;
  domain: string;
  timezone: string;
  currency: string;
  retention_months: number;
  titles: boolean;
  revenue: boolean;
  contact_clicks: boolean;
  privacy_signals: 'ignore' | 'drop';
  created_at: Date;
  deletes_at: Date | null;
}
// A deletion is looked for where the site says that there is one.
const columns = `id, organisation_id, domain, timezone, currency, retention_months, titles, revenue, contact_clicks, privacy_signals, created_at,
  CASE WHEN state = 'deleting' THEN (
    SELECT r.due_at FROM site_removals r WHERE r.site_id = sites.id AND r.kind = 'deletion' AND r.state IN ('waiting', 'running')
  ) END AS deletes_at`;

// Asked with nearly every call about a site.
const ownerById = prepared('SELECT site_id, organisation_id FROM lookup.site_by_id($1)');
const ownerByDomain = prepared('SELECT site_id, organisation_id FROM lookup.site_by_domain($1)');
const siteById = prepared(`SELECT ${columns} FROM sites WHERE id = $1`);

export function siteOf(row: SiteRow): Site {
  return { ...row, created_at: row.created_at.toISOString(), deletes_at: row.deletes_at?.toISOString() ?? null };
}

export async function listSites(sql: Sql): Promise<Site[]> {
  return (await sql.query<SiteRow>(`SELECT ${columns} FROM sites ORDER BY domain`)).map(siteOf);
}

/**
 * Finds a site by number or domain across organisations, then reads it through its own organisation's door.
 * Undefined when there is none; whether the asker may see it is the caller's question.
 */
export async function findSite(postgres: Postgres, wanted: string | number): Promise<Site | undefined> {
  const byId = typeof wanted === 'number' || /^\d{1,15}$/.test(wanted);
  const found = await postgres.system((sql) =>
    byId
      ? sql.query<{ site_id: number; organisation_id: number }>(ownerById, [Number(wanted)])
      : sql.query<{ site_id: number; organisation_id: number }>(ownerByDomain, [readDomain(String(wanted)) ?? '']),
  );
  const ids = found[0];
  if (ids === undefined) return undefined;
  const rows = await postgres.tenant(ids.organisation_id, (sql) => sql.query<SiteRow>(siteById, [ids.site_id]));
  return rows[0] === undefined ? undefined : siteOf(rows[0]);
}

/** What the parameters of a path name, in numbers; whether the asker may go there is the caller's question. */
export async function whoseOf(
  postgres: Postgres,
  { organisation, domain }: Record<string, string>,
): Promise<{ organisationId: number; siteId?: number } | undefined> {
  if (domain !== undefined) {
    const site = await findSite(postgres, domain);
    return site && { organisationId: site.organisation_id, siteId: site.id };
  }
  return /^\d{1,15}$/.test(organisation ?? '') ? { organisationId: Number(organisation) } : undefined;
}

/**
 * The site that a path names, if the asker may do what the route is for with it.
 * @throws RequestError not_found, alike for a site that is not there and one that is somebody else's
 */
export async function siteOfPath(
  postgres: Postgres,
  request: Pick<RouteRequest<{ domain: string }, unknown, unknown>, 'params' | 'allow'>,
): Promise<Site> {
  const site = await findSite(postgres, request.params.domain);
  if (site !== undefined && isAllowed(request, site)) return site;
  throw new RequestError(
    'not_found',
    `No site here is called "${request.params.domain.slice(0, 253)}", or your role does not include this. Owners of the organisation can grant it.`,
  );
}

function isAllowed(request: Pick<RouteRequest<unknown, unknown, unknown>, 'allow'>, site: Site): boolean {
  try {
    request.allow(site.organisation_id, site.id);
    return true;
  } catch (error) {
    if (error instanceof RequestError && error.code === 'not_found') return false;
    throw error;
  }
}

/** Checks what the schema alone cannot: the name, the zone, the currency. @throws RequestError invalid_field */
export function readNewSite(input: z.infer<typeof newSite>, at = ''): z.infer<typeof newSite> {
  const domain = readDomain(input.domain);
  if (domain === undefined)
    throw new RequestError(
      'invalid_field',
      `"${input.domain}" is not a domain. Write it as it stands in the address bar, such as shop.example.`,
      { field: `${at}domain` },
    );
  checkZoneAndCurrency(input, at);
  return { ...input, domain };
}

function checkZoneAndCurrency(
  input: { timezone?: string | undefined; currency?: string | undefined },
  at: string,
): void {
  if (input.timezone !== undefined && !isNamedZone(input.timezone))
    throw new RequestError(
      'invalid_field',
      `"${input.timezone}" is not a timezone. Write an IANA name such as Europe/Berlin.`,
      { field: `${at}timezone` },
    );
  if (input.currency !== undefined && !isCurrency(input.currency))
    throw new RequestError(
      'invalid_field',
      `"${input.currency}" is not a currency. Write an ISO 4217 code such as EUR.`,
      { field: `${at}currency` },
    );
}

export async function addSite(
  sql: Sql,
  clock: Clock,
  organisationId: number,
  input: z.infer<typeof newSite>,
): Promise<Site> {
  const holder = await holderOfDomain(sql, input.domain);
  const rows = await sql.query<SiteRow>(
    `INSERT INTO sites (organisation_id, domain, timezone, currency, retention_months, created_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (domain) DO NOTHING RETURNING ${columns}`,
    [organisationId, input.domain, input.timezone, input.currency, input.retention_months, new Date(clock.now())],
  );
  if (rows[0] === undefined)
    throw new RequestError(
      'conflict',
      `The domain ${input.domain} is already measured by this desk. Each domain can be added once.`,
      { field: 'domain' },
    );
  if (holder !== undefined) throw leadsElsewhere(input.domain);
  return siteOf(rows[0]);
}

export async function changeSite(
  postgres: Postgres,
  site: Site,
  change: z.infer<typeof siteChange>,
  note: (sql: Sql) => Promise<void>,
): Promise<Site> {
  checkZoneAndCurrency(change, '');
  const next = {
    ...site,
    ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)),
  } as Site;
  const rows = await postgres.tenant(site.organisation_id, async (sql) => {
    const changed = await sql.query<SiteRow>(
      `UPDATE sites SET timezone = $2, currency = $3, retention_months = $4, titles = $5, revenue = $6, contact_clicks = $7, privacy_signals = $8 WHERE id = $1 RETURNING ${columns}`,
      [
        site.id,
        next.timezone,
        next.currency,
        next.retention_months,
        next.titles,
        next.revenue,
        next.contact_clicks,
        next.privacy_signals,
      ],
    );
    if (changed.length > 0) await note(sql);
    return changed;
  });
  if (rows[0] === undefined)
    throw new RequestError('not_found', 'This site was removed a moment ago. Go back to the list of sites.');
  await sitesChanged();
  return siteOf(rows[0]);
}
