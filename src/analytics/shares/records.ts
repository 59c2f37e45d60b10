import type { Share, ShareKind, SharePanel, SharePeriod } from '../../../contract/shares.ts';
import { openEmail } from '../../platform/email.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayIn, daysBefore, isOver } from './period.ts';

/** A share as its page needs it, with the site it shows. The digest and the hash leave this folder in no answer. */
export interface StoredShare {
  id: number;
  organisationId: number;
  kind: ShareKind;
  name: string;
  digest: Buffer;
  passwordHash: string | null;
  panels: SharePanel[];
  periods: SharePeriod[];
  hosts: string[];
  expiresOn: string | null;
  site: { id: number; organisation_id: number; domain: string; timezone: string; currency: string; createdAt: number };
}

/** The share that a link opens; undefined when there is none, or its site or organisation is not open. */
export async function findShare(postgres: Postgres, digest: Buffer): Promise<StoredShare | undefined> {
  const found = await postgres.system((sql) =>
    sql.maybe<{ share_id: number; organisation_id: number }>('SELECT * FROM lookup.share_by_digest($1)', [digest]),
  );
  if (found === undefined) return undefined;
  const row = await postgres.tenant(found.organisation_id, (sql) =>
    sql.maybe<{
      kind: ShareKind;
      name: string;
      password_hash: string | null;
      panels: SharePanel[];
      periods: SharePeriod[];
      hosts: string[];
      expires_on: string | null;
      site_id: number;
      domain: string;
      timezone: string;
      currency: string;
      created_at: Date;
    }>(
      `SELECT h.kind, h.name, h.password_hash, h.panels, h.periods, h.hosts, h.expires_on::text AS expires_on,
         s.id AS site_id, s.domain, s.timezone, s.currency, s.created_at
       FROM shares h JOIN sites s ON s.id = h.site_id JOIN organisations o ON o.id = h.organisation_id
       WHERE h.id = $1 AND s.state = 'active' AND o.status NOT IN ('suspended', 'closed')`,
      [found.share_id],
    ),
  );
  if (row === undefined) return undefined;
  return {
    ...{ id: found.share_id, organisationId: found.organisation_id, digest, kind: row.kind, name: row.name },
    ...{ passwordHash: row.password_hash, panels: row.panels, periods: row.periods, hosts: row.hosts },
    expiresOn: row.expires_on,
    site: {
      ...{ id: row.site_id, organisation_id: found.organisation_id, domain: row.domain, timezone: row.timezone },
      ...{ currency: row.currency, createdAt: row.created_at.getTime() },
    },
  };
}

/** One view more on this day in the zone of the site; nothing is kept of who looked. */
export async function countView(postgres: Postgres, share: StoredShare, now: number): Promise<void> {
  await postgres.tenant(share.organisationId, (sql) =>
    sql.run(
      `INSERT INTO share_views (organisation_id, share_id, day, views) SELECT organisation_id, id, $2, 1 FROM shares WHERE id = $1
       ON CONFLICT (organisation_id, share_id, day) DO UPDATE SET views = share_views.views + 1`,
      [share.id, dayIn(share.site.timezone, now)],
    ),
  );
}

/** The shares of a site, newest first, with the views of 30 days. */
export async function listShares(
  { vault }: Pick<House, 'vault'>,
  sql: Sql,
  site: { id: number; timezone: string },
  now: number,
  id: number | null = null,
): Promise<Share[]> {
  const today = dayIn(site.timezone, now);
  const rows = await sql.query<
    Omit<Share, 'created_by' | 'created_at' | 'link_made_at' | 'expired'> & {
      maker_id: number | null;
      maker_email: Buffer | null;
      created_at: Date;
      link_made_at: Date;
    }
  >(
    `SELECT h.id, h.name, h.kind, h.panels, h.periods, h.hosts, h.expires_on::text AS expires_on, h.created_at, h.link_made_at,
       p.id AS maker_id, p.email_sealed AS maker_email, coalesce(v.views, 0)::int AS views_30_days, v.last::text AS last_opened_on
     FROM shares h LEFT JOIN people p ON p.id = h.created_by
     LEFT JOIN LATERAL (
       SELECT sum(views) FILTER (WHERE day > $2) AS views, max(day) AS last FROM share_views WHERE share_id = h.id
     ) v ON true
     WHERE h.site_id = $1 AND ($3::bigint IS NULL OR h.id = $3) ORDER BY h.created_at DESC, h.id DESC`,
    [site.id, daysBefore(today, 30), id],
  );
  return Promise.all(
    rows.map(async ({ created_at, link_made_at, maker_id, maker_email, ...row }) => ({
      ...row,
      created_by:
        maker_id === null || maker_email === null ? null : await openEmail(vault, { person: maker_id }, maker_email),
      expired: isOver(row.expires_on, now, site.timezone),
      created_at: created_at.toISOString(),
      link_made_at: link_made_at.toISOString(),
    })),
  );
}

/** Those of every site of the organisation in force. */
export function listAllShares(sql: Sql): Promise<
  (Pick<Share, 'id' | 'name' | 'kind' | 'panels' | 'hosts' | 'expires_on' | 'last_opened_on'> & {
    link_made_at: Date;
    site_id: number;
    organisation_id: number;
    domain: string;
    timezone: string;
  })[]
> {
  return sql.query(
    `SELECT h.id, h.name, h.kind, h.panels, h.hosts, h.expires_on::text AS expires_on, h.link_made_at, h.site_id,
       s.organisation_id, s.domain, s.timezone, (SELECT max(day)::text FROM share_views v WHERE v.share_id = h.id) AS last_opened_on
     FROM shares h JOIN sites s ON s.id = h.site_id ORDER BY s.domain, h.id`,
  );
}

export async function insertShare(
  sql: Sql,
  site: { id: number; organisation_id: number },
  row: {
    kind: ShareKind;
    name: string;
    digest: Buffer;
    panels: readonly string[];
    periods: readonly string[];
    hosts: readonly string[];
    passwordHash: string | null;
    expiresOn: string | null;
    createdBy: number | null;
    at: Date;
  },
): Promise<number> {
  const made = await sql.one<{ id: number }>(
    `INSERT INTO shares (organisation_id, site_id, kind, name, digest, panels, periods, hosts, password_hash, expires_on, created_by, created_at, link_made_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING id`,
    [
      ...[site.organisation_id, site.id, row.kind, row.name, row.digest, row.panels, row.periods, row.hosts],
      ...[row.passwordHash, row.expiresOn, row.createdBy, row.at],
    ],
  );
  return made.id;
}

/** Members that are undefined stay as they are. @returns false when there is no such share on this site */
export async function updateShare(
  sql: Sql,
  siteId: number,
  id: number,
  change: {
    name: string | undefined;
    panels: readonly string[] | undefined;
    periods: readonly string[] | undefined;
    hosts: readonly string[] | undefined;
    /** A page with one is of the kind `password`, and of the kind `public` once it is null. */
    passwordHash: string | null | undefined;
    /** Undefined leaves the day as it is; null takes it away. */
    expiresOn: string | null | undefined;
  },
): Promise<void> {
  await sql.run(
    `UPDATE shares SET name = coalesce($3, name), panels = coalesce($4, panels), periods = coalesce($5, periods),
       hosts = coalesce($6, hosts),
       password_hash = CASE WHEN $10 AND kind <> 'widget' THEN $7 ELSE password_hash END,
       kind = CASE WHEN $10 AND kind <> 'widget' THEN CASE WHEN $7::text IS NULL THEN 'public' ELSE 'password' END ELSE kind END,
       expires_on = CASE WHEN $8 THEN $9 ELSE expires_on END
     WHERE id = $1 AND site_id = $2`,
    [
      ...[id, siteId, change.name ?? null, change.panels ?? null, change.periods ?? null, change.hosts ?? null],
      ...[change.passwordHash ?? null, change.expiresOn !== undefined, change.expiresOn ?? null],
      change.passwordHash !== undefined,
    ],
  );
}
