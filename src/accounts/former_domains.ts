import type { Site } from '../../contract/api.ts';
import { siteLifeLimits } from '../../contract/site_life.ts';
import { RequestError } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';

export interface FormerDomain {
  domain: string;
  replaced_at: Date;
}

/**
 * The site that a domain leads to, as its present domain or as a former one. Two tables cannot share a unique key, so from
 * here to the end of the transaction whoever else adds, changes or frees a domain waits.
 */
export async function holderOfDomain(sql: Sql, domain: string): Promise<number | undefined> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('domains of sites', 0))");
  const found = await sql.maybe<{ site_id: number }>('SELECT site_id FROM lookup.site_by_domain($1)', [domain]);
  return found?.site_id;
}

/** A domain that another site has left is not free: its senders are still that site's. */
export function leadsElsewhere(domain: string): RequestError {
  return new RequestError(
    'conflict',
    `The domain ${domain} was the name of another site, and what still names it is counted there. Whoever manages that site can let it go; until then it cannot be taken.`,
    { field: 'domain' },
  );
}

/** Newest first. */
export function listFormerDomains(sql: Sql, siteId: number): Promise<FormerDomain[]> {
  return sql.query(
    'SELECT domain, replaced_at FROM former_domains WHERE site_id = $1 ORDER BY replaced_at DESC, domain',
    [siteId],
  );
}

/**
 * Gives a site another domain; the one before becomes a former one, which goes on leading to it.
 * @param to as `readDomain` gives it
 * @throws RequestError conflict: somebody has it, it leads elsewhere, or the site has too many former ones
 */
export async function changeDomain(
  sql: Sql,
  site: Pick<Site, 'id' | 'organisation_id'>,
  to: string,
  now: Date,
): Promise<void> {
  const holder = await holderOfDomain(sql, to);
  const row = await sql.maybe<{ domain: string }>('SELECT domain FROM sites WHERE id = $1 FOR UPDATE', [site.id]);
  if (row === undefined)
    throw new RequestError('not_found', 'This site was removed a moment ago. Go back to the list of sites.');
  if (row.domain === to) throw new RequestError('conflict', `The site is called ${to} already.`, { field: 'domain' });
  // Nothing is said of whose it is.
  if (holder !== undefined && holder !== site.id)
    throw new RequestError(
      'conflict',
      `The domain ${to} is taken: another site has it, or had it and is still counted under it. Whoever manages that site can let it go.`,
      { field: 'domain' },
    );
  await sql.run('DELETE FROM former_domains WHERE domain = $1', [to]);
  const { former } = await sql.one<{ former: number }>(
    'SELECT count(*)::int AS former FROM former_domains WHERE site_id = $1',
    [site.id],
  );
  if (former >= siteLifeLimits.formerDomainsMax)
    throw new RequestError(
      'conflict',
      `A site keeps at most ${siteLifeLimits.formerDomainsMax} former domains. Let one go that no tracker names any more.`,
      { field: 'domain' },
    );
  await sql.run('UPDATE sites SET domain = $2 WHERE id = $1', [site.id, to]);
  await sql.run('INSERT INTO former_domains (domain, organisation_id, site_id, replaced_at) VALUES ($1, $2, $3, $4)', [
    row.domain,
    site.organisation_id,
    site.id,
    now,
  ]);
}

/** @returns whether it was one of this site */
export async function freeDomain(sql: Sql, siteId: number, domain: string): Promise<boolean> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('domains of sites', 0))");
  return (await sql.run('DELETE FROM former_domains WHERE domain = $1 AND site_id = $2', [domain, siteId])) > 0;
}
