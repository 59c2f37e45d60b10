import type { ForeignProduct } from '../../contract/api.ts';
import type { ShieldKind } from '../../contract/shields.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { everywhere, type Postgres } from '../platform/postgres/index.ts';
import { readVisitorRule, type VisitorRule } from '../trust/consent/index.ts';
import type { ForeignId, Shields, SiteDirectory, SiteRecord } from './sites.ts';

/** Other processes change sites too (the app beside its collectors), and tell nobody: look again this often. */
const refreshMs = 15_000;

/**
 * Keeps the directory the same as the tables: reads them at once, again whenever `refresh` is called, and every 15 s.
 * While Postgres is away the last list goes on: collection does not depend on it.
 */
export async function keepSiteDirectory(parts: {
  directory: SiteDirectory;
  postgres: Postgres;
  clock: Clock;
  log: Log;
  /** Called with a site whose data was removed, here or elsewhere, since the reading before: nothing of it may stay in memory. */
  onEmptied?: (siteId: number) => void;
  /** Called with a list before it is used; what it resolves to is called once it is. */
  prepare(sites: readonly SiteRecord[]): Promise<() => void>;
}): Promise<{ refresh(): Promise<void>; stop(): void }> {
  const { directory, postgres, clock, log } = parts;
  let reading: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  /** Resolves when a reading that began after this call is over; it never throws. */
  function refresh(): Promise<void> {
    // A change during a reading may have come too late for it.
    again = true;
    reading ??= read();
    return reading;
  }
  async function read() {
    while (again && !stopped) {
      again = false;
      try {
        await take(await readSites(postgres, clock.now()));
      } catch (error) {
        log.error('site_list.not_read', {}, error);
      }
    }
    reading = undefined;
  }
  async function take(sites: readonly SiteRecord[]) {
    const before = [...directory.all()];
    const isUsed = await parts.prepare(sites);
    directory.replaceAll(sites);
    isUsed();
    for (const { id, emptiedAtMs } of before) {
      const now = directory.byId(id);
      if (now === undefined || now.emptiedAtMs !== emptiedAtMs) parts.onEmptied?.(id);
    }
  }
  await take(await readSites(postgres, clock.now()));
  let stopTimer = clock.after(refreshMs, tick);
  function tick() {
    void refresh();
    stopTimer = clock.after(refreshMs, tick);
  }
  return {
    refresh,
    stop() {
      stopped = true;
      stopTimer();
    },
  };
}

type SiteRow = {
  id: number;
  organisation_id: number;
  domain: string;
  timezone: string;
  currency: string;
  titles: boolean;
  revenue: boolean;
  earns: boolean;
  contact_clicks: boolean;
  privacy_signals: 'ignore' | 'drop';
  hostnames: string[];
  state: 'active' | 'suspended' | 'deleting';
  emptied_at: Date | null;
  former_domains: string[];
};
type ShieldRow = {
  site_id: number;
  kind: ShieldKind;
  pattern: string | null;
  network: string | null;
  digest: string | null;
};
type ForeignIdRow = { site_id: number; product: ForeignProduct; foreign_id: string; secret_digest: string | null };

/** Every organisation's sites, each read through its own door. */
export async function readSites(postgres: Postgres, nowMs: number): Promise<SiteRecord[]> {
  return everywhere(postgres, async (sql) => {
    const organisation = await sql.one<{ id: number; status: string; closed: boolean }>(
      `SELECT id, status, status = 'closed' OR (status = 'closing' AND status_until <= $1) AS closed FROM organisations`,
      [new Date(nowMs)],
    );
    // To whoever sends, a closed organisation is like one that never was.
    if (organisation.closed) return [];
    const isSuspended = organisation.status === 'suspended';
    const sites = await sql.query<SiteRow>(
      `SELECT s.id, s.organisation_id, s.domain, s.timezone, s.currency, s.titles, s.revenue, s.contact_clicks, s.privacy_signals, s.hostnames, s.state, s.emptied_at,
         ARRAY(SELECT f.domain FROM former_domains f WHERE f.site_id = s.id ORDER BY f.domain) AS former_domains,
         EXISTS (SELECT FROM goals g WHERE g.site_id = s.id AND g.currency IS NOT NULL) AS earns
       FROM sites s
       -- Of what is being deleted nothing may be written any more, not even a count of what was not taken.
       WHERE NOT EXISTS (SELECT FROM site_removals r WHERE r.site_id = s.id AND r.kind = 'deletion' AND r.state = 'running')
       ORDER BY s.id`,
    );
    const shields = await sql.query<ShieldRow>(
      `SELECT site_id, kind, pattern, network::text AS network, encode(digest, 'hex') AS digest FROM shields`,
    );
    const foreignIds = await sql.query<ForeignIdRow>(
      `SELECT site_id, product, foreign_id, encode(secret_digest, 'hex') AS secret_digest FROM foreign_ids`,
    );
    const purposes = await readVisitorRule(sql, organisation.id);
    const restricted = await sql.query<{ site_id: number; visitor: string }>(
      'SELECT DISTINCT site_id, visitor_id::text AS visitor FROM restricted_visitors',
    );
    const restrictedOf = Map.groupBy(restricted, ({ site_id }) => site_id);
    return sites.map((site) => ({
      ...recordOf(site, purposes, shieldsOf(site, shields), foreignIdsOf(site, foreignIds)),
      ...(restrictedOf.has(site.id)
        ? { restricted: new Set(restrictedOf.get(site.id)?.map(({ visitor }) => visitor)) }
        : {}),
      ...(isSuspended ? { stopped: 'organisation_suspended' as const } : {}),
    }));
  });
}

function recordOf(
  site: SiteRow,
  purposes: VisitorRule,
  shields: Shields,
  foreignIds: readonly ForeignId[],
): SiteRecord {
  return {
    id: site.id,
    organisationId: site.organisation_id,
    domain: site.domain,
    aliases: site.former_domains,
    timezone: site.timezone,
    currency: site.currency,
    titles: site.titles,
    revenue: site.revenue || site.earns,
    contactClicks: site.contact_clicks,
    purposes,
    privacySignals: site.privacy_signals,
    stopped: site.state === 'active' ? undefined : 'site_suspended',
    ...(site.emptied_at === null ? {} : { emptiedAtMs: site.emptied_at.getTime() }),
    shields,
    foreignIds,
  };
}

function foreignIdsOf(site: SiteRow, rows: readonly ForeignIdRow[]): ForeignId[] {
  return rows
    .filter((row) => row.site_id === site.id)
    .map((row) => ({ product: row.product, id: row.foreign_id, secretDigest: row.secret_digest ?? undefined }));
}

function shieldsOf(site: SiteRow, rows: readonly ShieldRow[]): Shields {
  const own = rows.filter((row) => row.site_id === site.id);
  const patterns = (kind: ShieldKind) => own.flatMap((row) => (row.kind === kind ? (row.pattern ?? []) : []));
  return {
    hostnames: [...site.hostnames, ...patterns('hostname')],
    blockedHostnames: patterns('blocked_hostname'),
    pages: patterns('path'),
    countries: patterns('country').map((country) => country.toUpperCase()),
    networks: own.flatMap((row) => row.network ?? []),
    addressDigests: own.flatMap((row) => row.digest ?? []),
    referrers: patterns('referrer'),
    rate: patterns('rate').map(Number)[0],
  };
}
